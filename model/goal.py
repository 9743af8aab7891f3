"""What a solve looks for: least cost, or something else under the same rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ShortageLimit:
    """Most that some sectors together may be left short over the horizon.

    Parameters
    ----------
    sectors
        Members of `sectors`.
    kt
        kt REO, summed over markets, products and represented years.
    """

    sectors: tuple[str, ...]
    kt: float


@dataclass(frozen=True)
class Goal:
    """The question put to one set of tables; studies change this or the tables, never a built model.

    Parameters
    ----------
    objective
        ``cost``: least total discounted cost. ``shortage``: least tonnes short in `short_sectors`.
        ``any``: whether there is a plan at all; the first one found will do.
    excluded_host_sets
        Sets of hosts; a plan may not hold plants at exactly these hosts and no others.
    short_sectors
        Whose shortage is minimised when `objective` is ``shortage``.
    shortage_limits
        What earlier passes have secured.
    cost_budget
        Most that the plan may cost, MUSD discounted; None: no limit.
    """

    objective: str = "cost"
    excluded_host_sets: tuple[frozenset[str], ...] = ()
    short_sectors: tuple[str, ...] = ()
    shortage_limits: tuple[ShortageLimit, ...] = ()
    cost_budget: float | None = None


LEAST_COST = Goal()
ANY_PLAN = Goal(objective="any")
