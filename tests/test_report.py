"""The solution workbook: sheets, live formulas, plain text, folders, and what LibreOffice makes of it."""

from __future__ import annotations

import copy
import doctest
import importlib
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from model import report
from model.outcome import Status
from model.planner import Plan, solve
from model.report import new_run_folder, print_summary, write_report
from model.report_know import NEAREST, RISK, WEAKEST
from model.report_origin import ATTRIBUTION
from model.report_words import key_figures, status_words
from model.result_schema import RESULT_BY_NAME, RESULT_TABLES
from model.scenarios import Change
from model.schema import SHEETS
from model.studies.study import StudySheet
from model.verification import VerificationReport
from tests.tiny import RECORDS, YEARS, tiny_tables

READING_SHEETS = [
    "summary", "key_figures", "plants", "feed", "products", "deliveries", "surplus", "purchases", "supply_balance", "costs", "china_share", "traced",
    "partners", "sectors", "stocks", "context", "weak_numbers",
]  # fmt: skip
PICTURE_SHEETS = ["charts", "chart_data", "map"]
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


@pytest.fixture(scope="module")
def plan() -> Plan:
    return solve(tiny_tables())


@pytest.fixture(scope="module")
def nasty() -> Plan:
    return solve(tiny_tables(**renamed(copy.deepcopy(RECORDS), NASTY)))


@pytest.fixture(scope="module")
def short() -> Plan:
    """Return a plan with shortages, two plants and a cap of every kind."""
    suppliers = [{**row, **dict.fromkeys(YEARS, 10.0)} for row in copy.deepcopy(RECORDS)["suppliers"]]
    return solve(tiny_tables(suppliers=suppliers, caps=CAPS_OF_EVERY_KIND))


@pytest.fixture(scope="module")
def bare() -> Plan:
    """Return a plan without plants."""
    return solve(tiny_tables({"max_plants": 0}, caps=[]))


@pytest.fixture(scope="module")
def impossible() -> Plan:
    rule = {
        "rule_id": "F",
        "host": "AAA_PORT",
        "rule": "force_plant",
        "to_year": 2030,
        "value": 99999,
        "value_unit": "t REO/y",
        "reason": "test",
    }
    return solve(tiny_tables(host_rules=[rule]))


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory, plan: Plan, nasty: Plan, short: Plan, bare: Plan, impossible: Plan) -> dict[str, Path]:
    """Return the workbook of each plan."""
    place = tmp_path_factory.mktemp("books")
    plans = {"plan": plan, "nasty": nasty, "short": short, "bare": bare, "impossible": impossible}
    return {name: write(each, place / name, reference_cost=600.0) for name, each in plans.items()}


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


# --- what is there ---------------------------------------------------------------------------


def test_sheets_stand_in_reading_order(books):
    for name in ("plan", "nasty", "short", "bare"):
        assert load(books[name]).sheetnames == [*READING_SHEETS, *PICTURE_SHEETS, *RECORD_SHEETS]


def test_every_column_of_every_result_table_is_there_with_its_unit(books):
    book = load(books["short"])
    for table in RESULT_TABLES:
        if table.name == "builds":
            continue  # its rows are those of plants
        for column in table.columns:
            sheet, place = next(iter(book.defined_names[f"{table.name}_{column.name}"].destinations))
            first = book[sheet][place.replace("$", "")]
            first = first[0][0] if isinstance(first, tuple) else first
            header = book[sheet].cell(first.row - 1, first.column)
            assert header.value == (f"{column.name} [{column.unit}]" if column.unit else column.name)
            assert header.comment.text == column.description


def test_flow_rows_are_the_result_tables(books, short):
    for name in ("feed", "deliveries", "purchases", "unmet", "costs"):
        book = load(books["short"], True)
        column = "cost" if name == "costs" else "tonnes"
        sheet, place = next(iter(book.defined_names[f"{name}_{column}"].destinations))
        shown = [row[0].value for row in book[sheet][place.replace("$", "")]]
        assert shown == pytest.approx(short.solution.tables[name][column].tolist())


