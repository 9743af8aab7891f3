"""Parts of the plans that a search parts further, the counts that they limit and the plans found in them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from model.linear_program import Basis
from model.matrix import Matrix, Vector


@dataclass(frozen=True, eq=False)
class Count:
    """Places among the whole-number columns whose sum a node may limit; `weights`, one a whole-number column, if it is a weighted one."""

    places: npt.NDArray[np.intp]
    weights: Vector | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """Where a part stands in the tree of a search: nothing but itself."""


@dataclass(frozen=True)
class Node:
    """A part of the plans: those with builds within bounds and counts within limits.

    Parameters
    ----------
    bound
        No plan of the part costs less, MUSD.
    lower, upper
        Of the whole-number columns of the whole matrix, in their order.
    limits
        Count -> (least, most).
    basis, epoch
        Where to start, and the linear program that it belongs to; -1: none, -2: the whole matrix.
    answer
        The question that parted it from its parent.
    place
        In the tree of the search; None for the whole.
    """

    bound: float
    lower: Vector
    upper: Vector
    limits: dict[Count, tuple[float, float]] = field(default_factory=dict)
    basis: Basis | None = None
    epoch: int = -1
    depth: int = 0
    answer: Answer | None = None
    place: Place | None = None


@dataclass(frozen=True, eq=False)
class Answer:
    """What made a node of its parent: a count, the side of it, how far the parent was from that side, and the parent's bound."""

    count: Count
    side: int
    distance: float
    bound: float


@dataclass(frozen=True)
class Incumbent:
    """A whole plan: objective and the values of the whole-number columns."""

    objective: float
    whole: Vector


def root_node(matrix: Matrix, bound: float, basis: Basis | None = None) -> Node:
    """Return the part that holds every plan of a matrix."""
    whole = np.flatnonzero(matrix.integer)
    return Node(bound, matrix.lower[whole].copy(), matrix.upper[whole].copy(), {}, basis, -2 if basis is not None else -1)
