"""A finished run, read back from its solution workbook: inputs as read, decisions, cost lines and how far they can be trusted."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import python_calamine as calamine
from xlsxwriter.utility import xl_cell_to_rowcol

from model.book_file import DAMAGE
from model.outcome import Status
from model.problem import BuildKey, Problem
from model.problem_builder import build_problem
from model.reading import type_book
from model.report import WORKBOOK
from model.report_summary import GAP, KEY_FIGURES, PROVEN
from model.result_schema import RESULT_BY_NAME
from model.schema import SHEETS
from model.tables import RawBook, RawSheet, Tables
from model.validation import check_tables
from model.workbook import BookError, read_book

TABLES = ("plants", "feed", "deliveries", "purchases", "unmet", "costs", "checks")
"""Result tables that are read back."""

PREFIX = "in_"
_EMPTY = "none"
_NAME = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}definedName"
_RANGE = re.compile(r"\$?'?([^'!]+)'?!\$([A-Z]+)\$([0-9]+)(?::\$[A-Z]+\$([0-9]+))?")


class RunError(ValueError):
    """A folder or workbook that is no finished run, or not one that this version can read; the text says what to do."""


@dataclass(frozen=True)
class Run:
    """A finished run.

    Parameters
    ----------
    name
        Name of its folder, or of the workbook where the folder has none.
    path
        Its workbook.
    tables
        Inputs as read, scenario changes applied. Rows and letters are those of the workbook's ``in_`` sheets.
    results
        Result tables by name, those of :data:`TABLES`, with the columns of the result schema.
    info
        Label -> value of the sheet `run_info`.
    figures
        Label -> value of the sheet `key_figures`.
    """

    name: str
    path: Path
    tables: Tables
    results: Mapping[str, pd.DataFrame]
    info: Mapping[str, str | float]
    figures: Mapping[str, str | float]

    @cached_property
    def problem(self) -> Problem:
        """Sets and parameters of the inputs as read."""
        return build_problem(self.tables)

    @property
    def proven(self) -> bool:
        """Whether the search ended with its proof, by both sheets that say so."""
        return self.figures.get(PROVEN) == "yes" and self.info.get("status", Status.OPTIMAL) == Status.OPTIMAL

    @property
    def gap(self) -> float:
        """No plan can be cheaper by more, MUSD; NaN where that is not known, or the run says two different things of it."""
        known = self.figures.get(GAP)
        if not isinstance(known, float) or (self.figures.get(PROVEN) == "yes") != self.proven:
            return math.nan
        return known

    @property
    def failed_rules(self) -> tuple[str, ...]:
        """Rules of the verification that the plan breaks."""
        checks = self.results["checks"]
        return tuple(checks.loc[checks["verdict"] == "FAIL", "check"])

    @property
    def cost(self) -> float:
        """Total discounted cost, MUSD."""
        return float(self.results["costs"]["present_value"].sum())

    @property
    def plants(self) -> tuple[BuildKey, ...]:
        """Host, design, way and year on line of each plant."""
        rows = self.results["plants"][["host", "design", "way", "on_line"]].itertuples(index=False, name=None)
        return tuple((h, d, w, int(y)) for h, d, w, y in rows)


def read_run(place: Path) -> Run:
    """Read a finished run.

    Parameters
    ----------
    place
        Its folder, or its solution workbook.

    Returns
    -------
    Run

    Raises
    ------
    RunError
        There is no solution workbook, it holds no plan, or its sheets are not those of this version.
    """
    path = place / WORKBOOK if place.is_dir() else place
    if not path.is_file():
        raise RunError(f"{place} is no run: there is no {WORKBOOK} in it. Name a folder that a run has written, such as outputs/<run>.")
    try:
        raw = read_book(path)
        results = _results(path)
    except BookError as error:
        raise RunError(f"{path} cannot be read: {error.finding}") from error
    except (*DAMAGE, calamine.CalamineError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    missing = [f"{PREFIX}{sheet.name}" for sheet in SHEETS if f"{PREFIX}{sheet.name}" not in raw.sheets]
    if len(missing) == len(SHEETS):
        raise RunError(f"{path} is no solution workbook of a run: it has no sheet of inputs as read. Name the folder of a run.")
    if missing:
        raise RunError(f"{path} was written by another version: it lacks {', '.join(missing)}. Run its input workbook again.")
    if "costs" not in results or results["costs"].empty:
        raise RunError(f"{path} holds no plan, so there is nothing to compare; its first sheet says why.")
    if "checks" not in results:
        raise RunError(f"{path} was written by another version: it lacks its checks. Run its input workbook again.")
    info, figures = (_labelled(raw.sheets.get(sheet)) for sheet in ("run_info", KEY_FIGURES))
    name = path.parent.resolve().name if path.name == WORKBOOK else path.stem
    return Run(name, path, _inputs(path, raw), results, info, figures)


def _inputs(path: Path, raw: RawBook) -> Tables:
    """Type the inputs as read; a sheet without rows says none in its first cell."""
    sheets = {}
    for sheet in SHEETS:
        tab = raw.sheets[f"{PREFIX}{sheet.name}"]
        rows = {number: cells for number, cells in tab.rows.items() if list(cells.values()) != [_EMPTY]}
        sheets[sheet.name] = RawSheet(sheet.name, tab.header, tab.header_row, rows)
    tables, read = type_book(RawBook(path, sheets))
    findings = [*read.findings, *check_tables(tables)]
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise RunError(
            f"{path} was written by another version, whose inputs do not fit this one: {errors[0]} "
            f"({len(errors)} such findings). Run its input workbook again."
        )
    return tables


def _results(path: Path) -> dict[str, pd.DataFrame]:
    """Return the result tables by the names that the workbook gives their columns."""
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    names = {item.get("name"): item.text or "" for item in root.iter(_NAME)}
    found: dict[str, pd.DataFrame] = {}
    with calamine.load_workbook(str(path)) as book:
        grids: dict[str, list[list]] = {}
        for table in TABLES:
            columns = {}
            for column in RESULT_BY_NAME[table].columns:
                place = _RANGE.fullmatch(names.get(f"{table}_{column.name}", ""))
                if place is None:
                    break
                if place[1] not in grids:
                    grids[place[1]] = book.get_sheet_by_name(place[1]).to_python(skip_empty_area=False)
                first, letter = xl_cell_to_rowcol(f"{place[2]}{place[3]}")
                last = int(place[4] or place[3]) - 1
                columns[column.name] = [row[letter] if letter < len(row) else "" for row in grids[place[1]][first : last + 1]]
            else:
                found[table] = _frame(table, columns)
    return found


def _frame(table: str, columns: Mapping[str, list]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    figures = [column.name for column in RESULT_BY_NAME[table].columns if column.unit]
    texts = [column.name for column in RESULT_BY_NAME[table].columns if not column.unit]
    if len(frame) == 1 and all(value == "" for value in frame.loc[0, figures]):
        frame = frame.iloc[:0]
    frame[figures] = frame[figures].apply(pd.to_numeric, errors="coerce").astype(float)
    frame[texts] = frame[texts].astype(object)
    return frame


def _labelled(tab: RawSheet | None) -> dict[str, str | float]:
    """Return the first two columns of a sheet of labels and figures."""
    found: dict[str, str | float] = {}
    for cells in tab.rows.values() if tab is not None else ():
        label, value = cells.get("A"), cells.get("B")
        if isinstance(label, str) and isinstance(value, str | float):
            found[label] = value
    return found
