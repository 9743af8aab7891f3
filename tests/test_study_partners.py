"""The study of partners on books solved by eye."""

from __future__ import annotations

import pytest

from model.coalitions import SHARED, WHOLE
from model.planner import solve
from model.studies import find_study
from model.studies.study import StudyContext, StudySheet
from model.tables import Tables
from tests import small
from tests.random_books import random_book
from tests.test_coalitions import two_partners


def study(tables: Tables) -> dict[str, StudySheet]:
    plan = solve(tables, small.EXACT)
    sheets = find_study("partners")(StudyContext(tables, plan, small.EXACT, 1, lambda _: None))
    return {sheet.name: sheet for sheet in sheets}


def gain_tables(tables: Tables):
    sheet = study(tables)["partner_gain"]
    alone, split = (frame for _, _, frame in sheet.tables)
    return alone.set_index(["view", "partner"]).sort_index(), split.set_index(["view", "rule", "partner"]).sort_index(), sheet


def test_joint_plant_halves_what_each_pays_alone():
    # together one plant and 1 kt of feed, 10 + 20; alone a plant each and 0.5 kt, 10 + 10
    alone, split, sheet = gain_tables(two_partners())
    assert alone.loc[(WHOLE, "JPN"), "alone"] == alone.loc[(WHOLE, "USA"), "alone"] == pytest.approx(20.0)
    for rule, japan, usa in (("equity", 18, 12), ("tonnes delivered", 15, 15), ("value delivered", 15, 15), ("Shapley", 15, 15)):
        assert split.loc[(WHOLE, rule, "JPN"), "cost"] == pytest.approx(japan), rule
        assert split.loc[(WHOLE, rule, "USA"), "cost"] == pytest.approx(usa), rule
    assert split.loc[(WHOLE, "equity", "JPN"), "gain_share"] == pytest.approx(0.2)
    assert split.loc[(WHOLE, "Shapley", "USA"), "payment"] == pytest.approx(3.0)
    assert split.loc[(WHOLE, "Shapley", "JPN"), "yearly_payment"] == pytest.approx(-3.0)
    assert not any("Warning" in line for line in sheet.sentences)
    assert any("saves 10.0 MUSD" in line for line in sheet.sentences)


def test_scarce_feed_is_claimed_twice_in_the_whole_market_only():
    # 1 kt of feed in all; in the shared market the US has 0.4 kt of it and buys 0.1 kt at 100: 10 + 8 + 10
    alone, _, sheet = gain_tables(two_partners(sources=[small.source(capacity=900)]))
    assert alone.loc[(WHOLE, "USA"), "alone"] == pytest.approx(20.0)
    assert alone.loc[(SHARED, "JPN"), "alone"] == pytest.approx(20.0)
    assert alone.loc[(SHARED, "USA"), "alone"] == pytest.approx(10 + 0.36 * 20 + 0.14 * 100)
    assert any("together they claim 100 t more than is offered" in line for line in sheet.sentences)


def test_a_partner_that_pays_more_than_alone_is_warned_of():
    _, split, sheet = gain_tables(two_partners(equity=0.9))
    assert split.loc[(SHARED, "equity", "JPN"), "verdict"].startswith("WORSE OFF")
    assert split.loc[(SHARED, "Shapley", "JPN"), "verdict"] == "no worse off"
    assert any(line.startswith("Warning: JPN would be 7.0 MUSD worse off") for line in sheet.sentences)
    assert any(line.startswith("Warning: JPN") for line in sheet.headlines)


def test_without_a_plan_alone_there_is_no_split_to_speak_of():
    caps = [small.cap("supply", "tonnes", "all", 0.5)]
    offers = [small.supplier("CHINA", where="USA", china_linked=1, least_take=0.1), small.supplier("CLEAN", where="JPN", tonnes=2000)]
    tables = two_partners(caps=caps, suppliers=offers, hosts=[small.host(candidate="no")])
    alone, split, sheet = gain_tables(tables)
    assert alone.loc[(WHOLE, "USA"), "verdict"] == "no plan exists"
    assert "Shapley" not in split.index.get_level_values("rule")
    assert split["gain"].isna().any()
    assert any("USA has no plan alone" in line for line in sheet.sentences)


@pytest.mark.parametrize("seed", [0, 2, 5, 7])
def test_every_rule_splits_the_same_cost_and_the_whole_gain(seed):
    tables = random_book(seed)
    if not solve(tables, small.EXACT).solution.status.has_plan:
        pytest.skip("this book has no plan")
    alone, split, _ = gain_tables(tables)
    for view in (WHOLE, SHARED):
        if alone.loc[view, "alone"].isna().any():
            continue
        gain = alone.loc[view, "gain"].sum()
        rules = split.loc[view].groupby("rule")
        assert rules["gain"].sum().to_dict() == pytest.approx(dict.fromkeys(rules.groups, gain), abs=1e-6)
        assert rules["payment"].sum().to_dict() == pytest.approx(dict.fromkeys(rules.groups, 0.0), abs=1e-6)
        assert split.loc[(view, "Shapley"), "gain"].tolist() == pytest.approx([gain / 2, gain / 2], abs=1e-6)


def test_trade_is_set_beside_the_published_deficit():
    row = {
        "figure": "us_goods_deficit_japan",
        "description": "deficit",
        "period": "2024",
        "value": 1,
        "unit": "billion USD",
        "source": "somebody",
    }
    tables = two_partners(published=[row], hosts=[small.host(country="JPN")], sources=[small.source(country="USA")])
    sheet = study(tables)["partner_trade"]
    (effect,) = sheet.tables[0][2].to_dict("records")
    # feed of 20 to Japan, oxide of 50 back; without plants nothing crosses between them
    assert (effect["of"], effect["with"], effect["without_plants"]) == ("USA", "JPN", 0.0)
    assert effect["goods_balance"] == effect["effect"] == pytest.approx(-30.0)
    assert effect["effect_of_deficit"] == pytest.approx(-0.03)
    assert "enough to name" in sheet.sentences[0]


def test_one_partner_has_nobody_to_share_with():
    assert study(small.book()) == {}
