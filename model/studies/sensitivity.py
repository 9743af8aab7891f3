"""Which estimates change the cost and, above all, the chosen hosts when they are moved through their range.

Each estimate goes to either end of its range while all else stays, and is solved there with the hosts of the plan, all of them
and no other, and with all hosts: what keeping the plan's hosts would cost more is what better data on that estimate could
save. A change of hosts within the gaps of the two solves is no change.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from model.book import split_codes
from model.result_schema import ResultColumn
from model.studies.estimates import SIDES, cells_in, kinds_in
from model.studies.moved import BROKEN, NOTHING, UNKNOWN, Moved, describe_plants, summarise
from model.studies.sensitivity_ends import LIMIT, OPEN, TIE, YES, End, codes, find_ends
from model.studies.study import StudyContext, StudySheet
from model.tables import Tables

HOST_COLUMNS = (
    ResultColumn("place", "rank", "1: keeping the hosts of the plan would cost most."),
    ResultColumn("figure", "", "Estimate that was moved."),
    ResultColumn("moved_to", "", "Where in its range."),
    ResultColumn("best_hosts", "", "Hosts of the best plan then."),
    ResultColumn(
        "keeping",
        "MUSD",
        "What keeping the hosts of the plan, all of them and no other, would cost more than the best plan then; what better data could save. "
        "unbounded: they cannot be kept.",
    ),
    ResultColumn("sure", "", "yes: more than the gaps of the two solves; within the gap: the two sets of hosts are as good as each other."),
    ResultColumn("plants", "", "Host, capacity in t REO/y and year on line of each plant then."),
    ResultColumn("change", "MUSD", "Total cost of the best plan then, against the plan of this run."),
    ResultColumn("advice", "", "What a planner can do."),
    ResultColumn("where", "", "Cells of the input workbook."),
)

TORNADO_COLUMNS = (
    ResultColumn("place", "rank", "1: widest swing of cost."),
    ResultColumn("figure", "", "Estimate that was moved."),
    ResultColumn("low_to", "", "Low end of its range."),
    ResultColumn("high_to", "", "High end of its range."),
    ResultColumn("low_cost", "MUSD", "Discounted cost of the best plan with the estimate at its low end."),
    ResultColumn("high_cost", "MUSD", "The same at its high end."),
    ResultColumn("low_change", "MUSD", "Cost at the low end against the plan of this run."),
    ResultColumn("high_change", "MUSD", "Cost at the high end against the plan of this run."),
    ResultColumn("swing", "MUSD", "Highest less lowest cost over the range; one-sided where an end has no plan to compare."),
    ResultColumn("low_hosts", "", "Hosts of the best plan at the low end."),
    ResultColumn("high_hosts", "", "Hosts of the best plan at the high end."),
    ResultColumn(
        "hosts_change",
        "",
        "Whether the hosts change at either end by more than the gaps of the solves; not settled: the search was stopped; "
        "no plan exists there: that is proven; breaks a rule of the book: see verdict.",
    ),
    ResultColumn("gap", "MUSD", "The wider of the two gaps: no plan can be cheaper by more."),
    ResultColumn("verdict", "", "Independent verification of the two plans."),
    ResultColumn("where", "", "Cells of the input workbook."),
)


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    tables, plan, say = context.tables, context.plan, context.say
    names = split_codes(str(tables.settings["sensitivity_figures"]))
    estimates = kinds_in(tables, names)
    groups = {frozenset(estimate.spots) for estimate in estimates}
    cells = cells_in(plan, tables.setting("sensitivity_range"), int(tables.setting("sensitivity_cells")))
    estimates += [cell for cell in cells if frozenset(cell.spots) not in groups]
    if not estimates:
        say("  nothing to do: no figure of the book is marked estimate.")
        return []
    own = summarise("", plan)
    ends = find_ends(context, estimates, own)
    hosts, bars = host_table(ends, own), tornado_table(ends, own)
    sentences = describe(ends, own, tables)
    sheet = StudySheet(
        "sensitivity",
        "Every kind of estimate and the single ones that matter most, moved through their range one at a time, each move solved again.",
        [
            ("Estimates that change the chosen hosts: where better data would pay.", HOST_COLUMNS, hosts),
            ("What each estimate does to the cost (tornado).", TORNADO_COLUMNS, bars),
        ],
        sentences,
        headlines(ends, own, tables),
    )
    return [sheet]


def host_table(ends: Sequence[End], own: Moved) -> pd.DataFrame:
    """Return the moves that bring other hosts, the dearest to ignore first."""
    rows = [
        (
            place, end.estimate.words, end.moved_to, codes(end.best), end.keeping, end.hosts_change, describe_plants(end.best.plants),
            end.best.total_cost - own.total_cost, end.estimate.advice, end.estimate.where,
        )
        for place, end in enumerate(_moving(ends), 1)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[column.name for column in HOST_COLUMNS])


def _moving(ends: Sequence[End]) -> list[End]:
    """Return the ends with other hosts: those beyond the gap first, by what keeping the plan's hosts costs."""
    order = {YES: 0, TIE: 1}
    moving = [end for end in ends if end.hosts_change in order]
    return sorted(moving, key=lambda end: (order[end.hosts_change], -end.keeping, end.estimate.name, end.side))


