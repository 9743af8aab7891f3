"""Which levels of a cap to solve next, and what the solved ones say; nothing here solves.

A plan that keeps a tight cap keeps every looser one, so the least cost never falls as the cap
tightens. Where two levels cost the same, the tighter one's plan is the best at all levels in between.
Not so the other way round: a looser level's hosts may be ruinous, or not be able to keep the cap at all, further down.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from model.hot_start import HotStart
from model.outcome import SolveOptions
from model.problem import BuildKey
from model.studies.cap_levels import CapScope
from model.workers import AWAITED

PERCENT = 100

STEEP = 5.0
"""A cap that costs so many times more a point where it begins than further down does so by being there, whatever its level."""

SHORT_TONNES = 1e-3
"""t REO over the horizon; less than this is nobody short."""


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
    short
        Sector -> t REO left short over the horizon, all markets and products together; a sector not named is not short.
    share
        Largest China-linked share in the scope in the last capped year; NaN where nothing flows.
    found_at
        Level at which the plan was found: another one where a tighter level's plan is the best here too.
    verdict
        Of independent verification.
    hot
        What its solve tells that of a neighbour.
    """

    level: float
    cost: float
    bound: float
    hosts: tuple[str, ...] = ()
    builds: tuple[BuildKey, ...] = ()
    short: Mapping[str, float] = field(default_factory=dict)
    share: float = math.nan
    found_at: float = -1
    verdict: str = ""
    hot: HotStart | None = field(default=None, repr=False, compare=False)

    @property
    def exists(self) -> bool:
        """Whether there is a plan."""
        return math.isfinite(self.cost)

    @property
    def impossible(self) -> bool:
        """Whether it is proven that there is none."""
        return math.isinf(self.cost)

    @property
    def unmet(self) -> float:
        """Return the t REO left short over the horizon, all sectors together."""
        return sum(self.short.values())

    @property
    def gap(self) -> float:
        """Return how much cheaper a plan could be, MUSD; NaN where nothing is proven."""
        return max(0.0, self.cost - self.bound) if self.exists and math.isfinite(self.bound) else math.nan

    def leaves_none_shorter_than(self, other: Point) -> bool:
        """Whether no sector is left shorter than by another plan."""
        return all(tonnes <= other.short.get(sector, 0.0) + SHORT_TONNES for sector, tonnes in self.short.items())


@dataclass(frozen=True)
class Turn:
    """A change of hosts between two solved levels.

    Parameters
    ----------
    loose, tight
        The two levels with the best plan known at each.
    kept
        The plan whose hosts are within the gap at `tight` and at every known level from there down to the next change;
        at `loose` they are not known to be. Where no plan exists at `tight`, that level itself.
    """

    loose: Point
    tight: Point
    kept: Point

    @property
    def level(self) -> float:
        """Return the middle of the two levels, per cent."""
        return (self.loose.level + self.tight.level) / 2

    @property
    def width(self) -> float:
        """Return the distance between the two levels, points."""
        return self.loose.level - self.tight.level


