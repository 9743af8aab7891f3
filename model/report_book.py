"""A workbook of captioned pages: tables whose columns have names, and formulas that carry their value.

Nothing here knows of plants or oxides. A :class:`Live` is a piece of formula together with what
it must give; sums over a :class:`DataTable` yield both at once, so that the figure that Excel or
LibreOffice computes is the figure that Python wrote.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from model.report_styles import FONT, Styles
from model.result_schema import RESULT_BY_NAME

NONE = "-"
"""Stands where a share has no meaning because its whole is 0."""

_PLAIN_TEXT = re.compile(r"[A-Za-z_][\w .:()&/,'+-]{0,200}", re.ASCII)
_LOOKS_LIKE_VALUE = re.compile(r"(true|false|inf|nan|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ ./-]*\d.*)", re.IGNORECASE)
_ATOM = re.compile(r"[\w.$!:']+|[A-Z]+\([^()]*\)")

Value = float | str


def _literal(value: Value) -> str:
    """Return a number or a text as it stands in a formula."""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return f"{value:.15g}"


@dataclass(slots=True)
class Live:
    """A piece of formula, without the leading equals sign, and the value that it gives."""

    text: str
    value: Value

    @property
    def number(self) -> float:
        """The value as a number; a text counts 0, as in a sum."""
        return 0.0 if isinstance(self.value, str) else float(self.value)

    def _bracketed(self) -> str:
        return self.text if _ATOM.fullmatch(self.text) else f"({self.text})"

    def __add__(self, other: Live | float) -> Live:
        other = as_live(other)
        return Live(f"{self.text}+{other.text}", self.number + other.number)

    def __sub__(self, other: Live | float) -> Live:
        other = as_live(other)
        return Live(f"{self.text}-{other._bracketed()}", self.number - other.number)

    def __mul__(self, other: Live | float) -> Live:
        other = as_live(other)
        return Live(f"{self._bracketed()}*{other._bracketed()}", self.number * other.number)

    def __truediv__(self, other: float) -> Live:
        return Live(f"{self._bracketed()}/{_literal(other)}", self.number / other)


def counts(value: Any) -> bool:
    """Whether a cell's value enters a sum: texts and blanks do not."""
    return not isinstance(value, str) and not math.isnan(value)


def as_live(value: Live | Value) -> Live:
    """Return a plain value as a literal piece of formula."""
    return value if isinstance(value, Live) else Live(_literal(value), value)


def ratio(part: Live, whole: Live, scale: float = 1.0) -> Live:
    """Return part over whole, or a dash where the whole is 0."""
    times = "" if scale == 1.0 else f"*{_literal(scale)}"
    text = f'IF(ABS({whole.text})<0.000000001,"{NONE}",{part._bracketed()}/{whole._bracketed()}{times})'
    return Live(text, NONE if abs(whole.number) < 1e-9 else part.number / whole.number * scale)


def less(a: Live, b: Live) -> Live:
    """Return a - b, or a dash where either is one."""
    text = f'IF(AND(ISNUMBER({a.text}),ISNUMBER({b.text})),{a.text}-{b._bracketed()},"{NONE}")'
    return Live(text, NONE if isinstance(a.value, str) or isinstance(b.value, str) else a.number - b.number)


def total(cells: Sequence[Live], first: str, last: str) -> Live:
    """Return the sum of a range of cells."""
    return Live(f"SUM({first}:{last})", math.fsum(cell.number for cell in cells))


@dataclass(frozen=True)
class Other:
    """A criterion that keeps every row except those with this value."""

    value: str


Criterion = Live | Value | Other


@dataclass(frozen=True)
class Field:
    """One column of a table on a page.

    Parameters
    ----------
    name, unit, description
        As in :class:`model.result_schema.ResultColumn`.
    formula
        Gives the formula of a row, or None where the row holds a plain figure; the frame holds the value.
    label
        Shown in the header in place of `name`, which is also the column's key in formulas.
    link
        Gives the cell of the inputs that a row's figure comes from, ``in_prices!E7``; None for none.
    first_line
        Of a long text the first line is shown; the cell holds it in full.
    """

    name: str
    unit: str
    description: str
    formula: Callable[[Row], Live | None] | None = None
    label: str = ""
    link: Callable[[Row], str | None] | None = None
    first_line: bool = False

    @property
    def header(self) -> str:
        """Name and, where there is one, the unit."""
        shown = self.label or self.name
        return f"{shown} [{self.unit}]" if self.unit else shown


@dataclass(slots=True)
class Row:
    """The cells of one row of a table, for formulas that refer to their neighbours."""

    table: DataTable
    number: int

    def __getitem__(self, column: str) -> Live:
        place = self.table.places[column]
        return Live(f"{place}{self.table.first_row + self.number + 1}", self.table.columns[column][self.number])


