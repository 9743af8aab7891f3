"""Covers cut no plan off, and every step of the strategy leads to the optimum that the solver alone finds."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest

from model import neighbourhood, planner, strategy, tree
from model.covers import CapacityCovers
from model.goal import ANY_PLAN
from model.linear_program import StopSignal
from model.matrix import Matrix, Row
from model.node import Incumbent, root_node
from model.outcome import Outcome, Progress, Status, without_plan
from model.reduction import reduce_matrix
from model.solver import search, solve_matrix
from tests import small
from tests.random_books import random_book
from tests.tiny import tiny_tables

SEEDS = range(14)
WITH_A_PLAN = [seed for seed in SEEDS if seed not in (11, 13)]


@functools.cache
def alone(seed: int) -> small.Solved:
    """Return what the solver finds without any preparation."""
    return small.solve_book(random_book(seed))


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make small models go through every step, the first search with one build at each of two hosts, shrinking whenever it can."""
    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    monkeypatch.setattr(neighbourhood, "QUICK_HOSTS", 2)
    monkeypatch.setattr(neighbourhood, "QUICK_BUILDS", 1)
    monkeypatch.setattr(tree, "SMALL_PART", 0)
    monkeypatch.setattr(tree, "SHRINK_AT", 1.0)


def with_strategy(solved: small.Solved, **change: object) -> Outcome:
    return strategy.solve_problem(solved.problem, solved.matrix, replace(small.EXACT, **change))


# --- covers --------------------------------------------------------------------------------------------


def activity(row: Row, values: np.ndarray) -> float:
    return float(row.coefficients @ values[row.columns])


def relaxed_points(matrix: Matrix, random: np.random.Generator) -> list[np.ndarray]:
    """Return points of the relaxation: the cheapest, and those that random wishes lead to."""
    wishes = [matrix.cost, *(random.normal(size=len(matrix.cost)) for _ in range(6))]
    outcomes = [solve_matrix(replace(matrix.relaxed(), cost=wish), small.EXACT) for wish in wishes]
    return [outcome.values for outcome in outcomes if outcome.status is Status.OPTIMAL]


def plans(matrix: Matrix, random: np.random.Generator) -> list[np.ndarray]:
    """Return whole plans: the cheapest, and those that random wishes lead to."""
    wishes = [matrix.cost, *(random.normal(size=len(matrix.cost)) for _ in range(6))]
    found = [search(replace(matrix, cost=wish), replace(small.EXACT, relative_gap=0.2)) for wish in wishes]
    return [one.values for one in found if one.status.has_plan]


@pytest.mark.parametrize("seed", range(8))
def test_covers_cut_the_relaxation_but_no_plan(seed):
    problem, matrix = alone(seed).problem, alone(seed).matrix
    random = np.random.default_rng(seed)
    covers = CapacityCovers(problem, matrix)
    rows = []
    for point in relaxed_points(matrix, random):
        for row in covers.violated(point):
            assert not row.lower - 1e-9 <= activity(row, point) <= row.upper + 1e-9, "a cover that cuts nothing off"
            rows.append(row)
    for plan in plans(matrix, random):
        for row in rows:
            assert row.lower - 1e-6 <= activity(row, plan) <= row.upper + 1e-6
        assert covers.violated(np.where(matrix.integer, np.round(plan), plan)) == []


def test_covers_are_found_at_all():
    found = 0
    for seed in range(8):
        solved = alone(seed)
        for point in relaxed_points(solved.matrix, np.random.default_rng(seed)):
            found += len(CapacityCovers(solved.problem, solved.matrix).violated(point))
    assert found >= 10


def test_an_upper_cover_by_hand():
    # half a plant of 1 kt; sources of 0.2 kt and 5 kt, of which the relaxation feeds 0.2 and 0.3 kt: half a plant can take half of
    # each source it could take whole, 0.1 kt of the first
    book = small.book(sources=[small.source("FEW", capacity=200), small.source("MANY", capacity=5000, fixed_price=50)])
    problem, matrix = small.matrix_of(book)
    at = {name: position for position, name in enumerate(matrix.columns)}
    few, many = at["feed", ("FEW", "HOST", "light_heavy:own", 2030)], at["feed", ("MANY", "HOST", "light_heavy:own", 2030)]
    build = at["build", ("HOST", "PLANT", "own", 2030)]
    point = np.zeros(len(matrix.columns))
    point[[build, few, many]] = 0.5, 0.2, 0.3
    (row,) = CapacityCovers(problem, matrix).violated(point)
    assert sorted(zip(row.columns.tolist(), row.coefficients.tolist(), strict=True)) == sorted([(few, 1.0), (build, pytest.approx(-0.2))])
    assert (row.lower, row.upper) == (-np.inf, 0)


