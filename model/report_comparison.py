"""Two runs side by side as a workbook: a cost bridge that adds up by its formulas, changed inputs, changed decisions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from model.comparison import plant_changes, side_by_side
from model.comparison_words import AFTER, BEFORE, Comparison, cause_words, describe, sure_words, sureness
from model.problem import COMPONENTS
from model.report_book import Book, DataTable, Field, Live, Row
from model.report_page import Page
from model.run_folder import written_whole

WORKBOOK = "comparison.xlsx"

PARTS = {
    "joint plants": ("capital", "fixed_operating"),
    "feed": ("feed_purchase", "freight_in", "duty_in"),
    "refining": ("processing", "feed_equipment", "know_how_fee"),
    "joint products": ("freight_out", "duty_out", "surplus_revenue", "concentrate_revenue"),
    "oxide bought": ("oxide_purchase", "oxide_duty"),
    "stocks": ("stock_holding",),
    "shortage": ("shortage",),
}
"""Headings of the cost lines."""

FLOWS = (
    ("feed", ("source_id", "host"), "Feed by source and host, all years."),
    ("deliveries", ("host", "product", "market"), "Joint products delivered, all years."),
    ("purchases", ("supplier", "product", "market"), "Oxide bought from existing suppliers, all years."),
    ("unmet", ("market", "sector", "product"), "Demand left short, all years."),
)


def write_comparison(found: Comparison, folder: Path) -> Path:
    """Write the workbook of a comparison.

    Parameters
    ----------
    found
        What to show.
    folder
        Empty or not there yet; takes its name when the workbook is whole.

    Returns
    -------
    Path
        ``folder/comparison.xlsx``.

    Raises
    ------
    FileExistsError
        `folder` is not empty: nothing is ever overwritten.
    """
    with written_whole(folder) as partial:
        book = Book(partial / WORKBOOK)
        book.workbook.set_properties({"title": f"{found.before.name} and {found.after.name} compared"})
        lines = _cost_lines(found)
        _write_bridge(book, found, lines)
        _write_inputs(book, found)
        _write_decisions(book, found)
        page = Page(book, "cost_lines", "Every cost line of both runs, over which the bridge is added up.", 1)
        page.add_table(lines)
        page.finish(single_table=True)
        book.close()
    return folder / WORKBOOK


def _cost_lines(found: Comparison) -> DataTable:
    frames = [run.results["costs"].assign(run=name) for name, run in ((BEFORE, found.before), (AFTER, found.after))]
    fields = [
        Field("run", "", "before or after."),
        Field("component", "", "Cost line."),
        Field("host", "", "Host."),
        Field("market", "", "Market."),
        Field("year", "year", "Modelled year."),
        Field("present_value", "MUSD", "Discounted cost over the years that the year stands for."),
    ]
    return DataTable("lines", "", fields, pd.concat(frames, ignore_index=True))


def _write_bridge(book: Book, found: Comparison, lines: DataTable) -> None:
    page = Page(
        book, "bridge", "What changed between two runs and what it did to the cost. Money is MUSD, discounted, constant 2024 USD.", 1
    )
    for sentence in describe(found):
        page.say(sentence)
    page.row += 1
    for column in range(1, 5):
        page.widen(column, 14)
    top = page.row
    causes = _by_cause(page, found, lines)
    parts = {component: part for part, components in PARTS.items() for component in components}
    components = _differences(found, "components", "By cost line.", "component", COMPONENTS, lines, {"part": parts})
    by_part = _differences(found, "parts", "By part of the plan.", "part", tuple(PARTS), components)
    hosts = tuple(dict.fromkeys([*found.before.results["costs"]["host"], *found.after.results["costs"]["host"]]))
    by_host = _differences(found, "hosts", "By host; what belongs to no host is oxide bought, stocks and shortage.", "host", hosts, lines)
    for table in (by_part, components, by_host):
        page.add_table(table, filtered=False)
        page.row -= 1
        page.add_totals(table, (BEFORE, AFTER, "change"))
    if found.steps:
        _chart(book, page, top, "cause", causes, "cause", 1)
    else:
        _chart(book, page, top, "part of the plan", by_part, "part", 0)
    page.finish()


def _chart(book: Book, page: Page, row: int, words: str, table: DataTable, names: str, skipped: int) -> None:
    """Draw the changes of a table as bars beside the tables; ranges, as LibreOffice draws no defined names."""
    first, last = table.first_row + skipped, table.first_row + table.length - 1
    ranges = [f"={page.name}!${table.places[name]}${first + 1}:${table.places[name]}${last + 1}" for name in (names, "change")]
    chart = book.workbook.add_chart({"type": "bar"})
    chart.add_series({"name": "change", "categories": ranges[0], "values": ranges[1]})
    chart.set_title({"name": f"Change of cost by {words}, MUSD", "name_font": {"size": 11}})
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True, "label_position": "low"})
    page.sheet.insert_chart(row, 6, chart, {"object_position": 2})


def _by_cause(page: Page, found: Comparison, lines: DataTable) -> DataTable:
    """Write the bridge from the first cost to the second, cause by cause, and what shows that it adds up."""
    totals = {name: lines.sum("present_value", run=name) for name in (BEFORE, AFTER)}
    steps = found.steps if found.steps is not None else ()
    words = [f"before: {found.before.name}", *(cause_words(step) for step in steps)]
    costs = [found.before.cost, *(step.cost for step in steps)]
    gaps = [found.before.gap, *(step.gap for step in steps)]
    sure = ["", *(words or "yes" for words in sureness(found))]
    hosts = [", ".join(sorted({key[0] for key in found.before.plants})), *(", ".join(step.hosts) for step in steps)]
    if not steps:
        words.append("all changes together" if found.causes else "no changed input")
        costs, gaps, sure, hosts = (
            [*costs, found.after.cost],
            [*gaps, found.after.gap],
            [*sure, sure_words(found.change, found.before.gap, found.after.gap) or "yes"],
            [*hosts, ", ".join(sorted({key[0] for key in found.after.plants}))],
        )
    changes = [math.nan, *(later - earlier for earlier, later in itertools.pairwise(costs))]
    last = len(costs) - 1

    def cost(row: Row) -> Live | None:
        return totals[BEFORE] if row.number == 0 else totals[AFTER] if row.number == last else None

    def change(row: Row) -> Live | None:
        return row["cost"] - Row(row.table, row.number - 1)["cost"] if row.number else None

    fields = [
        Field("cause", "", "Group of changed cells, applied on top of those above it."),
        Field("cost", "MUSD", "Total discounted cost then: of the two runs as they were, of a new solve in between.", cost),
        Field("change", "MUSD", "What the cause adds to the cost.", change),
        Field("gap", "MUSD", "No plan can be cheaper by more then; of the two runs as their workbooks say. Blank: not known."),
        Field(
            "sure",
            "",
            "yes; the range in which the gaps leave the change; or not sure: the change is no larger than the gaps before and after it.",
        ),
        Field("hosts", "", "Hosts of the plan then."),
    ]
    frame = pd.DataFrame({"cause": words, "cost": costs, "change": changes, "gap": gaps, "sure": sure, "hosts": hosts})
    title = "By cause: what two causes do together falls to the later one." if found.steps else "From before to after."
    table = DataTable("causes", title, fields, frame)
    page.add_table(table, filtered=False)
    page.row -= 1
    summed = Live("SUM(causes_change)", math.fsum(changes[1:]))
    between = totals[AFTER] - totals[BEFORE]
    for label, figure in (
        ("sum of the changes", summed),
        ("cost after less cost before", between),
        ("difference; 0: the bridge adds up", Live(f"ROUND({summed.text}-({between.text}),6)", round(summed.number - between.number, 6))),
    ):
        page.sheet.write_string(page.row, 0, label, page.styles.get(bold=True))
        page.put(page.row, 2, figure, page.styles.number("MUSD", figure.value, bold=True))
        page.widen(0, len(label))
        page.row += 1
    page.row += 1
    return table


def _differences(
    found: Comparison,
    name: str,
    title: str,
    by: str,
    members: Sequence[str],
    lines: DataTable,
    extra: dict[str, dict[str, str]] | None = None,
) -> DataTable:
    """Return a table of cost before, after and the change, one row a member, added up over other tables."""
    values = pd.DataFrame({key: lines.columns[key] for key in lines.columns})
    rows = []
    for member in members:
        part = values[values[by] == member]
        if name == "parts":
            old, new = float(part[BEFORE].sum()), float(part[AFTER].sum())
        else:
            old, new = (float(part.loc[part["run"] == run, "present_value"].sum()) for run in (BEFORE, AFTER))
        rows.append({by: member, BEFORE: old, AFTER: new, "change": new - old, **{key: of[member] for key, of in (extra or {}).items()}})

    def summed(run: str) -> Callable[[Row], Live]:
        if name == "parts":
            return lambda row: lines.sum(run, part=row["part"])
        return lambda row: lines.sum("present_value", run=run, **{by: row[by]})

    fields = [
        Field(by, "", f"{by.capitalize()}."),
        Field(BEFORE, "MUSD", f"Discounted cost in {found.before.name}.", summed(BEFORE)),
        Field(AFTER, "MUSD", f"Discounted cost in {found.after.name}.", summed(AFTER)),
        Field("change", "MUSD", "After less before.", lambda row: row[AFTER] - row[BEFORE]),
        *(Field(key, "", "Heading.") for key in extra or {}),
    ]
    return DataTable(name, title, fields, pd.DataFrame(rows, columns=[field.name for field in fields]))


def _write_inputs(book: Book, found: Comparison) -> None:
    page = Page(
        book, "inputs", "Input cells that differ between the two runs, scenario changes applied; rows are matched by their keys.", 1
    )
    fields = [
        Field("sheet", "", "Input sheet."),
        Field("key", "", "Keys of the row."),
        Field("column", "", "Column; rows: a whole row came or went."),
        Field("before", "", f"Value in {found.before.name}."),
        Field("after", "", f"Value in {found.after.name}."),
        Field("cell", "", "Cell among the inputs as read in the solution workbook of the second run; of the first for a row that is gone."),
    ]
    rows = [(c.sheet, c.key, str(c.column), c.before, c.after, c.cell) for c in found.changes]
    frame = pd.DataFrame(rows, columns=[field.name for field in fields])
    page.add_table(DataTable("changed", "", fields, frame), named=False)
    page.finish(single_table=True)


def _write_decisions(book: Book, found: Comparison) -> None:
    page = Page(
        book,
        "decisions",
        "What is built, fed, delivered and bought in the two runs, where it differs. Each modelled year counts for the years that it stands for.",
        1,
    )
    fields = [
        Field("host", "", "Host."), Field("design", "", "Design."), Field("way", "", "Way of working."),
        Field("capacity", "t REO/y", "Nameplate."), Field("before", "year", f"Year on line in {found.before.name}; blank: not built."),
        Field("after", "year", f"Year on line in {found.after.name}; blank: not built."),
        Field("change", "", "new, gone, same, earlier or later."),
    ]  # fmt: skip
    page.add_table(DataTable("plant_changes", "Plants of either run.", fields, plant_changes(found.before, found.after)), filtered=False)
    for table, by, title in FLOWS:
        frame = side_by_side(found.before, found.after, table, by)
        frame["change"] = frame["after"] - frame["before"]
        fields = [
            *(Field(name, "", f"{name.capitalize().replace('_', ' ')}.") for name in by),
            Field("before", "t REO", f"Sum over all years in {found.before.name}."),
            Field("after", "t REO", f"Sum over all years in {found.after.name}."),
            Field("change", "t REO", "After less before.", lambda row: row["after"] - row["before"]),
        ]
        page.add_table(DataTable(f"{table}_changes", title, fields, frame), filtered=False)
    page.finish()
