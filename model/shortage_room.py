"""What a plan leaves unused and which limits it has come up to: the evidence for why demand is left short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from model.problem import KT_PER_T, T_PER_KT, BuildKey, DeliverKey, FeedKey, HostRule, Problem, offer_key

USED_UP = 1e-6
"""Share of an offer or a flow below which what is left of it counts as nothing."""

BINDING = 1e-4
"""Slack of a cap, as a share, below which it binds: a hundredth of a point, since the solver's tolerance of 0.1 kg
is that much of the smallest products' few tonnes."""

NO_ORE, CAP, CAPACITY, DEARER, LIMIT, UNCLEAR = (
    "no ore basket has it",
    "China cap binds",
    "capacity not yet on line",
    "dearer than going without",
    "held back by another limit",
    "held back by another limit or dearer",
)
KINDS = (NO_ORE, CAP, CAPACITY, DEARER, LIMIT, UNCLEAR)
"""Every reason is one of these, followed by a colon and what it rests on."""


@dataclass(frozen=True)
class Limit:
    """A limit that leaves no room: the kind of reason it is, and what it says."""

    kind: str
    words: str


@dataclass(frozen=True)
class OpenOffer:
    """An offer of existing oxide that still has `room` [kt], at what a kt costs the market; `offer` is its key."""

    offer: str
    supplier: str
    cost: float
    china_linked: float
    room: float


@dataclass(frozen=True)
class Outlet:
    """Who would take a further kt of a product from a host, what that saves [MUSD/kt] and how many kt; no market: surplus."""

    value: float
    room: float
    market: str


