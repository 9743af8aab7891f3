"""The cap frontier: levels written into the book, which levels are solved, break points found by hand, brute force."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest

from model import strategy
from model.outcome import SolveOptions
from model.planner import solve
from model.studies.cap_levels import CapScope, cap_path, cap_scopes, full_from, with_cap_level
from model.studies.cap_sweep import Frontier, Point, Reach, Sweep, cost_per_point
from model.studies.frontier import _solve_reach, answered_by_sweep, point_of, run, trace_frontiers
from model.studies.frontier_sentences import headlines_of, hosts_in_words, sentences_of
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
    assert any("from 29 % down there is no plan" in sentence for sentence in sheet.sentences)
    assert sheet.sentences[-1].endswith(
        "with no demand unmet is 30 %, for 51.0 MUSD more than no cap."
    )  # nobody is short further down: no plan is


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
    assert sheet.headlines[0] == "The next step of the cap on all supply by tonnes, from 70 % to 60 %, costs 3.0 MUSD: 0.30 a point."
    assert sheet.headlines[1] == "Below 53.5 % on all supply by tonnes the hosts change from Smalland to Bigland."
    assert sheet.headlines[2] == "All supply by tonnes can go down to 0 % China-linked with no demand unmet."
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


@pytest.mark.parametrize(("unmet", "answered"), [(2.0, True), (2.1, False)])
def test_a_level_whose_own_plan_leaves_nobody_shorter_is_not_solved_again(unmet, answered):
    (scope,) = cap_scopes(small.book({"frontier_scopes": "tonnes"}))
    sweep = Sweep(
        (100, 0), SolveOptions(), told={100: Point(100, 10.0, 10.0, short={"A": 2.0}), 0: Point(0, 30.0, 29.5, short={"A": unmet})}
    )
    frontier = Frontier(scope, 100, sweep)
    assert answered_by_sweep(frontier, 0) is answered
    assert frontier.lowest == (sweep.points[0] if answered else None)
    assert not answered_by_sweep(frontier, 50)


# --- what is said ------------------------------------------------------------------------------------


def said(sweep: Sweep, **change: object) -> str:
    (scope,) = cap_scopes(frontier_book())
    return " ".join(sentences_of(frontier_book(), replace(Frontier(scope, 70, sweep), **change)))


def test_hosts_of_a_looser_level_are_not_said_to_do_further_down():
    # SMALL is 0.5 MUSD cheaper than BIG without a cap, and 50 dearer at 40 %: what it cannot make is short
    tables = frontier_book(
        {"minimum_hosts": 1, "max_plants": 1},
        sources=[small.source(fixed_price=50)],
        designs=[small.design("D400", capacity=400, capex=100, host="SMALL"), small.design("D1000", capex=105, host="BIG")],
    )
    within_one = replace(small.EXACT, absolute_gap=1.0)
    (sheet,) = run(StudyContext(tables, solve(tables, within_one), within_one, 1, lambda _: None))
    text = " ".join(sheet.sentences)
    assert sheet.tables[0][2]["hosts"].tolist() == [*["Smalland"] * 4, *["Bigland"] * 3]
    assert "site can be settled before the cap" not in text
    assert "the hosts of the tightest level (Bigland) are within the gap at every looser one that was solved, at most 0.5 MUSD" in text
    assert "Down to 0 % it costs no more than the gap with plants at Bigland: ask for that much at once." in text
    assert "dearest step" not in text


def test_the_same_hosts_are_said_of_what_was_solved():
    text = said(
        Sweep((100, 0), SolveOptions(), told={level: Point(level, 60.0 - level / 2, 60.0 - level / 2, ("SMALL",)) for level in (100, 0)})
    )
    assert "the same at every level solved (Smalland)" in text


def test_without_plants_no_site_is_spoken_of():
    text = said(Sweep((100, 0), SolveOptions(), told={level: Point(level, 60.0, 60.0) for level in (100, 0)}))
    assert "no plant is built at any level solved" in text
    assert "site" not in text


def test_the_year_in_which_a_level_holds_in_full_is_said():
    caps = [small.cap("supply", "tonnes", "all", 0.7) | {2030: 0.7, 2031: 0.4}]
    book = frontier_book({"last_year": 2031}, caps=caps)
    assert full_from(book, TONNES) == 2031
    sweep = Sweep((100, 0), SolveOptions(), told={100: Point(100, 60.0, 60.0), 0: Point(0, 90.0, 90.0)})
    assert "a cap of 0 %, in full from 2031, costs 30.0 MUSD more than none." in " ".join(sentences_of(book, Frontier(TONNES, 40, sweep)))


def book_with_others_to_serve() -> Tables:
    """Return a book in which nobody need be left shorter from 40 % on, though the least cost leaves Japan shorter there.

    Without a cap the USA are 200 t short: no supplier, and no plant is worth it. With 600 t made at 40 %, it would be cheaper to serve
    them (260 a kt short) and leave Japan short (200): 106 MUSD. Nobody left shorter: 100 + 48 + 20 + 52 - 102 = 118 MUSD.
    """
    return frontier_book(
        markets=small.TWO_MARKETS,
        sectors=[small.sector(), small.sector("defence", shortage_cost=260)],
        demand=[small.demand(1000), small.demand(200, where="USA", who="defence")],
        suppliers=[small.supplier("CHINA", where="JPN", tonnes=1000, price_share=0.5, china_linked=1)],
        hosts=[small.host("SMALL")],
        designs=[small.design("D600", capacity=600, capex=1000)],
    )


def test_no_sector_is_left_shorter_so_that_another_is_served():
    (sheet,) = run(context_of(book_with_others_to_serve()))
    (row,) = sheet.tables[2][2].to_dict("records")
    assert row["lowest"] == 0.4
    assert row["extra_cost"] == small.approx(118)
    assert sheet.sentences[-1] == (
        "All supply by tonnes: the lowest share that can be reached with no sector left shorter than without a cap (200.0 t in all) is 40 %, "
        "for 118.0 MUSD more than no cap; a tighter cap leaves some sector shorter than that."
    )
    assert sheet.headlines[-1] == "All supply by tonnes can go down to 40 % China-linked with no sector left shorter than without a cap."


def test_a_level_with_nobody_shorter_is_proven_by_what_the_sweep_has_proven_of_it():
    tables = frontier_book()
    (scope,) = cap_scopes(tables)
    context = context_of(tables)
    tight = small.solve_book(with_cap_level(tables, scope, 0.0))
    cost = tight.solution.objective
    point = replace(point_of(0, solve(with_cap_level(tables, scope, 0.0), small.EXACT)), short={"magnets": 1.0})
    for bound, gap in ((cost - 7.0, 0.0), (cost, 0.0)):
        frontier = Frontier(scope, 70, Sweep((100, 0), small.EXACT, told={100: Point(100, 60.0, 60.0), 0: replace(point, bound=bound)}))
        _solve_reach(context, frontier)
        assert frontier.reach.reached == 0
        assert frontier.lowest.cost == small.approx(cost)
        assert frontier.lowest.gap == small.approx(gap)


def test_a_lowest_share_that_is_not_proven_is_said_to_be_none():
    (scope,) = cap_scopes(frontier_book())
    points = {100: Point(100, 10.0, 10.0), 70: Point(70, 20.0, 20.0), 0: Point(0, 30.0, 29.5, short={"magnets": 5.0})}
    frontier = Frontier(scope, 70, Sweep((100, 70, 0), SolveOptions(), told=points), Reach(70, 0, proven=False), points[70])
    assert list(sentences_of(frontier_book(), frontier))[-1].endswith("; a solve at a tighter cap was stopped, so that it may be lower.")
    assert list(headlines_of(frontier_book(), [frontier]))[-1].endswith(
        "can go down to 70 % China-linked with no demand unmet, perhaps lower: a solve at a tighter cap was stopped."
    )
    proven = replace(frontier, reach=Reach(70, 69))
    assert list(sentences_of(frontier_book(), proven))[-1].endswith("; a tighter cap leaves somebody short whatever is built.")


def test_levels_that_were_not_found_in_time_are_not_said_to_have_no_plan():
    stopped = {level: Point(level, math.nan, math.nan) for level in (100, 50, 0)}
    assert said(Sweep((100, 50, 0), SolveOptions(), told=stopped)) == "All supply by tonnes: no plan was found in time."
    none = {level: Point(level, math.inf, math.inf) for level in (100, 50, 0)}
    assert said(Sweep((100, 50, 0), SolveOptions(), told=none)) == "All supply by tonnes: no plan exists even without a cap."
    loosest = Sweep((100, 50, 0), SolveOptions(), told={**stopped, 100: Point(100, 10.0, 9.5, ("SMALL",))})
    assert said(loosest) == "All supply by tonnes: 2 of 3 levels were not found in time, the loosest at 50 %."
    assert [hosts_in_words(frontier_book(), point) for point in loosest.shown()] == ["Smalland", "not known", "not known"]
    assert hosts_in_words(frontier_book(), none[0]) == "no plan"


def test_levels_solved_to_a_relative_gap_are_proven(monkeypatch):
    # the search by counts of plants, which tries a neighbour's plan and prunes from the cutoff on
    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    options = replace(small.EXACT, absolute_gap=0.0, relative_gap=0.02)
    tables = frontier_book({"minimum_hosts": 1}, sources=[small.source(fixed_price=50.5)])
    (sheet,) = run(StudyContext(tables, solve(tables, options), options, 1, lambda _: None))
    points = sheet.tables[0][2]
    assert (points["gap"] <= 0.0202 * points["total_cost"]).all()
    assert (points["found_at"] == points["level"]).sum() < len(points)  # what costs the same within 2 % is not solved again
    assert not any("not proven" in sentence for sentence in sheet.sentences)


@pytest.mark.parametrize("cost", [100.0, -100.0])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.6, 1.0])
def test_a_cutoff_leaves_room_for_the_gap(share, cost):
    # a search drops what is not cheaper than the cutoff by more than its gap
    cutoff = replace(small.EXACT, relative_gap=share).cutoff_above(cost)
    assert math.isinf(cutoff) if share == 1 else cutoff - max(1e-7, share * abs(cutoff)) >= cost * (1 - 1e-9)


def test_no_plan_below_a_cutoff_is_a_bound():
    tables = with_cap_level(frontier_book(), TONNES, 0.8)  # 66 MUSD at least
    pruned = point_of(80, solve(tables, small.EXACT, cutoff=60.0), 60.0)
    assert not pruned.impossible
    assert pruned.bound == small.approx(60)
    sweep = Sweep((100, 80, 60), SolveOptions())
    sweep.tell(Point(60, 60.0, 59.5, ("BIG",)))
    sweep.tell(pruned)
    assert (sweep.points[80].hosts, sweep.points[80].gap) == (("BIG",), 0.0)


def test_changes_between_levels_that_are_not_proven_say_so():
    sweep = Sweep((100, 0), SolveOptions())
    while levels := sweep.wanted():
        for level in levels:
            cost = 10 + 0.5 * (100 - level)
            sweep.tell(Point(level, cost, cost - (0.5 if level in (0, 100) else 40.0), ("SMALL" if level >= 50 else "BIG",)))
    (turn,) = sweep.turns()
    assert turn.loose.gap == turn.tight.gap == 40
    text = said(sweep)
    assert f"the chosen hosts change at {turn.level:g} % (not proven: within 40.0 MUSD); settle" in text
    solved = len(sweep.known())
    assert f"{solved - 2} of {solved} levels are not proven to the gap asked for" in text


def test_the_book_s_own_level_need_not_be_whole():
    tables = frontier_book({"frontier_points": 3}, caps=[small.cap("supply", "tonnes", "all", 0.125)])
    (sheet,) = run(context_of(tables))
    points = sheet.tables[0][2]
    assert points["level"].tolist() == [1.0, 0.5, 0.125, 0.0]
    assert points["total_cost"].tolist()[2] == small.approx(30 + 80 * 0.875 + 50 * 0.125)
    assert sheet.headlines[0].startswith("The next step of the cap on all supply by tonnes, from 12.5 % to ")
    assert {"gap_looser", "gap_tighter"} <= set(sheet.tables[1][2])
