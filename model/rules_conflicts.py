"""Rules that arithmetic alone shows to leave no plan: forced plants, counts, budgets, contracts, stocks.

Each is a notice, not an error: the run goes on to say which changes would make a plan possible. Every bound here errs
on the generous side, so what is told is certain; much that is impossible is found only by solving.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from typing import Any

from model.book import TRACE, Book, is_blank
from model.economics import construction_spend, represented_years
from model.findings import Offence, rule
from model.rules_time import HORIZON
from model.schema import ANY
from model.words import listing, number_text

Record = dict[Hashable, Any]

SLACK = 1e-9

_SITES = (
    "host_rules.rule", "host_rules.host", "host_rules.value", "host_rules.from_year", "host_rules.to_year", "hosts.host", "hosts.candidate",
    "hosts.earliest_start", "designs.design", "designs.capacity", "designs.build_years", "designs.host", "know_how.way",
    "settings.decision_year", "settings.plants_per_host", *HORIZON,
)  # fmt: skip


def _span(record: Record) -> tuple[float, float]:
    first, last = record["from_year"], record["to_year"]
    return (-math.inf if is_blank(first) else first, math.inf if is_blank(last) else last)


def _builds(book: Book, host: str) -> list[tuple[Record, int]]:
    """Return (design, year on line) of every plant that the host may hold, each way of working apart."""
    record = next((each for _, each in book.rows("hosts") if each["host"] == host), None)
    if record is None or record["candidate"] != "yes":
        return []
    barred = [_span(each) for _, each in book.rows("host_rules") if each["rule"] == "forbid_plant" and each["host"] == host]
    builds = []
    for _, design in book.rows("designs"):
        earliest = max(record["earliest_start"], book.number("decision_year") + math.ceil(design["build_years"] - SLACK))
        if is_blank(design["host"]) or design["host"] == host:
            years = [y for y in book.years if y >= earliest and not any(a <= y <= b for a, b in barred)]
            builds += [(design, y) for y in years for _ in book.rows("know_how")]
    return builds


def _forced(book: Book) -> Iterator[tuple[Hashable, Record, list[tuple[Record, int]]]]:
    """Yield (row, rule, plants that could meet it) of each forced plant with a modelled year in its span."""
    for row, record in book.rows("host_rules"):
        first, last = _span(record)
        if record["rule"] == "force_plant" and record["value"] > 0 and any(first <= y <= last for y in book.years):
            yield row, record, [build for build in _builds(book, record["host"]) if first <= build[1] <= last]


@rule("forced_plant_impossible", "notice", *_SITES)
def forced_plant_impossible(book: Book) -> Iterator[Offence]:
    """A forced plant can stand at its host in time and be as large as asked."""
    for row, record, builds in _forced(book):
        sizes = sorted((design["capacity"] for design, _ in builds), reverse=True)
        most = math.fsum(sizes[: int(book.number("plants_per_host"))])
        if record["value"] > most + SLACK:
            yield Offence(
                "host_rules", row, "value", f"{number_text(record['value'])} t REO/y forced at {record['host']}",
                f"at most {number_text(most)} t REO/y, all that can be on line there in time",
                "No plan can exist: lower the value, move to_year, or look at the host's candidate, earliest_start and forbid_plant rules.",
            )  # fmt: skip


@rule("plant_count_impossible", "notice", *_SITES, "settings.max_plants", "settings.minimum_hosts")
def plant_count_impossible(book: Book) -> Iterator[Offence]:
    """The plants that are forced or needed for the least number of hosts are no more than may be built."""
    needed: dict[str, int] = {}
    for _, record, builds in _forced(book):
        largest = max((design["capacity"] for design, _ in builds), default=0.0)
        plants = math.ceil(record["value"] / largest - SLACK) if largest > 0 else 1
        needed[record["host"]] = max(plants, needed.get(record["host"], 0))
    least = sum(needed.values()) + max(0, int(book.number("minimum_hosts")) - len(needed))
    if least > book.number("max_plants"):
        yield Offence(
            "settings", book.setting_row("max_plants"), "value", f"max_plants {number_text(book.number('max_plants'))}",
            f"at least {least}, for the forced plants and minimum_hosts",
            "No plan can exist: raise max_plants, lower minimum_hosts or delete a force_plant rule.",
        )  # fmt: skip


@rule("host_count_impossible", "notice", *_SITES, "settings.minimum_hosts")
def host_count_impossible(book: Book) -> Iterator[Offence]:
    """There are enough sites where a plant can be on line within the plan."""
    wanted = int(book.number("minimum_hosts"))
    able = [str(record["host"]) for _, record in book.rows("hosts") if _builds(book, record["host"])] if wanted > 0 else []
    if wanted > len(able):
        yield Offence(
            "settings", book.setting_row("minimum_hosts"), "value", f"minimum_hosts {wanted}",
            f"at most {len(able)}, the sites where a plant can be on line by {max(book.years, default=0)}",
            "No plan can exist: lower minimum_hosts, or set candidate to yes for more hosts.",
        )  # fmt: skip


@rule("country_share_impossible", "notice", *_SITES, "hosts.country", "settings.minimum_hosts", "settings.country_share_limit", "settings.country_share_from")  # fmt: skip
def country_share_impossible(book: Book) -> Iterator[Offence]:
    """The countries where plants can stand may hold all of the joint capacity between them."""
    limit, since = book.number("country_share_limit"), book.number("country_share_from")
    if limit >= 1 or not any(y >= since for y in book.years):
        return
    countries = {record["country"] for _, record in book.rows("hosts") if _builds(book, record["host"])}
    if limit * len(countries) < 1 - SLACK and (any(_forced(book)) or book.number("minimum_hosts") > 0):
        yield Offence(
            "settings", book.setting_row("country_share_limit"), "value",
            f"country_share_limit {number_text(limit)} with {len(countries)} countries where a plant can stand",
            "a limit of at least 1 over the number of countries, where plants are forced or minimum_hosts is above 0",
            "No plan can exist: raise the limit, or make hosts in more countries candidates.",
        )  # fmt: skip


@rule(
    "forced_capital_impossible", "notice", *_SITES, "designs.capex", "hosts.capex_factor", "hosts.country", "hosts.foreign_share_limit",
    "know_how.capex_multiplier", "markets.partner", "markets.equity", "markets.country", "markets.year",
)  # fmt: skip
def forced_capital_impossible(book: Book) -> Iterator[Offence]:
    """A forced plant costs no more than the partners' budgets, where one plant must do it alone."""
    if book.number("plants_per_host") > 1:
        return
    cheapest = min((record["capex_multiplier"] for _, record in book.rows("know_how")), default=1.0)
    homes = set(book.partners["country"])
    for row, record, builds in _forced(book):
        host = next(each for _, each in book.rows("hosts") if each["host"] == record["host"])
        owned = 1.0 if host["country"] in homes else host["foreign_share_limit"]
        large = [build for build in builds if build[0]["capacity"] >= record["value"] - SLACK]
        over = []
        for design, y in large:
            cost = design["capex"] * host["capex_factor"] * cheapest * owned
            spend = construction_spend(y, design["build_years"])
            excess = [
                (partner["equity"] * cost * share - partner[t], partner["market"], t, partner["equity"] * cost * share)
                for _, partner in book.rows("markets")
                if partner["partner"] == "yes"
                for t, share in spend.items()
                if t in partner and not is_blank(partner[t]) and partner["equity"] * cost * share > partner[t] * (1 + SLACK) + SLACK
            ]
            over.append(max(excess, default=None))
        told = [each for each in over if each is not None]
        if large and len(told) == len(large):
            _, market, t, least = min(told)
            yield Offence(
                "host_rules", row, "value", f"a plant of {number_text(record['value'])} t REO/y forced at {record['host']}",
                f"one that the budgets can pay for; the nearest costs {market} at least {least:,.1f} MUSD in {t}",
                "No plan can exist: raise the budget in markets, or lower the value.",
            )  # fmt: skip


