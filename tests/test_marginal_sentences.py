"""What is said of changes with plants free, where neither the run's own plan nor a re-solve need be proven."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from model.outcome import Status
from model.planner import Plan, solve
from model.studies import find_study
from model.studies.marginal_resolves import Resolve
from model.studies.marginal_sentences import resolve_sentences
from model.studies.study import StudyContext
from model.tables import Tables
from tests import small

DEAR = (("B", "PLANT", "own", 2030),)
CHEAP = (("A", "PLANT", "own", 2030),)


def one_plant(most: int = 1) -> Tables:
    """Return a market of 1 kt that a plant at A serves for 30 MUSD, one at B for 50; a second plant saves nothing."""
    return small.book({"max_plants": most}, hosts=[small.host("A"), small.host("B", capex_factor=3)])


def stopped(tables: Tables, plants: tuple[tuple[str, str, str, int], ...], bound: float) -> Plan:
    """Return the plan with these plants as a search would that was stopped at this bound."""
    plan = solve(tables, small.EXACT, start=plants, held=True)
    return replace(plan, solution=replace(plan.solution, status=Status.LIMIT, bound=bound))


def limit(tables: Tables) -> Resolve:
    return Resolve("largest number of plants", "+1", math.nan, math.nan, lambda _: tables, on_plants=True)


def figure(as_built: float) -> Resolve:
    return Resolve("demand", "+10%", 1.0, as_built, lambda tables: tables)


def test_what_the_gap_of_the_plan_explains_is_not_laid_to_a_limit():
    tables = one_plant()
    own = stopped(tables, DEAR, 30.0)
    assert (own.solution.objective, own.solution.gap) == (pytest.approx(50.0), pytest.approx(20.0))
    (sheet, *_) = find_study("marginal")(StudyContext(tables, own, small.EXACT, 1, lambda _: None))
    (line,) = [line for line in sheet.sentences if "max_plants" in line]
    assert "saves" not in line
    assert "what the limit costs is between 0.0 and 20.0 MUSD" in line
    (line,) = [line for line in sheet.sentences if line.startswith("demand")]
    # the plan at A costs 40 at 1.1 kt, 10 less than the plan at B did before and 20 less than that does then
    assert "the cost falls by 10.0 MUSD (-10.0 to +10.0 by the gaps of the solves)" in line
    assert "instead of rising by 10.0 with the plants as built" in line
    assert "the run's own plan is proven only to within 20.0 MUSD" in line
    assert "If that change is likely" not in line


def test_a_saving_above_the_gap_is_told_with_what_the_gaps_leave_open():
    two = solve(one_plant(2), small.EXACT)
    own = stopped(one_plant(), DEAR, 45.0)
    (line,) = resolve_sentences(own, [limit(one_plant(2))], [two])
    assert "saves 20.0 MUSD with A 1,000 t/y from 2030; that is what the limit costs, between 15.0 and 20.0 MUSD" in line
    unproven = stopped(one_plant(2), CHEAP, 27.0)
    (line,) = resolve_sentences(own, [limit(one_plant(2))], [unproven])
    assert "between 15.0 and 23.0 MUSD" in line


def test_a_limit_that_costs_nothing_or_nobody_knows_what():
    own, two = solve(one_plant(), small.EXACT), solve(one_plant(2), small.EXACT)
    assert resolve_sentences(own, [limit(one_plant(2))], [two]) == ["largest number of plants, +1: saves nothing; leave it."]
    boundless = stopped(one_plant(2), CHEAP, -math.inf)
    (line,) = resolve_sentences(own, [limit(one_plant(2))], [boundless])
    assert "what the limit costs is not known" in line
    (line,) = resolve_sentences(stopped(one_plant(), DEAR, 45.0), [limit(one_plant(2))], [boundless])
    assert "that is what the limit costs, at least 15.0 MUSD" in line


def test_other_plants_are_weighed_for_what_the_gap_does_not_explain():
    own = stopped(one_plant(), DEAR, 45.0)
    plan = solve(one_plant(), small.EXACT)
    (line,) = resolve_sentences(own, [figure(1.0)], [plan])
    assert "the cost falls by 20.0 MUSD (-20.0 to -15.0 by the gaps of the solves) instead of rising by 1.0" in line
    assert line.endswith("If that change is likely, weigh those plants now.")
    (line,) = resolve_sentences(own, [figure(math.nan)], [plan])
    assert "what it does with the plants as built is not known" in line
    assert "there is no plan" not in line
    (line,) = resolve_sentences(own, [figure(math.inf)], [plan])
    assert "with the plants as built there is no plan" in line


def test_plants_stay_only_by_proof():
    own = solve(one_plant(), small.EXACT)
    assert resolve_sentences(own, [figure(0.0)], [own]) == ["The plants stay when these move: demand."]
    unproven = stopped(one_plant(), CHEAP, 10.0)
    assert resolve_sentences(own, [figure(0.0)], [unproven]) == []
    failed = replace(own, verification=replace(own.verification, failures=["a rule is broken"]))
    assert resolve_sentences(own, [figure(0.0)], [failed]) == []


def test_plants_are_kept_only_by_proof():
    own = stopped(one_plant(), DEAR, 30.0)
    plan = solve(one_plant(), small.EXACT)
    (line,) = resolve_sentences(own, [figure(-20.0)], [plan])
    assert line.endswith("as with the plants as built: keep the plants.")
    (line,) = resolve_sentences(own, [figure(-20.0)], [stopped(one_plant(), CHEAP, 10.0)])
    assert line.endswith("as with the plants as built, as far as the search came.")
