"""Every cost line recomputed from the decisions, by year, host and market."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.verification_book import Floats, Ints, numbers
from model.verification_economics import Economics
from model.verification_plan import Plan, summed
from model.verification_rows import COMPONENTS

Part = tuple[Ints, Ints, Ints, Floats]
"""Host, market, year and MUSD of some rows; one past the last host or market stands for none."""


@dataclass(frozen=True)
class Costs:
    """Cost lines in MUSD a year.

    Parameters
    ----------
    by_year
        Component x year.
    by_host, by_market
        Component x host (market) x year, a last row for what belongs to none.
    """

    by_year: Floats
    by_host: Floats
    by_market: Floats


def cost_lines(plan: Plan, economics: Economics) -> Costs:
    """Return every cost line of the plan, recomputed."""
    book = plan.book
    hosts, markets, years = book.count("host"), book.count("market"), book.count("year")
    by_host = np.zeros((len(COMPONENTS), hosts + 1, years))
    by_market = np.zeros((len(COMPONENTS), markets + 1, years))
    everything = {
        **_plant_costs(plan, economics),
        **_feed_costs(plan, economics),
        **_product_costs(plan, economics),
        **_market_costs(plan, economics),
    }
    for component, parts in everything.items():
        at = COMPONENTS.index(component)
        for host, market, year, amount in parts:
            by_host[at] += summed((hosts + 1, years), (host, year), amount)
            by_market[at] += summed((markets + 1, years), (market, year), amount)
    return Costs(by_host.sum(axis=1), by_host, by_market)


def _plant_costs(plan: Plan, economics: Economics) -> Mapping[str, list[Part]]:
    """Return the cost lines of plants on line."""
    book, builds = plan.book, plan.rows["builds"]
    host, design, way = builds["host"], builds["design"], builds["way"]
    tables = book.tables
    fixed = numbers(tables["designs"], "fixed_cost")[design] * numbers(tables["hosts"], "capex_factor")[host]
    plant, year = np.nonzero(plan.age >= 0)
    nowhere = np.full(len(plant), book.count("market"))

    def part(yearly: Floats) -> list[Part]:
        return [(host[plant], nowhere, year, yearly[plant])]

    return {
        "capital": part(economics.capex(host, design, way) * economics.annuity[host]),
        "fixed_operating": part(fixed),
        "know_how_fee": part(numbers(tables["know_how"], "fixed_fee", 0.0)[way]) + _fees(plan),
    }


def _fees(plan: Plan) -> list[Part]:
    """Return know-how fees on feed."""
    book, feed = plan.book, plan.rows["feed"]
    fee = numbers(book.tables["know_how"], "fee", 0.0)[feed["line"] % book.count("way")]
    return [(feed["host"], np.full(len(feed), book.count("market")), feed["year"], fee * feed["tonnes"] / 1000)]


def _feed_costs(plan: Plan, economics: Economics) -> Mapping[str, list[Part]]:
    """Return the cost lines of feed; 1 t at 1 USD/kg is 0.001 MUSD. A missing route costs 0: `feed_route_exists` is about it."""
    book, feed = plan.book, plan.rows["feed"]
    source, host, line, year = feed["source_id"], feed["host"], feed["line"], feed["year"]
    way = line % book.count("way")
    nowhere = np.full(len(feed), book.count("market"))

    def part(unit: Floats) -> list[Part]:
        return [(host, nowhere, year, unit * feed["tonnes"] / 1000)]

    return {
        "feed_purchase": part(economics.feed_price[source, year]),
        "freight_in": part(np.nan_to_num(economics.freight_in[source, host])),
        "duty_in": part(economics.duty_in(source, host, year)),
        "processing": part(economics.processing(source, host, way)),
        "feed_equipment": part(economics.equipment(source, host, way)),
        "concentrate_revenue": part(-economics.concentrate(source, host, line, year)),
    }


def _product_costs(plan: Plan, economics: Economics) -> Mapping[str, list[Part]]:
    """Return the cost lines of joint product. A missing route costs 0: `delivery_route_exists` is about it."""
    book, rows, surplus = plan.book, plan.rows["deliveries"], plan.rows["surplus"]
    host, product, market, year = rows["host"], rows["product"], rows["market"], rows["year"]

    def part(unit: Floats) -> list[Part]:
        return [(host, market, year, unit * rows["tonnes"] / 1000)]

    revenue = -book.surplus_price[surplus["product"], surplus["year"]] * surplus["tonnes"] / 1000
    return {
        "freight_out": part(np.nan_to_num(economics.freight_out(host, market, product, year))),
        "duty_out": part(economics.duty_out(host, product, market, year)),
        "surplus_revenue": [(surplus["host"], np.full(len(surplus), book.count("market")), surplus["year"], revenue)],
    }


def _market_costs(plan: Plan, economics: Economics) -> Mapping[str, list[Part]]:
    """Return the cost lines of markets: bought oxide, stocks and shortage."""
    book = plan.book
    rows = plan.rows["purchases"]
    known = plan.offer >= 0
    offer, product, market, year = plan.offer[known], rows["product"][known], rows["market"][known], rows["year"][known]
    tonnes = rows["tonnes"][known] / 1000
    nowhere = np.full(len(offer), book.count("host"))
    price, duty = economics.offer_price[offer, year], economics.purchase_duty(offer, product, market, year)

    pile, year_held = np.nonzero(np.ones((len(book.stockpiles), book.count("year")), dtype=bool))
    keeper, kept = book.stockpiles.get_level_values(0).to_numpy()[pile], book.stockpiles.get_level_values(1).to_numpy()[pile]
    holding = numbers(book.tables["stockpiles"], "holding_cost", 0.0)[pile] * plan.stock[keeper, kept, year_held] / 1000

    short = plan.rows["unmet"]
    pain = economics.shortage_cost[short["sector"], short["product"], short["year"]] * short["tonnes"] / 1000
    return {
        "oxide_purchase": [(nowhere, market, year, price * tonnes)],
        "oxide_duty": [(nowhere, market, year, duty * tonnes)],
        "stock_holding": [(np.full(len(pile), book.count("host")), keeper, year_held, holding)],
        "shortage": [(np.full(len(short), book.count("host")), short["market"], short["year"], pain)],
    }
