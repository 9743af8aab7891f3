"""Surplus that can never pay and limits that nothing can reach leave the model, and no optimum changes."""

from __future__ import annotations

import numpy as np
import pytest

from model.groups import group_flows
from model.idle import idle_surpluses, implied_source_limits
from tests import small
from tests.benchmarks.plain import solve_plain

PLACE = ("HOST", "Nd", 2030)
HALF = small.cap("supply", "tonnes", "all", 0.5)


def found(**sheets: list[small.Row]) -> tuple[bool, bool]:
    """Return whether the surplus is idle and whether the source's limit is implied."""
    problem = small.problem_of(**sheets)
    groups = group_flows(problem)
    idle = idle_surpluses(problem, groups)
    assert idle <= {PLACE}
    return bool(idle), bool(implied_source_limits(problem, groups, idle))


def test_a_host_with_one_product_makes_what_is_wanted():
    assert found() == (True, True)


@pytest.mark.parametrize(
    "sheets",
    [
        {"prices": small.prices(surplus=25)},
        {"designs": [small.design(minimum_use=0.3)], "settings": {"last_year": 2033}},
        {"host_rules": [small.rule("export_share", 0.4)]},
        {"caps": [HALF], "sources": [small.source(china_linked=0.5)]},
        {"sources": [small.source(fixed_price=-1)]},
    ],
    ids=["surplus pays", "minimum use", "export share", "capped content", "paid to take ore"],
)
def test_surplus_that_may_be_needed_stays(sheets):
    problem = small.problem_of(**sheets)
    assert ("HOST", "Nd", problem.years[-1]) not in idle_surpluses(problem, group_flows(problem))


def test_a_cap_that_no_feed_counts_in_changes_nothing():
    assert found(caps=[HALF]) == (True, True)


def test_a_source_that_demand_could_exhaust_keeps_its_limit():
    assert found(sources=[small.source(capacity=999)]) == (True, False)


def test_a_source_that_loses_some_keeps_its_limit_until_it_covers_the_loss():
    poor = [small.recovery(share=0.5)]
    assert found(sources=[small.source(capacity=1999)], recoveries=poor) == (True, False)
    assert found(sources=[small.source(capacity=2000)], recoveries=poor) == (True, True)


def test_a_stock_may_take_more_than_demand():
    assert found(stockpiles=[small.stockpile(days=30)]) == (True, False)


@pytest.mark.parametrize("seed", range(15))
def test_no_optimum_changes(seed):
    """Two hosts of one product, several markets, figures drawn on both sides of every condition."""
    random = np.random.default_rng(seed)
    hosts = [small.host(name, capex_factor=random.uniform(0.5, 2)) for name in ("ONE", "TWO")]
    tables = small.book(
        {"last_year": 2031, "modelled_years": "all", "country_share_from": 2031},
        hosts=hosts,
        sources=[small.source(capacity=random.uniform(300, 3000), fixed_price=random.uniform(5, 40), china_linked=random.choice([0, 0.4]))],
        prices=small.prices(surplus=random.uniform(-5, 30)),
        designs=[small.design(minimum_use=random.choice([0, 0.5]))],
        demand=[small.demand(random.uniform(100, 900)), small.demand(random.uniform(100, 900), where="USA")],
        markets=[small.market(equity=0.5), small.market("USA", equity=0.5)],
        suppliers=[small.supplier(tonnes=random.uniform(0, 500), china_linked=1)],
        caps=[HALF] if random.random() < 0.5 else [],
    )
    solved = small.solve_book(tables)
    plain = solve_plain(solved.problem, absolute_gap=1e-6, threads=1)
    assert solved.cost == pytest.approx(plain.objective, rel=1e-6, abs=1e-6)
    small.assert_verified(solved)
