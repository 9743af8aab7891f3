"""The relaxation of a parted matrix: a small master program of what links the blocks, and cuts that tell it what the blocks cost.

Benders' decomposition with a cut a block. The cuts hold everywhere, so what one part of a search learns
about a year serves all others; that is why it is faster than solving the whole program again at each part.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from model.decomposition import Block, Decomposition
from model.linear_program import NO_LIMIT, Basis, LinearProgram, LpState, StopSignal
from model.matrix import Matrix, Row, Vector
from model.outcome import SolveOptions

MOST_ROUNDS = 60
"""Rounds of cuts in one solve."""

NEAR, SLOW = 0.25, 0.05
"""A solve ends once the blocks cost less than this share of the room below the cutoff more than the cuts tell, or a round lifts the bound by less than the second."""

PATIENT_ROUNDS = 4
"""Rounds after which blocks that are still impossible are left to the whole program."""

IDLE_SOLVES, MOST_CUTS = 30, 300
"""Cuts that bound nothing for so many solves are forgotten once there are more than the second number."""

MOST_COVERS = 300
"""Rows added to a block before those that do not bind are forgotten."""

EXACT = 1e-7
"""What the cuts may miss of a plan's cost, as a share of it, at least."""


class DecomposedProgram:
    """Stands in for :class:`LinearProgram` in a search; its objective is a bound, and a plan's cost where all is whole.

    Parameters
    ----------
    parts
        The parted matrix.
    options
        Seed and gap.
    stop
        Watched while solving.
    whole
        The relaxation of the whole matrix, solved: its multipliers are the first cuts, and where the blocks do not settle it is asked again.
    """

    def __init__(self, parts: Decomposition, options: SolveOptions, stop: StopSignal, whole: LinearProgram) -> None:
        self.parts, self.options, self.stop, self.whole = parts, options, stop, whole
        self.named: dict[int, tuple[Row, int]] = {}
        self.fresh_covers: list[tuple[int, Row, Row]] = []
        self.whole_covers: list[tuple[int, int, Row]] = []
        self.fresh_cuts: list[Row] = []
        self.cuts: dict[int, Row] = {}
        self.matrix = parts.matrix
        self.column_block = parts.column_block
        self.place = np.full(len(self.matrix.cost), -1, dtype=np.intp)
        self.place[parts.linking] = np.arange(parts.linking.size)
        self.group_places: list[np.ndarray] = []
        self.master = LinearProgram(self._master_matrix(), options, stop)
        self.blocks = [LinearProgram(block.matrix, options, stop) for block in parts.blocks]
        self.covers: list[list[Row]] = [[] for _ in parts.blocks]
        self.group_of = [_places_of(block) for block in parts.blocks]
        self.asked: list[Vector | None] = [None] * len(self.blocks)
        self.costs = np.full(len(self.blocks), np.nan)
        self.points: list[Vector] = [np.zeros(block.columns.size) for block in parts.blocks]
        self.rows: list[int] = list(range(self.master.height))
        self.cut_rows: dict[int, int] = {}
        self.next_id = self.master.height
        self.solves = 0
        self.objective = float("nan")
        self.master_values = np.zeros(len(self.master.matrix.cost))
        loose = LinearProgram(parts.loose.matrix, options, stop)
        state = loose.solve()
        self.possible = state is not LpState.INFEASIBLE
        self.constant, self.loose_point = (loose.objective, loose.values()) if state is LpState.OPTIMAL else (0.0, np.empty(0))
        self.master_reduced = np.zeros(len(self.master.matrix.cost))
        self._add_cuts(self._cuts_of_whole())

    def _master_matrix(self) -> Matrix:
        matrix, parts = self.matrix, self.parts
        width = parts.linking.size
        sums: dict[bytes, int] = {}
        members: list[np.ndarray] = []
        for block in parts.blocks:
            places = []
            for group in block.groups:
                inside = self.place[group]
                if inside.size > 1 and inside.tobytes() not in sums:
                    sums[inside.tobytes()] = width + len(members)
                    members.append(inside)
                places.append(int(inside[0]) if inside.size == 1 else sums[inside.tobytes()])
            self.group_places.append(np.array(places, dtype=np.intp))
        self.first_cost = width + len(members)
        whole_width = self.first_cost + len(parts.blocks)
        top = matrix.a.tocsr()[parts.rows][:, parts.linking].tocoo()
        rows = [top.row, *(np.full(inside.size + 1, top.shape[0] + n) for n, inside in enumerate(members))]
        columns = [top.col, *(np.append(inside, width + n) for n, inside in enumerate(members))]
        data = [top.data, *(np.append(np.ones(inside.size), -1.0) for inside in members)]
        a = sp.csc_array(
            (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns))), shape=(top.shape[0] + len(members), whole_width)
        )
        lower, upper = matrix.lower[parts.linking], matrix.upper[parts.linking]
        cost_sides = [_reach(block) for block in parts.blocks]
        return Matrix(
            np.concatenate([matrix.cost[parts.linking], np.zeros(len(members)), np.ones(len(parts.blocks))]), matrix.offset, a,
            np.concatenate([matrix.row_lower[parts.rows], np.zeros(len(members))]),
            np.concatenate([matrix.row_upper[parts.rows], np.zeros(len(members))]),
            np.concatenate([lower, [lower[inside].sum() for inside in members], [low for low, _ in cost_sides]]),
            np.concatenate([upper, [upper[inside].sum() for inside in members], [high for _, high in cost_sides]]),
            np.zeros(whole_width, dtype=bool), tuple(("master", n) for n in range(whole_width)), tuple(("master", n) for n in range(a.shape[0])),
        )  # fmt: skip

    def twin(self) -> DecomposedProgram:
        """Return another program of the same parts that knows the same cuts, for another thread."""
        whole = LinearProgram(self.matrix, self.options, self.stop, self.whole.basis())
        whole.solve()
        other = DecomposedProgram(self.parts, self.options, self.stop, whole)
        other.learn([self.cuts[name] for name in self.cut_rows])
        return other

    # --- solving -----------------------------------------------------------------------------

    @property
    def iterations(self) -> int:
        """Simplex iterations of all programs; one of a block counts for a tenth, as it takes about that long."""
        return self.master.iterations + sum(block.iterations for block in self.blocks) // 10

    def solve(self, cutoff: float = np.inf, iterations: int = NO_LIMIT) -> LpState:
        """Solve until the cuts tell enough; see :meth:`LinearProgram.solve`.

        With a limit on iterations one round is enough.
        """
        if not self.possible:
            return LpState.INFEASIBLE
        before = -np.inf
        fixed = self._all_fixed()
        missing = np.inf
        for number in range(MOST_ROUNDS):
            state = self.master.solve(cutoff - self.constant, iterations)
            if state in (LpState.FAILED, LpState.UNFINISHED) and iterations == NO_LIMIT:
                state = self.master.solve_afresh(cutoff - self.constant)
            if state is LpState.UNFINISHED:
                self.objective = self.master.objective + self.constant
            if state is LpState.FAILED:
                return self._solve_whole(cutoff)
            if state is not LpState.OPTIMAL:
                return state
            self.solves += 1
            bound = self.master.objective
            self.objective = bound + self.constant
            if iterations != NO_LIMIT:
                return LpState.OPTIMAL
            self._read_master()
            cuts, missing, state = self._ask_all()
            if state is LpState.STOPPED:
                return state
            enough = max(EXACT * abs(bound), 0.01 * self.options.absolute_gap, 0.01 * self.options.relative_gap * abs(bound))
            if missing <= enough:
                break
            if not cuts or state is LpState.FAILED:
                return self._solve_whole(cutoff)
            self._add_cuts(cuts)
            room = cutoff - self.constant - bound
            if np.isfinite(missing) and not fixed and not self._is_whole():
                near = bound + missing < cutoff - self.constant and missing < NEAR * room
                if near or (number > 0 and bound - before < SLOW * room):
                    break
            if number >= PATIENT_ROUNDS and not np.isfinite(missing):
                return self._solve_whole(cutoff)
            before = bound
        else:
            return self._solve_whole(cutoff)
        if fixed:
            self.objective = bound + missing + self.constant
        return LpState.OPTIMAL

    def _ask_all(self) -> tuple[list[Row], float, LpState]:
        """Ask every block what the master's point costs; return cuts, what the cuts before missed and the worst state."""
        cuts, worst = [], LpState.OPTIMAL
        for k in range(len(self.blocks)):
            state, cut = self._ask(k)
            if state not in (LpState.OPTIMAL, LpState.INFEASIBLE):
                worst = state
                if state is LpState.STOPPED:
                    break
            if cut is not None:
                cuts.append(cut)
        told = self.master_values[self.first_cost :]
        return cuts, float(np.maximum(self.costs - told, 0.0).sum()), worst

    def _read_master(self) -> None:
        solution = self.master.highs.getSolution()
        self.master_values = np.array(solution.col_value)
        self.master_reduced = np.array(solution.col_dual)
        self._note_use(np.array(solution.row_dual))

    def _solve_whole(self, cutoff: float) -> LpState:
        """Solve the whole program where the blocks go on refusing what the master proposes, and tell the master what it costs."""
        whole, width = self.whole, self.parts.linking.size
        whole.bound_columns(self.parts.linking, self.master.lower[:width], self.master.upper[:width])
        for name, (row, position) in self.named.items():
            if position < 0:
                position = whole.add_rows([row])
                self.named[name] = (row, position)
            whole.bound_row(position, row.lower, row.upper)
        first = whole.add_rows([row for _, _, row in self.fresh_covers])
        self.whole_covers += [(first + number, k, inside) for number, (k, inside, _) in enumerate(self.fresh_covers)]
        self.fresh_covers = []
        state = whole.solve(cutoff)
        if state in (LpState.FAILED, LpState.UNFINISHED):
            state = whole.solve_afresh(cutoff)
        if state is not LpState.OPTIMAL:
            return state
        values = whole.values()
        self._add_cuts(self._cuts_of_whole())
        self.objective = whole.objective
        self.master_values[:width] = values[self.parts.linking]
        self.master_reduced[:width] = whole.reduced_costs()[self.parts.linking]
        for k, block in enumerate(self.parts.blocks):
            self.points[k], self.asked[k] = values[block.columns], None
        return LpState.OPTIMAL

    def _cuts_of_whole(self) -> list[Row]:
        """Return the cuts that the multipliers of the whole program give: with them the master's bound is no worse than its."""
        duals = self.whole.row_duals()
        if not duals.size:
            return []
        found = []
        for k, block in enumerate(self.parts.blocks):
            covers = [(position, row) for position, number, row in self.whole_covers if number == k]
            wider = replace(block, matrix=block.matrix.with_rows([row for _, row in covers]))
            multipliers = np.concatenate([duals[block.rows], duals[[position for position, _ in covers]]]) if covers else duals[block.rows]
            found.append(self._cut(k, *wider.bound_from(multipliers)))
        return found

    def solve_afresh(self, cutoff: float = np.inf) -> LpState:
        """Solve without any basis."""
        return self._solve_whole(cutoff)

    def _all_fixed(self) -> bool:
        whole = self.place[np.flatnonzero(self.matrix.integer)]
        return bool((self.master.lower[whole] == self.master.upper[whole]).all())

    def _is_whole(self) -> bool:
        values = self.master_values[self.place[np.flatnonzero(self.matrix.integer)]]
        return bool((np.abs(values - np.round(values)) < 1e-6).all())

    def _ask(self, k: int) -> tuple[LpState, Row | None]:
        """Solve a block where the master stands; return its state and the cut, if the master did not know."""
        block, program = self.parts.blocks[k], self.blocks[k]
        groups = np.maximum(self.master_values[self.group_places[k]], block.matrix.lower[block.columns.size :])
        asked = self.asked[k]
        if asked is not None and np.array_equal(asked, groups):
            return (LpState.OPTIMAL if np.isfinite(self.costs[k]) else LpState.INFEASIBLE), None
        program.bound_columns(block.group_columns, groups, groups)
        state = program.solve()
        if state in (LpState.FAILED, LpState.UNFINISHED):
            state = program.solve_afresh()
        if state is LpState.OPTIMAL:
            solution = program.highs.getSolution()
            self.asked[k], self.costs[k] = groups, program.objective
            self.points[k] = np.array(solution.col_value[: block.columns.size])
            slopes = np.array(solution.col_dual[block.columns.size :])
            told = self.master_values[self.first_cost + k]
            if self.costs[k] <= told + EXACT * max(1.0, abs(told)):
                return state, None
            return state, self._cut(k, self.costs[k] - float(slopes @ groups), slopes)
        if state is LpState.INFEASIBLE:
            self.asked[k], self.costs[k] = groups, np.inf
            cut = self._ray(k, groups)
            return (state, cut) if cut is not None else (LpState.FAILED, None)
        return state, None

    def _ray(self, k: int, groups: Vector) -> Row | None:
        """Return a row that rules out what makes a block impossible, from multipliers that prove it."""
        block, program = self.parts.blocks[k], self.blocks[k]
        _, found, ray = program.highs.getDualRay()  # type: ignore[attr-defined]  # HiGHS' stubs leave it out
        if not found:
            return None
        matrix = block.matrix.with_rows(self.covers[k])
        best: Row | None = None
        most = 1e-9
        for multipliers in (np.array(ray), -np.array(ray)):
            free = Block(_without_cost(matrix), block.columns, block.rows, block.groups)
            constant, slopes = free.bound_from(multipliers)
            excess = constant + float(slopes @ groups)
            if excess > most:
                kept = np.abs(slopes) > 1e-9 * np.abs(slopes).max(initial=0.0)
                scale = 1.0 / max(np.abs(slopes).max(initial=0.0), 1e-12)
                most, best = excess, Row(self.group_places[k][kept], -scale * slopes[kept], scale * constant, np.inf)
        return best

    # --- cuts --------------------------------------------------------------------------------

    def _cut(self, k: int, constant: float, slopes: Vector) -> Row:
        kept = np.abs(slopes) > 1e-9
        return Row(np.append(self.group_places[k][kept], self.first_cost + k), np.append(-slopes[kept], 1.0), constant, np.inf)

    def _add_cuts(self, cuts: list[Row]) -> None:
        self.fresh_cuts += cuts
        self.learn(cuts)

    def learn(self, cuts: list[Row]) -> None:
        """Take over cuts, those of another program of the same parts too."""
        self.master.add_rows(cuts)
        for cut in cuts:
            self.cut_rows[self.next_id], self.cuts[self.next_id] = self.solves, cut
            self.rows.append(self.next_id)
            self.next_id += 1

    def _note_use(self, duals: Vector) -> None:
        """Note which cuts bind; forget those that have not for long."""
        for position in np.flatnonzero(np.abs(duals) > 1e-9).tolist():
            if self.rows[position] in self.cut_rows:
                self.cut_rows[self.rows[position]] = self.solves
        if len(self.cut_rows) <= MOST_CUTS:
            return
        idle = [position for position, row in enumerate(self.rows) if self.solves - self.cut_rows.get(row, self.solves) > IDLE_SOLVES]
        if len(idle) < MOST_CUTS // 4:
            return
        self.master.delete_rows(np.array(idle))
        for position in idle:
            del self.cut_rows[self.rows[position]], self.cuts[self.rows[position]]
        gone = set(idle)
        self.rows = [row for position, row in enumerate(self.rows) if position not in gone]

    # --- what a search does to a program -------------------------------------------------------

    def add_rows(self, rows: list[Row]) -> int:
        """Add rows; return the name of the first among those of linking columns, for :meth:`bound_row`."""
        first = self.next_id
        for row in rows:
            k = self._block_of(row)
            if k == -1:
                self.master.add_rows([Row(self.place[row.columns], row.coefficients, row.lower, row.upper)])
                self.named[self.next_id] = (row, -1)
                self.rows.append(self.next_id)
                self.next_id += 1
            elif k is not None:
                self._add_cover(k, row)
        return first

    def _block_of(self, row: Row) -> int | None:
        """Return the number of the block that a row belongs to; -1 if it holds linking columns only, None if it spans blocks."""
        numbers = np.unique(self.column_block[row.columns])
        numbers = numbers[numbers != -1]
        if numbers.size == 0:
            return -1
        return int(numbers[0]) if numbers.size == 1 and numbers[0] >= 0 else None

    def _add_cover(self, k: int, row: Row) -> None:
        """Add a row to a block; where its members of a group differ it is left out, which only weakens the relaxation."""
        places = self.group_of[k]
        weights: dict[int, float] = {}
        count: dict[int, int] = {}
        for column, weight in zip(row.columns.tolist(), row.coefficients.tolist(), strict=True):
            place = places.get(column)
            if place is None or weights.setdefault(place, weight) != weight:
                return
            count[place] = count.get(place, 0) + 1
        own = self.parts.blocks[k].columns.size
        for place, times in count.items():
            if place >= own and times != self.parts.blocks[k].groups[place - own].size:
                return
        inside = Row(np.fromiter(weights, dtype=np.intp), np.fromiter(weights.values(), dtype=float), row.lower, row.upper)
        program = self.blocks[k]
        if len(self.covers[k]) > MOST_COVERS:
            self._forget_covers(k)
        program.add_rows([inside])
        self.covers[k].append(inside)
        self.fresh_covers.append((k, inside, row))
        self.asked[k] = None

    def _forget_covers(self, k: int) -> None:
        program = self.blocks[k]
        base = program.base_height
        duals = program.row_duals()[base : base + len(self.covers[k])]
        idle = np.flatnonzero(np.abs(duals) <= 1e-9)
        program.delete_rows(base + idle)
        gone = set(idle.tolist())
        self.covers[k] = [row for position, row in enumerate(self.covers[k]) if position not in gone]

    def bound_columns(self, columns: np.ndarray, lower: Vector, upper: Vector) -> None:
        """Set the bounds of linking columns."""
        self.master.bound_columns(self.place[columns], lower, upper)

    def bound_row(self, row: int, lower: float, upper: float) -> None:
        """Set the sides of a row by its name."""
        self.master.bound_row(self.rows.index(row), lower, upper)
        stated, position = self.named[row]
        self.named[row] = (replace(stated, lower=lower, upper=upper), position)

    def values(self) -> Vector:
        """Return the point of the last solve."""
        values = np.zeros(len(self.matrix.cost))
        values[self.parts.linking] = self.master_values[: self.parts.linking.size]
        values[self.parts.loose.columns] = self.loose_point
        for block, point in zip(self.parts.blocks, self.points, strict=True):
            values[block.columns] = point
        return values

    def reduced_costs(self) -> Vector:
        """Return the reduced costs of the linking columns; 0 for all others."""
        costs = np.zeros(len(self.matrix.cost))
        costs[self.parts.linking] = self.master_reduced[: self.parts.linking.size]
        return costs

    def basis(self) -> Basis:
        """Return the basis of the master; rows by name."""
        basis = self.master.basis()
        rows = np.full(self.next_id, 1, dtype=np.int8)
        rows[self.rows] = basis.rows
        return Basis(basis.columns, rows)

    def start_from(self, basis: Basis) -> None:
        """Take a basis up; what it does not know is basic."""
        known = np.full(self.next_id, 1, dtype=np.int8)
        known[: basis.rows.size] = basis.rows
        self.master.start_from(Basis(basis.columns, known[self.rows]))


def _places_of(block: Block) -> dict[int, int]:
    """Return position in the whole matrix -> position in the block."""
    places = {int(column): place for place, column in enumerate(block.columns)}
    for number, members in enumerate(block.groups):
        places.update(dict.fromkeys(members.tolist(), block.columns.size + number))
    return places


def _reach(block: Block) -> tuple[float, float]:
    """Return the least and the most that a block can cost within the bounds of its columns."""
    own = block.columns.size
    cost, lower, upper = block.matrix.cost[:own], block.matrix.lower[:own], block.matrix.upper[:own]
    priced = np.flatnonzero(cost)
    ends = np.array([cost[priced] * lower[priced], cost[priced] * upper[priced]])
    return float(ends.min(axis=0).sum()), float(ends.max(axis=0).sum()) + 1.0


def _without_cost(matrix: Matrix) -> Matrix:
    return replace(matrix, cost=np.zeros_like(matrix.cost))
