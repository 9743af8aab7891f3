"""Pyomo model -> plain arrays: what the solver sees, picklable and shareable between solves."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
import scipy.sparse
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler, _LinearStandardFormCompiler_impl

# the classes that Pyomo's compiler makes, named here instead of being looked up through its import hooks
_LinearStandardFormCompiler_impl._to_vector = np.fromiter
_LinearStandardFormCompiler_impl._csc_matrix = scipy.sparse.csc_array
_LinearStandardFormCompiler_impl._csr_matrix = scipy.sparse.csr_array

Name = tuple[str, object]
"""Name of a Pyomo component and the index of one member of it."""

Vector = npt.NDArray[np.float64]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cyclic garbage collector: rescanning millions of live expression nodes costs more than building them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass(frozen=True)
class Row:
    """A row to add to a matrix: lower <= coefficients x columns <= upper."""

    columns: npt.NDArray[np.int_]
    coefficients: Vector
    lower: float
    upper: float


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

    def with_bounds(self, lower: Vector, upper: Vector) -> Matrix:
        """Return the same matrix with other column bounds."""
        return replace(self, lower=lower, upper=upper)

    def with_rows(self, rows: Sequence[Row]) -> Matrix:
        """Return the matrix with rows added at its end, named ("added", number)."""
        if not rows:
            return self
        starts = np.concatenate([[0], np.cumsum([row.columns.size for row in rows])])
        data = np.concatenate([row.coefficients for row in rows])
        added = scipy.sparse.csr_array((data, np.concatenate([row.columns for row in rows]), starts), shape=(len(rows), len(self.cost)))
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
        Columns and rows in Pyomo's declaration order; variables that appear nowhere are left out.
    """
    with collector_paused():
        return _compiled(model)


def _compiled(model: pyo.ConcreteModel) -> Matrix:
    form = LinearStandardFormCompiler().write(model, mixed_form=True)
    rhs = np.asarray(form.rhs, dtype=float)
    sense = np.array([row.bound_type for row in form.rows], dtype=int)
    # mixed form marks a row -1 for >=, 0 for =, 1 for <=
    row_lower = np.where(sense <= 0, rhs, -np.inf)
    row_upper = np.where(sense >= 0, rhs, np.inf)
    bounds = [variable.bounds for variable in form.columns]
    return Matrix(
        cost=np.asarray(form.c.todense(), dtype=float).reshape(-1) if form.c.shape[0] else np.zeros(len(form.columns)),
        offset=float(np.sum(form.c_offset)),
        a=form.A,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=np.array([-np.inf if low is None else low for low, _ in bounds], dtype=float),
        upper=np.array([np.inf if high is None else high for _, high in bounds], dtype=float),
        integer=np.array([variable.is_integer() for variable in form.columns], dtype=bool),
        columns=tuple((variable.parent_component().local_name, variable.index()) for variable in form.columns),
        rows=tuple((row.constraint.parent_component().local_name, row.constraint.index()) for row in form.rows),
    )
