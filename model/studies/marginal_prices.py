"""What one unit more and one unit less of each figure add to the cost with the plants as built, and how far that holds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from model.ranging import Change, FixedPlan
from model.studies.marginal_probes import CONTRACT, KT, Probe
from model.studies.marginal_ranges import NOTHING, Side, follow, slope_at_once

NEARBY = 0.01
"""Share of a figure through which a value must hold to be told; where it ends before, that hundredth is solved again."""

ALIKE = 0.01
"""Relative difference below which one more and one less are worth the same."""


@dataclass(frozen=True)
class Slopes:
    """What units of a figure add to the cost, MUSD discounted.

    Parameters
    ----------
    value
        Of one more within its range, or where one more and one less are alike; otherwise NaN.
    more, less
        Of one more, and of one less: the value where it holds, otherwise solved again. Infinite: no plan then. NaN: not known,
        or the figure is 0 and cannot be less.
    """

    value: float
    more: float
    less: float

    def over(self, units: float) -> Slopes:
        """Return the same by another unit, of which one of these holds so many."""
        return Slopes(self.value / units, self.more / units, self.less / units)

    @property
    def alike(self) -> bool:
        """Whether one less saves what one more costs."""
        return math.isfinite(self.more) and abs(self.more + self.less) <= ALIKE * max(abs(self.more), abs(self.less)) + NOTHING

    @property
    def size(self) -> float:
        """Most by which a unit moves the cost; where that leaves no plan it does not count."""
        return max((abs(each) for each in (self.value, self.more, self.less) if math.isfinite(each)), default=0.0)


@dataclass(frozen=True)
class Priced:
    """A figure with its worth.

    Parameters
    ----------
    unit
        Of a kt (both discounted), or of a percentage point in every year.
    whole
        Of the whole figure at that rate.
    low, high
        Shares of the figure between which the value holds; no share is more than the whole.
    """

    probe: Probe
    unit: Slopes
    whole: Slopes
    low: float
    high: float


def find_slopes(fixed: FixedPlan, rise: Change, fall: Change | None, near: float, most: tuple[float, float]) -> tuple[Slopes, float, float]:
    """Return what a change and its opposite add to the cost by unit, and from how many units to how many the value holds.

    Parameters
    ----------
    rise, fall
        One unit more and one unit less; None where there can be no less.
    near
        Units through which a value must hold; where the cost bends, only at once.
    most
        Units by which it can fall and rise; the range ends there. Of 0 and a cost that bends no range is sought.
    """
    if fixed.bends(rise):
        return _find_bent(fixed, rise, fall, near, most)
    up = fixed.worth(rise)
    high = min(up.high, most[1])
    more, value = fixed.slope(rise, near, up), up.value if up.high >= near else math.nan
    if fall is None:
        return Slopes(value, more, math.nan), 0.0, high
    down = up.turned() if fall == rise.scaled(-1.0) else fixed.worth(fall)
    found = Slopes(value, more, fixed.slope(fall, near, down))
    if math.isnan(value) and down.high >= near:
        found = Slopes(-down.value, found.more, found.less)
    elif math.isnan(value) and found.alike:  # the basis ends at once, the value goes on
        found = Slopes(up.value, found.more, found.less)
    return found, -min(down.high, most[0]) + 0.0, high


def _find_bent(fixed: FixedPlan, rise: Change, fall: Change | None, near: float, most: tuple[float, float]) -> tuple[Slopes, float, float]:
    """Return the same where the cost bends; the value is the tangent upwards, or downwards where a kink lies above."""
    value = fixed.value(rise)
    up = follow(fixed, rise, value, near, most[1])
    down = Side(False, math.nan, 0.0) if fall is None else follow(fixed, fall, fixed.value(fall), near, most[0])
    if not up.smooth and down.smooth and fall is not None:
        value = -fixed.value(fall)
    elif not up.smooth:  # the duals are those of neither side
        value = slope_at_once(fixed, rise, near)
        up = follow(fixed, rise, value, near, most[1]) if math.isfinite(value) else up
        value = value if up.smooth else math.nan
    return Slopes(value, up.slope, down.slope), -down.reach + 0.0, up.reach


def _price(fixed: FixedPlan, probe: Probe, weight: dict[int, float], near: float) -> Priced | None:
    """Return a figure with its worth; None where it moves nothing."""
    change = probe.moved(1.0)
    point = probe.shifted(1.0)
    if fixed.lies_idle(change, near) and (probe.unit == KT or fixed.lies_idle(point, 1.0)):
        return None
    can_fall = any(figure > 0 for figure in probe.figure.values())
    whole, low, high = find_slopes(fixed, change, probe.moved(-1.0) if can_fall else None, near, (1.0, probe.highest))
    if probe.unit == KT:
        kt = sum(weight[y] * figure for y, figure in probe.figure.items())
        if kt <= 0:
            return None
        unit = whole.over(kt)
    else:
        unit, _, _ = find_slopes(fixed, point, probe.shifted(-1.0) if can_fall else None, 1.0, (0.0, 0.0))
    return Priced(probe, unit, whole, low, high)


def price_figures(fixed: FixedPlan, probes: Iterable[Probe], weight: dict[int, float], step: float) -> list[Priced]:
    """Return every figure that moves the cost, the most telling first.

    Parameters
    ----------
    fixed
        The plan with its plants as built.
    probes
        Figures of its book.
    weight
        Year -> discounted years that it stands for.
    step
        Plausible change, share of a figure; a value is never taken from a change larger than this.
    """
    found = []
    for probe in probes:
        item = _price(fixed, probe, weight, min(NEARBY, step))
        # more than all that is offered cannot be contracted: that says nothing
        if item and (item.whole.size > NOTHING or (probe.kind != CONTRACT and math.inf in (item.unit.more, item.unit.less))):
            found.append(item)
    return sorted(found, key=lambda item: (-item.whole.size, item.probe.kind, item.probe.item))


def pick_rows(priced: Sequence[Priced], count: int) -> list[Priced]:
    """Return the first `count`, no kind taking more than a third of them while others are left."""
    most = max(1, count // 3)
    seen: Counter[str] = Counter()
    first: list[Priced] = []
    rest: list[Priced] = []
    for item in priced:
        seen[item.probe.kind] += 1
        (first if seen[item.probe.kind] <= most else rest).append(item)
    chosen = set(map(id, [*first, *rest][:count]))
    return [item for item in priced if id(item) in chosen]
