"""The independent check: passes a good plan, and every one of its rules has been seen to fail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from model.result_schema import RESULT_BY_NAME
from model.tables import Tables
from model.verification import RULE_BY_NAME, RULES, VerificationReport, verify_solution
from tests.audited_book import audit_records, audit_tables
from tests.audited_plan import AAA_LINE, BBB_LINE, BUILDS, FEED, JPN_LINE, Decisions, complete, decide
from tests.audited_reference import Reference

Records = dict[str, list[dict]]
Results = dict[str, pd.DataFrame]


def _ignore(_: object) -> None:
    """Change nothing."""


def _audit(
    records: Callable[[Records], None] = _ignore,
    settings: dict[str, object] | None = None,
    builds: list[tuple] = BUILDS,
    feed: dict[tuple, float] | None = None,
    decisions: Callable[[Decisions], None] = _ignore,
    results: Callable[[Results], None] = _ignore,
    tables: Callable[[Tables], Tables] = lambda tables: tables,
    objective: float = 0.0,
) -> VerificationReport:
    """Change a book, a plan or its result tables in one place and check the whole; `objective` is added to the objective."""
    book = audit_records()
    records(book)
    reference = Reference(book, settings or {})
    plan = decide(reference, builds, {**FEED, **(feed or {})})
    decisions(plan)
    frames, total = complete(reference, plan)
    results(frames)
    return verify_solution(tables(audit_tables(book, **(settings or {}))), frames, total + objective)


def _row(rows: list[dict], **key: object) -> dict:
    """Return the one record with the key."""
    found = [row for row in rows if all(row.get(name) == value for name, value in key.items())]
    assert len(found) == 1, found
    return found[0]


def _in_book(sheet: str, key: dict, column: object, value: object) -> Callable[[Records], None]:
    return lambda book: _row(book[sheet], **key).update({column: value})


def _add(table: str, key: dict, amounts: dict[str, float]) -> Callable[[Decisions], None]:
    def change(plan: Decisions) -> None:
        row = _row(plan[table], **key)
        for column, amount in amounts.items():
            row[column] += amount

    return change


def _both(*changes: Callable[[Decisions], None]) -> Callable[[Decisions], None]:
    def change(plan: Decisions) -> None:
        for one in changes:
            one(plan)

    return change


def _append(table: str, **row: object) -> Callable[[Decisions], None]:
    return lambda plan: plan[table].append(row)


def _in_results(table: str, column: str, amount: object, row: int = 0) -> Callable[[Results], None]:
    """Add a number to one cell of a result table, or set it to a text."""

    def change(frames: Results) -> None:
        frame = frames[table].astype(object)
        at = frame.columns.get_loc(column)
        frame.iat[row, at] = amount if isinstance(amount, str) else frame.iat[row, at] + amount
        frames[table] = frame

    return change


def _drop_row(table: str, row: int = 0) -> Callable[[Results], None]:
    return lambda frames: frames.update({table: frames[table].drop(index=row)})


def _repeat(table: str, **changed: object) -> Callable[[Results], None]:
    """Repeat the first row of a table with something changed in it."""
    return lambda frames: frames.update({table: pd.concat([frames[table], frames[table].iloc[:1].assign(**changed)])})


def _set_cell(table: str, column: str, value: object, row: int) -> Callable[[Results], None]:
    def change(frames: Results) -> None:
        frame = frames[table].astype(object)
        frame.iat[row, frame.columns.get_loc(column)] = value
        frames[table] = frame

    return change


def _move_cost(frames: Results) -> None:
    """Book 1 MUSD of one host's capital on another's."""
    frame = frames["costs"]
    rows = frame.index[(frame["component"] == "capital") & (frame["year"] == 2034)][:2]
    for row, amount in zip(rows, (1.0, -1.0), strict=True):
        frame.loc[row, "cost"] += amount
        frame.loc[row, "present_value"] += amount * frame.loc[row, "weight"]


def _move_market_cost(frames: Results) -> None:
    """Book 1 MUSD of one market's bought oxide on another's."""
    frame = frames["costs"]
    rows = frame.index[(frame["component"] == "oxide_purchase") & (frame["year"] == 2034)][:2]
    for row, amount in zip(rows, (1.0, -1.0), strict=True):
        frame.loc[row, "cost"] += amount
        frame.loc[row, "present_value"] += amount * frame.loc[row, "weight"]


def _free_surplus(book: Records) -> None:
    _row(book["prices"], product="Ce", item="surplus").update({2030: 0.0, 2031: 0.0, 2034: 0.0})


def _without_surplus_price(tables: Tables) -> Tables:
    prices = tables["prices"]
    return tables.with_frames(prices=prices[~((prices["product"] == "Ce") & (prices["item"] == "surplus"))])


BBB_NDPR = {"host": "BBB_PORT", "product": "NdPr", "year": 2030}
JPN_DY = {"market": "JPN", "product": "Dy"}
CHINA_USA = {"supplier": "CHINA", "offered_to": "*", "market": "USA", "year": 2031}

CASES: dict[str, tuple[dict, set[str]]] = {
    # rule: what is changed, and the rules that must fail beside it because they look at the same figure
    "tables_complete": (
        {"results": lambda frames: frames.update(china_shares=frames["china_shares"].drop(columns="marginal_cost"))},
        {"china_shares_complete"},
    ),
    "numbers_finite": ({"results": _set_cell("china_shares", "marginal_cost", np.inf, 3)}, set()),
    "codes_known": ({"results": _repeat("unmet", sector="farming", tonnes=0.0)}, set()),
    "years_modelled": ({"results": _repeat("surplus", year=2032, tonnes=0.0, china_tonnes=0.0)}, set()),
    "rows_unique": ({"results": _repeat("feed", tonnes=0.0, china_tonnes=0.0)}, set()),
    "input_figures_present": ({"records": _free_surplus, "tables": _without_surplus_price}, set()),
    "flows_non_negative": (
        {
            "decisions": _both(
                _add("unmet", {"year": 2030}, {"tonnes": -15}),
                _add(
                    "purchases", {"supplier": "CHINA", "product": "Ce", "market": "JPN", "year": 2030}, {"tonnes": 15, "china_tonnes": 15}
                ),
            )
        },
        set(),
    ),
    "build_candidate_host": ({"builds": [*BUILDS, ("CCC_PORT", "SEP_3000", "host_practice", 2034)]}, set()),
    "build_design_host": ({"builds": [BUILDS[0], ("AAA_PORT", "SEP_BBB", "japanese_support", 2031), *BUILDS[2:]]}, set()),
    "build_forbidden": ({"records": _in_book("host_rules", {"rule_id": "BBB_NO_MORE"}, "from_year", 2030)}, set()),
    "build_earliest_start": ({"records": _in_book("hosts", {"host": "BBB_PORT"}, "earliest_start", 2031)}, set()),
    "build_lead_time": ({"records": _in_book("designs", {"design": "INT_5000"}, "build_years", 4.1)}, set()),
    "feed_source_in_use": ({"records": _in_book("sources", {"source_id": "CHINA_CLAY"}, "use", "no")}, set()),
    "feed_process_only_in": ({"records": _in_book("sources", {"source_id": "US_SCRAP"}, "process_only_in", "USA, KOR")}, set()),
    "feed_thorium_accepted": ({"records": _in_book("sources", {"source_id": "US_SCRAP"}, "thorium", "low")}, set()),
    "feed_no_thorium": ({"records": _in_book("host_rules", {"rule_id": "AAA_THORIUM"}, "from_year", 2034)}, set()),
    "feed_no_cracking": ({"records": _in_book("host_rules", {"rule_id": "AAA_CRACK"}, "from_year", 2034)}, set()),
    "feed_route_exists": ({"records": _in_book("route_costs", {"origin": "US_SCRAP"}, "destination", "JPN_SITE")}, set()),
    "delivery_route_exists": ({"records": _in_book("route_costs", {"origin": "CCC_PORT"}, "origin", "BBB_PORT")}, set()),
    "purchase_offered": (
        {
            "decisions": _both(
                _append(
                    "purchases", supplier="LYNAS", product="NdPr", offered_to="JPN", market="USA", year=2031, tonnes=5.0, china_tonnes=0.0
                ),
                _add("purchases", {**CHINA_USA, "product": "NdPr"}, {"tonnes": -5, "china_tonnes": -5}),
            )
        },
        set(),
    ),
    "stock_kept": (
        {
            "decisions": _both(
                _append("stocks", market="USA", product="NdPr", year=2031, stock=0.0, drawn=5.0),
                _add("purchases", {**CHINA_USA, "product": "NdPr"}, {"tonnes": -5, "china_tonnes": -5}),
            )
        },
        set(),
    ),
    "feed_line_on_line": ({"feed": {("CHINA_CLAY", "BBB_PORT", AAA_LINE, 2034): 5.0}}, {"capacity_limit", "line_feed"}),
    "unmet_within_demand": (
        {
            "decisions": _both(
                _append("unmet", market="JPN", sector="defence", product="Ce", year=2030, tonnes=4.0),
                _add("unmet", {"sector": "glass", "year": 2030}, {"tonnes": -4}),
            )
        },
        set(),
    ),
    "plants_per_host_limit": (
        {"builds": [*BUILDS, ("AAA_PORT", "SEPL_3000", "host_practice", 2034)], "settings": {"country_share_limit": 0.9}},
        set(),
    ),
    "plant_count_limit": ({"settings": {"max_plants": 3}}, set()),
    "host_count_minimum": ({"settings": {"minimum_hosts": 4}}, set()),
    "forced_plant_minimum": ({"records": _in_book("host_rules", {"rule_id": "AAA_FORCE"}, "to_year", 2030)}, set()),
    "capacity_limit": ({"feed": {("CHINA_CLAY", "BBB_PORT", BBB_LINE, 2030): 1471.0}}, set()),
    "cracking_limit": ({"feed": {("ALPHA_MINE", "AAA_PORT", AAA_LINE, 2034): 5001.0}}, set()),
    "use_minimum": ({"feed": {("ALPHA_MINE", "AAA_PORT", AAA_LINE, 2034): 1449.0}}, set()),
    "separation_use_minimum": ({"feed": {("CHINA_CLAY", "AAA_PORT", AAA_LINE, 2034): 899.0}}, set()),
    "source_limit": ({"feed": {("US_SCRAP", "JPN_SITE", JPN_LINE, 2031): 1281.0}}, set()),
    "feed_ceiling_limit": ({"feed": {("CHINA_CLAY", "BBB_PORT", BBB_LINE, 2031): 2311.0}}, set()),
    "product_balance": ({"decisions": _add("surplus", BBB_NDPR, {"tonnes": 1})}, set()),
    "export_share_limit": ({"records": _in_book("host_rules", {"rule_id": "AAA_SHARE"}, "value", 0.69)}, set()),
    "export_ceiling_limit": ({"records": _in_book("host_rules", {"rule_id": "BBB_EXPORT"}, "value", 1700)}, set()),
    "china_balance": ({"decisions": _add("deliveries", {**BBB_NDPR, "market": "USA"}, {"china_tonnes": -1})}, set()),
    "china_delivered_link": (
        {
            "decisions": _both(
                _add("deliveries", {**BBB_NDPR, "market": "USA"}, {"china_tonnes": -1}),
                _add("deliveries", {**BBB_NDPR, "market": "JPN"}, {"china_tonnes": 1}),
            )
        },
        set(),
    ),
    "china_surplus_link": (
        {
            "decisions": _both(
                _add("deliveries", {**BBB_NDPR, "market": "USA"}, {"china_tonnes": -1}), _add("surplus", BBB_NDPR, {"china_tonnes": 1})
            )
        },
        set(),
    ),
    "supplier_limit": ({"records": _in_book("suppliers", {"supplier": "LYNAS"}, 2031, 149)}, set()),
    "take_minimum": ({"records": _in_book("suppliers", {"supplier": "LYNAS"}, "least_take", 0.76)}, set()),
    "demand_balance": ({"decisions": _add("unmet", {"year": 2034}, {"tonnes": 1})}, set()),
    "stock_balance": ({"decisions": _add("stocks", {**JPN_DY, "year": 2034}, {"stock": 1})}, set()),
    "stock_minimum": ({"records": _in_book("stockpiles", JPN_DY, "days", 61)}, set()),
    "china_cap": ({"records": _in_book("caps", {"cap": "FEEDSTOCK_TONNES_ALL"}, 2034, 0.37)}, set()),
    "offtake_minimum": ({"records": _in_book("markets", {"market": "JPN"}, "offtake_minimum", 0.41)}, set()),
    "country_share_limit": ({"settings": {"country_share_from": 2030}}, set()),
    "capex_budget": ({"records": _in_book("markets", {"market": "USA"}, 2029, 60)}, set()),
    "feed_china_content": ({"results": _in_results("feed", "china_tonnes", 1)}, set()),
    "purchase_china_content": ({"results": _in_results("purchases", "china_tonnes", 1)}, set()),
    "plants_listed": ({"results": _drop_row("plants")}, set()),
    "plant_labels": ({"results": _in_results("plants", "country", "BBB")}, set()),
    "plant_capacity": ({"results": _in_results("plants", "capacity", 1)}, set()),
    "plant_capex": ({"results": _in_results("plants", "capex", 1)}, set()),
    "plant_capital_charge": ({"results": _in_results("plants", "capital_charge", 1)}, set()),
    "line_nameplate": ({"results": _in_results("plant_years", "nameplate", 1)}, set()),
    "line_usable": ({"results": _in_results("plant_years", "usable", 1)}, set()),
    "line_feed": ({"results": _in_results("plant_years", "feed", 1)}, set()),
    "line_use": ({"results": _in_results("plant_years", "use", 0.01)}, set()),
    "product_made": ({"results": _in_results("products", "made", 1)}, set()),
    "product_delivered": ({"results": _in_results("products", "delivered", 1)}, set()),
    "product_surplus": ({"results": _in_results("products", "surplus", 1)}, set()),
    "product_china_made": ({"results": _in_results("products", "china_made", 1)}, set()),
    "supply_demand": ({"results": _in_results("supply_balance", "demand", 1)}, set()),
    "supply_joint": ({"results": _in_results("supply_balance", "joint", 1)}, set()),
    "supply_bought": ({"results": _in_results("supply_balance", "bought", 1)}, set()),
    "supply_drawn": ({"results": _in_results("supply_balance", "drawn", 1)}, set()),
    "supply_unmet": ({"results": _in_results("supply_balance", "unmet", 1)}, set()),
    "supply_china": ({"results": _in_results("supply_balance", "china", 1)}, set()),
    "cost_component": ({"results": _in_results("costs", "cost", 1)}, {"cost_host", "cost_present_value"}),
    "cost_host": ({"results": _move_cost}, set()),
    "cost_market": ({"results": _move_market_cost}, set()),
    "cost_weight": ({"results": _in_results("costs", "weight", 0.01)}, set()),
    "cost_present_value": ({"results": _in_results("costs", "present_value", 1)}, {"objective_total"}),
    "objective_total": ({"objective": 1.0}, {"objective_recomputed"}),
    "objective_recomputed": ({"objective": -0.002}, {"objective_total"}),
    "china_shares_complete": ({"results": _drop_row("china_shares", 5)}, set()),
    "china_share_labels": ({"results": _in_results("china_shares", "measure", "value")}, set()),
    "china_share_limit": ({"results": _in_results("china_shares", "limit", 0.01)}, set()),
    "china_share_content": ({"results": _in_results("china_shares", "china", 1)}, set()),
    "china_share_total": ({"results": _in_results("china_shares", "total", 1)}, set()),
    "china_share_ratio": ({"results": _in_results("china_shares", "share", 0.001)}, set()),
    "china_share_slack": ({"results": _in_results("china_shares", "slack", 0.001)}, set()),
}


def test_good_plan_passes_and_tests_every_rule() -> None:
    report = _audit()
    assert report.failures == []
    assert report.passed
    assert list(report.table.columns) == RESULT_BY_NAME["checks"].names
    assert (report.table["tested"] > 0).all(), report.table[report.table["tested"] == 0]
    assert (report.table["verdict"] == "pass").all()


def test_every_rule_has_a_case_that_breaks_it() -> None:
    assert set(CASES) == set(RULE_BY_NAME)
    assert len(RULES) == len(RULE_BY_NAME)


@pytest.mark.parametrize("rule", list(RULE_BY_NAME))
def test_rule_fails_on_one_change(rule: str) -> None:
    change, beside = CASES[rule]
    report = _audit(**change)
    assert set(report.failed_rules) == {rule} | beside, report.failures
    assert not report.passed
    sentence = next(sentence for sentence in report.failures if sentence.startswith(f"{rule}: "))
    row = report.table.set_index("check").loc[rule]
    assert row["where"], "a failure says where"
    assert row["where"] in sentence
    assert row["worst"] > row["tolerance"]
