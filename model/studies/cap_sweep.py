"""Which levels of a cap to solve next, and what the solved ones say; nothing here solves.

A plan that keeps a tight cap keeps every looser one, so the least cost never falls as the cap
tightens. Where two levels cost the same, the tighter one's plan is the best at all levels in between.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace

from model.problem import BuildKey

PERCENT = 100


@dataclass(frozen=True)
class Point:
    """The best plan known at one level of a cap.

    Parameters
    ----------
    level
        Per cent.
    cost, bound
        MUSD; infinite where no plan exists, NaN where none was found in time.
    hosts, builds
        Chosen hosts and plants.
    unmet
        t REO left short over the horizon.
    share
        Largest China-linked share in the scope in the last capped year; NaN where nothing flows.
    found_at
        Level at which the plan was found: another one where a tighter level's plan is the best here too.
    verdict
        Of independent verification.
    """

    level: int
    cost: float
    bound: float
    hosts: tuple[str, ...] = ()
    builds: tuple[BuildKey, ...] = ()
    unmet: float = 0.0
    share: float = math.nan
    found_at: int = -1
    verdict: str = ""

    @property
    def exists(self) -> bool:
        """Whether there is a plan."""
        return math.isfinite(self.cost)

    @property
    def impossible(self) -> bool:
        """Whether it is proven that there is none."""
        return math.isinf(self.cost)


@dataclass(frozen=True)
class Turn:
    """A change of the chosen hosts between two solved levels, the looser one first."""

    loose: Point
    tight: Point

    @property
    def level(self) -> float:
        """Return the middle of the two levels, per cent."""
        return (self.loose.level + self.tight.level) / 2

    @property
    def width(self) -> int:
        """Return the distance between the two levels, points."""
        return self.loose.level - self.tight.level


@dataclass
class Sweep:
    """A cap's levels from loose to tight.

    Parameters
    ----------
    grid
        Levels that the result shows, per cent, from loose to tight.
    gap
        MUSD within which two costs count as the same: what each solve is proven to.
    """

    grid: tuple[int, ...]
    gap: float
    points: dict[int, Point] = field(default_factory=dict)

    def known(self) -> list[Point]:
        """Return the points from loose to tight."""
        return [self.points[level] for level in sorted(self.points, reverse=True)]

    def tell(self, point: Point) -> None:
        """Take in a solved point and mend what a stopped solve left: a tighter plan that is cheaper holds here too."""
        self.points[point.level] = replace(point, found_at=point.level) if point.found_at < 0 else point
        known = self.known()
        for loose, tight in zip(known[-2::-1], known[:0:-1], strict=True):
            tight = self.points[tight.level]
            if tight.exists and not loose.cost <= tight.cost:
                self.points[loose.level] = replace(tight, level=loose.level, bound=loose.bound)

    def wanted(self) -> list[int]:
        """Return the levels to solve next, independent of each other; empty when the sweep is done."""
        ends = [level for level in (self.grid[0], self.grid[-1]) if level not in self.points]
        if ends:
            return list(dict.fromkeys(ends))
        levels = []
        known = self.known()
        for loose, tight in itertools.pairwise(known):
            between = [level for level in self.grid if tight.level < level < loose.level]
            if between and self._same(loose, tight):
                for level in between:
                    self.points[level] = replace(tight, level=level, bound=loose.bound)
            elif between:
                levels.append(between[len(between) // 2])
            elif self._turns(loose, tight) and loose.level - tight.level > 1:
                levels.append((loose.level + tight.level) // 2)
        return levels

    def turns(self) -> list[Turn]:
        """Return the changes of the chosen hosts, loose to tight."""
        known = self.known()
        return [Turn(a, b) for a, b in itertools.pairwise(known) if self._turns(a, b)]

    def shown(self) -> list[Point]:
        """Return the points of the grid, loose to tight."""
        return [self.points[level] for level in self.grid if level in self.points]

    def tighter(self, level: int) -> Point | None:
        """Return the nearest tighter point that has a plan: its plan is possible at this level too."""
        found = [point for point in self.known() if point.level < level and point.exists]
        return found[0] if found else None

    def looser(self, level: int) -> Point | None:
        """Return the nearest looser point that has a plan."""
        found = [point for point in self.known() if point.level > level and point.exists]
        return found[-1] if found else None

    def _same(self, loose: Point, tight: Point) -> bool:
        if loose.impossible:
            return True
        return tight.exists and loose.exists and tight.cost - loose.cost <= self.gap

    def _turns(self, loose: Point, tight: Point) -> bool:
        """Whether the hosts change for a reason: not where both sides cost the same over a step of the grid."""
        if math.isnan(loose.cost) or math.isnan(tight.cost) or loose.impossible:
            return False
        if tight.impossible:
            return True
        step = loose.level in self.grid and tight.level in self.grid
        return loose.hosts != tight.hosts and not (step and self._same(loose, tight))


def grid_levels(points: int) -> tuple[int, ...]:
    """Return so many whole per cents from 100 to 0.

    Examples
    --------
    >>> grid_levels(5)
    (100, 75, 50, 25, 0)
    """
    count = max(points, 2)
    return tuple(dict.fromkeys(round(PERCENT * (count - 1 - step) / (count - 1)) for step in range(count)))


@dataclass
class Reach:
    """Search for the lowest level at which a plan leaves nobody shorter than allowed.

    Parameters
    ----------
    reached
        Lowest level known to be reachable.
    missed
        Highest level known not to be; -1 while none is known.
    proven
        Whether each level that was missed is proven out of reach.
    """

    reached: int
    missed: int = -1
    proven: bool = True

    def wanted(self) -> int | None:
        """Return the level to try next; None when the answer is known to the point."""
        if self.reached - self.missed <= 1:
            return None
        return 0 if self.missed < 0 else (self.reached + self.missed) // 2

    def tell(self, level: int, possible: bool, proven: bool = True) -> None:
        """Take in whether a level can be reached, and whether that is proven."""
        self.proven &= proven
        if possible:
            self.reached = min(self.reached, level)
        else:
            self.missed = max(self.missed, level)
