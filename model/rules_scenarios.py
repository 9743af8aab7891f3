"""Rules on the scenarios sheet: every row must fit the tables that it changes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from model.book import Book, is_blank
from model.findings import Offence, Rule, rule
from model.scenarios import ScenarioError, resolve_row
from model.words import number_text

_PARTS = {
    "sheet": "A scenario changes an input sheet.",
    "key": "A scenario's key matches at least one row.",
    "column": "A scenario changes columns, years or year ranges that the sheet has.",
    "operation": "A scenario multiplies and adds to numbers only.",
    "value": "A scenario's value is of the kind that the column holds.",
}


def _part_rule(part: str, description: str) -> Rule:
    def find(book: Book) -> Iterator[Offence]:
        for row, record in book.rows("scenarios"):
            if any(is_blank(record[name]) for name in _PARTS):
                continue
            try:
                resolve_row(book.tables, record, row)
            except ScenarioError as error:
                if error.part == part:
                    yield Offence("scenarios", row, part, error.found, error.allowed, error.remedy)

    return Rule(f"scenario_{part}", "error", description, tuple(f"scenarios.{name}" for name in _PARTS), find)


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


SCENARIO_RULES = (*(_part_rule(part, description) for part, description in _PARTS.items()), scenario_probability)
