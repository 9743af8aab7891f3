"""A parted program tells what the whole one does: its bound is never higher, and no lower once its cuts are complete."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from model import block_program, cut_pool, decomposed_program, decomposition, master_program, part_program, strategy
from model.covers import CapacityCovers
from model.cut_pool import Cut, CutPool
from model.decomposed_program import DecomposedProgram
from model.decomposition import Decomposition, part
from model.linear_program import LinearProgram, LpState, StopSignal
from model.matrix import Matrix, Row
from model.outcome import Status
from model.preparation import with_finite_sides, without_single_rows
from tests import small
from tests.random_books import random_book

SEEDS = range(10)
FRACTIONAL = (1, 2, 3, 4, 7, 8)
"""Books whose relaxation builds parts of plants."""


@pytest.fixture(autouse=True)
def part_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Part small models too, and forget cuts and covers early."""
    monkeypatch.setattr(decomposition, "FEWEST_BLOCKS", 1)
    monkeypatch.setattr(decomposition, "LARGEST_SHARE", 1.0)
    monkeypatch.setattr(master_program, "MOST_CUTS", 6)
    monkeypatch.setattr(master_program, "IDLE_SOLVES", 2)
    monkeypatch.setattr(block_program, "MOST_COVERS", 3)


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


@pytest.mark.parametrize("seed", SEEDS)
def test_any_multipliers_bound_a_block_from_below(seed):
    _, parts, _, whole = parted(seed)
    values = whole.values()
    random = np.random.default_rng(seed)
    for block in parts.blocks:
        groups = np.array([values[members].sum() for members in block.groups])
        cost = float(block.matrix.cost[: block.columns.size] @ values[block.columns])
        for multipliers in (np.zeros(block.rows.size), random.normal(size=block.rows.size), whole.row_duals()[block.rows]):
            constant, slopes = block.bound_from(multipliers)
            assert constant + slopes @ groups <= cost + 1e-5 * max(1.0, abs(cost))


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
    builds = np.flatnonzero(parts.matrix.integer)
    random = np.random.default_rng(seed)
    for _ in range(6):
        upper = np.where(random.random(builds.size) < 0.5, 0.0, parts.matrix.upper[builds])
        for one in (program, whole):
            one.bound_columns(builds, parts.matrix.lower[builds], upper)
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
def test_a_block_that_cannot_be_solved_leaves_the_answer_to_the_whole_program(seed, monkeypatch):
    _, parts, program, whole = parted(seed)
    asks = 0
    ask = block_program.BlockProgram.ask

    def failing(self, groups):
        nonlocal asks
        asks += 1
        return block_program.Reply(LpState.FAILED) if asks % 3 == 0 else ask(self, groups)

    monkeypatch.setattr(block_program.BlockProgram, "ask", failing)
    for _ in hold_random_plans(seed, 6, parts, program, whole):
        state = whole.solve()
        assert program.solve() is state
        if state is LpState.OPTIMAL:
            assert program.objective == pytest.approx(whole.objective, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("misses", "core_share", "cuts", "state"), [
    (1.0, 0.4, 1, LpState.OPTIMAL), (-1.0, 0.4, 0, LpState.OPTIMAL), (1.0, 0.0, 0, LpState.FAILED), (-1.0, 0.0, 0, LpState.FAILED),
])  # fmt: skip
def test_a_block_asked_on_its_border_tells_what_the_masters_own_point_violates(misses, core_share, cuts, state, monkeypatch):
    _, parts, program, _ = parted(1)
    complete(program)
    master = program.master
    assert not master.all_whole
    for number, block in enumerate(program.blocks):
        slopes = np.ones(len(parts.blocks[number].groups))
        constant = misses - float(slopes @ master.groups_at(number, master.values[: master.width]))
        reply = block_program.Reply(LpState.FAILED, constant, slopes)
        idle = block_program.Reply(LpState.OPTIMAL, -np.inf, np.zeros_like(slopes))
        monkeypatch.setattr(block, "ask", lambda _, told=reply if number == 0 else idle: told)
        block.cost = -np.inf
    found, missing, worst = program._ask(core_share)
    assert (len(found), worst) == (cuts, state)
    assert all(cut.block == 0 and cut.is_feasibility for cut in found)
    assert np.isinf(missing) == (bool(cuts) or not core_share)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_program_whose_rays_miss_by_no_more_than_rounding_still_finds_what_the_whole_one_does(seed, monkeypatch):
    real = block_program.BlockProgram._proof

    def on_border(self, groups):
        return replace(real(self, groups), state=LpState.FAILED)

    monkeypatch.setattr(block_program.BlockProgram, "_proof", on_border)
    _, parts, program, whole = parted(seed)
    builds, random = np.flatnonzero(parts.matrix.integer), np.random.default_rng(seed)
    for _ in range(8):
        upper = np.where(random.random(builds.size) < 0.7, 0.0, parts.matrix.upper[builds])
        for one in (program, whole):
            one.bound_columns(builds, parts.matrix.lower[builds], upper)
        state = whole.solve()
        assert complete(program) is state
        if state is LpState.OPTIMAL:
            assert program.objective <= whole.objective + 1e-6 * max(1.0, abs(whole.objective))


