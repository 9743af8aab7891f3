"""What the solver says in every case: best, none, stopped, interrupted; its duals, gap and progress."""

from __future__ import annotations

import math
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from model import solver
from model.highs import load
from model.matrix import Matrix
from model.outcome import Outcome, Progress, SolveOptions, Status
from model.solver import Search, by_name, publish, solve_matrix
from tests import small
from tests.hard import knapsacks, market_split, whole_numbers
from tests.random_books import random_book

ROOT = Path(__file__).parents[1]


def solve(matrix: Matrix, **change: object) -> Outcome:
    return solve_matrix(matrix, replace(small.EXACT, **change))


def row(*coefficients: float) -> np.ndarray:
    return np.array([coefficients])


# --- a plan ------------------------------------------------------------------------------------------------


def test_optimum_with_bound_gap_and_values():
    # min -3 x - 2 y, 2 x + 2 y <= 3, whole: x alone
    outcome = solve(whole_numbers(np.array([-3.0, -2.0]), row(2, 2), np.array([-np.inf]), np.array([3.0])))
    assert outcome.status is Status.OPTIMAL
    assert outcome.objective == pytest.approx(-3)
    assert outcome.bound <= outcome.objective
    assert outcome.gap == pytest.approx(0, abs=1e-6)
    assert outcome.values == pytest.approx([1, 0])
    assert set(outcome.seconds) == {"search", "final linear program"}


def test_published_values_are_whole_and_within_bounds():
    solved = small.solve_book(random_book(0))
    matrix, values = solved.matrix, solved.outcome.values
    assert set(values[matrix.integer]) <= {0.0, 1.0}
    assert (values >= matrix.lower).all()
    assert (values <= matrix.upper).all()
    activity = matrix.a @ values
    assert (activity >= matrix.row_lower - 1e-6).all()
    assert (activity <= matrix.row_upper + 1e-6).all()
    assert matrix.cost @ values + matrix.offset == pytest.approx(solved.outcome.objective, rel=1e-9)


def test_publish_rounds_and_solves_the_rest_again():
    # build 0.9999999 of a plant: published as 1, with its feed at the capacity of the whole plant
    solved = small.solve_book(small.book(demand=[small.demand(2000)]))
    nearly = np.where(solved.matrix.integer, 1 - 1e-7, solved.outcome.values)
    found = Search(Status.LIMIT, "stopped", nearly, 130.0, 129.0, 5, False)
    outcome = publish(solved.matrix, found, small.EXACT, {"search": 1.0}, ("looked around",))
    assert (outcome.status, outcome.termination, outcome.bound, outcome.nodes) == (Status.LIMIT, "stopped", 129.0, 5)
    assert outcome.seconds["search"] == 1.0
    assert outcome.log[0] == "looked around"
    assert outcome.objective == pytest.approx(130)
    assert by_name(solved.matrix.columns, outcome.values)["build"] == {("HOST", "PLANT", "own", 2030): 1.0}
    assert outcome.gap == pytest.approx(1)


def test_publish_says_so_when_rounding_breaks_the_plan():
    # two plants where one is allowed
    solved = small.solve_book(small.book({"max_plants": 1}, hosts=[small.host(), small.host("OTHER")]))
    both = np.where(solved.matrix.integer, 1.0, solved.outcome.values)
    outcome = publish(solved.matrix, Search(Status.OPTIMAL, "", both, 0.0, 0.0, 0, False), small.EXACT, {})
    assert outcome.status is Status.ERROR
    assert not outcome.status.has_plan
    assert outcome.values.size == 0


def test_an_absolute_gap_stops_early_with_a_bound_that_holds():
    matrix = knapsacks(60, 5)
    best, loose = solve(matrix), solve(matrix, absolute_gap=40.0)
    assert loose.status is Status.OPTIMAL
    assert loose.bound - 1e-6 <= best.objective <= loose.objective + 1e-6
    assert loose.gap <= 40.0


def test_a_start_does_not_change_the_optimum():
    solved = small.solve_book(random_book(3))
    outcome = solve_matrix(solved.matrix, small.EXACT, start=solved.outcome.values)
    assert outcome.objective == pytest.approx(solved.cost, rel=1e-9)


