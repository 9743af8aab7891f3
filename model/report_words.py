"""The answer in words: status, plants, cost, shortages; for the summary sheet and for the console."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from model.outcome import Status
from model.shortage_room import BINDING
from model.shortages import shortage_reasons
from model.solution import Solution
from model.words import tonnes_words

if TYPE_CHECKING:
    from model.planner import Plan

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

ADVICE = "What to try"
TO_TRY = {
    Status.INFEASIBLE: (
        "Raise the caps of the tightest years on sheet caps.",
        "Allow more plants (max_plants, plants_per_host), ask for fewer hosts (minimum_hosts) or raise country_share_limit, all on sheet settings.",
        "Look for a force_plant rule on sheet host_rules that no design can meet in time, and for budgets on sheet markets that are too small for it.",
        "Lower the days on sheet stockpiles, and least_take on sheet suppliers where a contract is larger than the demand.",
        "Change one thing at a time and run again: the first change that gives a plan names the rule in the way.",
    ),
    Status.NO_PLAN_FOUND: (
        "There may well be a plan: the search was stopped before it found one.",
        "Give it more time (time_limit on sheet settings, or --time-limit).",
        "Model fewer years (modelled_years on sheet settings), or ask for a wider gap.",
    ),
    Status.ERROR: (
        "Run again with another number of threads.",
        "Look for figures in the workbook that are many million times larger or smaller than their neighbours.",
        "Keep this workbook for whoever maintains the planner.",
    ),
}
"""What a planner can do when there is no plan, one sentence a step."""


SHOWN = 0.05
"""MUSD below which a figure with one decimal shows nothing."""

NO_PLANT = "Build no joint plant; buy all oxide from existing refiners."


def status_words(solution: Solution) -> str:
    """Return what is known of the plan, in the words of the summary's second line."""
    if solution.status is Status.OPTIMAL:
        return f"proven optimal (gap {max(0.0, solution.gap):,.1f} MUSD = {max(0.0, solution.relative_gap):.2%} of the total)".replace(
            "%", " %"
        )
    if solution.status is Status.LIMIT:
        seconds = sum(solution.seconds.get(step, 0.0) for step in ("search", "relaxation", "first plan", "proof"))
        if math.isfinite(solution.relative_gap):
            return f"within {100 * max(0.0, solution.relative_gap):.1f} % (best plan found in {seconds:,.0f} s)"
        return f"best plan found in {seconds:,.0f} s; nothing is proven about how good it is"
    return str(solution.status)


def gap_words(solution: Solution, reference_cost: float | None) -> str:
    """Return what the gap is a share of: the total, and what siting can change at all.

    Parameters
    ----------
    solution
        With a plan and a finite bound.
    reference_cost
        Total discounted cost without joint plants, MUSD, if known.
    """
    gap = max(0.0, solution.gap)
    words = [f"No plan can cost less than {solution.bound:,.1f} MUSD; {_percent(gap, solution.objective)} of the total"]
    at_stake = (reference_cost if reference_cost is not None else math.nan) - solution.bound
    if at_stake > 0:
        words.append(f"{_percent(gap, at_stake)} of the {at_stake:,.0f} MUSD that siting can change at most")
    return ", ".join(words)


def hosts_proven_words(solution: Solution) -> str:
    """Return how far it is proven that the plants stand at the right hosts, for a plan with a finite bound."""
    gap = max(0.0, solution.gap)
    if solution.status is Status.OPTIMAL:
        return f"No plan with plants at other hosts is cheaper by more than {gap:,.1f} MUSD; how near the next ones come is what the study alternatives says"
    return (
        f"A plan with plants at other hosts could still be up to {gap:,.1f} MUSD cheaper: the search was stopped before it ruled that out"
    )


def _percent(part: float, whole: float) -> str:
    """Return a share with two significant digits."""
    return f"{100.0 * part / abs(whole):.2g} %" if whole else "0 %"


