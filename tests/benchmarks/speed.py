"""Time to a proven plan over the plain reference's time to the same gap, case by case.

Ours counts from tables to verified plan; the reference from the problem to the end of its solve.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.outcome import SolveOptions
from tests.benchmarks.books import BASELINE, read_tables
from tests.benchmarks.measuring import contradict, geometric_mean, median_run, remark, run_planner, run_reference

CASES = ("cap_35", "cap_10", "cap_0")


def main() -> int:
    """Print a row a case and the mean ratio; 1 where a plan is not proven or not verified, or the two contradict each other."""
    parser = argparse.ArgumentParser(description="Time the planner against the plain reference, both to the same gap.")
    parser.add_argument("--cases", nargs="+", default=list(CASES), help="scenarios of the workbook")
    parser.add_argument("--book", type=Path, default=BASELINE)
    parser.add_argument("--gap", type=float, default=1.0, help="absolute gap, MUSD")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds for either side on one case")
    parser.add_argument("--threads", type=int, default=2, help="processor threads for either side")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each side, of which the medians count")
    given = parser.parse_args()
    options = SolveOptions(absolute_gap=given.gap, time_limit=given.limit, threads=given.threads)
    print(f"{'case':<20} {'ours s':>9} {'plain s':>9} {'ratio':>8} {'ours gap':>9} {'plain gap':>10} {'ours MUSD':>13}  verification")
    ratios, sound = [], True
    for case in given.cases:
        tables = read_tables(given.book, case)
        ours = median_run(partial(run_planner, tables, options), given.repeats)
        plain = median_run(partial(run_reference, tables, options), given.repeats)
        ratios.append(ours.seconds / plain.seconds)
        sound &= ours.sound and not contradict(ours, plain)
        print(
            f"{case:<20} {ours.seconds:>9.2f} {plain.seconds:>9.2f} {ratios[-1]:>8.4f} {ours.gap:>9.3f} {plain.gap:>10.3f} "
            f"{ours.objective:>13,.3f}  {ours.verdict}" + (f"  {words}" if (words := remark(ours, plain)) else ""),
            flush=True,
        )
    print(f"largest_ratio: {max(ratios):.4f}")
    print(f"speed_ratio: {geometric_mean(ratios):.4f}")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
