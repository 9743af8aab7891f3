"""What is said of a sweep of a cap, on sweeps written down by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from model.outcome import SolveOptions
from model.studies.cap_levels import cap_scopes
from model.studies.cap_sweep import Frontier, Point, Reach, Sweep
from model.studies.frontier_sentences import doubt_of, headlines_of, sentences_of
from tests import small

TABLES = small.book(
    {"frontier_scopes": "tonnes, value"},
    hosts=[small.host("SMALL") | {"name": "Smalland"}, small.host("BIG") | {"name": "Bigland"}],
    caps=[small.cap("supply", "tonnes", "all", 0.5)],
)
SCOPES = cap_scopes(TABLES)


def within(gap: float, relative: float = 0.0) -> SolveOptions:
    return replace(small.EXACT, absolute_gap=gap, relative_gap=relative)


def line(costs: dict[float, float], hosts: tuple[str, ...] = ("SMALL",), relative_gap: float = 0.0) -> Sweep:
    """Return a sweep whose levels are all proven to 0.5 of the gap of 1 MUSD."""
    points = {level: Point(level, cost, cost - 0.5, hosts) for level, cost in costs.items()}
    return Sweep(tuple(costs), within(1.0, relative_gap), points)


def headlines(*sweeps: Sweep) -> list[str]:
    return list(headlines_of(TABLES, [Frontier(scope, 50, sweep) for scope, sweep in zip(SCOPES, sweeps, strict=False)]))


def test_the_first_page_tells_of_the_scope_whose_next_point_costs_most():
    cheap, dear = line({100: 10, 50: 20, 0: 40}), line({100: 10, 50: 20, 0: 95})
    told = "The next step of the cap on all supply by {}, from 50 % to 0 %, costs 75.0 MUSD: 1.50 a point."
    assert headlines(cheap, dear) == [told.format("value")]
    assert headlines(dear, cheap) == [told.format("tonnes")]


def test_a_scope_without_a_plan_at_the_next_level_has_no_price_to_tell():
    ends, goes_on = line({100: 10, 50: 20, 0: math.inf}), line({100: 10, 50: 20, 0: 95})
    assert headlines(ends) == []
    assert headlines(ends, goes_on) == ["The next step of the cap on all supply by value, from 50 % to 0 %, costs 75.0 MUSD: 1.50 a point."]


def test_a_step_up_within_a_point_is_not_told_as_its_mean_over_the_grid():
    """Beside the grid 49 % and 25 % were solved, as the hosts change: 20 MUSD there, and nothing more down to 0 %."""
    points = {level: Point(level, cost, cost, hosts) for level, cost, hosts in (
        (100, 10, ("SMALL",)), (60, 10, ("SMALL",)), (50, 20, ("SMALL",)), (49, 40, ("BIG",)), (25, 40, ("BIG",)), (0, 40, ("BIG",)),
    )}  # fmt: skip
    sweep = Sweep((100, 50, 0), within(1.0), points)
    assert headlines(sweep)[0] == "The next step of the cap on all supply by tonnes, from 50 % to 49 %, costs 20.0 MUSD: 20.00 a point."
    (text, *_) = sentences_of(TABLES, Frontier(SCOPES[0], 50, sweep))
    assert "Down to 60 % it costs no more than the gap" in text
    assert "The dearest step is from 50 % to 49 %, 20.00 MUSD a point." in text


def test_a_short_step_within_the_gap_does_not_hide_the_dearest():
    sweep = line({100: 10, 50: 10, 49.5: 10.9, 0: 40})
    (text, *_) = sentences_of(TABLES, Frontier(SCOPES[0], 50, sweep))
    assert "The dearest step is from 49.5 % to 0 %, 0.59 MUSD a point." in text


def test_points_that_cost_no_more_than_the_gap_have_no_price():
    assert headlines(line({100: 10, 50: 20, 0: 20.9})) == []
    assert headlines(line({100: 10, 50: 20, 0: 21.1})) == [
        "The next step of the cap on all supply by tonnes, from 50 % to 0 %, costs 1.1 MUSD: 0.02 a point."
    ]
    assert headlines(line({100: 10, 50: 20, 0: 21.1}, relative_gap=0.06)) == []


def test_hosts_that_change_above_the_book_s_own_level_are_no_headline():
    points = {
        100: Point(100, 10, 10, ("SMALL",)),
        80: Point(80, 30, 30, ("BIG",)),
        50: Point(50, 50, 50, ("BIG",)),
        0: Point(0, 70, 70, ("BIG",)),
    }
    sweep = Sweep((100, 80, 50, 0), within(1.0), told=points)
    assert [turn.level for turn in sweep.turns()] == [90]
    assert not any("hosts change" in told for told in headlines(sweep))
    later = replace(sweep, told={**points, 80: replace(points[80], hosts=("SMALL",)), 50: replace(points[50], hosts=("SMALL",))})
    assert "Below 25 % on all supply by tonnes the hosts change from Smalland to Bigland." in headlines(later)


def test_the_same_hosts_are_not_said_to_do_where_a_level_was_not_found():
    sweep = line({100: 10, 50: 20, 0: 40})
    assert any("can be settled before the cap" in told for told in sentences_of(TABLES, Frontier(SCOPES[0], 50, sweep)))
    sweep.told[0] = Point(0, math.nan, math.nan)
    assert not any("settled" in told for told in sentences_of(TABLES, Frontier(SCOPES[0], 50, sweep)))


def test_the_widest_gap_of_two_levels_is_told():
    sweep = Sweep((100, 0), within(1.0))
    near, far = Point(100, 50, 45), Point(0, 60, 40)
    assert doubt_of(sweep, near, far) == doubt_of(sweep, far, near) == " (not proven: within 20.0 MUSD)"
    assert doubt_of(sweep, near, replace(far, bound=math.nan)) == " (not proven)"


def test_nothing_is_lower_than_a_share_of_none():
    sweep = line({100: 10, 50: 20, 0: 40})
    found = Frontier(SCOPES[0], 50, sweep, Reach(0, 20, proven=False), sweep.points[0])
    assert list(headlines_of(TABLES, [found]))[-1] == "All supply by tonnes can go down to 0 % China-linked with no demand unmet."
    assert "may be lower" not in list(sentences_of(TABLES, found))[-1]


def test_a_level_that_takes_the_tighter_plan_is_proven_no_better_than_the_looser_one():
    sweep = Sweep((100, 50, 0), within(1.0))
    sweep.tell(Point(100, 20.0, 17.0, ("SMALL",)))
    sweep.tell(Point(0, 20.5, 20.2, ("SMALL",)))
    assert sweep.wanted() == []
    assert (sweep.points[50].cost, sweep.points[50].gap) == (20.5, pytest.approx(3.5))


def test_costs_within_the_relative_gap_are_the_same():
    sweep = Sweep((100, 50, 0), within(0.0, 0.05))
    sweep.tell(Point(100, 20.0, 20.0, ("SMALL",)))
    sweep.tell(Point(0, 21.0, 21.0, ("BIG",)))
    assert sweep.wanted() == []
    assert sweep.turns() == []
    assert replace(sweep, options=within(0.0, 0.04), told={level: sweep.points[level] for level in (100, 0)}).wanted() == [50]
