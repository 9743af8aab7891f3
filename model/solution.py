"""Plain values -> tidy result tables in the planner's units (t REO, MUSD), per :mod:`model.result_schema`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from model.attribution import attribute_content
from model.economics import annuity, real_rate
from model.goal import LEAST_COST, Goal
from model.matrix import Matrix
from model.outcome import Outcome, Status
from model.problem import T_PER_KT, Cap, Problem
from model.result_schema import RESULT_BY_NAME
from model.solver import by_name
from model.tables import Tables

NEGLIGIBLE_KT = 1e-9
"""A gram a year: flows below it are the solver's dust."""

Values = Mapping[str, Mapping[Any, float]]


@dataclass(frozen=True)
class Solution:
    """A plan, or the reason why there is none; the same shape in either case.

    Parameters
    ----------
    status, termination
        What is known of the plan; the solver's own words.
    objective, bound, gap
        Total discounted cost, its proven lower bound and the difference, MUSD; NaN without a plan. Where the goal is
        not least cost, the cost is that of the plan and nothing is proven about it: bound and gap are NaN.
    tables
        Result tables by name; empty frames without a plan.
    goal_value, goal_bound
        What the goal minimised and its proven lower bound: MUSD of cost, or t REO short; NaN without a plan.
    """

    status: Status
    termination: str
    objective: float
    bound: float
    seconds: Mapping[str, float]
    tables: Mapping[str, pd.DataFrame]
    duals: Mapping[str, Mapping[object, float]] = field(default_factory=dict)
    log: tuple[str, ...] = ()
    nodes: int = 0
    goal_value: float = float("nan")
    goal_bound: float = float("nan")

    @property
    def gap(self) -> float:
        """Return objective less bound, MUSD; NaN where unknown."""
        return self.objective - self.bound

    @property
    def relative_gap(self) -> float:
        """Return the gap as a share of the objective; NaN where unknown."""
        return self.gap / abs(self.objective) if self.objective else 0.0

    @property
    def host_set(self) -> tuple[str, ...]:
        """Return the hosts that hold a plant, sorted."""
        return tuple(sorted(set(self.tables["builds"]["host"])))


def _frame(name: str, rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=RESULT_BY_NAME[name].names)
    for column in RESULT_BY_NAME[name].columns:
        if column.name in ("year", "on_line"):
            frame[column.name] = frame[column.name].astype(int)
        elif column.unit:
            frame[column.name] = frame[column.name].astype(float)
        else:
            frame[column.name] = frame[column.name].astype(object)
    return frame


def empty_tables() -> dict[str, pd.DataFrame]:
    """Return every result table without rows."""
    return {name: _frame(name, []) for name in RESULT_BY_NAME}


def build_solution(tables: Tables, problem: Problem, matrix: Matrix, outcome: Outcome, goal: Goal = LEAST_COST) -> Solution:
    """Turn what the solver said into result tables.

    Parameters
    ----------
    tables, problem, matrix
        The inputs and the two forms of the model that was solved.
    outcome
        Of :func:`model.solver.solve_matrix`.
    goal
        What was looked for.

    Returns
    -------
    Solution
        `checks` stays empty; verification fills it.
    """
    found = empty_tables()
    duals: dict[str, dict[object, float]] = {}
    if outcome.status.has_plan:
        values = by_name(matrix.columns, outcome.values)
        duals = by_name(matrix.rows, outcome.row_duals)
        found |= _decisions(problem, values)
        found |= _plants(tables, problem, values, found)
        found |= _balances(problem, found)
        found["costs"] = _costs(problem, values)
        found["china_shares"] = _china_shares(problem, found, duals.get("china_cap", {}))
    cost, bound = outcome.objective, outcome.bound
    if goal.objective != "cost":
        cost, bound = float(found["costs"]["present_value"].sum()) if outcome.status.has_plan else math.nan, math.nan
    return Solution(
        outcome.status, outcome.termination, cost, bound, outcome.seconds, found, duals, outcome.log, outcome.nodes,
        outcome.objective, outcome.bound,
    )  # fmt: skip


def _flows(values: Values, name: str) -> dict[Any, float]:
    return {key: kt for key, kt in values.get(name, {}).items() if abs(kt) > NEGLIGIBLE_KT}


