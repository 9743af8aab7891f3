"""Sheets of material: plants, feed, products, purchases, sectors and stocks."""

from __future__ import annotations

from collections.abc import Callable

from model.report_book import Book, DataTable, Live, ratio
from model.report_page import Page
from model.report_tables import ReportTables

EVERY_HOST = "all hosts"


def _distinct(table: DataTable, *columns: str) -> list[tuple[str, ...]]:
    """Return the different labels of a table in the order in which they first stand."""
    return list(dict.fromkeys(zip(*(table.columns[name] for name in columns), strict=True)))


def _years(data: ReportTables) -> list[float]:
    return list(data.problem.years)


def write_plants(book: Book, data: ReportTables) -> None:
    """Plants, and the capacity and use of each line by year."""
    page = Page(
        book, "plants",
        "The joint plants that the plan builds, what each costs, and how much of its capacity is used in each year.", 5,
    )  # fmt: skip
    plants, years = data.plants, data.plant_years
    page.add_table(plants, filtered=False)
    if plants.length:
        page.row -= 1
        page.add_totals(plants, ("capacity", "capex", "capital_charge"))
    lines = _distinct(years, "host", "line")
    labels = [(h, line) for h, line in lines]

    def capacity(column: str) -> Callable[[list[Live], Live], Live]:
        return lambda keys, year: years.sum(column, host=keys[0], line=keys[1], year=year)

    for title, column in (
        ("Capacity on line", "nameplate"),
        ("Capacity that can be used after ramp-up", "usable"),
        ("Feed treated", "feed"),
    ):
        page.add_matrix(f"{title}, t REO a year.", "t", ("host", "line"), labels, _years(data), capacity(column), "all plants")
    page.add_matrix(
        "Use: feed treated over usable capacity.", "share", ("host", "line"), labels, _years(data),
        lambda keys, year: ratio(
            years.sum("feed", host=keys[0], line=keys[1], year=year), years.sum("usable", host=keys[0], line=keys[1], year=year)
        ),
    )  # fmt: skip
    page.add_table(years)
    page.finish()


def write_feed(book: Book, data: ReportTables) -> None:
    """What the plants are fed, from where, at what price."""
    page = Page(
        book, "feed",
        "What the joint plants are fed: tonnes by source, host and year, how much counts as Chinese, and the price paid.", 3,
    )  # fmt: skip
    feed = data.feed
    page.add_matrix(
        "Feed by source, t REO a year.", "t", ("source", "country"), _distinct(feed, "source_id", "country"), _years(data),
        lambda keys, year: feed.sum("tonnes", source_id=keys[0], year=year), "all sources",
    )  # fmt: skip
    page.add_matrix(
        "Feed by host, t REO a year.", "t", ("host",), _distinct(feed, "host"), _years(data),
        lambda keys, year: feed.sum("tonnes", host=keys[0], year=year), "all hosts",
    )  # fmt: skip

    def linked(keys: list[Live], year: Live) -> Live:
        where: dict[str, Live] = {} if keys[0].value == EVERY_HOST else {"host": keys[0]}
        return ratio(feed.sum("china_tonnes", year=year, **where), feed.sum("tonnes", year=year, **where))

    page.add_matrix(
        "China-linked share of the feed, by tonnes.", "share", ("host",), [(EVERY_HOST,), *_distinct(feed, "host")], _years(data), linked
    )
    page.add_matrix(
        "Average price paid at the source, USD/kg REO.", "USD/kg", ("source", "country"), _distinct(feed, "source_id", "country"),
        _years(data),
        lambda keys, year: ratio(
            feed.sum("spent", source_id=keys[0], year=year), feed.sum("tonnes", source_id=keys[0], year=year), 1000.0
        ),
    )  # fmt: skip
    page.add_table(feed)
    page.finish()


def write_products(book: Book, data: ReportTables) -> None:
    """What the plants make and where it goes."""
    page = Page(
        book, "products",
        "What the joint plants make of each product, what goes to each market, and what is left over and sold elsewhere or disposed of. "
        "Every shipment is on sheet deliveries, every surplus on sheet surplus.", 3,
    )  # fmt: skip
    deliveries, products, surplus = data.deliveries, data.products, data.surplus
    markets = [(m,) for m in data.problem.markets]
    page.add_matrix(
        "Delivered by market, t REO a year.", "t", ("market",), markets, _years(data),
        lambda keys, year: deliveries.sum("tonnes", market=keys[0], year=year), "all markets",
    )  # fmt: skip
    made = _distinct(products, "product")
    page.add_matrix(
        "Delivered by product, t REO a year.", "t", ("product",), made, _years(data),
        lambda keys, year: deliveries.sum("tonnes", product=keys[0], year=year), "all products",
    )  # fmt: skip
    page.add_matrix(
        "Surplus by product, t REO a year: made because ores hold it, but not wanted by the markets.", "t", ("product",), made,
        _years(data), lambda keys, year: surplus.sum("tonnes", product=keys[0], year=year), "all products",
    )  # fmt: skip
    page.add_table(products)
    page.finish()
    _write_table(
        book, "deliveries", "Joint product that goes to each market in each year, and what it is worth at the market price.", deliveries, 3
    )
    _write_table(
        book, "surplus", "Joint product that the markets do not want, sold elsewhere or disposed of, and what it fetches.", surplus, 2
    )


