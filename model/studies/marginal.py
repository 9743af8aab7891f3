"""What one unit more of each figure is worth with the plants as built, how far that holds, and what changes when plants may too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from model.formulation import build_model
from model.matrix import compile_model
from model.planner import Plan
from model.problem import T_PER_KT
from model.ranging import Change, FixedPlan
from model.report_words import SHOWN
from model.result_schema import ResultColumn
from model.studies.marginal_prices import NEARBY, Priced, find_slopes, pick_rows, price_figures
from model.studies.marginal_probes import CONTRACT, KT, Probe, list_probes
from model.studies.marginal_ranges import NOTHING, OFF
from model.studies.marginal_resolves import RESOLVE_COLUMNS, list_resolves, resolve_frame, solve_again
from model.studies.marginal_sentences import resolve_sentences
from model.studies.marginal_words import read_aloud
from model.studies.plan_figures import plan_builds
from model.studies.study import StudyContext, StudySheet

TOP_COLUMNS = (
    ResultColumn("kind", "", "What kind of figure."),
    ResultColumn("figure", "", "The figure, in every year in which it counts."),
    ResultColumn(
        "value", "see unit", "Cost added by one unit more of it within the range; negative: saved; blank: it depends on the direction."
    ),
    ResultColumn("one_more", "see unit", "Cost added by one unit more: the value, or solved again where that does not hold upwards."),
    ResultColumn(
        "one_less", "see unit", "Cost added by one unit less: the value turned round, or solved again where that does not hold downwards."
    ),
    ResultColumn(
        "unit",
        "",
        "USD/kg: per kg more in every year, both discounted; MUSD/point: discounted cost of one percentage point more in every year.",
    ),
    ResultColumn(
        "holds_down",
        "share",
        "The value holds down to this change of the figure in every year; 0: not at all downwards. Of points: within "
        f"{100 * OFF:g} % of the change or {SHOWN} MUSD, by re-solves.",
    ),
    ResultColumn(
        "holds_up",
        "share",
        "The value holds up to this change, a share to the whole at most; 0: not at all upwards. Where a cap is 0: of 100 points.",
    ),
    ResultColumn(
        "less",
        "MUSD",
        "Discounted cost added when the figure is lower by the plausible step in every year; solved again, plants as built. Blank: not known, or it is 0.",
    ),
    ResultColumn(
        "more",
        "MUSD",
        "The same when it is higher, a cap of 0 by that step of 100 points; unbounded: the plants as built allow no plan; blank: not known.",
    ),
    ResultColumn("reading", "", "What it means."),
)
ALL_COLUMNS = (
    ResultColumn("kind", "", "What kind of figure."),
    ResultColumn("item", "", "Which."),
    ResultColumn("year", "year", "Modelled year."),
    ResultColumn("figure", "see unit", "The figure in t, or in percentage points."),
    ResultColumn(
        "value",
        "see unit",
        "Cost of the year, not discounted, added by one unit more within the range; negative: saved; blank: it depends on the direction.",
    ),
    ResultColumn("one_more", "see unit", "Cost added by one unit more; solved again where the value does not hold upwards."),
    ResultColumn("one_less", "see unit", "Cost added by one unit less; solved again where the value does not hold downwards."),
    ResultColumn("unit", "", "USD/kg, or MUSD per percentage point."),
    ResultColumn(
        "from",
        "see unit",
        "Least figure for which the value holds (points: as on sheet marginal); the rest as it is. The figure itself: not downwards.",
    ),
    ResultColumn(
        "to", "see unit", "Largest figure for which the value holds, a share to the whole at most. The figure itself: not upwards."
    ),
)

BENT = (
    f"The total that a cap or another share is of moves with it, so the cost bends: such a value holds as far as re-solves with the plants as built "
    f"stay within {OFF:.0%} of the change or {SHOWN} MUSD of it."
)


def top_frame(fixed: FixedPlan, rows: Sequence[Priced], plan: Plan, step: float) -> pd.DataFrame:
    """Show the figures that matter most, a plausible step to either side solved again with the plants as built."""
    found = []
    for item in rows:
        probe, worth = item.probe, item.unit
        unit = "USD/kg" if probe.unit == KT else "MUSD/point"
        fall = probe.moved(-step)
        less = fixed.added_cost(fall) if fall != Change() else math.nan
        values, sides = (worth.value, worth.more, worth.less), (less, fixed.added_cost(probe.moved(step)))
        found.append((probe.kind, probe.words, *values, unit, item.low, item.high, *sides, read_aloud(item, plan)))
    return pd.DataFrame(found, columns=[column.name for column in TOP_COLUMNS])


def year_frame(fixed: FixedPlan, probes: Sequence[Probe], plan: Plan) -> pd.DataFrame:
    """List every figure that moves the cost by year with the range of the figure in which its value holds."""
    rows = []
    for probe in probes:
        scale, unit = (T_PER_KT, "USD/kg") if probe.unit == KT else (1.0, "MUSD/point")
        for y, change in probe.per_unit.items():
            figure, weight = probe.figure[y], plan.problem.weight[y]
            near = NEARBY * figure if probe.unit == KT else min(1.0, figure)
            near = near or 1.0 / scale  # a tonne or a point where there is nothing yet
            if fixed.lies_idle(change, near):
                continue
            found, low, high = find_slopes(fixed, change, change.scaled(-1.0) if figure > 0 else None, near, (figure, probe.top - figure))
            worth = found.over(weight)
            if worth.size > NOTHING or (probe.kind != CONTRACT and math.inf in (worth.more, worth.less)):
                reach = (scale * (figure + low), scale * (figure + high))
                values = (worth.value, worth.more, worth.less)
                rows.append((probe.kind, probe.item, y, scale * figure, *values, unit, *reach))
    return pd.DataFrame(rows, columns=[column.name for column in ALL_COLUMNS])


def _while_it_runs(context: StudyContext, probes: Iterable[Probe]) -> Iterator[Probe]:
    """Yield probes, each of them some linear programs, until the run is stopped."""
    for probe in probes:
        context.refuse_if_stopped()
        yield probe


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    plan, tables = context.plan, context.tables
    step = tables.setting("marginal_step")
    matrix = compile_model(build_model(plan.problem))
    builds = set(plan_builds(plan))
    fixed = FixedPlan(matrix, builds, context.options)
    probes = list_probes(plan, matrix)
    priced = price_figures(fixed, _while_it_runs(context, probes), plan.problem.weight, step)
    rows = pick_rows(priced, int(tables.setting("marginal_rows")))
    context.say(f"  {len(priced)} of {len(probes)} figures move the cost; {len(rows)} are shown first")
    top = top_frame(fixed, rows, plan, step)
    resolves = list_resolves(plan, pick_rows(priced, len(priced)), fixed, step, int(tables.setting("marginal_resolves")))
    plans = solve_again(context, resolves)
    again = resolve_frame(plan, resolves, plans)
    words = [
        f"Values hold for small changes with the plants as built; {step:.0%} more or less in every year is solved again beside them.",
        "Where a figure is just met, one more and one less are worth different amounts: both are given, solved again.",
        *([BENT] if (top["unit"] != "USD/kg").any() else []),
        "Budgets, numbers of plants and limits on one country act on plants alone: they have no value here, only below, where plants may change.",
        *resolve_sentences(plan, resolves, plans),
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
