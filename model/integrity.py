"""Rules that follow from the schema alone: blanks, keys, references, choices, ranges, settings.

They are applied to typed tables, so they serve a book just read and one changed by a scenario.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator

from model.book import Book, Field, is_blank, split_codes
from model.cells import INFINITE_NUMBER, allowed_text
from model.findings import Offence, Rule, rule
from model.schema import ANY, SETTING_BY_NAME, SHEET_BY_NAME, SHEETS, Column, Sheet
from model.words import listing, nearest, number_text, show, suggest

_SLACK = 1e-9
_COUNTRY = re.compile(r"[A-Z]{3}", re.ASCII)
COUNTRY_COLUMNS = ("country", "customs_origin", "process_only_in", "provider")
COUNTRY_OF_SHEET = {"duties": ("origin", "destination")}
STANDS_IN = {"distances": "route_costs"}
"""Required sheets that may be empty while another one has rows."""


def _blank_rows(book: Book, field: Field) -> list[Hashable]:
    return [row for row, value in field.cells if is_blank(value) and not book.is_unread(field.sheet, row, field.name)]


def _is_needed(book: Book, name: Hashable) -> bool:
    """Return whether blanks of a column matter: years outside the plan are not read."""
    return not isinstance(name, int) or not book.years or name in book.years


@rule("empty_sheet", "error", blocks=True)
def empty_sheet(book: Book) -> Iterator[Offence]:
    """Every required sheet has rows."""
    for sheet in SHEETS:
        stand_in = STANDS_IN.get(sheet.name)
        if not sheet.required or len(book[sheet.name]) or (stand_in and len(book[stand_in])) or book.is_unread(sheet.name, None, None):
            continue
        yield Offence(
            sheet.name, None, None, "no rows", f"rows of {sheet.name}: {sheet.description.rstrip('.')}", "Fill in at least one row."
        )


@rule("blank_key", "error", blocks=True)
def blank_key(book: Book) -> Iterator[Offence]:
    """A row's key is not blank."""
    for field in book.fields:
        if field.column.required and field.name in SHEET_BY_NAME[field.sheet].key:
            for row in _blank_rows(book, field):
                found = f"a blank {field.column.name}"
                yield Offence(field.sheet, row, field.name, found, allowed_text(field.column), "Fill in the key, or clear the row.")


@rule("blank_required", "error", blocks=True)
def blank_required(book: Book) -> Iterator[Offence]:
    """A required cell is not blank."""
    for field in book.fields:
        if not field.column.required or field.name in SHEET_BY_NAME[field.sheet].key or not _is_needed(book, field.name):
            continue
        for row in _blank_rows(book, field):
            remedy = "Fill in a figure; 0 must be written as 0." if field.column.numeric else "Fill in the cell."
            yield Offence(field.sheet, row, field.name, f"a blank {field.column.name}", allowed_text(field.column), remedy)


@rule("duplicate_key", "error", blocks=True)
def duplicate_key(book: Book) -> Iterator[Offence]:
    """No two rows of a sheet have the same key."""
    for sheet in SHEETS:
        first: dict[tuple[Hashable, ...], Hashable] = {}
        for row, record in book.rows(sheet.name):
            if any(book.is_unread(sheet.name, row, name) for name in sheet.key):
                continue
            if any(is_blank(record[name]) and sheet.column(name).required for name in sheet.key):
                continue
            key = tuple("" if is_blank(record[name]) else record[name] for name in sheet.key)
            if key in first:
                words = " | ".join(number_text(part) if isinstance(part, float) else str(part) for part in key)
                yield Offence(
                    sheet.name, row, sheet.key[0], f"{show(words)}, already in row {first[key]}", f"one row for each {', '.join(sheet.key)}",
                    "Delete one of the rows, or change its key.",
                )  # fmt: skip
            else:
                first[key] = row