def _packed(column: pd.Series, dashed: bool) -> Sequence[Any]:
    """Return the values of a column, figures alone in eight bytes each; `dashed`: NaN becomes a dash."""
    if column.dtype == float and not (dashed and column.isna().any()):
        return array("d", column.to_numpy().tobytes())
    if column.dtype == int:
        return array("q", column.to_numpy().tobytes())
    values = column.tolist()
    return [NONE if isinstance(value, float) and math.isnan(value) else value for value in values] if dashed else values


class DataTable:
    """A tidy table with a name; each column can be summed from anywhere in the workbook.

    Parameters
    ----------
    name
        Prefix of the defined names ``name_column`` of its columns.
    title
        Sentence above it.
    fields
        Columns in order; every one is a column of `frame`.
    frame
        Values, those of the formula columns included; NaN in a formula column is written as a dash.
    """

    def __init__(self, name: str, title: str, fields: Sequence[Field], frame: pd.DataFrame) -> None:
        self.name, self.title, self.fields = name, title, list(fields)
        self.columns: dict[str, Sequence[Any]] = {}
        for item in self.fields:
            self.columns[item.name] = _packed(frame[item.name], dashed=item.formula is not None)
        self.length = len(frame)
        self.first_row = 0
        self.places: dict[str, str] = {}
        self.sheet = ""
        self._sums: dict[tuple[str, tuple[str, ...]], dict[tuple, float]] = {}
        self._products: dict[tuple[tuple[str, str], tuple[str, ...]], dict[tuple, float]] = {}
        self._clashes: dict[str, bool] = {}
        self._unsafe: dict[tuple[str, Value], bool] = {}

    def place(self, sheet: str, first_row: int, first_column: int) -> None:
        """Settle where the rows stand."""
        self.sheet, self.first_row = sheet, first_row
        self.places = {item.name: xl_col_to_name(first_column + i) for i, item in enumerate(self.fields)}

    def range(self, column: str) -> str:
        """Return the defined name of a column."""
        return f"{self.name}_{column}"

    def cell(self, number: int, column: str) -> Live:
        """Return a cell for formulas on other sheets; the table must have been placed."""
        return Live(f"{self.sheet}!${self.places[column]}${self.first_row + number + 1}", self.columns[column][number])

    def _grouped(self, column: str, by: tuple[str, ...]) -> dict[tuple, float]:
        if (column, by) not in self._sums:
            sums: dict[tuple, float] = {}
            for *key, value in zip(*(self.columns[name] for name in by), self.columns[column], strict=True):
                if counts(value):
                    sums[tuple(key)] = sums.get(tuple(key), 0.0) + value
            self._sums[column, by] = sums
        return self._sums[column, by]

    def _differ_in_case_only(self, column: str) -> bool:
        if column not in self._clashes:
            texts = {value for value in self.columns[column] if isinstance(value, str)}
            self._clashes[column] = len({text.casefold() for text in texts}) < len(texts)
        return self._clashes[column]

    def _is_unsafe(self, column: str, value: Value) -> bool:
        """Whether SUMIFS would read a text criterion as anything but that very text."""
        if not isinstance(value, str):
            return False
        if (column, value) not in self._unsafe:
            plain = _PLAIN_TEXT.fullmatch(value) and not _LOOKS_LIKE_VALUE.fullmatch(value)
            self._unsafe[column, value] = not plain or self._differ_in_case_only(column)
        return self._unsafe[column, value]

    def _tests(self, given: Mapping[str, Live], excluded: Mapping[str, str]) -> str:
        """Return the criteria as factors of 0 or 1, exact to the letter."""
        factors = [
            f"EXACT({self.range(name)},{cell.text})" if isinstance(cell.value, str) else f"({self.range(name)}={cell.text})"
            for name, cell in given.items()
        ]
        return "*".join([*factors, *(f"(1-EXACT({self.range(name)},{_literal(text)}))" for name, text in excluded.items())])

    def sum(self, column: str, **criteria: Criterion) -> Live:
        """Return the sum of a column over the rows that meet every criterion.

        Parameters
        ----------
        column
            Numeric column.
        criteria
            Column -> cell, value or :class:`Other`.
        """
        if not criteria:
            return Live(f"SUM({self.range(column)})", math.fsum(filter(counts, self.columns[column])))
        given = {name: as_live(value) for name, value in criteria.items() if not isinstance(value, Other)}
        excluded = {name: value.value for name, value in criteria.items() if isinstance(value, Other)}
        key = tuple(cell.value for cell in given.values())
        value = self._grouped(column, tuple(given)).get(key, 0.0) if given else self.sum(column).number
        for name, text in excluded.items():
            value -= self._grouped(column, (*given, name)).get((*key, text), 0.0)
        if any(self._is_unsafe(name, cell.value) for name, cell in given.items()) or any(
            self._is_unsafe(n, t) for n, t in excluded.items()
        ):
            return Live(f"SUMPRODUCT({self._tests(given, excluded)}*1,{self.range(column)})", value)
        pairs = [f"{self.range(name)},{cell.text}" for name, cell in given.items()]
        pairs += [f"{self.range(name)},{_literal('<>' + text)}" for name, text in excluded.items()]
        return Live(f"SUMIFS({self.range(column)},{','.join(pairs)})", value)

    def sum_product(self, columns: tuple[str, str], **criteria: Live | Value) -> Live:
        """Return the sum of the product of two columns over the rows that meet every criterion."""
        given = {name: as_live(value) for name, value in criteria.items()}
        if (columns, tuple(given)) not in self._products:
            sums: dict[tuple, float] = {}
            for *key, a, b in zip(*(self.columns[name] for name in (*given, *columns)), strict=True):
                sums[tuple(key)] = sums.get(tuple(key), 0.0) + a * b
            self._products[columns, tuple(given)] = sums
        value = self._products[columns, tuple(given)].get(tuple(cell.value for cell in given.values()), 0.0)
        ranges = ",".join(self.range(name) for name in columns)
        return Live(f"SUMPRODUCT({self._tests(given, {})}*1,{ranges})" if given else f"SUMPRODUCT({ranges})", value)


