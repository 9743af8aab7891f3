"""What a small change of the figures is worth with the plants as built, and how far that holds.

The linear program that gives the published values (whole-number columns fixed) is solved once. The worth of a change
is read from its duals; the range in which it holds is that in which the same basis stays feasible. The cost of a change
that moves coefficients of a binding row bends: its worth is a tangent, whose range only re-solves tell.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import highspy
import numpy as np

from model.highs import FINAL_SECONDS, SOLVED, load, run_watched
from model.matrix import Matrix, Name, Vector
from model.outcome import SolveOptions
from model.problem import BuildKey

NEGLIGIBLE = 1e-9
"""Movement of a column or row, per unit of a change, that counts as none."""

TOLERANCE = 1e-7
"""By which the solver lets a value overstep its bound."""

NO_PLAN = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)
"""Costs are bounded below, so the second means the first."""


@dataclass(frozen=True)
class Change:
    """One unit of a change: right-hand sides, upper bounds of columns and coefficients move together.

    Parameters
    ----------
    rows
        Row -> movement of its right-hand side (of both sides of an equation).
    upper
        Column -> movement of its upper bound.
    coefficients
        (row, column) -> movement of the coefficient. A small one does what a movement of the right-hand side does, that of
        the coefficient times the column's value, taken away.
    """

    rows: Mapping[Name, float] = field(default_factory=dict)
    upper: Mapping[Name, float] = field(default_factory=dict)
    coefficients: Mapping[tuple[Name, Name], float] = field(default_factory=dict)

    def scaled(self, factor: float) -> Change:
        """Return so many units of the change."""
        return Change(*({key: factor * by for key, by in part.items()} for part in self._parts()))

    def plus(self, other: Change) -> Change:
        """Return both changes together."""
        parts = []
        for one, two in zip(self._parts(), other._parts(), strict=True):
            parts.append({key: one.get(key, 0.0) + two.get(key, 0.0) for key in {**one, **two}})
        return Change(*parts)

    def _parts(self) -> tuple[Mapping, ...]:
        return self.rows, self.upper, self.coefficients


@dataclass(frozen=True)
class Worth:
    """What one unit of a change adds to the cost, and from how many units to how many (0 between them) that holds.

    Parameters
    ----------
    value
        MUSD discounted; positive: the cost rises.
    low, high
        Units, from minus infinity to infinity. Where one of them is 0 the plan stands at a kink: the value holds on the
        other side only.
    """

    value: float
    low: float
    high: float

    def turned(self) -> Worth:
        """Return the worth of the opposite change."""
        return Worth(-self.value, -self.high, -self.low)


class FixedPlan:
    """A plan's linear program with the plants as built.

    Parameters
    ----------
    matrix
        Of the problem that the plan answers.
    builds
        The plan's plants.
    options
        Threads and seed.

    Raises
    ------
    ValueError
        The plants allow no plan.
    """

    def __init__(self, matrix: Matrix, builds: Collection[BuildKey], options: SolveOptions) -> None:
        lower, upper = matrix.lower.copy(), matrix.upper.copy()
        for position in np.flatnonzero(matrix.integer):
            lower[position] = upper[position] = float(matrix.columns[position][1] in builds)
        self.matrix = matrix.with_bounds(lower, upper).relaxed()
        self.row_at = {name: position for position, name in enumerate(matrix.rows)}
        self.column_at = {name: position for position, name in enumerate(matrix.columns)}
        self._highs = load(self.matrix, options)
        run_watched(self._highs, FINAL_SECONDS)
        if self._highs.getModelStatus() not in SOLVED:
            raise ValueError("with these plants there is no plan")
        self._read()
        self._by_row = self.matrix.a.tocsr()
        self._other: highspy.Highs | None = None
        self._options = options

    def _read(self) -> None:
        solution, basis = self._highs.getSolution(), self._highs.getBasis()
        self.objective: float = self._highs.getInfo().objective_function_value
        self.columns, self.rows = np.array(solution.col_value), np.array(solution.row_value)
        self.row_duals, self.reduced_costs = np.array(solution.row_dual), np.array(solution.col_dual)
        basic = highspy.HighsBasisStatus.kBasic
        self.basic_columns = np.array([status == basic for status in basis.col_status], dtype=bool)
        self.basic_rows = np.array([status == basic for status in basis.row_status], dtype=bool)
        _, order = self._highs.getBasicVariables()  # type: ignore[attr-defined]
        self._order = np.asarray(order)
        self.at_upper = np.array([status == highspy.HighsBasisStatus.kUpper for status in basis.col_status], dtype=bool)

    def value(self, change: Change) -> float:
        """Return what one unit of a change adds to the cost, MUSD discounted, as long as it is small."""
        moved = self._moved_rows(change)
        places = ((self.column_at[column], by) for column, by in change.upper.items() if column in self.column_at)
        rows = (moved[place] * self.row_duals[place] for place in np.flatnonzero(moved))
        return math.fsum(rows) + math.fsum(by * self.reduced_costs[place] for place, by in places if self.at_upper[place])

    def worth(self, change: Change) -> Worth:
        """Return what one unit of a change adds to the cost and how far that holds; where it :meth:`bends` the basis alone holds so far."""
        moved_rows, moved_upper = self._moved_rows(change), np.zeros(len(self.columns))
        for column, by in change.upper.items():
            if column in self.column_at:
                moved_upper[self.column_at[column]] += by
        pushed = np.where(self.at_upper & ~self.basic_columns, moved_upper, 0.0)
        steps = self._response(moved_rows, pushed)
        low, high = self._reach(steps, moved_rows, moved_upper)
        return Worth(self.value(change), low, high)

    def bends(self, change: Change) -> bool:
        """Return whether the cost need not run straight even while the basis stays: coefficients of a binding row move."""
        return any(not self.basic_rows[self.row_at[row]] for row, _ in change.coefficients if row in self.row_at)

    def _moved_rows(self, change: Change) -> Vector:
        """Return the movement of every right-hand side, and for coefficients the one that does the same at the plan's values."""
        moved = np.zeros(len(self.rows))
        for row, by in change.rows.items():
            if row in self.row_at:
                moved[self.row_at[row]] += by
        for (row, column), by in change.coefficients.items():
            if row in self.row_at and column in self.column_at:
                moved[self.row_at[row]] -= by * self.columns[self.column_at[column]]
        return moved

    def lies_idle(self, change: Change, near: float) -> bool:
        """Return whether nothing that a change moves binds, nor comes to bind within `near` units to either side."""
        moved = self._moved_rows(change)
        named = {row for row, by in change.rows.items() if by} | {row for (row, _), by in change.coefficients.items() if by}
        for position in (self.row_at[row] for row in named if row in self.row_at):
            value = self.rows[position]
            room = min(self.matrix.row_upper[position] - value, value - self.matrix.row_lower[position])
            if not self.basic_rows[position] or room <= near * abs(moved[position]) + TOLERANCE:
                return False
        places = ((self.column_at[column], by) for column, by in change.upper.items() if by and column in self.column_at)
        return not any(
            self.at_upper[place] or self.matrix.upper[place] - self.columns[place] <= near * abs(by) + TOLERANCE for place, by in places
        )

    def slope(self, change: Change, near: float, worth: Worth) -> float:
        """Return what each of the first `near` units of a change adds to the cost, in this direction alone.

        Parameters
        ----------
        change
            As in :meth:`worth`.
        near
            Units, above 0.
        worth
            Of the change.

        Returns
        -------
        float
            MUSD a unit, discounted: the value where it holds so far, otherwise the mean of a re-solve; see :meth:`added_cost`.
        """
        if worth.high >= near:
            return worth.value
        return self.added_cost(change.scaled(near)) / near

    def _response(self, moved_rows: Vector, pushed: Vector) -> Vector:
        """Return how every column moves when binding rows and bounds move by one unit."""
        target = np.where(self.basic_rows, 0.0, moved_rows)
        if np.any(pushed):
            target -= self.matrix.a @ pushed
        steps = pushed.copy()
        if np.any(target):
            _, found = self._highs.getBasisSolve(target)  # type: ignore[attr-defined]
            structural = self._order >= 0  # the others are rows with room, whose movement follows
            steps[self._order[structural]] = np.asarray(found)[structural]
        return steps

    def _reach(self, steps: Vector, moved_rows: Vector, moved_upper: Vector) -> tuple[float, float]:
        """Return from how many units to how many every value stays within its bounds."""
        low, high = -math.inf, math.inf
        activity = self.matrix.a @ steps
        sides = (
            (self.basic_columns, self.columns, steps, self.matrix.lower, 0.0 * steps, self.matrix.upper, moved_upper),
            (self.basic_rows, self.rows, activity, self.matrix.row_lower, moved_rows, self.matrix.row_upper, moved_rows),
        )
        for basic, values, moves, floor, floor_moves, ceiling, ceiling_moves in sides:
            for bound, bound_moves, sign in ((ceiling, ceiling_moves, 1.0), (floor, floor_moves, -1.0)):
                closing = sign * (moves - bound_moves)
                matters = basic & np.isfinite(bound) & (np.abs(closing) > NEGLIGIBLE)
                room = np.maximum(0.0, sign * (bound - values))[matters]
                room[room < TOLERANCE] = 0.0
                limits = room / closing[matters]
                high = min(high, float(limits[closing[matters] > 0].min(initial=math.inf)))
                low = max(low, float(limits[closing[matters] < 0].max(initial=-math.inf)))
        return low, high

    def added_cost(self, change: Change, onward: bool = False) -> float:
        """Return by how much a change raises the cost, solved again with the plants as built.

        Parameters
        ----------
        change
            In units of its own.
        onward
            Start from where the last re-solve ended, which is nearer where that was of much the same change.

        Returns
        -------
        float
            MUSD discounted; infinite where the plants then allow no plan, NaN where the solver stopped without an answer.
        """
        if self._other is None:
            self._other = load(self.matrix, self._options)
            self._other.setOptionValue("presolve", "off")  # starts from the plan's basis instead
        highs, matrix = self._other, self.matrix
        if not onward:
            highs.setBasis(self._highs.getBasis())
        rows = [(self.row_at[row], by) for row, by in change.rows.items() if row in self.row_at]
        columns = [(self.column_at[column], by) for column, by in change.upper.items() if column in self.column_at]
        entries = [
            (self.row_at[row], self.column_at[column], by)
            for (row, column), by in change.coefficients.items()
            if row in self.row_at and column in self.column_at
        ]
        before = self._coefficients_of({row for row, _, _ in entries})
        for position, by in rows:
            highs.changeRowBounds(position, matrix.row_lower[position] + by, matrix.row_upper[position] + by)
        for position, by in columns:
            highs.changeColBounds(position, matrix.lower[position], matrix.upper[position] + by)
        for row, column, by in entries:
            highs.changeCoeff(row, column, before.get((row, column), 0.0) + by)
        run_watched(highs, FINAL_SECONDS)
        status = highs.getModelStatus()
        if status in SOLVED:
            added = highs.getInfo().objective_function_value - self.objective
        else:
            added = math.inf if status in NO_PLAN else math.nan
        for position, _ in rows:
            highs.changeRowBounds(position, matrix.row_lower[position], matrix.row_upper[position])
        for position, _ in columns:
            highs.changeColBounds(position, matrix.lower[position], matrix.upper[position])
        for row, column, _ in entries:
            highs.changeCoeff(row, column, before.get((row, column), 0.0))
        return added

    def _coefficients_of(self, rows: Collection[int]) -> dict[tuple[int, int], float]:
        """Return the coefficients of some rows by position."""
        a, found = self._by_row, {}
        for row in rows:
            places = slice(a.indptr[row], a.indptr[row + 1])
            found.update({(row, int(column)): float(by) for column, by in zip(a.indices[places], a.data[places], strict=True)})
        return found