class Room:
    """What is left of offers, feedstock, lines and limits in a plan; kt REO/y.

    Parameters
    ----------
    problem
        The problem that was solved.
    found
        Result tables.
    """

    def __init__(self, problem: Problem, found: Mapping[str, pd.DataFrame]) -> None:
        self.problem = problem
        self.deliveries = set(problem.deliveries)
        self.unmet: dict[tuple[str, str, int], list[tuple[float, float]]] = defaultdict(list)
        for m, c, p, y, tonnes in found["unmet"].itertuples(index=False):
            self.unmet[m, p, y].append((problem.shortage_cost[c, p, y], tonnes * KT_PER_T))
        self._gather_offers(found["purchases"])
        self._gather_plants(found)
        self._gather_caps(found["china_shares"])
        self.foreign: dict[tuple[str, str, int], float] = defaultdict(float)
        self.taken: dict[tuple[str, str, int], float] = defaultdict(float)
        for h, p, m, y, tonnes, _ in found["deliveries"].itertuples(index=False):
            self.taken[m, h, y] += tonnes * KT_PER_T * problem.price[p, y]
            if problem.market_country[m] != problem.country[h]:
                self.foreign[h, p, y] += tonnes * KT_PER_T
        self.made: dict[tuple[str, str, int], float] = defaultdict(float)
        for h, p, y, tonnes in found["products"][["host", "product", "year", "made"]].itertuples(index=False):
            self.made[h, p, y] += tonnes * KT_PER_T
        self.surplus = {(h, p, y): (t * KT_PER_T, china * KT_PER_T) for h, p, y, t, china in found["surplus"].itertuples(index=False)}
        self._outlets: dict[tuple[str, str, int], list[Outlet]] = {}
        self._value_made: dict[tuple[str, int], float] = {}
        self._made_for: dict[tuple[str, int], list[tuple[float, float]]] = {}
        self._takers: dict[tuple[str, str, int, bool], list[Outlet]] = {}
        self._taken_first: dict[tuple[DeliverKey, float], float] = {}

    def _gather_offers(self, purchases: pd.DataFrame) -> None:
        problem = self.problem
        self.bought: dict[tuple[str, str, int], float] = {}
        sold: dict[tuple[str, int], float] = defaultdict(float)
        for supplier, p, offered_to, m, y, tonnes, _ in purchases.itertuples(index=False):
            o = offer_key(supplier, p, offered_to)
            self.bought[o, m, y] = tonnes * KT_PER_T
            sold[o, y] += tonnes * KT_PER_T
        self.sold = sold
        self.offered: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        self.open: dict[tuple[str, str, int], list[OpenOffer]] = defaultdict(list)
        for o, m, y in problem.purchases:
            offer, supply = problem.offers[o], problem.supply[o, y]
            self.offered[m, offer.product, y].append(o)
            if supply - sold.get((o, y), 0.0) > USED_UP * supply:
                left = OpenOffer(o, offer.supplier, self._price(o, m, y), offer.china_linked, supply - sold.get((o, y), 0.0))
                self.open[m, offer.product, y].append(left)

    def _price(self, o: str, m: str, y: int) -> float:
        return sum(costs[o, m, y] for costs in self.problem.purchase_cost.values())

    def _gather_plants(self, found: Mapping[str, pd.DataFrame]) -> None:
        problem = self.problem
        fed: dict[tuple, float] = defaultdict(float)
        self.feeding: dict[int, list[tuple[FeedKey, float]]] = defaultdict(list)
        for s, h, line, y, tonnes, _ in found["feed"].itertuples(index=False):
            for key in ((s, y), ("host", h, y), ("cracked", h, line, y) if problem.cracked[s] else ("other", h, line, y)):
                fed[key] += tonnes * KT_PER_T
            self.feeding[y].append(((s, h, line, y), tonnes * KT_PER_T))
        self.fed = fed
        left = {key: kt - fed[key] for key, kt in problem.available.items()}
        self.spare_feed = {key: left[key] if left[key] > USED_UP * kt else 0.0 for key, kt in problem.available.items()}
        self.feeds_of: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        for s, h, line, y in problem.feeds:
            self.feeds_of[h, line, y].append(s)
        self.built: list[BuildKey] = [(h, d, w, y) for h, d, w, y in found["builds"].itertuples(index=False)]
        self.cracking: dict[tuple[str, str, int], float] = defaultdict(float)
        for key in self.built:
            if problem.integrated[key[1]]:
                for y in problem.years:
                    self.cracking[key[0], problem.build_line[key], y] += problem.usable.get((key, y), 0.0)
        self.lines: dict[int, list[dict]] = defaultdict(list)
        for row in found["plant_years"].to_dict("records"):
            self.lines[row["year"]].append(row)

    def _gather_caps(self, shares: pd.DataFrame) -> None:
        # where nothing flows the share is unknown, but the first China-linked kg would break the cap
        tight = (shares["slack"] < BINDING) | (shares["total"] <= 1e-9) | (shares["marginal_cost"] > 1e-6)
        self.tight_caps: dict[int, list[dict]] = defaultdict(list)
        self.loose_caps: dict[int, list[dict]] = defaultdict(list)
        for row, binds in zip(shares.to_dict("records"), tight.tolist(), strict=True):
            (self.tight_caps if binds else self.loose_caps)[row["year"]].append(row)
        self.capped_years = {y for cap in self.problem.caps for y, limit in cap.limit.items() if limit < 1.0}

    # --- limits -------------------------------------------------------------------------------------------------

    def ceiling(self, host: str, year: int) -> tuple[float, str]:
        """Return how much more feed the rules let a host take in, and the rule that says so; infinite without one."""
        rules = [rule for rule in self.problem.rules if rule.host == host and rule.rule == "feed_ceiling" and rule.holds(year)]
        if not rules:
            return float("inf"), ""
        least = min(rules, key=lambda rule: rule.value)
        left = least.value - self.fed["host", host, year]
        return (left if left > USED_UP * least.value else 0.0), least.rule_id

    def supply_caps(self, market: str, product: str, year: int, host: str = "") -> Iterator[dict]:
        """Yield the supply caps with no room left that count a product in a market, from a host if one is named."""
        yield from (row for row in self.tight_caps[year] if _counts_supply(row, market, product, host))

    def nearly_full(self, market: str, product: str, year: int, china_linked: float, kt: float) -> Iterator[tuple[dict, float]]:
        """Yield the supply caps that do not bind but would before so much more oxide is bought, and how many kt they have room for."""
        for row in self.loose_caps[year]:
            over = china_linked - row["limit"]
            if over > 1e-9 and _counts_supply(row, market, product):
                unit = T_PER_KT if row["measure"] == "tonnes" else self.problem.price[product, year]
                spare = row["limit"] * row["total"] - row["china"]
                if spare < over * unit * kt:
                    yield row, spare / (over * unit)

    def _feed_caps(self, market: str, host: str, source: str, year: int) -> Iterator[dict]:
        for row in self.tight_caps[year]:
            inside = {
                "all": True,
                "host": row["member"] == host,
                "partner": row["member"] == market,
            }.get(row["scope"], self.problem.content[source].get(row["member"], 0.0) > 0.0)
            if row["basis"] == "feedstock" and inside:
                yield row

    def feed_limits(self, feed: FeedKey, product: str, market: str) -> list[Limit]:
        """Return what keeps more of a source from being made into a product for a market, lines aside."""
        s, h, _, y = feed
        limits: list[Limit] = []
        caps = [*self._feed_caps(market, h, s, y), *self.supply_caps(market, product, y, h)]
        full = [row for row in caps if self.problem.china_linked[s] > row["limit"] + 1e-9]
        if full:
            limits.append(Limit(CAP, f"{caps_in_words(full)} no room for more feed from {s}"))
        left, rule = self.ceiling(h, y)
        if left <= 0.0:
            limits.append(Limit(LIMIT, f"rule {rule} lets {h} take in no more feed (sheet host_rules)"))
        limits += self.delivery_limits(h, product, market, y)
        if self.spare_feed[s, y] <= 0.0:
            limits.append(Limit(NO_ORE, f"all of {s} is used"))
        return limits

    def delivery_limits(self, host: str, product: str, market: str, year: int) -> list[Limit]:
        """Return the rules on exports and offtake that keep a host from shipping more of a product to a market."""
        rules = self.full_export_rules(host, product, market, year)
        limits = [Limit(LIMIT, f"rule {rule.rule_id} lets {host} export no more (sheet host_rules)") for rule in rules]
        return limits + [Limit(LIMIT, words) for words in self.offtake_limits(host, market, year)]

    def full_export_rules(self, host: str, product: str, market: str, year: int) -> list[HostRule]:
        """Return the rules that let a host ship no more of a product to a market."""
        problem, found = self.problem, []
        abroad = problem.market_country[market] != problem.country[host]
        for rule in self.export_rules(host, product, year) if abroad else ():
            if rule.rule == "export_share":
                sent, most = self.foreign[host, product, year], rule.value * self.made[host, product, year]
                full = rule.value <= 0.0 or (sent > 0.0 and sent >= most * (1.0 - USED_UP))
            else:
                sent = sum(self.foreign[host, p, year] for p in ([rule.product] if rule.product else problem.products))
                full = sent >= rule.value * (1.0 - USED_UP)
            if full:
                found.append(rule)
        return found

    def offtake_limits(self, host: str, market: str, year: int) -> list[str]:
        """Return which other partners get no more from a host than they must."""
        if (host, year) not in self._value_made:
            made = (kt * self.problem.price[p, y] for (h, p, y), kt in self.made.items() if (h, y) == (host, year))
            self._value_made[host, year] = sum(made)
        value = self._value_made[host, year]
        return [
            f"{partner} must get {100 * least:.0f} % of what {host} makes (offtake_minimum on sheet markets)"
            for partner, least in self.problem.offtake_minimum.items()
            if partner != market and least * value > 0.0 and self.taken[partner, host, year] <= least * value * (1.0 + USED_UP)
        ]

    def export_rules(self, host: str, product: str, year: int) -> list[HostRule]:
        """Return the export rules that hold for a host's product in a year."""
        return [
            rule
            for rule in self.problem.rules
            if rule.host == host and rule.rule.startswith("export") and rule.holds(year) and rule.product in ("", product)
        ]

    # --- what more of a product would save ----------------------------------------------------------------------

    def outlets(self, host: str, product: str, year: int) -> list[Outlet]:
        """Return who would take more of a host's product, best first: those left short, those who buy, and last the surplus.

        Outlets abroad are left out where an export rule holds. What must be taken of an offer is not displaced.
        """
        key = (host, product, year)
        if key not in self._outlets:
            dump = self.problem.surplus_price[product, year]
            takers = self.takers(host, product, year, abroad=not self.export_rules(host, product, year))
            better = sorted((way for way in takers if way.value > dump), key=lambda way: -way.value)
            self._outlets[key] = [*better, Outlet(dump, float("inf"), "")]
        return self._outlets[key]

    def takers(self, host: str, product: str, year: int, abroad: bool) -> list[Outlet]:
        """Return those left short and those who buy that a host can ship a product to, with or without those abroad."""
        key = (host, product, year, abroad)
        if key not in self._takers:
            problem = self.problem
            ways: list[Outlet] = []
            for m in problem.markets:
                way = (host, product, m, year)
                if way not in self.deliveries or (not abroad and problem.market_country[m] != problem.country[host]):
                    continue
                freight = self.freight(way)
                ways += [Outlet(cost - freight, kt, m) for cost, kt in self.unmet[m, product, year]]
                ways += [Outlet(cost - freight, kt, m) for cost, kt in self.displaced(m, product, year) if kt > 0.0]
            self._takers[key] = ways
        return self._takers[key]

    def displaced(self, market: str, product: str, year: int) -> list[tuple[float, float]]:
        """Return cost [MUSD/kt] and kt of what a market buys and need not take."""
        found = []
        for o in self.offered[market, product, year]:
            kt = self.bought.get((o, market, year), 0.0)
            if kt > 0.0:
                free = max(0.0, 1.0 - self.problem.least_take.get((o, year), 0.0) / self.sold[o, year])
                found.append((self._price(o, market, year), kt * free))
        return found

    def taken_first(self, way: DeliverKey, cost: float) -> float:
        """Return how many kt more of a host's product would do more good before a shortage that costs so much [MUSD/kt] is served.

        It would first go to those left short or buying at more, and then spare what is made at more.
        """
        key = (way, cost)
        if key not in self._taken_first:
            self._taken_first[key] = self._better_taken(way, cost)
        return self._taken_first[key]

    def _better_taken(self, way: DeliverKey, cost: float) -> float:
        host, product, market, year = way
        worth = cost - self.freight(way)
        if self.problem.surplus_price[product, year] > worth:
            return float("inf")
        # what may be shipped to a market abroad may be shipped to any other
        abroad = self.problem.market_country[market] != self.problem.country[host] or not self.export_rules(host, product, year)
        taken = sum(taker.room for taker in self.takers(host, product, year, abroad) if taker.value > worth + 1e-9 * abs(worth))
        return taken + sum(kt for made_for, kt in self._dear_to_make(product, year) if made_for > cost * (1.0 + 1e-9))

    def _dear_to_make(self, product: str, year: int) -> list[tuple[float, float]]:
        """Return what each source fed to a line makes of a product [kt] and at what cost at the plant's gate [MUSD/kt]."""
        if (product, year) not in self._made_for:
            shares = self.problem.yields
            found = [(feed, kt * shares[feed[:3]][product]) for feed, kt in self.feeding[year] if shares[feed[:3]].get(product, 0.0) > 0.0]
            self._made_for[product, year] = [(self._gate_cost(feed, product), kt) for feed, kt in found]
        return self._made_for[product, year]

    def freight(self, way: DeliverKey) -> float:
        """Return what a kt costs on its way from a host to a market, MUSD."""
        return sum(costs[way] for costs in self.problem.delivery_cost.values())

    def feed_cost(self, feed: FeedKey) -> float:
        """Return what a kt of feed costs in the plant, MUSD."""
        return sum(costs[feed] for costs in self.problem.feed_cost.values())

    def serving_cost(self, feed: FeedKey, product: str, market: str, after: float = 0.0) -> float:
        """Return what a further kt of a product for a market costs at most, MUSD, if made of a source in a plant with room.

        `after` so many kt of the product, whose by-products have gone to those who pay best.
        """
        return self._gate_cost(feed, product, after) + self.freight((feed[1], product, market, feed[3]))

    def _gate_cost(self, feed: FeedKey, product: str, after: float = 0.0) -> float:
        s, h, line, y = feed
        shares = self.problem.yields[s, h, line]
        fed = after / shares[product]
        others = sum(share * self._worth_after(h, q, y, share * fed) for q, share in shares.items() if q != product)
        return (self.feed_cost(feed) - others) / shares[product]

    def _worth_after(self, host: str, product: str, year: int, kt: float) -> float:
        """Return what a further kt is worth after so many, MUSD."""
        for outlet in self.outlets(host, product, year):
            kt -= outlet.room
            if kt < 0.0:
                break
        return outlet.value

    def serves(self, feed: FeedKey, fed: float, product: str, market: str, cost: float, made: float = 0.0) -> bool:
        """Return whether so much more feed [kt] of a line would serve a shortage that costs so much [MUSD/kt].

        Those to whom the product is worth more are served first; `made` [kt]: what other lines would make besides.
        """
        s, h, line, y = feed
        first = self.taken_first((h, product, market, y), cost)
        more = made + fed * self.problem.yields[s, h, line][product]
        return more > first * (1.0 + USED_UP) and self.serving_cost(feed, product, market, first) < cost * (1.0 - 1e-9)


def _counts_supply(row: Mapping, market: str, product: str, host: str = "") -> bool:
    """Return whether a cap limits the supply of a product in a market, from a host if one is named."""
    members = {"product": product, "every_product": product, "partner": market, "host": host, "all": ""}
    return row["basis"] == "supply" and not (row["scope"] == "host" and not host) and members[row["scope"]] == (row["member"] or "")


def cap_words(row: Mapping) -> str:
    """Return a cap's name, member and limit."""
    member = f" for {row['member']}" if row["member"] else ""
    return f"{row['cap']}{member} at {100 * row['limit']:.0f} %"


def caps_in_words(rows: Iterable[Mapping]) -> str:
    """Return caps and the verb, as in `A at 50 % leaves`; several of them bind together, so that none does any good alone."""
    names = list(dict.fromkeys(cap_words(row) for row in rows))
    return f"{names[0]} leaves" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}, to be raised together, leave"