@dataclass
class Sweep:
    """A cap's levels from loose to tight.

    Parameters
    ----------
    grid
        Levels that the result shows, per cent, from loose to tight.
    options
        Of each solve; two costs within the gap asked for count as the same.
    told
        Points as they were solved, or settled by their neighbours.
    """

    grid: tuple[float, ...]
    options: SolveOptions
    told: dict[float, Point] = field(default_factory=dict)

    @property
    def points(self) -> dict[float, Point]:
        """What is known of each level, from loose to tight: a cheaper plan of a tighter level is the best known here too."""
        found: dict[float, Point] = {}
        tighter: Point | None = None
        for level in sorted(self.told):
            point = self.told[level]
            if tighter is not None and tighter.exists and not point.cost <= tighter.cost:
                point = replace(tighter, level=level, bound=point.bound)
            found[level] = tighter = point
        # where no plan keeps a cap, none keeps a tighter one
        barred = max((point.level for point in found.values() if point.impossible), default=-1)
        return {
            level: replace(found[level], cost=math.inf, bound=math.inf) if level < barred and not found[level].exists else found[level]
            for level in sorted(found, reverse=True)
        }

    def known(self) -> list[Point]:
        """Return the points from loose to tight."""
        return list(self.points.values())

    def plans(self) -> list[Point]:
        """Return the points that have a plan, from loose to tight."""
        return [point for point in self.known() if point.exists]

    def tell(self, point: Point) -> None:
        """Take in a solved point."""
        self.told[point.level] = replace(point, found_at=point.level) if point.found_at < 0 else point

    def wanted(self, under_way: Collection[float] = ()) -> list[float]:
        """Return the levels to solve next, beside those under way, the tightest first as they take longest; empty when there is no more to do now.

        What is wanted in the end, and what each of those solves is told, hangs on what the others find, not on which of them ends first.
        """
        if not self.told:
            return [] if under_way else [self.grid[0]]
        levels = self._further()
        for loose, tight in self._pairs():
            between = [level for level in self.grid if tight.level < level < loose.level]
            if between and self._same(loose, tight):
                for level in between:
                    self.told[level] = replace(tight, level=level, bound=loose.bound)
            elif between:
                levels.append(between[len(between) // 2])
        levels = [level for level in levels if level not in under_way]
        # hosts are followed from the tight end: beyond what is still open no change of theirs is sure
        turns = [turn for turn in self.turns() if turn.width > 1]
        if turns and turns[-1].loose.level < min((*levels, *under_way), default=math.inf):
            levels.append(self._within(turns[-1]))
        return sorted(levels)

    def _pairs(self) -> Iterator[tuple[Point, Point]]:
        """Yield neighbouring points as they were told, which later ones do not change."""
        return itertools.pairwise([self.told[level] for level in sorted(self.told, reverse=True)])

    def _further(self) -> list[float]:
        """Return the level of the grid to solve next beyond the tightest known: half of the way, as a solve learns most from one not much looser."""
        tightest = self.told[min(self.told)]
        beyond = [level for level in self.grid if level < tightest.level]
        if beyond and tightest.impossible:
            for level in beyond:
                self.told[level] = replace(tightest, level=level)
            return []
        return beyond[(len(beyond) - 1) // 2 :][:1]

    def left(self) -> int:
        """Return about how many levels are still to be solved."""
        steps = [(max(1, math.ceil(turn.width)) - 1).bit_length() for turn in self.turns()]
        return len([level for level in self.grid if level not in self.points]) + sum(steps)

    def _within(self, turn: Turn) -> float:
        """Return the level to solve next where the hosts change between two: the middle, or next to no cap at all where having one seems to make the change."""
        tight, tighter = turn.tight, self.tighter(turn.tight.level)
        if (
            turn.loose.level == self.grid[0]
            and tighter is not None
            and cost_per_point(turn.loose, tight) > STEEP * cost_per_point(tight, tighter)
        ):
            return math.ceil(turn.loose.level) - 1
        return _middle(turn.loose.level, tight.level)

    def turns(self) -> list[Turn]:
        """Return the changes of hosts, loose to tight, and the end of what is possible.

        Hosts are followed from the tightest plan to looser levels, for as long as they are known to be within the gap of
        the best plan there; where they no longer are, the best plan's hosts are followed instead.
        """
        ends = [Turn(loose, tight, tight) for loose, tight in itertools.pairwise(self.known()) if loose.exists and tight.impossible]
        return [*self._followed()[0], *ends]

    def settled(self) -> Point | None:
        """Return the cheapest known plan at hosts that are within the gap at every known level; None where the hosts have to change."""
        turns, kept = self._followed()
        return None if turns else kept

    def _followed(self) -> tuple[list[Turn], Point | None]:
        """Return the changes of hosts, loose to tight, and the plan whose hosts hold at the loosest level."""
        plans = self.plans()
        turns: list[Turn] = []
        kept = plans[-1] if plans else None
        for loose, tight in zip(plans[-2::-1], plans[:0:-1], strict=True):
            assert kept is not None
            if loose.hosts == kept.hosts:
                kept = loose  # no dearer: the least cost never falls towards the tight end
            elif kept.cost - loose.cost > self.options.gap_at(kept.cost):
                turns.insert(0, Turn(loose, tight, kept))
                kept = loose
        return turns, kept

    def shown(self) -> list[Point]:
        """Return the points of the grid, loose to tight."""
        return [self.points[level] for level in self.grid if level in self.points]

    def tighter(self, level: float) -> Point | None:
        """Return the next tighter point as it was told, whose plan is possible at this level too; None where it has none."""
        point = self.told.get(max((known for known in self.told if known < level), default=math.nan))
        return point if point is not None and point.exists else None

    def looser(self, level: float) -> Point | None:
        """Return the next looser point as it was told; None where it has no plan. What lies beyond may still be under way."""
        point = self.told.get(min((known for known in self.told if known > level), default=math.nan))
        return point if point is not None and point.exists else None

    def looser_hot(self, level: float) -> HotStart | None:
        """Return what the next looser solve tells, else that without a cap; None where neither does. A tighter one leads astray: many more of its rows bind."""
        near, free = self.looser(level), self.told.get(self.grid[0])
        for point in (near, free):
            if point is not None and point.hot is not None and point.level > level and point.found_at >= point.level:
                return point.hot
        return None

    def _same(self, loose: Point, tight: Point) -> bool:
        if loose.impossible:
            return True
        # a level that was not found in time has no cost: it takes over the tighter plan, and so does what lies between
        if not tight.exists or tight.cost - loose.cost > self.options.gap_at(tight.cost):
            return False
        # what is taken over is to be proven as well as what is solved; a stopped solve leaves no bound that could do that, and the next none better
        return self.options.is_proven(tight.cost, tight.cost - loose.bound) or not self.options.is_proven(loose.cost, loose.gap)


def _middle(loose: float, tight: float) -> int:
    """Return a whole per cent between two levels more than a point apart, near their middle."""
    middle = int((loose + tight) // 2)
    return middle if middle > tight else middle + 1


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
    """Search for the lowest level at which a plan leaves no sector shorter than allowed.

    Parameters
    ----------
    reached
        Lowest level known to be reachable.
    missed
        Highest level known not to be; -1 while none is known.
    proven
        Whether the highest level that was missed is proven out of reach, and with it each tighter one.
    """

    reached: float
    missed: float = -1
    proven: bool = True

    def wanted(self) -> float | None:
        """Return the level to try next; None when the answer is known to the point."""
        if self.reached - self.missed <= 1:
            return None
        return 0 if self.missed < 0 else _middle(self.reached, self.missed)

    def tell(self, level: float, possible: bool, proven: bool = True) -> None:
        """Take in whether a level can be reached, and whether that is proven."""
        if possible:
            self.reached = min(self.reached, level)
        elif level > self.missed:
            self.missed, self.proven = level, proven


@dataclass
class Frontier:
    """A cap's sweep with what it was swept for.

    Parameters
    ----------
    scope
        What is capped.
    own_level
        Where the book's own cap ends up, per cent.
    sweep
        Levels and their plans.
    reach, lowest
        Search for the lowest level at which no sector is left shorter than without the cap, and the best plan there.
    seconds, solves
        Of all its solves so far, and how many they were.
    """

    scope: CapScope
    own_level: float
    sweep: Sweep
    reach: Reach | None = None
    lowest: Point | None = None
    seconds: float = 0.0
    solves: int = 0

    @property
    def urgency(self) -> float:
        """Return how early its solves should come where several scopes share the processes.

        On the way to the tightest level each solve waits for the one before, so the scope with most of the way before it is first. After
        that it is the one that needs longest for what is left, which at the end would have nothing beside it.
        """
        ahead = len([level for level in self.sweep.grid if level < min(self.sweep.told)])
        return AWAITED + ahead if ahead else self.seconds / max(1, self.solves) * (self.sweep.left() + (self.lowest is None))

    def urgency_of(self, level: float) -> float:
        """Return how early the solve of a level should come: levels passed over on the way are short and many, so they come after all else."""
        is_passed_over = level in self.sweep.grid and level > min(self.sweep.told)
        return -2 * AWAITED if is_passed_over else self.urgency

    @property
    def free(self) -> Point:
        """Return the point without a cap."""
        return self.sweep.points[self.sweep.grid[0]]


def cost_per_point(loose: Point | None, tight: Point) -> float:
    """Return what each point between two levels costs, MUSD; NaN where a side has no plan."""
    if loose is None or not (loose.exists and tight.exists):
        return math.nan
    return max(0.0, tight.cost - loose.cost) / (loose.level - tight.level)
