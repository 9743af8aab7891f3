"""What a neighbour's search hands on changes the way to the optimum and never the optimum."""

from __future__ import annotations

import functools
from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest

from model import neighbourhood, relaxation, strategy, tree
from model.batch import Case, solve_cases
from model.covers import CapacityCovers, Cover
from model.goal import ANY_PLAN
from model.hot_start import HotStart, hosts_of, hot_start, starts_from
from model.linear_program import BASIC, Basis, LinearProgram, LpState, StopSignal
from model.matrix import Row
from model.node import root_node
from model.outcome import Outcome, Status
from model.planner import solve
from model.preparation import with_finite_sides, without_single_rows
from model.reduction import reduce_matrix
from model.solver import search
from model.tables import Tables
from tests import small
from tests.random_books import random_book

SEEDS = (0, 1, 2, 4, 5, 7)


@pytest.fixture(autouse=True)
def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make small models go through every step."""
    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    monkeypatch.setattr(neighbourhood, "QUICK_HOSTS", 2)
    monkeypatch.setattr(neighbourhood, "QUICK_BUILDS", 1)
    monkeypatch.setattr(tree, "SMALL_PART", 0)


def moved(tables: Tables, random: np.random.Generator) -> Tables:
    """Return a neighbour: ore, prices and capital cost moved by up to a half, one host dropped where there are several."""
    sources, designs, hosts = tables["sources"].copy(), tables["designs"].copy(), tables["hosts"].copy()
    for column in [column for column in sources.columns if column.startswith("capacity")]:
        sources[column] *= random.uniform(0.5, 1.5, len(sources))
    designs["capex"] *= random.uniform(0.5, 1.5, len(designs))
    if (hosts["candidate"] == "yes").sum() > 2:
        hosts.loc[random.choice(hosts.index[hosts["candidate"] == "yes"]), "candidate"] = "no"
    return tables.with_frames(sources=sources, designs=designs, hosts=hosts)


@functools.cache
def neighbours(seed: int) -> tuple[small.Solved, small.Solved]:
    """Return a book and a neighbour of it as the solver alone solves them."""
    tables = random_book(seed)
    return small.solve_book(tables), small.solve_book(moved(tables, np.random.default_rng(seed)))


def told(solved: small.Solved) -> HotStart:
    """Return what a solve tells, with covers that cut off points of the relaxation that random wishes lead to: in books so small few bind."""
    hot, random = cold(solved).hot, Random(0)
    assert hot is not None
    covers = CapacityCovers(solved.problem, solved.matrix)
    rows = [row for point in relaxed_points(solved, np.random.default_rng(0)) for row in covers.violated(point)]
    found = [cover for cover in covers.covers_of(rows) if cover]
    # any set of sources makes a cover of either kind
    second = [replace(cover, feeds=frozenset(random.sample(sorted(cover.feeds), len(cover.feeds) // 2)), is_first=False) for cover in found]
    return replace(hot, covers=(*hot.covers, *found, *second))


def cold(solved: small.Solved, **hints: object) -> Outcome:
    return strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, **hints)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hot_start_leads_to_the_same_optimum(seed):
    first, second = neighbours(seed)
    outcome = cold(second, hot=told(first))
    assert outcome.status is (Status.OPTIMAL if second.outcome.status.has_plan else Status.INFEASIBLE)
    if outcome.status.has_plan:
        assert outcome.objective == pytest.approx(second.cost, rel=1e-6)
        builds = tuple(
            name[1] for name, value in zip(second.matrix.columns, outcome.values, strict=True) if name[0] == "build" and value > 0.5
        )
        again = cold(second, hot=told(first), start=builds)
        assert again.status is Status.OPTIMAL
        assert again.objective == pytest.approx(second.cost, rel=1e-6)


def test_covers_of_both_kinds_are_handed_on():
    stated = [
        (cover.is_first, row is not None)
        for first, second in map(neighbours, SEEDS)
        for cover, row in zip(told(first).covers, CapacityCovers(second.problem, second.matrix).stated(told(first).covers), strict=True)
    ]
    assert {(True, True), (False, True)} <= set(stated)


def test_covers_said_by_name_are_the_same_rows():
    said = 0
    for seed in SEEDS:
        solved, _ = neighbours(seed)
        covers = CapacityCovers(solved.problem, solved.matrix)
        rows = [row for point in relaxed_points(solved, np.random.default_rng(seed)) for row in covers.violated(point)]
        known = covers.covers_of(rows)
        assert all(cover is not None for cover in known)
        for row, again in zip(rows, covers.stated([cover for cover in known if cover]), strict=True):
            assert again is not None
            assert entries(again) == pytest.approx(entries(row))
            assert (again.lower, again.upper) == (row.lower, row.upper)
            said += 1
    assert said >= 5


def relaxed_points(solved: small.Solved, random: np.random.Generator) -> list[np.ndarray]:
    """Return points of the relaxation that random wishes lead to."""
    points = []
    for _ in range(12):
        lp = LinearProgram(replace(solved.matrix, cost=random.normal(size=len(solved.matrix.cost))), small.EXACT, StopSignal(60.0))
        if lp.solve() is LpState.OPTIMAL:
            points.append(lp.values())
    return points


def entries(row: Row) -> dict[int, float]:
    return dict(zip(row.columns.tolist(), row.coefficients.tolist(), strict=True))


def test_covers_of_a_neighbour_cut_no_plan_off():
    checked = 0
    for seed in SEEDS:
        first, second = neighbours(seed)
        random = np.random.default_rng(seed)
        covers = CapacityCovers(first.problem, first.matrix)
        rows = [row for point in relaxed_points(first, random) for row in covers.violated(point)]
        stated = CapacityCovers(second.problem, second.matrix).stated([cover for cover in covers.covers_of(rows) if cover])
        wishes = [second.matrix.cost, *(random.normal(size=len(second.matrix.cost)) for _ in range(6))]
        plans = [search(replace(second.matrix, cost=wish), replace(small.EXACT, relative_gap=0.2)) for wish in wishes]
        for plan, row in product([plan for plan in plans if plan.status.has_plan], stated):
            if row is not None:
                assert row.lower - 1e-6 <= row.coefficients @ plan.values[row.columns] <= row.upper + 1e-6
                checked += 1
    assert checked >= 10


def test_the_second_cover_keeps_its_strength_where_a_source_is_new():
    """What is named is the sources left out of S: one that is new belongs to S, as one that can only be zero does."""
    settings = {"last_year": 2033, "modelled_years": "2030,2033"}
    few, many, new = (small.source(name, capacity=tonnes) for name, tonnes in (("FEW", 400), ("MANY", 5000), ("NEW", 300)))
    problem, matrix = small.matrix_of(small.book(settings, sources=[few, many], designs=[small.design(minimum_use=0.5)]))
    at = {name: position for position, name in enumerate(matrix.columns)}
    point = np.zeros(len(matrix.columns))
    point[[at["build", ("HOST", "PLANT", "own", 2030)], at["feed", ("FEW", "HOST", "light_heavy:own", 2033)]]] = 0.5, 0.24
    covers = CapacityCovers(problem, matrix)
    (cover,) = [cover for cover in covers.covers_of(covers.violated(point)) if cover is not None and not cover.is_first]
    assert cover.feeds == {("FEW", "HOST", "light_heavy:own", 2033)}
    problem, matrix = small.matrix_of(small.book(settings, sources=[few, many, new], designs=[small.design(minimum_use=0.5)]))
    at = {name: position for position, name in enumerate(matrix.columns)}
    (row,) = CapacityCovers(problem, matrix).stated([cover])
    assert row is not None
    expected = {at["feed", (name, "HOST", "light_heavy:own", 2033)]: 1.0 for name in ("MANY", "NEW")}
    assert entries(row) == pytest.approx(expected | {at["build", ("HOST", "PLANT", "own", 2030)]: -0.1})
    assert CapacityCovers(problem, matrix).stated([replace(cover, place=("NOWHERE", *cover.place[1:]))]) == [None]


def test_the_simplex_goes_on_where_it_ended():
    first, second = neighbours(0)
    hot = told(first)
    fresh, again = [
        LinearProgram(matrix, small.EXACT, StopSignal(60.0), basis)
        for matrix in [with_finite_sides(without_single_rows(first.matrix))]
        for basis in (None, hot.basis_for(matrix))
    ]
    assert (fresh.solve(), again.solve()) == (LpState.OPTIMAL, LpState.OPTIMAL)
    assert again.iterations < 0.1 * fresh.iterations
    # a name that is new there is nonbasic as a column and basic as a row
    matrix = with_finite_sides(without_single_rows(second.matrix))
    strange = replace(matrix, columns=(("new", 0), *matrix.columns[1:]), rows=(("new", 0), *matrix.rows[1:]))
    basis = hot.basis_for(strange)
    assert (basis.columns[0], basis.rows[0]) == (0, BASIC)


def test_the_root_goes_on_where_that_of_a_neighbour_ended(monkeypatch):
    """Its linear program starts from the other's last basis, covers and all, so that the first solve has next to nothing to do."""
    asked: list[Basis | None] = []
    tighten = strategy.tighten
    monkeypatch.setattr(strategy, "tighten", lambda *words: asked.append(words[-1]) or tighten(*words))
    handed = 0
    for seed in SEEDS:
        solved, _ = neighbours(seed)
        first = cold(solved)
        if first.hot is None or first.hot.root is None:
            continue
        height = len(first.hot.rows)
        assert first.hot.root.rows.size == height + len(first.hot.covers)
        assert first.hot.root.columns.size == len(first.hot.columns)
        asked.clear()
        again = cold(solved, hot=first.hot, start=first.hot.plans[0])
        assert again.objective == pytest.approx(first.objective, rel=1e-6)
        if any(basis is not None for basis in asked):
            (basis,) = [basis for basis in asked if basis is not None]
            assert basis.rows.tolist() == first.hot.root.rows.tolist()
            handed += 1
        more = replace(first.hot, covers=(*first.hot.covers, Cover(("HOST", "line", 2030), frozenset(), True)))
        assert more.root_for(solved.matrix) is None, "of this cover it tells nothing"
    assert handed >= 2


