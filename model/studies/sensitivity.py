"""Which estimates change the cost and, above all, the chosen hosts when they are moved through their range.

Each estimate goes to either end of its range while all else stays. The question is solved first with the hosts of the plan
only, which is quick, and then, started from there, with all hosts: what keeping the plan's hosts would cost more is what better
data on that estimate could save. A change of hosts within the gaps of the two solves is no change.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from model.result_schema import ResultColumn
from model.studies.estimates import SIDES, Estimate, cells_in, describe_move, kinds_in, move
from model.studies.moved import Moved, describe_plants, plants_of, solve_moved, summarise
from model.studies.study import StudyContext, StudySheet
from model.tables import Tables

YES, NO, TIE, OPEN, UNKNOWN, LIMIT = "yes", "no", "within the gap", "not settled", "not known", "at its limit"

HOST_COLUMNS = (
    ResultColumn("place", "rank", "1: keeping the hosts of the plan would cost most."),
    ResultColumn("figure", "", "Estimate that was moved."),
    ResultColumn("moved_to", "", "Where in its range."),
    ResultColumn("best_hosts", "", "Hosts of the best plan then."),
    ResultColumn(
        "keeping", "MUSD", "What keeping the hosts of the plan would cost more than the best plan then; what better data could save."
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
    ResultColumn("swing", "MUSD", "Highest less lowest cost over the range."),
    ResultColumn("low_hosts", "", "Hosts of the best plan at the low end."),
    ResultColumn("high_hosts", "", "Hosts of the best plan at the high end."),
    ResultColumn(
        "hosts_change",
        "",
        "Whether the hosts change at either end by more than the gaps of the solves; not settled: the search was stopped.",
    ),
    ResultColumn("gap", "MUSD", "The wider of the two gaps: no plan can be cheaper by more."),
    ResultColumn("verdict", "", "Independent verification of the two plans."),
    ResultColumn("where", "", "Cells of the input workbook."),
)


@dataclass(frozen=True)
class End:
    """An estimate at one end of its range.

    Parameters
    ----------
    estimate, side
        What was moved and which way.
    moved_to
        In words.
    best
        Best plan then; the plan of the run where the estimate is at its limit already.
    kept
        Best plan then at the hosts of the run's plan only; None where the estimate is at its limit already.
    hosts_change
        yes, no, within the gap; not settled: no better hosts were found before the search was stopped; not known: no plan
        that passed verification; at its limit: nothing to move.
    """

    estimate: Estimate
    side: str
    moved_to: str
    best: Moved
    kept: Moved | None
    hosts_change: str

    @property
    def keeping(self) -> float:
        """What keeping the hosts of the plan costs, MUSD; infinite where it cannot be done, NaN where not known."""
        if self.kept is None:
            return 0.0
        return math.inf if self.kept.impossible else self.kept.total_cost - self.best.total_cost


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    tables, plan, say = context.tables, context.plan, context.say
    names = [name.strip() for name in str(tables.settings["sensitivity_figures"]).split(",") if name.strip()]
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


def find_ends(context: StudyContext, estimates: Sequence[Estimate], own: Moved) -> list[End]:
    """Solve each estimate at both ends of its range, and again at the plan's hosts where others come out."""
    tables, start = context.tables, plants_of(context.plan)
    options = replace(context.options, threads=1)  # one thread: the same answer every time
    moves: dict[tuple[str, str], Tables] = {(e.name, side): move(tables, e, side) for e in estimates for side in SIDES}
    changed = {key: made for key, made in moves.items() if made is not tables}
    context.say(f"Sensitivity of the plan: {len(estimates)} estimates moved ({2 * len(changed)} further solves):")
    said = {(e.name, side): f"{e.words}, {describe_move(tables, e, side)}" for e in estimates for side in SIDES}

    def told(item: Moved) -> str:
        name, _, side = item.name.rpartition(":")
        return f"  {said[name, side]}: {_change(item, own)}"

    context.say("  With the hosts of the plan only:")
    asked = [(":".join(key), _at_hosts(made, own.hosts), start) for key, made in changed.items()]
    kept = dict(zip(changed, solve_moved(asked, options, context.workers, context.say, told, context.plan.hot), strict=True))
    context.say("  With all hosts:")
    asked = [(":".join(key), made, kept[key].builds or start) for key, made in changed.items()]
    best = dict(zip(changed, solve_moved(asked, options, context.workers, context.say, told, context.plan.hot), strict=True))
    tolerance = max(options.absolute_gap, options.relative_gap * abs(own.total_cost))
    ends = []
    for estimate in estimates:
        for side in SIDES:
            key, moved_to = (estimate.name, side), describe_move(tables, estimate, side)
            if key not in changed:
                ends.append(End(estimate, side, moved_to, own, None, LIMIT))
                continue
            first = _cheaper(best[key], kept[key])
            ends.append(End(estimate, side, moved_to, first, kept[key], _verdict(first, kept[key], own, tolerance)))
    return ends


def _cheaper(best: Moved, kept: Moved) -> Moved:
    """Return the better of the two plans: a search over all hosts that was stopped may have missed the plan's own."""
    if not (best.known and kept.known) or kept.total_cost >= best.total_cost:
        return best
    bound = best.total_cost - best.gap
    return replace(kept, gap=kept.total_cost - bound)


