"""Cost: one named expression a component and year, and the objective."""

from __future__ import annotations

from collections import defaultdict

import pyomo.environ as pyo

from model.groups import linear
from model.problem import COMPONENTS, Problem


def add_costs(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Add `cost[component, year]` [MUSD/y] and the objective, their discounted sum [MUSD]."""
    terms: dict[tuple[str, int], list] = {(component, y): [] for component in COMPONENTS for y in problem.years}
    # plain dicts: a lookup in a Pyomo variable costs ten times as much
    build, feed, deliver, purchase = (dict(variable.items()) for variable in (m.build, m.feed, m.deliver, m.purchase))
    for component, costs in problem.build_cost.items():
        for key, cost in costs.items():
            for y in problem.years:
                if y >= key[3]:
                    terms[component, y].append((cost, build[key]))
    for component, costs in problem.feed_cost.items():
        for key, cost in costs.items():
            terms[component, key[3]].append((cost, feed[key]))
    for component, costs in problem.delivery_cost.items():
        for key, cost in costs.items():
            terms[component, key[3]].append((cost, deliver[key]))
    for component, bought in problem.purchase_cost.items():
        for offered, cost in bought.items():
            terms[component, offered[2]].append((cost, purchase[offered]))
    for market, p, y in problem.stock_needed:
        terms["stock_holding", y].append((problem.holding_cost[market, p], m.stock[market, p, y]))
    for need in problem.demand:
        _, c, p, y = need
        terms["shortage", y].append((problem.shortage_cost[c, p, y], m.unmet[need]))
    for h, p, y in problem.surpluses:
        terms["surplus_revenue", y].append((-problem.surplus_price[p, y], m.surplus[h, p, y]))
    m.cost = pyo.Expression(list(terms), rule=lambda m, component, y: linear(terms[component, y]), doc="Cost of a component [MUSD/y].")
    total: dict[int, float] = defaultdict(float)
    variables = {}
    for (_, y), pairs in terms.items():
        weight = problem.weight[y]
        for coefficient, variable in pairs:
            number = id(variable)
            total[number] += weight * coefficient
            variables[number] = variable
    m.total_cost = pyo.Objective(expr=linear((total[number], variable) for number, variable in variables.items()), sense=pyo.minimize)
