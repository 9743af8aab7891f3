"""The relaxation of a parted matrix: a small master program of what links the blocks, and cuts that tell it what the blocks cost.

Benders' decomposition with a cut a block. The cuts hold everywhere, so what one part of a search learns
about a year serves all others; that is why it is faster than solving the whole program again at each part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.block_program import PROOF, BlockProgram
from model.cut_pool import Cut, Proof
from model.decomposition import Decomposition
from model.linear_program import NO_LIMIT, Basis, LinearProgram, LpState, StopSignal
from model.master_program import MasterProgram
from model.matrix import Row, Vector
from model.outcome import SolveOptions

MOST_ROUNDS = 60
"""Rounds of cuts in one solve."""

NEAR, SLOW = 0.6, 0.2
"""A solve ends once the blocks cost less than this share of the room below the cutoff more than the cuts tell, or a round lifts the bound by less than the second."""

UNASKED = 10
"""Solves in a row for which the cuts alone may answer: the blocks are asked where that may take the bound above the cutoff, or to learn."""

MOST_UNASKED, LEARNT = 80, 0.1
"""Where blocks that were asked to learn told less than the second share of the room, they are left alone for twice as long, up to the first."""

SMOOTHING = 0.1
"""Weight of the last answer in what the blocks are expected to add to the bound, and of the last point in the core point."""

CORE_SHARE = 0.4
"""How far from the master's point towards the core point the blocks are asked: the in-out method.

A cut from further in is less good where it was asked for and better everywhere else.
"""

PATIENT_ROUNDS = 4
"""Rounds after which blocks that are still impossible are left to the whole program."""

EXACT = 1e-7
"""What the cuts may miss of a plan's cost, as a share of it, at least."""


