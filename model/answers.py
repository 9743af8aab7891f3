"""What an answer to a question makes of a part of the plans, and the counts that it limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model.branching import Doubt, capacity_by
from model.linear_program import Basis
from model.matrix import Matrix
from model.node import Answer, Count, Node, Place
from model.problem import Problem


class Answers:
    """Parts nodes of one matrix; searches of the same linear program share it, in a thread each, so that a count is the same in all of them.

    Parameters
    ----------
    problem, matrix
        The two forms of one model.
    """

    def __init__(self, problem: Problem, matrix: Matrix) -> None:
        self.problem, self.matrix = problem, matrix
        self._counts: dict[tuple[int, ...], Count] = {}
        self._capacities: dict[int, Count] = {}

    def count_at(self, places: Sequence[int]) -> Count:
        """Return the count of these places among the whole-number columns."""
        return self._counts.setdefault(tuple(places), Count(np.array(places, dtype=np.intp)))

    def part(self, node: Node, doubt: Doubt, count: Count, side: int, basis: Basis, epoch: int) -> Node:
        """Return the part of a node where a count is at most the lower (side 0) or at least the higher (side 1) of the two that a plan can have.

        Parameters
        ----------
        doubt, count
            The question as the node's point leaves it open, and what it counts.
        basis, epoch
            Where the part starts, and the linear program that it belongs to.
        """
        members = count.places
        at_most, at_least = doubt.answers
        low, high = (-np.inf, at_most) if side == 0 else (at_least, np.inf)
        lower, upper, limits = node.lower, node.upper, node.limits
        if members.size == 1:
            lower, upper = lower.copy(), upper.copy()
            lower[members], upper[members] = np.maximum(lower[members], low), np.minimum(upper[members], high)
        elif high == 0.0:
            upper = upper.copy()
            upper[members] = 0.0
        else:
            limits = _limited(limits, count, low, high)
        needs = doubt.question.needs
        if side == 1 and needs is not None:
            limits = _limited(limits, self._capacity_by(needs[0]), needs[1], np.inf)
        answer = Answer(count, side, doubt.distances[side], node.bound)
        return replace(
            node, lower=lower, upper=upper, limits=limits, basis=basis, epoch=epoch, depth=node.depth + 1, answer=answer, place=Place()
        )  # fmt: skip

    def _capacity_by(self, year: int) -> Count:
        """Return the capacity on line by a year, kt/y, as a sum that a node may limit."""
        if year not in self._capacities:
            weights = capacity_by(self.problem, self.matrix, year)[self.matrix.integer]
            return self._capacities.setdefault(year, Count(np.flatnonzero(weights), weights))
        return self._capacities[year]


def _limited(limits: dict[Count, tuple[float, float]], count: Count, low: float, high: float) -> dict[Count, tuple[float, float]]:
    """Return the limits with a count held between two numbers as well."""
    least, most = limits.get(count, (-np.inf, np.inf))
    return {**limits, count: (max(least, low), min(most, high))}
