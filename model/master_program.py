"""The master of a parted program: the linking columns, a column for the cost of each block, and the cuts that bound those costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from model.branching import WHOLE
from model.decomposition import Block, Decomposition
from model.linear_program import BASIC, NO_LIMIT, Basis, LinearProgram, LpState, StopSignal
from model.matrix import Matrix, Row, Vector
from model.outcome import SolveOptions

IDLE_SOLVES, MOST_CUTS = 30, 300
"""Cuts that bound nothing for so many solves are forgotten once there are more than the second number."""

SLOPE = 1e-9
"""A smaller change of a block's cost per plant, MUSD, is none."""


class MasterProgram:
    """A linear program of what links the blocks; rows that come and go have names that stay.

    Parameters
    ----------
    parts
        The parted matrix.
    options, stop
        As for :class:`LinearProgram`.
    """

    def __init__(self, parts: Decomposition, options: SolveOptions, stop: StopSignal) -> None:
        self.parts = parts
        self.width = parts.linking.size
        self.place = np.full(len(parts.matrix.cost), -1, dtype=np.intp)
        self.place[parts.linking] = np.arange(self.width)
        self.whole = self.place[np.flatnonzero(parts.matrix.integer)]
        self.group_places: list[np.ndarray] = []
        self.program = LinearProgram(self._matrix(), options, stop)
        self.names: list[int] = list(range(self.program.height))
        self.next_name = self.program.height
        self.cuts: dict[int, Row] = {}
        self.last_use: dict[int, int] = {}
        self.stated: dict[int, Row] = {}
        self.solves = 0
        self.values = np.zeros(len(self.program.matrix.cost))
        self.reduced = np.zeros(len(self.program.matrix.cost))

    def _matrix(self) -> Matrix:
        matrix, parts = self.parts.matrix, self.parts
        sums: dict[bytes, int] = {}
        members: list[np.ndarray] = []
        for block in parts.blocks:
            places = []
            for group in block.groups:
                inside = self.place[group]
                if inside.size > 1 and inside.tobytes() not in sums:
                    sums[inside.tobytes()] = self.width + len(members)
                    members.append(inside)
                places.append(int(inside[0]) if inside.size == 1 else sums[inside.tobytes()])
            self.group_places.append(np.array(places, dtype=np.intp))
        self.first_cost = self.width + len(members)
        all_columns = self.first_cost + len(parts.blocks)
        top = matrix.a.tocsr()[parts.rows][:, parts.linking].tocoo()
        rows = [top.row, *(np.full(inside.size + 1, top.shape[0] + n) for n, inside in enumerate(members))]
        columns = [top.col, *(np.append(inside, self.width + n) for n, inside in enumerate(members))]
        data = [top.data, *(np.append(np.ones(inside.size), -1.0) for inside in members)]
        a = sp.csc_array(
            (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns))), shape=(top.shape[0] + len(members), all_columns)
        )
        lower, upper = matrix.lower[parts.linking], matrix.upper[parts.linking]
        reach = [_reach(block) for block in parts.blocks]
        return Matrix(
            np.concatenate([matrix.cost[parts.linking], np.zeros(len(members)), np.ones(len(parts.blocks))]), matrix.offset, a,
            np.concatenate([matrix.row_lower[parts.rows], np.zeros(len(members))]),
            np.concatenate([matrix.row_upper[parts.rows], np.zeros(len(members))]),
            np.concatenate([lower, [lower[inside].sum() for inside in members], [least for least, _ in reach]]),
            np.concatenate([upper, [upper[inside].sum() for inside in members], [most for _, most in reach]]),
            np.zeros(all_columns, dtype=bool), tuple(("master", n) for n in range(all_columns)), tuple(("master", n) for n in range(a.shape[0])),
        )  # fmt: skip

    # --- solving -----------------------------------------------------------------------------

    def solve(self, cutoff: float, iterations: int = NO_LIMIT) -> LpState:
        """Solve from the present basis, or without one where that fails; see :meth:`LinearProgram.solve`."""
        state = self.program.solve(cutoff, iterations)
        if state in (LpState.FAILED, LpState.UNFINISHED) and iterations == NO_LIMIT:
            state = self.program.solve_afresh(cutoff)
        self.solves += state is LpState.OPTIMAL
        return state

    def read(self) -> None:
        """Read the point and the reduced costs of the last solve; note which cuts bind and forget those that have not for long."""
        solution = self.program.highs.getSolution()
        self.values, self.reduced = np.array(solution.col_value), np.array(solution.col_dual)
        for position in np.flatnonzero(np.abs(np.array(solution.row_dual)) > 1e-9).tolist():
            if self.names[position] in self.cuts:
                self.last_use[self.names[position]] = self.solves
        if len(self.cuts) <= MOST_CUTS:
            return
        idle = [position for position, name in enumerate(self.names) if self.solves - self.last_use.get(name, self.solves) > IDLE_SOLVES]
        if len(idle) >= MOST_CUTS // 4:
            self._forget(idle)

    def _forget(self, positions: list[int]) -> None:
        self.program.delete_rows(np.array(positions))
        gone = set(positions)
        for position in positions:
            del self.cuts[self.names[position]], self.last_use[self.names[position]]
        self.names = [name for position, name in enumerate(self.names) if position not in gone]

    @property
    def known_costs(self) -> Vector:
        """What the cuts say of the cost of each block at the last point."""
        return self.values[self.first_cost :]

    @property
    def all_fixed(self) -> bool:
        """Whether the bounds leave no whole-number column open."""
        return bool((self.program.lower[self.whole] == self.program.upper[self.whole]).all())

    @property
    def all_whole(self) -> bool:
        """Whether the last point is a plan."""
        values = self.values[self.whole]
        return bool((np.abs(values - np.round(values)) < WHOLE).all())

    # --- rows --------------------------------------------------------------------------------

    def cut(self, k: int, constant: float, slopes: Vector) -> Row:
        """Return the row: cost of block k >= constant + slopes · its groups."""
        kept = np.abs(slopes) > SLOPE
        constant += self._least_of(k, slopes, ~kept)
        return Row(np.append(self.group_places[k][kept], self.first_cost + k), np.append(-slopes[kept], 1.0), constant, np.inf)

    def barrier(self, k: int, constant: float, slopes: Vector) -> Row:
        """Return the row: constant + slopes · groups of block k <= 0; the slopes are not all zero."""
        steepest = float(np.abs(slopes).max(initial=0.0))
        kept = np.abs(slopes) > SLOPE * steepest
        constant += self._least_of(k, slopes, ~kept)
        scale = 1.0 / steepest
        return Row(self.group_places[k][kept], -scale * slopes[kept], scale * constant, np.inf)

    def _least_of(self, k: int, slopes: Vector, dropped: np.ndarray) -> float:
        """Return the least that terms left out of a row can come to, so that it holds without them."""
        block = self.parts.blocks[k]
        lower, upper = block.matrix.lower[block.columns.size :][dropped], block.matrix.upper[block.columns.size :][dropped]
        return float(np.minimum(slopes[dropped] * lower, slopes[dropped] * upper).sum())

    def add_cuts(self, cuts: list[Row]) -> None:
        """Add cuts, which may be forgotten again."""
        self.program.add_rows(cuts)
        for cut in cuts:
            self.cuts[self.next_name], self.last_use[self.next_name] = cut, self.solves
            self.names.append(self.next_name)
            self.next_name += 1

    def add_row(self, row: Row) -> int:
        """Add a row of linking columns, in positions of the whole matrix; return its name."""
        self.program.add_rows([Row(self.place[row.columns], row.coefficients, row.lower, row.upper)])
        self.stated[self.next_name] = row
        self.names.append(self.next_name)
        self.next_name += 1
        return self.next_name - 1

    def bound_row(self, name: int, lower: float, upper: float) -> None:
        """Set the sides of a row by its name."""
        self.program.bound_row(self.names.index(name), lower, upper)
        self.stated[name] = replace(self.stated[name], lower=lower, upper=upper)

    # --- basis -------------------------------------------------------------------------------

    def basis(self) -> Basis:
        """Return the present basis, rows by name."""
        basis = self.program.basis()
        rows = np.full(self.next_name, BASIC, dtype=np.int8)
        rows[self.names] = basis.rows
        return Basis(basis.columns, rows)

    def start_from(self, basis: Basis) -> None:
        """Take a basis up; rows that it does not know are basic."""
        known = np.full(self.next_name, BASIC, dtype=np.int8)
        known[: basis.rows.size] = basis.rows
        self.program.start_from(Basis(basis.columns, known[self.names]))


def _reach(block: Block) -> tuple[float, float]:
    """Return the least and the most that a block can cost within the bounds of its columns."""
    own = block.columns.size
    cost, lower, upper = block.matrix.cost[:own], block.matrix.lower[:own], block.matrix.upper[:own]
    priced = np.flatnonzero(cost)
    ends = np.array([cost[priced] * lower[priced], cost[priced] * upper[priced]])
    return float(ends.min(axis=0).sum()), float(ends.max(axis=0).sum()) + 1.0