@rule("dangling_reference", "error", blocks=True)
def dangling_reference(book: Book) -> Iterator[Offence]:
    """A code that refers to another sheet is found there."""
    for sheet in SHEETS:
        for column in sheet.all_columns:
            if not column.refers:
                continue
            target, _, target_column = column.refers.partition(".")
            known = book.texts(target, target_column)
            if not known or book.is_unread(target, None, target_column):
                continue
            allowed = {*known, ANY} if column.wildcard else set(known)
            for row, record in book.rows(sheet.name):
                value = record[column.name]
                if is_blank(value) or value in allowed:
                    continue
                yield Offence(
                    sheet.name, row, column.name, show(value), f"{'* or ' if column.wildcard else ''}a code of {column.refers}: {listing(known)}",
                    suggest(str(value), known, f"Use a code of {target}, or add a row for it there."),
                )  # fmt: skip


@rule("choice_not_allowed", "error", blocks=True)
def choice_not_allowed(book: Book) -> Iterator[Offence]:
    """A cell with a drop-down list holds one of its entries."""
    for field in book.fields:
        choices = field.column.choices
        for row, value in field.cells if choices else ():
            if not is_blank(value) and value not in choices:
                word = {"TRUE": "yes", "FALSE": "no"}.get(str(value), str(value))
                yield Offence(
                    field.sheet, row, field.name, show(value), allowed_text(field.column), suggest(word, choices, "Pick one of the list.")
                )  # fmt: skip


def _numbers(book: Book) -> Iterator[tuple[str, Hashable, Hashable, Column, float]]:
    """Yield (sheet, row, column, declaration, number) of every number."""
    for field in book.fields:
        if field.column.numeric:
            for row, value in field.cells:
                if isinstance(value, int | float) and not is_blank(value):
                    yield field.sheet, row, field.name, field.column, float(value)


def _outside(column: Column, number: float) -> bool:
    low = column.low is not None and number < column.low - _SLACK * (column.low != 1e-9)
    return low or (column.high is not None and number > column.high + _SLACK)


def _is_share(column: Column) -> bool:
    return column.low == 0 and column.high == 1


@rule("negative_number", "error", blocks=True)
def negative_number(book: Book) -> Iterator[Offence]:
    """A cost, tonnage, distance or other amount is not negative."""
    for sheet, row, name, column, number in _numbers(book):
        if column.low == 0 and not _is_share(column) and number < -_SLACK:
            yield Offence(sheet, row, name, number_text(number), allowed_text(column), "Write an amount of 0 or more.")


@rule("share_outside", "error", blocks=True)
def share_outside(book: Book) -> Iterator[Offence]:
    """A share lies between 0 and 1."""
    for sheet, row, name, column, number in _numbers(book):
        if _is_share(column) and _outside(column, number):
            percent = 1 < number <= 100
            remedy = f"Write {number / 100:g} if {number_text(number)} % is meant." if percent else "Write a share from 0 to 1."
            yield Offence(sheet, row, name, number_text(number), allowed_text(column), remedy)


@rule("out_of_range", "error", blocks=True)
def out_of_range(book: Book) -> Iterator[Offence]:
    """A number lies in the range of its column."""
    for sheet, row, name, column, number in _numbers(book):
        negative = column.low == 0 and number < 0
        if _outside(column, number) and not _is_share(column) and not negative:
            percent = column.unit.startswith("share") and 1 < number <= 100 and not _outside(column, number / 100)
            remedy = f"Write {number / 100:g} if {number_text(number)} % is meant." if percent else f"Write {allowed_text(column)}."
            yield Offence(sheet, row, name, number_text(number), allowed_text(column), remedy)


@rule("implausible_figure", "notice", as_written=True)
def implausible_figure(book: Book) -> Iterator[Offence]:
    """A figure that may stand in its column is not so small or large that its unit is in doubt."""
    for sheet, row, name, column, number in _numbers(book):
        # 0 is 0 in every unit
        if column.plausible is None or number == 0 or _outside(column, number) or math.isinf(number):
            continue
        low, high = column.plausible
        if not low <= number <= high:
            yield Offence(
                sheet, row, name, f"{number_text(number)} {column.unit}", f"mostly {number_text(low)} to {number_text(high)} {column.unit}",
                f"Kept as written; check that it is meant in {column.unit}, not in a unit larger or smaller.",
            )  # fmt: skip


