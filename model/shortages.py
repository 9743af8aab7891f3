"""Why demand is left short: a reason for each row of `unmet`, computed from inputs and results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from model.problem import Problem

USED_UP = 1e-6
"""Share of an offer or a flow below which what is left of it counts as nothing."""

BINDING = 1e-4
"""Slack of a cap, as a share, below which it binds: a hundredth of a point, since the solver's tolerance of 0.1 kg
is that much of the smallest products' few tonnes."""


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
        self.routes = {(p, m, y) for _, p, m, y in problem.deliveries}
        first: dict[tuple[str, str], int] = {}
        for p, m, y in self.routes:
            first[p, m] = min(y, first.get((p, m), y))
        self.first_route = first
        made = found["products"]
        self.made: dict[tuple[str, int], float] = defaultdict(float)
        for p, y, tonnes in zip(made["product"], made["year"], made["made"], strict=True):
            self.made[p, y] += tonnes
        self.surplus: dict[tuple[str, int], float] = defaultdict(float)
        for _, p, y, tonnes, _ in found["surplus"].itertuples(index=False):
            self.surplus[p, y] += tonnes
        shares = found["china_shares"]
        self.binding: dict[int, list[dict]] = defaultdict(list)
        # where nothing is supplied the share is unknown, but the first China-linked kg would break the cap
        binding = shares[((shares["slack"] < BINDING) | (shares["total"] <= 1e-9)) & (shares["basis"] == "supply")]
        for row in binding.to_dict("records"):
            self.binding[row["year"]].append(row)
        plants = found["plants"]
        self.on_line = [int(y) for y in plants["on_line"]]

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


def _reason(evidence: _Evidence, market: str, sector: str, product: str, year: int) -> str:
    problem = evidence.problem
    going_without = problem.shortage_cost[sector, product, year]
    offers = evidence.open[market, product, year]
    worthwhile = [offer for offer in offers if offer.cost < going_without * (1.0 - 1e-9)]
    barred = evidence.barred(market, product, year, worthwhile)
    if barred is not None:
        cap, offer = barred
        member = f" for {cap['member']}" if cap["member"] else ""
        return f"China cap binds: {cap['cap']}{member} at {100 * cap['limit']:.0f} % leaves no room for what {offer.supplier} still offers"
    if worthwhile:
        return f"held back by other limits of the plan: {min(worthwhile, key=lambda offer: offer.cost).supplier} still offers it"
    possible = (product, market, year) in evidence.routes
    first = evidence.first_route.get((product, market))
    if (market, product, year) not in evidence.offered and first is None:
        return "no supplier or plant has this product"
    dearer = (
        f"dearer than going without: {min(offers, key=lambda offer: offer.cost).cost:,.1f} against {going_without:,.1f} USD/kg"
        if offers
        else ""
    )
    if first is not None and not possible:
        return dearer or f"capacity not yet on line: suppliers are sold out and no joint plant can make it before {first}"
    made = evidence.made.get((product, year), 0.0)
    if possible and made <= 0.0:
        later = [y for y in evidence.on_line if y > year]
        if dearer:
            return dearer
        if later:
            return f"capacity not yet on line: suppliers are sold out and the next joint plant starts in {min(later)}"
        return "dearer than going without: suppliers are sold out and a joint plant for it costs more than the shortage"
    if dearer:
        return dearer
    if evidence.surplus.get((product, year), 0.0) > USED_UP * made > 0.0:
        return "held back by other limits of the plan: a joint plant sells this product elsewhere (origin or export limits)"
    if possible:
        return "all is used: suppliers are sold out and the joint plants deliver all they make; more feed or capacity costs more than the shortage"
    return "suppliers are sold out and no joint plant can make it"


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
        share (of the demand), shortage_cost [USD/kg], cost [MUSD/y] and reason; same order.
    """
    evidence = _Evidence(problem, found)
    rows = []
    for m, c, p, y, tonnes in found["unmet"].itertuples(index=False):
        demand, price = problem.demand[m, c, p, y] * 1000.0, problem.shortage_cost[c, p, y]
        rows.append((m, c, p, y, tonnes, demand, tonnes / demand, price, tonnes * price / 1000.0, _reason(evidence, m, c, p, y)))
    names = ["market", "sector", "product", "year", "tonnes", "demand", "share", "shortage_cost", "cost", "reason"]
    return pd.DataFrame(rows, columns=names)
