"""Scenario rows applied to the tiny book: what they change, what they leave alone, what they refuse."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from model.scenarios import Change, ScenarioError, apply_scenario, scenario_names
from model.tables import Tables
from model.validation import check_tables, validate_book
from tests.rawbook import new_row, tiny_book
from tests.tiny import RECORDS, YEARS, tiny_tables

_ROW = {"scenario": "new", "sheet": "designs", "key": "*", "column": "capex", "operation": "set", "value": 1.0, "reason": "test"}


def _with_rows(*rows: dict, settings: dict | None = None) -> Tables:
    """Return the tiny book with the scenario `new` of these rows."""
    return tiny_tables(settings, scenarios=[*RECORDS["scenarios"], *({**_ROW, **row} for row in rows)])


def _applied(*rows: dict) -> tuple[Tables, list[Change]]:
    return apply_scenario(_with_rows(*rows), "new")


def _changed(changes: list[Change]) -> list[tuple]:
    return [(change.sheet, change.row, change.column) for change in changes]


def test_names_are_listed_once_in_order():
    assert scenario_names(_with_rows({}, {"column": "fixed_cost"})) == ["embargo", "no_cap", "new"]
    assert scenario_names(tiny_tables(scenarios=[])) == []


def test_multiply_over_a_range_of_years():
    tables, changes = apply_scenario(tiny_tables(), "embargo")
    china = tables["suppliers"].iloc[:3]
    assert (china[2030] == 5000).all()
    assert (china[[2031, 2032]] == 0).all().all()
    assert (tables["suppliers"].loc[5, list(YEARS)] == 200).all()
    assert changes[0] == Change("suppliers", 2, 2031, 5000.0, 0.0, "suppliers!2")
    assert _changed(changes) == [("suppliers", row, year) for year in (2031, 2032) for row in (2, 3, 4)]


def test_none_empties_every_year_and_untouched_blanks_are_no_changes():
    tables, changes = apply_scenario(tiny_tables(), "no_cap")
    assert tables["caps"][list(YEARS)].isna().all().all()
    assert _changed(changes) == [
        ("caps", 2, 2030), ("caps", 2, 2031), ("caps", 3, 2031), ("caps", 2, 2032), ("caps", 3, 2032), ("caps", 4, 2032),
    ]  # fmt: skip
    assert math.isnan(changes[0].after)


def test_input_is_not_mutated():
    tables = _with_rows({}, {"column": "scope", "value": "separation"}, {"sheet": "settings", "key": "sea_rate", "column": "value"})
    copies = {name: frame.copy() for name, frame in tables.frames.items()}
    after, changes = apply_scenario(tables, "embargo + no_cap + new")
    for name, frame in copies.items():
        pd.testing.assert_frame_equal(tables[name], frame)
    touched = {change.sheet for change in changes}
    assert touched == {"suppliers", "caps", "designs", "settings"}
    assert all(after[name] is tables[name] for name in copies if name not in touched)


def test_scenarios_joined_by_plus_apply_in_the_order_written():
    rows = [{"operation": "set", "value": 100.0}, {"scenario": "dearer", "operation": "add", "value": 50.0}]
    tables = _with_rows(*rows)
    assert apply_scenario(tables, "new+dearer")[0]["designs"]["capex"].tolist() == [150.0] * 3
    assert apply_scenario(tables, " dearer + new ")[0]["designs"]["capex"].tolist() == [100.0] * 3
    both = apply_scenario(tables, "embargo+no_cap")[1]
    assert {change.sheet for change in both} == {"suppliers", "caps"}


def test_rows_of_a_scenario_apply_one_after_the_other():
    tables, changes = _applied({"value": 10.0, "key": "INT_5000"}, {"operation": "multiply", "value": 3.0})
    assert tables["designs"]["capex"].tolist() == [30.0, 360.0, 300.0]
    assert [(change.before, change.after) for change in changes if change.row == 2] == [(300.0, 10.0), (10.0, 30.0)]


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        ("*", [2, 3, 4, 5, 6, 7]),
        ("JPN", [2, 3, 6]),
        ("JPN | ev", [2, 3]),
        ("JPN|ev|Dy", [3]),
        ("*|*|Dy", [3, 5]),
        (" JPN , USA | ev, defence | NdPr ", [2, 4]),
        ("＊｜ｅｖ", [2, 3]),
        ("* | * | *", [2, 3, 4, 5, 6, 7]),
    ],
)
def test_keys_choose_rows(key, rows):
    _, changes = _applied({"sheet": "demand", "key": key, "column": "2031", "value": 7.0})
    assert _changed(changes) == [("demand", row, 2031) for row in rows]


@pytest.mark.parametrize(
    ("column", "years"),
    [
        ("*", [2030, 2031, 2032]),
        ("2031", [2031]),
        ("2030-2031", [2030, 2031]),
        ("2031 – 2050", [2031, 2032]),
        ("2032, 2030", [2032, 2030]),
        ("2030, 2030-2031", [2030, 2031]),
        (2031.0, [2031]),
    ],
)
def test_years_choose_columns(column, years):
    text = str(int(column)) if isinstance(column, float) else column
    _, changes = _applied({"sheet": "demand", "key": "JPN|ev|Dy", "column": text, "value": 7.0})
    assert _changed(changes) == [("demand", 3, year) for year in years]


def test_columns_of_elements_and_lists_of_columns():
    assert _changed(_applied({"sheet": "composition", "key": "ALPHA_MINE", "column": "Ce", "value": 0.1})[1]) == [("composition", 2, "Ce")]
    several = _applied({"column": "capex, fixed_cost", "operation": "multiply", "value": 2.0, "key": "SEP_3000"})[1]
    assert [(change.column, change.after) for change in several] == [("capex", 240.0), ("fixed_cost", 10.0)]


def test_multiplying_and_adding_leave_blanks_blank():
    rows = [{"sheet": "markets", "key": "*", "column": "2030", "operation": operation, "value": 2.0} for operation in ("multiply", "add")]
    tables, changes = _applied(*rows)
    assert tables["markets"][2030].iloc[0] == 1002.0
    assert math.isnan(tables["markets"][2030].iloc[1])
    assert _changed(changes) == [("markets", 2, 2030)] * 2


def test_numbers_stay_floats_and_text_stays_text():
    tables, changes = _applied(
        {"value": "5"}, {"column": "scope", "value": " separation"}, {"column": "design", "key": "INT_5000", "value": 101.0},
        {"sheet": "sources", "key": "ALPHA_MINE", "column": "process_only_in", "value": "AAA"},
        {"sheet": "stockpiles", "key": "JPN", "column": "from_year", "value": "none"},
        {"sheet": "elements", "key": "Ce", "column": "product", "value": "none"},
    )  # fmt: skip
    designs = tables["designs"]
    assert designs["capex"].dtype == float
    assert designs["capex"].tolist() == [5.0] * 3
    assert designs["scope"].tolist() == ["separation"] * 3
    assert designs.loc[2, "design"] == "101"
    assert tables["stockpiles"]["from_year"].dtype == float
    assert math.isnan(tables["stockpiles"].loc[2, "from_year"])
    assert tables["elements"].loc[2, "product"] == ""
    assert all(isinstance(change.after, str) == isinstance(change.before, str) for change in changes)


def test_a_choice_called_none_is_no_blank():
    tables, _ = _applied({"sheet": "sources", "key": "*", "column": "thorium", "value": "none"})
    assert tables["sources"]["thorium"].tolist() == ["none", "none"]


def test_settings_change_by_name():
    tables, changes = _applied(
        {"sheet": "settings", "key": "max_plants", "column": "value", "value": 0.0},
        {"sheet": "settings", "key": "discount_rate, inflation", "column": "value", "operation": "add", "value": 0.01},
        {"sheet": "settings", "key": "modelled_years", "column": "value", "value": "2030, 2032"},
    )
    assert tables.setting("max_plants") == 0.0
    assert tables.setting("discount_rate") == tables.setting("inflation") == 0.01
    assert tables.settings["modelled_years"] == "2030, 2032"
    assert [change.before for change in changes] == [2.0, 0.0, 0.0, "all"]
    assert check_tables(tables) == ()


def test_a_setting_without_a_row_changes_from_its_default():
    tables, changes = _applied(
        {"sheet": "settings", "key": "sea_rate", "column": "value", "operation": "multiply", "value": 2.0},
        {"sheet": "settings", "key": "route_basis", "column": "value", "value": "suez_open"},
    )
    assert tables.setting("sea_rate") == 6.0
    assert tables.settings["route_basis"] == "suez_open"
    assert [(change.before, change.after, change.cell) for change in changes] == [
        (3.0, 6.0, "settings"),
        ("no_red_sea", "suez_open", "settings"),
    ]
    assert tables["settings"].index.is_unique
    assert check_tables(tables) == ()


def test_changes_name_the_cell_of_the_book():
    raw = new_row(
        "scenarios",
        scenario="dear",
        sheet="designs",
        key="*",
        column="capex",
        operation="add",
        value=1.0,
        reason="x",
    )
    tables = validate_book(raw(tiny_book())).tables
    assert [change.cell for change in apply_scenario(tables, "dear")[1]] == ["designs!E2", "designs!E3", "designs!E4"]


def test_a_change_to_what_a_cell_holds_already_is_none():
    assert _applied({"key": "INT_5000", "value": 300.0})[1] == []


def test_unknown_scenario_is_told_with_the_nearest_name_and_the_list():
    with pytest.raises(ScenarioError, match=r"Did you mean 'embargo'") as told:
        apply_scenario(tiny_tables(), "no_cap + embarg")
    assert "embargo, no_cap" in str(told.value)
    assert told.value.part == "scenario"
    with pytest.raises(ScenarioError, match="no rows"):
        apply_scenario(tiny_tables(scenarios=[]), "embargo")
    with pytest.raises(ScenarioError, match="a blank"):
        apply_scenario(tiny_tables(), "embargo+")


@pytest.mark.parametrize(
    ("row", "part", "words"),
    [
        ({"sheet": "desings"}, "sheet", "Did you mean 'designs'"),
        ({"key": "INT"}, "key", "design of designs"),
        ({"key": "int_5000"}, "key", "Did you mean 'INT_5000'"),
        ({"sheet": "demand", "key": "USA|ev", "column": "2030"}, "key", "matches no row of demand"),
        ({"sheet": "demand", "key": "JPN, USB", "column": "2030"}, "key", "'USB'"),
        ({"sheet": "settings", "key": "*", "column": "value"}, "key", "the name of a setting"),
        ({"sheet": "settings", "key": "sea_rate", "column": "unit"}, "column", "Write value"),
        ({"column": "2030"}, "column", "a column of|Name a column"),
        ({"column": "*"}, "column", "'\\*'"),
        ({"column": "scope, capex"}, "value", "for capex"),
        ({"operation": "divide"}, "operation", "set, multiply or add"),
        ({"column": "scope", "operation": "add"}, "operation", "which is no number"),
        ({"value": "dear"}, "value", "for capex"),
        ({"value": math.inf}, "value", "for capex"),
        ({"value": ""}, "value", "none to empty"),
        ({"value": "none"}, "value", "cannot be emptied"),
        ({"operation": "multiply", "value": "none"}, "value", "a number to multiply by"),
        ({"column": "heavies", "value": "maybe"}, "value", "one of yes, no"),
        ({"sheet": "settings", "key": "route_basis", "column": "value", "value": "panama"}, "value", "suez_open"),
        ({"sheet": "settings", "key": "max_plants", "column": "value", "value": "few"}, "value", "a whole number"),
        ({"sheet": "settings", "key": "max_plants", "column": "value", "value": "none"}, "value", "cannot be emptied"),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit_are_refused_with_their_place(row, part, words):
    if row.get("column") == "scope, capex":
        row = {**row, "value": "separation"}
    with pytest.raises(ScenarioError, match=words) as told:
        _applied(row)
    assert (told.value.part, told.value.row) == (part, 4)
    assert "scenarios, row 4" in str(told.value)


def test_one_row_cannot_set_numbers_and_text_alike():
    with pytest.raises(ScenarioError, match="all of numbers or all of text") as told:
        _applied({"column": "capex, host", "value": 5.0})
    assert told.value.part == "column"


def test_rules_are_checked_after_the_change():
    tables, _ = _applied({"sheet": "sources", "key": "ALPHA_MINE", "column": "uncommitted", "value": 35.0})
    assert [(finding.rule, finding.cell) for finding in check_tables(tables) if finding.severity == "error"] == [("share_outside", "2")]
    tables, _ = _applied({"sheet": "hosts", "key": "*", "column": "port", "value": "Alfa"})
    assert {finding.rule for finding in check_tables(tables) if finding.severity == "error"} == {"dangling_reference"}


def test_a_stress_case_may_lie_outside_the_low_and_high_cases():
    designs = [{**row, "capex_low": row["capex"] * 0.9, "capex_high": row["capex"] * 1.1} for row in RECORDS["designs"]]
    tables = tiny_tables(designs=designs, scenarios=[{**_ROW, "operation": "multiply", "value": 2.0}])
    changed, _ = apply_scenario(tables, "new")
    assert check_tables(changed) == ()
    assert {finding.rule for finding in check_tables(changed, as_written=True)} == {"low_value_high"}


def test_duties_are_chosen_by_blank_products_and_by_years():
    rows = [
        *RECORDS["duties"],
        {"measure": "surge", "stage": "oxide", "origin": "CHN", "destination": "USA", "from_year": 2031.0, "rate": 25.0},
    ]
    row = {**_ROW, "sheet": "duties", "column": "rate"}
    blank = tiny_tables(duties=rows, scenarios=[{**row, "key": "general | * | "}])
    assert _changed(apply_scenario(blank, "new")[1]) == [("duties", 4, "rate")]
    dated = tiny_tables(duties=rows, scenarios=[{**row, "key": "* | * | * | * | * | 2031"}])
    assert _changed(apply_scenario(dated, "new")[1]) == [("duties", 5, "rate")]
    star = tiny_tables(duties=rows, scenarios=[{**row, "key": "*|*|Ce|AAA"}])
    assert _changed(apply_scenario(star, "new")[1]) == [("duties", 3, "rate")]


def test_frames_of_string_dtype_keep_it():
    tables = _with_rows({"column": "scope", "value": "separation"})
    frame = tables["designs"].astype({"scope": "string"})
    after, _ = apply_scenario(tables.with_frames(designs=frame), "new")
    assert after["designs"]["scope"].dtype == "string"
    assert after["designs"]["scope"].tolist() == ["separation"] * 3
