"""The value of one figure at which a host left out comes into the least-cost plan.

The least cost with a plant at the host falls as the figure improves; the least cost without one stays, or falls less: duties of a
country are laid on its refiners too. Where the two meet is the break-even. Plans known to have a plant at the host are followed first: today's cheapest,
the run's own with its plants moved there, and those found for the host's first figure; where even the most favourable value
brings none of them in, a solve there gives another. Where the cost of a plan, as it stands, meets the target is found by
linear programs in a few seconds; a solve a little short of there tells whether another plan comes in before it, and if so
it is that plan's turn. Past the answer that plan is cheaper than what every plan without the host costs at least; short of it no plan with a
plant there is cheaper by more than costs are proven to, as that solve has proven.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from model.batch import Case, solve_cases
from model.hot_start import HotStart
from model.outcome import INTERRUPTED, SolveOptions, Status
from model.planner import Plan
from model.problem import BuildKey
from model.studies.break_even_search import CLOSE, LEAST_PART, PRECISION, Search
from model.studies.crossing import SAME, Crossing
from model.studies.host_changes import FIGURES, Figure, cheapest_build, smallest_capacity, with_forced_plant, without_host
from model.studies.plan_figures import plan_builds
from model.studies.study import StudyContext
from model.tables import Tables
from model.workers import count_of, is_shared, side_by_side

FINER = 5.0
"""Break-evens are solved to this part of the gap of the run: a small plant's figure is worth little more than the gap itself."""

MOST_FOLLOWED = 6
"""Known plans that a search compares before it solves."""

Plants = tuple[BuildKey, ...]


@dataclass(frozen=True)
class BreakEven:
    """What one figure would have to be for a host to come in.

    Parameters
    ----------
    today, limit
        The figure now and its most favourable value.
    value
        Break-even; NaN where there is none within the limits.
    band
        How far to either side the costs differ by less than the gap, in the figure's unit.
    past, short
        Values on either side.
    comes_in, stays_out
        Whether a plan with a plant at the host is cheaper at `past` than any without, and whether it is proven that none is at `short`, by more
        than the gap; "yes" or "not known".
    answer
        In words.
    verdict
        "passed" where every plan behind the row passed verification.
    """

    host: str
    figure: Figure
    today: float
    limit: float
    value: float = math.nan
    band: float = math.nan
    past: float = math.nan
    short: float = math.nan
    comes_in: str = ""
    stays_out: str = ""
    answer: str = ""
    verdict: str = "passed"


@dataclass(frozen=True)
class _Rival:
    """The best plan known as all stands: what a plant at a host that it does not hold must be cheaper than.

    Parameters
    ----------
    plants, hosts
        Of the plan.
    cost
        MUSD.
    bound
        No plan costs less as all stands, with or without the host, MUSD.
    gap
        To which costs are proven, MUSD.
    """

    plants: Plants
    hosts: tuple[str, ...]
    cost: float
    bound: float
    gap: float

    @property
    def is_proven(self) -> bool:
        """Whether no plan is cheaper by more than the gap."""
        return self.cost - self.bound <= self.gap * (1.0 + 1e-6)


@dataclass
class _Trial:
    """A host's figure on its way to a break-even.

    Parameters
    ----------
    search
        The bracket; costs in it are what a plan costs more or less than the rival there, added to what the rival costs today.
    smallest
        Capacity of the smallest plant that can stand at the host, t REO/y.
    known
        Plants of plans with one at the host -> what they cost today, MUSD; those found on the way are added.
    plants
        Of the plan that is followed.
    verified
        Whether every plan so far passed verification.
    proven
        Whether every solve so far that found no plan below the rival's cost proved that there is none.
    stopped
        Whether a solve was stopped by hand.
    crossing
        Where the plan that is followed meets the target.
    rival_at
        Value -> what the rival costs there, MUSD, where the figure moves that too.
    """

    host: str
    figure: Figure
    search: Search
    smallest: float
    rival: _Rival
    known: dict[Plants, float]
    plants: Plants = ()
    verified: bool = True
    proven: bool = True
    stopped: bool = False
    crossing: Crossing | None = None
    rival_at: dict[float, float] = field(default_factory=dict)


