"""Sheets of record: checks, run, and the inputs as read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from model.report_book import Book, DataTable, Field, Live, table_from_schema
from model.report_inputs import FIRST_ROW, input_sheet, input_table
from model.report_page import Page
from model.report_styles import FAIL_COLOUR, PASS_COLOUR
from model.schema import SHEETS
from model.tables import Tables

if TYPE_CHECKING:
    from model.planner import Plan
    from model.scenarios import Change


def write_checks(book: Book, plan: Plan) -> None:
    """Every rule of the independent verification with its verdict."""
    page = Page(
        book, "checks",
        "The plan recomputed from the inputs by code that shares nothing with the model: each rule, its worst violation, and the verdict.", 1,
    )  # fmt: skip
    if not plan.solution.status.has_plan:
        page.say("Nothing was checked: there is no plan.")
        page.finish()
        return
    table = table_from_schema("checks", plan.verification.table)
    passed = sum(verdict == "pass" for verdict in table.columns["verdict"])
    page.sheet.write_string(page.row, 0, "rules passed", page.styles.get(bold=True))
    page.put(page.row, 1, Live('COUNTIF(checks_verdict,"pass")', float(passed)), page.styles.get(bold=True, align="left"))
    page.sheet.write_string(page.row + 1, 0, "rules failed", page.styles.get(bold=True))
    page.put(
        page.row + 1, 1, Live('COUNTIF(checks_verdict,"FAIL")', float(table.length - passed)), page.styles.get(bold=True, align="left")
    )
    page.row += 3
    for sentence in plan.verification.failures:
        page.say(sentence, bold=True, font_color=FAIL_COLOUR)
    page.add_table(table)
    column = table.places["verdict"]
    span = f"{column}{table.first_row + 1}:{column}{table.first_row + max(table.length, 1)}"
    for word, colour in (("FAIL", FAIL_COLOUR), ("pass", PASS_COLOUR)):
        form = book.workbook.add_format({"font_color": colour, "bold": word == "FAIL"})
        page.sheet.conditional_format(span, {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": form})
    page.finish(single_table=True)


def write_run_info(book: Book, info: Mapping[str, str | float], scenario: str, changes: Sequence[Change], log: Sequence[str]) -> None:
    """What a reader needs to repeat the run."""
    page = Page(
        book, "run_info",
        "What was run, with which inputs, versions and options, and how long each step took: enough to repeat it.", 1,
    )  # fmt: skip
    rows: list[tuple[str, str | float, str]] = []
    for label, value in info.items():
        name, _, unit = label.partition(", ")
        rows.append((name, value, unit))
    page.heading("Run.")
    wide = page.styles.get(text_wrap=True, valign="top", align="left")
    for place, header in enumerate(("item", "value", "unit")):
        page.sheet.write_string(page.row, place, header, page.styles.header())
    for name, value, unit in rows:
        page.row += 1
        page.sheet.write_string(page.row, 0, name, page.styles.get(valign="top"))
        number = isinstance(value, int | float) and not isinstance(value, bool)
        form = page.styles.get(num_format=_plain_format(float(value)), align="left", valign="top") if number else wide
        page.put(page.row, 1, float(value) if number else str(value), form)
        page.sheet.write_string(page.row, 2, unit, page.styles.get(valign="top"))
        page.widen(0, len(name))
    page.widths[1], page.widths[2] = 66, 12
    page.row += 2
    if scenario:
        _write_changes(page, scenario, changes)
    if log:
        page.heading("What was said during the run.")
        for sentence in log:
            page.say(sentence)
    page.finish()


def _plain_format(value: float) -> str:
    """Return a format that shows a figure of any size without trailing zeros."""
    if math.isfinite(value) and value == int(value):
        return "#,##0"
    return "0.0####" if 0.001 <= abs(value) < 1e6 else "0.00E+00"


def _write_changes(page: Page, scenario: str, changes: Sequence[Change]) -> None:
    """List the cells that the scenario changed."""
    rows = [(change.cell, _shown(change.before), _shown(change.after)) for change in changes]
    frame = pd.DataFrame(rows, columns=["cell", "before", "after"])
    fields = [
        Field("cell", "", "Sheet and cell of the input workbook."),
        Field("before", "", "Value in the workbook."),
        Field("after", "", "Value that the plan was made with."),
    ]
    page.add_table(
        DataTable("changes", f"Cells changed by the scenario {scenario}; the in_ sheets show the changed values.", fields, frame)
    )


def _shown(value: object) -> str:
    if isinstance(value, float):
        return "(blank)" if math.isnan(value) else f"{value:.10g}"
    return str(value) if value not in ("", None) else "(blank)"


def write_inputs(book: Book, tables: Tables, scenario: str, named: Mapping[str, DataTable]) -> None:
    """Every input sheet as read, scenario changes applied.

    Parameters
    ----------
    named
        Sheet -> table, for the inputs that formulas of other sheets refer to.
    """
    first = " Of a long text the first words are shown; the cell holds it in full."
    changed = f" Changes of the scenario {scenario} are applied." if scenario else ""
    for sheet in SHEETS:
        page = Page(book, input_sheet(sheet.name), f"Input as read. {sheet.description}{changed}{first}", min(len(sheet.key), 2))
        table = named.get(sheet.name) or input_table(tables, sheet.name)
        page.add_table(table, named=sheet.name in named)
        assert table.first_row == FIRST_ROW, "other sheets lead to these rows"
        page.finish(single_table=True)
