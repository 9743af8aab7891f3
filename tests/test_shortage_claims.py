"""What a reason for a shortage claims holds when the book is solved again without what it names."""

from __future__ import annotations

import re

import numpy as np

from model.shortage_room import CAP, CAPACITY, DEARER, LIMIT, UNCLEAR
from model.shortages import shortage_reasons
from tests import small
from tests.random_books import random_sheets
from tests.small import Row, Solved

Sheets = dict[str, list[Row]]
Settings = dict[str, object]


def scarce_book(seed: int) -> tuple[Sheets, Settings]:
    """Return a random book in which existing refiners offer little or nothing and sites are tightly limited."""
    sheets, settings = random_sheets(seed)
    random = np.random.default_rng(9999 + seed)
    offered, dearer = float(random.choice([0, 0.05, 0.3])), float(random.choice([1, 3]))
    sheets["suppliers"] = [
        {**row, **{y: row[y] * offered for y in small.YEARS}, "price_share": row["price_share"] * dearer}
        for row in sheets["suppliers"]
        if offered
    ]
    sheets["host_rules"] = [row for row in sheets["host_rules"] if row["rule"] != "force_plant"]
    if random.random() < 0.5:
        sheets["caps"] = sheets["caps"][:1]
    if random.random() < 0.4:
        sheets["sources"] = [{**row, "capacity": row["capacity"] * 4} for row in sheets["sources"]]
    return sheets, {**settings, "minimum_hosts": 0, "max_plants": int(random.integers(1, 4)), "plants_per_host": 1}


def loosened(reason: str, sheets: Sheets, settings: Settings) -> tuple[Sheets, Settings]:
    """Return a book without the limits that a reason names."""
    named = [row["cap"] for row in sheets["caps"] if re.search(rf"\b{row['cap']}\b(?: for \w+)? at \d", reason)]
    markets = sheets["markets"]
    if "capital budget" in reason:
        markets = [{column: value for column, value in row.items() if not isinstance(column, int)} for row in markets]
    if "offtake" in reason:
        markets = [{**row, "offtake_minimum": 0} for row in markets]
    designs = sheets["designs"]
    if "another design" in reason:
        designs = [*designs, *({**row, "design": f"{row['design']}_2"} for row in designs)]
    loose = {"max_plants": 20, "plants_per_host": 9, "country_share_limit": 1}
    changed = {
        **sheets,
        "caps": [row for row in sheets["caps"] if row["cap"] not in named],
        "host_rules": [row for row in sheets["host_rules"] if str(row["rule_id"]) not in reason],
        "markets": markets,
        "designs": designs,
    }
    return changed, {**settings, **{name: value for name, value in loose.items() if name in reason}}


def solved(sheets: Sheets, settings: Settings) -> Solved:
    return small.solve_book(small.book(settings, **sheets))


def test_reasons_hold_when_the_book_is_solved_again_without_what_they_name():
    seen = set()
    for seed in (3, 10, 11, 20, 23):
        sheets, settings = scarce_book(seed)
        plan = solved(sheets, settings)
        reasons = shortage_reasons(plan.tables, plan.problem, plan.solution.tables)
        # a reason that differs in figures alone names the same limits
        reasons["told"] = reasons["reason"].str.replace(r"[\d,]+\.\d|[\d,]+ of", "", regex=True)
        for row in reasons.drop_duplicates("told").to_dict("records"):
            kind, reason = row["kind"], row["reason"]
            # who is served first is not asked here: those left short of the product in the year, all together
            where = {"product": row["product"], "year": row["year"]}
            if kind in (CAP, LIMIT):
                free = solved(*loosened(reason, sheets, settings))
                assert free.cost < plan.cost - 1e-4, (seed, reason)
                assert kind != CAP or free.tonnes("unmet", **where) < plan.tonnes("unmet", **where) - 1e-3, (seed, where, reason)
            elif kind == CAPACITY and "ramp up" in reason:
                fast = [{**design, "ramp_1": 1} for design in sheets["designs"]]
                free = solved({**sheets, "designs": fast}, {**settings, "expertise_ramp_penalty": 0})
                assert free.cost < plan.cost - 1e-4, (seed, reason)
                assert free.tonnes("unmet", **where) < plan.tonnes("unmet", **where) - 1e-3, (seed, where, reason)
            elif kind == DEARER:
                sectors = [{**sector, "shortage_cost": sector["shortage_cost"] * 1000} for sector in sheets["sectors"]]
                assert solved({**sheets, "sectors": sectors}, settings).tonnes("unmet") < plan.tonnes("unmet") - 1e-3, (seed, reason)
            seen.add(kind)
    assert seen >= {CAP, LIMIT, CAPACITY, DEARER, UNCLEAR}, seen