def test_a_lower_cover_by_hand():
    # half a plant that must be fed 0.5 kt from its fourth year; 0.24 kt of a source of 0.4 kt: the other source must give what the
    # first could not to a whole plant, 0.1 kt, times the half
    book = small.book(
        {"last_year": 2033, "modelled_years": "2030,2033"},
        sources=[small.source("FEW", capacity=400), small.source("MANY", capacity=5000)], designs=[small.design(minimum_use=0.5)],
    )  # fmt: skip
    problem, matrix = small.matrix_of(book)
    at = {name: position for position, name in enumerate(matrix.columns)}
    few, many = at["feed", ("FEW", "HOST", "light_heavy:own", 2033)], at["feed", ("MANY", "HOST", "light_heavy:own", 2033)]
    build = at["build", ("HOST", "PLANT", "own", 2030)]
    point = np.zeros(len(matrix.columns))
    point[[build, few]] = 0.5, 0.24
    rows = [row for row in CapacityCovers(problem, matrix).violated(point) if row.lower == 0]
    (row,) = rows
    assert sorted(zip(row.columns.tolist(), row.coefficients.tolist(), strict=True)) == sorted([(many, 1.0), (build, pytest.approx(-0.1))])


def test_rows_can_be_added_to_a_matrix():
    matrix = alone(0).matrix
    row = Row(np.array([0, 2]), np.array([1.0, -2.0]), -1.0, 3.0)
    more = matrix.with_rows([row])
    assert more.rows[-1] == ("added", 0)
    assert (more.row_lower[-1], more.row_upper[-1]) == (-1, 3)
    assert more.a[[more.a.shape[0] - 1], [2]] == -2
    assert (more.a[:-1] != matrix.a).nnz == 0
    assert matrix.with_rows([]) is matrix


# --- strategy ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("seed", SEEDS)
def test_every_step_leads_to_the_same_optimum(seed):
    expected = alone(seed)
    outcome = with_strategy(expected)
    assert outcome.status is expected.outcome.status
    if outcome.status is Status.OPTIMAL:
        assert outcome.objective == pytest.approx(expected.cost, rel=1e-6)
        assert outcome.bound <= outcome.objective
        assert outcome.gap == pytest.approx(0, abs=1e-4)
        whole = expected.matrix.integer
        assert outcome.values[whole] == pytest.approx(expected.outcome.values[whole])
        assert outcome.row_duals.shape == expected.matrix.row_lower.shape
        small.assert_verified(replace(expected, outcome=outcome))


@pytest.mark.parametrize("seed", WITH_A_PLAN[:8])
def test_what_the_root_rules_out_is_in_no_plan_cheaper_than_the_one_in_hand(seed):
    solved, in_hand_cost = alone(seed), alone(seed).cost + 0.01 * abs(alone(seed).cost)
    matrix, whole = solved.matrix, np.flatnonzero(solved.matrix.integer)
    root = root_node(matrix, -np.inf)
    found = strategy.tighten(solved.problem, matrix, root, in_hand_cost, small.EXACT, StopSignal(60.0))
    assert found is not None
    node, tight = found
    assert node.bound <= solved.cost + 1e-6
    for place in np.flatnonzero(node.upper < root.upper):
        lower = matrix.lower.copy()
        lower[whole[place]] = 1.0
        forced = search(matrix.with_bounds(lower, matrix.upper), small.EXACT)
        assert not forced.status.has_plan or forced.objective >= in_hand_cost - 1e-6
    for count, (least, most) in node.limits.items():
        columns = whole[count.places]
        for low, high in ((-np.inf, least - 1), (most + 1, np.inf)):
            if not np.isfinite([low, high]).any():
                continue
            other = search(matrix.with_rows([Row(columns, np.ones(columns.size), low, high)]), small.EXACT)
            assert not other.status.has_plan or other.objective >= in_hand_cost - 1e-6
    assert tight.a.shape[0] >= matrix.a.shape[0]


def test_builds_are_ruled_out_at_all():
    dropped = 0
    for seed in WITH_A_PLAN:
        solved = alone(seed)
        root = root_node(solved.matrix, -np.inf)
        above = solved.cost + 1e-3 * abs(solved.cost)
        found = strategy.tighten(solved.problem, solved.matrix, root, above, small.EXACT, StopSignal(60.0))
        assert found is not None
        dropped += int((found[0].upper < root.upper).sum())
    assert dropped >= 10


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("seed", WITH_A_PLAN[:6])
def test_a_cutoff_keeps_cheaper_plans_and_tells_when_there_is_none(seed):
    solved = alone(seed)
    room = 1e-3 * abs(solved.cost)
    above = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, cutoff=solved.cost + room)
    assert above.status is Status.OPTIMAL
    assert above.objective == pytest.approx(solved.cost, rel=1e-6)
    below = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, cutoff=solved.cost - room)
    assert below.status is Status.INFEASIBLE
    assert below.bound <= solved.cost + 1e-6


