"""HiGHS alone is given a matrix without what can only be zero; the answer is that of the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse

from model import solver
from model.matrix import Matrix
from model.outcome import SolveOptions, Status
from model.reduction import reduce_matrix
from model.solver import solve_matrix
from tests import small
from tests.random_books import random_book


@pytest.mark.parametrize(("least", "status"), [(-math.inf, Status.OPTIMAL), (0.0, Status.OPTIMAL), (1.0, Status.INFEASIBLE)])
def test_a_matrix_of_which_nothing_is_left_is_solved(least, status):
    """Where every column can only be zero the cost is what is paid anyway, proven."""
    nothing = Matrix(
        np.array([1.0, 2.0]), 5.0, scipy.sparse.csc_array(np.array([[1.0, 1.0]])), np.array([least]), np.array([3.0]), np.zeros(2), np.zeros(2),
        np.array([True, False]), (("build", 0), ("x", 0)), (("row", 0),),
    )  # fmt: skip
    outcome = solve_matrix(nothing, SolveOptions())
    assert outcome.status is status
    if status is Status.OPTIMAL:
        assert (outcome.objective, outcome.bound, outcome.values.tolist()) == (5.0, 5.0, [0.0, 0.0])


def test_what_can_only_be_zero_is_put_back(monkeypatch):
    seen = []
    look = solver.search
    monkeypatch.setattr(solver, "search", lambda matrix, *rest: seen.append(matrix) or look(matrix, *rest))
    for seed in range(4):
        solved = small.solve_book(random_book(seed))
        if not solved.outcome.status.has_plan:
            continue
        upper = solved.matrix.upper.copy()
        shut = np.flatnonzero(solved.matrix.integer)[::2]
        upper[shut[solved.matrix.lower[shut] == 0.0]] = 0.0
        barred = solved.matrix.with_bounds(solved.matrix.lower, upper)
        outcome, alone = solve_matrix(barred, small.EXACT), look(barred, small.EXACT)
        assert len(seen[-1].cost) < len(barred.cost)
        assert outcome.status is alone.status
        if outcome.status.has_plan:
            assert outcome.objective == pytest.approx(alone.objective, rel=1e-9)
            assert outcome.values.size == len(barred.cost)
            assert barred.cost @ outcome.values + barred.offset == pytest.approx(alone.objective, rel=1e-9)


def test_what_must_stand_and_can_only_be_zero_is_impossible():
    """A forced plant at a host that may not be open: neither is left out of the matrix unseen."""
    forced = Matrix(
        np.array([1.0, 2.0, 3.0]), 0.0, scipy.sparse.csc_array(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])), np.array([-math.inf, 1.0]),
        np.array([0.0, math.inf]), np.array([1.0, 0.0, 0.0]), np.ones(3), np.array([True, False, True]),
        (("build", 0), ("x", 0), ("build", 1)), (("shut", 0), ("other", 0)),
    )  # fmt: skip
    assert reduce_matrix(forced) is None
    assert solve_matrix(forced, SolveOptions()).status is Status.INFEASIBLE
    free = solve_matrix(forced.with_bounds(np.zeros(3), forced.upper), SolveOptions())
    assert (free.status, free.objective) == (Status.OPTIMAL, 3.0)
