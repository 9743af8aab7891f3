"""Worth and range of changes, against HiGHS' own ranging, re-solves and books solved by eye."""

from __future__ import annotations

import math

import highspy
import numpy as np
import pytest

from model.highs import load
from model.ranging import Change, FixedPlan
from tests import small
from tests.random_books import random_book


def fixed(tables: small.Tables) -> FixedPlan:
    solved = small.solve_book(tables)
    builds = set(solved.solution.tables["builds"].itertuples(index=False, name=None))
    return FixedPlan(solved.matrix, builds, small.EXACT)


def supply_book(first: float = 600) -> small.Tables:
    """Return a market of 1 kt: `first` t at 50, the rest at 100 MUSD/kt; no plant."""
    offers = [small.supplier("CHEAP", tonnes=first, price_share=0.5), small.supplier("DEAR", tonnes=5000)]
    return small.book(suppliers=offers, hosts=[small.host(candidate="no")])


def test_one_more_tonne_of_the_cheap_offer_replaces_the_dear_one():
    plan = fixed(supply_book())
    worth = plan.worth(Change(rows={("supplier_limit", ("CHEAP|Nd|*", 2030)): 1.0}))
    # 50 less a kt, from none of it to all of the demand
    assert (worth.value, worth.low, worth.high) == pytest.approx((-50.0, -0.6, 0.4))
    assert plan.added_cost(Change(rows={("supplier_limit", ("CHEAP|Nd|*", 2030)): 0.4})) == pytest.approx(-20.0)
    assert plan.added_cost(Change(rows={("supplier_limit", ("CHEAP|Nd|*", 2030)): 0.5})) == pytest.approx(-20.0)


def test_a_row_with_room_is_worth_nothing_until_the_room_is_gone():
    plan = fixed(supply_book())
    worth = plan.worth(Change(rows={("supplier_limit", ("DEAR|Nd|*", 2030)): 1.0}))
    assert (worth.value, worth.low, worth.high) == (0.0, pytest.approx(-4.6), math.inf)
    assert plan.added_cost(Change(rows={("supplier_limit", ("DEAR|Nd|*", 2030)): -4.7})) == pytest.approx(0.1 * (200 - 100))


def test_one_more_tonne_of_demand_costs_the_dear_offer():
    plan = fixed(supply_book())
    worth = plan.worth(Change(rows={("demand_balance", ("JPN", "Nd", 2030)): 1.0}, upper={("unmet", ("JPN", "magnets", "Nd", 2030)): 1.0}))
    assert (worth.value, worth.low, worth.high) == pytest.approx((100.0, -0.4, 4.6))


def test_demand_that_nobody_serves_costs_its_shortage():
    plan = fixed(small.book(suppliers=[], hosts=[small.host(candidate="no")]))
    more = Change(rows={("demand_balance", ("JPN", "Nd", 2030)): 1.0}, upper={("unmet", ("JPN", "magnets", "Nd", 2030)): 1.0})
    assert plan.worth(more).value == pytest.approx(200.0)
    assert plan.added_cost(more) == pytest.approx(200.0)
    assert plan.added_cost(Change(rows={("demand_balance", ("JPN", "Nd", 2030)): 1.0})) == math.inf


def test_at_a_kink_each_direction_has_a_slope_of_its_own():
    # demand is what the cheap offer holds: a kt more costs 100, a kt less saves 50
    plan = fixed(supply_book(1000))
    more = Change(rows={("demand_balance", ("JPN", "Nd", 2030)): 1.0}, upper={("unmet", ("JPN", "magnets", "Nd", 2030)): 1.0})
    less = more.scaled(-1.0)
    assert plan.worth(less) == plan.worth(more).turned()
    assert plan.slope(more, 0.01, plan.worth(more)) == pytest.approx(100.0)
    assert plan.slope(less, 0.01, plan.worth(less)) == pytest.approx(-50.0)


def test_a_change_lies_idle_only_if_nothing_it_moves_comes_to_bind():
    plan = fixed(supply_book())
    dear, cheap = ({("supplier_limit", (f"{name}|Nd|*", 2030)): 1.0} for name in ("DEAR", "CHEAP"))
    assert plan.lies_idle(Change(rows=dear), 4.5)
    assert not plan.lies_idle(Change(rows=dear), 4.7)  # 0.4 of 5 kt is taken
    assert not plan.lies_idle(Change(rows=cheap), 0.01)
    unmet = Change(upper={("unmet", ("JPN", "magnets", "Nd", 2030)): 1.0})
    assert plan.lies_idle(unmet, 0.9)
    assert not plan.lies_idle(unmet, 1.1)


