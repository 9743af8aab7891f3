"""The form of a rule of validation, and how its offences become findings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from model.book import Book
from model.schema import SHEET_BY_NAME, SHEETS
from model.tables import Finding, Tables

Severity = Literal["error", "notice"]
_SHEET_ORDER = {"": -1} | {sheet.name: place for place, sheet in enumerate(SHEETS)}
GROUPED_FROM = 20
"""More notices of one rule in a sheet than this are told as one."""


@dataclass(frozen=True)
class Offence:
    """A cell that breaks a rule; `row` None means the whole column or sheet."""

    sheet: str
    row: Hashable | None
    column: Hashable | None
    found: str
    allowed: str
    remedy: str


@dataclass(frozen=True)
class Rule:
    """One rule that the input must keep.

    Parameters
    ----------
    id
        Stable identifier, shown in the finding.
    severity
        ``error`` stops the run; ``notice`` does not.
    description
        The rule as a sentence.
    reads
        ``sheet.column`` of all that the rule looks at (``sheet.year``, ``sheet.element`` for spreads,
        ``settings.<name>`` for a setting). The rule waits while any of it holds an error, so that one
        mistake is told once.
    find
        Yields the offences; None for a rule that is applied while cells are read.
    blocks
        True when rules that read the offending columns must wait.
    as_written
        True when the rule judges the book as the planner wrote it, so that a scenario may break it: a
        stress case may well lie outside the low and high cases.
    """

    id: str
    severity: Severity
    description: str
    reads: tuple[str, ...] = ()
    find: Callable[[Book], Iterator[Offence]] | None = None
    blocks: bool = False
    as_written: bool = False

    @property
    def sheets(self) -> tuple[str, ...]:
        """Sheets that the rule looks at."""
        return tuple(dict.fromkeys(place.split(".")[0] for place in self.reads))

    def finding(self, sheet: str, cell: str, found: str, allowed: str, remedy: str) -> Finding:
        """Return a finding of this rule."""
        return Finding(self.id, self.severity, sheet, cell, found, allowed, remedy)

    def locate(self, tables: Tables, offence: Offence) -> Finding:
        """Return the finding of an offence, with its cell's address."""
        letter = tables.letters.get(offence.sheet, {}).get(offence.column, "")
        cell = "" if offence.row is None else f"{letter}{offence.row}"
        return self.finding(offence.sheet, cell, offence.found, offence.allowed, offence.remedy)


def rule(
    rule_id: str, severity: Severity, *reads: str, blocks: bool = False, as_written: bool = False
) -> Callable[[Callable[[Book], Iterator[Offence]]], Rule]:
    """Declare a rule by the function that finds its offences; the docstring is its sentence."""

    def declare(find: Callable[[Book], Iterator[Offence]]) -> Rule:
        return Rule(rule_id, severity, (find.__doc__ or "").strip(), reads, find, blocks, as_written)

    return declare


def place_of(tables: Tables, sheet: str, row: Hashable | None, column: Hashable | None) -> str:
    """Return what a rule's `reads` would call the cell; ``sheet.*`` for a whole sheet."""
    if column is None:
        return f"{sheet}.*"
    if sheet == "settings" and row is not None and column == "value":
        return f"settings.{tables['settings']['setting'].to_dict()[row]}"
    declared = SHEET_BY_NAME.get(sheet)
    if declared and declared.spread and column not in {c.name for c in declared.all_columns}:
        return f"{sheet}.{declared.spread.family}"
    return f"{sheet}.{column}"


def apply_rules(rules: Iterable[Rule], book: Book, tainted: set[str]) -> tuple[list[Finding], list[Rule]]:
    """Run rules in order.

    Parameters
    ----------
    rules
        Rules with a `find`.
    book
        What they look at.
    tainted
        Places (see :func:`place_of`) that already hold an error; grows as blocking rules find more.

    Returns
    -------
    findings : list of Finding
    skipped : list of Rule
        Rules that could not be tried because of errors in what they read.
    """
    findings: list[Finding] = []
    skipped: list[Rule] = []
    for each in rules:
        if each.find is None:
            continue
        if any(place in tainted or f"{place.split('.')[0]}.*" in tainted for place in each.reads):
            skipped.append(each)
            continue
        for offence in each.find(book):
            findings.append(each.locate(book.tables, offence))
            if each.blocks and each.severity == "error":
                tainted.add(place_of(book.tables, offence.sheet, offence.row, offence.column))
    return findings, skipped


def group_notices(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings with notices that crowd a sheet told as one, at the first cell."""
    kept: list[Finding] = []
    crowds: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.severity == "notice" and finding.cell:
            crowds[finding.rule, finding.sheet].append(finding)
        else:
            kept.append(finding)
    for crowd in crowds.values():
        if len(crowd) <= GROUPED_FROM:
            kept.extend(crowd)
        else:
            first = sort_findings(crowd)[0]
            kept.append(replace(first, found=f"{first.found}, and {len(crowd) - 1} more cells like it in this sheet"))
    return kept


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by sheet in the order of the schema, then by row and column."""

    def place(finding: Finding) -> tuple[int, str, int, int, str, str, str]:
        match = re.fullmatch(r"([A-Z]*)(\d+)", finding.cell)
        letters, row = (match[1], int(match[2])) if match else ("", 0)
        return (_SHEET_ORDER.get(finding.sheet, len(SHEETS)), finding.sheet, row, len(letters), letters, finding.rule, finding.found)

    return sorted(findings, key=place)
