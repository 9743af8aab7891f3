"""How far marginal values hold, against changed tables solved again with the plants as built."""

from __future__ import annotations

import math

import pytest

from model.formulation import build_model
from model.matrix import compile_model
from model.planner import Plan, solve
from model.problem_builder import build_problem
from model.ranging import FixedPlan
from model.report_words import SHOWN
from model.studies.marginal import year_frame
from model.studies.marginal_prices import Priced, find_slopes, price_figures
from model.studies.marginal_probes import CAP, KT, OFFTAKE, RULE, list_probes
from model.studies.marginal_ranges import NOTHING, OFF, follow, slope_at_once
from model.tables import Tables
from tests import small
from tests.random_books import random_book


def as_built(plan: Plan, tables: Tables) -> FixedPlan:
    builds = set(plan.solution.tables["builds"].itertuples(index=False, name=None))
    return FixedPlan(compile_model(build_model(build_problem(tables))), builds, small.EXACT)


def priced(tables: Tables) -> tuple[Plan, FixedPlan, list[Priced]]:
    plan = solve(tables, small.EXACT)
    fixed = as_built(plan, tables)
    return plan, fixed, price_figures(fixed, list_probes(plan, fixed.matrix), plan.problem.weight, 0.1)


def allowed(told: float, unit: str) -> float:
    """Return by how much a value may miss within its range: a share's cost bends, all others run straight."""
    return 1e-4 + 2e-5 * abs(told) if unit == KT else 1.001 * max(OFF * abs(told), SHOWN)


def scarce(limit: float = 0.5, chinese: float = 5000.0, clean: float = 200.0) -> Tables:
    """Return a market of 1 kt, Chinese oxide at 50 and some clean at 100, the rest short at 200; the Chinese share is capped.

    With 200 t clean and a cap of L the cost is 180 - 30 L / (1 - L).
    """
    offers = [small.supplier("CHINA", tonnes=chinese, price_share=0.5, china_linked=1), small.supplier("CLEAN", tonnes=clean)]
    return small.book(suppliers=offers, hosts=[small.host(candidate="no")], caps=[small.cap("supply", "tonnes", "all", limit)])


def cap_of(tables: Tables) -> tuple[FixedPlan, Priced]:
    _, fixed, found = priced(tables)
    (item,) = [item for item in found if item.probe.kind == CAP]
    return fixed, item


def test_the_value_of_a_cap_is_the_tangent_and_holds_as_far_as_the_curve_stays_near_it():
    fixed, item = cap_of(scarce())
    assert item.whole.value == pytest.approx(-60.0)  # 30 / (1 - L)^2, of half
    assert fixed.added_cost(item.probe.moved(1e-4)) == pytest.approx(-60e-4, rel=1e-3)
    assert (item.low, item.high) == (pytest.approx(-0.028, rel=0.1), pytest.approx(0.028, rel=0.1))
    for end, missed in ((item.low, False), (item.high, False), (1.15 * item.low, True), (1.15 * item.high, True)):
        limit = 0.5 * (1.0 + end)
        off = abs(30.0 - 30.0 * limit / (1.0 - limit) + 60.0 * end)
        assert (off > SHOWN) == missed, end
    # a point is beyond that
    assert item.unit.more == pytest.approx(30.0 - 30.0 * 0.51 / 0.49)
    assert item.unit.less == pytest.approx(30.0 - 30.0 * 0.49 / 0.51)


def test_a_cap_whose_total_stays_holds_to_where_it_binds_no_more():
    # 0.5 kt at 50 and 0.5 kt at 100: a point is worth 0.5, down to no Chinese oxide and up to nothing else
    _, item = cap_of(scarce(clean=5000))
    assert (item.unit.value, item.low, item.high) == (pytest.approx(-0.5), -1.0, pytest.approx(1.0))
    _, item = cap_of(scarce(clean=5000, chinese=600))
    assert 0.2 <= item.high < 0.2 * 1.03  # 600 t are all there is; beyond by what may be missed


def test_a_kink_close_by_ends_the_range_and_leaves_the_value():
    # 500.5 t are all there is: a twentieth of a point more is used, a point more saves no more than that
    _, item = cap_of(scarce(clean=5000, chinese=500.5))
    assert item.whole.value == pytest.approx(-25.0)
    assert 0.001 <= item.high < 0.0035  # of 50 points; beyond by what may be missed
    assert item.unit.more == pytest.approx(-0.025)


def test_no_range_goes_beyond_a_share_of_the_whole():
    tables = scarce(0.8, clean=5000)
    plan, fixed, found = priced(tables)
    (item,) = [item for item in found if item.probe.kind == CAP]
    assert item.high == pytest.approx(0.25)
    yearly = year_frame(fixed, [item.probe], plan).set_index("kind").loc[CAP]
    assert (yearly["from"], yearly["to"]) == (0.0, pytest.approx(100.0))


