"""One host changed in the tables: a plant forced on it, the host lost, one of its figures moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import pandas as pd

from model.problem import BuildKey, Problem
from model.schema import ANY
from model.tables import Tables

FORCED = "forced_by_study"
"""How the name of a rule that a study adds begins."""

LEAST_SHARE = 0.2
"""No figure of a country is thought to fall below this share of today's."""


def with_forced_plant(tables: Tables, host: str, tonnes: float, by_year: int | None = None) -> Tables:
    """Return the tables with a rule that the host holds at least so much capacity by a year; by the last one if left out.

    Rules are known by their names, so the new one takes a name that no rule of the tables has.
    """
    rules = tables["host_rules"]
    taken = set(rules["rule_id"])
    name = next(name for name in _numbered(f"{FORCED}_{host}") if name not in taken)
    row: dict[Hashable, object] = {
        "rule_id": name, "host": host, "rule": "force_plant", "to_year": by_year, "value": tonnes, "value_unit": "t REO/y",
        "reason": "study", "source": "study", "quality": "assumption",
    }  # fmt: skip
    return tables.with_frames(host_rules=with_rows(rules, [row]))


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{number}" for number in count(2))


def without_host(tables: Tables, host: str) -> Tables:
    """Return the tables in which no plant may stand at the host; rules that force one there go too."""
    hosts, rules = tables["hosts"].copy(), tables["host_rules"]
    hosts.loc[hosts["host"] == host, "candidate"] = "no"
    kept = rules[~((rules["host"] == host) & (rules["rule"] == "force_plant"))]
    return tables.with_frames(hosts=hosts, host_rules=kept)


def with_hosts_kept(tables: Tables, problem: Problem, hosts: Collection[str]) -> Tables:
    """Return the tables in which plants stand at each of these hosts by the last year, and at no other.

    Parameters
    ----------
    tables
        Whose plans are asked for; figures may have moved, sites and sizes not.
    problem
        Tells the smallest plant of each host.
    hosts
        At which a plant can stand.
    """
    frame, rules = tables["hosts"].copy(), tables["host_rules"]
    frame["candidate"] = frame["candidate"].where(frame["host"].isin(list(hosts)), "no")
    kept = tables.with_frames(hosts=frame)
    forced = set(rules.loc[(rules["rule"] == "force_plant") & (rules["value"] > 0), "host"])
    for host in sorted(set(hosts) - forced):
        least = smallest_capacity(problem, host)
        assert least is not None, f"no plant can stand at {host}"
        kept = with_forced_plant(kept, host, least)
    return kept


def with_host_figure(tables: Tables, host: str, column: str, value: float | str) -> Tables:
    """Return the tables with one cell of `hosts` changed."""
    hosts = tables["hosts"].copy()
    if column not in hosts.columns:
        hosts[column] = math.nan
    hosts.loc[hosts["host"] == host, column] = value
    return tables.with_frames(hosts=hosts)


def with_duty_share(tables: Tables, host: str, share: float) -> Tables:
    """Return the tables with every duty on what the host's country sends to markets and takes from sources scaled.

    Rows are written for each pair of countries and each span of years, more specific than those of the
    book, so that trade between other countries keeps its duties.
    """
    home = _cell(tables, host, "country")
    duties = tables["duties"]
    pairs = [("oxide", home, market) for market in sorted(set(tables["markets"]["country"])) if market != home]
    stages = dict(zip(tables["processing"]["feed_type"], tables["processing"]["customs_stage"], strict=True))
    feeds = zip(tables["sources"]["feed_type"], tables["sources"]["country"], strict=True)
    pairs += sorted({(stages[kind], origin, home) for kind, origin in feeds if origin != home})
    replaced: set[Hashable] = set()
    rows: list[dict[Hashable, object]] = []
    for stage, origin, destination in pairs:
        near = duties[
            (duties["stage"] == stage) & duties["origin"].isin([origin, ANY]) & duties["destination"].isin([destination, ANY])
        ]  # fmt: skip
        for measure in dict.fromkeys(near["measure"]):
            of_measure = near[near["measure"] == measure]
            exact = of_measure[(of_measure["origin"] == origin) & (of_measure["destination"] == destination)]
            spans = [row for product in dict.fromkeys(of_measure["product"]) for row in _spans(of_measure, product, origin, destination)]
            if any(float(str(row["rate"])) > 0 for row in spans):
                replaced |= set(exact.index)
                rows += [{**row, "rate": float(str(row["rate"])) * share} for row in spans]
    return tables.with_frames(duties=with_rows(duties[~duties.index.isin(replaced)], rows))


def faces_duty(tables: Tables, host: str) -> bool:
    """Return whether any duty is laid on what the host takes in or sends out."""
    return not with_duty_share(tables, host, 1.0)["duties"].equals(tables["duties"])