@rule(
    "cap_impossible", "notice", "suppliers.supplier", "suppliers.product", "suppliers.market", "suppliers.year", "suppliers.least_take",
    "suppliers.china_linked", "demand.market", "demand.product", "demand.year", "stockpiles.market", "stockpiles.product", "prices.product", "prices.item",
    "prices.year", "caps.cap", "caps.basis", "caps.measure", "caps.scope", "caps.member", "caps.year", "elements.product", *HORIZON,
)  # fmt: skip
def cap_impossible(book: Book) -> Iterator[Offence]:
    """China-linked oxide under contract fits every cap on supply, even if all demand is met otherwise."""
    price = {(record["product"], y): record[y] for _, record in book.rows("prices") if record["item"] == "market" for y in book.years}
    demand = book.totals("demand", ["market", "product"])
    stocked = set(zip(book["stockpiles"]["market"], book["stockpiles"]["product"], strict=True))
    for row, cap in book.rows("caps"):
        if cap["basis"] != "supply" or cap["scope"] == "host":
            continue
        members = book.products if cap["scope"] == "every_product" else [cap["member"]]
        for y in [y for y in book.years if y in cap and not is_blank(cap[y])]:
            for member in members:
                # a product without a price in the year is another rule's finding
                worth = {p: price.get((p, y), 0.0) if cap["measure"] == "value" else 1.0 for p in book.products}
                inside = [key for key in demand if _in_scope(cap["scope"], member, key)]  # type: ignore[arg-type]
                if any(_in_scope(cap["scope"], member, key) for key in stocked):
                    continue
                most = math.fsum(demand[key][y] * worth.get(key[1], 0.0) for key in inside)  # type: ignore[index]
                china = math.fsum(
                    record["least_take"] * record[y] * record["china_linked"] * worth.get(record["product"], 0.0)
                    for _, record in book.rows("suppliers")
                    if not is_blank(record["least_take"]) and _in_scope(cap["scope"], member, (record["market"], record["product"]))
                )
                if china > cap[y] * most * (1 + 1e-6) + 1e-6:
                    of = f" of {member}" if member else ""
                    share = china / most if most > 0 else math.inf
                    yield Offence(
                        "caps", row, y, f"a cap of {number_text(cap[y])} in {y}",
                        f"at least {share:.4g}: contracts (least_take) alone bring China-linked oxide{of} to this share of the demand",
                        "No plan can exist: raise the cap, or lower least_take in suppliers.",
                    )  # fmt: skip
                    break