def test_a_cap_that_is_just_met_is_worth_something_downwards_alone():
    tables = scarce(0.5, chinese=500, clean=5000)
    _, item = cap_of(tables)
    assert (item.unit.more, item.unit.less) == (pytest.approx(0.0, abs=1e-9), pytest.approx(0.5))
    assert 0.0 in (item.low, item.high), "the value holds on one side only"


def test_a_side_on_which_the_worth_is_no_tangent_is_solved_again(monkeypatch):
    fixed, item = cap_of(scarce())
    point = item.probe.shifted(1.0)
    assert follow(fixed, point, -1.2, 1.0, 50.0).smooth
    side = follow(fixed, point, 0.0, 1.0, 50.0)
    assert (side.smooth, side.reach) == (False, 0.0)
    assert side.slope == pytest.approx(30.0 - 30.0 * 0.51 / 0.49)
    assert slope_at_once(fixed, point, 1.0) == pytest.approx(-1.2, rel=1e-3)
    with monkeypatch.context() as wrong:
        wrong.setattr(FixedPlan, "value", lambda _, change: 7.0)
        slopes, low, high = find_slopes(fixed, point, point.scaled(-1.0), 1.0, (50.0, 50.0))
    assert slopes.value == pytest.approx(-1.2, rel=1e-3)
    assert (low, high) == (0.0, pytest.approx(1.4, rel=0.1))
    monkeypatch.setattr(FixedPlan, "added_cost", lambda *_, **__: math.nan)
    assert math.isnan(follow(fixed, point, -1.2, 1.0, 50.0).slope)


def books() -> list[int]:
    return [seed for seed in range(9100, 9118) if small.solve_book(random_book(seed)).outcome.status.has_plan][:10]


@pytest.mark.parametrize("seed", books())
def test_at_nine_tenths_of_its_range_every_value_is_what_changed_tables_cost(seed):
    tables = random_book(seed)
    plan, fixed, found = priced(tables)
    for item in found:
        probe, value = item.probe, item.whole.value
        assert item.low >= -1.0
        assert item.high <= probe.highest
        if probe.edit is None or math.isnan(value):
            continue
        for end in (item.low, item.high):
            step = 0.9 * min(end, 2.0)
            if probe.rises_only or abs(step) < 1e-6:
                continue
            added = as_built(plan, probe.edit(tables, 1.0 + step)).objective - fixed.objective
            assert abs(added - value * step) <= allowed(value * step, probe.unit), (probe.kind, probe.item, step)


@pytest.mark.parametrize("seed", books())
def test_the_value_of_a_share_is_the_slope_of_its_cost_and_one_more_is_never_nothing_by_mistake(seed):
    _, fixed, found = priced(random_book(seed))
    for item in found:
        probe = item.probe
        if probe.unit == KT:
            continue
        for sign, end, slope in ((1.0, item.high, item.unit.more), (-1.0, item.low, item.unit.less)):
            if abs(end) > 1e-3 and not math.isnan(item.whole.value):
                added = fixed.added_cost(probe.moved(sign * 1e-4))
                assert added == pytest.approx(sign * 1e-4 * item.whole.value, rel=0.02, abs=2e-6), (probe.kind, probe.item, sign)
            added = fixed.added_cost(probe.shifted(sign))
            assert slope == pytest.approx(added, rel=OFF + 1e-3, abs=2 * NOTHING), (probe.kind, probe.item, sign)


@pytest.mark.parametrize("seed", books()[:5])
def test_within_its_range_a_value_by_year_is_what_a_re_solve_gives(seed):
    plan, fixed, _ = priced(random_book(seed))
    probes = {(probe.kind, probe.item): probe for probe in list_probes(plan, fixed.matrix)}
    rows = year_frame(fixed, list(probes.values()), plan)
    for row in rows[rows["unit"] == "MUSD/point"].to_dict("records"):
        probe, weight = probes[row["kind"], row["item"]], plan.problem.weight[row["year"]]
        assert 0.0 <= row["from"] <= row["figure"] + 1e-9
        assert row["figure"] - 1e-9 <= row["to"] <= 100.0 + 1e-9
        for end in (row["from"], row["to"]):
            points = 0.9 * (end - row["figure"])
            if abs(points) > 1e-6 and not math.isnan(row["value"]):
                told = weight * row["value"] * points
                added = fixed.added_cost(probe.per_unit[row["year"]].scaled(points))
                assert abs(added - told) <= allowed(told, probe.unit), (row["kind"], row["item"], row["year"], points)


def test_the_books_price_shares_of_every_kind():
    kinds = {
        "share of rule" if item.probe.kind == RULE else item.probe.kind
        for seed in books()
        for item in priced(random_book(seed))[2]
        if item.probe.unit != KT
    }
    assert kinds == {CAP, OFFTAKE, "share of rule"}
