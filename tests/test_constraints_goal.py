"""Every constraint that a goal adds, solved by eye: where it binds, leaves room and forbids.

Costs are MUSD; see `tests/small.py` for the book that each test changes.
"""

from __future__ import annotations

import math

import pytest

from model import planner
from model.goal import Goal, ShortageLimit
from model.outcome import Status
from tests import small

NONE: frozenset[str] = frozenset()
HOST, OTHER = frozenset({"HOST"}), frozenset({"OTHER"})
TWO_HOSTS = [small.host("HOST"), small.host("OTHER", country="OOO", capex_factor=2)]
"""A plant at OTHER costs 20 MUSD a year instead of 10."""


def without_sets(*hosts: frozenset[str]) -> Goal:
    return Goal(excluded_host_sets=hosts)


# --- host_set_difference_minimum --------------------------------------------------------------------


def test_host_set_difference_minimum_binds():
    # the plant moves to the dearer host: 20 + 20 instead of 10 + 20
    solved = small.check_binds(small.book(hosts=TWO_HOSTS), "host_set_difference_minimum", cost=40, free=30, goal=without_sets(HOST))
    assert solved.solution.host_set == ("OTHER",)


def test_host_set_difference_minimum_excludes_one_set_after_the_other():
    # neither host alone: buying costs 100, both plants 30 + 20
    solved = small.check_binds(small.book(hosts=TWO_HOSTS), "host_set_difference_minimum", cost=50, free=30, goal=without_sets(HOST, OTHER))
    assert solved.solution.host_set == ("HOST", "OTHER")


def test_host_set_difference_minimum_excludes_plans_without_a_plant():
    # a plant that loses 20: 100 + 20
    dear = small.book(designs=[small.design(capex=1000)])
    small.check_binds(dear, "host_set_difference_minimum", cost=120, free=100, goal=without_sets(NONE))


def test_host_set_difference_minimum_excludes_sets_and_not_builds():
    # two designs alike at HOST: the other one is the same host set, so buying is what is left
    tables = small.book(designs=[small.design(), small.design("TWIN", capex=101)])
    small.check_binds(tables, "host_set_difference_minimum", cost=100, free=30, goal=without_sets(HOST))


def test_host_set_difference_minimum_leaves_room():
    # HOST, open since one host must be, differs from {OTHER} in two hosts
    small.check_slack(small.book({"minimum_hosts": 1}, hosts=TWO_HOSTS), "host_set_difference_minimum", cost=30, goal=without_sets(OTHER))


def test_host_set_difference_minimum_forbids():
    small.check_infeasible(small.book(), "host_set_difference_minimum", without_sets(NONE, HOST))


def test_host_set_difference_minimum_forbids_without_any_host():
    small.check_infeasible(small.book(hosts=[]), "host_set_difference_minimum", without_sets(NONE))


def test_a_set_that_cannot_be_had_asks_for_nothing():
    hosts = [small.host(), small.host("CLOSED", candidate="no")]
    tables = small.book(hosts=hosts)
    for name in ("CLOSED", "NOWHERE"):
        _, matrix = small.matrix_of(tables, without_sets(frozenset({"HOST", name})))
        assert not small.rows_of(matrix, "host_set_difference_minimum").any()


# --- host_shut_link: without it a host with a plant could pass for shut ------------------------------

TWO_PLANTS = {"plants_per_host": 2}
TWO_DESIGNS = [small.design(), small.design("SECOND")]


def test_host_shut_link_binds():
    # buying costs 100; passing for shut, the plant costs 10 + 20
    small.check_binds(small.book(), "host_shut_link", cost=100, free=30, goal=without_sets(HOST))


def test_host_shut_link_binds_with_one_of_two_plants():
    # half open is no way out: host_open is whole
    tables = small.book(TWO_PLANTS, designs=TWO_DESIGNS, hosts=TWO_HOSTS)
    solved = small.check_binds(tables, "host_shut_link", cost=50, free=30, goal=without_sets(HOST, OTHER))
    assert solved.solution.host_set == ("HOST", "OTHER")


def test_host_shut_link_leaves_room():
    # one plant where two may stand
    tables = small.book(TWO_PLANTS, designs=TWO_DESIGNS, hosts=TWO_HOSTS)
    small.check_slack(tables, "host_shut_link", cost=30, goal=without_sets(HOST | OTHER))


