"""Bad books, each wrong in one way, through the command line: message, exit code 2, the wrong cell marked in a copy."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from model import command
from tests.marked import copies, marked_cells
from tests.planner_book import write_planner_book
from tests.rawbook import (
    PM_SOLD,
    Edit,
    at,
    cell,
    chain,
    header,
    new_row,
    no_column,
    no_sheet,
    renamed_sheet,
    tiny_book,
)

OLE = bytes.fromhex("D0CF11E0A1B11AE1")


@dataclass(frozen=True)
class BadBook:
    """One change, where the finding stands, what is said of it and what the mark tells the planner to do."""

    name: str
    change: Edit
    place: str
    said: str
    to_do: str

    @property
    def marked(self) -> set[str]:
        """Cells that the copy marks; a whole sheet or column that is not there has none."""
        return {self.place} if "!" in self.place else set()


BAD_BOOKS = [
    BadBook("misspelt sheet", renamed_sheet("know_how", "know_hwo"), "know_hwo", "a tab named 'know_hwo'", "Did you mean 'know_how'?"),
    BadBook("missing sheet", no_sheet("demand"), "demand", "no such sheet", "Add it"),
    BadBook(
        "misspelt column", header("designs", "capacity", "capasity [t REO/y]"), at("designs", 1, "capacity"), "'capasity'", "Did you mean 'capacity'?"
    ),
    BadBook("missing column", no_column("sources", "capacity"), "sources", "no column 'capacity'", "Add the column."),
    BadBook("wrong unit", header("prices", 2030, "2030 [JPY/kg]"), at("prices", 1, 2030), "the unit 'JPY/kg'", "Convert the figures to USD/kg"),
    BadBook("text in a number", cell("demand", 4, 2031, "about 200"), at("demand", 4, 2031), "'about 200'", "Write a number."),
    BadBook("blank key", cell("know_how", 3, "way", None), at("know_how", 3, "way"), "a blank way", "Fill in the key, or clear the row."),
    BadBook("NA for Namibia", cell("sources", 2, "country", "NA"), at("sources", 2, "country"), "NAM for Namibia", "write the three-letter one"),
    BadBook("duplicate key", cell("designs", 3, "design", "INT_5000"), at("designs", 3, "design"), "already in row 2", "Delete one of the rows"),
    BadBook("dangling reference", cell("hosts", 2, "port", "Beto"), at("hosts", 2, "port"), "'Beto'", "Did you mean 'Beta'?"),
    BadBook("negative cost", cell("designs", 2, "capex", -300.0), at("designs", 2, "capex"), "-300", "Write an amount of 0 or more."),
    BadBook("share as percent", cell("caps", 2, 2031, 35.0), at("caps", 2, 2031), "from 0 to 1", "Write 0.35 if 35 % is meant."),
    BadBook("composition", cell("composition", 3, "Nd", 0.4), at("composition", 3, "source_id"), "sum to 1.1", "add or take 0.1"),
    BadBook("choice", cell("hosts", 2, "thorium_accepted", "hihg"), at("hosts", 2, "thorium_accepted"), "'hihg'", "Did you mean 'high'?"),
    BadBook(
        "demand that nothing meets", new_row("demand", market="USA", sector="ev", product="Pm", y2030=0.0, y2031=1.0, y2032=0.0),
        at("demand", 8, "product"), "that no source could ever meet", "Add a supplier or a source",
    ),
]  # fmt: skip


def check(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run the check; return the exit code and all that was said."""
    code = command.main(["check", str(path)])
    said = capsys.readouterr()
    return code, said.out + said.err


