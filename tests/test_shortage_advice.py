"""What a reason tells a planner to change ends the shortage when the book is solved again, and what it does not name does not.

See `tests/small.py` for the book that each test changes: a kt made costs 20 besides a plant of 10 MUSD a year, a kt bought 100.
"""

from __future__ import annotations

import pytest

from model.problem_builder import build_problem
from model.shortage_ore import OreReasons
from model.shortage_room import CAP, CAPACITY, DEARER, LIMIT, NO_ORE, UNCLEAR
from model.shortages import shortage_reasons
from model.tables import Tables
from tests import small


def told(tables: Tables, who: str = "magnets") -> str:
    """Return the reason for the only shortage of a sector."""
    solved = small.solve_book(tables)
    small.assert_verified(solved)
    found = shortage_reasons(tables, solved.problem, solved.solution.tables)
    (reason,) = found.loc[found["sector"] == who, "reason"]
    return reason


def short(tables: Tables, who: str = "magnets") -> float:
    """Return what a sector is left short, t REO to a tenth."""
    return round(small.solve_book(tables).tonnes("unmet", sector=who), 1)


# --- caps that bind together --------------------------------------------------------------------------------


def two_caps(everything: float, each: float) -> Tables:
    """Return 200 t of clean oxide, any of Chinese, and two caps on it."""
    caps = [
        small.cap("supply", "tonnes", "all", everything, name="ALL"),
        small.cap("supply", "tonnes", "every_product", each, name="EACH"),
    ]
    sellers = [small.supplier("CHINA", china_linked=1), small.supplier("CLEAN", tonnes=200)]
    return small.book(hosts=[], suppliers=sellers, caps=caps)


def test_caps_that_bind_together_are_named_together():
    words = "ALL at 50 % and EACH for Nd at 50 %, to be raised together, leave no room for what CHINA still offers"
    assert told(two_caps(0.5, 0.5)) == f"{CAP}: {words}"
    assert short(two_caps(1, 0.5)) == short(two_caps(0.5, 1)) == 600
    assert short(two_caps(1, 1)) == 0


def test_a_cap_that_would_bind_next_is_named_with_its_room():
    # at 60 % of all 300 t of Chinese oxide may stand beside 200 t of clean, 100 t more than at 50 %
    words = "EACH for Nd at 50 % leaves no room for what CHINA still offers, and ALL at 60 % for no more than 100 t: to be raised together"
    assert told(two_caps(0.6, 0.5)) == f"{CAP}: {words}"
    assert short(two_caps(0.6, 0.5)) == 600
    assert short(two_caps(0.6, 1)) == 500
    assert short(two_caps(1, 1)) == 0


def test_a_cap_with_room_for_all_that_is_short_is_not_named():
    assert "ALL" not in told(two_caps(0.9, 0.5))
    assert short(two_caps(0.9, 1)) == 0


def test_caps_of_which_each_would_do_are_told_apart():
    # 200 t of clean feed let 600 t of mixed in, and the plant has room for 200 t more
    def book(feed: float, supply: float) -> Tables:
        caps = [small.cap("feedstock", "tonnes", "all", feed, name="FEED"), small.cap("supply", "tonnes", "all", supply, name="ALL")]
        sources = [small.source("MIXED", china_linked=0.4), small.source("CLEAN", capacity=200)]
        return small.book(sources=sources, suppliers=[small.supplier("CHINA", china_linked=1)], demand=[small.demand(2000)], caps=caps)

    words = "ALL at 50 % leaves no room for what CHINA still offers; to raise another instead would do, too: FEED at 30 % leaves no room for more feed from MIXED"
    assert told(book(0.3, 0.5)) == f"{CAP}: {words}"
    before = small.solve_book(book(0.3, 0.5)).tonnes("unmet")
    for raised in (book(1, 0.5), book(0.3, 1)):
        assert small.solve_book(raised).tonnes("unmet") < before - 100


def test_what_a_cap_keeps_out_may_go_to_dearer_purchases_first():
    # defence buys 500 t of clean oxide at 150: the 300 t that CHINA offers at 30 would take its place, not serve glass
    def book(limit: float) -> Tables:
        sellers = [small.supplier("CHINA", tonnes=300, china_linked=1, price_share=0.3), small.supplier("CLEAN", price_share=1.5)]
        caps = [small.cap("supply", "tonnes", "all", limit)]
        return small.book(hosts=[], sectors=TWO_SECTORS, demand=wants(500), suppliers=sellers, caps=caps)

    assert (
        told(book(0), "glass")
        == f"{UNCLEAR}: CAP at 0 % leaves no room for what CHINA still offers, which would first go where it saves more"
    )
    assert short(book(0), "glass") == short(book(1), "glass") == 100


