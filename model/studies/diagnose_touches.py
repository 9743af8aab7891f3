"""Rows of a scenario that change a cell of a repair: which they are, what they make of its figure and how a further one would name it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from model.book import is_blank
from model.scenarios import Edit as ScenarioEdit
from model.scenarios import ScenarioError, resolve_row
from model.schema import SHEET_BY_NAME
from model.studies.diagnose_edits import Edit, Typed
from model.tables import Tables
from model.words import fold_code, number_text

SHEET = "scenarios"


@dataclass(frozen=True)
class Touch:
    """A row of a scenario that changes a cell.

    Parameters
    ----------
    scenario, row
        Where it stands.
    operation, value
        As in the sheet scenarios.
    alone
        It changes no other cell.
    """

    scenario: str
    row: Hashable
    operation: str
    value: Typed
    alone: bool

    def done(self, figure: float) -> float:
        """Return what the row makes of a figure."""
        if self.operation == "set":
            return float(self.value)
        return figure * float(self.value) if self.operation == "multiply" else figure + float(self.value)

    def undone(self, figure: float) -> float:
        """Return the figure of which the row makes this one; NaN where there is none, or no single one."""
        if self.operation == "set" or (self.operation == "multiply" and float(self.value) == 0.0):
            return math.nan
        return figure / float(self.value) if self.operation == "multiply" else figure - float(self.value)


def scenario_touches(tables: Tables, edit: Edit, scenario: str) -> list[Touch]:
    """Return the rows of a scenario, or of several joined by ``+``, that change a cell, in the order in which they are applied."""
    frame, found = tables[SHEET], []
    names = [scenario] if scenario in set(frame["scenario"]) else [fold_code(part) for part in scenario.split("+")]
    own = changed_row(tables, edit)
    for name in names if scenario else []:
        for row, record in frame[frame["scenario"] == name].to_dict("index").items():
            change = resolved(tables, record)
            if change and change.sheet == edit.sheet and own in change.rows and (edit.column is None or edit.column in change.columns):
                alone = len(change.rows) == len(change.columns) == 1
                found.append(Touch(name, row, change.operation, change.value, alone))
    return found


def done_by(figure: float, touches: Sequence[Touch]) -> float:
    """Return what rows, one after the other, make of a figure."""
    for touch in touches:
        figure = touch.done(figure)
    return figure


def undone_by(figure: float, touches: Sequence[Touch]) -> float:
    """Return the figure of which rows make this one; NaN where there is none, or no single one."""
    for touch in reversed(touches):
        figure = touch.undone(figure)
    return figure


def resolved(tables: Tables, record: dict[Hashable, Any]) -> ScenarioEdit | None:
    """Return what a row of a scenario changes in the tables; None where it names no cell of them."""
    try:
        return resolve_row(tables, record)
    except ScenarioError:
        return None


def changed_row(tables: Tables, edit: Edit) -> Hashable | None:
    """Return the row of an edit as a change by a scenario knows it: a setting by its name."""
    return setting_name(tables, edit) if edit.sheet == "settings" else edit.row


def setting_name(tables: Tables, edit: Edit) -> str:
    """Return the setting that an edit of the sheet settings is about."""
    return edit.what if edit.row is None else str(tables["settings"].at[edit.row, "setting"])


def key_of(tables: Tables, edit: Edit) -> str:
    """Return the key by which a row of a scenario would name the row of an edit."""
    if edit.sheet == "settings":
        return setting_name(tables, edit)
    values = [tables[edit.sheet].at[edit.row, name] for name in SHEET_BY_NAME[edit.sheet].key]
    texts = ["" if is_blank(value) else number_text(value) if isinstance(value, float) else str(value) for value in values]
    return " | ".join(texts).rstrip(" |")
