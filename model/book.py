"""A view of typed tables with what the rules of validation ask for again and again."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import pandas as pd

from model.schema import SETTING_BY_NAME, SHEET_BY_NAME, SHEETS, Column, Setting
from model.tables import Tables
from model.words import clean_number

Unread = frozenset[tuple[str, Hashable | None, Hashable | None]]
TRACE = 1e-6
"""Share of REO below which a source does not count as containing a product."""


def is_blank(value: object) -> bool:
    """Return whether a typed cell is blank: "", None or NaN."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def split_codes(text: str) -> list[str]:
    """Return the members of a comma-separated cell.

    Examples
    --------
    >>> split_codes("JPN, USA,")
    ['JPN', 'USA']
    """
    return [part.strip() for part in text.split(",") if part.strip()]


def setting_column(setting: Setting) -> Column:
    """Return the column that a setting's value cell would be, so that one check serves both."""
    return Column(
        setting.name, setting.kind, setting.description, setting.unit, setting.required, setting.low, setting.high, setting.choices
    )  # fmt: skip


def parse_modelled_years(text: str, first: int, last: int) -> tuple[int, ...]:
    """Return the modelled years that the setting of that name stands for.

    Parameters
    ----------
    text
        ``all``, or years parted by commas.
    first, last
        Horizon, calendar years.

    Returns
    -------
    tuple of int
        Ascending; starts with `first`.

    Raises
    ------
    ValueError
        A part is no year, lies outside the horizon, is out of order, or the list does not start with `first`.
    """
    if text.strip().lower() == "all":
        return tuple(range(first, last + 1))
    years = []
    for part in split_codes(text):
        number = clean_number(part)
        if number is None or not number.is_integer():
            raise ValueError(f"'{part}' is not a year")
        if not first <= number <= last:
            raise ValueError(f"{part} lies outside {first} to {last}")
        years.append(int(number))
    if not years or years[0] != first:
        raise ValueError(f"the list does not start with first_year, {first}")
    if any(later <= earlier for earlier, later in pairwise(years)):
        raise ValueError("the years are repeated or out of order")
    return tuple(years)


def spread_column(sheet: str, member: Hashable) -> Column:
    """Return the column that one year or element of a sheet would be.

    Raises
    ------
    KeyError
        The sheet has no columns by year or element.
    """
    spread = SHEET_BY_NAME[sheet].spread
    if spread is None:
        raise KeyError(f"{sheet} has no column {member!r}")
    return Column(
        str(member), "number", spread.description, spread.unit, spread.required, spread.low, spread.high, blank=spread.blank,
        plausible=spread.plausible,
    )  # fmt: skip


def column_of(sheet: str, name: Hashable) -> Column:
    """Return the declaration of a frame's column, be it declared by itself or one of a spread.

    Raises
    ------
    KeyError
        The sheet has no such column.
    """
    try:
        return SHEET_BY_NAME[sheet].column(str(name))
    except KeyError:
        return spread_column(sheet, name)


@dataclass(frozen=True)
class Field:
    """A column of a sheet with its declaration and its cells as (Excel row, value)."""

    sheet: str
    name: Hashable
    column: Column
    cells: list[tuple[Hashable, Any]]


