"""What brings in a host left out, on books worked out by hand and on random ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from model import strategy
from model.outcome import INTERRUPTED, Status
from model.planner import Plan, solve
from model.problem_builder import build_problem
from model.studies import break_even
from model.studies.break_even import BreakEven, find_break_evens
from model.studies.break_even_search import CLOSE, Search
from model.studies.crossing import Crossing
from model.studies.host_changes import FIGURES, without_host
from model.studies.study import StudyContext
from model.tables import Tables
from tests import small
from tests.random_books import random_book
from tests.two_hosts import DUTY, context_of, two_hosts

FIGURE = {figure.name: figure for figure in FIGURES}

PENALISED = {"expertise_capex_penalty": 0.5}
USED = [small.processing(electricity=10, reagents=5)]


@pytest.mark.parametrize(
    ("name", "near", "far", "expected"),
    [
        ("capex_factor", {}, {"capex_factor": 3}, 1.0),
        ("cost_of_capital", {"cost_of_capital": 0.05}, {"cost_of_capital": 0.1}, 0.05),
        ("power_price", {"power_price": 0.05}, {"power_price": 0.1}, 0.05),
        ("operating_factor", {"operating_factor": 0.8}, {}, 0.8),
        ("expertise", {"expertise": 0.6}, {"expertise": 0.2}, 0.6),
        ("duty", {"capex_factor": 1.5}, {}, 0.5),  # 10 of duty against 5 a year more for the plant
    ],
)
def test_a_host_comes_in_where_its_one_worse_figure_is_as_good(name, near, far, expected):
    tables = two_hosts(near, far, PENALISED, processing=USED, duties=DUTY if name == "duty" else [])
    context = context_of(tables)
    assert context.plan.solution.host_set == ("NEAR",)
    (row,) = find_break_evens(context, ["FAR"], [FIGURE[name]])
    assert row.value == pytest.approx(expected, rel=0.002)  # closer than the bracket: where the plan followed costs the target
    assert (row.comes_in, row.stays_out, row.verdict) == ("yes", "yes", "passed")
    assert_right(tables, row)


def assert_right(tables: Tables, row: BreakEven) -> None:
    """Assert by further solves that a host is in just past its break-even and out just short of it."""
    toward = math.copysign(0.015 * max(abs(row.value), 0.2 * abs(row.today)), row.limit - row.today)
    past = small.solve_book(row.figure.change(tables, row.host, row.value + toward))
    assert row.host in past.solution.host_set
    short = small.solve_book(row.figure.change(tables, row.host, row.value - toward))
    assert row.host not in short.solution.host_set


def test_no_value_within_the_limits_is_an_answer():
    # 1 of power at most, against 20 more for the plant
    context = context_of(two_hosts(far={"capex_factor": 3, "power_price": 0.1}, processing=USED))
    power, money = find_break_evens(context, ["FAR"], [FIGURE["power_price"], FIGURE["cost_of_capital"]])
    assert power.answer == "no value within its limits brings it in"
    assert math.isnan(power.value)
    assert money.answer == "cannot improve: it stands at its limit"


def test_a_solve_that_was_stopped_is_no_answer():
    search = Search(10.0, 2.0, 1.0, {2.0: 15.0})
    assert search.wanted() == 1.0
    search.tell(1.0, math.inf)
    assert search.hopeless
    assert search.wanted() is None


LINES = {
    "one": [(0.0, 12.0)],
    "two": [(0.0, 12.0), (5.0, 3.0)],
    "flat": [(0.0, 12.0), (7.9, 0.01)],
    "many": [(0.0, 12.0), (2.0, 9.0), (4.0, 6.0), (5.0, 4.5), (7.0, 1.1)],
}
"""Plans whose costs are intercept + slope x figure."""


@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
@pytest.mark.parametrize("falls", [False, True])
def test_the_search_brackets_the_first_plan_that_comes_in(lines, falls):
    """The figure gets better as it falls, or as it rises; the least cost is that of the best plan."""

    def value_of(figure: float) -> float:
        return figure if not falls else 6.0 - figure

    def best(figure: float) -> tuple[float, float]:
        return min(lines, key=lambda line: line[0] + line[1] * value_of(figure))

    def cost(line: tuple[float, float], figure: float) -> float:
        return line[0] + line[1] * value_of(figure)

    ends = (5.0, 0.2) if not falls else (1.0, 5.8)
    target = 8.0
    search = Search(target, *ends, {ends[0]: max(target, cost(best(ends[0]), ends[0]))})
    solves = prices = 0
    while (value := search.wanted()) is not None:
        solves += 1
        line = best(value)
        found = cost(line, value)
        search.tell(value, found if found < target else math.inf)
        if found < target:
            crossing, line_followed = search.crossing(), line
            while (at := crossing.wanted()) is not None:
                prices += 1
                crossing.tell(at, cost(line, at))
                search.price(at, cost(line, at))
            search.crossed = crossing.value
    crossing.width = CLOSE * search.tolerance
    while (at := crossing.wanted()) is not None:
        prices += 1
        crossing.tell(at, cost(line_followed, at))
    search.crossed = crossing.value
    expected = max((target - low) / slope for low, slope in lines)
    expected = min(expected, 5.0) if not falls else max(6.0 - expected, 1.0)
    # the plan that comes in first is followed to where it costs the target: far closer than the bracket
    assert search.break_even() == pytest.approx(expected, abs=0.1 * search.tolerance)
    assert abs(search.inside - search.outside) <= search.tolerance
    assert solves <= 2 + 2 * len(lines)
    assert prices <= 6 * solves


def test_a_plan_is_followed_to_where_it_costs_the_target():
    def cost(value: float) -> float:
        return min(12.0 * value, 3.0 + 6.0 * value)  # one plan, whose flows change on the way

    crossing = Crossing(8.0, 0.2, 5.0, 8.0 - cost(0.2), 0.001)
    prices = 0
    while (value := crossing.wanted()) is not None:
        crossing.tell(value, cost(value))
        prices += 1
    assert crossing.inside == pytest.approx(5 / 6, abs=0.001)
    assert crossing.value == pytest.approx(5 / 6, abs=1e-6)
    assert prices <= 8


def test_a_plan_that_cannot_stand_further_out_is_followed_by_halving():
    crossing = Crossing(8.0, 0.0, 4.0, 3.0, 0.01)
    while (value := crossing.wanted()) is not None:
        crossing.tell(value, 5.0 if value < 1.7 else math.inf)
    assert crossing.inside == pytest.approx(1.7, abs=0.01)


@pytest.mark.parametrize(
    ("seed", "host", "figures"),
    [
        (2, "BETA", ("capex_factor", "power_price")),
        (3, "ALPHA", ("cost_of_capital", "expertise")),
        (4, "BETA", ("operating_factor", "duty")),
    ],
)
def test_break_evens_of_random_books_are_right_on_both_sides(seed, host, figures):
    tables = random_book(seed)
    context = context_of(tables)
    rows = find_break_evens(context, [host], [FIGURE[name] for name in figures])
    assert any(math.isfinite(row.value) for row in rows)
    for row in rows:
        if math.isfinite(row.value):
            assert (row.comes_in, row.stays_out, row.verdict) == ("yes", "yes", "passed")
            assert_right(tables, row)
        else:
            assert row.answer == "no value within its limits brings it in"
            best = small.solve_book(row.figure.change(tables, host, row.limit))
            assert host not in best.solution.host_set


def test_a_host_that_no_plan_can_hold_has_no_break_even():
    tables = two_hosts(far={"capex_factor": 3}, host_rules=[small.rule("force_plant", 1000, "NEAR")], settings={"max_plants": 1})
    (row,) = find_break_evens(context_of(tables), ["FAR"], [FIGURE["capex_factor"]])
    assert row.answer == "not sought: no plan with a plant there was found"


# --- what is not proven is not said -----------------------------------------------------------------


def changed_solves(monkeypatch: pytest.MonkeyPatch, **change: Any) -> None:
    """Make every solve with a cutoff end otherwise than it did."""
    solve_cases = break_even.solve_cases

    def changed(cases: Any, *rest: Any, **hints: Any) -> Iterator[tuple[Any, Plan]]:
        for case, plan in solve_cases(cases, *rest, **hints):
            yield case, replace(plan, solution=replace(plan.solution, **change)) if math.isfinite(case.cutoff) else plan

    monkeypatch.setattr(break_even, "solve_cases", changed)


@pytest.mark.parametrize("status", [Status.ERROR, Status.NO_PLAN_FOUND])
def test_a_solve_without_an_answer_proves_nothing(monkeypatch, status):
    changed_solves(monkeypatch, status=status)
    (row,) = find_break_evens(context_of(two_hosts({}, {"capex_factor": 3})), ["FAR"], [FIGURE["capex_factor"]])
    assert row.stays_out == "not known"
    far = {"capex_factor": 3, "power_price": 0.1}
    (row,) = find_break_evens(context_of(two_hosts(far=far, processing=USED)), ["FAR"], [FIGURE["power_price"]])
    assert row.answer == "not known: the solve at its limit was stopped"


def test_a_stop_by_hand_ends_the_search(monkeypatch):
    changed_solves(monkeypatch, termination=INTERRUPTED)
    context = context_of(two_hosts({}, {"capex_factor": 3}))
    (row,) = find_break_evens(context, ["FAR"], [FIGURE["capex_factor"]])
    assert row.answer == "not known: stopped by hand"
    assert (row.comes_in, row.stays_out) == ("", "")


def test_a_rival_that_is_not_proven_lets_nothing_come_in_for_sure(monkeypatch):
    rival = break_even._rival
    monkeypatch.setattr(break_even, "_rival", lambda context, options: replace(rival(context, options), cost=38.0))
    context = context_of(two_hosts({}, {"capex_factor": 3}))
    assert context.plan.solution.objective == pytest.approx(30)
    (row,) = find_break_evens(context, ["FAR"], [FIGURE["capex_factor"]])
    assert row.value == pytest.approx(1.8, rel=0.002)  # 8 more for the plant: the rival is in truth 8 cheaper
    assert (row.comes_in, row.stays_out) == ("not known", "yes")


def test_a_host_that_is_in_the_least_cost_plan_already_has_nothing_to_wait_for():
    tables = two_hosts({"capex_factor": 1.8}, {"capex_factor": 1.0})
    loose = replace(small.EXACT, absolute_gap=10.0)
    plan = replace(solve(without_host(tables, "FAR"), loose), tables=tables, problem=build_problem(tables))
    assert plan.solution.host_set == ("NEAR",)
    context = StudyContext(tables, plan, loose, 1, lambda _: None)
    (row,) = find_break_evens(context, ["FAR"], [FIGURE["capex_factor"]])
    assert row.answer.startswith("comes in as it stands")
    assert math.isnan(row.value)


def test_duties_are_laid_on_refiners_of_the_country_too():
    """Half of the demand is bought from a refiner in the host's country: with its duty down, the plan without the host is cheaper too."""
    sheets = {"demand": [small.demand(2000)], "suppliers": [small.supplier(country="FFF", customs_origin="FFF")], "duties": DUTY}
    tables = two_hosts({"capex_factor": 1.5}, {}, {"max_plants": 1}, **sheets)
    (row,) = find_break_evens(context_of(tables), ["FAR"], [FIGURE["duty"]])
    assert row.value == pytest.approx(0.5, rel=0.002)
    assert (row.comes_in, row.stays_out, row.verdict) == ("yes", "yes", "passed")
    assert_right(tables, row)


