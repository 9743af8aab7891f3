"""How far the cost of one market depends on which of several equally cheap plans was found.

Least total cost says how much oxide is made and bought, and often not who gets which: where two markets can have the same
lots, they can swap them, tonne for tonne, and the total stays. A market's cost moves with every such swap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from model.ledger import Frames
from model.problem import KT_PER_T, Problem, offer_key
from model.schema import ANY

BOUGHT, MADE, SHORT = "bought", "made", "short"
NOTHING = 1e-9
"""Amounts and prices below this are rounding, kt and MUSD/kt."""

Lot = tuple[str, str]
"""Kind and origin: a row of `offers`, a host, or the sector left short."""


@dataclass(frozen=True)
class Swap:
    """One market gives a lot of a product to another for a lot of the same product, at no cost to the two together.

    Parameters
    ----------
    gain
        What the first market saves, discounted MUSD/kt; negative where it pays more.
    """

    gain: float
    product: str
    year: int
    giver: str
    given: Lot
    taker: str
    taken: Lot


@dataclass(frozen=True)
class Pool:
    """Who holds which lots in a plan, and what limits their moving.

    Parameters
    ----------
    held
        (market, product, year) -> lot -> kt.
    offtake
        (market, host, year) -> value that the market may give up of the host's output, MUSD; absent where it need take nothing.
    bound
        (host, year) of plants from which deliveries cannot move to another market, since a rule on exports holds.
    capped
        Years in which a partner has a China cap of its own.
    """

    problem: Problem
    held: dict[tuple[str, str, int], dict[Lot, float]]
    offtake: dict[tuple[str, str, int], float]
    bound: set[tuple[str, int]]
    capped: set[int]

    def cost(self, lot: Lot, market: str, product: str, year: int) -> float | None:
        """Return what a market pays for a lot, MUSD/kt; None where it cannot have it."""
        kind, origin = lot
        if kind == SHORT:
            wanted = self.problem.demand.get((market, origin, product, year), 0.0) > 0
            return self.problem.shortage_cost[origin, product, year] if wanted else None
        if kind == MADE:
            costs = [flows.get((origin, product, market, year)) for flows in self.problem.delivery_cost.values()]
        else:
            costs = [flows.get((origin, market, year)) for flows in self.problem.purchase_cost.values()]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if known else None

    def movable(self, lot: Lot, year: int) -> bool:
        """Return whether a lot may go to another market at all."""
        kind, origin = lot
        if kind == MADE:
            return year not in self.capped and (origin, year) not in self.bound
        if kind == SHORT:
            return year not in self.capped
        return self.problem.offers[origin].offered_to == ANY

    def alike(self, one: Lot, other: Lot, year: int) -> bool:
        """Return whether a swap leaves the China-linked share of either market as it is, or nobody's is capped."""
        if year not in self.capped:
            return True
        return self.problem.offers[one[1]].china_linked == self.problem.offers[other[1]].china_linked


def pool_of(problem: Problem, found: Frames, rule: str) -> Pool:
    """Return who holds which lots in a plan.

    Joint oxide is left where it is unless the plants' cost is shared by equity: by the other rules who takes it also pays for
    the plant.
    """
    held: dict[tuple[str, str, int], dict[Lot, float]] = defaultdict(lambda: defaultdict(float))
    for s, p, to, m, y, tonnes, _ in found["purchases"].itertuples(index=False):
        held[m, p, y][BOUGHT, offer_key(s, p, to)] += tonnes * KT_PER_T
    for m, c, p, y, tonnes in found["unmet"].itertuples(index=False):
        held[m, p, y][SHORT, c] += tonnes * KT_PER_T
    got: dict[tuple[str, str, int], float] = defaultdict(float)
    output: dict[tuple[str, int], float] = defaultdict(float)
    if rule == "equity":
        for h, p, m, y, tonnes, _ in found["deliveries"].itertuples(index=False):
            held[m, p, y][MADE, h] += tonnes * KT_PER_T
            got[m, h, y] += tonnes * KT_PER_T * problem.price[p, y]
        for h, p, y, made in found["products"][["host", "product", "year", "made"]].itertuples(index=False):
            output[h, y] += made * KT_PER_T * problem.price[p, y]
    offtake = {
        (m, h, y): max(0.0, got.get((m, h, y), 0.0) - least * worth)
        for m, least in problem.offtake_minimum.items()
        if least > 0
        for (h, y), worth in output.items()
    }
    bound = {(rule.host, y) for rule in problem.rules if rule.rule.startswith("export") for y in problem.years if rule.holds(y)}
    capped = {y for cap in problem.caps if cap.scope == "partner" for y, limit in cap.limit.items() if limit < 1}
    return Pool(problem, {key: dict(lots) for key, lots in held.items()}, offtake, bound, capped)


