"""Which part of a market's cost is an accident of ties, on books solved by eye."""

from __future__ import annotations

import pandas as pd
import pytest

from model.planner import Plan, solve
from model.swaps import swing
from tests import small
from tests.test_coalitions import two_partners

NO_PLANT = {"hosts": [small.host(candidate="no")]}
CHEAP, DEAR = small.supplier("CHEAP", tonnes=500, price_share=0.2), small.supplier("DEAR")


def swings(rule: str = "equity", settings: dict[str, object] | None = None, **sheets: list[small.Row]) -> tuple[Plan, dict[str, float]]:
    """Return the plan of a book of two partners and how wide a partner's cost swings, MUSD."""
    tables = two_partners(**sheets).with_settings(**(settings or {}))
    plan = solve(tables, small.EXACT)
    widths = {}
    for market in plan.problem.partners:
        lower, higher = swing(plan.problem, plan.solution.tables, rule, market)
        assert min(lower, higher) >= 0
        widths[market] = lower + higher
    return plan, widths


def test_a_cheap_offer_open_to_both_is_an_accident_of_up_to_its_whole_advantage():
    # 0.5 kt at 20 and 0.5 kt at 100 for two who need 0.5 kt each: 10 or 50
    plan, widths = swings(suppliers=[CHEAP, DEAR], **NO_PLANT)
    assert plan.solution.objective == pytest.approx(60.0)
    assert widths == pytest.approx({"JPN": 40.0, "USA": 40.0})


def test_what_one_saves_the_other_pays():
    plan, _ = swings(suppliers=[CHEAP, DEAR], **NO_PLANT)
    japan, usa = (swing(plan.problem, plan.solution.tables, "equity", market) for market in ("JPN", "USA"))
    assert japan == pytest.approx(usa[::-1])


def test_an_amount_is_moved_no_further_than_it_reaches():
    # JPN needs 0.2 kt only: 4 or 20
    demand = [small.demand(200, where="JPN"), small.demand(800, where="USA")]
    _, widths = swings(suppliers=[CHEAP, DEAR], demand=demand, **NO_PLANT)
    assert widths == pytest.approx({"JPN": 16.0, "USA": 16.0})


def test_an_offer_to_one_market_alone_stays_there():
    _, widths = swings(suppliers=[small.supplier("CHEAP", where="JPN", tonnes=500, price_share=0.2), DEAR], **NO_PLANT)
    assert widths == {"JPN": 0.0, "USA": 0.0}


def test_where_duty_makes_the_total_decide_there_is_no_accident():
    duty = {"measure": "tariff", "stage": "oxide", "origin": "CCC", "destination": "USA", "rate": 10}
    cheap = small.supplier("CHEAP", tonnes=500, price_share=0.2, country="CCC")
    plan, widths = swings(suppliers=[cheap, DEAR], duties=[duty], **NO_PLANT)
    assert plan.solution.objective == pytest.approx(60.0)
    assert widths == {"JPN": 0.0, "USA": 0.0}


def test_who_goes_short_of_what_all_lack_is_an_accident():
    # 0.5 kt at 20 in all; a kt short costs 200: 10 or 100
    _, widths = swings(suppliers=[CHEAP], **NO_PLANT)
    assert widths == pytest.approx({"JPN": 90.0, "USA": 90.0})


def test_shortage_goes_only_to_a_sector_that_wants_more():
    sectors = [small.sector("magnets"), small.sector("lasers")]
    demand = [small.demand(500, where="JPN"), small.demand(500, where="USA", who="lasers")]
    _, widths = swings(suppliers=[CHEAP], demand=demand, sectors=sectors, **NO_PLANT)
    assert widths == {"JPN": 0.0, "USA": 0.0}


def test_a_cap_of_one_partner_bars_swaps_that_change_its_share():
    cheap = {**CHEAP, "china_linked": 1}
    caps = [small.cap("supply", "tonnes", "partner", 0.9, "USA")]
    assert swings(suppliers=[cheap, DEAR], caps=caps, **NO_PLANT)[1] == {"JPN": 0.0, "USA": 0.0}
    assert swings(suppliers=[CHEAP, DEAR], caps=caps, **NO_PLANT)[1] == pytest.approx({"JPN": 40.0, "USA": 40.0})


PLANT_OF_HALF = {"designs": [small.design(capacity=500)], "suppliers": [DEAR]}


def test_joint_oxide_can_be_had_for_bought_where_equity_pays_for_the_plant():
    # a plant of 0.5 kt costs 10 + 10 in all, by equity; who does without its oxide pays 50 for the other half
    _, widths = swings(**PLANT_OF_HALF)
    assert widths == pytest.approx({"JPN": 50.0, "USA": 50.0})


