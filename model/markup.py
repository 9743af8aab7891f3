"""A copy of the planner's own book in which the cells at fault are marked and say what to do.

A mark is a conditional format of the highest priority and a comment; no cell, format or formula of
the planner is touched, and a later check takes the marks of an earlier one away before it sets its
own. See :mod:`model.package` for why the file's XML is changed in place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lxml import etree

from model.markup_comments import add_comments, remove_own_comments, split_address
from model.markup_list import write_list
from model.markup_styles import add_difference_format
from model.package import Package, insert_before, new_file
from model.tables import Finding
from model.words import fold_code

COLOURS = {"error": ("FFFF9C9C", "FFC00000"), "notice": ("FFFFE699", "FFBF8F00")}
"""Severity -> fill and border of a marked cell."""

MOST_COMMENTS = 1000
"""Comments written on one sheet; further cells are coloured and listed."""

_FORMULA = '"check: {severity}"<>""'
_OWN_FORMULA = re.compile(r'"check: \w+"<>""')
_AFTER_FORMATS = (
    "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter", "rowBreaks",
    "colBreaks", "customProperties", "cellWatches", "ignoredErrors", "smartTags", "drawing", "legacyDrawing", "legacyDrawingHF", "drawingHF",
    "picture", "oleObjects", "controls", "AlternateContent", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip
_AREAS_A_FORMAT = 400
_ADDRESS = re.compile("[A-Z]+[0-9]+")


def copy_name(book: Path) -> Path:
    """Return where a marked copy of a book goes: beside it, under a name that is free.

    A copy of a copy is named after the book.
    """
    stem = re.sub(r"_checked(_\d+)?$", "", book.stem)
    return new_file(book.with_name(f"{stem}_checked{book.suffix}"))


def write_marked_copy(book: Path, findings: Sequence[Finding], checked: str) -> Path:
    """Write a copy of a book with its findings marked; the book itself stays as it is.

    Parameters
    ----------
    book
        The planner's workbook.
    findings
        What was found in it.
    checked
        When, and in which scenario, in words.

    Returns
    -------
    Path
        The copy, beside the book.

    Raises
    ------
    BookError
        The file is no workbook.
    OSError
        The copy cannot be written.
    """
    package = Package(book)
    sheets = package.worksheets
    names = {fold_code(name): name for name in reversed(sheets)} | {name: name for name in sheets}
    marks: dict[str, dict[str, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for finding in findings:
        if _ADDRESS.fullmatch(finding.cell) and finding.sheet in names:
            marks[names[finding.sheet]][finding.cell].append(finding)
    formats = {severity: add_difference_format(package, *colours) for severity, colours in COLOURS.items()}
    for name, part in sheets.items():
        _unmark(package, part)
        if name in marks:
            _mark(package, part, marks[name], formats)
    write_list(package, sheets, names, findings, book.name, checked)
    path = copy_name(book)
    package.save(path)
    return path


def comment_words(findings: Iterable[Finding]) -> str:
    """Return what the comment on a cell says: what was found, what is allowed, what to do."""
    return "\n\n".join(
        f"{finding.severity}\nFound: {finding.found}\nAllowed: {finding.allowed}\nTo do: {finding.remedy}" for finding in findings
    )


def _unmark(package: Package, part: str) -> None:
    """Take away the marks of an earlier check."""
    if b'"check: ' in package.read(part) or b"&quot;check: " in package.read(part):
        tree = package.tree(part)
        for element in list(tree.iterchildren("{*}conditionalFormatting")):
            if any(_OWN_FORMULA.fullmatch(formula.text or "") for formula in element.iter("{*}formula")):
                tree.remove(element)
    remove_own_comments(package, part)


def _mark(package: Package, part: str, marks: Mapping[str, list[Finding]], formats: Mapping[str, int]) -> None:
    tree = package.tree(part)
    cells = sorted(marks, key=split_address)
    worst = {cell: "error" if any(one.severity == "error" for one in marks[cell]) else "notice" for cell in cells}
    shift = len(formats)
    for rule in tree.iter("{*}cfRule"):
        if "priority" in rule.attrib:
            rule.attrib["priority"] = str(int(rule.attrib["priority"]) + shift)
    space = f"{{{etree.QName(tree).namespace}}}"
    for priority, (severity, style) in enumerate(formats.items(), 1):
        areas = _areas([cell for cell in cells if worst[cell] == severity])
        for start in range(0, len(areas), _AREAS_A_FORMAT):
            element = etree.Element(f"{space}conditionalFormatting", {"sqref": " ".join(areas[start : start + _AREAS_A_FORMAT])})
            rule = etree.SubElement(
                element, f"{space}cfRule", {"type": "expression", "dxfId": str(style), "priority": str(priority), "stopIfTrue": "1"}
            )
            etree.SubElement(rule, f"{space}formula").text = _FORMULA.format(severity=severity)
            insert_before(tree, element, _AFTER_FORMATS)
    add_comments(package, part, {cell: comment_words(marks[cell]) for cell in cells[:MOST_COMMENTS]})


def _areas(cells: Iterable[str]) -> list[str]:
    """Return the cells as areas, runs down a column told as one.

    Examples
    --------
    >>> _areas(["A2", "A3", "C3", "A5"])
    ['A2:A3', 'A5', 'C3']
    """
    columns: dict[str, list[int]] = defaultdict(list)
    for cell in cells:
        letters = cell.rstrip("0123456789")
        columns[letters].append(int(cell[len(letters) :]))
    areas = []
    for letters, rows in columns.items():
        runs: list[list[int]] = []
        for row in sorted(rows):
            if runs and row == runs[-1][-1] + 1:
                runs[-1].append(row)
            else:
                runs.append([row])
        areas += [f"{letters}{run[0]}" if len(run) == 1 else f"{letters}{run[0]}:{letters}{run[-1]}" for run in runs]
    return areas
