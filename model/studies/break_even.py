"""The value of one figure at which a host left out comes into the least-cost plan.

The least cost with a plant at the host falls as the figure improves; the least cost without one does not
move. Where the two meet is the break-even. Today's least-cost plan in which the host must hold a plant of any
size is followed first; where even the most favourable value does not bring it in, a solve there gives
another. Where the cost of that plan, as it stands, meets the target is found by linear programs in a few
seconds; a solve a little short of there tells whether another plan comes in before it, and if so it is that
plan's turn. Both sides of the answer are then solved with the host free to hold one or none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from model.batch import Case, solve_cases
from model.outcome import SolveOptions, Status
from model.planner import Plan
from model.problem import BuildKey
from model.studies.crossing import SAME, Crossing
from model.studies.host_changes import FIGURES, Figure, cheapest_build, smallest_capacity, with_forced_plant
from model.studies.plan_figures import plan_builds
from model.studies.study import StudyContext
from model.tables import Tables

PRECISION = 0.01
"""Share of the figure to which a break-even is found."""

FINER = 5.0
"""Break-evens are solved to this part of the gap of the run: a small plant's figure is worth little more than the gap itself."""


CLOSE = 0.1
"""Share of that precision to which the break-even of one plan is found."""

SHORT_OF = 0.9
"""How far short of a plan's break-even another is looked for, as a share of the precision."""

GROWTH = 4.0
"""How much further the next time, after one was found."""


@dataclass
class Search:
    """Search for the break-even of one figure.

    Parameters
    ----------
    target
        Least cost without a plant at the host, MUSD.
    today, limit
        The figure as it stands and its most favourable value.
    tried
        Value -> cost of the best plan known with a plant at the host where it is below the target, else no less than the target, MUSD.
    crossed
        Where the last plan that was followed costs the target.
    step
        How far outwards of the inside the next solve is, as a share of the tolerance.
    """

    target: float
    today: float
    limit: float
    tried: dict[float, float] = field(default_factory=dict)
    crossed: float | None = None
    step: float = SHORT_OF

    @property
    def tolerance(self) -> float:
        """Return the width to which the answer is bracketed, in the figure's unit."""
        return PRECISION * max(abs(self.middle), LEAST_PART * max(abs(self.today), abs(self.limit)))

    @property
    def middle(self) -> float:
        """Return the middle of the bracket."""
        return (self.inside + self.outside) / 2

    @property
    def inside(self) -> float:
        """Return the least favourable value known to bring the host in; the limit while none is known."""
        return max((x for x, cost in self.tried.items() if self._in(cost)), key=self._distance, default=self.limit)

    @property
    def outside(self) -> float:
        """Return the most favourable value known not to bring the host in; today's while none is known."""
        return min((x for x, cost in self.tried.items() if not self._in(cost)), key=self._distance, default=self.today)

    @property
    def hopeless(self) -> bool:
        """Whether even the limit does not bring the host in."""
        return self.limit in self.tried and not self._in(self.tried[self.limit])

    @property
    def found(self) -> bool:
        """Whether the break-even is bracketed closely enough."""
        return self.limit in self.tried and not self.hopeless and abs(self.inside - self.outside) <= self.tolerance * (1 + SAME)

    def wanted(self) -> float | None:
        """Return the value to solve at next: the limit first, then a little outwards of what is known to bring the host in."""
        if self.limit not in self.tried:
            return self.limit
        if self.hopeless or self.found:
            return None
        width = abs(self.outside - self.inside)
        step = min(self.step * self.tolerance, max(0.5 * width, SHORT_OF * self.tolerance))
        return self.inside + math.copysign(step, self.outside - self.inside)

    def tell(self, value: float, cost: float) -> None:
        """Take in the least cost with a plant at the host, MUSD; infinite where that is only known to be no less than the target."""
        if value != self.limit:
            self.step = self.step * GROWTH if self._in(cost) else SHORT_OF
        self.tried[value] = cost

    def crossing(self) -> Crossing:
        """Return the search for where the plan of the inside meets the target."""
        gain = self.target - self.tried[self.inside]
        return Crossing(self.target, self.inside, self.outside, gain, CLOSE * self.tolerance, ends=(gain, math.inf))

    def price(self, value: float, cost: float) -> None:
        """Take in what a plan with a plant at the host costs, MUSD: only where it is below the target does that say anything."""
        if self._in(cost):
            self.tried[value] = min(cost, self.tried.get(value, math.inf))

    def break_even(self) -> float:
        """Return the value at which the costs meet, between the two sides of the bracket."""
        if self.crossed is not None and self._distance(self.inside) <= self._distance(self.crossed) <= self._distance(self.outside):
            return self.crossed
        gain, loss = self.target - self.tried[self.inside], self.tried.get(self.outside, math.inf) - self.target
        share = gain / (gain + loss) if math.isfinite(loss) and gain + loss > 0 else 0.5
        return self.inside + share * (self.outside - self.inside)

    def slope(self, gap: float) -> float:
        """Return how many MUSD a unit of the figure is worth near the break-even, from trials that differ by more than the gap; 0: unknown."""
        inner = [(self._distance(x), x, cost) for x, cost in self.tried.items() if self._in(cost) and self.target - cost > gap]
        if not inner:
            return 0.0
        _, x, cost = max(inner)
        return (self.target - cost) / max(abs(x - self.break_even()), 1e-12)

    def _in(self, cost: float) -> bool:
        return cost < self.target - SAME * max(1.0, abs(self.target))

    def _distance(self, value: float) -> float:
        """Return how far a value is from the limit, 0 at the limit."""
        return abs(value - self.limit)


