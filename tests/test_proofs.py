"""What a neighbour proved makes cuts that hold, as strong as they were where the neighbour's figures allow it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from model import decomposition, neighbourhood, part_program, strategy, tree
from model.covers import CapacityCovers
from model.cut_pool import Cut, CutPool
from model.decomposed_program import DecomposedProgram
from model.decomposition import Decomposition, part
from model.linear_program import LinearProgram, LpState, StopSignal
from model.matrix import Matrix
from model.outcome import Outcome, Status
from model.preparation import with_finite_sides, without_single_rows
from model.problem import Problem
from model.proofs import Proofs, proofs_of, tell
from tests import small
from tests.random_books import random_book
from tests.test_hot_start import moved

SEEDS = (0, 1, 2, 4, 5, 7)


@pytest.fixture(autouse=True)
def part_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Part small models too, and make them go through every step."""
    monkeypatch.setattr(decomposition, "FEWEST_BLOCKS", 1)
    monkeypatch.setattr(decomposition, "LARGEST_SHARE", 1.0)
    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    monkeypatch.setattr(part_program, "DECOMPOSE_FROM", 0)
    monkeypatch.setattr(tree, "SMALL_PART", 0)
    monkeypatch.setattr(neighbourhood, "QUICK_HOSTS", 2)
    monkeypatch.setattr(neighbourhood, "QUICK_BUILDS", 1)


def program_of(solved: small.Solved) -> tuple[DecomposedProgram, LinearProgram]:
    """Return a parted program of a model, with covers that its relaxation violates stated as in a search, and the whole relaxation."""
    matrix = with_finite_sides(without_single_rows(solved.matrix))
    bare = LinearProgram(matrix, small.EXACT, StopSignal(60))
    assert bare.solve() is LpState.OPTIMAL
    matrix = matrix.with_rows(CapacityCovers(solved.problem, matrix).violated(bare.values()))
    parts = part(matrix)
    assert parts is not None
    programs = [LinearProgram(matrix, small.EXACT, StopSignal(60)) for _ in range(2)]
    assert [program.solve() for program in programs] == [LpState.OPTIMAL, LpState.OPTIMAL]
    return DecomposedProgram(parts, small.EXACT, StopSignal(60), programs[0]), programs[1]


def learnt(program: DecomposedProgram, problem: Problem, seed: int) -> DecomposedProgram:
    """Ask a program for bounds where builds are ruled out at random, with covers, so that cuts of every kind are found."""
    random, parts = np.random.default_rng(seed), program.parts
    builds, covers = np.flatnonzero(parts.matrix.integer), CapacityCovers(problem, parts.matrix)
    for _ in range(12):
        upper = np.where(random.random(builds.size) < 0.5, 0.0, parts.matrix.upper[builds])
        program.bound_columns(builds, parts.matrix.lower[builds], np.maximum(upper, parts.matrix.lower[builds]))
        if program.solve() is LpState.OPTIMAL:
            program.add_rows(covers.violated(program.values()))
    program.bound_columns(builds, parts.matrix.lower[builds], parts.matrix.upper[builds])
    return program


def cuts_of(program: DecomposedProgram) -> list[Cut]:
    return [cut for pool in program.master.pools for cut in pool.cuts]


def neighbours(seed: int) -> tuple[small.Solved, small.Solved]:
    tables = random_book(seed)
    return small.solve_book(tables), small.solve_book(moved(tables, np.random.default_rng(seed)))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_cut_says_more_than_a_plan_costs(seed):
    first, second = neighbours(seed)
    if not (first.outcome.status.has_plan and second.outcome.status.has_plan):
        pytest.skip("a book without a plan proves nothing")
    proofs = proofs_of(learnt(program_of(first)[0], first.problem, seed), first.problem)
    assert proofs.weights.shape[0] >= 2
    program, whole = program_of(second)
    before = len(cuts_of(program))
    tell(program, second.problem, proofs)
    told = cuts_of(program)[before:]
    assert told, "a neighbour with other figures has the same rows"
    assert all(cut.proof is not None for cut in told), "what is told can be handed on"
    builds, random, parts = np.flatnonzero(program.parts.matrix.integer), np.random.default_rng(seed), program.parts
    tried = 0
    for number in range(12):
        plan = np.clip(np.round(random.random(builds.size) - 0.3), parts.matrix.lower[builds], parts.matrix.upper[builds])
        if not number:
            plan = np.round(second.outcome.values[second.matrix.integer])
        whole.bound_columns(builds, plan, plan)
        if whole.solve() is not LpState.OPTIMAL:
            continue
        values = whole.values()
        for cut in cuts_of(program):
            block = parts.blocks[cut.block]
            cost = float(block.matrix.cost[: block.columns.size] @ values[block.columns])
            groups = np.array([values[members].sum() for members in block.groups])
            said = cut.constant + float(cut.slopes @ groups)
            assert said <= (1e-6 if cut.is_feasibility else cost + 1e-6 * max(1.0, abs(cost)))
        tried += 1
    assert tried >= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_told_to_itself_a_program_knows_every_cut_again(seed):
    solved = small.solve_book(random_book(seed))
    if not solved.outcome.status.has_plan:
        pytest.skip("a book without a plan proves nothing")
    first = learnt(program_of(solved)[0], solved.problem, seed)
    again = program_of(solved)[0]
    tell(again, solved.problem, proofs_of(first, solved.problem))
    known = cuts_of(again)
    for cut in cuts_of(first):
        assert any(
            other.block == cut.block and other.is_feasibility == cut.is_feasibility
            and other.constant == pytest.approx(cut.constant, rel=1e-6, abs=1e-6) and other.slopes == pytest.approx(cut.slopes, rel=1e-6, abs=1e-6)
            for other in known
        ) or tells_nothing(first.parts, cut)  # fmt: skip


