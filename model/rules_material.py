"""Rules on feed, products, supply and demand."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator
from itertools import pairwise

from model.book import TRACE, Book, is_blank
from model.findings import Offence, rule
from model.problem_sheets import output_share
from model.rules_time import HORIZON
from model.schema import ANY
from model.words import listing, number_text, show

SUM_TOLERANCE = 1e-4
_CONTENT = ("composition.source_id", "composition.element", "elements.element", "elements.product")
_FEED = ("sources.source_id", "sources.use", *_CONTENT)
_OFFERS = ("suppliers.supplier", "suppliers.product", "suppliers.market", "suppliers.year", *HORIZON)
_DEMAND = ("demand.market", "demand.product", "demand.year", *HORIZON)
_TRIPLES = (("sources", "payability"), ("sources", "uncommitted"), ("designs", "capex"))


@rule("element_column_missing", "error", "elements.element", "composition.source_id", blocks=True)
def element_column_missing(book: Book) -> Iterator[Offence]:
    """The composition has a column for every element."""
    columns = book["composition"].columns
    for element in book.texts("elements", "element") if len(book["composition"]) else []:
        if element not in columns and not book.is_unread("composition", None, element):
            yield Offence(
                "composition", None, element, f"no column for {element}", "a column for each row of elements", "Add the column; 0 where absent."
            )  # fmt: skip


@rule("composition_sum", "error", *_CONTENT)
def composition_sum(book: Book) -> Iterator[Offence]:
    """The shares of a source's elements sum to 1."""
    elements = book.texts("elements", "element")
    for row, record in book.rows("composition"):
        total = math.fsum(record[element] for element in elements)
        if abs(total - 1.0) > SUM_TOLERANCE:
            percent = " The row looks like percent: divide by 100." if abs(total - 100.0) <= 1.0 else ""
            yield Offence(
                "composition", row, "source_id", f"shares of {record['source_id']} that sum to {total:.6g}", f"a sum of 1 (within {SUM_TOLERANCE:g})",
                f"Correct the shares; add or take {abs(total - 1.0):.4g}.{percent}",
            )  # fmt: skip


@rule("composition_missing", "error", "sources.source_id", "sources.use", "composition.source_id", blocks=True)
def composition_missing(book: Book) -> Iterator[Offence]:
    """Every source in use has a composition."""
    known = set(book["composition"]["source_id"])
    for row, source in book.used_sources["source_id"].items():
        if source not in known:
            yield Offence(
                "sources", row, "source_id", f"{show(source)}, in use without a row in composition", "a row in composition for each source in use",
                "Add the row to composition, or set use to no.",
            )  # fmt: skip


@rule("product_circuit", "error", "elements.product", "elements.circuit")
def product_circuit(book: Book) -> Iterator[Offence]:
    """Elements that are sold in one product are separated in one circuit."""
    first: dict[str, tuple[str, str]] = {}
    for row, record in book.rows("elements"):
        product = record["product"]
        if is_blank(product):
            continue
        element, circuit = first.setdefault(product, (record["element"], record["circuit"]))
        if circuit != record["circuit"]:
            yield Offence(
                "elements", row, "circuit", f"{record['element']} in the {record['circuit']} circuit, {element} of the same product in the {circuit}",
                f"one circuit for all of {product}", "Give the product's elements one circuit, or part the product.",
            )  # fmt: skip


@rule("price_missing", "error", "elements.product", "prices.product", "prices.item")
def price_missing(book: Book) -> Iterator[Offence]:
    """Every product has a market price and a surplus price."""
    known = set(zip(book["prices"]["product"], book["prices"]["item"], strict=True))
    told = set()
    for row, product in book["elements"]["product"].items():
        lacking = [] if is_blank(product) else [item for item in ("market", "surplus") if (product, item) not in known]
        if lacking and product not in told:
            told.add(product)
            yield Offence(
                "elements", row, "product", f"{show(product)} without a {' and a '.join(lacking)} price", "two rows in prices for each product",
                f"Add the {' and '.join(lacking)} row of {product} to prices.",
            )  # fmt: skip


