"""From tables to a verified plan: the one solve() whose clients are run.py and every study."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import numpy as np

from model.compiling import compile_tables
from model.goal import LEAST_COST, Goal
from model.hot_start import HotStart
from model.matrix import Matrix
from model.outcome import ProgressFunction, SolveOptions, Status, without_plan
from model.problem import BuildKey, Problem
from model.solution import Solution, build_solution, empty_tables
from model.solver import solve_matrix
from model.strategy import solve_problem
from model.tables import Tables
from model.verification import VerificationReport, verify_solution

NOTHING_TO_VERIFY = VerificationReport(empty_tables()["checks"], [])


@dataclass(frozen=True)
class Plan:
    """A solution with the inputs it answers, the verdict of independent verification and what helps the search of a neighbour."""

    tables: Tables
    problem: Problem
    solution: Solution
    verification: VerificationReport
    size: dict[str, float]
    hot: HotStart | None = field(default=None, repr=False)

    @property
    def verified(self) -> bool:
        """Whether there is a plan that passed verification: only of such a plan may a study report figures."""
        return self.solution.status.has_plan and self.verification.passed

    @property
    def seconds(self) -> float:
        """Seconds from tables to the verified plan."""
        return sum(self.solution.seconds.values())


def options_from(tables: Tables) -> SolveOptions:
    """Return the solver options of the settings sheet."""
    return SolveOptions(
        absolute_gap=tables.setting("absolute_gap"),
        relative_gap=tables.setting("relative_gap"),
        time_limit=tables.setting("time_limit"),
        threads=int(tables.setting("threads")),
    )


def solve(
    tables: Tables,
    options: SolveOptions | None = None,
    progress: ProgressFunction | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    goal: Goal = LEAST_COST,
    start: tuple[BuildKey, ...] = (),
    cutoff: float = math.inf,
    held: bool = False,
    enough: float = -math.inf,
    hot: HotStart | None = None,
    hands_on: bool = True,
) -> Plan:
    """Find the least-cost plan of validated tables and verify it.

    Parameters
    ----------
    tables
        Validated inputs, scenario changes applied.
    options
        Solver options; those of the settings sheet if left out.
    progress
        Called while the search runs.
    say
        Called with a sentence at each step.
    goal
        What to look for.
    start
        Plants to try first; only a hint, unless `held`.
    cutoff
        Only plans cheaper than this are looked for, MUSD; where none is, the status is "no plan exists".
    held
        The plants of `start` stand and no others: what is found is what they cost at least. The cutoff does not count.
    enough
        A plan that costs no more than this may end the search before its proof, MUSD; its status is then "best plan found when stopped".
    hot
        From the plan of a neighbouring question; only a hint.
    hands_on
        Whether the plan says what helps the search of a neighbour.

    Returns
    -------
    Plan
        Also when no plan exists or none was found; see ``plan.solution.status``.
    """
    options = options or options_from(tables)
    began = time.monotonic()
    problem, matrix = compile_tables(tables, goal)
    built = time.monotonic()
    size = matrix_size(matrix)
    say(
        f"Model built: {size['columns']:,.0f} columns ({size['binaries']:,.0f} yes/no), {size['rows']:,.0f} rows, {size['nonzeros']:,.0f} nonzeros"
    )
    if not held:
        hot = hot if goal.objective == "cost" else None
        outcome = solve_problem(problem, matrix, options, progress, say, start, cutoff, enough, hot, hands_on)
    elif (fixed := with_plants_held(matrix, start)) is not None:
        outcome = solve_matrix(fixed, options, progress)
    else:
        outcome = without_plan(Status.INFEASIBLE, "a plant that is to stand cannot be built", {})
    solved = time.monotonic()
    solution = build_solution(tables, problem, matrix, outcome, goal)
    verification = verify_solution(tables, solution.tables, solution.objective, goal) if solution.status.has_plan else NOTHING_TO_VERIFY
    seconds = {"model": built - began, **outcome.seconds, "tables and verification": time.monotonic() - solved}
    solution = replace(solution, seconds=seconds, tables={**solution.tables, "checks": verification.table})
    return Plan(tables, problem, solution, verification, size, outcome.hot)


def with_plants_held(matrix: Matrix, plants: Collection[BuildKey]) -> Matrix | None:
    """Return the matrix with these plants built and no others; None where one of them cannot be built."""
    builds = [position for position, (component, _) in enumerate(matrix.columns) if component == "build"]
    stands = np.array([matrix.columns[position][1] in plants for position in builds], dtype=float)
    if stands.sum() < len(set(plants)) or (stands > matrix.upper[builds]).any() or (stands < matrix.lower[builds]).any():
        return None
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    lower[builds] = upper[builds] = stands
    return matrix.with_bounds(lower, upper)


def without_plants(tables: Tables) -> Tables:
    """Return the same inputs with no site to build at: what the markets would pay without joint plants."""
    hosts = tables["hosts"].copy()
    hosts["candidate"] = "no"
    return tables.with_frames(hosts=hosts)


def matrix_size(matrix: Matrix) -> dict[str, float]:
    """Return counts and the coefficient range of a matrix."""
    low, high = matrix.coefficient_range()
    return {
        "columns": float(len(matrix.cost)), "binaries": float(matrix.integer.sum()), "rows": float(len(matrix.row_lower)),
        "nonzeros": float(matrix.a.nnz), "smallest coefficient": low, "largest coefficient": high,
    }  # fmt: skip
