"""Edits of input cells, exactly as a planner would type them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from model.book import is_blank
from model.schema import SHEET_BY_NAME
from model.tables import Tables
from model.words import number_text

Typed = str | float

FOR_ADDED_ROWS = {"reason": "to make a plan possible", "source": "planner", "quality": "assumption"}
"""What a row that is added says in the columns that may not stay blank beside its figures."""


@dataclass(frozen=True)
class Edit:
    """One cell typed anew, or one row deleted.

    Parameters
    ----------
    sheet, row, column
        Place in the tables; a setting that the sheet leaves to its default has row None; a row to delete has column None.
    before, after
        What stands there and what to type.
    what
        What the cell means, such as ``cap EACH in 2032``.
    """

    sheet: str
    row: Hashable | None
    column: Hashable | None
    before: Typed
    after: Typed
    what: str

    @property
    def key(self) -> tuple[str, Hashable | None, Hashable | None, str]:
        """What is edited, whatever the new value."""
        return (self.sheet, self.row, self.column, self.what if self.row is None else "")

    def cell(self, tables: Tables) -> str:
        """Return the address; for a row to delete or to add, the sheet and the row."""
        if self.row is None:
            return self.sheet
        return tables.cell(self.sheet, self.row, self.column) if self.column is not None else f"{self.sheet}!{self.row}"

    def words(self, tables: Tables) -> str:
        """Return the edit as an instruction."""
        cell = self.cell(tables)
        if self.column is None:
            return f"delete row {self.row} of {self.sheet} ({self.what})"
        if self.row is None:
            entries = f"value {as_typed(self.after)}, {rest_of_row(self.sheet, 'setting')}"
            return f"add a row {self.what} to {self.sheet} with the {entries} (now the default, {as_typed(self.before)})"
        if is_blank(self.after):
            return f"empty {cell} ({self.what}, now {as_typed(self.before)})"
        return f"{verb(self.before, self.after)} {cell} ({self.what}) from {as_typed(self.before)} to {as_typed(self.after)}"


def verb(before: Typed, after: Typed) -> str:
    """Return what typing a value does to the one that stands there."""
    if isinstance(before, str) or isinstance(after, str) or is_blank(before):
        return "set"
    return "raise" if after > before else "lower"


def rest_of_row(sheet: str, *given: str) -> str:
    """Return what to type into the other columns of an added row that validation wants filled.

    Examples
    --------
    >>> rest_of_row("settings", "setting")
    'source planner, quality assumption'
    """
    names = [column.name for column in SHEET_BY_NAME[sheet].all_columns if column.required and column.name not in given]
    return ", ".join(f"{name} {FOR_ADDED_ROWS[name]}" for name in names)


def as_typed(value: Typed) -> str:
    """Return a value as it is typed into a cell; a cell with nothing in it is called blank.

    Examples
    --------
    >>> as_typed(0.264), as_typed(4.0), as_typed("yes"), as_typed("")
    ('0.264', '4', 'yes', 'blank')
    """
    if is_blank(value):
        return "blank"
    return value if isinstance(value, str) else number_text(round(value, 9))


def apply_edits(tables: Tables, edits: Sequence[Edit]) -> Tables:
    """Return the tables with the cells typed and the rows deleted."""
    for edit in edits:
        frame = tables[edit.sheet].copy()
        if edit.column is None:
            tables = tables.with_frames(**{edit.sheet: frame.drop(index=edit.row)})
        elif edit.row is None:
            tables = tables.with_settings(**{edit.what: edit.after})
        else:
            frame.at[edit.row, edit.column] = edit.after
            tables = tables.with_frames(**{edit.sheet: frame})
    return tables


def setting_row(tables: Tables, name: str) -> Hashable | None:
    """Return the row of a setting, None where the sheet leaves it to its default."""
    frame = tables["settings"]
    rows = frame.index[frame["setting"] == name]
    return rows[0] if len(rows) else None
