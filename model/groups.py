"""Flows of a problem grouped the ways the constraints add them up, joined once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from model.attribution import Outflow, capped_outflows
from model.problem import BuildKey, DeliverKey, FeedKey, Problem


def _lists() -> defaultdict:
    return defaultdict(list)


@dataclass(frozen=True)
class Groups:
    """Keys of flows by what they share; every list keeps the problem's order."""

    builds_at: dict[str, list[BuildKey]] = field(default_factory=_lists)
    builds_of_line: dict[tuple[str, str], list[BuildKey]] = field(default_factory=_lists)
    feeds_of_line: dict[tuple[str, str, int], list[FeedKey]] = field(default_factory=_lists)
    feeds_of_source: dict[tuple[str, int], list[FeedKey]] = field(default_factory=_lists)
    feeds_at: dict[tuple[str, int], list[FeedKey]] = field(default_factory=_lists)
    feeds_in: dict[int, list[FeedKey]] = field(default_factory=_lists)
    deliveries_from: dict[tuple[str, str, int], list[DeliverKey]] = field(default_factory=_lists)
    deliveries_to: dict[tuple[str, str, int], list[DeliverKey]] = field(default_factory=_lists)
    deliveries_in: dict[int, list[DeliverKey]] = field(default_factory=_lists)
    purchases_to: dict[tuple[str, str, int], list[tuple[str, str, int]]] = field(default_factory=_lists)
    purchases_of: dict[tuple[str, int], list[tuple[str, str, int]]] = field(default_factory=_lists)
    purchases_in: dict[int, list[tuple[str, str, int]]] = field(default_factory=_lists)
    china_outflows: list[Outflow] = field(default_factory=list)
    china_outflows_in: dict[int, list[Outflow]] = field(default_factory=_lists)
    demand_of: dict[tuple[str, str, int], list[tuple[str, str, str, int]]] = field(default_factory=_lists)


def group_flows(problem: Problem) -> Groups:
    """Group every flow in one pass."""
    groups = Groups()
    for key in problem.builds:
        groups.builds_at[key[0]].append(key)
        groups.builds_of_line[key[0], problem.build_line[key]].append(key)
    for key in problem.feeds:
        s, h, l, y = key
        groups.feeds_of_line[h, l, y].append(key)
        groups.feeds_of_source[s, y].append(key)
        groups.feeds_at[h, y].append(key)
        groups.feeds_in[y].append(key)
    for delivery in problem.deliveries:
        h, p, m, y = delivery
        groups.deliveries_from[h, p, y].append(delivery)
        groups.deliveries_to[m, p, y].append(delivery)
        groups.deliveries_in[y].append(delivery)
    for purchase in problem.purchases:
        o, m, y = purchase
        groups.purchases_to[m, problem.offers[o].product, y].append(purchase)
        groups.purchases_of[o, y].append(purchase)
        groups.purchases_in[y].append(purchase)
    for need in problem.demand:
        groups.demand_of[need[0], need[2], need[3]].append(need)
    for outflow in capped_outflows(problem):
        groups.china_outflows.append(outflow)
        groups.china_outflows_in[outflow[2]].append(outflow)
    return groups