def test_each_sheet_opens_with_a_caption(books):
    book = load(books["plan"])
    for sheet in book.sheetnames[2:]:
        assert book[sheet]["A1"].value == sheet
        assert book[sheet]["A2"].value.endswith(".")
        assert len(book[sheet]["A2"].value.split()) >= 5


def test_print_layout(books):
    book = load(books["plan"])
    for sheet in book:
        if sheet.title in ("in_sources", "in_hosts"):
            assert sheet.page_setup.scale == 40  # too wide for one page: the key repeats on the pages beside it
            assert sheet.print_title_cols == "$A:$A"
        else:
            assert sheet.sheet_properties.pageSetUpPr.fitToPage
            assert sheet.page_setup.fitToWidth in (None, 1)  # 1 is what a blank means
        if sheet.title not in ("summary", "key_figures"):
            assert sheet.freeze_panes
            assert sheet.page_setup.fitToHeight == 0 or sheet.print_title_cols  # as many pages as it takes
    assert book["summary"].page_setup.fitToHeight in (None, 1)
    assert book["feed"].auto_filter.ref
    assert book["feed"].print_title_rows


def test_a_page_begins_with_a_block(books):
    book = load(books["plan"])
    for name in ("chart_data", "map"):
        areas = re.findall(r"\$?A\$?(\d+):\$?[A-Z]+\$?(\d+)", str(book[name].print_area))
        assert len(areas) > 1
        assert areas[0][0] == "1"
        for (_, end), (first, _) in pairwise(areas):
            assert int(first) == int(end) + 1
            heading = book[name].cell(int(first), 1)
            assert heading.font.bold
            assert heading.value.endswith(".")


def test_a_sentence_longer_than_the_page_takes_several_lines(books):
    (rule,) = [cell for cell in load(books["plan"])["china_share"]["A"] if cell.value == ATTRIBUTION]
    sheet = rule.parent
    (merged,) = [area for area in sheet.merged_cells.ranges if area.min_row == rule.row]
    assert (merged.min_col, merged.max_row) == (1, rule.row)
    assert rule.alignment.wrap_text
    assert sheet.row_dimensions[rule.row].height > 25


def test_inputs_are_shown_as_read(books):
    book = load(books["plan"])
    rows = list(book["in_sources"].iter_rows(min_row=4, values_only=True))
    header = list(rows[0])
    first = dict(zip(header, rows[1], strict=True))
    assert first["source_id"] == "ALPHA_MINE"
    assert first["capacity [t REO/y]"] == 8000
    assert first["payability_low [share of basket value]" if "payability_low [share of basket value]" in header else header[0]] in (
        None,
        "ALPHA_MINE",
    )
    assert book["in_demand"]["D4"].value == "2030 [t REO]"


def test_extra_sheets_scenario_and_log(plan, tmp_path):
    unmet = RESULT_BY_NAME["unmet"]
    extra = StudySheet(
        "frontier", "What each point of the cap costs.", [("Steps.", unmet.columns, plan.solution.tables["unmet"])], ["One."]
    )
    change = Change("caps", 2, 2030, 0.5, float("nan"), "caps!F2")
    path = write(plan, tmp_path / "run", extra_sheets=[extra], scenario="no_cap", changes=[change], log=["Model built: =1"])
    book = load(path)
    assert book.sheetnames[book.sheetnames.index("context") + 1] == "frontier"
    shown = [row for row in book["run_info"].iter_rows(values_only=True) if row[0]]
    assert ("time limit", 60, "s") in [row[:3] for row in shown]
    assert ("caps!F2", "0.5", "(blank)") in [row[:3] for row in shown]
    assert any(row[0] == "Model built: =1" for row in shown)
    assert "scenario no_cap" in book["in_caps"]["A2"].value


# --- figures ---------------------------------------------------------------------------------


