"""The figures that matter most, changed in the tables and solved again with plants free to change."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from model.batch import Case, solve_cases
from model.planner import Plan
from model.ranging import FixedPlan
from model.result_schema import ResultColumn
from model.studies.marginal_probes import CONTRACT, Editor, Probe
from model.studies.plan_figures import plan_builds, plants_in_words, verdict
from model.studies.study import StudyContext
from model.tables import Tables

RESOLVE_COLUMNS = (
    ResultColumn("figure", "", "What is changed, in every year."),
    ResultColumn("change", "", "By how much; figures of the plan in the direction in which the cost rises, limits on plants loosened."),
    ResultColumn("by_value", "MUSD", "Discounted cost added, by the marginal value; blank where it has none."),
    ResultColumn("as_built", "MUSD", "The same, solved again with the plants as built; unbounded: they then allow no plan."),
    ResultColumn("free", "MUSD", "The same with plants free to change; never above the column before by more than the gap."),
    ResultColumn("plants", "", "The plants then."),
    ResultColumn("same_plants", "", "Whether they are those of the plan."),
    ResultColumn("gap", "MUSD", "No plan can be cheaper than this one by more."),
    ResultColumn("verdict", "", "Independent verification."),
)


@dataclass(frozen=True)
class Resolve:
    """One change to the tables that is solved again."""

    words: str
    change: str
    by_value: float
    as_built: float
    edit: Callable[[Tables], Tables]


def _share(step: float) -> str:
    return f"{step:+.0%}" if abs(step) >= 0.01 else f"{step:+.2%}"


def list_resolves(plan: Plan, probes: Sequence[Probe], fixed: FixedPlan, step: float, count: int) -> list[Resolve]:
    """Return what is worth solving again: limits on plants, then the leading figure of each kind, then the next of each.

    Parameters
    ----------
    plan
        The run's plan.
    probes
        Figures that move the cost, the most telling first.
    fixed
        The plan with its plants as built.
    step
        Plausible change, share of the figure.
    count
        Most solves.
    """
    chosen = _limits_on_plants(plan, step)[: (count + 1) // 2]
    seen: Counter[str] = Counter()
    turns: list[tuple[int, int, Probe]] = []
    items: set[str] = set()
    for probe in probes:
        turns.append((seen[probe.kind], len(turns), probe))
        seen[probe.kind] += 1
    for _, _, probe in sorted(turns, key=lambda turn: turn[:2]):
        if probe.edit is None or len(chosen) >= count or probe.item in items:  # an offer and its contract tell the same
            continue
        value = fixed.value(probe.relative)
        signed = math.copysign(step, value)
        added = fixed.added_cost(probe.relative.scaled(signed))
        if probe.kind == CONTRACT and math.isinf(added):
            continue  # all that is offered is contracted already: the tables cannot ask for more
        edit = _by_factor(probe.edit, 1.0 + signed)
        items.add(probe.item)
        chosen.append(Resolve(probe.words, _share(signed), value * signed, added, edit))
    return chosen[:count]


def _by_factor(edit: Editor, factor: float) -> Callable[[Tables], Tables]:
    return lambda tables: edit(tables, factor)


def _limits_on_plants(plan: Plan, step: float) -> list[Resolve]:
    """Return the limits on plants that can bind, each loosened: they have no value while plants are as built."""
    problem, tables, found = plan.problem, plan.tables, plan.solution.tables
    loosened: list[Resolve] = []

    def add(words: str, change: str, edit: Callable[[Tables], Tables]) -> None:
        loosened.append(Resolve(words, change, math.nan, math.nan, edit))

    plants, hosts = found["plants"], set(found["plants"]["host"])
    if problem.country_share_limit < 1.0 and hosts:  # plants are whole, so it can decide a plan without standing at its limit
        add("largest share of joint capacity in one country", "off", partial(Tables.with_settings, country_share_limit=1.0))
    if len(plants) == problem.max_plants > 0:
        add("largest number of plants (max_plants)", "+1", partial(Tables.with_settings, max_plants=problem.max_plants + 1))
    if 0 < problem.minimum_hosts == len(hosts):
        add("least number of hosts (minimum_hosts)", "-1", partial(Tables.with_settings, minimum_hosts=problem.minimum_hosts - 1))
    for m in _tight_budgets(plan):
        add(f"capex budget of {m}", _share(step), partial(_more_budget, market=m, factor=1.0 + step))
    for rule in tables["host_rules"].to_dict("records"):
        if rule["rule"] == "force_plant" or (rule["rule"] in ("no_thorium", "no_cracking") and rule["host"] in hosts):
            add(f"rule {rule['rule_id']} at {rule['host']} ({rule['rule']})", "dropped", partial(_without_rule, name=rule["rule_id"]))
    return loosened


def _tight_budgets(plan: Plan) -> list[str]:
    """Return the partners that spend nearly all of a year's budget."""
    problem = plan.problem
    spent: dict[tuple[str, int], float] = defaultdict(float)
    for h, d, w, y in plan.solution.tables["builds"].itertuples(index=False):
        key = (h, d, w, int(y))
        for t, share in problem.spend[key].items():
            for m in problem.partners:
                spent[m, t] += problem.partner_share[m, h] * share * problem.capex[key]
    return [
        m
        for m in problem.partners
        if any(budget > 0 and spent[m, t] > 0.9 * budget for (who, t), budget in problem.budget.items() if who == m)
    ]


