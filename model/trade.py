"""Trade between two partners that the plan causes: goods by value, and fees for know-how."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from model.analysis import supplier_facts
from model.problem import KT_PER_T, Problem, offer_key
from model.published import COUNTRY_CODES
from model.tables import Tables

Frames = Mapping[str, pd.DataFrame]

FEED, JOINT_OXIDE, BOUGHT_OXIDE, KNOW_HOW = "feed", "oxide of joint plants", "oxide of existing refiners", "know-how fees"
GOODS = (FEED, JOINT_OXIDE, BOUGHT_OXIDE)
ITEMS = (*GOODS, KNOW_HOW)
"""Fees are services: they are shown beside the goods and are no part of the goods balance."""


def trade_flows(tables: Tables, problem: Problem, found: Frames) -> pd.DataFrame:
    """List what crosses borders in a plan, at the price paid (oxide of joint plants: at the market price).

    Returns
    -------
    pandas.DataFrame
        year, item (see `ITEMS`), origin, destination (country codes; oxide bought from existing refiners has the origin
        that customs record), value [MUSD/y].
    """
    flows: dict[tuple[int, str, str, str], float] = defaultdict(float)
    mined_in = dict(zip(tables["sources"]["source_id"], tables["sources"]["country"], strict=True))
    providers = dict(zip(tables["know_how"]["way"], tables["know_how"]["provider"], strict=True))
    for s, h, line, y, tonnes, _ in found["feed"].itertuples(index=False):
        key, kt, host = (s, h, line, y), tonnes * KT_PER_T, problem.country[h]
        flows[y, FEED, mined_in[s], host] += problem.feed_cost["feed_purchase"][key] * kt
        flows[y, KNOW_HOW, providers[line.split(":", 1)[1]], host] += problem.feed_cost["know_how_fee"][key] * kt
    for h, d, w, on_line in found["builds"].itertuples(index=False):
        for y in problem.years:
            if y >= on_line:
                flows[y, KNOW_HOW, providers[w], problem.country[h]] += problem.build_cost["know_how_fee"][h, d, w, on_line]
    for h, p, m, y, tonnes, _ in found["deliveries"].itertuples(index=False):
        flows[y, JOINT_OXIDE, problem.country[h], problem.market_country[m]] += problem.price[p, y] * tonnes * KT_PER_T
    facts = supplier_facts(tables)
    for supplier, p, offered_to, m, y, tonnes, _ in found["purchases"].itertuples(index=False):
        origin = facts[supplier, p, offered_to]["customs_origin"]
        price = problem.purchase_cost["oxide_purchase"][offer_key(supplier, p, offered_to), m, y]
        flows[y, BOUGHT_OXIDE, origin, problem.market_country[m]] += price * tonnes * KT_PER_T
    rows = [(*key, value) for key, value in sorted(flows.items()) if value and key[2] and key[2] != key[3]]
    return pd.DataFrame(rows, columns=["year", "item", "origin", "destination", "value"])


def trade_keys(country: str, other: str) -> list[tuple[str, str, str]]:
    """Return (item, origin, destination) of everything that two countries can send each other."""
    return [(item, a, b) for a, b in ((country, other), (other, country)) for item in ITEMS]


def bilateral_trade(flows: pd.DataFrame, country: str, other: str, years: tuple[int, ...]) -> pd.DataFrame:
    """Return trade between two countries by year, one column an item and direction.

    Returns
    -------
    pandas.DataFrame
        Index year; columns (item, origin, destination) [MUSD/y] for both directions.
    """
    sums = flows.groupby(["year", "item", "origin", "destination"])["value"].sum()
    table = {(item, a, b): [float(sums.get((y, item, a, b), 0.0)) for y in years] for item, a, b in trade_keys(country, other)}
    return pd.DataFrame(table, index=pd.Index(years, name="year"))


def goods_balance(trade: pd.DataFrame, country: str, other: str) -> pd.Series:
    """Return goods exported by `country` to `other` less goods imported from there, MUSD by year."""
    sent = sum(trade[item, country, other] for item in GOODS)
    return pd.Series(sent - sum(trade[item, other, country] for item in GOODS), index=trade.index)


_DOLLAR = r"(?:usd|us-?\$)"
_SCALES = {1.0: r"(?:million|mn|mio|m)", 1000.0: r"(?:billion|bn|b)"}
_UNITS = {
    scale: re.compile(rf"(?:{word}\s?(?:\d{{4}}\s)?{_DOLLAR}|{_DOLLAR}\s?{word})(?:/y|/year|/yr| a year| per year)?")
    for scale, word in _SCALES.items()
}
"""Spellings of a sum of money, lower case: MUSD, million USD, USD million, million 2024 USD, bn US$, each perhaps a year."""


def in_musd(value: float, unit: str) -> float:
    """Return a sum in MUSD; NaN where the unit is neither millions nor billions of USD.

    Examples
    --------
    >>> in_musd(68.5, "billion USD"), in_musd(19.5, "MUSD/y"), in_musd(3.0, "USD")
    (68500.0, 19.5, nan)
    """
    spelled = " ".join(unit.lower().split())
    return next((value * scale for scale, words in _UNITS.items() if words.fullmatch(spelled)), math.nan)


@dataclass(frozen=True)
class PublishedDeficit:
    """A published goods deficit of one country with another; positive: it imports more than it exports.

    Parameters
    ----------
    value
        MUSD a year; NaN where no figure stands in the book or its `unit` is not understood.
    """

    country: str
    other: str
    value: float
    unit: str
    period: str
    source: str

    @property
    def unit_known(self) -> bool:
        """Whether the unit is a million or a billion USD."""
        return not math.isnan(in_musd(1.0, self.unit))


def published_deficits(tables: Tables) -> list[PublishedDeficit]:
    """Return the deficits of the sheet `published`: figures named like ``us_goods_deficit_japan``."""
    found = []
    for row in tables["published"].to_dict("records"):
        match = re.fullmatch(r"([a-z]+)_goods_deficit_([a-z]+)", str(row["figure"]).lower())
        if match and all(word in COUNTRY_CODES for word in match.groups()):
            country, other = (COUNTRY_CODES[word] for word in match.groups())
            unit = str(row["unit"])
            found.append(PublishedDeficit(country, other, in_musd(float(row["value"]), unit), unit, str(row["period"]), str(row["source"])))
    return found