@pytest.mark.usefixtures("prepared")
def test_a_start_as_dear_as_the_cutoff_saves_the_search_for_a_first_plan(monkeypatch):
    """Where the bound is near the cutoff, no first plan is looked for; what is found and proven is the same."""
    searches: list[str] = []
    own = strategy._Strategy._find_first
    monkeypatch.setattr(strategy._Strategy, "_find_first", lambda self, *given: searches.append("x") or own(self, *given))
    skipped = 0
    for seed in WITH_A_PLAN[:8]:
        solved = alone(seed)
        start = solved.plants
        options = replace(small.EXACT, absolute_gap=1e-4)
        if not start:
            continue
        searches.clear()
        strategy.solve_problem(solved.problem, solved.matrix, options, cutoff=solved.cost)
        looked = bool(searches)  # not where the relaxation alone answers
        searches.clear()
        at_cost = strategy.solve_problem(solved.problem, solved.matrix, options, start=start, cutoff=solved.cost)
        assert at_cost.status is Status.INFEASIBLE
        assert at_cost.bound == pytest.approx(solved.cost, abs=1e-3)
        skipped += looked and not searches
        # a start that cannot stand, below a cutoff that leaves room for a plan
        above = solved.cost + 2e-3 * abs(solved.cost)
        found = strategy.solve_problem(solved.problem, solved.matrix, options, start=((*start[0][:3], 1900),), cutoff=above)
        assert found.status is Status.OPTIMAL
        assert found.objective == pytest.approx(solved.cost, abs=1e-3)
    assert skipped


@pytest.mark.usefixtures("prepared")
def test_a_search_may_end_at_a_plan_that_costs_little_enough():
    ended = 0
    for seed in WITH_A_PLAN[:6]:
        solved = alone(seed)
        enough = solved.cost + 0.05 * abs(solved.cost)
        outcome = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, cutoff=enough, enough=enough)
        assert solved.cost - 1e-6 <= outcome.objective <= enough
        assert outcome.bound <= solved.cost + 1e-6
        if outcome.status is Status.LIMIT:
            assert outcome.termination == strategy.ENOUGH
            ended += 1
        # what costs more than that is no reason to stop
        exact = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, enough=solved.cost - 0.01 * abs(solved.cost))
        assert exact.status is Status.OPTIMAL
    assert ended


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("seed", WITH_A_PLAN[:4])
def test_a_start_is_a_hint_and_no_more(seed):
    solved = alone(seed)
    builds = [solved.matrix.columns[column][1] for column in np.flatnonzero(solved.matrix.integer)]
    for start in (tuple(builds[:1]), tuple(builds), (("NOWHERE", "NONE", "no", 2030),)):
        outcome = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, start=start)
        assert outcome.objective == pytest.approx(solved.cost, rel=1e-6)


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("seed", WITH_A_PLAN[:4])
def test_a_search_that_fails_is_left_to_the_solver_alone(seed, monkeypatch):
    def fail(*_: object) -> None:
        raise tree.SearchFailed("on purpose")

    monkeypatch.setattr(tree.Tree, "search", fail)
    said: list[str] = []
    outcome = strategy.solve_problem(alone(seed).problem, alone(seed).matrix, small.EXACT, say=said.append)
    assert outcome.objective == pytest.approx(alone(seed).cost, rel=1e-6)
    assert any("given up" in sentence for sentence in said)


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("seed", WITH_A_PLAN[:4])
def test_a_plan_in_hand_outlives_a_search_that_fails(seed, monkeypatch):
    """The search gives up after its first plan, and the solver alone is stopped at once: the plan in hand is the answer."""
    solved = alone(seed)
    best = tuple(
        solved.matrix.columns[column][1]
        for column in np.flatnonzero(solved.matrix.integer)
        if solved.outcome.values[column] > 0.5 and solved.matrix.columns[column][0] == "build"
    )

    def fail(*_: object) -> None:
        raise tree.SearchFailed("on purpose")

    monkeypatch.setattr(strategy, "relax", fail)
    stopped = without_plan(Status.NO_PLAN_FOUND, "Time limit reached", {})
    monkeypatch.setattr(strategy, "solve_matrix", lambda *_: stopped)
    outcome = strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, start=best)
    assert outcome.status is Status.LIMIT
    assert outcome.objective == pytest.approx(solved.cost, rel=1e-6)


