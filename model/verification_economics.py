"""Money in the independent check: prices of feed and oxide, freight, duties, unit costs, capital.

Everything is recomputed from the workbook, in USD/kg, MUSD and years.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from model.schema import ANY, STAGES
from model.verification_book import LIGHT, Book, Floats, Ints, Mask, locate, numbers, texts


def annuity(rate: Floats, life: float) -> Floats:
    """Return the yearly payment that repays 1 over `life` years at `rate` a year; 1/life at rate 0."""
    flat = rate == 0
    safe = np.where(flat, 1.0, rate)
    return np.where(flat, 1 / life, safe / (1 - (1 + safe) ** -life))


def spend_shares(build_years: float, on_line: float, calendar: Ints) -> Floats:
    """Return the share of capital spent in each calendar year for a plant on line at the start of `on_line`."""
    if build_years == 0:
        return (calendar == on_line).astype(float)
    return np.clip(np.minimum(calendar + 1, on_line) - np.maximum(calendar, on_line - build_years), 0, None) / build_years


_EVERY, _NONE = -2, -3
"""Stand for every product, origin or destination in a row of ``duties``, and for a product that nothing is."""


class DutyRow(NamedTuple):
    """A row of ``duties`` by position."""

    stage: int
    product: int
    origin: int
    destination: int
    first: float
    last: float
    rate: float
    customs_value: float


@dataclass(frozen=True)
class Economics:
    """Unit prices and costs of a book."""

    book: Book

    # Prices ----------------------------------------------------------------------------------

    @cached_property
    def basket(self) -> Floats:
        """Source x year value of the oxides in a kg of feed, USD/kg."""
        return self.book.share @ self.book.market_price

    @cached_property
    def feed_price(self) -> Floats:
        """Source x year price of feed, USD/kg REO."""
        frame = self.book.tables["sources"]
        payability, fixed = numbers(frame, "payability")[:, None], numbers(frame, "fixed_price")[:, None]
        return np.where(np.isnan(payability), fixed, payability * self.basket)

    @cached_property
    def heavy_value(self) -> Floats:
        """Source x year worth of leached medium and heavy elements that a light-only plant sells, USD/kg REO of feed."""
        worth = (self.book.share * self.book.heavy) @ self.book.market_price
        return self.book.setting("heavy_concentrate_payability") * self.book.leach[:, None] * worth

    def concentrate(self, source: Ints, host: Ints, line: Ints, year: Ints) -> Floats:
        """Return revenue from concentrate by row of feed, USD/kg REO of feed; 0 where the line separates everything."""
        ways = self.book.count("way")
        factor = np.minimum(1.0, self.book.recovery_factor[host, line % ways])
        return np.where(line // ways == LIGHT, factor * self.heavy_value[source, year], 0.0)

    @cached_property
    def offer_price(self) -> Floats:
        """Row of ``suppliers`` x year price, USD/kg."""
        frame = self.book.tables["suppliers"]
        product = self.book.positions("product", texts(frame["product"]))
        follows = numbers(frame, "price_share")[:, None] * self.book.market_price[product]
        return np.maximum(follows, numbers(frame, "price_floor", 0.0)[:, None])

    @cached_property
    def shortage_cost(self) -> Floats:
        """Sector x product x year cost of a kg short, USD/kg."""
        frame = self.book.tables["sectors"]
        fixed, multiple = numbers(frame, "shortage_cost", 0.0), numbers(frame, "shortage_multiple", 0.0)
        return fixed[:, None, None] + multiple[:, None, None] * self.book.market_price[None, :, :]

    # Freight ---------------------------------------------------------------------------------

    def _inland(self, sheet: str) -> Floats:
        """Return the inland leg of each row, USD per t shipped."""
        frame = self.book.tables[sheet]
        rates = [0.0 if mode in ("none", "") else self.book.setting(f"{mode}_rate") for mode in texts(frame["inland_mode"])]
        return numbers(frame, "inland_km", 0.0) * np.array(rates)

    @cached_property
    def _sea(self) -> tuple[pd.Index, Floats]:
        """Ports and sea freight between them, USD per t shipped; NaN where no distance is known."""
        frame, ports = self.book.tables["distances"], self.book.tables["ports"]
        names = pd.Index(texts(ports["port"]), dtype=object)
        start, end = locate(names, texts(frame["from_port"])), locate(names, texts(frame["to_port"]))
        miles = np.full((len(names), len(names)), np.nan)
        known = (start >= 0) & (end >= 0)
        length = numbers(frame, str(self.book.settings["route_basis"]))[known]
        miles[end[known], start[known]] = length
        miles[start[known], end[known]] = length
        feeder = (texts(ports["feeder"]) == "yes").astype(float)
        freight = self.book.setting("sea_fixed") + self.book.setting("sea_rate") * miles / 1000
        freight = freight + self.book.setting("feeder_addon") * (feeder[:, None] + feeder[None, :])
        np.fill_diagonal(freight, 0.0)
        return names, freight

    def _sea_between(self, sheet: str, other: str) -> Floats:
        """Return sea freight between each row of two sheets, USD per t shipped."""
        names, freight = self._sea
        first, second = (locate(names, texts(self.book.tables[s]["port"])) for s in (sheet, other))
        found = freight[np.ix_(first, second)]
        return np.where((first >= 0)[:, None] & (second >= 0)[None, :], found, np.nan)

    def _replaced(self, leg: str, origin: str, destination: str) -> tuple[Ints, Ints, Floats]:
        """Return origin, destination and cost (NaN: no route) of each row of ``route_costs`` for a leg."""
        frame = self.book.tables["route_costs"]
        rows = frame[texts(frame["leg"]) == leg]
        start, end = self.book.positions(origin, texts(rows["origin"])), self.book.positions(destination, texts(rows["destination"]))
        known = (start >= 0) & (end >= 0)
        return start[known], end[known], numbers(rows, "cost")[known]

    @cached_property
    def freight_in(self) -> Floats:
        """Source x host freight, USD/kg REO; NaN where there is no route."""
        frame = self.book.tables["sources"]
        active = (texts(frame["radioactive_cargo"]) == "yes").astype(float)[:, None]
        sea = self._sea_between("sources", "hosts") * (1 + active * (self.book.setting("radioactive_sea_multiplier") - 1))
        shipped = (
            self._inland("sources")[:, None] + sea + active * self.book.setting("radioactive_handling") + self._inland("hosts")[None, :]
        )
        freight = shipped / numbers(frame, "grade")[:, None] / 1000
        start, end, cost = self._replaced("feed", "source", "host")
        freight[start, end] = cost
        return freight

    @cached_property
    def _freight_out(self) -> tuple[Floats, Mask]:
        """Host x market freight without insurance, USD/kg (NaN: no route), and whether insurance is added."""
        sea = self._sea_between("hosts", "markets") * self.book.setting("product_sea_multiplier")
        freight = (self._inland("hosts")[:, None] + sea + self._inland("markets")[None, :]) / 1000
        insured = np.ones(freight.shape, dtype=bool)
        start, end, cost = self._replaced("product", "host", "market")
        freight[start, end] = cost
        insured[start, end] = False
        return freight, insured

    def freight_out(self, host: Ints, market: Ints, product: Ints, year: Ints) -> Floats:
        """Return freight of each row of deliveries, USD/kg; NaN where there is no route."""
        freight, insured = self._freight_out
        insurance = self.book.setting("product_insurance") * self.book.market_price[product, year]
        return freight[host, market] + np.where(insured[host, market], insurance, 0.0)

    # Duties ----------------------------------------------------------------------------------

    @cached_property
    def countries(self) -> pd.Index:
        """Every country of a source, host, market or supplier."""
        found = [self.book.country(sheet) for sheet in ("sources", "hosts", "markets", "suppliers")]
        return pd.Index(pd.unique(np.concatenate(found)), dtype=object)

    def positions_of(self, sheet: str) -> Ints:
        """Return the position of each row's country in `countries`."""
        return locate(self.countries, self.book.country(sheet))

    def duty(self, stage: Ints, product: Ints, origin: Ints, destination: Ints, year: Ints, value: Floats) -> Floats:
        """Return the duty of each row, USD/kg.

        Parameters
        ----------
        stage
            Position in ``STAGES``.
        product
            Position of the product, -1 for feed, which only rows for every product concern.
        origin, destination
            Positions in `countries`.
        year
            Position of the modelled year.
        value
            Customs value in USD/kg where a row of ``duties`` states none.
        """
        sizes = (len(STAGES), self.book.count("product") + 1, len(self.countries), len(self.countries), self.book.count("year"))
        keys = np.ravel_multi_index((stage, product + 1, origin, destination, year), sizes)
        distinct, back = np.unique(keys, return_inverse=True)
        at_stage, one_up, start, end, when = np.unravel_index(distinct, sizes)
        by_price, by_kg = self._duty_terms(at_stage, one_up - 1, start, end, when)
        return by_price[back] * value + by_kg[back]

    def _duty_terms(self, stage: Ints, product: Ints, origin: Ints, destination: Ints, year: Ints) -> tuple[Floats, Floats]:
        """Return duty as a share of the price, and as USD/kg on stated values."""
        by_price, by_kg = np.zeros(len(stage)), np.zeros(len(stage))
        calendar = self.book.years[year]
        for measure in self._duty_rows.values():
            rate, stated = np.zeros(len(stage)), np.full(len(stage), np.nan)
            for row in measure:
                hit = (stage == row.stage) & (calendar >= row.first) & (calendar <= row.last)
                for codes, wanted in ((product, row.product), (origin, row.origin), (destination, row.destination)):
                    if wanted != _EVERY:
                        hit &= codes == wanted
                rate[hit], stated[hit] = row.rate, row.customs_value
            by_price += np.where(np.isnan(stated), rate / 100, 0.0)
            by_kg += np.where(np.isnan(stated), 0.0, rate / 100 * np.nan_to_num(stated))
        home = origin == destination
        return np.where(home, 0.0, by_price), np.where(home, 0.0, by_kg)

    @cached_property
    def _duty_rows(self) -> dict[str, list[DutyRow]]:
        """Rows of ``duties`` by measure, the more specific after the less (product before origin before destination)."""
        frame = self.book.tables["duties"]
        product, origin, destination = (texts(frame[column]) for column in ("product", "origin", "destination"))
        specific = 4 * (product != "") + 2 * (origin != ANY) + (destination != ANY)
        first = numbers(frame, "from_year", -np.inf)
        known = self.book.positions("product", product)
        columns = [
            [STAGES.index(stage) for stage in texts(frame["stage"])],
            np.where(product == "", _EVERY, np.where(known < 0, _NONE, known)).tolist(),
            np.where(origin == ANY, _EVERY, locate(self.countries, origin)).tolist(),
            np.where(destination == ANY, _EVERY, locate(self.countries, destination)).tolist(),
            first.tolist(),
            numbers(frame, "to_year", np.inf).tolist(),
            numbers(frame, "rate", 0.0).tolist(),
            numbers(frame, "customs_value").tolist(),
        ]
        rows = [DutyRow(*row) for row in zip(*columns, strict=True)]
        measures = texts(frame["measure"])
        by_measure: dict[str, list[DutyRow]] = {}
        for at in np.lexsort((first, specific)):
            by_measure.setdefault(measures[at], []).append(rows[at])
        return by_measure

    def duty_in(self, source: Ints, host: Ints, year: Ints) -> Floats:
        """Return duty on each row of feed, USD/kg REO."""
        stages = np.array([STAGES.index(stage) for stage in texts(self.book.tables["processing"]["customs_stage"])], dtype=np.int64)
        origin, destination = self.positions_of("sources")[source], self.positions_of("hosts")[host]
        every = np.full(len(source), -1)
        return self.duty(stages[self.book.feed_type[source]], every, origin, destination, year, self.feed_price[source, year])

    def duty_out(self, host: Ints, product: Ints, market: Ints, year: Ints) -> Floats:
        """Return duty on each row of deliveries, USD/kg."""
        oxide = np.full(len(host), STAGES.index("oxide"))
        origin, destination = self.positions_of("hosts")[host], self.positions_of("markets")[market]
        return self.duty(oxide, product, origin, destination, year, self.book.market_price[product, year])

    def purchase_duty(self, offer: Ints, product: Ints, market: Ints, year: Ints) -> Floats:
        """Return duty on each row of purchases, USD/kg."""
        oxide = np.full(len(offer), STAGES.index("oxide"))
        origin, destination = self.positions_of("suppliers")[offer], self.positions_of("markets")[market]
        return self.duty(oxide, product, origin, destination, year, self.offer_price[offer, year])

    # Processing and capital --------------------------------------------------------------------

    def _with_addon(self, column: str, source: Ints, host: Ints) -> Floats:
        """Return a figure of ``processing`` for each row of feed, the discharge add-on's included where it applies."""
        frame = self.book.tables["processing"]
        figure, types = numbers(frame, column, 0.0), pd.Index(texts(frame["feed_type"]), dtype=object)
        addon = locate(types, texts(frame["discharge_addon"]))
        extra = np.where(addon >= 0, figure[addon], 0.0)
        barred = texts(self.book.tables["hosts"]["brine_discharge"]) == "no"
        kind = self.book.feed_type[source]
        return figure[kind] + np.where(barred[host], extra[kind], 0.0)

    def processing(self, source: Ints, host: Ints, way: Ints) -> Floats:
        """Return processing cost of each row of feed, USD/kg REO."""
        hosts = self.book.tables["hosts"]
        cost = self._with_addon("electricity", source, host) * numbers(hosts, "power_price")[host]
        cost += self._with_addon("heat", source, host) * numbers(hosts, "heat_price")[host] / 1000
        cost += self._with_addon("labour", source, host) * numbers(hosts, "wage")[host] / 1000
        for column in ("reagents", "waste", "other"):
            cost += self._with_addon(column, source, host)
        cost *= numbers(hosts, "operating_factor", 1.0)[host]
        penalty = 1 + self.book.setting("expertise_operating_penalty") * self.book.gap[host, way]
        return cost * numbers(self.book.tables["know_how"], "operating_multiplier")[way] * penalty

    @cached_property
    def capex_multiplier(self) -> Floats:
        """Host x way multiplier on capital cost."""
        site, way = numbers(self.book.tables["hosts"], "capex_factor"), numbers(self.book.tables["know_how"], "capex_multiplier")
        return site[:, None] * way[None, :] * (1 + self.book.setting("expertise_capex_penalty") * self.book.gap)

    @cached_property
    def annuity(self) -> Floats:
        """Annuity at each host's real cost of capital."""
        nominal = numbers(self.book.tables["hosts"], "cost_of_capital")
        return annuity((1 + nominal) / (1 + self.book.setting("inflation")) - 1, self.book.setting("plant_life"))

    def equipment(self, source: Ints, host: Ints, way: Ints) -> Floats:
        """Return capital charge of feed-specific equipment by row of feed, USD/kg REO."""
        return self._with_addon("equipment", source, host) * self.capex_multiplier[host, way] * self.annuity[host]

    def capex(self, host: Ints, design: Ints, way: Ints) -> Floats:
        """Return capital cost of each plant, MUSD."""
        return numbers(self.book.tables["designs"], "capex")[design] * self.capex_multiplier[host, way]

    @cached_property
    def partner_share(self) -> Floats:
        """Market x host share of capital that a partner pays; 0 for a market that is no partner."""
        markets = self.book.tables["markets"]
        partner = texts(markets["partner"]) == "yes"
        equity = np.where(partner, numbers(markets, "equity", 0.0), 0.0)
        home = np.isin(self.book.country("hosts"), self.book.country("markets")[partner])
        foreign = numbers(self.book.tables["hosts"], "foreign_share_limit", 1.0)
        return equity[:, None] * np.where(home, 1.0, foreign)[None, :]
