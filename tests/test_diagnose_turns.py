"""Every kind of figure gets its turn, and what is left of the time goes back to those that ran out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from model.studies import diagnose_repairs
from model.studies.diagnose_repairs import RepairSearch
from model.studies.diagnose_search import Trials
from model.studies.diagnose_turns import LEAST_SHARE, Turns
from tests import small
from tests.test_diagnose import BOOKS, OPTIONS

LIMIT = 200.0


@dataclass
class Clock:
    """Stands still unless told to go on, in seconds."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Hungry:
    """Takes turns; some of its steps need more time than others."""

    clock: Clock
    trials: Trials
    cut_short: bool = False
    turns: list[tuple[str, float]] = field(default_factory=list)

    def step(self, name: str, seconds: float):
        def run() -> None:
            self.turns.append((name, self.trials.left))
            self.cut_short = self.cut_short or seconds > self.trials.left
            self.clock.now += min(seconds, self.trials.left)

        return run


@pytest.fixture
def hungry() -> Hungry:
    clock = Clock()
    return Hungry(clock, Trials(small.book(), replace(OPTIONS, time_limit=LIMIT), clock=clock))


def test_a_step_that_needs_more_than_its_share_waits_for_what_the_others_leave(hungry):
    turns = Turns(hungry.trials, hungry)
    turns.take([hungry.step("long", 120.0), hungry.step("short", 10.0), hungry.step("tiny", 1.0)])
    assert hungry.turns == [
        ("long", pytest.approx(LIMIT / 3)),
        ("short", pytest.approx(LIMIT / 3)),
        ("tiny", pytest.approx(LIMIT * 2 / 3 - 10)),
    ]
    assert hungry.cut_short
    turns.again()
    assert hungry.turns[3:] == [("long", pytest.approx(LIMIT * 2 / 3 - 11))]
    assert not hungry.cut_short


def test_the_last_of_many_greedy_steps_still_gets_its_turn(hungry):
    turns = Turns(hungry.trials, hungry)
    turns.take([hungry.step(str(number), 1e6) for number in range(10)], more=True)
    assert [name for name, _ in hungry.turns] == [str(number) for number in range(10)]
    assert hungry.turns[0][1] == pytest.approx(LEAST_SHARE * LIMIT)
    assert min(seconds for _, seconds in hungry.turns) > 4.0
    assert hungry.trials.left > 4.0
    turns.again()
    assert hungry.cut_short
    assert hungry.trials.left == pytest.approx(0.0)


def test_steps_that_are_cut_short_for_other_reasons_are_not_repeated_for_ever(hungry):
    turns = Turns(hungry.trials, hungry)
    calls = []

    def never() -> None:
        calls.append(1)
        hungry.cut_short = True

    turns.take([never])
    turns.again()
    assert len(calls) == 2
    assert hungry.cut_short


def test_a_kind_that_eats_its_time_leaves_the_others_theirs_and_the_cheap_ones_come_first(monkeypatch):
    """The kind of the fewest figures never ends: the others are asked all the same, and it is asked again."""
    clock = Clock()
    tables = BOOKS["feedstock_cap_on_a_forced_plant"][0]()
    searching = RepairSearch(Trials(tables, replace(OPTIONS, time_limit=LIMIT), clock=clock), lambda _: first.append(len(asked)))
    asked: list[tuple[str, float]] = []
    first: list[int] = []
    honest = RepairSearch.by_kind

    def by_kind(self, view, kind):
        asked.append((kind, self.trials.left))
        if kind == asked[0][0]:
            clock.now += self.trials.left
            self.cut_short = True
            return
        honest(self, view, kind)

    monkeypatch.setattr(RepairSearch, "by_kind", by_kind)
    searching.run()
    own = [kind for kind, _ in asked[: first[1]]]
    count = [sum(code[0] == kind for code in searching.own.elastic.codes) for kind in own]
    assert len(own) > 2
    assert count == sorted(count)
    assert asked[0][1] <= 0.5 * LIMIT
    assert all(seconds > 1.0 for _, seconds in asked)
    assert asked[-1][0] == asked[0][0]
    assert len(searching.repairs) >= 3
    assert searching.cut_short


def test_no_search_takes_more_than_its_part_of_a_turn_and_none_that_is_proven_is_repeated(monkeypatch):
    tables = BOOKS["contract_against_cap_in_two_years"][0]()
    searching = RepairSearch(Trials(tables, replace(OPTIONS, time_limit=LIMIT), clock=Clock()), lambda _: None)
    limits: list[float] = []
    honest = diagnose_repairs.search

    def recording(matrix, options):
        limits.append(options.time_limit)
        return honest(matrix, options)

    monkeypatch.setattr(diagnose_repairs, "search", recording)
    with searching.trials.turn(20.0):
        searching.by_kind(searching.own, "least_take")
    assert limits
    assert max(limits) <= 10.0
    before = len(limits)
    searching.by_kind(searching.own, "least_take")
    assert len(limits) == before
