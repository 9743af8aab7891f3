"""Arguments that every benchmark of solves takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.benchmarks.books import BASELINE


def add_solve_arguments(
    parser: argparse.ArgumentParser, threads: str, gap: tuple[float, str] = (1.0, "absolute gap, MUSD"), limit: float = 900.0
) -> None:
    """Let a command choose the workbook, its scenario, and how exactly, how long and on how many threads to solve.

    Parameters
    ----------
    threads
        What the threads are of.
    gap
        Its default and what it is.
    limit
        Default seconds for one solve of either side.
    """
    parser.add_argument("--book", type=Path, default=BASELINE)
    parser.add_argument("--scenario", default="", help="named scenario of the workbook")
    parser.add_argument("--gap", type=float, default=gap[0], help=gap[1])
    parser.add_argument("--limit", type=float, default=limit, help="seconds for one solve of either side")
    parser.add_argument("--threads", type=int, default=2, help=threads)
