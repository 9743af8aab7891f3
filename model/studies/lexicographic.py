"""Strict order of priority: the least shortage of the first rank, then of the next.

A pass asks for the least tonnes short of one rank while all higher ranks keep what they have and tells how much of it is proven; then the
least cost under what is secured so far is found, so that each rank's price is known. Where the plan in
hand leaves nobody of a rank short, there is nothing to prove and nothing is solved.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from model.batch import solve_one
from model.goal import Goal, ShortageLimit
from model.outcome import SolveOptions
from model.planner import Plan
from model.studies.plan_figures import plan_builds, tonnes_short
from model.studies.study import Say
from model.tables import Tables
from model.workers import Workers

NEGLIGIBLE_T = 0.001
"""A kg over the horizon: the solver's tolerances in a sum of a few shortages."""


@dataclass(frozen=True)
class Pass:
    """What one rank was given.

    Parameters
    ----------
    priority, sectors
        The rank and who has it.
    wanted
        Demand of the rank, t REO over the horizon.
    before
        Shortage of the rank in the least-cost plan that secures all higher ranks, t REO over the horizon.
    least, bound
        The least shortage found for it and what is proven of it, likewise.
    before_cost
        Cost of the plan before, MUSD.
    plan
        The least-cost plan that secures this rank and all higher ones.
    """

    priority: int
    sectors: tuple[str, ...]
    wanted: float
    before: float
    least: float
    bound: float
    before_cost: float
    plan: Plan


def ranks(tables: Tables) -> dict[int, tuple[str, ...]]:
    """Return priority -> its sectors, first-served first."""
    frame = tables["sectors"].sort_values(["priority", "sector"], kind="stable")
    priorities = [int(priority) for priority in frame["priority"]]
    return {
        rank: tuple(str(c) for c, own in zip(frame["sector"], priorities, strict=True) if own == rank) for rank in sorted(set(priorities))
    }


def horizon_demand(plan: Plan, sectors: Collection[str]) -> float:
    """Return the t REO that sectors want over the horizon."""
    problem = plan.problem
    return sum(1000.0 * kt * problem.years_represented[key[3]] for key, kt in problem.demand.items() if key[1] in sectors)


def serve_by_priority(
    tables: Tables, plan: Plan, options: SolveOptions, say: Say = lambda _: None, workers: int | Workers = 1
) -> tuple[list[Pass], str]:
    """Serve the ranks one after the other.

    Parameters
    ----------
    tables
        The inputs that `plan` answers.
    plan
        The least-cost plan.
    options
        For each solve; the gap is that of cost, a pass for shortage is solved to a kg.
    say
        Called with a sentence as each rank is done.
    workers
        Where others may be at work too: each solve waits for the one before.

    Returns
    -------
    passes, stopped
        One pass a rank that wants anything; the reason why the ranks after the last one were not served, "" if all were.
    """
    passes: list[Pass] = []
    secured: list[ShortageLimit] = []
    to_a_kg = replace(options, absolute_gap=NEGLIGIBLE_T, relative_gap=0.0)
    for priority, sectors in ranks(tables).items():
        wanted = horizon_demand(plan, sectors)
        if wanted <= 0.0:
            continue
        held = passes[-1].plan if passes else plan
        before = tonnes_short(held, sectors)
        least, bound, following = before, 0.0, held
        if before > NEGLIGIBLE_T:
            goal = Goal("shortage", short_sectors=sectors, shortage_limits=tuple(secured))
            shortest = solve_one(tables, to_a_kg, goal=goal, start=plan_builds(held), workers=workers)
            if not shortest.solution.status.has_plan:
                return passes, f"priority {priority}: {shortest.solution.termination}"
            least, bound = min(before, tonnes_short(shortest, sectors)), shortest.solution.goal_bound
            if before - least > NEGLIGIBLE_T:
                goal = Goal(shortage_limits=(*secured, _limit(sectors, least)))
                following = solve_one(tables, options, goal=goal, start=plan_builds(shortest), workers=workers)
                if not following.solution.status.has_plan:
                    return passes, f"priority {priority}: {following.solution.termination}"
        secured.append(_limit(sectors, least))
        passes.append(Pass(priority, sectors, wanted, before, least, max(0.0, bound), held.solution.objective, following))
        say(f"  priority {priority}: {least:,.3g} t short, {following.solution.objective:,.1f} MUSD")
    return passes, ""


def _limit(sectors: tuple[str, ...], tonnes: float) -> ShortageLimit:
    return ShortageLimit(sectors, (tonnes + NEGLIGIBLE_T) / 1000.0)