@rule("feed_price", "error", "sources.payability", "sources.fixed_price", blocks=True)
def feed_price(book: Book) -> Iterator[Offence]:
    """A source has either a payability or a fixed price."""
    for row, record in book.rows("sources"):
        if is_blank(record["payability"]) == is_blank(record["fixed_price"]):
            found = "neither payability nor fixed_price" if is_blank(record["payability"]) else "both payability and fixed_price"
            yield Offence(
                "sources", row, "payability", found, "one of payability and fixed_price", "Fill in one and leave the other blank."
            )


@rule(
    "low_value_high", "error", *(f"{sheet}.{name}{end}" for sheet, name in _TRIPLES for end in ("", "_low", "_high")), as_written=True
)  # fmt: skip
def low_value_high(book: Book) -> Iterator[Offence]:
    """The low case is at most the value, and the value at most the high case."""
    for sheet, name in _TRIPLES:
        for row, record in book.rows(sheet):
            parts = [(part, record[part]) for part in (f"{name}_low", name, f"{name}_high") if not is_blank(record[part])]
            for (lower, less), (upper, more) in pairwise(parts):
                if less > more:
                    column = lower if lower != name else upper
                    yield Offence(
                        sheet, row, column, f"{lower} {show(less)} above {upper} {show(more)}", f"{name}_low up to {name} up to {name}_high",
                        "Correct the cases.",
                    )  # fmt: skip


@rule("recovery_missing", "error", *_FEED, "sources.feed_type", "recoveries.feed_type", "recoveries.product")
def recovery_missing(book: Book) -> Iterator[Offence]:
    """Each product that a source in use contains has a recovery for the source's feed type."""
    known = set(zip(book["recoveries"]["feed_type"], book["recoveries"]["product"], strict=True))
    for row, record in book.used_sources.iterrows():
        for product in book.content.get(record["source_id"], {}):
            pair = (record["feed_type"], product)
            if pair not in known:
                known.add(pair)
                yield Offence(
                    "sources", row, "feed_type", f"no recovery of {product} from {pair[0]}, which {record['source_id']} contains",
                    "a row in recoveries for each feed type and product contained", f"Add the row {pair[0]}, {product} to recoveries; 0 if it is lost.",
                )  # fmt: skip


@rule("addon_itself", "error", "processing.feed_type", "processing.discharge_addon")
def addon_itself(book: Book) -> Iterator[Offence]:
    """A feed type's discharge add-on is another row, without an add-on of its own."""
    addon_of = dict(zip(book["processing"]["feed_type"], book["processing"]["discharge_addon"], strict=True))
    for row, record in book.rows("processing"):
        addon = record["discharge_addon"]
        if is_blank(addon):
            continue
        if addon == record["feed_type"] or not is_blank(addon_of.get(addon, "")):
            found = (
                f"{record['feed_type']} that points to itself"
                if addon == record["feed_type"]
                else f"the add-on {addon} with an add-on of its own"
            )
            yield Offence(
                "processing", row, "discharge_addon", found, "another row of processing, without an add-on", "Point to the add-on's row."
            )


