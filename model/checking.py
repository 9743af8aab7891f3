"""Read and judge a book for the planner: findings on the screen, marks in a copy of the book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from model.console import Log
from model.tables import Finding, Tables
from model.validation import check_tables, validate_book
from model.workbook import BookError, open_in_excel, read_book


def read_checked(path: Path, log: Log, mark: bool = False) -> Tables | None:
    """Read and validate a book, tell its findings and write the marked copy.

    Parameters
    ----------
    path
        The planner's workbook.
    log
        Takes the findings.
    mark
        Write the copy where there are notices only, too; where there are errors it is always written.

    Returns
    -------
    Tables or None
        None where there are errors.
    """
    try:
        raw = read_book(path)
    except BookError as error:
        log.error(str(error.finding))
        if error.finding.cell:
            _write_copy(path, [error.finding], "", log)
        return None
    if open_in_excel(path):
        log.say(f"{path} is open in Excel: what was last saved is read.")
    checked = validate_book(raw)
    report_findings(path, checked.findings, "", log, mark)
    return checked.tables


def check_scenario(path: Path, tables: Tables, scenario: str, log: Log, mark: bool = False) -> bool:
    """Tell the findings of tables that a scenario has changed; return whether there are errors."""
    return report_findings(path, check_tables(tables), scenario, log, mark)


def report_findings(path: Path, findings: Sequence[Finding], scenario: str, log: Log, mark: bool) -> bool:
    """Print findings, errors last so that they stay in sight, and mark them in a copy; return whether there are errors."""
    errors = [finding for finding in findings if finding.severity == "error"]
    for finding in findings:
        if finding.severity != "error":
            log.say(f"notice  {finding}")
    for finding in errors:
        log.error(str(finding))
    if errors:
        log.error(f"{len(errors)} error(s) in {f'scenario {scenario} of ' if scenario else ''}{path}: nothing was solved.")
    if errors or (mark and findings):
        _write_copy(path, findings, scenario, log)
    return bool(errors)


def _write_copy(path: Path, findings: Sequence[Finding], scenario: str, log: Log) -> None:
    from model.markup import write_marked_copy  # loads what only a book with findings needs

    checked = f"checked {datetime.now():%Y-%m-%d %H:%M}{f' in scenario {scenario}' if scenario else ''}"
    try:
        copy = write_marked_copy(path, findings, checked)
    except BookError:
        return  # what cannot be read cannot be marked, and has been told
    except OSError as error:
        log.error(f"No marked copy could be written beside {path}: {error.strerror or error}.")
        return
    log.answer(f"Your book with these cells marked, and listed on its sheet errors: {copy}")
