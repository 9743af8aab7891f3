"""Result tables -> the solution workbook, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model.report_book import Book, DataTable, Field
from model.report_charts import write_charts
from model.report_context import write_context
from model.report_front import front_page, write_front
from model.report_inputs import input_sheet
from model.report_map import PICTURE, Picture, world_picture, write_map
from model.report_money import write_costs, write_partners
from model.report_origin import cap_table, feed_content, write_china_share
from model.report_page import Page
from model.report_record import write_checks, write_inputs, write_run_info
from model.report_sheets import write_feed, write_plants, write_products, write_purchases, write_sectors, write_stocks
from model.report_study_charts import study_charts
from model.report_summary import key_figures_page, write_key_figures, write_no_plan
from model.report_tables import ReportTables
from model.report_weak import weak_numbers, write_weak_numbers
from model.report_words import print_summary
from model.run_folder import new_run_folder, newest, rewritten_whole, written_whole
from model.schema import SHEETS

if TYPE_CHECKING:
    from model.planner import Plan
    from model.scenarios import Change
    from model.studies.study import StudySheet

__all__ = ["WORKBOOK", "new_run_folder", "print_summary", "write_report"]

WORKBOOK = "solution.xlsx"
LONGEST_SHEET_NAME = 31
LONG = 20_000
"""Rows of result tables from which the sheets of flows and inputs are written row by row, without being kept in memory."""

FLOW_SHEETS = (
    "plants", "feed", "products", "deliveries", "surplus", "purchases", "supply_balance", "costs", "china_share", "traced", "partners", "sectors",
    "stocks",
)  # fmt: skip


def write_report(
    plan: Plan,
    folder: Path,
    run_info: Mapping[str, str | float],
    scenario: str,
    inputs_path: Path,
    extra_sheets: Sequence[StudySheet] = (),
    *,
    reference_cost: float | None = None,
    changes: Sequence[Change] = (),
    log: Sequence[str] = (),
    again: bool = False,
) -> Path:
    """Write the solution workbook of a plan, or of the fact that there is none.

    The workbook is written into a folder beside `folder`, which takes that name when whole.

    Parameters
    ----------
    plan
        Of :func:`model.planner.solve`; any status.
    folder
        The run's folder, empty or not there yet, as from :func:`new_run_folder`, unless `again`.
    run_info
        Label -> figure for the sheet `run_info`; a unit follows the label after a comma.
    scenario
        Name of the scenario; "" for the book as it stands.
    inputs_path
        Input workbook, named on the summary.
    extra_sheets
        Shown after `context`.
    reference_cost
        Total discounted cost without joint plants, MUSD, if known.
    changes
        Cells changed by the scenario.
    log
        What was said during the run.
    again
        The folder holds this run's workbook already, which has grown since.

    Returns
    -------
    Path
        ``folder/solution.xlsx``; beside it stands ``map.png`` where there is a plan. Written again while a program holds that file, it is
        ``folder/solution-2.xlsx``.

    Raises
    ------
    FileExistsError
        `folder` is not empty, and it is not to be written again: nothing is ever overwritten.
    OSError
        It cannot be written.
    """
    with (rewritten_whole if again else written_whole)(folder) as partial:
        book = Book(partial / WORKBOOK, long_sheets(plan))
        picture = _fill(book, plan, run_info, scenario, Path(inputs_path), extra_sheets, reference_cost, changes, log)
        book.close()
        if picture is not None:
            (partial / PICTURE).write_bytes(picture.png)
    return newest(folder / WORKBOOK)


def long_sheets(plan: Plan) -> list[str]:
    """Return the sheets of a plan that are too long to be kept in memory."""
    if sum(len(frame) for frame in plan.solution.tables.values()) < LONG:
        return []
    return [*FLOW_SHEETS, *(input_sheet(sheet.name) for sheet in SHEETS)]


def _fill(
    book: Book,
    plan: Plan,
    run_info: Mapping[str, str | float],
    scenario: str,
    inputs_path: Path,
    extra_sheets: Sequence[StudySheet],
    reference_cost: float | None,
    changes: Sequence[Change],
    log: Sequence[str],
) -> Picture | None:
    """Write every sheet in the order in which a planner reads them; return the map, if there is a plan to draw."""
    title = f"Joint rare-earth refining plan: {inputs_path.stem}" + (f", scenario {scenario}" if scenario else "")
    book.workbook.set_properties({"title": title, "comments": "Written by the planner; figures are formulas over the sheets of flows."})
    named: dict[str, DataTable] = {}
    world, picture = None, None
    if plan.solution.status.has_plan:
        data = ReportTables(plan)
        world, picture = world_picture(data)
        named = {"demand": data.demand, "sources": data.sources}
        content = feed_content(data)
        caps = cap_table(data, content)
        front, figures = front_page(book), key_figures_page(book)
        write_plants(book, data)
        write_feed(book, data)
        write_products(book, data)
        write_purchases(book, data)
        key_cells = write_costs(book, data)
        write_china_share(book, data, caps, content)
        delivered = write_partners(book, data)
        write_sectors(book, data)
        write_stocks(book, data)
        write_context(book, data)
        write_key_figures(figures, data, caps, key_cells, delivered, title, reference_cost)
    else:
        write_no_plan(front_page(book), plan, title, extra_sheets)
    written = {extra.name: _write_extra(book, extra) for extra in extra_sheets}
    if world is not None and picture is not None:
        weak = weak_numbers(plan)
        write_weak_numbers(book, plan, weak)
        chart = write_charts(book, data, caps, study_charts(written))
        write_front(book, front, data, caps, key_cells, delivered, title, reference_cost, picture, chart, weak, extra_sheets)
        write_map(book, data, world, picture)
    write_checks(book, plan)
    write_run_info(book, run_info, scenario, changes, log)
    write_inputs(book, plan.tables, scenario, named)
    return picture


def _write_extra(book: Book, extra: StudySheet) -> list[DataTable]:
    """Write the sheet of a study; return its tables as placed."""
    page = Page(book, extra.name[:LONGEST_SHEET_NAME], extra.caption)
    for sentence in extra.sentences:
        page.say(sentence)
    tables: list[DataTable] = []
    for number, (title, columns, frame) in enumerate(extra.tables):
        fields = [Field(column.name, column.unit, column.description) for column in columns]
        tables.append(DataTable(f"extra_{number}", title, fields, frame))
        page.add_table(tables[-1], filtered=number == len(extra.tables) - 1, named=False)
    page.finish(single_table=len(extra.tables) == 1 and not extra.sentences)
    return tables
