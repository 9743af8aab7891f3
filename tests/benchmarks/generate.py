"""Larger books of the same kind as the baseline, for measuring how the planner scales.

Sites and sources are cloned with other figures, markets are split into sub-markets, so that
sites x sources x markets grows by a factor. What is mined, demanded, offered, stocked and budgeted
stays the same in total: the book gets finer, not richer, and the plan stays of one size.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.schema import SHEET_BY_NAME
from model.tables import Tables
from model.template import write_book
from tests.benchmarks.books import BASELINE, read_tables

Row = dict[Hashable, Any]
Names = Mapping[str, list[str]]
"""Each name of the base book -> the names that take its place, its own first."""


def grow(base: Tables, factor: float, seed: int = 0) -> Tables:
    """Return a book with `factor` times the sites x sources x markets of `base`.

    Parameters
    ----------
    base
        Validated tables.
    factor
        At least 1; the three counts grow alike, as near as whole markets allow.
    seed
        The same base, factor and seed give the same book.

    Returns
    -------
    Tables
        `base` itself at factor 1. Scenarios are kept where they touch nothing that is cloned or split.
    """
    if factor < 1:
        raise ValueError(f"a book cannot grow {factor} times")
    if factor == 1:
        return base
    random = np.random.default_rng(seed)
    markets = round(len(base["markets"]) * factor ** (1 / 3))
    each = math.sqrt(factor * len(base["markets"]) / markets)
    market_names = _names(_by_demand(base), markets)
    host_names = _names(list(random.permutation(base["hosts"]["host"])), round(len(base["hosts"]) * each))
    source_names = _names(list(random.permutation(base["sources"]["source_id"])), round(len(base["sources"]) * each))
    shares = {name: share for names in market_names.values() for name, share in zip(names, _shares(random, len(names)), strict=True)}
    mined = {name: share for names in source_names.values() for name, share in zip(names, _shares(random, len(names)), strict=True)}
    composition = {str(row["source_id"]): row for row in _records(base, "composition")}
    elements = [column for column in base["composition"].columns if column not in ("source_id", "source", "quality")]

    def split(row: Row, columns: tuple[Hashable, ...], share: float) -> Row:
        return row | {column: float(row[column]) * share for column in columns}

    years = {sheet: tuple(c for c in base[sheet].columns if isinstance(c, int)) for sheet in ("markets", "demand", "suppliers")}
    frames: dict[str, list[Row]] = {
        "hosts": _cloned(base, "hosts", "host", host_names, lambda row, name: _another_site(row, random)),
        "sources": [
            split(row, ("capacity", "output_2024"), mined[str(row["source_id"])])
            for row in _cloned(base, "sources", "source_id", source_names, lambda row, name: _another_stream(row, random))
        ],
        "composition": [
            row
            for source, names in source_names.items()
            for row in (composition[source], *(_another_ore(composition[source], name, elements, random) for name in names[1:]))
        ],
        "markets": [
            split(row, ("equity", "offtake_minimum", *years["markets"]), shares[str(row["market"])])
            for row in _cloned(base, "markets", "market", market_names)
        ],
        "demand": [split(row, years["demand"], shares[str(row["market"])]) for row in _cloned(base, "demand", "market", market_names)],
        "suppliers": [
            split(row, years["suppliers"], shares.get(str(row["market"]), 1.0))
            for row in _cloned(base, "suppliers", "market", market_names)
        ],
        "stockpiles": [split(row, ("opening",), shares[str(row["market"])]) for row in _cloned(base, "stockpiles", "market", market_names)],
        "caps": _cloned(base, "caps", "member", {**host_names, **market_names}, _suffixed("cap", "member")),
        "host_rules": [
            row
            for row in _cloned(base, "host_rules", "host", host_names, _suffixed("rule_id", "host"))
            # a clone of a forced plant would force another
            if row["rule"] != "force_plant" or row["host"] in host_names
        ],
        "route_costs": _cloned_routes(base, source_names, host_names, market_names),
        "scenarios": _untouched_scenarios(base),
    }
    return base.with_frames(**{sheet: _frame(base, sheet, rows) for sheet, rows in frames.items()})


def size(tables: Tables) -> int:
    """Return sites x sources x markets."""
    return len(tables["hosts"]) * len(tables["sources"]) * len(tables["markets"])


def _records(tables: Tables, sheet: str) -> list[Row]:
    return tables[sheet].to_dict("records")


def _frame(base: Tables, sheet: str, rows: list[Row]) -> pd.DataFrame:
    """Return rows as a frame of the sheet's own columns and types, numbered as in a workbook."""
    like = base[sheet]
    frame = pd.DataFrame(rows, columns=like.columns)
    numeric = {column for column in like.columns if pd.api.types.is_numeric_dtype(like[column])}
    for column in like.columns:
        frame[column] = frame[column].astype(float if column in numeric else object)
    frame.index = pd.RangeIndex(2, 2 + len(frame))
    return frame


def _by_demand(base: Tables) -> list[str]:
    """Return the markets, the one with the largest demand first."""
    frame = base["demand"]
    tonnes = frame[[column for column in frame.columns if isinstance(column, int)]].sum(axis=1).groupby(frame["market"]).sum()
    return sorted(map(str, base["markets"]["market"]), key=lambda market: -float(tonnes.get(market, 0.0)))


