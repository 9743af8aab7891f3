"""Tables -> workbook -> raw cells -> tables: nothing is lost, nothing is found."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from model.schema import SHEETS
from model.tables import Tables
from model.template import write_book
from model.validation import validate_book
from model.workbook import read_book
from tests.office import convert
from tests.tiny import tiny_tables

BASELINE = Path(__file__).parents[1] / "inputs" / "baseline.xlsx"


def read_tables(path: Path) -> Tables:
    validated = validate_book(read_book(path))
    assert validated.errors == ()
    assert validated.tables is not None
    return validated.tables


def assert_same(found: Tables, expected: Tables) -> None:
    assert found.settings == expected.settings
    for sheet in SHEETS:
        if sheet.name == "settings":
            continue
        one, other = found[sheet.name], expected[sheet.name].reset_index(drop=True)
        blank = [column for column in one.columns if column not in other.columns]
        assert one[blank].isna().all(axis=None), f"{sheet.name}: {blank}"
        pd.testing.assert_frame_equal(
            one.drop(columns=blank)[list(other.columns)].reset_index(drop=True), other, check_dtype=False, check_exact=True
        )


def test_the_tiny_book(tmp_path: Path) -> None:
    write_book(tiny_tables(), tmp_path / "tiny.xlsx")
    found = read_tables(tmp_path / "tiny.xlsx")
    assert_same(found, tiny_tables())
    assert list(found["hosts"].index) == [2, 3]
    assert found.cell("hosts", 3, "host") == "hosts!A3"


def test_the_baseline(tmp_path: Path) -> None:
    first = read_tables(BASELINE)
    write_book(first, tmp_path / "again.xlsx")
    second = read_tables(tmp_path / "again.xlsx")
    assert_same(second, first)
    write_book(second, tmp_path / "third.xlsx")
    assert read_book(tmp_path / "third.xlsx").sheets == read_book(tmp_path / "again.xlsx").sheets


def test_the_baseline_saved_by_libreoffice(tmp_path: Path) -> None:
    found, expected = read_tables(convert(BASELINE, tmp_path)), read_tables(BASELINE)
    for sheet in SHEETS:  # LibreOffice saves 15 digits of a number
        pd.testing.assert_frame_equal(found[sheet.name], expected[sheet.name], check_exact=False, rtol=1e-14, atol=0)