def tornado_table(ends: Sequence[End], own: Moved) -> pd.DataFrame:
    """Return one row an estimate, the widest swing of cost first; estimates not solved at either end come last."""
    rows = []
    for low, high in zip(ends[::2], ends[1::2], strict=True):
        costs = [own.total_cost, *(end.best.total_cost for end in (low, high) if end.best.known)]
        solved = any(end.best.known and end.hosts_change != LIMIT for end in (low, high))
        gaps = [end.best.gap for end in (low, high) if end.best.known]
        verdicts = list(dict.fromkeys(end.best.verdict for end in (low, high) if end.hosts_change != LIMIT))
        rows.append(
            (
                0, low.estimate.words, low.moved_to, high.moved_to, low.best.total_cost, high.best.total_cost,
                low.best.total_cost - own.total_cost, high.best.total_cost - own.total_cost,
                max(costs) - min(costs) if solved else math.nan, codes(low.best), codes(high.best),
                _both(low.hosts_change, high.hosts_change), max(gaps, default=math.nan), "; ".join(verdicts) or LIMIT, low.estimate.where,
            )
        )  # fmt: skip
    frame = pd.DataFrame(rows, columns=[column.name for column in TORNADO_COLUMNS])
    frame = frame.sort_values(["swing", "figure"], ascending=[False, True], na_position="last", ignore_index=True)
    frame["place"] = range(1, len(frame) + 1)
    return frame


def _both(low: str, high: str) -> str:
    """Return what both ends say, or each apart."""
    if low == high:
        return low
    return f"{low} (low), {high} (high)"


def host_words(tables: Tables, hosts: Iterable[str]) -> str:
    """Return hosts by country and code, or "no host"."""
    names = dict(zip(tables["hosts"]["host"], tables["hosts"]["name"], strict=True))
    return " and ".join(f"{names[host]} ({host})" if names[host] else host for host in sorted(hosts)) or "no host"


def _host_sentence(end: End, own: Moved, tables: Tables) -> str:
    best, kept = host_words(tables, end.best.hosts), host_words(tables, own.hosts)
    price = f"with {kept} {end.keeping:,.1f} MUSD more would be paid"
    if math.isinf(end.keeping):
        price = f"{kept} cannot be kept" if own.hosts else "no plan without a plant exists then"
    return f"{_moved(end)}: best at {best}; {price}. {end.estimate.advice}"


def _moved(end: End) -> str:
    words = end.estimate.words
    return f"{words[:1].upper()}{words[1:]} ({end.moved_to})"


