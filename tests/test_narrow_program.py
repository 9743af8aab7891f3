"""A program that holds few columns answers as one that holds all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model import narrow_program, part_program, strategy
from model.decomposed_program import DecomposedProgram
from model.linear_program import LinearProgram, LpState, StopSignal
from model.matrix import Matrix, Row
from model.narrow_program import NarrowProgram
from model.preparation import with_finite_sides, without_single_rows
from tests import small
from tests.parted import SEEDS, complete, parted
from tests.random_books import random_book


def programs(seed: int) -> tuple[Matrix, NarrowProgram, LinearProgram]:
    """Return the relaxation of a random book, in a program that can narrow and in one that cannot."""
    matrix = with_finite_sides(without_single_rows(small.matrix_of(random_book(seed))[1])).relaxed()
    return matrix, NarrowProgram(matrix, small.EXACT, StopSignal(60)), LinearProgram(matrix, small.EXACT, StopSignal(60))


def rule_out(matrix: Matrix, builds: np.ndarray, is_open: np.ndarray, *, narrow: NarrowProgram, full: LinearProgram, start: bool) -> None:
    """Leave only some builds open in both programs."""
    needed = np.ones(len(matrix.cost), dtype=bool)
    needed[builds] = is_open
    narrow.narrow_to(needed, narrow.basis() if start else None)
    upper = np.where(is_open, matrix.upper[builds], 0.0)
    for program in (narrow, full):
        program.bound_columns(builds, matrix.lower[builds], upper)


def builds_of(matrix: Matrix) -> np.ndarray:
    return np.array([place for place, (component, _) in enumerate(matrix.columns) if component == "build"])


def assert_alike(matrix: Matrix, narrow: NarrowProgram, full: LinearProgram) -> None:
    """Solve both and compare what they say."""
    state = narrow.solve()
    assert full.solve() is state
    if state is not LpState.OPTIMAL:
        return
    assert narrow.objective == pytest.approx(full.objective, rel=1e-7, abs=1e-6)
    values = narrow.values()
    assert values.shape == matrix.cost.shape
    assert matrix.offset + matrix.cost @ values == pytest.approx(narrow.objective, rel=1e-9, abs=1e-7)
    assert (values >= narrow.lower - 1e-6).all()
    assert (values <= narrow.upper + 1e-6).all()
    rows = matrix.a @ values
    assert (rows >= matrix.row_lower - 1e-6 * np.maximum(1.0, np.abs(matrix.row_lower))).all()
    assert (rows <= matrix.row_upper + 1e-6 * np.maximum(1.0, np.abs(matrix.row_upper))).all()
    assert narrow.reduced_costs().shape == matrix.cost.shape


@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_ruled_out_or_let_in_again_the_answer_is_that_of_all_columns(
    seed: int, start: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrow_program, "NARROW_AT", 1.0)
    matrix, narrow, full = programs(seed)
    builds, random = builds_of(matrix), np.random.default_rng(seed)
    matrix = replace(matrix, lower=np.where(np.isin(np.arange(len(matrix.cost)), builds), 0.0, matrix.lower))
    assert_alike(matrix, narrow, full)
    added: list[int] = []
    for step in range(12):
        rule_out(matrix, builds, random.random(builds.size) < (0.2, 0.6, 1.0)[step % 3], narrow=narrow, full=full, start=start)
        assert_alike(matrix, narrow, full)
        if step % 2 == 0:
            some = np.sort(random.choice(builds, size=min(3, builds.size), replace=False))
            rows = [Row(some, np.ones(some.size), -np.inf, 1.0), Row(some[:1], np.array([2.0]), -np.inf, 1.0)]
            assert narrow.add_rows(rows) == full.add_rows(rows)
            added += [full.height - 2, full.height - 1]
        else:
            least = float(random.integers(0, 2))
            narrow.bound_row(added[-1], least, 2.0)
            full.bound_row(added[-1], least, 2.0)
        if step == 7:
            gone = np.array(added[:3])
            narrow.delete_rows(gone)
            full.delete_rows(gone)
            added = [row - 3 for row in added[3:]]
        assert_alike(matrix, narrow, full)


def test_little_more_is_held_than_what_is_needed_and_a_column_comes_back_when_its_bounds_open() -> None:
    matrix, narrow, full = programs(4)
    builds = builds_of(matrix)
    assert narrow.highs.getNumCol() == len(matrix.cost)
    narrow.solve()
    needed = np.zeros(len(matrix.cost), dtype=bool)
    needed[::3] = True
    narrow.narrow_to(needed, None)
    assert narrow.highs.getNumCol() == needed.sum()
    assert (narrow.upper[~needed] == 0.0).all()
    out = np.flatnonzero(~needed)[:2]
    narrow.bound_columns(out, np.zeros(2), np.array([0.0, 1.0]))
    assert narrow.held[out].tolist() == [False, True]
    everything = np.arange(len(matrix.cost))
    narrow.bound_columns(everything, matrix.lower, matrix.upper)
    assert_alike(matrix, narrow, full)
    assert builds.size


def test_columns_of_the_basis_to_start_from_are_held() -> None:
    matrix, narrow, _ = programs(4)
    assert narrow.solve() is LpState.OPTIMAL
    basis = narrow.basis()
    needed = np.zeros(len(matrix.cost), dtype=bool)
    narrow.narrow_to(needed, basis)
    basic = basis.columns == narrow_program.BASIC
    assert basic.any()
    assert narrow.held[basic].all()
    assert np.array_equal(narrow.basis().columns[basic], basis.columns[basic])


def test_no_program_is_made_anew_for_a_column_or_two(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, narrow, full = programs(4)
    builds = builds_of(matrix)
    narrow.solve()
    instance = narrow.highs
    is_open = np.ones(builds.size, dtype=bool)
    is_open[0] = False
    rule_out(matrix, builds, is_open, narrow=narrow, full=full, start=True)
    assert narrow.highs is instance
    assert_alike(matrix, narrow, full)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.usefixtures("part_anything")
def test_a_parted_program_narrows_and_widens(seed: int) -> None:
    _, parts, program, whole = parted(seed)
    builds, random = np.flatnonzero(parts.matrix.integer), np.random.default_rng(seed)
    complete(program)
    for share in (0.3, 0.6, 0.2, 1.0):
        is_open = (random.random(builds.size) < share) | (parts.matrix.lower[builds] > 0.0)
        program.narrow_to(builds[is_open], program.basis())
        upper = np.where(is_open, parts.matrix.upper[builds], 0.0)
        for one in (program, whole):
            one.bound_columns(builds, parts.matrix.lower[builds], upper)
        state = whole.solve()
        if state is LpState.OPTIMAL:
            assert complete(program) is LpState.OPTIMAL
            assert program.objective <= whole.objective + 1e-6 * max(1.0, abs(whole.objective))
            for _ in range(40):
                assert program.solve() is LpState.OPTIMAL
            assert program.objective == pytest.approx(whole.objective, rel=1e-5, abs=1e-5)


@pytest.mark.usefixtures("part_anything")
def test_a_search_holds_little_more_than_the_builds_open_in_the_part_it_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    monkeypatch.setattr(part_program, "DECOMPOSE_FROM", 0)
    narrowed, narrow_to = [], DecomposedProgram.narrow_to

    def watched(program: DecomposedProgram, columns: np.ndarray, *rest: Any) -> None:
        narrow_to(program, columns, *rest)
        open_ones = np.zeros(len(program.matrix.cost), dtype=bool)
        open_ones[columns] = True
        master = program.master
        assert (master.program.upper[master.whole][~open_ones[program.matrix.integer]] == 0.0).all()
        narrowed.append(master.program.highs.getNumCol() < len(master.program.matrix.cost))

    monkeypatch.setattr(DecomposedProgram, "narrow_to", watched)
    for seed in SEEDS:
        solved = small.solve_book(random_book(seed))
        strategy.solve_problem(solved.problem, solved.matrix, small.EXACT)
    assert any(narrowed)


@pytest.mark.usefixtures("part_anything")
def test_blocks_that_told_little_are_left_alone_for_longer_until_they_tell_more() -> None:
    _, _, program, _ = parted(4)
    complete(program)
    cutoff, waits = program.objective + 1000.0, []
    for _ in range(200):
        program.expected = 0.0
        assert program.solve(cutoff) is LpState.OPTIMAL
        waits.append(program.most_unasked)
    assert waits == sorted(waits)
    assert set(waits) == {10, 20, 40, 80}
    program.expected = 0.0
    program.unasked = program.most_unasked
    asked = program._ask
    program._ask = lambda share: (asked(share)[0], 500.0, LpState.OPTIMAL)  # type: ignore[method-assign]
    program.solve(cutoff)
    assert program.most_unasked == 10
