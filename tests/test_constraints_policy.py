"""Every constraint that governments set, solved by eye: where it binds, leaves room and forbids.

Costs are MUSD; see `tests/small.py` for the book that each test changes.
"""

from __future__ import annotations

import pytest

from tests import small
from tests.small import approx

# --- china_cap ----------------------------------------------------------------------------------------
#
# A plant of 1 kt fed with China-linked ore C (Nd 0.5, Ce 0.5) at 20 and clean ore W (Nd 0.25, Ce 0.75) at 8.
# Nd is worth 100, Ce 20, so a kt of C is worth 60 (earns 40) and one of W 40 (earns 32). JPN wants 1 kt Nd and 1.5 kt Ce,
# and a clean seller offers both: 130 if all is bought. With the plant full (W = 1 - C) the cost is
# 130 + 10 - 40 C - 32 (1 - C) = 108 - 8 C. Every kt of C earns 8 more, so C rises to what the cap allows, at most 1 (cost 100).
# Attributing China-linked product to surplus instead would lose 20 a kt of Ce and never pays.


def _two_ores(**sheets: list[small.Row]) -> dict:
    return {
        "elements": [small.element("Nd"), small.element("Ce")],
        "prices": [*small.prices("Nd", 100), *small.prices("Ce", 20)],
        "recoveries": [small.recovery(product="Nd"), small.recovery(product="Ce")],
        "sources": [small.source("C", china_linked=1), small.source("W", fixed_price=8)],
        "composition": [{"source_id": "C", "Nd": 0.5, "Ce": 0.5}, {"source_id": "W", "Nd": 0.25, "Ce": 0.75}],
        "demand": [small.demand(1000, "Nd"), small.demand(1500, "Ce")],
        "suppliers": [small.supplier(product="Nd"), small.supplier(product="Ce")],
        **sheets,
    }


BINDING = [
    # feedstock: C <= 0.6 (C + W)
    (small.cap("feedstock", "tonnes", "all", 0.6), 0.6),
    # 60 C <= 0.6 (60 C + 40 W): 48 C <= 24
    (small.cap("feedstock", "value", "all", 0.6), 0.5),
    (small.cap("feedstock", "tonnes", "host", 0.6, "HOST"), 0.6),
    (small.cap("feedstock", "value", "host", 0.6, "HOST"), 0.5),
    # Nd: 0.5 C <= 0.6 (0.5 C + 0.25 W): 0.35 C <= 0.15; the price of one product cancels
    (small.cap("feedstock", "tonnes", "product", 0.6, "Nd"), 3 / 7),
    (small.cap("feedstock", "value", "product", 0.6, "Nd"), 3 / 7),
    # Ce: 0.5 C <= 0.6 (0.5 C + 0.75 W): 0.65 C <= 0.45
    (small.cap("feedstock", "tonnes", "product", 0.6, "Ce"), 9 / 13),
    # every product: the tighter of the two, Nd
    (small.cap("feedstock", "tonnes", "every_product", 0.6), 3 / 7),
    (small.cap("feedstock", "value", "every_product", 0.6), 3 / 7),
    # what reaches JPN of the joint product, all of it: as for feed
    (small.cap("feedstock", "tonnes", "partner", 0.6, "JPN"), 0.6),
    (small.cap("feedstock", "value", "partner", 0.6, "JPN"), 0.5),
    # supply: C <= 0.2 x 2.5 kt
    (small.cap("supply", "tonnes", "all", 0.2), 0.5),
    # 60 C <= 0.2 x 130
    (small.cap("supply", "value", "all", 0.2), 13 / 30),
    # Nd: 0.5 C <= 0.2 x 1 kt
    (small.cap("supply", "tonnes", "product", 0.2, "Nd"), 0.4),
    (small.cap("supply", "value", "product", 0.2, "Nd"), 0.4),
    # Ce: 0.5 C <= 0.2 x 1.5 kt
    (small.cap("supply", "tonnes", "product", 0.2, "Ce"), 0.6),
    (small.cap("supply", "tonnes", "every_product", 0.2), 0.4),
    (small.cap("supply", "value", "every_product", 0.2), 0.4),
    (small.cap("supply", "tonnes", "partner", 0.2, "JPN"), 0.5),
    (small.cap("supply", "value", "partner", 0.2, "JPN"), 13 / 30),
    # what leaves the host, all of it joint product: as for feed
    (small.cap("supply", "tonnes", "host", 0.6, "HOST"), 0.6),
    (small.cap("supply", "value", "host", 0.6, "HOST"), 0.5),
]


