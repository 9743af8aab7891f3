"""Matrices that keep a solver busy, for tests of stopping it. Run as a program, it solves one until interrupted."""

from __future__ import annotations

import signal

import numpy as np
import scipy.sparse

from model.matrix import Matrix
from model.outcome import Progress, SolveOptions
from model.solver import solve_matrix


def whole_numbers(cost: np.ndarray, a: np.ndarray, low: np.ndarray, high: np.ndarray) -> Matrix:
    """Return min cost·x, low ≤ a·x ≤ high, x 0 or 1."""
    columns = tuple(("x", position) for position in range(len(cost)))
    rows = tuple(("row", position) for position in range(len(low)))
    return Matrix(
        cost,
        0.0,
        scipy.sparse.csc_array(a),
        low,
        high,
        np.zeros(len(cost)),
        np.ones(len(cost)),
        np.ones(len(cost), dtype=bool),
        columns,
        rows,
    )


def knapsacks(items: int = 200, limits: int = 20) -> Matrix:
    """Return a problem with plans that are easy to find and hard to prove best."""
    random = np.random.default_rng(0)
    a = random.integers(1, 100, (limits, items)).astype(float)
    return whole_numbers(-random.integers(50, 100, items).astype(float), a, np.full(limits, -np.inf), np.floor(a.sum(axis=1) / 2))


def market_split(items: int = 40, rows: int = 5) -> Matrix:
    """Return a problem for which it is hard to find any plan, or to see that there is none."""
    random = np.random.default_rng(0)
    a = random.integers(0, 100, (rows, items)).astype(float)
    half = np.floor(a.sum(axis=1) / 2)
    return whole_numbers(np.zeros(items), a, half, half)


def _tell(state: Progress) -> None:
    if np.isfinite(state.incumbent):
        print("found a plan", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job inherits it ignored
    outcome = solve_matrix(knapsacks(), SolveOptions(absolute_gap=0.0, time_limit=30.0, threads=2), _tell)
    print(f"{outcome.status.name}|{outcome.termination}|{outcome.objective}|{outcome.bound}", flush=True)