def _names(order: list[str], total: int) -> dict[str, list[str]]:
    """Share out `total` names over the base names, the first ones getting one more."""
    counts = {name: total // len(order) + (place < total % len(order)) for place, name in enumerate(order)}
    return {str(name): [str(name), *(f"{name}_{number}" for number in range(2, count + 1))] for name, count in counts.items()}


def _shares(random: np.random.Generator, parts: int) -> np.ndarray:
    """Return shares that sum to 1, none far from the others."""
    weights = random.uniform(0.7, 1.3, parts)
    return weights / weights.sum()


def _suffixed(column: str, by: str) -> Callable[[Row, str], Row]:
    """Return a change that keeps a key unique: the clone's number is added to it."""
    return lambda row, name: {column: f"{row[column]}{name.removeprefix(str(row[by]))}"}


def _cloned(base: Tables, sheet: str, column: str, names: Names, change: Callable[[Row, str], Row] = lambda row, name: {}) -> list[Row]:
    """Repeat each row for every name that takes the place of the one in `column`; `change` applies to clones alone."""
    rows: list[Row] = []
    for row in _records(base, sheet):
        own, *others = names.get(str(row[column]), [str(row[column])])
        rows.append(row)
        for name in others:
            rows.append(row | {"source": f"clone of {own} for benchmarks", "quality": "assumption"} | change(row, name) | {column: name})
    return rows


def _varied(row: Row, columns: tuple[str, ...], random: np.random.Generator, spread: float) -> Row:
    return {column: float(row[column]) * float(random.uniform(1 - spread, 1 + spread)) for column in columns}


def _another_site(row: Row, random: np.random.Generator) -> Row:
    """Another town of the same country, over the same port."""
    changed = _varied(row, ("power_price", "heat_price", "wage", "capex_factor"), random, 0.15) | _varied(row, ("inland_km",), random, 0.5)
    expertise = min(1.0, float(row["expertise"]) * float(random.uniform(0.9, 1.1)))
    return changed | _varied(row, ("cost_of_capital",), random, 0.05) | {"expertise": expertise} | _moved(row, random)


def _another_stream(row: Row, random: np.random.Generator) -> Row:
    """Another mine of the same district and ore; its capacity is a part of the original's."""
    dearer = float(random.uniform(0.9, 1.1))
    prices = ("payability", "payability_low", "payability_high", "fixed_price")
    changed = {column: float(row[column]) * dearer for column in prices} | _varied(row, ("inland_km",), random, 0.1)
    changed |= {column: min(1.0, changed[column]) for column in ("payability_low", "payability_high")}
    return changed | {"grade": min(1.0, float(row["grade"]) * float(random.uniform(0.9, 1.1)))} | _moved(row, random)


def _moved(row: Row, random: np.random.Generator) -> Row:
    north, east = random.uniform(-0.5, 0.5, 2)
    return {"latitude": float(np.clip(row["latitude"] + north, -90, 90)), "longitude": float(np.clip(row["longitude"] + east, -180, 180))}


def _another_ore(row: Row, name: str, elements: Sequence[Hashable], random: np.random.Generator) -> Row:
    """Vary each element's share by about a tenth; the shares sum to 1 again."""
    amounts = {element: float(row[element]) * float(random.lognormal(0.0, 0.1)) for element in elements}
    total = sum(amounts.values())
    shares: Row = {element: amount / total for element, amount in amounts.items()}
    return {"source_id": name, **shares, "source": f"clone of {row['source_id']} for benchmarks", "quality": "assumption"}


def _cloned_routes(base: Tables, sources: Names, hosts: Names, markets: Names) -> list[Row]:
    rows = []
    for row in _records(base, "route_costs"):
        origin, destination = str(row["origin"]), str(row["destination"])
        feed = row["leg"] == "feed"
        for one in (sources if feed else hosts).get(origin, [origin]):
            for other in (hosts if feed else markets).get(destination, [destination]):
                rows.append(row | {"origin": one, "destination": other})
    return rows


def _untouched_scenarios(base: Tables) -> list[Row]:
    """Keep the scenarios that mean the same in the larger book, such as those that set every cap."""
    rows = _records(base, "scenarios")
    split = {"hosts", "sources", "composition", "markets", "demand", "suppliers", "stockpiles", "host_rules", "route_costs"}
    changed = {row["scenario"] for row in rows if row["sheet"] in split or (row["sheet"] == "caps" and row["key"] != "*")}
    return [row for row in rows if row["scenario"] not in changed]


def main() -> None:
    """Print the size of a larger book and write it as a workbook if asked."""
    parser = argparse.ArgumentParser(description="Make a larger book of the same kind as the baseline.")
    parser.add_argument("factor", type=float, help="growth of sites x sources x markets, such as 4 or 16")
    parser.add_argument("--base", type=Path, default=BASELINE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="workbook to write; nothing is overwritten")
    options = parser.parse_args()
    base = read_tables(options.base)
    grown = grow(base, options.factor, options.seed)
    for sheet in SHEET_BY_NAME:
        if len(grown[sheet]) != len(base[sheet]):
            print(f"{sheet}: {len(base[sheet])} -> {len(grown[sheet])} rows")
    if options.output is not None:
        write_book(grown, options.output)
        print(f"wrote {options.output}")
    print(f"growth: {size(grown) / size(base):.2f}")


if __name__ == "__main__":
    main()
