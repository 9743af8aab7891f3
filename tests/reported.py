"""Workbooks of solutions: how the tests write them and read them."""

from __future__ import annotations

import re
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl

from model.planner import Plan
from model.report import write_report
from model.schema import SHEETS

RECORD_SHEETS = ["checks", "run_info", *(f"in_{sheet.name}" for sheet in SHEETS)]

NASTY = {
    "ALPHA_MINE": "=1+1",
    "CHINA_CLAY": "@cmd",
    "LYNAS": '=HYPERLINK("http://example.org","pay")',
    "CHINA": "*",
    "NdPr": "<>Dy",
    "AAA_PORT": "bbb_port",
    "ev": "Mar-1",
    "glass": "12",
    "defence": "TRUE",
    "Alpha mine": "-2+3",
    "USA": "U*A",
}

CAPS_OF_EVERY_KIND = [
    {"cap": "A", "basis": "feedstock", "measure": "tonnes", "scope": "every_product", 2031: 0.4, 2032: 0.4},
    {"cap": "B", "basis": "feedstock", "measure": "value", "scope": "product", "member": "Dy", 2032: 0.5},
    {"cap": "C", "basis": "feedstock", "measure": "value", "scope": "all", 2032: 0.5},
    {"cap": "D", "basis": "feedstock", "measure": "tonnes", "scope": "host", "member": "AAA_PORT", 2032: 0.5},
    {"cap": "E", "basis": "feedstock", "measure": "value", "scope": "partner", "member": "JPN", 2032: 0.5},
    {"cap": "F", "basis": "supply", "measure": "tonnes", "scope": "host", "member": "AAA_PORT", 2032: 0.5},
    {"cap": "G", "basis": "supply", "measure": "value", "scope": "partner", "member": "USA", 2032: 0.2},
    {"cap": "H", "basis": "supply", "measure": "value", "scope": "product", "member": "NdPr", 2032: 0.2},
    {"cap": "I", "basis": "supply", "measure": "value", "scope": "all", 2032: 0.5},
]


def renamed(thing: Any, names: dict[str, str]) -> Any:
    """Return records in which whole values are replaced."""
    if isinstance(thing, dict):
        return {key: renamed(value, names) for key, value in thing.items()}
    if isinstance(thing, list):
        return [renamed(value, names) for value in thing]
    return names.get(thing, thing) if isinstance(thing, str) else thing


def write(plan: Plan, folder: Path, **options: Any) -> Path:
    info = {"input SHA-256": "ab" * 32, "time limit, s": 60.0, "threads": 1}
    return write_report(plan, folder, info, options.pop("scenario", ""), Path("inputs/tiny.xlsx"), **options)


@cache
def load(path: Path, data_only: bool = False) -> openpyxl.Workbook:
    """Return a workbook; shared by the tests, so not to be changed."""
    return openpyxl.load_workbook(path, data_only=data_only)


@cache
def cells(path: Path, data_only: bool) -> dict[tuple[str, str], Any]:
    """Return (sheet, address) -> cell of every cell that is not blank."""
    book = load(path, data_only)
    return {(sheet.title, cell.coordinate): cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None}


def formulas(path: Path) -> dict[tuple[str, str], str]:
    return {key: cell.value for key, cell in cells(path, False).items() if cell.data_type == "f"}


def figure(path: Path, sheet: str, label: str, column: int = 1) -> Any:
    """Return the value beside the first cell of column A that holds a label."""
    for row in load(path, True)[sheet].iter_rows(values_only=True):
        if row[0] == label:
            return row[column]
    raise AssertionError(f"{sheet} has no line {label!r}")


def without_cached_values(path: Path, target: Path) -> None:
    """Copy a workbook, leaving every formula without a value."""
    taken = 0
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copied:
        for name in source.namelist():
            data = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                data, count = re.subn(rb"(</f>)<v>[^<]*</v>", rb"\1", data)
                taken += count
            copied.writestr(name, data)
    assert taken > 0, "no formula holds a value"