def table_from_schema(
    name: str,
    frame: pd.DataFrame,
    extra: Sequence[Field] = (),
    live: Mapping[str, Callable[[Row], Live | None]] | None = None,
    first: Sequence[str] = (),
    title: str = "",
    links: Mapping[str, Callable[[Row], str | None]] | None = None,
) -> DataTable:
    """Return a table with the columns that the result schema declares, and further ones.

    Parameters
    ----------
    name
        Of the result table.
    frame
        Its values, those of `extra` included.
    extra
        Further columns.
    live
        Column -> formula of a row.
    first
        Columns to put first, so that the tables of a page line up.
    title
        In place of the declared description.
    links
        Column -> cell of the inputs that a row's figure comes from.
    """
    declared = RESULT_BY_NAME[name]
    fields = [
        Field(column.name, column.unit, column.description, (live or {}).get(column.name), link=(links or {}).get(column.name))
        for column in declared.columns
    ]
    fields = sorted([*fields, *extra], key=lambda item: first.index(item.name) if item.name in first else len(first))
    return DataTable(name, title or declared.description, fields, frame)


class PlainWorksheet(Worksheet):
    """A worksheet that takes formulas as they are; none here needs a prefix for functions younger than Excel 2007."""

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        return formula.removeprefix("=")

    def forget_height(self, row: int) -> None:
        """Drop what is kept of the height of a row that has left memory; XlsxWriter keeps it for pictures, of which there are none there."""
        for kept in (self.row_info, self.row_sizes):
            kept.pop(row, None)

    # most attributes are cell references and numbers of formats, most results of formulas are figures: nothing to escape

    def _escape_attributes(self, attribute: Any) -> Any:
        return attribute if not isinstance(attribute, str) or attribute.isalnum() else super()._escape_attributes(attribute)

    def _escape_data(self, data: Any) -> Any:
        return data if not isinstance(data, str) else super()._escape_data(data)


class Book:
    """A workbook being written.

    Parameters
    ----------
    path
        Where it will stand.
    streamed
        Sheets too long to be kept in memory; each of their rows is written to disk once the next one begins, so their cells
        must be written row by row.
    """

    def __init__(self, path: Path, streamed: Collection[str] = ()) -> None:
        self._streamed = frozenset(streamed)
        self.workbook = xlsxwriter.Workbook(
            str(path),
            {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": not streamed,
             "tmpdir": str(path.parent), "default_format_properties": {"font_name": FONT, "font_size": 10}},
        )  # fmt: skip
        self.styles = Styles(self.workbook)

    def is_streamed(self, name: str) -> bool:
        """Whether the rows of a sheet leave memory as they are written."""
        return name in self._streamed

    def sheet(self, name: str) -> PlainWorksheet:
        """Add a worksheet; sheets stand in the order in which they are added."""
        self.workbook.constant_memory = self.is_streamed(name)  # read by XlsxWriter as it makes the sheet
        sheet = self.workbook.add_worksheet(name, PlainWorksheet)
        self.workbook.constant_memory = False
        return sheet

    def name_columns(self, table: DataTable) -> None:
        """Give every column of a placed table a defined name."""
        last = table.first_row + max(table.length, 1)
        for item in table.fields:
            letter = table.places[item.name]
            self.workbook.define_name(table.range(item.name), f"={table.sheet}!${letter}${table.first_row + 1}:${letter}${last}")

    def close(self) -> None:
        """Write the file.

        Raises
        ------
        OSError
            It cannot be written.
        """
        try:
            self.workbook.close()
        except FileCreateError as error:
            # it carries what went wrong as its first argument
            raise next((one for one in error.args if isinstance(one, OSError)), OSError(str(error))) from error
