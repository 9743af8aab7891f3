"""Published facility location instances: our solve against HiGHS on the strong textbook formulation.

Each instance is written as the planner's tables and solved by :func:`model.planner.solve`,
verification included. The reference gets min Σ f·open + Σ c·x, Σᵢ x = d, Σⱼ x ≤ capacity·open and the strong
rows x ≤ d·open as arrays, without any modelling layer. Both must reach the published optimum.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import highspy
import numpy as np
import scipy.sparse

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.outcome import SolveOptions, Status
from model.planner import solve
from tests.benchmarks.measuring import geometric_mean
from tests.orlib import Instance, Published, absence, orlib_tables, published_optima, read_published

TOLERANCE = 1e-6
"""Largest relative distance from the published optimum; the published values carry three decimals."""
PROOF = 1e-7
"""Relative gap at which either solver stops."""
SETTLED = 2.0
"""Seconds from which one run is measured; quicker instances are run several times."""


@dataclass(frozen=True)
class Timing:
    """Seconds and objective of one instance; `proven` is false where the time limit came first."""

    seconds: float
    whole: float
    objective: float
    proven: bool


@dataclass(frozen=True)
class Comparison:
    """Ours beside the reference."""

    row: Published
    ours: Timing
    reference: Timing

    @property
    def reached(self) -> bool:
        """Whether our plan is the published optimum, proven and verified."""
        return self.ours.proven and abs(self.ours.objective / self.row.optimum - 1.0) <= TOLERANCE

    @property
    def ratio(self) -> float:
        """Our time from matrix to proof over the reference's; too high where the reference met its limit."""
        return self.ours.seconds / self.reference.seconds

    @property
    def whole_ratio(self) -> float:
        """Our time from tables to verified plan over the reference's."""
        return self.ours.whole / self.reference.seconds


def strong_formulation(instance: Instance) -> highspy.HighsLp:
    """Return the textbook model; costs in thousands and demands about 1, as in our book."""
    m, n = len(instance.capacity), len(instance.demand)
    scale = instance.tonnes / 1000.0
    demand, capacity = np.array(instance.demand) * scale, np.array(instance.capacity) * scale
    cost = np.array(instance.cost).T / np.array(instance.demand) / scale / 1000.0  # facilities by customers
    pair = np.arange(m * n)
    facility, customer, x = pair // n, pair % n, m + pair
    ones = np.ones(m * n)
    entries = [
        (customer, x, ones),
        (n + facility, x, ones),
        (n + np.arange(m), np.arange(m), -capacity),
        (n + m + pair, x, ones),
        (n + m + pair, facility, -demand[customer]),
    ]
    rows, columns, values = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    matrix = scipy.sparse.csc_array((values, (rows, columns)), shape=(n + m + m * n, m + m * n))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = matrix.shape[1], matrix.shape[0]
    lp.col_cost_ = np.concatenate([np.array(instance.fixed_cost) / 1000.0, cost.ravel()])
    lp.col_lower_, lp.col_upper_ = np.zeros(m + m * n), np.concatenate([np.ones(m), np.full(m * n, np.inf)])
    lp.row_lower_ = np.concatenate([demand, np.full(m + m * n, -np.inf)])
    lp.row_upper_ = np.concatenate([demand, np.zeros(m + m * n)])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    lp.integrality_ = [highspy.HighsVarType.kInteger] * m + [highspy.HighsVarType.kContinuous] * (m * n)
    return lp


def run_reference(lp: highspy.HighsLp, time_limit: float, threads: int) -> Timing:
    """Hand the textbook model to HiGHS."""
    highspy.Highs.resetGlobalScheduler(True)
    began = time.perf_counter()
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", threads)
    highs.setOptionValue("mip_rel_gap", PROOF)
    highs.setOptionValue("mip_abs_gap", 0.0)
    highs.setOptionValue("time_limit", time_limit)
    highs.passModel(lp)
    highs.run()
    seconds = time.perf_counter() - began
    proven = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return Timing(seconds, seconds, Instance.objective(highs.getInfo().objective_function_value), proven)


