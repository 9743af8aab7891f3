"""Pyomo model -> plain arrays: what the solver sees, picklable and shareable between solves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyomo.core as pyo
import scipy.sparse
from pyomo.repn import generate_standard_repn

from model.collector import collector_paused
from model.rows import LinearSum

Name = tuple[str, object]
"""Name of a Pyomo component and the index of one member of it."""

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A row to add to a matrix: lower <= coefficients x columns <= upper."""

    columns: npt.NDArray[np.int_]
    coefficients: Vector
    lower: float
    upper: float


def flattened(rows: Sequence[Row]) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_], Vector]:
    """Return where each row starts, with the end of the last one, and the columns and coefficients of all rows one after the other."""
    starts = np.concatenate([[0], np.cumsum([row.columns.size for row in rows])])
    return starts, np.concatenate([row.columns for row in rows]), np.concatenate([row.coefficients for row in rows])


@dataclass(frozen=True)
class ImpliedRows:
    """Rows a·x ≤ upper that hold at every whole point, set aside to be stated where they are needed.

    Parameters
    ----------
    a
        Rows by columns of the matrix, compressed by row.
    upper
        One entry a row.
    """

    a: scipy.sparse.csr_array
    upper: Vector

    @cached_property
    def norms(self) -> Vector:
        """Euclidean length of each row."""
        return np.sqrt(self.a.multiply(self.a).sum(axis=1))

    def within(self, columns: npt.NDArray[np.bool_]) -> ImpliedRows:
        """Return the rows of a matrix that keeps some of the columns, the others being zero.

        Rows that then always hold leave; no column is negative.
        """
        a = self.a[:, np.flatnonzero(columns)]
        a.eliminate_zeros()
        can_bind = ((a > 0).sum(axis=1) > 0) | (self.upper < 0)
        return ImpliedRows(a[np.flatnonzero(can_bind)], self.upper[can_bind])


@dataclass(frozen=True)
class Matrix:
    """min cost·x + offset, row_lower ≤ A·x ≤ row_upper, lower ≤ x ≤ upper, some x whole.

    Parameters
    ----------
    cost, lower, upper, integer
        One entry a column.
    a
        Rows by columns, compressed by column.
    row_lower, row_upper
        One entry a row; infinite where there is no side.
    columns, rows
        (component, index) of each column and row.
    implied
        Further rows, which no whole point violates; None where there are none.
    """

    cost: Vector
    offset: float
    a: scipy.sparse.csc_array
    row_lower: Vector
    row_upper: Vector
    lower: Vector
    upper: Vector
    integer: npt.NDArray[np.bool_]
    columns: tuple[Name, ...]
    rows: tuple[Name, ...]
    implied: ImpliedRows | None = None

    def with_bounds(self, lower: Vector, upper: Vector) -> Matrix:
        """Return the same matrix with other column bounds."""
        return replace(self, lower=lower, upper=upper)

    def with_rows(self, rows: Sequence[Row]) -> Matrix:
        """Return the matrix with rows added at its end, named ("added", number)."""
        if not rows:
            return self
        starts, columns, data = flattened(rows)
        added = scipy.sparse.csr_array((data, columns, starts), shape=(len(rows), len(self.cost)))
        return replace(
            self,
            a=scipy.sparse.vstack([self.a, added]).tocsc(),
            row_lower=np.concatenate([self.row_lower, [row.lower for row in rows]]),
            row_upper=np.concatenate([self.row_upper, [row.upper for row in rows]]),
            rows=(*self.rows, *(("added", number) for number in range(len(rows)))),
        )

    def relaxed(self) -> Matrix:
        """Return the matrix with no whole-number columns."""
        return replace(self, integer=np.zeros_like(self.integer))

    def coefficient_range(self) -> tuple[float, float]:
        """Return the smallest and the largest absolute coefficient; (0, 0) if there is none."""
        values = np.abs(self.a.data[self.a.data != 0])
        return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)


def compile_model(model: pyo.ConcreteModel) -> Matrix:
    """Compile a Pyomo model into arrays.

    Parameters
    ----------
    model
        A linear model with one active objective to be minimised.

    Returns
    -------
    Matrix
        Columns variable by variable in the order in which the objective and then the rows meet them, rows in Pyomo's
        declaration order; members that appear nowhere and rows without any are left out.

    Raises
    ------
    ValueError
        A row or the objective is not linear or holds a variable of another model, a variable is fixed, or a row without
        variables cannot be satisfied.
    """
    with collector_paused():
        return _compiled(model)


