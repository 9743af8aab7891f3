"""Three things to know about a plan: its largest risk, its weakest number and its nearest alternative."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from model.problem import offer_key
from model.shortage_room import BINDING

if TYPE_CHECKING:
    from model.planner import Plan
    from model.studies.study import StudySheet

RISK, WEAKEST, NEAREST = "Largest risk", "Weakest number", "Nearest alternative"
TOLD_BY = {
    NEAREST: ("alternatives", "why_not", "options"),
    WEAKEST: ("sensitivity", "leaning"),
    RISK: ("frontier", "marginal_values", "partners"),
}
"""Studies whose headlines tell more about a subject than the plan alone does, best first."""

SWITCH_ON = "The study {} (asked for in settings or with --studies) tells more once it has run."
MOST_SENTENCES = 2


@dataclass(frozen=True)
class Known:
    """A subject, what to know about it, and where the workbook says more ("" for nowhere)."""

    subject: str
    sentence: str
    link: str = ""


def things_to_know(plan: Plan, weak: pd.DataFrame, reference_cost: float | None, studies: Sequence[StudySheet]) -> list[Known]:
    """Return the three, told by the studies that ran, else by the plan itself.

    Parameters
    ----------
    plan
        With values.
    weak
        Of :func:`model.report_weak.weak_numbers`.
    reference_cost
        Total discounted cost without joint plants, MUSD, if known.
    studies
        Sheets of the studies that ran.
    """
    told = [_told(subject, studies) for subject in (RISK, WEAKEST, NEAREST)]
    own = (largest_risk(plan), weakest_number(weak), nearest_alternative(plan, reference_cost))
    return [study or fallback for study, fallback in zip(told, own, strict=True)]


def _told(subject: str, studies: Sequence[StudySheet]) -> Known | None:
    by_name = {sheet.name: sheet for sheet in studies if sheet.headlines}
    for name in TOLD_BY[subject]:
        if name in by_name:
            return Known(subject, " ".join(by_name[name].headlines[:MOST_SENTENCES]), f"'{name}'!A1")
    return None


def largest_risk(plan: Plan) -> Known:
    """Return the cap that is dearest at the margin and the supplier that most of the money goes to."""
    shares = plan.solution.tables["china_shares"]
    held = shares[(shares["slack"] < BINDING) & (shares["limit"] < 1.0)]
    sentences = []
    if not held.empty:
        dear = held.sort_values("marginal_cost", ascending=False, kind="stable").to_dict("records")[0]
        member = f" for {dear['member']}" if dear["member"] else ""
        same = held[(held["cap"] == dear["cap"]) & (held["member"] == dear["member"])]
        years = sorted(set(same["year"]))
        when = f"in {years[0]}" if len(years) == 1 else f"in {len(years)} modelled years"
        price = dear["marginal_cost"]
        cost = f"; one point less in {dear['year']} would cost {price:,.2g} MUSD that year" if math.isfinite(price) and price > 0 else ""
        sentences.append(f"The cap {dear['cap']}{member} leaves no room {when}{cost}.")
    spent = _spent_by_supplier(plan)
    if spent:
        name, money = max(spent.items(), key=lambda item: (item[1], item[0]))
        whole = sum(spent.values())
        sentences.append(f"{100 * money / whole:.0f} % of what is paid for bought oxide goes to one supplier, {name}.")
    if not sentences:
        sentences.append("No cap leaves the plan without room and nothing is bought from existing refiners.")
    sentences.append(SWITCH_ON.format("frontier"))
    return Known(RISK, " ".join(sentences), "'china_share'!A1")


def _spent_by_supplier(plan: Plan) -> dict[str, float]:
    """Return supplier -> MUSD paid in the modelled years."""
    price = plan.problem.purchase_cost["oxide_purchase"]
    rows = plan.solution.tables["purchases"][["supplier", "product", "offered_to", "market", "year", "tonnes"]]
    spent: dict[str, float] = {}
    for supplier, p, to, m, y, tonnes in rows.itertuples(index=False):
        spent[supplier] = spent.get(supplier, 0.0) + tonnes * price[offer_key(supplier, p, to), m, y] / 1000.0
    return {name: money for name, money in spent.items() if money > 0}


def weakest_number(weak: pd.DataFrame) -> Known:
    """Return the estimate or assumption that most money of the plan flows through."""
    link = "'weak_numbers'!A1"
    if weak.empty:
        return Known(WEAKEST, "No money of the plan flows through a row that is marked estimate or assumption.", link)
    row = weak.sort_values("money", ascending=False, kind="stable").to_dict("records")[0]
    more = "more" if row["marginal"] >= 0 else "less"
    return Known(
        WEAKEST,
        f"{row['row']} ({row['column']}; {row['quality']}; {row['cell']} of the input workbook): {row['money']:,.0f} MUSD "
        f"of the plan, {100 * row['share']:.0f} %, flow through it; 1 % more would cost {abs(row['marginal']):,.1f} MUSD {more}. "
        f"{SWITCH_ON.format('sensitivity')}",
        link,
    )


def nearest_alternative(plan: Plan, reference_cost: float | None) -> Known:
    """Return what the same inputs cost without joint plants, where that is known."""
    if plan.solution.tables["plants"].empty:
        words = "This plan has no joint plant."
    elif reference_cost is None:
        words = "What the markets would pay without joint plants is not known."
    else:
        more = reference_cost - plan.solution.objective
        share = f" ({100 * abs(more) / plan.solution.objective:.1f} %)" if plan.solution.objective > 0 else ""
        words = f"Under the same rules without any joint plant the markets would pay {abs(more):,.0f} MUSD{share} {'more' if more >= 0 else 'less'}."
    return Known(NEAREST, f"{words} {SWITCH_ON.format('alternatives')}")