def _name(value: object) -> str:
    return "-".join(str(value[key]) for key in ("basis", "measure", "scope", "member") if value[key]) if isinstance(value, dict) else ""


@pytest.mark.parametrize(("cap", "c"), BINDING, ids=_name)
def test_china_cap_binds(cap, c):
    solved = small.check_binds(small.book(**_two_ores(caps=[cap])), "china_cap", cost=108 - 8 * c, free=100)
    assert solved.tonnes("feed", source_id="C") == approx(1000 * c)
    shares = solved.solution.tables["china_shares"]
    assert shares["slack"].min() == pytest.approx(0, abs=1e-7)
    assert shares["marginal_cost"].max() > 1e-6


@pytest.mark.parametrize("cap", [cap for cap, _ in BINDING], ids=_name)
def test_china_cap_leaves_room(cap):
    # 0.1 kt of C to be had: at most 0.1 of any feed, 0.06 of any supply by value
    sources = [small.source("C", china_linked=1, capacity=100), small.source("W", fixed_price=8)]
    solved = small.check_slack(small.book(**_two_ores(caps=[cap], sources=sources)), "china_cap", cost=108 - 0.8)
    assert (solved.solution.tables["china_shares"]["marginal_cost"] == 0).all()


@pytest.mark.parametrize("cap", [cap for cap, _ in BINDING], ids=_name)
def test_china_cap_forbids(cap):
    # nothing China-linked, nothing but C to be had and a stock of every product to be held
    nothing = {**cap, **small.yearly(0)}
    tables = small.book(
        **_two_ores(
            caps=[nothing], suppliers=[], sources=[small.source("C", china_linked=1)],
            stockpiles=[small.stockpile(days=36.5), small.stockpile(days=36.5, product="Ce")],
        )
    )  # fmt: skip
    small.check_infeasible(tables, "china_cap")


def test_china_cap_of_one_host_leaves_the_other_alone():
    # two plants of 0.5 kt: HOST takes 0.6 x 0.5 kt of C, OTHER 0.5 kt
    tables = small.book(
        **_two_ores(
            hosts=[small.host(), small.host("OTHER")], designs=[small.design(capacity=500, capex=50)],
            caps=[small.cap("feedstock", "tonnes", "host", 0.6, "HOST")],
        )
    )  # fmt: skip
    solved = small.check_binds(tables, "china_cap", cost=108 - 8 * 0.8, free=100)
    assert solved.tonnes("feed", source_id="C", host="HOST") == approx(300)


@pytest.mark.parametrize(
    ("cap", "c"),
    [
        # USA takes 0.1 kt Nd, all of it China-linked. JPN's joint product is 0.9 kt: C - 0.1 <= 0.5 x 0.9
        (small.cap("feedstock", "tonnes", "partner", 0.5, "JPN"), 0.55),
        # 60 C - 10 <= 0.5 (60 C + 40 (1 - C) - 10): 50 C <= 25
        (small.cap("feedstock", "value", "partner", 0.5, "JPN"), 0.5),
        # C - 0.1 <= 0.1 x 2.5
        (small.cap("supply", "tonnes", "partner", 0.1, "JPN"), 0.35),
        # 60 C - 10 <= 0.1 x 130
        (small.cap("supply", "value", "partner", 0.1, "JPN"), 23 / 60),
    ],
    ids=_name,
)
def test_china_cap_of_one_partner_leaves_the_other_alone(cap, c):
    tables = small.book(
        **_two_ores(
            caps=[cap], markets=[small.market("JPN", equity=0.5), small.market("USA", equity=0.5)],
            demand=[small.demand(1000, "Nd"), small.demand(1500, "Ce"), small.demand(100, "Nd", "USA")],
        )
    )  # fmt: skip
    solved = small.check_binds(tables, "china_cap", cost=118 - 8 * c, free=110)
    assert solved.tonnes("deliveries", "china_tonnes", market="USA") == approx(100)


def test_china_cap_on_supply_counts_bought_oxide():
    # no plant; the linked seller at 100, a clean one at 120: 0.3 kt linked of 1 kt
    tables = small.book(
        hosts=[], suppliers=[small.supplier("LINKED", china_linked=1), small.supplier("CLEAN", price_share=1.2)],
        caps=[small.cap("supply", "tonnes", "all", 0.3)],
    )  # fmt: skip
    small.check_binds(tables, "china_cap", cost=30 + 84, free=100)


