"""A matrix parted into blocks that only its linking columns tie together: here one block a year.

Once it is known which plants stand and what is in stock, the years of a plan have nothing to do with
each other. What links them - builds, plants on line by country, stocks - is few columns; the flows are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from model.matrix import Matrix, Row, Vector

CARRIED = frozenset({"stock", "stock_drawn", "capacity_on_line", "host_open"})
"""Continuous columns of more than one year, or of the plants alone."""

FEWEST_BLOCKS, LARGEST_SHARE = 3, 0.5
"""Parting pays where there are so many blocks and none holds more of the columns."""

Positions = npt.NDArray[np.intp]
Table = npt.NDArray[np.float64]
"""Of two dimensions."""


@dataclass(frozen=True)
class Block:
    """The rows and columns of one part, and the linking columns as it sees them.

    Parameters
    ----------
    matrix
        The own columns first, then one column a group.
    columns, rows
        Positions of the own columns and the rows in the whole matrix.
    groups
        Linking columns that look the same from here, as positions in the whole matrix: only their sum counts.
    """

    matrix: Matrix
    columns: Positions
    rows: Positions
    groups: tuple[Positions, ...]

    @property
    def group_columns(self) -> Positions:
        """Positions of the group columns in the block's own matrix."""
        return np.arange(self.columns.size, self.columns.size + len(self.groups))

    def bound_from(self, multipliers: Vector) -> tuple[float, Vector]:
        """Return (constant, slopes) of a bound on the block's cost that is linear in its groups.

        By weak duality it holds for any multipliers, so that no rounding of the solver can make it too high.

        Parameters
        ----------
        multipliers
            One a row of the block.
        """
        constants, slopes = self.bounds_from(multipliers[None])
        return float(constants[0]), slopes[0]

    def bounds_from(self, multipliers: Table) -> tuple[Vector, Table]:
        """Return (constants, slopes) of the bounds that several sets of multipliers give, one a row of each; see :meth:`bound_from`."""
        matrix, own = self.matrix, self.columns.size
        endless = ((multipliers > 0) & np.isinf(matrix.row_lower)) | ((multipliers < 0) & np.isinf(matrix.row_upper))
        multipliers = np.where(endless, 0.0, multipliers)
        weighed = (matrix.a.T @ multipliers.T).T
        reduced = matrix.cost[:own] - weighed[:, :own]
        sides = np.where(multipliers > 0, matrix.row_lower, np.where(multipliers < 0, matrix.row_upper, 0.0))
        constants = (multipliers * sides).sum(axis=1) + least_sum(reduced, matrix.lower[:own], matrix.upper[:own])
        return constants, -weighed[:, own:]

    @cached_property
    def place_of(self) -> dict[int, int]:
        """Position in the block's own matrix of every column of the whole that it sees; members of a group share theirs."""
        places = {int(column): place for place, column in enumerate(self.columns)}
        for place, members in zip(self.group_columns.tolist(), self.groups, strict=True):
            places.update(dict.fromkeys(members.tolist(), place))
        return places

    def inside(self, row: Row) -> Row | None:
        """Return a row of the whole matrix as one of the block's own; None where it holds other columns, or the members of a group differ in it."""
        weights: dict[int, float] = {}
        times: dict[int, int] = {}
        for column, weight in zip(row.columns.tolist(), row.coefficients.tolist(), strict=True):
            place = self.place_of.get(column)
            if place is None or weights.setdefault(place, weight) != weight:
                return None
            times[place] = times.get(place, 0) + 1
        own = self.columns.size
        if any(place >= own and count != self.groups[place - own].size for place, count in times.items()):
            return None
        return Row(np.fromiter(weights, dtype=np.intp), np.fromiter(weights.values(), dtype=float), row.lower, row.upper)

    def outside(self, row: Row) -> Row:
        """Return the own columns of a row of the block's own matrix, in positions of the whole."""
        own = row.columns < self.columns.size
        return Row(self.columns[row.columns[own]], row.coefficients[own], row.lower, row.upper)

    def with_rows(self, rows: Sequence[Row]) -> Block:
        """Return the block with rows of its own matrix added at the end."""
        return replace(self, matrix=self.matrix.with_rows(rows)) if rows else self

    @cached_property
    def without_costs(self) -> Block:
        """The block with nothing to pay: what multipliers then prove above zero cannot be."""
        return replace(self, matrix=replace(self.matrix, cost=np.zeros_like(self.matrix.cost)))


