"""The sheet of China-linked shares: each cap with its limit, and what every market receives."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from model.report_book import Book, DataTable, Field, Live, Row, less, ratio, table_from_schema
from model.report_page import Page
from model.report_sheets import product_year_share
from model.report_tables import ReportTables
from model.shortage_room import BINDING

ATTRIBUTION = (
    "Origin is attributed by mass balance (book-and-claim): a joint plant may book the Chinese part of its feed on any of its products' "
    "deliveries of the same product and year, never more than it made. The physical blend beside it gives every delivery its plant's average of the year."
)

EVERY_PRODUCT = "all products"
_MEASURE_COLUMNS = {"tonnes": ("china_tonnes", "tonnes"), "value": ("china_value", "value")}


def cap_words(basis: str, measure: str, scope: str, member: str) -> str:
    """Return in words what a cap limits.

    Examples
    --------
    >>> cap_words("supply", "value", "all", "")
    'of all oxide that the markets receive, by value'
    """
    what = {
        ("feedstock", "all"): "of the feed of all joint plants",
        ("feedstock", "host"): f"of the feed of the joint plants at {member}",
        ("feedstock", "product"): f"of the {member} in the feed of all joint plants",
        ("feedstock", "every_product"): "of each product in the feed of all joint plants",
        ("feedstock", "partner"): f"of the joint oxide delivered to {member}",
        ("supply", "all"): "of all oxide that the markets receive",
        ("supply", "host"): f"of the joint oxide delivered from {member}",
        ("supply", "product"): f"of the {member} that the markets receive",
        ("supply", "every_product"): "of each product that the markets receive",
        ("supply", "partner"): f"of all oxide that {member} receives",
    }[basis, scope]
    return f"{what}, by {measure}"


def feed_content(data: ReportTables) -> DataTable | None:
    """Return the contained products of the feed, where a cap limits them; None where none does."""
    shares = data.found["china_shares"]
    wanted = shares[(shares["basis"] == "feedstock") & shares["scope"].isin(["product", "every_product"])]
    products = list(dict.fromkeys(wanted["member"]))
    if not products:
        return None
    rows = []
    for s, h, line, y, tonnes, china in data.found["feed"].itertuples(index=False):
        for p in products:
            part = data.problem.content[s].get(p, 0.0)
            if part > 0:
                rows.append((s, h, line, p, y, part, tonnes * part, china * part, data.problem.price[p, y]))
    frame = pd.DataFrame(rows, columns=["source_id", "host", "line", "product", "year", "content", "tonnes", "china_tonnes", "price"])
    frame["value"], frame["china_value"] = frame["tonnes"] * frame["price"] / 1000.0, frame["china_tonnes"] * frame["price"] / 1000.0

    def contained(column: str) -> Field:
        def formula(row: Row) -> Live:
            fed = data.feed.sum(column, source_id=row["source_id"], host=row["host"], line=row["line"], year=row["year"])
            return fed * row["content"]

        words = "Contained product." if column == "tonnes" else "China-linked part of it."
        return Field(column, "t REO/y", words, formula)

    fields = [
        Field("source_id", "", "Source."), Field("host", "", "Host."), Field("line", "", "circuit:way."), Field("product", "", "Product."),
        Field("year", "year", "Modelled year."), Field("content", "share", "Share of the product in the source's oxide."),
        contained("tonnes"), contained("china_tonnes"), Field("price", "USD/kg", "Market price of the product in the year."),
        Field("value", "MUSD/y", "Worth of the contained product.", lambda row: row["tonnes"] * row["price"] / 1000.0),
        Field("china_value", "MUSD/y", "Worth of the China-linked part.", lambda row: row["china_tonnes"] * row["price"] / 1000.0),
    ]  # fmt: skip
    return DataTable("content", "Products contained in the feed, for the caps that limit them.", fields, frame)


def _cap_sum(data: ReportTables, content: DataTable | None, row: Row, china: bool) -> Live:
    """Return the China-linked part, or the total, of the flows that a cap counts, added up from the flow sheets."""
    basis, measure, scope = (str(row[name].value) for name in ("basis", "measure", "scope"))
    column = _MEASURE_COLUMNS[measure][0 if china else 1]
    year, member = row["year"], row["member"]
    inside: dict[str, Live] = {"host": {"host": member}, "partner": {"market": member}}.get(scope, {})
    if scope in ("product", "every_product"):
        inside = {"product": member}
    if basis == "feedstock" and scope in ("product", "every_product") and content is not None:
        return content.sum(column, year=year, **inside)
    if basis == "feedstock" and scope != "partner":
        tonnes = "china_tonnes" if china else "tonnes"
        if measure == "value":
            return data.feed.sum_product((tonnes, "basket"), year=year, **inside) / 1000.0
        return data.feed.sum(tonnes, year=year, **inside)
    joint = data.deliveries.sum(column, year=year, **inside)
    if basis == "feedstock" or scope == "host":
        return joint
    return joint + data.purchases.sum(column, year=year, **inside)


def cap_table(data: ReportTables, content: DataTable | None) -> DataTable:
    """Return every cap by year and member with formulas that add up its flows."""
    frame = data.found["china_shares"].copy()
    order = {cap: place for place, cap in enumerate(dict.fromkeys(frame["cap"]))}
    member = {name: place for place, name in enumerate(["", *data.problem.hosts, *data.problem.products, *data.problem.markets])}
    frame["_cap"], frame["_member"] = frame["cap"].map(order), frame["member"].map(member)
    # members of one cap and year stand together, so that the summary can ask for the largest of them
    frame = frame.sort_values(["_cap", "year", "_member"], kind="stable").reset_index(drop=True)
    live: dict[str, Callable[[Row], Live | None]] = {
        "china": lambda row: _cap_sum(data, content, row, china=True),
        "total": lambda row: _cap_sum(data, content, row, china=False),
        "share": lambda row: ratio(row["china"], row["total"]),
        "slack": lambda row: less(row["limit"], row["share"]),
    }

    def place(row: Row) -> str | None:
        return data.cells.place("caps", int(row["year"].number), cap=row["cap"].value)

    live["limit"] = lambda row: data.cells.echo(row["limit"].number, "caps", int(row["year"].number), cap=row["cap"].value)
    links = {"cap": lambda row: data.cells.place("caps", "cap", cap=row["cap"].value), "limit": place}
    return table_from_schema("china_shares", frame, live=live, links=links)


def _cap_span(caps: DataTable, line: list[int], column: str) -> str:
    return f"{caps.cell(line[0], column).text}:{caps.cell(line[-1], column).text.split('!')[1]}"


def highest_share(caps: DataTable, line: list[int]) -> Live:
    """Return the highest share among neighbouring rows of the caps: the members of one cap in one year."""
    shares = [value for value in (caps.columns["share"][number] for number in line) if not isinstance(value, str)]
    return Live(f"MAX({_cap_span(caps, line, 'share')})", max(shares, default=0.0))


def members_at_limit(caps: DataTable, line: list[int]) -> Live:
    """Return how many members of one cap are at their limit in one year."""
    slack = [value for value in (caps.columns["slack"][number] for number in line) if not isinstance(value, str)]
    return Live(f'COUNTIF({_cap_span(caps, line, "slack")},"<"&{BINDING:.6f})', float(sum(value < BINDING for value in slack)))


def write_china_share(book: Book, data: ReportTables, caps: DataTable, content: DataTable | None) -> None:
    """Each cap with its limit, use and price, and the traced share of what each market receives."""
    page = Page(
        book, "china_share",
        "How much of what is fed, made and received counts as Chinese, against each cap; and the same traced for every market and product.", 5,
    )  # fmt: skip
    page.say(ATTRIBUTION)
    page.say(
        "marginal_cost: what one percentage point less would cost in that year with the plants as they stand; 0 where the cap does not bind.",
        italic=True,
    )
    page.row += 1
    traced = data.traced
    products: list[tuple[str, ...]] = [(p,) for p in data.problem.products if p in set(traced.columns["product"])]

    def share_of(market: str) -> Callable[[list[Live], Live], Live]:
        return lambda keys, year: product_year_share(
            data, market, None if keys[0].value == EVERY_PRODUCT else keys[0], year, "china_tonnes"
        )

    for m in data.problem.markets:
        page.add_matrix(
            f"{m}: China-linked share of the oxide received, book-and-claim, by tonnes.", "share", ("product",),
            [(EVERY_PRODUCT,), *products], list(data.problem.years), share_of(m),
        )  # fmt: skip
        page.row -= 1
        physical = [product_year_share(data, m, None, Live(str(y), y), "physical_tonnes") for y in data.problem.years]
        page.add_line("all products, physical blend", physical, "share")
        page.row += 1
    page.add_table(caps)
    page.finish()
    page = Page(
        book, "traced",
        "The China-linked content of what each market receives, traced product by product and year by year: book-and-claim beside the physical blend.",
        2,
    )  # fmt: skip
    if content is not None:
        page.add_table(content, filtered=False)
    page.add_table(traced)
    page.finish(single_table=content is None)
