"""What a goal asks of a plan beyond the workbook's rules, recomputed from the decisions."""

from __future__ import annotations

import numpy as np

from model.goal import Goal
from model.verification_costs import Costs
from model.verification_ledger import Ledger
from model.verification_plan import Plan


def check_goal(plan: Plan, costs: Costs, goal: Goal, ledger: Ledger) -> None:
    """Test the excluded sets of hosts, the limits on shortage and the budget of a goal."""
    book = plan.book
    held = {str(book.codes["host"][position]) for position in np.unique(plan.rows["builds"]["host"])}
    excluded = goal.excluded_host_sets
    ledger.forbid(
        "host_set_difference_minimum",
        [held == hosts for hosts in excluded],
        lambda number: f"excluded set {', '.join(sorted(excluded[number])) or 'without hosts'}",
    )
    rows = plan.rows["unmet"]
    sector = np.array(book.codes["sector"], dtype=object)[rows["sector"]]
    tonnes = rows["tonnes"] * book.represented[rows["year"]]
    ledger.compare(
        "shortage_limit",
        [tonnes[np.isin(sector, limit.sectors)].sum() for limit in goal.shortage_limits],
        "<=",
        [limit.kt * 1000.0 for limit in goal.shortage_limits],
        lambda number: f"sectors {', '.join(goal.shortage_limits[number].sectors)}",
    )
    if goal.cost_budget is not None:
        ledger.compare("cost_budget", [(costs.by_year * book.weight).sum()], "<=", goal.cost_budget, lambda _: "all cost lines")
