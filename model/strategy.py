"""How a problem is solved: relaxation, covers, a restricted search, proof on what is left.

Every bound holds for the whole model. A build is dropped only when the relaxation's bound plus
its reduced cost exceeds the cost of a plan in hand, so no better plan can use it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import highspy
import numpy as np

from model.covers import CapacityCovers
from model.matrix import Matrix, Row, Vector
from model.problem import BuildKey, Problem
from model.solver import (
    SOLVED,
    Outcome,
    Progress,
    ProgressFunction,
    Search,
    SolveOptions,
    Status,
    infeasible,
    load,
    publish,
    run_watched,
    search,
    solve_matrix,
    without_plan,
)  # fmt: skip

FEW_WHOLE_COLUMNS = 400
"""Below it HiGHS alone is faster than any preparation."""

RESTRICTED_COLUMNS = 150
"""Whole-number columns that the restricted search may use."""

QUICK_HOSTS, QUICK_COLUMNS = 6, 60
"""Hosts and whole-number columns of the first try: closed hosts take their feeds and deliveries out of the model."""

NEAR = 0.002
"""Once a plan is within this share of the bound, sub-searches for better ones cost more than they bring."""

MOST_ROUNDS = 60
Say = Callable[[str], None]


@dataclass(frozen=True)
class Relaxation:
    """The linear relaxation after its covers: bound, reduced costs and the covers that bind."""

    status: Status
    bound: float
    values: Vector
    reduced_costs: Vector
    covers: tuple[Row, ...]
    interrupted: bool


def solve_problem(
    problem: Problem,
    matrix: Matrix,
    options: SolveOptions,
    progress: ProgressFunction | None = None,
    say: Say = lambda _: None,
    start: tuple[BuildKey, ...] = (),
    cutoff: float = math.inf,
) -> Outcome:
    """Solve a compiled problem by the strategy that suits its size.

    Parameters
    ----------
    problem, matrix
        The two forms of one model.
    options
        Gap, time and threads; the time limit holds for all steps together.
    progress
        Called with the state of the search.
    say
        Called with a sentence at each step.

    Returns
    -------
    Outcome
        Of the whole model.
    """
    # where nothing has a price, reduced costs tell no build from another
    if matrix.integer.sum() <= FEW_WHOLE_COLUMNS or not matrix.cost.any():
        return solve_matrix(matrix, options, progress)
    clock = _Clock(options.time_limit)
    relaxation = relax(problem, matrix, options, clock)
    clock.lap("relaxation")
    if relaxation.interrupted or relaxation.status is Status.NO_PLAN_FOUND:
        return without_plan(Status.NO_PLAN_FOUND, "stopped in the linear relaxation", clock.laps)
    if relaxation.status is not Status.OPTIMAL:
        return solve_matrix(matrix, replace(options, time_limit=clock.left()), progress)
    say(f"Linear relaxation: no plan can cost less than {relaxation.bound:,.1f} MUSD ({len(relaxation.covers)} capacity covers bind)")
    tight = matrix.with_rows(relaxation.covers)
    first = _first_plan(tight, relaxation, options, clock, progress)
    clock.lap("first plan")
    if first.interrupted or clock.left() <= 0:
        if first.status.has_plan:
            return publish(matrix, replace(first, status=Status.LIMIT, bound=relaxation.bound), options, clock.laps)
        return without_plan(Status.NO_PLAN_FOUND, first.termination, clock.laps)
    left, dropped = _drop_dear_builds(tight, relaxation, first)
    if first.status.has_plan:
        say(
            f"First plan: {first.objective:,.1f} MUSD; {dropped:,} of {matrix.integer.sum():,} possible builds cannot be part of a cheaper one"
        )
    rest = replace(options, time_limit=clock.left())
    held = first.status.has_plan
    shown = _floored(progress, relaxation.bound, first.objective if held else float("inf"), clock)
    near = held and first.objective - relaxation.bound <= NEAR * abs(first.objective)
    found = search(left, rest, shown, first.values if held else None, not near)
    clock.lap("proof")
    found = _better(found, first, relaxation.bound)
    if found.status.has_plan:
        return publish(matrix, found, options, clock.laps)
    if found.status is Status.INFEASIBLE:
        return infeasible(matrix, options, clock.left(), clock.laps)
    return without_plan(found.status, found.termination, clock.laps)


class _Clock:
    """Times the steps of a solve against one limit."""

    def __init__(self, limit: float) -> None:
        self.began = self.last = time.monotonic()
        self.limit = limit
        self.laps: dict[str, float] = {}

    def left(self) -> float:
        return self.limit - (time.monotonic() - self.began)

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name] = now - self.last
        self.last = now


def _floored(progress: ProgressFunction | None, bound: float, most: float, clock: _Clock) -> ProgressFunction | None:
    """Report the relaxation's bound until the search has a better one, on the clock of the whole solve.

    A search among some builds proves nothing about the others beyond `most`.
    """
    if progress is None:
        return None
    return lambda state: progress(Progress(clock.limit - clock.left(), state.incumbent, min(max(state.bound, bound), most), state.nodes))


def relax(problem: Problem, matrix: Matrix, options: SolveOptions, clock: _Clock) -> Relaxation:
    """Solve the linear relaxation and tighten it with capacity covers while they pay.

    A round that is not solved to its end leaves the relaxation of the round before, whose bound and
    reduced costs hold as they are.
    """
    highs = load(matrix.relaxed(), options)
    interrupted = run_watched(highs, clock.left())
    state = highs.getModelStatus()
    if state not in SOLVED:
        stopped = interrupted or state in (highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kInterrupt)
        status = Status.NO_PLAN_FOUND if stopped else Status.INFEASIBLE
        return Relaxation(status, float("nan"), np.empty(0), np.empty(0), (), interrupted)
    covers = CapacityCovers(problem, matrix)
    added: list[Row] = []
    best = _relaxation_of(highs, matrix, added)
    idle = 0
    for _ in range(MOST_ROUNDS):
        rows = covers.violated(np.array(highs.getSolution().col_value))
        if not rows or idle >= 3 or clock.left() < 0.5 * clock.limit:
            break
        for row in rows:
            highs.addRow(row.lower, row.upper, row.columns.size, row.columns.astype(np.int32), row.coefficients)
        interrupted = run_watched(highs, clock.left())
        if interrupted or highs.getModelStatus() not in SOLVED:
            return replace(best, interrupted=interrupted)
        added += rows
        bound, best = best.bound, _relaxation_of(highs, matrix, added)
        idle = idle + 1 if best.bound - bound < 0.1 * max(options.absolute_gap, options.relative_gap * abs(bound)) else 0
    return best


def _relaxation_of(highs: highspy.Highs, matrix: Matrix, added: list[Row]) -> Relaxation:
    """Read a solved relaxation, keeping the covers that bind in it."""
    solution = highs.getSolution()
    duals = np.array(solution.row_dual)[len(matrix.row_lower) :]
    binding = tuple(row for row, dual in zip(added, duals, strict=True) if abs(dual) > 1e-9)
    values, costs = np.array(solution.col_value), np.array(solution.col_dual)
    return Relaxation(Status.OPTIMAL, highs.getInfo().objective_function_value, values, costs, binding, False)


def _keep_only(matrix: Matrix, kept: np.ndarray) -> Matrix:
    """Return the matrix with whole-number columns outside `kept` fixed at their lower bounds."""
    upper = matrix.upper.copy()
    shut = matrix.integer & ~kept
    upper[shut] = matrix.lower[shut]
    return matrix.with_bounds(matrix.lower, upper)


def _first_plan(matrix: Matrix, relaxation: Relaxation, options: SolveOptions, clock: _Clock, progress: ProgressFunction | None) -> Search:
    """Search among the builds that the relaxation likes best: at few hosts first, then anywhere."""
    shown = _floored(progress, relaxation.bound, relaxation.bound, clock)
    for kept, slack in ((_at_likely_hosts(matrix, relaxation), 10), (_likeliest(matrix, relaxation, RESTRICTED_COLUMNS), 3)):
        loose = replace(
            options,
            absolute_gap=slack * options.absolute_gap,
            relative_gap=max(options.relative_gap, min(slack * options.relative_gap, NEAR)),
            time_limit=0.5 * clock.left(),
        )
        found = search(_keep_only(matrix, kept), loose, shown)
        if found.status.has_plan or found.interrupted or clock.left() <= 0:
            return found
    return found


def _likeliest(matrix: Matrix, relaxation: Relaxation, number: int) -> np.ndarray:
    """Mark the whole-number columns with the smallest reduced costs."""
    costs = np.where(matrix.integer, relaxation.reduced_costs, np.inf)
    return costs <= np.partition(costs, number)[number]


def _at_likely_hosts(matrix: Matrix, relaxation: Relaxation) -> np.ndarray:
    """Mark the likeliest builds at the likeliest hosts, and whatever the relaxation itself builds."""
    builds = np.flatnonzero(matrix.integer)
    hosts = np.array([str(matrix.columns[column][1][0]) for column in builds])  # type: ignore[index]
    costs = relaxation.reduced_costs[builds]
    score = {h: float(np.sort(costs[hosts == h])[:10].mean()) for h in dict.fromkeys(hosts)}
    likely = np.isin(hosts, sorted(score, key=lambda h: score[h])[:QUICK_HOSTS])
    inside = np.where(likely, costs, np.inf)
    kept = np.zeros(len(matrix.integer), dtype=bool)
    kept[builds] = (inside <= np.sort(inside)[min(QUICK_COLUMNS, builds.size) - 1]) & likely
    kept[builds] |= relaxation.values[builds] > 1e-6
    return kept


def _drop_dear_builds(matrix: Matrix, relaxation: Relaxation, first: Search) -> tuple[Matrix, int]:
    """Fix builds that no plan cheaper than the first can use."""
    if not first.status.has_plan:
        return matrix, 0
    room = first.objective - relaxation.bound + 1e-6 * abs(first.objective)
    kept = relaxation.reduced_costs <= room
    return _keep_only(matrix, kept), int((matrix.integer & ~kept).sum())


def _better(found: Search, first: Search, bound: float) -> Search:
    """Return the better of two plans with the bound that holds for the whole model.

    Dropped builds belong to plans that cost at least the first one, so the bound of the search on the
    rest holds for all once it is no more than the first plan's cost.
    """
    if not first.status.has_plan:
        return replace(found, bound=max(found.bound, bound)) if found.status.has_plan else found
    proven = max(bound, min(found.bound if np.isfinite(found.bound) else bound, first.objective))
    if found.status.has_plan and found.objective <= first.objective:
        return replace(found, bound=min(proven, found.objective))
    if found.status is Status.INFEASIBLE:
        # nothing cheaper is left: the first plan is the best one
        return replace(first, status=Status.OPTIMAL, bound=first.objective, termination="no cheaper plan is left")
    return replace(
        first, status=found.status if found.status is Status.OPTIMAL else Status.LIMIT, bound=proven, termination=found.termination
    )
