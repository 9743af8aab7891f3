"""The derived planner's tables against figures worked out by hand on the tiny book."""

from __future__ import annotations

import copy
from functools import cache

import pandas as pd
import pytest

from model.analysis import (
    LOCAL_PARTNER,
    capital_by_payer,
    capital_spend,
    customs_view,
    sector_coverage,
    supply_rows,
    traced_imports,
    traced_view,
)
from model.problem import Problem
from model.problem_builder import build_problem
from model.result_schema import RESULT_BY_NAME
from model.shortages import shortage_reasons
from model.tables import Tables
from tests import small
from tests.tiny import RECORDS, tiny_tables

YEARLY = {2030: 500.0, 2031: 500.0, 2032: 500.0}
PLANT = ("AAA_PORT", "INT_5000", "japanese_support", 2031)


def records() -> dict[str, list[dict]]:
    return copy.deepcopy(RECORDS)


def frames(**rows: list[tuple]) -> dict[str, pd.DataFrame]:
    """Return every result table, empty but for the rows given."""
    return {name: pd.DataFrame(rows.get(name, []), columns=table.names) for name, table in RESULT_BY_NAME.items()}


@cache
def origin_tables() -> Tables:
    """Add a Japanese processor of Chinese raw material and a Japanese recycler to the tiny book."""

    def supplier(code: str, market: str, origin: str, china: float) -> dict:
        return {
            "supplier": code, "product": "NdPr", "market": market, "name": code, "country": "JPN", "customs_origin": origin,
            "price_share": 1.0, "china_linked": china, "china_linked_reason": "made up", **YEARLY,
        }  # fmt: skip

    extra = [supplier("PROC", "JPN", "CHN", 1.0), supplier("PROC", "USA", "JPN", 1.0), supplier("RECYCLER", "JPN", "JPN", 0.0)]
    return tiny_tables(suppliers=[*records()["suppliers"], *extra])


@cache
def problem() -> Problem:
    return build_problem(tiny_tables())


ORIGINS = frames(
    # made 160 t with 40 t of Chinese content, all of it booked on Japan's deliveries
    products=[("AAA_PORT", "NdPr", 2030, 160.0, 150.0, 10.0, 40.0)],
    deliveries=[("AAA_PORT", "NdPr", "JPN", 2030, 100.0, 40.0), ("AAA_PORT", "NdPr", "USA", 2030, 50.0, 0.0)],
    surplus=[("AAA_PORT", "NdPr", 2030, 10.0, 0.0)],
    purchases=[
        ("CHINA", "NdPr", "*", "JPN", 2030, 100.0, 100.0),
        ("LYNAS", "NdPr", "JPN", "JPN", 2030, 200.0, 0.0),
        ("PROC", "NdPr", "JPN", "JPN", 2030, 50.0, 50.0),
        ("RECYCLER", "NdPr", "JPN", "JPN", 2030, 30.0, 0.0),
        ("PROC", "NdPr", "USA", "USA", 2030, 25.0, 25.0),
    ],
)


def test_customs_view_counts_what_crosses_the_border_under_its_recorded_origin():
    view = customs_view(origin_tables(), ORIGINS).set_index(["market", "year", "origin"])["tonnes"].to_dict()
    # the recycler's oxide is Japanese at home: no import; the processor's is recorded under its raw material's origin
    assert view == {
        ("JPN", 2030, "AAA"): 100.0,
        ("JPN", 2030, "CHN"): 150.0,
        ("JPN", 2030, "MYS"): 200.0,
        ("USA", 2030, "AAA"): 50.0,
        ("USA", 2030, "JPN"): 25.0,
    }


def test_customs_shares_are_of_imports_alone():
    view = customs_view(origin_tables(), ORIGINS).set_index(["market", "origin"])["share"]
    assert view["JPN", "CHN"] == pytest.approx(150 / 450)
    assert view["USA", "JPN"] == pytest.approx(25 / 75)
    assert view.groupby("market").sum().tolist() == pytest.approx([1.0, 1.0])


