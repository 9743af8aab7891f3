"""Unit costs, freight, duties, prices and needs of `formulation.md` worked by hand on small numbers.

Money is MUSD per kt, the USD/kg of the book; tonnes are kt, the book's t / 1000.
"""

from __future__ import annotations

import pytest

from tests import small
from tests.small import only, problem_of

# --- what a kt of feed costs ----------------------------------------------------------------------------------

UNITS = {"electricity": 3, "heat": 30, "labour": 40, "reagents": 3.5, "waste": 1, "other": 0.5, "equipment": 6}
PRICED_HOST = {"power_price": 0.1, "heat_price": 10, "wage": 5}
# 3 x 0.1 + 30 x 10 / 1000 + 40 x 5 / 1000 + 3.5 + 1 + 0.5 = 5.8


def test_processing_cost():
    problem = problem_of(hosts=[small.host(**PRICED_HOST)], processing=[small.processing(**UNITS)])
    assert only(problem.feed_cost["processing"]) == pytest.approx(5.8)


def test_processing_cost_with_multiplier_and_penalty():
    problem = problem_of(
        {"expertise_operating_penalty": 0.2}, hosts=[small.host(**PRICED_HOST, expertise=0.5)], processing=[small.processing(**UNITS)],
        know_how=[small.way(operating_multiplier=1.05)],
    )  # fmt: skip
    assert only(problem.feed_cost["processing"]) == pytest.approx(5.8 * 1.05 * 1.1)


@pytest.mark.parametrize(("discharge", "processing", "equipment"), [("yes", 5.8, 6), ("no", 5.8 + 2.45, 26)])
def test_discharge_addon_where_brine_may_not_be_discharged(discharge, processing, equipment):
    # add-on: 2 x 0.1 + 5 x 10 / 1000 + 10 x 5 / 1000 + 1 + 0.15 + 1 = 2.45
    addon = small.processing("brine", electricity=2, heat=5, labour=10, reagents=1, waste=0.15, other=1, equipment=20)
    problem = problem_of(
        hosts=[small.host(**PRICED_HOST, brine_discharge=discharge)],
        processing=[small.processing(**UNITS, discharge_addon="brine"), addon],
    )
    assert only(problem.feed_cost["processing"]) == pytest.approx(processing)
    # plant life 10 years, no interest
    assert only(problem.feed_cost["feed_equipment"]) == pytest.approx(equipment / 10)


def test_no_addon_where_the_feed_names_none():
    problem = problem_of(hosts=[small.host(**PRICED_HOST, brine_discharge="no")], processing=[small.processing(**UNITS)])
    assert only(problem.feed_cost["processing"]) == pytest.approx(5.8)


def test_equipment_is_charged_as_an_annuity_of_local_capital_cost():
    # 6 x 0.9 x 1.1 x (1 + 0.3 x 0.5), over two years at 10 %
    problem = problem_of(
        {"plant_life": 2, "expertise_capex_penalty": 0.3}, hosts=[small.host(capex_factor=0.9, expertise=0.5, cost_of_capital=0.1)],
        processing=[small.processing(equipment=6)], know_how=[small.way(capex_multiplier=1.1)],
    )  # fmt: skip
    assert only(problem.feed_cost["feed_equipment"]) == pytest.approx(6 * 0.9 * 1.1 * 1.15 * 1.21 / 2.1)


def test_operating_factor_scales_processing_alone():
    processing = [small.processing(reagents=2, equipment=5)]
    hosts = [small.host(operating_factor=0.6, expertise=0.5)]
    costs = problem_of({"expertise_operating_penalty": 0.2}, hosts=hosts, processing=processing).feed_cost
    # 2 x 0.6 x (1 + 0.2 x 0.5); equipment of 5 over 10 years
    assert only(costs["processing"]) == pytest.approx(1.32)
    assert only(costs["feed_equipment"]) == pytest.approx(0.5)
    solved = small.solve_book(small.book(hosts=hosts, processing=processing))
    assert solved.cost == small.approx(10 + 20 + 1.2 + 0.5)
    small.assert_verified(solved)


def test_fee_by_kg_of_feed():
    assert only(problem_of(know_how=[small.way(fee=0.4)]).feed_cost["know_how_fee"]) == 0.4


# --- freight ------------------------------------------------------------------------------------------------

