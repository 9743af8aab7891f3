"""The workbook of a run with studies, as LibreOffice computes and prints it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from model import command
from model.template import write_book
from tests.office import convert, office
from tests.reported import cells, formulas, without_cached_values
from tests.tiny import SETTINGS, tiny_tables

STUDIES = {
    "frontier": ["frontier"],
    "alternatives": ["alternatives"],
    "sectors": ["coverage"],
    "partners": ["partner_gain", "partner_trade"],
    "options": ["options"],
}
"""Study -> its sheets."""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the workbook of a run of the tiny book with studies, for LibreOffice to open."""
    office()
    place = tmp_path_factory.mktemp("studies")
    tables = tiny_tables(settings={**SETTINGS, "frontier_points": 3, "frontier_scopes": "value"})
    write_book(tables, place / "book.xlsx")
    assert command.main([str(place / "book.xlsx"), "--output", str(place / "out"), "--studies", ",".join(STUDIES), "--quiet"]) == 0
    (path,) = (place / "out").glob("*/solution.xlsx")
    return path


def test_libreoffice_recomputes_every_cached_value(book: Path, tmp_path: Path) -> None:
    without_cached_values(book, tmp_path / "blank.xlsx")
    computed, written = cells(convert(tmp_path / "blank.xlsx", tmp_path / "out"), True), cells(book, True)
    assert {sheet for sheets in STUDIES.values() for sheet in sheets} <= {sheet for sheet, _ in written}
    assert not [key for key, cell in computed.items() if cell.data_type == "e"]
    for key, formula in formulas(book).items():
        cached, fresh = written[key].value, computed[key].value
        assert fresh == (cached if isinstance(cached, str) else pytest.approx(cached, rel=1e-6, abs=1e-9)), (key, formula)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no reader of PDF")
def test_every_printed_page_shows_its_figures(book: Path, tmp_path: Path) -> None:
    pages = subprocess.run(
        ["pdftotext", "-layout", convert(book, tmp_path, "pdf"), "-"], check=True, capture_output=True, text=True
    ).stdout.split("\f")[:-1]  # fmt: skip
    assert not [number for number, page in enumerate(pages, 1) if "###" in page or re.search(r"#(REF|NAME|VALUE|DIV/0|N/A)", page)]
    printed = {match[1] for page in pages if (match := re.search(r"^\s*(\w+)\s+Page \d+ of \d+\s*$", page, re.MULTILINE))}
    assert printed == set(openpyxl.load_workbook(book, read_only=True).sheetnames)
    (first,) = [page for page in pages if re.search(r"^\s*summary\s+Page", page, re.MULTILINE)]
    assert "Three things to know" in first
