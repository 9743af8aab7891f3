"""A run that is killed leaves earlier results as they were and no half-written workbook under its final name."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from model.template import write_book
from tests.tiny import tiny_tables

ROOT = Path(__file__).parents[1]
FINAL = "[!.]*/solution.xlsx"
PARTIAL = ".*.partial"


def command(book: Path, studies: str = "none") -> list[str]:
    return [sys.executable, str(ROOT / "run.py"), str(book), "--studies", studies, "--output", str(book.parent / "out")]


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """Return a book beside whose `out` folder one run has finished."""
    path = tmp_path_factory.mktemp("killed") / "book.xlsx"
    write_book(tiny_tables(), path)
    subprocess.run(command(path), cwd=ROOT, check=True, capture_output=True)
    return path


def _own_folder(out: Path, earlier: set[Path]) -> bool:
    return any(path not in earlier for path in out.iterdir())


def _writing(out: Path, earlier: set[Path]) -> bool:
    return any(path not in earlier for path in out.glob(PARTIAL))


def _file_begun(out: Path, earlier: set[Path]) -> bool:
    return any(path not in earlier for path in out.glob(f"{PARTIAL}/*"))


@pytest.mark.parametrize("moment", [_own_folder, _writing, _file_begun], ids=lambda moment: moment.__name__.strip("_"))
def test_killed_at(book: Path, moment: Callable[[Path, set[Path]], bool]):
    out = book.parent / "out"
    earlier, known = contents(out), {*out.iterdir(), *out.glob(f"{PARTIAL}/*")}
    process = subprocess.Popen(command(book), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not moment(out, known):
            assert process.poll() is None, "the run ended before the moment came"
            time.sleep(0.001)
    finally:
        process.kill()
        process.wait()
    assert {path: path.read_bytes() for path in earlier} == earlier
    finished = list(out.glob(FINAL))
    assert len(finished) >= 1
    for path in finished:
        with zipfile.ZipFile(path) as package:
            assert package.testzip() is None


def test_killed_during_a_study_leaves_the_plan(book: Path):
    out = book.parent / "out"
    known = set(out.glob(FINAL))
    process = subprocess.Popen(command(book, "frontier,options"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (written := set(out.glob(FINAL)) - known):
            assert process.poll() is None, "the run ended before the moment came"
            time.sleep(0.001)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    sheets = openpyxl.load_workbook(written.pop(), read_only=True).sheetnames
    assert "plants" in sheets
    assert "options" not in sheets