def test_the_same_book_gives_the_same_plan_again():
    first, second = (small.solve_book(random_book(3)).outcome for _ in range(2))
    assert first.objective == second.objective
    assert (first.values == second.values).all()


# --- no plan -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [True, False])
def test_infeasible_by_its_rows(whole):
    matrix = whole_numbers(np.ones(2), row(1, 1), np.array([3.0]), np.array([np.inf]))
    outcome = solve(matrix if whole else replace(matrix, integer=np.zeros(2, dtype=bool)))
    assert outcome.status is Status.INFEASIBLE
    assert not outcome.status.has_plan
    assert outcome.values.size == outcome.row_duals.size == 0
    assert math.isnan(outcome.objective)
    assert math.isnan(outcome.bound)
    assert math.isnan(outcome.gap)


def test_infeasible_by_whole_numbers_only():
    # 2 x + 2 y = 1 has a solution in halves
    matrix = whole_numbers(np.ones(2), row(2, 2), np.array([1.0]), np.array([1.0]))
    assert solve(matrix).status is Status.INFEASIBLE
    assert solve(replace(matrix, integer=np.zeros(2, dtype=bool))).status is Status.OPTIMAL


@pytest.mark.parametrize("presolved", [True, False])
def test_a_second_opinion_asks_the_linear_program_first(monkeypatch, presolved):
    asked = []

    def noted(matrix, *words):
        asked.append(bool(matrix.integer.any()))
        return second(matrix, *words)

    second = solver._second_opinion
    monkeypatch.setattr(solver, "_second_opinion", noted)
    by_rows = whole_numbers(np.ones(2), row(1, 1), np.array([3.0]), np.array([np.inf]))
    by_whole_numbers = whole_numbers(np.ones(2), row(2, 2), np.array([1.0]), np.array([1.0]))
    for matrix in (by_rows, by_whole_numbers):
        outcome = solver.infeasible(matrix, small.EXACT, 60.0, {}, presolved)
        assert (outcome.status, outcome.termination) == (Status.INFEASIBLE, "Infeasible, by two settings of the solver")
    assert asked == [False, False, True]


@pytest.mark.parametrize("whole", [True, False])
def test_two_opinions_that_differ_are_no_answer(whole):
    matrix = whole_numbers(np.ones(2), row(1, 1), np.array([1.0]), np.array([np.inf]))
    outcome = solver.infeasible(matrix if whole else matrix.relaxed(), small.EXACT, 60.0, {})
    assert outcome.status is Status.ERROR
    assert "another does not" in outcome.termination


def test_a_second_opinion_that_is_stopped_by_hand_says_so(monkeypatch):
    monkeypatch.setattr(solver, "run_watched", lambda *_: True)
    by_rows = whole_numbers(np.ones(2), row(1, 1), np.array([3.0]), np.array([np.inf]))
    outcome = solver.infeasible(by_rows, small.EXACT, 60.0, {})
    assert (outcome.status, outcome.termination) == (Status.INFEASIBLE, "Infeasible; the second setting of the solver was stopped by hand")


def test_a_book_without_any_plan_gives_empty_tables():
    solved = small.solve_book(small.book(suppliers=[small.supplier(least_take=0.5)]))
    assert solved.outcome.status is Status.INFEASIBLE
    assert all(frame.empty for frame in solved.solution.tables.values())
    assert solved.solution.host_set == ()
    assert math.isnan(solved.solution.gap)
    assert math.isnan(solved.solution.relative_gap)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"cost": np.array([1.0, np.nan])}, r"x\[1\]"),
        ({"upper": np.array([np.nan, 1.0])}, r"x\[0\]"),
        ({"a": scipy.sparse.csc_array(np.array([[1.0, np.inf]]))}, r"x\[1\]"),
        ({"row_upper": np.array([np.nan])}, r"row\[0\]"),
    ],
)
def test_a_figure_that_is_no_number_is_refused_by_name(change, named):
    matrix = whole_numbers(np.ones(2), row(1, 1), np.array([0.0]), np.array([1.0]))
    with pytest.raises(ValueError, match=named):
        load(replace(matrix, **change), small.EXACT)


# --- nothing to decide ---------------------------------------------------------------------------------------