def test_traced_view_shows_book_and_claim_beside_the_physical_blend():
    view = traced_view(origin_tables(), ORIGINS).set_index("market")
    assert view.loc["JPN", "tonnes"] == 480.0
    assert view.loc["JPN", "share"] == pytest.approx((40 + 100 + 50) / 480)
    # the plant's average of the year is 40 / 160 = 25 %
    assert view.loc["JPN", "physical_share"] == pytest.approx((25 + 100 + 50) / 480)
    assert view.loc["USA", "share"] == pytest.approx(25 / 75)
    assert view.loc["USA", "physical_share"] == pytest.approx((12.5 + 25) / 75)


def test_traced_imports_leave_home_refining_out():
    view = traced_imports(origin_tables(), ORIGINS).set_index("market")
    assert view.loc["JPN", "tonnes"] == 450.0
    assert view.loc["JPN", "share"] == pytest.approx(190 / 450)
    assert view.loc["USA", "china_tonnes"] == 25.0


def test_views_of_a_plan_without_flows_are_empty():
    for view in (customs_view, traced_view, traced_imports):
        assert view(origin_tables(), frames()).empty
    assert list(supply_rows(origin_tables(), frames()).columns)[:3] == ["kind", "market", "product"]


def test_capital_is_split_by_equity_within_the_foreign_share_limit():
    paid = capital_by_payer(problem(), frames(builds=[PLANT])).set_index("payer")
    # 49 % may be foreign; Japan holds 60 % of the partners' part
    assert paid["share"].to_dict() == {"JPN": pytest.approx(0.294), "USA": pytest.approx(0.196), LOCAL_PARTNER: pytest.approx(0.51)}
    # 300 x 0.9 x 1.02 x (1 + 0.2 x (1 - 0.85))
    assert paid["capex"].unique().tolist() == [pytest.approx(283.662)]


def test_capital_is_spent_over_the_years_of_construction():
    spent = capital_spend(problem(), frames(builds=[PLANT]))
    assert spent.groupby("year")["spent"].sum().to_dict() == {2029: pytest.approx(283.662 / 2), 2030: pytest.approx(283.662 / 2)}
    assert spent[spent["payer"] == "JPN"]["spent"].sum() == pytest.approx(283.662 * 0.294)


def test_sectors_stand_in_order_of_priority_with_their_coverage():
    table = sector_coverage(tiny_tables(), problem(), frames(unmet=[("JPN", "ev", "NdPr", 2030, 90.0)]))
    assert table["sector"].unique().tolist() == ["defence", "ev", "glass"]
    row = table[(table["sector"] == "ev") & (table["year"] == 2030)].iloc[0]
    assert (row["demand"], row["met"], row["unmet"]) == (pytest.approx(1020.0), pytest.approx(930.0), 90.0)
    assert row["coverage"] == pytest.approx(930 / 1020)
    assert table.loc[table["sector"] == "defence", "coverage"].tolist() == [1.0, 1.0, 1.0]


# --- reasons ---------------------------------------------------------------------------------


def reason(tables: Tables, shortage: tuple, **rows: list[tuple]) -> str:
    """Return the reason of one shortage."""
    return shortage_reasons(tables, build_problem(tables), frames(unmet=[shortage], **rows))["reason"].iloc[0]


def without(product: str) -> list[dict]:
    return [row for row in records()["suppliers"] if row["product"] != product]


def test_shortage_is_sized_against_its_demand_and_costed():
    row = shortage_reasons(tiny_tables(), problem(), frames(unmet=[("JPN", "ev", "NdPr", 2030, 90.0)])).iloc[0]
    assert row["share"] == pytest.approx(0.1)
    assert row["shortage_cost"] == pytest.approx(50 + 4 * 100)
    assert row["cost"] == pytest.approx(90 * 450 / 1000)


