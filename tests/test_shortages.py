"""Every kind of reason for a shortage, on plans solved by eye.

See `tests/small.py` for the book that each test changes: a kt made costs 20 besides a plant of 10 MUSD a year, a kt bought
100, a kt short 200.
"""

from __future__ import annotations

import pytest

from model.shortage_room import CAP, CAPACITY, DEARER, KINDS, LIMIT, NO_ORE, UNCLEAR
from model.shortages import shortage_reasons
from model.tables import Tables
from tests import small
from tests.small import TWO_YEARS

TWO_PRODUCTS = {
    "elements": [small.element(), small.element("Dy")],
    "prices": [*small.prices(), *small.prices("Dy")],
    "recoveries": [small.recovery(), small.recovery(product="Dy")],
    "composition": [{"source_id": "MINE", "Nd": 1.0, "Dy": 0.0}],
}


def reasons(tables: Tables) -> dict[tuple[str, int], tuple[float, str]]:
    """Return (product, year) -> tonnes short and reason in a verified least-cost plan."""
    solved = small.solve_book(tables)
    small.assert_verified(solved)
    found = shortage_reasons(tables, solved.problem, solved.solution.tables)
    assert set(found["kind"]) <= set(KINDS)
    assert all(reason.startswith(f"{kind}: ") for kind, reason in zip(found["kind"], found["reason"], strict=True))
    return {(row["product"], row["year"]): (pytest.approx(row["tonnes"]), row["reason"]) for row in found.to_dict("records")}


def test_no_feedstock_contains_the_product():
    tables = small.book(**TWO_PRODUCTS, suppliers=[], demand=[small.demand(100, "Dy")])
    assert reasons(tables) == {("Dy", 2030): (100, f"{NO_ORE}: no supplier offers it and no feedstock on sheet sources contains Dy")}


def test_the_first_feedstock_comes_later():
    tables = small.book(TWO_YEARS, sources=[small.source(first_year=2031)], suppliers=[small.supplier(tonnes=300)])
    assert reasons(tables) == {
        ("Nd", 2030): (700, f"{NO_ORE}: suppliers are sold out and the first feedstock that contains Nd is for sale in 2031")
    }


def test_all_feedstock_is_used_up():
    tables = small.book(sources=[small.source(capacity=600)], suppliers=[])
    assert reasons(tables) == {
        ("Nd", 2030): (
            400,
            f"{NO_ORE}: no supplier offers it and all feedstock that contains it and that these plants can have in 2030 is used up",
        )
    }


def test_the_cap_binds():
    # half of what is supplied may be Chinese: 300 t of each, 400 t short
    suppliers = [small.supplier(tonnes=300), small.supplier("CHINA", china_linked=1)]
    tables = small.book(hosts=[], suppliers=suppliers, caps=[small.cap("supply", "tonnes", "every_product", 0.5)])
    assert reasons(tables) == {("Nd", 2030): (400, f"{CAP}: CAP for Nd at 50 % leaves no room for what CHINA still offers")}


def test_no_plant_can_be_ready():
    tables = small.book(TWO_YEARS, hosts=[small.host(earliest_start=2031)], suppliers=[])
    assert reasons(tables) == {("Nd", 2030): (1000, f"{CAPACITY}: no supplier offers it and no joint plant can make it before 2031")}


def test_starting_the_plant_earlier_is_dearer():
    # demand of 2030 is too small to pay for the plant a year earlier
    tables = small.book(TWO_YEARS, suppliers=[], demand=[small.demand(40, but={2031: 1000})])
    words = "no supplier offers it and the next joint plant starts in 2031; starting it earlier costs more than the shortage"
    assert reasons(tables) == {("Nd", 2030): (40, f"{DEARER}: {words}")}


def test_a_budget_keeps_the_plant_from_starting_earlier():
    tables = small.book(TWO_YEARS, suppliers=[], markets=[{**small.market(), 2029: 50}])
    words = "the next joint plant starts in 2031; the capital budget of JPN for 2029 is too small (sheet markets), though starting it earlier would pay"
    assert reasons(tables) == {("Nd", 2030): (1000, f"{LIMIT}: no supplier offers it and {words}")}


def test_the_plant_that_comes_later_cannot_start_earlier():
    # the other site can start in 2030, but its plant never pays
    hosts = [small.host(earliest_start=2031), small.host("DEAR", capex_factor=100)]
    tables = small.book(TWO_YEARS, suppliers=[], hosts=hosts)
    assert reasons(tables) == {("Nd", 2030): (1000, f"{CAPACITY}: no supplier offers it and the next joint plant starts in 2031")}


def test_the_plants_are_ramping_up():
    tables = small.book(designs=[small.design(ramp_1=0.4)], suppliers=[])
    assert reasons(tables) == {
        ("Nd", 2030): (
            600,
            f"{CAPACITY}: no supplier offers it and the joint plants that make it are full while they ramp up (400 of 1,000 t/y)",
        )
    }


