"""What a plan leaves unused and which limits it has come up to, on flows set by hand."""

from __future__ import annotations

import pytest

from model.problem_builder import build_problem
from model.shortage_room import CAP, LIMIT, NO_ORE, Room
from tests import small
from tests.test_analysis import frames

LINE = "light_heavy:own"
FEED = ("MINE", "HOST", LINE, 2030)


def room(tables: small.Tables, **rows: list[tuple]) -> Room:
    return Room(build_problem(tables), frames(**rows))


def share(basis: str, scope: str, member: str, slack: float = 0.0, price: float = 0.0) -> tuple:
    """Return a cap of a half on 100 t of which half are Chinese."""
    return ("C", basis, "tonnes", scope, member, 2030, 0.5, 50.0, 100.0, 0.5, slack, price)


def kinds(found: Room, source: str = "MINE", product: str = "Nd", market: str = "JPN") -> list[str]:
    return [limit.kind for limit in found.feed_limits((source, "HOST", LINE, 2030), product, market)]


SOURCES = [small.source(china_linked=1), small.source("CLEAN", capacity=200)]


def test_a_cap_keeps_out_chinese_feed_and_no_other():
    found = room(
        small.book(sources=SOURCES), feed=[("CLEAN", "HOST", LINE, 2030, 200.0, 0.0)], china_shares=[share("feedstock", "all", "")]
    )
    assert (kinds(found), kinds(found, "CLEAN")) == ([CAP], [NO_ORE])


@pytest.mark.parametrize(
    ("scope", "member", "holds"),
    [("host", "HOST", True), ("host", "OTHER", False), ("partner", "JPN", True), ("partner", "USA", False), ("product", "Nd", True),
     ("product", "Dy", False)],
)  # fmt: skip
def test_a_cap_on_feedstock_holds_for_what_it_counts(scope, member, holds):
    found = room(small.book(sources=SOURCES), china_shares=[share("feedstock", scope, member)])
    assert kinds(found) == ([CAP] if holds else [])


@pytest.mark.parametrize(("slack", "price", "binds"), [(0.0, 0.0, True), (0.01, 0.0, False), (0.01, 5.0, True)])
def test_a_cap_binds_where_nothing_is_left_or_a_point_more_has_a_price(slack, price, binds):
    found = room(small.book(sources=SOURCES), china_shares=[share("supply", "all", "", slack, price)])
    assert kinds(found) == ([CAP] if binds else [])


def shipped(host: str = "HHH", rule: small.Row | None = None, usa: float = 200.0) -> Room:
    """Return 1 kt made of which Japan gets what the USA do not; each is to get a fifth."""
    markets = [small.market("JPN", equity=0.5, offtake_minimum=0.2), small.market("USA", equity=0.5, offtake_minimum=0.2)]
    tables = small.book(markets=markets, hosts=[small.host(country=host)], host_rules=[rule] if rule else [])
    sent = [("HOST", "Nd", "JPN", 2030, 1000.0 - usa, 0.0), ("HOST", "Nd", "USA", 2030, usa, 0.0)]
    return room(tables, deliveries=sent, products=[("HOST", "Nd", 2030, 1000.0, 1000.0, 0.0, 0.0)])


def words(found: Room, market: str) -> list[str]:
    limits = found.delivery_limits("HOST", "Nd", market, 2030)
    assert {limit.kind for limit in limits} <= {LIMIT}
    return [limit.words for limit in limits]


def test_a_partner_at_its_least_offtake_keeps_the_other_from_more():
    assert words(shipped(), "JPN") == ["USA must get 20 % of what HOST makes (offtake_minimum on sheet markets)"]
    assert words(shipped(), "USA") == []
    assert words(shipped(usa=300), "JPN") == []


def test_export_rules_keep_back_what_goes_abroad_alone():
    told = ["rule export_ceiling lets HOST export no more (sheet host_rules)"]
    assert words(shipped(usa=300, rule=small.rule("export_ceiling", 1000)), "USA") == told
    assert words(shipped(usa=300, rule=small.rule("export_ceiling", 1001)), "USA") == []
    # of 1 kt made in Japan 300 t go abroad
    assert words(shipped("JPN", usa=300, rule=small.rule("export_ceiling", 300)), "JPN") == []
    assert words(shipped("JPN", usa=300, rule=small.rule("export_ceiling", 300)), "USA") == told
    told = ["rule export_share lets HOST export no more (sheet host_rules)"]
    assert words(shipped("JPN", usa=300, rule=small.rule("export_share", 0.3)), "USA") == told
    assert words(shipped("JPN", usa=300, rule=small.rule("export_share", 0.4)), "USA") == []


