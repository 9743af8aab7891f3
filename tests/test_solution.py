"""Result tables in t and MUSD, worked by hand, and the one `solve()` that makes a verified plan."""

from __future__ import annotations

import math

import pytest

from model import planner
from model.outcome import Progress, SolveOptions, Status
from tests import small
from tests.random_books import random_book

YEARS = {"last_year": 2032, "modelled_years": "2030,2031", "discount_rate": 0.25}
"""2030 counts 1, 2031 stands for two years: 0.8 + 0.64 = 1.44."""


@pytest.fixture(scope="module")
def solved() -> small.Solved:
    """A plant of 1 kt (0.5 kt in its first year) at 10 % over two years, 20 % China-linked ore at a recovery of 0.8, and a stock.

    By hand: annuity 1.21 / 2.1, so 100 MUSD cost 57.619 a year, and fixed cost 3. Feed 0.5 kt, then 1 kt; made 0.4 kt, then 0.8 kt.
    Demand is 1 kt and 0.7 kt: 0.6 kt bought in 2030 less 0.1 kt from stock; 0.1 kt surplus in 2031.
    """
    return small.solve_book(
        small.book(
            {**YEARS, "plant_life": 2},
            sources=[small.source(china_linked=0.2)], recoveries=[small.recovery(share=0.8)], hosts=[small.host(cost_of_capital=0.1)],
            designs=[small.design(ramp_1=0.5, fixed_cost=3, minimum_use=0)], demand=[small.demand(1000, but={2031: 700})],
            stockpiles=[small.stockpile(100)], host_rules=[small.rule("force_plant", 1000, to_year=2030)],
            prices=small.prices(surplus=50), suppliers=[small.supplier(china_linked=1, price_share=1)],
            caps=[small.cap("supply", "tonnes", "all", 0.9)],
        )
    )  # fmt: skip


def rows(solved: small.Solved, table: str) -> list[tuple]:
    return list(solved.solution.tables[table].itertuples(index=False, name=None))


def near(*expected: object) -> list:
    """Return the cells of a row, numbers to a part in a million."""
    return [pytest.approx(cell, rel=1e-6, abs=1e-6) if isinstance(cell, float) else cell for cell in expected]


def test_decisions(solved):
    assert rows(solved, "builds") == [("HOST", "PLANT", "own", 2030)]
    line = "light_heavy:own"
    assert [list(row) for row in rows(solved, "feed")] == [
        near("MINE", "HOST", line, 2030, 500.0, 100.0),
        near("MINE", "HOST", line, 2031, 1000.0, 200.0),
    ]
    assert [list(row) for row in rows(solved, "purchases")] == [near("SELLER", "Nd", "*", "JPN", 2030, 500.0, 500.0)]
    assert [list(row) for row in rows(solved, "stocks")] == [near("JPN", "Nd", 2030, 0.0, 100.0), near("JPN", "Nd", 2031, 0.0, 0.0)]
    assert rows(solved, "unmet") == []


def test_plants_and_their_use(solved):
    charge = 100 * 1.21 / 2.1
    assert [list(row) for row in rows(solved, "plants")] == [
        near("HOST", "HHH", "PLANT", "own", "light_heavy:own", 2030, 1000.0, 100.0, charge)
    ]
    assert [list(row) for row in rows(solved, "plant_years")] == [
        near("HOST", "light_heavy:own", 2030, 1000.0, 500.0, 500.0, 1.0),
        near("HOST", "light_heavy:own", 2031, 1000.0, 1000.0, 1000.0, 1.0),
    ]


def test_products_and_supply(solved):
    assert [list(row) for row in rows(solved, "products")] == [
        near("HOST", "Nd", 2030, 400.0, 400.0, 0.0, 80.0),
        near("HOST", "Nd", 2031, 800.0, 700.0, 100.0, 160.0),
    ]
    balance = solved.solution.tables["supply_balance"].set_index("year")
    assert balance.loc[2030, ["demand", "joint", "bought", "drawn", "unmet", "china"]].tolist() == near(
        1000.0, 400.0, 500.0, 100.0, 0.0, 580.0
    )
    assert balance.loc[2031, ["demand", "joint", "bought", "drawn", "unmet"]].tolist() == near(700.0, 700.0, 0.0, 0.0, 0.0)
    # attribution may put linked content into the surplus of 100 t
    assert 60 - 1e-6 <= balance.at[2031, "china"] <= 160 + 1e-6


def test_costs(solved):
    charge = 100 * 1.21 / 2.1
    costs = {(row[0], row[3]): row[4:] for row in rows(solved, "costs")}
    expected = {
        ("capital", 2030): charge, ("capital", 2031): charge, ("fixed_operating", 2030): 3, ("fixed_operating", 2031): 3,
        ("feed_purchase", 2030): 10, ("feed_purchase", 2031): 20, ("oxide_purchase", 2030): 50, ("surplus_revenue", 2031): -5,
    }  # fmt: skip
    assert set(costs) == set(expected)
    for key, cost in expected.items():
        weight = {2030: 1.0, 2031: 1.44}[key[1]]
        assert costs[key] == pytest.approx((cost, weight, cost * weight)), key
    assert solved.cost == pytest.approx(charge * 2.44 + 3 * 2.44 + 10 + 28.8 + 50 - 7.2)


def test_china_shares(solved):
    first, _ = rows(solved, "china_shares")
    # 580 of the 900 t delivered and bought; stock drawn is not in the total
    assert list(first) == near("CAP", "supply", "tonnes", "all", "", 2030, 0.9, 580.0, 900.0, 580 / 900, 0.9 - 580 / 900, 0.0)


def test_a_share_of_nothing_is_blank():
    nothing = small.solve_book(small.book(hosts=[], caps=[small.cap("feedstock", "value", "all", 0.5)]))
    (row,) = rows(nothing, "china_shares")
    assert row[7:9] == (0, 0)
    assert math.isnan(row[9])
    assert math.isnan(row[10])
    assert row[11] == 0


# --- planner ----------------------------------------------------------------------------------------------


def test_solve_makes_a_verified_plan_and_says_what_it_does():
    said: list[str] = []
    plan = planner.solve(small.book(), small.EXACT, say=said.append)
    assert plan.solution.status is Status.OPTIMAL
    assert plan.solution.objective == pytest.approx(30)
    assert plan.verification.passed
    assert (plan.solution.tables["checks"]["verdict"] == "pass").all()
    assert plan.solution.host_set == ("HOST",)
    assert plan.size["binaries"] == 1
    assert any("columns" in sentence for sentence in said)
    assert {"model", "search", "tables and verification"} <= set(plan.solution.seconds)


def test_solve_without_a_plan_ends_in_words():
    plan = planner.solve(small.book(suppliers=[small.supplier(least_take=0.5)]), small.EXACT)
    assert plan.solution.status is Status.INFEASIBLE
    assert str(plan.solution.status) == "no plan exists"
    assert math.isnan(plan.solution.objective)


def test_solve_reports_progress():
    states: list[Progress] = []
    planner.solve(random_book(3), small.EXACT, progress=states.append)
    assert states
    assert all(state.gap >= 0 for state in states)


def test_options_come_from_the_settings_sheet():
    settings = {"absolute_gap": 2, "relative_gap": 0.01, "time_limit": 30, "threads": 3}
    assert planner.options_from(small.book(settings)) == SolveOptions(2.0, 0.01, 30.0, 3)
