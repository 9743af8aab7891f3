"""China-linked content is shared among deliveries and surplus by mass balance."""

from __future__ import annotations

import pytest

from model.attribution import attribute_content, capped_outflows, years_split_by_market
from tests import small

MARKETS = {"markets": [small.market(), small.market("USA")], "demand": [small.demand(), small.demand(where="USA")]}


def problem_with(*caps: small.Row):
    return small.problem_of(sources=[small.source(china_linked=0.4)], caps=list(caps), **MARKETS)


FEED = {("MINE", "HOST", "light_heavy:own", 2030): 1.0}


def test_content_goes_to_the_surplus_first():
    deliver = {("HOST", "Nd", "JPN", 2030): 0.5}
    delivered, surplus = attribute_content(problem_with(), FEED, deliver, {("HOST", "Nd", 2030): 0.5})
    assert surplus == pytest.approx({("HOST", "Nd", 2030): 0.4})
    assert delivered == pytest.approx({("HOST", "Nd", "JPN", 2030): 0.0})


def test_what_the_surplus_cannot_hold_is_spread_by_tonnes():
    deliver = {("HOST", "Nd", "JPN", 2030): 0.6, ("HOST", "Nd", "USA", 2030): 0.3}
    delivered, surplus = attribute_content(problem_with(), FEED, deliver, {("HOST", "Nd", 2030): 0.1})
    assert surplus == pytest.approx({("HOST", "Nd", 2030): 0.1})
    assert delivered == pytest.approx({("HOST", "Nd", "JPN", 2030): 0.2, ("HOST", "Nd", "USA", 2030): 0.1})


def test_no_delivery_holds_more_than_itself():
    # balances hold within the solver's tolerance only
    deliver = {("HOST", "Nd", "JPN", 2030): 0.4 - 1e-8}
    delivered, _ = attribute_content(problem_with(), FEED, deliver, {})
    assert delivered == deliver


def test_a_year_with_a_partners_cap_is_left_to_the_model():
    problem = problem_with(small.cap("supply", "tonnes", "partner", 0.5, "JPN"))
    assert years_split_by_market(problem) == {2030}
    assert attribute_content(problem, FEED, {("HOST", "Nd", "JPN", 2030): 1.0}, {}) == ({}, {})


@pytest.mark.parametrize(
    ("cap", "counted"),
    [
        (small.cap("supply", "tonnes", "all", 0.5), True),
        (small.cap("supply", "tonnes", "every_product", 0.5), True),
        (small.cap("supply", "value", "product", 0.5, "Nd"), True),
        (small.cap("supply", "value", "host", 0.5, "HOST"), True),
        (small.cap("supply", "tonnes", "all", 1), False),
        (small.cap("feedstock", "tonnes", "all", 0.5), False),
        (small.cap("feedstock", "tonnes", "partner", 0.5, "JPN"), False),
    ],
)
def test_only_what_a_cap_counts_has_a_column(cap, counted):
    assert capped_outflows(problem_with(cap)) == ([("HOST", "Nd", 2030)] if counted else [])
