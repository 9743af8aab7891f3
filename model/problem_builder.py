"""Validated tables -> Problem.

Only here and in ``problem_policy.py`` are units converted: 1 t = 0.001 kt and 1 USD/kg = 1 MUSD/kt. Every
parameter is defined in ``formulation.md`` under the same name.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import pandas as pd

from model.book import split_codes
from model.collector import collector_paused
from model.economics import Duties, Freight, annuity, construction_spend, discount_weights, real_rate, represented_years
from model.problem import (
    BUILD_COSTS,
    DELIVERY_COSTS,
    FEED_COSTS,
    KT_PER_T,
    PURCHASE_COSTS,
    BuildKey,
    DeliverKey,
    FeedKey,
    Offer,
    Problem,
    offer_key,
)
from model.problem_policy import bars_feed, policy_of, rule_span
from model.problem_sheets import by_key, contents, modelled_years, output_share, records
from model.schema import ANY, THORIUM_LEVELS
from model.tables import Tables


class _Builder:
    """Builds a Problem step by step; each method fills what the next ones need."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.years = modelled_years(tables)
        self.settings = tables.settings
        self.freight = Freight.from_tables(tables)
        self.duties = Duties(tables)
        self.elements = by_key(tables, "elements", "element")
        self.products = tuple(dict.fromkeys(row["product"] for row in self.elements.values() if row["product"]))
        self.circuit = {row["product"]: row["circuit"] for row in self.elements.values() if row["product"]}
        self.hosts = {h: row for h, row in by_key(tables, "hosts", "host").items() if row["candidate"] == "yes"}
        self.markets = by_key(tables, "markets", "market")
        self.sources = {s: row for s, row in by_key(tables, "sources", "source_id").items() if row["use"] == "yes"}
        self.processing = by_key(tables, "processing", "feed_type")
        self.designs = by_key(tables, "designs", "design")
        self.ways = by_key(tables, "know_how", "way")
        self.rules = records(tables, "host_rules")
        self.route = {(r["leg"], r["origin"], r["destination"]): r["cost"] for r in records(tables, "route_costs")}
        self.price = self._prices("market")
        self.surplus_price = self._prices("surplus")

    def number(self, name: str) -> float:
        return float(self.settings[name])

    def _prices(self, item: str) -> dict[tuple[str, int], float]:
        return {(row["product"], y): float(row[y]) for row in records(self.tables, "prices") if row["item"] == item for y in self.years}

    def expertise_gap(self, host: str, way: str) -> float:
        """Return 1 - expertise[h,w]."""
        return 1.0 - max(self.hosts[host]["expertise"], self.ways[way]["expertise_up_to"])

    def recovery_factor(self, host: str, way: str) -> float:
        return self.ways[way]["recovery_multiplier"] * (1.0 - self.number("expertise_recovery_penalty") * self.expertise_gap(host, way))

    def capex_factor(self, host: str, way: str) -> float:
        """Return what multiplies a US Gulf capital cost at this host in this way."""
        penalty = 1.0 + self.number("expertise_capex_penalty") * self.expertise_gap(host, way)
        return self.hosts[host]["capex_factor"] * self.ways[way]["capex_multiplier"] * penalty

    def annuity(self, host: str) -> float:
        return annuity(real_rate(self.hosts[host]["cost_of_capital"], self.number("inflation")), int(self.number("plant_life")))

    # --- plants -----------------------------------------------------------------------------

    def plants(self) -> dict:
        forbidden = [(row["host"], *rule_span(row)) for row in self.rules if row["rule"] == "forbid_plant"]
        decision = self.number("decision_year")
        builds, line, usable, least, capex, spend = [], {}, {}, {}, {}, {}
        cost: dict[str, dict[BuildKey, float]] = {component: {} for component in BUILD_COSTS}
        spent = {(d, y): construction_spend(y, design["build_years"]) for d, design in self.designs.items() for y in self.years}
        for h, host in self.hosts.items():
            charge = self.annuity(h)
            for d, design in self.designs.items():
                if design["host"] not in ("", h):
                    continue
                earliest = max(host["earliest_start"], decision + math.ceil(design["build_years"] - 1e-9))
                for w, way in self.ways.items():
                    factor = self.capex_factor(h, w)
                    ramp_loss = 1.0 - self.number("expertise_ramp_penalty") * self.expertise_gap(h, w)
                    ramp = [design["ramp_1"] * ramp_loss, design["ramp_2"] * ramp_loss, design["ramp_3"] * ramp_loss, design["ramp_4"]]
                    circuit = "light_heavy" if design["heavies"] == "yes" else "light"
                    kt = [share * design["capacity"] * KT_PER_T for share in ramp]
                    least_kt = min(design["minimum_use"], ramp[3]) * design["capacity"] * KT_PER_T
                    for y in self.years:
                        if y < earliest or any(h == f and first <= y <= last for f, first, last in forbidden):
                            continue
                        key = (h, d, w, y)
                        builds.append(key)
                        line[key] = f"{circuit}:{w}"
                        capex[key] = design["capex"] * factor
                        cost["capital"][key] = capex[key] * charge
                        cost["fixed_operating"][key] = design["fixed_cost"] * host["capex_factor"]
                        cost["know_how_fee"][key] = way["fixed_fee"]
                        spend[key] = spent[d, y]
                        for later in self.years:
                            if later >= y + 3:
                                usable[key, later] = kt[3]
                                if design["minimum_use"] > 0:
                                    least[key, later] = least_kt
                            elif later >= y:
                                usable[key, later] = kt[later - y]
        return {
            "builds": tuple(builds), "build_line": line, "usable": usable, "least_feed": least, "capex": capex, "build_cost": cost,
            "spend": spend, "capacity": {d: row["capacity"] * KT_PER_T for d, row in self.designs.items()},
            "integrated": {d: row["scope"] == "integrated" for d, row in self.designs.items()},
        }  # fmt: skip

    # --- feed -------------------------------------------------------------------------------

    def freight_in(self, source: str, host: str) -> float | None:
        """Return USD/kg REO from source to host, None where there is no route."""
        if ("feed", source, host) in self.route:
            cost = self.route["feed", source, host]
            return None if pd.isna(cost) else float(cost)
        s, h, rates = self.sources[source], self.hosts[host], self.freight.rates
        class7 = s["radioactive_cargo"] == "yes"
        sea = self.freight.sea(s["port"], h["port"]) * (rates["radioactive_sea_multiplier"] if class7 else 1.0)
        handling = rates["radioactive_handling"] if class7 else 0.0
        per_tonne = (
            self.freight.inland(s["inland_km"], s["inland_mode"]) + sea + handling + self.freight.inland(h["inland_km"], h["inland_mode"])
        )
        return per_tonne / s["grade"] / 1000.0

    def feed_price(self, source: str, year: int) -> float:
        row = self.sources[source]
        return float(row["fixed_price"]) if pd.isna(row["payability"]) else float(row["payability"]) * self.basket[source, year]

    def processing_cost(self, feed_type: str, host: str, way: str) -> tuple[float, float]:
        """Return (processing, equipment) in USD per kg of feed."""
        rows = [self.processing[feed_type]]
        if self.hosts[host]["brine_discharge"] == "no" and rows[0]["discharge_addon"]:
            rows.append(self.processing[rows[0]["discharge_addon"]])
        h = self.hosts[host]
        unit = sum(
            row["electricity"] * h["power_price"] + row["heat"] * h["heat_price"] / 1000.0 + row["labour"] * h["wage"] / 1000.0
            + row["reagents"] + row["waste"] + row["other"]
            for row in rows
        )  # fmt: skip
        penalty = 1.0 + self.number("expertise_operating_penalty") * self.expertise_gap(host, way)
        site = h.get("operating_factor", math.nan)
        unit *= 1.0 if pd.isna(site) else site
        equipment = sum(row["equipment"] for row in rows) * self.capex_factor(host, way) * self.annuity(host)
        return unit * self.ways[way]["operating_multiplier"] * penalty, equipment

    def source_terms(self) -> None:
        """Fill what depends on the source alone."""
        known = contents(self.tables)
        self.content_of = {s: known[s] for s in self.sources}
        self.basket = {(s, y): sum(x * self.price[p, y] for p, x in self.content_of[s].items()) for s in self.sources for y in self.years}
        self.available = {}
        for s, row in self.sources.items():
            for y in self.years:
                tonnes = row["capacity"] * row["uncommitted"] * output_share(row, y)
                if tonnes > 0:
                    self.available[s, y] = tonnes * KT_PER_T

    def admissible_years(self, source: str, host: str) -> list[int]:
        """Return the years in which the source may be treated at the host by origin, thorium and cracking rules."""
        s, h = self.sources[source], self.hosts[host]
        only = split_codes(s["process_only_in"])
        thorium = THORIUM_LEVELS.index(s["thorium"])
        if (only and h["country"] not in only) or thorium > THORIUM_LEVELS.index(h["thorium_accepted"]):
            return []
        cracked = self.processing[s["feed_type"]]["needs_cracking"] == "yes"
        barred = [rule_span(row) for row in self.rules if row["host"] == host and bars_feed(row["rule"], thorium, cracked)]
        return [y for y in self.years if (source, y) in self.available and not any(a <= y <= b for a, b in barred)]

    def feeds(self, builds: Iterable[BuildKey], line: dict[BuildKey, str], integrated: dict[str, bool]) -> dict:
        self.source_terms()
        first_on_line: dict[tuple[str, str, bool], int] = {}
        for key in builds:
            h, d, _, y = key
            for cracking in (False, True) if integrated[d] else (False,):
                place = (h, line[key], cracking)
                first_on_line[place] = min(y, first_on_line.get(place, y))
        recovery = {(row["feed_type"], row["product"]): row["recovery"] for row in records(self.tables, "recoveries")}
        payability = self.number("heavy_concentrate_payability")
        cracked = {s: self.processing[row["feed_type"]]["needs_cracking"] == "yes" for s, row in self.sources.items()}
        feeds: list[FeedKey] = []
        cost: dict[str, dict[FeedKey, float]] = {component: {} for component in FEED_COSTS}
        yields: dict[tuple[str, str, str], dict[str, float]] = {}
        for h, host in self.hosts.items():
            lines = sorted({place[1] for place in first_on_line if place[0] == h})
            for s, source in self.sources.items():
                years = self.admissible_years(s, h)
                freight = self.freight_in(s, h) if years and lines else None
                if freight is None:
                    continue
                feed_type = self.processing[source["feed_type"]]
                price = {y: self.feed_price(s, y) for y in years}
                duty = {y: self.duties.duty(feed_type["customs_stage"], "", source["country"], host["country"], y, price[y]) for y in years}
                for l in lines:
                    start = first_on_line.get((h, l, cracked[s]))
                    if start is None:
                        continue
                    circuit, w = l.split(":", 1)
                    processing, equipment = self.processing_cost(source["feed_type"], h, w)
                    factor, leach = self.recovery_factor(h, w), feed_type["leach_recovery"]
                    separated, left = {}, {}
                    for p, share in self.content_of[s].items():
                        if circuit == "light_heavy" or self.circuit[p] == "light":
                            separated[p] = share * min(1.0, leach * recovery.get((source["feed_type"], p), 0.0) * factor)
                        else:
                            left[p] = share * leach * min(1.0, factor)
                    yields[s, h, l] = {p: x for p, x in separated.items() if x > 0}
                    value_left = (
                        {y: sum(x * self.price[p, y] for p, x in left.items()) for y in years} if left else dict.fromkeys(years, 0.0)
                    )
                    for y in years:
                        if y < start:
                            continue
                        key = (s, h, l, y)
                        feeds.append(key)
                        cost["feed_purchase"][key] = price[y]
                        cost["freight_in"][key] = freight
                        cost["duty_in"][key] = duty[y]
                        cost["processing"][key] = processing
                        cost["feed_equipment"][key] = equipment
                        cost["know_how_fee"][key] = self.ways[w]["fee"]
                        cost["concentrate_revenue"][key] = -payability * value_left[y]
        return {
            "feeds": tuple(feeds), "feed_cost": cost, "yields": yields, "available": self.available, "basket": self.basket,
            "content": self.content_of, "cracked": cracked, "china_linked": {s: row["china_linked"] for s, row in self.sources.items()},
        }  # fmt: skip

    # --- products and markets ---------------------------------------------------------------

    def freight_out(self, host: str, market: str) -> tuple[float, bool] | None:
        """Return (USD/kg, insured) from host to market, None where there is no route."""
        if ("product", host, market) in self.route:
            cost = self.route["product", host, market]
            return None if pd.isna(cost) else (float(cost), False)
        h, m = self.hosts[host], self.markets[market]
        sea = self.freight.sea(h["port"], m["port"]) * self.freight.rates["product_sea_multiplier"]
        inland = self.freight.inland(h["inland_km"], h["inland_mode"]) + self.freight.inland(m["inland_km"], m["inland_mode"])
        return (sea + inland) / 1000.0, True

    def needs(self) -> dict:
        """Demand, stockpiles and what a shortage costs."""
        demand = {
            (row["market"], row["sector"], row["product"], y): row[y] * KT_PER_T
            for row in records(self.tables, "demand") for y in self.years if row[y] > 0
        }  # fmt: skip
        sectors = by_key(self.tables, "sectors", "sector")
        shortage = {(c, p, y): sectors[c]["shortage_cost"] + sectors[c]["shortage_multiple"] * self.price[p, y] for _, c, p, y in demand}
        total: dict[tuple[str, str, int], float] = defaultdict(float)
        for (m, _, p, y), kt in demand.items():
            total[m, p, y] += kt
        opening, needed, holding = {}, {}, {}
        for row in records(self.tables, "stockpiles"):
            m, p = row["market"], row["product"]
            opening[m, p] = row["opening"] * KT_PER_T
            holding[m, p] = row["holding_cost"]
            for y in self.years:
                held = pd.isna(row["from_year"]) or y >= row["from_year"]
                needed[m, p, y] = row["days"] / 365.0 * total.get((m, p, y), 0.0) if held else 0.0
        return {"demand": demand, "shortage_cost": shortage, "opening_stock": opening, "stock_needed": needed, "holding_cost": holding}

    def outflows(self, made: Iterable[tuple[str, str, int]], needs: dict) -> dict:
        """Deliveries of joint products and purchases of existing oxide; only to markets with a use for the product."""
        wanted = {(m, p, y) for m, _, p, y in needs["demand"]} | set(needs["stock_needed"])
        deliveries: list[DeliverKey] = []
        out: dict[str, dict[DeliverKey, float]] = {component: {} for component in DELIVERY_COSTS}
        insurance = self.freight.rates["product_insurance"]
        legs = {(h, m): self.freight_out(h, m) for h in self.hosts for m in self.markets}
        for h, p, y in made:
            for m in self.markets:
                leg = legs[h, m]
                if leg is None or (m, p, y) not in wanted:
                    continue
                key = (h, p, m, y)
                deliveries.append(key)
                out["freight_out"][key] = leg[0] + (insurance * self.price[p, y] if leg[1] else 0.0)
                out["duty_out"][key] = self.duties.duty(
                    "oxide", p, self.hosts[h]["country"], self.markets[m]["country"], y, self.price[p, y]
                )
        offers, supply, least, purchases = {}, {}, {}, []
        bought: dict[str, dict[tuple[str, str, int], float]] = {component: {} for component in PURCHASE_COSTS}
        for row in records(self.tables, "suppliers"):
            o = offer_key(row["supplier"], row["product"], row["market"])
            p = row["product"]
            offers[o] = Offer(row["supplier"], p, row["market"], row["china_linked"])
            take = 0.0 if pd.isna(row["least_take"]) else row["least_take"]
            floor = 0.0 if pd.isna(row["price_floor"]) else row["price_floor"]
            for y in self.years:
                kt = row[y] * KT_PER_T
                if kt <= 0:
                    continue
                supply[o, y] = kt
                if take > 0:
                    least[o, y] = take * kt
                price = max(row["price_share"] * self.price[p, y], floor)
                for m in self.markets if row["market"] == ANY else (row["market"],):
                    if (m, p, y) in wanted:
                        purchases.append((o, m, y))
                        bought["oxide_purchase"][o, m, y] = price
                        bought["oxide_duty"][o, m, y] = self.duties.duty("oxide", p, row["country"], self.markets[m]["country"], y, price)
        return {
            "deliveries": tuple(deliveries), "delivery_cost": out, "offers": offers, "supply": supply, "least_take": least,
            "purchases": tuple(purchases), "purchase_cost": bought,
        }  # fmt: skip

    # --- all together ------------------------------------------------------------------------

    def build(self) -> Problem:
        plants = self.plants()
        feeds = self.feeds(plants["builds"], plants["build_line"], plants["integrated"])
        made = dict.fromkeys((h, p, y) for s, h, l, y in feeds["feeds"] for p in feeds["yields"][s, h, l])
        china = feeds["china_linked"]
        china_made = dict.fromkeys((h, p, y) for s, h, l, y in feeds["feeds"] if china[s] > 0 for p in feeds["yields"][s, h, l])
        needs = self.needs()
        first, last = int(self.number("first_year")), int(self.number("last_year"))
        spans = represented_years(self.years, last)
        flows = self.outflows(made, needs)
        return Problem(
            surpluses=tuple(made), china_surpluses=tuple(china_made),
            china_deliveries=tuple(key for key in flows["deliveries"] if (key[0], key[1], key[3]) in china_made),
            years=self.years, years_represented={y: len(span) for y, span in spans.items()},
            weight=discount_weights(self.years, first, last, self.number("discount_rate")),
            hosts=tuple(self.hosts), products=self.products, markets=tuple(self.markets),
            country={h: row["country"] for h, row in self.hosts.items()},
            market_country={m: row["country"] for m, row in self.markets.items()},
            price=self.price, surplus_price=self.surplus_price, **plants, **feeds, **needs, **flows, **policy_of(self.tables, self.years, self.products, self.hosts),
        )  # fmt: skip


def build_problem(tables: Tables) -> Problem:
    """Turn validated tables into the sets and parameters of the model.

    Parameters
    ----------
    tables
        Validated inputs with scenario changes applied.

    Returns
    -------
    Problem
        Mass in kt REO, money in MUSD; impossible tuples are left out.

    Raises
    ------
    KeyError
        A route between two ports is missing; validation reports it first.
    """
    with collector_paused():
        return _Builder(tables).build()