def test_reason_names_the_cap_that_keeps_an_offer_out():
    cap = ("EACH", "supply", "tonnes", "every_product", "NdPr", 2031, 0.8, 800.0, 1000.0, 0.8, 0.0, 1.0)
    found = reason(tiny_tables(), ("JPN", "ev", "NdPr", 2031, 90.0), china_shares=[cap])
    assert found.startswith("China cap binds: EACH for NdPr at 80 %")
    assert "CHINA" in found


@pytest.mark.parametrize(
    "cap",
    [
        ("EACH", "supply", "tonnes", "every_product", "Dy", 2031, 0.8, 80.0, 100.0, 0.8, 0.0, 1.0),
        ("EACH", "supply", "tonnes", "every_product", "NdPr", 2031, 0.8, 700.0, 1000.0, 0.7, 0.1, 0.0),
        ("US", "supply", "tonnes", "partner", "USA", 2031, 0.8, 80.0, 100.0, 0.8, 0.0, 1.0),
        ("FEED", "feedstock", "tonnes", "all", "", 2031, 0.5, 50.0, 100.0, 0.5, 0.0, 1.0),
    ],
    ids=["another product", "room left", "another partner", "feed alone"],
)
def test_a_cap_that_does_not_touch_the_shortage_is_not_blamed(cap):
    found = reason(tiny_tables(), ("JPN", "ev", "NdPr", 2031, 90.0), china_shares=[cap])
    assert found.startswith("held back by another limit: CHINA still offers it")


def test_a_cap_of_zero_is_blamed_where_nothing_is_supplied():
    cap = ("EACH", "supply", "tonnes", "every_product", "NdPr", 2031, 0.0, 0.0, 0.0, float("nan"), float("nan"), 1.0)
    assert reason(tiny_tables(), ("JPN", "ev", "NdPr", 2031, 90.0), china_shares=[cap]).startswith("China cap binds")


def test_reason_dearer_than_going_without():
    suppliers = without("Ce")
    suppliers.append({**records()["suppliers"][0], "price_share": 10.0})
    # 10 x 2 USD/kg plus 5.5 % duty into the US against 2 + 3 x 2 USD/kg
    found = reason(tiny_tables(suppliers=suppliers), ("USA", "glass", "Ce", 2030, 500.0))
    assert found == "dearer than going without: CHINA asks 21.1 and the shortage costs 8.0 USD/kg"


def test_reason_no_supplier_or_plant():
    hosts = [{**row, "candidate": "no"} for row in records()["hosts"]]
    tables = tiny_tables(suppliers=without("Dy"), hosts=hosts, host_rules=[])
    found = reason(tables, ("JPN", "ev", "Dy", 2030, 120.0))
    assert (
        found
        == "held back by another limit: no supplier offers it and no joint plant may be on line in 2030 (sheets hosts, designs and host_rules)"
    )


def test_reason_sold_out_where_suppliers_alone_have_it():
    hosts = [{**row, "candidate": "no"} for row in records()["hosts"]]
    suppliers = [{**row, 2030: 10.0} for row in records()["suppliers"]]
    tables = tiny_tables(suppliers=suppliers, hosts=hosts, host_rules=[])
    bought = [("CHINA", "Dy", "*", "JPN", 2030, 10.0, 10.0)]
    found = reason(tables, ("JPN", "ev", "Dy", 2030, 110.0), purchases=bought)
    assert (
        found
        == "held back by another limit: suppliers are sold out and no joint plant may be on line in 2030 (sheets hosts, designs and host_rules)"
    )


def test_reason_no_plant_can_be_ready():
    hosts = [{**row, "earliest_start": 2032} for row in records()["hosts"]]
    found = reason(tiny_tables(suppliers=without("Dy"), hosts=hosts), ("JPN", "ev", "Dy", 2030, 120.0))
    assert found == "capacity not yet on line: no supplier offers it and no joint plant can make it before 2032"


