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
from model.studies.marginal_prices import Priced
from model.studies.marginal_probes import CONTRACT, Editor, step_in_words
from model.studies.plan_figures import plan_builds, plants_in_words, verdict
from model.studies.study import StudyContext
from model.tables import Tables

RESOLVE_COLUMNS = (
    ResultColumn("figure", "", "What is changed, in every year."),
    ResultColumn(
        "change",
        "",
        "By how much; figures of the plan in the direction in which the cost rises (a cap of 0 %: up), limits on plants loosened.",
    ),
    ResultColumn("by_value", "MUSD", "Discounted cost added, by the marginal value; blank where it has none."),
    ResultColumn(
        "as_built",
        "MUSD",
        "The same, solved again with the plants as built; unbounded: they then allow no plan; blank: not known, or no figure of theirs.",
    ),
    ResultColumn("free", "MUSD", "The same with plants free to change; never above the column before by more than the gap."),
    ResultColumn("plants", "", "The plants then."),
    ResultColumn("same_plants", "", "Whether they are those of the plan."),
    ResultColumn("gap", "MUSD", "No plan can be cheaper than this one by more."),
    ResultColumn("verdict", "", "Independent verification."),
)


@dataclass(frozen=True)
class Resolve:
    """One change to the tables that is solved again; `on_plants`: of a limit that acts on plants alone, so that these have no value."""

    words: str
    change: str
    by_value: float
    as_built: float
    edit: Callable[[Tables], Tables]
    on_plants: bool = False


def list_resolves(plan: Plan, priced: Sequence[Priced], fixed: FixedPlan, step: float, count: int) -> list[Resolve]:
    """Return what is worth solving again: limits on plants, then the leading figure of each kind, then the next of each.

    Parameters
    ----------
    plan
        The run's plan.
    priced
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
    turns: list[tuple[int, int, Priced]] = []
    items: set[str] = set()
    for item in priced:
        turns.append((seen[item.probe.kind], len(turns), item))
        seen[item.probe.kind] += 1
    for _, _, item in sorted(turns, key=lambda turn: turn[:2]):
        probe = item.probe
        if probe.edit is None or len(chosen) >= count or probe.item in items:  # an offer and its contract tell the same
            continue
        sides = [(rate, sign) for rate, sign in ((item.whole.more, 1.0), (item.whole.less, -1.0)) if not math.isnan(rate)]
        if not sides:
            continue
        rate, sign = max(sides)
        signed = sign * step
        added = fixed.added_cost(probe.moved(signed))
        if probe.kind == CONTRACT and math.isinf(added):
            continue  # all that is offered is contracted already: the tables cannot ask for more
        edit = _by_factor(probe.edit, 1.0 + signed)
        items.add(probe.item)
        chosen.append(Resolve(probe.words, probe.in_words(signed), rate * step, added, edit))
    return chosen[:count]


def _by_factor(edit: Editor, factor: float) -> Callable[[Tables], Tables]:
    return lambda tables: edit(tables, factor)


def _limits_on_plants(plan: Plan, step: float) -> list[Resolve]:
    """Return the limits on plants that can bind, each loosened: they have no value while plants are as built."""
    problem, tables, found = plan.problem, plan.tables, plan.solution.tables
    loosened: list[Resolve] = []

    def add(words: str, change: str, edit: Callable[[Tables], Tables]) -> None:
        loosened.append(Resolve(words, change, math.nan, math.nan, edit, on_plants=True))

    plants, hosts = found["plants"], set(found["plants"]["host"])
    if problem.country_share_limit < 1.0 and hosts:  # plants are whole, so it can decide a plan without standing at its limit
        add("largest share of joint capacity in one country", "off", partial(Tables.with_settings, country_share_limit=1.0))
    if len(plants) == problem.max_plants > 0:
        add("largest number of plants (max_plants)", "+1", partial(Tables.with_settings, max_plants=problem.max_plants + 1))
    if 0 < problem.minimum_hosts == len(hosts):
        add("least number of hosts (minimum_hosts)", "-1", partial(Tables.with_settings, minimum_hosts=problem.minimum_hosts - 1))
    for m in _tight_budgets(plan):
        add(f"capex budget of {m}", step_in_words(step), partial(_more_budget, market=m, factor=1.0 + step))
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


def solve_again(context: StudyContext, resolves: Sequence[Resolve]) -> list[Plan]:
    """Solve each change as a whole, plants free."""
    start = plan_builds(context.plan)
    cases = [Case(f"{item.words} {item.change}", item.edit(context.tables), start=start) for item in resolves]
    solved = solve_cases(cases, context.options, context.workers, lambda line: context.say(f"  {line}"), hot=context.plan.hot)
    return [plan for _, plan in solved]


def resolve_frame(own: Plan, resolves: Sequence[Resolve], plans: Sequence[Plan]) -> pd.DataFrame:
    """Set what each change costs with plants free beside what the marginal value says."""
    rows = []
    for item, plan in zip(resolves, plans, strict=True):
        head = (item.words, item.change, item.by_value, item.as_built)
        if not plan.solution.status.has_plan:
            rows.append((*head, math.nan, "", "", math.nan, verdict(plan)))
            continue
        same = "yes" if same_plants(own, plan) else "no"
        free = plan.solution.objective - own.solution.objective
        rows.append((*head, free, plants_in_words(plan.tables, plan_builds(plan)), same, plan.solution.gap, verdict(plan)))
    return pd.DataFrame(rows, columns=[column.name for column in RESOLVE_COLUMNS])


def same_plants(own: Plan, plan: Plan) -> bool:
    """Return whether two plans build the same."""
    return set(plan_builds(plan)) == set(plan_builds(own))