def test_summary_shows_the_plan_s_own_figures(books, plan):
    path, figures = books["plan"], key_figures(plan)
    assert figure(path, "key_figures", "Total cost, discounted") == pytest.approx(plan.solution.objective, rel=1e-6)
    assert figure(path, "key_figures", "Average cost a year") == pytest.approx(figures.per_year)
    assert figure(path, "key_figures", "Cost per kg of oxide supplied") == pytest.approx(figures.per_kg)
    assert figure(path, "key_figures", "Joint plants' net cost per kg delivered") == pytest.approx(figures.joint_per_kg)
    assert figure(path, "key_figures", "Total cost without joint plants") == 600.0
    assert figure(path, "key_figures", "Gap to what is proven") == pytest.approx(max(0.0, plan.solution.gap), abs=1e-9)
    assert figure(path, "key_figures", "Host set proven") == "yes"
    assert figure(path, "key_figures", "Difference to the cost without") == pytest.approx(plan.solution.objective - 600.0, rel=1e-6)
    assert figure(path, "key_figures", "Joint plants") == len(plan.solution.tables["plants"])
    delivered = plan.solution.tables["deliveries"].groupby("market")["tonnes"].sum()
    assert figure(path, "key_figures", "Joint product delivered to JPN") == pytest.approx(delivered["JPN"] / 1000)


def test_key_figures_by_hand(plan):
    """Costs of 10, 20 and 30 MUSD with one plant's 4, 5 and 6; years alike and not discounted."""
    found = dict(plan.solution.tables)
    template = found["costs"].iloc[:6].copy()
    template["year"], template["weight"] = [2030, 2031, 2032] * 2, 1.0
    template["host"], template["market"] = ["AAA_PORT"] * 3 + [""] * 3, [""] * 3 + ["JPN"] * 3
    template["cost"] = [4.0, 5.0, 6.0, 6.0, 15.0, 24.0]
    template["present_value"] = template["cost"]
    deliveries = found["deliveries"].iloc[:2].copy()
    deliveries["tonnes"], deliveries["year"] = [100.0, 200.0], [2031, 2032]
    supply = found["supply_balance"].iloc[:2].copy()
    supply["demand"], supply["unmet"], supply["year"] = [1000.0, 600.0], [100.0, 0.0], [2030, 2031]
    found |= {"costs": template, "deliveries": deliveries, "supply_balance": supply}
    figures = key_figures(replace(plan, solution=replace(plan.solution, tables=found)))
    assert (figures.total, figures.per_year) == (60.0, 20.0)
    assert figures.per_kg == pytest.approx(60.0 / 1500.0 * 1000.0)
    assert figures.joint_per_kg == pytest.approx(15.0 / 300.0 * 1000.0)


def test_ledger_and_budget_add_up(books, short):
    path = books["short"]
    rows = list(load(path, True)["partners"].iter_rows(values_only=True))
    total = next(row for row in rows if row[0] == "all costs")
    assert total[5] + total[6] == pytest.approx(total[7])
    assert total[7] == pytest.approx(short.solution.objective, rel=1e-6)
    spent = next(row for row in rows if row[0] == "all payers")
    assert max(value for value in spent[5:] if value is not None) == pytest.approx(short.solution.tables["plants"]["capex"].sum())


def test_cap_shares_match_the_solution(books, short):
    book = load(books["short"], True)
    sheet = book["china_share"]
    columns = {}
    for name in RESULT_BY_NAME["china_shares"].names:
        _, place = next(iter(book.defined_names[f"china_shares_{name}"].destinations))
        columns[name] = [row[0].value for row in sheet[place.replace("$", "")]]
    shown = {
        (cap, member or "", year): (china, total)
        for cap, member, year, china, total in zip(
            columns["cap"], columns["member"], columns["year"], columns["china"], columns["total"], strict=True
        )
    }
    for row in short.solution.tables["china_shares"].to_dict("records"):
        assert shown[row["cap"], row["member"], row["year"]] == (pytest.approx(row["china"]), pytest.approx(row["total"]))


