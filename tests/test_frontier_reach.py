"""The search for the lowest share with nobody left shorter: what is solved for it, from where, and which of the solves is the answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model.batch import Case, solve_cases
from model.hot_start import HotStart
from model.linear_program import Basis
from model.outcome import SolveOptions
from model.planner import Plan, solve
from model.studies import frontier as frontier_study
from model.studies.cap_levels import cap_scopes, with_cap_level
from model.studies.cap_sweep import Frontier, Point, Sweep
from model.studies.frontier import _solve_reach, point_of, trace_frontiers
from model.studies.plan_figures import plan_builds
from tests import small
from tests.test_frontier import book_with_others_to_serve, context_of, frontier_book

Asked = list[tuple[Case, SolveOptions, Plan]]


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Case, Plan], Plan]], Asked]:
    """Note the solves that leave nobody shorter, and change what they come to."""

    def note(changed: Callable[[Case, Plan], Plan]) -> Asked:
        asked: Asked = []

        def noting(cases: list[Case], options: SolveOptions, *given: Any, **named: Any) -> Iterator[tuple[Case, Plan]]:
            for case, plan in solve_cases(cases, options, *given, **named):
                if case.goal.shortage_limits:
                    plan = changed(case, plan)
                    asked.append((case, options, plan))
                yield case, plan

        monkeypatch.setattr(frontier_study, "solve_cases", noting)
        return asked

    return note


def moved(plan: Plan, **change: float) -> Plan:
    return replace(plan, solution=replace(plan.solution, **change))


def test_where_no_cap_is_tighter_a_single_solve_for_the_least_cost_is_the_answer(noted):
    """It ends at what the sweep has proven, from the sweep's plan, and is proven by the sweep where it proves nothing itself."""
    tables, options = frontier_book(), replace(small.EXACT, absolute_gap=0.5)
    (scope,) = cap_scopes(tables)
    own = solve(with_cap_level(tables, scope, 0.0), options)
    point = replace(point_of(0, own), short={"magnets": 1.0})
    point = replace(point, bound=point.cost - 0.25)
    frontier = Frontier(scope, 70, Sweep((100, 0), options, told={100: Point(100, 60.0, 60.0), 0: point}))
    asked = noted(lambda _, plan: moved(plan, bound=-math.inf))
    _solve_reach(replace(context_of(tables), options=options), frontier)
    ((case, asked_with, _),) = asked
    assert asked_with == options, "not a rough one, of which the cost would say little"
    assert case.enough == small.approx(point.bound + 0.5)
    assert case.start == point.builds == plan_builds(own)
    assert case.hot is point.hot
    assert (frontier.reach.reached, frontier.lowest.level) == (0, 0)
    assert frontier.lowest.bound == small.approx(point.bound)


def test_a_search_for_the_least_cost_starts_where_any_plan_was_found(noted):
    tables = frontier_book()
    (scope,) = cap_scopes(tables)
    context, asked = context_of(tables), noted(lambda _, plan: plan)
    swept, found = (("SMALL", "D400", "host_practice", 2029),), (("BIG", "D1000", "host_practice", 2029),)
    nothing = Basis(np.zeros(0, np.int8), np.zeros(0, np.int8))
    loose, own = (HotStart((), (), nothing, (), plans=plans) for plans in ((), ((),)))
    sweep = Sweep((100, 30, 20), small.EXACT)
    for point in (Point(100, 60.0, 60.0, hot=loose), Point(30, 70.0, 70.0, builds=swept, hot=own), Point(20, 75.0, 75.0)):
        sweep.tell(point)
    frontier = Frontier(scope, 70, sweep, lowest=Point(30, 80.0, 80.0, builds=found))
    goal = frontier_study.none_shorter_than(context, frontier.free)
    for level, is_least in ((30, True), (30, False), (20, True)):
        frontier_study._none_shorter(context, frontier, level, goal, is_least)
    assert [case.start for case, *_ in asked] == [found, found, ()]
    assert [case.hot for case, *_ in asked] == [own, own, own], "of the very level, or of the nearest looser one"
    assert [case.enough for case, *_ in asked] == [small.approx(70.0 + small.EXACT.absolute_gap), math.inf, small.approx(75.0)]
    assert all(case.cutoff == math.inf for case, *_ in asked)


def test_on_the_way_any_plan_will_do_and_the_answer_is_the_least_cost_at_the_end(noted):
    def dearer_on_the_way(case: Case, plan: Plan) -> Plan:
        return moved(plan, objective=plan.solution.objective + 1000.0) if math.isinf(case.enough) and case.enough > 0 else plan

    asked = noted(dearer_on_the_way)
    context = context_of(book_with_others_to_serve())
    (frontier,) = trace_frontiers(context)
    (first, exact, none), *way, (case, options, plan) = asked
    assert (first.name, exact, none.verified) == ("tonnes at 0 %, nobody shorter", context.options, False)
    assert len(way) > 2
    assert all(one.enough == math.inf and rough == context.options.roughly() for one, rough, _ in way)
    assert options == context.options
    assert case.enough < math.inf
    assert case.name == "tonnes at 40 %, nobody shorter"
    found = [plan_builds(one) for rough, _, one in way if rough.name == case.name and one.verified]
    assert case.start == found[-1]
    assert frontier.lowest.cost == plan.solution.objective < frontier.free.cost + 1000.0


def test_a_plan_that_ends_the_search_is_not_asked_for_twice(noted):
    asked = noted(lambda _, plan: plan)
    tables = frontier_book()
    (frontier,) = trace_frontiers(context_of(tables))
    assert not asked, "the sweep's own plans leave nobody shorter"
    assert frontier.lowest is not None
    assert frontier.lowest == frontier.sweep.points[frontier.lowest.level]
