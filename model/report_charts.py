"""The sheets of charts: blocks of figures that add up the flow sheets, and native charts over them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from xlsxwriter.utility import xl_rowcol_to_cell

from model.charts import DEMAND_COLOUR, HEIGHT, WIDTH, ChartPlan, Range, Series, make_chart
from model.report_book import Book, DataTable, Live, Other, as_live, ratio
from model.report_matrix import Matrix
from model.report_origin import highest_share
from model.report_page import Page
from model.report_print import set_print_areas
from model.report_sheets import BALANCE_LINES
from model.report_tables import NO_HOST, ReportTables

PLANT_COSTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("capital and fixed", ("capital", "fixed_operating", "feed_equipment")),
    ("feed", ("feed_purchase",)),
    ("processing and fees", ("processing", "know_how_fee")),
    ("freight and duty", ("freight_in", "duty_in", "freight_out", "duty_out")),
    ("less surplus and concentrate", ("surplus_revenue", "concentrate_revenue")),
)
"""Components of a joint plant's cost, in few groups."""

JOINT, OTHER_COUNTRIES, REST = "joint plants, net", "bought from other countries", "stocks and shortage"
MOST_ORIGINS = 5
"""Countries of which bought oxide is shown apart."""

MOST_MARKETS, MOST_CAPS, MOST_HOSTS, MOST_COUNTRIES = 4, 4, 6, 12
GAP = 16
"""Pixels between charts."""

ROW_POINTS, ROW_PIXELS, COLUMN_PIXELS = 15, 20, 64
LAYOUT_COLUMNS = 24


