"""Origin: the China-linked content of what is shipped, by mass balance (modelling choices 2 and 14)."""

# mypy: allow-untyped-defs, check-untyped-defs
# a rule of a constraint takes the model and indices, whose types Pyomo does not declare

from __future__ import annotations

import pyomo.environ as pyo

from model.formulation_material import row_scale, scaled
from model.groups import Groups, linear
from model.problem import Problem


def add_origin(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    """Add the balance of China-linked content and its place in the flows."""
    scale_of = row_scale(problem)

    def made(h: str, p: str, y: int) -> list:
        """China-linked content made at a host."""
        linked = ((problem.china_linked[key[0]] * problem.yields[key[0], h, key[2]].get(p, 0.0), key) for key in groups.feeds_at[h, y])
        return [(content, m.feed[key]) for content, key in linked if content > 0]

    @m.Constraint(m.CHINA_OUTFLOWS, doc="China-linked content beyond what the surplus holds is delivered [kt REO/y]; modelling choice 14.")
    def china_out_minimum(m, h, p, y):
        content = [(-share, feed) for share, feed in made(h, p, y)]
        return linear(scaled(scale_of[p], [*content, (1.0, m.surplus[h, p, y]), (1.0, m.china_out[h, p, y])])) >= 0

    @m.Constraint(m.CHINA_SURPLUSES, doc="China-linked content made leaves with deliveries or surplus [kt REO/y]; modelling choice 2.")
    def china_balance(m, h, p, y):
        out = [(-1.0, m.china_delivered[key]) for key in groups.deliveries_from[h, p, y]]
        return linear(scaled(scale_of[p], [*made(h, p, y), *out, (-1.0, m.china_surplus[h, p, y])])) == 0

    @m.Constraint(m.CHINA_DELIVERIES, doc="The China-linked part of a delivery is no more than the delivery [kt REO/y].")
    def china_delivered_link(m, *key):
        return linear([(1.0, m.china_delivered[key]), (-1.0, m.deliver[key])]) <= 0

    @m.Constraint(m.CHINA_SURPLUSES, doc="The China-linked part of a surplus is no more than the surplus [kt REO/y].")
    def china_surplus_link(m, *key):
        return linear([(1.0, m.china_surplus[key]), (-1.0, m.surplus[key])]) <= 0
