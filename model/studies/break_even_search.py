"""The bracket of a break-even: values known to bring a host in, values known not to, and where to solve next."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from model.studies.crossing import SAME, Crossing

PRECISION = 0.01
"""Share of the figure to which a break-even is found."""

LEAST_PART = 0.2
"""Close to 0 the precision is that of this part of the larger end of the range."""

CLOSE, NEAR = 0.1, 0.5
"""Shares of that precision to which the break-even of one plan is found: of the last, and of those on the way."""

SHORT_OF = 0.9
"""How far short of a plan's break-even another is looked for, as a share of the precision."""

GROWTH = 4.0
"""How much further each time, once a plan was found twice in a row."""


@dataclass
class Search:
    """Search for the break-even of one figure.

    Parameters
    ----------
    target
        Least cost without a plant at the host, MUSD.
    today, limit
        The figure as it stands and its most favourable value.
    tried
        Value -> cost of the best plan known with a plant at the host where it is below the target, else no less than the target, MUSD.
    crossed
        Where the last plan that was followed costs the target.
    in_a_row
        How often the last solves found a plan below the target.
    """

    target: float
    today: float
    limit: float
    tried: dict[float, float] = field(default_factory=dict)
    crossed: float | None = None
    in_a_row: int = 0

    @property
    def tolerance(self) -> float:
        """Return the width to which the answer is bracketed, in the figure's unit."""
        return PRECISION * max(abs(self.middle), LEAST_PART * max(abs(self.today), abs(self.limit)))

    @property
    def middle(self) -> float:
        """Return the middle of the bracket."""
        return (self.inside + self.outside) / 2

    @property
    def inside(self) -> float:
        """Return the least favourable value known to bring the host in; the limit while none is known."""
        return max((x for x, cost in self.tried.items() if self.is_in(cost)), key=self._distance, default=self.limit)

    @property
    def outside(self) -> float:
        """Return the most favourable value known not to bring the host in; today's while none is known."""
        return min((x for x, cost in self.tried.items() if not self.is_in(cost)), key=self._distance, default=self.today)

    @property
    def hopeless(self) -> bool:
        """Whether even the limit does not bring the host in."""
        return self.limit in self.tried and not self.is_in(self.tried[self.limit])

    @property
    def found(self) -> bool:
        """Whether the break-even is bracketed closely enough."""
        return self.limit in self.tried and not self.hopeless and abs(self.inside - self.outside) <= self.tolerance * (1 + SAME)

    def wanted(self) -> float | None:
        """Return the value to solve at next: the limit first, then a little outwards of what is known to bring the host in."""
        if self.limit not in self.tried:
            return self.limit
        if self.hopeless or self.found:
            return None
        width = abs(self.outside - self.inside)
        step = min(SHORT_OF * GROWTH ** max(0, self.in_a_row - 1) * self.tolerance, max(0.5 * width, SHORT_OF * self.tolerance))
        return self.inside + math.copysign(step, self.outside - self.inside)

    def tell(self, value: float, cost: float) -> None:
        """Take in the least cost with a plant at the host, MUSD; infinite where that is only known to be no less than the target."""
        if value != self.limit:
            self.in_a_row = self.in_a_row + 1 if self.is_in(cost) else 0
        self.tried[value] = cost

    def crossing(self) -> Crossing:
        """Return the search for where the plan of the inside meets the target, nearly."""
        gain = self.target - self.tried[self.inside]
        return Crossing(self.target, self.inside, self.outside, gain, NEAR * self.tolerance, ends=(gain, math.inf))

    def price(self, value: float, cost: float) -> None:
        """Take in what a plan with a plant at the host costs, MUSD: only where it is below the target does that say anything."""
        if self.is_in(cost):
            self.tried[value] = min(cost, self.tried.get(value, math.inf))

    def break_even(self) -> float:
        """Return the value at which the costs meet, between the two sides of the bracket."""
        if self.crossed is not None and self._distance(self.inside) <= self._distance(self.crossed) <= self._distance(self.outside):
            return self.crossed
        gain, loss = self.target - self.tried[self.inside], self.tried.get(self.outside, math.inf) - self.target
        share = gain / (gain + loss) if math.isfinite(loss) and gain + loss > 0 else 0.5
        return self.inside + share * (self.outside - self.inside)

    def slope(self, gap: float) -> float:
        """Return how many MUSD a unit of the figure is worth near the break-even, from trials that differ by more than the gap; 0: unknown."""
        inner = [(self._distance(x), x, cost) for x, cost in self.tried.items() if self.is_in(cost) and self.target - cost > gap]
        if not inner:
            return 0.0
        _, x, cost = max(inner)
        return (self.target - cost) / max(abs(x - self.break_even()), 1e-12)

    def is_in(self, cost: float) -> bool:
        """Whether a plan of this cost comes in."""
        return cost < self.target - SAME * max(1.0, abs(self.target))

    def _distance(self, value: float) -> float:
        """Return how far a value is from the limit, 0 at the limit."""
        return abs(value - self.limit)