@pytest.mark.parametrize("seed", WITH_A_PLAN)
@pytest.mark.parametrize("small_part", [0, 1000])
def test_a_search_takes_parts_that_its_linear_program_does_not_hold(seed, small_part, monkeypatch):
    """A search that has shrunk to no builds at all is handed the whole of the plans, as by another search that has too much to do."""
    monkeypatch.setattr(tree, "SMALL_PART", small_part)
    solved = alone(seed)
    root = root_node(solved.matrix, -np.inf)
    bare = replace(root, upper=np.where(root.lower > 0, root.upper, 0.0))
    searching = tree.Tree(solved.problem, solved.matrix, small.EXACT, StopSignal(60.0), [bare])
    costs = [np.inf]

    def take(plan: Incumbent) -> float:
        costs.append(plan.objective)
        return min(costs) - 1e-7 * abs(min(costs))

    searching.search(np.inf, 1, 10**9, take)
    searching.queue.push(root)
    searching.search(min(costs), 10**6, 10**9, take)
    assert len(searching.queue) == 0
    assert min(costs) == pytest.approx(solved.cost, rel=1e-6)


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("seed", [3, 8])
def test_searches_side_by_side_find_the_same_plan_each_time(seed):
    outcomes = [with_strategy(alone(seed), threads=threads) for threads in (1, 2, 2)]
    assert [outcome.objective for outcome in outcomes] == pytest.approx([alone(seed).cost] * 3, rel=1e-6)
    assert outcomes[1].values == pytest.approx(outcomes[2].values)


@pytest.mark.parametrize("seed", WITH_A_PLAN[:8])
def test_a_reduced_matrix_has_the_same_optimum(seed):
    solved = alone(seed)
    matrix = solved.matrix
    upper = matrix.upper.copy()
    closed = [column for column in np.flatnonzero(matrix.integer) if solved.outcome.values[column] < 0.5]
    upper[closed] = 0.0
    found = reduce_matrix(matrix.with_bounds(matrix.lower, upper))
    assert found is not None
    assert len(found.matrix.cost) < len(matrix.cost)
    outcome = solve_matrix(found.matrix, small.EXACT)
    assert outcome.objective == pytest.approx(solved.cost, rel=1e-6)
    values = found.restore(outcome.values)
    activity = matrix.a @ values
    assert (activity >= matrix.row_lower - 1e-6).all()
    assert (activity <= matrix.row_upper + 1e-6).all()


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("seed", [3, 6, 8])
def test_a_loose_gap_gives_a_bound_that_holds(seed):
    expected = alone(seed)
    outcome = with_strategy(expected, absolute_gap=0.05 * expected.cost)
    assert outcome.status is Status.OPTIMAL
    assert outcome.bound <= expected.cost + 1e-6 <= outcome.objective + 2e-6
    assert outcome.gap <= 0.05 * expected.cost + 1e-6


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("limit", [1e-6, 0.02, 0.05, 0.1])
def test_any_time_limit_ends_with_a_status_that_is_true(limit):
    expected = alone(8)
    outcome = with_strategy(expected, time_limit=limit)
    assert outcome.status in (Status.OPTIMAL, Status.LIMIT, Status.NO_PLAN_FOUND)
    if outcome.status.has_plan:
        assert outcome.bound - 1e-6 <= expected.cost <= outcome.objective + 1e-6
    if outcome.status is Status.OPTIMAL:
        assert outcome.objective == pytest.approx(expected.cost, rel=1e-6)


def test_small_models_are_left_to_the_solver():
    solved = alone(0)
    assert with_strategy(solved).seconds.keys() == solved.outcome.seconds.keys()


@pytest.mark.usefixtures("prepared")
def test_progress_never_claims_more_than_is_proven():
    """What is shown as a bound holds for the whole model, also while only some builds are searched."""
    for seed in WITH_A_PLAN:
        solved = alone(seed)
        states: list[Progress] = []
        strategy.solve_problem(solved.problem, solved.matrix, small.EXACT, states.append)
        assert states
        assert all(state.bound <= solved.cost + 1e-4 for state in states), seed
        assert all(state.incumbent >= solved.cost - 1e-4 for state in states), seed


def test_any_plan_is_left_to_the_solver_alone(monkeypatch):
    """Where nothing has a price there is no relaxation to prepare."""
    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    monkeypatch.setattr(strategy, "relax", lambda *_: pytest.fail("prepared a search that has nothing to price"))
    plan = planner.solve(tiny_tables(), goal=ANY_PLAN)
    assert plan.solution.status.has_plan
    assert plan.verification.passed


@pytest.mark.parametrize("seed", [1149, 1248])
def test_a_plant_that_a_rule_forces_is_not_exchanged_for_a_cheaper_one(seed, prepared):
    solved = alone(seed)
    outcome = with_strategy(solved)
    assert outcome.status is Status.OPTIMAL
    assert outcome.objective == pytest.approx(solved.cost, rel=1e-6)
