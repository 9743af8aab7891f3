"""Which column of which sheet stands where when a workbook is written."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from xlsxwriter.utility import xl_col_to_name

from model.schema import PROVENANCE, SHEETS, Column, Sheet, Spread
from model.tables import Tables

LEAST_ROWS = 500
"""Rows below the header that are made ready for entries, whatever the sheet holds."""

SPARE_ROWS = 200
"""Ready rows below the last one in use."""

ELEMENT_SYMBOLS = ("La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Y", "Sc")
"""Columns of element families in a book that names no element yet."""


@dataclass(frozen=True)
class Field:
    """One column of a sheet: a declared one, or one member of the sheet's family."""

    key: Hashable
    header: str
    role: str
    column: Column | None = None
    spread: Spread | None = None

    @property
    def unit(self) -> str:
        """Unit of the figures; "" for text."""
        declared = self.column or self.spread
        return declared.unit if declared else ""


@dataclass(frozen=True)
class SheetLayout:
    """The columns of one sheet in order, and how many rows it holds."""

    sheet: Sheet
    fields: tuple[Field, ...]
    rows: int

    @property
    def last_row(self) -> int:
        """Last row made ready for entries, as Excel numbers it."""
        return 1 + max(LEAST_ROWS, self.rows + SPARE_ROWS)

    def index(self, key: Hashable) -> int:
        """Return the position of a column, from 0; ValueError if there is none."""
        return [field.key for field in self.fields].index(key)

    def letter(self, key: Hashable) -> str:
        """Return the letter of a column."""
        return xl_col_to_name(self.index(key))

    @property
    def frozen_columns(self) -> int:
        """Leading key columns that stay in view; three at most, so that small screens can scroll."""
        count = 0
        while count < min(3, len(self.fields)) and self.fields[count].role == "key":
            count += 1
        return count


def lay_out(tables: Tables) -> Mapping[str, SheetLayout]:
    """Return the layout of each sheet of the schema, in schema order.

    Families take the members that the sheet's frame has; an empty sheet takes the years of the
    other sheets (else those from `first_year` to `last_year`), or the elements of `elements`.

    Raises
    ------
    ValueError
        A frame has a column that the schema does not know.
    """
    columns: dict[str, list[Hashable]] = {name: list(frame.columns) for name, frame in tables.frames.items()}
    years = sorted({column for names in columns.values() for column in names if isinstance(column, int)})
    years = years or list(range(int(tables.setting("first_year")), int(tables.setting("last_year")) + 1))
    elements = [symbol for symbol in tables["elements"]["element"] if symbol] or list(ELEMENT_SYMBOLS)
    layouts = {}
    for sheet in SHEETS:
        declared = {column.name for column in sheet.all_columns}
        members = [column for column in columns[sheet.name] if column not in declared]
        wanted = int if sheet.spread and sheet.spread.family == "year" else str
        if unknown := [column for column in members if not sheet.spread or not isinstance(column, wanted)]:
            raise ValueError(f"sheet {sheet.name} has columns that the schema does not know: {unknown}")
        if sheet.spread and not members:
            members = [*years] if wanted is int else [*elements]
        fields = [_field(sheet, column) for column in sheet.columns]
        if sheet.spread:
            role = "required" if sheet.spread.required else "optional"
            fields += [Field(member, sheet.spread.header(member), role, spread=sheet.spread) for member in members]
        fields += [_field(sheet, column) for column in PROVENANCE] if sheet.provenance else []
        layouts[sheet.name] = SheetLayout(sheet, tuple(fields), len(tables[sheet.name]))
    return layouts


def _field(sheet: Sheet, column: Column) -> Field:
    if column.name in sheet.key:
        role = "key"
    elif column in PROVENANCE:
        role = "provenance"
    else:
        role = "required" if column.required else "optional"
    return Field(column.name, column.header, role, column=column)
