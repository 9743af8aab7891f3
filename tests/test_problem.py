"""Prices, years, recoveries, plants and policy of `formulation.md` worked by hand on small numbers.

Money is MUSD (per kt: the USD/kg of the book), tonnes are kt (the book's t / 1000).
"""

from __future__ import annotations

import pytest

from model.problem import Problem
from model.problem_sheets import modelled_years
from tests import small
from tests.small import only, problem_of

H = ("HOST", "PLANT", "own")
LINE = "light_heavy:own"
TWO_PRODUCTS = {
    "elements": [small.element("Nd", product="NdPr"), small.element("Pr", product="NdPr"), small.element("Pm", product=""),
                 small.element("Dy", circuit="heavy")],
    "prices": [*small.prices("NdPr", 100, 50), *small.prices("Dy", 300, -1)],
    "composition": [{"source_id": "MINE", "Nd": 0.4, "Pr": 0.1, "Pm": 0.3, "Dy": 0.2}],
    "recoveries": [small.recovery(product="NdPr", share=0.9), small.recovery(product="Dy", share=0.8)],
    "demand": [small.demand(product="NdPr"), small.demand(product="Dy")],
    "suppliers": [],
}  # fmt: skip


# --- years ------------------------------------------------------------------------------------------------


def test_all_years_are_modelled_by_default():
    assert modelled_years(small.book({"first_year": 2030, "last_year": 2032})) == (2030, 2031, 2032)


def test_listed_years_are_sorted():
    assert modelled_years(small.book({"last_year": 2035, "modelled_years": "2033, 2030"})) == (2030, 2033)


def test_years_represented_and_weights():
    problem = problem_of({"last_year": 2034, "modelled_years": "2030,2032", "discount_rate": 0.25})
    assert problem.years_represented == {2030: 2, 2032: 3}
    # 1 + 0.8; 0.64 + 0.512 + 0.4096
    assert problem.weight == pytest.approx({2030: 1.8, 2032: 1.5616})


# --- prices, baskets and feed -----------------------------------------------------------------------------


def test_prices():
    problem = problem_of(**TWO_PRODUCTS)
    assert problem.products == ("NdPr", "Dy")
    assert problem.price == {("NdPr", 2030): 100, ("Dy", 2030): 300}
    assert problem.surplus_price == {("NdPr", 2030): 50, ("Dy", 2030): -1}


def test_content_and_basket_leave_out_elements_without_a_market():
    problem = problem_of(**TWO_PRODUCTS)
    assert problem.content["MINE"] == pytest.approx({"NdPr": 0.5, "Dy": 0.2})
    # 0.5 x 100 + 0.2 x 300; the 0.3 of Pm count nothing
    assert problem.basket["MINE", 2030] == pytest.approx(110)


def test_feed_price_is_a_share_of_the_basket_of_the_year():
    sources = [small.source(payability=0.3, fixed_price=None)]
    prices = [{**small.prices("Nd", 100)[0], 2031: 200}, *small.prices("Nd")[1:]]
    problem = problem_of({"last_year": 2031, "modelled_years": "all"}, sources=sources, prices=prices)
    costs = problem.feed_cost["feed_purchase"]
    assert [costs["MINE", "HOST", LINE, y] for y in (2030, 2031)] == pytest.approx([30, 60])


def test_feed_price_is_fixed_where_there_is_no_payability():
    assert only(problem_of(sources=[small.source(fixed_price=12)]).feed_cost["feed_purchase"]) == 12


def test_available_follows_the_ramp_of_the_source():
    sources = [small.source(capacity=4000, uncommitted=0.5, first_year=2031, ramp_1=0.25, ramp_2=0.75)]
    problem = problem_of({"last_year": 2034, "modelled_years": "all"}, sources=sources)
    # 2 kt x nothing, 0.25, 0.75, 1, 1
    assert problem.available == pytest.approx({("MINE", 2031): 0.5, ("MINE", 2032): 1.5, ("MINE", 2033): 2, ("MINE", 2034): 2})


def test_available_ramps_by_calendar_years_where_modelled_years_have_gaps():
    sources = [small.source(capacity=1000, first_year=2030, ramp_1=0.25, ramp_2=0.75)]
    problem = problem_of({"last_year": 2033, "modelled_years": "2030,2032"}, sources=sources)
    assert problem.available == pytest.approx({("MINE", 2030): 0.25, ("MINE", 2032): 1})


def test_china_linked():
    assert problem_of(sources=[small.source(china_linked=0.3)]).china_linked == {"MINE": 0.3}