def test_buying_is_dearer():
    tables = small.book(hosts=[], suppliers=[small.supplier(price_share=3)])
    assert reasons(tables) == {("Nd", 2030): (1000, f"{DEARER}: SELLER asks 300.0 and the shortage costs 200.0 USD/kg")}


def test_a_dear_offer_of_the_caps_own_share_is_not_kept_out_by_it():
    caps = [small.cap("supply", "tonnes", "all", 0.5)]
    tables = small.book(hosts=[], suppliers=[small.supplier(price_share=3, china_linked=0.5)], caps=caps)
    assert reasons(tables) == {("Nd", 2030): (1000, f"{DEARER}: SELLER asks 300.0 and the shortage costs 200.0 USD/kg")}


def test_a_plant_is_dearer():
    tables = small.book(suppliers=[], designs=[small.design(capex=5000)])
    assert reasons(tables) == {
        ("Nd", 2030): (1000, f"{DEARER}: no supplier offers it and a joint plant for it costs more than the shortage")
    }


def test_a_second_plant_is_dearer():
    tables = small.book(hosts=[small.host(), small.host("OTHER")], suppliers=[], demand=[small.demand(1020)])
    assert reasons(tables) == {
        ("Nd", 2030): (
            20,
            f"{DEARER}: no supplier offers it and the joint plants that make it are full; another costs more than the shortage",
        )
    }


def test_more_feed_is_dearer():
    sources = [small.source(capacity=600), small.source("DEAR", fixed_price=300)]
    tables = small.book(sources=sources, suppliers=[])
    assert reasons(tables) == {
        ("Nd", 2030): (400, f"{DEARER}: no supplier offers it and more feed for the joint plants costs more than the shortage")
    }


FULL = "the joint plants that make it are full"
TWO_HOSTS = [small.host(), small.host("OTHER", capex_factor=1.1)]
ONLY_ONE = "no more than 1 joint plants may be built (max_plants on sheet settings), though another at OTHER would pay"
BUSY = {"hosts": TWO_HOSTS, "demand": [small.demand(2000)]}
"""Two plants would pay: each serves 1 kt that is short at 200 for 20 and a plant of 10 or 11."""


def test_no_more_plants_may_be_built():
    tables = small.book({"max_plants": 1, "plants_per_host": 2}, **BUSY, suppliers=[])
    assert reasons(tables) == {("Nd", 2030): (1000, f"{LIMIT}: no supplier offers it and {FULL}; {ONLY_ONE}")}


def test_a_dear_offer_does_not_hide_that_no_more_plants_may_be_built():
    tables = small.book({"max_plants": 1, "plants_per_host": 2}, **BUSY, suppliers=[small.supplier(price_share=3)])
    assert reasons(tables) == {("Nd", 2030): (1000, f"{LIMIT}: SELLER asks 300.0 and the shortage costs 200.0 USD/kg; {FULL}; {ONLY_ONE}")}


def test_a_dear_offer_is_the_reason_where_a_further_plant_would_not_pay():
    tables = small.book({"max_plants": 1}, hosts=TWO_HOSTS, suppliers=[small.supplier(price_share=3)], demand=[small.demand(1020)])
    assert reasons(tables) == {("Nd", 2030): (20, f"{DEARER}: SELLER asks 300.0 and the shortage costs 200.0 USD/kg")}


def test_a_ton_on_offer_does_not_hide_that_the_plants_are_ramping_up():
    tables = small.book(designs=[small.design(ramp_1=0.4)], suppliers=[small.supplier(tonnes=1, price_share=3)])
    asks = "SELLER asks 300.0 for the last 1 t on offer and the shortage costs 200.0 USD/kg"
    words = f"{asks}; the joint plants that make it are full while they ramp up (400 of 1,000 t/y)"
    assert reasons(tables) == {("Nd", 2030): (600, f"{CAPACITY}: {words}")}


def test_a_host_may_hold_no_more_plants():
    designs = [small.design(), small.design("SECOND")]
    tables = small.book(designs=designs, demand=[small.demand(2000)], suppliers=[])
    words = "HOST may hold no more than 1 (plants_per_host on sheet settings), though another at HOST would pay"
    assert reasons(tables) == {("Nd", 2030): (1000, f"{LIMIT}: no supplier offers it and {FULL}; {words}")}


def test_a_design_can_be_had_once_a_year_at_a_host():
    tables = small.book({"plants_per_host": 2}, demand=[small.demand(2000)], suppliers=[])
    words = "PLANT comes on line at HOST once in 2030 (another design on sheet designs), though another at HOST would pay"
    assert reasons(tables) == {("Nd", 2030): (1000, f"{LIMIT}: no supplier offers it and {FULL}; {words}")}


