"""Edits of input cells, exactly as a planner would type them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import pandas as pd

from model.schema import SETTING_BY_NAME
from model.tables import Tables
from model.words import number_text

Typed = str | float


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
            return f"add a row {self.what} to {self.sheet} with the value {as_typed(self.after)} (now the default, {as_typed(self.before)})"
        if isinstance(self.after, str) or isinstance(self.before, str):
            return f"set {cell} ({self.what}) from {as_typed(self.before)} to {as_typed(self.after)}"
        verb = "raise" if self.after > self.before else "lower"
        return f"{verb} {cell} ({self.what}) from {as_typed(self.before)} to {as_typed(self.after)}"


def as_typed(value: Typed) -> str:
    """Return a value as it is typed into a cell.

    Examples
    --------
    >>> as_typed(0.264), as_typed(4.0), as_typed("yes")
    ('0.264', '4', 'yes')
    """
    return value if isinstance(value, str) else number_text(round(value, 9))


def apply_edits(tables: Tables, edits: Sequence[Edit]) -> Tables:
    """Return the tables with the cells typed and the rows deleted."""
    frames = {sheet: tables[sheet].copy() for sheet in dict.fromkeys(edit.sheet for edit in edits)}
    for edit in edits:
        frame = frames[edit.sheet]
        if edit.column is None:
            frames[edit.sheet] = frame.drop(index=edit.row)
        elif edit.row is None:
            frames[edit.sheet] = _with_setting(frame, edit.what, edit.after)
        else:
            frame.at[edit.row, edit.column] = edit.after
    return tables.with_frames(**frames)


def setting_row(tables: Tables, name: str) -> Hashable | None:
    """Return the row of a setting, None where the sheet leaves it to its default."""
    frame = tables["settings"]
    rows = frame.index[frame["setting"] == name]
    return rows[0] if len(rows) else None


def with_setting(tables: Tables, name: str, value: Typed) -> Tables:
    """Return the tables with a setting changed."""
    row = setting_row(tables, name)
    column = None if row is None else "value"
    return apply_edits(tables, [Edit("settings", row, column or "value", SETTING_BY_NAME[name].default, value, name)])


def _with_setting(frame: pd.DataFrame, name: str, value: Typed) -> pd.DataFrame:
    row = max([1, *frame.index]) + 1
    record = dict.fromkeys(frame.columns, "") | {"setting": name, "value": value}
    if "source" in record:
        record |= {"source": "planner", "quality": "assumption"}
    return pd.concat([frame, pd.DataFrame([record], index=[row], dtype=object)])
