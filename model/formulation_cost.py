"""Cost: one named expression a component and year, and the objective."""

from __future__ import annotations

import pyomo.environ as pyo

from model.groups import linear
from model.problem import COMPONENTS, Problem


def add_costs(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Add `cost[component, year]` [MUSD/y] and the objective, their discounted sum [MUSD]."""
    terms: dict[tuple[str, int], list] = {(component, y): [] for component in COMPONENTS for y in problem.years}
    for component, costs in problem.build_cost.items():
        for key, cost in costs.items():
            for y in problem.years:
                if y >= key[3]:
                    terms[component, y].append((cost, m.build[key]))
    for component, costs in problem.feed_cost.items():
        for key, cost in costs.items():
            terms[component, key[3]].append((cost, m.feed[key]))
    for component, costs in problem.delivery_cost.items():
        for key, cost in costs.items():
            terms[component, key[3]].append((cost, m.deliver[key]))
    for component, bought in problem.purchase_cost.items():
        for purchase, cost in bought.items():
            terms[component, purchase[2]].append((cost, m.purchase[purchase]))
    for market, p, y in problem.stock_needed:
        terms["stock_holding", y].append((problem.holding_cost[market, p], m.stock[market, p, y]))
    for need in problem.demand:
        _, c, p, y = need
        terms["shortage", y].append((problem.shortage_cost[c, p, y], m.unmet[need]))
    for h, p, y in problem.surpluses:
        terms["surplus_revenue", y].append((-problem.surplus_price[p, y], m.surplus[h, p, y]))
    m.cost = pyo.Expression(list(terms), rule=lambda m, component, y: linear(terms[component, y]), doc="Cost of a component [MUSD/y].")
    m.total_cost = pyo.Objective(
        expr=linear((problem.weight[y] * coefficient, variable) for (_, y), pairs in terms.items() for coefficient, variable in pairs),
        sense=pyo.minimize,
    )