def test_host_shut_link_forbids():
    tables = small.book(host_rules=[small.rule("force_plant", 1000)])
    small.check_infeasible(tables, "host_shut_link", without_sets(HOST))


# --- shortage_limit: a kt short costs 50, a kt bought 100 --------------------------------------------

CHEAP_SHORTAGE = {"hosts": [], "sectors": [small.sector(shortage_cost=50)]}


def short_of(kt: float, *sectors: str) -> Goal:
    return Goal(shortage_limits=(ShortageLimit(sectors or ("magnets",), kt),))


def test_shortage_limit_binds():
    # 0.4 kt short, 0.6 kt bought: 20 + 60
    solved = small.check_binds(small.book(**CHEAP_SHORTAGE), "shortage_limit", cost=80, free=50, goal=short_of(0.4))
    assert solved.tonnes("unmet") == small.approx(400)


def test_shortage_limit_counts_represented_years_and_sectors_together():
    # 2030 stands for three years and 2033 for one: 4 kt wanted by each of two, 0.8 kt may be short: 7.2 x 100 + 0.8 x 50
    tables = small.book(
        {"last_year": 2033, "modelled_years": "2030,2033"},
        hosts=[], sectors=[small.sector(shortage_cost=50), small.sector("lamps", shortage_cost=50)],
        demand=[small.demand(), small.demand(who="lamps")],
    )  # fmt: skip
    small.check_binds(tables, "shortage_limit", cost=760, free=400, goal=short_of(0.8, "magnets", "lamps"))
    small.check_binds(tables, "shortage_limit", cost=320 + 80 + 200, free=400, goal=short_of(0.0, "lamps"))


def test_shortage_limit_leaves_room():
    small.check_slack(small.book(**CHEAP_SHORTAGE), "shortage_limit", cost=50, goal=short_of(1.5))


def test_shortage_limit_forbids():
    small.check_infeasible(small.book(hosts=[], suppliers=[]), "shortage_limit", short_of(0.9))


# --- cost_budget -------------------------------------------------------------------------------------


def least_short(budget: float | None = None) -> Goal:
    return Goal("shortage", short_sectors=("magnets",), cost_budget=budget)


def test_cost_budget_binds():
    # 80 buys 0.6 kt (60) and pays for 0.4 kt short (20); without it nothing is short
    solved = small.solve_book(small.book(**CHEAP_SHORTAGE), goal=least_short(80))
    assert solved.outcome.objective == small.approx(400)
    assert solved.cost == small.approx(80)
    small.assert_verified(solved)
    assert small.cost_without(solved.matrix, "cost_budget") == small.approx(0)


def test_cost_budget_leaves_room():
    solved = small.solve_book(small.book(**CHEAP_SHORTAGE), goal=least_short(150))
    assert solved.outcome.objective == small.approx(0)
    assert solved.cost == small.approx(100)
    small.assert_verified(solved)


def test_cost_budget_forbids():
    small.check_infeasible(small.book(**CHEAP_SHORTAGE), "cost_budget", least_short(49))


# --- least shortage ----------------------------------------------------------------------------------


def test_least_shortage_reports_the_cost_of_its_plan():
    """The goal is in t, the plan's cost in MUSD and verified; nothing is proven about the cost."""
    tables = small.book(
        hosts=[], suppliers=[small.supplier(tonnes=700)],
        sectors=[small.sector(shortage_cost=50), small.sector("lamps", shortage_cost=500)],
        demand=[small.demand(), small.demand(500, who="lamps")],
    )  # fmt: skip
    plan = planner.solve(tables, small.EXACT, goal=least_short())
    # all 700 t go to magnets: 70 bought, 0.3 x 50 + 0.5 x 500 short
    assert plan.solution.status is Status.OPTIMAL
    assert plan.solution.goal_value == pytest.approx(300)
    assert plan.solution.goal_bound == pytest.approx(300)
    assert plan.solution.objective == pytest.approx(70 + 15 + 250)
    assert math.isnan(plan.solution.bound)
    assert plan.verification.passed


def test_least_shortage_of_nobody_is_nothing():
    plan = planner.solve(small.book(), small.EXACT, goal=Goal("shortage", short_sectors=("nobody",)))
    assert plan.solution.goal_value == 0
    assert plan.verification.passed


def test_least_cost_is_its_own_goal_value():
    plan = planner.solve(small.book(), small.EXACT)
    assert plan.solution.goal_value == plan.solution.objective == pytest.approx(30)
    assert plan.solution.goal_bound == plan.solution.bound
