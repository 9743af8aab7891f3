"""What a reader needs to repeat a run: inputs, versions, options, times."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from model.outcome import SolveOptions, Status
from model.planner import Plan
from model.scenarios import Change

LIBRARIES = ("highspy", "pyomo", "pandas", "numpy", "scipy", "openpyxl", "XlsxWriter", "python-calamine")


def fingerprint(book: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(book.read_bytes()).hexdigest()


def describe_run(
    plan: Plan, book: Path, scenario: str, changes: Sequence[Change], options: SolveOptions, digest: str = ""
) -> dict[str, str | float]:
    """Return label -> figure for the run_info sheet.

    Parameters
    ----------
    plan
        The solved plan.
    book
        Input workbook.
    scenario, changes
        Scenario name and the cells that it changed.
    options
        What the solver was asked for.
    digest
        The book's SHA-256 when it was read; taken now if left out.
    """
    repeatable = plan.solution.status is Status.OPTIMAL
    return {
        "finished (UTC)": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "input workbook": book.name,
        "input SHA-256": digest or fingerprint(book),
        "scenario": scenario or "none",
        "cells changed by the scenario": len(changes),
        "status": str(plan.solution.status),
        "solver's own words": plan.solution.termination,
        "repeatable": "yes: same workbook, versions and threads give the same plan"
        if repeatable and options.threads == 1
        else "same cost within the gap; among plans of equal cost another may be found, because the search ran on several threads"
        if repeatable
        else "no: the search was stopped by time or by hand",
        "absolute gap asked for, MUSD": options.absolute_gap,
        "relative gap asked for, share": options.relative_gap,
        "time limit, s": options.time_limit,
        "threads": options.threads,
        "random seed": options.seed,
        "nodes searched": plan.solution.nodes,
        **{f"model: {name}": figure for name, figure in plan.size.items()},
        **{f"seconds: {name}": round(seconds, 3) for name, seconds in plan.solution.seconds.items()},
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        **{name: version(name) for name in LIBRARIES},
    }
