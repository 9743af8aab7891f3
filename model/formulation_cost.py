"""Cost: one named expression a component and year, and the objective."""

from __future__ import annotations

import numpy as np
import pyomo.core as pyo

from model.problem import COMPONENTS, Problem
from model.rows import LinearSum


def add_costs(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Add `cost[component, year]` [MUSD/y] and the objective, their discounted sum [MUSD]."""
    holding = {(market, p, y): problem.holding_cost[market, p] for market, p, y in problem.stock_needed}
    shortage = {(market, c, p, y): problem.shortage_cost[c, p, y] for market, c, p, y in problem.demand}
    revenue = {(h, p, y): -problem.surplus_price[p, y] for h, p, y in problem.surpluses}
    charges = (
        (m.build, problem.build_cost), (m.feed, problem.feed_cost), (m.deliver, problem.delivery_cost), (m.purchase, problem.purchase_cost),
        (m.stock, {"stock_holding": holding}), (m.unmet, {"shortage": shortage}), (m.surplus, {"surplus_revenue": revenue}),
    )  # fmt: skip
    costs = {(component, y): LinearSum() for component in COMPONENTS for y in problem.years}
    total = LinearSum()
    for variable, rates in charges:
        keys = list(variable)
        variables = np.fromiter(variable.values(), dtype=object, count=len(keys))
        years = np.array([key[-1] for key in keys])
        # plants cost something in every year from their first, flows in their own
        charged = {y: np.flatnonzero(years <= y if variable is m.build else years == y) for y in problem.years}
        discounted = np.zeros(len(keys))
        for component in (component for component in COMPONENTS if component in rates):
            rate = np.array([rates[component].get(key, 0.0) for key in keys])
            for y, at in charged.items():
                discounted[at] += problem.weight[y] * rate[at]
                costs[component, y].coefficients += rate[at].tolist()
                costs[component, y].variables += variables[at].tolist()
        total.coefficients += discounted.tolist()
        total.variables += variables.tolist()
    m.cost = pyo.Expression(list(costs), rule=lambda m, *key: costs[key], doc="Cost of a component [MUSD/y].")
    m.total_cost = pyo.Objective(expr=total, sense=pyo.minimize)
