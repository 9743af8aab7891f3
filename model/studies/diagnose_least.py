"""Smallest values that work when typed, every one confirmed by a solve of the changed book and its verification.

Figures of one repair are tightened together first, then row by row, then one by one, the most drastic change first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from model.formulation_elastic import family
from model.studies.diagnose_edits import Edit, Typed
from model.studies.diagnose_levers import Lever
from model.studies.diagnose_search import Repair, Trials, Verdict

MOST_REFINED = 6
"""Cells of one repair that are always tightened one by one as well; of more, only where solves are quick."""

SOLVES_OF_A_CELL = 4
SHARE_FOR_CELLS = 0.2
"""More cells are tightened one by one if so many solves of each take no more than this share of the time that is left."""

FINEST = 1 / 1024
"""Of the changes of several figures, that are tightened together."""

PLAIN_STEP = 1e-5
"""A step of this size, relative to the figure, is wider than the gap of the elastic model, whose proof then holds to the step."""


def least_repair(trials: Trials, levers: Sequence[Lever], asked: Sequence[float | None], asked_is_least: bool = False) -> Repair | None:
    """Return values of these figures, typed together, that give a plan and, if that is proven, none of which can be nearer; None where none was confirmed.

    Parameters
    ----------
    trials
        Of the book that has no plan.
    levers
        Figures that are to change.
    asked
        Value of each that the elastic model asks for; None where only trials can tell.
    asked_is_least
        Whether the elastic model has proven that no smaller change of a single figure does.
    """
    values = first_values(levers, asked)
    working = _first_that_works(trials, levers, values)
    if working is None:
        return None
    if asked_is_least and len(levers) == 1 and working == values and _is_plain(levers[0], working[0]):
        return Repair((levers[0].edit(working[0]),), True, levers[0].size(working[0]))
    working = _tighten_together(trials, levers, working)
    proven = _one_by_one(trials, levers)
    drastic_first = sorted(range(len(levers)), key=lambda place: -levers[place].size(working[place]))
    for place in drastic_first:
        if proven:
            working[place], proven = _tighten(trials, levers, working, place)
    kept = [(lever, value) for lever, value in zip(levers, working, strict=True) if value != lever.current]
    if not kept or _try(trials, levers, working) is not Verdict.PLAN:
        return None
    return Repair(tuple(_edits(levers, working)), proven, sum(lever.size(value) for lever, value in kept))


def first_values(levers: Sequence[Lever], asked: Sequence[float | None]) -> list[Typed]:
    """Return the values to be typed first: those asked for, rounded outwards."""
    return [_begin(lever, value) for lever, value in zip(levers, asked, strict=True)]


def _begin(lever: Lever, value: float | None) -> Typed:
    if lever.sign == 0 or value is None:
        return lever.end
    typed = lever.outward(value)
    return lever.further(typed) if typed == lever.current else typed


def _is_plain(lever: Lever, value: Typed) -> bool:
    return lever.sign == 0 or lever.size(value) - lever.size(lever.nearer(float(value))) > PLAIN_STEP


def _one_by_one(trials: Trials, levers: Sequence[Lever]) -> bool:
    """Return whether the figures are few enough, or solves quick enough, to tighten each by itself."""
    each = trials.seconds / max(1, trials.solves)
    return len(levers) <= MOST_REFINED or SOLVES_OF_A_CELL * len(levers) * each <= SHARE_FOR_CELLS * trials.left


def _edits(levers: Sequence[Lever], values: Sequence[Typed]) -> list[Edit]:
    return [lever.edit(value) for lever, value in zip(levers, values, strict=True) if value != lever.current]


def _try(trials: Trials, levers: Sequence[Lever], values: Sequence[Typed]) -> Verdict:
    edits = _edits(levers, values)
    return trials.verdict(edits) if edits else Verdict.NO_PLAN


def _first_that_works(trials: Trials, levers: Sequence[Lever], values: list[Typed]) -> list[Typed] | None:
    """Return the asked values, else one step further, of one figure twice the change, or as far as possible, whichever first gives a plan."""
    attempts = [values, [_moved(lever, value) for lever, value in zip(levers, values, strict=True)]]
    if len(levers) == 1 and levers[0].sign != 0:
        attempts.append([levers[0].outward(2.0 * float(values[0]) - float(levers[0].current))])
    if all(lever.sign == 0 or math.isfinite(float(lever.end)) for lever in levers):
        attempts.append([lever.end for lever in levers])
    for attempt in attempts:
        verdict = _try(trials, levers, attempt)
        if verdict is Verdict.PLAN:
            return list(attempt)
        if verdict is Verdict.UNKNOWN:
            return None
    return None


def _moved(lever: Lever, value: Typed) -> Typed:
    return value if lever.sign == 0 else lever.further(float(value))


# --- several figures at once ------------------------------------------------------------------------


def _tighten_together(trials: Trials, levers: Sequence[Lever], working: list[Typed]) -> list[Typed]:
    """Return values nearer to what stands in the cells: all rows first, then each row."""
    moving = [place for place, lever in enumerate(levers) if lever.sign != 0]
    if len(moving) < 2:
        return working
    rows: dict[object, list[int]] = {}
    for place in moving:
        rows.setdefault(family(levers[place].code), []).append(place)
    if len(rows) > 1:
        working = _bisected(trials, levers, working, moving, _largest_change)
        working = _bisected(trials, levers, working, moving, _share_of_changes)

    def drastic(places: list[int]) -> float:
        return -sum(levers[place].size(working[place]) for place in places)

    for places in sorted(rows.values(), key=drastic):
        if len(places) > 1:
            working = _bisected(trials, levers, working, places, _level)
            working = _bisected(trials, levers, working, places, _share_of_changes)
    return working


Towards = Callable[[Sequence[Lever], Sequence[float], float], list[float]]
"""Gives values of some figures for a share from 0, what stands in the cells, to 1, the values given."""


def _share_of_changes(levers: Sequence[Lever], values: Sequence[float], share: float) -> list[float]:
    """Return the same share of each change."""
    return [float(lever.current) + share * (value - float(lever.current)) for lever, value in zip(levers, values, strict=True)]


def _largest_change(levers: Sequence[Lever], values: Sequence[float], share: float) -> list[float]:
    """Return the changes cut off at one size, relative to the figures: the most drastic ones first."""
    sizes = [lever.size(value) for lever, value in zip(levers, values, strict=True)]
    most = share * max(sizes)
    return [
        float(lever.current) + (value - float(lever.current)) * min(1.0, most / size if size else 1.0)
        for lever, value, size in zip(levers, values, sizes, strict=True)
    ]


def _level(levers: Sequence[Lever], values: Sequence[float], share: float) -> list[float]:
    """Return the values cut off at one level, which lies between the cell that has least to change and the furthest value."""
    sign = levers[0].sign
    nearest, furthest = min(sign * float(lever.current) for lever in levers), max(sign * value for value in values)
    level = nearest + share * (furthest - nearest)
    return [sign * max(sign * float(lever.current), min(sign * value, level)) for lever, value in zip(levers, values, strict=True)]


def _bisected(trials: Trials, levers: Sequence[Lever], working: list[Typed], places: list[int], towards: Towards) -> list[Typed]:
    """Return values under which there still is a plan, by the least share of the way to the working ones."""
    group = [levers[place] for place in places]
    furthest = [float(working[place]) for place in places]
    step = min(
        (lever.grid(value) / abs(value - float(lever.current)) for lever, value in zip(group, furthest, strict=True) if value != lever.current),
        default=1.0,
    )  # fmt: skip
    good, bad, share = 1.0, 0.0, 1.0 - max(FINEST, step)
    best = working
    # the working values are often the least ones, so what lies just before them is tried first
    while good - bad > max(FINEST, 0.5 * step):
        tried = list(best)
        for place, lever, value in zip(places, group, towards(group, furthest, share), strict=True):
            typed = lever.outward(value)
            if value == lever.current:
                tried[place] = lever.current
            elif (float(best[place]) - typed) * lever.sign > 0:
                tried[place] = typed
        # what is not settled counts as too near; whether the values are the least ones is asked cell by cell
        if tried == best or _try(trials, levers, tried) is Verdict.PLAN:
            best, good = tried, share
        else:
            bad = share
        share = (good + bad) / 2.0
    return best


# --- one figure ---------------------------------------------------------------------------------------


def _tighten(trials: Trials, levers: Sequence[Lever], working: list[Typed], place: int) -> tuple[Typed, bool]:
    """Return the value nearest to what stands in the cell that still gives a plan, the others held, and whether that is settled."""
    lever = levers[place]

    def verdict(value: Typed) -> Verdict:
        return _try(trials, levers, [value if number == place else other for number, other in enumerate(working)])

    if lever.sign == 0:
        found = verdict(lever.current) if len(levers) > 1 else Verdict.NO_PLAN
        return lever.current if found is Verdict.PLAN else working[place], found is not Verdict.UNKNOWN
    good, bad = float(working[place]), float(lever.current)
    first = True
    while (lever.nearer(good) - bad) * lever.sign > 1e-9:
        # the elastic model's value is nearly always the least one, so its neighbour is tried first
        value = lever.nearer(good) if first else lever.outward((good + bad) / 2.0)
        if (good - value) * lever.sign <= 1e-9:
            value = lever.nearer(good)
        first = False
        found = verdict(value)
        if found is Verdict.UNKNOWN:
            return good, False
        if found is Verdict.PLAN:
            good = value
        else:
            bad = value
    # next to what stands in the cell: that value itself, unless other figures change too, is known to have no plan
    if len(levers) > 1 and bad == float(lever.current):
        found = verdict(bad)
        if found is Verdict.PLAN:
            return lever.current, True
        return good, found is Verdict.NO_PLAN
    return good, True
