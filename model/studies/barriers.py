"""Why no plant of a size can stand at a host by a year: the rule or figure in the way, by its cell."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

import pandas as pd

from model.problem import Problem
from model.problem_builder import build_problem
from model.studies.host_changes import with_host_figure
from model.tables import Tables

FEED_AND_TRADE = ("no_thorium", "no_cracking", "feed_ceiling", "export_share", "export_ceiling")


@dataclass(frozen=True)
class Barrier:
    """A rule or figure that may be in the way.

    Parameters
    ----------
    words
        What it is and where it stands.
    lift
        Tables -> the tables without it.
    """

    words: str
    lift: Callable[[Tables], Tables]


def size_in_reach(problem: Problem, host: str, by_year: int) -> float:
    """Return the t REO/y that can be on line at a host by a year, by the rules on plants alone."""
    sizes = sorted((problem.capacity[d] for h, d, _, year in problem.builds if h == host and year <= by_year), reverse=True)
    return 1000.0 * math.fsum(sizes[: problem.plants_per_host])


def plant_barriers(tables: Tables, host: str, tonnes: float, by_year: int) -> list[str]:
    """Return which single rules or figures keep a plant of this size from being built in time, in words.

    Decided by arithmetic; empty where such a plant can be built.
    """

    def reach(changed: Tables) -> float:
        return size_in_reach(build_problem(changed), host, by_year)

    least = tonnes - 1e-6
    if reach(tables) >= least:
        return []
    barriers = list(_plant_barriers(tables, host, by_year))
    alone = [barrier.words for barrier in barriers if reach(barrier.lift(tables)) >= least]
    if alone:
        return alone
    largest = reach(_all_lifted(tables, barriers))
    if largest >= least:
        for barrier in list(barriers):
            # what need not be lifted is not in the way
            fewer = [each for each in barriers if each is not barrier]
            if reach(_all_lifted(tables, fewer)) >= least:
                barriers = fewer
        return ["several together: " + ", ".join(barrier.words for barrier in barriers)]
    return [f"no design fits: at most {largest:,.0f} t/y can stand there (capacity and host on designs; plants_per_host on settings)"]


def _all_lifted(tables: Tables, barriers: Iterable[Barrier]) -> Tables:
    for barrier in barriers:
        tables = barrier.lift(tables)
    return tables


def _plant_barriers(tables: Tables, host: str, by_year: int) -> Iterator[Barrier]:
    """Yield what may keep a plant from being built in time."""
    hosts, rules = tables["hosts"], tables["host_rules"]
    row = hosts.index[hosts["host"] == host][0]
    start = float(str(hosts.at[row, "earliest_start"]))
    yield Barrier(
        f"earliest_start = {start:.0f} ({tables.cell('hosts', row, 'earliest_start')})",
        lambda changed: with_host_figure(changed, host, "earliest_start", 0.0),
    )
    for place in rules.index[(rules["host"] == host) & (rules["rule"] == "forbid_plant")]:
        yield Barrier(_rule_in_words(tables, place), _rule_dropped(place))
    decision = tables.setting("decision_year")
    last = f", after {by_year}" if decision > by_year else " with build_years (designs)"
    yield Barrier(f"decision_year = {decision:.0f} (settings){last}", lambda changed: _built_at_once(changed, by_year))


def _text(frame: pd.DataFrame, place: Hashable, column: str) -> str:
    return str(frame.loc[[place], column].iloc[0])


def _built_at_once(tables: Tables, by_year: int) -> Tables:
    designs = tables["designs"].copy()
    designs["build_years"] = 0.0
    begun = min(tables.setting("decision_year"), float(by_year))
    return tables.with_frames(designs=designs).with_settings(decision_year=begun)


def _rule_dropped(place: Hashable) -> Callable[[Tables], Tables]:
    return lambda tables: tables.with_frames(host_rules=tables["host_rules"].drop(index=place, errors="ignore"))


def forcing_rules(tables: Tables, host: str) -> list[str]:
    """Return the rules that force a plant at a host, in words."""
    rules = tables["host_rules"]
    places = rules.index[(rules["host"] == host) & (rules["rule"] == "force_plant")]
    return [_rule_in_words(tables, place) for place in places]


def _rule_in_words(tables: Tables, place: Hashable) -> str:
    rules = tables["host_rules"]
    return f"rule {_text(rules, place, 'rule_id')}, {_text(rules, place, 'rule')} ({tables.cell('host_rules', place, 'rule')})"


def plan_barriers(tables: Tables, host: str) -> list[Barrier]:
    """Return what may make every plan with a plant at a host impossible, to be lifted one at a time and tried by solving."""
    hosts, rules, markets, designs = (tables[sheet] for sheet in ("hosts", "host_rules", "markets", "designs"))
    row = hosts.index[hosts["host"] == host][0]
    found = [
        Barrier(_rule_in_words(tables, place), _rule_dropped(place))
        for place in rules.index[(rules["host"] == host) & rules["rule"].isin(FEED_AND_TRADE)]
    ]  # fmt: skip
    if hosts.at[row, "thorium_accepted"] != "high":
        words = f"thorium_accepted = {_text(hosts, row, 'thorium_accepted')} ({tables.cell('hosts', row, 'thorium_accepted')})"
        found.append(Barrier(words, lambda changed: with_host_figure(changed, host, "thorium_accepted", "high")))
    years = [column for column in markets.columns if isinstance(column, int)]
    if years and bool(markets[years].notna().to_numpy().any()):
        free = markets.copy()
        free[years] = math.nan
        words = f"the partners' capex budgets ({tables.cell('markets', markets.index[0], years[0])} on)"
        found.append(Barrier(words, lambda changed: changed.with_frames(markets=free)))
    limits = {"country_share_limit": 1.0, "max_plants": tables.setting("max_plants") + 1}
    for name, value in limits.items():
        if tables.setting(name) != value:
            found.append(Barrier(f"{name} = {tables.setting(name):g} (settings)", _setting_changed(name, value)))
    if ((rules["rule"] == "force_plant") & (rules["host"] != host)).any():
        elsewhere = rules[(rules["rule"] != "force_plant") | (rules["host"] == host)]
        found.append(Barrier("plants forced elsewhere (host_rules)", lambda changed: changed.with_frames(host_rules=elsewhere)))
    if len(tables["caps"]):
        found.append(Barrier("the caps (caps)", lambda changed: changed.with_frames(caps=changed["caps"].iloc[:0])))
    if (designs["minimum_use"] > 0).any():
        idle = designs.copy()
        idle["minimum_use"] = 0.0
        words = "minimum_use (designs): the plant could not be kept so busy"
        found.append(Barrier(words, lambda changed: changed.with_frames(designs=idle)))
    return found


def _setting_changed(name: str, value: float) -> Callable[[Tables], Tables]:
    return lambda tables: tables.with_settings(**{name: value})