def _more_budget(tables: Tables, market: str, factor: float) -> Tables:
    frame = tables["markets"].copy()
    for year in [name for name in frame.columns if isinstance(name, int)]:
        frame[year] = frame[year].where(frame["market"] != market, frame[year] * factor)
    return tables.with_frames(markets=frame)


def _without_rule(tables: Tables, name: str) -> Tables:
    rules = tables["host_rules"]
    return tables.with_frames(host_rules=rules[rules["rule_id"] != name])


def resolve_frame(context: StudyContext, resolves: Sequence[Resolve]) -> pd.DataFrame:
    """Solve each change as a whole, plants free, and set it beside what the marginal value says."""
    own = context.plan
    start = plan_builds(own)
    cases = [Case(f"{item.words} {item.change}", item.edit(context.tables), start=start) for item in resolves]
    rows = []
    plans = solve_cases(cases, context.options, context.workers, lambda line: context.say(f"  {line}"), hot=context.plan.hot)
    for item, (_, plan) in zip(resolves, plans, strict=True):
        head = (item.words, item.change, item.by_value, item.as_built)
        if not plan.solution.status.has_plan:
            rows.append((*head, math.nan, "", "", math.nan, verdict(plan)))
            continue
        same = "yes" if set(plan_builds(plan)) == set(start) else "no"
        free = plan.solution.objective - own.solution.objective
        rows.append((*head, free, plants_in_words(plan.tables, plan_builds(plan)), same, plan.solution.gap, verdict(plan)))
    return pd.DataFrame(rows, columns=[column.name for column in RESOLVE_COLUMNS])


def resolve_sentences(frame: pd.DataFrame) -> list[str]:
    """Say where plants would change and how much that saves against the plants as built."""
    words = []
    for row in frame[frame["verdict"] == "passed"].to_dict("records"):
        if math.isnan(row["as_built"]):
            saved = -row["free"]
            if saved > row["gap"]:
                words.append(
                    f"{row['figure']}, {row['change']}: saves {saved:,.1f} MUSD with {row['plants']}; that is what the limit costs."
                )
            else:
                words.append(f"{row['figure']}, {row['change']}: saves nothing that the solve can tell; leave it.")
        elif row["same_plants"] == "no":
            told = f"{row['figure']}, {row['change']}: the plants change to {row['plants']}, and the cost rises by {row['free']:,.1f} MUSD"
            if math.isinf(row["as_built"]):
                words.append(f"{told}; with the plants as built there is no plan. If that change is likely, build those now.")
            elif row["as_built"] - row["free"] > max(row["gap"], 0.1):
                words.append(
                    f"{told} instead of {row['as_built']:,.1f} with the plants as built. If that change is likely, weigh those plants now."
                )
            else:
                words.append(f"{told}, as with the plants as built: keep the plants.")
    held = [str(row["figure"]) for row in frame.to_dict("records") if row["same_plants"] == "yes" and not math.isnan(row["as_built"])]
    if held:
        words.append(f"The plants stay when these move: {'; '.join(held)}.")
    return words