@dataclass(frozen=True)
class Book:
    """Typed tables, possibly with cells that could not be read.

    Parameters
    ----------
    tables
        Typed tables.
    unread
        (sheet, row, column) of cells that hold no value because a finding was already made of
        them; row None stands for the whole column, row and column None for the whole sheet.
    """

    tables: Tables
    unread: Unread = frozenset()

    def __getitem__(self, sheet: str) -> pd.DataFrame:
        """Return the frame of a sheet."""
        return self.tables[sheet]

    def is_unread(self, sheet: str, row: Hashable | None, column: Hashable | None) -> bool:
        """Return whether the cell, its column or its sheet could not be read."""
        return not self.unread.isdisjoint({(sheet, row, column), (sheet, None, column), (sheet, None, None)})

    @cached_property
    def _records(self) -> dict[str, list[tuple[Hashable, dict[Hashable, Any]]]]:
        return {}

    def rows(self, sheet: str) -> list[tuple[Hashable, dict[Hashable, Any]]]:
        """Return (Excel row, record) of a sheet's rows."""
        if sheet not in self._records:
            frame = self[sheet]
            columns = {name: frame[name].tolist() for name in frame.columns}
            self._records[sheet] = [
                (row, dict(zip(columns, values, strict=True)))
                for row, values in zip(frame.index.tolist(), zip(*columns.values(), strict=True), strict=True)
            ]
        return self._records[sheet]

    @cached_property
    def fields(self) -> list[Field]:
        """Every declared column of every sheet; the value of each setting is a field of its own."""
        fields = []
        for sheet in SHEETS:
            rows = self.rows(sheet.name)
            for name in self[sheet.name].columns:
                try:
                    column = column_of(sheet.name, name)
                except KeyError:
                    continue
                if column.kind != "value" or sheet.name != "settings":
                    fields.append(Field(sheet.name, name, column, [(row, record[name]) for row, record in rows]))
        for row, record in self.rows("settings"):
            if record["setting"] in SETTING_BY_NAME:
                fields.append(Field("settings", "value", setting_column(SETTING_BY_NAME[record["setting"]]), [(row, record["value"])]))
        return fields

    def texts(self, sheet: str, column: str) -> list[str]:
        """Return the distinct non-blank values of a text column, in order."""
        return [str(value) for value in dict.fromkeys(record[column] for _, record in self.rows(sheet)) if not is_blank(value)]

    def year_columns(self, sheet: str) -> list[int]:
        """Return the years that the sheet has columns for."""
        columns: list[Hashable] = list(self[sheet].columns)
        return [column for column in columns if isinstance(column, int)]

    @cached_property
    def settings(self) -> dict[str, str | float]:
        """Every setting by name; the default where there is no row or the cell could not be read."""
        values: dict[str, str | float] = {name: setting.default for name, setting in SETTING_BY_NAME.items()}
        for _, record in self.rows("settings"):
            name, value = str(record["setting"]), record["value"]
            if name not in values or is_blank(value):
                continue
            if setting_column(SETTING_BY_NAME[name]).numeric:
                number = float(value) if isinstance(value, int | float) else clean_number(str(value))
                values[name] = values[name] if number is None else number
            else:
                values[name] = str(value)
        return values

    def number(self, name: str) -> float:
        """Return a numeric setting."""
        return float(self.settings[name])

    def setting_row(self, name: str) -> Hashable | None:
        """Return the Excel row of a setting, None where the sheet leaves it to its default."""
        return next((row for row, record in self.rows("settings") if record["setting"] == name), None)

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Modelled years; empty where the settings do not give any."""
        ends = []
        for name in ("first_year", "last_year"):
            setting, year = SETTING_BY_NAME[name], self.number(name)
            if not (setting.low or -math.inf) <= year <= (setting.high or math.inf):
                return ()
            ends.append(int(year))
        try:
            return parse_modelled_years(str(self.settings["modelled_years"]), ends[0], ends[1])
        except ValueError:
            return ()

    @cached_property
    def products(self) -> list[str]:
        """Products that the elements are sold in."""
        return self.texts("elements", "product")

    @cached_property
    def used_sources(self) -> pd.DataFrame:
        """Rows of `sources` with `use` = yes."""
        frame = self["sources"]
        return frame[frame["use"] == "yes"]

    @cached_property
    def candidate_hosts(self) -> pd.DataFrame:
        """Rows of `hosts` with `candidate` = yes."""
        frame = self["hosts"]
        return frame[frame["candidate"] == "yes"]

    @cached_property
    def partners(self) -> pd.DataFrame:
        """Rows of `markets` with `partner` = yes."""
        frame = self["markets"]
        return frame[frame["partner"] == "yes"]

    @cached_property
    def content(self) -> dict[str, dict[str, float]]:
        """Source -> product -> share of REO, of every composition row; traces left out."""
        product_of = {
            element: product
            for element, product in zip(self["elements"]["element"], self["elements"]["product"], strict=True)
            if not is_blank(product)
        }
        shares: dict[str, dict[str, float]] = {}
        for _, record in self.rows("composition"):
            row: dict[str, float] = {}
            for element, product in product_of.items():
                share = record.get(element, math.nan)
                if isinstance(share, float) and not math.isnan(share):
                    row[product] = row.get(product, 0.0) + share
            shares[str(record["source_id"])] = {product: share for product, share in row.items() if share > TRACE}
        return shares

    def totals(self, sheet: str, keys: list[str]) -> dict[Hashable, dict[int, float]]:
        """Return key -> modelled year -> sum of the year's column in t REO/y, blanks counting 0."""
        frame = self[sheet]
        years = [year for year in self.years if year in frame.columns]
        grouped = frame.groupby(keys if len(keys) > 1 else keys[0], sort=False)[years].sum()
        return {key: dict(zip(years, values, strict=True)) for key, values in zip(grouped.index, grouped.to_numpy().tolist(), strict=True)}
