"""Who is served in order of priority, why somebody is not, and what serving strictly by priority would cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from model.analysis import sector_coverage
from model.outcome import Status
from model.planner import Plan
from model.result_schema import ResultColumn
from model.shortage_room import CAP, CAPACITY, DEARER, KINDS, LIMIT, NO_ORE, UNCLEAR
from model.shortages import shortage_reasons
from model.studies.lexicographic import NEGLIGIBLE_T, Pass, horizon_demand, ranks, serve_by_priority
from model.studies.plan_figures import plan_builds, plants_in_words, tonnes_short, verdict
from model.studies.study import StudyContext, StudySheet
from model.words import tonnes_words

WHAT_HELPS = {
    NO_ORE: "only further feedstock that contains the product helps (sheet sources: the cells that the reason names, or a further row), "
    "or a supplier of the oxide (sheet suppliers)",
    CAP: "raise that cap in those years, or all of them together where several are named (sheet caps), or find oxide without a link to China; "
    "the study frontier says what a point costs",
    CAPACITY: "plants sooner or faster (earliest_start on sheet hosts, build_years and ramps on sheet designs), or a stock filled before (sheet stockpiles)",
    DEARER: "the book says that a kg short costs less than a kg served: if that is wrong, raise shortage_cost (sheet sectors)",
    LIMIT: "change what the reason names, all of it where several limits are named, as far as the book may",
    UNCLEAR: "the plan does not tell which of the two it is; change one figure in a copy of the book and compare",
}
"""Kind of reason -> what a planner can do about it."""

SHORTAGE_COLUMNS = (
    ResultColumn("priority", "rank", "1 is served first."),
    ResultColumn("sector", "", "Sector."),
    ResultColumn("market", "", "Market."),
    ResultColumn("product", "", "Product."),
    ResultColumn("years", "", "Modelled years with a shortage of this kind."),
    ResultColumn("short", "t REO", "Left short over the horizon."),
    ResultColumn("of_demand", "share", "Shortage over the demand of those years."),
    ResultColumn("kind", "", "Kind of reason."),
    ResultColumn("served_below", "t REO", "What sectors of lower priority get of the same product in the same market and years."),
    ResultColumn("reason", "", "Why, in the year with the largest shortage."),
)

PASS_COLUMNS = (
    ResultColumn("priority", "rank", "1 is served first."),
    ResultColumn("sectors", "", "Who has this priority."),
    ResultColumn("wanted", "t REO", "Demand over the horizon."),
    ResultColumn("short_least_cost", "t REO", "Left short in the least-cost plan."),
    ResultColumn("short_before", "t REO", "Left short once all higher priorities are secured, at least cost."),
    ResultColumn("short_least", "t REO", "Least shortage found without taking from a higher priority."),
    ResultColumn("short_proven", "t REO", "No plan can leave this priority less short."),
    ResultColumn("step_cost", "MUSD", "What securing this priority adds to the discounted cost, net of the shortage cost that it saves."),
    ResultColumn("extra_cost", "MUSD", "Cost above the least-cost plan with this and all higher priorities secured."),
    ResultColumn("cost_per_kg", "USD/kg", "step_cost for each kg of shortage that it avoids; blank where none is avoided."),
    ResultColumn("gap", "MUSD", "No plan that secures as much can be cheaper by more."),
    ResultColumn("plants", "", "Plants of the least-cost plan that secures as much."),
    ResultColumn("verdict", "", "Independent verification."),
)


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    plan = context.plan
    shortages = shortage_table(plan)
    words = [_in_all(plan, shortages), *_why(shortages), *_out_of_order(shortages)]
    headlines = words[:1]
    shown = [
        ("Share of demand met, in order of priority, all markets and products, by tonnes.", *coverage_table(plan)),
        ("What is short and why.", SHORTAGE_COLUMNS, shortages),
    ]
    if str(context.tables.settings["lexicographic"]) == "yes":
        passes, stopped = serve_by_priority(context.tables, plan, context.options, context.say, context.workers)
        told = _in_strict_order(plan, passes, stopped)
        words, headlines = [*words, *told], [*headlines, *told[:1]]
        shown.append(("Served strictly in order of priority.", PASS_COLUMNS, pass_table(plan, passes)))
    caption = "Who is served in order of priority, why somebody is not, and what serving strictly by priority would cost."
    return [StudySheet("coverage", caption, shown, words, headlines)]


def coverage_table(plan: Plan) -> tuple[Sequence[ResultColumn], pd.DataFrame]:
    """Return columns and one row a sector: demand and shortage over the horizon, share met over it and in each year."""
    problem = plan.problem
    long = sector_coverage(plan.tables, problem, plan.solution.tables)
    columns = [
        ResultColumn("priority", "rank", "1 is served first."), ResultColumn("sector", "", "Sector."),
        ResultColumn("name", "", "Full name."), ResultColumn("wanted", "t REO", "Demand over the horizon."),
        ResultColumn("short", "t REO", "Left short over the horizon."), ResultColumn("met", "share", "Share met over the horizon."),
        *(ResultColumn(str(y), "share", f"Share met in {y}; blank where nothing is wanted.") for y in problem.years),
    ]  # fmt: skip
    rows = []
    for sector, part in ((str(sector), part) for sector, part in long.groupby("sector", sort=False)):
        priority, name = part.iloc[0][["priority", "name"]]
        wanted, short = horizon_demand(plan, [sector]), tonnes_short(plan, [sector])
        rows.append((priority, sector, name, wanted, short, 1.0 - short / wanted if wanted > 0 else math.nan, *part["coverage"]))
    return columns, pd.DataFrame(rows, columns=[column.name for column in columns])


def shortage_table(plan: Plan) -> pd.DataFrame:
    """Return one row a sector, market, product and kind of reason in `SHORTAGE_COLUMNS`, highest priority first."""
    problem = plan.problem
    reasons = shortage_reasons(plan.tables, problem, plan.solution.tables, plan.solution.status is Status.OPTIMAL)
    rank_of = {sector: priority for priority, sectors in ranks(plan.tables).items() for sector in sectors}
    short = {(row["market"], row["sector"], row["product"], row["year"]): row["tonnes"] for row in reasons.to_dict("records")}
    rows = []
    for key, part in reasons.groupby(["market", "sector", "product", "kind"], sort=True):
        market, sector, product, kind = map(str, key)
        years = {int(y): problem.years_represented[int(y)] for y in part["year"]}
        below = sum(
            (1000.0 * kt - short.get((m, c, p, y), 0.0)) * years[y]
            for (m, c, p, y), kt in problem.demand.items()
            if (m, p) == (market, product) and y in years and rank_of[c] > rank_of[sector]
        )
        weight = part["year"].map(years).astype(float)
        lost, wanted = float((part["tonnes"] * weight).sum()), float((part["demand"] * weight).sum())
        worst = part.sort_values("tonnes", ascending=False, kind="stable").iloc[0]
        listed = str(min(years)) if len(years) == 1 else f"{len(years)} in {min(years)}–{max(years)}"
        rows.append((rank_of[sector], sector, market, product, listed, lost, lost / wanted, kind, max(0.0, below), worst["reason"]))
    frame = pd.DataFrame(rows, columns=[column.name for column in SHORTAGE_COLUMNS])
    return frame.sort_values(["priority", "short"], ascending=[True, False], kind="stable").reset_index(drop=True)


def pass_table(plan: Plan, passes: Sequence[Pass]) -> pd.DataFrame:
    """Return one row a priority in `PASS_COLUMNS`."""
    rows = []
    for item in passes:
        solution, avoided = item.plan.solution, item.before - item.least
        step = solution.objective - item.before_cost
        rows.append(
            (
                item.priority, ", ".join(item.sectors), item.wanted, tonnes_short(plan, item.sectors), item.before, item.least, item.bound,
                step, solution.objective - plan.solution.objective, 1000.0 * step / avoided if avoided > NEGLIGIBLE_T else math.nan,
                max(0.0, solution.gap), plants_in_words(plan.tables, plan_builds(item.plan)), verdict(item.plan),
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=[column.name for column in PASS_COLUMNS])


# --- in words -----------------------------------------------------------------------------------------------


def _in_all(plan: Plan, shortages: pd.DataFrame) -> str:
    every = [sector for sectors in ranks(plan.tables).values() for sector in sectors]
    wanted, short = horizon_demand(plan, every), tonnes_short(plan, every)
    if shortages.empty:
        return f"Sectors: all of the {tonnes_words(wanted)} wanted over the horizon is served."
    first = shortages.iloc[0]
    served = [priority for priority in ranks(plan.tables) if priority < first["priority"]]
    whole = f"priorities up to {served[-1]} are served in full; " if served else ""
    names = dict(zip(plan.tables["sectors"]["sector"], plan.tables["sectors"]["name"], strict=True))
    return (
        f"Sectors: {tonnes_words(short)} of {tonnes_words(wanted)} wanted over the horizon is left short; {whole}the first to go short is "
        f"{names[first['sector']] or first['sector']} in {first['market']} (priority {first['priority']}, {tonnes_words(first['short'])} of "
        f"{first['product']}; {first['kind']})."
    )


def _why(shortages: pd.DataFrame) -> list[str]:
    """Return a sentence for each kind of reason: how much it explains and what helps."""
    sums = shortages.groupby("kind")["short"].sum()
    return [
        f"{kind[0].upper()}{kind[1:]}: {tonnes_words(sums[kind])}. What helps: {WHAT_HELPS[kind]}." for kind in KINDS if kind in sums.index
    ]


def _out_of_order(shortages: pd.DataFrame) -> list[str]:
    """Return a sentence where somebody goes short while lower priorities get the same product."""
    passed = shortages[shortages["served_below"] > NEGLIGIBLE_T]
    if passed.empty:
        return []
    cases = ", ".join(f"{row['sector']} in {row['market']} ({row['product']})" for row in passed.head(5).to_dict("records"))
    more = f" and {len(passed) - 5} more" if len(passed) > 5 else ""
    return [
        f"Passed over while lower priorities get the same product in the same market: {cases}{more}. The least-cost plan serves by the cost of a "
        "shortage and not by rank; lexicographic = yes on sheet settings serves by rank and shows what that costs."
    ]


def _in_strict_order(plan: Plan, passes: Sequence[Pass], stopped: str) -> list[str]:
    """Return what strict order changes and costs."""
    words = []
    proven = not stopped and all(_is_proven(item) for item in passes)
    if passes:
        last = passes[-1].plan.solution
        extra = last.objective - plan.solution.objective
        if any(item.before - item.least > NEGLIGIBLE_T for item in passes):
            low, high = max(0.0, last.bound - plan.solution.objective), last.objective - plan.solution.bound
            sure = (
                f"proven: between {low:,.1f} and {high:,.1f}" if proven else "as far as shortages could be cut before a search was stopped"
            )
            words.append(f"Serving strictly by priority costs {extra:,.1f} MUSD more than least cost ({sure}).")
        elif proven:
            words.append(
                "Serving strictly by priority changes nothing: no priority can be left less short without taking from a higher one."
            )
        else:
            words.append(
                "Serving strictly by priority: no plan was found that leaves a priority less short without taking from a higher one; "
                "that there is none is not proven, as a search was stopped."
            )
    for item in passes:
        avoided = item.before - item.least
        doubt = "" if _is_proven(item) else f"not proven to be the least: at least {tonnes_words(item.bound)}"
        who = f"Priority {item.priority} ({', '.join(item.sectors)})"
        if avoided > NEGLIGIBLE_T:
            step = item.plan.solution.objective - item.before_cost
            words.append(
                f"{who}: shortage falls from {tonnes_words(item.before)} to {tonnes_words(item.least)}{f' ({doubt})' if doubt else ''} "
                f"for {step:,.1f} MUSD, {1000.0 * step / avoided:,.0f} USD for each kg, net of the shortage cost saved."
            )
        elif item.before > NEGLIGIBLE_T:
            words.append(f"{who}: {tonnes_words(item.least)} short, {doubt or 'and no plan can do better'}.")
        lost = item.least - tonnes_short(plan, item.sectors)
        if lost > NEGLIGIBLE_T:
            words.append(f"Priority {item.priority} loses {tonnes_words(lost)} to higher ones against the least-cost plan.")
    if stopped:
        words.append(f"Stopped at {stopped}. Lower priorities were not looked at; give it more time (time_limit on sheet settings).")
    failed = [item.priority for item in passes if not item.plan.verification.passed]
    if failed:
        words.append(f"The plans of priorities {', '.join(map(str, failed))} FAILED verification: do not use their figures.")
    return words


def _is_proven(item: Pass) -> bool:
    """Whether no plan can leave the priority less short, but for a couple of kg."""
    return item.least - item.bound <= 2.0 * NEGLIGIBLE_T
