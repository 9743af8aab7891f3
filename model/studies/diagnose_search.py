"""Smallest values that work when typed: every one confirmed by a solve of the changed book and its verification."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from model.goal import ANY_PLAN
from model.outcome import SolveOptions, Status
from model.planner import solve
from model.studies.diagnose_edits import Edit, Typed, apply_edits
from model.studies.diagnose_levers import Lever
from model.tables import Tables
from model.validation import check_tables

MOST_REFINED = 6
"""Cells of one repair whose next smaller value is tried; of more, the elastic model's word is taken."""


class Verdict(Enum):
    """What is known of a changed book."""

    PLAN = "a verified plan exists"
    NO_PLAN = "no plan exists"
    UNKNOWN = "not settled: the time ran out, the solver failed or the plan failed verification"


@dataclass
class Trials:
    """Solves changed books, each once, against one clock.

    Parameters
    ----------
    tables
        The book that has no plan.
    options
        Of the run; the time limit is that of all trials together.
    known, solves
        Verdicts so far, and how many solves they took.
    timed_out
        Whether a verdict is lacking because the time ran out.
    failed_plans, solver_failures
        What was told where a verdict is lacking for another reason: the first rule that a plan failed, the solver's words.
    """

    tables: Tables
    options: SolveOptions
    began: float = field(default_factory=time.monotonic)
    known: dict[Key, Verdict] = field(default_factory=dict)
    solves: int = 0
    timed_out: bool = False
    failed_plans: list[str] = field(default_factory=list)
    solver_failures: list[str] = field(default_factory=list)

    @cached_property
    def errors(self) -> set[tuple[str, str, str]]:
        """Return the errors of the book itself, for tables that never went through validation."""
        return _errors(self.tables)

    @property
    def left(self) -> float:
        """Return the seconds left."""
        return self.options.time_limit - (time.monotonic() - self.began)

    def verdict(self, edits: Sequence[Edit]) -> Verdict:
        """Return whether the book has a plan once the edits are typed.

        A plan counts only if it passes verification; a book that validation refuses has none.
        """
        key = _key(edits)
        if key not in self.known:
            self.known[key] = self._judge(apply_edits(self.tables, edits))
        return self.known[key]

    def _judge(self, changed: Tables) -> Verdict:
        if self.left <= 0:
            self.timed_out = True
            return Verdict.UNKNOWN
        if self.refused(changed):
            return Verdict.NO_PLAN
        self.solves += 1
        plan = solve(changed, replace(self.options, absolute_gap=1.0, time_limit=max(1.0, self.left)), goal=ANY_PLAN)
        status = plan.solution.status
        if plan.verified:
            return Verdict.PLAN
        if status is Status.INFEASIBLE:
            return Verdict.NO_PLAN
        if status.has_plan:
            self.failed_plans.append(plan.verification.failures[0])
        elif status is Status.ERROR:
            self.solver_failures.append(plan.solution.termination)
        else:
            self.timed_out = True
        return Verdict.UNKNOWN

    def refused(self, changed: Tables) -> bool:
        """Return whether validation finds errors that the book itself does not have."""
        return bool(_errors(changed) - self.errors)


Key = tuple[tuple[object, ...], ...]


def _key(edits: Sequence[Edit]) -> Key:
    return tuple(sorted(((*map(str, edit.key), edit.after) for edit in edits), key=str))


def _errors(tables: Tables) -> set[tuple[str, str, str]]:
    return {(finding.rule, finding.place, finding.found) for finding in check_tables(tables) if finding.severity == "error"}


@dataclass(frozen=True)
class Repair:
    """Edits under which a verified plan exists.

    Parameters
    ----------
    edits
        Typed together.
    proven
        Whether one step less, of each figure by itself, is proven to leave no plan.
    size
        Sum of the changes, each relative to its figure.
    """

    edits: tuple[Edit, ...]
    proven: bool
    size: float

    @property
    def key(self) -> frozenset[object]:
        """Which cells are edited."""
        return frozenset(edit.key for edit in self.edits)

    @property
    def rows(self) -> int:
        """How many rows of the book are touched."""
        return len({(edit.sheet, edit.row or edit.what) for edit in self.edits})


Setting = list[tuple[Lever, Typed]]


def least_repair(trials: Trials, levers: Sequence[Lever], asked: Sequence[float | None], least: bool = False) -> Repair | None:
    """Return the smallest values of these figures, typed together, that give a plan; None where none was confirmed.

    Parameters
    ----------
    levers
        Figures that are to change.
    asked
        Value of each that the elastic model asks for; None where only trials can tell.
    least
        Whether the elastic model has proven that no smaller change of a single figure does.
    """
    values = [_begin(lever, value) for lever, value in zip(levers, asked, strict=True)]
    working = _first_that_works(trials, levers, values)
    if working is None:
        return None
    proven = len(levers) <= MOST_REFINED
    if least and len(levers) == 1 and working == values:
        return Repair((levers[0].edit(working[0]),), True, levers[0].size(working[0]))
    for place, lever in enumerate(levers):
        if lever.sign != 0 and len(levers) <= MOST_REFINED:
            working[place], settled = _tighten(trials, levers, working, place)
            proven = proven and settled
    kept = [(lever, value) for lever, value in zip(levers, working, strict=True) if value != lever.current]
    if not kept:
        return None
    edits = _edits(kept)
    if trials.verdict(edits) is not Verdict.PLAN:
        return None
    return Repair(tuple(edits), proven, sum(lever.size(value) for lever, value in kept))


def _edits(setting: Setting) -> list[Edit]:
    return [lever.edit(value) for lever, value in setting]


def _begin(lever: Lever, value: float | None) -> Typed:
    if lever.sign == 0 or value is None:
        return lever.end
    typed = lever.outward(value)
    return lever.further(typed) if typed == lever.current else typed


def _try(trials: Trials, levers: Sequence[Lever], values: Sequence[Typed]) -> Verdict:
    setting = [(lever, value) for lever, value in zip(levers, values, strict=True) if value != lever.current]
    return trials.verdict(_edits(setting)) if setting else Verdict.NO_PLAN


def _first_that_works(trials: Trials, levers: Sequence[Lever], values: list[Typed]) -> list[Typed] | None:
    """Return the asked values, else one step further, else as far as possible, whichever first gives a plan."""
    attempts = [values, [_moved(lever, value) for lever, value in zip(levers, values, strict=True)]]
    bounded = all(lever.sign == 0 or math.isfinite(float(lever.end)) for lever in levers)
    if bounded:
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


def _tighten(trials: Trials, levers: Sequence[Lever], working: list[Typed], place: int) -> tuple[Typed, bool]:
    """Return the value nearest to what stands in the cell that still gives a plan, the others held, and whether that is settled."""
    lever = levers[place]

    def verdict(value: float) -> Verdict:
        return _try(trials, levers, [value if number == place else other for number, other in enumerate(working)])

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
