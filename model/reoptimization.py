"""Where a search parted its problem, and how the search of a neighbour begins with the parts that this one ended with.

A neighbour's search asks much the same questions from the whole plan down before any part of it costs too much. It need not solve what
lies above: the answers to a question make up all plans, whatever the figures, so that beginning with the parts can be slow but not wrong.
Only the questions are handed on; what their answers limit is stated anew by the neighbour's own rules. Questions that do not suit multiply
what there is to search, so only those are asked again that the neighbour's own relaxation leaves open.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from model.branching import Doubt
from model.node import Node, Place

MOST_SPLITS = 300
"""Questions that are handed on: those asked where the bound was lowest."""

WIDER = 1.5
"""Where there is so many times the room below the cutoff, the neighbour's search was another one and its questions are not asked."""


@dataclass(frozen=True)
class Split:
    """A question that parted a problem.

    Parameters
    ----------
    question
        Its kind and name.
    at_most
        The lower of the two answers.
    rise
        By how much the bound of the part exceeded that of the whole in the search that solved it, MUSD.
    sides
        For each answer the position of the split that parted it further; -1 where none did.
    """

    question: tuple[str, str]
    at_most: float
    rise: float
    sides: tuple[int, int] = (-1, -1)


@dataclass(frozen=True)
class Partition:
    """How a search parted its problem.

    Parameters
    ----------
    room
        From the bound of the whole to the cutoff at the end, MUSD.
    splits
        The whole's first, each before those of its parts.
    """

    room: float
    splits: tuple[Split, ...]


@dataclass(frozen=True, slots=True)
class Parted:
    """What became of a part that was parted.

    Parameters
    ----------
    doubt
        The question; where a neighbour's search asked it, its count only says between which answers.
    bound
        Of the part, MUSD; where it was not solved, what the neighbour's search lets expect. It is no proof.
    places
        Of the two new parts.
    """

    doubt: Doubt
    bound: float
    places: tuple[Place | None, Place | None]


def partition_of(parted: Mapping[Place | None, Parted], bound: float, cutoff: float) -> Partition | None:
    """Return how a search parted its problem; None where it did not.

    Parameters
    ----------
    parted
        By the place of the part.
    bound
        Of the whole, MUSD.
    cutoff
        At the end, MUSD.
    """
    order = itertools.count()
    waiting: list[tuple[float, int, Place | None, tuple[int, int]]] = []
    splits: list[Split] = []
    sides: list[list[int]] = []

    def wait(place: Place | None, above: int, side: int) -> None:
        if place in parted:
            heapq.heappush(waiting, (parted[place].bound, next(order), place, (above, side)))

    wait(None, -1, 0)
    while waiting and len(splits) < MOST_SPLITS:
        _, _, place, (above, side) = heapq.heappop(waiting)
        if above >= 0:
            sides[above][side] = len(splits)
        found = parted[place]
        for number, half in enumerate(found.places):
            wait(half, len(splits), number)
        question = found.doubt.question
        splits.append(Split((question.kind, question.name), found.doubt.answers[0], max(0.0, found.bound - bound)))
        sides.append([-1, -1])
    told = tuple(replace(split, sides=(low, high)) for split, (low, high) in zip(splits, sides, strict=True))
    return Partition(cutoff - bound, told) if told else None


def parts_from(
    partition: Partition, whole: Node, room: float, doubts: Sequence[Doubt], answer: Callable[[Node, Doubt, int], Node]
) -> tuple[list[Node], dict[Place | None, Parted]]:
    """Return the parts that a search begins with, which together are the whole, and what was parted for them.

    Parameters
    ----------
    partition
        Of a neighbour's search.
    whole
        What to search.
    room
        From its bound to the cutoff, MUSD: a part whose bound rose by more in the neighbour's search is likely to need no question.
    doubts
        Questions that the whole leaves open; no other is asked.
    answer
        Returns the part that an answer, 0 or 1, makes of a part.
    """
    splits = partition.splits if room < WIDER * partition.room else ()
    doubt_of = {(doubt.question.kind, doubt.question.name): doubt for doubt in doubts}
    parts: list[Node] = []
    parted: dict[Place | None, Parted] = {}
    waiting = [(whole, 0 if splits else -1)]
    while waiting:
        node, at = waiting.pop()
        asked = doubt_of.get(splits[at].question) if at >= 0 and splits[at].rise < room else None
        if asked is None:
            parts.append(node)
            continue
        doubt = replace(asked, count=splits[at].at_most + 0.5)
        halves = answer(node, doubt, 0), answer(node, doubt, 1)
        parted[node.place] = Parted(doubt, whole.bound + splits[at].rise, (halves[0].place, halves[1].place))
        # a single build cannot both stand and be ruled out
        waiting += [(halves[side], splits[at].sides[side]) for side in (1, 0) if (halves[side].lower <= halves[side].upper).all()]
    return parts, parted
