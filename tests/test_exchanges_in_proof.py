"""Better plans that the proof finds: plants are exchanged again, and what waited to be searched waits on."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest

from model import neighbourhood, searches, strategy, tree
from model.matrix import Matrix
from model.outcome import Status
from tests import small
from tests.test_linking import scattered

SEEDS = range(6)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the proof begin with the plan without plants, a part at a time; return how many exchanges were proposed each time asked."""
    proposed: list[int] = []
    exchanges = neighbourhood.exchanges

    def at_first_none(*words):
        found = exchanges(*words) if proposed else []
        proposed.append(len(found))
        return found

    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    monkeypatch.setattr(strategy, "LATE", 0)
    monkeypatch.setattr(searches, "ROUND_NODES", 1)
    monkeypatch.setattr(strategy, "exchanges", at_first_none)
    monkeypatch.setattr(strategy._Strategy, "_find_first", lambda *_: None)
    monkeypatch.setattr(tree, "SMALL_PART", 0)
    monkeypatch.setattr(tree, "SHRINK_AT", 1.0)
    return proposed


@functools.cache
def weak_book(seed: int) -> tuple[small.Solved, Matrix]:
    """Return plain facility location, solved, and its model without the rows that make it easy: a proof of many parts."""
    solved = small.solve_book(small.book({"max_plants": 8}, **scattered(seed, sites=8)))
    return solved, small.without(solved.matrix, "deliver_link")


@pytest.mark.parametrize("parts", [0, 3])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_proof_goes_on_where_it_stood(late, monkeypatch, threads, parts):
    """With nothing ever gained by exchange, every plan comes from the parts that waited while it was tried."""
    monkeypatch.setattr(strategy, "LATE", parts)
    monkeypatch.setattr(strategy, "exchanges", lambda *_: late.append(0) or [])
    again = 0
    for seed in SEEDS:
        late.clear()
        alone, matrix = weak_book(seed)
        found = strategy.solve_problem(alone.problem, matrix, replace(small.EXACT, threads=threads))
        assert found.status is Status.OPTIMAL
        assert found.objective == small.approx(alone.cost)
        again += max(0, len(late) - 1)
    assert again >= (1 if parts else len(SEEDS))


def test_nothing_is_exchanged_before_a_search_takes_long(late, monkeypatch):
    monkeypatch.setattr(strategy, "LATE", 10_000)
    for seed in SEEDS:
        alone, matrix = weak_book(seed)
        assert strategy.solve_problem(alone.problem, matrix, small.EXACT).objective == small.approx(alone.cost)
    assert not late


def test_plants_are_exchanged_when_the_proof_finds_a_better_plan(late):
    gained = 0
    for seed in SEEDS:
        late.clear()
        alone, matrix = weak_book(seed)
        found = strategy.solve_problem(alone.problem, matrix, small.EXACT)
        assert found.status is Status.OPTIMAL
        assert found.objective == small.approx(alone.cost)
        gained += sum(late) > 0
    assert gained == len(SEEDS)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_exchange_leaves_what_waits(late, monkeypatch, threads):
    """Parts that wait are the same before and after, in every search, whatever the exchanges push and drop."""
    kept = 0
    exchange = strategy._Strategy._exchange

    def watched(self, tight, root, costs, state, trees):
        nonlocal kept
        before = [list(each.queue) for each in trees]
        after = exchange(self, tight, root, costs, state, trees)
        assert [list(each.queue) for each in after[: len(before)]] == before
        assert not any(len(each.queue) for each in after[len(before) :])
        kept += sum(map(len, before))
        return after

    monkeypatch.setattr(strategy._Strategy, "_exchange", watched)
    for seed in SEEDS:
        alone, matrix = weak_book(seed)
        strategy.solve_problem(alone.problem, matrix, replace(small.EXACT, threads=threads))
    assert kept >= len(SEEDS)


def test_a_plan_that_is_better_by_less_than_the_gap_is_taken(late, monkeypatch):
    """A proof within a wide gap is content with the plan that it has; an exchange is not."""
    late.append(0)  # exchange from the start
    better = 0
    for seed in SEEDS:
        alone, matrix = weak_book(seed)
        wide = replace(small.EXACT, absolute_gap=0.5 * alone.cost, relative_gap=0.0)
        with monkeypatch.context() as never:
            never.setattr(strategy, "exchanges", lambda *_: [])
            without = strategy.solve_problem(alone.problem, matrix, wide)
        found = strategy.solve_problem(alone.problem, matrix, wide)
        assert found.objective <= without.objective + 1e-6
        better += found.objective < without.objective - 1e-6
    assert better > 0
