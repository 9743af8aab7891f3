"""Sheet of weak numbers: the estimates and assumptions that most of the plan's money leans on."""

from __future__ import annotations

from collections.abc import Hashable
from textwrap import shorten
from typing import Any

import pandas as pd

from model.book import column_of
from model.exposure import PLANT_SHEETS, YEARS, Exposure, figure_cell, find_exposures
from model.planner import Plan
from model.problem_sheets import modelled_years
from model.report_book import Book, DataTable, Field, ratio
from model.report_page import Page
from model.report_tables import ReportTables
from model.schema import SHEET_BY_NAME
from model.tables import Tables

WEAK = ("estimate", "assumption")
MOST_ROWS = 30
"""Rows shown of each part; what is left out carries less money than any of them."""
LONGEST_SOURCE = 110
"""Characters shown of a source."""

WEAK_FIELDS = (
    Field("place", "rank", "1: most money leans on it."),
    Field("row", "", "What the row of the input workbook is about: sheet and keys."),
    Field("cell", "", "Cell of the input workbook."),
    Field("column", "", "Column of the figure; years: all year columns of the row, which are one figure."),
    Field("value", "", "The figure; for years the first and the last modelled year's."),
    Field("unit", "", "Unit of the figure."),
    Field("money", "MUSD", "Discounted money of the plan that flows through the figure; the same money can flow through several."),
    Field("share", "share", "Of the total discounted cost."),
    Field("marginal", "MUSD", "What the total would change if the figure were 1 % larger, with the plants as built."),
    Field("also", "", "Other columns of the row through which money flows."),
    Field("quality", "", "estimate: a judgement; assumption: a choice of the planner."),
    Field("source", "", "Where the figure comes from."),
)


def weak_numbers(plan: Plan) -> pd.DataFrame:
    """Return the weak input rows that the plan uses, by the money that flows through them.

    Parameters
    ----------
    plan
        With values.

    Returns
    -------
    DataFrame
        Columns of :data:`WEAK_FIELDS` after `of_plants` (whether the row is one of :data:`PLANT_SHEETS`), one line an input
        row, led by the figure that carries most; ranked among its own kind.
    """
    by_row: dict[tuple[str, Hashable], list[Exposure]] = {}
    for item in find_exposures(plan):
        if plan.tables[item.sheet].at[item.row, "quality"] in WEAK and item.money > 0:
            by_row.setdefault((item.sheet, item.row), []).append(item)
    total = plan.solution.objective
    records = {sheet: plan.tables[sheet].to_dict("index") for sheet in {sheet for sheet, _ in by_row}}
    lines = []
    for (sheet, row), items in by_row.items():
        lead = max(items, key=lambda item: (item.money, abs(item.marginal)))
        record = records[sheet][row]
        lines.append(
            {
                "of_plants": sheet in PLANT_SHEETS,
                "row": f"{sheet}: {' | '.join(str(record[key]) for key in SHEET_BY_NAME[sheet].key)}",
                "cell": figure_cell(plan.tables, sheet, row, lead.column),
                "column": lead.column,
                "value": _value(plan.tables, record, lead.column),
                "unit": "" if lead.column == "elements" else figure_unit(plan.tables, sheet, lead.column),
                "money": lead.money, "share": lead.money / total if total else 0.0, "marginal": lead.marginal / 100.0,
                "also": ", ".join(item.column for item in items if item is not lead),
                "quality": record["quality"], "source": str(record["source"]),
            }
        )  # fmt: skip
    lines.sort(key=lambda line: (-float(line["money"]), str(line["row"])))
    frame = pd.DataFrame(lines, columns=["of_plants", *(item.name for item in WEAK_FIELDS)])
    frame["place"] = frame.groupby("of_plants").cumcount() + 1
    shown = frame[frame["place"] <= MOST_ROWS]
    return shown.assign(source=[shorten(text, LONGEST_SOURCE, placeholder=" …") for text in shown["source"]])


def figure_unit(tables: Tables, sheet: str, column: str) -> str:
    """Return the unit of a figure."""
    return column_of(sheet, modelled_years(tables)[0] if column == YEARS else column).unit


def _value(tables: Tables, record: Any, column: str) -> str:
    if column == "elements":
        return "see the row"
    if column != YEARS:
        return f"{record[column]:,.6g}"
    years = modelled_years(tables)
    first, last = record[years[0]], record[years[-1]]
    return f"{first:,.6g}" if first == last else f"{first:,.6g} to {last:,.6g}"


def write_weak_numbers(book: Book, plan: Plan, found: pd.DataFrame) -> None:
    """Write the sheet `weak_numbers`; nothing without a plan."""
    if not plan.solution.status.has_plan:
        return
    page = Page(book, "weak_numbers", "The estimates and assumptions that most money of the plan leans on: where better data pay first.")
    page.say(
        "Money says how much of the plan a figure carries, not how wrong it is; the study sensitivity says which figures move the plants."
    )
    page.say("Freight rates, duties and the figures of the settings sheet are not among them. The sheets of inputs show sources in full.")
    page.row += 1
    total = ReportTables(plan).costs.sum("present_value")
    live = {"share": lambda row: ratio(row["money"], total)}
    fields = [Field(item.name, item.unit, item.description, live.get(item.name)) for item in WEAK_FIELDS]
    for name, title, own in (
        ("weak_plants", "The joint plants lean on: mines, sites, designs, processing.", True),
        ("weak_markets", "What the markets are supplied with leans on: prices, demand, existing suppliers, stocks.", False),
    ):
        page.add_table(DataTable(name, title, fields, found[found["of_plants"] == own]), filtered=False)
    page.finish()
