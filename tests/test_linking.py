"""Implied rows that tie deliveries to plants: there where joint plants alone serve, true of every plan, tight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.matrix import Matrix
from model.solver import solve_matrix
from tests import small
from tests.random_books import random_sheets

FEW = {"suppliers": [small.supplier(tonnes=0)], "sources": [small.source(fixed_price=0)]}


def scattered(seed: int, suppliers: bool = False, sites: int = 4) -> dict:
    """Return sheets of some hosts and twelve small markets whose routes are drawn."""
    draw = np.random.default_rng(seed).uniform
    hosts, markets = [f"H{i}" for i in range(sites)], [f"M{j}" for j in range(12)]
    return {
        **FEW,
        "hosts": [small.host(name) for name in hosts],
        "markets": [small.market(name, equity=float(name == "M0"), partner="yes" if name == "M0" else "no") for name in markets],
        "demand": [small.demand(float(draw(20, 150)), where=name) for name in markets],
        "route_costs": [
            *({"leg": "feed", "origin": "MINE", "destination": h, "cost": 0} for h in hosts),
            *({"leg": "product", "origin": h, "destination": m, "cost": float(draw(1, 90))} for h in hosts for m in markets),
        ],
        **({"suppliers": [small.supplier(price_share=3)]} if suppliers else {}),
    }


def relaxed_cost(matrix: Matrix) -> float:
    return solve_matrix(replace(matrix, integer=np.zeros_like(matrix.integer)), small.EXACT).objective


@pytest.mark.parametrize("seed", range(5))
def test_the_relaxation_is_tighter_and_the_optimum_the_same(seed):
    solved = small.solve_book(small.book(**scattered(seed)))
    assert small.rows_of(solved.matrix, "deliver_link").sum() == 48
    assert small.cost_without(solved.matrix, "deliver_link") == small.approx(solved.cost)
    small.assert_verified(solved)
    weak, strong = relaxed_cost(small.without(solved.matrix, "deliver_link")), relaxed_cost(solved.matrix)
    assert solved.cost - strong < 0.5 * (solved.cost - weak)


def test_a_market_with_another_supplier_has_none():
    _, matrix = small.matrix_of(small.book(**scattered(0, suppliers=True)))
    assert not small.rows_of(matrix, "deliver_link").any()


def test_a_market_larger_than_every_plant_has_none():
    _, matrix = small.matrix_of(small.book(**{**FEW, "demand": [small.demand(1000)]}))
    assert not small.rows_of(matrix, "deliver_link").any()


def test_a_stock_can_take_more_than_the_demand_of_its_year():
    stock = [small.stockpile(days=365 * 4)]
    tables = small.book(**{**FEW, "demand": [small.demand(200)], "stockpiles": stock})
    solved = small.solve_book(tables)
    assert not small.rows_of(solved.matrix, "deliver_link").any()
    assert solved.tonnes("deliveries") == small.approx(1000)


@pytest.mark.parametrize("seed", range(10))
def test_no_plan_is_cut_where_years_designs_and_lines_differ(seed):
    """Random books without anything to buy; two designs, two years, ramps, two products."""
    sheets, settings = random_sheets(seed)
    little = [{key: 0.3 * value if key in small.YEARS else value for key, value in row.items()} for row in sheets["demand"]]
    quiet = {"demand": little, "suppliers": [small.supplier(tonnes=0)], "caps": [], "stockpiles": [], "host_rules": []}
    solved = small.solve_book(small.book(settings, **{**sheets, **quiet}))
    assert small.rows_of(solved.matrix, "deliver_link").any()
    assert small.cost_without(solved.matrix, "deliver_link") == small.approx(solved.cost)
