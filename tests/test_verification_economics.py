"""Parameters of the independent check against figures worked out by hand from the tiny book."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from model.schema import STAGES
from model.verification_book import Book
from model.verification_economics import Economics, annuity, spend_shares
from tests.tiny import RECORDS, tiny_tables

SOURCES, HOSTS = {"ALPHA_MINE": 0, "CHINA_CLAY": 1}, {"AAA_PORT": 0, "BBB_PORT": 1}
CE, NDPR, DY = 0, 1, 2
JPN, USA = 0, 1
LIGHT_HEAVY, LIGHT = 0, 2
"""Lines worked in the host's practice; one up is Japanese support."""


def _economics(settings: dict | None = None, **changes: dict) -> Economics:
    """Return the economics of the tiny book; `changes` is sheet -> {row: {column: value}}."""
    records = copy.deepcopy(RECORDS)
    for sheet, rows in changes.items():
        for row, values in rows.items():
            records[sheet][row].update(values)
    return Economics(Book(tiny_tables(settings, **records)))


def _at(*positions: int) -> list[np.ndarray]:
    return [np.array([position]) for position in positions]


def test_annuity_repays_capital_over_the_plant_life() -> None:
    # 0.1 / (1 - 1.1^-10): 1.1^10 = 2.5937424601
    assert annuity(np.array([0.1, 0.0]), 10) == pytest.approx([0.1627453949, 0.1], abs=1e-10)


def test_cost_of_capital_is_made_real_before_the_annuity() -> None:
    # 1.0710 / 1.02 - 1 = 0.05; 0.05 / (1 - 1.05^-20), 1.05^20 = 2.6532977051
    economics = _economics({"inflation": 0.02, "plant_life": 20}, hosts={0: {"cost_of_capital": 0.071}})
    assert economics.annuity[0] == pytest.approx(0.0802425872, abs=1e-10)


def test_weights_discount_every_year_up_to_the_next_modelled_one() -> None:
    book = Book(tiny_tables({"last_year": 2036, "modelled_years": "2030, 2032, 2035", "discount_rate": 0.25}))
    assert book.years.tolist() == [2030, 2032, 2035]
    assert book.represented.tolist() == [2, 3, 2]
    # 1/1.25 = 0.8: 1 + 0.8; 0.64 + 0.512 + 0.4096; 0.32768 + 0.262144
    assert book.weight == pytest.approx([1.8, 1.5616, 0.589824], abs=1e-12)


def test_all_years_are_modelled_one_by_one() -> None:
    book = Book(tiny_tables())
    assert book.years.tolist() == [2030, 2031, 2032]
    assert book.weight.tolist() == [1, 1, 1]


def test_feed_price_follows_the_basket_or_is_fixed() -> None:
    # ALPHA: 0.7 x 2 + (0.05 + 0.2) x 100 + 0.05 x 300 = 41.4, half of it paid
    economics = _economics(sources={1: {"payability": None, "fixed_price": 7}})
    assert economics.basket[0] == pytest.approx([41.4] * 3)
    assert economics.feed_price[0] == pytest.approx([20.7] * 3)
    assert economics.feed_price[1] == pytest.approx([7] * 3)


def test_elements_without_a_product_are_worth_nothing() -> None:
    economics = _economics(composition={0: {"Ce": 0.6, "Pm": 0.1}})
    assert economics.basket[0, 0] == pytest.approx(0.6 * 2 + 25 + 15)


def test_uncommitted_output_ramps_up_from_the_first_year() -> None:
    # 8000 x 0.5, then 0.5 and 0.8 of it
    assert _economics(sources={0: {"first_year": 2030}}).book.available[0].tolist() == [2000, 3200, 4000]
    assert _economics(sources={0: {"first_year": 2031}}).book.available[0].tolist() == [0, 2000, 3200]


