"""Capacity covers: rows implied by whole plants that the linear relaxation does not know.

A plant b of a line can treat at most U_b in a year and, from each source s, at most A_s; if it
is built it treats at least L_b. With x_s the feed of a line in the year and z_b in {0, 1}
whether a plant is on line, every whole plan satisfies, for any set S of sources,

    sum over S of x_s  <=  sum over b of min(U_b, sum over S of A_s) z_b
    sum over S of x_s  >=  sum over b of max(0, L_b - sum over not-S of A_s) z_b

since the feed can be told apart by plant. Where a third of a large plant is "built", the first
row allows a third of each source, not all of the richest ones; the second makes a part of a plant
take its part of a full load. Both hold for whole z and cut fractional ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.matrix import Matrix, Row, Vector
from model.problem import FeedKey, Problem

VIOLATION_KT = 1e-5


@dataclass(frozen=True)
class Cover:
    """Which cover a row is, apart from any figures.

    Parameters
    ----------
    place
        Host, line, year.
    feeds
        Of the sources in S for the first of the two covers, of those not in S for the second.
    is_first
        Which of the two.
    """

    place: tuple[str, str, int]
    feeds: frozenset[FeedKey]
    is_first: bool


@dataclass(frozen=True)
class _LineYear:
    """One line in one year: columns and data of its feeds and of the plants that can be on line."""

    keys: list[FeedKey]
    feeds: np.ndarray
    available: Vector
    builds: np.ndarray
    usable: Vector
    least: Vector


class CapacityCovers:
    """Finds violated capacity covers at a point of the relaxation.

    Parameters
    ----------
    problem
        For availability, usable capacity and least feed, kt/y.
    matrix
        Whose columns the rows refer to; builds that it does not hold are never built.
    """

    def __init__(self, problem: Problem, matrix: Matrix) -> None:
        position = {name: number for number, name in enumerate(matrix.columns)}
        feeds = defaultdict(list)
        for key in problem.feeds:
            if ("feed", key) in position:
                feeds[key[1], key[2], key[3]].append(key)
        builds = defaultdict(list)
        for build in problem.builds:
            if ("build", build) in position:
                builds[build[0], problem.build_line[build]].append(build)
        self._places: dict[tuple[str, str, int], _LineYear] = {}
        for (h, l, y), keys in feeds.items():
            plants = [build for build in builds[h, l] if build[3] <= y]
            self._places[h, l, y] = _LineYear(
                keys,
                np.array([position["feed", key] for key in keys]),
                np.array([problem.available[key[0], y] for key in keys]),
                np.array([position["build", build] for build in plants], dtype=int),
                np.array([problem.usable[build, y] for build in plants]),
                np.array([problem.least_feed.get((build, y), 0.0) for build in plants]),
            )

    @cached_property
    def _feed_of(self) -> dict[int, tuple[tuple[str, str, int], FeedKey]]:
        return {
            int(column): (place, key) for place, line in self._places.items() for column, key in zip(line.feeds, line.keys, strict=True)
        }

    def violated(self, values: Vector) -> list[Row]:
        """Return the rows that a point violates, at most two a line and year.

        Parameters
        ----------
        values
            One entry a column of the matrix.
        """
        rows = []
        for place in self._places.values():
            on = values[place.builds]
            part = np.flatnonzero(on > 1e-7)
            if part.size:
                feed = values[place.feeds]
                rows += _upper(place, feed, on, part)
                rows += _lower(place, feed, on, part)
        return rows

    def stated(self, covers: Iterable[Cover]) -> list[Row | None]:
        """Return the rows of covers, with the figures of this problem; None for one whose line or sources it does not have.

        Parameters
        ----------
        covers
            Such as bind in the relaxation of another problem: a cover holds for any set of sources.
        """
        rows: list[Row | None] = []
        for cover in covers:
            place = self._places.get(cover.place)
            if place is None or not place.builds.size:
                rows.append(None)
                continue
            named = np.array([key in cover.feeds for key in place.keys])
            members = np.flatnonzero(named == cover.is_first)
            row = _upper_row(place, members) if cover.is_first else _lower_row(place, members)
            rows.append(row if members.size and row.columns.size > members.size else None)
        return rows

    def covers_of(self, rows: Sequence[Row]) -> list[Cover | None]:
        """Return which cover each row of this matrix states; None for a row that is none."""
        feed_of = self._feed_of
        covers: list[Cover | None] = []
        for row in rows:
            found = [feed_of[column] for column in row.columns.tolist() if column in feed_of]
            if not found:
                covers.append(None)
                continue
            place, inside = found[0][0], frozenset(key for _, key in found)
            is_first = bool(np.isneginf(row.lower))
            covers.append(Cover(place, inside if is_first else frozenset(self._places[place].keys) - inside, is_first))
        return covers


def _by_density(feed: Vector, available: Vector) -> np.ndarray:
    """Order sources by the share of their output that is taken: the best sets S are prefixes of it or close to one."""
    return np.argsort(-feed / available, kind="stable")


def _upper(place: _LineYear, feed: Vector, on: Vector, part: np.ndarray) -> list[Row]:
    order = _by_density(feed, place.available)
    reach = np.cumsum(place.available[order])
    excess = np.cumsum(feed[order]) - np.minimum(reach[:, None], place.usable[part][None, :]) @ on[part]
    best = int(np.argmax(excess))
    if excess[best] <= VIOLATION_KT:
        return []
    return [_upper_row(place, order[: best + 1])]


def _upper_row(place: _LineYear, members: np.ndarray) -> Row:
    """Return the first cover of a set of sources."""
    most = np.minimum(place.available[members].sum(), place.usable)
    return Row(np.concatenate([place.feeds[members], place.builds]), np.concatenate([np.ones(members.size), -most]), -np.inf, 0.0)


def _lower(place: _LineYear, feed: Vector, on: Vector, part: np.ndarray) -> list[Row]:
    if not (place.least[part] > 0).any():
        return []
    order = _by_density(feed, place.available)
    outside = np.concatenate([[0.0], np.cumsum(place.available[order])])
    inside = feed.sum() - np.concatenate([[0.0], np.cumsum(feed[order])])
    excess = np.maximum(0.0, place.least[part][None, :] - outside[:, None]) @ on[part] - inside
    best = int(np.argmax(excess))
    if excess[best] <= VIOLATION_KT:
        return []
    return [_lower_row(place, order[best:])]


def _lower_row(place: _LineYear, members: np.ndarray) -> Row:
    """Return the second cover of a set of sources."""
    need = np.maximum(0.0, place.least - np.delete(place.available, members).sum())
    needing = np.flatnonzero(need)
    return Row(
        np.concatenate([place.feeds[members], place.builds[needing]]), np.concatenate([np.ones(members.size), -need[needing]]), 0.0, np.inf
    )