def run_ours(instance: Instance, time_limit: float, threads: int) -> Timing:
    """Solve the instance as a book of the planner."""
    tables = orlib_tables(instance)
    began = time.perf_counter()
    plan = solve(tables, SolveOptions(absolute_gap=0.0, relative_gap=PROOF, time_limit=time_limit, threads=threads))
    whole = time.perf_counter() - began
    around = sum(plan.solution.seconds[part] for part in ("model", "tables and verification"))
    proven = plan.solution.status is Status.OPTIMAL and plan.verification.passed
    return Timing(whole - around, whole, Instance.objective(plan.solution.objective), proven)


def compare(row: Published, time_limit: float, reference_limit: float, threads: int, repeats: int) -> Comparison:
    """Run both in turn; medians where an instance is quick."""
    instance = read_published(row)
    lp = strong_formulation(instance)
    ours, reference = [run_ours(instance, time_limit, threads)], [run_reference(lp, reference_limit, threads)]
    while len(ours) < repeats and max(ours[0].whole, reference[0].seconds) < SETTLED:
        ours.append(run_ours(instance, time_limit, threads))
        reference.append(run_reference(lp, reference_limit, threads))
    return Comparison(row, median(ours), median(reference))


def median(timings: Sequence[Timing]) -> Timing:
    """Return medians of the times; proven only if every run was."""
    seconds, whole = statistics.median(t.seconds for t in timings), statistics.median(t.whole for t in timings)
    worst = max(timings, key=lambda timing: timing.objective)
    return Timing(seconds, whole, worst.objective, all(timing.proven for timing in timings))


def main() -> int:
    """Print a table of instances and the mean ratio; 1 where an optimum was missed."""
    parser = argparse.ArgumentParser(description="Solve the OR-Library's facility location instances as books of the planner.")
    parser.add_argument("names", nargs="*", help="instances to run, such as cap41 or capa@8000; all if left out")
    parser.add_argument("--time-limit", type=float, default=900.0, help="seconds for either solver on one instance")
    parser.add_argument("--reference-limit", type=float, help="seconds for the reference, if it is to have fewer")
    parser.add_argument("--threads", type=int, default=1, help="processor threads for either solver")
    parser.add_argument("--repeats", type=int, default=5, help=f"runs of instances quicker than {SETTLED:g} s")
    options = parser.parse_args()
    rows = [row for row in published_optima() if not options.names or row.name in options.names]
    if not rows:
        print(absence() or "no instance of that name")
        return 1
    print(
        f"{'instance':<12} {'family':<11} {'published':>15} {'ours':>15} {'solve s':>9} {'whole s':>9} {'highs s':>9} {'ratio':>7} {'whole':>7}"
    )
    compared = []
    for row in rows:
        limit = options.time_limit if options.reference_limit is None else options.reference_limit
        found = compare(row, options.time_limit, limit, options.threads, options.repeats)
        compared.append(found)
        late = "" if found.reference.proven else "  the reference stopped at its limit: the ratio is at most this"
        missed = "" if found.reached else "  MISSED"
        print(
            f"{row.name:<12} {row.family:<11} {row.optimum:>15,.3f} {found.ours.objective:>15,.3f} {found.ours.seconds:>9.3f} "
            f"{found.ours.whole:>9.3f} {found.reference.seconds:>9.3f} {found.ratio:>7.2f} {found.whole_ratio:>7.2f}{late}{missed}",
            flush=True,
        )
    reached = sum(found.reached for found in compared)
    print(f"{reached} of {len(compared)} instances at the published optimum, proven and verified")
    print(f"orlib_whole_path_ratio: {geometric_mean([found.whole_ratio for found in compared]):.3f}")
    print(f"orlib_time_ratio: {geometric_mean([found.ratio for found in compared]):.3f}")
    return 0 if reached == len(compared) else 1


if __name__ == "__main__":
    sys.exit(main())
