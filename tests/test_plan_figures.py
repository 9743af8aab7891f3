"""Figures of a plan that studies set side by side: added up over the horizon, each modelled year for the years it stands for."""

from __future__ import annotations

import math

import pytest

from model.planner import Plan, solve
from model.studies.moved import summarise
from model.studies.plan_figures import china_share_of_feed, china_share_of_supply, short_by_sector, tonnes_short
from tests import small

SKIPPING = {"last_year": 2033, "modelled_years": "2030,2033"}
"""2030 stands for three years, 2033 for one."""


@pytest.fixture(scope="module")
def bought() -> Plan:
    """Return a plan without plants: China sells the USA 500 t in 2030 and 250 t in 2033, another sells Japan 100 t and 300 t."""
    tables = small.book(
        {**SKIPPING, "max_plants": 0},
        markets=small.TWO_MARKETS,
        sectors=[small.sector(), small.sector("defence", shortage_cost=300)],
        demand=[
            small.demand(500), small.demand(500, where="USA"), small.demand(200, where="USA", who="defence"),
        ],
        suppliers=[
            small.supplier("CHINA", where="USA", china_linked=1, tonnes=500) | {2033: 250},
            small.supplier("OTHER", where="JPN", tonnes=100) | {2033: 300},
        ],
    )  # fmt: skip
    return solve(tables, small.EXACT)


def test_a_year_counts_for_those_it_stands_for(bought):
    # 2030: JPN 400 short, USA 200 (magnets: defence is served first); 2033: JPN 200, USA 450
    assert short_by_sector(bought) == {"magnets": small.approx(3 * 600 + 650)}
    assert tonnes_short(bought) == small.approx(2450)
    assert tonnes_short(bought, sectors=("defence",)) == 0.0
    assert tonnes_short(bought, markets=("JPN",)) == small.approx(3 * 400 + 200)
    assert tonnes_short(bought, ("magnets",), ("USA",)) == small.approx(3 * 200 + 450)
    assert summarise("", bought).unmet == small.approx(2450)


def test_shares_are_of_the_horizon(bought):
    china, other = 3 * 500 + 250, 3 * 100 + 300
    assert china_share_of_supply(bought) == small.approx(china / (china + other))
    assert china_share_of_supply(bought, ("USA",)) == small.approx(1.0)
    assert china_share_of_supply(bought, ("JPN",)) == small.approx(0.0)
    assert math.isnan(china_share_of_feed(bought))


def test_the_share_of_feed_is_of_the_horizon():
    # Chinese ore is the cheaper one: 400 t of it in 2030 and all in 2033
    ore = {"china_linked": 1, "fixed_price": 10}
    tables = small.book(
        SKIPPING,
        sources=[small.source(), small.source("CHINESE", capacity=1000, ramp_1=0.4, ramp_2=1, first_year=2030, **ore)],
        suppliers=[],
    )
    plan = solve(tables, small.EXACT)
    feed = plan.solution.tables["feed"].groupby("year")[["china_tonnes", "tonnes"]].sum()
    part, whole = (3 * feed.loc[2030, column] + feed.loc[2033, column] for column in ("china_tonnes", "tonnes"))
    assert feed.loc[2030, "china_tonnes"] / feed.loc[2030, "tonnes"] != small.approx(
        feed.loc[2033, "china_tonnes"] / feed.loc[2033, "tonnes"]
    )
    assert china_share_of_feed(plan) == small.approx(part / whole)
