"""Money, time, freight and customs arithmetic against figures worked by hand and properties that always hold."""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import economics
from model.economics import Duties, Freight, annuity, construction_spend, discount_weights, real_rate, represented_years
from tests import small

RATES = st.floats(0.0, 0.5)


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(economics).failed == 0


# --- money ---------------------------------------------------------------------------------------------


def test_annuity_of_two_payments():
    # 1.1 and 1.21: 1 = a / 1.1 + a / 1.21, so a = 1.21 / 2.1
    assert annuity(0.1, 2) == pytest.approx(1.21 / 2.1)


def test_annuity_without_interest_is_a_part_a_year():
    assert annuity(0.0, 8) == 1 / 8


@given(rate=st.floats(-0.05, 0.5), years=st.integers(1, 60))
def test_annuity_repays_one(rate, years):
    payments = sum(annuity(rate, years) * (1 + rate) ** -t for t in range(1, years + 1))
    assert payments == pytest.approx(1, rel=1e-6)


@given(years=st.integers(1, 60))
def test_annuity_is_continuous_where_the_rate_vanishes(years):
    assert annuity(1e-9, years) == pytest.approx(annuity(0.0, years), rel=1e-5)


def test_real_rate():
    # 1.122 / 1.02 = 1.1
    assert real_rate(0.122, 0.02) == pytest.approx(0.1)
    assert real_rate(0.02, 0.02) == pytest.approx(0)


# --- time ------------------------------------------------------------------------------------------------


def test_represented_years_fill_the_gaps():
    assert represented_years([2027, 2030], 2032) == {2027: range(2027, 2030), 2030: range(2030, 2033)}


def test_discount_weights_with_gaps():
    # 2027 stands for 2027 and 2028: 1 + 1 / 1.25; 2029 stands for itself: 1 / 1.25 ** 2
    assert discount_weights([2027, 2029], 2027, 2029, 0.25) == pytest.approx({2027: 1.8, 2029: 0.64})


def test_discount_weights_begin_at_the_first_year():
    # a plan modelled from 2028 on is still valued in 2027's money
    assert discount_weights([2028], 2027, 2028, 0.25) == pytest.approx({2028: 0.8})


@given(years=st.sets(st.integers(2027, 2045), min_size=1), rate=RATES)
def test_discount_weights_do_not_depend_on_how_years_are_grouped(years, rate):
    listed = sorted(years)
    total = sum(discount_weights(listed, listed[0], 2045, rate).values())
    assert total == pytest.approx(sum((1 + rate) ** -t for t in range(2045 - listed[0] + 1)))


def test_construction_spend_in_whole_years():
    assert construction_spend(2030, 2) == {2028: 0.5, 2029: 0.5}


def test_construction_spend_in_parts_of_years():
    # [2027.5, 2030): half a year of the 2.5, then a year twice
    assert construction_spend(2030, 2.5) == pytest.approx({2027: 0.2, 2028: 0.4, 2029: 0.4})
    assert construction_spend(2030, 0.25) == {2029: 1.0}


def test_construction_spend_without_construction_falls_on_the_first_year():
    assert construction_spend(2030, 0) == {2030: 1.0}


@given(on_line=st.integers(2000, 2100), build_years=st.just(0.0) | st.floats(1 / 365, 20))
def test_construction_spend_sums_to_one_before_the_plant_is_on_line(on_line, build_years):
    spend = construction_spend(on_line, build_years)
    assert math.isclose(sum(spend.values()), 1, abs_tol=1e-9)
    assert all(share > 0 for share in spend.values())
    if build_years > 0:
        assert max(spend) < on_line
        assert min(spend) >= on_line - build_years - 1


# --- freight -----------------------------------------------------------------------------------------------

PORTS = [{"port": name, "country": "MMM", "feeder": feeder} for name, feeder in (("Big", "no"), ("Small", "yes"), ("Far", "yes"))]
DISTANCES = [
    {"from_port": "Big", "to_port": "Small", "no_red_sea": 2000, "suez_open": 1000},
    {"from_port": "Far", "to_port": "Small", "no_red_sea": 500, "suez_open": 500},
]
RATES_SET = {
    "sea_fixed": 70,
    "sea_rate": 3,
    "feeder_addon": 40,
    "truck_rate": 0.1,
    "truck_africa_rate": 0.12,
    "rail_rate": 0.05,
    "barge_rate": 0.04,
}


def _freight(**settings: object) -> Freight:
    return Freight.from_tables(small.book({**RATES_SET, **settings}, ports=PORTS, distances=DISTANCES))


