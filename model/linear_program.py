"""A linear program that is solved again and again: HiGHS' dual simplex, started where the last solve ended."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import highspy
import numpy as np
import numpy.typing as npt

from model.highs import SOLVED, load
from model.matrix import Matrix, Row, Vector, flattened
from model.outcome import SolveOptions
from model.preparation import reach_of
from model.reduction import Reduction

Statuses = npt.NDArray[np.int8]
_STATUS = {int(status): status for status in highspy.HighsBasisStatus.__members__.values()}
AT_LOWER, BASIC = int(highspy.HighsBasisStatus.kLower), int(highspy.HighsBasisStatus.kBasic)
NO_LIMIT = 2**31 - 1


class LpState(Enum):
    """How a solve of a linear program ended."""

    OPTIMAL = auto()
    INFEASIBLE = auto()
    ABOVE_CUTOFF = auto()
    UNFINISHED = auto()
    STOPPED = auto()
    FAILED = auto()


class StopSignal:
    """Asks every linear program that listens to stop: on a deadline or by hand."""

    def __init__(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds
        self.by_hand = threading.Event()
        self.listeners: weakref.WeakSet[LinearProgram] = weakref.WeakSet()
        self.lock = threading.Lock()

    def listen(self, program: LinearProgram) -> None:
        """Stop a program too; programs are made in several threads."""
        with self.lock:
            self.listeners.add(program)

    def raise_by_hand(self) -> None:
        """Stop now, whatever is running."""
        self.by_hand.set()
        with self.lock:
            listeners = list(self.listeners)
        for program in listeners:
            program.stop_now()

    @property
    def raised(self) -> bool:
        """Whether to stop now."""
        return self.by_hand.is_set() or time.monotonic() > self.deadline

    @property
    def left(self) -> float:
        """Seconds to the deadline."""
        return self.deadline - time.monotonic()


@dataclass(frozen=True)
class Basis:
    """Status of every column and row; rows added later count as basic."""

    columns: Statuses
    rows: Statuses

    def reduced(self, reduction: Reduction) -> Basis:
        """Return the basis of a reduced matrix; rows of the larger one beyond `reduction` are forgotten."""
        return Basis(self.columns[reduction.columns], self.rows[reduction.rows])

    def moved(self, old: Reduction, new: Reduction) -> Basis | None:
        """Return this basis of a reduced matrix as one of a smaller reduction of the same matrix; None where that holds more."""
        columns, rows = np.searchsorted(old.columns, new.columns), np.searchsorted(old.rows, new.rows)
        if not (np.isin(new.columns, old.columns).all() and np.isin(new.rows, old.rows).all()):
            return None
        return Basis(self.columns[columns], self.rows[rows])


def load_relaxed(matrix: Matrix, options: SolveOptions) -> highspy.Highs:
    """Return HiGHS with the relaxation of a matrix, to be solved from one basis after the other."""
    highs = load(matrix.relaxed(), options, threads=1)
    # every column has two finite sides, so any basis is dual feasible: the dual simplex starts at once and presolve costs more than it saves
    highs.setOptionValue("presolve", "off")
    return highs


class LinearProgram:
    """The relaxation of a matrix, with rows that come and bounds that move.

    Parameters
    ----------
    matrix
        Whole-number columns are taken as continuous.
    options
        Seed; there is one thread a program.
    stop
        Watched while solving.
    basis
        Where to start; repaired where it does not fit.
    """

    def __init__(self, matrix: Matrix, options: SolveOptions, stop: StopSignal, basis: Basis | None = None) -> None:
        self.matrix, self.stop = matrix, stop
        self.height = self.base_height = len(matrix.row_lower)
        self.lower, self.upper = matrix.lower.copy(), matrix.upper.copy()
        self.reach: dict[int, tuple[float, float]] = {}
        self.iterations = 0
        self.is_fresh = True
        self.highs = load_relaxed(matrix, options)
        stop.listen(self)
        if basis is not None:
            self.start_from(basis)

    def stop_now(self) -> None:
        """Stop a solve that runs in another thread.

        HiGHS reads its time limit in every iteration. A callback would do, but takes the interpreter's lock each time:
        two programs in two threads would then run one after the other.
        """
        self.highs.setOptionValue("time_limit", 0.0)

    def solve(self, cutoff: float = np.inf, iterations: int = NO_LIMIT) -> LpState:
        """Solve from the present basis.

        Parameters
        ----------
        cutoff
            Stop once the program is known to cost more.
        iterations
            Stop after so many; what is then known is no bound.
        """
        if self.stop.raised:
            return LpState.STOPPED
        self.highs.setOptionValue("time_limit", self.highs.getRunTime() + max(0.0, self.stop.left))
        if self.stop.by_hand.is_set():  # raised between the question above and the limit just set
            return LpState.STOPPED
        self.highs.setOptionValue("objective_bound", float(cutoff))
        self.highs.setOptionValue("simplex_iteration_limit", iterations)
        self.highs.run()
        info = self.highs.getInfo()
        self.iterations += max(0, info.simplex_iteration_count)
        state, known = self.highs.getModelStatus(), highspy.HighsModelStatus
        if state in SOLVED:
            return LpState.OPTIMAL if info.objective_function_value <= cutoff else LpState.ABOVE_CUTOFF
        if state in (known.kInfeasible, known.kUnboundedOrInfeasible):
            return LpState.INFEASIBLE
        if state == known.kObjectiveBound:
            return LpState.ABOVE_CUTOFF
        if state in (known.kInterrupt, known.kTimeLimit):
            return LpState.STOPPED
        return LpState.UNFINISHED if state == known.kIterationLimit else LpState.FAILED

    def solve_afresh(self, cutoff: float = np.inf) -> LpState:
        """Solve without any basis, for when the way from the last one went wrong."""
        self.highs.clearSolver()
        return self.solve(cutoff)

    @property
    def objective(self) -> float:
        """Of the last solve, MUSD."""
        return float(self.highs.getInfo().objective_function_value)

    def values(self) -> Vector:
        """Return the point of the last solve."""
        return np.array(self.highs.getSolution().col_value)

    def asked_point(self) -> Vector:
        """Return the point at which rows that it violates are worth adding."""
        return self.values()

    def reduced_costs(self) -> Vector:
        """Return the reduced costs of the last solve."""
        return np.array(self.highs.getSolution().col_dual)

    def row_duals(self) -> Vector:
        """Return the duals of the last solve, added rows at the end."""
        return np.array(self.highs.getSolution().row_dual)

    def add_rows(self, rows: Sequence[Row]) -> int:
        """Add rows; return the position of the first."""
        first = self.height
        if rows:
            self._append(rows, self._sides_of_new(rows))
            self.height += len(rows)
        return first

    def _append(self, rows: Sequence[Row], sides: Sequence[tuple[float, float]]) -> None:
        """Hand rows to HiGHS."""
        starts, columns, weights = flattened(rows)
        low, high = np.array(sides).T
        self.highs.addRows(len(rows), low, high, columns.size, starts[:-1].astype(np.int32), columns.astype(np.int32), weights)

    def delete_rows(self, rows: npt.NDArray[np.intp]) -> None:
        """Delete added rows; those behind them move up."""
        basis, staying = self.basis(), np.ones(self.height, dtype=bool)
        staying[rows] = False
        self.highs.deleteRows(rows.size, rows.astype(np.int32))
        gone = set(rows.tolist())
        kept = [self.reach[row] for row in range(self.base_height, self.height) if row not in gone]
        self.height -= rows.size
        self.reach = dict(enumerate(kept, self.base_height))
        # HiGHS forgets its basis with a row, even a basic one
        if basis.rows.size == staying.size:
            self.start_from(Basis(basis.columns, basis.rows[staying]))

    def _sides_of_new(self, rows: Sequence[Row]) -> list[tuple[float, float]]:
        """Return finite sides for rows that are about to be added."""
        sides = []
        for number, row in enumerate(rows, self.height):
            self.reach[number] = reach_of(row, self.matrix.lower, self.matrix.upper)
            sides.append(self.sides_of(number, row.lower, row.upper))
        return sides

    def sides_of(self, row: int, lower: float, upper: float) -> tuple[float, float]:
        """Return finite sides for an added row, so that what a dual proves is never nothing."""
        least, most = self.reach[row]
        least, most = max(lower, min(least, upper)), min(upper, max(most, lower))
        return (least, most) if least <= most else (lower, upper)

    def bound_columns(self, columns: npt.NDArray[np.intp], lower: Vector, upper: Vector) -> None:
        """Set the bounds of columns; those that stay are not touched."""
        moved = (self.lower[columns] != lower) | (self.upper[columns] != upper)
        if moved.any():
            chosen = columns[moved]
            self.lower[chosen], self.upper[chosen] = lower[moved], upper[moved]
            self._move_bounds(chosen)

    def _move_bounds(self, columns: npt.NDArray[np.intp]) -> None:
        """Hand the bounds of columns to HiGHS."""
        self.highs.changeColsBounds(columns.size, columns.astype(np.int32), self.lower[columns], self.upper[columns])

    def bound_row(self, row: int, lower: float, upper: float) -> None:
        """Set the sides of an added row."""
        self.highs.changeRowBounds(row, *self.sides_of(row, lower, upper))

    def basis(self) -> Basis:
        """Return the present basis."""
        basis = self.highs.getBasis()
        return Basis(
            np.fromiter((int(status) for status in basis.col_status), dtype=np.int8),
            np.fromiter((int(status) for status in basis.row_status), dtype=np.int8),
        )

    def start_from(self, basis: Basis) -> None:
        """Take a basis up; rows that it does not know are basic."""
        rows = np.full(self.height, BASIC, dtype=np.int8)
        rows[: basis.rows.size] = basis.rows[: self.height]
        given = highspy.HighsBasis()
        given.col_status = [_STATUS[status] for status in basis.columns.tolist()]
        given.row_status = [_STATUS[status] for status in rows.tolist()]
        given.valid = True
        # columns that left with a reduction may have been basic: HiGHS then fills the basis up with rows of full rank
        given.alien = int((rows == BASIC).sum()) + int((basis.columns == BASIC).sum()) != self.height
        self.highs.setBasis(given)
