"""Which estimates are moved, how far, and which single cells matter most."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from model.book import column_of, is_blank
from model.planner import solve
from model.studies.estimates import (
    KINDS,
    SCALE,
    Estimate,
    cells_in,
    describe_move,
    figure_range,
    fitted_exponent,
    kinds_in,
    move,
    rescale_designs,
)
from model.tables import Tables
from model.validation import check_tables
from tests import small
from tests.guessed_books import GUESS, two_hosts
from tests.small import EXACT
from tests.tiny import tiny_tables

# --- ranges ----------------------------------------------------------------------------------


def guessed(tables: Tables) -> Tables:
    """Return a book in which every figure is an estimate."""
    return tables.with_frames(**{name: frame.assign(quality="estimate") for name, frame in tables.frames.items()})


def spots_of(estimate: Estimate) -> set:
    return set(estimate.spots)


@pytest.mark.parametrize("side", ["low", "high"])
@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_nothing_moves_outside_its_declared_range_or_kind(kind, side):
    tables = guessed(tiny_tables({"heavy_concentrate_payability": 0.65}))
    for estimate in kinds_in(tables, [kind]):
        moved = move(tables, estimate, side)
        own = set(estimate.spots)
        for sheet, frame in moved.frames.items():
            for row, record in frame.to_dict("index").items():
                before = tables[sheet].loc[row].to_dict()
                for name, after in record.items():
                    if after == before[name] or (is_blank(after) and is_blank(before[name])):
                        continue
                    if estimate.name == SCALE:
                        assert (sheet, name) in {("designs", "capex"), ("designs", "fixed_cost")}
                        continue
                    assert (sheet, row, "years" if isinstance(name, int) else name) in own
                    low, high = before[name] * 0.75, before[name] * 1.25
                    assert min(low, high) - 1e-12 <= after <= max(low, high) + 1e-12
                    if sheet != "settings":
                        column = column_of(sheet, name)
                        assert column.low is None or after >= column.low
                        assert column.high is None or after <= column.high
        findings = [finding for finding in check_tables(moved) if finding.severity == "error"]
        assert [finding.rule for finding in findings if finding.rule != "least_take_above_demand"] == []


def test_stated_cases_are_the_range_and_shares_stay_shares():
    assert figure_range("sources", {"payability": 0.5, "payability_low": 0.4, "payability_high": 0.45}, "payability", 0.25) == (0.4, 0.5)
    assert figure_range("sources", {"payability": 0.5, "payability_low": math.nan}, "payability", 0.25) == (0.375, 0.625)
    assert figure_range("recoveries", {"recovery": 0.9}, "recovery", 0.25) == (pytest.approx(0.675), 1.0)
    assert figure_range("prices", {2030: -0.2}, 2030, 0.25) == (pytest.approx(-0.25), pytest.approx(-0.15))


def test_a_move_is_told_by_what_the_book_states():
    sources = [
        small.source("A", fixed_price=None, payability=0.5, payability_low=0.4, **GUESS),
        small.source("B", fixed_price=None, payability=0.5, **GUESS),
    ]
    both = kinds_in(small.book(sources=sources), ["feed_prices"])[0]
    assert describe_move(small.book(sources=sources), both, "low") == "low cases of the book, else -25%"
    assert describe_move(small.book(sources=sources), both, "high") == "+25%"
    alone = small.book(sources=[sources[0], {**sources[0], "source_id": "B"}])
    assert describe_move(alone, kinds_in(alone, ["feed_prices"])[0], "low") == "low cases of the book"
    single = small.book(sources=sources[:1])
    assert describe_move(single, kinds_in(single, ["feed_prices"])[0], "low") == "0.5 → 0.4"


def test_the_kinds_are_estimates_only_and_china_links_partly_chinese_only():
    tables = guessed(tiny_tables())
    sources = tables["sources"].copy()
    sources.loc[sources["source_id"] == "ALPHA_MINE", "quality"] = "reported"
    found = {estimate.name: estimate for estimate in kinds_in(tables.with_frames(sources=sources))}
    assert {row for sheet, row, _ in found["feed_prices"].spots if sheet == "sources"} == {3}
    linked = {estimate.name: estimate for estimate in kinds_in(tables)}["china_links"]
    assert spots_of(linked) == {("sources", 2, "china_linked")}
    assert "discount_rate" not in found, "it is 0 in this book"


def test_the_exponent_turns_around_the_largest_plant():
    sizes = np.array([1000.0, 2500.0, 20000.0])
    designs = [
        small.design(f"D{size:.0f}", capacity=size, capex=10 * size**0.85 / 100, fixed_cost=size**0.85 / 100, **GUESS) for size in sizes
    ]
    tables = small.book(designs=[*designs, small.design("ALONE", scope="separation", **GUESS)])
    assert fitted_exponent(sizes, tables["designs"]["capex"].to_numpy()[:3]) == pytest.approx(0.85)
    for exponent in (0.65, 1.0):
        after = rescale_designs(tables, exponent)["designs"]
        for column in ("capex", "fixed_cost"):
            assert fitted_exponent(sizes, after[column].to_numpy()[:3]) == pytest.approx(exponent)
            assert after[column].tolist()[2:] == pytest.approx(tables["designs"][column].tolist()[2:])
    assert after.loc[2, "capex"] == pytest.approx(10 * 1000**0.85 / 100 * 20**-0.15)


# --- single cells ----------------------------------------------------------------------------


def test_single_cells_are_those_that_move_the_cost_most():
    """Of the two mines the plant takes 0.9 kt from NEAR and 0.1 kt from FAR; plants and feed get half of the places."""
    tables = guessed(two_hosts(sources=[small.source("NEAR", capacity=900), small.source("FAR", fixed_price=22)]))
    plan = solve(tables, EXACT)
    names = [cell.words for cell in cells_in(plan, 0.25, 100)]
    assert names.index("fixed_price of NEAR") < names.index("fixed_price of FAR")
    assert names[0] in ("tonnes of JPN, magnets, Nd", "market price of Nd, market")
    few = cells_in(plan, 0.25, 2)
    assert len(few) == 2
    assert {cell.words for cell in few} == {names[0], "fixed_price of NEAR"}
    assert cells_in(plan, 0.25, 0) == []


def test_a_product_price_moves_with_its_surplus_price():
    tables = guessed(tiny_tables())
    plan = solve(tables, replace(EXACT, absolute_gap=0.01))
    cell = next(cell for cell in cells_in(plan, 0.25, 100) if cell.words == "market price of NdPr, market")
    low = move(tables, cell, "low")["prices"]
    assert low.loc[4, 2030] == pytest.approx(75.0)
    assert low.loc[5, 2030] == pytest.approx(37.5)
    assert low.loc[2, 2030] == 2.0