def test_the_root_tells_of_each_cover_by_its_own_status():
    solved, _ = neighbours(0)
    matrix, height = solved.matrix, len(solved.matrix.rows)
    covers = CapacityCovers(solved.problem, matrix)
    found = [row for seed in range(4) for point in relaxed_points(solved, np.random.default_rng(seed)) for row in covers.violated(point)]
    rows = list({cover: row for cover, row in zip(covers.covers_of(found), found, strict=True) if cover is not None}.values())[:2]
    assert len(rows) == 2
    other = Row(np.array([[name[0] for name in matrix.columns].index("unmet")]), np.array([3.0]), -np.inf, 5.0)  # no cover
    statuses = Basis(np.zeros(len(matrix.cost), np.int8), np.concatenate([np.ones(height), [4, 2, 3]]).astype(np.int8))
    tight = matrix.with_rows([other, *rows])
    root = replace(root_node(tight, 0.0), basis=statuses)
    hot = hot_start(solved.problem, matrix, Basis(statuses.columns, statuses.rows[:height]), tight, root)
    assert hot is not None
    assert list(hot.covers) == covers.covers_of(rows)
    moved_to = hot.root_for(matrix)
    assert moved_to is not None
    assert moved_to.rows[height:].tolist() == [2, 3]


def test_a_root_basis_that_leads_nowhere_is_given_up(monkeypatch):
    """Nothing basic but rows: after no iterations it is worse than the relaxation, whose basis is taken up again; with many it is followed to the end."""
    starts: list[Basis] = []
    start_from = LinearProgram.start_from
    monkeypatch.setattr(LinearProgram, "start_from", lambda program, basis: starts.append(basis) or start_from(program, basis))
    checked = 0
    for seed in SEEDS:
        solved, _ = neighbours(seed)
        covers, stop = told(solved).covers, StopSignal(60.0)
        matrix = with_finite_sides(without_single_rows(solved.matrix))
        known = relaxation.relax(solved.problem, matrix, small.EXACT, stop, near=-np.inf)
        node = root_node(matrix, known.bound, known.basis)
        nowhere = Basis(np.zeros(len(matrix.cost), np.int8), np.full(len(matrix.row_lower) + len(covers), BASIC, np.int8))
        bounds, taken_up = [], []
        for basis, iterations in ((None, 0), (nowhere, 0), (nowhere, 10_000)):
            monkeypatch.setattr(relaxation, "HOT_ITERATIONS", iterations)
            starts.clear()
            found = relaxation.tighten(solved.problem, matrix, node, np.inf, small.EXACT, stop, covers, basis)
            assert found is not None
            bounds.append(found[0].bound)
            taken_up.append(len(starts))
        assert bounds == pytest.approx([bounds[0]] * 3, rel=1e-6)
        if CapacityCovers(solved.problem, matrix).stated(covers):
            assert taken_up == [1, 3, 2]
            monkeypatch.setattr(relaxation, "HOT_ITERATIONS", 0)
            starts.clear()
            relaxation.tighten(solved.problem, matrix, replace(node, bound=-np.inf), np.inf, small.EXACT, stop, covers, nowhere)
            assert len(starts) == 2, "what is better than the relaxation is followed"
            checked += 1
    assert checked >= 3