def _compiled(model: pyo.ConcreteModel) -> Matrix:
    (objective,) = model.component_data_objects(pyo.Objective, active=True)
    total, offset = _linear_form(objective.expr)
    rows, sums, sides = _rows(model)
    components = list(model.component_objects(pyo.Var))
    members = [member for component in components for member in component.values()]
    if any(member.fixed for member in members):
        raise ValueError("the model has a fixed variable: give it two equal bounds instead")
    names = [(component.local_name, index) for component in components for index in component]
    row, number, data = _terms([total, *sums], members)
    used = _in_use(number, [len(component) for component in components])
    place = np.empty(len(members), dtype=np.int32)
    place[used] = np.arange(len(used))
    column, costs = place[number], np.searchsorted(row, 1)
    bounds = [members[number].bounds for number in used]
    return Matrix(
        cost=np.bincount(column[:costs], weights=data[:costs], minlength=len(used)).astype(float),
        offset=float(offset),
        a=scipy.sparse.csc_array((data[costs:], (row[costs:] - 1, column[costs:])), shape=(len(rows), len(used))),
        row_lower=np.array([low for low, _ in sides], dtype=float),
        row_upper=np.array([high for _, high in sides], dtype=float),
        lower=np.array([-np.inf if low is None else low for low, _ in bounds], dtype=float),
        upper=np.array([np.inf if high is None else high for _, high in bounds], dtype=float),
        integer=np.array([members[number].is_integer() for number in used], dtype=bool),
        columns=tuple(names[number] for number in used),
        rows=tuple(rows),
    )


def _rows(model: pyo.ConcreteModel) -> tuple[list[Name], list[LinearSum], list[tuple[float, float]]]:
    """Return the name, the terms and the two sides of every row that holds a variable."""
    names, sums, sides = [], [], []
    for component in model.component_objects(pyo.Constraint, active=True):
        name = component.local_name
        for index, row in component.items(pyo.SortComponents.ORDERED_INDICES):
            if not row.active:
                continue
            low, body, high = row.to_bounded_expression(evaluate_bounds=True)
            form, constant = _linear_form(body)
            side = (-np.inf if low is None else low - constant, np.inf if high is None else high - constant)
            if any(form.coefficients):
                names.append((name, index))
                sums.append(form)
                sides.append(side)
            elif not side[0] <= 0.0 <= side[1]:
                raise ValueError(f"{row.name} holds no variable and cannot be satisfied")
    return names, sums, sides


def _linear_form(body: object) -> tuple[LinearSum, float]:
    """Return an expression as its terms and its constant."""
    if type(body) is LinearSum:
        return body, 0.0
    form = generate_standard_repn(body, quadratic=False)
    if not form.is_linear():
        raise ValueError(f"{body} is not linear")
    return LinearSum(list(form.linear_coefs), list(form.linear_vars)), form.constant


def _terms(sums: Sequence[LinearSum], members: Sequence[object]) -> tuple[npt.NDArray, npt.NDArray, Vector]:
    """Return every term of the sums that is not 0: number of the sum, number of the variable, coefficient."""
    own = np.fromiter(map(id, members), dtype=np.int64, count=len(members))
    held = np.fromiter(map(id, chain.from_iterable(form.variables for form in sums)), dtype=np.int64)
    # a search in the sorted identities takes half the time of as many look-ups in a dictionary
    order = np.argsort(own)
    number = order[np.minimum(np.searchsorted(own, held, sorter=order), len(own) - 1)] if held.size else np.zeros(0, dtype=int)
    if not np.array_equal(own[number], held):
        raise ValueError("a row or the objective holds a variable of another model")
    data = np.fromiter(chain.from_iterable(form.coefficients for form in sums), dtype=float)
    row = np.repeat(np.arange(len(sums), dtype=np.int32), [len(form.coefficients) for form in sums])
    return row[data != 0.0], number[data != 0.0], data[data != 0.0]


def _in_use(numbers: npt.NDArray, sizes: Sequence[int]) -> npt.NDArray:
    """Return the numbers that occur: component by component as these are met, the members of each as declared."""
    component_of = np.repeat(np.arange(len(sizes), dtype=np.int16), sizes)
    met, first = np.unique(component_of[numbers], return_index=True)
    rank = np.zeros(len(sizes), dtype=int)
    rank[met[np.argsort(first)]] = np.arange(len(met))
    used = np.flatnonzero(np.bincount(numbers, minlength=len(component_of)))
    return used[np.argsort(rank[component_of[used]], kind="stable")]