def test_caps_against_the_offers_with_the_least_china_in_them_are_named_alone():
    def book(everything: float) -> Tables:
        caps = [
            small.cap("supply", "tonnes", "all", everything, name="ALL"),
            small.cap("supply", "tonnes", "product", 0.7, "Nd", name="ND"),
        ]
        shares = {"CHINA": (0.8, 1), "HALF": (1.2, 0.55), "MIXED": (1, 0.6)}
        sellers = [small.supplier(name, tonnes=100, price_share=price, china_linked=share) for name, (price, share) in shares.items()]
        return small.book(hosts=[], suppliers=sellers, caps=caps)

    assert told(book(0.5)) == f"{CAP}: ALL at 50 % leaves no room for what MIXED still offers"
    assert short(book(0.5)) == 1000
    assert short(book(1)) < 800


def test_those_left_short_at_more_come_before_when_the_next_cap_is_looked_for():
    # with EACH raised 100 t come in: half to defence, so that half of what glass lacks is still out
    def book(everything: float, each: float) -> Tables:
        demand = [small.demand(450, who="defence"), small.demand(100, who="glass")]
        sectors = [small.sector("defence", shortage_cost=1000), small.sector("glass", shortage_cost=200)]
        return two_caps(everything, each).with_frames(
            **{name: small.book(sectors=sectors, demand=demand)[name] for name in ("sectors", "demand")}
        )

    assert told(book(0.6, 0.5), "glass").endswith("CHINA still offers, and ALL at 60 % for no more than 100 t: to be raised together")
    assert [short(book(*caps), "glass") for caps in ((0.6, 0.5), (0.6, 1), (1, 1))] == [100, 50, 0]


def in_two_markets(sectors: list[small.Row], demand: list[small.Row], limit: float, **sheets: list[small.Row]) -> Tables:
    """Return 300 t of Chinese oxide for 30 on which there is a cap of all."""
    caps = [*sheets.pop("caps", []), small.cap("supply", "tonnes", "all", limit, name="ALL")]
    china = [small.supplier("CHINA", tonnes=300, china_linked=1, price_share=0.3)]
    return small.book(hosts=[], markets=small.TWO_MARKETS, sectors=sectors, demand=demand, suppliers=china, caps=caps, **sheets)


def test_a_market_that_a_cap_of_its_own_keeps_from_buying_does_not_come_first():
    def book(limit: float) -> Tables:
        demand = [small.demand(500, where="USA", who="defence"), small.demand(100, who="glass")]
        return in_two_markets(TWO_SECTORS, demand, limit, caps=[small.cap("supply", "tonnes", "partner", 0, "USA", name="USA")])

    assert told(book(0), "glass") == f"{CAP}: ALL at 0 % leaves no room for what CHINA still offers"
    assert short(book(1), "glass") == 0


def test_a_market_that_gets_it_cheaper_comes_first():
    def book(limit: float) -> Tables:
        duty = {"measure": "tariff", "stage": "oxide", "origin": "SSS", "destination": "USA", "rate": 10}
        demand = [small.demand(400, who="screens"), small.demand(100, where="USA", who="glass")]
        sectors = [small.sector("screens", shortage_cost=50), small.sector("glass", shortage_cost=50)]
        return in_two_markets(sectors, demand, limit, duties=[duty])

    assert told(book(0), "glass").startswith(f"{UNCLEAR}: ALL at 0 % leaves no room for what CHINA still offers, which would first go")
    assert short(book(1), "glass") == 100


# --- those to whom it is worth more -------------------------------------------------------------------------

TWO_SECTORS = [small.sector("defence", shortage_cost=1000), small.sector("glass", priority=2, shortage_cost=50)]
"""Oxide bought for 100 is worth it to defence and not to glass."""

ASKS = f"{DEARER}: SELLER asks 100.0 and the shortage costs 50.0 USD/kg"


def wants(defence: float) -> list[small.Row]:
    return [small.demand(defence, who="defence"), small.demand(100, who="glass")]


def ramping(defence: float, ramp: float) -> Tables:
    return small.book(designs=[small.design(ramp_1=ramp)], sectors=TWO_SECTORS, demand=wants(defence))


def test_a_plant_at_full_capacity_would_first_replace_what_is_bought():
    assert told(ramping(1000, 0.5), "glass") == ASKS
    assert short(ramping(1000, 1), "glass") == 100


