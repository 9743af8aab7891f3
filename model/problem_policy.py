"""What the partners and the hosts decide: caps, host rules, budgets, shares, limits on plants."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from model.problem import KT_PER_T, Cap, HostRule
from model.problem_sheets import by_key, records
from model.schema import THORIUM_LEVELS
from model.tables import Tables

CEILING_RULES = ("feed_ceiling", "export_share", "export_ceiling")


def rule_span(row: Mapping[str, Any]) -> tuple[float, float]:
    """Return the first and the last year of a dated row, endless where it is blank."""
    first = -math.inf if pd.isna(row["from_year"]) else float(row["from_year"])
    last = math.inf if pd.isna(row["to_year"]) else float(row["to_year"])
    return first, last


def bars_feed(rule: str, thorium: int, cracked: bool) -> bool:
    """Return whether a rule, while it is in force, keeps feed of a thorium level out of its host, cracked there or not."""
    return (rule == "no_thorium" and thorium > THORIUM_LEVELS.index("low")) or (rule == "no_cracking" and cracked)


def caps_of(tables: Tables, years: tuple[int, ...], products: tuple[str, ...]) -> tuple[Cap, ...]:
    """Return the caps, one for each product where every product has one; nothing else of a problem depends on the sheet `caps`."""
    caps = []
    for row in records(tables, "caps"):
        limit = {y: float(row[y]) for y in years if y in row and not pd.isna(row[y])}
        members = products if row["scope"] == "every_product" else (row["member"],)
        caps += [Cap(row["cap"], row["basis"], row["measure"], row["scope"], member, limit) for member in members if limit]
    return tuple(caps)


def policy_of(tables: Tables, years: tuple[int, ...], products: tuple[str, ...], hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the policy fields of :class:`model.problem.Problem`.

    Parameters
    ----------
    tables
        Validated inputs.
    years, products
        Those modelled.
    hosts
        Candidates -> their rows of the sheet `hosts`.
    """
    settings, markets = tables.settings, by_key(tables, "markets", "market")
    rules = []
    for row in records(tables, "host_rules"):
        # a plant forced where none may stand makes the plan impossible; the other rules mean nothing there
        if row["rule"] == "force_plant" or (row["host"] in hosts and row["rule"] in CEILING_RULES):
            scale = KT_PER_T if row["value_unit"] == "t REO/y" else 1.0
            rules.append(HostRule(row["rule_id"], row["host"], row["rule"], *rule_span(row), row["value"] * scale, row["product"]))
    partners = tuple(m for m, row in markets.items() if row["partner"] == "yes")
    budget = {
        (m, t): float(markets[m][t])
        for m in partners for t in markets[m] if isinstance(t, int) and not pd.isna(markets[m][t])
    }  # fmt: skip
    homes = {markets[m]["country"] for m in partners}
    share = {
        (m, h): markets[m]["equity"] * (1.0 if row["country"] in homes else row["foreign_share_limit"])
        for m in partners for h, row in hosts.items()
    }  # fmt: skip
    return {
        "caps": caps_of(tables, years, products), "rules": tuple(rules), "partners": partners, "budget": budget, "partner_share": share,
        "offtake_minimum": {m: markets[m]["offtake_minimum"] for m in partners},
        "max_plants": int(float(settings["max_plants"])), "plants_per_host": int(float(settings["plants_per_host"])),
        "minimum_hosts": int(float(settings["minimum_hosts"])), "country_share_limit": float(settings["country_share_limit"]),
        "country_share_from": int(float(settings["country_share_from"])),
    }  # fmt: skip
