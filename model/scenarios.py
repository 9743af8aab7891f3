"""Named scenarios: rows of the `scenarios` sheet applied to the other tables."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from model.book import column_of, is_blank, setting_column, split_codes
from model.cells import allowed_text
from model.schema import ANY, SETTING_BY_NAME, SHEET_BY_NAME, Column, Sheet
from model.tables import Tables
from model.words import clean_number, fold_code, listing, number_text, show, suggest

EMPTY = "none"
"""Value that empties a cell."""
CLOSED_SHEETS = ("scenarios",)
_YEARS = re.compile(r"(\d{4}) ?[-–~] ?(\d{4})", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)


class ScenarioError(ValueError):
    """A scenario, or a row of one, that does not fit the tables.

    Parameters
    ----------
    part
        ``scenario``, or the column of the `scenarios` sheet that is wrong.
    found, allowed, remedy
        What stands there, what may stand there, what to do.
    row
        Excel row in `scenarios`, None where no row is meant.
    """

    def __init__(self, part: str, found: str, allowed: str, remedy: str, row: Hashable | None = None) -> None:
        where = "" if row is None else f"scenarios, row {row}, "
        super().__init__(f"{where}{part}: found {found}; allowed: {allowed}. {remedy}")
        self.part, self.found, self.allowed, self.remedy, self.row = part, found, allowed, remedy, row


@dataclass(frozen=True)
class Change:
    """One cell changed by a scenario; blanks are NaN or "" as in the tables."""

    sheet: str
    row: Hashable
    column: Hashable
    before: str | float
    after: str | float
    cell: str


@dataclass(frozen=True)
class Edit:
    """One scenario row with its words resolved against the tables.

    Parameters
    ----------
    sheet
        Sheet to change.
    rows
        Excel rows.
    columns
        Frame columns.
    operation
        set, multiply or add.
    value
        New value (NaN or "" empties the cell), factor or increment.
    """

    sheet: str
    rows: tuple[Hashable, ...]
    columns: tuple[Hashable, ...]
    operation: str
    value: str | float


def scenario_names(tables: Tables) -> list[str]:
    """Return the scenarios of the book, in order."""
    return [str(name) for name in dict.fromkeys(tables["scenarios"]["scenario"]) if not is_blank(name)]


def apply_scenario(tables: Tables, name: str) -> tuple[Tables, list[Change]]:
    """Apply one scenario, or several joined by ``+`` in the order written.

    Parameters
    ----------
    tables
        Typed tables; not changed.
    name
        Such as ``embargo`` or ``embargo + no_cap``.

    Returns
    -------
    tables : Tables
        With the changes; to be checked by :func:`model.validation.check_tables`, as a change can
        break a rule.
    changes : list of Change
        The cells that now differ, in the order changed; a cell changed twice is there twice.

    Raises
    ------
    ScenarioError
        No such scenario, or a row that does not fit the tables.
    """
    known = scenario_names(tables)
    changes: list[Change] = []
    for part in [name] if name in known else [fold_code(part) for part in name.split("+")]:
        if part not in known:
            allowed = f"one of {listing(known, len(known))}" if known else "none, as the sheet scenarios has no rows"
            raise ScenarioError("scenario", show(part), allowed, suggest(part, known, "Name a scenario of the book."))
        frame = tables["scenarios"]
        for row, record in frame[frame["scenario"] == part].to_dict("index").items():
            tables, made = _apply_row(tables, row, record)
            changes.extend(made)
    return tables, changes


def resolve_row(tables: Tables, record: dict[Hashable, Any], row: Hashable | None = None) -> Edit:
    """Resolve one row of `scenarios` against the tables.

    Parameters
    ----------
    tables
        Typed tables.
    record
        Column -> value of the row.
    row
        Its Excel row, for messages.

    Returns
    -------
    Edit

    Raises
    ------
    ScenarioError
        Sheet, key, column, operation or value does not fit.
    """
    try:
        sheet = _resolve_sheet(record["sheet"])
        columns, declared = _resolve_columns(tables, sheet, str(record["column"]), str(record["key"]))
        rows = _resolve_rows(tables, sheet, str(record["key"]))
        values = [_resolve_value(column, str(record["operation"]), record["value"]) for column in declared]
    except ScenarioError as error:
        raise ScenarioError(error.part, error.found, error.allowed, error.remedy, row) from None
    if len({type(value) for value in values}) > 1:
        raise ScenarioError(
            "column", show(record["column"]), "columns that are all of numbers or all of text", "Write one row for each column.", row
        )
    return Edit(sheet.name, rows, columns, str(record["operation"]), values[0])


def _resolve_sheet(name: str) -> Sheet:
    open_sheets = [sheet for sheet in SHEET_BY_NAME if sheet not in CLOSED_SHEETS]
    if name not in open_sheets:
        raise ScenarioError(
            "sheet", show(name), f"one of {listing(open_sheets, len(open_sheets))}", suggest(name, open_sheets, "Name an input sheet.")
        )
    return SHEET_BY_NAME[name]


def _resolve_columns(tables: Tables, sheet: Sheet, text: str, key: str) -> tuple[tuple[Hashable, ...], list[Column]]:
    """Return the frame's columns and their declarations; a setting's own one for settings."""
    if sheet.name == "settings":
        if fold_code(text) != "value":
            raise ScenarioError("column", show(text), "value", "Write value: the key names the setting.")
        names = _setting_names(key)
        return ("value",), [setting_column(SETTING_BY_NAME[name]) for name in names]
    members = [column for column in tables[sheet.name].columns if column not in {c.name for c in sheet.all_columns}]
    columns: list[Hashable] = []
    for part in split_codes(fold_code(text)):
        columns.extend(name for name in _columns_of(sheet, members, part) if name not in columns)
    if not columns:
        raise ScenarioError("column", show(text), "a column of the sheet", "Name the column to change.")
    return tuple(columns), [column_of(sheet.name, name) for name in columns]


def _columns_of(sheet: Sheet, members: Sequence[Hashable], part: str) -> list[Hashable]:
    """Return the columns that one part of a column list stands for: a name, a year, a range of years or all of the spread."""
    by_year = sheet.spread is not None and sheet.spread.family == "year"
    years = [member for member in members if isinstance(member, int)]
    named = [column.name for column in sheet.all_columns]
    span = f"; years {min(years)} to {max(years)}, a range such as {min(years)}-{max(years)}, or *" if years else ""
    allowed = listing([*named, *(member for member in members if not isinstance(member, int))], 60) + span
    if part in named:
        return [part]
    if part == ANY and members:
        return list(members)
    if match := _YEARS.fullmatch(part) if by_year else None:
        first, last = int(match[1]), int(match[2])
        if first > last:
            raise ScenarioError("column", f"the range {part}", "a range from the earlier to the later year", f"Write {last}-{first}.")
        inside: list[Hashable] = [year for year in years if first <= year <= last]
        if not inside:
            raise ScenarioError("column", f"the range {part}, in which {sheet.name} has no column", allowed, "Write years of the sheet.")
        return inside
    if by_year and _YEAR.fullmatch(part):
        if int(part) not in years:
            raise ScenarioError("column", f"{part}, for which {sheet.name} has no column", allowed, "Write a year of the sheet.")
        return [int(part)]
    if part in members:
        return [part]
    names = [*named, *(str(member) for member in members)]
    raise ScenarioError("column", show(part), allowed, suggest(part, names, f"Name a column of {sheet.name}."))


def _setting_names(key: str) -> list[str]:
    names = split_codes(fold_code(key))
    for name in names:
        if name not in SETTING_BY_NAME:
            raise ScenarioError("key", show(name), "the name of a setting", suggest(name, SETTING_BY_NAME, "Name a setting."))
    if not names:
        raise ScenarioError("key", show(key), "the name of a setting", "Name a setting.")
    return names


def _resolve_rows(tables: Tables, sheet: Sheet, key: str) -> tuple[Hashable, ...]:
    """Return the Excel rows that a key stands for; for settings the names, as a setting may have no row yet."""
    if sheet.name == "settings":
        return tuple(_setting_names(key))
    frame = tables[sheet.name]
    parts = [part.strip() for part in fold_code(key).split("|")]
    order = " | ".join(sheet.key)
    if len(parts) > len(sheet.key):
        raise ScenarioError(
            "key", f"{show(key)}, {len(parts)} parts", f"at most {len(sheet.key)} parts: {order}", "Drop the parts too many."
        )
    matching = list(range(len(frame)))
    for name, part in zip(sheet.key, parts, strict=False):
        if part == ANY:
            continue
        column = sheet.column(name)
        if not part and column.required:
            raise ScenarioError("key", f"{show(key)} with a blank {name}", f"{order}, with * for all", f"Write * for every {name}.")
        texts = [_key_text(value) for value in frame[name].tolist()]
        known = set(texts)
        wanted = split_codes(part) or [""]
        for word in wanted:
            if word not in known:
                codes = sorted(known - {""})
                raise ScenarioError(
                    "key", show(word) if word else f"a blank {name}", f"a {name} of {sheet.name}: {listing(codes)}",
                    suggest(word, codes, f"Use a code of {sheet.name}; the parts are {order}."),
                )  # fmt: skip
        matching = [place for place in matching if texts[place] in wanted]
    if not matching:
        raise ScenarioError(
            "key", f"{show(key)}, which matches no row of {sheet.name}", f"{order} of a row that exists", "Correct the key, or add the row."
        )
    return tuple(frame.index[matching])


def _key_text(value: object) -> str:
    if is_blank(value):
        return ""
    return number_text(value) if isinstance(value, float) else str(value)


def _resolve_value(column: Column, operation: str, value: object) -> str | float:
    if operation not in ("set", "multiply", "add"):
        raise ScenarioError(
            "operation", show(operation), "set, multiply or add", suggest(operation, ("set", "multiply", "add"), "Pick one.")
        )
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else clean_number(str(value))
    if operation != "set":
        if not column.numeric:
            raise ScenarioError("operation", f"{operation} on {column.name}, which is no number", "set", "Write set and the new text.")
        if number is None or not math.isfinite(number):
            raise ScenarioError("value", show(value), f"a number to {operation} by", "Write a number.")
        return float(number)
    if isinstance(value, str) and value.strip().lower() == EMPTY and EMPTY not in column.choices:
        if column.required:
            raise ScenarioError(
                "value", f"{show(value)} for {column.name}", allowed_text(column), "A required cell cannot be emptied; write a value."
            )
        return math.nan if column.numeric else ""
    if is_blank(value):
        raise ScenarioError("value", "a blank", allowed_text(column), f"Write the new value, or {EMPTY} to empty the cell.")
    if column.numeric:
        if number is None or not math.isfinite(number):
            raise ScenarioError("value", f"{show(value)} for {column.name}", allowed_text(column), "Write a number.")
        return float(number)
    text = number_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else fold_code(str(value))
    if column.choices and text not in column.choices:
        raise ScenarioError(
            "value", f"{show(text)} for {column.name}", allowed_text(column), suggest(text, column.choices, "Pick one of the list.")
        )
    return text


def _apply_row(tables: Tables, row: Hashable, record: dict[Hashable, Any]) -> tuple[Tables, list[Change]]:
    edit = resolve_row(tables, record, row)
    frame, fresh = tables[edit.sheet].copy(), frozenset[Hashable]()
    rows = edit.rows
    if edit.sheet == "settings":
        frame, rows, fresh = _with_rows(frame, edit.rows)
    changes: list[Change] = []
    for column in edit.columns:
        for place in rows:
            before: Any = frame.at[place, column]
            before = float(before) if isinstance(before, int | float) else before
            after = _changed(before, edit)
            if (is_blank(before) and is_blank(after)) or before == after:
                continue
            frame.at[place, column] = after
            cell = edit.sheet if place in fresh else tables.cell(edit.sheet, place, column)
            changes.append(Change(edit.sheet, place, column, before, after, cell))
    return replace(tables, frames={**tables.frames, edit.sheet: frame}), changes


def _changed(before: Any, edit: Edit) -> str | float:
    if edit.operation == "set":
        return edit.value
    if is_blank(before):
        return before
    number = float(before)
    return number * float(edit.value) if edit.operation == "multiply" else number + float(edit.value)


def _with_rows(frame: pd.DataFrame, names: tuple[Hashable, ...]) -> tuple[pd.DataFrame, tuple[Hashable, ...], frozenset[Hashable]]:
    """Return the settings frame with a row for every name, their rows, and the rows added at the defaults."""
    lacking = [name for name in names if name not in set(frame["setting"])]
    start = max([1, *frame.index]) + 1
    added = pd.DataFrame("", index=pd.RangeIndex(start, start + len(lacking)), columns=frame.columns, dtype=object)
    added["setting"] = pd.Series(lacking, index=added.index, dtype=object)
    added["value"] = pd.Series([SETTING_BY_NAME[str(name)].default for name in lacking], index=added.index, dtype=object)
    added["source"], added["quality"] = "default, changed by the scenario", "assumption"
    joined = pd.concat([frame, added]) if lacking else frame
    rows = tuple(joined.index[joined["setting"] == name][0] for name in names)
    return joined, rows, frozenset(added.index)