def test_recovery_loses_what_expertise_lacks() -> None:
    economics = _economics()
    monazite = economics.book.recovery(*_at(SOURCES["ALPHA_MINE"], HOSTS["AAA_PORT"], LIGHT_HEAVY))[0]
    # expertise 0.5: 1 - 0.1 x 0.5 = 0.95; leaching 0.9
    assert monazite == pytest.approx([0.9 * 0.9 * 0.95, 0.9 * 0.95 * 0.95, 0.9 * 0.9 * 0.95])
    supported = economics.book.recovery(*_at(SOURCES["ALPHA_MINE"], HOSTS["AAA_PORT"], LIGHT_HEAVY + 1))[0]
    # Japanese support brings expertise up to 0.85: 1 - 0.1 x 0.15 = 0.985
    assert supported[NDPR] == pytest.approx(0.9 * 0.95 * 0.985)


def test_recovery_is_never_above_one_and_light_lines_separate_no_heavies() -> None:
    economics = _economics(know_how={0: {"recovery_multiplier": 2}})
    assert economics.book.recovery(*_at(1, 1, LIGHT_HEAVY))[0].tolist() == [1, 1, 1]
    assert economics.book.recovery(*_at(1, 1, LIGHT))[0].tolist() == [1, 1, 0]


def test_recovery_without_a_row_is_nothing() -> None:
    economics = _economics(recoveries={4: {"feed_type": "brine"}})
    assert economics.book.recovery(*_at(1, 1, LIGHT_HEAVY))[0, NDPR] == 0


def test_concentrate_of_a_light_plant_earns_a_share_of_its_heavies() -> None:
    economics = _economics({"heavy_concentrate_payability": 0.65})
    earned = economics.concentrate(*_at(SOURCES["CHINA_CLAY"], HOSTS["BBB_PORT"], LIGHT, 0))
    # 0.1 of the feed is Dy at 300; leaching 1; expertise 0.9: 1 - 0.1 x 0.1 = 0.99
    assert earned == pytest.approx([0.65 * 0.1 * 300 * 0.99])
    leached = economics.concentrate(*_at(SOURCES["ALPHA_MINE"], HOSTS["AAA_PORT"], LIGHT + 1, 0))
    assert leached == pytest.approx([0.65 * 0.05 * 0.9 * 300 * 0.985])
    assert economics.concentrate(*_at(SOURCES["CHINA_CLAY"], HOSTS["BBB_PORT"], LIGHT_HEAVY, 0)).tolist() == [0]


def test_processing_adds_the_discharge_addon_where_brine_is_barred() -> None:
    economics = _economics()
    # BBB bars brine: (2 + 1.5) x 0.05 + (15 + 5) x 5/1000 + (20 + 10) x 20/1000 + 5.5 + 0.6 + 1.3 = 8.275; 1 + 0.1 x 0.1
    assert economics.processing(*_at(SOURCES["CHINA_CLAY"], HOSTS["BBB_PORT"], 0)) == pytest.approx([8.275 * 1.01])
    # AAA permits it: 2 x 0.1 + 15 x 10/1000 + 20 x 5/1000 + 2.5 + 0.3 + 0.3 = 3.55; 1 + 0.1 x 0.5
    assert economics.processing(*_at(SOURCES["CHINA_CLAY"], HOSTS["AAA_PORT"], 0)) == pytest.approx([3.55 * 1.05])
    # monazite has no add-on
    assert economics.processing(*_at(SOURCES["ALPHA_MINE"], HOSTS["BBB_PORT"], 0)) == pytest.approx([(0.15 + 0.15 + 0.6 + 5) * 1.01])


def test_equipment_is_an_annuity_with_the_addon_and_the_site() -> None:
    economics = _economics(hosts={1: {"cost_of_capital": 0.1}})
    # (5 + 20) x 1 x 1 x (1 + 0.2 x 0.1) x 0.1627453949
    assert economics.equipment(*_at(SOURCES["CHINA_CLAY"], HOSTS["BBB_PORT"], 0)) == pytest.approx([25 * 1.02 * 0.1627453949], rel=1e-9)
    assert economics.equipment(*_at(SOURCES["CHINA_CLAY"], HOSTS["AAA_PORT"], 0)) == pytest.approx([5 * 0.9 * 1.1 * economics.annuity[0]])


def test_capital_cost_carries_site_way_and_lack_of_expertise() -> None:
    economics = _economics()
    assert economics.capex(*_at(HOSTS["AAA_PORT"], 0, 0)) == pytest.approx([300 * 0.9 * (1 + 0.2 * 0.5)])
    assert economics.capex(*_at(HOSTS["AAA_PORT"], 0, 1)) == pytest.approx([300 * 0.9 * 1.02 * (1 + 0.2 * 0.15)])


