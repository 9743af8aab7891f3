"""Why demand is left short: a reason for each row of `unmet`, computed from inputs and results.

There are three ways to serve: to buy what suppliers still offer, to feed more to the plants that stand, and one plant
more. A way that is shown to cost less than going without is kept out by a limit, and the limit is the reason. *Dearer* is said
only of a way that no limit keeps out: its price is above the shortage, or a least-cost plan was free to take it and did not.

What a limit keeps out would first go to those to whom it is worth more: it replaces what they buy, or ends dearer shortages. The
limit is the reason for a shortage only where more is kept out than these would take.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from model.problem import KT_PER_T, T_PER_KT, FeedKey, Problem
from model.shortage_ore import OreReasons
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
    caps_in_words,
)
from model.tables import Tables
from model.words import tonnes_words

NAMED = 0.1
"""Share of a shortage that dear offers must be able to meet if they are to be its reason."""

_WOULD_GO = "would first go where it saves more"


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
    """More of one source fed to a line that stands: `pays` if it costs less than going without, `serves` if it would also get there."""

    limits: tuple[Limit, ...]
    pays: bool
    serves: bool

    @property
    def kinds(self) -> set[str]:
        """The kinds of what keeps it out."""
        return {limit.kind for limit in self.limits}


class _Reasons:
    """Reasons for the shortages of one plan."""

    def __init__(self, tables: Tables, problem: Problem, found: Mapping[str, pd.DataFrame], proven: bool) -> None:
        self.problem, self.proven = problem, proven
        self.room = Room(problem, found)
        self.plants = FurtherPlants(self.room)
        self.ore = OreReasons(problem, tables)

    def reason(self, short: _Shortage) -> tuple[str, str]:
        """Return the kind of a reason and what it rests on."""
        offers = self.room.open[short.market, short.product, short.year]
        worthwhile = [offer for offer in offers if offer.cost < short.cost * (1.0 - 1e-9)]
        caps = list(self.room.supply_caps(short.market, short.product, short.year))
        kept_out = [offer for offer in worthwhile if _caps_against(offer, caps)]
        if kept_out:
            return self._capped(short, kept_out, caps)
        if worthwhile:
            return LIMIT, f"{min(worthwhile, key=lambda offer: offer.cost).supplier} still offers it, yet the plan does not buy"
        dear = [offer for offer in offers if not _caps_against(offer, caps)]
        why = self._joint_plants(short)
        if not why.shown and sum(offer.room for offer in dear) >= NAMED * short.kt:
            return DEARER, _asking(dear, short)
        if offers:
            return why.kind, f"{_asking(offers, short)}; {why.words}"
        sold_out = "suppliers are sold out" if self.room.offered[short.market, short.product, short.year] else "no supplier offers it"
        return why.kind, f"{sold_out} and {why.words}"

    def _capped(self, short: _Shortage, kept_out: list[OpenOffer], caps: list[dict]) -> tuple[str, str]:
        """Return the fewest caps that keep out what would serve, given offers cheaper than going without."""
        # a cap against an offer is one against every offer with a larger China-linked share
        for offer in sorted(kept_out, key=lambda offer: (offer.china_linked, offer.cost)):
            rows = _caps_against(offer, caps)
            freed = [other for other in kept_out if len(_caps_against(other, caps)) <= len(rows)]
            first = self._bought_first(short, offer, rows)
            if sum(other.room for other in freed) > first * (1.0 + USED_UP):
                cheapest = min(freed, key=lambda other: other.cost)
                words = f"{caps_in_words(rows)} no room for what {cheapest.supplier} still offers"
                near = self.room.nearly_full(short.market, short.product, short.year, offer.china_linked, first + short.kt)
                rooms = [f"{cap_words(row)} for no more than {tonnes_words(kt * T_PER_KT)}" for row, kt in near]
                if rooms:
                    return CAP, f"{words}, and {' and '.join(rooms)}: to be raised together"
                return CAP, f"{words}{self._other_caps(short, rows)}"
        rows = _caps_against(offer, caps)
        return UNCLEAR, f"{caps_in_words(rows)} no room for what {offer.supplier} still offers, which {_WOULD_GO}"

    def _bought_first(self, short: _Shortage, offer: OpenOffer, raised: list[dict]) -> float:
        """Return how many kt of an offer would be bought before it serves a shortage, were caps raised."""
        room, (p, y) = self.room, (short.product, short.year)
        names, total = {(cap["cap"], cap["member"]) for cap in raised}, 0.0
        for m in self.problem.markets:
            cost = next((other.cost for other in room.open[m, p, y] if other.offer == offer.offer), None)
            if cost is None:
                continue
            against = {(cap["cap"], cap["member"]) for cap in _caps_against(offer, list(room.supply_caps(m, p, y)))}
            if against and against <= names:
                takers = [*room.unmet[m, p, y], *room.displaced(m, p, y)]
                total += sum(kt for value, kt in takers if value - cost > (short.cost - offer.cost) * (1.0 + 1e-9))
        return total

    def _other_caps(self, short: _Shortage, raised: list[dict]) -> str:
        """Return the caps that would do as well as those raised, by letting standing plants make more."""
        for move in (move for row in self._making(short) for move in self._moves(short, row)):
            others = move.serves and move.kinds == {CAP} and not any(cap_words(row) in move.limits[0].words for row in raised)
            if others:
                return f"; to raise another instead would do, too: {move.limits[0].words}"
        return ""

    def _joint_plants(self, short: _Shortage) -> _Why:
        """Return why joint plants do not make up for a shortage."""
        if (short.product, short.market, short.year) not in self.ore.routes:
            lacking = self.ore.reason(short.product, short.market, short.year)
            return _Why(lacking.kind, lacking.words)
        elsewhere = self._sold_elsewhere(short)
        if elsewhere is not None:
            return elsewhere
        making = self._making(short)
        moves = [move for row in making for move in self._moves(short, row)]
        kept_out = [move.limits for move in moves if move.serves and move.limits and move.kinds <= {CAP, LIMIT}]
        if kept_out:
            return _limits_in_words(min(kept_out, key=len), "")
        ramping = any(move.pays and move.kinds == {CAPACITY} for move in moves)
        usable, nameplate = (sum(row[column] for row in making) for column in ("usable", "nameplate"))
        ramp_up = f"the joint plants that make it are full while they ramp up ({usable:,.0f} of {nameplate:,.0f} t/y)"
        if ramping and self._served_at_nameplate(short, making):
            return _Why(CAPACITY, ramp_up, shown=True)
        if any(not move.limits and not move.pays for move in moves):
            return _Why(DEARER, "more feed for the joint plants costs more than the shortage")
        if moves and all(NO_ORE in move.kinds for move in moves):
            kind, words = NO_ORE, f"all feedstock that contains it and that these plants can have in {short.year} is used up"
            full = _Why(kind, words)
        else:
            every = all(limits and limits[-1].kind in (CAPACITY, UNCLEAR) for limits in (move.limits for move in moves))
            words = f"the joint plants that make it are {'full' if every else 'not fed more'}" if moves else "no joint plant makes it"
            if any(move.pays and move.limits and move.kinds <= {CAP, LIMIT, CAPACITY} for move in moves):
                words = f"{ramp_up if ramping else words}, and what more they made {_WOULD_GO}"
            full = _Why(UNCLEAR, words)
        on_standing = {limit for move in moves if move.pays and move.kinds <= {CAP, LIMIT} for limit in move.limits}
        return self._further_plant(short, full, bool(moves), on_standing)

    def _sold_elsewhere(self, short: _Shortage) -> _Why | None:
        """Return why plants sell as surplus what is short, if shipping it would pay."""
        room, (m, p, y) = self.room, (short.market, short.product, short.year)
        sold = {}
        for (h, made, year), (kt, _) in room.surplus.items():
            way = (h, p, m, y)
            if (made, year) != (p, y) or kt <= USED_UP * room.made[h, p, y] or way not in room.deliveries:
                continue
            if short.cost - room.freight(way) > self.problem.surplus_price[p, y]:
                sold[h] = kt
        if not any(sum(sold.values()) > room.taken_first((h, p, m, y), short.cost) * (1.0 + USED_UP) for h in sold):
            return None
        rules = [rule.rule_id for h in sold for rule in room.full_export_rules(h, p, m, y)]
        offtake = [words for h in sold for words in room.offtake_limits(h, m, y)]
        caps = [cap_words(cap) for h in sold if room.surplus[h, p, y][1] > 0.0 for cap in room.supply_caps(m, p, y, h)]
        held = [*([f"rule {', '.join(dict.fromkeys(rules))}"] if rules else []), *dict.fromkeys(offtake), *dict.fromkeys(caps)]
        who = " and ".join(sorted(sold))
        if not held:
            return _Why(UNCLEAR, f"{who} sells some of it elsewhere, and the plan does not tell which limit makes it", shown=True)
        return _Why(LIMIT if rules or offtake else CAP, f"{who} must sell it elsewhere ({' and '.join(held)})", shown=True)

    # --- plants that stand --------------------------------------------------------------------------------------

    def _makes(self, short: _Shortage, row: Mapping) -> list[str]:
        """Return the sources from which a line can make the product for the market."""
        h, line, y = row["host"], row["line"], short.year
        if (h, short.product, short.market, y) not in self.room.deliveries:
            return []
        return [s for s in self.room.feeds_of[h, line, y] if self.problem.yields[s, h, line].get(short.product, 0.0) > 0.0]

    def _making(self, short: _Shortage) -> list[dict]:
        """Return the lines that can make the product for the market in the year."""
        return [row for row in self.room.lines[short.year] if row["usable"] > 0.0 and self._makes(short, row)]

    def _moves(self, short: _Shortage, row: Mapping) -> list[_Move]:
        """Return what more a line could be fed to make the product."""
        h, line, y = row["host"], row["line"], short.year
        full = row["feed"] >= row["usable"] * (1.0 - USED_UP)
        ramps = row["nameplate"] > row["usable"] * (1.0 + USED_UP)
        room = (row["usable"] - row["feed"]) * KT_PER_T
        cracking = self.room.cracking[h, line, y] - self.room.fed["cracked", h, line, y]
        sources = self._makes(short, row)
        spare = sum(self.room.spare_feed[s, y] for s in sources)
        moves = []
        for s in sources:
            feed = (s, h, line, y)
            limits = self.room.feed_limits(feed, short.product, short.market)
            cracks = self.problem.cracked[s]
            if full or (cracks and cracking <= self.room.cracking[h, line, y] * USED_UP):
                limits.append(Limit(CAPACITY, "full while it ramps up") if full and ramps else Limit(UNCLEAR, "full"))
            pays = self.room.serving_cost(feed, short.product, short.market) < short.cost * (1.0 - 1e-9)
            most = min(room, spare, cracking if cracks else room)
            serves = pays and self.room.serves(feed, most, short.product, short.market, short.cost)
            moves.append(_Move(tuple(limits), pays, serves))
        return moves

    def _served_at_nameplate(self, short: _Shortage, making: list[dict]) -> bool:
        """Return whether lines that ramp up would serve a shortage at full capacity, those to whom it is worth more first."""
        room, p, m, y = self.room, short.product, short.market, short.year
        lines: list[tuple[FeedKey, float]] = []
        for row in making:
            h, line = row["host"], row["line"]
            sources = [s for s in self._makes(short, row) if not room.feed_limits((s, h, line, y), p, m)]
            if sources and row["feed"] >= row["usable"] * (1.0 - USED_UP):
                feed = min(((s, h, line, y) for s in sources), key=lambda feed: room.serving_cost(feed, p, m))
                spare = sum(room.spare_feed[s, y] for s in sources)
                lines.append((feed, min((row["nameplate"] - row["usable"]) * KT_PER_T, spare)))
        made = [kt * self.problem.yields[feed[:3]][p] for feed, kt in lines]
        return any(
            kt > 0.0 and room.serves(feed, kt, p, m, short.cost, sum(made) - own) for (feed, kt), own in zip(lines, made, strict=True)
        )

    # --- one plant more -----------------------------------------------------------------------------------------

    def _further_plant(self, short: _Shortage, full: _Why, stands: bool, on_standing: set[Limit]) -> _Why:
        """Return why no plant was added, given what is to say of those that stand and the limits without which these would make more."""
        before = f"{full.words}; " if stands else ""
        candidates = list(self.plants.serving(short.market, short.product, short.year, short.cost))
        # were these limits lifted, those that stand would make more before another plant did
        kept_out = [candidate for candidate in candidates if candidate.kept_out and on_standing.isdisjoint(candidate.limits)]
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
        others = [candidate for candidate in candidates if candidate.pays_elsewhere]
        if others:
            nearest = min(others, key=lambda candidate: len(candidate.limits))
            what = f"{'another' if stands else 'a joint plant'} at {nearest.build[0]}"
            return _Why(UNCLEAR, f"{before}what {what} made {_WOULD_GO}")
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
            earlier = [self.plants.candidate(key, short.market, short.product, short.year, short.cost, build) for key in starts]
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


def _caps_against(offer: OpenOffer, caps: Iterable[dict]) -> list[dict]:
    """Return the caps with no room left that keep an offer out."""
    return [cap for cap in caps if offer.china_linked > cap["limit"] + 1e-9]


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


def shortage_reasons(tables: Tables, problem: Problem, found: Mapping[str, pd.DataFrame], proven: bool = True) -> pd.DataFrame:
    """Give every shortage its size against demand, its cost and its reason.

    Parameters
    ----------
    tables, problem
        Inputs, which also hold the feedstock that is not in use, and the problem that was solved.
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
    reasons = _Reasons(tables, problem, found, proven)
    rows = []
    for m, c, p, y, tonnes in found["unmet"].itertuples(index=False):
        demand, price = problem.demand[m, c, p, y] * 1000.0, problem.shortage_cost[c, p, y]
        kind, words = reasons.reason(_Shortage(m, p, y, tonnes / 1000.0, price))
        rows.append((m, c, p, y, tonnes, demand, tonnes / demand, price, tonnes * price / 1000.0, kind, f"{kind}: {words}"))
    names = ["market", "sector", "product", "year", "tonnes", "demand", "share", "shortage_cost", "cost", "kind", "reason"]
    return pd.DataFrame(rows, columns=names)
