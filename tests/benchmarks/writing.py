"""Time and memory of writing a result as its flows get longer, each size in a process of its own."""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.planner import Plan, solve
from model.report import WORKBOOK, write_report
from tests.tiny import tiny_tables

FLOWS = ("feed", "deliveries", "purchases")
AMOUNTS = ("tonnes", "china_tonnes")


@dataclass(frozen=True)
class Written:
    """One result: rows of flows, seconds, memory (MB) held before writing and at most while writing, size of the file (MB)."""

    rows: int
    seconds: float
    before: float
    most: float
    size: float


def lengthened(plan: Plan, rows: int) -> Plan:
    """Return the plan with its flows cut into that many shipments of equal size; what they add up to stays."""
    tables = dict(plan.solution.tables)
    for name in FLOWS:
        frame = tables[name]
        times = -(-rows // (len(FLOWS) * len(frame)))
        long = pd.concat([frame] * times, ignore_index=True)
        for amount in AMOUNTS:
            long[amount] = long[amount] / times
        tables[name] = long.iloc[: len(frame) * times]
    return replace(plan, solution=replace(plan.solution, tables=tables))


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024.0**2 if sys.platform == "darwin" else 1024.0)


def measure(rows: int) -> Written:
    """Write a result with so many rows of flows and remove it again."""
    plan = lengthened(solve(tiny_tables()), rows)
    count = sum(len(plan.solution.tables[name]) for name in FLOWS)
    with tempfile.TemporaryDirectory() as folder:
        before, began = _memory(), time.perf_counter()
        path = write_report(plan, Path(folder) / "run", {}, "", Path("tiny.xlsx"))
        assert path.name == WORKBOOK
        return Written(count, time.perf_counter() - began, before, _memory(), path.stat().st_size / 1e6)


def growth(measured: Sequence[Written]) -> float:
    """Return the bytes of memory by which a row of flows more makes the peak larger, from the shortest to the longest result.

    Examples
    --------
    >>> growth([Written(20_000, 5.0, 150.0, 200.0, 2.0), Written(200_000, 50.0, 170.0, 290.0, 20.0)])
    500.0
    """
    first, last = measured[0], measured[-1]
    return 1e6 * (last.most - first.most) / max(last.rows - first.rows, 1)


def main() -> int:
    """Print a line a size and the growth."""
    parser = argparse.ArgumentParser(description="Write results with more and more rows of flows.")
    parser.add_argument("--rows", nargs="+", type=int, default=[20_000, 100_000, 200_000], help="rows of flows, ascending")
    given = parser.parse_args()
    print(f"{'rows':>8} {'seconds':>8} {'before MB':>10} {'peak MB':>8} {'file MB':>8}")
    measured = []
    for rows in given.rows:
        # a process remembers its largest size, so each result has one of its own
        with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
            one = pool.submit(measure, rows).result()
        measured.append(one)
        print(f"{one.rows:>8,} {one.seconds:>8.1f} {one.before:>10.0f} {one.most:>8.0f} {one.size:>8.1f}", flush=True)
    print(f"bytes_per_row: {growth(measured):.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
