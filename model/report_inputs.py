"""Where each input stands in the solution workbook, so that figures which echo it can refer and lead to it."""

from __future__ import annotations

import math
from collections.abc import Hashable

from xlsxwriter.utility import xl_col_to_name

from model.report_book import DataTable, Field, Live
from model.schema import PROVENANCE, SHEET_BY_NAME, Column
from model.tables import Tables

FIRST_ROW = 4
"""Row of the first record on every in_ sheet, counted from 0: below tab, caption, a blank and the header."""


def input_sheet(sheet: str) -> str:
    """Return the tab on which an input sheet is shown as read."""
    return f"in_{sheet}"


def input_table(inputs: Tables, sheet: str) -> DataTable:
    """Return an input sheet as a table whose columns can be added up; columns are named by text."""
    declared, frame = SHEET_BY_NAME[sheet], inputs[sheet]
    brief = sheet != "settings"  # what a setting means is told in full
    fields = [_field(column, brief) for column in declared.columns]
    spread = [column for column in frame.columns if column not in {item.name for item in declared.all_columns}]
    if declared.spread is not None:
        fields += [Field(str(column), declared.spread.unit, declared.spread.description) for column in spread]
    if declared.provenance:
        fields += [_field(column, True) for column in PROVENANCE]
    return DataTable(f"in_{sheet}", "", fields, frame.rename(columns=str))


def _field(column: Column, brief: bool) -> Field:
    return Field(column.name, column.unit, column.description, first_line=brief and column.kind == "text")


class InputCells:
    """Finds the cell of an input by sheet, key and column.

    Parameters
    ----------
    inputs
        Tables that are shown on the in_ sheets.
    """

    def __init__(self, inputs: Tables) -> None:
        self._inputs = inputs
        self._rows: dict[tuple[str, tuple[str, ...]], dict[tuple, int]] = {}
        self._letters: dict[str, dict[str, str]] = {}
        self._values: dict[tuple[str, Hashable], list[object]] = {}

    def _row(self, sheet: str, key: dict[str, Hashable]) -> int | None:
        names = tuple(key)
        if (sheet, names) not in self._rows:
            rows: dict[tuple, int] = {}
            frame = self._inputs[sheet]
            for number, values in enumerate(zip(*(frame[name] for name in names), strict=True)):
                rows.setdefault(values, number)
            self._rows[sheet, names] = rows
        return self._rows[sheet, names].get(tuple(key.values()))

    def _letter(self, sheet: str, column: str) -> str | None:
        if sheet not in self._letters:
            fields = input_table(self._inputs, sheet).fields
            self._letters[sheet] = {item.name: xl_col_to_name(place) for place, item in enumerate(fields)}
        return self._letters[sheet].get(column)

    def place(self, sheet: str, column: str | int, **key: Hashable) -> str | None:
        """Return ``in_prices!E7``, or None where there is no such row or column."""
        row, letter = self._row(sheet, key), self._letter(sheet, str(column))
        return None if row is None or letter is None else f"{input_sheet(sheet)}!{letter}{FIRST_ROW + row + 1}"

    def value(self, sheet: str, column: str | int, **key: Hashable) -> object:
        """Return the value of a cell, None where there is no such row."""
        row = self._row(sheet, key)
        if row is None:
            return None
        if (sheet, column) not in self._values:
            self._values[sheet, column] = self._inputs[sheet][column].tolist()
        return self._values[sheet, column][row]

    def echo(self, shown: float, sheet: str, column: str | int, **key: Hashable) -> Live | None:
        """Return a reference to the cell that a figure repeats; None where the cell holds anything else."""
        place = self.place(sheet, column, **key)
        if place is None:
            return None
        held = self.value(sheet, column, **key)
        if not isinstance(held, int | float) or not math.isclose(held, shown, rel_tol=1e-9, abs_tol=1e-12):
            return None
        return Live(place, float(held))
