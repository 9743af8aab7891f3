"""Rules on partners, hosts' rules, caps and duties."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator
from typing import Any

from model.book import Book, is_blank
from model.findings import Offence, rule
from model.rules_material import SUM_TOLERANCE
from model.rules_time import HORIZON
from model.words import listing, number_text, show, suggest

VALUE_UNITS = {"feed_ceiling": "t REO/y", "force_plant": "t REO/y", "export_ceiling": "t REO/y", "export_share": "share"}
"""Host rules that need a figure, and its unit."""
PRODUCT_RULES = ("export_share", "export_ceiling")
_MEMBER_SHEET = {"host": ("hosts", "host"), "product": ("elements", "product"), "partner": ("markets", "market")}


@rule("partner_missing", "error", "markets.partner", blocks=True)
def partner_missing(book: Book) -> Iterator[Offence]:
    """At least one market is a partner."""
    markets = book["markets"]
    if len(markets) and not len(book.partners):
        yield Offence(
            "markets",
            markets.index[0],
            "partner",
            "no market with partner yes",
            "at least one partner",
            "Mark Japan and the US as partners.",
        )


@rule("equity_sum", "error", "markets.partner", "markets.equity")
def equity_sum(book: Book) -> Iterator[Offence]:
    """The partners' shares of capital sum to 1."""
    total = math.fsum(book.partners["equity"])
    if abs(total - 1.0) > SUM_TOLERANCE:
        yield Offence(
            "markets", book.partners.index[0], "equity", f"partners' equity that sums to {total:.6g}", "a sum of 1", "Correct the partners' shares."
        )  # fmt: skip


@rule("offtake_sum", "error", "markets.partner", "markets.offtake_minimum")
def offtake_sum(book: Book) -> Iterator[Offence]:
    """The partners' least shares of a plant's output sum to at most 1."""
    total = math.fsum(book.partners["offtake_minimum"])
    if total > 1.0 + 1e-9:
        yield Offence(
            "markets", book.partners.index[0], "offtake_minimum", f"offtake minima that sum to {total:.6g}", "a sum of at most 1", "Lower the minima."
        )  # fmt: skip


@rule("terms_of_no_partner", "notice", "markets.partner", "markets.equity", "markets.offtake_minimum")
def terms_of_no_partner(book: Book) -> Iterator[Offence]:
    """Equity and offtake minimum are for partners only."""
    for row, record in book.rows("markets"):
        for column in ("equity", "offtake_minimum"):
            if record["partner"] == "no" and record[column] > 0:
                yield Offence(
                    "markets", row, column, f"{column} {number_text(record[column])} of {record['market']}, no partner", "0 for a market that is no partner",
                    "Ignored; set partner to yes if it is meant.",
                )  # fmt: skip


@rule("host_rule_value", "error", "host_rules.rule", "host_rules.value", "host_rules.value_unit", blocks=True)
def host_rule_value(book: Book) -> Iterator[Offence]:
    """A host rule has the figure that it needs, in its unit, and no other."""
    for row, record in book.rows("host_rules"):
        name, value, unit = record["rule"], record["value"], record["value_unit"]
        needed = VALUE_UNITS.get(name, "")
        allowed = f"for {name}, a value in {needed}" if needed else f"for {name}, no value and no unit"
        if needed and is_blank(value):
            yield Offence("host_rules", row, "value", f"{name} without a value", allowed, "Fill in the value.")
        elif not needed and not is_blank(value):
            yield Offence(
                "host_rules",
                row,
                "value",
                f"{name} with the value {show(value)}",
                allowed,
                "Empty the cell, or pick the rule that is meant.",
            )
        elif needed == "share" and value > 1:
            hint = f"Write {value / 100:g} if {number_text(value)} % is meant." if value <= 100 else "Write a share from 0 to 1."
            yield Offence("host_rules", row, "value", f"a share of {number_text(value)}", "a share from 0 to 1", hint)
        if unit != needed:
            found = f"{name} without a unit" if is_blank(unit) else f"{name} in {unit}"
            yield Offence("host_rules", row, "value_unit", found, allowed, f"Write {needed}." if needed else "Empty the cell.")