def least_sum(weights: Table, lower: Vector, upper: Vector) -> Vector:
    """Return for each row of weights the least that weights · x can come to within bounds; no weight counts 0 even where there is no bound."""
    sides = np.where(weights > 0, lower, np.where(weights < 0, upper, 0.0))
    return (weights * sides).sum(axis=1)


@dataclass(frozen=True)
class Decomposition:
    """A matrix as blocks and what ties them.

    Parameters
    ----------
    matrix
        The whole.
    linking
        Positions of the linking columns.
    rows
        Positions of the rows that hold linking columns only.
    blocks
        Those that the linking columns reach.
    loose
        Columns and rows that nothing ties to any plant: their cost is a constant.
    """

    matrix: Matrix
    linking: Positions
    rows: Positions
    blocks: tuple[Block, ...]
    loose: Block

    @property
    def column_block(self) -> npt.NDArray[np.intp]:
        """For each column of the whole matrix the number of its block; -1 for linking columns, -2 for loose ones."""
        found = np.full(len(self.matrix.cost), -1, dtype=np.intp)
        found[self.loose.columns] = -2
        for number, block in enumerate(self.blocks):
            found[block.columns] = number
        return found


def part(matrix: Matrix) -> Decomposition | None:
    """Part a matrix into blocks; None where too few come apart for it to pay.

    Parameters
    ----------
    matrix
        Whole-number columns and those named in :data:`CARRIED` link; what else hangs together is a block.
    """
    link = matrix.integer | np.fromiter((name[0] in CARRIED for name in matrix.columns), dtype=bool, count=len(matrix.columns))
    linking, own = np.flatnonzero(link), np.flatnonzero(~link)
    by_row = matrix.a.tocsr()
    by_row.eliminate_zeros()
    inner = by_row[:, own]
    held = np.diff(inner.indptr) > 0
    graph = sp.block_array([[None, inner], [inner.T, None]], format="csr")
    from scipy.sparse.csgraph import connected_components  # brings all of scipy.linalg: only a search needs it

    labels = connected_components(graph, directed=False)[1]
    row_label, column_label = labels[: len(held)], labels[len(held) :]
    outer = by_row[:, linking]
    tied = np.unique(row_label[held & (np.diff(outer.indptr) > 0)])
    if tied.size < FEWEST_BLOCKS:
        return None
    blocks = []
    for label in tied:
        blocks.append(_block(matrix, by_row, own[column_label == label], np.flatnonzero((row_label == label) & held), linking))
    if max(block.columns.size for block in blocks) > LARGEST_SHARE * own.size:
        return None
    free = ~np.isin(column_label, tied)
    loose = _block(matrix, by_row, own[free], np.flatnonzero(held & ~np.isin(row_label, tied)), linking)
    return Decomposition(matrix, linking, np.flatnonzero(~held), tuple(blocks), loose)


def _block(matrix: Matrix, by_row: sp.csr_array, columns: Positions, rows: Positions, linking: Positions) -> Block:
    sub = by_row[rows]
    outer = sub[:, linking].tocsc()
    alike: dict[tuple[bytes, bytes], list[int]] = {}
    for place in np.flatnonzero(np.diff(outer.indptr)):
        cells = slice(outer.indptr[place], outer.indptr[place + 1])
        alike.setdefault((outer.indices[cells].tobytes(), outer.data[cells].tobytes()), []).append(linking[place])
    groups = tuple(np.array(members, dtype=np.intp) for members in alike.values())
    shown = np.concatenate([columns, np.array([members[0] for members in groups], dtype=np.intp)])
    lower = np.concatenate([matrix.lower[columns], [matrix.lower[members].sum() for members in groups]])
    upper = np.concatenate([matrix.upper[columns], [matrix.upper[members].sum() for members in groups]])
    names = tuple(matrix.columns[column] for column in columns) + tuple(("group", number) for number in range(len(groups)))
    return Block(
        replace(
            matrix, cost=np.concatenate([matrix.cost[columns], np.zeros(len(groups))]), offset=0.0, a=sub[:, shown].tocsc(),
            row_lower=matrix.row_lower[rows], row_upper=matrix.row_upper[rows], lower=lower, upper=upper,
            integer=np.zeros(shown.size, dtype=bool), columns=names, rows=tuple(matrix.rows[row] for row in rows),
            implied=None,
        ),
        columns, rows, groups,
    )  # fmt: skip
