"""Runs of the tiny book to set side by side, each with cells changed."""

from __future__ import annotations

import copy
from pathlib import Path

from model.planner import Plan, solve
from model.report import write_report
from model.tables import Tables
from tests.small import EXACT
from tests.tiny import RECORDS


def written(tables: Tables, folder: Path) -> Plan:
    plan = solve(tables, EXACT)
    write_report(plan, folder, {"scenario": "none"}, "", Path("tiny.xlsx"))
    return plan


def changed(sheet: str, rows: dict[int, dict]) -> list[dict]:
    """Return the records of a sheet of the tiny book with cells changed."""
    records = copy.deepcopy(RECORDS[sheet])
    for number, cells in rows.items():
        records[number] |= cells
    return records


CAP = {"caps": changed("caps", {0: {2030: 0.2, 2031: 0.2, 2032: 0.2}, 1: {2031: 0.5, 2032: 0.3}})}
PRICES = {"prices": changed("prices", {2: {2030: 130.0, 2031: 130.0, 2032: 130.0}})}
