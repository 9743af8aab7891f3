"""What keeps plants and feed out altogether: the book with those rules away, and which rule bars what."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from model.book import split_codes
from model.formulation_elastic import Bar, Code
from model.problem import Problem
from model.problem_builder import build_problem
from model.problem_policy import bars_feed, rule_span
from model.problem_sheets import all_on_offer, by_key, modelled_years, output_share, records
from model.schema import THORIUM_LEVELS
from model.tables import Tables

BARRING_RULES = ("forbid_plant", "no_thorium", "no_cracking")

NOTHING_T = 1e-9
"""Tonnes a year that stand for none, so that a supplier with nothing to offer in a year has a figure to raise."""


def widened(tables: Tables) -> tuple[Tables, Problem]:
    """Return the book without what bars plants, feed or purchases, as far as its distances reach, and its problem."""
    years = modelled_years(tables)
    hosts, rules, suppliers = tables["hosts"].copy(), tables["host_rules"], tables["suppliers"].copy()
    hosts["earliest_start"] = hosts["earliest_start"].clip(upper=years[0])
    hosts["thorium_accepted"] = THORIUM_LEVELS[-1]
    for y in years:
        suppliers[y] = suppliers[y].clip(lower=NOTHING_T)
    wide = tables.with_frames(hosts=hosts, host_rules=rules[~rules["rule"].isin(BARRING_RULES)], suppliers=suppliers)
    longest = tables["designs"]["build_years"].max() if len(tables["designs"]) else 0.0
    wide = wide.with_settings(decision_year=float(min(tables.setting("decision_year"), years[0] - math.ceil(longest))))
    tied = all_on_offer(tables)
    frames = {
        "hosts": hosts.assign(candidate="yes"),
        "sources": tied.assign(process_only_in=""),
        "designs": tables["designs"].assign(host=""),
    }
    # sites that are no candidates, sources that are not in use and feed tied to another country may lack distances
    narrower = (("sources", tied), ("hosts", hosts), ("sources", tied[tables["sources"]["use"] == "yes"]))
    for sheet, frame in narrower:
        try:
            return _built(tables, wide.with_frames(**frames))
        except KeyError:
            frames[sheet] = frame
    return _built(tables, wide.with_frames(**frames))


def _built(tables: Tables, wide: Tables) -> tuple[Tables, Problem]:
    """Return the wider book and its problem, in which sources have no more than their own output in years in which they have any."""
    own, problem = by_key(tables, "sources", "source_id"), build_problem(wide)
    available = {(s, y): kt * (output_share(own[s], y) or 1.0) for (s, y), kt in problem.available.items()}
    return wide, replace(problem, available=available)


def bars(tables: Tables, problem: Problem) -> Iterator[Bar]:
    """Yield what the book's own rules bar in the wider problem."""
    hosts = by_key(tables, "hosts", "host")
    designs = by_key(tables, "designs", "design")
    builds = {d: math.ceil(row["build_years"] - 1e-9) for d, row in designs.items()}
    decision = tables.setting("decision_year")
    rules = [(row["rule"], row["host"], *rule_span(row), row["rule_id"]) for row in records(tables, "host_rules")]
    for key in problem.builds:
        h, d, _, y = key
        column = ("build", key)
        if hosts[h]["candidate"] != "yes":
            yield Bar(column, (("candidate", h),))
        if designs[d]["host"] not in ("", h):
            yield Bar(column, (("design_host", d),))
        if y < hosts[h]["earliest_start"]:
            yield Bar(column, (("earliest_start", h),), hosts[h]["earliest_start"] - y)
        if y < decision + builds[d]:
            yield Bar(column, (("decision_year",), ("build_years", d)), decision + builds[d] - y)
        for rule, where, first, last, rule_id in rules:
            if rule == "forbid_plant" and where == h and first <= y <= last:
                yield Bar(column, (("drop_rule", rule_id),))
    sources = by_key(tables, "sources", "source_id")
    thorium = {s: THORIUM_LEVELS.index(row["thorium"]) for s, row in sources.items()}
    bound_to = {s: split_codes(row["process_only_in"]) for s, row in sources.items()}
    for feed in problem.feeds:
        s, h, _, y = feed
        codes: list[Code] = [(kind, s) for kind in _not_offered(sources[s])]
        if bound_to[s] and hosts[h]["country"] not in bound_to[s]:
            codes.append(("process_only_in", s))
        if thorium[s] > THORIUM_LEVELS.index(hosts[h]["thorium_accepted"]):
            codes.append(("thorium_accepted", h))
        for rule, where, first, last, rule_id in rules:
            if where == h and first <= y <= last and bars_feed(rule, thorium[s], problem.cracked[s]):
                codes.append(("drop_rule", rule_id))
        for code in codes:
            yield Bar(("feed", feed), (code,), 1.0, problem.available[s, y])
        if output_share(sources[s], y) == 0.0:
            yield Bar(("feed", feed), (("first_year", s),), max(1.0, sources[s]["first_year"] - y), problem.available[s, y])


def _not_offered(source: dict) -> Iterator[str]:
    if source["use"] != "yes":
        yield "use"
    if source["uncommitted"] == 0.0:
        yield "uncommitted"
