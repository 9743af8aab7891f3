"""What each point of cap on China-linked oxide costs, and where the chosen hosts change.

Each level is a solve of its own. One cap stands in for the book's caps on the same basis; see
:mod:`model.studies.cap_levels` for what a level means in years before the book's own cap is tightest.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from model.batch import Case, solve_cases
from model.goal import Goal, ShortageLimit
from model.outcome import Status
from model.planner import Plan
from model.result_schema import ResultColumn
from model.studies.cap_levels import ROW, CapScope, book_level, cap_scopes, with_cap_level
from model.studies.cap_sweep import PERCENT, Point, Reach, Sweep, Turn, grid_levels
from model.studies.plan_figures import host_names, plan_builds, plants_in_words, tonnes_short, verdict
from model.studies.study import StudyContext, StudySheet

ROUGH = 0.01
"""Gap, as a share of the cost, of a solve that only asks whether a plan exists."""

SHORT_TONNES = 1e-3
"""t REO over the horizon; less than this is nobody short."""

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
        "found_at", "share", "Level at which the plan was found; a tighter level's plan is the best here where both cost the same."
    ),
    ResultColumn("verdict", "", "Independent verification."),
)
TURN_COLUMNS = (
    ResultColumn("scope", "", "What is capped."),
    ResultColumn("level", "share", "Where the chosen hosts change, to half a point."),
    ResultColumn("hosts_looser", "", "Chosen hosts at the looser level."),
    ResultColumn("hosts_tighter", "", "Chosen hosts at the tighter level."),
    ResultColumn("looser", "share", "Level solved on the loose side."),
    ResultColumn("tighter", "share", "Level solved on the tight side."),
    ResultColumn("cost_looser", "MUSD", "Least cost at the looser level."),
    ResultColumn("cost_tighter", "MUSD", "Least cost at the tighter level."),
)
REACH_COLUMNS = (
    ResultColumn("scope", "", "What is capped."),
    ResultColumn("lowest", "share", "Lowest level, in whole points, at which a plan leaves nobody shorter than without the cap."),
    ResultColumn("short_without_cap", "t REO", "Demand left short by the least-cost plan without the cap."),
    ResultColumn("total_cost", "MUSD", "Least cost at the lowest level with nobody shorter."),
    ResultColumn("extra_cost", "MUSD", "Against no cap on this basis."),
    ResultColumn("gap", "MUSD", "No such plan can be cheaper by more."),
    ResultColumn("hosts", "", "Hosts that hold a plant there."),
    ResultColumn("verdict", "", "Independent verification."),
)


@dataclass
class Frontier:
    """A cap's sweep with what it was swept for."""

    scope: CapScope
    own_level: int
    sweep: Sweep
    reach: Reach | None = None
    lowest: Point | None = None

    @property
    def free(self) -> Point:
        """Return the point without a cap."""
        return self.sweep.points[self.sweep.grid[0]]


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
        own = round(PERCENT * book_level(context.tables, scope))
        grid = sorted({*grid_levels(int(context.tables.setting("frontier_points"))), own}, reverse=True)
        frontiers.append(Frontier(scope, own, Sweep(tuple(grid), context.options.absolute_gap)))
    _solve_levels(context, frontiers)
    if any(frontier.free.exists for frontier in frontiers):
        context.say("Lowest share that can be reached with nobody left shorter:")
        _solve_reach(context, frontiers)
    return frontiers


def point_of(level: int, plan: Plan) -> Point:
    """Return the figures of a plan found under a swept cap; one that failed verification counts as not found."""
    solution = plan.solution
    if not (solution.status.has_plan and plan.verification.passed):
        cost = math.inf if solution.status is Status.INFEASIBLE else math.nan
        return Point(level, cost, cost, found_at=level, verdict=verdict(plan))
    frame = solution.tables["china_shares"]
    shares = frame.loc[(frame["cap"] == ROW) & (frame["year"] == plan.problem.years[-1]), "share"].dropna().tolist()
    return Point(
        level, solution.objective, solution.bound, solution.host_set, plan_builds(plan), tonnes_short(plan),
        max(shares, default=math.nan), level, verdict(plan),
    )  # fmt: skip


def _solve_levels(context: StudyContext, frontiers: Sequence[Frontier]) -> None:
    """Solve in rounds: what every sweep wants next, side by side, until none wants more."""
    free: dict[str, Point] = {}
    while True:
        cases, places = [], []
        asked: set[str] = set()
        for frontier in frontiers:
            for level in frontier.sweep.wanted():
                if level == PERCENT and frontier.scope.basis in free:
                    frontier.sweep.tell(free[frontier.scope.basis])  # without a cap every scope of a basis is the same book
                elif level != PERCENT or frontier.scope.basis not in asked:
                    asked |= {frontier.scope.basis} if level == PERCENT else set()
                    cases.append(_case(context, frontier, level))
                    places.append((frontier, level))
        if not cases:
            if not any(frontier.sweep.wanted() for frontier in frontiers):
                return
            continue
        for (frontier, level), (_, plan) in zip(
            places, solve_cases(cases, context.options, context.workers, context.say, hot=context.plan.hot), strict=True
        ):
            point = point_of(level, plan)
            frontier.sweep.tell(point)
            if level == PERCENT:
                free[frontier.scope.basis] = point


