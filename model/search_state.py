"""What a search knows while it runs: the best plan, what is proven, and where its time went."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from model.linear_program import StopSignal
from model.node import Incumbent
from model.outcome import SolveOptions

TOO_FAR = 0.02
"""A plan further than this share of its cost from its bound is no reason to stop looking for a first plan."""


class Clock:
    """Times the steps of a solve against one limit."""

    def __init__(self, limit: float) -> None:
        self.stop = StopSignal(limit)
        self.began = self.last = time.monotonic()
        self.laps: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began

    def lap(self, name: str) -> None:
        """Count the time since the last lap to a step."""
        now = time.monotonic()
        self.laps[name] = self.laps.get(name, 0.0) + now - self.last
        self.last = now


@dataclass
class SearchState:
    """The best plan so far, those that it took the place of, and what is proven."""

    best: Incumbent | None
    cutoff: float
    bound: float
    nodes: int = 0
    taken: list[Incumbent] = field(default_factory=list)

    def margin(self, options: SolveOptions) -> float:
        """Return how much cheaper a plan must be to be looked for, MUSD."""
        return options.gap_at(self.cutoff) if math.isfinite(self.cutoff) else 0.0

    def prune_at(self, options: SolveOptions) -> float:
        """Return the cost from which a part of the plans is of no interest."""
        # a hair less than the gap, so that the published bound is within it after rounding
        return self.cutoff - 0.98 * self.margin(options)

    def is_within(self, share: float) -> bool:
        """Whether the plan in hand is within a share of its cost from its bound."""
        return self.best is not None and self.cutoff - self.bound < share * abs(self.cutoff)

    def take(self, found: Incumbent) -> None:
        """Keep a plan if it is the best so far."""
        if found.objective < self.cutoff:
            self.best, self.cutoff = found, found.objective
            self.taken.append(found)
