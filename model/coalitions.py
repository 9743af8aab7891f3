"""What partners could do without the others: the inputs of a coalition, and the Shapley shares of a cost.

Two views of a coalition alone. *Whole market*: the others are gone, so every open offer and every tonne of
uncommitted feed is the coalition's. *Shared market*: the others are still there and plan by themselves, so the
coalition has its part of what is open to everybody. Such plans do not compete for feed or offers; they may still want the
same site, or break together a limit on plants or tonnes that each of them meets.

Markets that are no partner are no part of a coalition. Were they served in every plan, what the members bear would be an
accident: least total cost does not say whether a member or another market gets the cheap oxide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import pandas as pd

from model.ledger import equity_shares
from model.schema import ANY
from model.tables import Tables

WHOLE, SHARED = "whole market", "shared market"
VIEWS = (WHOLE, SHARED)

Coalition = frozenset[str]


def proper_coalitions(partners: Sequence[str]) -> Iterator[Coalition]:
    """Yield every coalition that leaves somebody out, the smallest first."""
    for size in range(1, len(partners)):
        for members in combinations(partners, size):
            yield frozenset(members)


def coalition_tables(tables: Tables, members: Coalition, view: str) -> Tables:
    """Return the inputs of some partners without the others, under the same rules.

    The demand, stockpiles, own offers, own caps and budgets of all other markets are gone, be they partners or not; equity is
    scaled to sum to 1. Other caps, limits and hosts stay.

    Parameters
    ----------
    tables
        Validated inputs of all partners.
    members
        The partners that stay; all of them where other markets alone are to go.
    view
        `WHOLE` or `SHARED`. In the latter, offers open to every market are cut to the members' share of all
        markets' demand for the product in the year, and sources to the members' equity.

    Returns
    -------
    Tables
        Not validated.
    """
    equity = equity_shares(tables)
    gone = set(tables["markets"]["market"]) - members
    kept = {
        sheet: tables[sheet][~tables[sheet]["market"].isin(gone)].copy() for sheet in ("markets", "demand", "stockpiles", "suppliers")
    }  # fmt: skip
    own = sum(equity[m] for m in members)
    kept["markets"]["equity"] = [equity[m] / own if own > 0 else 1.0 / len(members) for m in kept["markets"]["market"]]
    caps, routes = tables["caps"], tables["route_costs"]
    kept["caps"] = caps[~((caps["scope"] == "partner") & caps["member"].isin(gone))]
    kept["route_costs"] = routes[~((routes["leg"] == "product") & routes["destination"].isin(gone))]
    if view == SHARED:
        kept["suppliers"] = _shared_offers(tables, kept["suppliers"], members)
        kept["sources"] = tables["sources"].assign(capacity=tables["sources"]["capacity"] * own)
    return tables.with_frames(**kept)


def _shared_offers(tables: Tables, offers: pd.DataFrame, members: Coalition) -> pd.DataFrame:
    """Cut offers open to every market to the members' share of all demand; by equity where nobody asks."""
    equity = equity_shares(tables)
    demand = tables["demand"]
    offers = offers.copy()
    for year in [column for column in offers.columns if isinstance(column, int) and column in demand.columns]:
        whole = demand.groupby("product")[year].sum()
        own = demand[demand["market"].isin(members)].groupby("product")[year].sum()
        share = {
            product: float(own.get(product, 0.0)) / asked if asked > 0 else sum(equity[m] for m in members)
            for product, asked in ((product, float(whole.get(product, 0.0))) for product in offers["product"].unique())
        }
        cut = [
            tonnes * share[product] if market == ANY else tonnes
            for product, market, tonnes in zip(offers["product"], offers["market"], offers[year], strict=True)
        ]
        offers[year] = cut
    return offers


def shapley_costs(partners: Sequence[str], cost: Mapping[Coalition, float]) -> dict[str, float]:
    """Share the cost of all partners by what each adds, averaged over the orders in which they could join.

    Parameters
    ----------
    partners
        Everybody.
    cost
        Least cost of every coalition that is not empty.

    Returns
    -------
    dict
        Partner -> cost; sums to the cost of all.

    Examples
    --------
    Alone 10 and 6, together 12: the gain of 4 is halved.

    >>> shapley_costs(["A", "B"], {frozenset("A"): 10.0, frozenset("B"): 6.0, frozenset("AB"): 12.0})
    {'A': 8.0, 'B': 4.0}
    """
    everybody = len(partners)
    shares = {}
    for partner in partners:
        others = [other for other in partners if other != partner]
        total = 0.0
        for size in range(everybody):
            orders = math.factorial(size) * math.factorial(everybody - size - 1) / math.factorial(everybody)
            for before in map(frozenset, combinations(others, size)):
                total += orders * (cost[before | {partner}] - cost.get(before, 0.0))
        shares[partner] = total
    return shares
