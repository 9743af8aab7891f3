"""How the least cost must move when a book is changed, whatever the cost is."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from model.outcome import Status
from model.schema import SETTINGS as DECLARED_SETTINGS
from model.schema import SHEETS
from model.tables import Tables
from tests import small
from tests.random_books import random_book, random_sheets

SEEDS = (0, 2, 4, 6, 8)
TOLERANCE = 1e-6


def least_cost(tables: Tables) -> float:
    """Return the least cost; infinity where no plan exists."""
    solved = small.solve_book(tables)
    assert solved.outcome.status in (Status.OPTIMAL, Status.INFEASIBLE)
    return solved.cost if solved.outcome.status is Status.OPTIMAL else np.inf


def never_falls(costs: list[float]) -> bool:
    return all(after >= before * (1 - TOLERANCE) for before, after in itertools.pairwise(costs))


@pytest.mark.parametrize("seed", SEEDS)
def test_tightening_a_cap_never_lowers_the_cost(seed):
    sheets, settings = random_sheets(seed)
    costs = []
    for factor in (1.0, 0.7, 0.4, 0.2, 0.0):
        caps = [{**row, **{y: row[y] * factor for y in small.YEARS}} for row in sheets["caps"]]
        costs.append(least_cost(small.book(settings, **{**sheets, "caps": caps})))
    assert np.isfinite(costs[0])
    assert never_falls(costs)
    assert costs[-1] > costs[0] * (1 + TOLERANCE), "caps that never bind show nothing"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cap_of_nothing_ends_in_a_plan_or_in_no_plan(seed):
    sheets, settings = random_sheets(seed)
    nothing = [small.cap("supply", "tonnes", "every_product", 0), small.cap("feedstock", "value", "all", 0, name="FEED")]
    solved = small.solve_book(small.book(settings, **{**sheets, "caps": nothing}))
    assert solved.outcome.status in (Status.OPTIMAL, Status.INFEASIBLE)
    if solved.outcome.status is Status.OPTIMAL:
        assert solved.tonnes("supply_balance", "china") == pytest.approx(0, abs=1e-3)
        assert solved.tonnes("feed", "china_tonnes") == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_adding_a_host_never_raises_the_cost(seed):
    sheets, settings = random_sheets(seed)
    costs = []
    for number in range(len(sheets["hosts"]), 0, -1):
        hosts = sheets["hosts"][:number]
        names = {row["host"] for row in hosts}
        rules = [row for row in sheets["host_rules"] if row["host"] in names and row["rule"] != "force_plant"]
        costs.append(least_cost(small.book({**settings, "minimum_hosts": 0}, **{**sheets, "hosts": hosts, "host_rules": rules})))
    assert never_falls(costs)


@pytest.mark.parametrize("seed", SEEDS)
def test_allowing_more_plants_never_raises_the_cost(seed):
    sheets, settings = random_sheets(seed)
    assert never_falls([least_cost(small.book({**settings, "max_plants": number}, **sheets)) for number in (4, 3, 2, 1)])


def in_other_money(tables: Tables, factor: float) -> Tables:
    """Multiply every figure whose unit, as declared, is money."""
    frames = {}
    for sheet in SHEETS:
        frame = tables[sheet.name].copy()
        for column in sheet.all_columns:
            if column.numeric and "USD" in column.unit:
                frame[column.name] *= factor
        if sheet.spread is not None and "USD" in sheet.spread.unit:
            years = [column for column in frame.columns if isinstance(column, int)]
            frame[years] *= factor
        frames[sheet.name] = frame
    money = {setting.name for setting in DECLARED_SETTINGS if "USD" in setting.unit}
    values = {name: float(value) * factor if name in money else value for name, value in tables.settings.items()}
    frames["settings"] = pd.DataFrame({"setting": list(values), "value": list(values.values())}, dtype=object)
    return tables.with_frames(**frames)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cost_scales_with_every_price(seed):
    # freight by the rates of the settings sheet is in one of the books, freight by route in all
    sheets, settings = random_sheets(seed)
    if seed == 0:
        sheets = {name: rows for name, rows in sheets.items() if name != "route_costs"}
        settings |= {"sea_fixed": 70}
        sheets["hosts"] = [{**row, "inland_km": 100, "inland_mode": "truck"} for row in sheets["hosts"]]
    tables = small.book(settings, **sheets)
    before, after = small.solve_book(tables), small.solve_book(in_other_money(tables, 1.5))
    assert after.cost == pytest.approx(1.5 * before.cost, rel=TOLERANCE)
    assert after.solution.host_set == before.solution.host_set


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_does_not_matter(seed):
    tables = random_book(seed)
    random = np.random.default_rng(seed)
    shuffled = tables.with_frames(**{name: frame.iloc[random.permutation(len(frame))] for name, frame in tables.frames.items()})
    before, after = small.solve_book(tables), small.solve_book(shuffled)
    assert after.cost == pytest.approx(before.cost, rel=TOLERANCE)
    assert after.solution.host_set == before.solution.host_set


@pytest.mark.parametrize("seed", SEEDS)
def test_a_source_split_in_two_is_the_same_source(seed):
    sheets, settings = random_sheets(seed)
    first, *others = sheets["sources"]
    halves = [{**first, "source_id": name, "capacity": first["capacity"] / 2} for name in ("HALF", "OTHER_HALF")]
    split = {
        "sources": [*halves, *others],
        "composition": [{**sheets["composition"][0], "source_id": row["source_id"]} for row in halves] + sheets["composition"][1:],
        "route_costs": [
            {**row, "origin": name}
            for row in sheets["route_costs"]
            for name in (("HALF", "OTHER_HALF") if row["origin"] == first["source_id"] else (row["origin"],))
        ],
    }
    before, after = least_cost(small.book(settings, **sheets)), least_cost(small.book(settings, **{**sheets, **split}))
    assert after == pytest.approx(before, rel=TOLERANCE)


@pytest.mark.parametrize("seed", SEEDS)
def test_cost_lines_add_up_to_the_least_cost(seed):
    solved = small.solve_book(random_book(seed))
    costs = solved.solution.tables["costs"]
    assert costs["present_value"].sum() == pytest.approx(solved.cost, rel=1e-9)
    assert (costs["cost"] * costs["weight"]).sum() == pytest.approx(solved.cost, rel=1e-9)