def _spans(rows: pd.DataFrame, product: str, origin: str, destination: str) -> list[dict[Hashable, object]]:
    """Return one row for each span of years, with the rate of the most specific row in it."""
    rows = rows[rows["product"].isin(["", product])]
    rank = 4 * (rows["product"] != "") + 2 * (rows["origin"] != ANY) + (rows["destination"] != ANY)
    starts, ends = rows["from_year"].fillna(-math.inf), rows["to_year"].fillna(math.inf)
    edges = sorted({-math.inf, *starts, *(end + 1 for end in ends)})
    found: list[dict[Hashable, object]] = []
    for start, after in zip(edges, [*edges[1:], math.inf], strict=True):
        inside = (starts <= start) & (ends >= start) if math.isfinite(start) else starts == -math.inf
        if start == math.inf or not inside.any():
            continue
        best: dict[Hashable, Any] = rows.loc[rank[inside].index[int(rank[inside].to_numpy().argmax())]].to_dict()
        best["from_year"] = start if math.isfinite(start) else math.nan
        best["to_year"] = after - 1 if math.isfinite(after) else math.nan
        found.append({**best, "product": product, "origin": origin, "destination": destination})
    return found


def with_rows(frame: pd.DataFrame, rows: Sequence[dict[Hashable, object]]) -> pd.DataFrame:
    """Return a frame with rows added under new Excel rows; what a row leaves out is blank."""
    if not rows:
        return frame
    first = max([1, *frame.index]) + 1
    index = range(first, first + len(rows))
    data = {
        column: pd.Series([_blank_for(frame[column], row.get(column)) for row in rows], index=index, dtype=frame[column].dtype)
        for column in frame.columns
    }
    added = pd.DataFrame(data, index=index)
    return pd.concat([frame, added]) if len(frame) else added


def _blank_for(column: pd.Series, value: object) -> object:
    blank = math.nan if pd.api.types.is_numeric_dtype(column) else ""
    return blank if value is None else value


def _cell(tables: Tables, host: str, column: str) -> Any:
    frame = tables["hosts"]
    return frame.loc[frame["host"] == host, column].iloc[0] if column in frame.columns else math.nan


def smallest_capacity(problem: Problem, host: str) -> float | None:
    """Return the t REO/y of the smallest plant that can stand at a host; None where none can."""
    sizes = [problem.capacity[key[1]] * 1000.0 for key in problem.builds if key[0] == host]
    return min(sizes, default=None)


def cheapest_build(problem: Problem, host: str, tonnes: float, by_year: int) -> tuple[BuildKey, ...]:
    """Return the cheapest plant of a size at a host that is on line in time, as a start; empty where there is none."""
    found = [
        key for key in problem.builds
        if key[0] == host and key[3] <= by_year and problem.capacity[key[1]] * 1000.0 >= tonnes - 1e-6
    ]  # fmt: skip
    return (min(found, key=lambda key: (problem.capex[key], -key[3])),) if found else ()


@dataclass(frozen=True)
class Figure:
    """A figure of a host that could bring it in.

    Parameters
    ----------
    name
        Column of `hosts`, or ``duty``.
    words
        For sentences.
    unit
        As in the workbook.
    today
        Tables, host -> the figure as it stands.
    limit
        Today's figure -> the most favourable value thought possible.
    change
        Tables, host, value -> changed tables.
    moves_others
        Whether plans without the host can cost something else then, too.
    """

    name: str
    words: str
    unit: str
    today: Callable[[Tables, str], float]
    limit: Callable[[float], float]
    change: Callable[[Tables, str, float], Tables]
    moves_others: bool = False


def _figure_of_hosts(tables: Tables, host: str, column: str, blank: float) -> float:
    value = float(_cell(tables, host, column))
    return blank if math.isnan(value) else value


def _change_of_hosts(tables: Tables, host: str, value: float, column: str) -> Tables:
    return with_host_figure(tables, host, column, value)


def _duty_share(tables: Tables, host: str) -> float:
    return 1.0 if faces_duty(tables, host) else 0.0


def _small_part(today: float) -> float:
    return LEAST_SHARE * today


def _nothing(_: float) -> float:
    return 0.0


def _one(_: float) -> float:
    return 1.0


def _of_hosts(name: str, words: str, unit: str, limit: Callable[[float], float], blank: float = math.nan) -> Figure:
    today, change = partial(_figure_of_hosts, column=name, blank=blank), partial(_change_of_hosts, column=name)
    return Figure(name, words, unit, today, limit, change)


# plain functions throughout: figures are sent to other processes
FIGURES: tuple[Figure, ...] = (
    _of_hosts("capex_factor", "capex factor", "x", _small_part),
    _of_hosts("cost_of_capital", "cost of capital", "share/y", _nothing),
    _of_hosts("power_price", "power price", "USD/kWh", _small_part),
    _of_hosts("operating_factor", "processing cost", "x today's", _small_part, 1.0),
    Figure("duty", "duties on its trade", "x today's", _duty_share, _nothing, with_duty_share, moves_others=True),
    _of_hosts("expertise", "expertise", "score 0-1", _one),
)
"""What a break-even is sought for, with the limits within which it is sought."""
