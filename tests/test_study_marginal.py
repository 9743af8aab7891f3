"""Marginal values on books solved by eye, and against changed tables solved again."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from model.formulation import build_model
from model.matrix import compile_model
from model.planner import Plan, solve
from model.problem_builder import build_problem
from model.ranging import FixedPlan
from model.studies import find_study
from model.studies.marginal_probes import CAP, OFFTAKE, RULE, list_probes
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
    """With the plants as built, changed right-hand sides cost what changed tables cost; shares of output are of first order."""
    tables = random_book(seed)
    plan = solve(tables, small.EXACT)
    fixed = fixed_plan(plan, tables)
    assert fixed.objective == pytest.approx(plan.solution.objective)
    kinds = set()
    for probe in list_probes(plan, fixed.matrix):
        if probe.edit is None or probe.kind == OFFTAKE or (probe.kind == RULE and "share" in probe.words):
            continue
        for step in (-0.05, 0.05):
            added = fixed.added_cost(probe.relative.scaled(step))
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
    # a cap moves coefficients, every other figure right-hand sides only, and in those the cost is convex
    convex, straight = told[~told.index.str.startswith("cap ")], top[~top["kind"].isin([CAP])]
    assert (convex["as_built"] >= convex["by_value"] - 1e-5).all()
    assert (straight["more"] >= -straight["less"] - 1e-5).all()
