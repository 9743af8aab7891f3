"""Plants: how many, where, of what capacity; see ``formulation.md``."""

# mypy: allow-untyped-defs, check-untyped-defs
# a rule of a constraint takes the model and indices, whose types Pyomo does not declare

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import groupby

import pyomo.core as pyo

from model.groups import Groups
from model.problem import BuildKey, Problem
from model.rows import LinearSum, each, joined, linear, members

LinePlace = tuple[str, str, int]


def add_siting(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    """Add the constraints on plants and on the capacity they give."""
    _add_counts(m, problem, groups)
    _add_capacity(m, problem, groups)


def _add_counts(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    hosts = [h for h in problem.hosts if groups.builds_at[h]]
    build = members(m.build)

    @m.Constraint(hosts, doc="A host holds no more plants than allowed [plants].")
    def plants_per_host_limit(m, h):
        return linear((1.0, build[key]) for key in groups.builds_at[h]) <= problem.plants_per_host

    if hosts:

        @m.Constraint(doc="No more joint plants than allowed [plants].")
        def plant_count_limit(m):
            return linear((1.0, build[key]) for key in problem.builds) <= problem.max_plants

    @m.Constraint(problem.hosts, doc="A host is open only if it holds a plant [hosts].")
    def host_open_link(m, h):
        return linear([(1.0, m.host_open[h]), *((-1.0, build[key]) for key in groups.builds_at[h])]) <= 0

    if problem.minimum_hosts > 0:

        @m.Constraint(doc="Enough hosts hold a plant by the last year [hosts].")
        def host_count_minimum(m):
            return linear([(1.0, m.host_open[h]) for h in problem.hosts] or [(1.0, m.nothing)]) >= problem.minimum_hosts

    forced = {rule.rule_id: rule for rule in problem.rules if rule.rule == "force_plant"}

    @m.Constraint(forced, doc="A forced plant reaches its least size in time [kt REO/y].")
    def forced_plant_minimum(m, r):
        rule = forced[r]
        # a plant larger than the rule counts as the rule's size: the same whole plans, a tighter relaxation
        terms = [(min(problem.capacity[key[1]], rule.value), build[key]) for key in groups.builds_at[rule.host] if rule.holds(key[3])]
        return linear(terms or [(1.0, m.nothing)]) >= rule.value


def _add_capacity(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    lines = [key for key in groups.feeds_of_line if groups.feeds_of_line[key]]
    build, feed = members(m.build), members(m.feed)
    # of each line and year, joined once: -kt of every plant that is on line
    usable, usable_integrated = _by_line(problem, problem.usable, build)
    least, least_separation = _by_line(problem, problem.least_feed, build, integrated=False)

    def fed(place: LinePlace) -> LinearSum:
        return each(1.0, [feed[key] for key in groups.feeds_of_line.get(place, [])])

    def fed_by_cracking(place: LinePlace, cracked: bool) -> LinearSum:
        return each(1.0, [feed[key] for key in groups.feeds_of_line.get(place, []) if problem.cracked[key[0]] == cracked])

    @m.Constraint(lines, doc="Feed of a line stays within its usable capacity [kt REO/y].")
    def capacity_limit(m, *place):
        return joined(fed(place), usable[place]) <= 0

    # without separation-only plants on the line, capacity_limit says it all
    mixed = [
        place
        for place in lines
        if len(usable[place].variables) > len(usable_integrated[place].variables) and fed_by_cracking(place, True).variables
    ]

    @m.Constraint(mixed, doc="Feed that needs cracking stays within the integrated plants' usable capacity [kt REO/y].")
    def cracking_limit(m, *place):
        return joined(fed_by_cracking(place, True), usable_integrated[place]) <= 0

    @m.Constraint(least, doc="Ramped-up plants of a line are fed at least their minimum [kt REO/y].")
    def use_minimum(m, *place):
        return joined(fed(place), least[place]) >= 0

    separating = {place: plants for place, plants in least_separation.items() if fed_by_cracking(place, True).variables}

    @m.Constraint(separating, doc="Feed that needs no cracking covers the separation-only plants' minimum [kt REO/y].")
    def separation_use_minimum(m, *place):
        return joined(fed_by_cracking(place, False), separating[place]) >= 0


def _by_line(
    problem: Problem, figure: Mapping[tuple[BuildKey, int], float], build: Mapping[BuildKey, object], integrated: bool = True
) -> tuple[dict[LinePlace, LinearSum], dict[LinePlace, LinearSum]]:
    """Sum -kt x build over the plants of each line and year: all plants, and those that are integrated or are not."""
    every: dict[LinePlace, LinearSum] = defaultdict(LinearSum)
    some: dict[LinePlace, LinearSum] = defaultdict(LinearSum)
    for key, figures in groupby(figure.items(), lambda item: item[0][0]):
        h, line, variable = key[0], problem.build_line[key], build[key]
        chosen = (every, some) if problem.integrated[key[1]] == integrated else (every,)
        for (_, y), kt in figures:
            for sums in chosen:
                plants = sums[h, line, y]
                plants.coefficients.append(-kt)
                plants.variables.append(variable)
    return every, some
