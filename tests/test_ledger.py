"""Costs laid on markets, against figures worked out by hand on the tiny book."""

from __future__ import annotations

import pandas as pd
import pytest

from model.ledger import YEARLY_RULES, cost_by_market, cost_ledger, joint_cost_shares
from model.result_schema import RESULT_BY_NAME
from model.tables import Tables
from tests.test_analysis import ORIGINS, problem, records
from tests.tiny import tiny_tables

COSTED = {
    **ORIGINS,
    "costs": pd.DataFrame(
        [
            ("capital", "AAA_PORT", "", 2030, 9.0, 1.0, 9.0),
            ("capital", "AAA_PORT", "", 2031, 9.0, 0.5, 4.5),
            ("freight_out", "AAA_PORT", "JPN", 2030, 1.0, 1.0, 1.0),
            ("oxide_purchase", "", "USA", 2030, 7.0, 1.0, 7.0),
        ],
        columns=RESULT_BY_NAME["costs"].names,
    ),
}


def shares(rule: str, tables: Tables | None = None) -> pd.Series:
    frame = joint_cost_shares(tables or tiny_tables(), problem(), COSTED, rule)
    return frame.set_index(["year", "market"])["share"]


def test_costs_are_shared_by_what_each_partner_gets_and_by_equity_where_nothing_is_delivered():
    # Japan gets 100 t and the US 50 t of NdPr at 100 USD/kg in 2030, nothing in 2031; equity is 0.6 and 0.4
    frame = joint_cost_shares(tiny_tables(), problem(), COSTED, "value").set_index(["year", "market"])
    assert frame.loc[(2030, "JPN"), "value"] == pytest.approx(10.0)
    assert frame.loc[(2030, "JPN"), "tonnes"] == pytest.approx(100.0)
    for rule, japan in (("value", 2 / 3), ("tonnes", 2 / 3), ("equity", 0.6)):
        assert shares(rule)[2030, "JPN"] == pytest.approx(japan), rule
        assert shares(rule)[2031, "JPN"] == pytest.approx(0.6), rule


def test_value_and_tonnes_differ_where_products_do():
    cerium = ("AAA_PORT", "Ce", "USA", 2030, 50.0, 0.0)
    found = {**COSTED, "deliveries": pd.concat([COSTED["deliveries"], pd.DataFrame([cerium], columns=COSTED["deliveries"].columns)])}
    by = {r: joint_cost_shares(tiny_tables(), problem(), found, r).set_index(["year", "market"])["share"] for r in YEARLY_RULES}
    assert by["tonnes"][2030, "JPN"] == pytest.approx(0.5)
    assert by["value"][2030, "JPN"] == pytest.approx(10 / 15.1)  # cerium is worth 2 USD/kg
    assert by["equity"][2030, "JPN"] == pytest.approx(0.6)


@pytest.mark.parametrize("rule", YEARLY_RULES)
def test_a_market_that_is_no_partner_pays_for_the_worth_that_it_gets(rule):
    rows = records()["markets"]
    tables = tiny_tables(markets=[{**rows[0], "equity": 1.0}, {**rows[1], "partner": "no", "equity": 0.0}])
    assert shares(rule, tables)[2030, "USA"] == pytest.approx(1 / 3)
    assert shares(rule, tables)[2030, "JPN"] == pytest.approx(2 / 3)
    assert shares(rule, tables)[2031, "JPN"] == pytest.approx(1.0)


@pytest.mark.parametrize("rule", YEARLY_RULES)
def test_ledger_lays_every_cost_on_a_market_and_adds_up(rule):
    ledger = cost_ledger(tiny_tables(), problem(), COSTED, rule).set_index(["market", "component", "year"])
    first = 0.6 if rule == "equity" else 2 / 3
    assert ledger.loc[("JPN", "capital", 2030), "cost"] == pytest.approx(9 * first)
    assert ledger.loc[("JPN", "capital", 2031), "present_value"] == pytest.approx(4.5 * 0.6)
    assert ledger.loc[("JPN", "freight_out", 2030), "cost"] == pytest.approx(1.0)
    assert ledger.loc[("USA", "oxide_purchase", 2030), "cost"] == pytest.approx(7.0)
    assert ledger["present_value"].sum() == pytest.approx(COSTED["costs"]["present_value"].sum())
    assert sum(cost_by_market(tiny_tables(), problem(), COSTED, rule).values()) == pytest.approx(21.5)
