"""Whole books through validation: the valid one, what must pass, what comes together, and junk."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.book import parse_modelled_years
from model.schema import SHEETS
from model.tables import CellError, FormulaNotCalculated, RawBook, RawSheet
from model.validation import RULES, check_tables, validate_book
from tests.rawbook import (
    FORCED,
    PM_SOLD,
    at,
    cell,
    chain,
    column_letter,
    findings_of,
    new_column,
    new_row,
    new_sheet,
    no_column,
    no_rows,
    no_sheet,
    raw_book,
    scenario_row,
    tiny_book,
)
from tests.tiny import tiny_tables

# --- the valid book -------------------------------------------------------------------------


def test_valid_book_gives_its_tables_and_no_findings():
    outcome = validate_book(tiny_book())
    assert outcome.findings == ()
    for sheet in SHEETS:
        expected, found = tiny_tables()[sheet.name], outcome.tables[sheet.name]
        if sheet.name == "settings":
            expected, found = expected.drop(columns="unit"), found.drop(columns="unit")
            expected["value"] = [float(v) if isinstance(v, int) else v for v in expected["value"]]
        pd.testing.assert_frame_equal(
            found, expected, check_dtype=False, check_index_type=False, check_column_type=False, check_names=False
        )
        for column in found.columns:
            numeric = isinstance(column, int) or column not in [c.name for c in sheet.all_columns] or sheet.column(column).numeric
            assert found[column].dtype == (float if numeric else object), (sheet.name, column)


def test_tables_know_where_their_cells_stand():
    tables = validate_book(tiny_book()).tables
    assert tables.cell("prices", 4, 2031) == "prices!F4"
    assert tables.cell("composition", 2, "Nd") == at("composition", 2, "Nd")


def test_typed_tables_pass_the_same_rules():
    assert check_tables(tiny_tables(), as_written=True) == ()


def test_columns_may_stand_in_any_order_and_below_a_title():
    raw = tiny_book()
    ports = raw.sheets["ports"]
    turned = {"A": "feeder", "B": "country", "C": "port", "E": "source", "F": "quality"}
    rows = {row + 8: {new: cells[column_letter(raw, "ports", name)] for new, name in turned.items()} for row, cells in ports.rows.items()}
    outcome = validate_book(replace(raw, sheets={**raw.sheets, "ports": RawSheet("ports", turned, 9, rows)}))
    assert outcome.findings == ()
    assert list(outcome.tables["ports"].index) == [10, 11, 12, 13, 14]
    assert outcome.tables.cell("ports", 10, "port") == "ports!C10"
    assert outcome.tables["ports"]["latitude"].isna().all()


def test_sheets_and_columns_of_the_program_and_of_the_planner_are_passed_over():
    own = chain(new_sheet("guide"), new_sheet("lists"), new_sheet("_workings"), new_column("sources", "_mine", 5.0))
    outcome = validate_book(own(tiny_book()))
    assert outcome.findings == ()
    assert "_mine" not in outcome.tables["sources"]


def test_optional_columns_may_be_absent_and_optional_sheets_empty():
    absent = chain(no_column("sources", "note"), no_column("suppliers", "price_floor"))
    empty = {sheet.name: [] for sheet in SHEETS if not sheet.required}
    outcome = validate_book(absent(raw_book(tiny_tables(**empty))))
    assert outcome.findings == ()


@pytest.mark.parametrize("name", [sheet.name for sheet in SHEETS if not sheet.required])
def test_a_sheet_that_may_be_empty_may_not_be_missing(name):
    outcome = validate_book(no_sheet(name)(tiny_book()))
    assert ("missing_sheet", name) in [(f.rule, f.place) for f in outcome.errors]


def test_rows_of_blanks_are_no_rows():
    spaced = new_row("ports", source=" ", quality=None, port=None)
    assert len(validate_book(spaced(tiny_book())).tables["ports"]) == 5


def test_na_is_a_code_like_any_other():
    namibia = chain(cell("hosts", 2, "host", "NA"), cell("host_rules", 2, "host", "NA"), cell("ports", 2, "country", "NAM"))
    outcome = validate_book(namibia(tiny_book()))
    assert outcome.findings == ()
    assert list(outcome.tables["hosts"]["host"]) == ["NA", "BBB_PORT"]


def test_codes_typed_as_numbers_are_codes():
    numbered = chain(cell("hosts", 2, "host", 101.0), cell("host_rules", 2, "host", 101.0), cell("settings", 4, "value", 2030.0))
    numbered = chain(numbered, cell("settings", 3, "value", 2031.0))  # a year that stands for three is a notice
    outcome = validate_book(numbered(tiny_book()))
    assert outcome.findings == ()
    assert outcome.tables["hosts"]["host"].iloc[0] == "101"
    assert outcome.tables.settings["modelled_years"] == "2030"


def test_blanks_in_years_that_are_not_modelled_do_not_matter():
    edit = chain(cell("settings", 4, "value", "2030, 2032"), cell("demand", 2, 2031, None))
    assert validate_book(edit(tiny_book())).findings == ()


def test_folded_values_are_what_the_tables_hold():
    edit = chain(cell("sources", 2, "source_id", "　ＡＬＰＨＡ＿ＭＩＮＥ"), cell("sources", 2, "inland_km", "１００．５"))
    tables = validate_book(edit(tiny_book())).tables
    assert tables["sources"].loc[2, "source_id"] == "ALPHA_MINE"
    assert tables["sources"].loc[2, "inland_km"] == 100.5


def test_crowds_of_notices_are_told_once():
    names = ["capacity", "capex", "fixed_cost", "build_years", "ramp_1", "ramp_2", "ramp_3"]
    edits = [
        cell("designs", row, name, f" {tiny_book().sheets['designs'].rows[row][column_letter(tiny_book(), 'designs', name)]}")
        for row in (2, 3, 4)
        for name in names
    ]
    assert len(edits) == 21
    few = validate_book(chain(*edits[:20])(tiny_book()))
    assert [finding.rule for finding in few.findings] == ["number_as_text"] * 20
    many = validate_book(chain(*edits, cell("designs", 2, "design", "INT_5000 "))(tiny_book()))
    assert findings_of(many) == [("folded_text", at("designs", 2, "design")), ("number_as_text", at("designs", 2, "capacity"))]
    assert "and 20 more cells like it" in many.findings[1].found
    assert many.tables["designs"].loc[4, "capex"] == 100.0


# --- routes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cost", [0.2, None])
def test_a_route_cost_stands_in_for_a_distance(cost):
    edit = chain(no_rows("distances", 6), new_row("route_costs", leg="product", origin="AAA_PORT", destination="USA", cost=cost))
    assert validate_book(edit(tiny_book())).findings == ()


def test_route_costs_alone_are_enough():
    legs = [("feed", s, h) for s in ("ALPHA_MINE", "CHINA_CLAY") for h in ("AAA_PORT", "BBB_PORT")]
    legs += [("product", h, m) for h in ("AAA_PORT", "BBB_PORT") for m in ("JPN", "USA")]
    edit = chain(no_rows("distances"), *(new_row("route_costs", leg=a, origin=b, destination=c, cost=0.1) for a, b, c in legs))
    assert validate_book(edit(tiny_book())).findings == ()


@pytest.mark.parametrize(
    "unneeded",
    [
        chain(no_rows("distances", 4), cell("sources", 3, "process_only_in", "AAA")),
        chain(no_rows("distances", 4), cell("sources", 3, "use", "no")),
        chain(no_rows("distances", 4, 7, 8), cell("hosts", 3, "candidate", "no"), no_rows("distances", 2, 4, 7, 8)),
    ],
)
def test_distances_are_asked_only_for_legs_that_the_plan_may_use(unneeded):
    assert not validate_book(unneeded(tiny_book())).errors


def test_each_missing_pair_of_ports_is_told_once():
    outcome = validate_book(chain(no_rows("distances", 3, 4, 5, 6, 7, 8))(tiny_book()))
    assert [f.rule for f in outcome.errors] == ["distance_missing"] * 6
    assert len({f.found for f in outcome.errors}) == 6


def test_the_same_pair_twice_is_fine_when_it_agrees():
    edit = new_row("distances", from_port="Beta", to_port="Alpha", no_red_sea=1000.0, suez_open=1000.0)
    assert validate_book(edit(tiny_book())).findings == ()


# --- what must not be refused ---------------------------------------------------------------


@pytest.mark.parametrize(
    "edit",
    [
        # A stockpile can take what a contract obliges to buy.
        cell("suppliers", 4, "least_take", 0.9),
        # A plant can be forced before the year from which it is forbidden.
        chain(
            new_row("host_rules", rule_id="F", rule="force_plant", to_year=2032.0, value=10.0, value_unit="t REO/y", **FORCED),
            new_row("host_rules", rule_id="N", rule="forbid_plant", from_year=2031.0, **FORCED),
        ),
        # Rows of a measure that follow one another.
        chain(
            cell("duties", 2, "to_year", 2030.0),
            new_row("duties", measure="general", stage="oxide", product="Ce", origin="*", destination="USA", from_year=2031.0, rate=1.0),
        ),
        # Another measure adds up.
        new_row("duties", measure="section_301", stage="oxide", product="Ce", origin="*", destination="USA", rate=1.0),
        # A demand of 0 for what nobody makes.
        chain(PM_SOLD, new_row("demand", market="USA", sector="ev", product="Pm", y2030=0.0, y2031=0.0, y2032=0.0)),
        # Low, value and high may coincide.
        chain(cell("designs", 2, "capex_low", 300.0), cell("designs", 2, "capex_high", 300.0)),
        # A source that is not in use may lack its composition.
        chain(no_rows("composition", 3), cell("sources", 3, "use", "no")),
        # Further rows of a scenario may leave its probability blank.
        scenario_row(scenario="embargo"),
    ],
)  # fmt: skip
def test_what_is_allowed_is_not_refused(edit):
    assert not validate_book(edit(tiny_book())).errors


# --- all at once, in order ------------------------------------------------------------------


def test_all_findings_come_at_once_by_sheet_row_and_column():
    edit = chain(
        cell("suppliers", 3, "price_share", "x"), cell("sources", 3, "capacity", "y"), cell("sources", 2, "port", "Alfa"),
        cell("sources", 2, "capacity", -1.0), no_sheet("know_how"), new_sheet("my workings"), cell("hosts", 2, "wage", None),
    )  # fmt: skip
    outcome = validate_book(edit(tiny_book()))
    assert outcome.tables is None
    assert findings_of(outcome) == [
        ("negative_number", at("sources", 2, "capacity")), ("dangling_reference", at("sources", 2, "port")),
        ("text_in_number", at("sources", 3, "capacity")), ("blank_required", at("hosts", 2, "wage")), ("missing_sheet", "know_how"),
        ("text_in_number", at("suppliers", 3, "price_share")), ("own_sheet", "my workings"),
    ]  # fmt: skip
    assert outcome.findings[0].rule == "not_checked"


def test_book_without_sheets_names_each_one():
    outcome = validate_book(RawBook(None, {}))
    assert [(f.rule, f.place) for f in outcome.errors] == [("missing_sheet", sheet.name) for sheet in SHEETS]


@pytest.mark.parametrize("headers", [True, False])
def test_book_without_rows_gives_one_error_for_each_required_sheet(headers):
    full = tiny_book()
    bare = {name: replace(tab, rows={}, header=tab.header if headers else {}) for name, tab in full.sheets.items()}
    outcome = validate_book(RawBook(None, bare))
    assert [(f.rule, f.place) for f in outcome.errors] == [("empty_sheet", sheet.name) for sheet in SHEETS if sheet.required]


def test_elements_that_cannot_be_read_do_not_condemn_the_composition():
    outcome = validate_book(no_sheet("elements")(tiny_book()))
    assert findings_of(outcome) == [("missing_sheet", "elements")]


# --- modelled years -------------------------------------------------------------------------


def test_modelled_years_are_parsed():
    assert parse_modelled_years("All", 2030, 2032) == (2030, 2031, 2032)
    assert parse_modelled_years("2030, 2035 ,2040", 2030, 2042) == (2030, 2035, 2040)
    with pytest.raises(ValueError, match="start"):
        parse_modelled_years("", 2030, 2032)


# --- no book can bring the reader down ------------------------------------------------------

_JUNK = st.one_of(
    st.none(), st.booleans(), st.text(max_size=12), st.floats(), st.integers(-(10**30), 10**30), st.sampled_from([1e308, -1e308, 5e-324, 1e15]),
    st.sampled_from(["*", "none", "NA", "yes", "all", "１２", "12 t", "1,200", "|", "2030-2031", "=A1", "#REF!", "AAA", "Dy", "JPN", "'"]),
    st.builds(FormulaNotCalculated, st.text(max_size=5)), st.builds(CellError, st.sampled_from(["#REF!", "#N/A"])), st.dates(), st.datetimes(),
)  # fmt: skip
_PLACES = [(name, row, where) for name, tab in tiny_book().sheets.items() for row in tab.rows for where in tab.header]
_HEADERS = [(name, where) for name, tab in tiny_book().sheets.items() for where in tab.header]
_HEADER_JUNK = st.one_of(
    st.text(max_size=12), st.sampled_from(["2030 [USD/kg]", "[", "]", "2031", "x [", "port", "_x", "Ce [share of REO]", " "])
)


def _judge(raw: RawBook) -> None:
    outcome = validate_book(raw)
    assert (outcome.tables is None) == any(finding.severity == "error" for finding in outcome.findings)
    assert all(finding.rule in RULES and str(finding) for finding in outcome.findings)
    if outcome.tables is not None:
        assert [f.rule for f in check_tables(outcome.tables) if f.severity == "error"] == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(_PLACES), _JUNK), min_size=1, max_size=5))
def test_no_cell_can_crash_validation(changes):
    raw = tiny_book()
    sheets = {name: {row: dict(cells) for row, cells in tab.rows.items()} for name, tab in raw.sheets.items()}
    for (sheet, row, where), value in changes:
        sheets[sheet][row][where] = value
    _judge(RawBook(None, {name: replace(tab, rows=sheets[name]) for name, tab in raw.sheets.items()}))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(_HEADERS), _HEADER_JUNK), min_size=1, max_size=4), st.text(max_size=8))
def test_no_header_or_tab_can_crash_validation(changes, name):
    raw = tiny_book()
    headers = {sheet: dict(tab.header) for sheet, tab in raw.sheets.items()}
    for (sheet, where), text in changes:
        headers[sheet][where] = text
    sheets = {sheet: replace(tab, header=headers[sheet]) for sheet, tab in raw.sheets.items()}
    _judge(RawBook(None, {**sheets, name: RawSheet(name, {"A": name}, 1, {2: {"A": name}})}))


def test_typed_frames_of_either_text_dtype_are_checked_alike():
    tables = tiny_tables()
    narrow = {
        name: frame.astype({c: "string" for c in frame.columns if c in ("host", "product", "market", "port")})
        for name, frame in tables.frames.items()
    }
    assert check_tables(replace(tables, frames=narrow), as_written=True) == ()
    assert raw_book(tables).sheets.keys() == tables.frames.keys()