def test_those_left_short_come_first_then_what_need_not_be_bought_and_last_the_surplus():
    offers = [small.supplier("FIRM", tonnes=400, price_share=1.2, least_take=0.5), small.supplier("CHEAP", price_share=0.1)]
    tables = small.book(suppliers=offers, prices=small.prices(surplus=15))
    bought = [("FIRM", "Nd", "*", "JPN", 2030, 400.0, 0.0), ("CHEAP", "Nd", "*", "JPN", 2030, 300.0, 0.0)]
    found = room(tables, purchases=bought, unmet=[("JPN", "magnets", "Nd", 2030, 50.0)])
    # what is bought for 10 is worth less than the surplus fetches
    told = [(outlet.value, outlet.room, outlet.market) for outlet in found.outlets("HOST", "Nd", 2030)]
    assert told == [(200, pytest.approx(0.05), "JPN"), (pytest.approx(120), pytest.approx(0.2), "JPN"), (15, float("inf"), "")]


def test_where_nothing_is_made_a_share_of_it_holds_nothing_back():
    rules = [small.rule("export_share", 0.3)]
    assert words(room(small.book(host_rules=rules)), "JPN") == []
    none = [small.rule("export_share", 0)]
    assert len(words(room(small.book(host_rules=none)), "JPN")) == 1


def test_what_a_kt_saves_those_left_short_is_net_of_its_way_there():
    duty = {"measure": "tariff", "stage": "oxide", "origin": "HHH", "destination": "JPN", "rate": 10}
    short = [("JPN", "magnets", "Nd", 2030, 50.0)]
    found = room(small.book(duties=[duty]), unmet=short, purchases=[("SELLER", "Nd", "*", "JPN", 2030, 300.0, 0.0)])
    assert [outlet.value for outlet in found.outlets("HOST", "Nd", 2030)] == pytest.approx([190, 90, 0])
    assert found.serving_cost(FEED, "Nd", "JPN") == pytest.approx(20 + 10)


def test_nobody_abroad_takes_more_where_exports_are_limited():
    found = room(small.book(host_rules=[small.rule("export_ceiling", 500)]), unmet=[("JPN", "magnets", "Nd", 2030, 50.0)])
    assert [outlet.market for outlet in found.outlets("HOST", "Nd", 2030)] == [""]


def test_a_kt_costs_its_feed_less_what_comes_with_it():
    # 2.5 kt of feed at 20 for 1 kt of Nd, with 0.75 kt of Ce that is sold at 1 or disposed of at 2
    for surplus in (1.0, -2.0):
        found = room(small.book(suppliers=[], demand=[small.demand()], **small.two_products(surplus)))
        assert found.serving_cost(FEED, "Nd", "JPN") == pytest.approx(2.5 * 20 - 0.75 * surplus)


def test_more_goes_first_to_those_who_pay_more_and_spares_what_is_made_at_more():
    # 100 t short at 1,000, 300 t bought for 100, 200 t made of feed that costs 150
    sources = [small.source(), small.source("DEAR", fixed_price=150)]
    sectors = [small.sector(shortage_cost=1000), small.sector("glass", shortage_cost=50)]
    tables = small.book(sources=sources, sectors=sectors, demand=[small.demand(), small.demand(100, who="glass")])
    found = room(
        tables,
        unmet=[("JPN", "magnets", "Nd", 2030, 100.0), ("JPN", "glass", "Nd", 2030, 70.0)],
        purchases=[("SELLER", "Nd", "*", "JPN", 2030, 300.0, 0.0)],
        feed=[("DEAR", "HOST", LINE, 2030, 200.0, 0.0)],
    )
    way = ("HOST", "Nd", "JPN", 2030)
    assert [found.taken_first(way, cost) for cost in (1000, 500, 149, 99, 50)] == pytest.approx([0, 0.1, 0.3, 0.6, 0.6])
    assert not found.serves(FEED, 0.6, "Nd", "JPN", 50)
    assert found.serves(FEED, 0.7, "Nd", "JPN", 50)
    assert found.serves(FEED, 0.2, "Nd", "JPN", 50, made=0.5)


@pytest.mark.parametrize(("measure", "unit"), [("tonnes", 1000), ("value", 100)])
def test_a_cap_has_room_for_what_keeps_its_share(measure, unit):
    # half of 160 may be Chinese and 50 are: 60 more
    cap = ("C", "supply", measure, "all", "", 2030, 0.5, 50.0, 160.0, 50 / 160, 0.5 - 50 / 160, 0.0)
    found = room(small.book(), china_shares=[cap])
    kt = 60 / unit
    assert [left for _, left in found.nearly_full("JPN", "Nd", 2030, 1.0, kt * 1.01)] == [pytest.approx(kt)]
    assert list(found.nearly_full("JPN", "Nd", 2030, 1.0, kt * 0.99)) == []
    assert list(found.nearly_full("JPN", "Nd", 2030, 0.5, 9)) == []