class ChartData:
    """Writes the blocks of figures one below the other and plans the charts over them."""

    def __init__(self, book: Book, data: ReportTables, caps: DataTable) -> None:
        self.data, self.caps = data, caps
        self.years = list(data.problem.years)
        self.page = Page(
            book, "chart_data", "The figures behind the sheet charts, added up from the sheets of flows; change a flow and the charts follow.", 1
        )  # fmt: skip

    # --- ranges -----------------------------------------------------------------------------

    def _block(
        self, title: str, unit: str, labels: Sequence[str], columns: Sequence[float | str], cell: Callable[[Live, Live], Live | None]
    ) -> Matrix:
        return self.page.add_matrix(
            title, unit, ("line",), [(label,) for label in labels], columns, lambda keys, column: cell(keys[0], column)
        )

    @staticmethod
    def _line(block: Matrix, line: int, look: str = "fill", colour: str = "") -> Series:
        """Return a line of a block as a series over its header."""
        row, last = block.first_row + line, block.first_column + len(block.cells[line]) - 1
        head: Range = (block.sheet, block.first_row - 1, block.first_column, block.first_row - 1, last)
        return Series((block.sheet, row, 0), head, (block.sheet, row, block.first_column, row, last), look, colour)

    @staticmethod
    def _column(block: Matrix, column: int, name: str, look: str = "fill") -> Series:
        """Return a column of a block as a series over its labels; its name is no text of the inputs."""
        last, place = block.first_row + len(block.cells) - 1, block.first_column + column
        labels: Range = (block.sheet, block.first_row, 0, last, 0)
        return Series(name, labels, (block.sheet, block.first_row, place, last, place), look)

    def _lines(self, block: Matrix, look: str = "fill") -> list[Series]:
        return [self._line(block, line, look) for line in range(len(block.cells))]

    # --- costs ------------------------------------------------------------------------------

    def system_costs(self) -> Iterator[ChartPlan]:
        """Yield the cost of the whole system: joint plants, bought oxide by country of its refiners, the rest."""
        costs, bought = self.data.costs, self.data.purchases
        spent: dict[str, float] = {}
        for country, money in zip(bought.columns["refined_in"], bought.columns["spent"], strict=True):
            spent[country] = spent.get(country, 0.0) + money
        largest = sorted(spent, key=lambda country: (-spent[country], country))
        apart = largest[: MOST_ORIGINS if len(largest) > MOST_ORIGINS + 1 else MOST_ORIGINS + 1]
        labels = {f"bought from {country}": country for country in apart}

        def cell(key: Live, year: Live) -> Live:
            words = str(key.value)
            if words in labels:
                return bought.sum("spent", refined_in=labels[words], year=year)
            if words == JOINT:
                return costs.sum("cost", host=Other(NO_HOST), year=year)
            if words == REST:
                return costs.sum("cost", component="stock_holding", year=year) + costs.sum("cost", component="shortage", year=year)
            others = bought.sum("spent", year=year)
            for country in apart:
                others = others - bought.sum("spent", refined_in=country, year=year)
            return others

        lines = [JOINT, *labels, *([OTHER_COUNTRIES] if len(apart) < len(largest) else []), REST]
        block = self.page.add_matrix(
            "Cost of the whole system by year, not discounted, MUSD a year; bought oxide with its duty, by country of its refiners.", "MUSD",
            ("line",), [(line,) for line in lines], self.years, lambda keys, year: cell(keys[0], year), "all costs",
        )  # fmt: skip
        yield ChartPlan("stacked", "Cost of the whole system by year", "year", "MUSD a year (2024 USD)", self._lines(block))

    def plant_costs(self) -> Iterator[ChartPlan]:
        """Yield the cost of the joint plants alone."""
        costs, apart = self.data.costs, Other(NO_HOST)
        members = {
            words: parts for words, parts in PLANT_COSTS
            if any(costs.sum("cost", component=part, year=y, host=apart).number for part in parts for y in self.years)
        }  # fmt: skip
        if not members:
            return

        def cell(key: Live, year: Live) -> Live:
            first, *more = (costs.sum("cost", component=part, year=year, host=apart) for part in members[str(key.value)])
            for one in more:
                first = first + one
            return first

        block = self._block("Cost of the joint plants by year, not discounted, MUSD a year.", "MUSD", list(members), self.years, cell)
        yield ChartPlan("stacked", "Cost of the joint plants by year", "year", "MUSD a year (2024 USD)", self._lines(block))

    # --- material ---------------------------------------------------------------------------

    def feed(self) -> Iterator[ChartPlan]:
        """Yield the feed by country of the source."""
        table = self.data.feed
        tonnes: dict[str, float] = {}
        for country, t in zip(table.columns["country"], table.columns["tonnes"], strict=True):
            tonnes[country] = tonnes.get(country, 0.0) + t
        countries = sorted(tonnes, key=lambda country: (-tonnes[country], country))
        if not countries:
            return
        block = self._block(
            "Feed of the joint plants by country of the source, t REO a year.", "t", countries, self.years,
            lambda key, year: table.sum("tonnes", country=key, year=year),
        )  # fmt: skip
        shown = self._lines(block)[:MOST_COUNTRIES]
        more = "" if len(countries) <= MOST_COUNTRIES else f" (the {MOST_COUNTRIES} largest)"
        yield ChartPlan("stacked", f"Feed by source country{more}", "year", "t REO a year", shown)

    def capacity(self) -> Iterator[ChartPlan]:
        """Yield usable capacity beside feed treated, host by host."""
        table = self.data.plant_years
        hosts = list(dict.fromkeys(table.columns["host"]))
        if not hosts:
            return
        usable, feed = (
            self._block(f"{words}, t REO a year.", "t", [f"{host}" for host in hosts], self.years, lambda key, year, c=column: table.sum(c, host=key, year=year))  # type: ignore[misc]
            for words, column in (("Usable capacity by host", "usable"), ("Feed treated by host", "feed"))
        )  # fmt: skip
        use = self._block(
            "Use of the usable capacity by host.", "share", hosts, self.years,
            lambda key, year: _or_blank(ratio(table.sum("feed", host=key, year=year), table.sum("usable", host=key, year=year))),
        )  # fmt: skip
        more = "" if len(hosts) <= MOST_HOSTS else f" (the first {MOST_HOSTS} hosts)"
        yield ChartPlan("clustered", f"Usable capacity by plant{more}", "year", "t REO a year", self._lines(usable)[:MOST_HOSTS])
        yield ChartPlan("clustered", f"Feed treated by plant{more}", "year", "t REO a year", self._lines(feed)[:MOST_HOSTS])
        yield ChartPlan(
            "line", f"Use of each plant{more}", "year", "feed over usable capacity", self._lines(use, "line")[:MOST_HOSTS], "0 %", lowest=0.0,
        )  # fmt: skip

    def supply(self) -> Iterator[ChartPlan]:
        """Yield, market by market, what meets the demand."""
        table, columns = self.data.supply, {words: column for column, words in BALANCE_LINES}
        for market in self.data.problem.markets[:MOST_MARKETS]:
            block = self._block(
                f"{market}: demand and what meets it, t REO a year.", "t", list(columns), self.years,
                lambda key, year, m=market: table.sum(columns[str(key.value)], market=m, year=year),  # type: ignore[misc]
            )  # fmt: skip
            stacked = [self._line(block, line) for line in range(1, len(columns))]
            demand = self._line(block, 0, "line", DEMAND_COLOUR)
            yield ChartPlan("stacked", f"Supply against demand: {market}", "year", "t REO a year", [*stacked, demand])

    # --- origin -----------------------------------------------------------------------------

    def caps_by_year(self) -> Iterator[ChartPlan]:
        """Yield each cap with the share in the plan, year by year."""
        caps, rows = self.caps, cap_rows(self.caps)
        names = list(dict.fromkeys(caps.columns["cap"]))[:MOST_CAPS]
        if not names:
            return
        labels = {}
        for cap in names:
            every = caps.columns["scope"][caps.columns["cap"].index(cap)] == "every_product"
            labels[f"{cap}: highest product" if every else f"{cap}: in the plan"] = (cap, "share")
            labels[f"{cap}: most allowed"] = (cap, "limit")

        def cell(key: Live, year: Live) -> Live | None:
            cap, column = labels[str(key.value)]
            line = rows.get((cap, int(year.number)), [])
            if not line:
                return None
            if column == "limit":
                return caps.cell(line[0], "limit")
            return _or_blank(highest_share(caps, line) if len(line) > 1 else caps.cell(line[0], "share"))

        block = self._block("China-linked share against each cap, by year.", "share", list(labels), self.years, cell)
        looks = ["limit" if column == "limit" else "line" for _, column in labels.values()]
        series = [self._line(block, line, look) for line, look in enumerate(looks)]
        yield ChartPlan("line", "China-linked share against caps", "year", "China-linked share", series, "0 %", lowest=0.0, highest=1.0)

    def caps_by_product(self) -> Iterator[ChartPlan]:
        """Yield the share of every product in the last year, beside its cap where there is one."""
        caps, traced, last = self.caps, self.data.traced, self.years[-1]
        every = [
            number for number, (scope, year) in enumerate(zip(caps.columns["scope"], caps.columns["year"], strict=True))
            if scope == "every_product" and year == last
        ]  # fmt: skip
        every = [number for number in every if caps.columns["cap"][number] == caps.columns["cap"][every[0]]]
        row_of = {caps.columns["member"][number]: number for number in every}
        products = [p for p in self.data.problem.products if p in row_of] or list(dict.fromkeys(traced.columns["product"]))
        if not products:
            return
        columns = ["in the plan", "most allowed"] if row_of else ["in the plan"]

        def cell(key: Live, column: Live) -> Live | None:
            if row_of:
                return _or_blank(caps.cell(row_of[str(key.value)], "share" if column.value == columns[0] else "limit"))
            where = {"product": key, "year": as_live(float(last))}
            return _or_blank(ratio(traced.sum("china_tonnes", **where), traced.sum("tonnes", **where)))

        what = f"cap {caps.columns['cap'][every[0]]}" if row_of else "all oxide received, by tonnes"
        block = self._block(f"China-linked share by product in {last}: {what}.", "share", products, columns, cell)
        series = [
            self._column(block, place, name, look) for place, (name, look) in enumerate(zip(columns, ("fill", "limit"), strict=False))
        ]
        yield ChartPlan(
            "clustered",
            f"China-linked share by product, {last}",
            "product",
            "China-linked share",
            series,
            "0 %",
            "@",
            lowest=0.0,
            highest=1.0,
        )

    # --- people -----------------------------------------------------------------------------

    def ledger(self) -> Iterator[ChartPlan]:
        """Yield what each partner pays and gets."""
        data, partners = self.data, list(self.data.problem.partners)
        hosts = sorted(set(data.plants.columns["host"]))
        if not partners or not hosts:
            return
        number_of = {m: number for number, m in enumerate(data.problem.markets)}

        def borne(partner: Live) -> Live:
            parts = [data.costs.sum_product(("cost", f"on_{number_of[str(partner.value)]}"), host=host) for host in hosts]
            total = parts[0]
            for part in parts[1:]:
                total = total + part
            return total

        cells: dict[str, Callable[[Live], Live]] = {
            "capital paid": lambda partner: data.payers.sum("paid", payer=partner),
            "joint plants' costs borne": borne,
            "worth of joint oxide got": lambda partner: data.deliveries.sum("value", market=partner),
        }
        block = self._block(
            "Partner ledger, MUSD in the modelled years, not discounted: capital paid, yearly costs of the joint plants laid on each partner "
            "(capital as its yearly repayment), and the worth of the joint oxide it gets at market prices.",
            "MUSD", partners, list(cells), lambda key, column: cells[str(column.value)](key),
        )  # fmt: skip
        series = [self._column(block, place, name) for place, name in enumerate(cells)]
        yield ChartPlan("clustered", "Partner ledger: who pays, who gets", "partner", "MUSD in the modelled years", series, x_form="@")

    def coverage(self) -> Iterator[ChartPlan]:
        """Yield the share of demand met, sector by sector."""
        table = self.data.sectors
        names = dict(zip(table.columns["sector"], table.columns["name"], strict=True))
        if not names:
            return
        block = self._block(
            "Share of demand met by sector and year, most important sectors first.", "share", list(names), self.years,
            lambda key, year: _or_blank(ratio(table.sum("met", sector=key, year=year), table.sum("demand", sector=key, year=year))),
        )  # fmt: skip
        first, last = block.first_column, block.first_column + len(self.years) - 1
        place = {sector: number for number, sector in enumerate(names)}

        def cell(key: Live, column: Live) -> Live | None:
            if column.value == "all years":
                return _or_blank(ratio(table.sum("met", sector=key), table.sum("demand", sector=key)))
            values = [one.number for one in block.cells[place[str(key.value)]] if not isinstance(one.value, str)]
            row = block.first_row + place[str(key.value)]
            return Live(f"MIN({xl_rowcol_to_cell(row, first)}:{xl_rowcol_to_cell(row, last)})", min(values)) if values else None

        summary = self._block("Share of demand met by sector.", "share", list(names), ["all years", "worst year"], cell)
        series = [self._column(summary, 0, "all years"), self._column(summary, 1, "worst year")]
        yield ChartPlan(
            "bar",
            "Demand met by sector, most important first",
            "sector",
            "share of demand met",
            series,
            "0 %",
            "@",
            lowest=0.0,
            highest=1.0,
        )

    def plans(self) -> list[ChartPlan]:
        """Write every block; return the charts in reading order."""
        makers = (
            self.system_costs, self.plant_costs, self.caps_by_year, self.caps_by_product, self.feed, self.capacity, self.supply, self.ledger, self.coverage,
        )  # fmt: skip
        return [plan for maker in makers for plan in maker()]


