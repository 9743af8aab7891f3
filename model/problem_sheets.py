"""Sheets as the problem builder reads them: rows, rows by key, what sources contain and offer, and the years that are modelled."""

from __future__ import annotations

from typing import Any

import pandas as pd

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


def all_on_offer(tables: Tables) -> pd.DataFrame:
    """Return the sources with all their output on offer from the first modelled year; those of unknown composition as they are."""
    sources, contents = tables["sources"].copy(), tables["composition"]
    known = sources["source_id"].isin(set(contents[contents.notna().all(axis=1)]["source_id"]))
    sources["use"] = sources["use"].where(~known, "yes")
    sources["uncommitted"] = sources["uncommitted"].where(sources["uncommitted"] > 0, 1.0)
    sources["first_year"] = sources["first_year"].clip(upper=modelled_years(tables)[0] - FULL_OUTPUT_AFTER)
    return sources


def contents(tables: Tables) -> dict[str, dict[str, float]]:
    """Return share[s,p] of every row of composition, without what is 0 or not known."""
    product_of = {row["element"]: row["product"] for row in records(tables, "elements")}
    # a book without sources may hold no composition, and then no element columns either
    shares = tables["composition"].set_index("source_id").reindex(columns=list(product_of)).astype(float).to_dict("index")
    found: dict[str, dict[str, float]] = {str(source): {} for source in shares}
    for source, of_element in shares.items():
        for element, product in product_of.items():
            if product and of_element[element] > 0:
                found[str(source)][product] = found[str(source)].get(product, 0.0) + of_element[element]
    return found


def records(tables: Tables, sheet: str) -> list[dict[Any, Any]]:
    """Return the rows of a sheet, column -> value."""
    return tables[sheet].to_dict("records")


def by_key(tables: Tables, sheet: str, key: str) -> dict[str, dict[Any, Any]]:
    """Return the rows of a sheet by the values of a column."""
    return {row[key]: row for row in records(tables, sheet)}