def _case(context: StudyContext, frontier: Frontier, level: int) -> Case:
    """Return the solve of a level, started from what is known there, or from the nearest tighter plan, which is possible here too."""
    tighter = frontier.sweep.tighter(level)
    own = frontier.sweep.points.get(level)
    near = own if own is not None and own.exists else tighter or frontier.sweep.looser(level)
    room = context.options.absolute_gap
    return Case(
        f"{frontier.scope.name} at {level} %",
        with_cap_level(context.tables, frontier.scope, level / PERCENT),
        start=near.builds if near else plan_builds(context.plan),
        cutoff=tighter.cost + max(room, 1e-6 * abs(tighter.cost)) if tighter else math.inf,
    )


def _solve_reach(context: StudyContext, frontiers: Sequence[Frontier]) -> None:
    """Find the lowest level of each scope at which nobody is left shorter than without the cap."""
    everybody = tuple(context.tables["sectors"]["sector"])
    goals = {}
    for frontier in frontiers:
        if not frontier.free.exists:
            continue
        allowed = frontier.free.unmet + SHORT_TONNES
        goals[frontier.scope.name] = Goal(shortage_limits=(ShortageLimit(everybody, allowed / 1000.0),))
        known = frontier.sweep.known()
        frontier.reach = Reach(
            min(point.level for point in known if point.exists and point.unmet <= allowed),
            max((point.level for point in known if point.impossible), default=-1),
        )
    rough = replace(context.options, relative_gap=max(ROUGH, context.options.relative_gap))
    while True:
        places = [(each, level) for each in frontiers if each.reach and (level := each.reach.wanted()) is not None]
        cases = [replace(_case(context, each, level), goal=goals[each.scope.name], cutoff=math.inf) for each, level in places]
        if not cases:
            break
        for (each, level), (_, plan) in zip(
            places, solve_cases(cases, rough, context.workers, context.say, hot=context.plan.hot), strict=True
        ):
            assert each.reach is not None
            possible = plan.solution.status.has_plan and plan.verification.passed
            each.reach.tell(level, possible, proven=possible or plan.solution.status is Status.INFEASIBLE)
    places = []
    for each in frontiers:
        if each.reach and not answered_by_sweep(each, each.reach.reached):
            places.append((each, each.reach.reached))
    cases = [replace(_case(context, each, level), goal=goals[each.scope.name], cutoff=math.inf) for each, level in places]
    for (each, level), (_, plan) in zip(
        places, solve_cases(cases, context.options, context.workers, context.say, hot=context.plan.hot), strict=True
    ):
        each.lowest = point_of(level, plan)


def answered_by_sweep(frontier: Frontier, level: int) -> bool:
    """Take the least-cost plan of a level as the answer where it leaves nobody shorter of its own accord; return whether it does."""
    point = frontier.sweep.points.get(level)
    if point is None or not point.exists or point.unmet > frontier.free.unmet + SHORT_TONNES:
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
                gap_of(each.lowest), host_names(context.tables, each.lowest.hosts), each.lowest.verdict,
            )
            for each in frontiers if each.lowest
        ],
        columns=[column.name for column in REACH_COLUMNS],
    )  # fmt: skip
    tables = [
        ("Least cost by level of the cap.", POINT_COLUMNS, points),
        ("Where the chosen hosts change.", TURN_COLUMNS, turns),
        ("The lowest share that can be reached with nobody left shorter than without the cap.", REACH_COLUMNS, lowest),
    ]
    caption = "What each point of cap on China-linked oxide costs, which hosts it chooses, and how far down it can go."
    sentences = [*_method(), *(sentence for frontier in frontiers for sentence in _sentences(context, frontier))]
    return [StudySheet("frontier", caption, tables, sentences, list(_headlines(context, frontiers))[:3])]


def _point_rows(context: StudyContext, frontier: Frontier) -> Iterator[tuple]:
    before: Point | None = None
    for point in frontier.sweep.shown():
        cost = point.cost if point.exists else math.nan
        yield (
            frontier.scope.words, point.level / PERCENT, cost, cost - frontier.free.cost, cost_per_point(before, point),
            host_names(context.tables, point.hosts) if point.exists else "no plan", plants_in_words(context.tables, point.builds) if point.exists else "",
            point.share, point.unmet if point.exists else math.nan, gap_of(point),
            point.found_at / PERCENT, point.verdict,
        )  # fmt: skip
        before = point


def cost_per_point(loose: Point | None, tight: Point) -> float:
    """Return what each point between two levels costs, MUSD; NaN where a side has no plan."""
    if loose is None or not (loose.exists and tight.exists):
        return math.nan
    return max(0.0, tight.cost - loose.cost) / (loose.level - tight.level)


def gap_of(point: Point) -> float:
    """Return how much cheaper a plan could be, MUSD; NaN where nothing is proven."""
    return max(0.0, point.cost - point.bound) if point.exists and math.isfinite(point.bound) else math.nan