def test_a_plant_that_makes_more_than_is_bought_would_serve_at_full_capacity():
    words = (
        "SELLER asks 100.0 and the shortage costs 50.0 USD/kg; the joint plants that make it are full while they ramp up (500 of 1,000 t/y)"
    )
    assert told(ramping(900, 0.5), "glass") == f"{CAPACITY}: {words}"
    assert short(ramping(900, 1), "glass") == 0


def test_where_nothing_is_on_offer_the_plan_does_not_tell_limit_from_price():
    # half of what defence wants is bought, the last that there is; at full capacity the plant replaces it
    def book(ramp: float) -> Tables:
        return small.book(
            {"max_plants": 1}, designs=[small.design(ramp_1=ramp)], sectors=TWO_SECTORS, demand=wants(1000), suppliers=[small.supplier(tonnes=500)]
        )  # fmt: skip

    reason = told(book(0.5), "glass")
    assert reason.startswith(f"{UNCLEAR}: suppliers are sold out and the joint plants that make it are full while they ramp up")
    assert "what more they made would first go where it saves more" in reason
    assert short(book(1), "glass") == 100


def exporting(defence: float, share: float) -> Tables:
    rules = [small.rule("export_share", share)] if share < 1 else []
    return small.book(
        designs=[small.design(minimum_use=0)], host_rules=rules, sectors=TWO_SECTORS, demand=wants(defence), prices=small.prices(surplus=30)
    )


def test_what_a_rule_keeps_at_home_would_first_replace_what_is_bought():
    assert told(exporting(1200, 0.5), "glass") == ASKS
    assert short(exporting(1200, 1), "glass") == 100


def test_a_rule_is_the_reason_where_it_keeps_back_more_than_is_bought():
    assert told(exporting(900, 0.5), "glass").endswith("HOST must sell it elsewhere (rule export_share)")
    assert short(exporting(900, 1), "glass") == 0


def test_a_rule_that_does_not_bind_is_not_the_reason():
    # 1 kt made, of which half must go to the USA, where nobody wants that much; the ceiling on exports is far away
    markets = [small.market("JPN", equity=0.5), small.market("USA", equity=0.5, offtake_minimum=0.5)]
    demand = [small.demand(1000), small.demand(300, where="USA")]
    tables = small.book(markets=markets, demand=demand, suppliers=[], host_rules=[small.rule("export_ceiling", 5000)])
    assert "export_ceiling" not in told(tables)


def ceiling(defence: float, tonnes: float) -> Tables:
    rules = [small.rule("feed_ceiling", tonnes)] if tonnes else []
    return small.book(host_rules=rules, sectors=TWO_SECTORS, demand=wants(defence))


def test_what_a_ceiling_on_feed_keeps_out_would_first_replace_what_is_bought():
    assert told(ceiling(1200, 500), "glass") == ASKS
    assert short(ceiling(1200, 0), "glass") == 100


def test_a_ceiling_is_the_reason_where_it_keeps_out_more_than_is_bought():
    assert told(ceiling(900, 500), "glass").endswith("rule feed_ceiling lets HOST take in no more feed (sheet host_rules)")
    assert short(ceiling(900, 0), "glass") == 0


def test_another_plant_would_first_replace_what_is_bought():
    # of 3.1 kt the plant makes 1; another would pay by replacing what defence buys
    def book(defence: float, most: int) -> Tables:
        hosts = [small.host(), small.host("OTHER")]
        return small.book(
            {"max_plants": most}, hosts=hosts, sectors=TWO_SECTORS, demand=wants(defence), suppliers=[small.supplier(tonnes=2000)]
        )

    reason = told(book(3000, 1), "glass")
    assert reason.startswith(f"{UNCLEAR}: suppliers are sold out and")
    assert reason.endswith("what another at OTHER made would first go where it saves more")
    assert short(book(3000, 2), "glass") == 100
    assert told(book(1850, 1), "glass").startswith(f"{LIMIT}:")
    assert short(book(1850, 2), "glass") == 0


# --- ore, designs, recoveries and sites ---------------------------------------------------------------------


