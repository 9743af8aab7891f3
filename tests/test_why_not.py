"""Why a host is left out, what losing one costs and what brings one in, on books worked out by hand and on random ones."""

from __future__ import annotations

import math

import pytest

from model.planner import solve
from model.studies.break_even import BreakEven, find_break_evens
from model.studies.break_even_search import CLOSE, Search
from model.studies.crossing import Crossing
from model.studies.host_changes import FIGURES, faces_duty, with_duty_share, with_host_figure
from model.studies.study import StudyContext
from model.studies.why_not import Answer, force_hosts, lose_hosts, run
from model.tables import Tables
from model.validation import check_tables
from tests import small
from tests.random_books import random_book

FIGURE = {figure.name: figure for figure in FIGURES}


def context_of(tables: Tables) -> StudyContext:
    return StudyContext(tables, solve(tables, small.EXACT), small.EXACT, 1, lambda _: None)


def two_hosts(near: dict | None = None, far: dict | None = None, settings: dict | None = None, **sheets: list[small.Row]) -> Tables:
    """Return a book of two sites that are alike but for what is given: 1 kt is made for 10 a year and 20 of feed, or bought for 100."""
    hosts = [small.host("NEAR") | {"name": "Nearland"} | (near or {}), small.host("FAR", country="FFF") | {"name": "Farland"} | (far or {})]
    asked = {"why_not_size": 1000, "why_not_year": 2030, **(settings or {})}
    return small.book(asked, **{"hosts": hosts, **sheets})


def barred(tables: Tables) -> str:
    """Return what bars the host FAR, in words."""
    answers = {answer.host: answer for answer in force_hosts(context_of(tables))}
    return "; ".join(answers["FAR"].barred)


# --- hosts left out and hosts lost ------------------------------------------------------------------


def test_extra_cost_of_a_plant_and_cost_of_a_loss():
    # FAR costs 30 a year: 20 more than NEAR; without NEAR it is the best, as buying costs 100
    context = context_of(two_hosts(far={"capex_factor": 3}))
    assert context.plan.solution.host_set == ("NEAR",)
    (left_out,) = force_hosts(context)
    assert (left_out.host, left_out.barred, left_out.verdict) == ("FAR", (), "passed")
    assert left_out.extra == small.approx(20)
    (lost,) = lose_hosts(context)
    assert (lost.host, lost.verdict) == ("NEAR", "passed")
    assert lost.extra == small.approx(20)


def test_the_plant_asked_for_is_never_a_token():
    # a plant of 100 t would cost 1 a year; 1 kt is asked for
    designs = [small.design(), small.design("TOKEN", capacity=100, capex=10)]
    (answer,) = force_hosts(context_of(two_hosts(far={"capex_factor": 3}, designs=designs)))
    assert answer.extra == small.approx(20)
    assert "1,000 t/y" in answer.plants


def test_a_lost_host_takes_its_forced_plant_with_it():
    tables = two_hosts(far={"capex_factor": 3}, host_rules=[small.rule("force_plant", 1000, "NEAR")])
    (lost,) = lose_hosts(context_of(tables))
    assert lost.extra == small.approx(20)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"far": {"candidate": "no"}}, "candidate = no (hosts!3)"),
        ({"far": {"earliest_start": 2031}}, "earliest_start = 2031 (hosts!3)"),
        ({"host_rules": [small.rule("forbid_plant", None, "FAR")]}, "rule forbid_plant, forbid_plant (host_rules!2)"),
        ({"designs": [small.design(), small.design("SLOW", build_years=5, host="FAR")], "settings": {"why_not_size": 1500}}, "no design fits: at most 1,000 t/y"),
        ({"designs": [small.design(host="NEAR"), small.design("SLOW", build_years=5, host="FAR")]}, "decision_year = 2026 (settings) with build_years"),
        ({"markets": [small.market() | {2029: 50.0}], "near": {"capex_factor": 0.5}}, "the partners' capex budgets (markets!2 on)"),
        ({"host_rules": [small.rule("force_plant", 1000, "NEAR")], "settings": {"max_plants": 1}}, "max_plants = 1 (settings); plants forced elsewhere (host_rules)"),
    ],
    ids=["candidate", "start", "forbidden", "size", "time", "budget", "count"],
)  # fmt: skip
def test_what_bars_a_host_is_named_by_its_cell(change, words):
    assert words in barred(two_hosts(**{"far": {"capex_factor": 3}, **change}))


