"""Surplus that can never pay, and limits on sources that then say nothing (modelling choice 16)."""

from __future__ import annotations

from collections import defaultdict

from model.groups import Groups
from model.problem import Problem

Place = tuple[str, str, int]


def idle_surpluses(problem: Problem, groups: Groups) -> set[Place]:
    """Return the (host, product, year) of which some least-cost plan has no surplus.

    A kilogram of surplus goes away with the feed that it is made of. That keeps every rule and saves
    money where the host makes this product alone, feeding costs at least what the surplus fetches,
    no plant has a minimum use, no share of what is made is kept from export and no cap is held up by clean feed.
    """
    capped = {y for cap in problem.caps for y, limit in cap.limit.items() if limit < 1.0}
    loaded = {(build[0], y) for build, y in problem.least_feed}
    kept = {(rule.host, y) for rule in problem.rules if rule.rule == "export_share" for y in problem.years if rule.holds(y)}
    linked = {y for _, _, _, y in problem.feeds if y in capped} if any(problem.china_linked.values()) else set()
    idle = set()
    made: dict[tuple[str, int], list[str]] = defaultdict(list)
    for h, p, y in problem.surpluses:
        made[h, y].append(p)
    for (h, y), products in made.items():
        if len(products) > 1 or (h, y) in loaded or (h, y) in kept or y in linked:
            continue
        (p,) = products
        pays = any(
            problem.surplus_price[p, y] * problem.yields[key[0], h, key[2]].get(p, 0.0)
            > sum(costs[key] for costs in problem.feed_cost.values())
            for key in groups.feeds_at[h, y]
        )
        if not pays:
            idle.add((h, p, y))
    return idle


def implied_source_limits(problem: Problem, groups: Groups, idle: set[Place]) -> set[tuple[str, int]]:
    """Return the (source, year) whose output exceeds what it takes to meet all demand with no surplus."""
    if not idle:
        return set()
    wanted: dict[tuple[str, int], float] = defaultdict(float)
    for (_, _, p, y), kt in problem.demand.items():
        wanted[p, y] += kt
    stocked = {(p, y) for _, p, y in problem.stock_needed}
    implied = set()
    for (s, y), keys in groups.feeds_of_source.items():
        pairs = {(p, share) for _, h, l, _ in keys for p, share in problem.yields[s, h, l].items() if (h, p, y) in idle}
        products = {p for p, _ in pairs}
        if len(products) != 1 or any(not (problem.yields[s, h, l].keys() == products and (h, *products, y) in idle) for _, h, l, _ in keys):
            continue
        (p,) = products
        if (p, y) not in stocked and wanted[p, y] <= problem.available[s, y] * min(share for _, share in pairs) * (1.0 + 1e-9):
            implied.add((s, y))
    return implied