def test_shortages_are_explained(books, short):
    book = load(books["short"], True)
    text = [row[0] for row in book["key_figures"].iter_rows(values_only=True) if isinstance(row[0], str)]
    largest = [line for line in text if re.match(r"\d\. ", line)]
    unmet = short.solution.tables["unmet"].groupby(["market", "sector", "product"])["tonnes"].sum()
    assert len(largest) == min(3, len(unmet))
    market, _, product = unmet.idxmax()
    assert largest[0].startswith(f"1. {market}, ")
    assert f", {product}: {unmet.max():,.0f} t short" in largest[0]


def test_context_sets_the_model_beside_published_figures(books):
    rows = list(load(books["plan"], True)["context"].iter_rows(values_only=True))
    china = next(row for row in rows if row[0] == "us_import_share_china")
    view = [row for row in rows if row[0] in ("CHN", "AAA", "total")]
    assert china[1] == 72
    assert china[3] == pytest.approx(china[2] - 72)
    assert view, "no customs view"


def test_published_figures_without_a_counterpart_say_so(tmp_path):
    published = [
        {"figure": "china_magnet_share", "description": "d", "period": "2024", "value": 94, "unit": "%"},
        {"figure": "china_mining_share_2024", "description": "d", "period": "2024", "value": 71, "unit": "%"},
        {"figure": "japan_import_share_china", "description": "d", "period": "2024", "value": 60, "unit": "share"},
        {"figure": "japan_direct_demand", "description": "d", "period": "2024", "value": 1, "unit": "t REO"},
        {"figure": "us_imports_from_japan", "description": "d", "period": "2024", "value": 1, "unit": "million USD"},
        {"figure": "ex_china_cover_2032", "description": "d", "period": "2032", "value": 30, "unit": "%"},
        {"figure": "ex_china_cover_2050", "description": "d", "period": "2050", "value": 30, "unit": "%"},
    ]
    path = write(solve(tiny_tables({"max_plants": 0}, caps=[], published=published)), tmp_path / "run")
    rows = {row[0]: row for row in load(path, True)["context"].iter_rows(values_only=True)}
    assert rows["china_magnet_share"][2] == "-"
    assert rows["china_magnet_share"][7] == "not in the model"
    assert rows["china_mining_share_2024"][2] == pytest.approx(100 * 10 / 18)
    assert rows["japan_import_share_china"][2] == pytest.approx((2010 - 100) / 2010)  # 10 t from stock, Lynas' contract of 100 t
    assert rows["japan_direct_demand"][2] == pytest.approx(2020)
    assert rows["us_imports_from_japan"][2] == 0
    assert rows["ex_china_cover_2032"][2] == pytest.approx(100 * 100 / 2750)
    assert rows["ex_china_cover_2050"][2] == "-"


def test_the_first_page_tells_the_answer_in_tiles(books, plan):
    sheet, figures = load(books["plan"], True)["summary"], key_figures(plan)
    rows = list(sheet.iter_rows(values_only=True))
    at = next(number for number, row in enumerate(rows) if row[0] == "Cost per year, MUSD")
    shown = dict(zip(rows[at][::2], rows[at + 1][::2], strict=True))
    assert shown["Cost per year, MUSD"] == pytest.approx(figures.per_year)
    assert shown["Cost per kg, USD"] == pytest.approx(figures.per_kg)
    assert shown["Hosts"] == 1
    assert shown["Demand left short, t"] == pytest.approx(plan.solution.tables["unmet"]["tonnes"].sum())
    delivered = plan.solution.tables["deliveries"].groupby("market")["tonnes"].sum() / 1000
    assert rows[at + 1][8:10] == (pytest.approx(delivered["JPN"]), pytest.approx(delivered["USA"]))
    last = plan.solution.tables["china_shares"].query("year == 2032 and scope == 'all' and basis == 'supply'").iloc[0]
    (china,) = (value for label, value in shown.items() if label.startswith("China-linked share, 2032"))
    assert china == pytest.approx(last["share"])
    assert sheet.page_setup.fitToHeight in (None, 1)
    assert len(sheet._images) == 1


