"""What the benchmarks time: one solve by the planner or by the plain reference, and how they are set side by side."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import highspy

from model.goal import LEAST_COST, Goal
from model.outcome import SolveOptions, Status
from model.planner import Plan, solve
from model.problem_builder import build_problem
from model.studies.plan_figures import verdict
from model.tables import Tables
from tests.benchmarks.plain import solve_plain

T = TypeVar("T")

PROVEN, NO_PLAN = "convergenceCriteriaSatisfied", ("provenInfeasible", "infeasibleOrUnbounded")
"""Pyomo's words for a plan within the gap, and for the proof that there is none."""

TOLERANCE = 1e-6
"""Share of the cost by which two proofs may miss each other."""


@dataclass(frozen=True)
class Timing:
    """One solve.

    Parameters
    ----------
    seconds
        Wall clock; the limit where that came first.
    objective, bound
        MUSD; NaN where there is none.
    settled
        Proven within the gap asked for, or proven that no plan exists.
    impossible
        Proven that no plan exists.
    verdict
        Of independent verification; the status where there is nothing to verify.
    """

    seconds: float
    objective: float
    bound: float
    settled: bool
    impossible: bool = False
    verdict: str = ""

    @property
    def gap(self) -> float:
        """Return objective less bound, MUSD; NaN where unknown."""
        return self.objective - self.bound

    @property
    def sound(self) -> bool:
        """Whether the solve counts: settled, and its plan verified."""
        return self.settled and (self.impossible or self.verdict == "passed")


def timing_of(plan: Plan, seconds: float) -> Timing:
    """Return what a plan says of its solve."""
    solution = plan.solution
    impossible = solution.status is Status.INFEASIBLE
    return Timing(
        seconds, solution.objective, solution.bound, impossible or solution.status is Status.OPTIMAL, impossible, verdict(plan)
    )  # fmt: skip


def run_planner(tables: Tables, options: SolveOptions, goal: Goal = LEAST_COST, cutoff: float = math.inf) -> Timing:
    """Solve cold and alone, from tables to verified plan."""
    began = time.perf_counter()
    plan = solve(tables, options, goal=goal, cutoff=cutoff)
    return timing_of(plan, time.perf_counter() - began)


def run_reference(tables: Tables, options: SolveOptions) -> Timing:
    """Solve by the plain reference; making the problem and checking the plan are not counted to it.

    Raises
    ------
    RuntimeError
        The reference ended in another way than by proof or at its limit.
    """
    problem = build_problem(tables)
    highspy.Highs.resetGlobalScheduler(True)  # the thread count is otherwise fixed by a process's first solve
    began = time.perf_counter()
    try:
        found = solve_plain(problem, options.absolute_gap, options.time_limit, options.threads)
    except ValueError as error:
        if "infeasible" not in str(error):
            raise
        # Pyomo refuses a row that nothing can meet while the model is written
        return Timing(time.perf_counter() - began, math.nan, math.nan, True, True)
    if found.termination not in (PROVEN, "maxTimeLimit", *NO_PLAN):
        raise RuntimeError(f"the reference ended with {found.termination}")
    impossible = found.termination in NO_PLAN
    settled = impossible or found.termination == PROVEN
    objective = found.objective if math.isfinite(found.objective) else math.nan
    return Timing(found.seconds if settled else options.time_limit, objective, found.bound, settled, impossible)


def median_run(task: Callable[[], Timing], repeats: int) -> Timing:
    """Run a task several times and return its median time; one that met its limit is not run again."""
    runs = [task()]
    while len(runs) < repeats and runs[-1].settled:
        runs.append(task())
    seconds = statistics.median(run.seconds for run in runs)
    poorest = next((run for run in runs if not run.settled), None) or next((run for run in runs if not run.sound), runs[0])
    return replace(poorest, seconds=seconds if poorest.settled else poorest.seconds)


def contradict(one: Timing, other: Timing) -> bool:
    """Return whether what two solves of the same tables prove cannot both be true."""
    if one.impossible or other.impossible:
        return not (one.impossible and other.impossible) and not (math.isnan(one.objective) and math.isnan(other.objective))
    return _below(one, other) or _below(other, one)


def _below(one: Timing, other: Timing) -> bool:
    """Whether a plan is cheaper than the other's bound allows."""
    return one.objective < other.bound - TOLERANCE * abs(other.bound)


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of positive numbers."""
    return math.exp(statistics.fmean(math.log(value) for value in values))


def drawn(items: Sequence[T], count: int, seed: int) -> list[T]:
    """Return so many of the items, in their order, chosen by a seed; all where `count` is 0 or no less than there are."""
    if count <= 0 or count >= len(items):
        return list(items)
    places = sorted(random.Random(seed).sample(range(len(items)), count))
    return [items[place] for place in places]


def remark(ours: Timing, reference: Timing) -> str:
    """Return what keeps a pair of solves from being a plain comparison; empty where nothing does."""
    words = []
    if not ours.settled:
        meaning = "at least this" if reference.settled else "of no meaning: the reference stopped at its limit too"
        words.append(f"NOT PROVEN within the limit: the ratio is {meaning}")
    elif not reference.settled:
        words.append("the reference stopped at its limit: the ratio is an upper bound")
    if ours.verdict == "FAILED":
        words.append("FAILED verification")
    if contradict(ours, reference):
        words.append("the two CONTRADICT each other")
    return "; ".join(words)