# --- recovery and concentrate -------------------------------------------------------------------------------


def _yields(leach: float = 0.8, heavies: str = "yes", **change: object) -> dict[str, float]:
    penalty = {"expertise_recovery_penalty": 0.5}
    problem = problem_of(
        penalty,
        **{**TWO_PRODUCTS, "processing": [small.processing(leach_recovery=leach)], "designs": [small.design(heavies=heavies)], **change},
    )
    return only_yields(problem)


def only_yields(problem: Problem) -> dict[str, float]:
    (yields,) = problem.yields.values()
    return yields


def test_recovery_multiplies_leaching_and_separation():
    # 0.5 x 0.8 x 0.9; 0.2 x 0.8 x 0.8
    assert _yields() == pytest.approx({"NdPr": 0.36, "Dy": 0.128})


def test_recovery_falls_with_missing_expertise():
    # expertise 0.6: 1 - 0.5 x 0.4 = 0.8
    assert _yields(hosts=[small.host(expertise=0.6)]) == pytest.approx({"NdPr": 0.36 * 0.8, "Dy": 0.128 * 0.8})


def test_know_how_raises_expertise_but_never_lowers_it():
    # up to 0.8: 1 - 0.5 x 0.2 = 0.9; a host of 0.9 keeps 0.9: 0.95
    ways = [small.way(expertise_up_to=0.8)]
    assert _yields(hosts=[small.host(expertise=0.6)], know_how=ways)["NdPr"] == pytest.approx(0.36 * 0.9)
    assert _yields(hosts=[small.host(expertise=0.9)], know_how=ways)["NdPr"] == pytest.approx(0.36 * 0.95)


def test_recovery_is_never_above_one():
    # NdPr 0.8 x 0.9 x 1.5 = 1.08; Dy 0.8 x 0.8 x 1.5 = 0.96
    assert _yields(know_how=[small.way(recovery_multiplier=1.5)]) == pytest.approx({"NdPr": 0.5, "Dy": 0.2 * 0.96})


def test_a_product_without_a_recovery_is_not_made():
    assert _yields(recoveries=[small.recovery(product="Dy")]) == pytest.approx({"Dy": 0.16})


def test_a_light_plant_makes_light_products_only():
    assert _yields(heavies="no") == pytest.approx({"NdPr": 0.36})


def _concentrate(**change: object) -> float:
    settings = {"heavy_concentrate_payability": 0.65, "expertise_recovery_penalty": 0.5}
    sheets = {"processing": [small.processing(leach_recovery=0.8)], "designs": [small.design(heavies="no")]}
    return only(problem_of(settings, **{**TWO_PRODUCTS, **sheets, **change}).feed_cost["concentrate_revenue"])


def test_a_light_plant_sells_the_heavies_as_concentrate():
    # 0.65 x 0.2 x 0.8 x 300, whatever their separation recovery
    assert _concentrate() == pytest.approx(-31.2)
    # expertise 0.6: x 0.8
    assert _concentrate(hosts=[small.host(expertise=0.6)]) == pytest.approx(-31.2 * 0.8)


def test_concentrate_holds_no_more_than_was_leached():
    assert _concentrate(know_how=[small.way(recovery_multiplier=1.5)]) == pytest.approx(-31.2)


def test_a_full_plant_sells_no_concentrate():
    assert _concentrate(designs=[small.design()]) == 0


# --- plants -------------------------------------------------------------------------------------------------


def test_capital_charge_is_an_annuity_at_the_real_cost_of_capital():
    # real rate 1.122 / 1.02 - 1 = 0.1; two years: 1.21 / 2.1; capex 100 x 0.9 x 1.1 x (1 + 0.3 x 0.5) = 113.85
    problem = problem_of(
        {"inflation": 0.02, "plant_life": 2, "expertise_capex_penalty": 0.3},
        hosts=[small.host(cost_of_capital=0.122, capex_factor=0.9, expertise=0.5)], know_how=[small.way(capex_multiplier=1.1)],
    )  # fmt: skip
    assert only(problem.capex) == pytest.approx(113.85)
    assert only(problem.build_cost["capital"]) == pytest.approx(113.85 * 1.21 / 2.1)


def test_fixed_cost_and_fixed_fee():
    # the host's factor alone on fixed cost; the fee as it is
    problem = problem_of(
        {"expertise_capex_penalty": 0.3}, hosts=[small.host(capex_factor=0.9, expertise=0.5)], designs=[small.design(fixed_cost=12)],
        know_how=[small.way(fixed_fee=1.5, capex_multiplier=1.1)],
    )  # fmt: skip
    assert only(problem.build_cost["fixed_operating"]) == pytest.approx(10.8)
    assert only(problem.build_cost["know_how_fee"]) == 1.5


