"""The benchmarks' reference model has the same optimum as the planner's."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from model.formulation import build_model
from model.problem_builder import build_problem
from tests import small
from tests.benchmarks.plain import solve_plain
from tests.benchmarks.plain_model import build_plain_model
from tests.random_books import random_book
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


def constraints_with_rows(model: pyo.ConcreteModel) -> set[str]:
    return {constraint.parent_component().local_name for constraint in model.component_data_objects(pyo.Constraint)}


def test_the_reference_has_every_constraint():
    problems = [build_problem(tables) for tables in (tiny_tables(), *map(random_book, range(12)))]
    expected = set().union(*(constraints_with_rows(build_model(problem)) for problem in problems))
    assert len(expected) > 25
    assert set().union(*(constraints_with_rows(build_plain_model(problem)) for problem in problems)) == expected
