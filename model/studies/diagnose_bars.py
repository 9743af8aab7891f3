"""What keeps plants and feed out altogether: the book with those rules away, and which rule bars what."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from model.formulation_elastic import Bar, Code
from model.problem import Problem
from model.problem_builder import build_problem
from model.problem_sheets import modelled_years
from model.schema import THORIUM_LEVELS
from model.tables import Tables

BARRING_RULES = ("forbid_plant", "no_thorium", "no_cracking")

NOTHING_T = 1e-9
"""Tonnes a year that stand for none, so that a supplier with nothing to offer in a year has a figure to raise."""


def widened(tables: Tables) -> tuple[Tables, Problem]:
    """Return the book without what bars plants, feed or purchases, and its problem."""
    years = modelled_years(tables)
    hosts, rules, suppliers = tables["hosts"].copy(), tables["host_rules"], tables["suppliers"].copy()
    hosts["earliest_start"] = hosts["earliest_start"].clip(upper=years[0])
    hosts["thorium_accepted"] = THORIUM_LEVELS[-1]
    for y in years:
        suppliers[y] = suppliers[y].clip(lower=NOTHING_T)
    wide = tables.with_frames(hosts=hosts, host_rules=rules[~rules["rule"].isin(BARRING_RULES)], suppliers=suppliers)
    longest = tables["designs"]["build_years"].max() if len(tables["designs"]) else 0.0
    wide = wide.with_settings(decision_year=float(min(tables.setting("decision_year"), years[0] - math.ceil(longest))))
    everywhere = hosts.copy()
    everywhere["candidate"] = "yes"
    try:
        open_tables = wide.with_frames(hosts=everywhere)
        return open_tables, build_problem(open_tables)
    except KeyError:  # the ports of sites that are no candidates need no distances
        return wide, build_problem(wide)


def bars(tables: Tables, problem: Problem) -> Iterator[Bar]:
    """Yield what the book's own rules bar in the wider problem."""
    hosts = {row["host"]: row for row in tables["hosts"].to_dict("records")}
    builds = {row["design"]: math.ceil(row["build_years"] - 1e-9) for row in tables["designs"].to_dict("records")}
    decision = tables.setting("decision_year")
    rules = [row for row in tables["host_rules"].to_dict("records") if row["rule"] in BARRING_RULES]
    for key in problem.builds:
        h, d, _, y = key
        column = ("build", key)
        if hosts[h]["candidate"] != "yes":
            yield Bar(column, (("candidate", h),))
        if y < hosts[h]["earliest_start"]:
            yield Bar(column, (("earliest_start", h),), hosts[h]["earliest_start"] - y)
        if y < decision + builds[d]:
            yield Bar(column, (("decision_year",), ("build_years", d)), decision + builds[d] - y)
        for row in rules:
            if row["rule"] == "forbid_plant" and row["host"] == h and holds(row, y):
                yield Bar(column, (("drop_rule", row["rule_id"]),))
    thorium = {row["source_id"]: THORIUM_LEVELS.index(row["thorium"]) for row in tables["sources"].to_dict("records")}
    for feed in problem.feeds:
        s, h, _, y = feed
        codes: list[Code] = []
        if thorium[s] > THORIUM_LEVELS.index(hosts[h]["thorium_accepted"]):
            codes.append(("thorium_accepted", h))
        for row in rules:
            if row["host"] == h and holds(row, y) and _bars_feed(row["rule"], thorium[s], problem.cracked[s]):
                codes.append(("drop_rule", row["rule_id"]))
        for code in codes:
            yield Bar(("feed", feed), (code,), 1.0, problem.available[s, y])


def _bars_feed(rule: str, thorium: int, cracked: bool) -> bool:
    if rule == "no_thorium":
        return thorium > THORIUM_LEVELS.index("low")
    return rule == "no_cracking" and cracked


def holds(row: dict, year: int) -> bool:
    """Return whether a dated row is in force in a year."""
    return not (row["from_year"] > year) and not (row["to_year"] < year) if _dated(row) else True


def _dated(row: dict) -> bool:
    return not (pd.isna(row["from_year"]) and pd.isna(row["to_year"]))
