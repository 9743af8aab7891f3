"""One raw cell -> one typed value, with the finding that reading it gives rise to."""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass

from model.findings import Rule
from model.schema import Column
from model.tables import Cell, CellError, FormulaNotCalculated
from model.words import clean_number, fold_code, fold_prose, number_text, show

FORMULA_NOT_CALCULATED = Rule("formula_not_calculated", "error", "A formula has been calculated by a spreadsheet before the book is read.")
CELL_ERROR = Rule("cell_error", "error", "No cell holds an error value such as #REF!.")
TEXT_IN_NUMBER = Rule("text_in_number", "error", "A number cell holds a number and nothing else.")
BOOLEAN_IN_NUMBER = Rule("boolean_in_number", "error", "A number cell holds no TRUE or FALSE.")
DATE_IN_NUMBER = Rule("date_in_number", "error", "A number cell holds no date.")
INFINITE_NUMBER = Rule("infinite_number", "error", "A number is finite.")
NUMBER_AS_TEXT = Rule("number_as_text", "notice", "A number stored as text is read as the number that it spells.")
FOLDED_TEXT = Rule("folded_text", "notice", "Stray spaces and full-width characters are read as their plain forms.")

CELL_RULES = (
    FORMULA_NOT_CALCULATED, CELL_ERROR, TEXT_IN_NUMBER, BOOLEAN_IN_NUMBER, DATE_IN_NUMBER, INFINITE_NUMBER, NUMBER_AS_TEXT, FOLDED_TEXT,
)  # fmt: skip

