"""What the search makes of a matrix first: the same points, the same optimum, and a finite side everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from model.linear_program import LinearProgram, LpState, StopSignal
from model.matrix import Matrix, Row
from model.outcome import Status
from model.preparation import reach_of, with_finite_sides, without_single_rows
from model.solver import solve_matrix
from tests import small
from tests.random_books import random_book

SEEDS = range(8)


def matrix_of(rows: list[list[float]], sides: list[tuple[float, float]], bounds: list[tuple[float, float]]) -> Matrix:
    """Return a matrix of continuous columns with costs 1, 2, 3 ..."""
    lower, upper = (np.array(side, dtype=float) for side in zip(*bounds, strict=True))
    row_lower, row_upper = (np.array(side, dtype=float) for side in zip(*sides, strict=True))
    count = lower.size
    return Matrix(
        cost=np.arange(1.0, count + 1.0), a=scipy.sparse.csc_array(np.array(rows, dtype=float)), row_lower=row_lower, row_upper=row_upper,
        lower=lower, upper=upper, integer=np.zeros(count, dtype=bool), columns=tuple(("x", number) for number in range(count)),
        rows=tuple(("row", number) for number in range(len(sides))), offset=0.0,
    )  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_the_optimum_stays(seed: int):
    matrix = small.solve_book(random_book(seed)).matrix
    for prepared in (without_single_rows(matrix), with_finite_sides(matrix), with_finite_sides(without_single_rows(matrix))):
        before, after = solve_matrix(matrix, small.EXACT), solve_matrix(prepared, small.EXACT)
        assert before.status is after.status
        if before.status is Status.OPTIMAL:
            assert after.objective == pytest.approx(before.objective, abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_added_sides_never_bind(seed: int):
    """No point of the relaxation meets a side that was added, whichever way it is pulled."""
    matrix = small.solve_book(random_book(seed)).matrix
    sided = with_finite_sides(matrix)
    random = np.random.default_rng(seed)
    for _ in range(6):
        # the lower sides of the columns are stated, so a wish for more than can be is bounded by the rows alone
        wish = random.uniform(-1.0, 1.0, len(matrix.cost)) * np.isfinite(sided.upper)
        point = solve_matrix(replace(sided.relaxed(), cost=wish), small.EXACT)
        if point.status is not Status.OPTIMAL:
            continue
        added = np.isposinf(matrix.upper) & np.isfinite(sided.upper)
        assert (point.values[added] < sided.upper[added] - 0.05).all()
        sums = matrix.a @ point.values
        added = np.isneginf(matrix.row_lower) & np.isfinite(sided.row_lower)
        assert (sums[added] > sided.row_lower[added] + 0.05).all()
        added = np.isposinf(matrix.row_upper) & np.isfinite(sided.row_upper)
        assert (sums[added] < sided.row_upper[added] - 0.05).all()


def test_a_chain_is_followed_to_its_end():
    """x0 <= 4, x1 <= x0 + 1, x2 <= 2 x1: at most 4, 5 and 10."""
    endless = (0.0, np.inf)
    chain = matrix_of([[-1, 1, 0], [0, -2, 1]], [(-np.inf, 1.0), (-np.inf, 0.0)], [(0.0, 4.0), endless, endless])
    sided = with_finite_sides(chain)
    assert sided.upper == pytest.approx([4.0, 5.6, 11.1])  # a tenth and 0.1 further out
    assert np.isfinite(sided.row_lower).all()


def test_what_nothing_bounds_stays_endless():
    sided = with_finite_sides(matrix_of([[1, -1]], [(0.0, 0.0)], [(0.0, np.inf), (0.0, np.inf)]))
    assert np.isposinf(sided.upper).all()


def test_single_rows_become_bounds():
    single = matrix_of([[2, 0], [0, -1], [1, 1]], [(-np.inf, 6.0), (-4.0, -1.0), (2.0, np.inf)], [(0.0, np.inf), (0.0, np.inf)])
    folded = without_single_rows(single)
    assert folded.rows == (("row", 2),)
    assert list(folded.lower) == [0.0, 1.0]
    assert list(folded.upper) == [3.0, 4.0]


def test_contradicting_single_rows_stay():
    clash = without_single_rows(matrix_of([[1], [1]], [(3.0, np.inf), (-np.inf, 2.0)], [(0.0, 9.0)]))
    assert len(clash.rows) == 2
    assert solve_matrix(clash, small.EXACT).status is Status.INFEASIBLE


def test_a_whole_number_column_has_whole_bounds():
    bounds = [(0.0, np.inf), (0.0, np.inf), (0.0, 9.0), (0.0, np.inf)]
    sides = [(-np.inf, 0.65), (-np.inf, 0.9999999), (0.3, 0.7), (-np.inf, 0.65)]
    single = replace(matrix_of(np.eye(4).tolist(), sides, bounds), integer=np.array([True, True, True, False]))
    folded = without_single_rows(single)
    assert list(folded.upper) == [0.0, 1.0, 9.0, 0.65], (
        "as near to whole as the solver takes for whole; two sides without a whole number between stay a row"
    )
    assert folded.rows == (("row", 2),)
    assert solve_matrix(single, small.EXACT).status is Status.INFEASIBLE


def test_reach_by_hand():
    row = Row(np.array([0, 2]), np.array([2.0, -1.0]), -np.inf, np.inf)
    least, most = reach_of(row, np.array([1.0, 0.0, 0.0]), np.array([2.0, 0.0, 3.0]))
    assert (least, most) == pytest.approx((-1.0 - 0.2, 4.0 + 0.5))


def test_a_cutoff_stops_a_program_before_its_end():
    """Where the optimum is far above the cutoff, the program stops with a cost between the two."""
    for seed in SEEDS:
        matrix = with_finite_sides(small.solve_book(random_book(seed)).matrix)
        program = LinearProgram(matrix, small.EXACT, StopSignal(60.0))
        if program.solve() is not LpState.OPTIMAL:
            continue
        whole = np.flatnonzero(matrix.integer)
        program.bound_columns(whole, matrix.lower[whole], np.zeros(whole.size))
        cutoff = program.objective + 1e-3
        capped = program.solve(cutoff)
        if capped is LpState.ABOVE_CUTOFF:
            assert program.solve() in (LpState.OPTIMAL, LpState.INFEASIBLE)
            assert program.objective > cutoff or program.solve() is LpState.INFEASIBLE


def test_a_stop_by_hand_stops_a_program():
    matrix = with_finite_sides(small.solve_book(random_book(0)).matrix)
    signal = StopSignal(60.0)
    program = LinearProgram(matrix, small.EXACT, signal)
    signal.raise_by_hand()
    assert program.solve() is LpState.STOPPED
    assert program.highs.getOptionValue("time_limit")[1] == 0.0
