"""The solution workbook: its sheets and its figures."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from model.planner import solve
from model.report_know import NEAREST, RISK, WEAKEST
from model.report_origin import ATTRIBUTION
from model.report_words import key_figures
from model.result_schema import RESULT_BY_NAME, RESULT_TABLES
from model.scenarios import Change
from model.studies.study import StudySheet
from tests.reported import CAPS_OF_EVERY_KIND, RECORD_SHEETS, figure, load, write
from tests.tiny import tiny_tables

READING_SHEETS = [
    "summary", "key_figures", "plants", "feed", "products", "deliveries", "surplus", "purchases", "supply_balance", "costs", "china_share", "traced",
    "partners", "sectors", "stocks", "context", "weak_numbers",
]  # fmt: skip


PICTURE_SHEETS = ["charts", "chart_data", "map"]


# --- what is there ---------------------------------------------------------------------------


def test_sheets_stand_in_reading_order(report_books):
    for name in ("plan", "nasty", "short", "bare"):
        assert load(report_books[name]).sheetnames == [*READING_SHEETS, *PICTURE_SHEETS, *RECORD_SHEETS]


def test_every_column_of_every_result_table_is_there_with_its_unit(report_books):
    book = load(report_books["short"])
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


def test_flow_rows_are_the_result_tables(report_books, report_short):
    for name in ("feed", "deliveries", "purchases", "unmet", "costs"):
        book = load(report_books["short"], True)
        column = "cost" if name == "costs" else "tonnes"
        sheet, place = next(iter(book.defined_names[f"{name}_{column}"].destinations))
        shown = [row[0].value for row in book[sheet][place.replace("$", "")]]
        assert shown
        assert shown == pytest.approx(report_short.solution.tables[name][column].tolist())


def test_each_sheet_opens_with_a_caption(report_books):
    book = load(report_books["plan"])
    for sheet in book.sheetnames[2:]:
        assert book[sheet]["A1"].value == sheet
        assert book[sheet]["A2"].value.endswith(".")
        assert len(book[sheet]["A2"].value.split()) >= 5


def test_print_layout(report_books):
    book = load(report_books["plan"])
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


def test_a_page_begins_with_a_block(report_books):
    book = load(report_books["plan"])
    for name in ("chart_data", "map"):
        areas = re.findall(r"\$?A\$?(\d+):\$?[A-Z]+\$?(\d+)", str(book[name].print_area))
        assert len(areas) > 1
        assert areas[0][0] == "1"
        for (_, end), (first, _) in pairwise(areas):
            assert int(first) == int(end) + 1
            heading = book[name].cell(int(first), 1)
            assert heading.font.bold
            assert heading.value.endswith(".")


def test_a_sentence_longer_than_the_page_takes_several_lines(report_books):
    (rule,) = [cell for cell in load(report_books["plan"])["china_share"]["A"] if cell.value == ATTRIBUTION]
    sheet = rule.parent
    (merged,) = [area for area in sheet.merged_cells.ranges if area.min_row == rule.row]
    assert (merged.min_col, merged.max_row) == (1, rule.row)
    assert rule.alignment.wrap_text
    assert sheet.row_dimensions[rule.row].height > 25


def test_inputs_are_shown_as_read(report_books):
    book = load(report_books["plan"])
    rows = list(book["in_sources"].iter_rows(min_row=4, values_only=True))
    first = dict(zip(*rows[:2], strict=True))
    assert first["source_id"] == "ALPHA_MINE"
    assert first["capacity [t REO/y]"] == 8000
    assert first["payability [share of basket]"] == 0.5
    assert first["payability_low [share]"] is None  # a blank stays blank
    assert book["in_demand"]["D4"].value == "2030 [t REO]"


def test_extra_sheets_scenario_and_log(report_plan, tmp_path):
    unmet = RESULT_BY_NAME["unmet"]
    extra = StudySheet(
        "frontier", "What each point of the cap costs.", [("Steps.", unmet.columns, report_plan.solution.tables["unmet"])], ["One."]
    )
    change = Change("caps", 2, 2030, 0.5, float("nan"), "caps!F2")
    path = write(report_plan, tmp_path / "run", extra_sheets=[extra], scenario="no_cap", changes=[change], log=["Model built: =1"])
    book = load(path)
    assert book.sheetnames[book.sheetnames.index("context") + 1] == "frontier"
    shown = [row for row in book["run_info"].iter_rows(values_only=True) if row[0]]
    assert ("time limit", 60, "s") in [row[:3] for row in shown]
    assert ("caps!F2", "0.5", "(blank)") in [row[:3] for row in shown]
    assert any(row[0] == "Model built: =1" for row in shown)
    assert "scenario no_cap" in book["in_caps"]["A2"].value


# --- figures ---------------------------------------------------------------------------------


def test_summary_shows_the_plan_s_own_figures(report_books, report_plan):
    path, figures = report_books["plan"], key_figures(report_plan)
    assert figure(path, "key_figures", "Total cost, discounted") == pytest.approx(report_plan.solution.objective, rel=1e-6)
    assert figure(path, "key_figures", "Average cost a year") == pytest.approx(figures.per_year)
    assert figure(path, "key_figures", "Cost per kg of oxide supplied") == pytest.approx(figures.per_kg)
    assert figure(path, "key_figures", "Joint plants' net cost per kg delivered") == pytest.approx(figures.joint_per_kg)
    assert figure(path, "key_figures", "Total cost without joint plants") == 600.0
    assert figure(path, "key_figures", "Gap to what is proven") == pytest.approx(max(0.0, report_plan.solution.gap), abs=1e-9)
    assert figure(path, "key_figures", "Host set proven") == "yes"
    assert figure(path, "key_figures", "Difference to the cost without") == pytest.approx(report_plan.solution.objective - 600.0, rel=1e-6)
    assert figure(path, "key_figures", "Joint plants") == len(report_plan.solution.tables["plants"])
    delivered = report_plan.solution.tables["deliveries"].groupby("market")["tonnes"].sum()
    assert figure(path, "key_figures", "Joint product delivered to JPN") == pytest.approx(delivered["JPN"] / 1000)


def test_key_figures_by_hand(report_plan):
    """Costs of 10, 20 and 30 MUSD with one plant's 4, 5 and 6; years alike and not discounted."""
    found = dict(report_plan.solution.tables)
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
    figures = key_figures(replace(report_plan, solution=replace(report_plan.solution, tables=found)))
    assert (figures.total, figures.per_year) == (60.0, 20.0)
    assert figures.per_kg == pytest.approx(60.0 / 1500.0 * 1000.0)
    assert figures.joint_per_kg == pytest.approx(15.0 / 300.0 * 1000.0)


