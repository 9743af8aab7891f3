"""Matrix -> plain values: HiGHS, with an honest status, a bound, a gap and duals.

The MIP's best plan is rounded, its whole-number columns are fixed and the rest is solved again
as a linear program; those values and duals are the published ones.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import highspy
import numpy as np

from model.highs import FINAL_SECONDS, SOLVED, load, run_watched
from model.matrix import Matrix, Name, Vector
from model.outcome import INTERRUPTED, Outcome, ProgressFunction, SolveOptions, Status, without_plan
from model.preparation import without_single_rows
from model.reduction import reduce_matrix

NO_PRESOLVE = 50_000
"""Nonzeros up to which a linear program with its plants fixed is solved in less time than it takes to make it smaller."""


@dataclass(frozen=True)
class Search:
    """What a search over the whole-number columns found, before publishing.

    Parameters
    ----------
    values
        One entry a column; empty without a plan.
    objective, bound
        MUSD; NaN where unknown. `bound` holds for the matrix that was searched.
    """

    status: Status
    termination: str
    values: Vector
    objective: float
    bound: float
    nodes: int
    interrupted: bool


def search(
    matrix: Matrix,
    options: SolveOptions,
    progress: ProgressFunction | None = None,
    start: Vector | None = None,
    plain: bool = True,
) -> Search:
    """Search a matrix for its best whole-number point.

    Parameters
    ----------
    matrix, options, progress
        As for :func:`solve_matrix`.
    start
        A point to try first, one entry a column; only a hint.
    plain
        False leaves out the sub-searches that look for better points, for use when a good one is given.
    """
    highs = load(matrix, options)
    highs.setOptionValue("mip_abs_gap", options.absolute_gap)
    highs.setOptionValue("mip_rel_gap", options.relative_gap)
    if not plain:
        for heuristic in ("rins", "rens", "root_reduced_cost"):
            highs.setOptionValue(f"mip_heuristic_run_{heuristic}", False)
    if start is not None:
        hint = highspy.HighsSolution()
        hint.col_value = start
        highs.setSolution(hint)
    interrupted = run_watched(highs, options.time_limit, progress)
    info, status, termination = highs.getInfo(), _status(highs, interrupted), _termination(highs, interrupted)
    whole = bool(matrix.integer.any())
    bound = info.mip_dual_bound if whole else info.objective_function_value
    if not status.has_plan:
        return Search(status, termination, np.empty(0), float("nan"), bound, 0, interrupted)
    values = np.array(highs.getSolution().col_value)
    return Search(status, termination, values, info.objective_function_value, bound, int(info.mip_node_count) if whole else 0, interrupted)


def solve_matrix(matrix: Matrix, options: SolveOptions, progress: ProgressFunction | None = None, start: Vector | None = None) -> Outcome:
    """Solve a matrix and publish the values of its fixed-integer linear program.

    Parameters
    ----------
    matrix
        Compiled model.
    options
        Gap, time and threads.
    progress
        Called with the state of the search, a few times a second at most.
    start
        A point to try first, one entry a column; only a hint.

    Returns
    -------
    Outcome
        Never raises for an infeasible or stopped solve.
    """
    began = time.monotonic()
    # HiGHS' presolve finds less of what can only be zero, and looks for it in twice the time
    smaller = reduce_matrix(without_single_rows(matrix))
    if smaller is None or not smaller.columns.size:
        found = search(matrix, options, progress, start)
    else:
        found = search(smaller.matrix, options, progress, None if start is None else start[smaller.columns])
        if found.status.has_plan:
            found = replace(found, values=smaller.restore(found.values))
    seconds = {"search": time.monotonic() - began}
    if found.status.has_plan:
        return publish(matrix, found, options, seconds)
    if found.status is Status.INFEASIBLE:
        return infeasible(matrix, options, options.time_limit - seconds["search"], seconds)
    return without_plan(found.status, found.termination, seconds)


def _termination(highs: highspy.Highs, interrupted: bool) -> str:
    """Return why the solver stopped; HiGHS calls a stop on our own deadline an interruption too."""
    state = highs.getModelStatus()
    if state == highspy.HighsModelStatus.kInterrupt:
        return INTERRUPTED if interrupted else "Time limit reached"
    return highs.modelStatusToString(state)


NO_POINT = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


def _status(highs: highspy.Highs, interrupted: bool) -> Status:
    state = highs.getModelStatus()
    if state in SOLVED:
        return Status.OPTIMAL
    if state in NO_POINT:
        return Status.INFEASIBLE
    feasible = highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if state in (highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kInterrupt) or interrupted:
        # an interrupted linear program holds a point, but not a whole-number one
        return Status.LIMIT if feasible else Status.NO_PLAN_FOUND
    return Status.ERROR


def infeasible(matrix: Matrix, options: SolveOptions, seconds_left: float, seconds: dict[str, float], presolved: bool = True) -> Outcome:
    """Return "no plan exists" once a second solve agrees: it has been wrong before.

    The second solve has another seed and the other setting of presolve. Mostly the linear relaxation has no point either, which is
    soon known; else the whole-number columns are searched without presolve. Where a point is found, nobody can be believed; where
    the second solve runs out of time, the first answer stands and the termination says so.

    Parameters
    ----------
    presolved
        Whether the first answer rests on presolve.
    """
    began = time.monotonic()
    relaxed = matrix.relaxed()
    state, found, interrupted = _second_opinion(relaxed, options, "off" if presolved else "on", seconds_left)
    if state not in NO_POINT and not interrupted and matrix.integer.any():
        state, found, interrupted = _second_opinion(matrix, options, "off", seconds_left - (time.monotonic() - began))
    seconds = {**seconds, "second opinion": time.monotonic() - began}
    if found:
        return without_plan(Status.ERROR, "one setting of the solver finds no plan possible, another does not", seconds)
    if state in NO_POINT:
        return without_plan(Status.INFEASIBLE, "Infeasible, by two settings of the solver", seconds)
    end = "was stopped by hand" if interrupted else "ran out of time"
    return without_plan(Status.INFEASIBLE, f"Infeasible; the second setting of the solver {end}", seconds)


def _second_opinion(matrix: Matrix, options: SolveOptions, presolve: str, seconds: float) -> tuple[highspy.HighsModelStatus, bool, bool]:
    """Solve with another seed; return the solver's verdict, whether it holds a point of the matrix, and whether it was stopped by hand."""
    highs = load(matrix, replace(options, seed=options.seed + 1))
    highs.setOptionValue("presolve", presolve)
    interrupted = run_watched(highs, max(5.0, seconds))
    state = highs.getModelStatus()
    feasible = highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    # a linear program that was stopped holds a point of no meaning
    return state, feasible and (bool(matrix.integer.any()) or state in SOLVED), interrupted


