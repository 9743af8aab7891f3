"""Many solves through one executor: cases side by side, one thread each, in the order asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from model.goal import LEAST_COST, Goal
from model.hot_start import HotStart
from model.outcome import SolveOptions
from model.planner import Plan, solve
from model.problem import BuildKey
from model.tables import Tables
from model.workers import Workers, count_of, is_shared, side_by_side


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
    enough
        A plan that costs no more than this may end the search before its proof, MUSD.
    hot
        From the plan of a question nearer than that of the batch; only a hint.
    hands_on
        Whether the plan keeps what helps the search of a neighbour: megabytes.
    """

    name: str
    tables: Tables
    goal: Goal = LEAST_COST
    start: tuple[BuildKey, ...] = ()
    cutoff: float = math.inf
    held: bool = False
    enough: float = -math.inf
    hot: HotStart | None = None
    hands_on: bool = False


def _solve_case(asked: tuple[Case, int], options: SolveOptions, hot: HotStart | None) -> Plan:
    case, threads = asked
    options = replace(options, threads=threads)
    return solve(
        case.tables, options, goal=case.goal, start=case.start, cutoff=case.cutoff, held=case.held, enough=case.enough,
        hot=case.hot or hot, hands_on=case.hands_on,
    )  # fmt: skip


def solve_cases(
    cases: Sequence[Case],
    options: SolveOptions,
    workers: int | Workers = 2,
    say: Callable[[str], None] = lambda _: None,
    hot: HotStart | None = None,
    urgency: float = 0.0,
) -> Iterator[tuple[Case, Plan]]:
    """Solve cases side by side and yield each with its verified plan, in the order given.

    Parameters
    ----------
    cases
        Independent of each other; a case that wants another's plan as its start belongs in a later batch.
    options
        For each solve. Where several run at once each has one thread, but for the last of them, which have as many as asked: they
        share the processors while all of them run, and whichever is left alone has the processors to itself.
    workers
        Solves that run at once, or processes that are there; with 1, or a single case, everything happens in this process. Where
        others share the processes each case has one thread.
    say
        Called with one sentence as each case ends.
    hot
        From the plan of a question near all of them; only a hint.
    urgency
        Where others share the processes, the higher goes first.
    """
    threads = [1] * len(cases) if is_shared(workers) else threads_of(len(cases), count_of(workers), options.threads)
    asked = list(zip(cases, threads, strict=True))
    results = side_by_side(partial(_solve_case, options=options, hot=hot), asked, workers, urgency)
    for number, (case, plan) in enumerate(zip(cases, results, strict=True), 1):
        count = f"{number} of {len(cases)}: " if len(cases) > 1 else ""
        say(f"{count}{case.name}, {plan.solution.status}")
        yield case, plan


def threads_of(cases: int, workers: int, threads: int) -> list[int]:
    """Return the threads of each case of a batch: one where others wait to take its place, all of them where it may be left alone."""
    lone = cases if workers <= 1 else workers
    return [threads if number >= cases - lone else 1 for number in range(cases)]


def solve_one(
    tables: Tables,
    options: SolveOptions,
    goal: Goal = LEAST_COST,
    start: tuple[BuildKey, ...] = (),
    cutoff: float = math.inf,
    hot: HotStart | None = None,
    workers: int | Workers = 1,
    urgency: float = 0.0,
) -> Plan:
    """Solve what waits for nothing and has no company, as :func:`model.planner.solve` does; where others share the processes, in one of them."""
    case = Case("", tables, goal, start, cutoff, hot=hot, hands_on=True)
    ((_, plan),) = solve_cases([case], options, workers, urgency=urgency)
    return plan
