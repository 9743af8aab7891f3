"""Pseudo-costs: what answers to a question cost before, per unit of the distance to them."""

from __future__ import annotations

from model.node import Answer, Count

RELIABLE = 2
"""A question whose answers were followed so often is judged by what they cost before."""


class PseudoCosts:
    """Mean rise of the bound by answer, per unit of distance, MUSD."""

    def __init__(self) -> None:
        self.known: dict[tuple[Count, int], tuple[float, int]] = {}

    def copy(self) -> PseudoCosts:
        """Return pseudo-costs that begin with the same knowledge."""
        other = PseudoCosts()
        other.known = dict(self.known)
        return other

    def learn(self, answer: Answer, cost: float) -> None:
        """Note what the part that an answer made costs at least."""
        total, times = self.known.get((answer.count, answer.side), (0.0, 0))
        self.known[answer.count, answer.side] = total + max(0.0, cost - answer.bound) / answer.distance, times + 1

    def rises(self, count: Count, distances: tuple[float, float]) -> tuple[float, float] | None:
        """Return what the two answers are expected to add to the bound, MUSD; None where either was followed too seldom."""
        expected = []
        for side, distance in enumerate(distances):
            total, times = self.known.get((count, side), (0.0, 0))
            if times < RELIABLE:
                return None
            expected.append(distance * total / times)
        return expected[0], expected[1]