def _at_hosts(tables: Tables, hosts: Iterable[str]) -> Tables:
    """Return the same inputs with these sites only to build at."""
    frame = tables["hosts"].copy()
    frame["candidate"] = frame["candidate"].where(frame["host"].isin(list(hosts)), "no")
    return tables.with_frames(hosts=frame)


def _verdict(best: Moved, kept: Moved, own: Moved, tolerance: float) -> str:
    if not best.known:
        return UNKNOWN
    if best.hosts == own.hosts:
        return NO if best.gap <= tolerance * (1.0 + 1e-6) + 1e-6 else OPEN
    if kept.impossible:
        return YES
    if not kept.known:
        return UNKNOWN
    return YES if kept.total_cost - kept.gap > best.total_cost + 1e-6 else TIE


def host_table(ends: Sequence[End], own: Moved) -> pd.DataFrame:
    """Return the moves that bring other hosts, the dearest to ignore first."""
    rows = [
        (
            place, end.estimate.words, end.moved_to, _codes(end.best), end.keeping, end.hosts_change, describe_plants(end.best.plants),
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
                max(costs) - min(costs) if solved else math.nan, _codes(low.best), _codes(high.best),
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


def _codes(item: Moved) -> str:
    if not item.known:
        return ""
    return ", ".join(sorted(item.hosts)) or "none"


def _change(item: Moved, own: Moved) -> str:
    if not item.known:
        return item.verdict
    return f"{item.total_cost - own.total_cost:+,.1f} MUSD, hosts {_codes(item)} (within {item.gap:,.1f} MUSD)"


def host_words(tables: Tables, hosts: Iterable[str]) -> str:
    """Return hosts by country and code, or "no host"."""
    names = dict(zip(tables["hosts"]["host"], tables["hosts"]["name"], strict=True))
    return " and ".join(f"{names[host]} ({host})" if names[host] else host for host in sorted(hosts)) or "no host"


def _host_sentence(end: End, own: Moved, tables: Tables) -> str:
    best, kept = host_words(tables, end.best.hosts), host_words(tables, own.hosts)
    price = "no plan would exist" if math.isinf(end.keeping) else f"{end.keeping:,.1f} MUSD more would be paid"
    return f"{_capital(end.estimate.words)} ({end.moved_to}): best at {best}; with {kept} {price}. {end.estimate.advice}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def describe(ends: Sequence[End], own: Moved, tables: Tables) -> list[str]:
    """Return what the tables say, in words."""
    count = len(ends) // 2
    sure = [end for end in _moving(ends) if end.hosts_change == YES]
    ties = {end.estimate.name for end in _moving(ends) if end.hosts_change == TIE} - {end.estimate.name for end in sure}
    unknown = list(dict.fromkeys(end.estimate.words for end in ends if end.hosts_change in (UNKNOWN, OPEN)))
    movers = list(dict.fromkeys(end.estimate.name for end in sure))
    spread = tables.setting("sensitivity_range")
    words = [
        f"{len(movers)} of {count} estimates change the chosen hosts somewhere in their range (low and high case, else {spread:.0%} either way)."
    ]
    words += [_host_sentence(end, own, tables) for end in _first_of_each(sure)[:3]]
    if ties:
        words.append(
            f"{len(ties)} more bring other hosts that are better by no more than the gap of the solves: these hosts are as good as the plan's."
        )
    if not unknown:
        words.append(f"Better data on {'the others' if movers or ties else 'any one of them'} would change the cost, not the hosts.")
    else:
        words.append(
            f"Not settled at one end or both, as the search was stopped or found no verified plan; give it more time: {', '.join(unknown)}."
        )
    bars = tornado_table(ends, own)
    for row in bars[bars["swing"] > 0].head(3).itertuples():
        words.append(
            f"Cost leans on {row.figure}: a swing of {row.swing:,.0f} MUSD ({row.low_change:+,.0f} at {row.low_to}, {row.high_change:+,.0f} at {row.high_to})."
        )
    words.append(
        "One estimate moves at a time; two that are wrong together can change the hosts where neither does alone. See the scenarios for that."
    )
    return words


def _first_of_each(ends: Sequence[End]) -> list[End]:
    """Return the first end of each estimate."""
    first: dict[str, End] = {}
    for end in ends:
        first.setdefault(end.estimate.name, end)
    return list(first.values())


def headlines(ends: Sequence[End], own: Moved, tables: Tables) -> list[str]:
    """Return at most three sentences for the first page: the estimates on which better data would pay most."""
    sure = _first_of_each([end for end in _moving(ends) if end.hosts_change == YES])[:3]
    if sure:
        return [f"Weak number {place}: {_host_sentence(end, own, tables)}" for place, end in enumerate(sure, 1)]
    if any(end.hosts_change in (UNKNOWN, OPEN) for end in ends):
        return [
            "No estimate that could be settled changes the chosen hosts within its range; see sheet sensitivity for those that could not."
        ]
    return ["No estimate, moved through its range by itself, changes the chosen hosts."]
