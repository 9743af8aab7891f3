"""What the plan's money leans on: by hand, and against re-solves with one figure moved a little."""

from __future__ import annotations

import pytest

from model.exposure import YEARS, Exposure, figure_cell, find_exposures
from model.planner import Plan, solve
from model.report_weak import MOST_ROWS, weak_numbers
from model.tables import Tables
from tests import small
from tests.small import EXACT
from tests.tiny import tiny_tables


def exposure(found: list[Exposure], sheet: str, row: int, column: str) -> Exposure:
    (item,) = (item for item in found if (item.sheet, item.row, item.column) == (sheet, row, column))
    return item


def test_a_plant_by_hand():
    """One plant of 1 kt, 10 MUSD a year; 1 kt of feed at 20 MUSD; the other half kt wanted is bought at 100 MUSD/kt."""
    tables = small.book(demand=[small.demand(1500)])
    found = find_exposures(solve(tables, EXACT))
    assert exposure(found, "designs", 2, "capex").money == pytest.approx(10.0)
    assert exposure(found, "hosts", 2, "capex_factor").money == pytest.approx(10.0)
    assert exposure(found, "sources", 2, "fixed_price").money == pytest.approx(20.0)
    assert exposure(found, "sources", 2, "uncommitted").marginal == pytest.approx(0.0)  # 10 kt to spare
    demand = exposure(found, "demand", 2, YEARS)
    assert (demand.money, demand.marginal) == (pytest.approx(150.0), pytest.approx(150.0))
    recovery = exposure(found, "recoveries", 2, "recovery")
    assert (recovery.money, recovery.marginal) == (pytest.approx(100.0), pytest.approx(-100.0))
    assert exposure(found, "suppliers", 2, YEARS).money == pytest.approx(50.0)


def test_scarce_feed_is_worth_what_it_saves():
    """0.4 kt of feed for a 1 kt plant: another kt of it would save 100 of oxide less 20 of feed."""
    tables = small.book(sources=[small.source(capacity=400)])
    found = find_exposures(solve(tables, EXACT))
    item = exposure(found, "sources", 2, "uncommitted")
    assert item.money == pytest.approx(0.4 * 20.0)
    assert item.marginal == pytest.approx(-0.4 * 80.0)
    bought = exposure(found, "suppliers", 2, "price_share")
    assert (bought.money, bought.marginal) == (pytest.approx(60.0), pytest.approx(60.0))


@pytest.fixture(scope="module")
def plan() -> Plan:
    # without penalties, as expertise and the rest reach flows through more than one line
    return solve(tiny_tables(), EXACT)


def test_the_tiny_plan_has_a_plant(plan):
    assert plan.solution.host_set, "the moves below need a plant"


FIGURES = (
    ("sources", 2, "payability"), ("sources", 3, "payability"), ("designs", 2, "capex"), ("designs", 2, "fixed_cost"), ("hosts", 2, "capex_factor"),
    ("hosts", 2, "power_price"), ("hosts", 2, "cost_of_capital"), ("processing", 2, "reagents"), ("suppliers", 3, "price_share"),
    ("suppliers", 5, "price_floor"), ("suppliers", 5, YEARS), ("demand", 2, YEARS), ("demand", 4, YEARS), ("stockpiles", 2, "holding_cost"),
    ("sources", 2, "uncommitted"),
)  # fmt: skip


def nudged(tables: Tables, sheet: str, row: int, column: str, factor: float) -> Tables:
    frame = tables[sheet].copy()
    for name in [name for name in frame.columns if isinstance(name, int)] if column == YEARS else [column]:
        frame.loc[row, name] *= factor
    return tables.with_frames(**{sheet: frame})


@pytest.mark.parametrize(("sheet", "row", "column"), FIGURES)
def test_the_marginal_value_is_that_of_a_small_move(plan, sheet, row, column):
    found = [item for item in find_exposures(plan) if (item.sheet, item.row, item.column) == (sheet, row, column)]
    step = 1e-3
    low, high = (solve(nudged(plan.tables, sheet, row, column, 1.0 + way * step), EXACT, start=plan_builds(plan)) for way in (-1, 1))
    assert low.solution.host_set == high.solution.host_set == plan.solution.host_set
    slopes = [(plan.solution.objective - low.solution.objective) / step, (high.solution.objective - plan.solution.objective) / step]
    value = found[0].marginal if found else 0.0
    # at a kink the dual is one of the slopes to either side, or between them
    assert min(slopes) - 0.02 - 1e-3 * abs(value) <= value <= max(slopes) + 0.02 + 1e-3 * abs(value)


def plan_builds(plan: Plan) -> tuple:
    return tuple(plan.solution.tables["builds"].itertuples(index=False, name=None))


def test_figures_that_count_are_there(plan):
    sheets = {item.sheet for item in find_exposures(plan)}
    assert {"sources", "prices", "hosts", "designs", "processing", "recoveries", "suppliers", "demand", "composition"} <= sheets


# --- weak numbers ----------------------------------------------------------------------------


def test_weak_numbers_are_ranked_by_money_and_leave_out_what_was_read(plan):
    suppliers = plan.tables["suppliers"].copy()
    suppliers["quality"] = "reported"
    frame = weak_numbers(Plan(plan.tables.with_frames(suppliers=suppliers), plan.problem, plan.solution, plan.verification, {}))
    assert not frame["row"].str.startswith("suppliers").any()
    assert frame["row"].str.startswith("prices").any()
    for _, part in frame.groupby("of_plants"):
        assert part["place"].tolist() == list(range(1, len(part) + 1))
        assert part["money"].is_monotonic_decreasing
        assert len(part) <= MOST_ROWS
    assert frame["row"].is_unique
    assert (frame["money"] > 0).all()


def test_a_weak_number_names_its_cell(plan):
    tables = Tables(plan.tables.frames, {"prices": {"product": "A", 2030: "C", 2031: "D", 2032: "E"}, "designs": {"capex": "F"}})
    assert figure_cell(tables, "prices", 4, YEARS) == "prices!C4:E4"
    assert figure_cell(tables, "designs", 2, "capex") == "designs!F2"