def _in_scope(scope: str, member: str, key: tuple[str, str]) -> bool:
    """Return whether all that belongs to a (market, product) counts under a cap; oxide for any market may go elsewhere."""
    market, product = key
    if scope == "partner":
        return market == member
    return product == member if scope in ("product", "every_product") else True


@rule(
    "stock_impossible", "notice", "stockpiles.market", "stockpiles.product", "stockpiles.opening", "stockpiles.days", "stockpiles.from_year",
    "demand.market", "demand.product", "demand.year", "suppliers.supplier", "suppliers.product", "suppliers.market", "suppliers.year",
    "sources.source_id", "sources.use", "sources.capacity", "sources.uncommitted", "composition.source_id", "composition.element",
    "elements.product", *HORIZON,
)  # fmt: skip
def stock_impossible(book: Book) -> Iterator[Offence]:
    """A stock can be filled in time from its opening tonnes, all offers and all that the feed contains."""
    demand, offers = book.totals("demand", ["market", "product"]), book.totals("suppliers", ["market", "product"])
    spans = represented_years(book.years, int(book.number("last_year"))) if book.years else {}
    for row, record in book.rows("stockpiles"):
        market, product = record["market"], record["product"]
        wanted = demand.get((market, product), {})
        contained = math.fsum(
            max(TRACE, book.content.get(source["source_id"], {}).get(product, 0.0)) * source["capacity"] * source["uncommitted"]
            for _, source in book.used_sources.iterrows()
        )
        most, short = record["opening"], []
        for y in book.years:
            most += len(spans[y]) * (contained + math.fsum(offers.get((m, product), {}).get(y, 0.0) for m in (market, ANY)))
            held = is_blank(record["from_year"]) or y >= record["from_year"]
            needed = record["days"] / 365.0 * wanted.get(y, 0.0)
            if held and needed > most * (1 + SLACK) + SLACK:
                short.append((y, needed, most))
        if short:
            y, needed, most = short[0]
            yield Offence(
                "stockpiles", row, "days", f"{number_text(record['days'])} days of {product} to hold in {market}, {needed:.6g} t in {y}",
                f"at most {most:.6g} t, the opening stock and all that could be had until then ({listing(year for year, *_ in short)})",
                "No plan can exist: lower the days, begin later with from_year, or raise the opening stock.",
            )  # fmt: skip


CONFLICT_RULES = (
    forced_plant_impossible, plant_count_impossible, host_count_impossible, country_share_impossible, forced_capital_impossible, cap_impossible,
    stock_impossible,
)  # fmt: skip
