"""What a planner should take from the sweep of a cap, in words: no more than what is proven, or else how much is not."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from model.studies.cap_levels import full_from
from model.studies.cap_sweep import SHORT_TONNES, Frontier, Point, Sweep, cost_per_point
from model.studies.plan_figures import host_names
from model.tables import Tables


def method_sentences() -> Iterator[str]:
    """Say what a level is and how hosts are compared."""
    yield "Each level is a solve of the whole plan with one cap in place of all of the book's caps on the same basis; caps on the other basis stay."
    yield "The level is where the cap ends up: it holds from the year in which the book's own cap is tightest; earlier the looser of the two holds."
    yield "A level between two that cost the same within the gap is not solved again: the tighter level's plan is taken there too."
    yield (
        "A tighter level's hosts can always stay at a looser one, for no more than they cost at the tighter; "
        "a looser level's hosts may cost far more at a tighter one, or leave no plan at all."
    )
    yield "The chosen hosts count as changed where those of the tighter level cost more than the gap above the best at the looser one."


def hosts_in_words(tables: Tables, point: Point) -> str:
    """Return the hosts of a point, or why it has none."""
    if point.exists:
        return host_names(tables, point.hosts)
    return "no plan" if point.impossible else "not known"


def sentences_of(tables: Tables, frontier: Frontier) -> Iterator[str]:
    """Say what a planner should take from one sweep."""
    name, sweep = frontier.scope.words.capitalize(), frontier.sweep
    if not frontier.free.exists:
        yield f"{name}: no plan exists even without a cap." if frontier.free.impossible else f"{name}: no plan was found in time."
        return
    yield from (f"{name}: {sentence}" for sentence in _costs(tables, frontier))
    yield from (f"{name}: {sentence}" for sentence in _hosts(tables, frontier))
    barred = [point.level for point in sweep.known() if point.impossible]
    if barred:
        yield f"{name}: from {barred[0]:g} % down there is no plan at all."
    plans = sweep.plans()
    doubtful = [point for point in plans if not sweep.options.is_proven(point.cost, point.gap)]
    if doubtful:
        yield f"{name}: {len(doubtful)} of {len(plans)} levels are not proven to the gap asked for; read the gap of each before its hosts."
    if frontier.lowest and frontier.lowest.exists:
        yield f"{name}: {_lowest(frontier, frontier.lowest)}"


def _costs(tables: Tables, frontier: Frontier) -> Iterator[str]:
    """Say what the tightest level costs, how far the cap is to be had for nothing, and where it is dear."""
    free, sweep = frontier.free, frontier.sweep
    # levels between those of the grid tell too: a point may be a step up of which the grid shows the mean
    plans = sweep.plans()
    lost = [point for point in sweep.known() if math.isnan(point.cost)]
    if lost:
        yield f"{len(lost)} of {len(sweep.known())} levels were not found in time, the loosest at {lost[0].level:g} %."
    if len(plans) == 1:
        return
    text = f"a cap of {plans[-1].level:g} %, in full from {full_from(tables, frontier.scope)}, costs {plans[-1].cost - free.cost:,.1f} MUSD more than none."
    idle = [point for point in plans[1:] if point.cost - free.cost <= sweep.options.gap_at(free.cost)]
    if idle:
        other = f" with plants at {host_names(tables, idle[-1].hosts)}" if idle[-1].hosts else " without plants"
        where = other if idle[-1].hosts != free.hosts else ""
        text += f" Down to {idle[-1].level:g} % it costs no more than the gap{where}: ask for that much at once."
    # a short step within the gap can look dearer by the point than any that is known to cost something
    steps = [step for step in itertools.pairwise(plans) if step[1].cost - step[0].cost > sweep.options.gap_at(step[1].cost)]
    if steps:
        dear = max(steps, key=lambda step: cost_per_point(*step))
        text += f" The dearest step is from {dear[0].level:g} % to {dear[1].level:g} %, {cost_per_point(*dear):,.2f} MUSD a point."
    yield text


def _hosts(tables: Tables, frontier: Frontier) -> Iterator[str]:
    """Say whether a site can be settled before the cap."""
    sweep = frontier.sweep
    turns = [turn for turn in sweep.turns() if turn.tight.exists]
    plans = sweep.plans()
    if turns:
        places = ", ".join(f"{turn.level:g} %{doubt_of(sweep, turn.loose, turn.tight)}" for turn in turns)
        yield f"the chosen hosts change at {places}; settle on a level before signing for a site."
    elif any(math.isnan(point.cost) for point in sweep.known()) or len(plans) == 1:
        return
    elif len({point.hosts for point in plans}) == 1:
        if not plans[0].hosts:
            yield "no plant is built at any level solved."
            return
        yield f"the chosen hosts are the same at every level solved ({host_names(tables, plans[0].hosts)}); the site can be settled before the cap."
    elif (kept := sweep.settled()) is not None:
        yield (
            f"the hosts of the tightest level ({host_names(tables, kept.hosts)}) are within the gap at every looser one that was solved, "
            f"at most {kept.cost - frontier.free.cost:,.1f} MUSD above the least cost without a cap: settle on those; "
            "those of a looser level may not do further down."
        )  # fmt: skip


def doubt_of(sweep: Sweep, *points: Point) -> str:
    """Return how far from proven the worst of some points is, in brackets; "" where all are proven to the gap asked for."""
    if all(sweep.options.is_proven(point.cost, point.gap) for point in points):
        return ""
    gaps = [point.gap for point in points]
    return " (not proven)" if any(math.isnan(gap) for gap in gaps) else f" (not proven: within {max(gaps):,.1f} MUSD)"


def _lowest(frontier: Frontier, lowest: Point) -> str:
    """Say how far down the share can go with no sector left shorter, and what is known of tighter caps."""
    free = frontier.free
    nobody = free.unmet <= SHORT_TONNES
    short = "with no demand unmet" if nobody else f"with no sector left shorter than without a cap ({free.unmet:,.1f} t in all)"
    below = ""
    if not _is_lowest(frontier):
        below = "; a solve at a tighter cap was stopped, so that it may be lower"
    elif any(point.exists and point.level < lowest.level for point in frontier.sweep.known()):
        below = (
            "; a tighter cap leaves somebody short whatever is built" if nobody else "; a tighter cap leaves some sector shorter than that"
        )
    price = f"{lowest.cost - free.cost:,.1f} MUSD more than no cap{doubt_of(frontier.sweep, free, lowest)}"
    return f"the lowest share that can be reached {short} is {lowest.level:g} %, for {price}{below}."


def _is_lowest(frontier: Frontier) -> bool:
    """Whether each tighter level is proven out of reach."""
    return frontier.reach is None or frontier.reach.proven or frontier.reach.reached == 0


def headlines_of(tables: Tables, frontiers: Sequence[Frontier]) -> Iterator[str]:
    """Say what the first page needs, of the scope whose next point costs most."""
    steps = [
        (cost_per_point(own, following), frontier, own, following)
        for frontier in frontiers
        for own, following in itertools.pairwise(frontier.sweep.known())
        if own.level == frontier.own_level and own.exists and following.exists
    ]
    if not steps:
        return
    price, frontier, own, following = max(steps, key=lambda step: step[0])
    sweep, words = frontier.sweep, frontier.scope.words
    if following.cost - own.cost > sweep.options.gap_at(following.cost):
        yield (
            f"The next step of the cap on {words}, from {own.level:g} % to {following.level:g} %, "
            f"costs {following.cost - own.cost:,.1f} MUSD: {price:,.2f} a point."
        )
    turns = [turn for turn in sweep.turns() if turn.level < own.level and turn.tight.exists]
    if turns:
        yield (
            f"Below {turns[0].level:g} % on {words} the hosts change from {host_names(tables, turns[0].loose.hosts)} "
            f"to {host_names(tables, turns[0].kept.hosts)}{doubt_of(sweep, turns[0].loose, turns[0].tight)}."
        )  # fmt: skip
    if frontier.lowest and frontier.lowest.exists:
        short = "with no demand unmet" if frontier.free.unmet <= SHORT_TONNES else "with no sector left shorter than without a cap"
        lower = "" if _is_lowest(frontier) else ", perhaps lower: a solve at a tighter cap was stopped"
        yield f"{words.capitalize()} can go down to {frontier.lowest.level:g} % China-linked {short}{lower}."
