"""Problem: the sparse sets and parameters of the model in plain, picklable containers.

Mass in kt REO (a year), money in MUSD (a year); every field is defined in ``formulation.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

BuildKey = tuple[str, str, str, int]
FeedKey = tuple[str, str, str, int]
DeliverKey = tuple[str, str, str, int]

KT_PER_T, T_PER_KT = 0.001, 1000.0
"""The planner's tonnes and the model's kilotonnes."""

FEED_COSTS = ("feed_purchase", "freight_in", "duty_in", "processing", "feed_equipment", "know_how_fee", "concentrate_revenue")
DELIVERY_COSTS = ("freight_out", "duty_out")
PURCHASE_COSTS = ("oxide_purchase", "oxide_duty")
BUILD_COSTS = ("capital", "fixed_operating", "know_how_fee")
COMPONENTS = (
    "capital", "fixed_operating", "feed_purchase", "freight_in", "duty_in", "processing", "feed_equipment", "know_how_fee",
    "freight_out", "duty_out", "oxide_purchase", "oxide_duty", "stock_holding", "shortage", "surplus_revenue", "concentrate_revenue",
)  # fmt: skip


@dataclass(frozen=True)
class Offer:
    """A row of the suppliers sheet; `offered_to` is a market or ``*``."""

    supplier: str
    product: str
    offered_to: str
    china_linked: float


def offer_key(supplier: str, product: str, offered_to: str) -> str:
    """Return the key of a row of the suppliers sheet in `Problem.offers`."""
    return f"{supplier}|{product}|{offered_to}"


@dataclass(frozen=True)
class Cap:
    """One cap on one member: ``every_product`` rows are expanded to one cap a product."""

    cap: str
    basis: str
    measure: str
    scope: str
    member: str
    limit: dict[int, float]


@dataclass(frozen=True)
class HostRule:
    """A dated rule with a figure that becomes a constraint; `value` in kt/y or share."""

    rule_id: str
    host: str
    rule: str
    first: float
    last: float
    value: float
    product: str

    def holds(self, year: int) -> bool:
        """Return whether the rule binds in a year."""
        return self.first <= year <= self.last


@dataclass(frozen=True)
class Problem:
    """Everything the formulation needs, in plain picklable containers.

    Mass in kt REO (a year), money in MUSD (a year). See ``formulation.md`` for each name.
    """

    years: tuple[int, ...]
    years_represented: dict[int, int]
    weight: dict[int, float]
    hosts: tuple[str, ...]
    products: tuple[str, ...]
    markets: tuple[str, ...]
    partners: tuple[str, ...]
    country: dict[str, str]
    market_country: dict[str, str]
    price: dict[tuple[str, int], float]
    surplus_price: dict[tuple[str, int], float]
    # plants
    builds: tuple[BuildKey, ...]
    build_line: dict[BuildKey, str]
    capacity: dict[str, float]
    integrated: dict[str, bool]
    usable: dict[tuple[BuildKey, int], float]
    least_feed: dict[tuple[BuildKey, int], float]
    capex: dict[BuildKey, float]
    build_cost: dict[str, dict[BuildKey, float]]
    spend: dict[BuildKey, dict[int, float]]
    # feed
    feeds: tuple[FeedKey, ...]
    feed_cost: dict[str, dict[FeedKey, float]]
    available: dict[tuple[str, int], float]
    china_linked: dict[str, float]
    cracked: dict[str, bool]
    basket: dict[tuple[str, int], float]
    content: dict[str, dict[str, float]]
    yields: dict[tuple[str, str, str], dict[str, float]]
    # flows out
    surpluses: tuple[tuple[str, str, int], ...]
    china_surpluses: tuple[tuple[str, str, int], ...]
    china_deliveries: tuple[DeliverKey, ...]
    deliveries: tuple[DeliverKey, ...]
    delivery_cost: dict[str, dict[DeliverKey, float]]
    offers: dict[str, Offer]
    supply: dict[tuple[str, int], float]
    least_take: dict[tuple[str, int], float]
    purchases: tuple[tuple[str, str, int], ...]
    purchase_cost: dict[str, dict[tuple[str, str, int], float]]
    demand: dict[tuple[str, str, str, int], float]
    shortage_cost: dict[tuple[str, str, int], float]
    opening_stock: dict[tuple[str, str], float]
    stock_needed: dict[tuple[str, str, int], float]
    holding_cost: dict[tuple[str, str], float]
    # policy
    caps: tuple[Cap, ...]
    rules: tuple[HostRule, ...]
    offtake_minimum: dict[str, float]
    budget: dict[tuple[str, int], float]
    partner_share: dict[tuple[str, str], float]
    max_plants: int
    plants_per_host: int
    minimum_hosts: int
    country_share_limit: float
    country_share_from: int
