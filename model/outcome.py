"""What is asked of a solve and what it can say: options, progress, status, outcome."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from model.matrix import Vector

if TYPE_CHECKING:
    from model.hot_start import HotStart


INTERRUPTED = "Interrupted by the user"
"""Why a solve ended that was stopped by hand."""

ROUGH = 0.01
"""Gap, as a share of the cost, of a solve that only asks whether a plan exists."""

ROUNDING = 1e-6
"""Share of a cost by which two figures of the same plan may differ."""


class Status(StrEnum):
    """What is known of the plan, in the words that the result shows."""

    OPTIMAL = "proven optimal within the gap asked for"
    LIMIT = "best plan found when stopped"
    NO_PLAN_FOUND = "stopped before any plan was found"
    INFEASIBLE = "no plan exists"
    ERROR = "the solver failed"

    @property
    def has_plan(self) -> bool:
        """Whether there are values to report."""
        return self in (Status.OPTIMAL, Status.LIMIT)


@dataclass(frozen=True)
class SolveOptions:
    """How long and how exactly to solve.

    Parameters
    ----------
    absolute_gap, relative_gap
        Stop when the plan is proven within either: MUSD of the least cost, or a share of it.
    time_limit
        Wall-clock seconds.
    threads, seed
        Of HiGHS.
    """

    absolute_gap: float = 1.0
    relative_gap: float = 0.0
    time_limit: float = 900.0
    threads: int = 2
    seed: int = 0

    def gap_at(self, cost: float) -> float:
        """Return the gap asked for at a cost, MUSD: the wider of the two."""
        return max(self.absolute_gap, self.relative_gap * abs(cost))

    def is_proven(self, cost: float, gap: float) -> bool:
        """Whether a plan of this cost is proven to the gap asked for, but for rounding; not where its gap is not known."""
        return gap <= self.gap_at(cost) + ROUNDING * max(1.0, abs(cost))

    def cutoff_above(self, cost: float) -> float:
        """Return a cutoff below which a search cannot miss a plan of this cost, MUSD.

        A search leaves out what is cheaper than its cutoff by less than the gap, and a relative gap is a share of the cutoff itself.
        """
        if self.relative_gap >= 1.0:
            return math.inf
        relative = self.relative_gap * abs(cost) / (1.0 - self.relative_gap)
        return cost + max(self.absolute_gap, relative) + ROUNDING * max(1.0, abs(cost))

    def with_gap_times(self, factor: float) -> SolveOptions:
        """Return the options of a solve to a wider gap, or to a finer one."""
        return replace(self, absolute_gap=factor * self.absolute_gap, relative_gap=factor * self.relative_gap)

    def roughly(self) -> SolveOptions:
        """Return the options of a solve that only asks whether a plan exists."""
        return replace(self, relative_gap=max(ROUGH, self.relative_gap))


@dataclass(frozen=True)
class Progress:
    """Where a solve stands; infinite incumbent or bound: none yet."""

    seconds: float
    incumbent: float
    bound: float
    nodes: int

    @property
    def gap(self) -> float:
        """Return incumbent less bound, MUSD."""
        return self.incumbent - self.bound


ProgressFunction = Callable[[Progress], None]


@dataclass(frozen=True)
class Outcome:
    """What the solver can say, of the same shape whatever happened.

    Parameters
    ----------
    objective, bound, gap
        MUSD; NaN where unknown. `bound` holds for the whole model.
    values
        One entry a column of the matrix; empty without a plan.
    row_duals
        MUSD per unit of a row's right-hand side, with the plants as built; empty without a plan.
    seconds
        Wall clock of the MIP and of the final linear program.
    log
        What was done, one sentence a step.
    hot
        What helps the search of a neighbouring problem.
    """

    status: Status
    termination: str
    objective: float
    bound: float
    values: Vector
    row_duals: Vector
    seconds: dict[str, float] = field(default_factory=dict)
    nodes: int = 0
    log: tuple[str, ...] = ()
    hot: HotStart | None = None

    @property
    def gap(self) -> float:
        """Return objective less bound in MUSD; NaN where unknown."""
        return float(np.maximum(0.0, self.objective - self.bound))


def without_plan(status: Status, termination: str, seconds: dict[str, float]) -> Outcome:
    """Return an outcome without values."""
    nan = float("nan")
    return Outcome(status, termination, nan, nan, np.empty(0), np.empty(0), seconds)


def only_below(outcome: Outcome, cutoff: float) -> Outcome:
    """Return an outcome as it is where its plan is cheaper than the cutoff, else that no such plan exists."""
    if not outcome.status.has_plan or outcome.objective < cutoff:
        return outcome
    if outcome.status is Status.OPTIMAL or outcome.bound >= cutoff:
        return replace(
            without_plan(Status.INFEASIBLE, "no plan is cheaper than the cutoff", outcome.seconds), bound=min(outcome.bound, cutoff)
        )
    return replace(without_plan(Status.NO_PLAN_FOUND, outcome.termination, outcome.seconds), bound=outcome.bound)