LEAST_PART = 0.2
"""Close to 0 the precision is that of this part of the larger end of the range."""


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
        Values solved with the host free, on either side.
    comes_in, stays_out
        What those two solves chose: whether the host held a plant past the break-even, and none short of it.
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
    """A host's figure on its way to a break-even."""

    host: str
    figure: Figure
    search: Search
    start: tuple[BuildKey, ...]
    smallest: float
    verified: bool = True
    proven: bool = True

    def tables(self, tables: Tables, value: float) -> Tables:
        return self.figure.change(tables, self.host, value)

    def case(self, tables: Tables, value: float) -> Case:
        """Return the solve with a plant of any size at the host."""
        forced = with_forced_plant(self.tables(tables, value), self.host, self.smallest)
        return Case(f"{self.host}, {self.figure.words} {value:.4g}", forced, start=self.start, cutoff=self.search.target)

    def priced(self, tables: Tables, value: float) -> Case:
        """Return the solve with the plants of the last plan as they stand."""
        name = f"{self.host}, {self.figure.words} {value:.4g}, the plan as it stands"
        return Case(name, self.tables(tables, value), start=self.start, held=True)


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
    trials, today = _start(context, hosts, figures, options)
    _follow_today(context, trials, options)
    while True:
        asked = [(trial, value) for trial in trials if (value := trial.search.wanted()) is not None]
        if not asked:
            break
        cases = [trial.case(context.tables, value) for trial, value in asked]
        moved = []
        for (trial, value), (_, plan) in zip(asked, solve_cases(cases, options, context.workers, context.say), strict=True):
            status = plan.solution.status
            trial.search.tell(value, plan.solution.objective if status.has_plan else math.inf)
            trial.proven &= status in (Status.OPTIMAL, Status.INFEASIBLE)
            if status.has_plan:
                trial.verified &= plan.verification.passed
                trial.start = plan_builds(plan)
                moved.append(trial)
        _follow(context, [trial for trial in moved if not (trial.search.hopeless or trial.search.found)], options)
    rows = _confirm(context, trials, options)
    return [rows.get((host, figure.name)) or today[host, figure.name] for host in hosts for figure in figures]


def _follow_today(context: StudyContext, trials: Sequence[_Trial], options: SolveOptions) -> None:
    """Follow today's plan with a plant at the host, where it costs less than the target at the limit: then nothing need be solved there."""
    cases = [trial.priced(context.tables, trial.search.limit) for trial in trials]
    moved = []
    for trial, (_, plan) in zip(trials, solve_cases(cases, options, context.workers), strict=True):
        if plan.solution.status.has_plan and plan.verification.passed:
            trial.search.price(trial.search.limit, plan.solution.objective)
            moved += [trial] if trial.search.limit in trial.search.tried else []
    _follow(context, moved, options)


def _follow(context: StudyContext, trials: Sequence[_Trial], options: SolveOptions) -> None:
    """Follow the last plan of each search, as it stands, to where it costs just the target."""
    crossings = [(trial, trial.search.crossing()) for trial in trials]
    while asked := [(trial, crossing, value) for trial, crossing in crossings if (value := crossing.wanted()) is not None]:
        cases = [trial.priced(context.tables, value) for trial, _, value in asked]
        for (trial, crossing, value), (_, plan) in zip(asked, solve_cases(cases, options, context.workers), strict=True):
            cost = plan.solution.objective if plan.solution.status.has_plan else math.inf
            trial.verified &= plan.verification.passed or math.isinf(cost)
            crossing.tell(value, cost)
            trial.search.price(value, cost)
    for trial, crossing in crossings:
        trial.search.crossed = crossing.value


