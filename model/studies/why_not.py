"""Why a host holds no plant, what a chosen one is worth, and what would bring in those left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from model.batch import Case, solve_cases
from model.outcome import Status
from model.planner import Plan
from model.result_schema import ResultColumn
from model.studies.barriers import plan_barriers, plant_barriers
from model.studies.break_even import BreakEven, find_break_evens
from model.studies.host_changes import cheapest_build, with_forced_plant, without_host
from model.studies.plan_figures import host_names, plan_builds, plants_in_words, verdict
from model.studies.study import StudyContext, StudySheet
from model.tables import Tables

ROUGH = 0.01
"""Gap, as a share of the cost, of a solve that only asks whether a plan exists."""

COLUMNS = (
    ResultColumn("host", "", "Site."),
    ResultColumn("country", "", "Its country."),
    ResultColumn("in_the_way", "", "cost: a plan exists and is dearer; a rule or figure, with its cell: there is none."),
    ResultColumn("extra_cost", "MUSD", "Least extra cost if the host must hold the plant asked for."),
    ResultColumn("gap", "MUSD", "The extra cost cannot be less by more."),
    ResultColumn("plants", "", "All plants of the cheapest plan with it."),
    ResultColumn("verdict", "", "Independent verification of that plan."),
)
LOSS_COLUMNS = (
    ResultColumn("host", "", "Site."),
    ResultColumn("country", "", "Its country."),
    ResultColumn("in_the_way", "", "cost: a plan without it exists and is dearer; else why there is none."),
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


@dataclass(frozen=True)
class Answer:
    """What a host costs when forced, or when lost.

    Parameters
    ----------
    barred
        What keeps every such plan from existing; empty where cost alone does.
    extra, gap
        MUSD against the run's plan; NaN without a plan.
    """

    host: str
    barred: tuple[str, ...]
    extra: float = math.nan
    gap: float = math.nan
    plants: str = ""
    verdict: str = ""


def asked_size(tables: Tables) -> tuple[float, int]:
    """Return the t REO/y and the year that the settings ask about, the year within the plan."""
    year = min(max(tables.setting("why_not_year"), tables.setting("first_year")), tables.setting("last_year"))
    return tables.setting("why_not_size"), int(year)


def asked_hosts(tables: Tables) -> list[str]:
    """Return the hosts asked about; ValueError where the setting names one that is not in the book."""
    hosts = tables["hosts"]
    named = [name.strip() for name in str(tables.settings["why_not_hosts"]).split(",") if name.strip()]
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
    barred |= _probe(context, impossible, size, year)
    return [
        Answer(host, barred[host]) if host in barred else _answer(context, host, plans[host])
        for host in asked_hosts(tables) if host not in chosen
    ]  # fmt: skip


def lose_hosts(context: StudyContext) -> list[Answer]:
    """Find what it costs to lose each chosen host."""
    chosen, own = context.plan.solution.host_set, plan_builds(context.plan)
    cases = [
        Case(f"without {host}", without_host(context.tables, host), start=tuple(key for key in own if key[0] != host)) for host in chosen
    ]
    plans = [plan for _, plan in solve_cases(cases, context.options, context.workers, context.say, hot=context.plan.hot)]
    return [_answer(context, host, plan) for host, plan in zip(chosen, plans, strict=True)]


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


def _probe(context: StudyContext, hosts: Sequence[str], size: float, year: int) -> dict[str, tuple[str, ...]]:
    """Return what bars a plan with a plant at each host: every single thing whose lifting makes one possible."""
    asked = [(host, barrier) for host in hosts for barrier in plan_barriers(context.tables, host)]
    cases = [
        Case(f"{host} if not for {barrier.words}", with_forced_plant(barrier.lift(context.tables), host, size, year))
        for host, barrier in asked
    ]
    rough = replace(context.options, relative_gap=max(ROUGH, context.options.relative_gap))
    found: dict[str, list[str]] = {host: [] for host in hosts}
    for (host, barrier), (_, plan) in zip(
        asked, solve_cases(cases, rough, context.workers, context.say, hot=context.plan.hot), strict=True
    ):
        if plan.solution.status.has_plan and plan.verification.passed:
            found[host].append(barrier.words)
    return {host: tuple(words) or ("no plan exists with it, and no single rule or figure is in the way",) for host, words in found.items()}


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    tables = context.tables
    forced, lost = force_hosts(context), lose_hosts(context)
    nearest = sorted((answer for answer in forced if not answer.barred), key=lambda answer: answer.extra)
    count = int(tables.setting("break_even_hosts"))
    break_evens = find_break_evens(context, [answer.host for answer in nearest[:count]]) if nearest and count else []
    sheets = [_why_not_sheet(tables, forced, lost, nearest, break_evens)]
    if break_evens:
        sheets.append(_break_even_sheet(tables, break_evens))
    return sheets


def _why_not_sheet(
    tables: Tables, forced: Sequence[Answer], lost: Sequence[Answer], nearest: Sequence[Answer], break_evens: Sequence[BreakEven]
) -> StudySheet:
    size, year = asked_size(tables)
    order = [*nearest, *(answer for answer in forced if answer.barred)]
    rows = [
        (a.host, host_names(tables, [a.host]), "; or ".join(a.barred) or "cost", a.extra, a.gap, a.plants, a.verdict) for a in order
    ]  # fmt: skip
    losses = [
        (a.host, host_names(tables, [a.host]), "; ".join(a.barred) or "cost", a.extra, a.gap, a.plants, a.verdict)
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
        list(_sentences(tables, order, lost, asked)),
        list(_headlines(tables, nearest, lost, break_evens, size, year)),
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
        list(_break_even_sentences(tables, rows)),
    )


def _sentences(tables: Tables, order: Sequence[Answer], lost: Sequence[Answer], asked: str) -> Iterator[str]:
    free = [answer for answer in order if not answer.barred]
    if free:
        cheap = free[0]
        yield (
            f"The nearest host left out is {host_names(tables, [cheap.host])}: a plant of {asked} there adds {cheap.extra:,.1f} MUSD to the plan. "
            "That is the least that choosing it for another reason than cost must be worth."
        )  # fmt: skip
        close = [answer for answer in free if answer.extra - cheap.extra <= max(1.0, cheap.gap)]
        if len(close) > 1:
            yield (
                f"{len(close)} hosts lie within {max(1.0, cheap.gap):,.1f} MUSD of it ({host_names(tables, [a.host for a in close])}): "
                "let ownership, permits and politics decide among them, not this figure."
            )
    ruled = [answer for answer in order if answer.barred and not answer.verdict]
    if ruled:
        yield f"{len(ruled)} are barred by a rule or figure of the book, whatever it costs; the column in_the_way names its cell: change it there to ask again."
    for answer in lost:
        name = host_names(tables, [answer.host])
        if answer.barred:
            yield f"Without {name}: {'; '.join(answer.barred)}."
        else:
            then = "no plant is built" if answer.plants == "none" else f"the plants are {answer.plants}"
            yield f"Losing {name} costs {answer.extra:,.1f} MUSD; then {then}. Terms asked for the site should cost less than that."


def _headlines(
    tables: Tables, nearest: Sequence[Answer], lost: Sequence[Answer], break_evens: Sequence[BreakEven], size: float, year: int
) -> Iterator[str]:
    if nearest:
        text = f"Nearest host left out: {host_names(tables, [nearest[0].host])}, {nearest[0].extra:+,.1f} MUSD for {size / 1000:g} kt by {year}"
        found = [row for row in break_evens if row.host == nearest[0].host and _is_sure(row) and row.today]
        if found:
            least = min(found, key=lambda row: abs(row.value / row.today - 1))
            text += f"; it comes in if its {_in_words(least)}"
        yield text + "."
    dear = [answer for answer in lost if not answer.barred]
    if dear:
        worst = max(dear, key=lambda answer: answer.extra)
        yield f"Losing {host_names(tables, [worst.host])} would cost {worst.extra:,.1f} MUSD."


def _is_sure(row: BreakEven) -> bool:
    """Whether a break-even was found, verified and proven on both sides."""
    return math.isfinite(row.value) and row.verdict == "passed" and (row.comes_in, row.stays_out) == ("yes", "yes")


def _in_words(row: BreakEven) -> str:
    """Return a break-even in words, such as "capex factor falls below 0.78 x (now 0.85)"."""
    verb = "rises above" if row.limit > row.today else "falls below"
    if row.figure.unit == "share/y":
        return f"{row.figure.words} {verb} {row.value:.2%} (now {row.today:.2%})".replace("%", " %")
    return f"{row.figure.words} {verb} {row.value:.3g} {row.figure.unit} (now {row.today:.3g})"


def _break_even_sentences(tables: Tables, rows: Sequence[BreakEven]) -> Iterator[str]:
    for host in dict.fromkeys(row.host for row in rows):
        own = [row for row in rows if row.host == host]
        found = [row for row in own if _is_sure(row)]
        doubtful = [row.figure.words for row in own if math.isfinite(row.value) and not _is_sure(row)]
        name = host_names(tables, [host])
        if found:
            yield f"{name} comes into the least-cost plan if its {', or its '.join(_in_words(row) for row in found)}. These are what to negotiate for."
        if doubtful:
            yield f"{name}: what was found for {', '.join(doubtful)} is not proven on both sides; read its row before it is used."
        if any(row.answer.startswith("comes in as it stands") for row in own):
            yield f"{name} is as good as the hosts of the plan, within the gap: nothing has to change for it to come in."
        never = [row.figure.words for row in own if row.answer.startswith("no value")]
        if never:
            yield f"{name}: no value within its limits of {', '.join(never)} alone brings it in; do not spend effort there."
    if not any(_is_sure(row) for row in rows):
        return
    yield (
        "Each break-even is found to 1 % of the figure. Past it a plan with a plant at the host is known that is proven to be cheaper than every "
        "plan without; short of it, it is proven that none is cheaper by more than costs are proven to."
    )
    yield "At the break-even plans with and without the host cost the same; within the band they differ by less than costs are proven to."
    yield "The plant that comes in has the size that suits the plan, which may be smaller than the one that the sheet why_not asks for."