def test_a_matrix_without_rows_and_columns_is_solved():
    matrix = Matrix(
        np.zeros(0),
        0.0,
        scipy.sparse.csc_array((0, 0)),
        np.zeros(0),
        np.zeros(0),
        np.zeros(0),
        np.zeros(0),
        np.zeros(0, dtype=bool),
        (),
        (),
    )
    outcome = solve(matrix)
    assert (outcome.status, outcome.objective, outcome.bound) == (Status.OPTIMAL, 0, 0)


@pytest.mark.parametrize(
    ("sheets", "cost"),
    [
        ({"hosts": []}, 100),
        ({"designs": []}, 100),
        ({"sources": []}, 100),
        ({"suppliers": []}, 30),
        ({"suppliers": [], "hosts": []}, 200),
        ({"demand": []}, 0),
        ({"demand": [], "suppliers": [], "hosts": []}, 0),
        ({"markets": [], "demand": []}, 0),
    ],
)
def test_books_that_lack_a_whole_sheet(sheets, cost):
    solved = small.solve_book(small.book(**sheets))
    assert solved.outcome.status is Status.OPTIMAL
    assert solved.cost == pytest.approx(cost)
    small.assert_verified(solved)


# --- stopped --------------------------------------------------------------------------------------------------


def test_the_time_limit_returns_the_best_plan_found():
    began = time.monotonic()
    outcome = solve(knapsacks(), absolute_gap=0.0, time_limit=1.5)
    assert time.monotonic() - began < 10
    assert outcome.status is Status.LIMIT
    assert outcome.status.has_plan
    assert outcome.termination == "Time limit reached"
    assert outcome.bound < outcome.objective < 0
    assert outcome.gap == pytest.approx(outcome.objective - outcome.bound)
    assert (knapsacks().a @ outcome.values <= knapsacks().row_upper + 1e-6).all()


def test_the_time_limit_without_a_plan():
    outcome = solve(market_split(), time_limit=1.0)
    assert outcome.status is Status.NO_PLAN_FOUND
    assert outcome.termination == "Time limit reached"
    assert math.isnan(outcome.objective)
    assert math.isnan(outcome.gap)


@pytest.mark.parametrize("matrix", [knapsacks(), market_split()], ids=["knapsacks", "market split"])
def test_hardly_any_time_is_no_crash(matrix):
    outcome = solve(matrix, time_limit=1e-6)
    assert outcome.status in (Status.LIMIT, Status.NO_PLAN_FOUND)
    assert outcome.status.has_plan == (outcome.values.size > 0)


def test_hardly_any_time_for_a_book_is_no_crash():
    solved = small.solve_book(random_book(3), replace(small.EXACT, time_limit=1e-6))
    assert solved.outcome.status in (Status.OPTIMAL, Status.LIMIT, Status.NO_PLAN_FOUND)
    assert solved.solution.tables["plants"].empty == (not solved.outcome.status.has_plan or not solved.solution.host_set)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent differently on Windows")
