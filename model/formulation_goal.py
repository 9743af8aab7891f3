"""Goal: host sets that are excluded, shortages that are limited, and least shortage in place of least cost."""

# mypy: allow-untyped-defs, check-untyped-defs
# a rule of a constraint takes the model and indices, whose types Pyomo does not declare

from __future__ import annotations

from collections.abc import Collection, Iterator

import pyomo.core as pyo

from model.goal import Goal
from model.groups import Groups
from model.problem import T_PER_KT, Problem
from model.rows import LinearSum, linear


def add_goal(m: pyo.ConcreteModel, problem: Problem, groups: Groups, goal: Goal) -> None:
    """Add what a goal asks beyond least cost; nothing for least cost itself."""
    _add_excluded_host_sets(m, problem, groups, goal)
    _add_shortage_limits(m, problem, goal)
    _add_cost_budget(m, goal)
    if goal.objective == "shortage":
        _aim_at_least_shortage(m, problem, goal)
    if goal.objective == "any":
        m.total_cost.deactivate()
        m.any_plan = pyo.Objective(expr=linear([]), sense=pyo.minimize)


def _add_excluded_host_sets(m: pyo.ConcreteModel, problem: Problem, groups: Groups, goal: Goal) -> None:
    # a set with a host where nothing can stand is not to be had anyway
    excluded = {
        number: hosts
        for number, hosts in enumerate(dict.fromkeys(goal.excluded_host_sets), 1)
        if all(groups.builds_at.get(h) for h in hosts)
    }

    @m.Constraint(excluded, doc="The hosts that hold a plant differ from an excluded set in one host at least [hosts].")
    def host_set_difference_minimum(m, x):
        signs = [(-1.0 if h in excluded[x] else 1.0, m.host_open[h]) for h in problem.hosts]
        return linear(signs or [(1.0, m.nothing)]) >= 1.0 - len(excluded[x])

    # only a host of an excluded set could gain by passing for shut
    named = [h for h in problem.hosts if any(h in hosts for hosts in excluded.values())]
    if problem.plants_per_host > 1:
        for h in named:
            m.host_open[h].domain = pyo.Binary

    @m.Constraint(named, doc="A host that is not open holds no plant [plants].")
    def host_shut_link(m, h):
        plants = ((1.0, m.build[key]) for key in groups.builds_at[h])
        return linear([*plants, (-float(problem.plants_per_host), m.host_open[h])]) <= 0


def _shortage(m: pyo.ConcreteModel, problem: Problem, sectors: Collection[str]) -> Iterator[tuple[float, object]]:
    """Yield (years represented, unmet) of sectors: kt REO over the horizon."""
    for key in problem.demand:
        if key[1] in sectors:
            yield float(problem.years_represented[key[3]]), m.unmet[key]


def _add_shortage_limits(m: pyo.ConcreteModel, problem: Problem, goal: Goal) -> None:
    limits = dict(enumerate(goal.shortage_limits, 1))

    @m.Constraint(limits, doc="Sectors together are left no shorter over the horizon than an earlier pass secured [kt REO].")
    def shortage_limit(m, i):
        return linear([*_shortage(m, problem, limits[i].sectors), (1.0, m.nothing)]) <= limits[i].kt


def _add_cost_budget(m: pyo.ConcreteModel, goal: Goal) -> None:
    if goal.cost_budget is not None:

        @m.Constraint(doc="The plan costs no more than the goal allows [MUSD].")
        def cost_budget(m):
            total = m.total_cost.expr
            return LinearSum([*total.coefficients, 1.0], [*total.variables, m.nothing]) <= goal.cost_budget


def _aim_at_least_shortage(m: pyo.ConcreteModel, problem: Problem, goal: Goal) -> None:
    m.total_cost.deactivate()
    # in t: what is short is often a few tonnes, and the gap asked for is a plain number
    terms = [(T_PER_KT * years, variable) for years, variable in _shortage(m, problem, goal.short_sectors)]
    m.total_shortage = pyo.Objective(expr=linear(terms or [(1.0, m.nothing)]), sense=pyo.minimize)