def test_usable_capacity_ramps_by_age_and_expertise():
    # 2 kt; expertise 0.6: the first three years x (1 - 0.25 x 0.4) = 0.9, the fourth and later in full
    design = small.design(capacity=2000, ramp_1=0.5, ramp_2=0.6, ramp_3=0.8, ramp_4=0.95)
    problem = problem_of(
        {"last_year": 2034, "modelled_years": "all", "expertise_ramp_penalty": 0.25}, hosts=[small.host(expertise=0.6)], designs=[design]
    )
    first = [problem.usable[(*H, 2030), y] for y in range(2030, 2035)]
    assert first == pytest.approx([2 * 0.5 * 0.9, 2 * 0.6 * 0.9, 2 * 0.8 * 0.9, 1.9, 1.9])
    assert ((*H, 2031), 2030) not in problem.usable
    assert problem.usable[(*H, 2032), 2032] == pytest.approx(0.9)


def test_usable_capacity_counts_calendar_years_where_modelled_years_have_gaps():
    design = small.design(ramp_1=0.5, ramp_2=0.6, ramp_3=0.8, ramp_4=0.95)
    problem = problem_of({"last_year": 2033, "modelled_years": "2030,2032"}, designs=[design])
    assert problem.usable[(*H, 2030), 2032] == pytest.approx(0.8)


def test_minimum_use_holds_from_the_fourth_year_and_within_usable():
    designs = [small.design("PLANT", capacity=2000, minimum_use=0.3), small.design("SLOW", ramp_4=0.2, minimum_use=0.3)]
    problem = problem_of({"last_year": 2034, "modelled_years": "all"}, designs=designs)
    assert [y for y in range(2030, 2035) if ((*H, 2030), y) in problem.least_feed] == [2033, 2034]
    assert problem.least_feed[(*H, 2030), 2033] == pytest.approx(0.6)
    assert problem.least_feed[("HOST", "SLOW", "own", 2030), 2033] == pytest.approx(0.2)


def test_capital_is_spent_evenly_before_the_first_year():
    problem = problem_of(designs=[small.design(build_years=2.5)])
    assert problem.spend[*H, 2030] == pytest.approx({2027: 0.2, 2028: 0.4, 2029: 0.4})


# --- policy -----------------------------------------------------------------------------------------------------


def test_partner_share_is_bounded_by_the_hosts_foreign_share_limit():
    markets = [small.market("JPN", equity=0.6), small.market("USA", equity=0.4), small.market("EU", partner="no", equity=None)]
    hosts = [small.host(foreign_share_limit=0.5), small.host("TEXAS", country="USA", foreign_share_limit=0.5)]
    problem = problem_of(markets=markets, hosts=hosts)
    assert problem.partners == ("JPN", "USA")
    # at a site in a partner's own country both pay their equity in full
    assert problem.partner_share == pytest.approx(
        {("JPN", "HOST"): 0.3, ("USA", "HOST"): 0.2, ("JPN", "TEXAS"): 0.6, ("USA", "TEXAS"): 0.4}
    )


def test_budget_by_calendar_year_and_partner():
    markets = [{**small.market("JPN"), 2028: 50, 2030: 70}, {**small.market("EU", partner="no"), 2028: 5}]
    assert problem_of(markets=markets).budget == {("JPN", 2028): 50, ("JPN", 2030): 70}


def test_caps_on_every_product_become_one_a_product():
    problem = problem_of(**TWO_PRODUCTS, caps=[{**small.cap("supply", "tonnes", "every_product", 0.5), 2030: 0.4}])
    assert [(cap.cap, cap.member, cap.limit) for cap in problem.caps] == [("CAP", "NdPr", {2030: 0.4}), ("CAP", "Dy", {2030: 0.4})]


def test_a_cap_without_a_figure_in_a_modelled_year_is_none():
    assert problem_of(caps=[{**small.cap("supply", "tonnes", "all", 0.5), 2030: None}]).caps == ()


def test_rules_with_a_figure_are_in_kt_or_shares():
    rules = [small.rule("feed_ceiling", 500), small.rule("export_share", 0.4, from_year=2031, product="Nd")]
    ceiling, share = problem_of(host_rules=rules).rules
    assert ceiling.value == pytest.approx(0.5)
    assert (share.value, share.product) == (0.4, "Nd")
    assert [share.holds(y) for y in (2030, 2031, 2099)] == [False, True, True]