def cap_rows(caps: DataTable) -> dict[tuple[str, int], list[int]]:
    """Return (cap, year) -> rows of the caps table, which stand together."""
    rows: dict[tuple[str, int], list[int]] = {}
    for number, (cap, y) in enumerate(zip(caps.columns["cap"], caps.columns["year"], strict=True)):
        rows.setdefault((cap, y), []).append(number)
    return rows


def _or_blank(figure: Live) -> Live | None:
    """Return a figure, or None where it is a dash: a chart would draw that as 0."""
    return None if isinstance(figure.value, str) else figure


def write_charts(book: Book, data: ReportTables, caps: DataTable, of_studies: Mapping[str, ChartPlan]) -> ChartPlan | None:
    """Write the sheets `charts` and `chart_data`.

    Parameters
    ----------
    of_studies
        Study -> chart, of :func:`study_charts`; shown first.

    Returns
    -------
    ChartPlan or None
        For the first page: the price of the cap where it was studied, else the cost of the whole system.
    """
    page = Page(book, "charts", "The plan in charts. They are Excel's own and can be edited; their figures stand on sheet chart_data.", 1)
    chart_data = ChartData(book, data, caps)
    own = chart_data.plans()
    chart_data.page.finish()
    _lay_out(book, page, [*of_studies.values(), *own])
    return of_studies.get("frontier") or next(iter(own), None)


def _lay_out(book: Book, page: Page, plans: Sequence[ChartPlan]) -> None:
    """Put charts in two columns, four to a printed page."""
    page.sheet.set_default_row(ROW_POINTS)
    page.finish(pixels=LAYOUT_COLUMNS * COLUMN_PIXELS)
    page.sheet.set_column(0, LAYOUT_COLUMNS - 1, (COLUMN_PIXELS - 5) / 7)
    tall = math.ceil((HEIGHT + GAP) / ROW_PIXELS)
    wide = math.ceil((WIDTH + GAP) / COLUMN_PIXELS)
    for number, plan in enumerate(plans):
        row, column = page.row + number // 2 * tall, number % 2 * wide
        page.sheet.insert_chart(row, column, make_chart(book.workbook, plan), {"object_position": 2, "y_offset": GAP // 2})
    lines = math.ceil(len(plans) / 2)
    starts = [0, *(page.row + line * tall for line in range(2, lines, 2)), page.row + max(lines, 1) * tall]
    set_print_areas(book.workbook, page.sheet, starts, LAYOUT_COLUMNS - 1)