def count_words(number: int, noun: str) -> str:
    """Return a number in words with its noun.

    Examples
    --------
    >>> count_words(1, "joint plant"), count_words(2, "joint plant"), count_words(12, "host")
    ('one joint plant', 'two joint plants', '12 hosts')
    """
    shown = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
    return f"{shown} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class KeyFigures:
    """Headline figures; NaN where there is nothing to divide by.

    Parameters
    ----------
    total
        Discounted cost of the whole system, MUSD.
    per_year
        Average cost a calendar year, not discounted, MUSD/y.
    per_kg
        Total over the discounted oxide that the markets are supplied with, USD/kg.
    joint_per_kg
        Net discounted cost of the joint plants over their discounted deliveries, USD/kg.
    """

    total: float
    per_year: float
    per_kg: float
    joint_per_kg: float


def key_figures(plan: Plan) -> KeyFigures:
    """Return the headline figures of a plan that has values."""
    problem, found = plan.problem, plan.solution.tables
    costs, weight = found["costs"], problem.weight
    yearly = costs.groupby("year")["cost"].sum().to_dict()
    span = sum(problem.years_represented.values())
    balance = found["supply_balance"]
    served = float(((balance["demand"] - balance["unmet"]) * balance["year"].map(weight).astype(float)).sum())
    deliveries = found["deliveries"]
    delivered = float((deliveries["tonnes"] * deliveries["year"].map(weight).astype(float)).sum())
    total, joint = float(costs["present_value"].sum()), float(costs.loc[costs["host"] != "", "present_value"].sum())
    return KeyFigures(
        total=total,
        per_year=sum(yearly.get(y, 0.0) * n for y, n in problem.years_represented.items()) / span,
        per_kg=total / served * 1000.0 if served > 0 else math.nan,
        joint_per_kg=joint / delivered * 1000.0 if delivered > 0 else math.nan,
    )


def plant_words(plan: Plan) -> list[str]:
    """Return one phrase a plant, earliest first: where, what, how large, how worked, from when."""
    names = dict(zip(plan.tables["hosts"]["host"], plan.tables["hosts"]["name"], strict=True))
    designs = {row["design"]: row for row in plan.tables["designs"].to_dict("records")}
    phrases = []
    for row in plan.solution.tables["plants"].sort_values(["on_line", "host"], kind="stable").to_dict("records"):
        design = designs[row["design"]]
        scope = "separation only" if design["scope"] == "separation" else "cracking to oxide"
        circuit = "light and heavy" if design["heavies"] == "yes" else "light only"
        way = str(row["way"]).replace("_", " ")
        phrases.append(
            f"{names[row['host']]} ({row['host']}): {row['capacity']:,.0f} t REO/y, {scope}, {circuit}, {way}, from {row['on_line']}"
        )
    return phrases


def answer(plan: Plan) -> str:
    """Return the plan in words: what to build and what it costs; or that there is none."""
    solution = plan.solution
    if not solution.status.has_plan:
        return {
            Status.INFEASIBLE: "No plan exists: no choice of plants and purchases meets every rule of this workbook.",
            Status.NO_PLAN_FOUND: "No plan yet: the search was stopped before any plan was found.",
        }.get(solution.status, "No plan: the solver failed.")
    plants = plant_words(plan)
    build = f"Build {count_words(len(plants), 'joint plant')}: {'; '.join(plants)}." if plants else NO_PLANT
    return f"{build} {cost_words(plan)}"


def cost_words(plan: Plan) -> str:
    """Return the cost of the plan in one sentence."""
    figures, settings = key_figures(plan), plan.tables.settings
    first, last = int(plan.tables.setting("first_year")), int(plan.tables.setting("last_year"))
    parts = [
        f"Total cost {figures.total:,.1f} MUSD over {first}–{last} (discounted at {float(settings['discount_rate']):.1%})".replace(
            "%", " %"
        ),
        f"{figures.per_year:,.1f} MUSD in an average year (not discounted)",
    ]
    if math.isfinite(figures.per_kg):
        parts.append(f"{figures.per_kg:,.2f} USD per kg of oxide supplied")
    if math.isfinite(figures.joint_per_kg):
        parts.append(f"the joint plants' own product costs {figures.joint_per_kg:,.2f} USD/kg delivered, net of surplus sold")
    return "; ".join(parts) + "."


def verdict_words(plan: Plan) -> str:
    """Return the verdict of independent verification in one sentence."""
    if not plan.solution.status.has_plan:
        return "Verification: nothing to verify, there is no plan."
    rules = len(plan.verification.table)
    if plan.verification.passed:
        return f"Verification: passed. {rules} rules were recomputed from the inputs without the model; see sheet checks."
    failed = len(plan.verification.failures)
    return f"VERIFICATION FAILED: {count_words(failed, 'rule')} of {rules} broken. Do not use these figures; see sheet checks."


