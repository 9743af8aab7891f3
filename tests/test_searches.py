"""When searches side by side stop, and what they tell on the way; the trees are made up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from model import searches
from model.node import Incumbent
from model.outcome import Progress, SolveOptions
from model.search_state import Clock, SearchState
from model.searches import Searches

Run = Callable[..., SearchState]


class Scripted:
    """A search that looks at one part a round and finds what it is told to."""

    def __init__(self, found: Sequence[float | None], bounds: Sequence[float]) -> None:
        self.queue, self.found, self.bounds = list(found), list(found), list(bounds)
        self.nodes = 0

    @property
    def bound(self) -> float:
        return self.bounds[min(self.nodes, len(self.bounds) - 1)]

    def learn_from(self, _: object) -> None:
        pass

    def told(self) -> None:
        pass


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs one scripted search from a bound of 99 and returns what is known at the end."""

    def look(tree: Scripted, *_: object) -> list[Incumbent]:
        cost = tree.queue.pop(0)
        tree.nodes += 1
        return [] if cost is None else [Incumbent(cost, np.zeros(0))]

    monkeypatch.setattr(searches, "look", look)

    def searched(
        found: Sequence[float | None], told: list[Progress] | None = None, bounds: Sequence[float] = (99.0,), **how: Any
    ) -> SearchState:
        state = SearchState(None, math.inf, 99.0)
        with ThreadPoolExecutor(1) as pool:
            side_by_side = Searches(Clock(60.0), pool, None if told is None else told.append)
            side_by_side.run([Scripted(found, bounds)], state, SolveOptions(absolute_gap=0.1), 1, **how)  # type: ignore[list-item]
        return state

    return searched


def test_a_search_goes_on_until_nothing_waits(run: Run):
    state = run([None, 200.0, None, 150.0, None])
    assert (state.nodes, state.cutoff) == (5, 150.0)


def test_a_search_stops_at_the_first_better_plan_where_that_is_asked(run: Run):
    state = run([None, 200.0, None, 150.0, None], until_better=True)
    assert (state.nodes, state.cutoff) == (2, 200.0)


def test_a_search_stops_after_so_many_parts(run: Run):
    assert run([None] * 9, most=4).nodes == 4


def test_patience_ends_only_near_the_bound(run: Run):
    """The first plan costs twice the bound, the second a hundredth more than it."""
    state = run([200.0, None, None, None, None, 100.0, None, None, None, None], patience=2)
    assert (state.nodes, state.cutoff) == (9, 100.0)


def test_only_a_whole_search_proves_anything(run: Run):
    bounds = [99.0, 99.5, math.inf]
    assert run([100.0, None], bounds=bounds).bound == 99.0
    told: list[Progress] = []
    state = run([100.0, None], told, bounds=bounds, whole_search=True)
    assert state.bound == pytest.approx(100.0 - 0.098), "no more than what is of interest"
    assert [(progress.incumbent, progress.bound, progress.nodes) for progress in told] == [(100.0, 99.5, 1), (100.0, state.bound, 2)]


def test_what_is_near_its_bound_has_a_plan():
    plan = Incumbent(100.0, np.zeros(0))
    assert SearchState(plan, 100.0, 99.0).is_within(0.02)
    assert not SearchState(plan, 100.0, 97.0).is_within(0.02)
    assert not SearchState(None, 100.0, 99.0).is_within(0.02)
