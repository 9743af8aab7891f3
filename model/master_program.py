"""The master of a parted program: the linking columns, a column for the cost of each block, and the cuts that bound those costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from model.branching import WHOLE
from model.cut_pool import Cut, CutPool, Proof
from model.decomposition import Block, Decomposition
from model.linear_program import BASIC, NO_LIMIT, Basis, LpState, StopSignal
from model.matrix import Matrix, Row, Vector
from model.narrow_program import NarrowProgram
from model.outcome import SolveOptions

IDLE_SOLVES, MOST_CUTS = 10, 150
"""Cuts that bound nothing for so many solves leave the program once there are more than the second number; the pool keeps them."""

POOL_ROUNDS, LITTLE = 5, 0.002
"""Times that a solve goes back to the pool for cuts that its point violates, and what they must tell together, as a share of the room below the cutoff."""

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
        self.first_cost = self.width
        # position and group of every linking column that a block sees; a column for each group's sum would make the program four times as high
        self.seen = [self.place[np.concatenate(block.groups)] if block.groups else np.zeros(0, dtype=np.intp) for block in parts.blocks]
        self.group_of = [np.repeat(np.arange(len(block.groups)), [len(group) for group in block.groups]) for block in parts.blocks]
        self.program = NarrowProgram(self._matrix(), options, stop)
        self.names: list[int] = list(range(self.program.height))
        self.next_name = self.program.height
        self.cuts: dict[int, Cut] = {}
        self.pools = [CutPool(len(block.groups)) for block in parts.blocks]
        self.last_use: dict[int, int] = {}
        self.stated: dict[int, Row] = {}
        self.solves = 0
        self.objective = float("nan")
        self.values = np.zeros(len(self.program.matrix.cost))
        self.reduced = np.zeros(len(self.program.matrix.cost))

    def _matrix(self) -> Matrix:
        matrix, parts = self.parts.matrix, self.parts
        blocks = len(parts.blocks)
        top = matrix.a.tocsr()[parts.rows][:, parts.linking]
        height, width = top.shape
        reach = np.array([_reach(block) for block in parts.blocks])
        return Matrix(
            np.concatenate([matrix.cost[parts.linking], np.ones(blocks)]), matrix.offset,
            sp.hstack([top, sp.csr_array((height, blocks))]).tocsc(), matrix.row_lower[parts.rows], matrix.row_upper[parts.rows],
            np.concatenate([matrix.lower[parts.linking], reach[:, 0]]), np.concatenate([matrix.upper[parts.linking], reach[:, 1]]),
            np.zeros(width + blocks, dtype=bool), tuple(("master", n) for n in range(width + blocks)), tuple(("master", n) for n in range(height)),
        )  # fmt: skip

    # --- solving -----------------------------------------------------------------------------

    def solve(self, cutoff: float, iterations: int = NO_LIMIT) -> LpState:
        """Solve with every cut of the pool that its point would violate; see :meth:`LinearProgram.solve`.

        With a limit on iterations the pool is not asked.
        """
        self._forget_idle()
        state = self._run(cutoff, iterations)
        for _ in range(POOL_ROUNDS if iterations == NO_LIMIT else 0):
            if state is not LpState.OPTIMAL:
                return state
            self.read()
            again = self._violated(cutoff - self.objective)
            if not again:
                return state
            for cut in again:
                self.pools[cut.block].take(cut)
            self._hold(again)
            state = self._run(cutoff, iterations)
        return state

    def _run(self, cutoff: float, iterations: int) -> LpState:
        """Solve from the present basis, or without one where that fails."""
        state = self.program.solve(cutoff, iterations)
        if state in (LpState.FAILED, LpState.UNFINISHED) and iterations == NO_LIMIT:
            state = self.program.solve_afresh(cutoff)
        self.solves += state is LpState.OPTIMAL
        self.objective = self.program.objective
        return state

    def read(self) -> None:
        """Read the point and the reduced costs of the last solve; note which cuts bind."""
        self.values, self.reduced = self.program.values(), self.program.reduced_costs()
        for position in np.flatnonzero(np.abs(self.program.row_duals()) > 1e-9).tolist():
            if self.names[position] in self.cuts:
                self.last_use[self.names[position]] = self.solves

    def _forget_idle(self) -> None:
        """Leave to the pool the cuts that have not bound anything for long."""
        if len(self.cuts) <= MOST_CUTS:
            return
        idle = [position for position, name in enumerate(self.names) if self.solves - self.last_use.get(name, self.solves) > IDLE_SOLVES]
        if len(idle) > MOST_CUTS // 4:
            self._forget(idle)

    def _violated(self, room: float) -> list[Cut]:
        """Return the pooled cut of each block that tells most at the last point; none where all together tell little for the room below the cutoff."""
        known = self.known_costs
        asked = (pool.violated(self.groups_at(k, self.values), float(known[k])) for k, pool in enumerate(self.pools))
        found = [one for one in asked if one is not None]
        enough = LITTLE * room if np.isfinite(room) else 0.0
        return [cut for _, cut in found] if sum(excess for excess, _ in found) > enough else []

    def _forget(self, positions: list[int]) -> None:
        self.program.delete_rows(np.array(positions))
        gone = set(positions)
        for position in positions:
            cut = self.cuts.pop(self.names[position])
            self.pools[cut.block].release(cut)
            del self.last_use[self.names[position]]
        self.names = [name for position, name in enumerate(self.names) if position not in gone]

    def groups_at(self, k: int, point: Vector) -> Vector:
        """Return the groups of block k at a point of the linking columns."""
        return np.bincount(self.group_of[k], point[self.seen[k]], len(self.parts.blocks[k].groups)).astype(float)

    @property
    def known_costs(self) -> Vector:
        """What the cuts say of the cost of each block at the last point."""
        return self.values[self.first_cost :]

    def least_cost(self, k: int) -> float:
        """Return what block k costs at least, whatever the cuts say."""
        return float(self.program.lower[self.first_cost + k])

    @property
    def all_fixed(self) -> bool:
        """Whether the bounds leave no whole-number column open."""
        return bool((self.program.lower[self.whole] == self.program.upper[self.whole]).all())

    @property
    def all_whole(self) -> bool:
        """Whether the last point is a plan."""
        values = self.values[self.whole]
        return bool((np.abs(values - np.round(values)) < WHOLE).all())

    def narrow_to(self, is_open: np.ndarray, basis: Basis | None) -> None:
        """Rule out the whole-number columns but those of the linking columns marked as open; see :meth:`NarrowProgram.narrow_to`."""
        needed = np.ones(len(self.program.matrix.cost), dtype=bool)
        needed[self.whole] = is_open
        self.program.narrow_to(needed, basis)

    # --- rows --------------------------------------------------------------------------------

    def optimality_cut(self, k: int, constant: float, slopes: Vector, proof: Proof | None = None) -> Cut:
        """Return the cut: cost of block k >= constant + slopes · its groups."""
        kept = np.abs(slopes) > SLOPE
        return Cut(k, constant + self._least_of(k, slopes, ~kept), np.where(kept, slopes, 0.0), proof=proof)

    def feasibility_cut(self, k: int, constant: float, slopes: Vector, proof: Proof | None = None) -> Cut:
        """Return the cut: constant + slopes · groups of block k <= 0; the slopes are not all zero."""
        steepest = float(np.abs(slopes).max(initial=0.0))
        assert steepest > 0.0
        kept = np.abs(slopes) > SLOPE * steepest
        constant += self._least_of(k, slopes, ~kept)
        return Cut(k, constant / steepest, np.where(kept, slopes / steepest, 0.0), is_feasibility=True, proof=proof)

    def _least_of(self, k: int, slopes: Vector, dropped: np.ndarray) -> float:
        """Return the least that terms left out of a row can come to, so that it holds without them."""
        block = self.parts.blocks[k]
        lower, upper = block.matrix.lower[block.columns.size :][dropped], block.matrix.upper[block.columns.size :][dropped]
        return float(np.minimum(slopes[dropped] * lower, slopes[dropped] * upper).sum())

    def add_cuts(self, cuts: list[Cut]) -> None:
        """Add cuts; those that do not bind leave again for the pool."""
        for cut in cuts:
            self.pools[cut.block].add(cut, held=True)
        self._hold(cuts)

    def pool_cuts(self, cuts: list[Cut]) -> None:
        """Remember cuts without holding them."""
        for cut in cuts:
            self.pools[cut.block].add(cut, held=False)

    def _hold(self, cuts: list[Cut]) -> None:
        """Add the rows of cuts."""
        self.program.add_rows([self._row(cut) for cut in cuts])
        for cut in cuts:
            self.cuts[self.next_name], self.last_use[self.next_name] = cut, self.solves
            self.names.append(self.next_name)
            self.next_name += 1

    def _row(self, cut: Cut) -> Row:
        weights = -cut.slopes[self.group_of[cut.block]]
        kept = np.flatnonzero(weights)
        columns, weights = self.seen[cut.block][kept], weights[kept]
        if cut.is_feasibility:
            return Row(columns, weights, cut.constant, np.inf)
        return Row(np.append(columns, self.first_cost + cut.block), np.append(weights, 1.0), cut.constant, np.inf)

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
