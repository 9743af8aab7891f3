"""Which part of what a plant ships is China-linked: attribution by mass balance (modelling choices 2 and 14).

Only a cap on one market's share needs to know which market a China-linked kilogram went to. In a
year without one, the content goes to the surplus as far as that reaches and the rest is spread
over the deliveries in proportion to their tonnes, which meets every other cap that any split meets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from model.problem import DeliverKey, FeedKey, Problem

Outflow = tuple[str, str, int]


def years_split_by_market(problem: Problem) -> set[int]:
    """Return the years in which a cap holds for one market's share."""
    return {y for cap in problem.caps if cap.scope == "partner" for y, limit in cap.limit.items() if limit < 1.0}


def capped_outflows(problem: Problem) -> list[Outflow]:
    """Return the (host, product, year) whose China-linked deliveries count in a cap, in years that are not split by market."""
    split = years_split_by_market(problem)
    scopes = {
        (cap.scope, cap.member, y)
        for cap in problem.caps
        if cap.basis == "supply"
        for y, limit in cap.limit.items()
        if limit < 1.0 and y not in split
    }

    def counted(h: str, p: str, y: int) -> bool:
        return not scopes.isdisjoint((("all", "", y), ("host", h, y), ("product", p, y), ("every_product", p, y)))

    return [key for key in dict.fromkeys((h, p, y) for h, p, _, y in problem.china_deliveries) if counted(*key)]


def attribute_content(
    problem: Problem, feed: Mapping[FeedKey, float], deliver: Mapping[DeliverKey, float], surplus: Mapping[Outflow, float]
) -> tuple[dict[DeliverKey, float], dict[Outflow, float]]:
    """Share the China-linked content made at each host among what leaves it, in the years that are not split by market.

    Parameters
    ----------
    problem
        For yields and the sources' China-linked shares.
    feed, deliver, surplus
        Flows of a plan, kt REO/y.

    Returns
    -------
    tuple of dict
        China-linked part of each delivery and of each surplus, kt REO/y.
    """
    split = years_split_by_market(problem)
    made: dict[Outflow, float] = defaultdict(float)
    for (s, h, l, y), kt in feed.items():
        if y not in split and problem.china_linked[s] > 0:
            for p, share in problem.yields[s, h, l].items():
                made[h, p, y] += problem.china_linked[s] * share * kt
    shipped: dict[Outflow, float] = defaultdict(float)
    for (h, p, _, y), kt in deliver.items():
        shipped[h, p, y] += kt
    china_surplus = {key: min(kt, surplus.get(key, 0.0)) for key, kt in made.items()}
    # the solver's balances hold within its tolerance, so the rest may overstep the deliveries by as much
    rest = {key: min(1.0, (kt - china_surplus[key]) / shipped[key]) for key, kt in made.items() if shipped[key] > 0}
    china_delivered = {(h, p, m, y): rest[h, p, y] * kt for (h, p, m, y), kt in deliver.items() if (h, p, y) in rest}
    return china_delivered, china_surplus
