"""Long sheets are written row by row: the same book, in memory that does not grow with the rows."""

import tracemalloc
from pathlib import Path

import openpyxl
import pandas as pd

from model import report
from model.planner import solve
from model.report_book import Book, DataTable, Field
from model.report_page import Page
from tests.tiny import scarce_suppliers, tiny_tables


def contents(path: Path) -> dict:
    found = {}
    for sheet in openpyxl.load_workbook(path):
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is not None:
                    link = cell.hyperlink.location if cell.hyperlink else None
                    note = cell.comment.text if cell.comment else None
                    found[sheet.title, cell.coordinate] = (cell.value, cell.number_format, link, note)
    return found


def test_a_streamed_book_is_the_same_book(tmp_path, monkeypatch):
    tables = tiny_tables(suppliers=scarce_suppliers())
    told = tables["settings"].assign(description="What it means, in many words. " * 4, source="Where it was read, in many words. " * 4)
    plan = solve(tables.with_frames(settings=told))
    kept = report.write_report(plan, tmp_path / "kept", {"threads": 1}, "", Path("inputs/tiny.xlsx"))
    assert report.long_sheets(plan) == []
    monkeypatch.setattr(report, "LONG", 1)
    streamed = report.write_report(plan, tmp_path / "streamed", {"threads": 1}, "", Path("inputs/tiny.xlsx"))
    assert sorted(item.name for item in streamed.parent.iterdir()) == ["map.png", "solution.xlsx"]
    assert contents(streamed) == contents(kept)
    one, other = (openpyxl.load_workbook(path)["in_settings"].row_dimensions for path in (kept, streamed))
    rows = range(5, 5 + len(told))
    assert [other[row].height for row in rows] == [one[row].height for row in rows]
    assert all(one[row].height > 25 for row in rows)  # the description in full, the source in its first line
    for sheet in openpyxl.load_workbook(streamed):
        for row in range(4, sheet.max_row + 1):
            if sheet.title in ("feed", "purchases") and sheet.cell(row, 1).comment:
                assert (sheet.row_dimensions[row].height or 0) >= 13


def peak(path: Path, rows: int, streamed: bool) -> float:
    """Return the most memory that writing a table of so many rows takes besides the table, MB."""
    names = [f"source {n % 40}" for n in range(rows)]
    frame = pd.DataFrame({"name": names, **{f"c{n}": [float(n + m) for m in range(rows)] for n in range(5)}})
    fields = [Field("name", "", "Name."), *(Field(f"c{n}", "t", "Figure.") for n in range(4))]
    fields.append(Field("c4", "t", "Sum.", lambda row: row["c0"] + row["c1"]))
    frame["c4"] = frame["c0"] + frame["c1"]
    table = DataTable("t", "Rows.", fields, frame)
    book = Book(path, ["flows"] if streamed else [])
    tracemalloc.start()
    page = Page(book, "flows", "Many rows of flows, one below the other.", 1)
    page.add_table(table)
    page.finish()
    most = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    book.workbook.close()
    return most


def test_memory_does_not_grow_with_the_rows(tmp_path):
    few, many = (peak(tmp_path / f"{rows}.xlsx", rows, streamed=True) for rows in (2_000, 16_000))
    assert many < few + 2.0
    assert peak(tmp_path / "kept.xlsx", 16_000, streamed=False) > many + 5.0
