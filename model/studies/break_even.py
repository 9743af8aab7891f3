"""The value of one figure at which a host left out comes into the least-cost plan.

The least cost with a plant at the host falls as the figure improves; the least cost without one does not
move. Where the two meet is the break-even. Plans known to have a plant at the host are followed first: today's cheapest,
the run's own with its plants moved there, and those found for the host's first figure; where even the most favourable value
brings none of them in, a solve there gives another. Where the cost of a plan, as it stands, meets the target is found by
linear programs in a few seconds; a solve a little short of there tells whether another plan comes in before it, and if so
it is that plan's turn. Past the answer that plan is cheaper than every plan without the host by more than costs are
proven to; short of it no plan with a plant there is cheaper, as that solve has proven.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from model.batch import Case, side_by_side, solve_cases
from model.hot_start import HotStart
from model.outcome import SolveOptions, Status
from model.planner import Plan
from model.problem import BuildKey
from model.studies.break_even_search import CLOSE, LEAST_PART, PRECISION, Search
from model.studies.crossing import SAME, Crossing
from model.studies.host_changes import FIGURES, Figure, cheapest_build, smallest_capacity, with_forced_plant
from model.studies.plan_figures import plan_builds
from model.studies.study import StudyContext
from model.tables import Tables

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
        Whether a plan with a plant at the host is cheaper at `past`, and whether it is proven that none is at `short`; "yes" or "not known".
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


@dataclass
class _Trial:
    """A host's figure on its way to a break-even.

    Parameters
    ----------
    known
        Plants of plans with one at the host -> what they cost today, MUSD.
    plants
        Of the plan that is followed.
    crossing
        Where it meets the target.
    """

    host: str
    figure: Figure
    search: Search
    smallest: float
    proven: bool
    known: dict[Plants, float]
    plants: Plants = ()
    verified: bool = True
    crossing: Crossing | None = None

    def tables(self, tables: Tables, value: float) -> Tables:
        return self.figure.change(tables, self.host, value)

    def case(self, tables: Tables, value: float) -> Case:
        """Return the solve with a plant of any size at the host: any that costs less than the target will do."""
        forced = with_forced_plant(self.tables(tables, value), self.host, self.smallest)
        target = self.search.target
        return Case(f"{self.host}, {self.figure.words} {value:.4g}", forced, start=self.plants, cutoff=target, enough=target)

    def priced(self, tables: Tables, value: float, plants: Plants) -> Case:
        """Return the solve with some plants as they stand."""
        name = f"{self.host}, {self.figure.words} {value:.4g}, the plan as it stands"
        return Case(name, self.tables(tables, value), start=plants, held=True)


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
    options = finer(context.options)
    target, is_proven = _target(context, options)
    sizes = {host: smallest_capacity(context.plan.problem, host) or 1.0 for host in hosts}
    known = _known_today(context, sizes)
    rows: dict[tuple[str, str], BreakEven] = {}
    # what comes in for the first figure often does for the others
    for some in (figures[:1], figures[1:]):
        trials = []
        for host, figure in ((host, figure) for host in hosts for figure in some):
            today = figure.today(context.tables, host)
            row = BreakEven(host, figure, today, figure.limit(today))
            if abs(row.limit - today) < SAME:
                rows[host, figure.name] = replace(row, answer="cannot improve: it stands at its limit")
            elif not known[host]:
                rows[host, figure.name] = replace(row, answer="not sought: no plan with a plant there was found")
            else:
                search = Search(target, today, row.limit, {today: max(target, *known[host].values())})
                trials.append(_Trial(host, figure, search, sizes[host], is_proven, dict(known[host])))
        find = partial(_find, tables=context.tables, options=replace(options, threads=1), hot=context.plan.hot)
        for number, (trial, row) in enumerate(side_by_side(find, trials, context.workers), 1):
            rows[trial.host, trial.figure.name] = row
            known[trial.host] |= trial.known
            context.say(f"{number} of {len(trials)}: {trial.host}, {trial.figure.words}: {row.answer}")
    return [rows[host, figure.name] for host in hosts for figure in figures]


def finer(options: SolveOptions) -> SolveOptions:
    """Return the options of a break-even's solves."""
    return replace(options, absolute_gap=options.absolute_gap / FINER, relative_gap=options.relative_gap / FINER)


def _target(context: StudyContext, options: SolveOptions) -> tuple[float, bool]:
    """Return the least cost as all stands, and whether it is proven to the finer gap."""
    case = Case("least cost as it stands", context.tables, start=plan_builds(context.plan))
    ((_, free),) = solve_cases([case], options, context.workers, context.say, hot=context.plan.hot)
    plans = [plan for plan in (context.plan, free) if _is_sound(plan)]
    return min(plan.solution.objective for plan in plans), free.solution.status is Status.OPTIMAL


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
    known = {host: {plan_builds(plan): plan.solution.objective} if _is_sound(plan) else {} for host, plan in zip(sizes, plans, strict=True)}
    can = set(problem.builds)
    moved = [
        (host, plants) for host in sizes if known[host] for old in context.plan.solution.host_set
        if can.issuperset(plants := tuple(dict.fromkeys((host if h == old else h, d, w, y) for h, d, w, y in own)))
    ]  # fmt: skip
    cases = [Case(f"{host} in place of another", tables, start=plants, held=True) for host, plants in moved]
    for (host, plants), (_, plan) in zip(moved, solve_cases(cases, context.options, context.workers, hot=context.plan.hot), strict=True):
        if _is_sound(plan):
            known[host][plants] = plan.solution.objective
    return known