def test_joint_oxide_stays_where_its_taker_pays_for_the_plant():
    assert swings("tonnes", **PLANT_OF_HALF)[1] == {"JPN": 0.0, "USA": 0.0}


def test_a_least_offtake_limits_what_can_be_given_up():
    # each keeps a fifth of the plant's 0.5 kt, 0.1 kt: it gets between 0.1 and 0.4 kt
    markets = [small.market("JPN", equity=0.5, offtake_minimum=0.2), small.market("USA", equity=0.5, offtake_minimum=0.2)]
    _, widths = swings(markets=markets, **PLANT_OF_HALF)
    assert widths == pytest.approx({"JPN": 30.0, "USA": 30.0})


def test_under_a_rule_on_exports_joint_oxide_stays():
    rules = [small.rule("export_ceiling", 600)]
    assert swings(host_rules=rules, **PLANT_OF_HALF)[1] == {"JPN": 0.0, "USA": 0.0}


def test_money_of_later_years_counts_less():
    settings: dict[str, object] = {**small.TWO_YEARS, "discount_rate": 0.25}
    _, widths = swings(settings=settings, suppliers=[CHEAP, DEAR], **NO_PLANT)
    assert widths == pytest.approx({"JPN": 40.0 * 1.8, "USA": 40.0 * 1.8})


def widths_of(lots: dict[tuple[str, str], float], short: dict[tuple[str, str], float] | None = None, **sheets: list[small.Row]):
    """Return how much lower and higher Japan's cost could be where the markets hold these tonnes, by (market, origin) or (market, sector)."""
    plan = solve(two_partners(**sheets), small.EXACT)
    found = dict(plan.solution.tables)
    for table, rows in (
        ("purchases", [(o, "Nd", "*", m, 2030, t, 0.0) for (m, o), t in lots.items() if o != "HOST"]),
        ("deliveries", [(o, "Nd", m, 2030, t, 0.0) for (m, o), t in lots.items() if o == "HOST"]),
        ("unmet", [(m, who, "Nd", 2030, t) for (m, who), t in (short or {}).items()]),
    ):
        found[table] = pd.DataFrame(rows, columns=found[table].columns)
    return swing(plan.problem, found, "equity", "JPN")


THREE_OFFERS = [CHEAP, small.supplier("MIDDLE", tonnes=500, price_share=0.5), DEAR]


def test_a_lot_is_given_once_and_for_what_saves_most():
    # 0.2 kt at 100 for 0.2 of the 0.3 kt at 20, then 0.1 of the 0.3 kt at 50 for what is left of it; or 0.2 kt at 50 for that at 100
    lots = {("JPN", "DEAR"): 200.0, ("JPN", "MIDDLE"): 300.0, ("USA", "CHEAP"): 300.0, ("USA", "DEAR"): 200.0}
    lower, higher = widths_of(lots, suppliers=THREE_OFFERS, **NO_PLANT)
    assert (lower, higher) == pytest.approx((0.2 * 80 + 0.1 * 30, 0.2 * 50))


def test_a_sector_takes_over_no_more_shortage_than_it_wants():
    # Japan's magnets want 0.1 kt: they go short of that once, whichever oxide is given for it
    demand = [small.demand(100, where="JPN"), small.demand(400, where="JPN", who="lasers"), small.demand(500, where="USA")]
    lots = {("JPN", "CHEAP"): 250.0, ("JPN", "MIDDLE"): 250.0}
    sectors = [small.sector("magnets"), small.sector("lasers")]
    lower, higher = widths_of(lots, {("USA", "magnets"): 500.0}, demand=demand, sectors=sectors, suppliers=THREE_OFFERS, **NO_PLANT)
    assert (lower, higher) == pytest.approx((0.0, 0.1 * 180))


def test_a_least_offtake_is_given_up_once_whatever_is_taken_for_it():
    # of 0.4 kt Japan keeps 0.1 kt: 0.25 kt for oxide at 100, and of the other 0.15 kt no more than 0.05 kt for oxide at 50
    markets = [small.market("JPN", equity=0.5, offtake_minimum=0.2), small.market("USA", equity=0.5, offtake_minimum=0.2)]
    lots = {
        ("JPN", "HOST"): 400.0, ("JPN", "MIDDLE"): 100.0, ("USA", "HOST"): 100.0, ("USA", "MIDDLE"): 150.0, ("USA", "DEAR"): 250.0,
    }  # fmt: skip
    _, higher = widths_of(lots, markets=markets, designs=[small.design(capacity=500)], suppliers=THREE_OFFERS[1:])
    assert higher == pytest.approx(0.25 * 100 + 0.05 * 50)
