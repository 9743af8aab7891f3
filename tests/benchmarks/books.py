"""What every benchmark reads: a validated workbook, a scenario applied."""

from __future__ import annotations

from pathlib import Path

from model.scenarios import apply_scenario
from model.tables import Tables
from model.validation import validate_book
from model.workbook import read_book

BASELINE = Path(__file__).resolve().parents[2] / "inputs" / "baseline.xlsx"


def read_tables(path: Path = BASELINE, scenario: str = "") -> Tables:
    """Return the tables of a workbook.

    Raises
    ------
    ValueError
        The book has findings that stop a run; the message holds them all.
    """
    validated = validate_book(read_book(path))
    if validated.tables is None:
        raise ValueError("\n".join(map(str, validated.errors)))
    return apply_scenario(validated.tables, scenario)[0] if scenario else validated.tables
