"""Raw workbook -> typed tables and findings, all at once.

Cells are read by :mod:`model.reading`; :mod:`model.integrity` follows from the schema,
:mod:`model.rules` from what the model needs. A rule waits while what it reads holds an error, so
that one mistake is told once; what waited is said.
"""

from __future__ import annotations

from dataclasses import dataclass

from model.book import Book
from model.findings import Rule, apply_rules, group_notices, place_of, sort_findings
from model.integrity import SCHEMA_RULES
from model.reading import READING_RULES, type_book
from model.rules import CROSS_RULES
from model.tables import Finding, RawBook, Tables
from model.words import listing

NOT_CHECKED = Rule("not_checked", "notice", "Rules that read cells with errors are tried once these are right.")
RULES: dict[str, Rule] = {each.id: each for each in (*READING_RULES, *SCHEMA_RULES, *CROSS_RULES, NOT_CHECKED)}
"""Every rule by id."""


@dataclass(frozen=True)
class Validated:
    """Outcome of validation.

    Parameters
    ----------
    tables
        Typed tables; None where a finding is an error.
    findings
        Errors and notices by sheet, row and column.
    """

    tables: Tables | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop the run."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def validate_book(raw: RawBook) -> Validated:
    """Type and check a workbook.

    Parameters
    ----------
    raw
        Worksheets as the planner left them.

    Returns
    -------
    Validated
        Every finding at once; the tables if none is an error. Nothing in a book raises.
    """
    tables, read = type_book(raw)
    tainted = {place_of(tables, sheet, row, column) for sheet, row, column in read.unread}
    findings = [*read.findings, *_check(Book(tables, read.unread), tainted, as_written=True)]
    findings = sort_findings(group_notices(findings))
    failed = any(finding.severity == "error" for finding in findings)
    return Validated(None if failed else tables, tuple(findings))


def check_tables(tables: Tables, as_written: bool = False) -> tuple[Finding, ...]:
    """Check typed tables, such as those that a scenario has changed.

    Parameters
    ----------
    tables
        Typed tables.
    as_written
        Also try the rules that a scenario may break, as for a book.

    Returns
    -------
    tuple of Finding
        By sheet, row and column; empty when every rule holds.
    """
    return tuple(sort_findings(group_notices(_check(Book(tables), set(), as_written))))


def _check(book: Book, tainted: set[str], as_written: bool) -> list[Finding]:
    tried = [[each for each in rules if as_written or not each.as_written] for rules in (SCHEMA_RULES, CROSS_RULES)]
    findings, _ = apply_rules(tried[0], book, tainted)
    more, skipped = apply_rules(tried[1], book, tainted)
    findings += more
    if skipped:
        found = f"{len(skipped)} further checks that need the cells named below: {listing((each.id for each in skipped), 6)}"
        findings.append(NOT_CHECKED.finding("", "", found, "every rule tried", "Correct the errors, then check again."))
    return findings