def heavy(heavies: str = "yes", recovery: float = 1, leached: float = 1, host: dict | None = None, **clay: object) -> Tables:
    """Return a book whose one ore with Dy is CLAYPIT, with cells of its row changed."""
    return small.book(
        elements=[small.element("Nd"), small.element("Dy", circuit="heavy")],
        prices=[*small.prices("Nd"), *small.prices("Dy", 300, 0)],
        sources=[small.source("MINE"), small.source("CLAYPIT", feed_type="clay", **clay)],
        composition=[{"source_id": "MINE", "Nd": 1.0, "Dy": 0.0}, {"source_id": "CLAYPIT", "Nd": 0.5, "Dy": 0.5}],
        processing=[small.processing(), small.processing("clay", leach_recovery=leached)],
        recoveries=[small.recovery(), small.recovery("clay"), small.recovery("clay", "Dy", recovery)],
        designs=[small.design(heavies=heavies)],
        hosts=[small.host(**(host or {}))],
        demand=[small.demand(500), small.demand(100, "Dy", who="lamps")],
        sectors=[small.sector(), small.sector("lamps", shortage_cost=1000)],
    )


NOT_ON_OFFER = "the feedstock that contains Dy is not on offer in 2030: CLAYPIT has"
OFFER = f"no supplier offers it and {NOT_ON_OFFER}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"use": "no"}, f"{NO_ORE}: {OFFER} use = no (sheet sources)"),
        ({"uncommitted": 0}, f"{NO_ORE}: {OFFER} uncommitted = 0 (sheet sources)"),
        ({"capacity": 0}, f"{NO_ORE}: {OFFER} capacity = 0 (sheet sources)"),
        ({"use": "no", "uncommitted": 0}, f"{NO_ORE}: {OFFER} use = no and uncommitted = 0 (sheet sources)"),
        ({"first_year": 2030, "ramp_1": 0}, f"{NO_ORE}: {OFFER} ramp_1 = 0 (sheet sources)"),
        ({"use": "no", "first_year": 2033}, f"{NO_ORE}: {OFFER} use = no and first_year = 2033 (sheet sources)"),
        ({"first_year": 2033}, f"{NO_ORE}: no supplier offers it and the first feedstock that contains Dy is for sale in 2033"),
        ({"heavies": "no"}, f"{LIMIT}: no supplier offers it and no design separates Dy (heavies = no in every row of sheet designs)"),
        ({"recovery": 0}, f"{LIMIT}: no supplier offers it and no Dy is recovered from clay, which contains it (0 on sheet recoveries)"),
        ({"leached": 0}, f"{LIMIT}: no supplier offers it and no Dy is recovered from clay, which contains it (0 on sheets recoveries and processing)"),
        (
            {"thorium": "high", "host": {"thorium_accepted": "none"}},
            f"{LIMIT}: no supplier offers it and no site may treat the feedstock that contains it",
        ),
        ({"use": "no", "thorium": "high", "host": {"thorium_accepted": "none"}}, f"{NO_ORE}: {OFFER} use = no (sheet sources) and no site may treat it"),
        (
            {"use": "no", "heavies": "no"},
            f"{LIMIT}: no supplier offers it and no design separates Dy (heavies = no in every row of sheet designs) and {NOT_ON_OFFER} use = no (sheet sources)",
        ),
    ],
)  # fmt: skip
def test_what_keeps_a_product_from_being_made_is_named_by_its_cells(change, reason):
    assert told(heavy(**change), "lamps") == reason
    assert short(heavy(**change), "lamps") == 100
    assert short(heavy(), "lamps") == 0


def test_each_cell_that_is_named_must_change():
    assert short(heavy(use="no"), "lamps") == short(heavy(uncommitted=0), "lamps") == short(heavy(heavies="no"), "lamps") == 100


def test_feedstock_that_no_site_may_treat_does_not_hide_other_that_is_not_in_use():
    tables = heavy(thorium="high", host={"thorium_accepted": "none"})
    sources, composition = tables["sources"], tables["composition"]
    idle = sources.iloc[[1]].assign(source_id="IDLE", thorium="none", use="no")
    both = [frame.iloc[[0, 1, 1]].reset_index(drop=True) for frame in (sources, composition)]
    both[0].iloc[2] = idle.iloc[0]
    both[1].loc[2, "source_id"] = "IDLE"
    tables = tables.with_frames(sources=both[0], composition=both[1])
    words = "no site may treat the feedstock that contains it and is on offer: IDLE has use = no (sheet sources)"
    assert told(tables, "lamps") == f"{LIMIT}: no supplier offers it and {words}"
    assert short(tables.with_frames(sources=both[0].assign(use="yes")), "lamps") == 0


def test_a_row_not_in_use_may_lack_what_only_rows_in_use_need():
    tables = heavy(use="no", port="NOWHERE", inland_km=100, inland_mode="road")
    problem = build_problem(tables)
    assert OreReasons(problem, tables).reason("Dy", "JPN", 2030).words.endswith("CLAYPIT has use = no (sheet sources)")
