"""The context sheet: published figures beside the model's own, and the customs view behind them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from model.published import COUNTRY_CODES
from model.report_book import Book, DataTable, Field, Live, Other, Row, Value, less, ratio
from model.report_page import Page
from model.report_tables import ReportTables

NOT_MODELLED = "not in the model"


@dataclass(frozen=True)
class OwnFigure:
    """The model's counterpart of a published figure.

    Parameters
    ----------
    value
        In the unit of the published figure.
    words
        What was computed, for the reader to judge whether the two are alike.
    """

    value: Live
    words: str


class Context:
    """Figures of the first modelled year as formulas over the flow sheets."""

    def __init__(self, data: ReportTables) -> None:
        self.data, self.sources = data, data.sources
        self.year = data.problem.years[0]
        self.market_of = {country: m for m, country in data.problem.market_country.items()}

    def imports(self, market: str, column: str, origin: Value | Live | None = None, year: int | None = None) -> Live:
        """Return a market's imports, from one origin or all foreign ones, added up from deliveries and purchases."""
        year = year or self.year
        home = self.data.problem.market_country[market]
        if isinstance(origin, str) and origin == home:
            return Live("0", 0.0)
        wanted = Other(home) if origin is None else origin
        joint = self.data.deliveries.sum(column, market=market, year=year, country=wanted)
        return joint + self.data.purchases.sum(column, market=market, year=year, customs_origin=wanted)

    def supplied(self, column: str, market: str | None = None, year: int | None = None) -> Live:
        """Return all oxide that one market, or all of them, receive."""
        where: dict[str, Value] = {"year": year or self.year, **({"market": market} if market else {})}
        return self.data.deliveries.sum(column, **where) + self.data.purchases.sum(column, **where)

    def refined_in(self, column: str, country: Value | Live) -> Live:
        """Return the oxide of all markets that was refined in a country."""
        joint = self.data.deliveries.sum(column, year=self.year, country=country)
        return joint + self.data.purchases.sum(column, year=self.year, refined_in=country)

    # --- counterparts of published figures ----------------------------------------------------

    def own_figure(self, name: str, unit: str) -> OwnFigure | None:
        """Return the counterpart of a published figure by its name, None where the model has none."""
        plain = re.sub(r"_(19|20)\d\d(_\d\d)?$", "", name.lower())
        readers: tuple[tuple[str, Callable[..., OwnFigure | None]], ...] = (
            (r"([a-z]+)_import_value_share_([a-z]+)", lambda m, o: self._import_share(m, o, unit, "value")),
            (r"([a-z]+)_import_share_([a-z]+)", lambda m, o: self._import_share(m, o, unit, "tonnes")),
            (r"([a-z]+)_imports_from_([a-z]+)", lambda m, o: self._imports_from(m, o, unit)),
            (r"([a-z]+)_(?:apparent_consumption|direct_demand|demand)", lambda m: self._demand(m, unit)),
            (r"([a-z]+)_mining_share", lambda c: self._mining(c, unit)),
            (r"([a-z]+)_refining_share", lambda c: self._refining(c, unit)),
        )
        for pattern, reader in readers:
            match = re.fullmatch(pattern, plain)
            if match and all(word in COUNTRY_CODES for word in match.groups()):
                return reader(*(COUNTRY_CODES[word] for word in match.groups()))
        if plain == "ex_china_cover":
            return self._cover(name, unit)
        return None

    def _share(self, part: Live, whole: Live, unit: str) -> Live:
        return ratio(part, whole, 100.0 if unit.strip() == "%" else 1.0)

    def _import_share(self, country: str, origin: str, unit: str, column: str) -> OwnFigure | None:
        market = self.market_of.get(country)
        if market is None or country == origin:
            return None
        share = self._share(self.imports(market, column, origin), self.imports(market, column), unit)
        measure = "tonnes" if column == "tonnes" else "value at the year's market prices"
        return OwnFigure(share, f"customs view of {self.year}: share of {market}'s imports recorded as {origin}, by {measure}")

    def _imports_from(self, country: str, origin: str, unit: str) -> OwnFigure | None:
        market = self.market_of.get(country)
        if market is None or country == origin:
            return None
        if "USD" in unit:
            scale = 0.001 if "billion" in unit else 1.0
            return OwnFigure(
                self.imports(market, "value", origin) * scale, f"{market}'s imports recorded as {origin} in {self.year}, at market prices"
            )
        return OwnFigure(self.imports(market, "tonnes", origin), f"{market}'s imports recorded as {origin} in {self.year}")

    def _demand(self, country: str, unit: str) -> OwnFigure | None:
        market = self.market_of.get(country)
        if market is None or not unit.startswith("t"):
            return None
        return OwnFigure(self.data.demand_sum(self.year, market=market), f"demand of {market} in {self.year}, all sectors and products")

    def _mining(self, country: str, unit: str) -> OwnFigure:
        part, whole = self.sources.sum("output_2024", country=country), self.sources.sum("output_2024")
        return OwnFigure(
            self._share(part, whole, unit), f"output of 2024 in {country} over that of every source in the book, offered to the plan or not"
        )

    def _refining(self, country: str, unit: str) -> OwnFigure:
        part, whole = self.refined_in("tonnes", country), self.supplied("tonnes")
        return OwnFigure(
            self._share(part, whole, unit), f"share of what the markets receive in {self.year} that was refined in {country}; not the world"
        )

    def _cover(self, name: str, unit: str) -> OwnFigure | None:
        year = int(name[-4:]) if name[-4:].isdigit() else self.year
        if year not in self.data.problem.years:
            return None
        part = self.supplied("tonnes", year=year) - self.supplied("china_tonnes", year=year)
        whole = self.data.demand_sum(year)
        return OwnFigure(
            self._share(part, whole, unit), f"China-free part of what the markets receive over their demand in {year}; not the world"
        )


