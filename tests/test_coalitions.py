"""The inputs of partners without the others, and Shapley shares, on books solved by eye."""

from __future__ import annotations

import pytest

from model.coalitions import SHARED, VIEWS, WHOLE, coalition_tables, proper_coalitions, shapley_costs
from model.planner import solve
from model.validation import check_tables
from tests import small
from tests.random_books import random_book
from tests.test_brute_force import least_cost_given, plans
from tests.tiny import tiny_tables

JAPAN, USA = frozenset({"JPN"}), frozenset({"USA"})


def two_partners(equity: float = 0.6, **sheets: list[small.Row]) -> small.Tables:
    """Return a book of two partners that need 500 t each; a plant of 1,000 t costs 10 MUSD a year, feed 20 MUSD/kt."""
    markets = [small.market("JPN", equity=equity), small.market("USA", equity=1 - equity)]
    demand = [small.demand(500, where="JPN"), small.demand(500, where="USA")]
    return small.book(**{"markets": markets, "demand": demand, **sheets})


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("members", [JAPAN, USA])
def test_nothing_of_the_others_is_left_and_the_book_is_valid(view, members):
    tables = coalition_tables(tiny_tables(), members, view)
    (member,) = members
    assert set(tables["markets"]["market"]) == set(tables["demand"]["market"]) == {member}
    assert set(tables["suppliers"]["market"]) <= {member, "*"}
    assert set(tables["stockpiles"]["market"]) <= {member}
    assert tables["markets"]["equity"].tolist() == [1.0]
    assert [finding for finding in check_tables(tables) if finding.severity == "error"] == []


def test_caps_on_the_other_partner_go_and_the_rest_stay():
    caps = [small.cap("supply", "tonnes", "partner", 0.5, "JPN", "J"), small.cap("supply", "tonnes", "all", 0.5, name="A")]
    assert coalition_tables(two_partners(caps=caps), USA, WHOLE)["caps"]["cap"].tolist() == ["A"]
    assert coalition_tables(two_partners(caps=caps), JAPAN, WHOLE)["caps"]["cap"].tolist() == ["J", "A"]


def test_shared_market_cuts_open_offers_by_demand_and_feed_by_equity():
    offers = [small.supplier("OPEN", tonnes=1000), small.supplier("OWN", where="JPN", tonnes=300)]
    demand = [small.demand(300, where="JPN"), small.demand(900, where="USA")]
    tables = two_partners(suppliers=offers, demand=demand)
    whole, shared = (coalition_tables(tables, JAPAN, view) for view in (WHOLE, SHARED))
    assert whole["suppliers"][2030].tolist() == [1000, 300]
    assert shared["suppliers"][2030].tolist() == [pytest.approx(250), 300]
    assert shared["sources"]["capacity"].tolist() == [pytest.approx(6000)]
    parts = [coalition_tables(tables, members, SHARED)["suppliers"][2030].iloc[0] for members in (JAPAN, USA)]
    assert sum(parts) == pytest.approx(1000)


def test_a_market_that_is_no_partner_is_left_out_and_keeps_its_part_of_open_offers():
    markets = [*small.TWO_MARKETS, small.market("EUR", partner="no", equity=0)]
    demand = [small.demand(500, where=where) for where in ("JPN", "USA", "EUR")]
    offers = [small.supplier("OPEN", tonnes=900), small.supplier("OWN", where="EUR")]
    for members, share in ((JAPAN, 1 / 3), (JAPAN | USA, 2 / 3)):
        tables = coalition_tables(small.book(markets=markets, demand=demand, suppliers=offers), members, SHARED)
        assert set(tables["markets"]["market"]) == set(tables["demand"]["market"]) == members
        assert tables["suppliers"]["supplier"].tolist() == ["OPEN"]
        assert tables["suppliers"][2030].iloc[0] == pytest.approx(900 * share)
        assert tables["markets"]["equity"].sum() == pytest.approx(1)


def test_three_partners_have_six_coalitions_and_shapley_shares_that_add_up():
    names = ["A", "B", "C"]
    assert len(list(proper_coalitions(names))) == 6
    # a plant of 12 serves whoever joins; A alone could do without it for 6
    cost = dict.fromkeys(proper_coalitions(names), 12.0) | {frozenset("A"): 6.0, frozenset("ABC"): 12.0}
    shares = shapley_costs(names, cost)
    assert sum(shares.values()) == pytest.approx(12.0)
    # A: first of all 6 (2 of 6 orders), after B or C 0, last 0
    assert shares["A"] == pytest.approx(2.0)
    assert shares["B"] == pytest.approx(5.0)


@pytest.mark.parametrize("seed", [0, 2, 5])
@pytest.mark.parametrize("view", VIEWS)
def test_cost_alone_is_the_least_of_all_plans(seed, view):
    for members in (JAPAN, USA):
        tables = coalition_tables(random_book(seed), members, view)
        problem, matrix = small.matrix_of(tables)
        best = min(least_cost_given(matrix, built)[0] for built in plans(matrix, problem.plants_per_host))
        plan = solve(tables, small.EXACT)
        if plan.solution.status.has_plan:
            assert plan.verification.passed
            assert plan.solution.objective == pytest.approx(best, rel=1e-6)
        else:
            assert best == float("inf")