def test_ledger_and_budget_add_up(report_books, report_short):
    path = report_books["short"]
    rows = list(load(path, True)["partners"].iter_rows(values_only=True))
    total = next(row for row in rows if row[0] == "all costs")
    assert total[5] + total[6] == pytest.approx(total[7])
    assert total[7] == pytest.approx(report_short.solution.objective, rel=1e-6)
    spent = next(row for row in rows if row[0] == "all payers")
    assert max(value for value in spent[5:] if value is not None) == pytest.approx(report_short.solution.tables["plants"]["capex"].sum())


def test_cap_shares_match_the_solution(report_books, report_short):
    book = load(report_books["short"], True)
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
    assert {cap for cap, _, _ in shown} == {row["cap"] for row in CAPS_OF_EVERY_KIND}
    for row in report_short.solution.tables["china_shares"].to_dict("records"):
        assert shown[row["cap"], row["member"], row["year"]] == (pytest.approx(row["china"]), pytest.approx(row["total"]))


def test_shortages_are_explained(report_books, report_short):
    book = load(report_books["short"], True)
    text = [row[0] for row in book["key_figures"].iter_rows(values_only=True) if isinstance(row[0], str)]
    largest = [line for line in text if re.match(r"\d\. ", line)]
    unmet = report_short.solution.tables["unmet"].groupby(["market", "sector", "product"])["tonnes"].sum()
    assert len(largest) == min(3, len(unmet))
    market, _, product = unmet.idxmax()
    assert largest[0].startswith(f"1. {market}, ")
    assert f", {product}: {unmet.max():,.0f} t short" in largest[0]


def test_context_sets_the_model_beside_published_figures(report_books):
    rows = list(load(report_books["plan"], True)["context"].iter_rows(values_only=True))
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


def test_the_first_page_tells_the_answer_in_tiles(report_books, report_plan):
    sheet, figures = load(report_books["plan"], True)["summary"], key_figures(report_plan)
    rows = list(sheet.iter_rows(values_only=True))
    at = next(number for number, row in enumerate(rows) if row[0] == "Cost per year, MUSD")
    shown = dict(zip(rows[at][::2], rows[at + 1][::2], strict=True))
    assert shown["Cost per year, MUSD"] == pytest.approx(figures.per_year)
    assert shown["Cost per kg, USD"] == pytest.approx(figures.per_kg)
    assert shown["Hosts"] == 1
    assert shown["Demand left short, t"] == pytest.approx(report_plan.solution.tables["unmet"]["tonnes"].sum())
    delivered = report_plan.solution.tables["deliveries"].groupby("market")["tonnes"].sum() / 1000
    assert rows[at + 1][8:10] == (pytest.approx(delivered["JPN"]), pytest.approx(delivered["USA"]))
    last = report_plan.solution.tables["china_shares"].query("year == 2032 and scope == 'all' and basis == 'supply'").iloc[0]
    (china,) = (value for label, value in shown.items() if label.startswith("China-linked share, 2032"))
    assert china == pytest.approx(last["share"])
    assert sheet.page_setup.fitToHeight in (None, 1)
    assert len(sheet._images) == 1


def test_the_first_page_fits_one_printed_page(report_books):
    for name in ("plan", "nasty", "short", "bare"):
        sheet = load(report_books[name])["summary"]
        height = sum((sheet.row_dimensions[row].height or 15) for row in range(1, sheet.max_row + 1))
        assert height < 600, (name, height)  # points; A4 lying has 520 at full size


def test_three_things_are_known_with_and_without_studies(report_plan, report_books, tmp_path):
    def known(path: Path) -> dict[str, str]:
        return {row[0]: row[2] for row in load(path, True)["summary"].iter_rows(values_only=True) if row[0] in (RISK, WEAKEST, NEAREST)}

    own = known(report_books["plan"])
    assert set(own) == {RISK, WEAKEST, NEAREST}
    assert "without any joint plant" in own[NEAREST]
    unmet = RESULT_BY_NAME["unmet"]
    study = StudySheet(
        "alternatives", "Next best.", [("Rows.", unmet.columns, report_plan.solution.tables["unmet"])], [], ["Betaland costs 3 MUSD more."]
    )
    told = known(write(report_plan, tmp_path / "run", extra_sheets=[study]))
    assert told[NEAREST] == "Betaland costs 3 MUSD more."
    assert told[RISK] == own[RISK]