def _turn_row(context: StudyContext, frontier: Frontier, turn: Turn) -> tuple:
    tight = host_names(context.tables, turn.tight.hosts) if turn.tight.exists else "no plan exists"
    return (
        frontier.scope.words, turn.level / PERCENT, host_names(context.tables, turn.loose.hosts), tight, turn.loose.level / PERCENT,
        turn.tight.level / PERCENT, turn.loose.cost, turn.tight.cost if turn.tight.exists else math.nan,
    )  # fmt: skip


def _method() -> Iterator[str]:
    yield "Each level is a solve of the whole plan with one cap in place of all of the book's caps on the same basis; caps on the other basis stay."
    yield "The level is where the cap ends up: it holds from the year in which the book's own cap is tightest; earlier the looser of the two holds."
    yield "A level between two that cost the same within the gap is not solved again: the tighter level's plan is the best there too."
    yield "Hosts that differ between two levels of equal cost, within the gap, are a matter of taste and not counted as a change."


def _sentences(context: StudyContext, frontier: Frontier) -> Iterator[str]:
    """Say what a planner should take from one sweep."""
    scope, shown = frontier.scope, [point for point in frontier.sweep.shown() if point.exists]
    if not shown:
        yield f"{scope.words.capitalize()}: no plan exists even without a cap."
        return
    steps = [(a, b, cost_per_point(a, b)) for a, b in itertools.pairwise(shown)]
    dear = max(steps, key=lambda step: step[2], default=None)
    name = scope.words.capitalize()
    text = f"{name}: a cap of {shown[-1].level} % costs {shown[-1].cost - frontier.free.cost:,.1f} MUSD more than none."
    idle = [point for point in shown if point.cost - frontier.free.cost <= frontier.sweep.gap]
    if idle and idle[-1].level < PERCENT:
        text += f" Down to {idle[-1].level} % it costs nothing: ask for that much at once."
    if dear and dear[2] > 0:
        text += f" The dearest step is from {dear[0].level} % to {dear[1].level} %, {dear[2]:,.2f} MUSD a point."
    yield text
    turns = frontier.sweep.turns()
    places = [f"{turn.level:.1f} %" for turn in turns if turn.tight.exists]
    if places:
        yield f"{name}: the chosen hosts change at {', '.join(places)}; settle on a level before signing for a site."
    elif len({point.hosts for point in shown}) == 1:
        yield f"{name}: the chosen hosts are the same at every level; the site can be settled before the cap."
    else:
        yield f"{name}: no change of the chosen hosts is worth more than the gap; the site can be settled before the cap."
    for turn in turns:
        if not turn.tight.exists:
            yield f"{name}: tighter than {turn.loose.level} % there is no plan at all."
    loose = [point for point in shown if not gap_of(point) <= 1.01 * frontier.sweep.gap]
    if loose:
        yield f"{name}: {len(loose)} of {len(shown)} levels are not proven within {frontier.sweep.gap:g} MUSD; read their column gap before their hosts."
    if frontier.lowest and frontier.lowest.exists:
        short = (
            "with no demand unmet"
            if frontier.free.unmet <= SHORT_TONNES
            else f"with no more than the {frontier.free.unmet:,.1f} t short without a cap"
        )
        below = "" if frontier.lowest.level == 0 else "; a tighter cap leaves somebody short whatever is built"
        if frontier.lowest.level and frontier.reach and not frontier.reach.proven:
            below = "; a solve at a tighter cap was stopped, so that it may be lower"
        yield (
            f"{name}: the lowest share that can be reached {short} is {frontier.lowest.level} %, "
            f"for {frontier.lowest.cost - frontier.free.cost:,.1f} MUSD more than no cap{below}."
        )  # fmt: skip


def _headlines(context: StudyContext, frontiers: Sequence[Frontier]) -> Iterator[str]:
    """Say what the first page needs, of the scope whose next point costs most."""
    best: tuple[float, Frontier, Point] | None = None
    for frontier in frontiers:
        shown = frontier.sweep.shown()
        at = next((n for n, point in enumerate(shown) if point.level == frontier.own_level), None)
        if at is None or at + 1 >= len(shown):
            continue
        price = cost_per_point(shown[at], shown[at + 1])
        if math.isfinite(price) and (best is None or price > best[0]):
            best = (price, frontier, shown[at])
    if best is None:
        return
    price, frontier, own = best
    if price > 0:
        yield f"Each further point of cap below {own.level} % on {frontier.scope.words} costs about {price:,.1f} MUSD."
    turns = [turn for turn in frontier.sweep.turns() if turn.level < own.level and turn.tight.exists]
    if turns:
        yield (
            f"Below {turns[0].level:.1f} % on {frontier.scope.words} the hosts change from {host_names(context.tables, turns[0].loose.hosts)} "
            f"to {host_names(context.tables, turns[0].tight.hosts)}."
        )  # fmt: skip
    if frontier.lowest and frontier.lowest.exists:
        yield f"{frontier.scope.words.capitalize()} can go down to {frontier.lowest.level} % China-linked before anybody is left shorter than without a cap."
