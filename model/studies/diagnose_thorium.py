"""The lowest thorium level that a host must accept, where a repair opens the host to thorium."""

from __future__ import annotations

from dataclasses import replace

from model.schema import THORIUM_LEVELS
from model.studies.diagnose_edits import Edit
from model.studies.diagnose_search import Repair, Trials, Verdict

COLUMN = "thorium_accepted"


def with_lowest_levels(trials: Trials, repair: Repair) -> Repair:
    """Return the repair with every host at the lowest thorium level at which the changed book has a plan.

    Parameters
    ----------
    trials
        Of the book that has no plan; every lower level is solved.
    repair
        In which hosts accept thorium of every level.
    """
    edits, proven = list(repair.edits), repair.proven
    for place, edit in enumerate(repair.edits):
        if edit.column != COLUMN:
            continue
        for level in _below(edit):
            lower = [replace(edit, after=level) if number == place else other for number, other in enumerate(edits)]
            verdict = trials.verdict(lower)
            if verdict is Verdict.PLAN:
                edits = lower
                break
            proven = proven and verdict is Verdict.NO_PLAN
    return replace(repair, edits=tuple(edits), proven=proven)


def _below(edit: Edit) -> tuple[str, ...]:
    """Return the levels between what stands in the cell and what the repair types, lowest first."""
    now, then = (THORIUM_LEVELS.index(str(level)) for level in (edit.before, edit.after))
    return THORIUM_LEVELS[now + 1 : then]