def find_break_evens(context: StudyContext, hosts: Sequence[str], figures: Sequence[Figure] = FIGURES) -> list[BreakEven]:
    """Find the break-even of every figure of some hosts that are left out.

    Parameters
    ----------
    context
        Of the run.
    hosts
        Candidates that hold no plant in the run's plan and can hold one.
    figures
        What is moved, one at a time.

    Returns
    -------
    list of BreakEven
        One for each host and figure, in order.
    """
    options = context.options.with_gap_times(1.0 / FINER)
    rival = _rival(context, options)
    sizes = {host: smallest_capacity(context.plan.problem, host) or 1.0 for host in hosts}
    known = _known_today(context, sizes)
    rows: dict[tuple[str, str], BreakEven] = {}
    # what comes in for the first figure often does for the others
    for some in (figures[:1], figures[1:]):
        trials = []
        for host, figure in ((host, figure) for host in hosts for figure in some):
            today = figure.today(context.tables, host)
            row = BreakEven(host, figure, today, figure.limit(today))
            search = Search(rival.cost, today, row.limit, {today: max(rival.cost, *known[host].values(), -math.inf)})
            if abs(row.limit - today) < SAME:
                rows[host, figure.name] = replace(row, answer="cannot improve: it stands at its limit")
            elif not known[host]:
                rows[host, figure.name] = replace(row, answer="not sought: no plan with a plant there was found")
            elif host in rival.hosts or any(search.is_in(cost) for cost in known[host].values()):
                rows[host, figure.name] = replace(
                    row, answer="comes in as it stands: the run's plan is less than its gap cheaper, if at all"
                )
            else:
                trials.append(_Trial(host, figure, search, sizes[host], rival, dict(known[host])))
        one_by_one = not is_shared(context.workers) and (count_of(context.workers) <= 1 or len(trials) <= 1)
        choices = options if one_by_one else replace(options, threads=1)
        find = partial(_find, tables=context.tables, options=choices, hot=context.plan.hot)
        for number, (trial, row) in enumerate(side_by_side(find, trials, context.workers), 1):
            rows[trial.host, trial.figure.name] = row
            known[trial.host] |= trial.known
            context.say(f"{number} of {len(trials)}: {trial.host}, {trial.figure.words}: {row.answer}")
    return [rows[host, figure.name] for host in hosts for figure in figures]


def _rival(context: StudyContext, options: SolveOptions) -> _Rival:
    """Return the best plan as all stands, solved to the finer gap."""
    case = Case("least cost as it stands", context.tables, start=plan_builds(context.plan))
    ((_, free),) = solve_cases([case], options, context.workers, context.say, hot=context.plan.hot)
    best = min((plan for plan in (context.plan, free) if plan.verified), key=lambda plan: plan.solution.objective)
    cost = best.solution.objective
    bound = max((plan.solution.bound for plan in (context.plan, free) if math.isfinite(plan.solution.bound)), default=-math.inf)
    return _Rival(plan_builds(best), tuple(best.solution.host_set), cost, min(bound, cost), options.gap_at(cost))