SEA = {
    "ports": [{"port": "A", "country": "MMM", "feeder": "no"}, {"port": "B", "country": "HHH", "feeder": "yes"}],
    "distances": [{"from_port": "A", "to_port": "B", "no_red_sea": 2000, "suez_open": 1000}],
}
FREIGHT = {
    "sea_fixed": 70, "sea_rate": 3, "feeder_addon": 40, "radioactive_sea_multiplier": 2, "radioactive_handling": 100,
    "product_sea_multiplier": 1.5, "truck_rate": 0.1, "rail_rate": 0.05, "product_insurance": 0.003,
}  # fmt: skip
PLACES = {
    "sources": [small.source(port="A", inland_km=100, inland_mode="rail", grade=0.5)],
    "hosts": [small.host(port="B", inland_km=10, inland_mode="truck")],
    "markets": [small.market(port="A", inland_km=50, inland_mode="truck")],
}
# sea 70 + 3 x 2 + 40 = 116; inland 5 from the mine, 1 to the site, 5 in the market


def test_freight_in_is_paid_by_the_tonne_shipped():
    # (5 + 116 + 1) / 0.5 / 1000
    problem = problem_of(FREIGHT, **SEA, **PLACES)
    assert only(problem.feed_cost["freight_in"]) == pytest.approx(0.244)


def test_freight_in_of_class_7():
    # (5 + 2 x 116 + 100 + 1) / 0.5 / 1000
    sources = [{**PLACES["sources"][0], "radioactive_cargo": "yes"}]
    problem = problem_of(FREIGHT, **{**SEA, **PLACES, "sources": sources})
    assert only(problem.feed_cost["freight_in"]) == pytest.approx(0.676)


def test_freight_out_with_insurance():
    # (1 + 1.5 x 116 + 5) / 1000 + 0.003 x 100
    problem = problem_of(FREIGHT, **SEA, **PLACES)
    assert only(problem.delivery_cost["freight_out"]) == pytest.approx(0.48)


def test_freight_within_a_port_is_inland_only():
    places = {**PLACES, "hosts": [small.host(port="A", inland_km=10, inland_mode="truck")]}
    problem = problem_of(FREIGHT, **SEA, **places)
    assert only(problem.feed_cost["freight_in"]) == pytest.approx(6 / 0.5 / 1000)


def test_route_costs_replace_freight_and_insurance():
    routes = [
        {"leg": "feed", "origin": "MINE", "destination": "HOST", "cost": 0.7},
        {"leg": "product", "origin": "HOST", "destination": "JPN", "cost": 0.9},
    ]
    problem = problem_of(FREIGHT, **SEA, **PLACES, route_costs=routes)
    assert only(problem.feed_cost["freight_in"]) == 0.7
    assert only(problem.delivery_cost["freight_out"]) == 0.9


def test_a_blank_route_cost_closes_the_route():
    feed = problem_of(route_costs=[{"leg": "feed", "origin": "MINE", "destination": "HOST", "cost": None}])
    assert feed.feeds == ()
    product = problem_of(route_costs=[{"leg": "product", "origin": "HOST", "destination": "JPN", "cost": None}])
    assert product.feeds
    assert product.deliveries == ()


def test_a_route_cost_of_another_leg_does_not_count():
    problem = problem_of(FREIGHT, **SEA, **PLACES, route_costs=[{"leg": "product", "origin": "MINE", "destination": "HOST", "cost": None}])
    assert only(problem.feed_cost["freight_in"]) == pytest.approx(0.244)


# --- duties on flows ------------------------------------------------------------------------------------------


def _duty(stage: str, **change: object) -> small.Row:
    return {"measure": "general", "stage": stage, "origin": "*", "destination": "*", "rate": 10, **change}


def test_duty_in_on_the_feed_price_by_customs_stage():
    assert only(problem_of(duties=[_duty("concentrate")]).feed_cost["duty_in"]) == pytest.approx(2)
    assert only(problem_of(duties=[_duty("carbonate")]).feed_cost["duty_in"]) == 0
    carbonate = problem_of(duties=[_duty("carbonate")], processing=[small.processing(customs_stage="carbonate")])
    assert only(carbonate.feed_cost["duty_in"]) == pytest.approx(2)


def test_duty_in_goes_from_the_mines_country_to_the_hosts():
    assert only(problem_of(duties=[_duty("concentrate", origin="MMM", destination="HHH")]).feed_cost["duty_in"]) == pytest.approx(2)
    assert only(problem_of(duties=[_duty("concentrate", origin="HHH", destination="MMM")]).feed_cost["duty_in"]) == 0
    assert only(problem_of(duties=[_duty("concentrate")], hosts=[small.host(country="MMM")]).feed_cost["duty_in"]) == 0


