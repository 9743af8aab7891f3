"""Pyomo model -> arrays: sides, bounds, names and what is left out."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from model.matrix import compile_model
from tests import small


@pytest.fixture
def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.pick = pyo.Var(["a", "b"], domain=pyo.Binary)
    m.flow = pyo.Var(bounds=(None, 7))
    m.unused = pyo.Var()
    m.equal = pyo.Constraint(expr=2 * m.pick["a"] + m.flow == 3)
    m.most = pyo.Constraint(expr=m.flow - m.pick["b"] <= 5)
    m.least = pyo.Constraint(expr=m.flow >= -4)
    m.total = pyo.Objective(expr=3 * m.flow + m.pick["a"] + 10)
    return m


def test_rows_have_the_sides_of_their_constraints(model):
    matrix = compile_model(model)
    sides = {name: (low, high) for (name, _), low, high in zip(matrix.rows, matrix.row_lower, matrix.row_upper, strict=True)}
    assert sides == {"equal": (3, 3), "most": (-np.inf, 5), "least": (-4, np.inf)}


def test_columns_have_bounds_kinds_and_costs(model):
    matrix = compile_model(model)
    at = {name: position for position, name in enumerate(matrix.columns)}
    assert set(at) == {("pick", "a"), ("pick", "b"), ("flow", None)}, "a variable that appears nowhere is left out"
    flow = at["flow", None]
    assert (matrix.lower[flow], matrix.upper[flow], matrix.integer[flow], matrix.cost[flow]) == (-np.inf, 7, False, 3)
    pick = at["pick", "a"]
    assert (matrix.lower[pick], matrix.upper[pick], matrix.integer[pick], matrix.cost[pick]) == (0, 1, True, 1)
    assert matrix.offset == 10


def test_coefficients_stand_where_names_say(model):
    matrix = compile_model(model)
    row, column = [name for name, _ in matrix.rows].index("equal"), matrix.columns.index(("pick", "a"))
    assert matrix.a[row, column] == 2


def test_other_bounds_leave_the_rest_alone(model):
    matrix = compile_model(model)
    other = matrix.with_bounds(matrix.lower, np.minimum(matrix.upper, 0))
    assert other.upper.max() == 0
    assert matrix.upper.max() == 7
    assert other.a is matrix.a


def test_coefficient_range(model):
    assert compile_model(model).coefficient_range() == (1, 2)
    empty = pyo.ConcreteModel()
    empty.total = pyo.Objective(expr=0.0)
    assert compile_model(empty).coefficient_range() == (0, 0)


def test_coefficients_of_a_book_are_of_moderate_size():
    # kt and MUSD keep rows within what the solver's tolerances can tell apart
    _, matrix = small.matrix_of(small.book(caps=[small.cap("supply", "value", "all", 0.5)], stockpiles=[small.stockpile(days=10)]))
    low, high = matrix.coefficient_range()
    assert low >= 1e-3
    assert high <= 1e4