def test_rules_that_bar_only_together_are_named_together():
    tables = two_hosts(far={"capex_factor": 3, "earliest_start": 2031}, host_rules=[small.rule("forbid_plant", None, "FAR", to_year=2030)])
    assert barred(tables).startswith("several together: earliest_start = 2031 (hosts!3), rule forbid_plant")


def test_feed_that_may_not_be_treated_bars_a_host_by_the_least_use():
    sources = [small.source(thorium="high")]
    tables = two_hosts(
        far={"thorium_accepted": "low"}, sources=sources, designs=[small.design(ramp_4=1, minimum_use=0.5)], settings={"last_year": 2033}
    )
    assert barred(tables) == "thorium_accepted = low (hosts!3); minimum_use (designs): the plant could not be kept so busy"


def test_hosts_that_are_not_in_the_book_are_refused():
    with pytest.raises(ValueError, match="NOWHERE is not a host"):
        force_hosts(context_of(two_hosts(settings={"why_not_hosts": "FAR, NOWHERE"})))


# --- break-evens ------------------------------------------------------------------------------------

PENALISED = {"expertise_capex_penalty": 0.5}
USED = [small.processing(electricity=10, reagents=5)]
DUTY = [{"measure": "general", "stage": "oxide", "origin": "FFF", "destination": "*", "rate": 10}]


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


# --- duties -----------------------------------------------------------------------------------------


def duty_of(tables: Tables, host: str) -> dict[int, float]:
    problem, _ = small.matrix_of(tables)
    return {y: cost for (h, _, m, y), cost in problem.delivery_cost["duty_out"].items() if (h, m) == (host, "JPN")}


def test_duties_of_one_country_are_scaled_and_no_other():
    duties = [
        {"measure": "general", "stage": "oxide", "origin": "*", "destination": "*", "rate": 10},
        {"measure": "general", "stage": "oxide", "origin": "FFF", "destination": "*", "rate": 20, "from_year": 2031, "to_year": 2031},
        {"measure": "surcharge", "stage": "oxide", "origin": "FFF", "destination": "JPN", "rate": 5, "from_year": 2032},
        {"measure": "general", "stage": "concentrate", "origin": "MMM", "destination": "FFF", "rate": 50},
    ]
    tables = two_hosts(settings={"last_year": 2032, "modelled_years": "all"}, duties=duties)
    assert duty_of(tables, "FAR") == pytest.approx({2030: 10, 2031: 20, 2032: 15})
    half = with_duty_share(tables, "FAR", 0.5)
    assert [finding for finding in check_tables(half) if finding.sheet == "duties"] == []
    assert duty_of(half, "FAR") == pytest.approx({2030: 5, 2031: 10, 2032: 7.5})
    assert duty_of(half, "NEAR") == duty_of(tables, "NEAR")
    problem, _ = small.matrix_of(half)
    assert {cost for (_, h, _, _), cost in problem.feed_cost["duty_in"].items() if h == "FAR"} == {5.0}
    small.assert_verified(small.solve_book(with_host_figure(half, "NEAR", "candidate", "no")))


def test_a_host_that_trades_free_faces_no_duty():
    assert not faces_duty(two_hosts(), "FAR")
    assert faces_duty(two_hosts(duties=DUTY), "FAR")
    assert not faces_duty(two_hosts(duties=DUTY), "NEAR")


# --- sheets -----------------------------------------------------------------------------------------


def test_what_the_sheets_say():
    why_not, break_even = run(context_of(two_hosts(far={"capex_factor": 3})))
    assert why_not.headlines == [
        "Nearest host left out: Farland, +20.0 MUSD for 1 kt by 2030; it comes in if its capex factor falls below 1 x (now 3).",
        "Losing Nearland would cost 20.0 MUSD.",
    ]
    frame = why_not.tables[0][2]
    assert frame[["host", "in_the_way", "verdict"]].values.tolist() == [["FAR", "cost", "passed"]]
    assert break_even.tables[0][2]["figure"].tolist() == [figure.words for figure in FIGURES]
    assert any("These are what to negotiate for" in sentence for sentence in break_even.sentences)


def test_hosts_that_are_barred_come_last_and_have_no_break_even():
    hosts = {"far": {"capex_factor": 3, "earliest_start": 2035}}
    (sheet,) = run(context_of(two_hosts(**hosts)))
    assert sheet.tables[0][2]["in_the_way"].tolist() == ["earliest_start = 2035 (hosts!3)"]
    assert not any("Nearest" in headline for headline in sheet.headlines)
    assert Answer("X", ("rule",)).verdict == ""
