"""Change one thing in the audited book, its plan or its result tables, and check the whole."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pandas as pd

from model.goal import Goal, ShortageLimit
from model.tables import Tables
from model.verification import VerificationReport, verify_solution
from tests.audited_book import audit_records, audit_tables
from tests.audited_plan import BUILDS, FEED, Decisions, complete, decide
from tests.audited_reference import Reference

Records = dict[str, list[dict]]
Results = dict[str, pd.DataFrame]


GOAL = Goal(
    excluded_host_sets=(frozenset(), frozenset({"AAA_PORT", "BBB_PORT"})),
    shortage_limits=(ShortageLimit(("glass",), 1.0),),
    cost_budget=100_000.0,
)
"""What the hand-made plan meets with room to spare."""


def _ignore(_: object) -> None:
    """Change nothing."""


def audit(
    records: Callable[[Records], None] = _ignore,
    settings: dict[str, object] | None = None,
    builds: list[tuple] = BUILDS,
    feed: dict[tuple, float] | None = None,
    decisions: Callable[[Decisions], None] = _ignore,
    results: Callable[[Results], None] = _ignore,
    tables: Callable[[Tables], Tables] = lambda tables: tables,
    objective: float = 0.0,
    goal: Goal = GOAL,
) -> VerificationReport:
    """Change a book, a plan or its result tables in one place and check the whole; `objective` is added to the objective."""
    book = audit_records()
    records(book)
    reference = Reference(book, settings or {})
    plan = decide(reference, builds, {**FEED, **(feed or {})})
    decisions(plan)
    frames, total = complete(reference, plan)
    results(frames)
    return verify_solution(tables(audit_tables(book, **(settings or {}))), frames, total + objective, goal)


@functools.cache
def _good_plan() -> tuple[Tables, Results, float]:
    """Return the book with the tables of the hand-made plan and its objective."""
    reference = Reference(audit_records(), {})
    return audit_tables(), *complete(reference, decide(reference))


def audit_results(change: Callable[[Results], None]) -> VerificationReport:
    """Change the result tables of the good plan and check them."""
    tables, results, objective = _good_plan()
    spoiled = dict(results)
    change(spoiled)
    return verify_solution(tables, spoiled, objective)


def find_row(rows: list[dict], **key: object) -> dict:
    """Return the one record with the key."""
    found = [row for row in rows if all(row.get(name) == value for name, value in key.items())]
    assert len(found) == 1, found
    return found[0]


def in_book(sheet: str, key: dict, column: object, value: object) -> Callable[[Records], None]:
    return lambda book: find_row(book[sheet], **key).update({column: value})


def add_to(table: str, key: dict, amounts: dict[str, float]) -> Callable[[Decisions], None]:
    def change(plan: Decisions) -> None:
        row = find_row(plan[table], **key)
        for column, amount in amounts.items():
            row[column] += amount

    return change


def both(*changes: Callable[[Decisions], None]) -> Callable[[Decisions], None]:
    def change(plan: Decisions) -> None:
        for one in changes:
            one(plan)

    return change


def append_row(table: str, **row: object) -> Callable[[Decisions], None]:
    return lambda plan: plan[table].append(row)


def in_results(table: str, column: str, amount: object, row: int = 0) -> Callable[[Results], None]:
    """Add a number to one cell of a result table, or set it to a text."""

    def change(frames: Results) -> None:
        frame = frames[table].astype(object)
        at = frame.columns.get_loc(column)
        frame.iat[row, at] = amount if isinstance(amount, str) else frame.iat[row, at] + amount
        frames[table] = frame

    return change


def drop_row(table: str, row: int = 0) -> Callable[[Results], None]:
    return lambda frames: frames.update({table: frames[table].drop(index=row)})


def repeat(table: str, **changed: object) -> Callable[[Results], None]:
    """Repeat the first row of a table with something changed in it."""
    return lambda frames: frames.update({table: pd.concat([frames[table], frames[table].iloc[:1].assign(**changed)])})


def set_cell(table: str, column: str, value: object, row: int) -> Callable[[Results], None]:
    def change(frames: Results) -> None:
        frame = frames[table].astype(object)
        frame.iat[row, frame.columns.get_loc(column)] = value
        frames[table] = frame

    return change


def move_cost(frames: Results) -> None:
    """Book 1 MUSD of one host's capital on another's."""
    frame = frames["costs"]
    rows = frame.index[(frame["component"] == "capital") & (frame["year"] == 2034)][:2]
    for row, amount in zip(rows, (1.0, -1.0), strict=True):
        frame.loc[row, "cost"] += amount
        frame.loc[row, "present_value"] += amount * frame.loc[row, "weight"]


def move_market_cost(frames: Results) -> None:
    """Book 1 MUSD of one market's bought oxide on another's."""
    frame = frames["costs"]
    rows = frame.index[(frame["component"] == "oxide_purchase") & (frame["year"] == 2034)][:2]
    for row, amount in zip(rows, (1.0, -1.0), strict=True):
        frame.loc[row, "cost"] += amount
        frame.loc[row, "present_value"] += amount * frame.loc[row, "weight"]


def free_surplus(book: Records) -> None:
    find_row(book["prices"], product="Ce", item="surplus").update({2030: 0.0, 2031: 0.0, 2034: 0.0})


def without_surplus_price(tables: Tables) -> Tables:
    prices = tables["prices"]
    return tables.with_frames(prices=prices[~((prices["product"] == "Ce") & (prices["item"] == "surplus"))])


BBB_NDPR = {"host": "BBB_PORT", "product": "NdPr", "year": 2030}
JPN_DY = {"market": "JPN", "product": "Dy"}
CHINA_USA = {"supplier": "CHINA", "offered_to": "*", "market": "USA", "year": 2031}