def test_china_cap_on_supply_counts_a_partly_linked_seller_in_part():
    # half linked: 0.6 kt of it hold 0.3 kt
    tables = small.book(
        hosts=[], suppliers=[small.supplier("PARTLY", china_linked=0.5), small.supplier("CLEAN", price_share=1.2)],
        caps=[small.cap("supply", "tonnes", "all", 0.3)],
    )  # fmt: skip
    small.check_binds(tables, "china_cap", cost=60 + 48, free=100)


def test_china_cap_holds_in_its_years_only():
    limit = {**small.cap("feedstock", "tonnes", "all", 0.6), 2030: None}
    tables = small.book({"last_year": 2031, "modelled_years": "all"}, **_two_ores(caps=[limit]))
    solved = small.check_binds(tables, "china_cap", cost=100 + 103.2, free=200)
    assert solved.solution.tables["china_shares"]["year"].tolist() == [2031]


# --- offtake_minimum: JPN has no other seller (a kt short costs 200), USA buys at 100 ---------------------


def _two_partners(usa: float, jpn: float = 0, **sheets: list[small.Row]) -> dict:
    return {
        "markets": [small.market("JPN", equity=0.5, offtake_minimum=jpn), small.market("USA", equity=0.5, offtake_minimum=usa)],
        "demand": [small.demand(), small.demand(where="USA")],
        "suppliers": [small.supplier(where="USA")],
        **sheets,
    }


def test_offtake_minimum_binds():
    # the plant's kt: 0.25 to USA, so JPN is 0.25 kt short (50) and USA buys 0.75 kt; else all goes to JPN, and USA buys 1 kt
    solved = small.check_binds(small.book(**_two_partners(0.25)), "offtake_minimum", cost=30 + 50 + 75, free=130)
    assert solved.tonnes("deliveries", market="USA") == approx(250)


def test_offtake_minimum_is_measured_by_value():
    # 0.5 kt Nd at 100 and 0.5 kt Ce at 20 are worth 60, of which USA gets 15: as 0.15 kt Nd, for which JPN is short (30) and USA
    # buys less (15). As Ce it would be 0.75 kt, each as dear to be short of.
    goods = {
        "elements": [small.element("Nd"), small.element("Ce")],
        "prices": [*small.prices("Nd", 100), *small.prices("Ce", 20)],
        "composition": [{"source_id": "MINE", "Nd": 0.5, "Ce": 0.5}],
        "recoveries": [small.recovery(product="Nd"), small.recovery(product="Ce")],
        "demand": [small.demand(500, product, where) for product in ("Nd", "Ce") for where in ("JPN", "USA")],
        "suppliers": [small.supplier(product=product, where="USA") for product in ("Nd", "Ce")],
    }
    # free: plant 30, USA buys 50 + 10
    small.check_binds(small.book(**{**_two_partners(0.25), **goods}), "offtake_minimum", cost=90 - 15 + 30, free=90)


def test_offtake_minimum_counts_surplus_in_what_is_made():
    # by-product nobody wants (0.5 kt worth 50 a kt) raises USA's part: 0.25 x (50 + 25) = 18.75, as 0.1875 kt Nd
    goods = {
        "elements": [small.element("Nd"), small.element("Ce")],
        "prices": [*small.prices("Nd", 100), *small.prices("Ce", 50)],
        "composition": [{"source_id": "MINE", "Nd": 0.5, "Ce": 0.5}],
        "recoveries": [small.recovery(product="Nd"), small.recovery(product="Ce")],
    }
    tables = small.book(**{**_two_partners(0.25), **goods})
    # free: plant 30, JPN 0.5 kt short 100, USA buys 100
    solved = small.check_binds(tables, "offtake_minimum", cost=230 + 0.1875 * 100, free=230)
    assert solved.tonnes("deliveries", market="USA") == approx(187.5)


def test_offtake_minimum_leaves_room():
    small.check_slack(small.book(**_two_partners(0, jpn=0.5)), "offtake_minimum", cost=130)


def test_offtake_minimum_forbids():
    # a stock in JPN to be filled by the plant, of which USA, wanting nothing, would have to take a quarter
    tables = small.book(
        **_two_partners(0.25, demand=[small.demand()], suppliers=[], stockpiles=[small.stockpile(days=36.5)]),
    )
    small.check_infeasible(tables, "offtake_minimum")