def list_swaps(pool: Pool, market: str) -> Iterator[Swap]:
    """Yield every swap of a market with another that leaves the cost of both together as it is."""
    problem = pool.problem
    for (m, p, y), lots in pool.held.items():
        if m != market:
            continue
        for other in problem.markets:
            if other == market:
                continue
            for given in lots:
                for taken in pool.held.get((other, p, y), {}):
                    if given == taken or not (pool.movable(given, y) and pool.movable(taken, y) and pool.alike(given, taken, y)):
                        continue
                    now = pool.cost(given, market, p, y), pool.cost(taken, other, p, y)
                    then = pool.cost(taken, market, p, y), pool.cost(given, other, p, y)
                    if None in now or None in then:
                        continue
                    saved = now[0] - then[0]  # type: ignore[operator]
                    if abs(saved) > NOTHING and abs(saved + now[1] - then[1]) <= NOTHING * (1 + abs(saved)):  # type: ignore[operator]
                        yield Swap(saved * problem.weight[y], p, y, market, given, other, taken)


def _most(pool: Pool, swaps: list[Swap]) -> float:
    """Carry out swaps in order, each as far as it goes, and return what they move, MUSD."""
    problem = pool.problem
    held = {key: dict(lots) for key, lots in pool.held.items()}
    offtake = dict(pool.offtake)
    wanted = {
        (m, c, p, y): kt - pool.held.get((m, p, y), {}).get((SHORT, c), 0.0) for (m, c, p, y), kt in problem.demand.items()
    }  # what a sector could still be left short
    moved = 0.0
    for swap in swaps:
        p, y = swap.product, swap.year
        sides = ((swap.giver, swap.given, swap.taken), (swap.taker, swap.taken, swap.given))
        most = min(held[m, p, y][gives] for m, gives, _ in sides)
        for m, gives, takes in sides:
            if gives[0] == MADE and problem.price[p, y] > 0:
                most = min(most, offtake.get((m, gives[1], y), float("inf")) / problem.price[p, y])
            if takes[0] == SHORT:
                most = min(most, wanted[m, takes[1], p, y])
        if most <= NOTHING:
            continue
        for m, gives, takes in sides:
            held[m, p, y][gives] -= most
            if gives[0] == MADE and (m, gives[1], y) in offtake:
                offtake[m, gives[1], y] -= most * problem.price[p, y]
            if takes[0] == SHORT:
                wanted[m, takes[1], p, y] -= most
        moved += most * abs(swap.gain)
    return moved


def swing(problem: Problem, found: Frames, rule: str, market: str) -> tuple[float, float]:
    """Return by how much swaps could make a market's cost lower and higher, MUSD discounted; at least.

    Parameters
    ----------
    problem, found
        What one plan answers, and its result tables.
    rule
        One of `ledger.YEARLY_RULES`, by which the cost of joint plants is shared.

    Returns
    -------
    lower, higher
        Each as if the other side let it. Swaps through stocks, of three lots at once or with a little less China on either side
        are not counted, so more may be possible.
    """
    pool = pool_of(problem, found, rule)
    swaps = sorted(list_swaps(pool, market), key=lambda swap: -abs(swap.gain))
    return _most(pool, [swap for swap in swaps if swap.gain > 0]), _most(pool, [swap for swap in swaps if swap.gain < 0])