class DecomposedProgram:
    """Stands in for :class:`LinearProgram` in a search; its objective is a bound, and a plan's cost where no whole-number column is open.

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
        self.matrix = parts.matrix
        self.master = MasterProgram(parts, options, stop)
        self.blocks = [BlockProgram(block, options, stop) for block in parts.blocks]
        self.column_block = parts.column_block
        self.fresh_cuts: list[Cut] = []
        self.row_in_whole: dict[int, int] = {}
        self.objective = float("nan")
        self.is_fresh = True
        self.unasked, self.most_unasked, self.expected = 0, UNASKED, np.inf
        self.core_point: Vector | None = None
        self.asked_at = np.zeros(parts.linking.size)
        self.first_iterations = whole.iterations
        program = LinearProgram(parts.loose.matrix, options, stop)
        loose = program.solve()
        if loose not in (LpState.OPTIMAL, LpState.INFEASIBLE, LpState.STOPPED):
            loose = program.solve_afresh()
        self.loose = loose
        solved = loose is LpState.OPTIMAL
        self.constant, self.loose_point = (program.objective, program.values()) if solved else (0.0, np.zeros(parts.loose.columns.size))
        self._add_cuts(self._cuts_of_whole())

    def twin(self) -> DecomposedProgram:
        """Return another program of the same parts that knows the same cuts, for another thread."""
        whole = LinearProgram(self.matrix, self.options, self.stop, self.whole.basis())
        whole.solve()
        other = DecomposedProgram(self.parts, self.options, self.stop, whole)
        other.learn([cut for pool in self.master.pools for cut in pool.cuts])
        return other

    # --- solving -----------------------------------------------------------------------------

    @property
    def iterations(self) -> int:
        """Simplex iterations of master, blocks and whole; one of a block counts for a tenth, as it takes about that long."""
        whole = self.whole.iterations - self.first_iterations
        return self.master.program.iterations + whole + sum(block.program.iterations for block in self.blocks) // 10

    def solve(self, cutoff: float = np.inf, iterations: int = NO_LIMIT) -> LpState:
        """Solve until the cuts tell enough; see :meth:`LinearProgram.solve`.

        With a limit on iterations the blocks are not asked: what the master knows is the answer.
        """
        if self.loose is not LpState.OPTIMAL:
            return self.loose
        master, own_cutoff = self.master, cutoff - self.constant
        before = -np.inf
        for number in range(MOST_ROUNDS):
            state = master.solve(own_cutoff, iterations)
            if state is LpState.FAILED:
                return self._solve_whole(cutoff) if iterations == NO_LIMIT else state
            if state in (LpState.OPTIMAL, LpState.UNFINISHED):
                self.objective = master.objective + self.constant
            if state is not LpState.OPTIMAL or iterations != NO_LIMIT:
                return state
            bound, room = master.objective, own_cutoff - master.objective
            master.read()
            if number == 0 and not self._is_worth_asking(room):
                self.is_fresh = False
                return LpState.OPTIMAL
            cuts, missing, state = self._ask(CORE_SHARE)
            if not cuts and state is LpState.OPTIMAL:
                cuts, missing, state = self._ask(0.0)
            if state is LpState.STOPPED:
                return state
            self.is_fresh = True
            if number == 0 and np.isfinite(missing):
                if self.expected < room < np.inf:
                    self.most_unasked = min(MOST_UNASKED, 2 * self.most_unasked) if missing < LEARNT * room else UNASKED
                self.expected = missing if np.isinf(self.expected) else (1 - SMOOTHING) * self.expected + SMOOTHING * missing
            self._add_cuts(cuts)
            if not cuts and missing <= self._enough(bound):
                if master.all_fixed:
                    self.objective = bound + missing + self.constant
                return LpState.OPTIMAL
            if not cuts or state is LpState.FAILED or (number >= PATIENT_ROUNDS and np.isinf(missing)):
                return self._solve_whole(cutoff)
            if np.isfinite(missing) and not master.all_whole:
                near = missing < NEAR * room
                if near or (number > 0 and bound - before < SLOW * room):
                    return LpState.OPTIMAL
            before = bound
        return self._solve_whole(cutoff)

    def _is_worth_asking(self, room: float) -> bool:
        """Whether to ask the blocks at a point: where it is a plan or nothing is known yet, where they may rule it out, and now and then to learn."""
        self.unasked += 1
        if self.unasked < self.most_unasked and not self.master.all_whole and self.expected < room < np.inf:
            return False
        self.unasked = 0
        return True

    def _enough(self, bound: float) -> float:
        """Return what the cuts may miss where the bound is to be a plan's cost, MUSD."""
        return max(EXACT * abs(bound), 0.01 * self.options.absolute_gap, 0.01 * self.options.relative_gap * abs(bound))

    def _ask(self, core_share: float) -> tuple[list[Cut], float, LpState]:
        """Ask every block what a point costs.

        Parameters
        ----------
        core_share
            How far from the master's point to ask; not where that point is a plan, whose cost is to be known.

        Returns
        -------
        list[Cut], float, LpState
            Cuts that the master's point violates, what the cuts before missed there at least, and the worst state.
        """
        master, cuts, worst = self.master, [], LpState.OPTIMAL
        point, known, missing = master.values[: master.width], master.known_costs, 0.0
        core = point if self.core_point is None else self.core_point
        self.core_point = (1 - SMOOTHING) * core + SMOOTHING * point
        core_share = 0.0 if master.all_whole else core_share
        self.asked_at = point + core_share * (self.core_point - point)
        for k, block in enumerate(self.blocks):
            reply = block.ask(master.groups_at(k, self.asked_at))
            if reply.state is LpState.STOPPED:
                return [], np.inf, reply.state
            # the core point keeps a trace of where it has been, on the border of what is possible; what rules such a place out may tell at the master's
            on_border = reply.state is LpState.FAILED and reply.slopes is not None and core_share > 0
            fails = reply.state not in (LpState.OPTIMAL, LpState.INFEASIBLE) and not on_border
            if fails:
                worst = LpState.FAILED
            if reply.state is not LpState.OPTIMAL and not core_share:
                missing = np.inf
            if fails or reply.slopes is None:
                continue
            told = block.cost if not core_share else reply.constant + float(reply.slopes @ master.groups_at(k, point))
            if reply.state is not LpState.OPTIMAL:
                if told > (PROOF if on_border else 0.0):
                    cuts.append(master.feasibility_cut(k, reply.constant, reply.slopes, reply.proof))
                    missing = np.inf
            elif told > known[k] + EXACT * max(1.0, abs(known[k])):
                cuts.append(master.optimality_cut(k, reply.constant, reply.slopes, reply.proof))
                missing += told - known[k]
        return cuts, missing if worst is LpState.OPTIMAL else np.inf, worst

    def _solve_whole(self, cutoff: float) -> LpState:
        """Solve the whole program, without covers, where the blocks go on refusing what the master proposes, and tell the master what it costs."""
        whole, master, linking = self.whole, self.master, self.parts.linking
        whole.bound_columns(linking, master.program.lower[: master.width], master.program.upper[: master.width])
        for name, row in master.stated.items():
            if name not in self.row_in_whole:
                self.row_in_whole[name] = whole.add_rows([row])
            whole.bound_row(self.row_in_whole[name], row.lower, row.upper)
        state = whole.solve(cutoff)
        if state in (LpState.FAILED, LpState.UNFINISHED):
            state = whole.solve_afresh(cutoff)
        if state is not LpState.OPTIMAL:
            return state
        values = whole.values()
        self._add_cuts(self._cuts_of_whole())
        self.objective = whole.objective
        master.values[: master.width] = values[linking]
        master.reduced[: master.width] = whole.reduced_costs()[linking]
        self.asked_at, self.is_fresh = values[linking], True
        for block in self.blocks:
            block.point, block.asked = values[block.block.columns], None
        return LpState.OPTIMAL

    def _cuts_of_whole(self) -> list[Cut]:
        """Return the cuts that the multipliers of the whole program give: with them the master's bound is no worse than its."""
        duals = self.whole.row_duals()
        if not duals.size:
            return []
        cuts = []
        for k, block in enumerate(self.parts.blocks):
            own = duals[block.rows]
            taken = np.flatnonzero(own)
            cuts.append(self.master.optimality_cut(k, *block.bound_from(own), Proof(taken, own[taken])))
        return cuts

    def solve_afresh(self, cutoff: float = np.inf) -> LpState:
        """Solve the whole program, for when the way over the blocks went wrong."""
        return self._solve_whole(cutoff)

    # --- what a search does to a program -------------------------------------------------------

    def _add_cuts(self, cuts: list[Cut]) -> None:
        self.fresh_cuts += cuts
        self.master.add_cuts(cuts)

    def learn(self, cuts: list[Cut]) -> None:
        """Take over the cuts of another program of the same parts."""
        self.master.pool_cuts(cuts)

    def add_rows(self, rows: Sequence[Row]) -> int:
        """Add rows that hold for every plan, or one of linking columns; return the name of the latter, for :meth:`bound_row`.

        A row of one block is a cover of it; one that spans blocks is left out, which only weakens the relaxation.
        """
        name = -1
        for row in rows:
            numbers = np.unique(self.column_block[row.columns])
            numbers = numbers[numbers != -1]
            if numbers.size == 0:
                name = self.master.add_row(row)
            elif numbers.size == 1 and numbers[0] >= 0:
                self.blocks[int(numbers[0])].add_cover(row)
        return name

    def narrow_to(self, columns: np.ndarray, basis: Basis | None) -> None:
        """Rule out every whole-number column but these; the master then holds little more.

        Parameters
        ----------
        columns
            Positions in the matrix.
        basis
            Of the master, that it is about to start from.
        """
        is_open = np.zeros(len(self.matrix.cost), dtype=bool)
        is_open[columns] = True
        self.master.narrow_to(is_open[self.matrix.integer], basis)

    def bound_columns(self, columns: np.ndarray, lower: Vector, upper: Vector) -> None:
        """Set the bounds of linking columns, which are the only ones that a search moves."""
        assert (self.master.place[columns] >= 0).all()
        self.master.program.bound_columns(self.master.place[columns], lower, upper)

    def bound_row(self, row: int, lower: float, upper: float) -> None:
        """Set the sides of a row by its name."""
        self.master.bound_row(row, lower, upper)

    def values(self) -> Vector:
        """Return the point of the last solve."""
        values = np.zeros(len(self.matrix.cost))
        values[self.parts.linking] = self.master.values[: self.master.width]
        values[self.parts.loose.columns] = self.loose_point
        for block in self.blocks:
            values[block.block.columns] = block.point
        return values

    def asked_point(self) -> Vector:
        """Return where the blocks were asked last, with what they do there."""
        values = self.values()
        values[self.parts.linking] = self.asked_at
        return values

    def reduced_costs(self) -> Vector:
        """Return the reduced costs of the linking columns; 0 for all others."""
        costs = np.zeros(len(self.matrix.cost))
        costs[self.parts.linking] = self.master.reduced[: self.master.width]
        return costs

    def basis(self) -> Basis:
        """Return the basis of the master, rows by name."""
        return self.master.basis()

    def start_from(self, basis: Basis) -> None:
        """Take a basis of the master up."""
        self.master.start_from(basis)
