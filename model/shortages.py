"""Why demand is left short: a reason for each row of `unmet`, computed from inputs and results.

There are three ways to serve: to buy what suppliers still offer, to feed more to the plants that stand, and one plant
more. A way that is shown to cost less than going without is kept out by a limit, and the limit is the reason. *Dearer* is said
only of a way that no limit keeps out: its price is above the shortage, or a least-cost plan was free to take it and did not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from model.problem import Problem
from model.shortage_plants import FurtherPlants
from model.shortage_room import (
    CAP,
    CAPACITY,
    DEARER,
    LIMIT,
    NO_ORE,
    UNCLEAR,
    USED_UP,
    Limit,
    OpenOffer,
    Room,
    cap_words,
)

NAMED = 0.1
"""Share of a shortage that dear offers must be able to meet if they are to be its reason."""


@dataclass(frozen=True)
class _Why:
    """A kind of reason and what it rests on; `shown`: something cheaper than going without is kept out by it."""

    kind: str
    words: str
    shown: bool = False


@dataclass(frozen=True)
class _Shortage:
    """One row of `unmet`, with what a kt short costs."""

    market: str
    product: str
    year: int
    kt: float
    cost: float


@dataclass(frozen=True)
class _Move:
    """More of one source fed to a line that stands."""

    limits: tuple[Limit, ...]
    pays: bool


class _Reasons:
    """Reasons for the shortages of one plan."""

    def __init__(self, problem: Problem, found: Mapping[str, pd.DataFrame], proven: bool) -> None:
        self.problem, self.proven = problem, proven
        self.room = Room(problem, found)
        self.plants = FurtherPlants(self.room)
        self.routes = {(p, m, y) for _, p, m, y in problem.deliveries}
        self.ore_years = {p: {y for s, y in problem.available if problem.content[s].get(p, 0.0) > 0.0} for p in problem.products}

    def reason(self, short: _Shortage) -> tuple[str, str]:
        """Return the kind of a reason and what it rests on."""
        offers = self.room.open[short.market, short.product, short.year]
        worthwhile = [offer for offer in offers if offer.cost < short.cost * (1.0 - 1e-9)]
        caps = list(self.room.supply_caps(short.market, short.product, short.year))
        for cap in caps:
            kept_out = [offer for offer in worthwhile if offer.china_linked > cap["limit"]]
            if kept_out:
                cheapest = min(kept_out, key=lambda offer: offer.cost)
                return CAP, f"{cap_words(cap)} leaves no room for what {cheapest.supplier} still offers"
        if worthwhile:
            return LIMIT, f"{min(worthwhile, key=lambda offer: offer.cost).supplier} still offers it, yet the plan does not buy"
        dear = [offer for offer in offers if not any(offer.china_linked > cap["limit"] for cap in caps)]
        why = self._joint_plants(short)
        if not why.shown and sum(offer.room for offer in dear) >= NAMED * short.kt:
            return DEARER, _asking(dear, short)
        if offers:
            return why.kind, f"{_asking(offers, short)}; {why.words}"
        sold_out = "suppliers are sold out" if self.room.offered[short.market, short.product, short.year] else "no supplier offers it"
        return why.kind, f"{sold_out} and {why.words}"

    def _joint_plants(self, short: _Shortage) -> _Why:
        """Return why joint plants do not make up for a shortage."""
        if (short.product, short.market, short.year) not in self.routes:
            return self._no_route(short)
        elsewhere = self._sold_elsewhere(short)
        if elsewhere is not None:
            return elsewhere
        lines = [row for row in self.room.lines[short.year] if row["usable"] > 0.0]
        moves = [move for row in lines for move in self._moves(short, row)]
        kept_out = [move.limits for move in moves if move.pays and move.limits and all(limit.kind in (CAP, LIMIT) for limit in move.limits)]
        if kept_out:
            return _limits_in_words(min(kept_out, key=len), "")
        ramping = [move for move in moves if move.pays and [limit.kind for limit in move.limits] == [CAPACITY]]
        making = [row for row in lines if self._makes(short, row)]
        if ramping:
            usable, nameplate = (sum(row[column] for row in making) for column in ("usable", "nameplate"))
            words = f"the joint plants that make it are full while they ramp up ({usable:,.0f} of {nameplate:,.0f} t/y)"
            return _Why(CAPACITY, words, shown=True)
        if any(not move.limits and not move.pays for move in moves):
            return _Why(DEARER, "more feed for the joint plants costs more than the shortage")
        if moves and all(any(limit.kind == NO_ORE for limit in move.limits) for move in moves):
            kind, words = NO_ORE, f"all feedstock that contains it and that these plants can have in {short.year} is used up"
            full = _Why(kind, words)
        else:
            every = all(limits and limits[-1].kind in (CAPACITY, UNCLEAR) for limits in (move.limits for move in moves))
            full = _Why(
                UNCLEAR, f"the joint plants that make it are {'full' if every else 'not fed more'}" if moves else "no joint plant makes it"
            )
        return self._further_plant(short, full, bool(moves))

    def _no_route(self, short: _Shortage) -> _Why:
        product, year = short.product, short.year
        with_ore = self.ore_years[product]
        if not with_ore:
            return _Why(NO_ORE, f"no feedstock on sheet sources contains {product}")
        if min(with_ore) > year:
            return _Why(NO_ORE, f"the first feedstock that contains {product} is for sale in {min(with_ore)}")
        first = min((y for p, m, y in self.routes if (p, m) == (product, short.market)), default=None)
        if first is None or first <= year:
            return _Why(LIMIT, "no site may treat the feedstock that contains it")
        return _Why(CAPACITY, f"no joint plant can make it before {first}")

    def _sold_elsewhere(self, short: _Shortage) -> _Why | None:
        """Return why plants sell as surplus what is short, if shipping it would pay."""
        room, (m, p, y) = self.room, (short.market, short.product, short.year)
        hosts = []
        for (h, made, year), (kt, _) in room.surplus.items():
            way = (h, p, m, y)
            if (made, year) == (p, y) and kt > USED_UP * room.made[h, p, y] and way in room.deliveries:
                freight = sum(costs[way] for costs in self.problem.delivery_cost.values())
                if short.cost - freight > self.problem.surplus_price[p, y]:
                    hosts.append(h)
        if not hosts:
            return None
        rules = [rule.rule_id for h in hosts for rule in room.export_rules(h, p, y)]
        caps = [cap_words(cap) for h in hosts if room.surplus[h, p, y][1] > 0.0 for cap in room.supply_caps(m, p, y, h)]
        held = f"rule {', '.join(rules)}" if rules else ", ".join(dict.fromkeys(caps)) or "limits on origin or offtake"
        return _Why(CAP if caps and not rules else LIMIT, f"{' and '.join(sorted(hosts))} must sell it elsewhere ({held})", shown=True)

    # --- plants that stand --------------------------------------------------------------------------------------

    def _makes(self, short: _Shortage, row: Mapping) -> list[str]:
        """Return the sources from which a line can make the product for the market."""
        h, line, y = row["host"], row["line"], short.year
        if (h, short.product, short.market, y) not in self.room.deliveries:
            return []
        return [s for s in self.room.feeds_of[h, line, y] if self.problem.yields[s, h, line].get(short.product, 0.0) > 0.0]

    def _moves(self, short: _Shortage, row: Mapping) -> list[_Move]:
        h, line, y = row["host"], row["line"], short.year
        full = row["feed"] >= row["usable"] * (1.0 - USED_UP)
        ramps = row["nameplate"] > row["usable"] * (1.0 + USED_UP)
        cracking = self.room.cracking[h, line, y]
        moves = []
        for s in self._makes(short, row):
            feed = (s, h, line, y)
            limits = self.room.feed_limits(feed, short.product, short.market)
            if full or (self.problem.cracked[s] and self.room.fed["cracked", h, line, y] >= cracking * (1.0 - USED_UP)):
                limits.append(Limit(CAPACITY, "full while it ramps up") if full and ramps else Limit(UNCLEAR, "full"))
            moves.append(_Move(tuple(limits), self.room.serving_cost(feed, short.product, short.market) < short.cost * (1.0 - 1e-9)))
        return moves

    # --- one plant more -----------------------------------------------------------------------------------------

    def _further_plant(self, short: _Shortage, full: _Why, stands: bool) -> _Why:
        """Return why no plant was added, given what is to say of those that stand."""
        before = f"{full.words}; " if stands else ""
        candidates = list(self.plants.serving(short.market, short.product, short.year))
        kept_out = [candidate for candidate in candidates if candidate.kept_out]
        if not stands:
            later = self._started_earlier(short)
            if later is not None and (later.shown or not kept_out):
                return later
        if kept_out:
            best = min(kept_out, key=lambda candidate: (len(candidate.limits), -candidate.saving))
            return _limits_in_words(best.limits, before, f"{'another' if stands else 'a joint plant'} at {best.build[0]} would pay")
        if any(candidate.too_dear for candidate in candidates):
            if not self.proven:
                return _Why(
                    UNCLEAR, f"{before}the search stopped before it was proven that no {'other' if stands else 'joint plant for it'} pays"
                )
            return _Why(
                DEARER, f"{before}another costs more than the shortage" if stands else "a joint plant for it costs more than the shortage"
            )
        if full.kind == NO_ORE or not candidates:
            return full
        if all(candidate.limits and candidate.limits[-1].kind == NO_ORE for candidate in candidates):
            return _Why(NO_ORE, f"{before}all feedstock that contains it and that a site can have in {short.year} is used up")
        closest = min(candidates, key=lambda candidate: len(candidate.limits))
        limits = _joined(closest.limits)
        whether = "whether another would pay is not known" if stands else "whether a joint plant for it would pay is not known"
        return _Why(UNCLEAR, f"{before}{whether}{f': {limits}' if limits else ''}")

    def _started_earlier(self, short: _Shortage) -> _Why | None:
        """Return why the next plant of the plan that makes the product does not start earlier; None where there is none."""
        for build in sorted(self.room.built, key=lambda key: key[3]):
            h, line, start = build[0], self.problem.build_line[build], build[3]
            makes = any(self.problem.yields[s, h, line].get(short.product, 0.0) > 0.0 for s in self.room.feeds_of[h, line, start])
            if start <= short.year or not makes:
                continue
            waits = f"the next joint plant starts in {start}"
            starts = [key for key in self.problem.builds if key[:3] == build[:3] and key[3] <= short.year]
            earlier = [self.plants.candidate(key, short.market, short.product, short.year, build) for key in starts]
            found = [candidate for candidate in earlier if candidate is not None]
            if not starts:
                return _Why(CAPACITY, waits)
            if self.proven and any(candidate.too_dear for candidate in found):
                return _Why(DEARER, f"{waits}; starting it earlier costs more than the shortage")
            kept_out = [candidate for candidate in found if candidate.kept_out]
            if kept_out:
                return _limits_in_words(
                    min(kept_out, key=lambda candidate: len(candidate.limits)).limits, f"{waits}; ", "starting it earlier would pay"
                )
        return None


def _asking(offers: list[OpenOffer], short: _Shortage) -> str:
    cheapest, left = min(offers, key=lambda offer: offer.cost), sum(offer.room for offer in offers)
    what = f" for the last {left * 1000.0:,.3g} t on offer" if left < short.kt * (1.0 - USED_UP) else ""
    return f"{cheapest.supplier} asks {cheapest.cost:,.1f}{what} and the shortage costs {short.cost:,.1f} USD/kg"


def _joined(limits: Iterable[Limit]) -> str:
    return " and ".join(limit.words for limit in limits)


def _limits_in_words(limits: tuple[Limit, ...], before: str, after: str = "") -> _Why:
    """Return the reason that limits are which keep out what would pay."""
    kind = CAP if all(limit.kind == CAP for limit in limits) else LIMIT
    return _Why(kind, f"{before}{_joined(limits)}{f', though {after}' if after else ''}", shown=True)


def shortage_reasons(problem: Problem, found: Mapping[str, pd.DataFrame], proven: bool = True) -> pd.DataFrame:
    """Give every shortage its size against demand, its cost and its reason.

    Parameters
    ----------
    problem
        The problem that was solved.
    found
        Result tables of a least-cost plan.
    proven
        Whether it is proven to cost least, within the gap asked for; if not, nothing follows from a plant that it does not have.

    Returns
    -------
    pandas.DataFrame
        The rows of `unmet` (market, sector, product, year, tonnes [t REO/y]) with demand [t REO/y],
        share (of the demand), shortage_cost [USD/kg], cost [MUSD/y], kind (of `KINDS`) and reason, which
        begins with the kind; same order.
    """
    reasons = _Reasons(problem, found, proven)
    rows = []
    for m, c, p, y, tonnes in found["unmet"].itertuples(index=False):
        demand, price = problem.demand[m, c, p, y] * 1000.0, problem.shortage_cost[c, p, y]
        kind, words = reasons.reason(_Shortage(m, p, y, tonnes / 1000.0, price))
        rows.append((m, c, p, y, tonnes, demand, tonnes / demand, price, tonnes * price / 1000.0, kind, f"{kind}: {words}"))
    names = ["market", "sector", "product", "year", "tonnes", "demand", "share", "shortage_cost", "cost", "kind", "reason"]
    return pd.DataFrame(rows, columns=names)
