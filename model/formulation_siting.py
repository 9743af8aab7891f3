"""Plants: how many, where, of what capacity; see ``formulation.md``."""

# mypy: allow-untyped-defs, check-untyped-defs
# a rule of a constraint takes the model and indices, whose types Pyomo does not declare

from __future__ import annotations

import pyomo.environ as pyo

from model.groups import Groups, linear
from model.problem import Problem


def add_siting(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    """Add the constraints on plants and on the capacity they give."""
    _add_counts(m, problem, groups)
    _add_capacity(m, problem, groups)


def _add_counts(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    hosts = [h for h in problem.hosts if groups.builds_at[h]]

    @m.Constraint(hosts, doc="A host holds no more plants than allowed [plants].")
    def plants_per_host_limit(m, h):
        return linear((1.0, m.build[key]) for key in groups.builds_at[h]) <= problem.plants_per_host

    if hosts:

        @m.Constraint(doc="No more joint plants than allowed [plants].")
        def plant_count_limit(m):
            return linear((1.0, m.build[key]) for key in problem.builds) <= problem.max_plants

    @m.Constraint(problem.hosts, doc="A host is open only if it holds a plant [hosts].")
    def host_open_link(m, h):
        return linear([(1.0, m.host_open[h]), *((-1.0, m.build[key]) for key in groups.builds_at[h])]) <= 0

    if problem.minimum_hosts > 0:

        @m.Constraint(doc="Enough hosts hold a plant by the last year [hosts].")
        def host_count_minimum(m):
            return linear([(1.0, m.host_open[h]) for h in problem.hosts] or [(1.0, m.nothing)]) >= problem.minimum_hosts

    forced = {rule.rule_id: rule for rule in problem.rules if rule.rule == "force_plant"}

    @m.Constraint(forced, doc="A forced plant reaches its least size in time [kt REO/y].")
    def forced_plant_minimum(m, r):
        rule = forced[r]
        # a plant larger than the rule counts as the rule's size: the same whole plans, a tighter relaxation
        terms = [(min(problem.capacity[key[1]], rule.value), m.build[key]) for key in groups.builds_at[rule.host] if rule.holds(key[3])]
        return linear(terms or [(1.0, m.nothing)]) >= rule.value


def _add_capacity(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    lines = [key for key in groups.feeds_of_line if groups.feeds_of_line[key]]

    def built(h: str, l: str, y: int) -> list:
        return [key for key in groups.builds_of_line[h, l] if key[3] <= y]

    @m.Constraint(lines, doc="Feed of a line stays within its usable capacity [kt REO/y].")
    def capacity_limit(m, h, l, y):
        feed = [(1.0, m.feed[key]) for key in groups.feeds_of_line[h, l, y]]
        return linear([*feed, *((-problem.usable[key, y], m.build[key]) for key in built(h, l, y))]) <= 0

    # without separation-only plants on the line, capacity_limit says it all
    mixed = [
        (h, l, y)
        for h, l, y in lines
        if any(problem.cracked[key[0]] for key in groups.feeds_of_line[h, l, y])
        and any(not problem.integrated[key[1]] for key in built(h, l, y))
    ]

    @m.Constraint(mixed, doc="Feed that needs cracking stays within the integrated plants' usable capacity [kt REO/y].")
    def cracking_limit(m, h, l, y):
        feed = [(1.0, m.feed[key]) for key in groups.feeds_of_line[h, l, y] if problem.cracked[key[0]]]
        plants = [(-problem.usable[key, y], m.build[key]) for key in built(h, l, y) if problem.integrated[key[1]]]
        return linear([*feed, *plants]) <= 0

    ripe = {
        (h, l, y): [key for key in keys if key[3] <= y and (key, y) in problem.least_feed]
        for (h, l), keys in list(groups.builds_of_line.items())
        for y in problem.years
    }
    ripe = {place: keys for place, keys in ripe.items() if keys}

    @m.Constraint(ripe, doc="Ramped-up plants of a line are fed at least their minimum [kt REO/y].")
    def use_minimum(m, h, l, y):
        feed = [(1.0, m.feed[key]) for key in groups.feeds_of_line.get((h, l, y), [])]
        return linear([*feed, *((-problem.least_feed[key, y], m.build[key]) for key in ripe[h, l, y])]) >= 0

    separating = {place: [key for key in keys if not problem.integrated[key[1]]] for place, keys in ripe.items()}
    separating = {
        place: keys
        for place, keys in separating.items()
        if keys and any(problem.cracked[key[0]] for key in groups.feeds_of_line.get(place, []))
    }

    @m.Constraint(separating, doc="Feed that needs no cracking covers the separation-only plants' minimum [kt REO/y].")
    def separation_use_minimum(m, h, l, y):
        feed = [(1.0, m.feed[key]) for key in groups.feeds_of_line[h, l, y] if not problem.cracked[key[0]]]
        return linear([*feed, *((-problem.least_feed[key, y], m.build[key]) for key in separating[h, l, y])]) >= 0
