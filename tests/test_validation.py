"""One change to the valid tiny book makes each bad book; the rule and the exact cell are asserted."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, replace

import pytest

from model.schema import SHEETS
from model.tables import CellError, FormulaNotCalculated
from model.validation import RULES, check_tables, validate_book
from tests.rawbook import (
    FORCED,
    PM_SOLD,
    SCENARIO,
    Edit,
    at,
    cell,
    chain,
    findings_of,
    header,
    new_column,
    new_row,
    new_sheet,
    no_column,
    no_rows,
    no_sheet,
    renamed_sheet,
    scenario_row,
    tiny_book,
)
from tests.tiny import tiny_tables

_AS_IS = chain()


@dataclass(frozen=True)
class Case:
    """A change, the only finding that it gives rise to, and words that its sentence holds."""

    rule: str
    change: Edit
    place: str
    words: str
    base: Edit = _AS_IS
    """Turns the tiny book into another valid one, in which the change is made."""


def _head(sheet: str, column: object) -> str:
    return at(sheet, 1, column)


def _setting(name: str) -> str:
    return at("settings", _row_of(name), "value")


def _row_of(name: str) -> int:
    rows = tiny_book().sheets["settings"].rows
    return next(row for row, cells in rows.items() if name in cells.values())


def _set(name: str, value: float) -> Edit:
    return cell("settings", _row_of(name), "value", value)


_USA_NO_PARTNER = chain(
    cell("markets", 3, "partner", "no"), cell("markets", 3, "equity", 0.0), cell("markets", 3, "offtake_minimum", 0.0), cell("markets", 2, "equity", 1.0)
)  # fmt: skip
CASES = [
    # --- cells ------------------------------------------------------------------------------
    Case("formula_not_calculated", cell("sources", 2, "capacity", FormulaNotCalculated("=B2*2")), at("sources", 2, "capacity"), "=B2*2"),
    Case("formula_not_calculated", cell("sources", 2, "note", FormulaNotCalculated("=B2")), at("sources", 2, "note"), "calculate"),
    Case("cell_error", cell("hosts", 3, "wage", CellError("#REF!")), at("hosts", 3, "wage"), "#REF!"),
    Case("cell_error", cell("prices", 2, 2031, "#N/A"), at("prices", 2, 2031), "#N/A"),
    Case("text_in_number", cell("sources", 2, "capacity", "12 t"), at("sources", 2, "capacity"), "Write 12 alone; the column is in t REO/y"),
    Case("text_in_number", cell("sources", 2, "capacity", "1,200"), at("sources", 2, "capacity"), "without separators"),
    Case("text_in_number", cell("sources", 2, "capacity", "1,5"), at("sources", 2, "capacity"), "a point where there are decimals"),
    Case("text_in_number", cell("sources", 2, "uncommitted", "35 %"), at("sources", 2, "uncommitted"), "Write 0.35"),
    Case("text_in_number", cell("caps", 2, 2031, "35 percent"), at("caps", 2, 2031), "Write 0.35"),
    Case("text_in_number", cell("caps", 2, 2031, "35 Per cent"), at("caps", 2, 2031), "Write 0.35"),
    Case("text_in_number", cell("duties", 2, "rate", "5%"), at("duties", 2, "rate"), "in the unit of the header"),
    Case("text_in_number", cell("sources", 2, "latitude", "n/a"), at("sources", 2, "latitude"), "Leave the cell blank"),
    Case("text_in_number", cell("sources", 2, "capacity", "不明"), at("sources", 2, "capacity"), "estimate"),
    Case("text_in_number", cell("sources", 2, "capacity", "10-20"), at("sources", 2, "capacity"), "one number"),
    Case("text_in_number", cell("sources", 2, "capacity", "many"), at("sources", 2, "capacity"), "'many'"),
    Case("text_in_number", cell("settings", 2, "value", "soon"), at("settings", 2, "value"), "a year"),
    Case("boolean_in_number", cell("designs", 3, "capex", True), at("designs", 3, "capex"), "TRUE"),
    Case("date_in_number", cell("demand", 4, 2030, datetime.date(2030, 1, 5)), at("demand", 4, 2030), "2030-01-05"),
    Case("date_in_number", cell("demand", 4, 2030, "2030-01-05 00:00:00"), at("demand", 4, 2030), "not as a date"),
    Case("infinite_number", cell("know_how", 3, "fee", math.inf), at("know_how", 3, "fee"), "finite"),
    Case("infinite_number", cell("know_how", 3, "fee", "1e999"), at("know_how", 3, "fee"), "finite"),
    Case("infinite_number", cell("know_how", 3, "fee", 10**400), at("know_how", 3, "fee"), "finite"),
    Case("number_as_text", cell("sources", 2, "inland_km", "１２"), at("sources", 2, "inland_km"), "Read as 12"),
    Case("number_as_text", cell("sources", 2, "inland_km", " 12 "), at("sources", 2, "inland_km"), "Read as 12"),
    Case("number_as_text", cell("prices", 3, 2030, "−0.5"), at("prices", 3, 2030), "Read as -0.5"),
    Case("number_as_text", cell("settings", 2, "value", "2030"), at("settings", 2, "value"), "Read as 2030"),
    Case("folded_text", cell("sources", 2, "source_id", "ＡLPHA_MINE "), at("sources", 2, "source_id"), "'ALPHA_MINE'"),
    Case("folded_text", cell("sources", 2, "name", "Alpha ２\u3000"), at("sources", 2, "name"), "'Alpha 2'"),
    Case("folded_text", cell("sources", 2, "note", "   "), at("sources", 2, "note"), "spaces only"),
    Case("folded_text", header("sources", "grade", " grade  [t REO/t]"), _head("sources", "grade"), "'grade [t REO/t]'"),
    Case("folded_text", renamed_sheet("sources", "sources "), "sources", "rename the tab"),
    # --- the book ---------------------------------------------------------------------------
    Case("older_book", lambda raw: replace(raw, version="1.0"), "workbook", "python run.py upgrade"),
    # --- sheets and columns -----------------------------------------------------------------
    Case("missing_sheet", no_sheet("know_how"), "know_how", "template"),
    Case("misspelt_sheet", renamed_sheet("know_how", "know_hwo"), "know_hwo", "'know_how'"),
    Case("misspelt_sheet", renamed_sheet("caps", "Caps"), "Caps", "'caps'"),
    Case("duplicate_sheet", new_sheet("ports "), "ports", "Delete one"),
    Case("own_sheet", new_sheet("my workings"), "my workings", "Ignored"),
    Case("missing_column", no_column("sources", "capacity"), "sources", "'capacity [t REO/y]'"),
    Case("unknown_column", header("sources", "capacity", "capasity [t REO/y]"), _head("sources", "capacity"), "Did you mean 'capacity'?"),
    Case("unknown_column", header("sources", "note", "Note"), _head("sources", "note"), "Did you mean 'note'?"),
    Case("unknown_column", new_column("composition", "Xx [share of REO]", 0.0), "composition!I1", "each row of elements"),
    Case("unknown_column", new_column("hosts", "2030 [USD]", 0.0), "hosts!AC1", "'2030'"),
    Case("duplicate_column", new_column("prices", "2031 [USD/kg]", 1.0), "prices!H1", "a second column '2031'"),
    Case("unnamed_column", new_column("ports", "", "a remark"), "ports!H1", "no header above H2"),
    Case("missing_unit", header("sources", "capacity", "capacity"), _head("sources", "capacity"), "'capacity [t REO/y]'"),
    Case("missing_unit", header("demand", 2031, "2031"), _head("demand", 2031), "'2031 [t REO]'"),
    Case("wrong_unit", header("sources", "capacity", "capacity [kt REO/y]"), _head("sources", "capacity"), "Convert the figures to t REO/y"),
    Case("wrong_unit", header("sources", "name", "name [text]"), _head("sources", "name"), "Remove the unit"),
    Case("wrong_unit", header("prices", 2030, "2030 [USD/t]"), _head("prices", 2030), "'2030 [USD/kg]'"),
    Case(
        "year_order", header("prices", 2031, "2029 [USD/kg]"), _head("prices", 2031), "2029 after 2030",
        base=chain(cell("settings", 4, "value", "2030, 2032")),
    ),
    # --- what the schema says ---------------------------------------------------------------
    Case("empty_sheet", no_rows("know_how"), "know_how", "at least one row"),
    Case("empty_sheet", no_rows("distances"), "distances", "at least one row"),
    Case("blank_key", cell("know_how", 3, "way", None), at("know_how", 3, "way"), "Fill in the key"),
    Case("blank_required", cell("hosts", 2, "power_price", None), at("hosts", 2, "power_price"), "USD/kWh"),
    Case("blank_required", cell("demand", 3, 2031, None), at("demand", 3, 2031), "0 must be written as 0"),
    Case("blank_required", cell("hosts", 2, "source", None), at("hosts", 2, "source"), "Fill in"),
    Case("blank_required", cell("settings", 2, "value", None), at("settings", 2, "value"), "first_year"),
    Case("duplicate_key", cell("know_how", 3, "way", "host_practice"), at("know_how", 3, "way"), "already in row 2"),
    Case("duplicate_key", cell("recoveries", 3, "product", "Ce"), at("recoveries", 3, "feed_type"), "monazite | Ce"),
    Case("dangling_reference", cell("sources", 2, "port", "Alfa"), at("sources", 2, "port"), "Did you mean 'Alpha'?"),
    Case("dangling_reference", cell("sources", 2, "port", "alpha"), at("sources", 2, "port"), "Did you mean 'Alpha'?"),
    Case("dangling_reference", cell("suppliers", 2, "market", "**"), at("suppliers", 2, "market"), "* or a code of markets.market: JPN, USA"),
    Case("choice_not_allowed", cell("designs", 2, "scope", "integratd"), at("designs", 2, "scope"), "Did you mean 'integrated'?"),
    Case("choice_not_allowed", cell("designs", 2, "heavies", True), at("designs", 2, "heavies"), "Did you mean 'yes'?"),
    Case("negative_number", cell("designs", 2, "capex", -1.0), at("designs", 2, "capex"), "0 or more"),
    Case("negative_number", cell("demand", 2, 2030, -5.0), at("demand", 2, 2030), "-5"),
    Case("share_outside", cell("sources", 2, "uncommitted", 35.0), at("sources", 2, "uncommitted"), "Write 0.35 if 35 % is meant."),
    Case("share_outside", cell("caps", 2, 2030, -0.1), at("caps", 2, 2030), "from 0 to 1"),
    Case("out_of_range", cell("sources", 2, "grade", 50.0), at("sources", 2, "grade"), "t REO/t"),
    Case("out_of_range", cell("designs", 2, "capacity", 0.0), at("designs", 2, "capacity"), "above 0"),
    Case("out_of_range", cell("settings", 21, "value", 0.0), at("settings", 21, "value"), "threads"),
    Case("out_of_range", cell("settings", 3, "value", 4e9), at("settings", 3, "value"), "from 2000 to 2100"),
    Case("not_whole", cell("hosts", 2, "earliest_start", 2030.5), at("hosts", 2, "earliest_start"), "whole number"),
    Case("not_whole", cell("settings", 8, "value", 10.5), at("settings", 8, "value"), "whole number"),
    Case("country_code", cell("ports", 5, "country", "JP"), at("ports", 5, "country"), "two-letter code; write the three-letter one. Did you mean 'JPN'?"),
    Case("country_code", cell("ports", 2, "country", "NA"), at("ports", 2, "country"), "two-letter code"),
    Case("country_code", cell("duties", 4, "destination", "bbb"), at("duties", 4, "destination"), "Did you mean 'BBB'?"),
    Case("country_code", cell("sources", 3, "process_only_in", "AAA, B"), at("sources", 3, "process_only_in"), "three-letter"),
    Case("unknown_setting", cell("settings", 21, "setting", "treads"), at("settings", 21, "setting"), "Did you mean 'threads'?"),
    Case("unknown_setting", cell("settings", 2, "setting", "firstyear"), at("settings", 2, "setting"), "Did you mean 'first_year'?"),
    Case("setting_unit", cell("settings", 8, "unit", "months"), at("settings", 8, "unit"), "Convert the value to years"),
    # --- years ------------------------------------------------------------------------------
    Case("horizon_order", cell("settings", 3, "value", 2029.0), at("settings", 3, "value"), "before first_year 2030"),
    Case("modelled_years", cell("settings", 4, "value", "2031, 2032"), at("settings", 4, "value"), "does not start with first_year"),
    Case("modelled_years", cell("settings", 4, "value", "2030, 2035"), at("settings", 4, "value"), "outside"),
    Case("modelled_years", cell("settings", 4, "value", "2030, 2032, 2031"), at("settings", 4, "value"), "out of order"),
    Case("modelled_years", cell("settings", 4, "value", "every"), at("settings", 4, "value"), "not a year"),
    Case("year_missing", no_column("prices", 2031), "prices", "no column for 2031"),
    Case("year_missing", no_column("suppliers", 2032), "suppliers", "no column for 2032"),
    Case("year_blank", no_column("markets", 2032), "markets", "no limit"),
    Case("year_gap", no_column("demand", 2031), "demand", "no column for 2031", base=cell("settings", 4, "value", "2030, 2032")),
    Case("from_after_to", cell("host_rules", 2, "to_year", 2035.0), at("host_rules", 2, "to_year"), "before from_year 2040"),
    Case("ramp_falls", cell("sources", 3, "ramp_2", 0.5), at("sources", 3, "ramp_2"), "ramp_2 0.5 below ramp_1 1"),
    Case("ramp_falls", cell("designs", 2, "ramp_4", 0.9), at("designs", 2, "ramp_4"), "below ramp_3"),
    # --- feed, products, supply, demand -----------------------------------------------------
    Case("element_column_missing", no_column("composition", "Dy"), "composition", "no column for Dy"),
    Case("composition_sum", cell("composition", 2, "Ce", 0.6), at("composition", 2, "source_id"), "sum to 0.9"),
    Case("composition_missing", no_rows("composition", 3), at("sources", 3, "source_id"), "'CHINA_CLAY'"),
    Case("product_circuit", cell("elements", 4, "circuit", "heavy"), at("elements", 4, "circuit"), "Pr of the same product in the light"),
    Case("price_missing", no_rows("prices", 3), at("elements", 2, "product"), "Add the surplus row of Ce"),
    Case("feed_price", cell("sources", 2, "payability", None), at("sources", 2, "payability"), "neither"),
    Case("feed_price", cell("sources", 2, "fixed_price", 3.0), at("sources", 2, "payability"), "both"),
    Case("low_value_high", cell("designs", 2, "capex_high", 200.0), at("designs", 2, "capex_high"), "capex 300 above capex_high 200"),
    Case("low_value_high", cell("sources", 2, "payability_low", 0.9), at("sources", 2, "payability_low"), "payability_low 0.9 above"),
    Case("recovery_missing", no_rows("recoveries", 3), at("sources", 2, "feed_type"), "Add the row monazite, NdPr"),
    Case("addon_itself", cell("processing", 3, "discharge_addon", "carbonate"), at("processing", 3, "discharge_addon"), "points to itself"),
    Case("addon_itself", cell("processing", 2, "discharge_addon", "carbonate"), at("processing", 2, "discharge_addon"), "an add-on of its own"),
    Case("least_take_above_demand", cell("suppliers", 5, 2031, 5000.0), at("suppliers", 5, "least_take"), "2500 t of NdPr that JPN must buy in 2031"),
    Case("least_take_above_demand", cell("suppliers", 3, "least_take", 0.5), at("suppliers", 3, "least_take"), "2600 t of NdPr that all markets"),
    Case("stockpile_without_demand", no_rows("demand", 3), at("stockpiles", 2, "product"), "does not buy"),
    Case(
        "demand_without_source", new_row("demand", market="USA", sector="ev", product="Pm", y2030=0.0, y2031=1.0, y2032=0.0),
        at("demand", 8, "product"), "that no source could ever meet", base=PM_SOLD,
    ),
    Case("shortage_certain", cell("demand", 2, 2032, 50000.0), at("demand", 2, 2032), "Shortage is certain in 2032"),
    # --- figures of another unit, gaps in limits, years far apart ----------------------------
    *(Case("implausible_figure", cell(sheet, 2, column, value), at(sheet, 2, column), words) for sheet, column, value, words in [
        ("hosts", "wage", 60000.0, "0.2 to 200 USD/h"), ("hosts", "power_price", 100.0, "meant in USD/kWh"),
        ("hosts", "heat_price", 0.01, "0.01 USD/GJ"), ("hosts", "capex_factor", 90.0, "90 x"),
        ("hosts", "cost_of_capital", 0.8, "0.01 to 0.4"), ("prices", 2031, 20000.0, "meant in USD/kg"),
        ("designs", "capacity", 5.0, "5 t REO/y"), ("designs", "capex", 3e8, "meant in MUSD"), ("designs", "fixed_cost", 1.2e7, "MUSD/y"),
        ("know_how", "fee", 400.0, "0 to 50 USD/kg REO"),
    ]),
    Case("implausible_figure", cell("suppliers", 5, "price_floor", 110000.0), at("suppliers", 5, "price_floor"), "USD/kg"),
    Case("share_outside", cell("hosts", 2, "cost_of_capital", 8.0), at("hosts", 2, "cost_of_capital"), "Write 0.08 if 8 % is meant."),
    Case("share_outside", cell("caps", 2, 2031, 35.0), at("caps", 2, 2031), "Write 0.35 if 35 % is meant."),
    Case("out_of_range", _set("discount_rate", 4.0), _setting("discount_rate"), "Write 0.04 if 4 % is meant."),
    Case("sparse_years", cell("settings", _row_of("modelled_years"), "value", "2030"), _setting("modelled_years"), "stands for 3 years, 2030 to 2032"),
    Case("cap_gap", cell("caps", 2, 2031, None), at("caps", 2, 2031), "FEED blank in 2031"),
    Case("budget_gap", cell("markets", 2, 2030, None), at("markets", 2, 2030), "Write 0 where nothing may be spent."),
    Case("budget_gap", cell("markets", 2, 2031, None), at("markets", 2, 2031), "no budget of JPN in 2031"),
    Case("budget_gap", no_column("markets", 2026), at("markets", 2, 2027), "no budget of JPN in 2026"),
    # --- routes -----------------------------------------------------------------------------
    Case("route_place", new_row("route_costs", leg="feed", origin="ALPHA_MIN", destination="BBB_PORT"), at("route_costs", 2, "origin"), "'ALPHA_MINE'"),
    Case("route_place", new_row("route_costs", leg="product", origin="BBB_PORT", destination="AAA_PORT"), at("route_costs", 2, "destination"), "JPN, USA"),
    Case(
        "distance_disagrees", new_row("distances", from_port="Beta", to_port="Alpha", no_red_sea=1500.0, suez_open=1000.0),
        at("distances", 9, "no_red_sea"), "1500 nm, but 1000 nm in row 2",
    ),
    Case("distance_missing", no_rows("distances", 6), at("hosts", 2, "port"), "Alpha and Houston, for the product leg AAA_PORT to USA"),
    Case("distance_missing", no_rows("distances", 2), at("sources", 2, "port"), "(blank cost = no route)"),
    # --- partners, hosts' rules, caps, duties -----------------------------------------------
    Case("partner_missing", cell("markets", 2, "partner", "no"), at("markets", 2, "partner"), "at least one partner", base=_USA_NO_PARTNER),
    Case("equity_sum", cell("markets", 2, "equity", 0.5), at("markets", 2, "equity"), "sums to 0.9"),
    Case("offtake_sum", cell("markets", 2, "offtake_minimum", 0.95), at("markets", 2, "offtake_minimum"), "sum to 1.05"),
    Case("terms_of_no_partner", cell("markets", 3, "offtake_minimum", 0.1), at("markets", 3, "offtake_minimum"), "Ignored", base=_USA_NO_PARTNER),
    Case("host_rule_value", cell("host_rules", 2, "value", 5.0), at("host_rules", 2, "value"), "no value and no unit"),
    Case(
        "host_rule_value", new_row("host_rules", rule_id="R", rule="feed_ceiling", value_unit="t REO/y", **FORCED),
        at("host_rules", 3, "value"), "feed_ceiling without a value",
    ),
    Case(
        "host_rule_value", new_row("host_rules", rule_id="R", rule="force_plant", value=100.0, value_unit="share", **FORCED),
        at("host_rules", 3, "value_unit"), "Write t REO/y.",
    ),
    Case(
        "host_rule_value", new_row("host_rules", rule_id="R", rule="export_share", value=35.0, value_unit="share", **FORCED),
        at("host_rules", 3, "value"), "Write 0.35 if 35 % is meant.",
    ),
    Case("host_rule_product", cell("host_rules", 2, "product", "Dy"), at("host_rules", 2, "product"), "export_share and export_ceiling"),
    Case(
        "force_forbidden", new_row("host_rules", rule_id="R", rule="force_plant", to_year=2031.0, value=100.0, value_unit="t REO/y", **FORCED),
        at("host_rules", 4, "rule"), "while forbidden by NO_PLANT",
        base=new_row("host_rules", rule_id="NO_PLANT", rule="forbid_plant", to_year=2031.0, **FORCED),
    ),
    Case(
        "force_forbidden", new_row("host_rules", rule_id="R", rule="force_plant", to_year=2029.0, value=100.0, value_unit="t REO/y", **FORCED),
        at("host_rules", 3, "rule"), "in no modelled year",
    ),
    Case("cap_member", cell("caps", 2, "member", "Dy"), at("caps", 2, "member"), "with scope all"),
    Case("cap_member", cell("caps", 2, "scope", "host"), at("caps", 2, "member"), "scope host without a member"),
    Case(
        "cap_member", new_row("caps", cap="C", basis="supply", measure="value", scope="partner", member="usa", y2030=0.5),
        at("caps", 5, "member"), "Did you mean 'USA'?",
    ),
    Case(
        "duty_overlap", new_row("duties", measure="general", stage="oxide", product="Ce", origin="*", destination="USA", from_year=2031.0, rate=1.0),
        at("duties", 5, "from_year"), "row 2",
    ),
    # --- conflicts that arithmetic shows ------------------------------------------------------
    Case("forced_plant_impossible", new_row("host_rules", rule_id="R", rule="force_plant", to_year=2031.0, value=5001.0, value_unit="t REO/y", **FORCED), at("host_rules", 3, "value"), "at most 5000 t"),
    Case(
        "forced_plant_impossible", new_row("host_rules", rule_id="R", rule="force_plant", value=3000.0, value_unit="t REO/y", **FORCED),
        at("host_rules", 3, "value"), "at most 0 t", base=cell("hosts", 2, "candidate", "no"),
    ),
    Case("plant_count_impossible", new_row("host_rules", rule_id="R", rule="force_plant", value=100.0, value_unit="t REO/y", **FORCED), _setting("max_plants"), "at least 2, for the forced plants", base=chain(_set("max_plants", 1.0), _set("minimum_hosts", 0.0), new_row("host_rules", rule_id="S", rule="force_plant", value=100.0, value_unit="t REO/y", host="BBB_PORT", reason="law"))),
    Case("plant_count_impossible", _set("minimum_hosts", 2.0), _setting("max_plants"), "at least 2", base=_set("max_plants", 1.0)),
    Case("host_count_impossible", _set("minimum_hosts", 2.0), _setting("minimum_hosts"), "at most 1", base=cell("hosts", 2, "candidate", "no")),
    Case("country_share_impossible", _set("country_share_limit", 0.4), _setting("country_share_limit"), "with 2 countries", base=_set("minimum_hosts", 1.0)),
    Case(
        "forced_capital_impossible", new_row("host_rules", rule_id="R", rule="force_plant", from_year=2031.0, to_year=2031.0, value=5000.0, value_unit="t REO/y", **FORCED),
        at("host_rules", 3, "value"), "at least 39.7 MUSD in 2030", base=cell("markets", 2, 2030, 39.0),
    ),
    Case("cap_impossible", cell("suppliers", 4, "least_take", 0.02), at("caps", 3, 2032), "of Dy", base=no_rows("stockpiles")),
    Case("stock_impossible", cell("stockpiles", 2, "days", 60000.0), at("stockpiles", 2, "days"), "60000 days of Dy"),
    # --- scenarios --------------------------------------------------------------------------
    Case("scenario_row", scenario_row(sheet="design"), at("scenarios", 4, "sheet"), "Did you mean 'designs'?"),
    Case("scenario_row", scenario_row(sheet="scenarios", key="*", column="value"), at("scenarios", 4, "sheet"), "one of settings"),
    Case("scenario_row", scenario_row(key="INT_500"), at("scenarios", 4, "key"), "Did you mean 'INT_5000'?"),
    Case("scenario_row", scenario_row(key="INT_5000 | x"), at("scenarios", 4, "key"), "at most 1 parts: design"),
    Case("scenario_row", scenario_row(sheet="demand", key="JPN | defence", column="2030"), at("scenarios", 4, "key"), "matches no row of demand"),
    Case("scenario_row", scenario_row(sheet="demand", key="| ev", column="2030"), at("scenarios", 4, "key"), "Write * for every market"),
    Case("scenario_row", scenario_row(sheet="settings", key="max_plant", column="value"), at("scenarios", 4, "key"), "Did you mean 'max_plants'?"),
    Case("scenario_row", scenario_row(column="capx"), at("scenarios", 4, "column"), "Did you mean 'capex'?"),
    Case("scenario_row", scenario_row(sheet="demand", column="2032-2030"), at("scenarios", 4, "column"), "Write 2030-2032."),
    Case("scenario_row", scenario_row(sheet="demand", column="2040-2045"), at("scenarios", 4, "column"), "in which demand has no column"),
    Case("scenario_row", scenario_row(sheet="demand", column=2029.0), at("scenarios", 4, "column"), "2029, for which demand has no column"),
    Case("scenario_row", scenario_row(column="scope"), at("scenarios", 4, "operation"), "multiply on scope, which is no number"),
    Case("scenario_row", scenario_row(column="scope, capex", operation="set", value="separation"), at("scenarios", 4, "value"), "for capex"),
    Case("scenario_row", scenario_row(operation="set", value="none"), at("scenarios", 4, "value"), "cannot be emptied"),
    Case("scenario_row", scenario_row(value="twice"), at("scenarios", 4, "value"), "a number to multiply by"),
    Case("scenario_row", scenario_row(column="scope", operation="set", value="both"), at("scenarios", 4, "value"), "integrated, separation"),
    Case("scenario_probability", new_row("scenarios", **{**SCENARIO, "scenario": "embargo", "probability": 0.3}), at("scenarios", 4, "probability"), "0.1 in row 2"),
    Case("scenario_probability", scenario_row(probability=0.9), at("scenarios", 4, "probability"), "sum to 1.2"),
]  # fmt: skip


CONSEQUENCES = ("cap_impossible", "forced_plant_impossible")
"""What arithmetic concludes from some of the mistakes, besides the mistake itself; cases of their own are among CASES."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.place}")
def test_one_change_gives_one_finding_at_its_cell(case):
    base = case.base(tiny_book())
    assert case.base is _AS_IS or validate_book(base).errors == ()
    outcome = validate_book(case.change(base))
    own = [finding for finding in findings_of(outcome) if finding[0] == case.rule or finding[0] not in CONSEQUENCES]
    assert own == [(case.rule, case.place)]
    told = next(finding for finding in outcome.findings if finding.rule == case.rule)
    assert told.severity == RULES[case.rule].severity
    assert (outcome.tables is None) == (told.severity == "error")
    assert told.found
    assert told.allowed
    assert not told.allowed.endswith(".")
    assert told.remedy.endswith((".", "?"))
    assert case.words in str(told)


