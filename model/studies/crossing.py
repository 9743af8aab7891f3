"""Where one plan, as it stands, costs a target: a figure moved until it does."""

from __future__ import annotations

import math
from dataclasses import dataclass

SAME = 1e-9
"""Share of the total cost below which a difference is arithmetic."""


@dataclass
class Crossing:
    """Search for the value of a figure at which a plan costs just the target.

    Parameters
    ----------
    target
        MUSD.
    inside, outside
        A value at which the plan is cheaper, and one to which it is followed.
    gain
        By how much it is cheaper inside, MUSD.
    width
        To which the answer is bracketed, in the figure's unit.
    loss
        By how much the plan is dearer outside, MUSD; None while that is not known, not positive where it is not.
    """

    target: float
    inside: float
    outside: float
    gain: float
    width: float
    loss: float | None = None
    kept: int = 0
    ends: tuple[float, float] = (0.0, math.inf)

    @property
    def value(self) -> float:
        """Return the value at which the plan costs the target, as a straight line between both sides has it."""
        gain, loss = self.ends
        share = gain / (gain + loss) if math.isfinite(loss) and gain + loss > 0 else 0.0
        return self.inside + share * (self.outside - self.inside)

    def wanted(self) -> float | None:
        """Return the value to price the plan at next; None when the crossing is known."""
        if self.loss is None:
            return self.outside
        if self.loss <= 0 or abs(self.outside - self.inside) <= self.width:
            return None
        share = self.gain / (self.gain + self.loss) if math.isfinite(self.loss) else 0.5
        # a little off the chord, to the side that was not tried last, so that the answer is soon bracketed from both
        margin = 0.45 * self.width / abs(self.outside - self.inside)
        share += margin if self.kept > 0 else -margin
        return self.inside + (self.outside - self.inside) * min(max(share, margin), 1.0 - margin)

    def tell(self, value: float, cost: float) -> None:
        """Take in what the plan costs at a value, MUSD; infinite where it cannot stand."""
        excess = cost - self.target + SAME * max(1.0, abs(self.target))
        self.ends = (max(0.0, -excess), self.ends[1]) if excess <= 0 else (self.ends[0], excess)
        if self.loss is None:
            self.loss = excess
            if excess <= 0:
                self.inside, self.gain = value, -excess
        elif excess <= 0:
            self.inside, self.gain = value, -excess
            self.loss /= 2.0 if self.kept > 0 else 1.0  # a side that stays twice loses weight: the Illinois rule
            self.kept = 1
        else:
            self.outside, self.loss = value, excess
            self.gain /= 2.0 if self.kept < 0 else 1.0
            self.kept = -1
