"""Marginal values on books solved by eye, and against changed tables solved again."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from model.formulation import build_model
from model.matrix import compile_model
from model.planner import Plan, solve
from model.problem_builder import build_problem
from model.ranging import Change, FixedPlan, Worth
from model.studies import find_study
from model.studies.marginal_prices import Priced, find_slopes
from model.studies.marginal_probes import CAP, DEMAND, list_probes
from model.studies.marginal_words import read_aloud
from model.studies.study import StudyContext, StudySheet
from model.tables import Tables
from tests import small
from tests.random_books import random_book


def study(tables: Tables) -> dict[str, StudySheet]:
    plan = solve(tables, small.EXACT)
    return {sheet.name: sheet for sheet in find_study("marginal")(StudyContext(tables, plan, small.EXACT, 1, lambda _: None))}


def figures(tables: Tables) -> tuple[pd.DataFrame, pd.DataFrame, StudySheet]:
    sheet = study(tables)["marginal"]
    return sheet.tables[0][2].set_index("figure"), sheet.tables[1][2].set_index("figure"), sheet


def plant_book(**sheets: list[small.Row]) -> Tables:
    """Return a market of 1.5 kt: 1 kt from a plant of that size (10 a year, feed at 20), the rest bought at 100 MUSD/kt."""
    return small.book(**{"demand": [small.demand(1500)], **sheets})


def test_values_of_a_full_plant_and_of_what_is_bought_beside_it():
    top, _, _ = figures(plant_book())
    assert top.loc["demand for Nd in JPN", "value"] == pytest.approx(100.0)
    # a kt more of capacity saves oxide at 100 for feed at 20, until all 1.5 kt are made
    plant = top.loc["usable capacity at HOST (light_heavy:own)"]
    assert plant["value"] == pytest.approx(-80.0)
    assert (plant["holds_down"], plant["holds_up"]) == (pytest.approx(-1.0), pytest.approx(0.5))
    assert (
        "saves 80,000 USD a year; a tonne of this plant costs 10,000 USD a year in capital and fixed cost: build larger."
        in plant["reading"]
    )
    assert top.loc["demand for Nd in JPN", "more"] == pytest.approx(15.0)
    assert top.loc["demand for Nd in JPN", "less"] == pytest.approx(-15.0)


def just_met() -> Tables:
    """Return a market of 1 kt: 1 kt on offer at 50, the next at 150 MUSD/kt; no plant."""
    offers = [small.supplier("CHEAP", tonnes=1000, price_share=0.5), small.supplier("DEAR", price_share=1.5)]
    return small.book(suppliers=offers, hosts=[small.host(candidate="no")])


def test_where_an_offer_is_just_met_one_more_tonne_costs_the_next_offer():
    top, again, sheet = figures(just_met())
    row = top.loc["demand for Nd in JPN"]
    assert (row["one_more"], row["one_less"]) == (pytest.approx(150.0), pytest.approx(-50.0))
    assert row["value"] in (pytest.approx(150.0), pytest.approx(50.0)), "what one more costs on one side or the other"
    assert "costs 150,000 USD, one tonne less saves 50,000 USD." in row["reading"]
    assert any("150,000" in line for line in sheet.headlines)
    assert again.loc["demand for Nd in JPN", "by_value"] == pytest.approx(15.0) == again.loc["demand for Nd in JPN", "as_built"]
    offer = top.loc["Nd offered by CHEAP"]
    assert (offer["one_more"], offer["one_less"]) == (pytest.approx(0.0), pytest.approx(100.0))
    assert offer["reading"].startswith("One tonne less of Nd offered by CHEAP costs 100,000 USD, one more changes nothing")
    year = study(just_met())["marginal_years"].tables[0][2].set_index("kind").loc["demand"]
    assert (year["one_more"], year["one_less"], year["figure"]) == pytest.approx((150.0, -50.0, 1000.0))
    assert year["figure"] in (pytest.approx(year["from"]), pytest.approx(year["to"]))


def test_a_plant_as_large_as_demand_is_not_to_be_larger():
    top, _, _ = figures(small.book())
    plant = top.loc["usable capacity at HOST (light_heavy:own)"]
    assert (plant["more"], plant["less"]) == (pytest.approx(0.0), pytest.approx(8.0))
    assert (plant["one_more"], plant["one_less"]) == (pytest.approx(0.0), pytest.approx(80.0))
    assert plant["reading"].startswith("One tonne less of usable capacity at HOST (light_heavy:own) costs 80,000 USD a year")
    assert "larger does not pay" in plant["reading"]
    # a tonne less saves its feed at 20, a tonne more is bought at 100
    demand = top.loc["demand for Nd in JPN"]
    assert (demand["one_more"], demand["one_less"]) == (pytest.approx(100.0), pytest.approx(-20.0))


@pytest.mark.parametrize("tables", [just_met(), small.book(), plant_book()])
def test_one_more_and_one_less_are_what_changed_tables_cost(tables):
    plan = solve(tables, small.EXACT)
    fixed = fixed_plan(plan, tables)
    top, _, _ = figures(tables)
    for probe in list_probes(plan, fixed.matrix):
        if probe.edit is None or probe.words not in top.index:
            continue
        kt = sum(probe.figure.values())  # one year, not discounted
        for column, step in (("one_more", 0.01), ("one_less", -0.01)):
            added = fixed_plan(plan, probe.edit(tables, 1 + step)).objective - fixed.objective
            assert top.loc[probe.words, column] * abs(step) * kt == pytest.approx(added, abs=1e-6), (probe.item, column)


def test_a_value_that_holds_neither_way_is_left_blank(monkeypatch):
    monkeypatch.setattr(FixedPlan, "added_cost", lambda _, change: math.nan)
    rises = Change(rows={("demand_balance", ("JPN", "Nd", 2030)): 1.0})
    plan = solve(just_met(), small.EXACT)
    fixed = fixed_plan(plan, just_met())
    monkeypatch.setattr(FixedPlan, "worth", lambda _, change: Worth(70.0, 0.0, 0.0))
    slopes, low, high = find_slopes(fixed, rises, rises.scaled(-1.0), 0.01, (math.inf, math.inf))
    assert all(math.isnan(each) for each in (slopes.value, slopes.more, slopes.less))
    assert (low, high) == (0.0, 0.0)
    probe = next(probe for probe in list_probes(plan, fixed.matrix) if probe.kind == DEMAND)
    assert "70" not in read_aloud(Priced(probe, slopes, slopes, low, high), plan)


def test_with_free_plants_a_second_one_is_built():
    designs = [small.design(), small.design("LARGER", capacity=1100, capex=150)]
    tables = small.book(designs=designs, demand=[small.demand(1050)])
    top, again, sheet = figures(tables)
    # the plant of 1 kt costs 10 + 20 + 5 bought; at 1.155 kt as built 10 + 20 + 15.5, with the larger one 15 + 22 + 5.5
    assert top.loc["demand for Nd in JPN", "more"] == pytest.approx(10.5)
    row = again.loc["demand for Nd in JPN"]
    assert (row["by_value"], row["as_built"], row["free"]) == (pytest.approx(10.5), pytest.approx(10.5), pytest.approx(7.5))
    assert row["same_plants"] == "no"
    assert any("instead of 10.5 with the plants as built" in line for line in sheet.sentences)


def test_sign_and_range_of_a_cap():
    # half may be Chinese at 40, the rest costs 100: a point more saves 0.6
    offers = [small.supplier("CHINA", price_share=0.4, china_linked=1), small.supplier("CLEAN")]
    tables = small.book(suppliers=offers, hosts=[small.host(candidate="no")], caps=[small.cap("supply", "tonnes", "every_product", 0.5)])
    top, again, _ = figures(tables)
    row = top.loc["cap CAP Nd"]
    assert (row["value"], row["unit"]) == (pytest.approx(-0.6), "MUSD/point")
    assert (row["less"], row["more"]) == (pytest.approx(3.0), pytest.approx(-3.0))
    assert (again.loc["cap CAP Nd", "change"], again.loc["cap CAP Nd", "free"]) == ("-10%", pytest.approx(3.0))


def capped(*limits: float, **change: object) -> Tables:
    """Return a market of 1 kt in 2030 and 2031: Chinese oxide at 40, clean at 100, the Chinese share capped year by year."""
    offers = [small.supplier("CHINA", price_share=0.4, china_linked=1), small.supplier("CLEAN")]
    row = small.cap("supply", "tonnes", "all", 1.0) | dict(zip((2030, 2031), limits, strict=True))
    return small.book(small.TWO_YEARS, suppliers=offers, hosts=[small.host(candidate="no")], caps=[row], **change)


def test_a_cap_of_none_in_one_year_counts():
    sheets = study(capped(0.5, 0.0))
    row = sheets["marginal"].tables[0][2].set_index("figure").loc["cap CAP"]
    # a point saves 0.6 in either year; one less is possible only in the first
    assert (row["value"], row["one_more"], row["one_less"]) == pytest.approx((-1.2, -1.2, 0.6))
    assert "in every year, saves 1.20 MUSD, one point less (down to 0 at most) costs 0.60 MUSD" in row["reading"]
    assert (row["less"], row["more"]) == (pytest.approx(3.0), pytest.approx(-3.0 - 6.0))
    years = sheets["marginal_years"].tables[0][2].query("kind == 'cap'").set_index("year")
    assert years["one_more"].tolist() == pytest.approx([-0.6, -0.6])
    assert (years.loc[2031, "figure"], years.loc[2031, "from"], years.loc[2031, "to"]) == pytest.approx((0.0, 0.0, 100.0))
    assert math.isnan(years.loc[2031, "one_less"])


def test_a_cap_of_none_in_every_year_counts_and_is_raised():
    sheet = study(capped(0.0, 0.0))["marginal"]
    row = sheet.tables[0][2].set_index("figure").loc["cap CAP"]
    assert row["one_more"] == pytest.approx(-1.2)
    assert math.isnan(row["one_less"])
    assert math.isnan(row["less"])
    assert "saves 1.20 MUSD; that is the price of the policy." in row["reading"]
    again = sheet.tables[1][2].set_index("figure").loc["cap CAP"]
    assert (again["change"], again["as_built"], again["free"]) == ("+10 percentage points", pytest.approx(-12.0), pytest.approx(-12.0))


@pytest.mark.parametrize("limits", [(0.5, 0.0), (0.0, 0.0), (1.0, 0.0)])
@pytest.mark.parametrize("scope", ["all", "every_product"])
def test_a_cap_of_none_moves_the_model_as_the_tables(limits, scope):
    tables = capped(*limits)
    tables = tables.with_frames(caps=tables["caps"].assign(scope=scope))
    plan = solve(tables, small.EXACT)
    fixed = fixed_plan(plan, tables)
    (probe,) = [probe for probe in list_probes(plan, fixed.matrix) if probe.kind == CAP]
    for step in (-0.05, 0.05):
        changed = fixed_plan(plan, probe.edit(tables, 1 + step)).objective - fixed.objective
        assert fixed.added_cost(probe.moved(step)) == pytest.approx(changed, abs=1e-6)
        assert fixed.value(probe.moved(step)) == pytest.approx(changed, abs=1e-6)  # linear as far as that


def test_a_limit_on_plants_is_loosened_and_solved_again():
    tables = small.book({"max_plants": 1}, hosts=[small.host("A"), small.host("B")], demand=[small.demand(2000)])
    _, again, sheet = figures(tables)
    # a second plant makes the other kt for 30 instead of 100
    assert again.loc["largest number of plants (max_plants)", "free"] == pytest.approx(-70.0)
    assert any("saves 70.0 MUSD" in line and "that is what the limit costs" in line for line in sheet.sentences)


def test_a_forced_plant_and_a_tight_budget_are_priced():
    forced = figures(small.book(host_rules=[small.rule("force_plant", 1000)], designs=[small.design(capex=2000)]))[1]
    assert forced.loc["rule force_plant at HOST (force_plant)", "free"] == pytest.approx(-120.0)
    budget = [small.market("JPN") | {2029: 100}]
    tight = figures(
        small.book(markets=budget, designs=[small.design(), small.design("TWO", capacity=2000, capex=109)], demand=[small.demand(2000)])
    )[1]
    assert tight.loc["capex budget of JPN", "free"] == pytest.approx(10.9 + 40 - (10 + 20 + 100))


def test_a_contract_for_all_that_is_offered_is_not_raised():
    offers = [small.supplier("FIRM", tonnes=500, price_share=1.2, least_take=1), small.supplier("SPOT")]
    top, again, _ = figures(small.book(suppliers=offers, hosts=[small.host(candidate="no")]))
    assert top.loc["Nd that must be bought from FIRM", "more"] == math.inf
    assert "Nd that must be bought from FIRM" not in again.index
    assert again.loc["Nd offered by FIRM", "free"] == pytest.approx(1.0)


def test_years_are_listed_with_their_own_money_and_range():
    settings = {"last_year": 2031, "modelled_years": "2030,2031", "discount_rate": 0.25}
    tables = small.book(settings, suppliers=[small.supplier(tonnes=1200)], hosts=[small.host(candidate="no")])
    rows = study(tables)["marginal_years"].tables[0][2].set_index(["kind", "year"])
    for year in (2030, 2031):
        row = rows.loc[("demand", year)]
        assert (row["figure"], row["value"], row["from"], row["to"]) == pytest.approx((1000.0, 100.0, 0.0, 1200.0))


def test_no_kind_crowds_out_the_others():
    demand = [small.demand(100, where="JPN", who=name) for name in ("a", "b")]
    sectors = [small.sector(name) for name in ("a", "b")]
    tables = plant_book(demand=[*demand, small.demand(1300)], sectors=[*sectors, small.sector()]).with_settings(marginal_rows=2.0)
    top, _, _ = figures(tables)
    assert top["kind"].tolist() == ["demand", "plant"]


def books() -> list[int]:
    return [seed for seed in range(14) if small.solve_book(random_book(seed)).outcome.status.has_plan][:7]


def fixed_plan(plan: Plan, tables: Tables) -> FixedPlan:
    builds = set(plan.solution.tables["builds"].itertuples(index=False, name=None))
    return FixedPlan(compile_model(build_model(build_problem(tables))), builds, small.EXACT)


@pytest.mark.parametrize("seed", books())
def test_a_probe_moves_the_model_as_its_edit_moves_the_tables(seed):
    """With the plants as built, what a probe moves costs what changed tables cost."""
    tables = random_book(seed)
    plan = solve(tables, small.EXACT)
    fixed = fixed_plan(plan, tables)
    assert fixed.objective == pytest.approx(plan.solution.objective)
    kinds = set()
    for probe in list_probes(plan, fixed.matrix):
        if probe.edit is None:
            continue
        for step in (-0.05, 0.05):
            added = fixed.added_cost(probe.moved(step))
            try:
                changed = fixed_plan(plan, probe.edit(tables, 1 + step)).objective - fixed.objective
            except ValueError:
                changed = math.inf
            assert added == pytest.approx(changed, abs=1e-5), (probe.kind, probe.item, step)
        kinds.add(probe.kind)
    assert {"demand", "supplier", "source", CAP} <= kinds


@pytest.mark.parametrize("seed", books())
def test_free_plants_cost_no_more_than_those_as_built(seed):
    top, again, _ = figures(random_book(seed))
    told = again[again["verdict"] == "passed"].dropna(subset=["as_built"])
    assert (told["free"] <= told["as_built"] + 1e-5).all()
    # shares move coefficients, every other figure right-hand sides only, and in those the cost is convex
    shares = top.index[top["unit"] == "MUSD/point"]
    convex, straight = told[~told.index.isin(shares)], top[~top.index.isin(shares)]
    assert (convex["as_built"] >= convex["by_value"] - 1e-5).all()
    assert (straight["more"] >= -straight["less"] - 1e-5).all()