def test_the_first_page_fits_one_printed_page(books):
    for name in ("plan", "nasty", "short", "bare"):
        sheet = load(books[name])["summary"]
        height = sum((sheet.row_dimensions[row].height or 15) for row in range(1, sheet.max_row + 1))
        assert height < 600, (name, height)  # points; A4 lying has 520 at full size


def test_three_things_are_known_with_and_without_studies(plan, books, tmp_path):
    def known(path: Path) -> dict[str, str]:
        return {row[0]: row[2] for row in load(path, True)["summary"].iter_rows(values_only=True) if row[0] in (RISK, WEAKEST, NEAREST)}

    own = known(books["plan"])
    assert set(own) == {RISK, WEAKEST, NEAREST}
    assert "without any joint plant" in own[NEAREST]
    unmet = RESULT_BY_NAME["unmet"]
    study = StudySheet(
        "alternatives", "Next best.", [("Rows.", unmet.columns, plan.solution.tables["unmet"])], [], ["Betaland costs 3 MUSD more."]
    )
    told = known(write(plan, tmp_path / "run", extra_sheets=[study]))
    assert told[NEAREST] == "Betaland costs 3 MUSD more."
    assert told[RISK] == own[RISK]


# --- status ----------------------------------------------------------------------------------


def texts(path: Path, sheet: str = "summary") -> list[str]:
    return [str(cell.value) for (name, _), cell in cells(path, True).items() if name == sheet]


@pytest.mark.parametrize(
    ("status", "objective", "bound", "words"),
    [
        (Status.OPTIMAL, 1000.0, 999.2, "proven optimal (gap 0.8 MUSD = 0.08 % of the total)"),
        (Status.LIMIT, 1000.0, 991.0, "within 0.9 % (best plan found in 12 s)"),
        (Status.LIMIT, 1000.0, float("-inf"), "best plan found in 12 s; nothing is proven about how good it is"),
        (Status.INFEASIBLE, float("nan"), float("nan"), "no plan exists"),
        (Status.NO_PLAN_FOUND, float("nan"), float("nan"), "stopped before any plan was found"),
    ],
)
def test_status_in_words(plan, status, objective, bound, words):
    solution = replace(plan.solution, status=status, objective=objective, bound=bound, seconds={"model": 3.0, "search": 12.3})
    assert status_words(solution) == words


def test_first_line_is_the_answer(books):
    line = load(books["plan"])["summary"]["A1"].value
    assert line.startswith("Build one joint plant: Alphaland (AAA_PORT): 5,000 t REO/y")
    assert "MUSD" in line
    assert "USD per kg" in line


def test_no_plants_reads_as_an_answer(books, bare):
    assert load(books["bare"])["summary"]["A1"].value.startswith("Build no joint plant")
    assert figure(books["bare"], "key_figures", "Joint plants") == 0
    assert figure(books["bare"], "key_figures", "Joint plants' net cost per kg delivered") == "-"
    assert figure(books["bare"], "key_figures", "Total cost, discounted") == pytest.approx(bare.solution.objective)


@pytest.mark.parametrize("status", [Status.INFEASIBLE, Status.NO_PLAN_FOUND, Status.ERROR])
def test_without_a_plan_the_book_says_so(impossible, tmp_path, status):
    stopped = replace(impossible, solution=replace(impossible.solution, status=status, termination="words of the solver"))
    path = write(stopped, tmp_path / "run")
    assert load(path).sheetnames == ["summary", *RECORD_SHEETS]
    assert not (path.parent / "map.png").exists()
    shown = texts(path)
    assert shown[0].startswith("No plan")
    assert f"Status: {status}." in shown
    assert any("words of the solver" in line for line in shown)
    assert "What to try" in shown
    assert "FAIL" not in texts(path, "checks")


