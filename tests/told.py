"""Types what the sentences of a diagnosis say into a real workbook, word by word, and asks whether the run then has a plan."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from model.checking import read_checked
from model.console import Log
from model.scenarios import apply_scenario
from model.tables import Tables
from model.template import write_book
from tests import small
from tests.test_diagnose import has_plan

VALUE = r"-?\d+(?:\.\d+)?|[A-Za-z]+"
SERIES = rf"(?:{VALUE})(?:, (?:{VALUE}))*(?: and (?:{VALUE}))?"
CELLS = r"[A-Z]+\d+(?::[A-Z]+\d+)?(?:, [A-Z]+\d+(?::[A-Z]+\d+)?)*(?: and [A-Z]+\d+(?::[A-Z]+\d+)?)?"
TOLD = re.compile(
    rf"(?:raise|lower|set) (?P<sheet>\w+)!(?P<cells>{CELLS}) \((?P<what>.*?)\) from (?P<now>{SERIES}) to (?P<then>{SERIES})(?=[.,](?: |$)| and (?:raise|lower|set|add|empty) | in turn)"
    r"|empty (?P<emptied_of>\w+)!(?P<emptied>[A-Z]+\d+) "
    r"|add a row (?P<setting>\w+) to settings with the (?P<entries>value .+?) \(now"
    r"|add a last row to scenario (?P<scenario>\w+) on sheet scenarios: (?P<row>sheet .+?) \((?P<rest>.+?);"
    r"|delete row (?P<gone>\d+) of (?P<gone_of>\w+)",
    re.IGNORECASE,
)
ENTRY = re.compile(
    r"(?P<name>sheet|key|column|operation|value|reason|source|quality) (?P<text>.+?)(?=, (?:sheet|key|column|operation|value|reason|source|quality) |$)"
)
# what validation wants beside the figures of a small book
FILLED = {
    "elements": {"name": "x", "oxide": "x", "group": "light"}, "sources": {"name": "x", "china_linked_reason": "x"}, "hosts": {"name": "x"},
    "markets": {"name": "x"}, "sectors": {"name": "x", "group": "x"}, "suppliers": {"name": "x", "china_linked_reason": "x"},
    "distances": {"from_port": "Port", "to_port": "Port2", "no_red_sea": 10, "suez_open": 10},
}  # fmt: skip
ONE_ROW = {
    "elements": small.element, "sources": small.source, "hosts": small.host, "markets": small.market, "sectors": small.sector,
    "suppliers": small.supplier, "distances": dict,
}  # fmt: skip


def full_book(settings: dict[str, object] | None = None, **sheets: list[small.Row]) -> Tables:
    """Return a small book that validation lets pass when it is written to a file and read again."""
    ports = [{"port": port, "country": "MMM", "feeder": "no"} for port in ("Port", "Port2")]
    filled = {name: [{**FILLED[name], **row} for row in sheets.get(name, [make()])] for name, make in ONE_ROW.items()}
    return small.book(settings, **{"ports": ports, **sheets, **filled})


def read(path: Path, scenario: str = "") -> Tables | None:
    """Return the validated tables of a workbook with a scenario applied, None where validation refuses them."""
    tables = read_checked(path, Log(quiet=True), False)
    return apply_scenario(tables, scenario)[0] if tables is not None and scenario else tables


def write(tables: Tables, path: Path, scenario: str = "") -> Tables:
    """Write a book and return it as it is read again."""
    write_book(tables, path)
    found = read(path, scenario)
    assert found is not None, "validation refuses the book of the test"
    return found


def headings(sheet: Worksheet) -> dict[str, int]:
    return {re.split(r"[\n ]", str(cell.value))[0]: int(cell.column) for cell in sheet[1]}


def typed(text: str) -> float | str:
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


def series(text: str) -> list[str]:
    return re.split(r", | and ", text)


def cells_of(sheet: Worksheet, text: str) -> list:
    found = []
    for part in series(text):
        block = sheet[part]
        found += [cell for line in block for cell in line] if isinstance(block, tuple) else [block]
    return found


def add_row(sheet: Worksheet, given: dict[str, str]) -> None:
    head, line = headings(sheet), sheet.max_row + 1
    for name, text in given.items():
        sheet.cell(line, head[name], typed(text))


def type_in(path: Path, sentence: str, after: Path) -> int:
    """Type a sentence into a copy of a workbook; return how many things there were to do."""
    book = openpyxl.load_workbook(path)
    told = list(TOLD.finditer(sentence))
    for each in told:
        if each["sheet"]:
            cells, values = cells_of(book[each["sheet"]], each["cells"]), series(each["then"])
            for cell, value in zip(cells, values if len(values) > 1 else values * len(cells), strict=True):
                cell.value = typed(value)
        elif each["emptied"]:
            book[each["emptied_of"]][each["emptied"]].value = None
        elif each["setting"]:
            add_row(book["settings"], {"setting": each["setting"]} | {m["name"]: m["text"] for m in ENTRY.finditer(each["entries"])})
        elif each["scenario"]:
            entries = {m["name"]: m["text"] for m in ENTRY.finditer(f"{each['row']}, {each['rest']}")}
            add_row(book["scenarios"], {"scenario": each["scenario"], **entries})
        else:
            book[each["gone_of"]].delete_rows(int(each["gone"]))
    book.save(after)
    return len(told)


def gives_a_plan(path: Path, sentence: str, after: Path, scenario: str = "") -> bool:
    """Return whether the workbook, with a sentence typed into it, passes validation and has a plan."""
    assert type_in(path, sentence, after), sentence
    tables = read(after, "" if "nothing is left of scenario" in sentence else scenario)
    assert tables is not None, f"validation refuses what is told: {sentence}"
    return has_plan(tables)