@pytest.mark.parametrize("seed", [0, 3, 14, 15, 17])
def test_a_ray_that_does_not_rule_a_point_out_still_tells_what_holds_there(seed):
    _, parts, program, whole = parted(seed)
    possible = whole.values()[parts.linking]
    told = 0
    for _ in hold_random_plans(seed, 8, parts, program):
        program.solve()
        for number, block in enumerate(program.blocks):
            if block.asked is not None and block.reply.state is LpState.INFEASIBLE:
                groups = program.master.groups_at(number, possible)
                reply = block._proof(groups)
                assert reply.state is LpState.FAILED
                assert reply.slopes is not None
                assert reply.proof is not None
                assert reply.constant + reply.slopes @ groups <= 1e-7
                told += 1
    assert told


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
def test_what_a_block_replies_is_what_its_multipliers_prove_and_no_less_than_its_cost_tells(seed):
    solved, parts, program, _ = parted(seed)
    program.solve()
    program.add_rows(CapacityCovers(solved.problem, parts.matrix).violated(program.values()))
    program.solve()
    told = 0
    for block in program.blocks:
        if block.asked is None or block.reply.state is not LpState.OPTIMAL:
            continue
        solution = block.program.highs.getSolution()
        constant, slopes = block._with_covers().bound_from(np.array(solution.row_dual))
        assert block.reply.constant == pytest.approx(constant, rel=1e-6, abs=1e-5)
        assert block.reply.slopes == pytest.approx(slopes, rel=1e-6, abs=1e-6)
        assert block.reply.constant + block.reply.slopes @ block.asked == pytest.approx(block.cost, rel=1e-6, abs=1e-5)
        told += 1
    assert told >= 1


def test_a_pool_gives_the_cut_that_tells_most_and_only_while_the_master_does_not_hold_it():
    pool = CutPool(2)
    flat, steep, wall = (
        Cut(0, 1.0, np.array([0.0, 0.0])),
        Cut(0, 5.0, np.array([-4.0, 0.0])),
        Cut(0, -0.5, np.array([0.0, 1.0]), is_feasibility=True),
    )
    for cut in (flat, steep, wall):
        pool.add(cut, held=False)
    assert pool.violated(np.array([0.0, 0.0]), 0.0) == (5.0, steep)
    assert pool.violated(np.array([1.0, 0.0]), 0.5) == (0.5, flat)
    assert pool.violated(np.array([1.0, 1.0]), 0.5) == (np.inf, wall)
    pool.take(wall)
    assert pool.violated(np.array([1.0, 1.0]), 0.5) == (0.5, flat)
    pool.release(wall)
    assert pool.violated(np.array([1.0, 1.0]), 0.5) == (np.inf, wall)
    assert pool.violated(np.array([0.0, 0.0]), 5.0) is None


