"""The first page: the answer, its status, the figures that matter, the map, a chart, and three things to know."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from model.charts import ChartPlan, make_chart
from model.report_book import Book, DataTable, Live, as_live, ratio
from model.report_know import Known, things_to_know
from model.report_map import Picture
from model.report_matrix import Matrix
from model.report_money import KeyCells
from model.report_origin import highest_share
from model.report_page import Page
from model.report_print import A4
from model.report_styles import NOTE_COLOUR, PASS_COLOUR, RULE_COLOUR, TITLE_COLOUR
from model.report_summary import KEY_FIGURES, write_failures
from model.report_tables import ReportTables
from model.report_words import answer, status_words, verdict_words
from model.report_writing import ROW_HEIGHT, text_lines

if TYPE_CHECKING:
    from model.studies.study import StudySheet

COLUMNS, COLUMN_PIXELS = 12, 85
MAP_PIXELS, BESIDE = 640, 8
TILE_COLUMNS = 2
MOST_FAILURES = 4
TILE_FILL = "#EEF3F8"
POINTS_PER_PIXEL = 0.75


@dataclass(frozen=True)
class Tile:
    """A figure that matters, large, with what it means below; the label leads to the sheet that has more of it."""

    label: str
    sheet: str
    figures: Sequence[tuple[Live | str, str]]
    """One figure, or two beside each other, each with its number format."""
    note: str


def front_page(book: Book) -> Page:
    """Add the sheet, so that it stands first; it is filled last."""
    return Page(book, "summary", "", 2)


class _Front:
    """Writes the page from top to bottom."""

    def __init__(self, page: Page) -> None:
        self.page, self.sheet, self.styles = page, page.sheet, page.styles
        self.sheet.set_column(0, COLUMNS - 1, (COLUMN_PIXELS - 5) / 7)

    def _across(self, first: int, last: int, text: str, form: Any) -> None:
        self.sheet.merge_range(self.page.row, first, self.page.row, last, "", form)
        self.sheet.write_string(self.page.row, first, text, form)

    def _height(self, pixels: float) -> None:
        self.sheet.set_row(self.page.row, pixels * POINTS_PER_PIXEL)
        self.page.row += 1

    def sentence(self, text: str, **properties: Any) -> None:
        """Write a sentence across the page, as tall as it needs."""
        size = properties.get("font_size", 10)
        room = COLUMNS * COLUMN_PIXELS / 7 * 10 / size / (1.08 if properties.get("bold") else 1.0)
        self._across(0, COLUMNS - 1, text, self.styles.get(text_wrap=True, **properties))
        self._height(text_lines(text, room) * ROW_HEIGHT / POINTS_PER_PIXEL * size / 10 + 3)

    def gap(self, pixels: float = 7) -> None:
        self._height(pixels)

    def tiles(self, tiles: Sequence[Tile]) -> None:
        """Write the tiles side by side: label, figure, note."""
        box: dict[str, Any] = {"bg_color": TILE_FILL, "align": "center"}
        edges = ({"left": 5, "left_color": "#FFFFFF"}, {"right": 5, "right_color": "#FFFFFF"})
        start = self.page.row
        notes = max(text_lines(tile.note, TILE_COLUMNS * COLUMN_PIXELS / 7 / 0.85 - 2) for tile in tiles)
        for place, tile in enumerate(tiles):
            first, last = place * TILE_COLUMNS, place * TILE_COLUMNS + TILE_COLUMNS - 1
            label = self.styles.get(**box, **edges[0], **edges[1], font_size=9, font_color=NOTE_COLOUR, bold=True, valign="vcenter")
            self.sheet.merge_range(start, first, start, last, "", label)
            self.sheet.write_url(start, first, f"internal:'{tile.sheet}'!A1", label, tile.label, f"Go to sheet {tile.sheet}")
            large: dict[str, Any] = {
                **box,
                "font_size": 17 if len(tile.figures) == 1 else 13,
                "bold": True,
                "font_color": TITLE_COLOUR,
                "valign": "vcenter",
            }
            if len(tile.figures) == 1:
                value, form = tile.figures[0]
                style = self.styles.get(**large, **edges[0], **edges[1], num_format=form)
                self.sheet.merge_range(start + 1, first, start + 1, last, "", style)
                self.page.put(start + 1, first, value, style)
            else:
                for column, (value, form) in enumerate(tile.figures[:TILE_COLUMNS]):
                    self.page.put(start + 1, first + column, value, self.styles.get(**large, **edges[column], num_format=form))
            small = self.styles.get(**box, **edges[0], **edges[1], font_size=8.5, font_color=NOTE_COLOUR, text_wrap=True)
            self.sheet.merge_range(start + 2, first, start + 2, last, "", small)
            self.sheet.write_string(start + 2, first, tile.note, small)
        self._height(20)
        self._height(30)
        self._height(notes * 14 + 3)

    def pictures(self, picture: Picture, chart: ChartPlan | None, book: Book) -> None:
        """Put the map on the left and the chart on the right."""
        height = picture.insert(self.sheet, self.page.row, 0, MAP_PIXELS)
        if chart is not None:
            width = COLUMNS * COLUMN_PIXELS - MAP_PIXELS - BESIDE
            place = (MAP_PIXELS + BESIDE) // COLUMN_PIXELS
            offset = MAP_PIXELS + BESIDE - place * COLUMN_PIXELS
            self.sheet.insert_chart(
                self.page.row, place, make_chart(book.workbook, chart, width, height), {"x_offset": offset, "object_position": 2}
            )
        self._height(height + 2)

    def know(self, known: Sequence[Known]) -> None:
        """Write what to know, one line each: subject, sentence, and a link to the place that says more."""
        head = self.styles.get(bold=True, font_color=TITLE_COLOUR, bottom=1, bottom_color=RULE_COLOUR, font_size=11)
        self._across(0, COLUMNS - 1, "Three things to know", head)
        self._height(20)
        for item in known:
            self.sheet.merge_range(self.page.row, 0, self.page.row, 1, "", self.styles.get(bold=True))
            subject = self.styles.get(bold=True, font_color=TITLE_COLOUR)
            if item.link:
                self.sheet.write_url(self.page.row, 0, f"internal:{item.link}", subject, item.subject, f"Go to {item.link}")
            else:
                self.sheet.write_string(self.page.row, 0, item.subject, subject)
            self._across(2, COLUMNS - 1, item.sentence, self.styles.get(text_wrap=True))
            room = (COLUMNS - 2) * COLUMN_PIXELS / 7 - 1
            self._height(text_lines(item.sentence, room) * ROW_HEIGHT / POINTS_PER_PIXEL + 2)

    def finish(self) -> None:
        self.sheet.set_landscape()
        self.sheet.set_paper(A4)
        self.sheet.fit_to_pages(1, 1)
        self.sheet.center_horizontally()
        self.sheet.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
        self.sheet.set_footer("&L&A&RPage &P of &N")
        self.sheet.print_area(0, 0, self.page.row - 1, COLUMNS - 1)


def write_front(
    book: Book,
    page: Page,
    data: ReportTables,
    caps: DataTable,
    cells: KeyCells,
    delivered: Matrix,
    title: str,
    reference_cost: float | None,
    picture: Picture,
    chart: ChartPlan | None,
    weak: pd.DataFrame,
    studies: Sequence[StudySheet],
) -> None:
    """Fill the first page of a plan.

    Parameters
    ----------
    page
        Of :func:`front_page`.
    data, caps, cells, delivered
        Tables of the workbook, the cells of the headline costs, and joint product by market and year.
    title
        What was planned.
    reference_cost
        Total discounted cost without joint plants, MUSD, if known.
    picture, chart
        The map, and the chart beside it.
    weak
        Of :func:`model.report_weak.weak_numbers`.
    studies
        Whose headlines are told.
    """
    front, plan = _Front(page), data.plan
    write_failures(front, plan)
    front.sentence(answer(plan), bold=True, font_size=12, font_color=TITLE_COLOUR)
    front.sentence(f"Status: {status_words(plan.solution)}.", bold=True)
    if plan.verification.passed:
        front.sentence(verdict_words(plan), bold=True, font_color=PASS_COLOUR)
    front.gap()
    front.tiles(_tiles(data, caps, cells, delivered))
    front.gap()
    front.pictures(picture, chart, book)
    front.gap(4)
    front.know(things_to_know(plan, weak, reference_cost, studies))
    front.gap(4)
    front.sentence(
        f"{title}. Money is constant 2024 USD; MUSD is a million. Tonnes are of rare-earth oxide (REO). More on sheet {KEY_FIGURES}.",
        italic=True, font_color=NOTE_COLOUR, font_size=9,
    )  # fmt: skip
    front.finish()


def _tiles(data: ReportTables, caps: DataTable, cells: KeyCells, delivered: Matrix) -> list[Tile]:
    first, last = int(data.inputs.setting("first_year")), int(data.inputs.setting("last_year"))
    total, joint = cells.total.number, cells.joint_per_kg.value
    own = "no joint product" if isinstance(joint, str) else f"joint product alone {joint:,.2f}"
    names = dict(zip(data.inputs["hosts"]["host"], data.inputs["hosts"]["name"], strict=True))
    plants = sorted(zip(data.plants.columns["on_line"], data.plants.columns["host"], strict=True))
    hosts = list(dict.fromkeys(host for _, host in plants))
    where = ", ".join(f"{names[h]} {min(y for y, other in plants if other == h)}" for h in hosts) or "no joint plant is built"
    wanted = data.sectors.sum("demand").number
    unmet = data.sectors.sum("unmet")
    return [
        Tile("Cost per year, MUSD", "costs", [(cells.per_year, "#,##0")], f"average, not discounted; {total:,.0f} MUSD in all, discounted"),
        Tile("Cost per kg, USD", "costs", [(cells.per_kg, "#,##0.00")], f"of all oxide supplied; {own}"),
        _china_tile(data, caps),
        Tile("Hosts", "plants", [(_host_count(data, hosts), "0")], where),
        _partner_tile(data, cells, delivered, f"{first}–{last}"),
        Tile(
            "Demand left short, t", "sectors", [(unmet, "#,##0" if unmet.number >= 10 or not unmet.number else "0.00")],
            f"of {wanted:,.0f} t wanted in the modelled years" if wanted > 0 else "nothing is wanted",
        ),
    ]  # fmt: skip


def _host_count(data: ReportTables, hosts: Sequence[str]) -> Live:
    """Return how many hosts hold capacity."""
    parts = [f"IF({data.plants.sum('capacity', host=host).text}>0,1,0)" for host in hosts]
    return Live("+".join(parts) or "0", float(len(hosts)))


def _china_tile(data: ReportTables, caps: DataTable) -> Tile:
    """Return the share that the widest cap limits in the last year, beside the cap; all oxide by tonnes where there is none."""
    last = data.problem.years[-1]
    rows = [number for number, y in enumerate(caps.columns["year"]) if y == last]
    if not rows:
        table = data.traced
        share = ratio(table.sum("china_tonnes", year=as_live(float(last))), table.sum("tonnes", year=as_live(float(last))))
        return Tile(f"China-linked share, {last}", "china_share", [(share, "0.0 %")], "of all oxide received, by tonnes; no cap applies")
    order = [("supply", "all"), ("feedstock", "all"), ("supply", "every_product"), ("feedstock", "every_product")]
    kind = {number: (caps.columns["basis"][number], caps.columns["scope"][number]) for number in rows}
    best = min(rows, key=lambda number: (order.index(kind[number]) if kind[number] in order else len(order), number))
    cap, limit = caps.columns["cap"][best], 100 * caps.columns["limit"][best]
    same = [number for number in rows if caps.columns["cap"][number] == cap]
    basis, measure = caps.columns["basis"][best], caps.columns["measure"][best]
    what = "of all oxide received" if basis == "supply" else "of the joint plants' feed"
    if len(same) > 1:
        return Tile(
            f"China-linked share, {last}", "china_share", [(highest_share(caps, same), "0.0 %")],
            f"of the highest of {len(same)} products, by {measure}; cap {limit:.0f} %",
        )  # fmt: skip
    return Tile(
        f"China-linked share, {last}", "china_share", [(caps.cell(best, "share"), "0.0 %")], f"{what}, by {measure}; cap {limit:.0f} %"
    )


def _partner_tile(data: ReportTables, cells: KeyCells, delivered: Matrix, span: str) -> Tile:
    markets = list(data.problem.markets)
    figures: list[tuple[Live | str, str]] = []
    shown = [m for m in markets if m in set(data.problem.partners)][:TILE_COLUMNS] or markets[:TILE_COLUMNS]
    for m in shown:
        number = markets.index(m)
        tonnes = [delivered.cell(number, place) for place in range(len(data.problem.years))]
        kt = math.fsum(t.number * years.number for t, years in zip(tonnes, cells.calendar, strict=True)) / 1000.0
        text = f"SUMPRODUCT({_range(tonnes)},{_range(cells.calendar)})/1000"
        figures.append((Live(text, kt), "#,##0.0"))
    names = " and ".join(shown)
    return Tile("Joint oxide by partner, kt", "partners", figures or [("–", "0")], f"to {names}, {span}" if shown else "no market")


def _range(cells: Sequence[Live]) -> str:
    """Return the range of neighbouring cells of one line of another sheet."""
    return f"{cells[0].text}:{cells[-1].text.split('!')[1]}"