@rule("host_rule_product", "error", "host_rules.rule", "host_rules.product")
def host_rule_product(book: Book) -> Iterator[Offence]:
    """Only export rules are limited to a product."""
    for row, record in book.rows("host_rules"):
        if record["rule"] not in PRODUCT_RULES and not is_blank(record["product"]):
            yield Offence(
                "host_rules", row, "product", f"{record['rule']} limited to {record['product']}", f"a product only for {' and '.join(PRODUCT_RULES)}",
                "Empty the cell: the rule holds for all feed and products.",
            )  # fmt: skip


def _span(record: dict[Hashable, Any]) -> tuple[float, float]:
    first, last = record["from_year"], record["to_year"]
    return (-math.inf if is_blank(first) else first, math.inf if is_blank(last) else last)


@rule(
    "force_forbidden", "error", "host_rules.host", "host_rules.rule", "host_rules.value", "host_rules.from_year", "host_rules.to_year", *HORIZON
)  # fmt: skip
def force_forbidden(book: Book) -> Iterator[Offence]:
    """A forced plant has a modelled year in its span in which it is not forbidden."""
    rules = [record for _, record in book.rows("host_rules") if record["rule"] == "forbid_plant"]
    for row, record in book.rows("host_rules"):
        if record["rule"] != "force_plant" or not record["value"] > 0:
            continue
        first, last = _span(record)
        years = [year for year in book.years if first <= year <= last]
        barring = [other for other in rules if other["host"] == record["host"]]
        if all(any(start <= year <= end for start, end in map(_span, barring)) for year in years):
            found = f"a plant forced at {record['host']} while forbidden by {listing(other['rule_id'] for other in barring)}"
            yield Offence(
                "host_rules", row, "rule", found if years else f"a plant forced at {record['host']} in no modelled year",
                "a modelled year from from_year to to_year in which no rule forbids the plant", "Delete one of the rules, or change its years.",
            )  # fmt: skip


@rule("cap_member", "error", "caps.scope", "caps.member", "hosts.host", "elements.product", "markets.market", "markets.partner")
def cap_member(book: Book) -> Iterator[Offence]:
    """A cap on a host, product or partner names it; a cap on all or on every product names none."""
    for row, record in book.rows("caps"):
        scope, member = record["scope"], record["member"]
        if scope not in _MEMBER_SHEET:
            if not is_blank(member):
                yield Offence(
                    "caps",
                    row,
                    "member",
                    f"{show(member)} with scope {scope}",
                    "a blank",
                    "Empty the cell, or pick the scope that is meant.",
                )
            continue
        sheet, column = _MEMBER_SHEET[scope]
        known = [str(market) for market in book.partners["market"]] if scope == "partner" else book.texts(sheet, column)
        if member not in known:
            found = f"scope {scope} without a member" if is_blank(member) else show(member)
            yield Offence(
                "caps", row, "member", found, f"a {scope} of {sheet}: {listing(known)}", suggest(member, known, f"Name the {scope}.")
            )


@rule(
    "duty_overlap", "error", "duties.measure", "duties.stage", "duties.product", "duties.origin", "duties.destination", "duties.from_year",
    "duties.to_year",
)  # fmt: skip
def duty_overlap(book: Book) -> Iterator[Offence]:
    """Within a measure, no two equally specific rows hold for the same goods in the same year."""
    seen: dict[tuple[str, ...], list[tuple[Hashable, float, float]]] = defaultdict(list)
    for row, record in book.rows("duties"):
        first, last = _span(record)
        same = seen[tuple(record[name] for name in ("measure", "stage", "product", "origin", "destination"))]
        for other, start, end in same:
            if first <= end and start <= last:
                yield Offence(
                    "duties", row, "from_year", f"years that overlap those of row {other}, which is for the same goods and places",
                    "one row in force for the same measure, stage, product, origin and destination", "Close one row before the other begins, or delete one.",
                )  # fmt: skip
                break
        same.append((row, first, last))


POLICY_RULES = (
    partner_missing, equity_sum, offtake_sum, terms_of_no_partner, host_rule_value, host_rule_product, force_forbidden, cap_member, duty_overlap,
)  # fmt: skip
