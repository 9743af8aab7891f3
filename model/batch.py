"""Many solves through one executor: cases side by side, one thread each, in the order asked."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

from model.goal import LEAST_COST, Goal
from model.outcome import SolveOptions
from model.planner import Plan, solve
from model.problem import BuildKey
from model.tables import Tables


@dataclass(frozen=True)
class Case:
    """One solve of a batch.

    Parameters
    ----------
    name
        Unique in the batch.
    tables
        Validated inputs.
    goal
        What to look for.
    start
        Plants to try first, such as those of a neighbouring case; only a hint.
    cutoff
        Only plans cheaper than this are of interest, MUSD; where none is, the status is "no plan exists".
    held
        The plants of `start` stand and no others.
    """

    name: str
    tables: Tables
    goal: Goal = LEAST_COST
    start: tuple[BuildKey, ...] = ()
    cutoff: float = math.inf
    held: bool = False


def _solve_case(case: Case, options: SolveOptions) -> Plan:
    return solve(case.tables, options, goal=case.goal, start=case.start, cutoff=case.cutoff, held=case.held)


def solve_cases(
    cases: Sequence[Case], options: SolveOptions, workers: int = 2, say: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[Case, Plan]]:
    """Solve cases side by side and yield each with its verified plan, in the order given.

    Parameters
    ----------
    cases
        Independent of each other; a case that wants another's plan as its start belongs in a later batch.
    options
        For each solve; threads are set to one where several run at once.
    workers
        Solves that run at once; with 1, or a single case, everything happens in this process.
    say
        Called with one sentence as each case ends.
    """
    single = replace(options, threads=1)
    if workers <= 1 or len(cases) <= 1:
        for number, case in enumerate(cases, 1):
            plan = _solve_case(case, options)
            say(f"{number} of {len(cases)}: {case.name}, {plan.solution.status}")
            yield case, plan
        return
    with ProcessPoolExecutor(max_workers=min(workers, len(cases)), mp_context=multiprocessing.get_context("spawn")) as pool:
        results = pool.map(_solve_case, cases, [single] * len(cases))
        for number, (case, plan) in enumerate(zip(cases, results, strict=True), 1):
            say(f"{number} of {len(cases)}: {case.name}, {plan.solution.status}")
            yield case, plan
