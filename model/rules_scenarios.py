"""Rules on the scenarios sheet: every row must fit the tables that it changes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from model.book import Book, is_blank
from model.findings import Offence, rule
from model.scenarios import ScenarioError, resolve_row
from model.words import number_text

_PARTS = ("sheet", "key", "column", "operation", "value")


@rule("scenario_row", "error", *(f"scenarios.{part}" for part in _PARTS), as_written=True)
def scenario_row(book: Book) -> Iterator[Offence]:
    """A scenario's row names a sheet, rows, columns, an operation and a value that fit each other."""
    doubtful = {sheet for sheet, _, _ in book.unread}
    for row, record in book.rows("scenarios"):
        if record["sheet"] in doubtful:
            continue
        try:
            resolve_row(book.tables, record, row)
        except ScenarioError as error:
            yield Offence("scenarios", row, error.part, error.found, error.allowed, error.remedy)


@rule("scenario_probability", "error", "scenarios.scenario", "scenarios.probability")
def scenario_probability(book: Book) -> Iterator[Offence]:
    """A scenario's rows give one probability, and those of all scenarios sum to at most 1."""
    first: dict[str, tuple[object, float]] = {}
    for row, record in book.rows("scenarios"):
        name, probability = record["scenario"], record["probability"]
        if is_blank(probability):
            continue
        other, known = first.setdefault(name, (row, probability))
        if probability != known:
            yield Offence(
                "scenarios", row, "probability", f"{number_text(probability)} for {name}, but {number_text(known)} in row {other}",
                "one probability for a scenario", "Write the same figure on its rows, or on the first only.",
            )  # fmt: skip
    total = math.fsum(probability for _, probability in first.values())
    if total > 1.0 + 1e-9:
        row = list(first.values())[-1][0]
        yield Offence(
            "scenarios", row, "probability", f"probabilities that sum to {total:.6g}", "a sum of at most 1", "Lower them; the rest is the book as it stands."
        )  # fmt: skip


SCENARIO_RULES = (scenario_row, scenario_probability)