def test_the_capital_budget_is_spent():
    tables = small.book(**BUSY, suppliers=[], markets=[{**small.market(), 2029: 120}])
    words = "the capital budget of JPN for 2029 is too small (sheet markets), though another at OTHER would pay"
    assert reasons(tables) == {("Nd", 2030): (1000, f"{LIMIT}: no supplier offers it and {FULL}; {words}")}


def test_no_country_may_hold_that_share():
    tables = small.book({"country_share_limit": 0.5}, suppliers=[])
    words = "HHH would hold more than 50 % of joint capacity in 2030 (country_share_limit on sheet settings), though a joint plant at HOST would pay"
    assert reasons(tables) == {("Nd", 2030): (1000, f"{LIMIT}: no supplier offers it and {words}")}


CHINESE = [small.source(china_linked=1), small.source("CLEAN", capacity=200)]
"""A cap of 30 % lets 200 t of clean feed bring 85.7 t of Chinese with them."""


@pytest.mark.parametrize("basis", ["feedstock", "supply"])
def test_a_cap_keeps_chinese_feed_out_of_plants_that_have_room(basis):
    tables = small.book(suppliers=[], sources=CHINESE, caps=[small.cap(basis, "tonnes", "all", 0.3)])
    words = "no supplier offers it and CAP at 30 % leaves no room for more feed from MINE"
    assert reasons(tables) == {("Nd", 2030): (1000 - 200 / 0.7, f"{CAP}: {words}")}


@pytest.mark.parametrize("basis", ["feedstock", "supply"])
def test_a_cap_keeps_a_plant_from_being_built(basis):
    tables = small.book(suppliers=[], sources=CHINESE[:1], caps=[small.cap(basis, "tonnes", "all", 0.3)])
    words = "no supplier offers it and CAP at 30 % leaves no room for more feed from MINE, though a joint plant at HOST would pay"
    assert reasons(tables) == {("Nd", 2030): (1000, f"{CAP}: {words}")}


def test_chinese_feed_that_is_dearer_than_the_shortage_is_not_blamed_on_the_cap():
    dear = [small.source(china_linked=1, fixed_price=250), CHINESE[1]]
    tables = small.book(suppliers=[], sources=dear, caps=[small.cap("feedstock", "tonnes", "all", 0.3)])
    assert all(kind not in reason for _, reason in reasons(tables).values() for kind in (CAP, LIMIT + ":"))


def test_a_rule_limits_the_feed():
    tables = small.book(suppliers=[], host_rules=[small.rule("feed_ceiling", 300)])
    words = "no supplier offers it and rule feed_ceiling lets HOST take in no more feed (sheet host_rules)"
    assert reasons(tables) == {("Nd", 2030): (700, f"{LIMIT}: {words}")}


def test_a_rule_limits_the_exports():
    # what cannot be exported is not made, as disposing of it costs money
    tables = small.book(suppliers=[], host_rules=[small.rule("export_ceiling", 300)], prices=small.prices(surplus=-5))
    words = "no supplier offers it and rule export_ceiling lets HOST export no more (sheet host_rules)"
    assert reasons(tables) == {("Nd", 2030): (700, f"{LIMIT}: {words}")}


def test_nothing_is_advised_where_neither_is_shown():
    # another plant for the last 20 t is not allowed, and would not pay at one source a year
    tables = small.book({"max_plants": 1}, hosts=TWO_HOSTS, suppliers=[], demand=[small.demand(1020)])
    words = "whether another would pay is not known: no more than 1 joint plants may be built (max_plants on sheet settings)"
    assert reasons(tables) == {("Nd", 2030): (20, f"{UNCLEAR}: no supplier offers it and {FULL}; {words}")}


def test_a_stopped_search_does_not_show_that_a_plant_is_dearer():
    solved = small.solve_book(small.book(suppliers=[], designs=[small.design(capex=5000)]))
    found = shortage_reasons(solved.tables, solved.problem, solved.solution.tables, proven=False)
    assert found["kind"].tolist() == [UNCLEAR]
    assert "the search stopped before it was proven that no joint plant for it pays" in found["reason"].iloc[0]


def test_a_rule_keeps_the_product_in_the_country():
    tables = small.book(suppliers=[], host_rules=[small.rule("export_share", 0.3)], prices=small.prices(surplus=50))
    assert reasons(tables) == {("Nd", 2030): (700, f"{LIMIT}: no supplier offers it and HOST must sell it elsewhere (rule export_share)")}


def test_no_site_may_treat_the_feedstock():
    tables = small.book(hosts=[small.host(thorium_accepted="none")], sources=[small.source(thorium="high")], suppliers=[])
    assert reasons(tables) == {("Nd", 2030): (1000, f"{LIMIT}: no supplier offers it and no site may treat the feedstock that contains it")}