def _is_sound(plan: Plan) -> bool:
    return plan.solution.status.has_plan and plan.verification.passed


def _find(trial: _Trial, tables: Tables, options: SolveOptions, hot: HotStart | None) -> tuple[_Trial, BreakEven]:
    """Find one break-even; the trial comes back with the plans that it learnt of."""
    search = trial.search
    if best := _most_promising(trial, tables, options):
        trial.plants, cost = best
        search.tell(search.limit, cost)
        _follow(trial, tables, options)
    while (value := search.wanted()) is not None:
        ((_, plan),) = solve_cases([trial.case(tables, value)], options, 1, hot=hot)
        status = plan.solution.status
        trial.proven &= status is not Status.NO_PLAN_FOUND  # a plan below the target need not be the best to be followed
        search.tell(value, plan.solution.objective if status.has_plan else math.inf)
        if status.has_plan:
            trial.verified &= plan.verification.passed
            trial.plants = plan_builds(plan)
            _follow(trial, tables, options)
    if trial.crossing is not None:
        trial.crossing.width = CLOSE * search.tolerance
        _cross(trial, trial.crossing, tables, options)
    return trial, _row(trial, tables, options)


def _most_promising(trial: _Trial, tables: Tables, options: SolveOptions) -> tuple[Plants, float] | None:
    """Return the known plan that comes in first, as a straight line from today to the limit has it, and its cost at the limit."""
    search, found = trial.search, []
    for plants, today in sorted(trial.known.items(), key=lambda item: item[1])[:MOST_FOLLOWED]:
        cost = _price(trial, tables, search.limit, plants, options)
        if search.is_in(cost):
            rise = max(0.0, today - search.target)
            found.append((rise / (rise + search.target - cost), plants, cost))
    return min(found, key=lambda item: item[0])[1:] if found else None


def _price(trial: _Trial, tables: Tables, value: float, plants: Plants, options: SolveOptions) -> float:
    """Return what some plants, as they stand, cost at a value of the figure, MUSD; infinite where they cannot stand."""
    ((_, plan),) = solve_cases([trial.priced(tables, value, plants)], options, 1)
    if not plan.solution.status.has_plan:
        return math.inf
    trial.verified &= plan.verification.passed
    return plan.solution.objective


def _follow(trial: _Trial, tables: Tables, options: SolveOptions) -> None:
    """Follow the last plan of a search, as it stands, to where it costs just the target."""
    trial.crossing = trial.search.crossing()
    if trial.crossing.outside == trial.search.today and trial.plants in trial.known:
        trial.crossing.tell(trial.search.today, trial.known[trial.plants])
    _cross(trial, trial.crossing, tables, options)


def _cross(trial: _Trial, crossing: Crossing, tables: Tables, options: SolveOptions) -> None:
    """Price the plan that is followed until the crossing is known to its width."""
    while (value := crossing.wanted()) is not None:
        cost = _price(trial, tables, value, trial.plants, options)
        crossing.tell(value, cost)
        trial.search.price(value, cost)
        if value == trial.search.today and math.isfinite(cost):
            trial.known[trial.plants] = cost
    trial.search.crossed = crossing.value


def _row(trial: _Trial, tables: Tables, options: SolveOptions) -> BreakEven:
    """Price the plan that comes in a little past the break-even, and return the row."""
    search = trial.search
    row = BreakEven(trial.host, trial.figure, search.today, search.limit, verdict="passed" if trial.verified else "FAILED")
    if search.hopeless:
        return replace(
            row, answer="no value within its limits brings it in" if trial.proven else "not known: the solve at its limit was stopped"
        )
    gap = max(options.absolute_gap, options.relative_gap * abs(search.target))
    value, slope = search.break_even(), search.slope(gap)
    band = gap / slope if slope > 0 else math.nan
    step = max(
        PRECISION * max(abs(value), LEAST_PART * max(abs(search.today), abs(search.limit))), 0.0 if math.isnan(band) else 1.05 * band
    )
    toward = math.copysign(1.0, search.limit - search.today)
    past = value + toward * min(step, abs(search.limit - value))
    short = value - toward * min(max(step, abs(search.outside - value)), abs(search.today - value))
    # without the host the least cost is the target, whatever the figure; it is known to within the gap
    comes_in = _price(trial, tables, past, trial.plants, options) < search.target - gap
    side = "above" if search.limit > search.today else "below"
    return replace(
        row, value=value, band=band, past=past, short=short, comes_in="yes" if comes_in else "not known",
        stays_out="yes" if trial.proven else "not known",
        answer=f"comes in {side} {value:.3g}" + ("" if trial.proven else "; a solve on the way was stopped before its proof"),
        verdict="passed" if trial.verified else "FAILED",
    )  # fmt: skip
