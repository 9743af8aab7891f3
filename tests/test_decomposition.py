"""A parted program tells what the whole one does: its bound is never higher, and no lower once its cuts are complete."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model import decomposed_program, decomposition, master_program, part_program, strategy
from model.covers import CapacityCovers
from model.cut_pool import Cut
from model.decomposition import part
from model.linear_program import LpState
from model.matrix import Matrix, Row
from model.outcome import Status
from model.preparation import with_finite_sides, without_single_rows
from tests import small
from tests.parted import FRACTIONAL, SEEDS, bound_at_random, complete, hold_random_plans, parted
from tests.random_books import random_book

pytestmark = pytest.mark.usefixtures("part_anything")


def test_the_parts_of_a_matrix_hold_each_row_and_column_once():
    _, parts, _, _ = parted(0)
    matrix = parts.matrix
    columns = np.concatenate([parts.linking, parts.loose.columns, *(block.columns for block in parts.blocks)])
    rows = np.concatenate([parts.rows, parts.loose.rows, *(block.rows for block in parts.blocks)])
    assert sorted(columns) == list(range(len(matrix.cost)))
    assert sorted(rows) == list(range(len(matrix.row_lower)))
    for block in parts.blocks:
        years = {name[1][-1] for name in block.matrix.columns[: block.columns.size]}
        assert len(years) == 1, "a block is a year of the plan"


def test_the_members_of_a_group_look_the_same_from_the_block():
    _, parts, _, _ = parted(3)
    for block in parts.blocks:
        for number, members in enumerate(block.groups):
            shown = block.matrix.a[:, [block.columns.size + number]].toarray()
            for column in members:
                assert np.array_equal(parts.matrix.a[block.rows][:, [column]].toarray(), shown)


def test_a_row_is_one_of_a_block_only_where_it_holds_whole_groups_alike():
    _, matrix = small.matrix_of(small.book({"last_year": 2034, "modelled_years": "all"}))
    parts = part(with_finite_sides(without_single_rows(matrix)))
    assert parts is not None
    sizes = []
    for block in parts.blocks:
        for place, members in zip(block.group_columns.tolist(), block.groups, strict=True):
            sizes.append(members.size)
            row = block.inside(Row(members, np.full(members.size, 2.0), 0.0, 1.0))
            assert row is not None
            assert (row.columns.tolist(), row.coefficients.tolist()) == ([place], [2.0])
            if members.size > 1:
                assert block.inside(Row(members[1:], np.full(members.size - 1, 2.0), 0.0, 1.0)) is None
                assert block.inside(Row(members, np.arange(1.0, members.size + 1.0), 0.0, 1.0)) is None
    assert sizes == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_cuts_give_the_bound_of_the_whole_relaxation(seed):
    _, _, program, whole = parted(seed)
    assert program.solve() is LpState.OPTIMAL
    assert program.objective == pytest.approx(whole.objective, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_parted_program_and_the_whole_one_agree_wherever_builds_are_bounded(seed):
    solved, parts, program, whole = parted(seed)
    random = np.random.default_rng(seed)
    builds = np.flatnonzero(parts.matrix.integer)
    covers = CapacityCovers(solved.problem, parts.matrix)
    seen = set()
    for _ in range(12):
        upper = np.where(random.random(builds.size) < 0.7, 0.0, parts.matrix.upper[builds])
        lower = np.where(random.random(builds.size) < 0.15, upper, parts.matrix.lower[builds])
        for one in (program, whole):
            one.bound_columns(builds, lower, upper)
        states = complete(program), whole.solve()
        assert states[0] is states[1]
        seen.add(states[1])
        if states[1] is LpState.OPTIMAL:
            assert program.objective <= whole.objective + 1e-6 * max(1.0, abs(whole.objective))
            rows = covers.violated(whole.values())
            program.add_rows(rows)
            whole.add_rows(rows)
    assert LpState.OPTIMAL in seen


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cost_of_a_plan_is_exact(seed):
    _solved, parts, program, whole = parted(seed)
    for _ in hold_random_plans(seed, 8, parts, program, whole):
        state = whole.solve()
        assert program.solve() is state
        if state is LpState.OPTIMAL:
            assert program.objective == pytest.approx(whole.objective, rel=1e-6, abs=1e-6)
            values = program.values()
            activity = parts.matrix.a @ values
            assert (activity >= parts.matrix.row_lower - 1e-5).all()
            assert (activity <= parts.matrix.row_upper + 1e-5).all()
            assert values @ parts.matrix.cost + parts.matrix.offset == pytest.approx(whole.objective, rel=1e-6, abs=1e-6)


def test_a_twin_knows_the_cuts_and_learns_more():
    _, _parts, program, whole = parted(2)
    complete(program)
    twin = program.twin()
    assert twin.solve() is LpState.OPTIMAL
    assert twin.objective == pytest.approx(whole.objective, rel=1e-6, abs=1e-6)
    told = float(twin.master.known_costs[0]) + 7.0
    twin.learn([Cut(0, told, np.zeros(len(twin.parts.blocks[0].groups)))])
    assert twin.master.solve(np.inf) is LpState.OPTIMAL
    twin.master.read()
    assert twin.master.known_costs[0] >= told - 1e-6, "a pooled cut comes in when it is violated"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bound_is_read_before_cuts_leave_for_the_pool(seed, monkeypatch):
    monkeypatch.setattr(master_program, "MOST_CUTS", 0)
    monkeypatch.setattr(master_program, "IDLE_SOLVES", 0)
    _, parts, program, whole = parted(seed)
    random = np.random.default_rng(seed)
    for _ in range(6):
        bound_at_random(random, 0.5, parts, program, whole)
        if whole.solve() is LpState.OPTIMAL:
            assert complete(program) is LpState.OPTIMAL
            assert program.objective <= whole.objective + 1e-6 * abs(whole.objective)
            master = program.master
            assert master.solve(np.inf) is LpState.OPTIMAL
            master.read()
            shown = master.program.matrix
            assert master.objective == pytest.approx(shown.offset + shown.cost @ master.values, rel=1e-9)
            assert sum(len(pool.cuts) for pool in program.master.pools) >= len(program.master.cuts)


def test_rows_of_linking_columns_go_by_name_when_cuts_are_forgotten():
    _, parts, program, whole = parted(4)
    builds = np.flatnonzero(parts.matrix.integer)
    name = program.add_rows([Row(builds, np.ones(builds.size), 1.0, np.inf)])
    row = whole.add_rows([Row(builds, np.ones(builds.size), 1.0, np.inf)])
    for least in (1.0, 2.0, 0.0, 1.0):
        program.bound_row(name, least, np.inf)
        whole.bound_row(row, least, np.inf)
        state = whole.solve()
        assert complete(program) is state
        if state is LpState.OPTIMAL:
            assert program.objective <= whole.objective + 1e-6 * abs(whole.objective)


def test_what_does_not_come_apart_is_not_parted(monkeypatch):
    monkeypatch.setattr(decomposition, "FEWEST_BLOCKS", 3)
    one_year = small.matrix_of(small.book())[1]
    assert part(one_year) is None
    assert part(Matrix(one_year.cost, 0.0, one_year.a, one_year.row_lower, one_year.row_upper, one_year.lower, one_year.upper,
                       np.ones_like(one_year.integer), one_year.columns, one_year.rows)) is None  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_search_on_parted_programs_finds_the_optimum(seed, threads, monkeypatch):
    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    monkeypatch.setattr(part_program, "DECOMPOSE_FROM", 0)
    solved = small.solve_book(random_book(seed))
    outcome = strategy.solve_problem(solved.problem, solved.matrix, replace(small.EXACT, threads=threads))
    assert outcome.status is solved.outcome.status
    if outcome.status is Status.OPTIMAL:
        assert outcome.objective == pytest.approx(solved.cost, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_cuts_hold_at_every_plan_whatever_terms_are_left_out_of_them(seed, monkeypatch):
    monkeypatch.setattr(master_program, "SLOPE", 1e3)
    _, parts, program, whole = parted(seed)
    program.solve()
    for _ in hold_random_plans(seed, 6, parts, program, whole):
        if whole.solve() is LpState.OPTIMAL:
            assert program.master.program.solve() is LpState.OPTIMAL
            assert program.master.program.objective + program.constant <= whole.objective + 1e-6 * max(1.0, abs(whole.objective))


@pytest.mark.parametrize("seed", SEEDS)
def test_solve_after_solve_the_bound_comes_to_that_of_the_whole_program(seed):
    """However few cuts the master holds: those that it forgot come back from the pool, and where inner cuts say nothing the point itself is asked."""
    _, parts, program, whole = parted(seed)
    random = np.random.default_rng(seed)
    for _ in range(4):
        bound_at_random(random, 0.4, parts, program, whole)
        if whole.solve() is not LpState.OPTIMAL:
            continue
        for _ in range(60):
            assert program.solve() is LpState.OPTIMAL
        assert program.objective == pytest.approx(whole.objective, rel=1e-5, abs=1e-5)
        waiting = sum(int(pool.free[: len(pool.cuts)].sum()) for pool in program.master.pools)
        assert waiting == sum(len(pool.cuts) for pool in program.master.pools) - len(program.master.cuts)


def test_where_inner_cuts_say_nothing_the_point_itself_is_asked(monkeypatch):
    _, _, program, whole = parted(FRACTIONAL[0])
    asked, ask = [], program._ask
    monkeypatch.setattr(program, "_ask", lambda share: asked.append(share) or (([], 0.0, LpState.OPTIMAL) if share else ask(share)))
    assert complete(program) is LpState.OPTIMAL
    assert asked[:2] == [decomposed_program.CORE_SHARE, 0.0]
    assert program.objective == pytest.approx(whole.objective, rel=1e-5)
