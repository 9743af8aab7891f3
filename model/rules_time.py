"""Rules on years: the horizon, the year columns, from-to pairs and ramps."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from itertools import pairwise
from typing import Any

from model.book import Book, is_blank, parse_modelled_years
from model.economics import represented_years
from model.findings import Offence, rule
from model.schema import SHEETS
from model.words import listing, number_text, show

HORIZON = ("settings.setting", "settings.first_year", "settings.last_year", "settings.modelled_years")
"""A misspelt setting counts too: it may be the one that would have set the horizon."""
_RAMPS = {"sources": ("ramp_1", "ramp_2"), "designs": ("ramp_1", "ramp_2", "ramp_3", "ramp_4")}


@rule("horizon_order", "error", *HORIZON, blocks=True)
def horizon_order(book: Book) -> Iterator[Offence]:
    """The first year of the plan is not after the last."""
    first, last = book.number("first_year"), book.number("last_year")
    if first > last:
        yield Offence(
            "settings", book.setting_row("last_year"), "value", f"last_year {number_text(last)} before first_year {number_text(first)}",
            "first_year up to last_year", "Correct one of the two.",
        )  # fmt: skip


@rule("modelled_years", "error", *HORIZON, blocks=True)
def modelled_years(book: Book) -> Iterator[Offence]:
    """The modelled years are all, or ascending years of the horizon that start with the first."""
    first, last = int(book.number("first_year")), int(book.number("last_year"))
    text = str(book.settings["modelled_years"])
    try:
        parse_modelled_years(text, first, last)
    except ValueError as problem:
        yield Offence(
            "settings", book.setting_row("modelled_years"), "value", f"{show(text)}: {problem}",
            f"all, or years from {first} to {last} parted by commas, ascending, the first of them {first}", "Correct the list, or write all.",
        )  # fmt: skip


def _are_read(book: Book, sheet: str) -> bool:
    """Return whether the sheet has rows and its year columns are beyond doubt: a year out of order is probably the one missing."""
    return len(book[sheet]) > 0 and not any(book.is_unread(sheet, None, year) for year in book.year_columns(sheet))


def _missing(book: Book, required: bool) -> Iterator[tuple[str, list[int], str]]:
    """Yield (sheet, modelled years without a column, what a blank means)."""
    for sheet in SHEETS:
        if sheet.spread and sheet.spread.family == "year" and sheet.spread.required == required and _are_read(book, sheet.name):
            columns = set(book.year_columns(sheet.name))
            years = [year for year in book.years if year not in columns]
            if years:
                yield sheet.name, years, sheet.spread.blank


@rule("year_missing", "error", *HORIZON, blocks=True)
def year_missing(book: Book) -> Iterator[Offence]:
    """Every modelled year has a column in each sheet whose figures change with the year."""
    for sheet, years, _ in _missing(book, required=True):
        yield Offence(
            sheet, None, years[0], f"no column for {listing(years)}", f"a column for each of {listing(book.years, len(book.years))}",
            "Add the columns, or change first_year, last_year or modelled_years in settings.",
        )  # fmt: skip


@rule("year_blank", "notice", *HORIZON)
def year_blank(book: Book) -> Iterator[Offence]:
    """A modelled year without a column in a sheet of limits is a blank there."""
    for sheet, years, blank in _missing(book, required=False):
        yield Offence(
            sheet, None, years[0], f"no column for {listing(years)}", "a column for each modelled year", f"Read as a blank: {blank}."
        )


@rule("year_gap", "notice", *HORIZON)
def year_gap(book: Book) -> Iterator[Offence]:
    """Year columns have no gaps, even in years that are not modelled."""
    for sheet in SHEETS:
        columns = set(book.year_columns(sheet.name)) if _are_read(book, sheet.name) else set()
        gaps = [year for year in range(min(columns), max(columns)) if year not in columns and year not in book.years] if columns else []
        if gaps:
            yield Offence(
                sheet.name, None, gaps[0], f"no column for {listing(gaps)} between {min(columns)} and {max(columns)}", "a column for every year",
                "Nothing to do if the gap is meant: these years are not modelled.",
            )  # fmt: skip


@rule("sparse_years", "notice", *HORIZON)
def sparse_years(book: Book) -> Iterator[Offence]:
    """A modelled year stands for two calendar years at most."""
    spans = represented_years(book.years, int(book.number("last_year"))) if book.years else {}
    wide = [year for year, span in spans.items() if len(span) > 2]
    if wide:
        longest = max(wide, key=lambda year: len(spans[year]))
        yield Offence(
            "settings", book.setting_row("modelled_years"), "value",
            f"{longest}, which stands for {len(spans[longest])} years, {longest} to {spans[longest][-1]}", "years that stand for at most 2 each",
            "Nothing to do for a quick look. Ramps, demand and caps of a modelled year count for all years that it stands for; "
            "list more years, or write all, before trusting the plan.",
        )  # fmt: skip


def _blanks(book: Book, sheet: str, row: Hashable, record: dict[Hashable, Any], between: bool) -> list[int]:
    """Return the blank years before the row's last figure, only those after its first one where asked."""
    years = [year for year in book.year_columns(sheet) if not book.is_unread(sheet, row, year)]
    filled = [year for year in years if not is_blank(record[year])]
    if not filled:
        return []
    first = min(filled) if between else -math.inf
    return [year for year in years if first < year < max(filled) and is_blank(record[year])]


