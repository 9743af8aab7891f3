"""What each point of cap on China-linked oxide costs, and where the chosen hosts change.

Each level is a solve of its own. One cap stands in for the book's caps on the same basis; see
:mod:`model.studies.cap_levels` for what a level means in years before the book's own cap is tightest.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import pandas as pd

from model.batch import Case, solve_cases
from model.goal import Goal, ShortageLimit
from model.outcome import Status
from model.planner import Plan
from model.result_schema import ResultColumn
from model.studies.cap_levels import ROW, book_level, cap_scopes, with_cap_level
from model.studies.cap_sweep import PERCENT, SHORT_TONNES, Frontier, Point, Reach, Sweep, Turn, cost_per_point, grid_levels
from model.studies.frontier_sentences import headlines_of, hosts_in_words, method_sentences, sentences_of
from model.studies.plan_figures import host_names, plan_builds, plants_in_words, short_by_sector, verdict
from model.studies.study import StudyContext, StudySheet
from model.workers import Workers, as_they_end, count_of, do_as_wanted

POINT_COLUMNS = (
    ResultColumn("scope", "", "What is capped: see frontier_scopes on sheet settings."),
    ResultColumn("level", "share", "Largest China-linked share, where the cap ends up."),
    ResultColumn("total_cost", "MUSD", "Least discounted cost."),
    ResultColumn("extra_cost", "MUSD", "Against no cap on this basis."),
    ResultColumn("cost_per_point", "MUSD per point", "Extra cost of each point since the looser level above."),
    ResultColumn("hosts", "", "Hosts that hold a plant."),
    ResultColumn("plants", "", "Host, capacity and year on line of each plant."),
    ResultColumn("china_share", "share", "China-linked share in the scope in the last year; of the highest product where each is capped."),
    ResultColumn("unmet", "t REO", "Demand left short over the horizon."),
    ResultColumn("gap", "MUSD", "No plan at this level can be cheaper by more."),
    ResultColumn(
        "found_at",
        "share",
        "Level at which the plan was found; a tighter level's plan is taken here where both cost the same within the gap.",
    ),
    ResultColumn("verdict", "", "Independent verification."),
)
TURN_COLUMNS = (
    ResultColumn("scope", "", "What is capped."),
    ResultColumn("level", "share", "Where the chosen hosts change, to half a point."),
    ResultColumn("hosts_looser", "", "Chosen hosts at the looser level."),
    ResultColumn("hosts_tighter", "", "Hosts that are within the gap at the tighter level and from there down to the next change."),
    ResultColumn("looser", "share", "Level solved on the loose side."),
    ResultColumn("tighter", "share", "Level solved on the tight side."),
    ResultColumn("cost_looser", "MUSD", "Least cost at the looser level."),
    ResultColumn("cost_tighter", "MUSD", "Least cost at the tighter level."),
    ResultColumn("gap_looser", "MUSD", "No plan at the looser level can be cheaper by more."),
    ResultColumn("gap_tighter", "MUSD", "No plan at the tighter level can be cheaper by more."),
)
REACH_COLUMNS = (
    ResultColumn("scope", "", "What is capped."),
    ResultColumn(
        "lowest",
        "share",
        "Lowest level, in whole points, at which a plan leaves no sector shorter, all markets and products together, than without the cap.",
    ),
    ResultColumn("short_without_cap", "t REO", "Demand left short by the least-cost plan without the cap."),
    ResultColumn("total_cost", "MUSD", "Least cost at the lowest level with no sector shorter."),
    ResultColumn("extra_cost", "MUSD", "Against no cap on this basis."),
    ResultColumn("gap", "MUSD", "No such plan can be cheaper by more."),
    ResultColumn("hosts", "", "Hosts that hold a plant there."),
    ResultColumn("verdict", "", "Independent verification."),
)


def trace_frontiers(context: StudyContext) -> list[Frontier]:
    """Solve every level that the settings ask for, and those in between at which the hosts change.

    Parameters
    ----------
    context
        Of the run; its plan is the first start.

    Returns
    -------
    list of Frontier
        One for each scope; all levels solved or settled by their neighbours.
    """
    frontiers = []
    for scope in cap_scopes(context.tables):
        own = round(PERCENT * book_level(context.tables, scope), 6)
        grid = sorted({*grid_levels(int(context.tables.setting("frontier_points"))), own}, reverse=True)
        frontiers.append(Frontier(scope, own, Sweep(tuple(grid), context.options)))
    _solve_free(context, frontiers)
    given = context.workers
    workers = given if isinstance(given, Workers) and given.is_shared else Workers(count_of(given), is_shared=True)
    with nullcontext() if workers is given else workers:
        # each scope goes its own way: what it wants next hangs on no other
        for _ in as_they_end(partial(_trace, context), frontiers, workers, at_once=len(frontiers)):
            pass
    return frontiers


def _trace(context: StudyContext, frontier: Frontier, workers: Workers) -> None:
    """Solve one scope, whose loosest level is known."""
    context = replace(context, workers=workers)
    _solve_levels(context, frontier, workers)
    if frontier.free.exists:
        _solve_reach(context, frontier)


def point_of(level: float, plan: Plan, cutoff: float = math.inf) -> Point:
    """Return the figures of a plan found under a swept cap; one that failed verification counts as not found.

    Where only plans cheaper than a cutoff were looked for, there being none proves a bound, not that no plan exists.
    """
    solution = plan.solution
    if not plan.verified:
        if solution.status is Status.INFEASIBLE and math.isinf(cutoff):
            return Point(level, math.inf, math.inf, found_at=level, verdict=verdict(plan))
        bound = math.nan if solution.status.has_plan else solution.bound
        return Point(level, math.nan, bound, found_at=level, verdict=verdict(plan))
    frame = solution.tables["china_shares"]
    shares = frame.loc[(frame["cap"] == ROW) & (frame["year"] == plan.problem.years[-1]), "share"].dropna().tolist()
    return Point(
        level, solution.objective, solution.bound, solution.host_set, plan_builds(plan), short_by_sector(plan),
        max(shares, default=math.nan), level, verdict(plan), plan.hot,
    )  # fmt: skip


def _solve_free(context: StudyContext, frontiers: Sequence[Frontier]) -> None:
    """Solve the books without a cap: every scope of a basis has the same one."""
    firsts = {frontier.scope.basis: frontier for frontier in reversed(frontiers)}
    cases = [_case(context, frontier, PERCENT) for frontier in firsts.values()]
    solved = solve_cases(cases, context.options, context.workers, context.say, hot=context.plan.hot)
    for basis, (case, plan) in zip(firsts, solved, strict=True):
        for frontier in frontiers:
            if frontier.scope.basis == basis:
                frontier.sweep.tell(point_of(PERCENT, plan, case.cutoff))


def _solve_levels(context: StudyContext, frontier: Frontier, workers: Workers) -> None:
    """Solve what the sweep wants as soon as it does, side by side, until it wants no more."""
    asked: dict[float, tuple[Case, float]] = {}

    def wanted(under_way: Collection[float]) -> list[float]:
        levels = frontier.sweep.wanted(under_way)
        asked.update({level: (_case(context, frontier, level), frontier.urgency_of(level)) for level in levels})
        return levels

    def solved(level: float) -> tuple[Case, Plan]:
        case, urgency = asked.pop(level)
        (found,) = solve_cases([case], context.options, workers, context.say, context.plan.hot, urgency)
        return found

    def tell(level: float, found: tuple[Case, Plan]) -> None:
        case, plan = found
        frontier.sweep.tell(point_of(level, plan, case.cutoff))
        frontier.seconds, frontier.solves = frontier.seconds + plan.seconds, frontier.solves + 1

    do_as_wanted(wanted, solved, tell, workers, at_once=len(frontier.sweep.grid) + 1)


def _case(context: StudyContext, frontier: Frontier, level: float) -> Case:
    """Return the solve of a level, started from what is known there, or from the nearest tighter plan, which is possible here too."""
    tighter = frontier.sweep.tighter(level)
    own = frontier.sweep.points.get(level)
    near = own if own is not None and own.exists else tighter
    if near is None and level < frontier.own_level:
        near = frontier.sweep.looser(level)
    return Case(
        f"{frontier.scope.name} at {level:g} %",
        with_cap_level(context.tables, frontier.scope, level / PERCENT),
        start=near.builds if near else plan_builds(context.plan),
        cutoff=context.options.cutoff_above(tighter.cost) if tighter else math.inf,
        hot=frontier.sweep.looser_hot(level),
        hands_on=True,
    )


def _solve_reach(context: StudyContext, frontier: Frontier) -> None:
    """Find the lowest level at which no sector is left shorter than without the cap."""
    goal = none_shorter_than(context, frontier.free)
    known = frontier.sweep.known()
    frontier.reach = reach = Reach(
        min(point.level for point in known if point.exists and point.leaves_none_shorter_than(frontier.free)),
        max((point.level for point in known if point.impossible), default=-1),
    )
    is_answered = False
    while (level := reach.wanted()) is not None:
        # if no cap is tighter, a plan ends the search and its least cost is asked for at once; else any plan will do
        is_last = level == 0
        plan = _none_shorter(context, frontier, level, goal, is_last)
        possible = plan.verified
        reach.tell(level, possible, proven=possible or plan.solution.status is Status.INFEASIBLE)
        if possible:
            is_answered = is_last
            frontier.lowest = _point_at(frontier, level, plan)
    if not is_answered and not answered_by_sweep(frontier, reach.reached):
        point = _point_at(frontier, reach.reached, _none_shorter(context, frontier, reach.reached, goal, is_least=True))
        if point.exists or frontier.lowest is None:
            frontier.lowest = point


def _point_at(frontier: Frontier, level: float, plan: Plan) -> Point:
    """Return the figures of a plan that leaves nobody shorter: it costs no less than one that may leave some shorter."""
    point = point_of(level, plan)
    return replace(point, bound=max(point.bound, _bound_at(frontier, level))) if point.exists else point


def _bound_at(frontier: Frontier, level: float) -> float:
    """Return what the sweep has proven of a level; minus infinity where that is nothing."""
    point = frontier.sweep.points.get(level)
    return point.bound if point is not None and point.exists and math.isfinite(point.bound) else -math.inf


def _none_shorter(context: StudyContext, frontier: Frontier, level: float, goal: Goal, is_least: bool) -> Plan:
    """Solve a level with nobody left shorter, started from the plan known there: for the least cost, or for any plan."""
    options, case, bound = context.options, _case(context, frontier, level), _bound_at(frontier, level)
    known, lowest = frontier.sweep.points.get(level), frontier.lowest
    case = replace(
        case, name=f"{case.name}, nobody shorter", goal=goal, cutoff=math.inf,
        enough=math.inf if not is_least else bound + options.gap_at(bound) if math.isfinite(bound) else bound,
        start=lowest.builds if lowest is not None and lowest.level == level else case.start,
        hot=known.hot if known is not None and known.hot is not None else case.hot,
    )  # fmt: skip
    asked = options if is_least else options.roughly()
    ((_, plan),) = solve_cases([case], asked, context.workers, context.say, context.plan.hot, frontier.urgency)
    return plan


def none_shorter_than(context: StudyContext, point: Point) -> Goal:
    """Return the goal of the least cost that leaves no sector shorter than a plan does."""
    sectors = [str(sector) for sector in context.tables["sectors"]["sector"]]
    return Goal(shortage_limits=tuple(ShortageLimit((c,), (point.short.get(c, 0.0) + SHORT_TONNES) / 1000.0) for c in sectors))


def answered_by_sweep(frontier: Frontier, level: float) -> bool:
    """Take the least-cost plan of a level as the answer where it leaves no sector shorter of its own accord; return whether it does."""
    point = frontier.sweep.points.get(level)
    if point is None or not point.exists or not point.leaves_none_shorter_than(frontier.free):
        return False
    frontier.lowest = point
    return True


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    if not cap_scopes(context.tables):
        context.say("  nothing to do: frontier_scopes on sheet settings is blank.")
        return []
    frontiers = trace_frontiers(context)
    points = pd.DataFrame(
        [row for frontier in frontiers for row in _point_rows(context, frontier)], columns=[column.name for column in POINT_COLUMNS]
    )
    turns = pd.DataFrame(
        [_turn_row(context, frontier, turn) for frontier in frontiers for turn in frontier.sweep.turns()],
        columns=[column.name for column in TURN_COLUMNS],
    )
    lowest = pd.DataFrame(
        [
            (
                each.scope.words, each.lowest.level / PERCENT, each.free.unmet, each.lowest.cost, each.lowest.cost - each.free.cost,
                each.lowest.gap, host_names(context.tables, each.lowest.hosts), each.lowest.verdict,
            )
            for each in frontiers if each.lowest
        ],
        columns=[column.name for column in REACH_COLUMNS],
    )  # fmt: skip
    tables = [
        ("Least cost by level of the cap.", POINT_COLUMNS, points),
        ("Where the chosen hosts change.", TURN_COLUMNS, turns),
        ("The lowest share that can be reached with no sector left shorter than without the cap.", REACH_COLUMNS, lowest),
    ]
    caption = "What each point of cap on China-linked oxide costs, which hosts it chooses, and how far down it can go."
    sentences = [*method_sentences(), *(sentence for frontier in frontiers for sentence in sentences_of(context.tables, frontier))]
    return [StudySheet("frontier", caption, tables, sentences, list(headlines_of(context.tables, frontiers))[:3])]


def _point_rows(context: StudyContext, frontier: Frontier) -> Iterator[tuple]:
    before: Point | None = None
    for point in frontier.sweep.shown():
        cost = point.cost if point.exists else math.nan
        yield (
            frontier.scope.words, point.level / PERCENT, cost, cost - frontier.free.cost, cost_per_point(before, point),
            hosts_in_words(context.tables, point), plants_in_words(context.tables, point.builds) if point.exists else "",
            point.share, point.unmet if point.exists else math.nan, point.gap,
            point.found_at / PERCENT, point.verdict,
        )  # fmt: skip
        before = point


def _turn_row(context: StudyContext, frontier: Frontier, turn: Turn) -> tuple:
    loose, tight = turn.loose, turn.tight
    return (
        frontier.scope.words, turn.level / PERCENT, host_names(context.tables, loose.hosts),
        host_names(context.tables, turn.kept.hosts) if tight.exists else "no plan exists",
        loose.level / PERCENT, tight.level / PERCENT, loose.cost, tight.cost if tight.exists else math.nan, loose.gap, tight.gap,
    )  # fmt: skip