def _known_today(context: StudyContext, sizes: dict[str, float]) -> dict[str, dict[Plants, float]]:
    """Return, for each host, plans with a plant there and what they cost today: the cheapest, and the run's with one host's plants moved there."""
    tables, problem, own = context.tables, context.plan.problem, plan_builds(context.plan)
    asked = [
        Case(f"a plant of any size at {host}", with_forced_plant(tables, host, size),
             start=(*own, *cheapest_build(problem, host, size, problem.years[-1])))
        for host, size in sizes.items()
    ]  # fmt: skip
    # only where the searches begin: the gap of the run will do
    plans = [plan for _, plan in solve_cases(asked, context.options, context.workers, context.say, hot=context.plan.hot)]
    known = {host: {plan_builds(plan): plan.solution.objective} if plan.verified else {} for host, plan in zip(sizes, plans, strict=True)}
    can = set(problem.builds)
    moved = [
        (host, plants) for host in sizes if known[host] for old in context.plan.solution.host_set
        if can.issuperset(plants := tuple(dict.fromkeys((host if h == old else h, d, w, y) for h, d, w, y in own)))
    ]  # fmt: skip
    cases = [Case(f"{host} in place of another", tables, start=plants, held=True) for host, plants in moved]
    for (host, plants), (_, plan) in zip(moved, solve_cases(cases, context.options, context.workers), strict=True):
        if plan.verified:
            known[host][plants] = plan.solution.objective
    return known


def _find(trial: _Trial, tables: Tables, options: SolveOptions, hot: HotStart | None) -> tuple[_Trial, BreakEven]:
    """Find one break-even; the trial comes back with the plans that it learnt of."""
    search = trial.search
    if best := _most_promising(trial, tables, options):
        trial.plants, cost = best
        search.tell(search.limit, cost)
        _follow(trial, tables, options)
    while not trial.stopped and (value := search.wanted()) is not None:
        target = _rival_at(trial, tables, value, options)
        moved = trial.figure.change(tables, trial.host, value)
        # any plan that costs less than the target will do
        case = Case(
            _named(trial, value), with_forced_plant(moved, trial.host, trial.smallest), start=trial.plants, cutoff=target, enough=target
        )
        plan = _solved(trial, case, options, hot)
        cost = plan.solution.objective - target + search.target if plan.solution.status.has_plan else math.inf
        is_in = search.is_in(cost)
        trial.proven &= is_in or plan.solution.status in (Status.OPTIMAL, Status.INFEASIBLE)
        search.tell(value, cost if is_in else math.inf)
        if is_in:
            trial.plants = plan_builds(plan)
            _follow(trial, tables, options)
    if trial.crossing is not None:
        trial.crossing.width = CLOSE * search.tolerance
        _cross(trial, trial.crossing, tables, options)
    return trial, _row(trial, tables, options, hot)


def _named(trial: _Trial, value: float) -> str:
    return f"{trial.host}, {trial.figure.words} {value:.4g}"


def _solved(trial: _Trial, case: Case, options: SolveOptions, hot: HotStart | None = None) -> Plan:
    """Solve a case of a trial, noting whether its plan was verified and whether it was stopped by hand."""
    ((_, plan),) = solve_cases([case], options, 1, hot=hot)
    trial.verified &= plan.verification.passed or not plan.solution.status.has_plan
    trial.stopped |= plan.solution.termination == INTERRUPTED
    return plan


def _most_promising(trial: _Trial, tables: Tables, options: SolveOptions) -> tuple[Plants, float] | None:
    """Return the known plan that comes in first, as a straight line from today to the limit has it, and its cost at the limit."""
    search, found = trial.search, []
    for plants, today in sorted(trial.known.items(), key=lambda item: item[1])[:MOST_FOLLOWED]:
        cost = _price(trial, tables, search.limit, plants, options)
        if search.is_in(cost):
            rise = max(0.0, today - search.target)
            found.append((rise / (rise + search.target - cost), plants, cost))
    return min(found, key=lambda item: item[0])[1:] if found else None


def _held(trial: _Trial, tables: Tables, value: float, plants: Plants, options: SolveOptions) -> float:
    """Return what some plants, as they stand, cost at a value of the figure, MUSD; infinite where they cannot stand."""
    case = Case(f"{_named(trial, value)}, a plan as it stands", trial.figure.change(tables, trial.host, value), start=plants, held=True)
    plan = _solved(trial, case, options)
    return plan.solution.objective if plan.solution.status.has_plan else math.inf


