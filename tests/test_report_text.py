"""The solution workbook: plain text, live formulas, and what LibreOffice makes of them."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import openpyxl
import pytest

from tests.office import convert_all
from tests.reported import NASTY, cells, figure, formulas, load, without_cached_values
from tests.tiny import YEARS

# --- text and formulas -----------------------------------------------------------------------


def test_text_from_inputs_never_becomes_a_formula_or_a_link(report_books):
    shown = cells(report_books["nasty"], False)
    for name in NASTY.values():
        assert any(cell.value == name and cell.data_type == "s" for cell in shown.values()), name
    for (sheet, address), cell in shown.items():
        if cell.data_type == "f":
            assert "HYPERLINK" not in cell.value, (sheet, address)
            assert cell.value not in NASTY.values()
    for sheet in load(report_books["nasty"]):
        for link in sheet._hyperlinks:
            assert link.location, "leads within the workbook"
            assert link.target is None


def test_echoed_inputs_lead_to_their_cells(report_books):
    """A figure that repeats an input is that cell; one that is computed from it leads there."""
    book, values = load(report_books["short"]), load(report_books["short"], True)
    for table, column, sheet, header in (
        ("plants", "capacity", "in_designs", "capacity"), ("plants", "host", "in_hosts", "host"), ("feed", "source_id", "in_sources", "source_id"),
        ("feed", "uncommitted", "in_sources", "uncommitted"), ("feed", "price", "in_sources", None), ("deliveries", "price", "in_prices", None),
        ("purchases", "supplier", "in_suppliers", "supplier"), ("purchases", "paid", "in_suppliers", "price_share"),
        ("purchases", "tonnes", "in_suppliers", None), ("unmet", "demand", "in_demand", None), ("china_shares", "limit", "in_caps", None),
        ("stocks", "needed", "in_stockpiles", "days"), ("sectors", "priority", "in_sectors", "priority"),
    ):  # fmt: skip
        where, place = next(iter(book.defined_names[f"{table}_{column}"].destinations))
        found = book[where][place.replace("$", "")]
        rows = [row[0] for row in found] if isinstance(found, tuple) else [found]
        for cell in rows:
            assert cell.hyperlink is not None, (table, column)
            target, _, address = cell.hyperlink.location.partition("!")
            assert target == sheet, (table, column)
            shown = values[target][address].value
            assert shown is not None, (table, column, cell.hyperlink.location)
            title = values[target].cell(4, values[target][address].column).value
            assert header is None or title.split(" [")[0] == header
            if cell.data_type == "f":
                assert cell.value == f"={cell.hyperlink.location}"
            if cell.data_type == "f" or column in ("host", "source_id", "supplier"):
                assert values[where][cell.coordinate].value == (pytest.approx(shown) if isinstance(shown, float) else shown)
    price, _ = next(iter(book.defined_names["deliveries_price"].destinations))
    assert any(cell.data_type == "f" for row in book[price].iter_rows() for cell in row if cell.hyperlink)


def test_source_and_quality_travel_along(report_books, report_short):
    book = load(report_books["short"], True)
    for table, key, sheet in (("feed", "source_id", "sources"), ("purchases", "supplier", "suppliers"), ("plants", "design", "designs")):
        columns = {}
        for name in (key, "quality", "source"):
            where, place = next(iter(book.defined_names[f"{table}_{name}"].destinations))
            found = book[where][place.replace("$", "")]
            columns[name] = [row[0].value for row in found] if isinstance(found, tuple) else [found.value]
        known = {(row[key], row["quality"], row["source"]) for row in report_short.tables[sheet].to_dict("records")}
        assert set(zip(columns[key], columns["quality"], columns["source"], strict=True)) <= known


def test_every_formula_has_its_value_cached(report_books):
    for name, path in report_books.items():
        values = cells(path, True)
        for key, formula in formulas(path).items():
            assert key in values, (name, key, formula)
    assert len(formulas(report_books["plan"])) > 500


def test_formulas_use_only_what_excel_2007_and_libreoffice_share(report_books):
    allowed = {
        "SUM", "SUMIFS", "MIN", "SUMPRODUCT", "IF", "ABS", "ISNUMBER", "AND", "MAX", "COUNT", "COUNTIF", "EXACT",
    }  # fmt: skip
    for path in report_books.values():
        for formula in formulas(path).values():
            assert set(re.findall(r"([A-Z]+)\(", re.sub(r'"[^"]*"', "", formula))) <= allowed, formula
            assert len(formula) < 8192


# --- LibreOffice -----------------------------------------------------------------------------

RECALCULATED = ("plan", "nasty", "short", "bare")


@pytest.fixture(scope="module")
def recalculated(report_books: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return what LibreOffice computes from formulas that hold no value, and a copy with one flow changed."""
    place = tmp_path_factory.mktemp("office")
    for name in RECALCULATED:
        path = report_books[name]
        without_cached_values(path, place / f"{name}.xlsx")
    changed = openpyxl.load_workbook(report_books["plan"])
    sheet, address = next(iter(changed.defined_names["purchases_tonnes"].destinations))
    first = changed[sheet][address.replace("$", "")][0][0]
    first.value += 1000.0
    changed.save(place / "changed.xlsx")
    names = [*RECALCULATED, "changed"]
    return dict(zip(names, convert_all([place / f"{name}.xlsx" for name in names], place / "out"), strict=True))


@pytest.mark.parametrize("name", RECALCULATED)
def test_libreoffice_recomputes_every_cached_value(report_books, recalculated, name):
    written, computed = cells(report_books[name], True), cells(recalculated[name], True)
    for key, formula in formulas(report_books[name]).items():
        cached, fresh = written[key].value, computed[key].value
        if isinstance(cached, str):
            assert fresh == cached, (key, formula)
        else:
            assert isinstance(fresh, int | float), (key, formula, fresh)
            assert fresh == pytest.approx(cached, rel=1e-6, abs=1e-9), (key, formula)


def test_totals_follow_the_flows(report_books, recalculated, report_plan):
    """One purchase of the first year raised by 1,000 t moves the sums over it."""
    supplier = report_plan.solution.tables["purchases"]["supplier"].iloc[0]
    place = 4 + YEARS.index(report_plan.solution.tables["purchases"]["year"].iloc[0])
    for label in (supplier, "all suppliers"):
        before = figure(report_books["plan"], "purchases", label, place)
        assert figure(recalculated["changed"], "purchases", label, place) == pytest.approx(before + 1000.0)


@pytest.mark.parametrize(
    "module", ["report_book", "report_styles", "report_words", "report_origin", "report_flows", "report_print", "report"]
)
def test_examples_in_docstrings(module):
    assert doctest.testmod(importlib.import_module(f"model.{module}")).failed == 0
