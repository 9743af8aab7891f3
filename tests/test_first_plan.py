"""How a search comes by its first plan where the one that it was told to start from cannot stand, and when that plan is all that was asked."""

from __future__ import annotations

import pytest

from model import strategy
from model.outcome import Status
from tests import small
from tests.test_strategy import WITH_A_PLAN, alone, prepared  # noqa: F401 - a fixture


@pytest.mark.usefixtures("prepared")
def test_plants_that_cannot_stand_are_looked_for_at_the_same_hosts_first(monkeypatch):
    """Counts of plants are settled only where that leads nowhere; what is found in the end is the same."""
    settled: list[int] = []
    own = strategy.settle_counts
    monkeypatch.setattr(strategy, "settle_counts", lambda *given: settled.append(1) or own(*given))
    spared = 0
    for seed in WITH_A_PLAN:
        solved = alone(seed)
        start = tuple((*build[:3], 1900) for build in solved.plants)
        if not start:
            continue
        settled.clear()
        with monkeypatch.context() as watched:
            # no plan stands from the first
            watched.setattr(strategy._Strategy, "_try", lambda *_: None)
            outcome = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, start=start)
            assert outcome.objective == pytest.approx(solved.cost, rel=1e-6)
            spared += not settled
            # nor is anything found where no host is known
            settled.clear()
            outcome = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, start=(("NOWHERE", "NONE", "no", 2030),))
            assert outcome.objective == pytest.approx(solved.cost, rel=1e-6)
            assert settled
    assert spared


@pytest.mark.usefixtures("prepared")
def test_a_first_plan_that_costs_little_enough_ends_the_solve_before_its_root(monkeypatch):
    monkeypatch.setattr(strategy._Strategy, "_root", lambda *_: pytest.fail("went on"))
    for seed in WITH_A_PLAN[:6]:
        solved = alone(seed)
        outcome = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, enough=float("inf"))
        assert outcome.status.has_plan
        assert (outcome.status is Status.OPTIMAL) == (outcome.gap <= small.EXACT.absolute_gap)
        assert outcome.bound <= solved.cost + 1e-6


@pytest.mark.usefixtures("prepared")
def test_no_other_first_plan_is_looked_for_where_the_one_in_hand_costs_little_enough(monkeypatch):
    monkeypatch.setattr(strategy._Strategy, "_find_first", lambda *_: pytest.fail("looked"))
    for seed in WITH_A_PLAN[:6]:
        solved = alone(seed)
        outcome = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, start=solved.plants, enough=float("inf"))
        assert outcome.objective == pytest.approx(solved.cost, rel=1e-6)


@pytest.mark.usefixtures("prepared")
def test_a_plan_in_hand_is_not_looked_for_at_its_own_hosts(monkeypatch):
    monkeypatch.setattr(strategy, "at_hosts", lambda *_: pytest.fail("looked"))
    for seed in WITH_A_PLAN[:6]:
        solved = alone(seed)
        outcome = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, start=solved.plants)
        assert outcome.objective == pytest.approx(solved.cost, rel=1e-6)


@pytest.mark.usefixtures("prepared")
def test_a_cutoff_that_is_also_enough_is_no_plan(monkeypatch):
    """Nothing is in hand before the proof: it goes on until it has a plan."""
    for step in ("_try", "_find_first"):
        monkeypatch.setattr(strategy._Strategy, step, lambda *_: None)
    for seed in WITH_A_PLAN[:6]:
        solved = alone(seed)
        enough = solved.cost + 0.05 * abs(solved.cost)
        outcome = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, cutoff=enough, enough=enough)
        assert solved.cost - 1e-6 <= outcome.objective <= enough
