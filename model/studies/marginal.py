"""What one unit more of each figure is worth with the plants as built, how far that holds, and what changes when plants may too."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from model.formulation import build_model
from model.matrix import compile_model
from model.planner import Plan
from model.ranging import FixedPlan, Worth
from model.result_schema import ResultColumn
from model.studies.marginal_probes import CAP, CONTRACT, DEMAND, KT, OFFTAKE, PLANT, RULE, SOURCE, STOCK, SUPPLIER, Probe, list_probes
from model.studies.marginal_resolves import RESOLVE_COLUMNS, list_resolves, resolve_frame, resolve_sentences
from model.studies.plan_figures import plan_builds
from model.studies.study import StudyContext, StudySheet

NOTHING = 1e-6
"""MUSD that count as none."""

TOP_COLUMNS = (
    ResultColumn("kind", "", "What kind of figure."),
    ResultColumn("figure", "", "The figure, in every year in which it counts."),
    ResultColumn("value", "see unit", "Cost added by one unit more of it; negative: saved."),
    ResultColumn(
        "unit",
        "",
        "USD/kg: per kg more in every year, both discounted; MUSD/point: discounted cost of one percentage point more in every year.",
    ),
    ResultColumn("holds_down", "share", "The value holds down to this change of the figure in every year; 0: not at all downwards."),
    ResultColumn("holds_up", "share", "The value holds up to this change; 0: not at all upwards."),
    ResultColumn(
        "less", "MUSD", "Discounted cost added when the figure is lower by the plausible step in every year; solved again, plants as built."
    ),
    ResultColumn("more", "MUSD", "The same when it is higher; unbounded: the plants as built then allow no plan."),
    ResultColumn("reading", "", "What it means."),
)
ALL_COLUMNS = (
    ResultColumn("kind", "", "What kind of figure."),
    ResultColumn("item", "", "Which."),
    ResultColumn("year", "year", "Modelled year."),
    ResultColumn("figure", "see unit", "The figure in t, or in percentage points."),
    ResultColumn("value", "see unit", "Cost of the year, not discounted, added by one unit more; negative: saved."),
    ResultColumn("unit", "", "USD/kg, or MUSD per percentage point."),
    ResultColumn("from", "see unit", "Least figure for which the value holds; the rest as it is."),
    ResultColumn("to", "see unit", "Largest figure for which the value holds."),
)


@dataclass(frozen=True)
class Priced:
    """A figure with its worth: `worth` is that of doubling it in every year, MUSD discounted."""

    probe: Probe
    worth: Worth

    def value(self, plan: FixedPlan, weight: dict[int, float]) -> float:
        """Return the worth of one unit more: USD/kg, or MUSD for a point in every year."""
        if self.probe.unit == KT:
            whole = sum(weight[y] * kt for y, kt in self.probe.figure.items())
            return self.worth.value / whole if whole > 0 else 0.0
        return sum(plan.value(change) for change in self.probe.per_unit.values())


def price_figures(fixed: FixedPlan, probes: Sequence[Probe]) -> list[Priced]:
    """Return every figure that moves the cost, the most telling first."""
    priced = [Priced(probe, fixed.worth(probe.relative)) for probe in probes if abs(fixed.value(probe.relative)) > NOTHING]
    return sorted(priced, key=lambda item: (-abs(item.worth.value), item.probe.kind, item.probe.item))


def pick_rows(priced: Sequence[Priced], count: int) -> list[Priced]:
    """Return the first `count`, no kind taking more than a third of them while others are left."""
    most = max(1, count // 3)
    seen: Counter[str] = Counter()
    first: list[Priced] = []
    rest: list[Priced] = []
    for item in priced:
        seen[item.probe.kind] += 1
        (first if seen[item.probe.kind] <= most else rest).append(item)
    chosen = set(map(id, [*first, *rest][:count]))
    return [item for item in priced if id(item) in chosen]


def _line_cost(plan: Plan, item: Probe) -> float:
    """Return the yearly capital and fixed cost of a line's plants per kg of capacity, USD/kg."""
    problem = plan.problem
    cost = capacity = 0.0
    for h, d, w, y in plan.solution.tables["builds"].itertuples(index=False):
        key = (h, d, w, int(y))
        if f"{h} {problem.build_line[key]}" == item.item:
            cost += sum(charges[key] for charges in problem.build_cost.values())
            capacity += problem.capacity[d]
    return cost / capacity if capacity else math.nan


def read_aloud(item: Priced, value: float, plan: Plan) -> str:
    """Say what a value means and what to do with it."""
    probe = item.probe
    if probe.unit == KT:
        one = f"One more tonne of {probe.words} {'costs' if value > 0 else 'saves'} {abs(value) * 1000:,.0f} USD"
    else:
        one = f"One percentage point more in {probe.words}, in every year, {'costs' if value > 0 else 'saves'} {abs(value):,.2f} MUSD"
    return f"{one}{_advice(item, value, plan)}"