def test_figures_side_by_side_in_processes_of_their_own_are_the_same():
    tables = two_hosts({}, {"capex_factor": 3, "power_price": 0.2}, PENALISED, processing=USED)
    figures = [FIGURE[name] for name in ("capex_factor", "power_price", "expertise")]
    alone = find_break_evens(context_of(tables), ["FAR"], figures)
    context = replace(context_of(tables), workers=2)
    for row, other in zip(alone, find_break_evens(context, ["FAR"], figures), strict=True):
        assert (other.figure.name, other.answer, other.stays_out, other.verdict) == (
            row.figure.name,
            row.answer,
            row.stays_out,
            row.verdict,
        )


@pytest.mark.parametrize(("seed", "host", "name"), [(2, "BETA", "capex_factor"), (3, "ALPHA", "cost_of_capital")])
def test_the_own_search_finds_the_same(monkeypatch, seed, host, name):
    tables = random_book(seed)
    (plain,) = find_break_evens(context_of(tables), [host], [FIGURE[name]])
    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    context = context_of(tables)
    assert context.plan.hot is not None
    (row,) = find_break_evens(context, [host], [FIGURE[name]])
    assert row.value == pytest.approx(plain.value, rel=0.02)
    assert (row.comes_in, row.stays_out, row.verdict) == ("yes", "yes", "passed")