def test_reason_the_next_plant_is_later():
    plant = ("AAA_PORT", "AAA", "INT_5000", "japanese_support", "light_heavy:japanese_support", 2032, 5000.0, 283.7, 44.2)
    hosts = [{**row, "earliest_start": 2032} if row["host"] == plant[0] else row for row in records()["hosts"]]
    tables, build = tiny_tables(suppliers=without("Dy"), hosts=hosts), (plant[0], *plant[2:4], plant[5])
    found = reason(tables, ("JPN", "ev", "Dy", 2030, 120.0), plants=[plant], builds=[build])
    assert found == "capacity not yet on line: no supplier offers it and the next joint plant starts in 2032"


def test_reason_a_plant_costs_more_than_the_shortage():
    found = reason(tiny_tables(suppliers=without("Dy")), ("JPN", "ev", "Dy", 2030, 120.0))
    assert found == "dearer than going without: no supplier offers it and a joint plant for it costs more than the shortage"


def test_reason_all_is_used():
    made = [("AAA_PORT", "Dy", 2031, 40.0, 40.0, 0.0, 0.0)]
    line = ("AAA_PORT", "light_heavy:japanese_support", 2031, 5000.0, 3000.0, 1500.0, 0.5)
    dear = [{**row, "payability": None, "fixed_price": 1e4} for row in records()["sources"]]
    tables = tiny_tables(suppliers=without("Dy"), sources=dear)
    sent = [("AAA_PORT", "Dy", market, 2031, 20.0, 0.0) for market in ("JPN", "USA")]
    plan = {"products": made, "deliveries": sent, "builds": [PLANT], "plant_years": [line]}
    found = reason(tables, ("JPN", "ev", "Dy", 2031, 80.0), **plan)
    assert found == "dearer than going without: no supplier offers it and more feed for the joint plants costs more than the shortage"


def test_reason_joint_product_goes_elsewhere():
    made, surplus = [("AAA_PORT", "Dy", 2030, 40.0, 20.0, 20.0, 0.0)], [("AAA_PORT", "Dy", 2030, 20.0, 0.0)]
    found = reason(tiny_tables(suppliers=without("Dy")), ("JPN", "ev", "Dy", 2030, 100.0), products=made, surplus=surplus)
    assert (
        found
        == "held back by another limit: no supplier offers it and AAA_PORT must sell it elsewhere (USA must get 10 % of what AAA_PORT makes (offtake_minimum on sheet markets))"
    )


TIGHT = ("EACH", "supply", "tonnes", "every_product", "Nd", 2030, 0.5, 50.0, 100.0, 0.5, 0.0, 1.0)


def test_a_clean_offer_that_is_not_bought_is_not_laid_to_a_cap():
    tables = small.book(hosts=[], suppliers=[small.supplier("CLEAN"), small.supplier("CHINA", china_linked=1, price_share=1.1)])
    assert "leaves no room for what CHINA still offers" in reason(tables, ("JPN", "magnets", "Nd", 2030, 100.0), china_shares=[TIGHT])
    tables = small.book(hosts=[], suppliers=[small.supplier("CLEAN")])
    found = reason(tables, ("JPN", "magnets", "Nd", 2030, 100.0), china_shares=[TIGHT])
    assert found == "held back by another limit: CLEAN still offers it, yet the plan does not buy"


def test_an_offer_that_a_cap_keeps_out_is_not_the_reason_by_its_price():
    tables = small.book(hosts=[], suppliers=[small.supplier("CHINA", china_linked=1, price_share=3)])
    free = reason(tables, ("JPN", "magnets", "Nd", 2030, 100.0))
    assert free == "dearer than going without: CHINA asks 300.0 and the shortage costs 200.0 USD/kg"
    capped = reason(tables, ("JPN", "magnets", "Nd", 2030, 100.0), china_shares=[TIGHT])
    assert capped.startswith("held back by another limit: CHINA asks 300.0")
