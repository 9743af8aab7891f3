"""What plans alone want twice, on plans whose flows are set by hand, and what the partners trade, in an average year."""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import pandas as pd
import pytest

from model.coalitions import WHOLE, coalition_tables
from model.planner import Plan, solve
from model.problem import HostRule
from model.studies.partner_game import Game, conflicts, double_claims, members_cost
from model.studies.partner_trade import effect_frame, effect_sentence
from tests import small
from tests.test_coalitions import two_partners

PARTNERS = ("JPN", "USA")
OFFERS = [small.supplier("OPEN", tonnes=500, price_share=0.2), small.supplier("HOME", where="JPN", tonnes=500), small.supplier("DEAR")]


@functools.cache
def plans(country: str = "HHH") -> tuple[Plan, ...]:
    """Return the joint plan and those of Japan and the USA alone, with one host."""
    tables = two_partners(hosts=[small.host(country=country)], suppliers=OFFERS)
    alone = (coalition_tables(tables, frozenset({partner}), WHOLE) for partner in PARTNERS)
    return tuple(solve(each, small.EXACT) for each in (tables, *alone))


def with_flows(plan: Plan, **tables: list[tuple]) -> Plan:
    """Return a plan with these flows in place of its own; nothing bought, fed, shipped or built that is not named."""
    found = dict(plan.solution.tables)
    for name in ("purchases", "feed", "deliveries", "builds"):
        found[name] = pd.DataFrame(tables.get(name, []), columns=found[name].columns)
    return replace(plan, solution=replace(plan.solution, tables=found))


def game(joint: Plan, *alone: Plan) -> Game:
    members = [frozenset({partner}) for partner in PARTNERS]
    return Game(WHOLE, PARTNERS, joint, {}, dict(zip(members, alone, strict=True)))


def test_an_offer_open_to_all_is_claimed_twice_and_one_to_a_partner_is_not():
    joint, *alone = plans()
    bought = {
        "JPN": [("OPEN", "Nd", "*", "JPN", 2030, 400.0, 0.0), ("HOME", "Nd", "JPN", "JPN", 2030, 500.0, 0.0)],
        "USA": [("OPEN", "Nd", "*", "USA", 2030, 300.0, 0.0), ("DEAR", "Nd", "*", "USA", 2030, 200.0, 0.0)],
    }
    claims = [with_flows(plan, purchases=bought[partner]) for plan, partner in zip(alone, PARTNERS, strict=True)]
    assert double_claims(game(joint, *claims)) == pytest.approx(200)
    twice = [replace(plan, problem=replace(plan.problem, years_represented={2030: 2.0})) for plan in claims]
    assert double_claims(game(joint, *twice)) == pytest.approx(400), "a modelled year counts for the years that it stands for"
    assert double_claims(game(joint, with_flows(alone[0], purchases=bought["JPN"]), with_flows(alone[1]))) == 0


def shipping(rule: HostRule, country: str = "HHH") -> list[str]:
    """Return the conflicts of two plans alone that ship 500 t of Nd each from one host under a rule."""
    joint, *alone = plans(country)
    ruled = replace(joint, problem=replace(joint.problem, rules=(rule,)))
    sent = [with_flows(plan, deliveries=[("HOST", "Nd", partner, 2030, 500.0, 0.0)]) for plan, partner in zip(alone, PARTNERS, strict=True)]
    return conflicts(game(ruled, *sent))


EXPORTS = HostRule("R", "HOST", "export_ceiling", 2000, 2100, 0.8, "")


def test_what_is_shipped_abroad_together_is_held_against_a_ceiling():
    assert shipping(EXPORTS) == ["ship abroad from HOST 200 t more than rule R allows in a year"]
    assert shipping(replace(EXPORTS, product="Nd")) == shipping(EXPORTS)


def test_a_ceiling_counts_neither_home_deliveries_nor_other_products_years_and_hosts():
    assert shipping(EXPORTS, country="JPN") == []
    assert shipping(replace(EXPORTS, product="Dy")) == []
    assert shipping(replace(EXPORTS, first=2031)) == []
    assert shipping(replace(EXPORTS, host="OTHER")) == []


def test_as_many_plants_as_may_be_built_are_no_conflict():
    joint, *alone = plans()
    built = [with_flows(plan, builds=[(host, "PLANT", "own", 2030)]) for plan, host in zip(alone, ("HOST", "OTHER"), strict=True)]
    for most, words in ((2, []), (1, ["make 2 plants where 1 may be built"])):
        assert conflicts(game(replace(joint, problem=replace(joint.problem, max_plants=most)), *built)) == words


def test_what_partners_bear_in_a_plan_that_failed_verification_is_not_known():
    joint = plans()[0]
    assert math.isfinite(members_cost(joint, frozenset(PARTNERS)))
    assert math.isnan(members_cost(replace(joint, verification=replace(joint.verification, failures=["a rule"])), frozenset(PARTNERS)))


# --- trade --------------------------------------------------------------------------------------

LENT = small.way("american", fee=0.4, fixed_fee=1, provider="USA")


def effect(host: str) -> dict:
    """Return the trade of a plant that comes on line in the second of four years, the last three of which are one in the plan."""
    demand = [small.demand(500, where=where, but={2030: 0}) for where in PARTNERS]
    tables = two_partners(hosts=[small.host(country=host)], sources=[small.source(country="USA")], know_how=[LENT], demand=demand)
    plan = solve(tables.with_settings(last_year=2033, modelled_years="2030,2031"), small.EXACT)
    assert [year for *_, year in plan.solution.tables["builds"].itertuples(index=False)] == [2031]
    assert plan.problem.years_represented == {2030: 1, 2031: 3}
    deficit = {"figure": "us_goods_deficit_japan", "description": "d", "period": "2024", "unit": "MUSD", "source": "s", "value": 1000}
    tables = plan.tables.with_frames(published=two_partners(published=[deficit])["published"])
    (row,) = effect_frame(replace(plan, tables=tables), None).to_dict("records")
    return row


def test_fees_are_earned_from_the_year_on_line_and_averaged_over_calendar_years():
    # 0.4 USD/kg on 1 kt and 1 MUSD a year, three years of four, paid by Japan to the USA
    row = effect("JPN")
    assert (row["of"], row["know_how_paid"], row["feed_elsewhere"]) == ("USA", pytest.approx(-1.4 * 0.75), 0.0)
    assert row["goods_balance"] == pytest.approx((20 - 50) * 0.75)


def test_feed_for_a_plant_in_a_third_country_is_no_trade_between_the_partners():
    row = effect("HHH")
    assert (row["know_how_paid"], row["goods_balance"]) == (0.0, 0.0)
    assert row["feed_elsewhere"] == pytest.approx(20 * 0.75)
    assert effect("USA")["feed_elsewhere"] == 0.0, "feed that stays at home is no export"


def test_a_balance_that_rare_earths_hardly_move_is_no_argument():
    row = {
        "of": "USA", "with": "JPN", "goods_balance": 5.0, "effect": 5.0, "know_how_paid": 0.0, "feed_elsewhere": 0.0,
        "published_deficit": 1000.0, "effect_of_deficit": 0.005, "period": "2024",
    }  # fmt: skip
    assert "rare earths cannot move it" in effect_sentence(row, True)
    assert "make it shrink by 1.5%" in effect_sentence({**row, "effect": 15.0, "effect_of_deficit": 0.015}, True)