@pytest.mark.parametrize("bad", BAD_BOOKS, ids=lambda bad: bad.name)
def test_the_wrong_cell_is_told_and_marked_with_what_to_do(bad: BadBook, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.xlsx"
    base = PM_SOLD(tiny_book()) if bad.name == "demand that nothing meets" else tiny_book()
    write_planner_book(path, bad.change(base))
    code, said = check(path, capsys)
    assert code == 2
    assert f"{bad.place}: found" in said
    assert bad.said in said
    assert bad.to_do in said
    (copy,) = copies(tmp_path)
    assert str(copy) in said
    marks = marked_cells(copy)
    assert set(marks) == bad.marked
    assert all(f"To do: {bad.to_do}" in words or bad.to_do in words.partition("To do:")[2] for words in marks.values())
    listed = [row[1].value for row in openpyxl.load_workbook(copy)["errors"].iter_rows(min_row=5)]
    assert bad.place in listed


def test_years_out_of_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.xlsx"
    swapped = chain(header("demand", 2030, "x"), header("demand", 2031, "2030 [t REO]"), header("demand", "x", "2031 [t REO]"))
    write_planner_book(path, swapped(tiny_book()))
    code, said = check(path, capsys)
    assert code == 2
    assert "2030 after 2031" in said
    (copy,) = copies(tmp_path)
    assert {place: words.partition("To do: ")[2] for place, words in marked_cells(copy).items()} == {
        at("demand", 1, 2031): "Put the columns in order."
    }


def test_a_formula_never_calculated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path)
    book = openpyxl.load_workbook(path)
    book["sources"]["I3"] = "=I2*2"
    book["sources"]["H3"] = "carbonate"
    book.save(path)
    code, said = check(path, capsys)
    assert code == 2
    assert "sources!I3: found the formula '=I2*2' without a value" in said
    (copy,) = copies(tmp_path)
    assert "let it calculate" in marked_cells(copy)["sources!I3"]
    assert openpyxl.load_workbook(copy)["sources"]["I3"].value == "=I2*2"


def test_full_width_digits_and_stray_spaces_are_folded_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path, chain(cell("sources", 2, "inland_km", "１２"), cell("hosts", 2, "site", "  Kuantan "))(tiny_book()))
    code, said = check(path, capsys)
    assert code == 0
    assert "Read as 12; retype it as a number." in said
    assert "Read as 'Kuantan'; retype it so." in said
    assert copies(tmp_path) == []


def test_notices_are_marked_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path, cell("sources", 2, "inland_km", "１２")(tiny_book()))
    assert command.main(["check", str(path), "--mark"]) == 0
    (copy,) = copies(tmp_path)
    assert set(marked_cells(copy)) == {at("sources", 2, "inland_km")}


def test_a_host_named_na_is_a_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path, chain(cell("hosts", 2, "host", "NA"), cell("host_rules", 2, "host", "NA"))(tiny_book()))
    assert check(path, capsys)[0] == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("book.xlsx", b"", "an empty file"),
        ("book.xlsx", b"host,name\n", "a text file"),
        ("book.csv", b"host,name\n", "a CSV text file"),
        ("book.xlsx", OLE + bytes(500) + "EncryptedPackage\0".encode("utf-16-le"), "protected by a password"),
        ("book.xls", OLE + bytes(500) + "Workbook\0".encode("utf-16-le"), "the old format (.xls)"),
        ("book.xlsx", b"PK\3\4 no archive", "damaged"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_is_told_and_gets_no_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    code, words = check(tmp_path / name, capsys)
    assert code == 2
    assert said in words
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_empty_book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    openpyxl.Workbook().save(tmp_path / "book.xlsx")
    code, said = check(tmp_path / "book.xlsx", capsys)
    assert code == 2
    assert "no entry on any sheet" in said
    assert "python run.py template" in said
    assert copies(tmp_path) == []


def test_a_book_open_in_excel_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path)
    (tmp_path / "~$book.xlsx").write_bytes(b"someone")
    code, said = check(path, capsys)
    assert code == 0
    assert "open in Excel" in said

    def locked(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", locked)
    code, said = check(path, capsys)
    assert code == 2
    assert "close it and run again" in said


def test_a_run_on_a_bad_book_marks_it_too_and_writes_no_result(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path, cell("designs", 2, "capex", -300.0)(tiny_book()))
    words = [sys.executable, "run.py", str(path), "--output", str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert set(marked_cells(copies(tmp_path)[0])) == {"designs!E2"}
    assert not (tmp_path / "out").exists()


def test_findings_of_a_scenario_are_marked_in_the_book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.xlsx"
    wild = new_row(
        "scenarios", scenario="wild", sheet="designs", key="INT_5000", column="capex", operation="add", value=-1000.0, reason="test"
    )
    write_planner_book(path, wild(tiny_book()))
    assert command.main(["check", str(path), "--scenario", "wild"]) == 2
    assert "scenario wild" in capsys.readouterr().err
    (copy,) = copies(tmp_path)
    assert set(marked_cells(copy)) == {at("designs", 2, "capex")}
    assert "in scenario wild" in openpyxl.load_workbook(copy)["errors"]["A2"].value


def test_a_folder_that_takes_no_copy_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path, cell("designs", 2, "capex", -300.0)(tiny_book()))

    def closed(self: Path, content: bytes) -> int:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "write_bytes", closed)
    code, said = check(path, capsys)
    assert code == 2
    assert "No marked copy could be written" in said