def _decisions(problem: Problem, values: Values) -> dict[str, pd.DataFrame]:
    feed, deliver, surplus = (_flows(values, name) for name in ("feed", "deliver", "surplus"))
    china_delivered, china_surplus = attribute_content(problem, feed, deliver, surplus)
    china_delivered |= _flows(values, "china_delivered")
    china_surplus |= _flows(values, "china_surplus")
    purchases = []
    for (o, m, y), kt in _flows(values, "purchase").items():
        offer = problem.offers[o]
        purchases.append((offer.supplier, offer.product, offer.offered_to, m, y, kt * T_PER_KT, kt * offer.china_linked * T_PER_KT))
    stock, drawn = values.get("stock", {}), values.get("stock_drawn", {})
    rows: dict[str, list[tuple]] = {
        "builds": [key for key, on in values.get("build", {}).items() if on > 0.5],
        "feed": [(*key, kt * T_PER_KT, kt * problem.china_linked[key[0]] * T_PER_KT) for key, kt in feed.items()],
        "deliveries": [(*key, kt * T_PER_KT, china_delivered.get(key, 0.0) * T_PER_KT) for key, kt in deliver.items()],
        "surplus": [(*key, kt * T_PER_KT, china_surplus.get(key, 0.0) * T_PER_KT) for key, kt in surplus.items()],
        "purchases": purchases,
        "stocks": [(*key, stock.get(key, 0.0) * T_PER_KT, drawn.get(key, 0.0) * T_PER_KT) for key in problem.stock_needed],
        "unmet": [(*key, kt * T_PER_KT) for key, kt in _flows(values, "unmet").items()],
    }
    return {name: _frame(name, sorted(table, key=lambda row: tuple(map(str, row)))) for name, table in rows.items()}


