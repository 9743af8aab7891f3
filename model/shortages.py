"""Why demand is left short: a reason for each row of `unmet`, computed from inputs and results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from model.problem import Problem

USED_UP = 1e-6
"""Share of an offer or a flow below which what is left of it counts as nothing."""

BINDING = 1e-4
"""Slack of a cap, as a share, below which it binds: a hundredth of a point, since the solver's tolerance of 0.1 kg
is that much of the smallest products' few tonnes."""

NO_ORE, CAP, CAPACITY, DEARER, LIMIT = (
    "no ore basket has it",
    "China cap binds",
    "capacity not yet on line",
    "dearer than going without",
    "held back by another limit",
)
KINDS = (NO_ORE, CAP, CAPACITY, DEARER, LIMIT)
"""Every reason is one of these, followed by a colon and what it rests on."""


@dataclass(frozen=True)
class _Offer:
    """An offer of existing oxide that still has tonnes left."""

    supplier: str
    cost: float
    china_linked: float


class _Evidence:
    """What the tables say about one market, product and year, gathered once for every shortage."""

    def __init__(self, problem: Problem, found: Mapping[str, pd.DataFrame]) -> None:
        self.problem = problem
        self._gather_offers(found)
        self._gather_caps(found["china_shares"])
        self._gather_plants(found)

    def _gather_offers(self, found: Mapping[str, pd.DataFrame]) -> None:
        problem = self.problem
        bought: dict[tuple[str, int], float] = defaultdict(float)
        for supplier, p, offered_to, _, y, tonnes, _ in found["purchases"].itertuples(index=False):
            bought[f"{supplier}|{p}|{offered_to}", y] += tonnes / 1000.0
        self.offered: set[tuple[str, str, int]] = set()
        self.open: dict[tuple[str, str, int], list[_Offer]] = defaultdict(list)
        for o, m, y in problem.purchases:
            offer, supply = problem.offers[o], problem.supply[o, y]
            self.offered.add((m, offer.product, y))
            if supply - bought.get((o, y), 0.0) > USED_UP * supply:
                cost = sum(problem.purchase_cost[component][o, m, y] for component in problem.purchase_cost)
                self.open[m, offer.product, y].append(_Offer(offer.supplier, cost, offer.china_linked))

    def _gather_caps(self, shares: pd.DataFrame) -> None:
        # where nothing is supplied the share is unknown, but the first China-linked kg would break the cap
        tight = (shares["slack"] < BINDING) | (shares["total"] <= 1e-9) | (shares["marginal_cost"] > 1e-6)
        self.binding: dict[int, list[dict]] = defaultdict(list)
        for row in shares[tight & (shares["basis"] == "supply")].to_dict("records"):
            self.binding[row["year"]].append(row)

    def _gather_plants(self, found: Mapping[str, pd.DataFrame]) -> None:
        problem = self.problem
        self.routes = {(p, m, y) for _, p, m, y in problem.deliveries}
        self.first_route: dict[tuple[str, str], int] = {}
        for p, m, y in self.routes:
            self.first_route[p, m] = min(y, self.first_route.get((p, m), y))
        self.ore_years: dict[str, set[int]] = defaultdict(set)
        for s, y in problem.available:
            for p, share in problem.content[s].items():
                if share > 0.0:
                    self.ore_years[p].add(y)
        fed: dict[tuple[str, int], float] = defaultdict(float)
        for s, _, _, y, tonnes, _ in found["feed"].itertuples(index=False):
            fed[s, y] += tonnes / 1000.0
        self.makes: dict[tuple[str, str, int], set[str]] = defaultdict(set)
        spare = {key for key, kt in problem.available.items() if kt - fed[key] > USED_UP * kt}
        products = {key: {p for p, share in shares.items() if share > 0.0} for key, shares in problem.yields.items()}
        with_spare: dict[tuple[str, int], set[str]] = defaultdict(set)
        for s, h, line, y in problem.feeds:
            self.makes[h, line, y] |= products[s, h, line]
            if (s, y) in spare:
                with_spare[h, y] |= products[s, h, line]
        self.spare_ore = {(h, p, y) for (h, y), kinds in with_spare.items() for p in kinds}
        made = found["products"]
        self.made: dict[tuple[str, int], float] = defaultdict(float)
        for p, y, tonnes in zip(made["product"], made["year"], made["made"], strict=True):
            self.made[p, y] += tonnes
        self.surplus_at: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
        for h, p, y, tonnes, _ in found["surplus"].itertuples(index=False):
            self.surplus_at[p, y][h] = tonnes
        self.on_line = sorted(int(y) for y in found["plants"]["on_line"])
        self.lines: dict[int, list[dict]] = defaultdict(list)
        for row in found["plant_years"].to_dict("records"):
            self.lines[row["year"]].append(row)

    def barred(self, market: str, product: str, year: int, offers: list[_Offer]) -> tuple[dict, _Offer] | None:
        """Return a supply cap with no room left and the cheapest offer that it keeps out."""
        for row in self.binding[year]:
            inside = {"product": product, "every_product": product, "partner": market, "all": ""}.get(row["scope"])
            if inside is None or inside not in ("", row["member"]):
                continue
            kept_out = [offer for offer in offers if offer.china_linked > row["limit"]]
            if kept_out:
                return row, min(kept_out, key=lambda offer: offer.cost)
        return None

    def making(self, product: str, year: int) -> list[dict]:
        """Return the lines on line in a year that can make a product."""
        return [row for row in self.lines[year] if product in self.makes[row["host"], row["line"], year]]


