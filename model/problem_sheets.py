"""Sheets as the problem builder reads them: rows, rows by key, and the years that are modelled."""

from __future__ import annotations

from typing import Any

from model.tables import Tables

FULL_OUTPUT_AFTER = 2
"""Years from a source's first year to its full output."""


def modelled_years(tables: Tables) -> tuple[int, ...]:
    """Return the modelled years in order, from the `modelled_years` setting."""
    settings = tables.settings
    first, last = int(settings["first_year"]), int(settings["last_year"])
    text = str(settings["modelled_years"]).strip()
    if text.lower() == "all":
        return tuple(range(first, last + 1))
    return tuple(sorted(int(float(part)) for part in text.split(",")))


def output_share(source: dict[Any, Any], year: int) -> float:
    """Return the share of its capacity that a source puts out in a year."""
    age = year - source["first_year"]
    return float(0.0 if age < 0 else source["ramp_1"] if age < 1 else source["ramp_2"] if age < FULL_OUTPUT_AFTER else 1.0)


def records(tables: Tables, sheet: str) -> list[dict[Any, Any]]:
    """Return the rows of a sheet, column -> value."""
    return tables[sheet].to_dict("records")


def by_key(tables: Tables, sheet: str, key: str) -> dict[str, dict[Any, Any]]:
    """Return the rows of a sheet by the values of a column."""
    return {row[key]: row for row in records(tables, sheet)}