def _plants(tables: Tables, problem: Problem, values: Values, found: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    cost_of_capital = dict(zip(tables["hosts"]["host"], tables["hosts"]["cost_of_capital"], strict=True))
    plants: list[tuple] = []
    nameplate: dict[tuple, float] = defaultdict(float)
    usable: dict[tuple, float] = defaultdict(float)
    for h, d, w, y in found["builds"].itertuples(index=False):
        key, line = (h, d, w, y), problem.build_line[h, d, w, y]
        charge = annuity(real_rate(cost_of_capital[h], tables.setting("inflation")), int(tables.setting("plant_life")))
        capex = problem.capex[key]
        plants.append((h, problem.country[h], d, w, line, y, problem.capacity[d] * T_PER_KT, capex, capex * charge))
        for later in problem.years:
            if later >= y:
                nameplate[h, line, later] += problem.capacity[d] * T_PER_KT
                usable[h, line, later] += problem.usable[key, later] * T_PER_KT
    fed = _summed(found["feed"], ["host", "line", "year"])
    years = [
        (*key, nameplate[key], usable[key], fed.get(key, 0.0), fed.get(key, 0.0) / usable[key] if usable[key] else 0.0)
        for key in sorted(nameplate)
    ]
    return {"plants": _frame("plants", plants), "plant_years": _frame("plant_years", years)}


def _summed(frame: pd.DataFrame, by: list[str], column: str = "tonnes") -> dict[Any, float]:
    """Return the sum of a column by the values of others."""
    return frame.groupby(by)[column].sum().to_dict()


def _balances(problem: Problem, found: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    made: dict[tuple, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for s, h, line, y, tonnes, _ in found["feed"].itertuples(index=False):
        for p, share in problem.yields[s, h, line].items():
            made[h, p, y][0] += share * tonnes
            made[h, p, y][1] += share * tonnes * problem.china_linked[s]
    delivered, surplus = (_summed(found[name], ["host", "product", "year"]) for name in ("deliveries", "surplus"))
    products = [(*key, total, delivered.get(key, 0.0), surplus.get(key, 0.0), china) for key, (total, china) in sorted(made.items())]

    demand: dict[tuple, float] = defaultdict(float)
    for (m, _, p, y), kt in problem.demand.items():
        demand[m, p, y] += kt * T_PER_KT
    place = ["market", "product", "year"]
    joint, bought, unmet = (_summed(found[name], place) for name in ("deliveries", "purchases", "unmet"))
    china_joint, china_bought = (_summed(found[name], place, "china_tonnes") for name in ("deliveries", "purchases"))
    drawn = _summed(found["stocks"], place, "drawn")
    supply = [
        (*key, demand[key], *(part.get(key, 0.0) for part in (joint, bought, drawn, unmet)), china_joint.get(key, 0.0) + china_bought.get(key, 0.0))
        for key in sorted({*demand, *drawn})
    ]  # fmt: skip
    return {"products": _frame("products", products), "supply_balance": _frame("supply_balance", supply)}


def _costs(problem: Problem, values: Values) -> pd.DataFrame:
    total: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for key, on in values.get("build", {}).items():
        for component, costs in problem.build_cost.items():
            for y in problem.years:
                if y >= key[3]:
                    total[component, key[0], "", y] += costs[key] * on
    for key, kt in values.get("feed", {}).items():
        for component, costs in problem.feed_cost.items():
            total[component, key[1], "", key[3]] += costs[key] * kt
    for key, kt in values.get("deliver", {}).items():
        for component, costs in problem.delivery_cost.items():
            total[component, key[0], key[2], key[3]] += costs[key] * kt
    for key, kt in values.get("surplus", {}).items():
        h, p, y = key
        total["surplus_revenue", h, "", y] -= problem.surplus_price[p, y] * kt
    for key, kt in values.get("purchase", {}).items():
        for component, bought in problem.purchase_cost.items():
            total[component, "", key[1], key[2]] += bought[key] * kt
    for key, kt in values.get("stock", {}).items():
        m, p, y = key
        total["stock_holding", "", m, y] += problem.holding_cost[m, p] * kt
    for key, kt in values.get("unmet", {}).items():
        m, c, p, y = key
        total["shortage", "", m, y] += problem.shortage_cost[c, p, y] * kt
    rows = [(*key, cost, problem.weight[key[3]], cost * problem.weight[key[3]]) for key, cost in sorted(total.items()) if cost]
    return _frame("costs", rows)


def _china_shares(problem: Problem, found: Mapping[str, pd.DataFrame], duals: Mapping[object, float]) -> pd.DataFrame:
    rows = []
    for cap in problem.caps:
        for y in sorted(cap.limit):
            china, total = _cap_sums(problem, found, cap, y)
            share = china / total if total > 1e-9 else np.nan
            # the row reads china - limit x total <= 0, so a lower limit moves its right-hand side by total
            dual = 0.0 - duals.get((cap.cap, cap.member, y), 0.0) / T_PER_KT
            scale = T_PER_KT if cap.measure == "value" else 1.0  # value sums are in MUSD, the row in MUSD too
            rows.append(
                (cap.cap, cap.basis, cap.measure, cap.scope, cap.member, y, cap.limit[y], china, total, share, cap.limit[y] - share,
                 dual * scale * total * 0.01 / problem.weight[y])
            )  # fmt: skip
    return _frame("china_shares", rows)


def _cap_sums(problem: Problem, found: Mapping[str, pd.DataFrame], cap: Cap, y: int) -> tuple[float, float]:
    """Return (China-linked, total) in t or, by value, MUSD."""

    def unit(p: str) -> float:
        return problem.price[p, y] / T_PER_KT if cap.measure == "value" else 1.0

    china = total = 0.0
    if cap.basis == "feedstock" and cap.scope != "partner":
        feed = found["feed"]
        for s, h, _, _, tonnes, _ in feed[feed["year"] == y].itertuples(index=False):
            if cap.scope == "host" and h != cap.member:
                continue
            if cap.scope in ("product", "every_product"):
                amount = problem.content[s].get(cap.member, 0.0) * unit(cap.member) * tonnes
            else:
                amount = tonnes * (problem.basket[s, y] / T_PER_KT if cap.measure == "value" else 1.0)
            china, total = china + problem.china_linked[s] * amount, total + amount
        return china, total
    flows = [found["deliveries"].assign(offered_to="", supplier="")]
    if cap.basis == "supply" and cap.scope != "host":
        flows.append(found["purchases"].assign(host=""))
    for flow in flows:
        part = flow[flow["year"] == y]
        column = {"host": "host", "product": "product", "every_product": "product", "partner": "market"}.get(cap.scope)
        if column is not None:
            part = part[part[column] == cap.member]
        units = part["product"].map(unit).astype(float)
        china += float((part["china_tonnes"] * units).sum())
        total += float((part["tonnes"] * units).sum())
    return china, total