def test_no_unit_is_in_doubt_where_a_figure_is_0():
    outcome = validate_book(cell("hosts", 2, "wage", 0.0)(tiny_book()))
    assert outcome.findings == ()


def test_a_scenario_may_leave_the_plausible_range():
    hosts = tiny_tables()["hosts"].assign(wage=60000.0)
    tables = tiny_tables().with_frames(hosts=hosts)
    assert "implausible_figure" not in {finding.rule for finding in check_tables(tables)}
    assert "implausible_figure" in {finding.rule for finding in check_tables(tables, as_written=True)}


# --- rules that only typed tables can break, or that follow from others ---------------------


def test_setting_of_the_wrong_type_in_tables_made_in_memory():
    found = check_tables(tiny_tables({"time_limit": "long"}))
    assert [(f.rule, f.cell) for f in found if f.severity == "error"] == [("setting_type", "20")]


def test_rules_that_wait_are_named():
    outcome = validate_book(cell("sources", 2, "capacity", "many")(tiny_book()))
    waiting = [finding for finding in outcome.findings if finding.rule == "not_checked"]
    assert len(waiting) == 1
    assert waiting[0].place == "workbook"
    assert "shortage_certain" in waiting[0].found
    assert "composition_sum" not in waiting[0].found


def test_every_rule_has_a_case():
    seen = {case.rule for case in CASES} | {"setting_type", "not_checked"}
    assert seen == set(RULES)


def test_every_rule_is_a_sentence_and_reads_columns_that_exist():
    columns = {f"{s.name}.{c.name}" for s in SHEETS for c in s.all_columns} | {f"{s.name}.{s.spread.family}" for s in SHEETS if s.spread}
    for rule in RULES.values():
        assert rule.description.endswith(".")
        assert {place for place in rule.reads if not place.startswith("settings.")} <= columns
        assert rule.sheets == tuple(dict.fromkeys(place.split(".")[0] for place in rule.reads))
