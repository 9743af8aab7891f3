"""Implied rows that are stated on demand: set aside where there are many, found where a point violates them, the same answer."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from model import relaxation, separation, strategy, tree
from model.linear_program import LinearProgram, StopSignal
from model.matrix import Matrix
from model.outcome import Status
from model.problem import Problem
from model.reduction import reduce_matrix
from model.relaxation import relax
from model.separation import Separator, with_rows_on_demand
from model.solver import solve_matrix
from tests import small
from tests.test_linking import scattered


@pytest.fixture
def everything_on_demand(monkeypatch):
    monkeypatch.setattr(separation, "MANY", 1)
    monkeypatch.setattr(separation, "MOST_ROWS", 5)  # so that one round does not state them all
    monkeypatch.setattr(tree, "SMALL_PART", 0)
    monkeypatch.setattr(tree, "SHRINK_AT", 1.0)


def plain_facility_location(seed: int = 0) -> tuple[Problem, Matrix]:
    return small.matrix_of(small.book(**scattered(seed)))


def test_few_rows_stay_where_they_are():
    _, matrix = plain_facility_location()
    assert with_rows_on_demand(matrix) is matrix


@pytest.mark.usefixtures("everything_on_demand")
def test_many_rows_are_set_aside_and_none_is_lost():
    _, matrix = plain_facility_location()
    aside = with_rows_on_demand(matrix)
    assert aside.implied is not None
    assert aside.implied.a.shape[0] == small.rows_of(matrix, "deliver_link").sum() == 48
    assert [name for name in matrix.rows if name[0] != "deliver_link"] == list(aside.rows)
    both = np.vstack([aside.a.toarray(), aside.implied.a.toarray()])
    assert sorted(map(tuple, both.tolist())) == sorted(map(tuple, matrix.a.toarray().tolist()))


@pytest.mark.usefixtures("everything_on_demand")
@pytest.mark.parametrize("seed", range(6))
def test_the_answer_is_the_same(seed):
    problem, matrix = plain_facility_location(seed)
    alone = solve_matrix(matrix, small.EXACT)
    said: list[str] = []
    found = strategy.solve_problem(problem, matrix, small.EXACT, say=said.append)
    assert any("Linear relaxation" in sentence for sentence in said)  # not left to HiGHS, few as the plants are
    assert found.status is Status.OPTIMAL
    assert found.objective == small.approx(alone.objective)
    assert found.bound <= alone.objective + 1e-6
    assert len(found.values) == len(matrix.cost)


@pytest.mark.usefixtures("everything_on_demand")
def test_the_relaxation_is_as_tight_as_with_all_rows(monkeypatch):
    monkeypatch.setattr(relaxation, "SMALL_STEP_ON_DEMAND", 0.0)
    problem, matrix = plain_facility_location()
    strong = solve_matrix(replace(matrix, integer=np.zeros_like(matrix.integer)), small.EXACT).objective
    aside = with_rows_on_demand(matrix)
    weak = solve_matrix(replace(aside, integer=np.zeros_like(matrix.integer)), small.EXACT).objective
    bound = relax(problem, aside, small.EXACT, StopSignal(60)).bound
    assert weak < strong - 1
    assert bound == small.approx(strong)


@pytest.mark.usefixtures("everything_on_demand")
def test_only_violated_rows_are_found_the_furthest_first():
    problem, matrix = plain_facility_location()
    aside = with_rows_on_demand(matrix)
    program = LinearProgram(aside, small.EXACT, StopSignal(60))
    program.solve()
    values = program.values()
    found = Separator(problem, aside).violated(values)
    excess = [(row.coefficients @ values[row.columns] - row.upper) / np.linalg.norm(row.coefficients) for row in found]
    assert len(found) == 5
    assert min(excess) > 0
    assert aside.implied is not None
    every = (aside.implied.a @ values - aside.implied.upper) / np.linalg.norm(aside.implied.a.toarray(), axis=1)
    assert sorted(excess) == pytest.approx(sorted(every)[-5:])


@pytest.mark.usefixtures("everything_on_demand")
def test_no_whole_plan_violates_one():
    """Every set of plants, with the deliveries that are cheapest for it, leaves nothing to be found."""
    problem, matrix = plain_facility_location()
    aside = with_rows_on_demand(matrix)
    whole = np.flatnonzero(aside.integer)
    looked = 0
    for plan in itertools.product((0.0, 1.0), repeat=whole.size):
        lower, upper = aside.lower.copy(), aside.upper.copy()
        lower[whole] = upper[whole] = plan
        found = solve_matrix(aside.with_bounds(lower, upper), small.EXACT)
        if found.status.has_plan:
            looked += 1
            assert Separator(problem, aside).violated(found.values) == []
    assert looked > 2


@pytest.mark.usefixtures("everything_on_demand")
def test_a_reduced_matrix_keeps_the_rows_of_its_columns():
    _, matrix = plain_facility_location()
    aside = with_rows_on_demand(matrix)
    shut = np.flatnonzero(aside.integer)[0]
    upper = aside.upper.copy()
    upper[shut] = 0.0
    reduction = reduce_matrix(aside.with_bounds(aside.lower, upper))
    assert reduction is not None
    assert reduction.matrix.implied is not None
    assert aside.implied is not None
    assert reduction.matrix.implied.a.shape == (36, reduction.columns.size)  # a quarter was of the shut host
    point = np.random.default_rng(0).uniform(0, 1, reduction.columns.size)
    inside = reduction.matrix.implied.a @ point
    whole = aside.implied.a @ reduction.restore(point)
    touched = (aside.implied.a[:, reduction.columns] > 0).sum(axis=1) > 0
    assert np.sort(inside) == pytest.approx(np.sort(whole[touched]))
