"""Matrix -> plain values: HiGHS, with an honest status, a bound, a gap and duals.

The MIP's best plan is rounded, its whole-number columns are fixed and the rest is solved again
as a linear program; those values and duals are the published ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

import highspy
import numpy as np

from model.matrix import Matrix, Name, Vector

FINAL_SECONDS = 600.0
"""The plants are known and only a linear program is left: seconds on the largest books, but never for ever."""

REPORT_INTERVAL = 0.25
"""Seconds between two reports of progress, at least."""


SOLVED = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty)
"""A model without rows and columns, as from a book without demand, is solved by doing nothing."""


class Status(StrEnum):
    """What is known of the plan, in the words that the result shows."""

    OPTIMAL = "proven optimal within the gap asked for"
    LIMIT = "best plan found when stopped"
    NO_PLAN_FOUND = "stopped before any plan was found"
    INFEASIBLE = "no plan exists"
    ERROR = "the solver failed"

    @property
    def has_plan(self) -> bool:
        """Whether there are values to report."""
        return self in (Status.OPTIMAL, Status.LIMIT)


@dataclass(frozen=True)
class SolveOptions:
    """How long and how exactly to solve.

    Parameters
    ----------
    absolute_gap, relative_gap
        Stop when the plan is proven within either: MUSD of the least cost, or a share of it.
    time_limit
        Wall-clock seconds.
    threads, seed
        Of HiGHS.
    """

    absolute_gap: float = 1.0
    relative_gap: float = 0.0
    time_limit: float = 900.0
    threads: int = 2
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """Where a solve stands; infinite incumbent or bound: none yet."""

    seconds: float
    incumbent: float
    bound: float
    nodes: int

    @property
    def gap(self) -> float:
        """Return incumbent less bound, MUSD."""
        return self.incumbent - self.bound


ProgressFunction = Callable[[Progress], None]


@dataclass(frozen=True)
class Outcome:
    """What the solver can say, of the same shape whatever happened.

    Parameters
    ----------
    objective, bound, gap
        MUSD; NaN where unknown. `bound` holds for the whole model.
    values
        One entry a column of the matrix; empty without a plan.
    row_duals
        MUSD per unit of a row's right-hand side, with the plants as built; empty without a plan.
    seconds
        Wall clock of the MIP and of the final linear program.
    log
        What was done, one sentence a step.
    """

    status: Status
    termination: str
    objective: float
    bound: float
    values: Vector
    row_duals: Vector
    seconds: dict[str, float] = field(default_factory=dict)
    nodes: int = 0
    log: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """Return objective less bound in MUSD; NaN where unknown."""
        return float(np.maximum(0.0, self.objective - self.bound))


def _refuse_what_is_no_number(matrix: Matrix) -> None:
    """Raise ValueError that names a column or row with a figure that is no number; HiGHS would take it."""
    of_entry = np.repeat(np.arange(len(matrix.cost)), np.diff(matrix.a.indptr))
    of_column = ~np.isfinite(matrix.cost) | np.isnan(matrix.lower) | np.isnan(matrix.upper)
    columns = np.concatenate([np.flatnonzero(of_column), of_entry[~np.isfinite(matrix.a.data)]])
    rows = np.flatnonzero(np.isnan(matrix.row_lower) | np.isnan(matrix.row_upper))
    for names, bad in ((matrix.columns, columns), (matrix.rows, rows)):
        if bad.size:
            component, index = names[bad[0]]
            raise ValueError(f"a figure of {component}[{index}] is not a number")


def load(matrix: Matrix, options: SolveOptions, threads: int | None = None) -> highspy.Highs:
    """Return a silent HiGHS instance that holds the matrix; ValueError for figures that are no numbers."""
    _refuse_what_is_no_number(matrix)
    if threads is None:
        highspy.Highs.resetGlobalScheduler(True)  # the thread count is otherwise fixed by a process's first solve
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", options.threads if threads is None else threads)
    highs.setOptionValue("random_seed", options.seed)
    model = highspy.HighsModel()
    lp = model.lp_
    lp.num_col_, lp.num_row_ = len(matrix.cost), len(matrix.row_lower)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = matrix.cost, matrix.lower, matrix.upper
    lp.row_lower_, lp.row_upper_, lp.offset_ = matrix.row_lower, matrix.row_upper, matrix.offset
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.a.indptr, matrix.a.indices, matrix.a.data
    if matrix.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(whole)] for whole in matrix.integer]
    if highs.passModel(model) == highspy.HighsStatus.kError:
        raise ValueError("HiGHS refused the model")
    return highs


class _Watch:
    """Reports progress and stops the solver on a deadline, on Ctrl-C or when the report fails."""

    def __init__(self, highs: highspy.Highs, deadline: float, progress: ProgressFunction | None) -> None:
        self.deadline, self.progress, self.stop = deadline, progress, threading.Event()
        self.started = time.monotonic()
        self.next_report = self.started
        self.failure: Exception | None = None
        kinds = highspy.cb.HighsCallbackType
        highs.callbacks[int(kinds.kCallbackMipInterrupt)].subscribe(self._search)
        for kind in (kinds.kCallbackSimplexInterrupt, kinds.kCallbackIpmInterrupt):
            highs.callbacks[int(kind)].subscribe(self._interrupt)

    def _interrupt(self, event: highspy.highs.HighsCallbackEvent) -> None:
        if self.stop.is_set() or time.monotonic() > self.deadline:
            event.interrupt()

    def _search(self, event: highspy.highs.HighsCallbackEvent) -> None:
        # a silent HiGHS fires no logging event, so the state is read where the search may be stopped
        now = time.monotonic()
        if self.progress is not None and now >= self.next_report:
            self.next_report = now + REPORT_INTERVAL
            out = event.data_out
            try:
                self.progress(Progress(now - self.started, out.mip_primal_bound, out.mip_dual_bound, int(out.mip_node_count)))
            except Exception as failure:  # raised again by run_watched: an exception must not unwind the solver's own frames
                self.failure, self.progress = failure, None
                self.stop.set()
        self._interrupt(event)


def run_watched(highs: highspy.Highs, seconds: float, progress: ProgressFunction | None = None) -> bool:
    """Run HiGHS in a thread of its own so that Ctrl-C and the deadline reach it.

    Returns
    -------
    bool
        True if the user interrupted the run.

    Raises
    ------
    Exception
        Whatever `progress` raised, once the solver has stopped.
    """
    watch = _Watch(highs, time.monotonic() + seconds, progress)
    highs.setOptionValue("time_limit", float(highs.getRunTime() + seconds))
    done = threading.Event()

    def run() -> None:
        try:
            highs.run()
        finally:
            done.set()

    threading.Thread(target=run, daemon=True).start()
    interrupted = False
    while True:
        try:
            # an event of our own: Thread.join, once interrupted, takes a running thread for a finished one
            while not done.wait(0.1):
                pass
        except KeyboardInterrupt:
            interrupted = True
            watch.stop.set()
            continue
        if watch.failure is not None:
            raise watch.failure
        return interrupted


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
    found = search(matrix, options, progress, start)
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
        return "Interrupted by the user" if interrupted else "Time limit reached"
    return highs.modelStatusToString(state)


def _status(highs: highspy.Highs, interrupted: bool) -> Status:
    state = highs.getModelStatus()
    if state in SOLVED:
        return Status.OPTIMAL
    if state in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return Status.INFEASIBLE
    feasible = highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if state in (highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kInterrupt) or interrupted:
        # an interrupted linear program holds a point, but not a whole-number one
        return Status.LIMIT if feasible else Status.NO_PLAN_FOUND
    return Status.ERROR


def infeasible(matrix: Matrix, options: SolveOptions, seconds_left: float, seconds: dict[str, float]) -> Outcome:
    """Return "no plan exists" once a second solve agrees: it has been wrong before.

    The second solve has no presolve and another seed. Where it finds a point, nobody can be believed;
    where it runs out of time, the first answer stands and the termination says so.
    """
    began = time.monotonic()
    highs = load(matrix, replace(options, seed=options.seed + 1))
    highs.setOptionValue("presolve", "off")
    run_watched(highs, max(5.0, seconds_left))
    seconds = {**seconds, "second opinion": time.monotonic() - began}
    state = highs.getModelStatus()
    if highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible and matrix.integer.any() | (
        state in SOLVED
    ):
        return without_plan(Status.ERROR, "one setting of the solver finds no plan possible, another does not", seconds)
    if state in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return without_plan(Status.INFEASIBLE, "Infeasible, by two settings of the solver", seconds)
    return without_plan(Status.INFEASIBLE, "Infeasible; the second setting of the solver ran out of time", seconds)


def without_plan(status: Status, termination: str, seconds: dict[str, float]) -> Outcome:
    """Return an outcome without values."""
    nan = float("nan")
    return Outcome(status, termination, nan, nan, np.empty(0), np.empty(0), seconds)


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
    run_watched(highs, FINAL_SECONDS)
    seconds = {**seconds, "final linear program": time.monotonic() - began}
    if highs.getModelStatus() not in SOLVED:
        return without_plan(Status.ERROR, "the plan does not survive rounding its plants to whole numbers", seconds)
    solution = highs.getSolution()
    objective = highs.getInfo().objective_function_value
    published = np.clip(np.array(solution.col_value), lower, upper)  # the solver may overstep a bound by its tolerance
    bound = min(found.bound, objective)
    status = found.status
    slack = 1e-6 * max(1.0, abs(objective))  # the linear program may differ from the search by the solver's tolerances
    if status is Status.OPTIMAL and objective - bound > max(options.absolute_gap, options.relative_gap * abs(objective)) + slack:
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