def test_ctrl_c_returns_the_best_plan_found():
    command = [sys.executable, "-m", "tests.hard"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "found a plan\n"
            process.send_signal(signal.SIGINT)
            said, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    status, termination, objective, bound = said.splitlines()[-1].split("|")
    assert (status, termination, errors) == ("LIMIT", "Interrupted by the user", "")
    assert float(bound) < float(objective) < 0


# --- duals ------------------------------------------------------------------------------------------------------


def _with_limit(solved: small.Solved, tables_limit: float, name: str) -> float:
    """Return the least cost with another limit in a cap, with the plants as built."""
    caps = solved.tables["caps"].copy()
    caps.loc[caps["cap"] == name, 2033] = tables_limit
    _, matrix = small.matrix_of(solved.tables.with_frames(caps=caps))
    assert matrix.columns == solved.matrix.columns
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    lower[matrix.integer] = upper[matrix.integer] = solved.outcome.values[matrix.integer]
    return solve_matrix(matrix.with_bounds(lower, upper), small.EXACT).objective


@pytest.mark.parametrize("seed", [0, 6, 9, 12, 15])
def test_the_marginal_cost_of_a_cap_is_what_lowering_it_costs(seed):
    solved = small.solve_book(random_book(seed))
    shares = solved.solution.tables["china_shares"]
    assert (shares["marginal_cost"] >= 0).all()
    tested = 0
    for share in shares[(shares["year"] == 2033) & (shares["marginal_cost"] > 1e-3)].itertuples():
        if share.scope == "every_product":
            continue  # one figure in the book, a row for each product
        step = 1e-5
        limit = solved.tables["caps"].set_index("cap").at[share.cap, 2033]
        costs = [_with_limit(solved, limit + change, share.cap) for change in (step, -step)]
        # a point is 0.01; the present value is of a year's cost
        slope = (costs[1] - costs[0]) / (2 * step) * 0.01 / solved.problem.weight[2033]
        assert share.marginal_cost == pytest.approx(slope, rel=1e-3)
        assert share.slack == pytest.approx(0, abs=1e-6)
        tested += 1
    assert tested > 0


def test_a_cap_that_leaves_room_costs_nothing():
    solved = small.solve_book(random_book(0))
    shares = solved.solution.tables["china_shares"]
    assert (shares.loc[shares["slack"] > 1e-4, "marginal_cost"] == 0).all()


def test_the_dual_of_a_balance_is_what_one_more_kt_of_demand_costs():
    # the second kt is bought at 100
    solved = small.solve_book(small.book(demand=[small.demand(2000)]))
    assert solved.solution.duals["demand_balance"] == {("JPN", "Nd", 2030): pytest.approx(100)}
    # and a kt of capacity saves what feed (20) is cheaper than oxide (100)
    assert solved.solution.duals["capacity_limit"] == {("HOST", "light_heavy:own", 2030): pytest.approx(-80)}


# --- progress and threads -----------------------------------------------------------------------------------------


def test_progress_is_reported_in_order():
    states: list[Progress] = []
    outcome = solve_matrix(knapsacks(), SolveOptions(absolute_gap=0.0, time_limit=2.0, threads=1), states.append)
    assert 2 <= len(states) <= 10
    seconds = [state.seconds for state in states]
    assert seconds == sorted(seconds)
    assert 0 <= seconds[0] <= seconds[-1] < 5
    incumbents, bounds = [state.incumbent for state in states], [state.bound for state in states]
    assert incumbents == sorted(incumbents, reverse=True)
    assert bounds == sorted(bounds)
    assert states[-1].incumbent >= outcome.objective
    assert states[-1].bound <= outcome.objective
    assert states[-1].gap >= 0
    assert all(isinstance(state.nodes, int) and state.nodes >= 0 for state in states)


def test_a_failing_report_stops_the_solver_and_is_not_hidden():
    def fail(state: Progress) -> None:
        raise RuntimeError("the screen is gone")

    began = time.monotonic()
    with pytest.raises(RuntimeError, match="the screen is gone"):
        solve_matrix(knapsacks(), SolveOptions(absolute_gap=0.0, time_limit=30.0, threads=1), fail)
    assert time.monotonic() - began < 20


def test_the_number_of_threads_can_change_within_a_process():
    matrix = knapsacks(60, 5)
    objectives = [solve(matrix, threads=threads).objective for threads in (1, 2, 1, 2)]
    assert objectives == pytest.approx([objectives[0]] * 4)


# --- never unbounded -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_no_book_is_unbounded_whatever_is_to_be_least(seed):
    """Material and plants bound every flow, so even a cost that rewards all of them has a least value."""
    _, matrix = small.matrix_of(random_book(seed))
    free = np.isinf(matrix.lower)
    random = np.random.default_rng(seed)
    for cost in (-np.ones(len(matrix.cost)), np.where(free, 1.0, -1.0), random.normal(size=len(matrix.cost))):
        relaxed = replace(matrix, cost=cost, integer=np.zeros_like(matrix.integer))
        outcome = solve(relaxed)
        assert outcome.status is Status.OPTIMAL, outcome.termination
        assert np.isfinite(outcome.objective)


# --- plain values ------------------------------------------------------------------------------------------------------


def test_by_name_leaves_zeros_out():
    names = (("build", ("A",)), ("build", ("B",)), ("stock", "x"))
    assert by_name(names, np.array([1.0, 0.0, -2.0])) == {"build": {("A",): 1.0}, "stock": {"x": -2.0}}


def test_matrix_and_outcome_can_be_sent_to_another_process():
    solved = small.solve_book(small.book())
    matrix, outcome = pickle.loads(pickle.dumps((solved.matrix, solved.outcome)))
    assert solve(matrix).objective == outcome.objective == pytest.approx(30)