def test_a_re_solve_without_an_answer_is_not_known_rather_than_impossible(monkeypatch):
    plan = fixed(supply_book())
    change = Change(rows={("supplier_limit", ("CHEAP|Nd|*", 2030)): 0.5})
    impossible = Change(rows={("demand_balance", ("JPN", "Nd", 2030)): 50.0})
    assert plan.added_cost(impossible) == math.inf
    with monkeypatch.context() as stopped:
        stopped.setattr("model.ranging.FINAL_SECONDS", 0.0)
        assert math.isnan(plan.added_cost(change))
        assert math.isnan(plan.added_cost(impossible))
    assert plan.added_cost(change) == pytest.approx(-20.0)


def test_re_solves_leave_no_trace():
    plan = fixed(supply_book())
    change = Change(rows={("supplier_limit", ("CHEAP|Nd|*", 2030)): 0.1})
    first = plan.added_cost(change)
    plan.added_cost(Change(rows={("demand_balance", ("JPN", "Nd", 2030)): 50.0}))
    assert plan.added_cost(change) == pytest.approx(first)
    assert plan.worth(change).value == pytest.approx(first)


def half_chinese(limit: float = 0.5) -> tuple[FixedPlan, Change]:
    """Return 1 kt of demand of which at most half may be Chinese at 40, the rest costs 100; and a point more of that cap."""
    offers = [small.supplier("CHINA", tonnes=5000, price_share=0.4, china_linked=1), small.supplier("CLEAN", tonnes=5000)]
    plan = fixed(small.book(suppliers=offers, hosts=[small.host(candidate="no")], caps=[small.cap("supply", "tonnes", "all", limit)]))
    purchase = [("purchase", (f"{name}|Nd|*", "JPN", 2030)) for name in ("CHINA", "CLEAN")]
    return plan, Change(coefficients={(("china_cap", ("CAP", "", 2030)), column): -0.01 for column in purchase})


def test_coefficients_are_worth_what_they_do_at_the_values_of_the_plan():
    # limit x total is 0.5 kt, so a point more allows 0.01 kt more
    plan, point = half_chinese()
    assert plan.worth(point).value == pytest.approx(-0.6)
    assert plan.added_cost(point.scaled(10)) == pytest.approx(-6.0)
    assert plan.worth(point.scaled(10).plus(point)).value == pytest.approx(-6.6)


def test_coefficients_of_a_row_with_room_run_straight_until_it_binds():
    offers = [small.supplier("CHINA", tonnes=400, price_share=0.4, china_linked=1), small.supplier("CLEAN", tonnes=5000)]
    plan = fixed(small.book(suppliers=offers, hosts=[small.host(candidate="no")], caps=[small.cap("supply", "tonnes", "all", 0.5)]))
    _, point = half_chinese()
    assert not plan.bends(point)
    worth = plan.worth(point)
    assert (worth.value, worth.low, worth.high) == (0.0, pytest.approx(-10.0), math.inf)  # 40 of 50 points are used
    assert plan.lies_idle(point, 9.0)
    assert not plan.lies_idle(point, 11.0)
    assert half_chinese()[0].bends(point)


def books() -> list[int]:
    return [seed for seed in range(18) if small.solve_book(random_book(seed)).outcome.status.has_plan][:8]


@pytest.mark.parametrize("seed", books())
def test_ranges_of_single_rows_are_those_of_the_solver(seed):
    """HiGHS reports the right-hand sides between which a binding row keeps its dual."""
    plan = fixed(random_book(seed))
    highs = load(plan.matrix, small.EXACT)
    highs.run()
    status, ranging = highs.getRanging()
    assert status == highspy.HighsStatus.kOk
    duals = np.array(highs.getSolution().row_dual)
    seen = 0
    for position in np.flatnonzero((np.abs(duals) > 1e-6) & ~plan.basic_rows):
        worth = plan.worth(Change(rows={plan.matrix.rows[position]: 1.0}))
        assert worth.value == pytest.approx(duals[position])
        bound = plan.rows[position]
        assert bound + worth.low == pytest.approx(max(-1e30, ranging.row_bound_dn.value_[position]), abs=1e-5), plan.matrix.rows[position]
        assert bound + worth.high == pytest.approx(min(math.inf, ranging.row_bound_up.value_[position]), abs=1e-5), plan.matrix.rows[
            position
        ]
        seen += 1
    assert seen > 5


@pytest.mark.parametrize("seed", books())
def test_within_its_range_a_worth_is_what_a_re_solve_gives_and_beyond_it_costs_more(seed):
    plan = fixed(random_book(seed))
    for position in np.flatnonzero(np.abs(plan.row_duals) > 1e-6):
        change = Change(rows={plan.matrix.rows[position]: 1.0})
        worth = plan.worth(change)
        for end in (worth.low, worth.high):
            if 0.0 < abs(end) < 1e6:
                assert plan.added_cost(change.scaled(0.9 * end)) == pytest.approx(0.9 * end * worth.value, abs=1e-5)
                assert plan.added_cost(change.scaled(2.0 * end)) >= 2.0 * end * worth.value - 1e-5
