"""What is known of changed books: each is solved once, against one clock, and its plan verified."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from model.goal import ANY_PLAN
from model.outcome import SolveOptions, Status
from model.planner import solve
from model.studies.diagnose_edits import Edit, apply_edits
from model.tables import Tables
from model.validation import check_tables


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
    clock
        Seconds, as of any moment.
    known, solves, seconds
        Verdicts so far, how many solves they took, and how long.
    until
        Moment of the clock at which the turn of the present step ends.
    timed_out
        Whether a verdict is lacking because the time ran out.
    failed_plans, solver_failures
        What was told where a verdict is lacking for another reason: the first rule that a plan failed, the solver's words.
    """

    tables: Tables
    options: SolveOptions
    clock: Callable[[], float] = time.monotonic
    known: dict[Key, Verdict] = field(default_factory=dict)
    solves: int = 0
    seconds: float = 0.0
    until: float = math.inf
    timed_out: bool = False
    failed_plans: list[str] = field(default_factory=list)
    solver_failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.end = self.clock() + self.options.time_limit

    @cached_property
    def errors(self) -> set[tuple[str, str, str]]:
        """Return the errors of the book itself, for tables that never went through validation."""
        return _errors(self.tables)

    @property
    def left(self) -> float:
        """Return the seconds left, of all or of the turn."""
        return min(self.end, self.until) - self.clock()

    @property
    def spent(self) -> float:
        """Return the seconds since the first."""
        return self.clock() - (self.end - self.options.time_limit)

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Give what is done inside no more than so many seconds."""
        before = self.until
        self.until = min(before, self.clock() + seconds)
        try:
            yield
        finally:
            self.until = before

    def verdict(self, edits: Sequence[Edit]) -> Verdict:
        """Return whether the book has a plan once the edits are typed.

        A plan counts only if it passes verification; a book that validation refuses has none. What the time did not settle is
        asked again the next time.
        """
        key = _key(edits)
        if key in self.known:
            return self.known[key]
        late, self.timed_out = self.timed_out, False
        found = self._judge(apply_edits(self.tables, edits))
        if not self.timed_out:
            self.known[key] = found
        self.timed_out = self.timed_out or late
        return found

    def _judge(self, changed: Tables) -> Verdict:
        if self.left <= 0:
            self.timed_out = True
            return Verdict.UNKNOWN
        if self.refused(changed):
            return Verdict.NO_PLAN
        self.solves += 1
        began = self.clock()
        plan = solve(changed, replace(self.options, absolute_gap=1.0, time_limit=max(1.0, self.left)), goal=ANY_PLAN)
        self.seconds += self.clock() - began
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
    def smallest(self) -> str:
        """What is proven: of several figures together, others of a smaller sum may do."""
        if not self.proven:
            return "not proven"
        return "yes" if len(self.edits) == 1 else "each by itself"

    @property
    def rows(self) -> int:
        """How many rows of the book are touched."""
        return len({(edit.sheet, edit.row or edit.what) for edit in self.edits})