@rule("not_whole", "error", blocks=True)
def not_whole(book: Book) -> Iterator[Offence]:
    """Years and counts are whole numbers."""
    for sheet, row, name, column, number in _numbers(book):
        if column.kind in ("year", "integer") and not number.is_integer() and number not in (float("inf"), float("-inf")):
            yield Offence(sheet, row, name, number_text(number), allowed_text(column), "Write a whole number.")


def _infinite(book: Book) -> Iterator[Offence]:
    for sheet, row, name, column, number in _numbers(book):
        if number in (float("inf"), float("-inf")):
            yield Offence(sheet, row, name, "an infinite number", allowed_text(column), "Write a finite number.")


infinite_number = Rule(INFINITE_NUMBER.id, "error", INFINITE_NUMBER.description, find=_infinite, blocks=True)


@rule("country_code", "error", blocks=True)
def country_code(book: Book) -> Iterator[Offence]:
    """A country is named by its three-letter code (ISO 3166 alpha-3)."""
    known = sorted({code for sheet in SHEETS for code in _countries(book, sheet.name) if _COUNTRY.fullmatch(code)})
    for sheet in SHEETS:
        for name in _country_columns(sheet):
            for row, record in book.rows(sheet.name):
                for code in split_codes(str(record[name])):
                    if _COUNTRY.fullmatch(code) or (code == ANY and sheet.column(name).wildcard):
                        continue
                    yield Offence(
                        sheet.name, row, name, show(code), "three capital letters, such as NAM for Namibia", _country_remedy(code, known)
                    )  # fmt: skip


def _country_columns(sheet: Sheet) -> list[str]:
    names = (*COUNTRY_COLUMNS, *COUNTRY_OF_SHEET.get(sheet.name, ()))
    return [column.name for column in sheet.columns if column.name in names]


def _countries(book: Book, sheet: str) -> Iterator[str]:
    for name in _country_columns(next(s for s in SHEETS if s.name == sheet)):
        for value in book.texts(sheet, name):
            yield from split_codes(value)


def _country_remedy(code: str, known: list[str]) -> str:
    near = next((other for other in known if other.startswith(code.upper())), "") or nearest(code, known, 0.65)
    meant = f" Did you mean '{near}'?" if near else ""
    if len(code) == 2:
        return f"That is a two-letter code; write the three-letter one.{meant}"
    return f"Write the three-letter code in capitals.{meant}"


@rule("unknown_setting", "error", blocks=True)
def unknown_setting(book: Book) -> Iterator[Offence]:
    """Every row of settings is a setting that exists."""
    for row, record in book.rows("settings"):
        name = record["setting"]
        if not is_blank(name) and name not in SETTING_BY_NAME:
            yield Offence(
                "settings", row, "setting", show(name), listing(SETTING_BY_NAME, len(SETTING_BY_NAME)),
                suggest(str(name), SETTING_BY_NAME, "Delete the row."),
            )  # fmt: skip


@rule("setting_type", "error", blocks=True)
def setting_type(book: Book) -> Iterator[Offence]:
    """The value of a numeric setting is a number."""
    for field in book.fields:
        if field.sheet == "settings" and field.name == "value" and field.column.numeric:
            for row, value in field.cells:
                if not is_blank(value) and (isinstance(value, bool) or not isinstance(value, int | float)):
                    yield Offence("settings", row, "value", show(value), allowed_text(field.column), "Write a number.")


@rule("setting_unit", "error", blocks=True)
def setting_unit(book: Book) -> Iterator[Offence]:
    """The unit beside a setting is the one that it is read in."""
    for row, record in book.rows("settings"):
        setting = SETTING_BY_NAME.get(str(record["setting"]))
        if setting is not None and not is_blank(record["unit"]) and record["unit"] != setting.unit:
            expected = setting.unit or "no unit"
            yield Offence("settings", row, "unit", show(record["unit"]), expected, f"Convert the value to {expected}, or correct the unit.")


SCHEMA_RULES = (
    empty_sheet, blank_key, blank_required, duplicate_key, dangling_reference, choice_not_allowed, infinite_number, negative_number,
    share_outside, out_of_range, implausible_figure, not_whole, country_code, unknown_setting, setting_type, setting_unit,
)  # fmt: skip
