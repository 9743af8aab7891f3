"""Every constraint on what is China-linked, solved by eye: where it binds, leaves room and forbids.

Costs are MUSD; see `tests/small.py` for the book that each test changes.
"""

from __future__ import annotations

from tests import small
from tests.small import STOCK_ONLY, TWO_MARKETS, approx, two_products

# --- china_balance and its links: JPN takes nothing China-linked, USA anything ------------------------

CLEAN_JPN = [small.cap("supply", "tonnes", "partner", 0, "JPN")]


def _origin(china: float, jpn: float, usa: float) -> dict:
    """Ore of a China-linked share; a clean seller at 120 for both markets."""
    return {
        "sources": [small.source(china_linked=china)],
        "markets": TWO_MARKETS,
        "demand": [small.demand(jpn), small.demand(usa, where="USA")],
        "suppliers": [small.supplier(price_share=1.2)],
        "caps": CLEAN_JPN,
    }


def test_china_balance_binds():
    # 1 kt made, 0.6 of it China-linked: USA 0.5 kt, all of it linked, 0.1 kt surplus, JPN 0.4 kt clean and 0.1 kt bought at 120
    solved = small.check_binds(small.book(**_origin(0.6, 500, 500)), "china_balance", cost=10 + 20 + 12, free=30)
    assert solved.tonnes("deliveries", "china_tonnes", market="USA") == approx(500)
    assert solved.tonnes("surplus", "china_tonnes") == approx(100)
    assert solved.tonnes("products", "china_made") == approx(600)


def test_china_balance_adds_up_where_no_cap_asks():
    # an equation leaves no room; with nothing bought, all 0.3 kt of the content is in deliveries
    solved = small.solve_book(small.book(**{**_origin(0.3, 500, 500), "caps": []}))
    assert solved.cost == approx(30)
    assert solved.tonnes("deliveries", "china_tonnes") == approx(300)


def test_china_balance_forbids():
    # a clean stock cannot come from China-linked ore
    tables = small.book(sources=[small.source(china_linked=1)], caps=CLEAN_JPN, **STOCK_ONLY)
    small.check_infeasible(tables, "china_balance")


def test_china_delivered_link_binds():
    # as for the balance: USA's 0.5 kt hold no more than 0.5 kt of the 0.6
    small.check_binds(small.book(**_origin(0.6, 500, 500)), "china_delivered_link", cost=42, free=30)


def test_china_delivered_link_leaves_room():
    # USA's 0.5 kt hold the 0.3 kt
    small.check_slack(small.book(**_origin(0.3, 500, 500)), "china_delivered_link", cost=30)


def test_china_delivered_link_forbids():
    # USA's 0.1 kt cannot hold half a kt, and the surplus that could leaves no 0.7 kt for JPN's stock
    tables = small.book(
        **{**_origin(0.5, 1000, 100), "suppliers": [], "stockpiles": [small.stockpile(days=255.5)]},
    )
    small.check_infeasible(tables, "china_delivered_link")


def test_china_surplus_link_binds():
    # half of the ore is China-linked and only JPN buys: 1 kt made, 0.5 kt delivered, 0.5 kt surplus holds the linked half
    solved = small.check_binds(small.book(**_origin(0.5, 500, 0)), "china_surplus_link", cost=30, free=20)
    assert solved.tonnes("surplus", "china_tonnes") == approx(500)


def test_china_surplus_link_leaves_room():
    # nobody wants the 0.3 kt Ce, so they are surplus; 0.4 of them, 0.12 kt, is China-linked
    caps = [small.cap("supply", "tonnes", "partner", 0.9, "JPN")]
    tables = small.book(sources=[small.source(china_linked=0.4)], caps=caps, **two_products(0))
    small.check_slack(tables, "china_surplus_link", cost=10 + 20 + 60)


def test_china_surplus_link_forbids():
    # half a kt clean for JPN's stock of 0.7 kt
    tables = small.book(sources=[small.source(china_linked=0.5)], caps=CLEAN_JPN, suppliers=[], stockpiles=[small.stockpile(days=255.5)])
    small.check_infeasible(tables, "china_surplus_link")


# --- china_out_minimum: a cap on all supply, whoever gets it --------------------------------------------

CLEAN_SUPPLY = [small.cap("supply", "tonnes", "all", 0)]


def test_china_out_minimum_binds():
    # half of the ore is China-linked: 1 kt made, the linked half is surplus, 0.5 kt is delivered and 0.5 kt bought
    tables = small.book(sources=[small.source(china_linked=0.5)], caps=CLEAN_SUPPLY)
    solved = small.check_binds(tables, "china_out_minimum", cost=10 + 20 + 50, free=30)
    assert solved.tonnes("surplus", "china_tonnes") == approx(500)
    assert solved.tonnes("deliveries", "china_tonnes") == approx(0)


def test_china_out_minimum_leaves_room():
    # nobody wants the 0.3 kt Ce: all 0.09 kt of linked Ce is surplus; 0.3 of the Nd is linked, within its cap
    cerium = {**two_products(0), "demand": [small.demand(), small.demand(100, "Ce")], "suppliers": [small.supplier()]}
    tables = small.book(sources=[small.source(china_linked=0.3)], caps=[small.cap("supply", "tonnes", "all", 0.9)], **cerium)
    small.check_slack(tables, "china_out_minimum", cost=10 + 20 + 60)


def test_china_out_minimum_forbids():
    # half a kt clean for JPN's stock of 0.7 kt
    tables = small.book(
        sources=[small.source(china_linked=0.5)], caps=CLEAN_SUPPLY, suppliers=[], stockpiles=[small.stockpile(days=255.5)]
    )  # fmt: skip
    small.check_infeasible(tables, "china_out_minimum")


def test_china_linked_deliveries_are_told_apart_only_where_a_cap_needs_it():
    capped = {"supply": ("all", ""), "feedstock": ("partner", "JPN")}
    columns = {}
    for basis, (scope, member) in capped.items():
        _, matrix = small.matrix_of(
            small.book(sources=[small.source(china_linked=0.5)], caps=[small.cap(basis, "tonnes", scope, 0.5, member)])
        )
        columns[basis] = {name for name, _ in matrix.columns if name.startswith("china")}
    assert columns == {"supply": {"china_out"}, "feedstock": {"china_delivered", "china_surplus"}}
    _, matrix = small.matrix_of(small.book(sources=[small.source(china_linked=0.5)], caps=[small.cap("supply", "tonnes", "all", 1)]))
    assert not {name for name, _ in matrix.columns if name.startswith("china")}
