"""What the search makes of a matrix before it starts: rows of one column become bounds, missing sides become finite.

HiGHS stops a dual simplex above a cutoff only where it can prove the cost, and a column or row without a
side makes the proof infinitely weak as soon as rounding turns the sign of its dual.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from model.matrix import Matrix, Row, Vector

MOST_ROUNDS = 40
"""Sides are handed on from year to year, one year a round."""

ROUNDING = 1e-6
"""As the solver takes a number for whole."""

TOO_FAR = 1e7
"""A side further out proves nothing within double precision."""


def without_single_rows(matrix: Matrix) -> Matrix:
    """Return the matrix with the same points and no row that holds a single column: its sides are the column's, whole for a whole-number one.

    Sides that contradict each other stay rows, for the solver to find. HiGHS has called matrices impossible over a bound of 0.65 for a build.
    """
    by_row = matrix.a.tocsr()
    by_row.eliminate_zeros()
    single = np.flatnonzero(np.diff(by_row.indptr) == 1)
    column, weight = by_row.indices[by_row.indptr[single]], by_row.data[by_row.indptr[single]]
    low, high = matrix.row_lower[single] / weight, matrix.row_upper[single] / weight
    low, high = np.where(weight > 0, low, high), np.where(weight > 0, high, low)
    lower, upper = matrix.lower.astype(float), matrix.upper.astype(float)
    np.maximum.at(lower, column, low)
    np.minimum.at(upper, column, high)
    whole = matrix.integer
    lower[whole], upper[whole] = np.ceil(lower[whole] - ROUNDING), np.floor(upper[whole] + ROUNDING)
    clash = lower > upper
    lower[clash], upper[clash] = matrix.lower[clash], matrix.upper[clash]
    kept = np.ones(len(matrix.row_lower), dtype=bool)
    kept[single[~clash[column]]] = False
    return replace(
        matrix, a=by_row[kept].tocsc(), row_lower=matrix.row_lower[kept], row_upper=matrix.row_upper[kept], lower=lower, upper=upper,
        rows=tuple(matrix.rows[row] for row in np.flatnonzero(kept)),
    )  # fmt: skip


def with_finite_sides(matrix: Matrix) -> Matrix:
    """Return the matrix with the same points and a finite side wherever its rows imply one.

    Parameters
    ----------
    matrix
        Any; sides that it states stay as they are.
    """
    by_row = matrix.a.tocsr()
    parts = by_row.maximum(0), by_row.minimum(0)
    entry = by_row.tocoo()
    row, column, weight = entry.row, entry.col, entry.data
    lower, upper = matrix.lower.astype(float), matrix.upper.astype(float)
    for _ in range(MOST_ROUNDS):
        endless = (np.isinf(lower) | np.isinf(upper))[column]
        row, column, weight = row[endless], column[endless], weight[endless]
        if not row.size:
            break
        filled_lower, filled_upper = lower.copy(), upper.copy()
        least, most = _Sums(parts, lower, upper, -1.0), _Sums(parts, upper, lower, 1.0)
        # row_lower <= own term + rest <= row_upper: the own term is at most row_upper less the least of the rest
        term_most = matrix.row_upper[row] - least.without(row, np.where(weight > 0, lower[column], upper[column]), weight)
        term_least = matrix.row_lower[row] - most.without(row, np.where(weight > 0, upper[column], lower[column]), weight)
        above, below = np.where(weight > 0, term_most, term_least) / weight, np.where(weight > 0, term_least, term_most) / weight
        implied_upper, implied_lower = np.full(lower.size, np.inf), np.full(lower.size, -np.inf)
        np.minimum.at(implied_upper, column, above)
        np.maximum.at(implied_lower, column, below)
        # only missing sides are filled: tightening those that are there would move the program's corners
        fill = np.isposinf(upper) & (implied_upper < TOO_FAR)
        filled_upper[fill] = implied_upper[fill]
        drop = np.isneginf(lower) & (implied_lower > -TOO_FAR)
        filled_lower[drop] = implied_lower[drop]
        if not fill.any() and not drop.any():
            break
        lower, upper = filled_lower, filled_upper
    row_least, row_most = _Sums(parts, lower, upper, -1.0).total(), _Sums(parts, upper, lower, 1.0).total()
    return replace(
        matrix,
        lower=np.where(np.isneginf(matrix.lower), _outwards(lower, -1.0), matrix.lower),
        upper=np.where(np.isposinf(matrix.upper), _outwards(upper, 1.0), matrix.upper),
        row_lower=np.where(np.isneginf(matrix.row_lower) & (row_least > -TOO_FAR), _outwards(row_least, -1.0), matrix.row_lower),
        row_upper=np.where(np.isposinf(matrix.row_upper) & (row_most < TOO_FAR), _outwards(row_most, 1.0), matrix.row_upper),
    )


def reach_of(row: Row, lower: Vector, upper: Vector) -> tuple[float, float]:
    """Return sides of a row that no point within the bounds of the columns meets.

    Parameters
    ----------
    row
        To be added.
    lower, upper
        Of all columns of its matrix.
    """
    low, high = row.coefficients * lower[row.columns], row.coefficients * upper[row.columns]
    least, most = np.minimum(low, high).sum(keepdims=True), np.maximum(low, high).sum(keepdims=True)
    return float(_outwards(least, -1.0)[0]), float(_outwards(most, 1.0)[0])


def _outwards(side: Vector, sign: float) -> Vector:
    """Move a side away from the points that it bounds, so that it never binds."""
    return side + sign * (0.1 * np.abs(side) + 0.1)


class _Sums:
    """Rows added up with rising terms at one side of their columns and falling terms at the other; endless terms have one sign."""

    def __init__(self, parts: tuple[sp.csr_matrix, sp.csr_matrix], rising: Vector, falling: Vector, sign: float) -> None:
        self.sign = sign
        self.finite = sum(part @ np.where(np.isinf(side), 0.0, side) for part, side in zip(parts, (rising, falling), strict=True))
        self.endless = sum((part != 0) @ np.isinf(side).astype(float) for part, side in zip(parts, (rising, falling), strict=True))

    def total(self) -> Vector:
        return np.where(self.endless > 0, self.sign * np.inf, self.finite)

    def without(self, row: np.ndarray, side: Vector, weight: Vector) -> Vector:
        """Return for each entry the sum of its row less its own term."""
        own_endless = np.isinf(side)
        rest = self.finite[row] - np.where(own_endless, 0.0, side) * weight
        return np.where(self.endless[row] - own_endless > 0, self.sign * np.inf, rest)
