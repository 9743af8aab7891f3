"""The best plans with different hosts, ranked and proven in order.

Each plan is found by excluding the host sets of those before it, so a further size, year or way at
the same hosts never counts as another plan. Each is a whole solve of its own, verified like any other.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from model.batch import solve_one
from model.goal import LEAST_COST
from model.outcome import SolveOptions, Status
from model.planner import Plan
from model.report_words import SHOWN, count_words, plant_words
from model.result_schema import ResultColumn
from model.solution import Solution
from model.studies.plan_figures import china_share_of_feed, china_share_of_supply, name_of_host, tonnes_short, verdict
from model.studies.study import Say, StudyContext, StudySheet
from model.tables import Tables
from model.words import joined, tonnes_words
from model.workers import AWAITED, Workers

TIE = 1e-7
"""Share of the cost by which two plans of the same cost may differ after rounding."""

COLUMNS = (
    ResultColumn("rank", "", "1 is the cheapest."),
    ResultColumn("hosts", "", "Hosts that hold a plant."),
    ResultColumn("total_cost", "MUSD", "Discounted cost of the cheapest plan found with these hosts."),
    ResultColumn("extra_cost", "MUSD", "Against rank 1."),
    ResultColumn("extra_share", "share of cost", "Extra cost over the cost of rank 1."),
    ResultColumn("gap", "MUSD", "No plan with these hosts, or with hosts not ranked before it, can be cheaper than this one by more."),
    ResultColumn("china_supply", "share", "China-linked share of the oxide that the markets receive, over the horizon, by tonnes."),
    ResultColumn("china_feed", "share", "China-linked share of what the joint plants are fed, over the horizon, by tonnes."),
    ResultColumn("unmet", "t REO", "Demand left short over the horizon."),
    ResultColumn("verdict", "", "Independent verification."),
    ResultColumn("plants", "", "Where, what, how worked and from when."),
)


@dataclass(frozen=True)
class Ranking:
    """Plans with different hosts.

    Parameters
    ----------
    plans
        Cheapest first.
    limit
        Plans dearer than this were not looked for, MUSD.
    bounds
        For the second solve and each after it: no plan with hosts other than those found before costs less, MUSD.
    ended
        ``count``: as many as asked for were found; ``none left``: no other hosts within the limit; ``gap``: the plan found next
        is dearer than the limit, and what is proven ends below it; ``stopped``: a solve ran out of time, so there may be others;
        ``unverified``: the plan found next failed verification, so nothing follows from it.
    """

    plans: tuple[Plan, ...]
    limit: float
    bounds: tuple[float, ...]
    ended: str

    @property
    def others(self) -> float:
        """Return what any plan with hosts that are not listed costs at least, MUSD; minus infinity where nothing is proven."""
        return max(self.bounds, default=-math.inf)

    @property
    def margin(self) -> float:
        """Return by how much any plan with other hosts than rank 1 is proven to be dearer, MUSD; below 0: may be cheaper."""
        listed = [each.solution.bound for each in self.plans[1:]]
        return min([self.others, *listed]) - self.plans[0].solution.objective


def rank_alternatives(
    tables: Tables, plan: Plan, count: int, within: float, options: SolveOptions, say: Say = lambda _: None, workers: int | Workers = 1
) -> Ranking:
    """Find the cheapest plans with different hosts, one after the other.

    Parameters
    ----------
    tables
        The inputs that `plan` answers.
    plan
        The least-cost plan; the first of the list.
    count
        Most plans to list, `plan` included.
    within
        Plans that cost more than (1 + `within`) times `plan` are not looked for.
    options
        For each solve.
    say
        Called with a sentence as each solve ends.
    workers
        Where others may be at work too: each solve waits for the one before.
    """
    found, ended = [plan], "count"
    bounds: list[float] = []
    limit = plan.solution.objective + within * abs(plan.solution.objective)
    tie, cutoff, hot = _tie(limit), options.cutoff_above(limit), plan.hot
    spent = 0.0
    while len(found) < count:
        excluded = tuple(frozenset(each.solution.host_set) for each in found)
        goal = replace(LEAST_COST, excluded_host_sets=excluded)
        start = hot.plan_other_than(excluded) if hot is not None else ()
        # one waits for the other, so the longer they take the sooner the next has to begin; left to the end they would be alone there
        other = solve_one(tables, options, goal=goal, start=start, cutoff=cutoff, hot=hot, workers=workers, urgency=AWAITED + spent)
        solution, hot, spent = other.solution, other.hot or hot, spent + other.seconds
        if solution.status.has_plan and not other.verification.passed:
            ended = "unverified"
            say("  ended: the next plan failed verification")
            break
        # fewer host sets are left than before, so what was proven then still holds
        bound = max([_proven(solution), *bounds[-1:]])
        if solution.status.has_plan and solution.objective <= limit + tie:
            bound = min(bound, solution.objective)
            found.append(replace(other, solution=replace(solution, bound=bound)))
            bounds.append(bound)
            say(f"  {len(found)} of {count}: {solution.objective:,.1f} MUSD with {', '.join(solution.host_set) or 'no plant'}")
            continue
        if bound > -math.inf:
            bounds.append(min(bound, limit))
        # a dearer plan says as much as none, if only its bound reaches the limit too
        if bound >= limit - tie:
            ended = "none left"
            say(f"  no further hosts within {limit:,.1f} MUSD")
        else:
            ended = "gap" if solution.status in (Status.OPTIMAL, Status.INFEASIBLE) else "stopped"
            say(f"  {'nothing is proven beyond the gap' if ended == 'gap' else 'stopped'}: {solution.termination}")
        break
    found.sort(key=lambda each: each.solution.objective)
    return Ranking(tuple(found), limit, tuple(bounds), ended)


def _tie(cost: float) -> float:
    return TIE * max(1.0, abs(cost))


def _proven(solution: Solution) -> float:
    """Return what every plan that a solve looked for costs at least, MUSD; plus infinity where there is none at any cost."""
    if math.isnan(solution.bound):
        return math.inf if solution.status is Status.INFEASIBLE else -math.inf
    return solution.bound


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    tables = context.tables
    count, within = int(tables.setting("alternatives_count")), tables.setting("alternatives_within")
    if count < 2:
        context.say("  nothing to do: alternatives_count on sheet settings is below 2.")
        return []
    ranking = rank_alternatives(tables, context.plan, count, within, context.options, context.say, context.workers)
    names = name_of_host(tables)
    words = [*_nearest(ranking, names), *_without(ranking, names), *_in_common(ranking, names), *_proof(ranking, within)]
    if ranking.plans[0] is not context.plan:
        words.insert(0, "Rank 1 is cheaper than the plan of this run, whose search was stopped within its gap: take rank 1 for the answer.")
    shown = [("Plans in order of cost.", COLUMNS, plan_table(ranking, names)), ("Hosts in each plan.", *host_table(ranking, names))]
    caption = "The best plans with different hosts: what else is nearly as good, and what all of them share."
    headlines = _nearest(ranking, names)[:1] if ranking.plans[0].verification.passed else []
    return [StudySheet("alternatives", caption, shown, words, headlines)]


def plan_table(ranking: Ranking, names: dict[str, str]) -> pd.DataFrame:
    """Return one row a plan in `COLUMNS`."""
    best = ranking.plans[0].solution.objective
    rows = []
    for rank, plan in enumerate(ranking.plans, 1):
        solution = plan.solution
        extra = solution.objective - best
        rows.append(
            (
                rank, _listed(solution.host_set, names), solution.objective, extra, extra / abs(best) if best else math.nan,
                max(0.0, solution.gap), china_share_of_supply(plan), china_share_of_feed(plan), tonnes_short(plan),
                verdict(plan), "; ".join(plant_words(plan)) or "none",
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=[column.name for column in COLUMNS])


def host_table(ranking: Ranking, names: dict[str, str]) -> tuple[Sequence[ResultColumn], pd.DataFrame]:
    """Return columns and one row a host that is in any plan, those in most plans first."""
    plans = ranking.plans
    columns = [
        ResultColumn("host", "", "Host."), ResultColumn("name", "", "Country or site."),
        ResultColumn("in_plans", "", "In how many of the plans it holds a plant."),
        *(ResultColumn(f"plan_{rank}", "", f"Capacity and year on line in the plan of rank {rank}.") for rank in range(1, len(plans) + 1)),
    ]  # fmt: skip
    cells = [_plants_by_host(plan) for plan in plans]
    rows = [
        (host, names[host], f"{number} of {len(plans)}", *(cell.get(host, "–") for cell in cells))
        for host, number in _popularity(ranking).items()
    ]
    return columns, pd.DataFrame(rows, columns=[column.name for column in columns], dtype=object)


def _plants_by_host(plan: Plan) -> dict[str, str]:
    plants = plan.solution.tables["plants"].sort_values("on_line", kind="stable")
    return {
        str(host): "; ".join(f"{capacity:,.0f} t/y from {year}" for capacity, year in zip(part["capacity"], part["on_line"], strict=True))
        for host, part in plants.groupby("host")
    }


def _popularity(ranking: Ranking) -> dict[str, int]:
    """Return host -> number of plans that it is in, most first."""
    every = [host for plan in ranking.plans for host in plan.solution.host_set]
    return {host: every.count(host) for host in sorted(set(every), key=lambda host: (-every.count(host), host))}


# --- in words -----------------------------------------------------------------------------------------------


def _listed(hosts: Collection[str], names: dict[str, str]) -> str:
    """Return hosts by name, "no joint plant" if there are none.

    Examples
    --------
    >>> _listed(["A", "B", "C"], {"A": "Malaysia", "B": "Estonia", "C": "Chile"})
    'Malaysia, Estonia and Chile'
    """
    return joined([names[host] for host in hosts]) or "no joint plant"


def difference(before: Collection[str], after: Collection[str], names: dict[str, str]) -> str:
    """Return in words how one host set differs from another.

    Examples
    --------
    >>> difference(["A", "B"], ["A", "C"], {"A": "Malaysia", "B": "Estonia", "C": "Chile"})
    'Chile in place of Estonia'
    """
    gone, new = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    if not after:
        return "no joint plant at all"
    if gone and new:
        return f"{_listed(new, names)} in place of {_listed(gone, names)}"
    return f"{_listed(new, names)} as well" if new else f"no plant in {_listed(gone, names)}"


def _nearest(ranking: Ranking, names: dict[str, str]) -> list[str]:
    """Return how far the next plan is, and how far that is proven."""
    best = ranking.plans[0].solution
    if len(ranking.plans) == 1:
        if ranking.ended == "unverified":
            return ["Nearest alternative: not known; the plan with other hosts that was found failed verification."]
        reach = {"stopped": "was found before the search was stopped", "gap": "was found"}.get(ranking.ended, "exists")
        proven = f"; none costs less than {ranking.others:,.1f} MUSD" if ranking.ended == "gap" else ""
        return [f"Nearest alternative: no plan with other hosts {reach} up to {ranking.limit:,.1f} MUSD{proven}."]
    other = ranking.plans[1].solution
    extra = other.objective - best.objective
    words = [
        f"Nearest alternative: {difference(best.host_set, other.host_set, names)} costs {extra:,.1f} MUSD more "
        f"({extra / abs(best.objective):.2%} of the total).".replace("%", " %")
        if best.objective
        else f"Nearest alternative: {difference(best.host_set, other.host_set, names)} costs {extra:,.1f} MUSD more."
    ]
    margin = ranking.margin
    if extra < SHOWN and margin > -SHOWN:
        words.append("Both come to the same cost: choose between them on other grounds.")
    elif margin > 0:
        words.append(f"The hosts of rank 1 are proven: every other choice of hosts costs at least {margin:,.1f} MUSD more.")
    else:
        words.append(
            f"The hosts of rank 1 are not proven to be the cheapest: with others a plan may be up to {max(0.0, -margin):,.1f} MUSD cheaper. "
            "Choose between the first ranks on other grounds, or ask for a smaller absolute_gap on sheet settings."
        )
    return words


def _without(ranking: Ranking, names: dict[str, str]) -> list[str]:
    """Return for each host of rank 1 what a plan without it costs, as far as the list tells."""
    best, words = ranking.plans[0].solution, []
    for host in best.host_set:
        rank, other = next(
            ((rank, plan.solution) for rank, plan in enumerate(ranking.plans, 1) if host not in plan.solution.host_set), (0, None)
        )
        if other is not None:
            change = difference(best.host_set, other.host_set, names)
            words.append(f"Without {names[host]}: rank {rank}, {change}, {other.objective - best.objective:,.1f} MUSD more.")
        elif len(ranking.plans) > 1 and ranking.others > best.objective:
            words.append(
                f"Without {names[host]}: none of these plans; it would cost at least {ranking.others - best.objective:,.1f} MUSD more."
            )
    return words


def _in_common(ranking: Ranking, names: dict[str, str]) -> list[str]:
    """Return what the plans share, how they differ and what to make of it."""
    number = len(ranking.plans)
    if number == 1:
        return []
    counts = _popularity(ranking)
    always = [host for host in counts if counts[host] == number]
    sometimes = [host for host in counts if counts[host] < number]
    spread = ranking.plans[-1].solution.objective - ranking.plans[0].solution.objective
    words = []
    if always:
        verb = "is" if len(always) == 1 else "are"
        words.append(f"{_listed(always, names)} {verb} in {number} of {number}: whichever of these plans is taken, work there can begin.")
    else:
        words.append(f"No host is in all {number}: none of them is indispensable at this cost.")
    if sometimes:
        listed = ", ".join(f"{names[host]} ({counts[host]} of {number})" for host in sometimes)
        words.append(
            f"They differ in {listed}. All {number} cost within {spread:,.1f} MUSD of each other: "
            "that much is what a preference for one of these hosts on other grounds (risk, alliances, timetable) may cost."
        )
    short = [tonnes_short(plan) for plan in ranking.plans]
    if max(short) > min(short) + 0.01:
        low, high = tonnes_words(min(short)), tonnes_words(max(short))
        words.append(f"Demand left short lies between {low} and {high}: look at that column before a cheaper plan is preferred.")
    return words


def _proof(ranking: Ranking, within: float) -> list[str]:
    """Return how far the list is proven to be complete and in order."""
    number, words = len(ranking.plans), []
    above = f"{100 * within:.4g} % above the least cost"
    if ranking.ended == "none left":
        words.append(f"The list is complete: any choice of hosts that is not listed costs at least {ranking.others:,.1f} MUSD, {above}.")
    elif ranking.ended == "gap":
        words.append(
            f"Any choice of hosts that is not listed costs at least {ranking.others:,.1f} MUSD; whether one costs less than {ranking.limit:,.1f} MUSD, "
            f"{above}, is not proven: the gap is wider than that (absolute_gap and relative_gap on sheet settings)."
        )
    elif ranking.ended == "unverified":
        words.append(
            "The list may lack plans: the plan found next FAILED verification; it is not listed, and nothing is concluded from it."
        )
    elif ranking.ended == "stopped":
        words.append(
            "The list may lack plans: a solve was stopped before it was settled. Give it more time (time_limit on sheet settings)."
        )
    else:
        words.append(
            f"Any choice of hosts that is not listed costs at least {ranking.others:,.1f} MUSD; more of them may lie within {ranking.limit:,.1f} MUSD, "
            f"{above} (alternatives_count on sheet settings)."
        )
    costs = [plan.solution.objective for plan in ranking.plans]
    close = [rank for rank in range(1, number) if ranking.plans[rank].solution.bound <= costs[rank - 1] + _tie(costs[rank - 1])]
    if close:
        pairs = ", ".join(f"{rank} and {rank + 1}" for rank in close)
        words.append(f"Ranks {pairs} are as good or closer to each other than the gap: their order is not proven.")
    elif number > 1:
        words.append("The order is proven: each plan is dearer than the one before by more than its gap.")
    failed = sum(not plan.verification.passed for plan in ranking.plans)
    if failed:
        words.append(f"{count_words(failed, 'plan')} of {number} FAILED verification: do not use their figures.")
    return words
