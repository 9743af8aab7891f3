"""Implied rows: a market takes nothing from a host without a plant.

They cut no plan, only fractions of plants in the linear relaxation, and are written where the data
are those of plain facility location: the joint plants alone can serve a market's demand.
"""

# mypy: allow-untyped-defs, check-untyped-defs
# a rule of a constraint takes the model and indices, whose types Pyomo does not declare

from __future__ import annotations

from collections import defaultdict

import pyomo.core as pyo

from model.groups import Groups
from model.problem import BuildKey, DeliverKey, Problem
from model.rows import linear, members


def add_linking(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    """Add the rows that tie single deliveries to plants (modelling choice 15)."""
    links = delivery_links(problem, groups)
    build, deliver = members(m.build), members(m.deliver)

    @m.Constraint(list(links), doc="A delivery is no more than the plants on line could make of the market's demand [kt REO/y].")
    def deliver_link(m, *key):
        return linear([(1.0, deliver[key]), *((-kt, build[plant]) for plant, kt in links[key].items())]) <= 0


def delivery_links(problem: Problem, groups: Groups) -> dict[DeliverKey, dict[BuildKey, float]]:
    """Return, for each delivery that nothing else can replace, how much of it each plant on line by then could make.

    Left out are deliveries of which every plant can make less than the market wants: there
    `capacity_limit` and `product_balance` say as much.
    """
    demand: dict[tuple[str, str, int], float] = defaultdict(float)
    for (market, _, p, y), kt in problem.demand.items():
        demand[market, p, y] += kt
    alone = [
        key
        for key in problem.deliveries
        if (place := (key[2], key[1], key[3])) in demand and place not in problem.stock_needed and not groups.purchases_to.get(place)
    ]
    richest: dict[tuple[str, str, str], float] = defaultdict(float)
    if alone:
        for (_, h, l), shares in problem.yields.items():
            for p, share in shares.items():
                richest[h, l, p] = max(richest[h, l, p], share)
    output: dict[tuple[str, str, int], dict[BuildKey, float]] = {}
    links = {}
    for h, p, market, y in alone:
        if (h, p, y) not in output:
            output[h, p, y] = {
                build: kt
                for build in groups.builds_at[h]
                if build[3] <= y and (kt := problem.usable[build, y] * richest[h, problem.build_line[build], p]) > 0
            }
        wanted = demand[market, p, y]
        if any(kt > wanted for kt in output[h, p, y].values()):
            links[h, p, market, y] = {build: min(kt, wanted) for build, kt in output[h, p, y].items()}
    return links