def _listed(ends: Sequence[End], *verdicts: str) -> str:
    """Return the moves with these verdicts in words, nothing where there are none."""
    return ", ".join(f"{end.estimate.words} ({end.moved_to})" for end in ends if end.hosts_change in verdicts)


def describe(ends: Sequence[End], own: Moved, tables: Tables) -> list[str]:
    """Return what the tables say, in words."""
    count = len(ends) // 2
    sure = [end for end in _moving(ends) if end.hosts_change == YES]
    ties = {end.estimate.name for end in _moving(ends) if end.hosts_change == TIE} - {end.estimate.name for end in sure}
    movers = {end.estimate.name for end in sure}
    spread = tables.setting("sensitivity_range")
    words = [
        f"{len(movers)} of {count} estimates change the chosen hosts somewhere in their range (low and high case, else {spread:.0%} either way)."
    ]
    words += [_host_sentence(end, own, tables) for end in _first_of_each(sure)[:3]]
    if ties:
        words.append(
            f"{len(ties)} more bring other hosts that are better by no more than the gap of the solves: these hosts are as good as the plan's."
        )
    if nothing := _listed(ends, NOTHING):
        words.append(f"No plan exists at all, whatever the hosts, with: {nothing}.")
    if broken := _listed(ends, BROKEN):
        words.append(f"Not solved, as the moved figures break a rule of the book that the table names: {broken}.")
    if unknown := _listed(ends, UNKNOWN, OPEN):
        words.append(f"Not settled, as the search was stopped or found no verified plan; give it more time: {unknown}.")
    named = movers | ties | {end.estimate.name for end in ends if end.hosts_change in (NOTHING, BROKEN, UNKNOWN, OPEN)}
    if len(named) < count:
        words.append(f"Better data on {'the others' if named else 'any one of them'} would change the cost, not the hosts.")
    bars = tornado_table(ends, own)
    words += [_swing_sentence(bar) for bar in bars[bars["swing"] > 0].head(3).to_dict("records")]
    words.append(
        "One estimate moves at a time; two that are wrong together can change the hosts where neither does alone. See the scenarios for that."
    )
    return words


def _swing_sentence(bar: Mapping[Hashable, Any]) -> str:
    """Return what a bar of the tornado says; a side without a plan has no figure."""
    sides = [(bar[f"{side}_to"], bar[f"{side}_change"]) for side in SIDES]
    known = ", ".join(f"{change:+,.0f} at {place}" for place, change in sides if not math.isnan(change))
    missing = ", ".join(place for place, change in sides if math.isnan(change))
    one_sided = f"; one-sided, as there is no plan to compare at {missing}" if missing else ""
    return f"Cost leans on {bar['figure']}: a swing of {bar['swing']:,.0f} MUSD ({known}{one_sided})."


def _first_of_each(ends: Sequence[End]) -> list[End]:
    """Return the first end of each estimate."""
    first: dict[str, End] = {}
    for end in ends:
        first.setdefault(end.estimate.name, end)
    return list(first.values())


def headlines(ends: Sequence[End], own: Moved, tables: Tables) -> list[str]:
    """Return at most three sentences for the first page: what leaves no plan, and the estimates on which better data would pay most."""
    nothing = _listed(ends, NOTHING)
    words = [f"No plan exists at all, whatever the hosts, with: {nothing}."] if nothing else []
    sure = _first_of_each([end for end in _moving(ends) if end.hosts_change == YES])[: 3 - len(words)]
    if sure:
        return words + [f"Weak number {place}: {_host_sentence(end, own, tables)}" for place, end in enumerate(sure, 1)]
    if any(end.hosts_change in (NOTHING, BROKEN, UNKNOWN, OPEN) for end in ends):
        unsettled = (
            "No estimate that could be settled changes the chosen hosts within its range; see sheet sensitivity for those that could not."
        )
        return [*words, unsettled]
    return ["No estimate, moved through its range by itself, changes the chosen hosts."]
