"""Result tables made fit for checking.

What is malformed is recorded in the ledger, then left out or counted as zero, so that every
other rule can still be tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.result_schema import RESULT_TABLES, ResultTable
from model.schema import ANY
from model.verification_book import Book, locate, texts
from model.verification_ledger import Ledger

KINDS = {
    "source_id": "source",
    "host": "host",
    "design": "design",
    "way": "way",
    "line": "line",
    "product": "product",
    "market": "market",
    "sector": "sector",
    "supplier": "supplier",
    "cap": "cap",
}
_MAY_BE_BLANK = {("costs", "host"), ("costs", "market")}
_MAY_BE_EMPTY = {("plant_years", "use"), ("china_shares", "share"), ("china_shares", "slack"), ("china_shares", "marginal_cost")}
_KEYS = {
    "builds": ("host", "design", "way", "on_line"),
    "feed": ("source_id", "host", "line", "year"),
    "deliveries": ("host", "product", "market", "year"),
    "surplus": ("host", "product", "year"),
    "purchases": ("supplier", "product", "offered_to", "market", "year"),
    "stocks": ("market", "product", "year"),
    "unmet": ("market", "sector", "product", "year"),
    "plant_years": ("host", "line", "year"),
    "products": ("host", "product", "year"),
    "supply_balance": ("market", "product", "year"),
    "costs": ("component", "host", "market", "year"),
    "china_shares": ("cap", "member", "year"),
}
COMPONENTS = (
    "capital",
    "fixed_operating",
    "feed_purchase",
    "freight_in",
    "duty_in",
    "processing",
    "feed_equipment",
    "know_how_fee",
    "freight_out",
    "duty_out",
    "oxide_purchase",
    "oxide_duty",
    "stock_holding",
    "shortage",
    "surplus_revenue",
    "concentrate_revenue",
)


@dataclass(frozen=True)
class Rows:
    """Rows of one result table: positions for codes and modelled years, floats for figures, text for the rest."""

    table: str
    book: Book
    columns: Mapping[str, NDArray]

    def __getitem__(self, column: str) -> NDArray:
        """Return a column."""
        return self.columns[column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def place(self, row: int) -> str:
        """Return the key of a row in words."""
        words = []
        for column in _KEYS.get(self.table, _KEYS["builds"]):
            value = self.columns[column][row]
            kind = "year" if column == "year" else KINDS.get(column, "")
            if kind:
                value = self.book.codes[kind][value] if value >= 0 else ""
            elif column == "on_line":
                value = f"{value:.0f}"
            words.append(f"{kind or column} {value}" if value != "" else f"no {kind or column}")
        return f"{self.table}: {', '.join(words)}"


def read_rows(book: Book, results: Mapping[str, pd.DataFrame], ledger: Ledger) -> dict[str, Rows]:
    """Return the rows of every result table, recording what is missing, unknown, doubled or not a number."""
    return {table.name: _read_table(book, table, results.get(table.name), ledger) for table in RESULT_TABLES if table.name != "checks"}


def _read_table(book: Book, table: ResultTable, found: pd.DataFrame | None, ledger: Ledger) -> Rows:
    """Return the rows of one result table."""
    frame = _complete(table, found, ledger)
    key = _KEYS.get(table.name, _KEYS["builds"])

    def place_of(column: str) -> Callable[[int], str]:
        def place(row: int) -> str:
            cells = ", ".join(f"{name} {frame[name].iloc[row]}" for name in key)
            return f"{table.name} row {row + 1} ({cells}): {column} is {frame[column].iloc[row]!r}"

        return place

    columns: dict[str, NDArray] = {}
    keep = np.ones(len(frame), dtype=bool)
    for column in table.columns:
        name, where = column.name, place_of(column.name)
        if column.unit:
            blank = (table.name, name) in _MAY_BE_EMPTY
            values, wrong = _figures(frame[name], blank)
            ledger.forbid("numbers_finite", wrong, where)
            if column.unit != "year":
                columns[name] = values if blank else np.where(wrong, 0.0, values)
                continue
            years = locate(book.codes["year"], values)
            ledger.forbid("years_modelled", (years < 0) & ~wrong, where)
            keep &= ~wrong if name == "on_line" else years >= 0
            columns[name] = values if name == "on_line" else years
        elif name in KINDS:
            codes = texts(frame[name])
            positions = book.positions(KINDS[name], codes)
            unknown = (positions < 0) & ~(((table.name, name) in _MAY_BE_BLANK) & (codes == ""))
            ledger.forbid("codes_known", unknown, where)
            keep &= ~unknown
            columns[name] = positions
        else:
            columns[name] = texts(frame[name])
            known = {"offered_to": [*book.codes["market"], ANY], "component": COMPONENTS}.get(name)
            if known is not None:
                ledger.forbid("codes_known", ~np.isin(columns[name], np.array(known, dtype=object)), where)
    rows = Rows(table.name, book, {name: values[keep] for name, values in columns.items()})
    if table.name in _KEYS:
        keys = pd.DataFrame({name: rows[name] for name in key})
        ledger.forbid("rows_unique", keys.duplicated().to_numpy(), rows.place)
    return rows


def _complete(table: ResultTable, found: pd.DataFrame | None, ledger: Ledger) -> pd.DataFrame:
    """Return the table found, or an empty one where it is missing or lacks a column."""
    there = isinstance(found, pd.DataFrame)
    missing = [name for name in table.names if found is None or not there or name not in found.columns]
    what = f"no column {', '.join(missing)}" if there else "no table"
    ledger.forbid("tables_complete", [bool(missing)], lambda _: f"{table.name}: {what}")
    if missing or found is None:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in table.names})
    return found.reset_index(drop=True)


def _figures(values: pd.Series, may_be_blank: bool) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a column as floats, NaN where it is no number, and a mask of what should have been a finite number."""
    figures = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~np.isfinite(figures)
    return figures, wrong & ~values.isna().to_numpy() if may_be_blank else wrong