def _write_table(book: Book, name: str, caption: str, table: DataTable, label_columns: int) -> None:
    """Write a long table on a sheet of its own, so that its header stays in sight and is printed on every page."""
    page = Page(book, name, caption, label_columns)
    page.add_table(table)
    page.finish(single_table=True)


BALANCE_LINES = (
    ("demand", "demand"),
    ("joint", "from joint plants"),
    ("bought", "bought from existing refiners"),
    ("drawn", "drawn from stock (negative: put in)"),
    ("unmet", "left short"),
)


def write_purchases(book: Book, data: ReportTables) -> None:
    """Existing oxide bought, and the balance of each market."""
    page = Page(
        book, "purchases",
        "What the markets buy from refiners that exist or are being built anyway, and how it adds up with joint plants, stocks and shortage; "
        "product by product on sheet supply_balance.", 4,
    )  # fmt: skip
    supply, bought = data.supply, data.purchases
    columns = {words: column for column, words in BALANCE_LINES}

    def balance(market: str) -> Callable[[list[Live], Live], Live]:
        return lambda keys, year: supply.sum(columns[str(keys[0].value)], market=market, year=year)

    for m in data.problem.markets:
        title = f"{m}: demand and what meets it, t REO a year."
        page.add_matrix(title, "t", (m,), [(words,) for words in columns], _years(data), balance(m))
    page.add_matrix(
        "Bought by supplier, t REO a year.", "t", ("supplier",), sorted(_distinct(bought, "supplier")), _years(data),
        lambda keys, year: bought.sum("tonnes", supplier=keys[0], year=year), "all suppliers",
    )  # fmt: skip
    page.add_table(bought)
    page.finish()
    _write_table(book, "supply_balance", "What meets the demand of each market for each product in each year.", supply, 2)


def write_sectors(book: Book, data: ReportTables) -> None:
    """How well each sector is served and why it is not."""
    page = Page(
        book, "sectors",
        "How much of each sector's demand is met, most important sectors first, and for every shortage why it is short.", 4,
    )  # fmt: skip
    sectors, unmet = data.sectors, data.unmet
    labels = _distinct(sectors, "sector", "name")
    page.add_matrix(
        "Share of demand met, all products and markets, by tonnes.", "share", ("sector", "name"), labels, _years(data),
        lambda keys, year: ratio(sectors.sum("met", sector=keys[0], year=year), sectors.sum("demand", sector=keys[0], year=year)),
    )  # fmt: skip
    page.add_matrix(
        "Left short, t REO a year.", "t", ("sector", "name"), labels, _years(data),
        lambda keys, year: sectors.sum("unmet", sector=keys[0], year=year), "all sectors",
    )  # fmt: skip
    page.add_table(unmet, filtered=False)
    page.add_table(sectors)
    page.finish()


def write_stocks(book: Book, data: ReportTables) -> None:
    """Stocks of oxide."""
    page = Page(
        book, "stocks",
        "Stocks of oxide that the markets hold at the end of each year, what must be held, and what was drawn or put in.", 2,
    )  # fmt: skip
    stocks = data.stocks
    page.add_matrix(
        "Stock at the year's end, t REO.", "t", ("market", "product"), _distinct(stocks, "market", "product"), _years(data),
        lambda keys, year: stocks.sum("stock", market=keys[0], product=keys[1], year=year), "all stocks",
    )  # fmt: skip
    page.add_table(stocks)
    page.finish()


def product_year_share(data: ReportTables, market: str, product: Live | None, year: Live, part: str) -> Live:
    """Return a market's traced share of a product, or of all products, in a year."""
    table = data.traced
    if product is None:
        return ratio(table.sum(part, market=market, year=year), table.sum("tonnes", market=market, year=year))
    return ratio(table.sum(part, market=market, product=product, year=year), table.sum("tonnes", market=market, product=product, year=year))
