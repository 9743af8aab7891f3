"""Turns typed tables into a workbook as read from Excel, and changes one thing in it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pandas as pd

from model.schema import SETTING_BY_NAME, SHEETS
from model.tables import Cell, RawBook, RawSheet, Tables
from model.validation import Validated
from tests.tiny import tiny_tables

HEADER_ROW = 1
Edit = Callable[[RawBook], RawBook]


def letter(place: int) -> str:
    """Return the Excel letter of a column counted from 0."""
    return letter(place // 26 - 1) + letter(place % 26) if place >= 26 else chr(ord("A") + place)


def raw_book(tables: Tables) -> RawBook:
    """Return the tables as a workbook: headers per schema, blanks left out, numbers as floats."""
    sheets = {}
    for sheet in SHEETS:
        frame = tables[sheet.name]
        headers = [column.header for column in sheet.all_columns]
        headers += [sheet.spread.header(name) for name in frame.columns[len(headers) :]] if sheet.spread else []
        rows = {}
        for row, values in zip(frame.index, frame.itertuples(index=False, name=None), strict=True):
            filled = {letter(place): value for place, value in enumerate(values) if value != "" and not pd.isna(value)}
            rows[row] = {where: float(value) if isinstance(value, int) else value for where, value in filled.items()}
        sheets[sheet.name] = RawSheet(sheet.name, {letter(i): text for i, text in enumerate(headers)}, HEADER_ROW, rows)
    return RawBook(None, sheets)


@cache
def tiny_book() -> RawBook:
    """Return the tiny book as a workbook, with the units of its settings."""
    tables = tiny_tables()
    settings = tables["settings"].copy()
    settings["unit"] = [SETTING_BY_NAME[name].unit for name in settings["setting"]]
    return raw_book(tables.with_frames(settings=settings))


def column_letter(raw: RawBook, sheet: str, column: object) -> str:
    """Return the letter of the column with this name."""
    return next(where for where, text in raw.sheets[sheet].header.items() if text.split(" [")[0] == str(column))


def at(sheet: str, row: int, column: object) -> str:
    """Return ``sheet!C7`` in the tiny book."""
    return f"{sheet}!{column_letter(tiny_book(), sheet, column)}{row}"


def _with_sheet(raw: RawBook, sheet: str, **parts: object) -> RawBook:
    return replace(raw, sheets={**raw.sheets, sheet: replace(raw.sheets[sheet], **parts)})


def cell(sheet: str, row: int, column: object, value: Cell) -> Edit:
    """Put a value in a cell; None empties it."""

    def edit(raw: RawBook) -> RawBook:
        rows = copy.deepcopy(dict(raw.sheets[sheet].rows))
        where = column_letter(raw, sheet, column)
        rows[row] = {**rows[row], where: value}
        if value is None:
            del rows[row][where]
        return _with_sheet(raw, sheet, rows=rows)

    return edit


def new_row(sheet: str, /, **values: Cell) -> Edit:
    """Append a row; a year is written ``y2030``; provenance is filled in."""

    def edit(raw: RawBook) -> RawBook:
        old = raw.sheets[sheet]
        filled = {"source": "made", "quality": "assumption"} if "source" in old.header.values() else {}
        cells = {
            column_letter(raw, sheet, name.removeprefix("y") if name[1:].isdigit() else name): v for name, v in {**filled, **values}.items()
        }
        return _with_sheet(raw, sheet, rows={**old.rows, max([HEADER_ROW, *old.rows]) + 1: cells})

    return edit


def no_rows(sheet: str, *rows: int) -> Edit:
    """Delete rows, all if none is named; the others keep their numbers."""
    return lambda raw: _with_sheet(raw, sheet, rows={r: cells for r, cells in raw.sheets[sheet].rows.items() if rows and r not in rows})


def header(sheet: str, column: object, text: str) -> Edit:
    """Rewrite a header cell."""
    return lambda raw: _with_sheet(raw, sheet, header={**raw.sheets[sheet].header, column_letter(raw, sheet, column): text})


def new_column(sheet: str, text: str, value: Cell = None) -> Edit:
    """Add a column on the right, with one value in its first row."""

    def edit(raw: RawBook) -> RawBook:
        old = raw.sheets[sheet]
        where, first = letter(len(old.header)), min(old.rows)
        rows = {**old.rows, first: {**old.rows[first], where: value}}
        return _with_sheet(raw, sheet, header={**old.header, **({where: text} if text else {})}, rows=rows)

    return edit


def no_column(sheet: str, column: object) -> Edit:
    """Delete a column; the others keep their letters."""

    def edit(raw: RawBook) -> RawBook:
        old, gone = raw.sheets[sheet], column_letter(raw, sheet, column)
        rows = {row: {where: value for where, value in cells.items() if where != gone} for row, cells in old.rows.items()}
        return _with_sheet(raw, sheet, header={where: text for where, text in old.header.items() if where != gone}, rows=rows)

    return edit


def no_sheet(sheet: str) -> Edit:
    """Delete a sheet."""
    return lambda raw: replace(raw, sheets={name: tab for name, tab in raw.sheets.items() if name != sheet})


def new_sheet(name: str) -> Edit:
    """Add a sheet with one header and one row."""
    return lambda raw: replace(raw, sheets={**raw.sheets, name: RawSheet(name, {"A": "x"}, 1, {2: {"A": 1.0}})})


def renamed_sheet(old: str, new: str) -> Edit:
    """Rename a tab."""
    return lambda raw: replace(
        raw, sheets={new if n == old else n: replace(tab, name=new) if n == old else tab for n, tab in raw.sheets.items()}
    )


def chain(*edits: Edit) -> Edit:
    """Make several changes in order."""

    def edit(raw: RawBook) -> RawBook:
        for each in edits:
            raw = each(raw)
        return raw

    return edit


FORCED = {"host": "AAA_PORT", "reason": "law"}
PM_SOLD = chain(
    cell("elements", 5, "product", "Pm"),
    new_row("prices", product="Pm", item="market", y2030=1.0, y2031=1.0, y2032=1.0),
    new_row("prices", product="Pm", item="surplus", y2030=1.0, y2031=1.0, y2032=1.0),
)
SCENARIO = {"scenario": "new", "sheet": "designs", "key": "*", "column": "capex", "operation": "multiply", "value": 2.0, "reason": "test"}


def scenario_row(**values: object) -> Edit:
    """Append a valid scenario row with these values in place of its own."""
    return new_row("scenarios", **{**SCENARIO, **values})


def findings_of(outcome: Validated) -> list[tuple[str, str]]:
    """Return (rule, place) of each finding, but for the note on rules that wait."""
    return [(finding.rule, finding.place) for finding in outcome.findings if finding.rule != "not_checked"]
