"""The independent check passes a good plan, and every one of its rules has been seen to fail on one change."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import planner
from model.goal import ShortageLimit
from model.result_schema import RESULT_BY_NAME
from model.verification import IMPLIED, RULE_BY_NAME, RULES, verify_solution
from model.verification_rows import COMPONENTS
from tests.audited_book import audit_records, audit_tables
from tests.audited_plan import AAA_LINE, BBB_LINE, BUILDS, JPN_LINE, complete, decide
from tests.audited_reference import Reference
from tests.auditing import (
    BBB_NDPR,
    CHINA_USA,
    GOAL,
    JPN_DY,
    Records,
    add_to,
    append_row,
    audit,
    both,
    drop_row,
    free_surplus,
    in_book,
    in_results,
    move_cost,
    move_market_cost,
    repeat,
    set_cell,
    without_surplus_price,
)

MODEL = Path(__file__).parents[1] / "model"

CASES: dict[str, tuple[dict, set[str]]] = {
    # rule: what is changed, and the rules that must fail beside it because they look at the same figure
    "tables_complete": (
        {"results": lambda frames: frames.update(china_shares=frames["china_shares"].drop(columns="marginal_cost"))},
        {"china_shares_complete"},
    ),
    "numbers_finite": ({"results": set_cell("china_shares", "marginal_cost", np.inf, 3)}, set()),
    "codes_known": ({"results": repeat("unmet", sector="farming", tonnes=0.0)}, set()),
    "years_modelled": ({"results": repeat("surplus", year=2032, tonnes=0.0, china_tonnes=0.0)}, set()),
    "rows_unique": ({"results": repeat("feed", tonnes=0.0, china_tonnes=0.0)}, set()),
    "input_figures_present": ({"records": free_surplus, "tables": without_surplus_price}, set()),
    "flows_non_negative": (
        {
            "decisions": both(
                add_to("unmet", {"year": 2030}, {"tonnes": -15}),
                add_to(
                    "purchases", {"supplier": "CHINA", "product": "Ce", "market": "JPN", "year": 2030}, {"tonnes": 15, "china_tonnes": 15}
                ),
            )
        },
        set(),
    ),
    "build_candidate_host": ({"builds": [*BUILDS, ("CCC_PORT", "SEP_3000", "host_practice", 2034)]}, set()),
    "build_design_host": ({"builds": [BUILDS[0], ("AAA_PORT", "SEP_BBB", "japanese_support", 2031), *BUILDS[2:]]}, set()),
    "build_forbidden": ({"records": in_book("host_rules", {"rule_id": "BBB_NO_MORE"}, "from_year", 2030)}, set()),
    "build_earliest_start": ({"records": in_book("hosts", {"host": "BBB_PORT"}, "earliest_start", 2031)}, set()),
    "build_lead_time": ({"records": in_book("designs", {"design": "INT_5000"}, "build_years", 4.1)}, set()),
    "feed_source_in_use": ({"records": in_book("sources", {"source_id": "CHINA_CLAY"}, "use", "no")}, set()),
    "feed_process_only_in": ({"records": in_book("sources", {"source_id": "US_SCRAP"}, "process_only_in", "USA, KOR")}, set()),
    "feed_thorium_accepted": ({"records": in_book("sources", {"source_id": "US_SCRAP"}, "thorium", "low")}, set()),
    "feed_no_thorium": ({"records": in_book("host_rules", {"rule_id": "AAA_THORIUM"}, "from_year", 2034)}, set()),
    "feed_no_cracking": ({"records": in_book("host_rules", {"rule_id": "AAA_CRACK"}, "from_year", 2034)}, set()),
    "feed_route_exists": ({"records": in_book("route_costs", {"origin": "US_SCRAP"}, "destination", "JPN_SITE")}, set()),
    "delivery_route_exists": ({"records": in_book("route_costs", {"origin": "CCC_PORT"}, "origin", "BBB_PORT")}, set()),
    "purchase_offered": (
        {
            "decisions": both(
                append_row(
                    "purchases", supplier="LYNAS", product="NdPr", offered_to="JPN", market="USA", year=2031, tonnes=5.0, china_tonnes=0.0
                ),
                add_to("purchases", {**CHINA_USA, "product": "NdPr"}, {"tonnes": -5, "china_tonnes": -5}),
            )
        },
        set(),
    ),
    "stock_kept": (
        {
            "decisions": both(
                append_row("stocks", market="USA", product="NdPr", year=2031, stock=0.0, drawn=5.0),
                add_to("purchases", {**CHINA_USA, "product": "NdPr"}, {"tonnes": -5, "china_tonnes": -5}),
            )
        },
        set(),
    ),
    "feed_line_on_line": ({"feed": {("CHINA_CLAY", "BBB_PORT", AAA_LINE, 2034): 5.0}}, {"capacity_limit", "line_feed"}),
    "unmet_within_demand": (
        {
            "decisions": both(
                append_row("unmet", market="JPN", sector="defence", product="Ce", year=2030, tonnes=4.0),
                add_to("unmet", {"sector": "glass", "year": 2030}, {"tonnes": -4}),
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
    "forced_plant_minimum": ({"records": in_book("host_rules", {"rule_id": "AAA_FORCE"}, "to_year", 2030)}, set()),
    "capacity_limit": ({"feed": {("CHINA_CLAY", "BBB_PORT", BBB_LINE, 2030): 1471.0}}, set()),
    "cracking_limit": ({"feed": {("ALPHA_MINE", "AAA_PORT", AAA_LINE, 2034): 5001.0}}, set()),
    "use_minimum": ({"feed": {("ALPHA_MINE", "AAA_PORT", AAA_LINE, 2034): 1449.0}}, set()),
    "separation_use_minimum": ({"feed": {("CHINA_CLAY", "AAA_PORT", AAA_LINE, 2034): 899.0}}, set()),
    "source_limit": ({"feed": {("US_SCRAP", "JPN_SITE", JPN_LINE, 2031): 1281.0}}, set()),
    "feed_ceiling_limit": ({"feed": {("CHINA_CLAY", "BBB_PORT", BBB_LINE, 2031): 2311.0}}, set()),
    "product_balance": ({"decisions": add_to("surplus", BBB_NDPR, {"tonnes": 1})}, set()),
    "export_share_limit": ({"records": in_book("host_rules", {"rule_id": "AAA_SHARE"}, "value", 0.69)}, set()),
    "export_ceiling_limit": ({"records": in_book("host_rules", {"rule_id": "BBB_EXPORT"}, "value", 1700)}, set()),
    "china_balance": ({"decisions": add_to("deliveries", {**BBB_NDPR, "market": "USA"}, {"china_tonnes": -1})}, set()),
    "china_delivered_link": (
        {
            "decisions": both(
                add_to("deliveries", {**BBB_NDPR, "market": "USA"}, {"china_tonnes": -1}),
                add_to("deliveries", {**BBB_NDPR, "market": "JPN"}, {"china_tonnes": 1}),
            )
        },
        set(),
    ),
    "china_surplus_link": (
        {
            "decisions": both(
                add_to("deliveries", {**BBB_NDPR, "market": "USA"}, {"china_tonnes": -1}), add_to("surplus", BBB_NDPR, {"china_tonnes": 1})
            )
        },
        set(),
    ),
    "supplier_limit": ({"records": in_book("suppliers", {"supplier": "LYNAS"}, 2031, 149)}, set()),
    "take_minimum": ({"records": in_book("suppliers", {"supplier": "LYNAS"}, "least_take", 0.76)}, set()),
    "demand_balance": ({"decisions": add_to("unmet", {"year": 2034}, {"tonnes": 1})}, set()),
    "stock_balance": ({"decisions": add_to("stocks", {**JPN_DY, "year": 2034}, {"stock": 1})}, set()),
    "stock_minimum": ({"records": in_book("stockpiles", JPN_DY, "days", 61)}, set()),
    "china_cap": ({"records": in_book("caps", {"cap": "FEEDSTOCK_TONNES_ALL"}, 2034, 0.37)}, set()),
    "offtake_minimum": ({"records": in_book("markets", {"market": "JPN"}, "offtake_minimum", 0.41)}, set()),
    "country_share_limit": ({"settings": {"country_share_from": 2030}}, set()),
    "capex_budget": ({"records": in_book("markets", {"market": "USA"}, 2029, 60)}, set()),
    "host_set_difference_minimum": (
        {"goal": replace(GOAL, excluded_host_sets=(frozenset(), frozenset({"AAA_PORT", "BBB_PORT", "JPN_SITE"})))},
        set(),
    ),
    "shortage_limit": ({"goal": replace(GOAL, shortage_limits=(ShortageLimit(("glass",), 0.05),))}, set()),
    "cost_budget": ({"goal": replace(GOAL, cost_budget=10.0)}, set()),
    "feed_china_content": ({"results": in_results("feed", "china_tonnes", 1)}, set()),
    "purchase_china_content": ({"results": in_results("purchases", "china_tonnes", 1)}, set()),
    "plants_listed": ({"results": drop_row("plants")}, set()),
    "plant_labels": ({"results": in_results("plants", "country", "BBB")}, set()),
    "plant_capacity": ({"results": in_results("plants", "capacity", 1)}, set()),
    "plant_capex": ({"results": in_results("plants", "capex", 1)}, set()),
    "plant_capital_charge": ({"results": in_results("plants", "capital_charge", 1)}, set()),
    "line_nameplate": ({"results": in_results("plant_years", "nameplate", 1)}, set()),
    "line_usable": ({"results": in_results("plant_years", "usable", 1)}, set()),
    "line_feed": ({"results": in_results("plant_years", "feed", 1)}, set()),
    "line_use": ({"results": in_results("plant_years", "use", 0.01)}, set()),
    "product_made": ({"results": in_results("products", "made", 1)}, set()),
    "product_delivered": ({"results": in_results("products", "delivered", 1)}, set()),
    "product_surplus": ({"results": in_results("products", "surplus", 1)}, set()),
    "product_china_made": ({"results": in_results("products", "china_made", 1)}, set()),
    "supply_demand": ({"results": in_results("supply_balance", "demand", 1)}, set()),
    "supply_joint": ({"results": in_results("supply_balance", "joint", 1)}, set()),
    "supply_bought": ({"results": in_results("supply_balance", "bought", 1)}, set()),
    "supply_drawn": ({"results": in_results("supply_balance", "drawn", 1)}, set()),
    "supply_unmet": ({"results": in_results("supply_balance", "unmet", 1)}, set()),
    "supply_china": ({"results": in_results("supply_balance", "china", 1)}, set()),
    "cost_component": ({"results": in_results("costs", "cost", 1)}, {"cost_host", "cost_present_value"}),
    "cost_host": ({"results": move_cost}, set()),
    "cost_market": ({"results": move_market_cost}, set()),
    "cost_weight": ({"results": in_results("costs", "weight", 0.01)}, set()),
    "cost_present_value": ({"results": in_results("costs", "present_value", 1)}, {"objective_total"}),
    "objective_total": ({"objective": 1.0}, {"objective_recomputed"}),
    "objective_recomputed": ({"objective": -0.002}, {"objective_total"}),
    "china_shares_complete": ({"results": drop_row("china_shares", 5)}, set()),
    "china_share_labels": ({"results": in_results("china_shares", "measure", "value")}, set()),
    "china_share_limit": ({"results": in_results("china_shares", "limit", 0.01)}, set()),
    "china_share_content": ({"results": in_results("china_shares", "china", 1)}, set()),
    "china_share_total": ({"results": in_results("china_shares", "total", 1)}, set()),
    "china_share_ratio": ({"results": in_results("china_shares", "share", 0.001)}, set()),
    "china_share_slack": ({"results": in_results("china_shares", "slack", 0.001)}, set()),
}


def test_good_plan_passes_and_tests_every_rule() -> None:
    report = audit()
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
    report = audit(**change)
    assert set(report.failed_rules) == {rule} | beside, report.failures
    assert not report.passed
    sentence = next(sentence for sentence in report.failures if sentence.startswith(f"{rule}: "))
    row = report.table.set_index("check").loc[rule]
    assert row["where"], "a failure says where"
    assert row["where"] in sentence
    assert row["worst"] > row["tolerance"]


def test_failure_sentence_names_rule_place_amounts_and_unit() -> None:
    sentence = audit(**CASES["capacity_limit"][0]).failures[0]
    assert sentence == (
        "capacity_limit: Feed of a line is within its usable capacity. Not so at host BBB_PORT, line light_heavy:host_practice, year 2030: "
        "1,471 found, at most 1,470 allowed [t REO/y; 1 row fails of 8]."
    )


def _shares() -> list[tuple[str, str, float]]:
    """Return cap, member and share of every cap of the good plan in 2034."""
    reference = Reference(audit_records(), {})
    frames, _ = complete(reference, decide(reference))
    found = frames["china_shares"]
    return found.loc[found["year"] == 2034, ["cap", "member", "share"]].to_records(index=False).tolist()


SHARES = _shares()


def test_caps_cover_every_basis_measure_and_scope() -> None:
    assert len({cap for cap, _, _ in SHARES}) == 20
    assert len(SHARES) == 28


@pytest.mark.parametrize("cap", sorted({cap for cap, _, _ in SHARES}))
def test_cap_binds_at_the_share_reached(cap: str) -> None:
    worst = max(share for name, _, share in SHARES if name == cap)
    assert audit(records=in_book("caps", {"cap": cap}, 2034, worst + 1e-9)).failures == []
    report = audit(records=in_book("caps", {"cap": cap}, 2034, worst - 1e-4))
    assert report.failed_rules == ["china_cap"]
    assert cap in report.failures[0]
    assert "2034" in report.failures[0]


@pytest.mark.parametrize(
    ("rule", "column", "binding", "broken"),
    [
        ("AAA_FORCE", "value", 8000, 8001),
        ("BBB_CEILING", "value", 2300, 2299),
        ("AAA_SHARE", "value", 0.7, 0.6999),
        ("BBB_NO_MORE", "from_year", 2031, 2030),
        ("AAA_THORIUM", "from_year", 2035, 2034),
        ("AAA_CRACK", "from_year", 2035, 2034),
    ],
)
def test_host_rule_holds_up_to_its_figure(rule: str, column: str, binding: float, broken: float) -> None:
    assert audit(records=in_book("host_rules", {"rule_id": rule}, column, binding)).failures == []
    assert len(audit(records=in_book("host_rules", {"rule_id": rule}, column, broken)).failures) == 1


def test_budget_counts_the_partner_share_of_what_is_spent_in_the_year() -> None:
    # USA in 2029: half of 283.662 MUSD at 0.4 x 0.49, a third of 113.4648 at the same, two thirds of 122.4 at 0.4,
    # and a third of 123.624 at 0.4 for the site in Japan, where foreign_share_limit 0.6 does not count: 84.3351096 MUSD.
    assert audit(records=in_book("markets", {"market": "USA"}, 2029, 84.3352)).failures == []
    report = audit(records=in_book("markets", {"market": "USA"}, 2029, 84.33))
    assert report.failed_rules == ["capex_budget"]
    assert "market USA, calendar year 2029: 84.3351096 found, at most 84.33 allowed" in report.failures[0]


def test_plan_without_plants_passes_with_nothing_to_test() -> None:
    def drop_rules(book: Records) -> None:
        book["host_rules"], book["stockpiles"] = [], []

    book = audit_records()
    drop_rules(book)
    reference = Reference(book, {})
    plan = decide(reference, [], {})
    for row in plan["stocks"]:
        bought = {"supplier": "CHINA", "product": "Dy", "market": "JPN", "year": row["year"]}
        add_to("purchases", bought, {"tonnes": row["drawn"], "china_tonnes": row["drawn"]})(plan)
    plan["stocks"] = []
    for cap in book["caps"]:
        cap[2031] = cap[2034] = 1.0
    frames, objective = complete(reference, plan)
    report = verify_solution(audit_tables(book, minimum_hosts=0), frames, objective)
    assert report.failures == []
    tested = report.table.set_index("check")["tested"]
    assert tested[["capacity_limit", "product_balance", "stock_balance", "plant_capex"]].tolist() == [0, 0, 0, 0]


def test_solver_plan_of_the_same_book_passes_and_costs_no_more() -> None:
    """Three implementations agree: the model's tables, the check, and the tables derived by hand from the model's decisions."""
    book = audit_records()
    reference = Reference(book, {})
    _, by_hand = complete(reference, decide(reference))
    plan = planner.solve(audit_tables(book))
    assert plan.verification.failures == []
    assert plan.solution.objective < by_hand
    decisions = {name: plan.solution.tables[name].to_dict("records") for name, table in RESULT_BY_NAME.items() if table.decision}
    _, again = complete(reference, decisions)
    assert again == pytest.approx(plan.solution.objective, abs=1e-4)


def test_check_shares_no_code_with_the_model() -> None:
    allowed = {"model.tables", "model.schema", "model.result_schema", "model.goal"}  # inputs, outputs and the question
    for path in MODEL.glob("verification*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            for name in names:
                ours = name.startswith("model") and name != "model"
                assert not ours or name in allowed or name.startswith("model.verification"), f"{path} imports {name}"


def test_register_names_every_constraint_of_the_formulation() -> None:
    text = (MODEL / "formulation.md").read_text(encoding="utf-8")
    section = text.split("## Constraints")[1].split("`china_cap`, by basis and scope")[0]
    constraints = set(re.findall(r"^\| `(\w+)", section, flags=re.MULTILINE))
    assert constraints == {rule.name for rule in RULES if rule.kind == "constraint"} | set(IMPLIED)
    assert set(IMPLIED.values()) <= set(RULE_BY_NAME)
    components = set(re.findall(r"^\| `(\w+)", text.split("## Cost")[1].split("\n## ")[0], flags=re.MULTILINE))
    assert components == set(COMPONENTS)
