"""Origin: the China-linked content of what is shipped, by mass balance (modelling choices 2 and 14)."""

# mypy: allow-untyped-defs, check-untyped-defs
# a rule of a constraint takes the model and indices, whose types Pyomo does not declare

from __future__ import annotations

from collections import defaultdict

import pyomo.core as pyo

from model.formulation_material import row_scale
from model.groups import Groups
from model.problem import Problem
from model.rows import LinearSum, each, joined, linear, members


def add_origin(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    """Add the balance of China-linked content and its place in the flows."""
    scale_of = row_scale(problem)

    made = linked_products_made(m, problem)
    deliver, surplus = members(m.deliver), members(m.surplus)

    @m.Constraint(m.CHINA_OUTFLOWS, doc="China-linked content beyond what the surplus holds is delivered [kt REO/y]; modelling choice 14.")
    def china_out_minimum(m, h, p, y):
        out = each(1.0, [surplus[h, p, y], m.china_out[h, p, y]])
        return joined(out, joined(made[h, p, y], scale=-1.0), scale=scale_of[p]) >= 0

    @m.Constraint(m.CHINA_SURPLUSES, doc="China-linked content made leaves with deliveries or surplus [kt REO/y]; modelling choice 2.")
    def china_balance(m, h, p, y):
        out = each(-1.0, [*(m.china_delivered[key] for key in groups.deliveries_from[h, p, y]), m.china_surplus[h, p, y]])
        return joined(made[h, p, y], out, scale=scale_of[p]) == 0

    @m.Constraint(m.CHINA_DELIVERIES, doc="The China-linked part of a delivery is no more than the delivery [kt REO/y].")
    def china_delivered_link(m, *key):
        return linear([(1.0, m.china_delivered[key]), (-1.0, deliver[key])]) <= 0

    @m.Constraint(m.CHINA_SURPLUSES, doc="The China-linked part of a surplus is no more than the surplus [kt REO/y].")
    def china_surplus_link(m, *key):
        return linear([(1.0, m.china_surplus[key]), (-1.0, surplus[key])]) <= 0


def linked_products_made(m: pyo.ConcreteModel, problem: Problem) -> dict[tuple[str, str, int], LinearSum]:
    """Return the China-linked content of what is made of each product at each host and year [kt REO/y]."""
    made: dict[tuple[str, str, int], LinearSum] = defaultdict(LinearSum)
    for (s, h, l, y), variable in m.feed.items():
        linked = problem.china_linked[s]
        if linked > 0:
            for p, share in problem.yields[s, h, l].items():
                if linked * share > 0:
                    content = made[h, p, y]
                    content.coefficients.append(linked * share)
                    content.variables.append(variable)
    return made