def publish(matrix: Matrix, found: Search, options: SolveOptions, seconds: dict[str, float], log: tuple[str, ...] = ()) -> Outcome:
    """Round and fix the whole-number columns, solve the rest as a linear program, return its values and duals.

    Parameters
    ----------
    matrix
        The model; the values and the duals refer to it.
    found
        A point, and a bound that holds for `matrix`.
    seconds, log
        Of the steps before.
    """
    began = time.monotonic()
    fixed = np.round(found.values[matrix.integer])
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    lower[matrix.integer] = upper[matrix.integer] = fixed
    relaxed = Matrix(
        matrix.cost, matrix.offset, matrix.a, matrix.row_lower, matrix.row_upper, lower, upper,
        np.zeros_like(matrix.integer), matrix.columns, matrix.rows,
    )  # fmt: skip
    highs = load(relaxed, options)
    if relaxed.a.nnz <= NO_PRESOLVE:
        highs.setOptionValue("presolve", "off")
    run_watched(highs, FINAL_SECONDS)
    seconds = {**seconds, "final linear program": time.monotonic() - began}
    if highs.getModelStatus() not in SOLVED:
        return without_plan(Status.ERROR, "the plan does not survive rounding its plants to whole numbers", seconds)
    solution = highs.getSolution()
    objective = highs.getInfo().objective_function_value
    published = np.clip(np.array(solution.col_value), lower, upper)  # the solver may overstep a bound by its tolerance
    bound = min(found.bound, objective)
    status = found.status
    # the linear program may differ from the search by the solver's tolerances
    if status is Status.OPTIMAL and not options.is_proven(objective, objective - bound):
        status = Status.LIMIT
    return Outcome(
        status, found.termination, objective, bound, published, np.array(solution.row_dual), seconds,
        found.nodes, (*log, f"Searched {found.nodes} nodes; fixed the plants and solved the rest as a linear program"),
    )  # fmt: skip


def by_name(names: tuple[Name, ...], values: Vector) -> dict[str, dict[object, float]]:
    """Return component -> index -> value, zeros left out."""
    found: dict[str, dict[object, float]] = {}
    for position in np.flatnonzero(values):
        component, index = names[position]
        found.setdefault(component, {})[index] = float(values[position])
    return found
