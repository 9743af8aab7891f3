"""Many solves through one executor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model import batch
from model.batch import Case, solve_cases, threads_of
from model.outcome import Status
from model.workers import Workers
from tests import small


@pytest.mark.parametrize(
    ("cases", "workers", "threads", "each"),
    [(5, 2, 2, [1, 1, 1, 2, 2]), (2, 2, 2, [2, 2]), (1, 2, 4, [4]), (3, 1, 2, [2, 2, 2]), (4, 3, 1, [1, 1, 1, 1]), (0, 2, 2, [])],
)
def test_the_last_cases_have_all_threads(cases, workers, threads, each):
    assert threads_of(cases, workers, threads) == each


def test_plans_come_in_the_order_asked_however_many_run_at_once():
    prices = (10.0, 40.0, 20.0)
    cases = [Case(f"feed at {price:g}", small.book(sources=[small.source(fixed_price=price)])) for price in prices]
    options = replace(small.EXACT, threads=2)
    said: list[str] = []
    found = [(case.name, plan.solution.objective) for case, plan in solve_cases(cases, options, 2, said.append)]
    alone = [(case.name, plan.solution.objective) for case, plan in solve_cases(cases, options, 1)]
    assert [name for name, _ in found] == [case.name for case in cases]
    assert [cost for _, cost in found] == pytest.approx([cost for _, cost in alone])
    assert len({round(cost, 6) for _, cost in found}) == 3
    assert [sentence.split(":")[0] for sentence in said] == ["1 of 3", "2 of 3", "3 of 3"]


def test_a_case_is_solved_as_it_asks():
    # a plant makes for 30 what costs 100 to buy
    tables = small.book()
    cases = [Case("free", tables), Case("cheaper", tables, cutoff=29.0), Case("bare", tables, start=(), held=True)]
    (_, free), (_, cheaper), (_, bare) = solve_cases(cases, small.EXACT, 1)
    assert free.solution.objective == pytest.approx(30)
    assert cheaper.solution.status is Status.INFEASIBLE
    assert bare.solution.objective == pytest.approx(100)
    assert bare.solution.host_set == ()


def test_shared_processes_solve_as_one_process_does(shared):
    tables = small.book()
    cases = [Case("free", tables), Case("cheaper", tables, cutoff=29.0), Case("bare", tables, held=True)]
    options = replace(small.EXACT, threads=2)
    alone = [(plan.solution.status, plan.solution.objective) for _, plan in solve_cases(cases, options, 1)]
    assert [(plan.solution.status, plan.solution.objective) for _, plan in solve_cases(cases, options, shared)] == [
        (status, pytest.approx(cost, nan_ok=True)) for status, cost in alone
    ]


class Noting(Workers):
    """Workers that note what they are asked; nothing is solved."""

    asked: list

    def map(self, function, items, urgency=0.0):
        self.asked = list(items)
        return iter(())


@pytest.mark.parametrize(("is_shared", "threads"), [(True, [1, 1]), (False, [2, 2])])
def test_where_others_are_at_work_each_solve_has_one_thread(is_shared, threads):
    workers, cases = Noting(2, is_shared), [Case("one", small.book()), Case("two", small.book())]
    with pytest.raises(ValueError, match="shorter"):
        list(solve_cases(cases, replace(small.EXACT, threads=2), workers))
    assert [number for _, number in workers.asked] == threads


def test_cases_are_counted_where_there_are_several():
    said: list[str] = []
    for names in (("one", "two"), ("lone",)):
        list(solve_cases([Case(name, small.book()) for name in names], small.EXACT, 1, said.append))
    assert [line.split(",")[0] for line in said] == ["1 of 2: one", "2 of 2: two", "lone"]


def test_a_cases_own_hint_comes_before_that_of_the_batch(monkeypatch):
    given = []
    monkeypatch.setattr(batch, "solve", lambda *_, hot, **__: given.append(hot))
    with pytest.raises(AttributeError):  # nothing is solved
        list(solve_cases([Case("own", small.book(), hot="own"), Case("none", small.book())], small.EXACT, 1, hot="batch"))
    with pytest.raises(AttributeError):
        list(solve_cases([Case("none", small.book())], small.EXACT, 1, hot="batch"))
    assert given == ["own", "batch"]
