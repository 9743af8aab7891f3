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
from dataclasses import dataclass

import numpy as np

from model.matrix import Matrix, Row, Vector
from model.problem import Problem

VIOLATION_KT = 1e-5


@dataclass(frozen=True)
class _LineYear:
    """One line in one year: columns and data of its feeds and of the plants that can be on line."""

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
        self._places = []
        for (h, l, y), keys in feeds.items():
            plants = [build for build in builds[h, l] if build[3] <= y]
            self._places.append(
                _LineYear(
                    np.array([position["feed", key] for key in keys]),
                    np.array([problem.available[key[0], y] for key in keys]),
                    np.array([position["build", build] for build in plants], dtype=int),
                    np.array([problem.usable[build, y] for build in plants]),
                    np.array([problem.least_feed.get((build, y), 0.0) for build in plants]),
                )
            )

    def violated(self, values: Vector) -> list[Row]:
        """Return the rows that a point violates, at most two a line and year.

        Parameters
        ----------
        values
            One entry a column of the matrix.
        """
        rows = []
        for place in self._places:
            on = values[place.builds]
            part = np.flatnonzero(on > 1e-7)
            if part.size:
                feed = values[place.feeds]
                rows += _upper(place, feed, on, part)
                rows += _lower(place, feed, on, part)
        return rows


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
    members = order[: best + 1]
    return [
        Row(
            np.concatenate([place.feeds[members], place.builds]),
            np.concatenate([np.ones(members.size), -np.minimum(reach[best], place.usable)]),
            -np.inf,
            0.0,
        )
    ]


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
    members, need = order[best:], np.maximum(0.0, place.least - outside[best])
    needing = np.flatnonzero(need)
    return [
        Row(
            np.concatenate([place.feeds[members], place.builds[needing]]),
            np.concatenate([np.ones(members.size), -need[needing]]),
            0.0,
            np.inf,
        )
    ]
