"""What changes of the leading figures and limits do with plants free, in words that hold within the gaps of both solves."""

from __future__ import annotations

import math
from collections.abc import Sequence

from model.outcome import Status
from model.planner import Plan
from model.report_words import SHOWN
from model.studies.marginal_resolves import Resolve, same_plants
from model.studies.plan_figures import plan_builds, plants_in_words

WORTH_TELLING = 0.1
"""MUSD that other plants must save for them to be weighed."""


def resolve_sentences(own: Plan, resolves: Sequence[Resolve], plans: Sequence[Plan]) -> list[str]:
    """Say where plants would change and how much that saves against the plants as built.

    Parameters
    ----------
    own
        The run's plan, perhaps not proven.
    resolves, plans
        Each change with its plan; only verified ones are told.
    """
    words, held = [], []
    for item, plan in zip(resolves, plans, strict=True):
        if not plan.verified:
            continue
        if item.on_plants:
            words.append(_of_limit(own, item, plan))
        elif not same_plants(own, plan):
            words.append(_of_figure(own, item, plan))
        elif plan.solution.status is Status.OPTIMAL:
            held.append(item.words)
    if held:
        words.append(f"The plants stay when these move: {'; '.join(held)}.")
    return words


def _gap(plan: Plan) -> float:
    """Return how much cheaper a plan of the same book may be, MUSD; infinite where no bound is known."""
    return math.inf if math.isnan(plan.solution.gap) else plan.solution.gap


def _span(low: float, high: float) -> str:
    """Say an interval from 0 up, MUSD."""
    if math.isinf(high):
        return f"at least {low:,.1f} MUSD" if low >= SHOWN else "not known"
    return f"between {low:,.1f} and {high:,.1f} MUSD"


def _of_limit(own: Plan, item: Resolve, plan: Plan) -> str:
    """Say what a limit on plants costs: the least cost with it less that without it, each known to its plan's gap."""
    head, saved = f"{item.words}, {item.change}", own.solution.objective - plan.solution.objective
    low, high = max(0.0, saved - _gap(own)), max(0.0, saved + _gap(plan))  # without a limit nothing costs more
    if high < SHOWN:
        return f"{head}: saves nothing; leave it."
    if saved <= _gap(own):
        return f"{head}: what the limit costs is {_span(low, high)}; the gaps of the solves tell no more."
    known = "" if high - low < SHOWN else f", {_span(low, high)} by the gaps of the solves"
    return f"{head}: saves {saved:,.1f} MUSD with {plants_in_words(plan.tables, plan_builds(plan))}; that is what the limit costs{known}."


def _of_figure(own: Plan, item: Resolve, plan: Plan) -> str:
    """Say what a change of a figure costs with other plants, against the plants as built."""
    free, slack = plan.solution.objective - own.solution.objective, _gap(own)
    head = f"{item.words}, {item.change}: the plants change to {plants_in_words(plan.tables, plan_builds(plan))}"
    told = f"{head}, and the cost {_way(free)} by {abs(free):,.1f} MUSD"
    if math.isinf(slack + _gap(plan)):
        told += " (a solve has no bound, so that the change may do something else)"
    elif slack + _gap(plan) >= SHOWN:
        told += f" ({free - _gap(plan):+,.1f} to {free + slack:+,.1f} by the gaps of the solves)"
    if math.isinf(item.as_built):
        return f"{told}; with the plants as built there is no plan. If that change is likely, build those now."
    if math.isnan(item.as_built):
        return f"{told}; what it does with the plants as built is not known."
    proven = plan.solution.status is Status.OPTIMAL
    gain = item.as_built - free  # both against the same plan, so that no gap enters
    if gain > max(_gap(plan) if proven else 0.0, WORTH_TELLING):
        other = "" if _way(item.as_built) == _way(free) else "rising by " if item.as_built > 0 else "falling by "
        told += f" instead of {other}{abs(item.as_built):,.1f} with the plants as built."
        if gain <= slack:
            proof = "not proven" if math.isinf(slack) else f"proven only to within {slack:,.1f} MUSD"
            return f"{told} They may be better without that change too: the run's own plan is {proof}."
        return f"{told} If that change is likely, weigh those plants now."
    return f"{told}, as with the plants as built{': keep the plants' if proven else ', as far as the search came'}."


def _way(added: float) -> str:
    return "falls" if added < 0 else "rises"
