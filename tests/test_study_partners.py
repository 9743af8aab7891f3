"""The study of partners on books solved by eye."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from model.coalitions import SHARED, WHOLE
from model.planner import solve
from model.studies import find_study, partner_game
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


def test_who_pays_to_share_the_gain_pays_the_other_side_or_of_three_the_others():
    two, three = two_partners(), ("JPN", "USA", "EUR")
    markets = [small.market(where, equity=equity) for where, equity in zip(three, (0.6, 0.3, 0.1), strict=True)]
    demand = [small.demand(300, where=where) for where in three]
    for tables, payers, end in (
        (two, ["USA"], " to the other side."),
        (two_partners(markets=markets, demand=demand), ["USA", "EUR"], " to the others."),
    ):
        (told,) = [line for line in study(tables)["partner_gain"].sentences if line.startswith("To share the gain")]
        assert all(f"{payer} pays " in told for payer in payers)
        assert told.endswith(end)


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


def beside_europe(order: int) -> Tables:
    """Return a book without plants of two partners and one other market, 500 t each; 500 t are offered at 20 and the rest at 100."""
    markets = [*small.TWO_MARKETS, small.market("EUR", partner="no", equity=0)]
    demand = [small.demand(500, where=where) for where in ("JPN", "USA", "EUR")]
    offers = [small.supplier("CHEAP", tonnes=500, price_share=0.2), small.supplier("DEAR")]
    return small.book(hosts=[small.host(candidate="no")], markets=markets[::order], demand=demand, suppliers=offers)


@pytest.mark.parametrize("order", [1, -1])
def test_beside_a_market_that_is_no_partner_nothing_is_an_accident_of_ties(order):
    alone, split, sheet = gain_tables(beside_europe(order))
    # in the shared market a third of the cheap oxide each: 3.33 + 33.33 alone, twice that together
    assert alone.loc[SHARED, "alone"].tolist() == pytest.approx([110 / 3, 110 / 3])
    equity, fair = split.loc[SHARED, "equity", :], split.loc[SHARED, "Shapley", :]
    assert equity["cost"].sum() == pytest.approx(220 / 3)
    assert equity["gain_least"].tolist() == pytest.approx([-40 / 3, -40 / 3])
    assert equity["gain_most"].tolist() == pytest.approx([40 / 3, 40 / 3])
    assert set(equity["verdict"]) == {"depends on who gets which oxide"}
    assert fair["gain"].tolist() == pytest.approx([0, 0], abs=1e-6)
    assert set(fair["verdict"]) == {"no worse off"}
    assert any(line.startswith("Acting jointly saves 0.0 MUSD on the partners' own demand (EUR left out)") for line in sheet.headlines)
    assert not any("Warning" in line for line in [*sheet.sentences, *sheet.headlines])
    assert any(line.startswith("EUR is no partner") for line in sheet.sentences)


def test_partners_with_no_plan_by_themselves_are_said_to_have_none():
    # JPN has to take 0.5 kt from China; that is half of all only with the 0.5 kt that Europe buys elsewhere
    tables = two_partners(
        markets=[*small.TWO_MARKETS, small.market("EUR", partner="no", equity=0)],
        demand=[small.demand(500, where=where) for where in ("JPN", "USA", "EUR")],
        caps=[small.cap("supply", "tonnes", "all", 0.5)],
        suppliers=[small.supplier("CHINA", where="JPN", tonnes=500, china_linked=1, least_take=1), small.supplier("CLEAN", where="EUR")],
        hosts=[small.host(candidate="no")],
    )
    _, split, sheet = gain_tables(tables)
    assert split.empty
    assert any("shared market no plan of the partners by themselves exists" in line for line in sheet.sentences)


def with_gaps(monkeypatch, gap: float) -> None:
    """Let every plan alone be proven to a gap only."""
    exact = partner_game.solve_cases

    def within(cases, *rest, **named):
        for case, plan in exact(cases, *rest, **named):
            yield case, replace(plan, solution=replace(plan.solution, bound=plan.solution.objective - gap))

    monkeypatch.setattr(partner_game, "solve_cases", within)


def test_a_gap_never_speaks_for_staying(monkeypatch):
    # 0.7 of 30 is 21, alone it is 20 at most: 1 worse off, however much cheaper alone could still be
    with_gaps(monkeypatch, 2.0)
    _, split, sheet = gain_tables(two_partners(equity=0.7))
    assert split.loc[(SHARED, "equity", "JPN"), "verdict"] == "WORSE OFF than alone"
    assert any(line.startswith("Warning: JPN would be 1.0 MUSD worse off than alone (up to 3.0 with the gap") for line in sheet.sentences)


def test_a_gain_within_the_gap_is_not_sure(monkeypatch):
    # 0.6 of 30 is 18: 2 less than alone, which could be 4 cheaper; the US gains 8 of it; each 5 by tonnes
    with_gaps(monkeypatch, 4.0)
    _, split, sheet = gain_tables(two_partners(equity=0.6))
    assert split.loc[(SHARED, "equity", "JPN"), "verdict"] == "not sure within the gap"
    assert split.loc[(SHARED, "equity", "USA"), "verdict"] == "no worse off"
    assert any(line.startswith("Whether JPN is worse off than alone is not sure: it gains 2.0 MUSD") for line in sheet.sentences)
    with_gaps(monkeypatch, 6.0)
    _, split, sheet = gain_tables(two_partners(equity=0.7))
    assert split.loc[(SHARED, "Shapley", "JPN"), "verdict"] == "not sure within the gap"
    assert any("no rule is sure to keep everybody" in line for line in sheet.sentences)


SIDE_BY_SIDE = "(plans that could be carried out side by side)"


def shared_sentence(tables: Tables) -> str:
    """Return what is said of acting jointly against each alone in the shared market."""
    return study(tables)["partner_gain"].sentences[0]


def test_plans_alone_for_one_site_are_not_called_side_by_side():
    assert "both plans want the same site HOST)" in shared_sentence(two_partners())
    assert SIDE_BY_SIDE in shared_sentence(two_partners().with_settings(plants_per_host=2))
    assert SIDE_BY_SIDE in shared_sentence(two_partners(hosts=[small.host(candidate="no")]))


def test_plans_alone_that_together_break_a_limit_are_said_to():
    tables = two_partners().with_settings(plants_per_host=2)
    assert "both plans make 2 plants where 1 may be built)" in shared_sentence(tables.with_settings(max_plants=1))
    for kind, words in (("feed_ceiling", "feed HOST"), ("export_ceiling", "ship abroad from HOST")):
        tight, wide = (two_partners(host_rules=[small.rule(kind, t)]).with_settings(plants_per_host=2) for t in (800, 1000))
        assert f"both plans {words} 200 t more than rule {kind} allows in a year)" in shared_sentence(tight)
        assert SIDE_BY_SIDE in shared_sentence(wide)


DEFICIT = {"figure": "us_goods_deficit_japan", "description": "deficit", "period": "2024", "unit": "billion USD", "source": "somebody"}


def trade_sheet_of(value: float, **sheets) -> StudySheet:
    """Return the trade of a plant in Japan on American feed, beside a published deficit."""
    rows = {"hosts": [small.host(country="JPN")], "sources": [small.source(country="USA")], "published": [{**DEFICIT, "value": value}]}
    return study(two_partners(**{**rows, **sheets}))["partner_trade"]


def test_trade_is_set_beside_the_published_deficit():
    sheet = trade_sheet_of(1)
    (effect,) = sheet.tables[0][2].to_dict("records")
    # feed of 20 to Japan, oxide of 50 back; without plants nothing crosses between them
    assert (effect["of"], effect["with"], effect["without_plants"]) == ("USA", "JPN", 0.0)
    assert effect["goods_balance"] == effect["effect"] == pytest.approx(-30.0)
    assert effect["effect_of_deficit"] == pytest.approx(-0.03)
    assert "deficit of USA with JPN is 1,000 MUSD (2024): the joint plants make it grow by 3.0%, in favour of JPN" in sheet.sentences[0]


def test_a_balance_that_improves_shrinks_a_deficit_and_adds_to_a_surplus():
    there = {"hosts": [small.host(country="USA")], "sources": [small.source(country="JPN")]}
    assert (
        "deficit of USA with JPN is 1,000 MUSD (2024): the joint plants make it shrink by 3.0%, in favour of USA"
        in (trade_sheet_of(1, **there).sentences[0])
    )
    assert (
        "surplus of USA with JPN is 1,000 MUSD (2024): the joint plants make it grow by 3.0%, in favour of USA"
        in (trade_sheet_of(-1, **there).sentences[0])
    )


def test_without_joint_plants_none_of_the_balance_is_their_doing():
    offers = [small.supplier("J", where="USA", tonnes=500, country="JPN", customs_origin="JPN"), small.supplier()]
    sheet = trade_sheet_of(1, hosts=[small.host(candidate="no")], suppliers=offers)
    (effect,) = sheet.tables[0][2].to_dict("records")
    assert pd.isna(effect["effect"])
    assert pd.isna(effect["effect_of_deficit"])
    assert "since the plan has none" in sheet.sentences[0]
    assert not any("joint plants make" in line or "cannot move" in line for line in sheet.sentences)


def test_where_no_plan_does_without_plants_their_effect_is_not_known():
    sheet = trade_sheet_of(1, **small.STOCK_ONLY)
    assert pd.isna(sheet.tables[0][2]["effect"].iloc[0])
    assert "not known" in sheet.sentences[0]
    assert "joint plants make" not in sheet.sentences[0]


def test_a_deficit_in_another_unit_is_left_out_and_said_to_be():
    sheet = trade_sheet_of(0, published=[{**DEFICIT, "value": 68500, "unit": "thousand USD"}])
    assert pd.isna(sheet.tables[0][2]["published_deficit"].iloc[0])
    assert any("its unit, thousand USD, is not understood" in line for line in sheet.sentences)
    assert "published goods" not in sheet.sentences[0]


def test_no_share_of_a_deficit_of_nothing_is_given():
    sheet = trade_sheet_of(0)
    assert pd.isna(sheet.tables[0][2]["effect_of_deficit"].iloc[0])
    assert "joint plants make" not in sheet.sentences[0]


def test_a_share_of_no_imports_is_not_said():
    sheet = trade_sheet_of(1, hosts=[small.host(country="JPN")])
    assert not any("nan" in line for line in sheet.sentences)
    assert "JPN in 2030: nothing is imported; 0% of all it is supplied with is traced to China." in sheet.sentences


def test_one_partner_has_nobody_to_share_with():
    assert study(small.book()) == {}
