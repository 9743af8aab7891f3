"""Cuts that tell a master what its blocks cost: all that are known, of which the master holds those that bind."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from model.matrix import Row, Vector

MOST_POOLED = 500
"""Cuts of one block that are remembered; beyond it the oldest that the master does not hold is forgotten."""

VIOLATION = 1e-6
"""A cut says more than the master knows if it misses it by this share of the block's cost, or a feasibility cut by so much of its steepest slope."""


@dataclass(frozen=True, eq=False)
class Proof:
    """The multipliers that a cut is made of.

    Parameters
    ----------
    rows, weights
        Positions in the block's own matrix, and their multipliers.
    covers, cover_weights
        Rows added to it, in its own positions, and theirs.
    """

    rows: npt.NDArray[np.intp]
    weights: Vector
    covers: tuple[Row, ...] = ()
    cover_weights: Vector = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, eq=False)
class Cut:
    """Cost of a block >= constant + slopes · its groups; of a feasibility cut, 0 >= constant + slopes · groups, the steepest slope being 1.

    Parameters
    ----------
    block
        Number of the block.
    constant, slopes
        MUSD, and MUSD per unit of each group.
    is_feasibility
        Whether it rules out points at which the block is impossible, whatever they cost.
    proof
        What it follows from, where that is known.
    """

    block: int
    constant: float
    slopes: Vector
    is_feasibility: bool = False
    proof: Proof | None = None


@dataclass
class CutPool:
    """The cuts of one block.

    Parameters
    ----------
    width
        Groups of the block.
    """

    width: int
    cuts: list[Cut] = field(default_factory=list)
    slopes: Vector = field(init=False)
    constants: Vector = field(init=False)
    costs: Vector = field(init=False)
    free: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.slopes, self.constants, self.costs = np.zeros((0, self.width)), np.zeros(0), np.zeros(0)
        self.free = np.zeros(0, dtype=bool)

    def add(self, cut: Cut, held: bool) -> None:
        """Remember a cut, and whether the master holds it."""
        if len(self.cuts) >= MOST_POOLED and self.free.any():
            self._drop(int(np.argmax(self.free)))
        if len(self.cuts) == len(self.constants):
            more = max(16, len(self.cuts))
            self.slopes = np.vstack([self.slopes, np.zeros((more, self.width))])
            self.constants, self.costs = np.append(self.constants, np.zeros(more)), np.append(self.costs, np.zeros(more))
            self.free = np.append(self.free, np.zeros(more, dtype=bool))
        number = len(self.cuts)
        self.cuts.append(cut)
        self.slopes[number], self.constants[number], self.costs[number] = cut.slopes, cut.constant, not cut.is_feasibility
        self.free[number] = not held

    def release(self, cut: Cut) -> None:
        """Note that the master no longer holds a cut."""
        self.free[self.cuts.index(cut)] = True

    def violated(self, groups: Vector, known: float) -> tuple[float, Cut] | None:
        """Return how much more than the master knows the best cut outside it tells at a point, and that cut; None if none does.

        Parameters
        ----------
        groups
            The point.
        known
            What the master takes the block to cost there.

        Returns
        -------
        float, Cut
            MUSD; infinite for a feasibility cut.
        """
        count = len(self.cuts)
        if not self.free[:count].any():
            return None
        excess = self.constants[:count] + self.slopes[:count] @ groups - self.costs[:count] * known
        excess[~self.free[:count]] = -np.inf
        feasibility = self.costs[:count] == 0.0
        excess[feasibility & (excess > VIOLATION)] = np.inf
        best = int(np.argmax(excess))
        return (float(excess[best]), self.cuts[best]) if excess[best] > VIOLATION * max(1.0, abs(known)) else None

    def foremost(self, count: int) -> list[Cut]:
        """Return so many cuts: those that the master holds, then the newest."""
        order = np.argsort(self.free[: len(self.cuts)][::-1], kind="stable")[:count]
        return [self.cuts[len(self.cuts) - 1 - number] for number in order.tolist()]

    def take(self, cut: Cut) -> None:
        """Note that the master holds a cut."""
        self.free[self.cuts.index(cut)] = False

    def _drop(self, number: int) -> None:
        del self.cuts[number]
        for table in (self.slopes, self.constants, self.costs, self.free):
            table[number:-1] = table[number + 1 :]
        self.free[-1] = False
