"""Which levels a sweep solves, where the hosts change by what it knows, and the search for the lowest level."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from model.hot_start import HotStart
from model.linear_program import Basis
from model.outcome import SolveOptions
from model.studies.cap_sweep import Point, Reach, Sweep, grid_levels


def swept(cost: dict[str, list[float]] | None, grid: tuple[int, ...], gap: float = 0.0, only_to: int = -1) -> tuple[Sweep, list[int]]:
    """Run a sweep over host sets whose cost is line (constant, slope a point below 100); no plan below `only_to`."""
    sweep, solved = Sweep(grid, SolveOptions(absolute_gap=gap)), []
    while levels := sweep.wanted():
        level = levels[0]
        solved.append(level)
        costs = {hosts: line[0] + line[1] * (100 - level) for hosts, line in (cost or {}).items()}
        best = min(costs, key=lambda hosts: costs[hosts]) if level >= only_to else ""
        value = costs[best] if best else math.inf
        sweep.tell(Point(level, value, value, (best,) if best else ()))
    return sweep, solved


def test_a_cap_that_costs_nothing_takes_a_solve_for_each_half_of_the_way():
    sweep, solved = swept({"A": [10, 0]}, grid_levels(11))
    assert solved == [100, 50, 20, 10, 0]
    assert [point.cost for point in sweep.shown()] == [10] * 11
    assert [point.found_at for point in sweep.shown()[1:]] == [50] * 5 + [20] * 3 + [10, 0]
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
    assert solved == [100, 50, 0]
    assert sweep.turns() == []


def test_the_tightest_level_comes_before_any_that_is_passed_over():
    _, solved = swept({"A": [10, 1], "B": [60, 0.2]}, grid_levels(11))
    first = solved.index(0)
    assert solved[:first] == sorted(solved[:first], reverse=True)
    assert set(solved[first:]) - {0} > {90, 80, 70}


def test_hosts_that_change_with_any_cap_at_all_are_located_next_to_none():
    # B costs little of each point, far less than what having a cap does
    sweep = Sweep(grid_levels(11), SolveOptions(absolute_gap=1.0))
    solved = []
    while levels := sweep.wanted():
        for level in levels:
            solved.append(level)
            cost, hosts = (10.0, ("A",)) if level == 100 else (40.0 + 0.2 * (100 - level), ("B",))
            sweep.tell(Point(level, cost, cost, hosts))
    assert [turn.level for turn in sweep.turns()] == [99.5]
    assert sorted(level for level in solved if level > 90) == [99, 100]


def test_hosts_that_change_where_a_point_costs_enough_are_located_by_halves():
    sweep, solved = swept({"A": [10, 20], "B": [50, 9]}, grid_levels(11))
    (turn,) = sweep.turns()
    assert turn.level == pytest.approx(100 - 40 / 11, abs=0.5)
    assert 95 in solved
    assert 99 not in solved


def test_hosts_are_not_located_beyond_a_level_that_is_still_open():
    sweep = Sweep((100, 60, 30, 10, 0), SolveOptions())
    for level, cost, hosts in ((100, 1.0, "A"), (30, 40.0, "B"), (10, 80.0, "C"), (0, 90.0, "D")):
        sweep.tell(Point(level, cost, cost, (hosts,)))
    assert sweep.wanted() == [5, 60]
    for level, cost, hosts in ((5, 85.0, "C"), (2, 88.0, "C"), (1, 89.0, "C")):
        sweep.tell(Point(level, cost, cost, (hosts,)))
    assert sweep.wanted() == [20, 60]
    assert sweep.wanted(under_way=[20]) == [60]
    sweep.tell(Point(20, 60.0, 60.0, ("C",)))
    assert sweep.wanted(under_way=[60]) == [25], "of what is tighter than the open level everything is known"
    for level in (25, 27, 28, 29):
        sweep.tell(Point(level, 41.0, 41.0, ("B",)))
    assert [turn.width for turn in sweep.turns()][1:] == [5, 1]


def test_a_level_takes_over_no_plan_that_is_not_proven_to_the_gap_there():
    for bound, wanted in ((10.0, []), (9.6, []), (9.4, [75])):
        sweep = Sweep((100, 75, 50), SolveOptions(absolute_gap=1.0))
        sweep.tell(Point(100, 10.0, bound, ("A",)))
        sweep.tell(Point(50, 10.5, 9.9, ("A",)))
        assert sweep.wanted() == wanted
        assert all(point.gap <= 1.0 for point in sweep.shown())


def test_steps_within_the_gap_add_up():
    # each step of the grid costs less than 1, all of them 4.3; B is the best at 0 % alone, and A would cost 0.2 more there
    sweep, _ = swept({"A": [10, 0.045], "B": [11.3, 0.03]}, grid_levels(6), gap=1.0)
    (turn,) = sweep.turns()
    assert (turn.loose.hosts, turn.kept.hosts, turn.width) == (("A",), ("B",), 1)
    assert 14.3 - turn.loose.cost > 1 >= 14.3 - turn.tight.cost
    assert sweep.settled() is None


def test_hosts_that_keep_within_the_gap_as_far_as_solved_are_no_change():
    # 2 MUSD from end to end; each level in between has a tie for its best hosts
    sweep = Sweep((100, 0), SolveOptions())
    while levels := sweep.wanted():
        for level in levels:
            hosts = {100: "SMALL", 0: "BIG"}.get(level, "SMALL" if level % 3 else "BIG")
            cost = 10 + 0.02 * (100 - level)
            sweep.tell(Point(level, cost, cost, (hosts,)))
    kept = sweep.settled()
    assert sweep.turns() == []
    assert kept is not None
    assert (kept.hosts, kept.level) == (("BIG",), 75)


@pytest.mark.parametrize("seed", range(40))
def test_hosts_that_are_said_to_do_are_within_the_gap(seed):
    draw = random.Random(seed)
    lines = {hosts: (draw.uniform(0, 4), draw.uniform(0, 0.3) ** 3) for hosts in "ABC"}
    sweep = Sweep((100, 80, 60, 40, 20, 12.5, 0), SolveOptions())

    def cost(hosts: str, level: float) -> float:
        return lines[hosts][0] + lines[hosts][1] * (100 - level)

    while levels := sweep.wanted():
        for level in levels:
            least = min(cost(hosts, level) for hosts in lines)
            chosen = draw.choice([hosts for hosts in lines if cost(hosts, level) <= least + 0.5])
            sweep.tell(Point(level, cost(chosen, level), least, (chosen,)))
    kept = sweep.settled()
    assert (kept is None) == bool(sweep.turns())
    for point in sweep.known() if kept else []:
        assert cost(kept.hosts[0], point.level) <= point.cost + 1 + 1e-9
    for turn in sweep.turns():
        assert turn.width <= 1
        assert cost(turn.kept.hosts[0], turn.tight.level) <= turn.tight.cost + 1 + 1e-9


def test_no_tighter_cap_is_possible_where_one_is_not():
    sweep = Sweep((100, 50, 0), SolveOptions())
    sweep.tell(Point(0, math.nan, math.nan))
    sweep.tell(Point(50, math.inf, math.inf))
    assert sweep.points[0].impossible


def test_the_end_of_what_is_possible_is_located_too():
    sweep, _ = swept({"A": [10, 1]}, grid_levels(6), only_to=33)
    (turn,) = sweep.turns()
    assert (turn.loose.level, turn.tight.level) == (33, 32)
    assert [point.exists for point in sweep.shown()] == [True, True, True, True, False, False]


def test_a_stopped_solve_takes_the_tighter_plan_where_that_is_cheaper():
    sweep = Sweep((100, 50, 0), SolveOptions(absolute_gap=0.0))
    sweep.tell(Point(0, 20, 20, ("B",)))
    sweep.tell(Point(100, 10, 10, ("A",)))
    sweep.tell(Point(50, 25, 15, ("C",)))
    assert [(point.cost, point.hosts, point.found_at) for point in sweep.shown()] == [(10, ("A",), 100), (20, ("B",), 0), (20, ("B",), 0)]
    assert sweep.points[50].bound == 15


@pytest.mark.parametrize("seed", range(30))
def test_what_is_solved_and_from_where_hangs_on_no_order_in_which_solves_end(seed):
    """Costs are proven to a gap only and hosts tie, so that what is told of one level could change what is asked of another."""
    draw = random.Random(seed)
    lines = {hosts: (draw.uniform(0, 4), draw.uniform(0, 0.3) ** 3) for hosts in "ABC"}
    nothing = Basis(np.zeros(0, np.int8), np.zeros(0, np.int8))
    last, stopped = draw.choice([-1, -1, 7, 35]), draw.choice([0.0, 0.3])
    costs: dict[float, tuple[float, float, str]] = {}

    def solved(level: float) -> Point:
        """Return the same point of a level whenever it is asked for."""
        if level < last:
            return Point(level, math.inf, math.inf)
        if level < 100 and random.Random(seed + int(100 * level)).random() < stopped:
            return Point(level, math.nan, math.nan)
        if level not in costs:
            mine = random.Random(1000 * seed + int(10 * level))
            least = min(line[0] + line[1] * (100 - level) for line in lines.values())
            hosts = mine.choice([name for name, line in lines.items() if line[0] + line[1] * (100 - level) <= least + 0.5])
            costs[level] = (lines[hosts][0] + lines[hosts][1] * (100 - level) + mine.uniform(0, 0.4), least, hosts)
        cost, least, hosts = costs[level]
        return Point(level, cost, least, (hosts,), hot=HotStart((level,), (), nothing, ()))

    def run(order: random.Random) -> tuple[dict[float, object], list[Point], list[float]]:
        sweep, under_way, asked = Sweep((100, 80, 60, 40, 20, 12.5, 0), SolveOptions()), [], {}
        while True:
            for level in sweep.wanted(under_way):
                assert level not in asked
                hot, tighter, looser = sweep.looser_hot(level), sweep.tighter(level), sweep.looser(level)
                asked[level] = (hot and hot.columns, tighter and (tighter.cost, tighter.hosts), looser and (looser.cost, looser.hosts))
                under_way.append(level)
            if not under_way:
                return asked, [replace(point, cost=cost_of(point)) for point in sweep.known()], [turn.level for turn in sweep.turns()]
            level = under_way.pop(order.randrange(len(under_way)))
            sweep.tell(solved(level))

    def cost_of(point: Point) -> float:
        return -1.0 if math.isnan(point.cost) else point.cost

    first = run(random.Random(0))
    assert all(run(random.Random(number)) == first for number in range(1, 12))
    assert first[1][0].exists
    assert max(first[2], default=0.0) <= 100


def test_levels_passed_over_are_asked_for_beside_the_way_to_the_tightest():
    sweep = Sweep((100, 80, 60, 40, 20, 0), SolveOptions(absolute_gap=0.5))
    assert sweep.wanted() == [100]
    assert sweep.wanted(under_way=[100]) == []
    sweep.tell(Point(100, 1.0, 1.0))
    sweep.tell(Point(40, 10.0, 10.0))
    assert sweep.wanted() == [20, 60]
    assert sweep.wanted(under_way=[20]) == [60]
    assert sweep.wanted(under_way=[20, 60]) == []
    assert 80 not in sweep.told


def test_what_lies_above_a_tighter_plan_is_settled_where_the_looser_level_was_not_found():
    sweep = Sweep((100, 75, 50), SolveOptions(absolute_gap=1.0))
    sweep.tell(Point(100, math.nan, math.nan))
    sweep.tell(Point(50, 10.0, 9.5, ("A",)))
    assert sweep.wanted() == [], "another solve would be stopped as well"
    assert [(point.cost, point.found_at) for point in sweep.shown()] == [(10.0, 50)] * 3
    assert math.isnan(sweep.points[75].gap)


def test_a_change_of_hosts_is_located_once_every_tighter_level_is_known():
    sweep = Sweep((100, 60, 30, 20, 10, 0), SolveOptions())
    for level, cost, hosts in ((100, 1.0, "A"), (60, 20.0, "B"), (30, 40.0, "B"), (0, 90.0, "B")):
        sweep.tell(Point(level, cost, cost, (hosts,)))
    assert sweep.wanted() == [10]
    assert sweep.wanted(under_way=[10]) == []
    for level in (10, 20):
        sweep.tell(Point(level, 70.0 - level, 70.0 - level, ("B",)))
    assert sweep.wanted() == [80]


def test_nothing_tighter_is_solved_than_a_level_that_no_plan_keeps():
    sweep, solved = swept({"A": [10, 1]}, grid_levels(11), only_to=45)
    assert solved[:2] == [100, 50]
    assert {20, 30, 40} <= set(solved), "by halves"
    assert not {10, 0} & set(solved)
    assert all(sweep.points[level].impossible for level in (40, 30, 20, 10, 0))
    assert [turn.level for turn in sweep.turns()] == [44.5]


def test_a_settled_level_tells_nothing_of_a_looser_solve():
    """Its plan was found at a tighter level, where many more rows bind."""
    nothing = Basis(np.zeros(0, np.int8), np.zeros(0, np.int8))
    free, tight = (HotStart((), (), nothing, (), plans=plans) for plans in ((), ((),)))
    sweep = Sweep((100, 80, 60), SolveOptions())
    sweep.tell(Point(100, 1.0, 1.0, hot=free))
    sweep.tell(Point(60, 1.0, 1.0, hot=tight))
    assert sweep.wanted() == []
    assert sweep.told[80].hot is tight
    assert sweep.looser_hot(70) is free
    assert sweep.looser_hot(59) is tight


def test_a_cheaper_tighter_plan_is_the_best_known_here_but_not_what_neighbours_are_told():
    sweep = Sweep((100, 50, 0), SolveOptions())
    for point in (Point(100, 9.0, 9.0), Point(50, 12.0, 11.0, ("A",)), Point(0, 11.5, 11.0, ("B",))):
        sweep.tell(point)
    assert (sweep.points[50].cost, sweep.points[50].hosts, sweep.points[50].found_at) == (11.5, ("B",), 0)
    assert sweep.tighter(60).hosts == ("A",)
    assert sweep.looser(40).cost == 12.0


def test_reach_is_found_to_the_point():
    reach, tried = Reach(80), []
    while (level := reach.wanted()) is not None:
        tried.append(level)
        reach.tell(level, level >= 23)
    assert reach.reached == 23
    assert len(tried) <= 8


def test_a_plan_without_a_bound_has_no_gap():
    # a level that was not found in time takes the tighter level's plan; nothing is proven of it
    sweep = Sweep((100, 50), SolveOptions())
    sweep.tell(Point(50, 30.0, 29.5, ("A",)))
    sweep.tell(Point(100, math.nan, math.nan))
    assert sweep.points[100].cost == 30.0
    assert math.isnan(sweep.points[100].gap)
    assert sweep.points[50].gap == pytest.approx(0.5)
    assert math.isnan(Point(0, math.inf, math.inf).gap)


def test_a_level_that_was_not_decided_leaves_the_reach_unproven():
    reach = Reach(40)
    reach.tell(0, False, proven=True)
    assert reach.proven
    reach.tell(20, False, proven=False)
    reach.tell(30, True)
    assert (reach.reached, reach.missed, reach.proven) == (30, 20, False)
    reach.tell(29, False)  # proven here, it is proven of 20 % too
    assert (reach.reached, reach.missed, reach.proven) == (30, 29, True)


def test_a_level_is_told_by_the_nearest_looser_one_that_was_solved():
    nothing = Basis(np.zeros(0, np.int8), np.zeros(0, np.int8))
    told = {level: HotStart((), (), nothing, ()) for level in (100.0, 10.0, 0.0)}
    sweep = Sweep((100.0, 50.0, 10.0, 0.0), SolveOptions())
    assert sweep.looser_hot(40.0) is None
    for level, cost in ((100.0, 1.0), (10.0, 2.0), (0.0, 9.0)):
        sweep.tell(Point(level, cost, cost, hosts=(f"at {level}",), hot=told[level]))
    sweep.tell(Point(50.0, 1.5, 1.5))
    assert sweep.looser_hot(40.0) is told[100.0]
    assert sweep.looser_hot(10.0) is told[100.0]
    assert sweep.looser_hot(5.0) is told[10.0]
    assert sweep.looser_hot(100.0) is None