def test_radioactive_feed_pays_double_sea_feeder_and_handling() -> None:
    economics = _economics()
    # 100 km x 0.1 + 2 x (70 + 3 x 1 + 40) + 100 + 5 km x 0.1 = 336.5 USD/t of half oxide
    assert economics.freight_in[SOURCES["ALPHA_MINE"], HOSTS["BBB_PORT"]] == pytest.approx(0.673)
    # from the port that it leaves by, no sea leg: 10 + 100 + 1
    assert economics.freight_in[SOURCES["ALPHA_MINE"], HOSTS["AAA_PORT"]] == pytest.approx(0.222)
    # ordinary cargo: 400 km of rail x 0.05 + 70 + 3 x 2 + 1
    assert economics.freight_in[SOURCES["CHINA_CLAY"], HOSTS["AAA_PORT"]] == pytest.approx(0.194)


def test_freight_out_is_insured_unless_the_leg_is_stated() -> None:
    economics = _economics()
    # BBB to Houston: (0.5 + 1.3 x (70 + 15 + 40) + 10) / 1000 + 0.003 x 300
    assert economics.freight_out(*_at(HOSTS["BBB_PORT"], USA, DY, 0)) == pytest.approx([0.173 + 0.9])
    stated = [{"leg": "product", "origin": "BBB_PORT", "destination": "USA", "cost": 0.4}]
    assert Economics(Book(tiny_tables(route_costs=stated))).freight_out(*_at(HOSTS["BBB_PORT"], USA, DY, 0)).tolist() == [0.4]


def test_routes_do_not_exist_without_a_distance_or_with_a_blank_cost() -> None:
    stated = [{"leg": "feed", "origin": "CHINA_CLAY", "destination": "AAA_PORT", "cost": None}]
    economics = Economics(Book(tiny_tables(route_costs=stated, distances=RECORDS["distances"][:1])))
    assert np.isnan(economics.freight_in).tolist() == [[False, False], [True, True]]
    assert np.isnan(economics.freight_out(*_at(HOSTS["AAA_PORT"], JPN, CE, 0))).all()


def test_distance_follows_the_route_basis_in_both_directions() -> None:
    changes = {1: {"suez_open": 1000}}
    # Shanghai - Alpha: 400 x 0.05 + 70 + 3 + 1
    assert _economics({"route_basis": "suez_open"}, distances=changes).freight_in[1, 0] == pytest.approx(0.188)
    turned = {1: {"from_port": "Alpha", "to_port": "Shanghai"}}
    assert _economics(distances=turned).freight_in[1, 0] == pytest.approx(0.194)


def _duty(rows: list[dict], product: int = CE, origin: str = "BBB", destination: str = "USA", year: int = 0, stage: str = "oxide") -> float:
    economics = Economics(Book(tiny_tables(duties=rows)))
    codes = [economics.countries.get_loc(country) for country in (origin, destination)]
    return float(economics.duty(*_at(STAGES.index(stage), product, *codes, year), np.array([200.0]))[0])


ANY_CE = {"measure": "general", "stage": "oxide", "product": "Ce", "origin": "*", "destination": "*", "rate": 4}


def test_duty_takes_the_most_specific_row_of_a_measure_and_adds_measures() -> None:
    to_usa = {"measure": "general", "stage": "oxide", "origin": "*", "destination": "USA", "rate": 5}
    from_bbb = {"measure": "general", "stage": "oxide", "origin": "BBB", "destination": "*", "rate": 6}
    surcharge = {"measure": "surcharge", "stage": "oxide", "origin": "BBB", "destination": "USA", "rate": 10}
    assert _duty([to_usa]) == pytest.approx(10)
    # product before origin before destination, whatever the order of the rows
    assert _duty([ANY_CE, from_bbb, to_usa]) == pytest.approx(8)
    assert _duty([from_bbb, to_usa, ANY_CE]) == pytest.approx(8)
    assert _duty([from_bbb, to_usa]) == pytest.approx(12)
    assert _duty([to_usa, from_bbb, {**to_usa, "product": "Dy", "rate": 50}], product=CE) == pytest.approx(12)
    assert _duty([to_usa, from_bbb, surcharge]) == pytest.approx(12 + 20)