@rule("cap_gap", "notice", "caps.cap", "caps.year", *HORIZON)
def cap_gap(book: Book) -> Iterator[Offence]:
    """A cap holds in every modelled year between its first and its last."""
    for row, record in book.rows("caps"):
        gaps = [year for year in _blanks(book, "caps", row, record, between=True) if year in book.years]
        if gaps:
            yield Offence(
                "caps", row, gaps[0], f"{record['cap']} blank in {listing(gaps)}, between capped years", "a cap in each year between capped years",
                "Read as no cap in these years. Nothing to do if that is meant; a cap in force before or after is not carried over.",
            )  # fmt: skip


@rule("budget_gap", "notice", "markets.market", "markets.partner", "markets.year", "settings.decision_year", *HORIZON)
def budget_gap(book: Book) -> Iterator[Offence]:
    """A partner with a capital budget has one in each earlier year in which capital can be spent."""
    columns, decision = book.year_columns("markets"), int(book.number("decision_year"))
    for row, record in book.rows("markets"):
        budgeted = any(not is_blank(record[year]) for year in columns)
        absent = list(range(decision, min(columns))) if budgeted else []
        gaps = absent + [year for year in _blanks(book, "markets", row, record, between=False) if year >= decision]
        if record["partner"] == "yes" and gaps:
            yield Offence(
                "markets", row, next((year for year in gaps if year in columns), min(columns)),
                f"no budget of {record['market']} in {listing(gaps)}, before budgeted years",
                "a budget in each year from decision_year to the last budgeted one",
                "Read as no limit: capital for later plants can be spent in these years. "
                f"{'Add the columns, and write' if absent else 'Write'} 0 where nothing may be spent.",
            )  # fmt: skip


@rule(
    "from_after_to", "error", "host_rules.from_year", "host_rules.to_year", "duties.from_year", "duties.to_year", blocks=True
)  # fmt: skip
def from_after_to(book: Book) -> Iterator[Offence]:
    """A dated row does not end before it begins."""
    for sheet in ("host_rules", "duties"):
        for row, record in book.rows(sheet):
            first, last = record["from_year"], record["to_year"]
            if isinstance(first, float) and isinstance(last, float) and first > last:
                yield Offence(
                    sheet, row, "to_year", f"to_year {number_text(last)} before from_year {number_text(first)}", "from_year up to to_year",
                    "Correct one of the two.",
                )  # fmt: skip


@rule("ramp_falls", "notice", *(f"{sheet}.{name}" for sheet, names in _RAMPS.items() for name in names))
def ramp_falls(book: Book) -> Iterator[Offence]:
    """A ramp rises or stays from year to year."""
    for sheet, names in _RAMPS.items():
        for row, record in book.rows(sheet):
            for before, after in pairwise(names):
                early, late = record[before], record[after]
                if not is_blank(early) and not is_blank(late) and late < early:
                    yield Offence(
                        sheet, row, after, f"{after} {show(late)} below {before} {show(early)}", "a ramp that does not fall",
                        "Kept as written; correct it if it is a slip.",
                    )  # fmt: skip


TIME_RULES = (
    horizon_order, modelled_years, year_missing, year_blank, year_gap, sparse_years, cap_gap, budget_gap, from_after_to, ramp_falls,
)  # fmt: skip
