"""Raw worksheets -> typed frames: which tab is which sheet, which column is which, cell by cell."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from model.book import Unread, column_of, setting_column
from model.book_version import version_order
from model.cells import CELL_RULES, FOLDED_TEXT, Reading, read_cell
from model.findings import Rule
from model.schema import SCHEMA_VERSION, SETTING_BY_NAME, SHEET_BY_NAME, SHEETS, Column, Sheet
from model.tables import Cell, Finding, RawBook, RawSheet, Tables
from model.words import fold_code, listing, nearest, show

OLDER_BOOK = Rule("older_book", "notice", "A book is of the schema version of today.")
MISSING_SHEET = Rule("missing_sheet", "error", "Every sheet is in the book; some may be without rows.")
MISSPELT_SHEET = Rule("misspelt_sheet", "error", "A tab is named exactly as the sheet that it is.")
DUPLICATE_SHEET = Rule("duplicate_sheet", "error", "A sheet is in the book once.")
OWN_SHEET = Rule("own_sheet", "notice", "A tab that is no input sheet is the planner's own and is ignored.")
MISSING_COLUMN = Rule("missing_column", "error", "Every required column is in its sheet.")
UNKNOWN_COLUMN = Rule("unknown_column", "error", "Every column is one of the sheet's, or the planner's own with a name that starts with _.")
DUPLICATE_COLUMN = Rule("duplicate_column", "error", "A column is in its sheet once.")
UNNAMED_COLUMN = Rule("unnamed_column", "error", "A column that holds anything has a header.")
MISSING_UNIT = Rule("missing_unit", "error", "The header of a figure ends with its unit in square brackets.")
WRONG_UNIT = Rule("wrong_unit", "error", "The unit in a header is the one that the column is read in.")
YEAR_ORDER = Rule("year_order", "error", "Year columns ascend from left to right.")

READING_RULES = (
    *CELL_RULES, OLDER_BOOK, MISSING_SHEET, MISSPELT_SHEET, DUPLICATE_SHEET, OWN_SHEET, MISSING_COLUMN, UNKNOWN_COLUMN, DUPLICATE_COLUMN,
    UNNAMED_COLUMN, MISSING_UNIT, WRONG_UNIT, YEAR_ORDER,
)  # fmt: skip

GENERATED_SHEETS = ("guide", "lists", "errors")
OWN_MARK = "_"
_ALIKE = 0.8
"""Likeness from which a tab's name counts as a misspelt sheet rather than the planner's own."""
_HEADER = re.compile(r"([^\[\]]*?) ?(?:\[(.*)\])?")
_YEAR = re.compile(r"(?:19|20)\d\d(?:\.0)?|2100", re.ASCII)


@dataclass
class ReadBook:
    """Frames with what was found while reading them; filled sheet by sheet."""

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    letters: dict[str, Mapping[Hashable, str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    cells: set[tuple[str, Hashable | None, Hashable | None]] = field(default_factory=set)

    @property
    def unread(self) -> Unread:
        """Cells, columns and sheets that could not be read; see :class:`model.book.Book`."""
        return frozenset(self.cells)

    def tell(self, rule: Rule, sheet: str, cell: str, found: str, allowed: str, remedy: str) -> None:
        """Add a finding."""
        self.findings.append(rule.finding(sheet, cell, found, allowed, remedy))


def type_book(raw: RawBook) -> tuple[Tables, ReadBook]:
    """Type every cell of a workbook.

    Parameters
    ----------
    raw
        Worksheets as found.

    Returns
    -------
    tables : Tables
        Every sheet of the schema; cells that could not be read are blank.
    read : ReadBook
        The findings made on the way and the cells that could not be read.
    """
    read = ReadBook()
    if raw.version and version_order(raw.version) < version_order(SCHEMA_VERSION):
        read.tell(
            OLDER_BOOK, "", "", f"a book of schema version {raw.version}", f"schema version {SCHEMA_VERSION}",
            "Read with defaults for what is new; `python run.py upgrade` writes a copy that shows them.",
        )  # fmt: skip
    tabs = _match_sheets(raw, read)
    elements = _element_symbols(tabs.get("elements"))
    for sheet in SHEETS:
        _read_sheet(sheet, tabs.get(sheet.name), elements, read)
    return Tables(read.frames, read.letters, raw.path), read


def _match_sheets(raw: RawBook, read: ReadBook) -> dict[str, RawSheet]:
    tabs: dict[str, RawSheet] = {}
    misspelt = set()
    for tab in raw.sheets.values():
        name = fold_code(str(tab.name))
        if name in SHEET_BY_NAME:
            if name in tabs:
                read.tell(
                    DUPLICATE_SHEET, name, "", f"the tabs {show(tabs[name].name)} and {show(tab.name)}", "one tab", "Delete one of them."
                )
                continue
            tabs[name] = tab
            if name != tab.name:
                read.tell(FOLDED_TEXT, name, "", f"the tab {show(tab.name)}", f"the tab '{name}'", f"Read as '{name}'; rename the tab.")
        elif name in GENERATED_SHEETS or name.startswith(OWN_MARK):
            continue
        elif near := nearest(name, SHEET_BY_NAME, _ALIKE):
            misspelt.add(near)
            read.tell(
                MISSPELT_SHEET, tab.name, "", f"a tab named {show(tab.name)}", listing(SHEET_BY_NAME, len(SHEET_BY_NAME)),
                f"Did you mean '{near}'? Rename the tab, or start its name with {OWN_MARK} if it is your own.",
            )  # fmt: skip
        else:
            read.tell(
                OWN_SHEET, tab.name, "", f"a tab named {show(tab.name)}", "the planner's own sheets",
                f"Ignored. Start its name with {OWN_MARK} to have this left unsaid.",
            )  # fmt: skip
    for sheet in SHEETS:
        if sheet.name in tabs:
            continue
        # a sheet that may be empty may not be missing: a deleted tab would take its rules with it without a word
        read.cells.add((sheet.name, None, None))
        if sheet.name not in misspelt:
            read.tell(
                MISSING_SHEET,
                sheet.name,
                "",
                "no such sheet",
                f"a sheet {sheet.name}: {sheet.description.rstrip('.')}",
                "Add it; a new template has it ready." if sheet.required else "Add it, with its headers only if it has nothing to say.",
            )
    return tabs


def _element_symbols(tab: RawSheet | None) -> list[str]:
    """Return the symbols that composition columns may have, read ahead of everything else."""
    if tab is None:
        return []
    for letter, header in tab.header.items():
        if fold_code(str(header)) == "element":
            return [fold_code(str(cells[letter])) for cells in tab.rows.values() if cells.get(letter) is not None]
    return []


def _read_sheet(sheet: Sheet, tab: RawSheet | None, elements: list[str], read: ReadBook) -> None:
    names = [column.name for column in sheet.all_columns]
    if tab is None or not (tab.header or tab.rows):
        found: dict[Hashable, str] = {}
        rows: Mapping[int, Mapping[str, Cell]] = {}
    else:
        found = _match_columns(sheet, tab, elements, read)
        rows = {row: cells for row, cells in tab.rows.items() if _holds_anything(cells, found.values())}
    members = [name for name in found if name not in names]
    index = pd.Index(sorted(rows), dtype="int64")
    columns = {}
    for name in [*names, *members]:
        column = column_of(sheet.name, name)
        letter = found.get(name)
        values = [math.nan if column.numeric else ""] * len(index)
        if letter is not None and not {(sheet.name, None, name)} & read.cells:
            values = [_read_one(sheet.name, row, name, letter, rows[row], column, found, read) for row in index]
        columns[name] = pd.Series(values, index=index, dtype=float if column.numeric else object)
    read.frames[sheet.name] = pd.DataFrame(columns, index=index)
    read.letters[sheet.name] = found


def _read_one(
    sheet: str, row: int, name: Hashable, letter: str, cells: Mapping[str, Cell], column: Column, found: Mapping[Hashable, str], read: ReadBook
) -> str | float:  # fmt: skip
    raw = cells.get(letter)
    reading = read_cell(raw, column)
    if sheet == "settings" and name == "value":
        reading = _read_setting(raw, cells.get(found.get("setting", "")), column)
    if reading.rule is not None:
        read.tell(reading.rule, sheet, f"{letter}{row}", reading.found, reading.allowed, reading.remedy)
    if reading.failed:
        read.cells.add((sheet, row, name))
    return reading.value


def _read_setting(raw: Cell, name: Cell, column: Column) -> Reading:
    """Type the value of a setting by what the setting holds; an unreadable one is blank text, as the column is of either kind."""
    setting = SETTING_BY_NAME.get(fold_code(name)) if isinstance(name, str) else None
    reading = read_cell(raw, setting_column(setting) if setting else column)
    if isinstance(reading.value, float) and math.isnan(reading.value):
        return Reading("", reading.rule, reading.found, reading.allowed, reading.remedy)
    return reading


def _holds_anything(cells: Mapping[str, Cell], letters: Iterable[str]) -> bool:
    wanted = (cells.get(letter) for letter in letters)
    return any(cell is not None and not (isinstance(cell, str) and not fold_code(cell)) for cell in wanted)


def _match_columns(sheet: Sheet, tab: RawSheet, elements: list[str], read: ReadBook) -> dict[Hashable, str]:
    """Return column -> letter; columns whose unit is in doubt are put among the unread."""
    declared = {column.name: column for column in sheet.all_columns}
    found: dict[Hashable, str] = {}
    meant: set[str] = set()
    last_year = 0
    for letter in sorted(tab.header, key=_letter_order):
        text = str(tab.header[letter])
        folded = fold_code(text)
        if not folded or folded.startswith(OWN_MARK):
            continue
        cell = f"{letter}{tab.header_row}"
        if folded != text:
            read.tell(FOLDED_TEXT, sheet.name, cell, f"the header {show(text)}", f"'{folded}'", f"Read as '{folded}'; retype it so.")
        match = _HEADER.fullmatch(folded)
        name = match[1] if match else folded
        unit = match[2] if match else None
        key = _column_key(sheet, name, unit, elements)
        if key is None:
            meant.add(_tell_unknown(sheet, name, cell, elements, read))
            continue
        if key in found:
            read.tell(
                DUPLICATE_COLUMN, sheet.name, cell, f"a second column '{name}', after column {found[key]}", "one column of each name",
                f"Delete one of them, or start its header with {OWN_MARK}.",
            )  # fmt: skip
            continue
        found[key] = letter
        expected = column_of(sheet.name, key).unit
        if (unit or "") != expected:
            _tell_unit(sheet.name, declared.get(name), name, unit, expected, cell, read)
            read.cells.add((sheet.name, None, key))
        if isinstance(key, int):
            if key < last_year:
                read.tell(
                    YEAR_ORDER, sheet.name, cell, f"{key} after {last_year}", "years ascending from left to right", "Put the columns in order."
                )  # fmt: skip
                read.cells.add((sheet.name, None, key))
            last_year = max(last_year, key)
    for column in sheet.all_columns:
        if column.name not in found and (column.required or column.name in meant):
            read.cells.add((sheet.name, None, column.name))
            if column.name not in meant:
                read.tell(MISSING_COLUMN, sheet.name, "", f"no column '{column.name}'", f"'{column.header}'", "Add the column.")
    _tell_unnamed(sheet, tab, read)
    return found


def _letter_order(letter: str) -> tuple[int, str]:
    return (len(letter), letter)


def _column_key(sheet: Sheet, name: str, unit: str | None, elements: list[str]) -> Hashable | None:
    """Return the frame's column that a header's name stands for, None if there is none."""
    if any(column.name == name for column in sheet.all_columns):
        return name
    if sheet.spread is None:
        return None
    if sheet.spread.family == "year":
        return int(float(name)) if _YEAR.fullmatch(name) else None
    # While the elements cannot be read, the unit alone tells an element's column.
    known = name in elements if elements else unit == sheet.spread.unit
    return name if known else None


def _tell_unknown(sheet: Sheet, name: str, cell: str, elements: list[str], read: ReadBook) -> str:
    """Tell of an unknown column and return the column that was probably meant."""
    names = [column.name for column in sheet.all_columns]
    family = ""
    if sheet.spread is not None:
        family = " and a column for each year" if sheet.spread.family == "year" else " and a column for each row of elements"
        names += elements if sheet.spread.family == "element" else []
    near = nearest(name, names)
    meant = f"Did you mean '{near}'? Rename it" if near else "Rename it"
    read.tell(
        UNKNOWN_COLUMN, sheet.name, cell, f"a column named {show(name)}", listing(names, len(names)) + family,
        f"{meant}, delete it, or start its header with {OWN_MARK} if it is your own.",
    )  # fmt: skip
    return near


def _tell_unit(sheet: str, column: Column | None, name: str, unit: str | None, expected: str, cell: str, read: ReadBook) -> None:
    header = f"{name} [{expected}]" if expected else name
    if unit is None:
        read.tell(
            MISSING_UNIT, sheet, cell, f"the header '{name}' without a unit", f"'{header}'", f"Give the figures in {expected} and say so."
        )
        return
    remedy = f"Convert the figures to {expected} and rename the column." if expected else "Remove the unit: the column has none."
    read.tell(WRONG_UNIT, sheet, cell, f"the unit {show(unit)}", f"'{header}'", remedy)


def _tell_unnamed(sheet: Sheet, tab: RawSheet, read: ReadBook) -> None:
    named = {letter for letter, header in tab.header.items() if fold_code(str(header))}
    unnamed: dict[str, int] = {}
    for row in sorted(tab.rows):
        for letter, cell in tab.rows[row].items():
            if letter not in named and _holds_anything({letter: cell}, [letter]):
                unnamed.setdefault(letter, row)
    for letter in sorted(unnamed, key=_letter_order):
        read.tell(
            UNNAMED_COLUMN, sheet.name, f"{letter}{tab.header_row}", f"no header above {letter}{unnamed[letter]}", "a header on every used column",
            f"Name the column, start its header with {OWN_MARK} if it is your own, or empty it.",
        )  # fmt: skip