def test_a_full_pool_forgets_its_oldest_cut_that_the_master_does_not_hold(monkeypatch):
    monkeypatch.setattr(cut_pool, "MOST_POOLED", 3)
    pool = CutPool(1)
    cuts = [Cut(0, float(n), np.array([0.0])) for n in range(5)]
    pool.add(cuts[0], held=True)
    for cut in cuts[1:]:
        pool.add(cut, held=False)
    assert pool.cuts == [cuts[0], cuts[3], cuts[4]]
    assert pool.violated(np.array([0.0]), 0.0) == (4.0, cuts[4])


@pytest.mark.parametrize("seed", SEEDS)
def test_solve_after_solve_the_bound_comes_to_that_of_the_whole_program(seed):
    """However few cuts the master holds: those that it forgot come back from the pool, and where inner cuts say nothing the point itself is asked."""
    _, parts, program, whole = parted(seed)
    builds, random = np.flatnonzero(parts.matrix.integer), np.random.default_rng(seed)
    for _ in range(4):
        upper = np.where(random.random(builds.size) < 0.4, 0.0, parts.matrix.upper[builds])
        for one in (program, whole):
            one.bound_columns(builds, parts.matrix.lower[builds], upper)
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


def test_a_feasibility_cut_that_leaves_the_masters_point_is_none(monkeypatch):
    _, _, program, _ = parted(FRACTIONAL[0])
    assert complete(program) is LpState.OPTIMAL
    assert not program.master.all_whole
    for constant, count in ((-1e6, 0), (1e6, len(program.blocks))):
        monkeypatch.setattr(
            block_program.BlockProgram, "ask",
            lambda self, groups, constant=constant: block_program.Reply(LpState.INFEASIBLE, constant, np.ones(groups.size)),
        )  # fmt: skip
        cuts, missing, _ = program._ask(decomposed_program.CORE_SHARE)
        assert (len(cuts), np.isinf(missing)) == (count, count > 0)


@pytest.mark.parametrize("seed", FRACTIONAL)
def test_cuts_of_an_answer_are_violated_at_the_masters_point_and_say_by_how_much(seed):
    _, _, program, _ = parted(seed)
    master, told = program.master, 0
    for _ in range(8):
        assert master.solve(np.inf) is LpState.OPTIMAL
        master.read()
        point, known = master.values[: master.width], master.known_costs.copy()
        cuts, missing, state = program._ask(decomposed_program.CORE_SHARE)
        excess = [
            cut.constant + cut.slopes @ master.groups_at(cut.block, point) - (0.0 if cut.is_feasibility else known[cut.block])
            for cut in cuts
        ]
        assert all(more > 0.0 for more in excess)
        if state is LpState.OPTIMAL and not any(cut.is_feasibility for cut in cuts) and not master.all_whole:
            assert missing == pytest.approx(sum(excess), rel=1e-6, abs=1e-6)
            told += bool(cuts)
        program._add_cuts(cuts)
    assert told


@pytest.mark.parametrize("seed", SEEDS)
def test_blocks_are_asked_at_a_plan_itself_and_the_whole_program_says_where_it_stood(seed):
    _, parts, program, whole = parted(seed)
    for _ in hold_random_plans(seed, 4, parts, program, whole):
        if whole.solve() is LpState.OPTIMAL:
            assert program.solve() is LpState.OPTIMAL
            assert program.asked_point() == pytest.approx(program.values(), abs=1e-9)
            assert program.solve_afresh() is LpState.OPTIMAL
            assert program.asked_point() == pytest.approx(program.values(), abs=1e-9)


def test_a_block_keeps_few_covers_whatever_the_last_solve_told():
    solved, parts, program, _ = parted(0)
    random = np.random.default_rng(0)
    covers = CapacityCovers(solved.problem, parts.matrix)
    found = 0
    for _ in range(40):
        rows = covers.violated(random.random(len(parts.matrix.cost)))
        found += len(rows)
        program.add_rows(rows)
        assert all(len(block.covers) <= block_program.MOST_COVERS for block in program.blocks)
    assert found > 3 * block_program.MOST_COVERS * len(program.blocks)
