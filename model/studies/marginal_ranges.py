"""How far the worth of a change holds whose cost bends, found by solving again with the plants as built.

A share multiplies a total that the plan decides: when it moves, coefficients do, and the cost runs along a curve. The worth is
the tangent of that curve at the plan, and it holds as far as re-solves stay near enough to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from model.ranging import Change, FixedPlan
from model.report_words import SHOWN

NOTHING = 1e-6
"""MUSD that count as none."""

OFF = 0.01
"""Part of a change by which its worth may miss what a re-solve gives, and still hold; or :data:`SHOWN`, if that is more."""

AT_ONCE = 0.01
"""Part of the units that count as near, in which a worth must show if it is to be the tangent."""

FINE = 1.15
"""Ratio of the shortest change at which a worth was seen to miss and the longest at which it held, at which the search ends."""

WITHIN = (0.9, 0.5)
"""Parts of a range at which the worth is tried, too, for a cost can leave its tangent and come back."""

MOST_SOLVES = 14
"""Re-solves of one search."""


@dataclass(frozen=True)
class Side:
    """What units of a change add to the cost, in this direction alone.

    Parameters
    ----------
    smooth
        Whether the worth is the tangent on this side.
    slope
        MUSD a unit, discounted: the worth where it holds through the units that count as near, otherwise the mean of a re-solve.
    reach
        Units through which the worth holds.
    """

    smooth: bool
    slope: float
    reach: float


def slope_at_once(fixed: FixedPlan, change: Change, near: float) -> float:
    """Return what a unit of a change adds to the cost at its very start, by a re-solve of a tenth of what :func:`follow` tries first."""
    units = 0.1 * AT_ONCE * near
    return fixed.added_cost(change.scaled(units)) / units


def follow(fixed: FixedPlan, change: Change, value: float, near: float, most: float) -> Side:
    """Return how far what a change is worth holds in its direction.

    Parameters
    ----------
    fixed
        The plan with its plants as built.
    change
        One unit.
    value
        What it is worth, MUSD discounted.
    near
        Units that count as near, above 0.
    most
        Units up to which the range is asked; 0: it is not.
    """

    def miss(units: float, added: float) -> float:
        """Return by how many times what is allowed the worth misses."""
        off = added - value * units
        return abs(off) / max(OFF * abs(value * units), SHOWN) if math.isfinite(off) else math.inf

    added = fixed.added_cost(change.scaled(near))
    if _is_told(value * near, added):
        first, slope = near, value
    else:
        first, slope = AT_ONCE * near, added / near
        if not _is_told(value * first, fixed.added_cost(change.scaled(first), onward=True)):
            return Side(False, slope, 0.0)
    if first >= most:
        return Side(True, slope, most)
    tried = {first: 0.0, near: miss(near, added)}
    while len(tried) < MOST_SOLVES:
        trial = _next(tried, most)
        if trial is None:
            break
        tried[trial] = miss(trial, fixed.added_cost(change.scaled(trial), onward=True))
    held, _ = _bracket(tried)
    return Side(True, slope, min(held, most))


def _is_told(told: float, added: float) -> bool:
    """Whether a worth says what a re-solve gives; it never does where that has no plan or no answer."""
    return abs(added - told) <= OFF * abs(told) + NOTHING


def _bracket(tried: dict[float, float]) -> tuple[float, float]:
    """Return the units through which the worth held wherever it was tried, and the least at which it missed."""
    missed = min((units for units, ratio in tried.items() if ratio > 1.0), default=math.inf)
    return max(units for units in tried if units < missed), missed


def _next(tried: dict[float, float], most: float) -> float | None:
    """Return the next units to try; None where the end of the range is known well enough.

    Parameters
    ----------
    tried
        Units, by how many times what is allowed the worth misses there; the first of them does not.
    most
        Units up to which the range is asked.
    """
    held, missed = _bracket(tried)
    if held >= most or missed <= FINE * held:
        inside = (part * min(held, most) for part in WITHIN)
        return next((units for units in inside if not any(units / FINE <= other <= 1.05 * units for other in tried)), None)
    last = list(tried)[-1]
    guess = 0.95 * last / max(tried[last], 1e-3)  # the miss of a curve grows like the units
    if missed == math.inf:
        return min(most, max(2.0 * held, min(guess, 16.0 * held)))
    top = min(missed, most)
    if len(tried) % 2 or not FINE**0.5 * held <= guess <= top / FINE**0.5:
        return math.sqrt(held * top)
    return guess
