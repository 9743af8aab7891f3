"""Independent verification: every balance, limit, cap, rule and cost recomputed from the workbook and the result tables.

Nothing here comes from the rooms that made the plan. Figures are in the workbook's units
(t REO, USD/kg, MUSD), so that the conversion to model units is checked as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from model import verification_constraints as constraints
from model import verification_derived as derived
from model import verification_domain as domain
from model.goal import LEAST_COST, Goal
from model.tables import Tables
from model.verification_book import Book
from model.verification_caps import cap_figures
from model.verification_costs import cost_lines
from model.verification_economics import Economics
from model.verification_goal import check_goal
from model.verification_ledger import Ledger
from model.verification_plan import Plan
from model.verification_rows import read_rows
from model.verification_rules import IMPLIED, RULE_BY_NAME, RULES, Rule

__all__ = ["IMPLIED", "RULES", "RULE_BY_NAME", "Rule", "VerificationReport", "verify_solution"]


@dataclass(frozen=True)
class VerificationReport:
    """What the check found.

    Parameters
    ----------
    table
        One row for each rule, in the columns of the result table ``checks``.
    failures
        One sentence for each rule that failed: what, where, how much.
    """

    table: pd.DataFrame
    failures: list[str]

    @property
    def passed(self) -> bool:
        """Whether every rule passed."""
        return not self.failures

    @property
    def failed_rules(self) -> list[str]:
        """Names of the rules that failed."""
        return self.table.loc[self.table["verdict"] == "FAIL", "check"].tolist()


def verify_solution(
    tables: Tables, results: Mapping[str, pd.DataFrame], objective: float | None, goal: Goal = LEAST_COST
) -> VerificationReport:
    """Recompute a plan from the workbook and judge every rule of the register.

    Parameters
    ----------
    tables
        Validated input tables, in the workbook's units.
    results
        Result tables by name, as declared in :mod:`model.result_schema`; the table ``checks`` is not
        read. Missing tables or columns, unknown codes and numbers that are none are failures of the
        plan, not errors.
    objective
        Total cost that the solver reported, MUSD; None leaves the two rules about it untested.
    goal
        What the plan was asked for; its limits are judged like any other.

    Returns
    -------
    VerificationReport
        With a verdict for every rule. A rule with nothing to test passes with 0 tested.
    """
    book, ledger = Book(tables), Ledger()
    plan, economics = Plan(book, read_rows(book, results, ledger)), Economics(book)
    caps, costs = cap_figures(plan, economics), cost_lines(plan, economics)

    domain.check_inputs(plan, ledger)
    domain.check_signs(plan, ledger)
    domain.check_builds(plan, ledger)
    domain.check_feed(plan, economics, ledger)
    domain.check_trade(plan, economics, ledger)

    constraints.check_sites(plan, ledger)
    constraints.check_lines(plan, ledger)
    constraints.check_products(plan, ledger)
    constraints.check_supply(plan, ledger)
    constraints.check_policy(plan, economics, caps, ledger)

    check_goal(plan, costs, goal, ledger)

    derived.check_contents(plan, ledger)
    derived.check_plants(plan, economics, ledger)
    derived.check_lines(plan, ledger)
    derived.check_products(plan, ledger)
    derived.check_supply(plan, ledger)
    derived.check_costs(plan, costs, objective, ledger)
    derived.check_china_shares(plan, caps, ledger)
    return VerificationReport(ledger.table(), ledger.failures())
