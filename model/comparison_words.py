"""Two runs side by side in words: how far each can be trusted, the cost, the plants, the causes and how sure they are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.comparison import CellChange, Step, least_and_most, plant_changes
from model.problem_sheets import modelled_years
from model.report_words import SHOWN
from model.run_reading import Run

BEFORE, AFTER = "before", "after"

UNCHANGED = 0.005
"""MUSD: smaller changes are the dust of two solves."""


@dataclass(frozen=True)
class Comparison:
    """Everything that the workbook shows.

    Parameters
    ----------
    before, after
        The two runs.
    changes
        Input cells that differ.
    causes
        How many groups of them can move the plan.
    steps
        Cost by cause; None where it was not asked for.
    """

    before: Run
    after: Run
    changes: Sequence[CellChange]
    causes: int
    steps: Sequence[Step] | None

    @property
    def change(self) -> float:
        """Cost after less cost before, MUSD."""
        return self.after.cost - self.before.cost


def describe(found: Comparison) -> list[str]:
    """Return in four sentences what was compared and whether it can be, the cost, the plants and the causes."""
    before, after = found.before, found.after
    unchanged = abs(found.change) < UNCHANGED
    word = "unchanged" if unchanged else f"{abs(found.change):,.1f} MUSD {'more' if found.change > 0 else 'less'}"
    share = f" ({found.change / before.cost:+.2%})" if before.cost and not unchanged else ""
    sure = "" if not found.causes and unchanged else sure_words(found.change, before.gap, after.gap)
    doubts = [doubt for name, run in ((BEFORE, before), (AFTER, after)) for doubt in _doubts(name, run)]
    earlier, later = (_years_in_words(run) for run in (before, after))
    if earlier != later:
        doubts.append(f"the years differ (before {earlier}; after {later}), and with them what the costs add up")
    warning = f" CAUTION: {'; '.join(doubts)}." if doubts else ""
    return [
        f"Compared {before.name} (before) with {after.name} (after): {len(found.changes)} input cells or rows differ.{warning}",
        f"Total cost, discounted: {before.cost:,.1f} before ({_status(before)}), {after.cost:,.1f} MUSD after ({_status(after)}); "
        f"{word}{share}{f', {sure}' if sure else ''}.",
        _plants_sentence(found),
        _causes_sentence(found),
    ]


def _years_in_words(run: Run) -> str:
    """Say which years a run's costs stand for, and by which of them."""
    first, last = (int(run.tables.setting(name)) for name in ("first_year", "last_year"))
    modelled = modelled_years(run.tables)
    told = "every year" if modelled == tuple(range(first, last + 1)) else ", ".join(map(str, modelled))
    return f"{first}–{last}, modelled {told}"


def _doubts(name: str, run: Run) -> Iterator[str]:
    """Yield why a run's figures prove little, or nothing."""
    if run.failed_rules:
        yield f"the plan {name} FAILED VERIFICATION ({', '.join(run.failed_rules)}), do not use its figures"
    if not run.proven:
        most = "how much is not known" if math.isnan(run.gap) else f"up to {run.gap:,.1f} MUSD"
        yield f"the plan {name} is not proven, a cheaper one may exist ({most}), so part of the change may be the search's, not the inputs'"


def _status(run: Run) -> str:
    gap = "gap not known" if math.isnan(run.gap) else f"gap {run.gap:,.1f}"
    return f"{'proven' if run.proven else 'not proven'}, {gap}{', FAILED VERIFICATION' if run.failed_rules else ', verified'}"


def sure_words(change: float, earlier_gap: float, later_gap: float) -> str:
    """Return how sure a change of cost is, "" where the gaps are too small to show.

    A change below the sum of both gaps may be the searches' own; of a larger one the range is told in which the least costs differ.
    """
    gaps = earlier_gap + later_gap
    if math.isnan(gaps):
        return "not sure (a gap is not known)"
    if gaps < SHOWN:
        return ""
    if abs(change) <= gaps:
        return "not sure (within the gaps)"
    least, most = least_and_most(change, earlier_gap, later_gap)
    return f"by the gaps {least:+,.1f} to {most:+,.1f}"


def _plants_sentence(found: Comparison) -> str:
    frame = plant_changes(found.before, found.after)
    moved = frame[frame["change"] != "same"]
    if frame.empty:
        return "Plants: none in either run."
    if moved.empty:
        return f"Plants: the same {f'{len(frame)} plants' if len(frame) > 1 else 'one'} in both runs."
    words = []
    for row in moved.to_dict("records"):
        year = row["after"] if not math.isnan(row["after"]) else row["before"]
        words.append(f"{row['host']} {row['capacity']:,.0f} t/y {row['change']} ({year:.0f})")
    return f"Plants: {'; '.join(words)}."


def _causes_sentence(found: Comparison) -> str:
    if found.steps is None:
        return f"By cause: {found.causes} groups of changed cells; --resolve solves after each and says what each one costs."
    if not found.steps:
        return f"By cause: no changed cell can move the plan{_unmoved_words(found)}."
    sizes = sorted(zip(_changes(found), found.steps, sureness(found), strict=True), key=lambda step: -abs(step[0]))
    shown = [f"{change:+,.1f} MUSD {cause_words(step)}{f', {sure}' if sure else ''}" for change, step, sure in sizes[:4]]
    rest = sum(change for change, *_ in sizes[4:])
    return f"By cause: {'; '.join(shown)}{f'; {rest:+,.1f} MUSD all others' if len(sizes) > 4 else ''}."


def _unmoved_words(found: Comparison) -> str:
    """Say what a change of cost comes from that no changed cell can make."""
    if abs(found.change) < UNCHANGED:
        return ""
    gaps = found.before.gap + found.after.gap
    if abs(found.change) <= gaps + SHOWN:
        return "; the two searches stopped at different plans within their gaps"
    known = "a gap is not known" if math.isnan(gaps) else "their gaps do not explain it: run both again with this version"
    return f"; the two searches found different plans, and {known}"


def _changes(found: Comparison) -> list[float]:
    costs = [found.before.cost, *(step.cost for step in found.steps or ())]
    return [later - earlier for earlier, later in itertools.pairwise(costs)]


def sureness(found: Comparison) -> list[str]:
    """Return of each step how sure its change is."""
    steps = found.steps or ()
    gaps = itertools.pairwise([found.before.gap, *(step.gap for step in steps)])
    return [sure_words(change, *pair) if step.moved else "" for change, pair, step in zip(_changes(found), gaps, steps, strict=True)]


def cause_words(step: Step) -> str:
    """Name the causes of a step; of several say whether they work together only, or were not told apart for want of a plan."""
    words = " with ".join(cause.words for cause in step.causes)
    return f"{words} (not told apart: {'; '.join(step.unsolved)})" if step.unsolved else words