def test_a_failed_verification_is_at_the_very_top_in_red(plan, tmp_path):
    table = plan.verification.table.copy()
    table.loc[table.index[0], "verdict"] = "FAIL"
    broken = replace(plan, verification=VerificationReport(table, ["capacity_limit: feed is above capacity at AAA_PORT, 2031."]))
    path = write(broken, tmp_path / "run")
    sheet = load(path)["summary"]
    assert sheet["A1"].value.startswith("VERIFICATION FAILED: one rule of")
    assert sheet["A1"].fill.fgColor.rgb == "FFB00020"
    assert sheet["A2"].value == "capacity_limit: feed is above capacity at AAA_PORT, 2031."
    assert sheet["A2"].font.color.rgb == "FFB00020"
    assert figure(path, "checks", "rules failed") == 1


def test_console_answer_has_five_lines(plan, short, bare, impossible):
    path = Path("outputs/run/solution.xlsx")
    for each in (plan, short, bare, impossible):
        lines = print_summary(each, path)
        assert len(lines) == 5
        assert all(line and "\n" not in line for line in lines)
        assert lines[4] == f"Workbook: {path}"
    assert print_summary(plan, path)[0].startswith("Build one joint plant")
    assert "China-linked share" in print_summary(short, path)[2]
    assert "left short" in print_summary(short, path)[2]
    assert print_summary(impossible, path)[3].startswith("Status: no plan exists.")


# --- text and formulas -----------------------------------------------------------------------


def test_text_from_inputs_never_becomes_a_formula_or_a_link(books):
    shown = cells(books["nasty"], False)
    for name in NASTY.values():
        assert any(cell.value == name and cell.data_type == "s" for cell in shown.values()), name
    for (sheet, address), cell in shown.items():
        if cell.data_type == "f":
            assert "HYPERLINK" not in cell.value, (sheet, address)
            assert cell.value not in NASTY.values()
    for sheet in load(books["nasty"]):
        for link in sheet._hyperlinks:
            assert link.location, "leads within the workbook"
            assert link.target is None


def test_echoed_inputs_lead_to_their_cells(books):
    """A figure that repeats an input is that cell; one that is computed from it leads there."""
    book, values = load(books["short"]), load(books["short"], True)
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


def test_source_and_quality_travel_along(books, short):
    book = load(books["short"], True)
    for table, key, sheet in (("feed", "source_id", "sources"), ("purchases", "supplier", "suppliers"), ("plants", "design", "designs")):
        columns = {}
        for name in (key, "quality", "source"):
            where, place = next(iter(book.defined_names[f"{table}_{name}"].destinations))
            found = book[where][place.replace("$", "")]
            columns[name] = [row[0].value for row in found] if isinstance(found, tuple) else [found.value]
        known = {(row[key], row["quality"], row["source"]) for row in short.tables[sheet].to_dict("records")}
        assert set(zip(columns[key], columns["quality"], columns["source"], strict=True)) <= known


def test_every_formula_has_its_value_cached(books):
    for name, path in books.items():
        values = cells(path, True)
        for key, formula in formulas(path).items():
            assert key in values, (name, key, formula)
    assert len(formulas(books["plan"])) > 500


def test_formulas_use_only_what_excel_2007_and_libreoffice_share(books):
    allowed = {
        "SUM", "SUMIFS", "MIN", "SUMPRODUCT", "IF", "ABS", "ISNUMBER", "AND", "MAX", "COUNT", "COUNTIF", "EXACT",
    }  # fmt: skip
    for path in books.values():
        for formula in formulas(path).values():
            assert set(re.findall(r"([A-Z]+)\(", re.sub(r'"[^"]*"', "", formula))) <= allowed, formula
            assert len(formula) < 8192


# --- folders ---------------------------------------------------------------------------------