# --- capacity_balance and country_share_limit: two countries, plants of 10 and 30 a year ------------------

TWO_COUNTRIES = [small.host("CHEAP"), small.host("CHEAP_TOO"), small.host("DEAR", country="DDD", capex_factor=3)]


def test_country_share_limit_binds():
    # one plant in each country, 10 + 30 and feed 40; else both in HHH
    tables = small.book({"country_share_limit": 0.5}, hosts=TWO_COUNTRIES, demand=[small.demand(2000)])
    solved = small.check_binds(tables, "country_share_limit", cost=80, free=60)
    assert set(solved.solution.tables["plants"]["country"]) == {"HHH", "DDD"}


def test_country_share_limit_is_met_by_plants_of_earlier_years():
    # 2 kt wanted in both years and the limit from 2031: plants of 2030 still stand in 2031, so CHEAP and DEAR in both years, 2 x 80
    years = {"last_year": 2031, "modelled_years": "all", "country_share_limit": 0.5, "country_share_from": 2031}
    tables = small.book(years, hosts=TWO_COUNTRIES, demand=[small.demand(2000)])
    small.check_binds(tables, "country_share_limit", cost=160, free=120)


def test_country_share_limit_lets_the_first_plant_stand_alone_before_its_year():
    # 1 kt wanted in 2030, 2 kt in 2031: CHEAP alone in 2030 (30), with DEAR in 2031 (40 + 40)
    years = {"last_year": 2031, "modelled_years": "all", "country_share_limit": 0.5, "country_share_from": 2031}
    tables = small.book(years, hosts=TWO_COUNTRIES, demand=[small.demand(1000, but={2031: 2000})])
    small.check_binds(tables, "country_share_limit", cost=30 + 80, free=30 + 60)


def test_country_share_limit_leaves_room():
    hosts = [small.host(), small.host("OTHER", country="OOO")]
    tables = small.book({"country_share_limit": 0.6}, hosts=hosts, demand=[small.demand(2000)])
    small.check_slack(tables, "country_share_limit", cost=60)


def test_country_share_limit_forbids():
    # one host, which holds all capacity there is
    small.check_infeasible(small.book({"country_share_limit": 0.5, "minimum_hosts": 1}), "country_share_limit")


def test_capacity_balance_binds():
    # were capacity on line not tied to plants, the limit would not be felt
    tables = small.book({"country_share_limit": 0.5}, hosts=TWO_COUNTRIES, demand=[small.demand(2000)])
    small.check_binds(tables, "capacity_balance", cost=80, free=60)


def test_capacity_balance_carries_plants_to_later_years():
    # an equation leaves no room; the plants built in 2030 count in 2031 as well
    years = {"last_year": 2031, "modelled_years": "all", "country_share_limit": 0.5}
    tables = small.book(years, hosts=TWO_COUNTRIES, demand=[small.demand(2000)])
    solved = small.check_binds(tables, "capacity_balance", cost=160, free=120)
    assert set(solved.solution.tables["builds"]["on_line"]) == {2030}


def test_capacity_balance_forbids():
    small.check_infeasible(small.book({"country_share_limit": 0.5, "minimum_hosts": 1}), "capacity_balance")


# --- capex_budget: the plant's 100 MUSD are spent in 2029 -------------------------------------------------


def _budget(musd: float, year: int = 2029) -> list[small.Row]:
    return [{**small.market(), year: musd}]


def test_capex_budget_binds():
    # 99 in 2029 do not pay for the plant
    small.check_binds(small.book(markets=_budget(99)), "capex_budget", cost=100, free=30)


def test_capex_budget_counts_the_partners_own_share():
    # 49 % may be foreign: 49 of the 100
    tables = small.book(hosts=[small.host(foreign_share_limit=0.49)], markets=_budget(49.5))
    small.check_slack(tables, "capex_budget", cost=30)


def test_capex_budget_binds_in_one_year_of_construction():
    # spent over two years, 50 in 2028 and 50 in 2029: 49 in 2028 is too little
    tables = small.book(designs=[small.design(build_years=2)], markets=_budget(49, 2028))
    small.check_binds(tables, "capex_budget", cost=100, free=30)


def test_capex_budget_leaves_room():
    small.check_slack(small.book(markets=_budget(101)), "capex_budget", cost=30)


def test_capex_budget_forbids():
    small.check_infeasible(small.book(markets=_budget(99), host_rules=[small.rule("force_plant", 1000)]), "capex_budget")
