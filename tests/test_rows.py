"""Sums of coefficient x variable: the arithmetic of Pyomo's own expressions, and the matrix of Pyomo's own compiler."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.core.expr import clone_expression
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from model.formulation import build_model
from model.goal import LEAST_COST, Goal, ShortageLimit
from model.matrix import compile_model
from model.problem_builder import build_problem
from model.rows import LinearSum, each, joined, linear
from tests.random_books import random_book


@pytest.fixture
def m() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2, 3], initialize={1: 10.0, 2: 100.0, 3: 1000.0})
    return m


def test_parts_are_scaled_together_and_kept_as_they_were(m):
    part = linear([(2.0, m.x[1]), (3.0, m.x[2])])
    whole = joined(part, each(1.0, [m.x[3]]), scale=0.5)
    assert pyo.value(whole) == 1.0 * 10 + 1.5 * 100 + 0.5 * 1000
    assert pyo.value(part) == 2.0 * 10 + 3.0 * 100


def test_pyomo_can_print_copy_and_add_to_a_sum(m):
    part = linear([(2.0, m.x[1]), (3.0, m.x[2])])
    assert str(part) == "2.0*x[1] + 3.0*x[2]"
    assert pyo.value(clone_expression(part)) == 320
    assert pyo.value(part + m.x[3] + 1) == 1321
    assert pyo.value(-2 * part + part) == -320
    assert pyo.value(part - part) == 0
    assert pyo.value(LinearSum()) == 0


def test_terms_of_one_variable_add_up(m):
    m.twice = pyo.Constraint(expr=linear([(2.0, m.x[1]), (3.0, m.x[1]), (0.0, m.x[2])]) <= 5)
    m.total = pyo.Objective(expr=linear([(1.0, m.x[1]), (1.5, m.x[1]), (1.0, m.x[3])]))
    matrix = compile_model(m)
    assert matrix.columns == (("x", 1), ("x", 3)), "a coefficient of 0 is no place to appear in"
    assert matrix.a.toarray().tolist() == [[5.0, 0.0]]
    assert matrix.cost.tolist() == [2.5, 1.0]


def test_a_row_without_variables_is_left_out_or_refused(m):
    m.total = pyo.Objective(expr=linear([(1.0, m.x[1])]))
    m.idle = pyo.Constraint(expr=linear([(0.0, m.x[1])]) <= 5)
    assert compile_model(m).rows == ()
    m.never = pyo.Constraint(expr=linear([(0.0, m.x[1])]) >= 5)
    with pytest.raises(ValueError, match="never"):
        compile_model(m)


def test_what_is_not_linear_is_refused(m):
    m.total = pyo.Objective(expr=m.x[1] * m.x[2])
    with pytest.raises(ValueError, match="not linear"):
        compile_model(m)


def test_a_fixed_variable_is_refused(m):
    m.total = pyo.Objective(expr=linear([(1.0, m.x[1])]))
    m.x[1].fix(2.0)
    with pytest.raises(ValueError, match="fixed"):
        compile_model(m)


def test_a_variable_of_another_model_is_refused(m):
    m.total = pyo.Objective(expr=linear([(1.0, m.x[1])]))
    other = pyo.ConcreteModel()
    other.y = pyo.Var([1, 2])
    m.row = pyo.Constraint(expr=linear([(1.0, other.y[1]), (1.0, m.x[1])]) <= 5)
    with pytest.raises(ValueError, match="another model"):
        compile_model(m)


@pytest.mark.parametrize("goal", [LEAST_COST, Goal("any"), Goal(shortage_limits=(ShortageLimit(("magnets",), 1.0),), cost_budget=1e6)])
@pytest.mark.parametrize("seed", range(4))
def test_the_matrix_is_that_of_pyomos_compiler(seed, goal):
    model = build_model(build_problem(random_book(seed)), goal)
    ours, theirs = compile_model(model), LinearStandardFormCompiler().write(model, mixed_form=True)
    assert ours.columns == tuple((column.parent_component().local_name, column.index()) for column in theirs.columns)
    assert ours.rows == tuple((row.constraint.parent_component().local_name, row.constraint.index()) for row in theirs.rows)
    assert (ours.a != theirs.A).nnz == 0
    assert ours.cost.tolist() == np.asarray(theirs.c.todense()).reshape(-1).tolist()
    sides = [
        {0: (side, side), 1: (-np.inf, side), -1: (side, np.inf)}[row.bound_type] for row, side in zip(theirs.rows, theirs.rhs, strict=True)
    ]
    assert list(zip(ours.row_lower.tolist(), ours.row_upper.tolist(), strict=True)) == sides
