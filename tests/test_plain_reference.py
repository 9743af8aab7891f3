"""The benchmarks' reference model has the same optimum as the planner's."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from model.formulation import build_model
from model.problem_builder import build_problem
from tests import small
from tests.benchmarks.plain import solve_plain
from tests.benchmarks.plain_model import build_plain_model
from tests.random_books import random_book, random_sheets
from tests.tiny import tiny_tables


def test_the_tiny_book_has_the_same_optimum():
    plain = solve_plain(build_problem(tiny_tables()), absolute_gap=1e-6, threads=1)
    assert plain.termination == "convergenceCriteriaSatisfied"
    assert plain.objective == pytest.approx(small.solve_book(tiny_tables()).outcome.objective, rel=1e-6)
    assert plain.bound == pytest.approx(plain.objective, rel=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_a_random_book_has_the_same_optimum(seed):
    """Policies of every kind bind in these books."""
    solved = small.solve_book(random_book(seed))
    plain = solve_plain(build_problem(random_book(seed)), absolute_gap=1e-6, threads=1)
    if solved.outcome.status.has_plan:
        assert plain.objective == pytest.approx(solved.outcome.objective, rel=1e-6)
    else:
        assert plain.termination in ("provenInfeasible", "infeasibleOrUnbounded")


@pytest.mark.parametrize("seed", range(20, 40))
def test_content_that_is_not_split_by_market_has_the_same_optimum(seed):
    """The reference tells apart what each market gets; without a cap on one market's share the planner does not."""
    sheets, settings = random_sheets(seed)
    draw = np.random.default_rng(seed).uniform
    host = str(sheets["hosts"][0]["host"])
    partner = [{**row, 2033: 1} if seed % 3 else {**row, **small.yearly(1)} for row in sheets["caps"] if row["scope"] == "partner"]
    sheets["caps"] = [
        *(row for row in sheets["caps"] if row["scope"] != "partner"), *partner,
        small.cap("supply", "value", "product", draw(0.1, 0.5), "Dy", name="DY"),
        small.cap("supply", "tonnes", "host", draw(0.1, 0.6), host, name="HOST"),
    ]  # fmt: skip
    tables = small.book(settings, **sheets)
    solved = small.solve_book(tables)
    plain = solve_plain(build_problem(tables), absolute_gap=1e-6, threads=1)
    if solved.outcome.status.has_plan:
        assert plain.objective == pytest.approx(solved.outcome.objective, rel=1e-6)
        small.assert_verified(solved)
    else:
        assert plain.termination in ("provenInfeasible", "infeasibleOrUnbounded")


IMPLIED_ROWS = {"deliver_link"}
"""A first writing does without rows that cut no plan."""


def constraints_with_rows(model: pyo.ConcreteModel) -> set[str]:
    return {constraint.parent_component().local_name for constraint in model.component_data_objects(pyo.Constraint)}


def test_the_reference_has_every_constraint():
    problems = [build_problem(tables) for tables in (tiny_tables(), *map(random_book, range(12)))]
    expected = set().union(*(constraints_with_rows(build_model(problem)) for problem in problems))
    # in the reference, which splits content by market in every year, china_balance and its links say this too
    expected -= {"china_out_minimum", *IMPLIED_ROWS}
    assert len(expected) > 25
    assert set().union(*(constraints_with_rows(build_plain_model(problem)) for problem in problems)) == expected
