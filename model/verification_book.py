"""What the independent check reads from the workbook: codes, calendar, materials and sites.

Everything is an array in the workbook's own units (t, USD/kg, MUSD, years), indexed by the
position of a code in its sheet. Money is in :mod:`model.verification_economics`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.schema import ANY, THORIUM_LEVELS
from model.tables import Tables

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

CIRCUITS = ("light_heavy", "light")
LIGHT = CIRCUITS.index("light")


def texts(values: pd.Series) -> NDArray[np.object_]:
    """Return a column as plain strings, "" for a blank."""
    cells = zip(values.to_numpy(dtype=object), values.isna().to_numpy(), strict=True)
    return np.array(["" if blank else str(value) for value, blank in cells], dtype=object)


def numbers(frame: pd.DataFrame, column: object, blank: float = np.nan) -> Floats:
    """Return a numeric column as floats, with `blank` for an empty cell or a column that is not there."""
    if column not in frame.columns:
        return np.full(len(frame), blank)
    values = frame[column].to_numpy(dtype=float)
    return np.where(np.isnan(values), blank, values)


def yearly(frame: pd.DataFrame, years: Ints, blank: float = np.nan) -> Floats:
    """Return the year columns as an array of rows by years."""
    if not len(years):
        return np.zeros((len(frame), 0))
    return np.column_stack([numbers(frame, int(year), blank) for year in years])


def locate(index: pd.Index, codes: Sequence[object] | NDArray | pd.Index) -> Ints:
    """Return the position of each code in `index`, -1 where it is unknown."""
    return index.get_indexer(pd.Index(codes, dtype=object)).astype(np.int64)


@dataclass(frozen=True)
class HostRule:
    """A dated rule of ``host_rules``; `product` is -1 for every product."""

    rule_id: str
    host: int
    rule: str
    first: float
    last: float
    value: float
    product: int

    def holds(self, years: Ints | Floats) -> Mask:
        """Return whether the rule holds in each of the years."""
        return (years >= self.first) & (years <= self.last)


@dataclass(frozen=True)
class Book:
    """The input tables, read for the check alone."""

    tables: Tables

    # Codes -----------------------------------------------------------------------------------

    def _codes(self, sheet: str, column: str) -> pd.Index:
        return pd.Index(texts(self.tables[sheet][column]), dtype=object)

    @cached_property
    def codes(self) -> dict[str, pd.Index]:
        """Codes by what they stand for; a position in one of these is an index of every array here."""
        ways = self._codes("know_how", "way")
        products = pd.Index(pd.unique(self._codes("elements", "product")), dtype=object)
        return {
            "source": self._codes("sources", "source_id"),
            "host": self._codes("hosts", "host"),
            "design": self._codes("designs", "design"),
            "way": ways,
            "line": pd.Index([f"{circuit}:{way}" for circuit in CIRCUITS for way in ways], dtype=object),
            "product": products[products != ""],
            "market": self._codes("markets", "market"),
            "sector": self._codes("sectors", "sector"),
            "supplier": self._codes("suppliers", "supplier").unique(),
            "cap": self._codes("caps", "cap"),
            "year": pd.Index(self.years),
        }

    def count(self, kind: str) -> int:
        """Return how many codes of a kind there are."""
        return len(self.codes[kind])

    def place(self, *kinds: str) -> Callable[..., str]:
        """Return a function that turns positions, one for each kind, into words."""

        def words(*positions: int) -> str:
            return ", ".join(f"{kind} {self.codes[kind][position]}" for kind, position in zip(kinds, positions, strict=True))

        return words

    def positions(self, kind: str, codes: Sequence[object] | NDArray | pd.Index) -> Ints:
        """Return the position of each code, -1 where it is unknown."""
        return locate(self.codes[kind], codes)

    # Calendar --------------------------------------------------------------------------------

    @cached_property
    def settings(self) -> dict[str, str | float]:
        """Every setting by name."""
        return self.tables.settings

    def setting(self, name: str) -> float:
        """Return a numeric setting."""
        return float(self.settings[name])

    @cached_property
    def years(self) -> Ints:
        """Modelled years in order."""
        listed = str(self.settings["modelled_years"]).strip()
        if listed == "all":
            return np.arange(int(self.setting("first_year")), int(self.setting("last_year")) + 1)
        return np.unique([int(float(year)) for year in listed.split(",") if year.strip()]).astype(np.int64)

    @cached_property
    def represented(self) -> Floats:
        """Calendar years from each modelled year up to the next, the last one's up to and including `last_year`."""
        return np.diff(np.append(self.years, int(self.setting("last_year")) + 1)).astype(float)

    @cached_property
    def weight(self) -> Floats:
        """Discounted years that each modelled year stands for."""
        growth, first = 1 + self.setting("discount_rate"), self.setting("first_year")
        spans = zip(self.years, self.represented, strict=True)
        return np.array([sum(growth ** -(year + k - first) for k in range(int(length))) for year, length in spans])

    # Materials -------------------------------------------------------------------------------

    def price(self, item: str) -> Floats:
        """Return product x year prices in USD/kg, NaN where the workbook has none."""
        frame = self.tables["prices"]
        rows = frame[texts(frame["item"]) == item]
        table = pd.DataFrame(yearly(rows, self.years), index=texts(rows["product"]))
        return table.reindex(self.codes["product"]).to_numpy()

    @cached_property
    def market_price(self) -> Floats:
        """Product x year market price, USD/kg; 0 where missing, which `input_figures_present` reports."""
        return np.nan_to_num(self.price("market"))

    @cached_property
    def surplus_price(self) -> Floats:
        """Product x year price of a surplus, USD/kg; 0 where missing, which `input_figures_present` reports."""
        return np.nan_to_num(self.price("surplus"))

    @cached_property
    def share(self) -> Floats:
        """Source x product share of the source's oxide."""
        elements = self.tables["elements"]
        frame = self.tables["composition"]
        parts = pd.DataFrame(
            {element: numbers(frame, element, 0.0) for element in texts(elements["element"])}, index=texts(frame["source_id"])
        )
        composition = parts.reindex(self.codes["source"]).fillna(0.0).to_numpy()
        product = self.positions("product", texts(elements["product"]))
        return composition @ (product[:, None] == np.arange(self.count("product"))[None, :]).astype(float)

    @cached_property
    def heavy(self) -> Mask:
        """Products that only the heavy circuit separates."""
        elements = self.tables["elements"]
        heavy = texts(elements["product"])[texts(elements["circuit"]) == "heavy"]
        return np.isin(self.codes["product"].to_numpy(dtype=object), heavy)

    @cached_property
    def linked(self) -> Floats:
        """China-linked share of each source."""
        return numbers(self.tables["sources"], "china_linked", 0.0)

    @cached_property
    def feed_type(self) -> Ints:
        """Row of ``processing`` of each source's feed type."""
        return locate(self._codes("processing", "feed_type"), self._codes("sources", "feed_type"))

    @cached_property
    def leach(self) -> Floats:
        """Leach recovery of each source's feed type."""
        return numbers(self.tables["processing"], "leach_recovery")[self.feed_type]

    @cached_property
    def cracking(self) -> Mask:
        """Sources whose feed needs cracking."""
        return (texts(self.tables["processing"]["needs_cracking"]) == "yes")[self.feed_type]

    @cached_property
    def base_recovery(self) -> Floats:
        """Source x product recovery by leaching and separation, before host and way count; 0 without a row."""
        frame = self.tables["recoveries"]
        rows = pd.MultiIndex.from_arrays([texts(frame["feed_type"]), texts(frame["product"])])
        wanted = pd.MultiIndex.from_product([texts(self.tables["sources"]["feed_type"]), self.codes["product"]])
        found = pd.Series(numbers(frame, "recovery", 0.0), index=rows).reindex(wanted).fillna(0.0).to_numpy()
        return self.leach[:, None] * found.reshape(self.count("source"), self.count("product"))

    @cached_property
    def gap(self) -> Floats:
        """Host x way lack of expertise: 1 less the better of the host's own and what the way brings."""
        own = numbers(self.tables["hosts"], "expertise", 0.0)
        brought = numbers(self.tables["know_how"], "expertise_up_to", 0.0)
        return 1 - np.maximum(own[:, None], brought[None, :])

    @cached_property
    def recovery_factor(self) -> Floats:
        """Host x way factor on recovery."""
        multiplier = numbers(self.tables["know_how"], "recovery_multiplier", 1.0)
        return multiplier[None, :] * (1 - self.setting("expertise_recovery_penalty") * self.gap)

    def recovery(self, source: Ints, host: Ints, line: Ints) -> Floats:
        """Return recovery of each product from each row's feed on its line, rows x products."""
        ways = self.count("way")
        rate = np.minimum(1.0, self.base_recovery[source] * self.recovery_factor[host, line % ways][:, None])
        return np.where((line // ways == LIGHT)[:, None] & self.heavy[None, :], 0.0, rate)

    @cached_property
    def available(self) -> Floats:
        """Source x year uncommitted output, t REO/y."""
        frame = self.tables["sources"]
        age = self.years[None, :] - numbers(frame, "first_year")[:, None]
        first, second = numbers(frame, "ramp_1")[:, None], numbers(frame, "ramp_2")[:, None]
        ramp = np.select([age < 0, age == 0, age == 1], [0.0, first, second], 1.0)
        return (numbers(frame, "capacity") * numbers(frame, "uncommitted"))[:, None] * ramp

    @cached_property
    def thorium(self) -> Ints:
        """Thorium level of each source, 0 for none."""
        return np.array([THORIUM_LEVELS.index(level) for level in texts(self.tables["sources"]["thorium"])], dtype=np.int64)

    # Sites and designs -----------------------------------------------------------------------

    def country(self, sheet: str) -> NDArray[np.object_]:
        """Return the country of each row of a sheet."""
        return texts(self.tables[sheet]["country"])

    @cached_property
    def abroad(self) -> Mask:
        """Host x market: the market is in another country."""
        return self.country("hosts")[:, None] != self.country("markets")[None, :]

    @cached_property
    def rules(self) -> list[HostRule]:
        """Dated rules of the hosts."""
        frame = self.tables["host_rules"]
        columns = [
            texts(frame["rule_id"]),
            self.positions("host", texts(frame["host"])).tolist(),
            texts(frame["rule"]),
            numbers(frame, "from_year", -np.inf).tolist(),
            numbers(frame, "to_year", np.inf).tolist(),
            numbers(frame, "value").tolist(),
            self.positions("product", texts(frame["product"])).tolist(),
        ]
        return [HostRule(*row) for row in zip(*columns, strict=True)]

    def rules_of(self, kind: str) -> list[HostRule]:
        """Return the rules of one kind."""
        return [rule for rule in self.rules if rule.rule == kind]

    @cached_property
    def circuit(self) -> Ints:
        """Circuit of each design."""
        return np.where(texts(self.tables["designs"]["heavies"]) == "yes", CIRCUITS.index("light_heavy"), LIGHT)

    @cached_property
    def integrated(self) -> Mask:
        """Designs that crack."""
        return texts(self.tables["designs"]["scope"]) == "integrated"

    @cached_property
    def capacity(self) -> Floats:
        """Nameplate of each design, t REO/y."""
        return numbers(self.tables["designs"], "capacity")

    @cached_property
    def ramp(self) -> Floats:
        """Design x age usable share of capacity, before expertise counts; the last column is for every later age."""
        return np.column_stack([numbers(self.tables["designs"], f"ramp_{age}") for age in (1, 2, 3, 4)])

    # Demand and existing supply ----------------------------------------------------------------

    @cached_property
    def demand_rows(self) -> pd.MultiIndex:
        """(market, sector, product) positions of each row of ``demand``."""
        frame = self.tables["demand"]
        return pd.MultiIndex.from_arrays([self.positions(kind, texts(frame[kind])) for kind in ("market", "sector", "product")])

    @cached_property
    def demand(self) -> Floats:
        """Demand of each row of ``demand`` x year, t REO/y."""
        return yearly(self.tables["demand"], self.years, 0.0)

    @cached_property
    def market_demand(self) -> Floats:
        """Market x product x year demand of all sectors, t REO/y."""
        total = np.zeros((self.count("market"), self.count("product"), len(self.years)))
        rows = self.demand_rows
        market, product = rows.get_level_values(0).to_numpy(), rows.get_level_values(2).to_numpy()
        known = (market >= 0) & (product >= 0)
        np.add.at(total, (market[known], product[known]), self.demand[known])
        return total

    @cached_property
    def offers(self) -> pd.MultiIndex:
        """(supplier, product, offered market) of each row of ``suppliers``, as text."""
        frame = self.tables["suppliers"]
        return pd.MultiIndex.from_arrays([texts(frame[column]) for column in ("supplier", "product", "market")])

    @cached_property
    def offer_supply(self) -> Floats:
        """Tonnes of each row of ``suppliers`` x year."""
        return yearly(self.tables["suppliers"], self.years, 0.0)

    @cached_property
    def offer_linked(self) -> Floats:
        """China-linked share of each row of ``suppliers``."""
        return numbers(self.tables["suppliers"], "china_linked", 0.0)

    def offer_words(self, row: int) -> str:
        """Return a row of ``suppliers`` in words."""
        supplier, product, market = self.offers[row]
        return f"supplier {supplier}, product {product}, offered to {'any market' if market == ANY else market}"

    @cached_property
    def stockpiles(self) -> pd.MultiIndex:
        """(market, product) positions of each row of ``stockpiles``."""
        frame = self.tables["stockpiles"]
        return pd.MultiIndex.from_arrays([self.positions(kind, texts(frame[kind])) for kind in ("market", "product")])

    @cached_property
    def stock_needed(self) -> Floats:
        """Stock to hold, row of ``stockpiles`` x year, t REO."""
        frame = self.tables["stockpiles"]
        days = numbers(frame, "days", 0.0)[:, None] / 365
        demand = self.market_demand[self.stockpiles.get_level_values(0), self.stockpiles.get_level_values(1)]
        return np.where(self.years[None, :] >= numbers(frame, "from_year", -np.inf)[:, None], days * demand, 0.0)
