"""Levels and scopes of the cap frontier: what one solve learns from another, and what runs beside what."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import pytest

from model import batch, strategy
from model.batch import Case, solve_cases
from model.planner import Plan, solve
from model.studies import frontier as frontier_study
from model.studies.cap_levels import cap_scopes
from model.studies.cap_sweep import Frontier, Point, Sweep
from model.studies.frontier import _case, point_of, run, trace_frontiers
from model.studies.plan_figures import plan_builds
from model.studies.study import StudyContext
from model.workers import AWAITED, Workers
from tests import small
from tests.test_frontier import context_of, frontier_book


def test_a_level_learns_from_a_looser_one_and_starts_from_a_tighter_plan(monkeypatch):
    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    asked: list[tuple[float, Case, Plan]] = []

    def noting(cases, *given, **named):
        for case, plan in solve_cases(cases, *given, **named):
            asked.append((float(case.name.split(" at ")[1].removesuffix(" %").split(" %")[0]), case, plan))
            yield case, plan

    monkeypatch.setattr(frontier_study, "solve_cases", noting)
    context = context_of(frontier_book())
    levels = [one for one in trace_frontiers(context) and asked if not one[1].goal.shortage_limits]
    known: dict[float, Plan] = {}
    for level, case, plan in levels:
        looser, tighter = [other for other in known if other > level], [other for other in known if other < level]
        assert case.hot is ((known[min(looser)].hot or known[100.0].hot) if looser else None), "all that the looser search tells"
        if tighter:
            assert case.start == plan_builds(known[max(tighter)])
            assert case.cutoff > known[max(tighter)].solution.objective
        else:
            assert case.start == plan_builds(context.plan if level >= 70.0 else known[min(looser)])
            assert case.cutoff == math.inf
        assert case.hands_on
        known[level] = plan
    assert [level for level, *_ in levels[:3]] == [100.0, 60.0, 20.0]
    assert any(level < 20.0 for level in known)
    assert any(level > 70.0 for level in known)


def test_scopes_that_share_processors_say_what_one_processor_says():
    tables = frontier_book({"frontier_scopes": "tonnes, value, every_product", "frontier_points": 3})
    own = solve(tables, small.EXACT)
    (alone,) = run(StudyContext(tables, own, small.EXACT, 1, lambda _: None))
    (shared,) = run(StudyContext(tables, own, small.EXACT, 2, lambda _: None))
    for (_, _, frame), (_, _, other) in zip(alone.tables, shared.tables, strict=True):
        pd.testing.assert_frame_equal(frame, other, rtol=1e-6)
    assert alone.sentences == shared.sentences


@pytest.mark.parametrize("is_shared", [True, False])
def test_scopes_side_by_side_solve_nothing_in_the_process_that_asks(is_shared, monkeypatch):
    tables = frontier_book({"frontier_scopes": "tonnes, value", "frontier_points": 3})
    own = solve(tables, small.EXACT)
    monkeypatch.setattr(batch, "solve", lambda *_, **__: pytest.fail("solved here"))
    monkeypatch.setattr(
        frontier_study, "_solve_free", lambda context, frontiers: [each.sweep.tell(free_point(context)) for each in frontiers]
    )
    with Workers(2, is_shared) as workers:
        assert len(run(StudyContext(tables, own, small.EXACT, workers, lambda _: None))) == 1
        assert not workers.stopped


def free_point(context: StudyContext) -> Point:
    return replace(point_of(100, context.plan), cost=1.0, bound=1.0)


def test_a_scope_on_its_way_to_the_tightest_level_comes_first_and_then_the_one_with_most_left():
    tables = frontier_book().with_settings(frontier_scopes="tonnes, value")
    tonnes, value = (Frontier(scope, 100, Sweep((100, 50, 30, 10, 0), small.EXACT)) for scope in cap_scopes(tables))
    for level in (100, 30):
        value.sweep.tell(Point(level, 100.0 - level, 100.0 - level, (f"at {level}",)))
    tonnes.sweep.tell(Point(100, 10.0, 10.0))
    assert tonnes.urgency > value.urgency > AWAITED, "more of the way is before it"
    value.sweep.tell(Point(0, 100.0, 100.0, ("at 0",)))
    assert value.sweep.left() == 2 + (70 - 1).bit_length() + (30 - 1).bit_length()
    value.seconds, value.solves = 30.0, 3
    # and the search for the lowest share
    assert value.urgency == 10.0 * (value.sweep.left() + 1) < AWAITED < tonnes.urgency
    value.lowest = value.free
    assert value.urgency == 10.0 * value.sweep.left()
    assert value.urgency_of(5) == value.urgency, "hosts are located one level after the other"
    assert value.urgency_of(50) == -2 * AWAITED, "passed over on the way"
    assert tonnes.urgency_of(50) == tonnes.urgency


def test_solves_are_timed_for_their_scope_and_asked_for_as_urgently(monkeypatch):
    asked: list[float] = []
    spent: list[float] = []

    def noting(*given, **named):
        asked.append(given[5] if len(given) > 5 else 0.0)
        for case, plan in solve_cases(*given, **named):
            spent.append(plan.seconds)
            yield case, plan

    monkeypatch.setattr(frontier_study, "solve_cases", noting)
    (frontier,) = trace_frontiers(context_of(frontier_book()))
    assert 0.0 < frontier.seconds == pytest.approx(sum(spent[1:])), "nobody is left shorter anywhere, so that there are no other solves"
    assert frontier.solves == len(frontier.sweep.points) - 1 > 3, "but for the level without a cap, which is solved for all scopes"
    assert [urgency > AWAITED for urgency in asked[1:]] == sorted((urgency > AWAITED for urgency in asked[1:]), reverse=True)
    assert 0.0 < asked[-1] < AWAITED < asked[1]


def test_a_level_on_the_way_starts_from_the_looser_plan_only_beyond_the_books_own():
    tables = frontier_book()
    (scope,) = cap_scopes(tables)
    context = context_of(tables)
    elsewhere = (("BIG", "D1000", "host_practice", 2029),)
    sweep = Sweep((100, 80, 50, 0), small.EXACT, told={100: Point(100, 60.0, 60.0, ("BIG",), elsewhere)})
    frontier = Frontier(scope, 70, sweep)
    assert plan_builds(context.plan) != elsewhere
    assert _case(context, frontier, 80).start == plan_builds(context.plan), "it keeps the book's own cap, and so this one"
    assert _case(context, frontier, 50).start == elsewhere
