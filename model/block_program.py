"""One block of a parted program, solved where the master stands; it answers with what that costs or why it cannot be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.cut_pool import Proof
from model.decomposition import Block
from model.linear_program import LinearProgram, LpState, StopSignal
from model.matrix import Row, Vector
from model.outcome import SolveOptions

MOST_COVERS = 100
"""Rows added to a block before those that do not bind are forgotten."""

PROOF = 1e-9
"""How far multipliers, the largest of them 1, must miss zero to prove that a block is impossible, and the least slope of such a proof."""


@dataclass(frozen=True)
class Reply:
    """What a block says of a point.

    Parameters
    ----------
    state
        Optimal, infeasible, or why it cannot tell.
    constant, slopes
        Cost >= constant + slopes · groups at any point; of an impossible block, and of a failure that tells something,
        constant + slopes · groups <= 0 wherever it is possible. None where the block cannot tell.
    proof
        What makes it so.
    """

    state: LpState
    constant: float = 0.0
    slopes: Vector | None = None
    proof: Proof | None = None


class BlockProgram:
    """The linear program of a block, its groups fixed where the master stands.

    Parameters
    ----------
    block
        Rows, columns and groups.
    options, stop
        As for :class:`LinearProgram`.
    """

    def __init__(self, block: Block, options: SolveOptions, stop: StopSignal) -> None:
        self.block = block
        self.program = LinearProgram(block.matrix, options, stop)
        self.covers: list[Row] = []
        self.covered: Block | None = block
        self.sides: tuple[Vector, Vector] | None = None
        self.duals_known = False
        self.reply = Reply(LpState.FAILED)
        self.asked: Vector | None = None
        self.cost = float("nan")
        self.point = np.zeros(block.columns.size)

    def ask(self, groups: Vector) -> Reply:
        """Solve the block with its groups at a point."""
        block, program, own = self.block, self.program, self.block.columns.size
        groups = np.maximum(groups, block.matrix.lower[own:])  # the master may overstep a bound by the solver's tolerance
        if self.asked is not None and np.array_equal(self.asked, groups):
            return self.reply
        program.bound_columns(block.group_columns, groups, groups)
        state = program.solve()
        if state in (LpState.FAILED, LpState.UNFINISHED):
            state = program.solve_afresh()
        if state is LpState.OPTIMAL:
            solution = program.highs.getSolution()
            self.asked, self.cost = groups, program.objective
            self.point, self.duals_known = np.array(solution.col_value[:own]), True
            multipliers = np.array(solution.row_dual)
            self.reply = Reply(state, *self._bound_from(multipliers, np.array(solution.col_dual)), self._told_by(multipliers))
        elif state is LpState.INFEASIBLE:
            self.asked, self.cost = groups, np.inf
            self.reply = self._proof(groups)
        else:
            self.asked, self.reply = None, Reply(state)
        return self.reply

    def _bound_from(self, multipliers: Vector, reduced: Vector) -> tuple[float, Vector]:
        """Return what :meth:`Block.bound_from` does, from the reduced costs that the solver has at hand."""
        own, matrix = self.block.columns.size, self.block.matrix
        if self.sides is None:
            base = self.program.base_height
            covers = [self.program.sides_of(base + n, row.lower, row.upper) for n, row in enumerate(self.covers)]
            lower, upper = np.array(covers, dtype=float).reshape(-1, 2).T
            self.sides = np.concatenate([matrix.row_lower, lower]), np.concatenate([matrix.row_upper, upper])
        taken = np.flatnonzero(multipliers)
        sides = np.where(multipliers[taken] > 0, self.sides[0][taken], self.sides[1][taken])
        ends = np.where(reduced[:own] > 0, matrix.lower[:own], matrix.upper[:own])
        held = np.flatnonzero(reduced[:own])
        if np.isinf(sides).any() or np.isinf(ends[held]).any():
            return self._with_covers().bound_from(multipliers)
        return float(multipliers[taken] @ sides) + float(reduced[held] @ ends[held]), reduced[own:]

    def _with_covers(self) -> Block:
        if self.covered is None:
            self.covered = self.block.with_rows(self.covers)
        return self.covered

    def _proof(self, groups: Vector) -> Reply:
        """Return what rules the point out, from a ray that is checked before it is believed.

        At a point on the border of what is possible the ray misses it by no more than rounding: the reply is then a failure that
        still tells what holds wherever the block is possible.
        """
        _, found, ray = self.program.highs.getDualRay()  # type: ignore[attr-defined]  # HiGHS' stubs leave it out
        if not found:
            return Reply(LpState.FAILED)
        best, most = Reply(LpState.FAILED), -np.inf
        free = self._with_covers().without_costs
        scaled = np.array(ray) / max(float(np.abs(np.array(ray)).max(initial=0.0)), 1e-300)
        for multipliers in (scaled, -scaled):
            constant, slopes = free.bound_from(multipliers)
            excess = constant + float(slopes @ groups)
            if excess > most and np.abs(slopes).max(initial=0.0) > PROOF:
                state = LpState.INFEASIBLE if excess > PROOF else LpState.FAILED
                best, most = Reply(state, constant, slopes, self._told_by(multipliers)), excess
        return best

    def _told_by(self, multipliers: Vector) -> Proof:
        """Return the multipliers that are not zero, those of covers with their rows."""
        base = self.program.base_height
        taken = np.flatnonzero(multipliers)
        rows, covers = taken[taken < base], taken[taken >= base]
        return Proof(rows, multipliers[rows], tuple(self.covers[cover - base] for cover in covers), multipliers[covers])

    def add_cover(self, row: Row) -> None:
        """Add a row that holds for every plan, in positions of the whole matrix.

        Nothing is added where the members of a group differ in it: leaving a cover out only weakens the relaxation.
        """
        inside = self.block.inside(row)
        if inside is None:
            return
        if len(self.covers) >= MOST_COVERS:
            self._forget_covers()
        self.program.add_rows([inside])
        self.covers.append(inside)
        self.asked, self.covered, self.sides, self.duals_known = None, None, None, False

    def _forget_covers(self) -> None:
        """Delete the covers that do not bind; the older half where the last solve does not tell."""
        base, idle = self.program.base_height, np.arange(len(self.covers) // 2)
        if self.duals_known:
            idle = np.flatnonzero(np.abs(self.program.row_duals()[base : base + len(self.covers)]) <= 1e-9)
        if idle.size:
            self.program.delete_rows(base + idle)
        gone = set(idle.tolist())
        self.covers = [row for position, row in enumerate(self.covers) if position not in gone]