def test_run_folders_are_never_shared(tmp_path):
    folders = [new_run_folder(tmp_path / "outputs", "cap/20 %") for _ in range(5)]
    assert len(set(folders)) == 5
    assert all(folder.is_dir() and not any(folder.iterdir()) for folder in folders)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d{6}_cap_20", folders[0].name)


def test_the_reserved_folder_receives_the_book_whole(plan, tmp_path):
    folder = new_run_folder(tmp_path, "baseline")
    path = write(plan, folder)
    assert path == folder / "solution.xlsx"
    assert [item.name for item in tmp_path.iterdir()] == [folder.name]
    assert sorted(item.name for item in folder.iterdir()) == ["map.png", "solution.xlsx"]


def test_nothing_is_overwritten(plan, tmp_path):
    path = write(plan, tmp_path / "run")
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="not empty"):
        write(plan, tmp_path / "run")
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("accident", [RuntimeError("disk full"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
@pytest.mark.parametrize("reserved", [True, False])
def test_nothing_is_left_behind_when_writing_stops_halfway(plan, tmp_path, monkeypatch, accident, reserved):
    def stop(*arguments: object) -> None:
        raise accident

    monkeypatch.setattr(report, "write_context", stop)
    folder = new_run_folder(tmp_path, "x") if reserved else tmp_path / "run"
    with pytest.raises(type(accident)):
        write(plan, folder)
    assert list(tmp_path.iterdir()) == []


RECALCULATED = ("plan", "nasty", "short", "bare")


# --- LibreOffice -----------------------------------------------------------------------------


def without_cached_values(path: Path, target: Path) -> None:
    """Copy a workbook, leaving every formula without a value."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copied:
        for name in source.namelist():
            data = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                data = re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", data)
            copied.writestr(name, data)


@pytest.fixture(scope="module")
def recalculated(books: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Return what LibreOffice computes from formulas that hold no value, and a copy with one flow changed."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    place = tmp_path_factory.mktemp("office")
    for name in RECALCULATED:
        path = books[name]
        without_cached_values(path, place / f"{name}.xlsx")
    changed = openpyxl.load_workbook(books["plan"])
    sheet, address = next(iter(changed.defined_names["purchases_tonnes"].destinations))
    first = changed[sheet][address.replace("$", "")][0][0]
    first.value += 1000.0
    changed.save(place / "changed.xlsx")
    names = [*RECALCULATED, "changed"]
    subprocess.run(
        [office, f"-env:UserInstallation={(place / 'profile').as_uri()}", "--headless", "--convert-to", "xlsx", "--outdir", place / "out",
         *(place / f"{name}.xlsx" for name in names)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return {name: place / "out" / f"{name}.xlsx" for name in names}


@pytest.mark.parametrize("name", RECALCULATED)
def test_libreoffice_recomputes_every_cached_value(books, recalculated, name):
    written, computed = cells(books[name], True), cells(recalculated[name], True)
    for key, formula in formulas(books[name]).items():
        cached, fresh = written[key].value, computed[key].value
        if isinstance(cached, str):
            assert fresh == cached, (key, formula)
        else:
            assert isinstance(fresh, int | float), (key, formula, fresh)
            assert fresh == pytest.approx(cached, rel=1e-6, abs=1e-9), (key, formula)


def test_totals_follow_the_flows(books, recalculated, plan):
    """One purchase of the first year raised by 1,000 t moves the sums over it."""
    supplier = plan.solution.tables["purchases"]["supplier"].iloc[0]
    place = 4 + YEARS.index(plan.solution.tables["purchases"]["year"].iloc[0])
    for label in (supplier, "all suppliers"):
        before = figure(books["plan"], "purchases", label, place)
        assert figure(recalculated["changed"], "purchases", label, place) == pytest.approx(before + 1000.0)


@pytest.mark.parametrize(
    "module", ["report_book", "report_styles", "report_words", "report_origin", "report_flows", "report_print", "report"]
)
def test_examples_in_docstrings(module):
    assert doctest.testmod(importlib.import_module(f"model.{module}")).failed == 0
