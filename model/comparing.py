"""The command `compare`: two finished runs set side by side in a workbook."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from model.comparison import FEW, attribute, changed_cells, find_causes
from model.comparison_words import Comparison, describe
from model.console import Log
from model.planner import options_from
from model.report_comparison import write_comparison
from model.run_folder import new_run_folder
from model.run_reading import Run, RunError, read_run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py compare",
        description="Set two finished runs side by side: changed input cells, changed decisions, and a cost bridge by cause that adds up.",
    )
    parser.add_argument("before", type=Path, help="folder of a run, such as outputs/<run>, or its solution workbook")
    parser.add_argument("after", type=Path, help="folder of another run")
    parser.add_argument(
        "--resolve",
        action=argparse.BooleanOptionalAction,
        help=f"solve after each group of changed cells to say what each one costs (default: up to {FEW} groups)",
    )
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="stop each of these solves after this long")
    parser.add_argument("--threads", type=int, help="processor threads for the solver")
    parser.add_argument(
        "--output", type=Path, default=Path("outputs"), help="folder in which the comparison's own folder is made (default: outputs)"
    )
    parser.add_argument("--quiet", action="store_true", help="print the answer and errors only")
    return parser


def compare_runs(words: Sequence[str]) -> Path | None:
    """Compare two runs and write the workbook.

    Parameters
    ----------
    words
        What follows ``run.py compare``.

    Returns
    -------
    Path or None
        The workbook; None where an argument is wrong, which has been told.
    """
    options = _parser().parse_args(list(words))
    log = Log(quiet=options.quiet)
    if (options.time_limit is not None and not options.time_limit > 0) or (options.threads is not None and options.threads < 1):
        log.error("--time-limit is a number of seconds above 0, --threads a whole number from 1.")
        return None
    try:
        before, after = read_run(options.before), read_run(options.after)
    except RunError as error:
        log.error(str(error))
        return None
    found = _compare(before, after, options, log)
    try:
        path = write_comparison(found, new_run_folder(options.output, f"compare_{_undated(before)}_and_{_undated(after)}"))
    except OSError as error:
        log.error(f"No folder for the comparison can be written in {options.output}: {error.strerror}. Choose another one with --output.")
        return None
    for line in describe(found):
        log.answer(line)
    log.answer(f"Workbook: {path}")
    return path


def _undated(run: Run) -> str:
    """Return a run's name without the time of day that its folder begins with."""
    return re.sub(r"^\d{4}-\d\d-\d\d_\d{6}_", "", run.name)


def _compare(before: Run, after: Run, options: argparse.Namespace, log: Log) -> Comparison:
    changes = changed_cells(before.tables, after.tables)
    causes = find_causes(before.tables, after.tables, changes)
    resolve = len(causes) <= FEW if options.resolve is None else options.resolve
    if not resolve and len(causes) > 1:
        return Comparison(before, after, changes, len(causes), None)
    if len(causes) > 1:
        log.say(f"Cost by cause: {len(causes)} groups of changed cells, {len(causes) - 1} solves.")
    choices = options_from(after.tables)
    choices = replace(choices, time_limit=options.time_limit or choices.time_limit, threads=options.threads or choices.threads)
    return Comparison(before, after, changes, len(causes), attribute(before, after, causes, choices, log.say))
