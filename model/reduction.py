"""A smaller matrix with the same points: columns that can only be zero leave, and the rows that held only them.

Once most builds are ruled out, whole lines, sites and years of flows can only be zero; a linear
program without them is solved several times faster.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from model.matrix import Matrix, Vector

Mask = npt.NDArray[np.bool_]
ROUNDING = 1e-7
"""As the solver takes a row for met."""


@dataclass(frozen=True)
class Reduction:
    """A reduced matrix and where its columns and rows stand in the matrix that it came from.

    Parameters
    ----------
    matrix
        The reduced matrix.
    columns, rows
        Positions in the larger matrix.
    width
        Columns of the larger matrix.
    """

    matrix: Matrix
    columns: npt.NDArray[np.intp]
    rows: npt.NDArray[np.intp]
    width: int

    def restore(self, values: Vector) -> Vector:
        """Return a point of the larger matrix."""
        whole = np.zeros(self.width)
        whole[self.columns] = values
        return whole


def columns_in_play(matrix: Matrix) -> Mask:
    """Mark the columns that some point within the bounds may hold above or below zero.

    A row that asks a sum of terms, none of which can be negative, to be at most zero makes all of them zero;
    likewise with signs turned. Such rows are followed until nothing more is found.
    """
    live = ~((matrix.lower == 0) & (matrix.upper == 0))
    signed = np.asarray(matrix.lower < 0)
    by_row = matrix.a.tocsr()
    positive, negative = (by_row > 0).astype(np.float64), (by_row < 0).astype(np.float64)
    held = by_row.astype(bool).astype(np.float64)
    at_most_zero, at_least_zero = matrix.row_upper == 0, matrix.row_lower == 0
    while True:
        weight = live.astype(np.float64)
        plus, minus, either = positive @ weight, negative @ weight, held @ (live & signed).astype(np.float64)
        rows = (either == 0) & ((at_most_zero & (minus == 0) & (plus > 0)) | (at_least_zero & (plus == 0) & (minus > 0)))
        if not rows.any():
            return live
        live = live & ~(held.T @ rows.astype(np.float64) > 0)


def reduce_matrix(matrix: Matrix) -> Reduction | None:
    """Return the matrix without what can only be zero; None where a row that is left empty cannot hold, or a column may not be zero.

    Parameters
    ----------
    matrix
        Columns to be ruled out have both bounds at zero.
    """
    live = columns_in_play(matrix)
    if (matrix.lower[~live] > ROUNDING).any() or (matrix.upper[~live] < -ROUNDING).any():
        return None
    by_row = matrix.a.tocsc()[:, live].tocsr()
    empty = np.diff(by_row.indptr) == 0
    if (matrix.row_lower[empty] > ROUNDING).any() or (matrix.row_upper[empty] < -ROUNDING).any():
        return None
    loose = np.isneginf(matrix.row_lower) & np.isposinf(matrix.row_upper)
    kept = ~empty & ~loose
    columns, rows = np.flatnonzero(live), np.flatnonzero(kept)
    reduced = replace(
        matrix, cost=matrix.cost[live], a=by_row[kept].tocsc(), row_lower=matrix.row_lower[kept], row_upper=matrix.row_upper[kept],
        lower=matrix.lower[live], upper=matrix.upper[live], integer=matrix.integer[live],
        columns=tuple(matrix.columns[column] for column in columns), rows=tuple(matrix.rows[row] for row in rows),
        implied=None if matrix.implied is None else matrix.implied.within(live),
    )  # fmt: skip
    return Reduction(reduced, columns, rows, len(live))
