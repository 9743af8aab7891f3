"""Rows that every whole plan satisfies, found where a point of the relaxation does not: capacity covers, and implied rows of the model itself.

A book of plain facility location has a row for each plant and market (`deliver_link`). All of them
make a linear program that takes minutes; the few per cent that bind say as much.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.covers import CapacityCovers
from model.matrix import ImpliedRows, Matrix, Row, Vector
from model.problem import Problem

IMPLIED = frozenset({"deliver_link"})
"""Constraints that whole plants imply: without them the model has the same plans."""

MANY = 5000
"""Rows from which they are stated on demand."""

MOST_ROWS = 1000
"""Of them stated at a time: those whose distance from the point is largest."""

VIOLATION = 1e-6
"""kt; ten times what the solver takes for met."""


def with_rows_on_demand(matrix: Matrix) -> Matrix:
    """Return the matrix with its implied rows set aside, where there are many; unchanged where there are few.

    Parameters
    ----------
    matrix
        As compiled.
    """
    implied = np.fromiter((name[0] in IMPLIED for name in matrix.rows), dtype=bool, count=len(matrix.rows)) & np.isneginf(matrix.row_lower)
    if implied.sum() < MANY:
        return matrix
    by_row, kept = matrix.a.tocsr(), ~implied
    return replace(
        matrix, a=by_row[kept].tocsc(), row_lower=matrix.row_lower[kept], row_upper=matrix.row_upper[kept],
        rows=tuple(matrix.rows[row] for row in np.flatnonzero(kept)), implied=ImpliedRows(by_row[implied], matrix.row_upper[implied]),
    )  # fmt: skip


class Separator:
    """Finds rows that a point of the relaxation violates and no plan does.

    Parameters
    ----------
    problem
        For the figures of the covers.
    matrix
        Whose columns the rows refer to.
    """

    def __init__(self, problem: Problem, matrix: Matrix) -> None:
        self.covers = CapacityCovers(problem, matrix)
        self.implied = matrix.implied

    def violated(self, values: Vector) -> list[Row]:
        """Return the rows that a point violates.

        Parameters
        ----------
        values
            One entry a column of the matrix.
        """
        rows = self.covers.violated(values)
        return rows if self.implied is None else [*rows, *_violated(self.implied, values)]


def _violated(implied: ImpliedRows, values: Vector) -> list[Row]:
    excess = implied.a @ values - implied.upper
    broken = np.flatnonzero(excess > VIOLATION)
    distance = excess[broken] / implied.norms[broken]
    a, chosen = implied.a, broken[np.argsort(-distance, kind="stable")[:MOST_ROWS]]
    cells = [slice(a.indptr[row], a.indptr[row + 1]) for row in chosen.tolist()]
    sides = implied.upper[chosen].tolist()
    return [Row(a.indices[own].astype(np.intp), a.data[own], -np.inf, side) for own, side in zip(cells, sides, strict=True)]