def _rival_at(trial: _Trial, tables: Tables, value: float, options: SolveOptions) -> float:
    """Return what the rival costs at a value of the figure, MUSD."""
    if not trial.figure.moves_others:
        return trial.rival.cost
    if value not in trial.rival_at:
        trial.rival_at[value] = min(trial.rival.cost, _held(trial, tables, value, trial.rival.plants, options))
    return trial.rival_at[value]


def _price(trial: _Trial, tables: Tables, value: float, plants: Plants, options: SolveOptions) -> float:
    """Return what some plants cost more or less than the rival at a value of the figure, added to the target, MUSD; infinite where they cannot stand."""
    return _held(trial, tables, value, plants, options) - _rival_at(trial, tables, value, options) + trial.search.target


def _follow(trial: _Trial, tables: Tables, options: SolveOptions) -> None:
    """Follow the last plan of a search, as it stands, to where it costs just the target."""
    trial.crossing = trial.search.crossing()
    if trial.crossing.outside == trial.search.today and trial.plants in trial.known:
        trial.crossing.tell(trial.search.today, trial.known[trial.plants])
    _cross(trial, trial.crossing, tables, options)


def _cross(trial: _Trial, crossing: Crossing, tables: Tables, options: SolveOptions) -> None:
    """Price the plan that is followed until the crossing is known to its width."""
    while not trial.stopped and (value := crossing.wanted()) is not None:
        cost = _price(trial, tables, value, trial.plants, options)
        crossing.tell(value, cost)
        trial.search.price(value, cost)
        if value == trial.search.today and math.isfinite(cost):
            trial.known[trial.plants] = cost
    trial.search.crossed = crossing.value


def _row(trial: _Trial, tables: Tables, options: SolveOptions, hot: HotStart | None) -> BreakEven:
    """Price the plan that comes in a little past the break-even, and return the row."""
    search, gap = trial.search, trial.rival.gap
    row = BreakEven(trial.host, trial.figure, search.today, search.limit)
    if trial.stopped:
        return replace(row, answer="not known: stopped by hand", verdict=_verdict(trial))
    if search.hopeless:
        answer = "no value within its limits brings it in" if trial.proven else "not known: the solve at its limit was stopped"
        return replace(row, answer=answer, verdict=_verdict(trial))
    value, slope = search.break_even(), search.slope(gap)
    band = gap / slope if slope > 0 else math.nan
    step = max(
        PRECISION * max(abs(value), LEAST_PART * max(abs(search.today), abs(search.limit))), 0.0 if math.isnan(band) else 1.05 * band
    )
    toward = math.copysign(1.0, search.limit - search.today)
    past = value + toward * min(step, abs(search.limit - value))
    short = value - toward * min(max(step, abs(search.outside - value)), abs(search.today - value))
    comes_in = _held(trial, tables, past, trial.plants, options) < _bound_without(trial, tables, past, options, hot)
    stays_out = trial.proven and (search.outside != search.today or trial.rival.is_proven)
    side = "above" if search.limit > search.today else "below"
    return replace(
        row, value=value, band=band, past=past, short=short,
        comes_in="yes" if comes_in else "not known", stays_out="yes" if stays_out else "not known",
        answer=f"comes in {side} {value:.3g}" + ("" if trial.proven else "; a solve on the way was stopped before its proof"),
        verdict=_verdict(trial),
    )  # fmt: skip


def _verdict(trial: _Trial) -> str:
    return "passed" if trial.verified else "FAILED"


def _bound_without(trial: _Trial, tables: Tables, value: float, options: SolveOptions, hot: HotStart | None) -> float:
    """Return what plans without the host cost at least at a value of the figure, MUSD."""
    if not trial.figure.moves_others:
        return trial.rival.bound
    barred = without_host(trial.figure.change(tables, trial.host, value), trial.host)
    plan = _solved(trial, Case(f"{_named(trial, value)}, without it", barred, start=trial.rival.plants), options, hot)
    return plan.solution.bound if plan.solution.status.has_plan else -math.inf
