"""The cap frontier: levels written into the book, which levels are solved, break points found by hand, brute force."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest

from model.planner import solve
from model.studies.cap_levels import CapScope, cap_path, cap_scopes, with_cap_level
from model.studies.cap_sweep import Point, Reach, Sweep, grid_levels
from model.studies.frontier import Frontier, answered_by_sweep, cost_per_point, gap_of, point_of, run, trace_frontiers
from model.studies.study import StudyContext
from model.tables import Tables
from tests import small
from tests.random_books import random_book

EVERY = CapScope("every_product", "supply", "tonnes", "every_product", "", "every product at once")
TONNES = CapScope("tonnes", "supply", "tonnes", "all", "", "all supply by tonnes")
FEEDSTOCK = CapScope("feedstock", "feedstock", "tonnes", "all", "", "feedstock of the joint plants")


def context_of(tables: Tables) -> StudyContext:
    return StudyContext(tables, solve(tables, small.EXACT), small.EXACT, 1, lambda _: None)


def frontier_book(settings: dict[str, object] | None = None, **sheets: list[small.Row]) -> Tables:
    """Return a book in which Chinese oxide is the cheap one: 50 a kt, against 80 a kt of feed and the plant.

    SMALL makes 400 t for 10 a year, BIG 1 kt for 30; 1 kt is wanted, a kt short costs 200.
    """
    defaults: dict[str, list[small.Row]] = {
        "sources": [small.source(fixed_price=80)],
        "hosts": [small.host("SMALL") | {"name": "Smalland"}, small.host("BIG") | {"name": "Bigland"}],
        "designs": [small.design("D400", capacity=400, capex=100, host="SMALL"), small.design("D1000", capex=300, host="BIG")],
        "suppliers": [small.supplier("CHINA", price_share=0.5, china_linked=1)],
        "caps": [small.cap("supply", "tonnes", "all", 0.7)],
    }
    return small.book({"frontier_scopes": "tonnes", "frontier_points": 6, **(settings or {})}, **{**defaults, **sheets})


# --- levels in the book ---------------------------------------------------------------------------


def test_a_level_is_where_the_books_own_cap_ends_up():
    caps = [small.cap("supply", "tonnes", "every_product", 0.65) | {2031: 0.5, 2032: 0.35, 2033: 0.4}]
    tables = small.book({"last_year": 2033, "modelled_years": "all"}, caps=caps)
    # 65, 50, 35, 40 %: the level from 2032 on, before that whichever is looser
    assert cap_path(tables, EVERY, 0.2) == {2030: 0.65, 2031: 0.5, 2032: 0.2, 2033: 0.2}
    assert cap_path(tables, EVERY, 0.6) == {2030: 0.65, 2031: 0.6, 2032: 0.6, 2033: 0.6}
    assert cap_path(tables, EVERY, 0.35) == {2030: 0.65, 2031: 0.5, 2032: 0.35, 2033: 0.35}


def test_years_that_the_book_does_not_cap_stay_free():
    caps = [small.cap("supply", "tonnes", "all", 0.5) | {2030: None}]
    tables = small.book({"last_year": 2032, "modelled_years": "all"}, caps=caps)
    assert cap_path(tables, TONNES, 0.2) == {2031: 0.2, 2032: 0.2}


def test_a_scope_without_a_cap_of_its_own_follows_the_loosest_of_its_basis():
    caps = [small.cap("supply", "value", "all", 0.4, name="A") | {2030: 0.8}, small.cap("supply", "tonnes", "every_product", 0.3, name="B")]
    tables = small.book({"last_year": 2031, "modelled_years": "all"}, caps=caps)
    assert cap_path(tables, TONNES, 0.1) == {2030: 0.8, 2031: 0.1}
    assert cap_path(tables, FEEDSTOCK, 0.1) == {2030: 0.1, 2031: 0.1}


def test_one_cap_replaces_those_of_the_same_basis():
    caps = [small.cap("supply", "value", "all", 0.4, name="A"), small.cap("feedstock", "tonnes", "all", 0.3, name="B")]
    changed = with_cap_level(small.book(caps=caps), EVERY, 0.25)["caps"]
    assert changed["cap"].tolist() == ["B", "swept_cap"]
    assert changed["scope"].tolist() == ["all", "every_product"]
    assert changed[2030].tolist() == [0.3, 0.25]
    assert changed.index.is_unique


def test_scopes_are_read_from_the_settings():
    scopes = cap_scopes(small.book({"frontier_scopes": "value, Nd,value"}))
    assert [(scope.measure, scope.scope, scope.member) for scope in scopes] == [("value", "all", ""), ("tonnes", "product", "Nd")]
    with pytest.raises(ValueError, match="Ndd is none of"):
        cap_scopes(small.book({"frontier_scopes": "Ndd"}))


# --- which levels are solved ------------------------------------------------------------------------


def swept(cost: dict[str, list[float]] | None, grid: tuple[int, ...], gap: float = 0.0, only_to: int = -1) -> tuple[Sweep, list[int]]:
    """Run a sweep over host sets whose cost is line (constant, slope a point below 100); no plan below `only_to`."""
    sweep, solved = Sweep(grid, gap), []
    while levels := sweep.wanted():
        for level in levels:
            solved.append(level)
            costs = {hosts: line[0] + line[1] * (100 - level) for hosts, line in (cost or {}).items()}
            best = min(costs, key=lambda hosts: costs[hosts]) if level >= only_to else ""
            value = costs[best] if best else math.inf
            sweep.tell(Point(level, value, value, (best,) if best else ()))
    return sweep, solved


def test_a_cap_that_costs_nothing_takes_two_solves():
    sweep, solved = swept({"A": [10, 0]}, grid_levels(11))
    assert sorted(solved) == [0, 100]
    assert [point.cost for point in sweep.shown()] == [10] * 11
    assert {point.found_at for point in sweep.shown()[1:]} == {0}
    assert sweep.turns() == []


def test_hosts_that_change_are_located_to_a_point():
    # equal at 100 - 50 / 0.8 = 37.5 %
    sweep, solved = swept({"A": [10, 1], "B": [60, 0.2]}, grid_levels(6))
    (turn,) = sweep.turns()
    assert (turn.loose.level, turn.tight.level, turn.level) == (38, 37, 37.5)
    assert len(solved) == len(set(solved)) <= 6 + 5


def test_every_change_is_found_between_the_levels_of_the_grid():
    sweep, _ = swept({"A": [0, 1], "B": [10, 0.5], "C": [30, 0.1]}, grid_levels(3))
    assert [(turn.loose.hosts, turn.tight.hosts) for turn in sweep.turns()] == [(("A",), ("B",)), (("B",), ("C",))]
    assert [turn.level for turn in sweep.turns()] == [pytest.approx(80, abs=0.5), pytest.approx(50, abs=0.5)]


def test_hosts_that_cost_the_same_are_no_change():
    sweep, solved = swept({"A": [10, 0.001], "B": [10.05, 0]}, (100, 50, 0), gap=0.1)
    assert sorted(solved) == [0, 100]
    assert sweep.turns() == []


def test_the_end_of_what_is_possible_is_located_too():
    sweep, _ = swept({"A": [10, 1]}, grid_levels(6), only_to=33)
    (turn,) = sweep.turns()
    assert (turn.loose.level, turn.tight.level) == (33, 32)
    assert [point.exists for point in sweep.shown()] == [True, True, True, True, False, False]


def test_a_stopped_solve_takes_the_tighter_plan_where_that_is_cheaper():
    sweep = Sweep((100, 50, 0), 0.0)
    sweep.tell(Point(0, 20, 20, ("B",)))
    sweep.tell(Point(100, 10, 10, ("A",)))
    sweep.tell(Point(50, 25, 15, ("C",)))
    assert [(point.cost, point.hosts, point.found_at) for point in sweep.shown()] == [(10, ("A",), 100), (20, ("B",), 0), (20, ("B",), 0)]
    assert sweep.points[50].bound == 15


def test_reach_is_found_to_the_point():
    reach, tried = Reach(80), []
    while (level := reach.wanted()) is not None:
        tried.append(level)
        reach.tell(level, level >= 23)
    assert reach.reached == 23
    assert len(tried) <= 8


# --- solved books -----------------------------------------------------------------------------------


def test_break_points_of_a_book_worked_out_by_hand():
    # at a level L SMALL alone costs 10 + 80 (1 - L) + 50 L down to 60 %; below, what it cannot make is short: with u = 1 / (1 - L)
    # that is 222 - 60 u, and BIG, 30 + 80 (1 - L) + 50 L, is as dear at 60 u^2 - 142 u + 30 = 0, L = 53.1 %
    context = context_of(frontier_book())
    (frontier,) = trace_frontiers(context)
    found = [(turn.level, turn.loose.hosts, turn.tight.hosts) for turn in frontier.sweep.turns()]
    assert found == [(99.5, (), ("SMALL",)), (53.5, ("SMALL",), ("BIG",))]
    points = frontier.sweep.points
    assert points[100].cost == small.approx(50)
    assert points[80].cost == small.approx(10 + 16 + 40)
    assert points[60].cost == small.approx(10 + 32 + 30)
    assert points[20].cost == small.approx(30 + 64 + 10)
    assert cost_per_point(points[80], points[70]) == pytest.approx(0.3)
    # half a point to either side of where the hosts change
    assert points[54].cost == small.approx(222 - 60 / 0.46)
    assert points[53].cost == small.approx(30 + 80 * 0.47 + 50 * 0.53)
    assert {point.verdict for point in points.values()} == {"passed"}


def test_the_lowest_share_with_nobody_short():
    # 700 t of it can be made
    tables = frontier_book(designs=[small.design("D700", capacity=700, capex=100, host="SMALL")])
    (frontier,) = trace_frontiers(context_of(tables))
    assert frontier.lowest is not None
    assert frontier.lowest.level == 30
    assert frontier.lowest.cost == small.approx(10 + 56 + 15)
    assert frontier.lowest.unmet == pytest.approx(0, abs=1e-3)


def test_the_lowest_share_counts_from_what_is_short_without_a_cap():
    # 200 t are short anyway: 800 t of Chinese oxide and no more; with 400 t made, 600 t are bought or 200 t still short
    tables = frontier_book(
        suppliers=[small.supplier("CHINA", tonnes=800, price_share=0.5, china_linked=1)],
        designs=[small.design("D400", capacity=400, capex=3000, host="SMALL")],
    )
    (frontier,) = trace_frontiers(context_of(tables))
    assert frontier.free.unmet == pytest.approx(200)
    assert frontier.lowest is not None
    assert frontier.lowest.level == 50  # 400 t of 800 t
    assert frontier.lowest.unmet == pytest.approx(200, abs=0.01)


def test_where_oxide_must_be_bought_there_is_an_end():
    tables = frontier_book(suppliers=[small.supplier("CHINA", tonnes=1000, price_share=0.5, china_linked=1, least_take=0.3)])
    context = context_of(tables)
    (frontier,) = trace_frontiers(context)
    last = frontier.sweep.turns()[-1]
    assert (last.loose.level, last.tight.level, last.tight.exists) == (30, 29, False)
    assert frontier.reach is not None
    assert frontier.reach.reached == 30
    (sheet,) = run(context)
    assert any("tighter than 30 % there is no plan" in sentence for sentence in sheet.sentences)


def test_a_plan_that_fails_verification_is_not_reported():
    plan = solve(with_cap_level(frontier_book(), TONNES, 0.8), small.EXACT)
    assert point_of(80, plan).cost == small.approx(66)
    failed = point_of(80, replace(plan, verification=replace(plan.verification, failures=["a rule"])))
    assert math.isnan(failed.cost)
    assert failed.verdict == "FAILED"
    impossible = solve(with_cap_level(frontier_book(suppliers=[small.supplier(china_linked=1, least_take=0.1)]), TONNES, 0), small.EXACT)
    assert point_of(0, impossible).impossible


def test_what_the_sheet_says():
    (sheet,) = run(context_of(frontier_book()))
    points = sheet.tables[0][2]
    assert points["level"].tolist() == [1.0, 0.8, 0.7, 0.6, 0.4, 0.2, 0.0]  # the book's own level is among them
    assert points["extra_cost"].is_monotonic_increasing
    assert sheet.headlines[0] == "Each further point of cap below 70 % on all supply by tonnes costs about 0.3 MUSD."
    assert sheet.headlines[1] == "Below 53.5 % on all supply by tonnes the hosts change from Smalland to Bigland."
    assert sheet.headlines[2] == "All supply by tonnes can go down to 0 % China-linked before anybody is left shorter than without a cap."
    turns = sheet.tables[1][2]
    assert turns[["looser", "tighter"]].values.tolist() == [[1.0, 0.99], [0.54, 0.53]]


def only_at(tables: Tables, hosts: tuple[str, ...]) -> Tables:
    frame = tables["hosts"].copy()
    frame.loc[~frame["host"].isin(hosts), "candidate"] = "no"
    return tables.with_frames(hosts=frame)


@pytest.mark.parametrize("seed", [0])
def test_the_frontier_is_the_best_of_all_host_sets_and_never_falls(seed):
    tables = random_book(seed)
    tables.frames["settings"].loc[len(tables["settings"]) + 2] = {**tables["settings"].iloc[0], "setting": "frontier_points", "value": 3}
    tables.frames["settings"].loc[len(tables["settings"]) + 2] = {
        **tables["settings"].iloc[0],
        "setting": "frontier_scopes",
        "value": "value, Dy",
    }
    hosts = tuple(tables["hosts"]["host"])
    sets = [chosen for size in range(len(hosts) + 1) for chosen in itertools.combinations(hosts, size)]
    for frontier in trace_frontiers(context_of(tables)):
        for point in frontier.sweep.shown():
            capped = with_cap_level(tables, frontier.scope, point.level / 100)
            costs = {}
            for chosen in sets:
                solved = small.solve_book(only_at(capped, chosen))
                costs[chosen] = solved.cost if solved.outcome.status.has_plan else math.inf
            assert point.cost == small.approx(min(costs.values()))
            if point.exists:
                assert costs[tuple(h for h in hosts if h in point.hosts)] == small.approx(point.cost)
                assert point.verdict == "passed"
        costs_by_level = [point.cost for point in frontier.sweep.known()]
        assert all(b >= a - 1e-6 for a, b in itertools.pairwise(costs_by_level))


def test_a_plan_without_a_bound_has_no_gap():
    # a level that was not found in time takes the tighter level's plan; nothing is proven of it
    sweep = Sweep((100, 50), 1.0)
    sweep.tell(Point(50, 30.0, 29.5, ("A",)))
    sweep.tell(Point(100, math.nan, math.nan))
    assert sweep.points[100].cost == 30.0
    assert math.isnan(gap_of(sweep.points[100]))
    assert gap_of(sweep.points[50]) == pytest.approx(0.5)
    assert math.isnan(gap_of(Point(0, math.inf, math.inf)))


def test_a_level_that_was_not_decided_leaves_the_reach_unproven():
    reach = Reach(40)
    reach.tell(0, False, proven=True)
    assert reach.proven
    reach.tell(20, False, proven=False)
    reach.tell(30, True)
    assert (reach.reached, reach.missed, reach.proven) == (30, 20, False)


@pytest.mark.parametrize(("unmet", "answered"), [(2.0, True), (2.1, False)])
def test_a_level_whose_own_plan_leaves_nobody_shorter_is_not_solved_again(unmet, answered):
    (scope,) = cap_scopes(small.book({"frontier_scopes": "tonnes"}))
    sweep = Sweep((100, 0), 1.0, {100: Point(100, 10.0, 10.0, unmet=2.0), 0: Point(0, 30.0, 29.5, unmet=unmet)})
    frontier = Frontier(scope, 100, sweep)
    assert answered_by_sweep(frontier, 0) is answered
    assert frontier.lowest == (sweep.points[0] if answered else None)
    assert not answered_by_sweep(frontier, 50)