def test_duty_out_on_the_market_price():
    assert only(problem_of(duties=[_duty("oxide")]).delivery_cost["duty_out"]) == pytest.approx(10)
    assert only(problem_of(duties=[_duty("oxide", origin="HHH", destination="JPN")]).delivery_cost["duty_out"]) == pytest.approx(10)
    assert only(problem_of(duties=[_duty("oxide", customs_value=40)]).delivery_cost["duty_out"]) == pytest.approx(4)
    assert only(problem_of(duties=[_duty("oxide")], hosts=[small.host(country="JPN")]).delivery_cost["duty_out"]) == 0


def test_purchase_duty_on_the_suppliers_price():
    sellers = [small.supplier(price_share=1.2)]
    assert only(problem_of(duties=[_duty("oxide")], suppliers=sellers).purchase_cost["oxide_duty"]) == pytest.approx(12)
    assert only(problem_of(duties=[_duty("oxide", customs_value=40)], suppliers=sellers).purchase_cost["oxide_duty"]) == pytest.approx(4)
    # the country of refining counts, not the customs origin
    at_home = [small.supplier(country="JPN", customs_origin="CHN")]
    assert only(problem_of(duties=[_duty("oxide")], suppliers=at_home).purchase_cost["oxide_duty"]) == 0


# --- what is bought, wanted and kept --------------------------------------------------------------------------


@pytest.mark.parametrize(("floor", "price"), [(None, 90), (80, 90), (110, 110)])
def test_purchase_price_is_no_lower_than_its_floor(floor, price):
    problem = problem_of(suppliers=[small.supplier(price_share=0.9, price_floor=floor)])
    assert only(problem.purchase_cost["oxide_purchase"]) == pytest.approx(price)


def test_supply_and_least_take():
    problem = problem_of(suppliers=[small.supplier(tonnes=1500, least_take=0.4, where="JPN")])
    assert problem.supply == pytest.approx({("SELLER|Nd|JPN", 2030): 1.5})
    assert problem.least_take == pytest.approx({("SELLER|Nd|JPN", 2030): 0.6})
    assert problem_of(suppliers=[small.supplier(least_take=None)]).least_take == {}


def test_an_offer_to_any_market_can_be_bought_by_each_that_wants_the_product():
    markets = [small.market("JPN"), small.market("USA"), small.market("EU")]
    demand = [small.demand(), small.demand(where="USA"), small.demand(0, where="EU")]
    problem = problem_of(markets=markets, demand=demand)
    assert problem.purchases == (("SELLER|Nd|*", "JPN", 2030), ("SELLER|Nd|*", "USA", 2030))
    assert problem.deliveries == (("HOST", "Nd", "JPN", 2030), ("HOST", "Nd", "USA", 2030))


def test_nothing_is_bought_in_years_without_an_offer():
    problem = problem_of({"last_year": 2031, "modelled_years": "all"}, suppliers=[{**small.supplier(), 2031: 0}])
    assert problem.purchases == (("SELLER|Nd|*", "JPN", 2030),)


def test_demand_and_shortage_cost():
    problem = problem_of(demand=[small.demand(1500)], sectors=[small.sector(shortage_cost=20, shortage_multiple=3)])
    assert problem.demand == {("JPN", "magnets", "Nd", 2030): 1.5}
    assert problem.shortage_cost == {("magnets", "Nd", 2030): 320}


def test_stock_needed_counts_days_of_every_sectors_demand_from_its_year():
    problem = problem_of(
        {"last_year": 2031, "modelled_years": "all"}, sectors=[small.sector("a"), small.sector("b")],
        demand=[small.demand(1000, who="a"), small.demand(825, who="b")],
        stockpiles=[small.stockpile(300, days=73, from_year=2031, holding_cost=7)],
    )  # fmt: skip
    # 73 / 365 x 1.825 kt
    assert problem.stock_needed == pytest.approx({("JPN", "Nd", 2030): 0, ("JPN", "Nd", 2031): 0.365})
    assert problem.opening_stock == {("JPN", "Nd"): 0.3}
    assert problem.holding_cost == {("JPN", "Nd"): 7}


def test_stock_needed_from_the_first_year_where_none_is_stated():
    assert only(problem_of(stockpiles=[small.stockpile(days=36.5)]).stock_needed) == pytest.approx(0.1)
