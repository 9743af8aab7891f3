"""A linear program that holds only the columns which are not ruled out: deep in a search few of them are left, and every run reads all it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import compress

import numpy as np
import numpy.typing as npt

from model.linear_program import AT_LOWER, BASIC, Basis, LinearProgram, StopSignal, load_relaxed
from model.matrix import Matrix, Row, Vector, flattened
from model.outcome import SolveOptions
from model.reduction import Mask

NARROW_AT = 0.8
"""Fewer columns are held once this share of those held is all that is needed: making the program anew takes as long as two or three runs."""


class NarrowProgram(LinearProgram):
    """Columns, rows and bases are those of the whole matrix, whatever is held.

    Parameters
    ----------
    matrix, options, stop
        As for :class:`LinearProgram`.
    """

    def __init__(self, matrix: Matrix, options: SolveOptions, stop: StopSignal) -> None:
        self.options = options
        self.held: Mask = np.ones(len(matrix.cost), dtype=bool)
        self.place = np.arange(len(matrix.cost))
        self.added: list[Row] = []
        super().__init__(matrix, options, stop)

    def narrow_to(self, needed: Mask, basis: Basis | None) -> None:
        """Rule out all other columns.

        Parameters
        ----------
        needed
            Of the whole matrix.
        basis
            To start from: its basic columns are held too, as without them it would be none.
        """
        self.lower[~needed] = self.upper[~needed] = 0.0
        wanted = needed if basis is None else needed | (basis.columns == BASIC)
        if (wanted & ~self.held).any() or wanted.sum() < NARROW_AT * self.held.sum():
            self._hold(wanted)
        else:
            self._move_bounds(np.flatnonzero(self.held & ~needed))

    def _hold(self, held: Mask) -> None:
        """Make the program anew of these columns and all rows."""
        basis = self.basis()
        matrix, self.held = self.matrix, held
        self.place = np.cumsum(held) - 1
        self.highs = load_relaxed(
            replace(
                matrix, cost=matrix.cost[held], a=matrix.a[:, np.flatnonzero(held)], lower=self.lower[held], upper=self.upper[held],
                integer=matrix.integer[held], columns=tuple(compress(matrix.columns, held)),
            ),
            self.options,
        )  # fmt: skip
        if self.added:
            self._append(
                self.added, [self.sides_of(number, row.lower, row.upper) for number, row in enumerate(self.added, self.base_height)]
            )
        self.start_from(basis)

    def _append(self, rows: Sequence[Row], sides: Sequence[tuple[float, float]]) -> None:
        starts, columns, weights = flattened(rows)
        within = self.held[columns]
        starts = np.concatenate([[0], np.cumsum(within)])[starts[:-1]]
        columns, weights = self.place[columns[within]], weights[within]
        low, high = np.array(sides).T
        self.highs.addRows(len(rows), low, high, columns.size, starts.astype(np.int32), columns.astype(np.int32), weights)

    def _move_bounds(self, columns: npt.NDArray[np.intp]) -> None:
        if self.held[columns].all():
            self.highs.changeColsBounds(columns.size, self.place[columns].astype(np.int32), self.lower[columns], self.upper[columns])
        else:  # what was ruled out is held again
            self._hold(self.held | (self.lower != 0.0) | (self.upper != 0.0))

    # --- as in any linear program ------------------------------------------------------------

    def values(self) -> Vector:
        """Return the point of the last solve."""
        return self._spread(super().values())

    def reduced_costs(self) -> Vector:
        """Return the reduced costs of the last solve; 0 for columns that are ruled out."""
        return self._spread(super().reduced_costs())

    def _spread(self, held: Vector) -> Vector:
        whole = np.zeros(self.held.size)
        whole[self.held] = held
        return whole

    def add_rows(self, rows: Sequence[Row]) -> int:
        """Add rows; return the position of the first."""
        self.added += rows
        return super().add_rows(rows)

    def delete_rows(self, rows: npt.NDArray[np.intp]) -> None:
        """Delete added rows; those behind them move up."""
        gone = set((rows - self.base_height).tolist())
        self.added = [row for number, row in enumerate(self.added) if number not in gone]
        super().delete_rows(rows)

    def bound_row(self, row: int, lower: float, upper: float) -> None:
        """Set the sides of an added row."""
        number = row - self.base_height
        self.added[number] = replace(self.added[number], lower=lower, upper=upper)
        super().bound_row(row, lower, upper)

    def basis(self) -> Basis:
        """Return the present basis; columns that are ruled out are nonbasic."""
        own = super().basis()
        columns = np.full(self.held.size, AT_LOWER, dtype=np.int8)
        if own.columns.size:
            columns[self.held] = own.columns
        return Basis(columns, own.rows)

    def start_from(self, basis: Basis) -> None:
        """Take a basis up; rows that it does not know are basic."""
        super().start_from(Basis(basis.columns[self.held], basis.rows))