@rule("least_take_above_demand", "error", *_OFFERS, *_DEMAND, "suppliers.least_take", "stockpiles.market", "stockpiles.product")
def least_take_above_demand(book: Book) -> Iterator[Offence]:
    """What contracts oblige a market to buy in a year is at most its demand, unless a stockpile can take the rest."""
    demand = book.totals("demand", ["market", "product"])
    stocked = set(zip(book["stockpiles"]["market"], book["stockpiles"]["product"], strict=True))
    taken: dict[tuple[str, str], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    first: dict[tuple[str, str], Hashable] = {}
    anywhere = {r["product"] for _, r in book.rows("suppliers") if r["market"] == ANY and r["least_take"] > 0}
    for row, record in book.rows("suppliers"):
        if is_blank(record["least_take"]) or record["least_take"] == 0:
            continue
        # An obligation to buy in any market adds to all of them together.
        for market in {record["market"], *([ANY] if record["product"] in anywhere else [])}:
            first.setdefault((market, record["product"]), row)
            for year in book.years:
                taken[market, record["product"]][year] += record["least_take"] * record[year]
    for (market, product), by_year in taken.items():
        keys = [key for key in demand if market in (ANY, key[0]) and key[1] == product]  # type: ignore[index]
        if any(p == product and market in (ANY, m) for m, p in stocked):
            continue
        over = [y for y, tonnes in by_year.items() if tonnes > sum(demand[key][y] for key in keys) * (1 + 1e-9) + 1e-9]
        if over:
            worst = sum(demand[key][over[0]] for key in keys)
            place = "all markets" if market == ANY else market
            yield Offence(
                "suppliers", first[market, product], "least_take",
                f"{by_year[over[0]]:.6g} t of {product} that {place} must buy in {over[0]} ({len(over)} such years)",
                f"at most the demand, {worst:.6g} t", "Lower least_take or the tonnes, or raise the demand.",
            )  # fmt: skip


@rule("stockpile_without_demand", "notice", *_DEMAND, "stockpiles.market", "stockpiles.product")
def stockpile_without_demand(book: Book) -> Iterator[Offence]:
    """A stockpile is of a product that its market buys."""
    demand = book.totals("demand", ["market", "product"])
    for row, record in book.rows("stockpiles"):
        if not any(demand.get((record["market"], record["product"]), {}).values()):
            yield Offence(
                "stockpiles", row, "product", f"{record['product']}, which {record['market']} does not buy", "a product with demand",
                "Nothing will be held beyond the opening stock; delete the row if it is a slip.",
            )  # fmt: skip


@rule("demand_without_source", "error", *_OFFERS, *_DEMAND, *_FEED)
def demand_without_source(book: Book) -> Iterator[Offence]:
    """Each product in demand is offered to the market by some supplier in some year, or contained in some source in use."""
    offered = {key for key, by_year in book.totals("suppliers", ["product", "market"]).items() if any(by_year.values())}
    contained = {product for source in book.used_sources["source_id"] for product in book.content.get(source, {})}
    for row, record in book.rows("demand"):
        product, market = record["product"], record["market"]
        wanted = any(record[year] > 0 for year in book.years)
        if wanted and product not in contained and not {(product, market), (product, ANY)} & offered:
            yield Offence(
                "demand", row, "product", f"demand of {market} for {product} that no source could ever meet",
                "a product that some supplier offers to the market or some source in use contains",
                "Add a supplier or a source, or set the demand to 0.",
            )  # fmt: skip


def _feed_content(book: Book, product: str) -> dict[int, float]:
    """Return year -> t REO of the product contained in all that the sources in use could ship."""
    tonnes = dict.fromkeys(book.years, 0.0)
    for record in book.used_sources.to_dict("records"):
        share = book.content.get(record["source_id"], {}).get(product, 0.0)
        for year in book.years if share > TRACE else ():
            tonnes[year] += share * record["capacity"] * record["uncommitted"] * output_share(record, year)
    return tonnes


@rule(
    "shortage_certain", "notice", *_OFFERS, *_DEMAND, *_FEED, "sources.capacity", "sources.first_year", "sources.ramp_1", "sources.ramp_2",
    "sources.uncommitted", "stockpiles.product",
)  # fmt: skip
def shortage_certain(book: Book) -> Iterator[Offence]:
    """Demand for a product is at most what suppliers offer and sources in use contain."""
    demand, offers = book.totals("demand", ["product"]), book.totals("suppliers", ["product"])
    # Stocks can carry tonnes from year to year, so a stockpiled product proves nothing year by year.
    stocked = set(book["stockpiles"]["product"])
    for product in dict.fromkeys(book["demand"]["product"]):
        if product in stocked:
            continue
        contained, wanted, offered = _feed_content(book, product), demand[product], offers.get(product, {})
        most = {year: contained[year] + offered.get(year, 0.0) for year in book.years}
        short = [year for year in book.years if wanted[year] > most[year] * (1 + 1e-9) + 1e-9]
        if not short or not any(most.values()):
            continue
        row = book["demand"].index[book["demand"]["product"] == product][0]
        yield Offence(
            "demand", row, short[0], f"demand for {product} of {number_text(wanted[short[0]])} t in {short[0]}",
            f"at most {most[short[0]]:.6g} t, all that is offered and contained in feed",
            f"Shortage is certain in {listing(short)}; check demand, suppliers and sources.",
        )  # fmt: skip


MATERIAL_RULES = (
    element_column_missing, composition_missing, composition_sum, product_circuit, price_missing, feed_price, low_value_high, recovery_missing,
    addon_itself, least_take_above_demand, stockpile_without_demand, demand_without_source, shortage_certain,
)  # fmt: skip
