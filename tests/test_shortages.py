"""Every kind of reason for a shortage, on plans solved by eye.

See `tests/small.py` for the book that each test changes: a kt made costs 20 besides a plant of 10 MUSD a year, a kt bought
100, a kt short 200.
"""

from __future__ import annotations

import pytest

from model.shortages import CAP, CAPACITY, DEARER, KINDS, LIMIT, NO_ORE, shortage_reasons
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
    found = shortage_reasons(solved.problem, solved.solution.tables)
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


def test_the_plant_comes_later():
    # demand of 2030 is too small to pay for the plant a year earlier
    tables = small.book(TWO_YEARS, suppliers=[], demand=[small.demand(40, but={2031: 1000})])
    assert reasons(tables) == {("Nd", 2030): (40, f"{CAPACITY}: no supplier offers it and the next joint plant starts in 2031")}


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


def test_a_plant_is_dearer():
    tables = small.book(suppliers=[], designs=[small.design(capex=5000)])
    assert reasons(tables) == {
        ("Nd", 2030): (1000, f"{DEARER}: no supplier offers it and a joint plant for it costs more than the shortage")
    }


def test_a_second_plant_is_dearer():
    tables = small.book({"plants_per_host": 2}, suppliers=[], demand=[small.demand(1020)])
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


def test_no_more_plants_may_be_built():
    tables = small.book({"max_plants": 1}, hosts=[small.host(), small.host("OTHER")], suppliers=[], demand=[small.demand(2000)])
    assert reasons(tables) == {
        ("Nd", 2030): (
            1000,
            f"{LIMIT}: no supplier offers it and no more than 1 joint plants may be built (max_plants on sheet settings)",
        )
    }


def test_a_rule_keeps_the_product_in_the_country():
    tables = small.book(suppliers=[], host_rules=[small.rule("export_share", 0.3)], prices=small.prices(surplus=50))
    assert reasons(tables) == {("Nd", 2030): (700, f"{LIMIT}: no supplier offers it and HOST must sell it elsewhere (rule export_share)")}


def test_no_site_may_treat_the_feedstock():
    tables = small.book(hosts=[small.host(thorium_accepted="none")], sources=[small.source(thorium="high")], suppliers=[])
    assert reasons(tables) == {("Nd", 2030): (1000, f"{LIMIT}: no supplier offers it and no site may treat the feedstock that contains it")}
