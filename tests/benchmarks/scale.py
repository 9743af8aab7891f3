"""Time and memory as the book grows: the ladder of larger books to a relative gap, each rung in a process of its own."""

from __future__ import annotations

import argparse
import math
import multiprocessing
import resource
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.outcome import SolveOptions
from tests.benchmarks.arguments import add_solve_arguments
from tests.benchmarks.books import read_tables
from tests.benchmarks.generate import grow, size
from tests.benchmarks.measuring import Timing, median_run, run_planner


@dataclass(frozen=True)
class Rung:
    """One book of the ladder: its growth over the base book, its solve, and the most memory held (MB)."""

    factor: float
    growth: float
    timing: Timing
    memory: float


def climb(book: Path, scenario: str, factor: float, seed: int, options: SolveOptions, repeats: int) -> Rung:
    """Make a book and solve it; the memory is that of the whole process."""
    base = read_tables(book, scenario)
    grown = grow(base, factor, seed)
    timing = median_run(lambda: run_planner(grown, options), repeats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Rung(factor, size(grown) / size(base), timing, peak / (1024.0**2 if sys.platform == "darwin" else 1024.0))


def growth_exponent(rungs: Sequence[Rung]) -> float:
    """Return the slope of log time over log growth, by least squares; NaN for a single size.

    Examples
    --------
    >>> rungs = [Rung(f, f, Timing(2.0 * f**1.5, 0.0, 0.0, True), 0.0) for f in (1.0, 4.0, 16.0)]
    >>> round(growth_exponent(rungs), 6)
    1.5
    """
    if len({rung.growth for rung in rungs}) < 2:
        return math.nan
    x, y = np.log([rung.growth for rung in rungs]), np.log([rung.timing.seconds for rung in rungs])
    return statistics.linear_regression(x.tolist(), y.tolist()).slope


def main() -> int:
    """Print a row a rung and the exponent; 1 where a plan is not proven or not verified."""
    parser = argparse.ArgumentParser(description="Solve larger and larger books of the same kind.")
    parser.add_argument("--factors", nargs="+", type=float, default=[1.0, 4.0, 16.0], help="growth of sites x sources x markets")
    add_solve_arguments(parser, "processor threads", (0.01, "relative gap"), 3600.0)
    parser.add_argument("--seed", type=int, default=0, help="of the larger books")
    parser.add_argument("--repeats", type=int, default=1, help="solves of each book, of which the median counts")
    given = parser.parse_args()
    options = SolveOptions(absolute_gap=0.0, relative_gap=given.gap, time_limit=given.limit, threads=given.threads)
    print(f"{'factor':>6} {'growth':>7} {'seconds':>9} {'peak MB':>8} {'gap':>8} {'MUSD':>13}  verification")
    rungs: list[Rung] = []
    for factor in given.factors:
        # a process remembers its largest size, so each rung has one of its own
        with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
            rung = pool.submit(climb, given.book, given.scenario, factor, given.seed, options, given.repeats).result()
        rungs.append(rung)
        found = rung.timing
        share = 100.0 * found.gap / abs(found.objective) if found.objective else 0.0
        late = "" if found.settled else "  NOT PROVEN within the limit: the time is a lower bound"
        print(
            f"{factor:>6g} {rung.growth:>7.2f} {found.seconds:>9.2f} {rung.memory:>8.0f} {share:>6.3f} % {found.objective:>13,.3f}  "
            f"{found.verdict}{late}",
            flush=True,
        )
    print(f"growth_exponent: {growth_exponent(rungs):.3f}")
    return 0 if all(rung.timing.sound for rung in rungs) else 1


if __name__ == "__main__":
    sys.exit(main())
