"""Whose turn it is: every step of a search gets a share of the time, and another turn if the others leave some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from model.studies.diagnose_search import Trials

LEAST_SHARE = 0.2
"""Of the time that is left, for one step, however many still wait."""

Step = Callable[[], None]


class Stoppable(Protocol):
    """What says of itself whether it was cut short."""

    cut_short: bool


@dataclass
class Turns:
    """Runs steps one after the other against the clock of the trials.

    Parameters
    ----------
    trials
        Whose clock and time limit hold.
    searching
        Is `cut_short` where a step left something out for lack of time.
    waiting
        Steps that ran out of their share.
    """

    trials: Trials
    searching: Stoppable
    waiting: list[Step] = field(default_factory=list)

    def take(self, steps: Sequence[Step], more: bool = False) -> None:
        """Give each step an even share of the seconds left, or a fixed one if that is more; what it leaves goes to the others.

        Parameters
        ----------
        steps
            In their order.
        more
            Whether there is more to come, for which a share is kept back.
        """
        for number, step in enumerate(steps):
            share = max(LEAST_SHARE, 1.0 / (len(steps) - number + more))
            if not self._finished(step, share * max(0.0, self.trials.left)):
                self.waiting.append(step)
        self.searching.cut_short = bool(self.waiting) or self.searching.cut_short

    def again(self) -> None:
        """Give what time is left to the steps that ran out, for as long as one more of them finishes."""
        while self.waiting and self.trials.left > 0:
            steps, self.waiting = self.waiting, []
            self.searching.cut_short = False
            self.take(steps)
            if len(self.waiting) == len(steps):
                return

    def _finished(self, step: Step, seconds: float) -> bool:
        if seconds <= 0:
            return False
        before = self.searching.cut_short
        self.searching.cut_short = self.trials.timed_out = False
        with self.trials.turn(seconds):
            step()
        finished = not (self.searching.cut_short or self.trials.timed_out)
        self.searching.cut_short, self.trials.timed_out = before, False
        return finished