def _advice(item: Priced, value: float, plan: Plan) -> str:
    kind, cost = item.probe.kind, value > 0
    if kind == PLANT:
        own = _line_cost(plan, item.probe)
        worth = "build larger" if -value > own else "larger does not pay"
        return f" a year; a tonne of this plant costs {own * 1000:,.0f} USD a year in capital and fixed cost: {worth}."
    advice = {
        DEMAND: "; saving or replacing a tonne is worth that much.",
        SOURCE: "; pay up to that above its price for more of it." if not cost else "; it is fed because something else obliges.",
        SUPPLIER: "; pay up to that above its price for more of it." if not cost else "; its contract obliges to buy it.",
        CONTRACT: "; that is the premium for a supplier that does not depend on anybody else." if cost else ".",
        CAP: "; each point tighter costs about as much: the price of the policy.",
        STOCK: "; that is the premium of the insurance that a stock is.",
        RULE: "; worth raising with the host." if not cost else ".",
        OFFTAKE: "; that is what the entitlement costs the others.",
    }
    return advice[kind]


def top_frame(fixed: FixedPlan, rows: Sequence[Priced], plan: Plan, step: float) -> pd.DataFrame:
    """Show the figures that matter most, a plausible step to either side solved again with the plants as built."""
    found = []
    for item in rows:
        change, value = item.probe.relative, item.value(fixed, plan.problem.weight)
        unit = "USD/kg" if item.probe.unit == KT else "MUSD/point"
        sides = (fixed.added_cost(change.scaled(-step)), fixed.added_cost(change.scaled(step)))
        reach = (max(-1.0, item.worth.low), item.worth.high)
        found.append((item.probe.kind, item.probe.words, value, unit, *reach, *sides, read_aloud(item, value, plan)))
    return pd.DataFrame(found, columns=[column.name for column in TOP_COLUMNS])


def year_frame(fixed: FixedPlan, probes: Sequence[Probe], plan: Plan) -> pd.DataFrame:
    """List every value by year with the range of the figure in which it holds."""
    rows = []
    for probe in probes:
        for y, change in probe.per_unit.items():
            value = fixed.value(change) / plan.problem.weight[y]
            if abs(value) <= NOTHING:
                continue
            worth, scale = fixed.worth(change), 1000.0 if probe.unit == KT else 1.0
            figure = probe.figure[y]
            top = math.inf if probe.unit == KT else 100.0
            reach = (scale * max(0.0, figure + worth.low), min(top, scale * (figure + worth.high)))
            unit = "USD/kg" if probe.unit == KT else "MUSD/point"
            rows.append((probe.kind, probe.item, y, scale * figure, value, unit, *reach))
    return pd.DataFrame(rows, columns=[column.name for column in ALL_COLUMNS])


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    plan, tables = context.plan, context.tables
    step = tables.setting("marginal_step")
    matrix = compile_model(build_model(plan.problem))
    builds = set(plan_builds(plan))
    fixed = FixedPlan(matrix, builds, context.options)
    probes = list_probes(plan, matrix)
    priced = price_figures(fixed, probes)
    rows = pick_rows(priced, int(tables.setting("marginal_rows")))
    context.say(f"  {len(priced)} of {len(probes)} figures move the cost; {len(rows)} are shown first")
    top = top_frame(fixed, rows, plan, step)
    resolves = list_resolves(
        plan, [item.probe for item in pick_rows(priced, len(priced))], fixed, step, int(tables.setting("marginal_resolves"))
    )
    again = resolve_frame(context, resolves)
    words = [
        f"Values hold for small changes with the plants as built; {step:.0%} more or less in every year is solved again beside them.",
        "Budgets, numbers of plants and limits on one country act on plants alone: they have no value here, only below, where plants may change.",
        *resolve_sentences(again),
    ]
    headlines = [str(top["reading"].iloc[0])] if len(top) else []
    sheets = [
        StudySheet(
            "marginal",
            "What one unit more of each figure adds to the cost, how far that holds, and what it means.",
            [
                ("The figures that matter most, by value times a plausible change.", TOP_COLUMNS, top),
                ("Solved again with plants free to change.", RESOLVE_COLUMNS, again),
            ],
            words,
            headlines,
        )
    ]
    yearly = year_frame(fixed, probes, plan)
    if len(yearly):
        caption = "Every figure that moves the cost, year by year, with the plants as built; values in money of the year, not discounted."
        sheets.append(StudySheet("marginal_years", caption, [("", ALL_COLUMNS, yearly)]))
    return sheets
