"""Trade between partners, by eye."""

from __future__ import annotations

import math

import pytest

from model.analysis import CHINA
from model.trade import BOUGHT_OXIDE, FEED, JOINT_OXIDE, KNOW_HOW, bilateral_trade, goods_balance, in_musd, published_deficits, trade_flows
from tests import small
from tests.test_coalitions import two_partners

WAY = small.way("american", fee=0.4, fixed_fee=1, provider="USA")


def solved(**sheets: list[small.Row]) -> small.Solved:
    rows = {"hosts": [small.host(country="JPN")], "sources": [small.source(country="USA")], "know_how": [WAY]}
    return small.solve_book(two_partners(**{**rows, **sheets}))


def trade_of(found: small.Solved):
    return bilateral_trade(trade_flows(found.tables, found.problem, found.solution.tables), "USA", "JPN", found.problem.years)


def test_feed_goes_one_way_and_oxide_and_fees_the_other():
    # 1 kt of feed at 20 from the US to Japan; 0.5 kt of oxide at 100 back; the fee of 0.4 USD/kg and 1 MUSD earned by the US
    trade = trade_of(solved()).loc[2030]
    assert trade[FEED, "USA", "JPN"] == pytest.approx(20.0)
    assert trade[JOINT_OXIDE, "JPN", "USA"] == pytest.approx(50.0)
    assert trade[KNOW_HOW, "USA", "JPN"] == pytest.approx(1.4)
    assert trade[FEED, "JPN", "USA"] == trade[JOINT_OXIDE, "USA", "JPN"] == trade[BOUGHT_OXIDE, "JPN", "USA"] == 0.0
    balance = goods_balance(trade_of(solved()), "USA", "JPN")
    assert balance[2030] == pytest.approx(20.0 - 50.0), "fees are services"
    assert goods_balance(trade_of(solved()), "JPN", "USA")[2030] == pytest.approx(30.0)


def test_bought_oxide_counts_where_customs_say_it_comes_from():
    offers = [small.supplier("PROC", where="JPN", tonnes=500, country="JPN", customs_origin=CHINA, price_share=0.1)]
    offers += [small.supplier("MP", where="JPN", tonnes=500, country="USA", customs_origin="USA", price_share=0.9)]
    found = solved(suppliers=offers, hosts=[small.host(candidate="no")], sectors=[small.sector(shortage_cost=95)])
    flows = trade_flows(found.tables, found.problem, found.solution.tables)
    assert flows.set_index(["item", "origin", "destination"])["value"].to_dict() == {(BOUGHT_OXIDE, CHINA, "JPN"): pytest.approx(5.0)}
    dear = solved(suppliers=offers[1:], hosts=[small.host(candidate="no")], sectors=[small.sector(shortage_cost=95)])
    assert trade_of(dear).loc[2030][BOUGHT_OXIDE, "USA", "JPN"] == pytest.approx(45.0)


def test_a_published_deficit_is_read_in_musd():
    row = {
        "figure": "us_goods_deficit_japan",
        "description": "deficit",
        "period": "2024",
        "value": 68.5,
        "unit": "billion USD",
        "source": "somebody",
    }
    other = {**row, "figure": "us_import_share_japan", "unit": "%"}
    (deficit,) = published_deficits(two_partners(published=[row, other]))
    assert (deficit.country, deficit.other, deficit.value, deficit.period, deficit.source) == ("USA", "JPN", 68500.0, "2024", "somebody")


@pytest.mark.parametrize(
    ("unit", "musd"),
    [
        ("MUSD", 2.0),
        ("MUSD/y", 2.0),
        ("million USD", 2.0),
        ("USD million", 2.0),
        ("million 2024 USD a year", 2.0),
        ("billion USD", 2000.0),
        ("bn USD", 2000.0),
        ("USD bn", 2000.0),
        ("Billion  US$", 2000.0),
    ],
)
def test_millions_and_billions_are_read_in_their_spellings(unit, musd):
    assert in_musd(2.0, unit) == musd


@pytest.mark.parametrize("unit", ["USD", "thousand USD", "k USD", "trillion USD", "USD/kg", "billion JPY", "% of USD", ""])
def test_any_other_unit_is_not_taken_for_millions(unit):
    assert math.isnan(in_musd(2.0, unit))