def _reason(evidence: _Evidence, market: str, sector: str, product: str, year: int) -> tuple[str, str]:
    """Return the kind of a reason and what it rests on."""
    going_without = evidence.problem.shortage_cost[sector, product, year]
    offers = evidence.open[market, product, year]
    worthwhile = [offer for offer in offers if offer.cost < going_without * (1.0 - 1e-9)]
    barred = evidence.barred(market, product, year, worthwhile)
    if barred is not None:
        cap, offer = barred
        member = f" for {cap['member']}" if cap["member"] else ""
        return CAP, f"{cap['cap']}{member} at {100 * cap['limit']:.0f} % leaves no room for what {offer.supplier} still offers"
    if worthwhile:
        return LIMIT, f"{min(worthwhile, key=lambda offer: offer.cost).supplier} still offers it, yet the plan does not buy"
    if offers:
        cheapest = min(offers, key=lambda offer: offer.cost)
        return DEARER, f"{cheapest.supplier} asks {cheapest.cost:,.1f} and the shortage costs {going_without:,.1f} USD/kg"
    sold_out = "suppliers are sold out" if (market, product, year) in evidence.offered else "no supplier offers it"
    kind, words = _why_no_plant(evidence, market, product, year)
    return kind, f"{sold_out} and {words}"


def _why_no_plant(evidence: _Evidence, market: str, product: str, year: int) -> tuple[str, str]:
    """Return why joint plants do not make up for a shortage that no supplier can meet."""
    first = evidence.first_route.get((product, market))
    if (product, market, year) not in evidence.routes:
        with_ore = evidence.ore_years[product]
        if not with_ore:
            return NO_ORE, f"no feedstock on sheet sources contains {product}"
        if min(with_ore) > year:
            return NO_ORE, f"the first feedstock that contains {product} is for sale in {min(with_ore)}"
        if first is None or first <= year:
            return LIMIT, "no site may treat the feedstock that contains it"
        return CAPACITY, f"no joint plant can make it before {first}"
    making = evidence.making(product, year)
    if not making and evidence.made[product, year] <= 0.0:
        later = [y for y in evidence.on_line if y > year]
        if later:
            return CAPACITY, f"the next joint plant starts in {min(later)}"
        return _no_further_plant(evidence, "a joint plant for it costs more than the shortage")
    surplus = {h: tonnes for h, tonnes in evidence.surplus_at[product, year].items() if tonnes > USED_UP * evidence.made[product, year]}
    if surplus:
        return LIMIT, f"{_and(surplus)} must sell it elsewhere ({_export_rules(evidence.problem, surplus, year)})"
    usable, nameplate = (sum(row[column] for row in making) for column in ("usable", "nameplate"))
    if making and all(row["feed"] >= row["usable"] * (1.0 - USED_UP) for row in making):
        if nameplate > usable * (1.0 + USED_UP):
            return CAPACITY, f"the joint plants that make it are full while they ramp up ({usable:,.0f} of {nameplate:,.0f} t/y)"
        return _no_further_plant(evidence, "the joint plants that make it are full; another costs more than the shortage")
    if making and not any((row["host"], product, year) in evidence.spare_ore for row in making):
        return NO_ORE, f"all feedstock that contains it and that these plants can have in {year} is used up"
    return DEARER, "more feed for the joint plants costs more than the shortage"


def _no_further_plant(evidence: _Evidence, otherwise: str) -> tuple[str, str]:
    """Return why no plant was added."""
    if len(evidence.on_line) >= evidence.problem.max_plants:
        return LIMIT, f"no more than {evidence.problem.max_plants} joint plants may be built (max_plants on sheet settings)"
    return DEARER, otherwise


def _export_rules(problem: Problem, hosts: Iterable[str], year: int) -> str:
    rules = [rule.rule_id for rule in problem.rules if rule.host in hosts and rule.rule.startswith("export") and rule.holds(year)]
    return f"rule {', '.join(rules)}" if rules else "limits on origin or offtake"


def _and(names: Iterable[str]) -> str:
    return " and ".join(sorted(names))


def shortage_reasons(problem: Problem, found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give every shortage its size against demand, its cost and its reason.

    Parameters
    ----------
    problem
        The problem that was solved.
    found
        Result tables.

    Returns
    -------
    pandas.DataFrame
        The rows of `unmet` (market, sector, product, year, tonnes [t REO/y]) with demand [t REO/y],
        share (of the demand), shortage_cost [USD/kg], cost [MUSD/y], kind (of `KINDS`) and reason, which
        begins with the kind; same order.
    """
    evidence = _Evidence(problem, found)
    rows = []
    for m, c, p, y, tonnes in found["unmet"].itertuples(index=False):
        demand, price = problem.demand[m, c, p, y] * 1000.0, problem.shortage_cost[c, p, y]
        kind, words = _reason(evidence, m, c, p, y)
        rows.append((m, c, p, y, tonnes, demand, tonnes / demand, price, tonnes * price / 1000.0, kind, f"{kind}: {words}"))
    names = ["market", "sector", "product", "year", "tonnes", "demand", "share", "shortage_cost", "cost", "kind", "reason"]
    return pd.DataFrame(rows, columns=names)