def finer(options: SolveOptions) -> SolveOptions:
    """Return the options of a break-even's solves."""
    return replace(options, absolute_gap=options.absolute_gap / FINER, relative_gap=options.relative_gap / FINER)


def _start(
    context: StudyContext, hosts: Sequence[str], figures: Sequence[Figure], options: SolveOptions
) -> tuple[list[_Trial], dict[tuple[str, str], BreakEven]]:
    """Return the searches, with today's cost of a plant at each host known, and the rows of figures that cannot improve."""
    tables, own = context.tables, plan_builds(context.plan)
    last = context.plan.problem.years[-1]
    sizes = {host: smallest_capacity(context.plan.problem, host) or 1.0 for host in hosts}
    cases = [Case("least cost as it stands", tables, start=own)]
    cases += [
        Case(f"a plant of any size at {host}", with_forced_plant(tables, host, sizes[host]),
             start=(*own, *cheapest_build(context.plan.problem, host, sizes[host], last)))
        for host in hosts
    ]  # fmt: skip
    plans = [plan for _, plan in solve_cases(cases, options, context.workers, context.say)]
    found = [context.plan, plans[0]]
    target = min(plan.solution.objective for plan in found if plan.solution.status.has_plan and plan.verification.passed)
    trials, still = [], {}
    for host, plan in zip(hosts, plans[1:], strict=True):
        for figure in figures:
            today = figure.today(tables, host)
            limit = figure.limit(today)
            if abs(limit - today) < SAME:
                still[host, figure.name] = BreakEven(host, figure, today, limit, answer="cannot improve: it stands at its limit")
            elif not plan.solution.status.has_plan:
                still[host, figure.name] = BreakEven(host, figure, today, limit, answer="not sought: no plan with a plant there was found")
            else:
                search = Search(target, today, limit, {today: max(plan.solution.objective, target)})
                trials.append(_Trial(host, figure, search, plan_builds(plan), sizes[host], plan.verification.passed))
    return trials, still


def _confirm(context: StudyContext, trials: Sequence[_Trial], options: SolveOptions) -> dict[tuple[str, str], BreakEven]:
    """Solve both sides of every break-even with the host free, and return the rows."""
    rows, cases, sought = {}, [], []
    for trial in trials:
        search = trial.search
        row = BreakEven(trial.host, trial.figure, search.today, search.limit, verdict="passed" if trial.verified else "FAILED")
        if search.hopeless:
            answer = "no value within its limits brings it in" if trial.proven else "not known: the solve at its limit was stopped"
            rows[trial.host, trial.figure.name] = replace(row, answer=answer)
            continue
        gap = max(options.absolute_gap, options.relative_gap * abs(search.target))
        value, slope = search.break_even(), search.slope(gap)
        band = gap / slope if slope > 0 else math.nan
        step = max(
            PRECISION * max(abs(value), LEAST_PART * max(abs(search.today), abs(search.limit))), 0.0 if math.isnan(band) else 1.05 * band
        )
        toward = math.copysign(1.0, search.limit - search.today)
        past = value + toward * min(step, abs(search.limit - value))
        short = value - toward * min(step, abs(search.today - value))
        sought.append((trial, replace(row, value=value, band=band, past=past, short=short)))
        cases.append(Case(f"{trial.host} free, {trial.figure.words} {past:.4g}", trial.tables(context.tables, past), start=trial.start))
        own = plan_builds(context.plan)
        cases.append(Case(f"{trial.host} free, {trial.figure.words} {short:.4g}", trial.tables(context.tables, short), start=own))
    plans = [plan for _, plan in solve_cases(cases, options, context.workers, context.say)]
    for (trial, row), past_plan, short_plan in zip(sought, plans[::2], plans[1::2], strict=True):
        verified = row.verdict == "passed" and all(plan.verification.passed for plan in (past_plan, short_plan))
        rows[trial.host, trial.figure.name] = replace(
            row, comes_in=_holds(past_plan, trial.host), stays_out=_holds(short_plan, trial.host, negate=True),
            answer=f"comes in {'above' if trial.search.limit > trial.search.today else 'below'} {row.value:.3g}"
            + ("" if trial.proven else "; a solve on the way was stopped before its proof"),
            verdict="passed" if verified else "FAILED",
        )  # fmt: skip
    return rows


def _holds(plan: Plan, host: str, negate: bool = False) -> str:
    """Return yes or no: whether a plan holds a plant at a host, or with `negate` whether it holds none."""
    if not plan.solution.status.has_plan:
        return "not known"
    return "yes" if (host in plan.solution.host_set) != negate else "no"