def test_duty_needs_stage_year_and_a_border() -> None:
    assert _duty([ANY_CE], stage="carbonate") == 0
    assert _duty([ANY_CE], origin="USA") == 0
    assert _duty([{**ANY_CE, "from_year": 2031}]) == 0
    assert _duty([{**ANY_CE, "from_year": 2031}], year=1) == pytest.approx(8)
    assert _duty([{**ANY_CE, "to_year": 2030}], year=1) == 0


def test_a_specific_row_of_rate_zero_replaces_the_general_one() -> None:
    assert _duty([ANY_CE, {**ANY_CE, "origin": "BBB", "rate": 0}]) == 0


def test_duty_is_laid_on_the_stated_customs_value() -> None:
    surcharge = {"measure": "surcharge", "stage": "oxide", "origin": "*", "destination": "*", "rate": 10}
    assert _duty([{**ANY_CE, "customs_value": 50}, surcharge]) == pytest.approx(0.04 * 50 + 0.1 * 200)


def test_feed_and_bought_oxide_pay_duty_on_their_own_price() -> None:
    economics = _economics()
    # carbonate CHN to BBB 2 % of 0.4 x (0.5 x 2 + 0.4 x 100 + 0.1 x 300) = 28.4; AAA has no row
    assert economics.duty_in(*_at(SOURCES["CHINA_CLAY"], HOSTS["BBB_PORT"], 0)) == pytest.approx([0.568])
    assert economics.duty_in(*_at(SOURCES["CHINA_CLAY"], HOSTS["AAA_PORT"], 0)).tolist() == [0]
    # Ce to the US 5.5 %, from AAA free
    assert economics.duty_out(*_at(HOSTS["BBB_PORT"], CE, USA, 0)) == pytest.approx([0.11])
    assert economics.duty_out(*_at(HOSTS["AAA_PORT"], CE, USA, 0)).tolist() == [0]
    assert economics.purchase_duty(*_at(0, CE, USA, 0)) == pytest.approx([0.11])


def test_bought_oxide_costs_its_share_of_the_price_or_the_floor() -> None:
    economics = _economics()
    assert economics.offer_price[:, 0].tolist() == pytest.approx([2, 100, 300, 110])
    dear = {"product": "NdPr", "item": "market", 2030: 100, 2031: 120, 2032: 120}
    assert _economics(prices={2: dear}).offer_price[3].tolist() == pytest.approx([110, 126, 126])


def test_a_kg_short_costs_a_sum_and_a_multiple_of_the_price() -> None:
    assert _economics().shortage_cost[:, DY, 0].tolist() == pytest.approx([100 + 3000, 50 + 1200, 2 + 900])


@pytest.mark.parametrize(
    ("build_years", "on_line", "expected"),
    [
        (2, 2030, {2028: 0.5, 2029: 0.5}),
        (1.5, 2030, {2028: 1 / 3, 2029: 2 / 3}),
        (2.25, 2031, {2028: 1 / 9, 2029: 4 / 9, 2030: 4 / 9}),
        (0.25, 2030, {2029: 1.0}),
        (0, 2030, {2030: 1.0}),
    ],
)
def test_capital_is_spent_evenly_over_construction(build_years: float, on_line: int, expected: dict[int, float]) -> None:
    calendar = np.arange(2026, 2034)
    assert spend_shares(build_years, on_line, calendar) == pytest.approx([expected.get(year, 0) for year in calendar])


def test_partners_pay_their_equity_of_what_foreigners_may_own_and_all_at_home() -> None:
    economics = _economics(hosts={1: {"country": "JPN", "foreign_share_limit": 0.3}})
    assert economics.partner_share == pytest.approx(np.array([[0.6 * 0.49, 0.6], [0.4 * 0.49, 0.4]]))


def test_stock_to_hold_counts_days_of_all_sectors_from_its_year() -> None:
    # 60 / 365 x 120 t from 2031
    assert _economics().book.stock_needed[0] == pytest.approx([0, 19.7260274, 19.7260274])
    assert _economics(stockpiles={0: {"from_year": None}}).book.stock_needed[0, 0] == pytest.approx(19.7260274)
