"""What a search may branch on: counts of plants that must be whole, from the whole plan down to one build.

A relaxation that builds a third of a plant here and a fifth there is answered best by a question about
the plan as a whole: is a plant on line by 2034 or not? Each question is a set of yes/no columns whose
sum is a whole number in every plan.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from model.matrix import Matrix, Vector
from model.problem import Problem

Columns = npt.NDArray[np.intp]
ON_LINE, SINGLE = "on line", "single"
WHOLE = 1e-6
"""A count is whole within this, as HiGHS takes it for single columns."""


@dataclass(frozen=True)
class Question:
    """A set of yes/no columns whose sum is whole in every plan.

    Parameters
    ----------
    kind
        Of like questions; those of each kind get their turn.
    name
        For the log: what is counted.
    rank
        Lower ranks are asked first: 0 when and how large, 1 where and when, 2 how large where, 3 a single column.
    columns
        Positions in the matrix.
    least
        A plan that has any has at least so many: where no country may hold more than 60 % of capacity, one plant cannot stand alone.
    needs
        Year, and capacity that every plan that has any has on line by then, kt/y, where no country may hold more than a share: a plant of 15 kt
        needs 10 kt elsewhere. None where there is no such share.
    """

    kind: str
    name: str
    rank: int
    columns: Columns
    least: int = 1
    needs: tuple[int, float] | None = None


@dataclass(frozen=True)
class Doubt:
    """A question that a point leaves open, and its count there."""

    number: int
    question: Question
    count: float

    @property
    def distance(self) -> float:
        """How far the count is from whole."""
        low, high = self.answers
        return float(min(self.count - low, high - self.count) / (high - low))

    @property
    def distances(self) -> tuple[float, float]:
        """How far the count is from either answer."""
        low, high = self.answers
        return max(float(self.count - low), WHOLE), max(float(high - self.count), WHOLE)

    @property
    def answers(self) -> tuple[float, float]:
        """The two counts on either side that a plan can have: at most the first or at least the second."""
        if self.count < self.question.least:
            return 0.0, float(self.question.least)
        return float(np.floor(self.count)), float(np.ceil(self.count))


def ask_about_plants(problem: Problem, matrix: Matrix) -> tuple[Question, ...]:
    """Return the questions about the builds of a matrix, and one for each other whole-number column.

    Parameters
    ----------
    problem
        For capacity and scope of the designs.
    matrix
        Whole or reduced; only the builds that it holds count.
    """
    whole = np.flatnonzero(matrix.integer)
    builds = np.array([column for column in whole if matrix.columns[column][0] == "build"], dtype=np.intp)
    others = np.setdiff1d(whole, builds)
    questions = [Question(SINGLE, str(matrix.columns[column]), 3, np.array([column], dtype=np.intp)) for column in others]
    if not builds.size:
        return tuple(questions)
    keys = [matrix.columns[column][1] for column in builds]
    host, design, way, year = (np.array([key[part] for key in keys]) for part in range(4))
    capacity = np.array([problem.capacity[d] for d in design])
    integrated = np.array([problem.integrated[d] for d in design])
    found: dict[tuple[int, ...], Question] = {}

    def ask(kind: str, name: str, rank: int, members: npt.NDArray[np.bool_], least: int = 1) -> None:
        columns = builds[members]
        if columns.size > 1:
            found.setdefault(
                tuple(columns.tolist()), Question(kind, name, rank, columns, least, needs(year[members].max(), capacity[members].min()))
            )

    def needs(last: int, smallest: float) -> tuple[int, float] | None:
        limited = [y for y in problem.years if y >= max(last, problem.country_share_from)]
        share = problem.country_share_limit
        return (limited[0], float(smallest) / share) if limited and share < 1.0 else None

    years, sizes = np.unique(year), np.unique(capacity)[1:]
    for y in years:
        shared = problem.country_share_limit < 1.0 and y >= problem.country_share_from
        ask(ON_LINE, f"plants on line by {y}", 0, year <= y, math.ceil(1.0 / problem.country_share_limit - WHOLE) if shared else 1)
        # by year: a plant of the last year costs next to nothing, so a count over all years can be made whole without making any other so
        for size in sizes:
            ask("size", f"plants of at least {size:g} kt by {y}", 0, (capacity >= size) & (year <= y))
        ask("integrated", f"integrated plants by {y}", 0, integrated & (year <= y))
    for h in dict.fromkeys(host):
        here = host == h
        for y in years:
            ask("host", f"plants at {h} by {y}", 1, here & (year <= y))
        for size in sizes:
            ask("size", f"plants of at least {size:g} kt at {h}", 2, here & (capacity >= size))
        ask("integrated", f"integrated plants at {h}", 2, here & integrated)
        for w in dict.fromkeys(way[here]):
            ask("way", f"plants at {h} in the way {w}", 2, here & (way == w))
    questions += [
        Question(SINGLE, str(matrix.columns[column]), 3, np.array([column], dtype=np.intp), needs=needs(y, size))
        for column, y, size in zip(builds, year.tolist(), capacity, strict=True)
    ]
    return (*found.values(), *questions)


def capacity_by(problem: Problem, matrix: Matrix, year: int) -> Vector:
    """Return the capacity that each column of a matrix brings on line by a year, kt/y: that of a build, and 0 of any other."""
    on_line: dict[object, float] = {key: problem.capacity[key[1]] for key in problem.builds if key[3] <= year}
    return np.array([on_line.get(index, 0.0) if component == "build" else 0.0 for component, index in matrix.columns])


def members_of(questions: Sequence[Question], width: int) -> sp.csr_array:
    """Return a matrix (questions, `width`) of ones where a column counts for a question."""
    columns = np.concatenate([question.columns for question in questions]) if questions else np.zeros(0, dtype=np.intp)
    starts = np.concatenate([[0], np.cumsum([question.columns.size for question in questions], dtype=np.intp)])
    return sp.csr_array((np.ones(columns.size), columns, starts), shape=(len(questions), width))


def doubts_at(questions: Sequence[Question], values: Vector, members: sp.csr_array | None = None) -> list[Doubt]:
    """Return the questions that a point leaves open, those to ask first at the front: by rank, one of each kind in turn, the furthest from whole first.

    Parameters
    ----------
    questions
        Of the matrix.
    values
        One entry a column.
    members
        What :func:`members_of` returned, where it is at hand.
    """
    members = members_of(questions, values.size) if members is None else members
    counts = members @ values
    near = WHOLE * np.sqrt(np.diff(members.indptr))
    least = np.array([question.least for question in questions], dtype=float)
    is_open = (np.abs(counts - np.round(counts)) > near) | ((near < counts) & (counts < least - near))
    open_ones = [Doubt(number, questions[number], float(counts[number])) for number in np.flatnonzero(is_open).tolist()]
    open_ones.sort(key=lambda doubt: (doubt.question.rank, -doubt.distance, doubt.number))
    turns: Counter[tuple[int, str]] = Counter()
    turn_of = {}
    for doubt in open_ones:
        kind = doubt.question.rank, doubt.question.kind
        turn_of[doubt.number] = turns[kind]
        turns[kind] += 1
    return sorted(open_ones, key=lambda doubt: (doubt.question.rank, turn_of[doubt.number]))
