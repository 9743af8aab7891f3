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
from model.studies.frontier import point_of, run, trace_frontiers
from model.studies.plan_figures import plan_builds
from model.studies.study import StudyContext
from model.workers import Workers
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
    ((first, free, _), (last, tightest, end), *later) = [
        one for one in trace_frontiers(context) and asked if not one[1].goal.shortage_limits
    ]
    assert (first, last) == (100, 0)
    assert free.hot is None, "of the levels none is looser"
    assert free.start == plan_builds(context.plan)
    assert tightest.hot is None, "the book without a cap is further than the run's own plan, at 70 %"
    assert later
    solved = [100.0, 0.0]
    for level, case, _ in later:
        nearer = 70.0 if level < 70.0 else 100.0
        assert (case.hot is not None) == any(level < other <= nearer for other in solved)
        assert 0.0 < level < 100.0
        assert case.cutoff < math.inf
        assert case.hands_on
        solved.append(level)
    assert {level < 70.0 for level in solved} == {True, False}
    assert any(case.hot is not None for _, case, _ in later)
    assert later[0][1].start == plan_builds(end)


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


def test_the_scope_that_has_taken_longest_comes_first_and_one_of_every_product_before_any_is_known():
    tables = frontier_book().with_settings(frontier_scopes="tonnes, every_product")
    tonnes, every = (Frontier(scope, 100, Sweep((100, 0), small.EXACT)) for scope in cap_scopes(tables))
    assert tonnes.urgency < every.urgency
    every.seconds = every.urgency / 2
    assert every.urgency == 1.0, "it never falls: a process is kept for who had it"
    tonnes.seconds = 30.0
    assert tonnes.urgency > every.urgency


def test_solves_are_timed_for_their_scope_and_asked_for_as_urgently(monkeypatch):
    asked: list[float] = []

    def noting(*given, **named):
        asked.append(given[5] if len(given) > 5 else 0.0)
        yield from solve_cases(*given, **named)

    monkeypatch.setattr(frontier_study, "solve_cases", noting)
    (frontier,) = trace_frontiers(context_of(frontier_book()))
    assert frontier.seconds > 0.0
    assert asked == sorted(asked)
    assert 0.0 < asked[-1] <= frontier.seconds
