"""Each estimate at both ends of its range: the best plan then, the best that keeps the hosts, and whether the hosts change.

Every move is solved twice: first with plants at the hosts of the run's plan, at each of them and at no other, which is
quick; then for a cheaper plan with all hosts, which ends as soon as it is proven that there is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.outcome import SolveOptions
from model.studies.estimates import SIDES, Estimate, describe_move, move
from model.studies.host_changes import with_hosts_kept
from model.studies.moved import BROKEN, NOTHING, UNKNOWN, Moved, solve_moved
from model.studies.plan_figures import plan_builds
from model.studies.study import StudyContext
from model.tables import Tables

YES, NO, TIE, OPEN, LIMIT = "yes", "no", "within the gap", "not settled", "at its limit"


@dataclass(frozen=True)
class End:
    """An estimate at one end of its range.

    Parameters
    ----------
    estimate, side
        What was moved and which way.
    moved_to
        In words.
    best
        Best plan then, that which keeps the hosts where none is cheaper; the plan of the run where the estimate is at its
        limit already.
    kept
        Best plan then that holds plants at the hosts of the run's plan, all of them and no other; None where the estimate
        is at its limit already.
    hosts_change
        yes, no, within the gap; not settled: the searches were stopped before they could tell; not known: no plan that passed
        verification; no plan exists there: that is proven, whatever the hosts; breaks a rule of the book: the moved
        figures are no valid inputs; at its limit: nothing to move.
    """

    estimate: Estimate
    side: str
    moved_to: str
    best: Moved
    kept: Moved | None
    hosts_change: str

    @property
    def keeping(self) -> float:
        """What keeping the hosts of the plan costs, MUSD; infinite where it cannot be done, NaN where not known."""
        if self.kept is None:
            return 0.0
        return math.inf if _cannot_be(self.kept) else self.kept.total_cost - self.best.total_cost


def find_ends(context: StudyContext, estimates: Sequence[Estimate], own: Moved) -> list[End]:
    """Solve each estimate at both ends of its range with the plan's hosts, and again with all hosts."""
    tables, plan = context.tables, context.plan
    options = replace(context.options, threads=1)  # one thread: the same answer every time
    moves: dict[tuple[str, str], Tables] = {(e.name, side): move(tables, e, side) for e in estimates for side in SIDES}
    changed = {key: made for key, made in moves.items() if made is not tables}
    context.say(f"Sensitivity of the plan: {len(estimates)} estimates moved ({2 * len(changed)} further solves):")
    said = {(e.name, side): f"{e.words}, {describe_move(tables, e, side)}" for e in estimates for side in SIDES}

    def told(item: Moved) -> str:
        name, _, side = item.name.rpartition(":")
        return f"  {said[name, side]}: {_change(item, own)}"

    context.say("  With the hosts of the plan only:")
    asked = [(":".join(key), with_hosts_kept(made, plan.problem, own.hosts), plan_builds(plan)) for key, made in changed.items()]
    kept = dict(zip(changed, solve_moved(asked, options, context.workers, context.say, told, plan.hot), strict=True))
    context.say("  With all hosts:")
    asked = [(":".join(key), made, kept[key].builds or plan_builds(plan)) for key, made in changed.items()]
    in_hand = {item.name: item for item in kept.values()}
    best = dict(zip(changed, solve_moved(asked, options, context.workers, context.say, told, plan.hot, in_hand), strict=True))
    ends = []
    for estimate in estimates:
        for side in SIDES:
            key, moved_to = (estimate.name, side), describe_move(tables, estimate, side)
            if key not in changed:
                ends.append(End(estimate, side, moved_to, own, None, LIMIT))
                continue
            ends.append(End(estimate, side, moved_to, best[key], kept[key], verdict(best[key], kept[key], own, options)))
    return ends


def verdict(best: Moved, kept: Moved, own: Moved, options: SolveOptions) -> str:
    """Return whether the hosts change, or why that cannot be said.

    Parameters
    ----------
    best, kept
        With all hosts, and with those of `own`.
    own
        Plan of the run.
    options
        Of the solves; a wider gap than they ask for is one of a search that was stopped.
    """
    if best.breaks_rule:
        return BROKEN
    if best.impossible:
        return NOTHING
    if not best.known:
        return UNKNOWN
    if best.hosts == own.hosts:
        return NO if options.is_proven(best.total_cost, best.gap) else OPEN
    if _cannot_be(kept):
        return YES
    if not kept.known:
        return UNKNOWN
    if kept.total_cost - kept.gap > best.total_cost + 1e-6:
        return YES
    return TIE if options.is_proven(best.total_cost, best.gap) and options.is_proven(kept.total_cost, kept.gap) else OPEN


def _cannot_be(kept: Moved) -> bool:
    """Whether the hosts cannot be kept: no plan has them, or forcing a plant on them contradicts another rule of the book."""
    return kept.impossible or kept.breaks_rule


def codes(item: Moved) -> str:
    """Return the hosts of a plan by code, nothing where no plan is known."""
    if not item.known:
        return ""
    return ", ".join(sorted(item.hosts)) or "none"


def _change(item: Moved, own: Moved) -> str:
    if not item.known:
        return item.verdict
    return f"{item.total_cost - own.total_cost:+,.1f} MUSD, hosts {codes(item)} (within {item.gap:,.1f} MUSD)"