def write_context(book: Book, data: ReportTables) -> None:
    """Write published figures beside the model's own."""
    year = data.problem.years[0]
    page = Page(
        book, "context",
        f"Is the starting point right? Published figures beside what the plan itself gives for its first year, {year}. They do not move the plan.", 1,
    )  # fmt: skip
    context = Context(data)
    page.add_table(_published(data, context), filtered=False)
    for number, m in enumerate(data.problem.markets):
        origins = _origins(data, "country", "customs_origin", context.year, m) - {data.problem.market_country[m]}
        lines = [(origin, context.imports(m, "tonnes", origin), context.imports(m, "china_tonnes", origin)) for origin in origins]
        title = f"Customs view: imports of {m} in {year} by recorded country of origin, and how much of them traces back to Chinese mines."
        _add_block(page, f"imports_{number}", title, "origin", lines)
    lines = [(m, context.supplied("tonnes", m), context.supplied("china_tonnes", m)) for m in data.problem.markets]
    title = (
        f"Traced: China-linked content of all that the markets receive in {year}, home refining included (joint plants by mass balance)."
    )
    _add_block(page, "received", title, "market", lines)
    refined = _origins(data, "country", "refined_in", year)
    lines = [(country, context.refined_in("tonnes", country), context.refined_in("china_tonnes", country)) for country in refined]
    title = f"Refined where: oxide of all markets in {year} by country of refining; the traced share shows goods made from Chinese feed."
    _add_block(page, "refined", title, "country", lines)
    sources = context.sources
    mined = {c for c, t in zip(sources.columns["country"], sources.columns["output_2024"], strict=True) if t > 0}
    mines = [(country, sources.sum("output_2024", country=country), None) for country in mined]
    _add_block(page, "mined", "Mined where: output of 2024 of every source in the book.", "country", mines)
    page.finish()


def _origins(data: ReportTables, joint: str, bought: str, year: int, market: str | None = None) -> set[str]:
    """Return the countries that oxide comes from in a year."""
    return {
        origin
        for table, name in ((data.deliveries, joint), (data.purchases, bought))
        for m, y, origin in zip(table.columns["market"], table.columns["year"], table.columns[name], strict=True)
        if y == year and market in (None, m)
    }


def _published(data: ReportTables, context: Context) -> DataTable:
    """Return the published figures with the model's counterparts."""
    frame = data.inputs["published"].copy()
    own = [context.own_figure(figure, unit) for figure, unit in zip(frame["figure"], frame["unit"], strict=True)]
    frame["model"] = [math.nan if one is None else one.value.value for one in own]
    frame["difference"] = [
        math.nan if one is None or isinstance(one.value.value, str) else one.value.number - value
        for one, value in zip(own, frame["value"], strict=True)
    ]
    frame["computed"] = [NOT_MODELLED if one is None else one.words for one in own]

    def model(row: Row) -> Live | None:
        one = own[row.number]
        return None if one is None else one.value

    fields = [
        Field("figure", "", "Short name."),
        Field("value", "see unit", "Published value.", label="published"),
        Field("model", "see unit", "The model's own figure; a dash where it has none.", model),
        Field(
            "difference",
            "see unit",
            "Model less published.",
            lambda row: None if own[row.number] is None else less(row["model"], row["value"]),
        ),
        Field("unit", "", "Unit of the three figures."),
        Field("period", "", "Year or years of the published figure."),
        Field("description", "", "What was measured."),
        Field("computed", "", "What the model's figure is, to judge whether the two are alike."),
        Field("source", "", "Where the published figure was read."),
        Field("quality", "", "reported, derived, estimate or assumption."),
    ]
    return DataTable("published", "Published figures and the model's own.", fields, frame)


def _add_block(page: Page, name: str, title: str, label: str, lines: Iterable[tuple[str, Live, Live | None]]) -> None:
    """Write tonnes by country or market, largest first, with shares and a total."""
    rows = sorted(lines, key=lambda line: (-line[1].number, line[0]))
    frame = pd.DataFrame([(first, tonnes.number, 0.0 if china is None else china.number) for first, tonnes, china in rows],
                         columns=[label, "tonnes", "china_tonnes"])  # fmt: skip
    whole = float(frame["tonnes"].sum())
    frame["share"] = frame["tonnes"] / (whole or math.nan)
    frame["traced_share"] = frame["china_tonnes"] / frame["tonnes"].where(frame["tonnes"] > 0)
    traced = all(china is not None for _, _, china in rows)
    fields = [
        Field(label, "", label.capitalize() + "."),
        Field("tonnes", "t REO/y", "Tonnes.", lambda row: rows[row.number][1]),
        Field("share", "share", "Share of the total.", lambda row: ratio(row["tonnes"], table.sum("tonnes"))),
    ]
    if traced:
        fields += [
            Field("china_tonnes", "t REO/y", "China-linked part, traced to the mine.", lambda row: rows[row.number][2]),
            Field("traced_share", "share", "China-linked share.", lambda row: ratio(row["china_tonnes"], row["tonnes"])),
        ]
    table = DataTable(name, title, fields, frame)
    page.add_table(table, filtered=False)
    if rows:
        page.row -= 1
        extra = {"traced_share": ratio(table.sum("china_tonnes"), table.sum("tonnes"))} if traced else {}
        page.add_totals(table, ("tonnes", "china_tonnes"), extra)