def test_sea_freight_counts_distance_and_each_feeder_port():
    # 70 + 3 x 2 + 40; 70 + 3 x 0.5 + 2 x 40
    assert _freight().sea("Big", "Small") == pytest.approx(116)
    assert _freight().sea("Far", "Small") == pytest.approx(151.5)


def test_sea_freight_is_the_same_both_ways_and_nothing_within_a_port():
    freight = _freight()
    assert freight.sea("Small", "Big") == freight.sea("Big", "Small")
    assert freight.sea("Far", "Far") == 0


def test_sea_freight_follows_the_route_basis():
    assert _freight(route_basis="suez_open").sea("Big", "Small") == pytest.approx(113)


def test_sea_freight_without_a_distance_is_refused():
    with pytest.raises(KeyError):
        _freight().sea("Big", "Far")


@pytest.mark.parametrize(("mode", "cost"), [("truck", 10), ("truck_africa", 12), ("rail", 5), ("barge", 4), ("none", 0)])
def test_inland_freight_by_mode(mode, cost):
    assert _freight().inland(100, mode) == pytest.approx(cost)


# --- duties --------------------------------------------------------------------------------------------------


def _duty(measure: str, rate: float, **change: object) -> small.Row:
    return {"measure": measure, "stage": "oxide", "origin": "*", "destination": "*", "rate": rate, **change}


def _duties(*rows: small.Row) -> Duties:
    return Duties(small.book(duties=list(rows)))


def _on_oxide(*rows: small.Row, origin: str = "CHN", product: str = "Nd", year: int = 2030) -> float:
    return _duties(*rows).duty("oxide", product, origin, "USA", year, price=100)


def test_no_rows_no_duty():
    assert _on_oxide() == 0


def test_duty_is_a_percentage_of_the_price():
    assert _on_oxide(_duty("general", 5)) == pytest.approx(5)


def test_measures_add_up():
    assert _on_oxide(_duty("general", 5), _duty("surcharge", 25)) == pytest.approx(30)


@pytest.mark.parametrize(
    ("specific", "general"),
    [
        ({"product": "Nd"}, {"origin": "CHN", "destination": "USA"}),
        ({"origin": "CHN"}, {"destination": "USA"}),
        ({"destination": "USA"}, {}),
        ({"product": "Nd", "destination": "USA"}, {"product": "Nd"}),
        ({"origin": "CHN", "destination": "USA"}, {"origin": "CHN"}),
    ],
)
def test_the_most_specific_row_of_a_measure_counts_in_any_order(specific, general):
    # product before origin before destination
    rows = [_duty("general", 5, **general), _duty("general", 2, **specific)]
    assert _on_oxide(*rows) == pytest.approx(2)
    assert _on_oxide(*reversed(rows)) == pytest.approx(2)


def test_a_specific_row_replaces_its_own_measure_only():
    rows = (_duty("general", 5), _duty("general", 0, origin="CHN"), _duty("surcharge", 25))
    assert _on_oxide(*rows) == pytest.approx(25)
    assert _on_oxide(*rows, origin="AUS") == pytest.approx(30)


def test_rows_for_other_goods_and_places_do_not_count():
    rows = (_duty("a", 5, product="Ce"), _duty("b", 5, origin="AUS"), _duty("c", 5, destination="JPN"), _duty("d", 5, stage="carbonate"))
    assert _on_oxide(*rows) == 0


def test_a_row_for_one_product_does_not_count_for_feed():
    assert _duties(_duty("a", 5, stage="carbonate", product="Nd")).duty("carbonate", "", "CHN", "USA", 2030, 10) == 0


def test_dates_are_inclusive():
    row = _duty("general", 5, from_year=2030, to_year=2031)
    assert [_on_oxide(row, year=year) for year in (2029, 2030, 2031, 2032)] == [0, 5, 5, 0]


def test_a_specific_row_counts_in_its_years_only():
    rows = (_duty("general", 5), _duty("general", 0, origin="CHN", from_year=2031))
    assert [_on_oxide(*rows, year=year) for year in (2030, 2031)] == [5, 0]


def test_a_stated_customs_value_replaces_the_price():
    assert _on_oxide(_duty("general", 5, customs_value=40)) == pytest.approx(2)
    assert _on_oxide(_duty("general", 5, customs_value=0)) == 0


def test_no_duty_within_one_country():
    assert _duties(_duty("general", 5)).duty("oxide", "Nd", "USA", "USA", 2030, 100) == 0
