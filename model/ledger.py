"""Who bears which cost: every cost line of a plan laid on a market, by a stated rule for the joint plants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import pandas as pd

from model.problem import Problem
from model.tables import Tables

Frames = Mapping[str, pd.DataFrame]

SHAPLEY = "shapley"
YEARLY_RULES = ("equity", "tonnes", "value")
"""Rules that share each year's cost of each plant; the Shapley rule settles the sum of all years."""


def yearly_rule(tables: Tables) -> str:
    """Return the rule by which the book shares a year's cost; under the Shapley rule, equity before the settlement."""
    rule = str(tables.settings["partner_rule"])
    return rule if rule in YEARLY_RULES else "equity"


def equity_shares(tables: Tables) -> dict[str, float]:
    """Return each partner's share of the partners' capital."""
    return {row["market"]: float(row["equity"]) for row in tables["markets"].to_dict("records") if row["partner"] == "yes"}


def joint_cost_shares(tables: Tables, problem: Problem, found: Frames, rule: str) -> pd.DataFrame:
    """Share each host's costs of a year, net of what its surplus earns, among the markets.

    A market that is no partner pays the share that its part of the year's deliveries has by value.
    The partners share the rest by the rule; in a year in which the host delivers nothing to them, by equity.

    Parameters
    ----------
    tables, problem, found
        Inputs and result tables of one plan.
    rule
        One of `YEARLY_RULES`.

    Returns
    -------
    pandas.DataFrame
        host, year, market, tonnes [t REO/y] and value [MUSD/y at the year's prices] of what the market gets
        from the host, share; one row a market.
    """
    equity = equity_shares(tables)
    got: dict[tuple[str, int, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for h, p, m, y, tonnes, _ in found["deliveries"].itertuples(index=False):
        got[h, y, m][0] += tonnes
        got[h, y, m][1] += tonnes / 1000.0 * problem.price[p, y]
    costs = found["costs"]
    places = sorted({(h, int(y)) for h, m, y in zip(costs["host"], costs["market"], costs["year"], strict=True) if h and not m})
    rows = []
    for h, y in places:
        flows = {m: got.get((h, y, m), [0.0, 0.0]) for m in problem.markets}
        whole = sum(value for _, value in flows.values())
        others = {m: value / whole for m, (_, value) in flows.items() if m not in equity and whole > 0}
        weight = {m: equity[m] if rule == "equity" else flows[m][rule == "value"] for m in equity}
        if sum(weight.values()) <= 0:
            weight = equity
        left = (1.0 - sum(others.values())) / (sum(weight.values()) or 1.0)
        share = {**others, **{m: left * part for m, part in weight.items()}}
        rows += [(h, y, m, *flows[m], share.get(m, 0.0)) for m in problem.markets]
    return pd.DataFrame(rows, columns=["host", "year", "market", "tonnes", "value", "share"])


def cost_ledger(tables: Tables, problem: Problem, found: Frames, rule: str) -> pd.DataFrame:
    """Lay every cost line of every year on a market.

    A line that names a market stays there; a joint plant's lines are shared by :func:`joint_cost_shares`.

    Returns
    -------
    pandas.DataFrame
        market, component, year, cost [MUSD/y], present_value [MUSD]; the latter sums to the total cost.
    """
    shares = joint_cost_shares(tables, problem, found, rule)
    share = dict(zip(zip(shares["host"], shares["year"], shares["market"], strict=True), shares["share"], strict=True))
    total: dict[tuple[str, str, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for component, h, m, y, cost, _, present_value in found["costs"].itertuples(index=False):
        for market, part in [(m, 1.0)] if m else [(market, share[h, y, market]) for market in problem.markets]:
            total[market, component, y][0] += part * cost
            total[market, component, y][1] += part * present_value
    rows = [(*key, *sums) for key, sums in sorted(total.items())]
    return pd.DataFrame(rows, columns=["market", "component", "year", "cost", "present_value"])


def cost_by_market(tables: Tables, problem: Problem, found: Frames, rule: str) -> dict[str, float]:
    """Return what each market bears over the whole plan, MUSD discounted; sums to the total cost."""
    ledger = cost_ledger(tables, problem, found, rule)
    sums = ledger.groupby("market")["present_value"].sum().to_dict()
    return {m: float(sums.get(m, 0.0)) for m in problem.markets}
