"""One block of a parted program: what it replies, what of that becomes a cut, and which cuts are kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model import block_program, cut_pool, decomposed_program
from model.covers import CapacityCovers
from model.cut_pool import Cut, CutPool
from model.linear_program import LpState
from tests.parted import FRACTIONAL, SEEDS, bound_at_random, complete, hold_random_plans, parted

pytestmark = pytest.mark.usefixtures("part_anything")


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
    random = np.random.default_rng(seed)
    for _ in range(8):
        bound_at_random(random, 0.7, parts, program, whole)
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
