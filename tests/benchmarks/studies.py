"""What studies gain by reuse: a frontier and the alternatives over the questions that they answer, each solved cold and alone.

The studies run as in a run of the planner, side by side in the same processes, each solve on one thread and started from what is known.
Every solve that they ask for is noted and then repeated one by one through the same `solve()`, without a start and, for the
frontier, without the cutoff taken from a neighbour: on one thread, as the studies solve it, and on all threads, as a run solves its
own plan. An alternative keeps its cutoff: how dear it may be is part of the question.
The levels that the frontier shows without a solve, as a neighbour's plan settles them, are solved cold too: that is reuse as well.
The run's own plan is needed before either and counted to neither.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.batch import solve_cases, solve_one
from model.goal import LEAST_COST, Goal
from model.outcome import SolveOptions
from model.planner import Plan, solve
from model.studies import alternatives, frontier
from model.studies.cap_levels import with_cap_level
from model.studies.cap_sweep import PERCENT, Frontier
from model.studies.frontier import trace_frontiers
from model.studies.study import StudyContext
from model.tables import Tables
from model.workers import Workers, as_they_end
from tests.benchmarks.arguments import add_solve_arguments
from tests.benchmarks.books import read_tables
from tests.benchmarks.measuring import Timing, contradict, drawn, run_planner, timing_of

SOLVED_TO_SETTLED = 3
"""Solved questions of a sample for each settled one."""


@dataclass(frozen=True)
class Question:
    """What a study answered, by a solve or from its neighbours, and what came of it."""

    name: str
    tables: Tables
    options: SolveOptions
    goal: Goal
    cutoff: float
    answer: Timing
    solved: bool = True


@dataclass(frozen=True)
class Alone:
    """Seconds of solves cold and alone: of questions that a study solved, and of those that it settled from their neighbours."""

    solved: list[float]
    settled: list[float]


def run_studies(context: StudyContext, workers: Workers) -> tuple[float, dict[str, float], list[Question]]:
    """Run both studies side by side, as a run of the planner does; return the seconds of both, when each ended, and every question in them."""
    asked: list[Question] = []
    traced: list[Frontier] = []

    def noting_frontiers(context: StudyContext) -> list[Frontier]:
        traced.extend(trace_frontiers(context))
        return traced

    def noting_cases(cases: Any, options: SolveOptions, *rest: Any, **hints: Any) -> Iterator[tuple[Any, Plan]]:
        for case, plan in solve_cases(cases, options, *rest, **hints):
            asked.append(Question(case.name, case.tables, options, case.goal, math.inf, timing_of(plan, plan.seconds)))
            yield case, plan

    def noting_solve(tables: Tables, options: SolveOptions, goal: Goal = LEAST_COST, cutoff: float = math.inf, **rest: Any) -> Plan:
        plan = solve_one(tables, options, goal=goal, cutoff=cutoff, **rest)
        name = f"other than {len(goal.excluded_host_sets)} host sets"
        asked.append(Question(name, tables, options, goal, cutoff, timing_of(plan, plan.seconds)))
        return plan

    def run(study: str, workers: Workers) -> None:
        {"frontier": frontier.run, "alternatives": alternatives.run}[study](replace(context, workers=workers))

    ends = {}
    with (
        patch.object(frontier, "solve_cases", noting_cases),
        patch.object(frontier, "trace_frontiers", noting_frontiers),
        patch.object(alternatives, "solve_one", noting_solve),
    ):
        began = time.perf_counter()
        for study, _ in as_they_end(run, ("alternatives", "frontier"), workers, at_once=workers.count):
            ends[study] = time.perf_counter() - began
    return max(ends.values()), ends, [*asked, *(question for each in traced for question in settled_levels(context, each))]


def settled_levels(context: StudyContext, traced: Frontier) -> Iterator[Question]:
    """Yield the levels that a frontier shows though they were never solved."""
    for point in traced.sweep.shown():
        if point.found_at != point.level:
            answer = Timing(0.0, point.cost, point.bound, True, point.impossible, point.verdict)
            tables = with_cap_level(context.tables, traced.scope, point.level / PERCENT)
            yield Question(
                f"{traced.scope.name} at {point.level:g} %, settled", tables, context.options, LEAST_COST, math.inf, answer, False
            )


def scaled(seconds: Sequence[float], number: int) -> float:
    """Return the sum for so many solves, of which some were timed; NaN where none of several was."""
    return sum(seconds) * number / len(seconds) if seconds else math.nan if number else 0.0


def main() -> int:
    """Print every solve and the ratio; 1 where a study's plan is not proven or not verified, or a repeat contradicts it."""
    parser = argparse.ArgumentParser(description="Time two studies against the same solves cold and alone.")
    add_solve_arguments(parser, "processor threads of a solve alone, and solves that run at once")
    parser.add_argument("--scopes", help="frontier_scopes of the frontier; those of the book if left out")
    parser.add_argument("--points", type=int, default=11, help="levels of the frontier")
    parser.add_argument("--count", type=int, default=5, help="alternatives, the least-cost plan included")
    parser.add_argument(
        "--sample",
        type=int,
        default=0,
        help=f"solved questions to repeat cold, and one settled for each {SOLVED_TO_SETTLED} of them; the rest scaled; 0: all",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    given = parser.parse_args()
    tables = read_tables(given.book, given.scenario)
    tables = tables.with_settings(frontier_points=given.points, alternatives_count=given.count)
    if given.scopes is not None:
        tables = tables.with_settings(frontier_scopes=given.scopes)
    options = SolveOptions(absolute_gap=given.gap, time_limit=given.limit, threads=given.threads)
    own = solve(tables, options)
    if not (own.solution.status.has_plan and own.verification.passed):
        print(f"no verified plan to study: {own.solution.status}")
        return 1
    context = StudyContext(tables, own, options, given.threads, lambda line: print(line, file=sys.stderr, flush=True))
    with Workers(given.threads, is_shared=True) as workers:
        seconds, ends, asked = run_studies(context, workers)
    # some of either kind: what is not timed at all cannot be scaled
    repeated = [*drawn([one for one in asked if one.solved], given.sample, given.seed)]
    repeated += drawn([one for one in asked if not one.solved], math.ceil(given.sample / SOLVED_TO_SETTLED), given.seed)
    alone = {count: Alone([], []) for count in sorted({1, given.threads})}
    print(
        f"{'question':<42} {'MUSD':>13} {'gap':>9} {'s':>9} " + " ".join(f"{f'cold s, {count}':>9}" for count in alone) + "  verification"
    )
    sound = True
    for one in asked:
        line = f"{one.name:<42} {one.answer.objective:>13,.3f} {one.answer.gap:>9.3f} {one.answer.seconds:>9.2f}"
        sound &= one.answer.sound
        late = "" if one.answer.settled else "  stopped at its limit"
        for count, cold in alone.items() if any(one is other for other in repeated) else ():
            again = run_planner(one.tables, replace(one.options, threads=count), one.goal, one.cutoff)
            (cold.solved if one.solved else cold.settled).append(again.seconds)
            # a study may stop at a cutoff, beyond which the repeat still finds a plan
            apart = not one.answer.impossible and contradict(one.answer, again)
            sound &= again.verdict != "FAILED" and not apart
            late += "  the two CONTRADICT each other" if apart else ""
            late += "" if again.settled else "  cold, stopped at its limit: the ratio is an upper bound"
            line += f" {again.seconds:>9.2f}"
        print(f"{line}  {one.answer.verdict}{late}", flush=True)
    how = "" if len(repeated) == len(asked) else f", {len(repeated)} of them solved, chosen by seed {given.seed}, and scaled"
    print(f"{len(asked)} questions{how}")
    print("with reuse, side by side: " + ", ".join(f"{name} after {spent:,.1f} s" for name, spent in ends.items()))
    for count, cold in alone.items():
        solved = scaled(cold.solved, sum(one.solved for one in asked))
        settled = scaled(cold.settled, sum(not one.solved for one in asked))
        on = "on one thread, as in the studies" if count == 1 else f"on {count} threads"
        print(f"cold and alone, {on}: {solved:,.1f} s for those solved, {settled:,.1f} s for those settled")
        names = ("solved_only_ratio", "studies_ratio") if count == given.threads else ("solved_only_one_thread_ratio", "one_thread_ratio")
        for name, others in zip(names, (solved, solved + settled), strict=True):
            print(f"{name}: {seconds / others:.4f}")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
