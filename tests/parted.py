"""Small random books parted into blocks, for the tests of what parted programs do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from model.decomposed_program import DecomposedProgram
from model.decomposition import Decomposition, part
from model.linear_program import LinearProgram, LpState, StopSignal
from model.preparation import with_finite_sides, without_single_rows
from tests import small
from tests.random_books import random_book

SEEDS = range(10)
FRACTIONAL = (1, 2, 3, 4, 7, 8)
"""Books whose relaxation builds parts of plants."""


def parted(seed: int) -> tuple[small.Solved, Decomposition, DecomposedProgram, LinearProgram]:
    """Return a random book, its parts, a program of them and the whole relaxation."""
    solved = small.solve_book(random_book(seed))
    matrix = with_finite_sides(without_single_rows(solved.matrix))
    parts = part(matrix)
    assert parts is not None
    whole = LinearProgram(matrix, small.EXACT, StopSignal(60))
    assert whole.solve() is LpState.OPTIMAL
    twin = LinearProgram(matrix, small.EXACT, StopSignal(60))
    twin.solve()
    return solved, parts, DecomposedProgram(parts, small.EXACT, StopSignal(60), twin), whole


def hold_random_plans(seed: int, count: int, parts: Decomposition, *programs: DecomposedProgram | LinearProgram) -> Iterator[None]:
    """Fix the builds of all programs at one random plan after the other."""
    builds, random = np.flatnonzero(parts.matrix.integer), np.random.default_rng(seed)
    for _ in range(count):
        plan = np.clip(np.round(random.random(builds.size) - 0.3), parts.matrix.lower[builds], parts.matrix.upper[builds])
        for program in programs:
            program.bound_columns(builds, plan, plan)
        yield


def complete(program: DecomposedProgram, cutoff: float = np.inf) -> LpState:
    """Solve until no cut is missing."""
    state = LpState.OPTIMAL
    before = -np.inf
    for _ in range(200):
        state = program.solve(cutoff)
        if state is not LpState.OPTIMAL or program.objective - before <= 1e-9 * max(1.0, abs(before)):
            return state
        before = program.objective
    return state


def bound_at_random(random: np.random.Generator, shut: float, parts: Decomposition, *programs: DecomposedProgram | LinearProgram) -> None:
    """Rule out that share of the builds of all programs."""
    builds = np.flatnonzero(parts.matrix.integer)
    upper = np.where(random.random(builds.size) < shut, 0.0, parts.matrix.upper[builds])
    for program in programs:
        program.bound_columns(builds, parts.matrix.lower[builds], upper)