def tells_nothing(parts: Decomposition, cut: Cut) -> bool:
    """Whether a cut says no more than the bounds of its block."""
    matrix, own = parts.blocks[cut.block].matrix, parts.blocks[cut.block].columns.size
    most = cut.constant + np.maximum(cut.slopes * matrix.lower[own:], cut.slopes * matrix.upper[own:]).sum()
    priced = np.flatnonzero(matrix.cost[:own])
    ends = np.array([matrix.cost[priced] * matrix.lower[priced], matrix.cost[priced] * matrix.upper[priced]])
    return most <= (0.0 if cut.is_feasibility else ends.min(axis=0).sum()) + 1e-6


def test_cuts_rest_on_covers_and_on_rays_too():
    """Else the tests above prove nothing of them."""
    stated = found = rays = 0
    for seed in SEEDS:
        solved = small.solve_book(random_book(seed))
        if solved.outcome.status.has_plan:
            program = learnt(program_of(solved)[0], solved.problem, seed)
            added = {row for row, name in enumerate(program.parts.matrix.rows) if name[0] == "added"}
            for cut in cuts_of(program):
                assert cut.proof is not None
                stated += not added.isdisjoint(program.parts.blocks[cut.block].rows[cut.proof.rows].tolist())
                found += len(cut.proof.covers) > 0
            rays += int(proofs_of(program, solved.problem).is_ray.sum())
    assert stated >= 1, "on a cover that the matrix states"
    assert found >= 1, "on a cover that the search found"
    assert rays >= 1


def test_rounding_left_of_a_ray_rules_nothing_out():
    """Two rows that say the same, added up to nothing: what is left is noise of 1e-17, which scaled to a slope of 1 would rule everything out."""
    for weight in (0.1, 0.5):
        matrix = Matrix(
            np.array([0.0, 1.0, 2.0]), 0.0, sp.csc_array(np.array([[-weight, 1.0, 1.0], [-3.0 * weight, 3.0, 3.0]])), np.array([0.1, 0.3]),
            np.array([0.1, 0.3]), np.zeros(3), np.array([1.0, 10.0, 10.0]), np.array([True, False, False]),
            (("build", 0), ("x", 0), ("w", 0)), (("a", 0), ("b", 0)),
        )  # fmt: skip
        whole, parts = LinearProgram(matrix, small.EXACT, StopSignal(60)), part(matrix)
        assert whole.solve() is LpState.OPTIMAL
        assert parts is not None
        program = DecomposedProgram(parts, small.EXACT, StopSignal(60), whole)
        before = len(cuts_of(program))
        empty = sp.csr_array(np.array([[1.0, -1.0 / 3.0], [1.0 / 3.0, -1.0 / 9.0 * 1.0000000001], [0.0, 0.0]]))
        tell(program, small.solve_book(random_book(0)).problem, Proofs(matrix.rows, (), empty, np.array([True, True, True])))
        assert len(cuts_of(program)) == before
        assert program.solve() is LpState.OPTIMAL
        assert program.objective == pytest.approx(whole.objective, rel=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_search_that_is_told_finds_the_optimum(seed, threads, monkeypatch):
    first, second = neighbours(seed)
    hot = solved_again(first).hot
    assert hot is not None
    told: list[int] = []

    def telling(program: DecomposedProgram, *words: object) -> None:
        before = len(cuts_of(program))
        tell(program, *words)
        told.append(len(cuts_of(program)) - before)

    monkeypatch.setattr(part_program, "tell", telling)
    hot = replace(hot, proofs=proofs_of(learnt(program_of(first)[0], first.problem, seed), first.problem))
    outcome = solved_again(second, hot=hot, threads=threads)
    assert sum(told) >= 1, "nothing was told"
    assert outcome.status is (Status.OPTIMAL if second.outcome.status.has_plan else Status.INFEASIBLE)
    if outcome.status.has_plan:
        assert outcome.objective == pytest.approx(second.cost, rel=1e-6)


def solved_again(solved: small.Solved, hot: object = None, threads: int = 1) -> Outcome:
    return strategy.solve_problem(solved.problem, solved.matrix, replace(small.EXACT, threads=threads), hot=hot)


def test_a_solve_hands_its_proofs_on():
    found = [solved_again(small.solve_book(random_book(seed))).hot for seed in SEEDS]
    proofs = [hot.proofs for hot in found if hot is not None and hot.proofs is not None]
    assert proofs
    assert all(isinstance(one, Proofs) for one in proofs)


def test_cuts_that_the_master_holds_are_handed_on_before_the_newest():
    pool, cuts = CutPool(1), [Cut(0, float(number), np.zeros(1)) for number in range(5)]
    for number, cut in enumerate(cuts):
        pool.add(cut, held=number in (0, 2))
    assert pool.foremost(4) == [cuts[2], cuts[0], cuts[4], cuts[3]]