_ERROR_TEXTS = frozenset(
    ("#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!", "#GETTING_DATA")
)  # fmt: skip
_BLANK_WORDS = frozenset(("na", "n/a", "n.a.", "-", "--", "none", "nil", "null", "tbd", "?", "unknown", "ー", "なし", "不明"))
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([, ']\d{3})+(\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_PERCENT = re.compile(r"([+-]?\d+(?:\.\d+)?) ?(?:%|per ?cent|pct)", re.ASCII | re.IGNORECASE)
_RANGE = re.compile(r"\d+(\.\d+)? ?[-~] ?\d+(\.\d+)?", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?(\.\d+)?)?", re.ASCII)
_NO_DATE = "Write the number and format the cell as a number, not as a date."
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*", re.ASCII)
_WITH_WORDS = re.compile(r"([+-]?\d+(?:\.\d+)?) ?[^\d\s,.'-].*", re.ASCII)


@dataclass(frozen=True)
class Reading:
    """A typed value and, where something is worth saying, the rule with its words."""

    value: str | float
    rule: Rule | None = None
    found: str = ""
    allowed: str = ""
    remedy: str = ""

    @property
    def failed(self) -> bool:
        """Whether the cell could not be read."""
        return self.rule is not None and self.rule.severity == "error"


def read_cell(raw: Cell, column: Column) -> Reading:
    """Type one cell.

    Parameters
    ----------
    raw
        The cell as the workbook holds it.
    column
        What the schema says of it.

    Returns
    -------
    Reading
        ``value`` is a float (NaN: blank or unreadable) in a numeric column, a text ("" likewise) in
        the others; a ``value`` column keeps whichever was typed.
    """
    blank: str | float = math.nan if column.numeric else ""
    if raw is None or (isinstance(raw, float) and math.isnan(raw)):
        return Reading(blank)
    if isinstance(raw, FormulaNotCalculated):
        return Reading(
            blank, FORMULA_NOT_CALCULATED, f"the formula {show(raw.formula)} without a value", allowed_text(column),
            "Open the book in Excel or LibreOffice, let it calculate, save it; or write the value.",
        )  # fmt: skip
    if isinstance(raw, CellError) or (isinstance(raw, str) and raw.strip() in _ERROR_TEXTS):
        text = raw.text if isinstance(raw, CellError) else raw.strip()
        return Reading(blank, CELL_ERROR, show(text), allowed_text(column), "Repair the formula or write the value.")
    if isinstance(raw, str) and not fold_code(raw):
        if raw == "":
            return Reading(blank)
        return Reading(blank, FOLDED_TEXT, "spaces only", allowed_text(column), "Read as a blank; empty the cell.")
    if column.numeric:
        return _read_number(raw, column)
    return _read_value(raw, column) if column.kind == "value" else _read_text(raw, column)


def allowed_text(column: Column) -> str:
    """Return what may stand in a column, in words."""
    if column.choices:
        return f"one of {', '.join(column.choices)}"
    if not column.numeric:
        return {"code": "a code", "codes": "codes parted by commas", "value": "a number or a text"}.get(column.kind, "text")
    noun = {"year": "a year", "integer": "a whole number"}.get(column.kind, "a number")
    unit = f" in {column.unit}" if column.unit and column.kind != "year" else ""
    low = "" if column.low is None else f" from {number_text(column.low)}"
    high = "" if column.high is None else f" to {number_text(column.high)}"
    if column.low is not None and 0 < column.low < 1e-6:
        low = " above 0"
    return f"{noun}{unit}{low}{high}"


def _read_number(raw: object, column: Column) -> Reading:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _finite(raw, column)
    allowed = allowed_text(column)
    if isinstance(raw, bool):
        return Reading(math.nan, BOOLEAN_IN_NUMBER, str(raw).upper(), allowed, "Write the number.")
    if isinstance(raw, datetime.date | datetime.time | datetime.timedelta):
        return Reading(
            math.nan, DATE_IN_NUMBER, f"the date {raw}", allowed, _NO_DATE
        )  # fmt: skip
    text = str(raw)
    number = clean_number(text)
    if number is None and _ISO_DATE.fullmatch(text.strip()):
        return Reading(math.nan, DATE_IN_NUMBER, f"the date {text.strip()}", allowed, _NO_DATE)
    if number is None:
        return Reading(math.nan, TEXT_IN_NUMBER, show(text), allowed, _hint(text, column))
    reading = _finite(number, column)
    if reading.failed:
        return reading
    return Reading(
        number, NUMBER_AS_TEXT, f"{show(text)}, a number stored as text", allowed,
        f"Read as {number_text(number)}; retype it as a number.",
    )  # fmt: skip


def _finite(raw: int | float, column: Column) -> Reading:
    try:
        number = float(raw)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        return Reading(math.nan, INFINITE_NUMBER, "an infinite number", allowed_text(column), "Write a finite number.")
    return Reading(number)


def _hint(text: str, column: Column) -> str:
    """Return what to write in place of a text in a number cell, without guessing what was meant."""
    folded = fold_code(text)
    if folded.lower() in _BLANK_WORDS:
        return "Write a number, marked as an estimate if it is one." if column.required else "Leave the cell blank if there is no figure."
    if _DATE.fullmatch(folded):
        return "Write the number, not a date."
    if _THOUSANDS.fullmatch(folded) or _DECIMAL_COMMA.fullmatch(folded):
        return "Write it without separators, and with a point where there are decimals: 1200 or 1.2."
    if match := _PERCENT.fullmatch(folded):
        if column.low == 0 and column.high == 1:
            return f"Write {float(match[1]) / 100:g}."
        return "Write the number alone, in the unit of the header."
    if _RANGE.fullmatch(folded):
        return "Write one number."
    if match := _WITH_WORDS.fullmatch(folded):
        unit = f"; the column is in {column.unit}, so convert it if need be" if column.unit else ""
        return f"Write {match[1]} alone{unit}."
    return "Write a number."


def _read_text(raw: object, column: Column) -> Reading:
    if isinstance(raw, bool):
        return Reading(str(raw).upper())
    if isinstance(raw, int | float):
        return Reading(number_text(raw) if math.isfinite(raw) else str(raw))
    if isinstance(raw, datetime.datetime) and raw.time() == datetime.time():
        return Reading(raw.date().isoformat())
    text = str(raw)
    folded = fold_prose(text) if column.kind == "text" else fold_code(text)
    if folded == text:
        return Reading(text)
    return Reading(
        folded, FOLDED_TEXT, f"{show(text)} with stray spaces or full-width characters", allowed_text(column),
        f"Read as {show(folded)}; retype it so.",
    )  # fmt: skip


def _read_value(raw: object, column: Column) -> Reading:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _finite(raw, column)
    if isinstance(raw, str) and clean_number(raw) is not None:
        return _read_number(raw, column)
    return _read_text(raw, Column(column.name, "code", column.description))
