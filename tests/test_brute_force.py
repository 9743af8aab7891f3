"""The plan found by branch and bound is the best of all plans, tried one by one with another solver."""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict

import numpy as np
import pytest
import scipy.optimize

from model.matrix import Matrix
from model.outcome import Status
from tests import small
from tests.random_books import random_book

SEEDS = range(18)


def least_cost_given(matrix: Matrix, built: frozenset[int]) -> tuple[float, np.ndarray]:
    """Return the least cost and the values when exactly the given columns are built; infinity where no plan exists."""
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    lower[matrix.integer] = upper[matrix.integer] = 0.0
    lower[list(built)] = upper[list(built)] = 1.0
    fixed = matrix.with_bounds(lower, upper)
    equal = fixed.row_lower == fixed.row_upper
    above, below = ~equal & np.isfinite(fixed.row_upper), ~equal & np.isfinite(fixed.row_lower)
    rows = fixed.a.tocsr()
    found = scipy.optimize.linprog(
        fixed.cost,
        A_ub=np.vstack([rows[above].toarray(), -rows[below].toarray()]), b_ub=np.concatenate([fixed.row_upper[above], -fixed.row_lower[below]]),
        A_eq=rows[equal].toarray(), b_eq=fixed.row_upper[equal],
        bounds=np.column_stack([fixed.lower, fixed.upper]), method="highs",
    )  # fmt: skip
    assert found.status in (0, 2), found.message
    return (found.fun + fixed.offset, found.x) if found.status == 0 else (np.inf, np.empty(0))


def plans(matrix: Matrix, per_host: int) -> list[frozenset[int]]:
    """Return every set of builds with at most `per_host` plants a host, as column numbers."""
    columns = defaultdict(list)
    for position in np.flatnonzero(matrix.integer):
        columns[matrix.columns[position][1][0]].append(int(position))
    choices = [
        [picked for size in range(per_host + 1) for picked in itertools.combinations(positions, size)] for positions in columns.values()
    ]
    return [frozenset(itertools.chain.from_iterable(picked)) for picked in itertools.product(*choices)]


@functools.cache
def solve(seed: int) -> small.Solved:
    return small.solve_book(random_book(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_plan_is_the_best_of_all_plans(seed):
    solved = solve(seed)
    every = plans(solved.matrix, solved.problem.plants_per_host)
    tried = {built: least_cost_given(solved.matrix, built) for built in every}
    best = min(tried, key=lambda built: tried[built][0])
    cost, values = tried[best]
    if np.isinf(cost):
        assert solved.outcome.status is Status.INFEASIBLE
        return
    assert solved.outcome.status is Status.OPTIMAL
    assert solved.outcome.objective == pytest.approx(cost, rel=1e-6)
    assert {int(p) for p in np.flatnonzero(solved.matrix.integer & (solved.outcome.values > 0.5))} == best
    feed = np.array([name == "feed" for name, _ in solved.matrix.columns])
    assert solved.outcome.values[feed] == pytest.approx(values[feed], abs=1e-5)
    small.assert_verified(solved)


def test_the_random_books_are_worth_trying():
    """Plans of no, one and several hosts, hosts of two plants and books without any plan are among them."""
    outcomes = [solve(seed) for seed in SEEDS]
    sizes = {len(solved.solution.host_set) for solved in outcomes if solved.outcome.status.has_plan}
    assert {0, 1, 2} <= sizes, sizes
    assert any(len(solved.solution.tables["builds"]) > len(solved.solution.host_set) for solved in outcomes)
    assert any(solved.outcome.status is Status.INFEASIBLE for solved in outcomes)
    assert sum(solved.outcome.status.has_plan for solved in outcomes) >= 12
