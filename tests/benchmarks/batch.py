"""A batch through one executor over the same solves done cold and alone by the plain reference.

The batch is a frontier of the cap on all supply by value, and each candidate host forced to hold a plant of a
size by a year. Ours first solves the book as it is, as every run does before its studies, and the tightest level, possible at every other
one too; both plans start the rest. The first of the two is counted to ours alone: the reference is not asked for it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.batch import Case, solve_cases
from model.outcome import SolveOptions
from model.planner import Plan, solve
from model.problem_builder import build_problem
from model.studies.cap_levels import SCOPES, CapScope, with_cap_level
from model.studies.cap_sweep import PERCENT, grid_levels
from model.studies.host_changes import cheapest_build, with_forced_plant
from model.studies.plan_figures import plan_builds
from model.tables import Tables
from tests.benchmarks.arguments import add_solve_arguments
from tests.benchmarks.books import read_tables
from tests.benchmarks.measuring import Timing, drawn, remark, run_reference, timing_of


def frontier_cases(tables: Tables, points: int) -> list[Case]:
    """Return the levels of the cap, from loose to tight."""
    basis, measure, scope, words = SCOPES["value"]
    capped = CapScope("value", basis, measure, scope, "", words)
    return [Case(f"{words} at {level} %", with_cap_level(tables, capped, level / PERCENT)) for level in grid_levels(points)]


def forced_cases(tables: Tables, hosts: Sequence[str], size: float, year: int) -> list[Case]:
    """Return one case a host that is forced, started from its cheapest plant that would do."""
    problem = build_problem(tables)
    return [
        Case(
            f"{host} with {size:,.0f} t/y by {year}", with_forced_plant(tables, host, size, year),
            start=cheapest_build(problem, host, size, year),
        )
        for host in hosts
    ]  # fmt: skip


def solve_batch(tables: Tables, frontier: Sequence[Case], forced: Sequence[Case], options: SolveOptions, workers: int) -> list[Plan]:
    """Return the plan of each case, those of the frontier first."""
    own = solve(tables, options)
    ((_, tightest),) = solve_cases(frontier[-1:], options, workers, show, own.hot)
    known, plants = plan_builds(tightest), plan_builds(own)
    rest = [
        *(replace(case, start=known) for case in frontier[:-1]),
        *(replace(case, start=(*(key for key in plants if key[0] != build[0]), build)) for case in forced for build in case.start),
        *(case for case in forced if not case.start),
    ]
    found = {case.name: plan for case, plan in solve_cases(rest, options, workers, show, own.hot)}
    found[frontier[-1].name] = tightest
    return [found[case.name] for case in (*frontier, *forced)]


def show(sentence: str) -> None:
    """Print progress where it is not taken for a result."""
    print(sentence, file=sys.stderr, flush=True)


def main() -> int:
    """Print every case and the ratio; 1 where a plan is not proven or not verified, or contradicts the reference."""
    parser = argparse.ArgumentParser(description="Time a batch of solves against the same solves cold and alone by the plain reference.")
    add_solve_arguments(parser, "processor threads of the reference, and solves of ours that run at once")
    parser.add_argument("--points", type=int, default=11, help="levels of the frontier")
    parser.add_argument("--hosts", nargs="*", help="hosts to force; every candidate if left out, none if empty")
    parser.add_argument("--size", type=float, default=5000.0, help="t REO/y that a forced host must hold")
    parser.add_argument("--year", type=int, default=2032, help="year by which it must hold it")
    parser.add_argument("--sample", type=int, default=2, help="cases of each kind that the reference solves; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    given = parser.parse_args()
    tables = read_tables(given.book, given.scenario)
    options = SolveOptions(absolute_gap=given.gap, time_limit=given.limit, threads=given.threads)
    hosts = tables["hosts"]
    chosen = hosts.loc[hosts["candidate"] == "yes", "host"].tolist() if given.hosts is None else given.hosts
    if unknown := set(chosen) - set(hosts["host"]):
        parser.error(f"no such host: {', '.join(sorted(unknown))}")
    began = time.perf_counter()
    frontier, forced = frontier_cases(tables, given.points), forced_cases(tables, chosen, given.size, given.year)
    plans = solve_batch(tables, frontier, forced, options, given.threads)
    ours = time.perf_counter() - began
    found = {case.name: timing_of(plan, plan.seconds) for case, plan in zip([*frontier, *forced], plans, strict=True)}
    sampled = {kind: drawn(cases, given.sample, given.seed) for kind, cases in (("frontier", frontier), ("forced", forced)) if cases}
    print(f"{'case':<42} {'ours gap':>9} {'ours MUSD':>13} {'plain s':>9} {'plain gap':>10}  verification")
    reference: dict[str, Timing] = {}
    for case in (*frontier, *forced):
        own = found[case.name]
        line = f"{case.name:<42} {own.gap:>9.3f} {own.objective:>13,.3f}"
        if any(case is one for cases in sampled.values() for one in cases):
            reference[case.name] = plain = run_reference(case.tables, options)
            print(f"{line} {plain.seconds:>9.2f} {plain.gap:>10.3f}  {own.verdict}  {remark(own, plain)}".rstrip(), flush=True)
        else:
            print(f"{line} {'':>9} {'':>10}  {own.verdict}" + ("" if own.settled else "  NOT PROVEN within the limit"), flush=True)
    theirs = 0.0
    for kind, cases in (("frontier", frontier), ("forced", forced)):
        if cases:
            seconds = [reference[case.name].seconds for case in sampled[kind]]
            theirs += sum(seconds) * len(cases) / len(seconds)
            how = "all solved" if len(seconds) == len(cases) else f"{len(seconds)} solved, chosen by seed {given.seed}, and scaled"
            print(f"reference, {kind}: {len(cases)} cases, {how}: {sum(seconds) * len(cases) / len(seconds):,.1f} s")
    stopped = sum(not timing.settled for timing in reference.values())
    if stopped:
        print(
            f"the reference stopped at its limit in {stopped} of {len(reference)} solves, counted as the limit: the ratio is too high by that"
        )
    print(f"ours: {len(frontier) + len(forced)} cases, {given.threads} at once: {ours:,.1f} s")
    print(f"batch_ratio: {ours / theirs:.4f}")
    unsound = [name for name, timing in found.items() if not timing.sound]
    unsound += [name for name, plain in reference.items() if "CONTRADICT" in remark(found[name], plain)]
    return 1 if unsound else 0


if __name__ == "__main__":
    sys.exit(main())