def largest_shortages(plan: Plan, shortages: pd.DataFrame | None = None, most: int = 3) -> list[str]:
    """Return a sentence for each of the largest shortages, by tonnes in the modelled years.

    Parameters
    ----------
    plan
        A plan with values.
    shortages
        Of :func:`model.shortages.shortage_reasons`; computed if left out.
    most
        Most sentences.
    """
    solution = plan.solution
    rows = (
        shortage_reasons(plan.tables, plan.problem, solution.tables, solution.status is Status.OPTIMAL) if shortages is None else shortages
    )
    if rows.empty:
        return []
    names = dict(zip(plan.tables["sectors"]["sector"], plan.tables["sectors"]["name"], strict=True))
    groups = [(key, part) for key, part in rows.groupby(["market", "sector", "product"], sort=True)]
    groups.sort(key=lambda group: -float(group[1]["tonnes"].sum()))
    sentences = []
    for (market, sector, product), part in groups[:most]:
        worst = part.sort_values("tonnes", ascending=False, kind="stable").to_dict("records")[0]
        years = sorted(part["year"])
        when = f"in {years[0]}" if len(years) == 1 else f"in {len(years)} modelled years {years[0]}–{years[-1]}"
        why = worst["reason"] if len(years) == 1 else f"{worst['year']}, the worst: {worst['reason']}"
        tonnes, demand = float(part["tonnes"].sum()), float(part["demand"].sum())
        sentences.append(
            f"{market}, {names[sector]}, {product}: {tonnes_words(tonnes)} short {when} "
            f"({100 * tonnes / demand:.0f} % of the demand of those years). {why[0].upper()}{why[1:]}."
        )
    return sentences


def china_words(plan: Plan) -> str:
    """Return how close the caps are, in one sentence."""
    shares = plan.solution.tables["china_shares"]
    capped = shares[shares["limit"] < 1.0]
    held = capped[capped["share"].notna()]
    if held.empty:
        return f"China-linked share: {'no cap applies' if capped.empty else 'nothing flows that a cap limits'}."
    tight = held.sort_values("slack", kind="stable").to_dict("records")[0]
    member = f" for {tight['member']}" if tight["member"] else ""
    binding = int((held["slack"] < BINDING).sum())
    # verification judges in tonnes: a share of a few tonnes may overstep by the solver's tolerance
    verdict = "A CAP IS BROKEN" if "china_cap" in plan.verification.failed_rules else "every cap is met"
    return (
        f"China-linked share: {verdict}, {binding} of {len(held)} limits bind; the tightest is {tight['cap']}{member} in {tight['year']}: "
        f"{100 * tight['share']:.1f} % of at most {100 * tight['limit']:.1f} %."
    )


def print_summary(plan: Plan, path: Path) -> list[str]:
    """Return the five-line answer for the console.

    Parameters
    ----------
    plan
        Of :func:`model.planner.solve`.
    path
        The workbook that was written.

    Returns
    -------
    list of str
        What to build; what it costs; China-linked share and shortage; status with verdict; the workbook. Always five lines.
    """
    solution = plan.solution
    book = f"Workbook: {path}"
    status = f"Status: {status_words(solution)}. {verdict_words(plan)}"
    if not solution.status.has_plan:
        words = f"Solver's words: {solution.termination}."
        return [answer(plan), words, f"{ADVICE}: " + " ".join(TO_TRY[solution.status]), status, book]
    plants = plant_words(plan)
    build = f"Build {count_words(len(plants), 'joint plant')}: {'; '.join(plants)}." if plants else NO_PLANT
    unmet = solution.tables["unmet"]
    short = "Demand: all of it is met in every year."
    if not unmet.empty:
        demand = float(solution.tables["supply_balance"]["demand"].sum())
        largest = largest_shortages(plan, most=1)[0]
        short = f"Demand: {tonnes_words(unmet['tonnes'].sum())} of {tonnes_words(demand)} wanted in the modelled years is left short; largest shortage: {largest}"
    return [build, cost_words(plan), f"{china_words(plan)} {short}", status, book]
