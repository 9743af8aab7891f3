"""The types that carry workbook contents between the rooms."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from model.schema import SETTING_BY_NAME, SHEETS


@dataclass(frozen=True)
class FormulaNotCalculated:
    """A formula that no spreadsheet has calculated yet, so its value is unknown."""

    formula: str


@dataclass(frozen=True)
class CellError:
    """An error value such as ``#REF!``."""

    text: str


Cell = str | float | bool | FormulaNotCalculated | CellError | None

_DEFAULTS: dict[str, str | float] = {name: setting.default for name, setting in SETTING_BY_NAME.items()}
_IS_FIGURE = {name: setting.kind in ("number", "integer", "year") for name, setting in SETTING_BY_NAME.items()}


@dataclass(frozen=True)
class RawSheet:
    """One worksheet as typed by the planner.

    Parameters
    ----------
    name
        Name of the tab as found (not folded).
    header
        Column letter -> header text, of row `header_row`.
    rows
        Excel row number -> column letter -> cell value. Rows with no value are left out.
    """

    name: str
    header: Mapping[str, str]
    header_row: int
    rows: Mapping[int, Mapping[str, Cell]]


@dataclass(frozen=True)
class RawBook:
    """Every worksheet of a workbook, before any judgement, and the schema version that it states ("" if none)."""

    path: Path | None
    sheets: Mapping[str, RawSheet]
    version: str = ""


@dataclass(frozen=True)
class Tables:
    """Validated, typed input tables.

    Parameters
    ----------
    frames
        Sheet name -> wide frame. The index is the Excel row number. Columns are the schema's
        names; year columns are ``int``, element columns are symbols. Numbers are floats with NaN
        for a blank; text is ``""`` for a blank. Every sheet of the schema is present, empty if
        the book has none.
    letters
        Sheet name -> column -> Excel column letter; empty for tables made in memory.
    """

    frames: Mapping[str, pd.DataFrame]
    letters: Mapping[str, Mapping[Hashable, str]] = field(default_factory=dict)
    path: Path | None = None

    def __getitem__(self, sheet: str) -> pd.DataFrame:
        """Return the frame of a sheet."""
        return self.frames[sheet]

    def cell(self, sheet: str, row: Hashable, column: Hashable) -> str:
        """Return the address ``sheet!C7`` of a cell; the row alone where the column is unknown."""
        letter = self.letters.get(sheet, {}).get(column, "")
        return f"{sheet}!{letter}{row}"

    def with_frames(self, **frames: pd.DataFrame) -> Tables:
        """Return a copy in which the named sheets are replaced."""
        return replace(self, frames={**self.frames, **frames})

    @property
    def settings(self) -> dict[str, str | float]:
        """Every setting by name, the schema's default where the sheet has no row for it."""
        frame = self.frames["settings"]
        return _DEFAULTS | {
            name: float(value) if _IS_FIGURE[name] else str(value)
            for name, value in zip(frame["setting"].tolist(), frame["value"].tolist(), strict=True)
        }

    def with_settings(self, **values: str | float) -> Tables:
        """Return a copy in which settings have other values; those without a row get one."""
        frame = self.frames["settings"].copy()
        for name, value in values.items():
            place = frame["setting"] == name
            if not place.any():
                row = pd.DataFrame(
                    [{"setting": name, "source": "planner", "quality": "assumption"}], index=[max(frame.index, default=1) + 1]
                )
                frame = pd.concat([frame, row.reindex(columns=frame.columns, fill_value="")])
                place = frame["setting"] == name
            frame["value"] = frame["value"].astype(object).where(~place, value)
        return self.with_frames(settings=frame)

    def setting(self, name: str) -> float:
        """Return a numeric setting."""
        return float(self.settings[name])


@dataclass(frozen=True)
class Finding:
    """One thing wrong, or worth saying, about the input.

    Parameters
    ----------
    rule
        Stable identifier such as ``duplicate_key``.
    severity
        ``error`` stops the run; ``notice`` does not.
    sheet, cell
        Tab and address (``D7``); the cell is "" where the whole sheet or book is meant.
    found, allowed, remedy
        What stands there, what may stand there, what to do.
    """

    rule: str
    severity: str
    sheet: str
    cell: str
    found: str
    allowed: str
    remedy: str

    @property
    def place(self) -> str:
        """Return ``sheet!D7``, or the sheet's name, or ``workbook``."""
        if not self.sheet:
            return "workbook"
        return f"{self.sheet}!{self.cell}" if self.cell else self.sheet

    def __str__(self) -> str:
        return f"{self.place}: found {self.found}; allowed: {self.allowed}. {self.remedy} [{self.rule}]"


def _floats(values: list) -> np.ndarray:
    """Return numbers with NaN for None."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def tables_from_records(records: Mapping[str, list[dict[Hashable, object]]], settings: Mapping[str, object] | None = None) -> Tables:
    """Build typed tables from plain records, one dict per row, for books made by programs.

    Parameters
    ----------
    records
        Sheet name -> rows. Keys are column names, ``int`` years or element symbols; what a row
        leaves out is blank, and `source` and `quality` default to a made-up instance's.
    settings
        Setting name -> value; the rest keep the schema's defaults.

    Returns
    -------
    Tables
        Not validated. Rows are numbered from 2, as in a workbook with one header row.
    """
    frames = {}
    for sheet in SHEETS:
        rows = [dict(row) for row in records.get(sheet.name, [])]
        if sheet.name == "settings":
            rows = [{"setting": name, "value": value} for name, value in (settings or {}).items()]
        extra = [key for key in dict.fromkeys(key for row in rows for key in row) if key not in {c.name for c in sheet.all_columns}]
        index = pd.RangeIndex(2, 2 + len(rows))
        data: dict[Hashable, np.ndarray | pd.Series] = {}
        for column in sheet.all_columns:
            values = [row.get(column.name) for row in rows]
            if column.numeric:
                data[column.name] = _floats(values)
                continue
            if column.kind != "value":
                default = {"source": "made instance", "quality": "assumption"}.get(column.name, "")
                values = [default if value is None or value != value else value for value in values]  # NaN is not itself
            data[column.name] = pd.Series(values, index, dtype=object)
        data |= {key: _floats([row.get(key) for row in rows]) for key in extra}
        frame = pd.DataFrame(data, index)
        frames[sheet.name] = frame
    return Tables(frames)
