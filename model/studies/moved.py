"""The same question asked again with inputs moved: each solve in few figures, set beside the run's own plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from model.batch import Case, solve_cases
from model.hot_start import HotStart
from model.outcome import SolveOptions, Status
from model.planner import Plan
from model.problem import BuildKey
from model.studies.plan_figures import plan_builds, tonnes_short, verdict
from model.tables import Tables
from model.validation import check_tables
from model.workers import Workers

NOTHING, BROKEN, UNKNOWN = "no plan exists there", "breaks a rule of the book", "not known"
"""Why a move has no plan to compare: none exists, which is proven; the moved inputs are not valid; or none was found or verified."""


@dataclass(frozen=True)
class Moved:
    """The best plan with inputs moved, in few figures; NaN where there is none."""

    name: str
    total_cost: float
    plants: tuple[tuple[str, float, int], ...]
    capacity: float
    unmet: float
    gap: float
    verdict: str
    """passed, FAILED, no plan, or why it was not solved."""
    impossible: bool = False
    """Whether it is proven that no plan exists."""
    breaks_rule: bool = False
    """Whether the inputs break a rule of the book, so that nothing was solved."""
    builds: tuple[BuildKey, ...] = ()
    """The plants as a start for other solves."""

    @property
    def hosts(self) -> frozenset[str]:
        """Hosts that hold a plant."""
        return frozenset(host for host, _, _ in self.plants)

    @property
    def known(self) -> bool:
        """Whether there is a plan that passed verification."""
        return self.verdict == "passed" and math.isfinite(self.total_cost)


def summarise(name: str, plan: Plan) -> Moved:
    """Return the few figures of a plan."""
    plants = plan.solution.tables["plants"].sort_values(["on_line", "host"])
    if not plan.solution.status.has_plan:
        return _without_plan(name, verdict(plan), plan.solution.status is Status.INFEASIBLE)
    return Moved(
        name,
        plan.solution.objective,
        tuple(zip(plants["host"], plants["capacity"], plants["on_line"], strict=True)),
        float(plants["capacity"].sum()),
        tonnes_short(plan),
        plan.solution.gap,
        verdict(plan),
        builds=plan_builds(plan),
    )


def _without_plan(name: str, verdict: str, impossible: bool = False, breaks_rule: bool = False) -> Moved:
    nan = float("nan")
    return Moved(name, nan, (), nan, nan, nan, verdict, impossible, breaks_rule)


def solve_moved(
    moves: Sequence[tuple[str, Tables, tuple[BuildKey, ...]]],
    options: SolveOptions,
    workers: int | Workers,
    say: Callable[[str], None] = lambda _: None,
    told: Callable[[Moved], str] | None = None,
    hot: HotStart | None = None,
    in_hand: Mapping[str, Moved] | None = None,
) -> list[Moved]:
    """Solve changed inputs side by side, those only that still pass validation.

    Parameters
    ----------
    moves
        (name, tables, plants to try first); names are unique.
    options
        For each solve.
    workers
        Solves that run at once, or the processes in which they do.
    say
        Called with a sentence as each solve ends.
    told
        Makes that sentence; by default it is the executor's.
    hot
        From the run's plan; only a hint.
    in_hand
        Name of a move -> a plan of it that is known: only cheaper ones are looked for.

    Returns
    -------
    list of Moved
        In the order of `moves`; the verdict of a book that breaks a rule says which. Where no plan is cheaper than the one
        in hand, that one, with the gap that the search for others proved.
    """
    in_hand = {name: item for name, item in (in_hand or {}).items() if item.known}
    found: dict[str, Moved] = {}
    cases = []
    for name, tables, start in moves:
        errors = [finding for finding in check_tables(tables) if finding.severity == "error"]
        if errors:
            found[name] = _without_plan(name, f"not solved: {errors[0]}", breaks_rule=True)
        else:
            cutoff = in_hand[name].total_cost if name in in_hand else math.inf
            cases.append(Case(name, tables, start=start, cutoff=cutoff))
    for case, plan in solve_cases(cases, options, workers, say if told is None else lambda _: None, hot):
        found[case.name] = _better(in_hand[case.name], plan) if case.name in in_hand else summarise(case.name, plan)
        if told is not None:
            say(told(found[case.name]))
    return [found[name] for name, _, _ in moves]


def _better(in_hand: Moved, plan: Plan) -> Moved:
    """Return the plan that a search below the cost of one in hand found; without one, that in hand with what is proven of it now."""
    if plan.solution.status.has_plan:
        return summarise(in_hand.name, plan)
    bound = plan.solution.bound
    return replace(in_hand, gap=math.inf if math.isnan(bound) else max(0.0, in_hand.total_cost - bound))


def describe_plants(plants: Sequence[tuple[str, float, int]]) -> str:
    """Return plants in words, "none" if there are none.

    Examples
    --------
    >>> describe_plants([("MYS_KUA", 2500.0, 2030)])
    'MYS_KUA 2,500 t/y from 2030'
    """
    return "; ".join(f"{host} {capacity:,.0f} t/y from {year}" for host, capacity, year in plants) or "none"