def test_the_plan_hands_it_on_and_a_batch_keeps_none():
    tables = random_book(0)
    plan = solve(tables, small.EXACT)
    assert plan.hot is not None
    ((_, other),) = solve_cases([Case("again", tables)], small.EXACT, 1, hot=plan.hot)
    assert other.hot is None
    assert other.solution.objective == pytest.approx(plan.solution.objective, rel=1e-6)
    ((_, kept),) = solve_cases([Case("again", tables, hot=plan.hot, hands_on=True)], small.EXACT, 1)
    assert kept.hot is not None, "a case may hand on what its own search told"
    # another question: its costs are not those of the neighbour
    assert solve(tables, small.EXACT, goal=ANY_PLAN, hot=plan.hot).solution.status.has_plan


def test_a_basis_moves_to_a_smaller_reduction_of_the_same_matrix():
    matrix = neighbours(0)[0].matrix
    builds = np.flatnonzero(matrix.integer)
    fewer, fewest = matrix.upper.copy(), matrix.upper.copy()
    fewer[builds[:2]] = 0.0
    fewest[builds[: builds.size // 2]] = 0.0
    large, small_one = reduce_matrix(matrix.with_bounds(matrix.lower, fewer)), reduce_matrix(matrix.with_bounds(matrix.lower, fewest))
    assert large is not None
    assert small_one is not None
    random = np.random.default_rng(0)
    basis = Basis(random.integers(0, 3, large.columns.size).astype(np.int8), random.integers(0, 3, large.rows.size).astype(np.int8))
    moved_to = basis.moved(large, small_one)
    assert moved_to is not None
    by_name = (
        dict(zip(large.matrix.columns, basis.columns.tolist(), strict=True)),
        dict(zip(large.matrix.rows, basis.rows.tolist(), strict=True)),
    )
    assert moved_to.columns.tolist() == [by_name[0][name] for name in small_one.matrix.columns]
    assert moved_to.rows.tolist() == [by_name[1][name] for name in small_one.matrix.rows]
    assert moved_to.moved(small_one, large) is None


def test_the_cheapest_plan_met_with_each_set_of_hosts_is_handed_on():
    handed = 0
    for seed in SEEDS:
        solved, _ = neighbours(seed)
        outcome = cold(solved)
        if not outcome.status.has_plan:
            continue
        chosen = tuple(
            name[1] for name, value in zip(solved.matrix.columns, outcome.values, strict=True) if name[0] == "build" and value > 0.5
        )
        assert outcome.hot is not None
        assert outcome.hot.plans[0] == chosen, "the last plan taken is the cheapest"
        sets = [hosts_of(plants) for plants in outcome.hot.plans]
        assert len(set(sets)) == len(sets)
        assert outcome.hot.plan_other_than(()) == chosen
        assert outcome.hot.plan_other_than(sets) == ()
        for number, plants in enumerate(outcome.hot.plans[1:], 1):
            assert outcome.hot.plan_other_than(sets[:number]) == plants
        again = cold(solved, hot=outcome.hot, start=chosen)
        assert again.hot is not None
        assert set(map(hosts_of, again.hot.plans)) >= set(sets), "what was told is told on"
        handed += len(sets) > 1
    assert handed >= 2


def test_the_neighbours_plan_is_tried_after_the_start(monkeypatch):
    nothing = Basis(np.zeros(0, np.int8), np.zeros(0, np.int8))
    one, other = (("A", "D", "m", 2030),), (("B", "D", "m", 2030),)
    told = HotStart((), (), nothing, (), plans=(other, one))
    assert starts_from(one, told) == (one, other)
    assert starts_from(other, told) == (other,)
    both = one + other
    assert starts_from(both, replace(told, plans=(both[::-1],))) == (both,), "the same plants in another order are the same start"
    assert starts_from((), told) == (other,)
    assert starts_from(one, None) == (one,)
    assert starts_from((), None) == ()
    assert starts_from((), replace(told, plans=())) == ()
    assert starts_from(one, replace(told, plans=((),))) == (one, ()), "a neighbour that needs no plant tells that"

    tried: list[tuple] = []
    attempt = strategy._Strategy._try
    monkeypatch.setattr(
        strategy._Strategy, "_try", lambda self, tight, start, state: tried.append(start) or attempt(self, tight, start, state)
    )
    solved, _ = neighbours(0)
    first = cold(solved)
    best, tried[:] = first.hot.plans[0], []
    again = cold(solved, hot=first.hot, start=(("nowhere", *best[0][1:]),))
    assert tried[1] == best
    assert again.objective == pytest.approx(first.objective, rel=1e-6)
