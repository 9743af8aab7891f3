"""Why a host holds no plant, what a chosen one is worth, and what would bring in those left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from model.batch import Case, solve_cases
from model.book import split_codes
from model.outcome import Status
from model.planner import Plan
from model.result_schema import ResultColumn
from model.studies.barriers import forcing_rules, plan_barriers, plant_barriers
from model.studies.break_even import BreakEven, find_break_evens
from model.studies.host_changes import cheapest_build, with_forced_plant, without_host
from model.studies.plan_figures import host_names, plan_builds, plants_in_words, verdict
from model.studies.study import StudyContext, StudySheet
from model.studies.why_not_words import Answer, break_even_sentences, headlines, in_the_way_of_losing, sentences
from model.tables import Tables

COLUMNS = (
    ResultColumn("host", "", "Site."),
    ResultColumn("country", "", "Its country."),
    ResultColumn("in_the_way", "", "cost: a plan exists; a rule or figure, with its cell: there is none; else what is not known."),
    ResultColumn("extra_cost", "MUSD", "Least extra cost if the host must hold the plant asked for."),
    ResultColumn("gap", "MUSD", "The extra cost cannot be less by more."),
    ResultColumn("plants", "", "All plants of the cheapest plan with it."),
    ResultColumn("verdict", "", "Independent verification of that plan."),
)
LOSS_COLUMNS = (
    ResultColumn("host", "", "Site."),
    ResultColumn("country", "", "Its country."),
    ResultColumn(
        "in_the_way", "", "cost: a plan without it exists; a rule that forces a plant there is named and lifted; else why there is none."
    ),
    ResultColumn("extra_cost", "MUSD", "Least extra cost if no plant may stand there."),
    ResultColumn("gap", "MUSD", "The extra cost cannot be less by more."),
    ResultColumn("plants", "", "All plants of the cheapest plan without it."),
    ResultColumn("verdict", "", "Independent verification of that plan."),
)
BREAK_EVEN_COLUMNS = (
    ResultColumn("host", "", "Site that is left out."),
    ResultColumn("country", "", "Its country."),
    ResultColumn("figure", "", "The one figure that is moved; all others stand."),
    ResultColumn("unit", "", "Unit of the figure."),
    ResultColumn("today", "in its unit", "The figure in the book."),
    ResultColumn("limit", "in its unit", "The most favourable value tried."),
    ResultColumn("answer", "", "Whether and where the host comes into the least-cost plan, at whatever size suits it."),
    ResultColumn("break_even", "in its unit", "Value at which plans with and without the host cost the same."),
    ResultColumn("change", "share", "Against today."),
    ResultColumn("band", "in its unit", "How far to either side the two differ by less than costs are proven to."),
    ResultColumn("past", "in its unit", "Value just past the break-even."),
    ResultColumn(
        "comes_in",
        "",
        "Whether a plan with a plant at the host is proven to be cheaper there than every plan without.",
    ),
    ResultColumn("short", "in its unit", "Value just short of it."),
    ResultColumn(
        "stays_out", "", "Whether it is proven that no plan with a plant at the host is cheaper there, by more than costs are proven to."
    ),
    ResultColumn("verdict", "", "Independent verification of every plan behind the row."),
)


def asked_size(tables: Tables) -> tuple[float, int]:
    """Return the t REO/y and the year that the settings ask about, the year within the plan."""
    year = min(max(tables.setting("why_not_year"), tables.setting("first_year")), tables.setting("last_year"))
    return tables.setting("why_not_size"), int(year)


def asked_hosts(tables: Tables) -> list[str]:
    """Return the hosts asked about; ValueError where the setting names one that is not in the book."""
    hosts = tables["hosts"]
    named = split_codes(str(tables.settings["why_not_hosts"]))
    for name in named:
        if name not in set(hosts["host"]):
            raise ValueError(f"why_not_hosts on sheet settings: {name} is not a host of the book")
    return named or hosts["host"].tolist()


def force_hosts(context: StudyContext) -> list[Answer]:
    """Find what each host left out would cost with a plant of the size and year asked for, or what bars it."""
    tables, (size, year) = context.tables, asked_size(context.tables)
    chosen, own = set(context.plan.solution.host_set), plan_builds(context.plan)
    barred: dict[str, tuple[str, ...]] = {}
    open_hosts = []
    for host in (host for host in asked_hosts(tables) if host not in chosen):
        words = _not_a_candidate(tables, host) or plant_barriers(tables, host, size, year)
        if words:
            barred[host] = tuple(words)
        else:
            open_hosts.append(host)
    cases = [
        Case(
            f"{host} with {size:,.0f} t/y by {year}", with_forced_plant(tables, host, size, year),
            start=(*own, *cheapest_build(context.plan.problem, host, size, year)),
        )
        for host in open_hosts
    ]  # fmt: skip
    plans = dict(
        zip(
            open_hosts,
            (plan for _, plan in solve_cases(cases, context.options, context.workers, context.say, hot=context.plan.hot)),
            strict=True,
        )
    )
    impossible = [host for host, plan in plans.items() if plan.solution.status is Status.INFEASIBLE]
    answers = {host: Answer(host, words) for host, words in barred.items()} | _probe(context, impossible, size, year)
    return [answers.get(host) or _answer(context, host, plans[host]) for host in asked_hosts(tables) if host not in chosen]


def lose_hosts(context: StudyContext) -> list[Answer]:
    """Find what it costs to lose each chosen host."""
    chosen, own = context.plan.solution.host_set, plan_builds(context.plan)
    cases = [
        Case(f"without {host}", without_host(context.tables, host), start=tuple(key for key in own if key[0] != host)) for host in chosen
    ]
    plans = [plan for _, plan in solve_cases(cases, context.options, context.workers, context.say, hot=context.plan.hot)]
    return [
        replace(_answer(context, host, plan), lifted=tuple(forcing_rules(context.tables, host)))
        for host, plan in zip(chosen, plans, strict=True)
    ]


def _not_a_candidate(tables: Tables, host: str) -> list[str]:
    hosts = tables["hosts"]
    row = hosts.index[hosts["host"] == host][0]
    return [] if hosts.at[row, "candidate"] == "yes" else [f"candidate = no ({tables.cell('hosts', row, 'candidate')})"]


def _answer(context: StudyContext, host: str, plan: Plan) -> Answer:
    solution = plan.solution
    if not solution.status.has_plan:
        return Answer(host, (str(solution.status),), verdict=verdict(plan))
    if not plan.verification.passed:
        return Answer(host, ("the plan found failed verification",), verdict=verdict(plan))
    base = context.plan.solution.objective
    return Answer(
        host, (), solution.objective - base, solution.gap, plants_in_words(context.tables, plan_builds(plan)), verdict(plan)
    )  # fmt: skip


def _probe(context: StudyContext, hosts: Sequence[str], size: float, year: int) -> dict[str, Answer]:
    """Return what bars a plan with a plant at each host: every single thing whose lifting makes one possible."""
    asked = [(host, barrier) for host in hosts for barrier in plan_barriers(context.tables, host)]
    cases = [
        Case(f"{host} if not for {barrier.words}", with_forced_plant(barrier.lift(context.tables), host, size, year))
        for host, barrier in asked
    ]
    found: dict[str, list[str]] = {host: [] for host in hosts}
    tried, open_ones = dict.fromkeys(hosts, 0), dict.fromkeys(hosts, 0)
    for (host, barrier), (_, plan) in zip(
        asked, solve_cases(cases, context.options.roughly(), context.workers, context.say, hot=context.plan.hot), strict=True
    ):
        tried[host] += 1
        if plan.verified:
            found[host].append(barrier.words)
        elif plan.solution.status is not Status.INFEASIBLE:
            open_ones[host] += 1
    return {host: _barred(host, found[host], tried[host], open_ones[host]) for host in hosts}


def _barred(host: str, found: Sequence[str], tried: int, open_ones: int) -> Answer:
    """Return an answer for a host that no plan can hold: what was found, of how much that was tried, and how much of that was left open."""
    unsettled = f"not known for {open_ones} of {tried} rules and figures: a solve was stopped"
    if found:
        return Answer(host, (*found, *([f"others: {unsettled}"] if open_ones else [])))
    if open_ones:
        return Answer(host, (unsettled,), is_named=False)
    return Answer(
        host, (f"no plan exists with it, and none of the {tried} rules and figures tried is in the way by itself",), is_named=False
    )


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    tables = context.tables
    forced, lost = force_hosts(context), lose_hosts(context)
    nearest = sorted((answer for answer in forced if not answer.barred), key=lambda answer: answer.extra)
    gap = context.options.gap_at(context.plan.solution.objective)
    count = int(tables.setting("break_even_hosts"))
    break_evens = find_break_evens(context, [answer.host for answer in nearest[:count]]) if nearest and count else []
    sheets = [_why_not_sheet(tables, forced, lost, nearest, break_evens, gap)]
    if break_evens:
        sheets.append(_break_even_sheet(tables, break_evens))
    return sheets


def _why_not_sheet(
    tables: Tables,
    forced: Sequence[Answer],
    lost: Sequence[Answer],
    nearest: Sequence[Answer],
    break_evens: Sequence[BreakEven],
    gap: float,
) -> StudySheet:
    size, year = asked_size(tables)
    order = [*nearest, *(answer for answer in forced if answer.barred)]
    rows = [
        (a.host, host_names(tables, [a.host]), "; or ".join(a.barred) or "cost", a.extra, a.gap, a.plants, a.verdict) for a in order
    ]  # fmt: skip
    losses = [
        (a.host, host_names(tables, [a.host]), in_the_way_of_losing(a), a.extra, a.gap, a.plants, a.verdict)
        for a in sorted(lost, key=lambda answer: -answer.extra if math.isfinite(answer.extra) else -math.inf)
    ]
    asked = f"{size:,.0f} t/y by {year}"
    return StudySheet(
        "why_not",
        f"Hosts left out: the least extra cost of a plant of {asked}, or what bars it. Hosts chosen: the cost of losing each.",
        [
            (f"Hosts left out, with a plant of {asked}.", COLUMNS, pd.DataFrame(rows, columns=[c.name for c in COLUMNS])),
            ("Hosts chosen, lost one at a time.", LOSS_COLUMNS, pd.DataFrame(losses, columns=[c.name for c in LOSS_COLUMNS])),
        ],
        list(sentences(tables, order, lost, asked, gap)),
        list(headlines(tables, order, lost, break_evens, f"{size / 1000:g} kt by {year}", gap)),
    )


def _break_even_sheet(tables: Tables, rows: Sequence[BreakEven]) -> StudySheet:
    frame = pd.DataFrame(
        [
            (
                row.host, host_names(tables, [row.host]), row.figure.words, row.figure.unit, row.today, row.limit, row.answer, row.value,
                (row.value - row.today) / abs(row.today) if row.today else math.nan, row.band, row.past, row.comes_in, row.short, row.stays_out, row.verdict,
            )
            for row in rows
        ],
        columns=[column.name for column in BREAK_EVEN_COLUMNS],
    )  # fmt: skip
    return StudySheet(
        "break_even",
        "The nearest hosts that are left out, and the value of each single figure at which one comes into the least-cost plan.",
        [("", BREAK_EVEN_COLUMNS, frame)],
        list(break_even_sentences(tables, rows)),
    )
