"""Parameters of the audited book, one figure at a time.

The arithmetic is plain Python over the records, written from formulation.md and apart from
the check that it is used to test. Quantities are t REO, USD/kg and MUSD.
"""

from __future__ import annotations

from tests.audited_book import AUDIT_SETTINGS, HEAVY, PRODUCTS, SPAN


class Reference:
    """Parameters of the book, one figure at a time, by code and year."""

    def __init__(self, records: dict[str, list[dict]], settings: dict[str, object]) -> None:
        self.records, self.settings = records, {**AUDIT_SETTINGS, **settings}
        self.source = {row["source_id"]: row for row in records["sources"]}
        self.host = {row["host"]: row for row in records["hosts"]}
        self.design = {row["design"]: row for row in records["designs"]}
        self.way = {row["way"]: row for row in records["know_how"]}
        self.market = {row["market"]: row for row in records["markets"]}
        self.offer = {(row["supplier"], row["product"], row["market"]): row for row in records["suppliers"]}
        self.type = {row["feed_type"]: row for row in records["processing"]}
        self.element = {row["element"]: row for row in records["elements"]}
        self.composition = {row["source_id"]: row for row in records["composition"]}

    def weight(self, year: int) -> float:
        return sum(1.05 ** -(t - 2030) for t in range(year, year + SPAN[year]))

    def price(self, product: str, year: int, item: str = "market") -> float:
        return next(row[year] for row in self.records["prices"] if (row["product"], row["item"]) == (product, item))

    def share(self, source: str, product: str) -> float:
        return sum(self.composition[source][e] for e, row in self.element.items() if row["product"] == product)

    def basket(self, source: str, year: int) -> float:
        return sum(self.share(source, p) * self.price(p, year) for p in PRODUCTS)

    def feed_price(self, source: str, year: int) -> float:
        row = self.source[source]
        return row["fixed_price"] if row["payability"] is None else row["payability"] * self.basket(source, year)

    def gap(self, host: str, way: str) -> float:
        return 1 - max(self.host[host]["expertise"], self.way[way]["expertise_up_to"])

    def recovery(self, source: str, host: str, line: str, product: str) -> float:
        circuit, way = line.split(":")
        if circuit == "light" and product in HEAVY:
            return 0.0
        kind = self.source[source]["feed_type"]
        rate = next(row["recovery"] for row in self.records["recoveries"] if (row["feed_type"], row["product"]) == (kind, product))
        return self.type[kind]["leach_recovery"] * rate * self.way[way]["recovery_multiplier"] * (1 - 0.1 * self.gap(host, way))

    def capex(self, host: str, design: str, way: str) -> float:
        return self.design[design]["capex"] * self._capital_factor(host, way)

    def _capital_factor(self, host: str, way: str) -> float:
        return self.host[host]["capex_factor"] * self.way[way]["capex_multiplier"] * (1 + 0.2 * self.gap(host, way))

    def annuity(self, host: str) -> float:
        rate = (1 + self.host[host]["cost_of_capital"]) / 1.02 - 1
        return rate / (1 - (1 + rate) ** -10)

    def usable(self, host: str, design: str, way: str, age: int) -> float:
        ramp = self.design[design][f"ramp_{min(age, 3) + 1}"]
        return self.design[design]["capacity"] * ramp * (1 - 0.2 * self.gap(host, way) if age < 3 else 1)

    def inputs(self, source: str, host: str, column: str) -> float:
        row = self.type[self.source[source]["feed_type"]]
        addon = row.get("discharge_addon") if self.host[host]["brine_discharge"] == "no" else None
        return row[column] + (self.type[addon][column] if addon else 0)

    def processing(self, source: str, host: str, way: str) -> float:
        site = self.host[host]
        energy = (
            self.inputs(source, host, "electricity") * site["power_price"] + self.inputs(source, host, "heat") * site["heat_price"] / 1000
        )
        rest = self.inputs(source, host, "labour") * site["wage"] / 1000
        rest += sum(self.inputs(source, host, column) for column in ("reagents", "waste", "other"))
        return (energy + rest) * self.way[way]["operating_multiplier"] * (1 + 0.1 * self.gap(host, way))

    def equipment(self, source: str, host: str, way: str) -> float:
        return self.inputs(source, host, "equipment") * self._capital_factor(host, way) * self.annuity(host)

    def _inland(self, row: dict) -> float:
        return row["inland_km"] * {"truck": 0.1, "rail": 0.05}[row["inland_mode"]]

    def _sea(self, first: str, second: str) -> float:
        if first == second:
            return 0.0
        miles = next(row["no_red_sea"] for row in self.records["distances"] if {row["from_port"], row["to_port"]} == {first, second})
        feeders = sum(row["feeder"] == "yes" for row in self.records["ports"] if row["port"] in (first, second))
        return 70 + 3 * miles / 1000 + 40 * feeders

    def _stated_route(self, leg: str, origin: str, destination: str) -> float | None:
        for row in self.records["route_costs"]:
            if (row["leg"], row["origin"], row["destination"]) == (leg, origin, destination):
                return row["cost"] or 0.0
        return None

    def freight_in(self, source: str, host: str) -> float:
        stated = self._stated_route("feed", source, host)
        if stated is not None:
            return stated
        row, site = self.source[source], self.host[host]
        sea, handling = self._sea(row["port"], site["port"]), 0
        if row["radioactive_cargo"] == "yes":
            sea, handling = 2 * sea, 100
        return (self._inland(row) + sea + handling + self._inland(site)) / row["grade"] / 1000

    def freight_out(self, host: str, market: str, product: str, year: int) -> float:
        stated = self._stated_route("product", host, market)
        if stated is not None:
            return stated
        site, buyer = self.host[host], self.market[market]
        sea = self._sea(site["port"], buyer["port"]) * 1.3
        return (self._inland(site) + sea + self._inland(buyer)) / 1000 + 0.003 * self.price(product, year)

    def duty(self, stage: str, product: str, origin: str, destination: str, year: int, value: float) -> float:
        best: dict[str, tuple[tuple[bool, bool, bool], dict]] = {}
        for row in self.records["duties"]:
            limit = row.get("product", "")
            fits = row["stage"] == stage and limit in ("", product) and row["origin"] in ("*", origin)
            if fits and row["destination"] in ("*", destination) and row.get("from_year", 0) <= year <= row.get("to_year", 9999):
                rank = (limit != "", row["origin"] != "*", row["destination"] != "*")
                if row["measure"] not in best or rank > best[row["measure"]][0]:
                    best[row["measure"]] = rank, row
        if origin == destination:
            return 0.0
        return sum(row["rate"] / 100 * row.get("customs_value", value) for _, row in best.values())

    def duty_in(self, source: str, host: str, year: int) -> float:
        row = self.source[source]
        stage = self.type[row["feed_type"]]["customs_stage"]
        return self.duty(stage, "", row["country"], self.host[host]["country"], year, self.feed_price(source, year))

    def offer_price(self, offer: tuple[str, str, str], year: int) -> float:
        row = self.offer[offer]
        return max(row["price_share"] * self.price(offer[1], year), row.get("price_floor", 0))

    def shortage_cost(self, sector: str, product: str, year: int) -> float:
        row = next(row for row in self.records["sectors"] if row["sector"] == sector)
        return row["shortage_cost"] + row["shortage_multiple"] * self.price(product, year)

    def line(self, design: str, way: str) -> str:
        return ("light_heavy:" if self.design[design]["heavies"] == "yes" else "light:") + way
