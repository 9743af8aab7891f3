"""What the search of one problem tells the search of a neighbour: where the simplex ended, which covers bound, what its cuts rest on and where it parted.

Only the way is handed on. The covers are stated and the cuts made anew with the neighbour's own figures, and its simplex goes
on from the basis to its own optimum.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from typing import cast

import numpy as np

from model.covers import CapacityCovers, Cover
from model.linear_program import AT_LOWER, BASIC, Basis, Statuses
from model.matrix import Matrix, Name, Row
from model.node import Incumbent, Node
from model.problem import BuildKey, Problem
from model.proofs import Proofs
from model.reduction import reduce_matrix
from model.reoptimization import Partition

MOST_PLANS = 30
"""Plans that are handed on."""


@dataclass(frozen=True)
class HotStart:
    """Bases of a relaxation before any cover and of its root, and the covers that bind in either, by name.

    Parameters
    ----------
    columns, rows
        Names, in the order of the statuses.
    basis
        Statuses of the columns and rows.
    covers
        Their sets of sources, not their figures.
    root
        Statuses at the root: of the columns, of the rows, then of the covers.
    proofs
        What the cuts of a parted search are made of.
    partition
        Of the plans by the search itself; None where it had nothing to ask: what an earlier one asked does not suit the next neighbour but one.
    plans
        Plants of the plans met, one for each set of hosts: those of the last search, cheapest first, then those that it was told of.
    """

    columns: tuple[Name, ...]
    rows: tuple[Name, ...]
    basis: Basis
    covers: tuple[Cover, ...]
    root: Basis | None = None
    proofs: Proofs | None = None
    partition: Partition | None = None
    plans: tuple[tuple[BuildKey, ...], ...] = ()

    def plan_other_than(self, host_sets: Collection[frozenset[str]]) -> tuple[BuildKey, ...]:
        """Return the plants of the first plan whose hosts are none of these sets; empty if there is none."""
        return next((plants for plants in self.plans if hosts_of(plants) not in host_sets), ())

    def basis_for(self, matrix: Matrix) -> Basis:
        """Return a basis of a neighbour's matrix: columns and rows that are new there are nonbasic and basic."""
        return Basis(
            _moved(self.columns, self.basis.columns, matrix.columns, AT_LOWER), _moved(self.rows, self.basis.rows, matrix.rows, BASIC)
        )

    def root_for(self, matrix: Matrix) -> Basis | None:
        """Return the basis of the root in a neighbour's matrix, the covers' statuses at its end; None where it does not tell of all covers."""
        height = len(self.rows)
        if self.root is None or self.root.rows.size != height + len(self.covers):
            return None
        rows = _moved(self.rows, self.root.rows[:height], matrix.rows, BASIC)
        return Basis(_moved(self.columns, self.root.columns, matrix.columns, AT_LOWER), np.concatenate([rows, self.root.rows[height:]]))


def hosts_of(plants: Iterable[BuildKey]) -> frozenset[str]:
    """Return the hosts that hold a plant."""
    return frozenset(host for host, *_ in plants)


def starts_from(start: tuple[BuildKey, ...], hot: HotStart | None) -> tuple[tuple[BuildKey, ...], ...]:
    """Return the plants to try first: those asked for, if any, and those of the neighbour's plan, which may turn out cheaper."""
    told = hot.plans[:1] if hot is not None else ()
    # the same plants may be named in another order
    return (*([start] if start else []), *(plants for plants in told if frozenset(plants) != frozenset(start)))


def plans_met(matrix: Matrix, taken: Sequence[Incumbent], known: Iterable[tuple[BuildKey, ...]]) -> tuple[tuple[BuildKey, ...], ...]:
    """Return the plants of the cheapest plan with each set of hosts: of those that a search took, each cheaper than the one before, then of those known."""
    builds = [(place, name[1]) for place, name in enumerate(compress(matrix.columns, matrix.integer)) if name[0] == "build"]
    met = [tuple(cast(BuildKey, key) for place, key in builds if plan.whole[place] > 0.5) for plan in reversed(taken)]
    cheapest: dict[frozenset[str], tuple[BuildKey, ...]] = {}
    for plants in (*met, *known):
        cheapest.setdefault(hosts_of(plants), plants)
    return tuple(cheapest.values())[:MOST_PLANS]


def hot_start(problem: Problem, matrix: Matrix, basis: Basis, tight: Matrix, root: Node) -> HotStart | None:
    """Return what a relaxation and the root after it tell; None where rows of the model are stated on demand.

    Parameters
    ----------
    matrix
        As it was given to the relaxation.
    basis
        Of the relaxation before any cover.
    tight
        The matrix with the covers that bind in the relaxation and at the root at its end.
    root
        What it rules out can only be zero.
    """
    if matrix.implied is not None:
        return None
    upper = tight.upper.copy()
    upper[tight.integer] = root.upper
    found = reduce_matrix(tight.with_bounds(tight.lower, upper))
    if found is None:
        return None
    first = len(matrix.row_lower)
    place = np.full(len(tight.cost), -1, dtype=np.intp)
    place[found.columns] = np.arange(found.columns.size)
    by_row = tight.a.tocsr()[first:]
    added = [by_row.indices[start:end] for start, end in pairwise(by_row.indptr.tolist())]
    rows = [
        Row(place[own][place[own] >= 0], np.ones(0), low, high)
        for own, low, high in zip(added, tight.row_lower[first:], tight.row_upper[first:], strict=True)
    ]
    covers = CapacityCovers(problem, found.matrix).covers_of(rows)
    ends = None
    if root.basis is not None and root.basis.rows.size == len(tight.row_lower):
        named = np.flatnonzero([cover is not None for cover in covers])
        ends = Basis(root.basis.columns, np.concatenate([root.basis.rows[:first], root.basis.rows[first + named]]))
    return HotStart(matrix.columns, matrix.rows, basis, tuple(cover for cover in covers if cover is not None), ends)


def _moved(names: tuple[Name, ...], statuses: Statuses, wanted: tuple[Name, ...], missing: int) -> Statuses:
    """Return the statuses of names in another order; `missing` for those that are new."""
    if names == wanted:
        return statuses
    known = dict(zip(names, statuses.tolist(), strict=True))
    return np.array([known.get(name, missing) for name in wanted], dtype=np.int8)
