"""Many solves through one executor: cases side by side, one thread each, in the order asked."""

from __future__ import annotations

import math
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from model.goal import LEAST_COST, Goal
from model.hot_start import HotStart
from model.outcome import SolveOptions
from model.planner import Plan, solve
from model.problem import BuildKey
from model.tables import Tables

Item = TypeVar("Item")
Result = TypeVar("Result")


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
    cases: Sequence[Case], options: SolveOptions, workers: int = 2, say: Callable[[str], None] = lambda _: None, hot: HotStart | None = None
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
        Solves that run at once; with 1, or a single case, everything happens in this process.
    say
        Called with one sentence as each case ends.
    hot
        From the plan of a question near all of them; only a hint.
    """
    asked = list(zip(cases, threads_of(len(cases), workers, options.threads), strict=True))
    results = side_by_side(partial(_solve_case, options=options, hot=hot), asked, workers)
    for number, (case, plan) in enumerate(zip(cases, results, strict=True), 1):
        say(f"{number} of {len(cases)}: {case.name}, {plan.solution.status}")
        yield case, plan


def threads_of(cases: int, workers: int, threads: int) -> list[int]:
    """Return the threads of each case of a batch: one where others wait to take its place, all of them where it may be left alone."""
    lone = cases if workers <= 1 else workers
    return [threads if number >= cases - lone else 1 for number in range(cases)]


_work: Callable[[Any], Any]
"""What this process was started for: sent once, not with every item."""


def _take_up(function: Callable[[Any], Any]) -> None:
    global _work
    _work = function
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """End this process with the one that it works for: one that is killed tells nobody, and a solve takes up to a quarter of an hour."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(item: Any) -> Any:
    return _work(item)


def side_by_side(function: Callable[[Item], Result], items: Sequence[Item], workers: int = 2) -> Iterator[Result]:
    """Yield what a function makes of each item, in order, so many at once, each in a process of its own.

    Parameters
    ----------
    function
        Of a module, or a ``partial`` of one.
    items
        Independent of each other.
    workers
        With 1, or a single item, everything happens in this process.
    """
    if workers <= 1 or len(items) <= 1:
        yield from map(function, items)
        return
    with ProcessPoolExecutor(
        max_workers=min(workers, len(items)), mp_context=multiprocessing.get_context("spawn"), initializer=_take_up, initargs=(function,)
    ) as pool:
        yield from pool.map(_do, items)
