"""The key figures on one printed page: cost, flows and caps by year; and the first page where there is no plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from model.outcome import Status
from model.report_book import Book, DataTable, Live, as_live
from model.report_matrix import Matrix
from model.report_money import KeyCells
from model.report_origin import ATTRIBUTION, cap_words, highest_share, members_at_limit
from model.report_page import Page
from model.report_print import A4
from model.report_sheets import product_year_share
from model.report_styles import FAIL_COLOUR, NOTE_COLOUR, PASS_COLOUR, RULE_COLOUR, TITLE_COLOUR
from model.report_tables import ReportTables
from model.report_words import (
    ADVICE,
    TO_TRY,
    answer,
    count_words,
    gap_words,
    hosts_proven_words,
    largest_shortages,
    status_words,
    verdict_words,
)
from model.report_writing import ROW_HEIGHT, text_lines
from model.shortage_room import BINDING

if TYPE_CHECKING:
    from model.planner import Plan
    from model.studies.study import StudySheet

KEY_FIGURES = "key_figures"
GAP, PROVEN = "Gap to what is proven", "Host set proven"
"""Labels of two key figures."""

MOST_YEARS = 14
"""Most year columns that fit the page; of a longer plan, years evenly apart are shown."""

MOST_SECTORS, MOST_FAILURES = 6, 6
LABEL_WIDTH, VALUE_WIDTH, YEAR_WIDTH = 46, 13, 8.6
FIRST_YEAR_COLUMN = 2


def key_figures_page(book: Book) -> Page:
    """Add the sheet, so that it stands in its place; it is filled last."""
    return Page(book, KEY_FIGURES, "", 2)


class _Summary:
    """Writes the sheet from top to bottom."""

    def __init__(self, page: Page, years: Sequence[int]) -> None:
        self.page, self.sheet, self.styles = page, page.sheet, page.styles
        step = math.ceil(len(years) / MOST_YEARS) if years else 1
        self.years = [y for place, y in enumerate(years) if place % step == 0 or y == years[-1]]
        self.last = FIRST_YEAR_COLUMN + max(len(self.years), 10) - 1
        self.sheet.set_column(0, 0, LABEL_WIDTH)
        self.sheet.set_column(1, 1, VALUE_WIDTH)
        self.sheet.set_column(2, self.last, YEAR_WIDTH)

    def sentence(self, text: str, **properties: Any) -> None:
        """Write a sentence across the page, as tall as it needs."""
        width = LABEL_WIDTH + VALUE_WIDTH + YEAR_WIDTH * (self.last - 1)
        size = properties.get("font_size", 10)
        lines = text_lines(text, width * 10 / size / (1.08 if properties.get("bold") else 1.0))
        form = self.styles.get(text_wrap=True, valign="top", **properties)
        self.sheet.merge_range(self.page.row, 0, self.page.row, self.last, "", form)
        self.sheet.write_string(self.page.row, 0, text, form)
        self.sheet.set_row(self.page.row, max(1, lines) * ROW_HEIGHT * size / 10 + 2)
        self.page.row += 1

    def gap(self) -> None:
        self.sheet.set_row(self.page.row, 5)
        self.page.row += 1

    def header(self, title: str, second: str, years: bool = True) -> None:
        style = self.styles.header()
        self.sheet.write_string(self.page.row, 0, title, style)
        self.sheet.write_string(self.page.row, 1, second, self.styles.get(**_HEADER_RIGHT))
        for place in range(FIRST_YEAR_COLUMN, self.last + 1):
            number = place - FIRST_YEAR_COLUMN
            if years and number < len(self.years):
                self.sheet.write_number(self.page.row, place, self.years[number], self.styles.get(**_HEADER_RIGHT, num_format="0"))
            else:
                self.sheet.write_string(self.page.row, place, "", style)
        self.page.row += 1

    def figure(self, label: str, value: Live | float | str, unit: str, note: str) -> None:
        """Write a key figure: label, value, unit and what it means."""
        self.sheet.write_string(self.page.row, 0, label, self.styles.get())
        size = value.value if isinstance(value, Live) else value
        self.page.put(self.page.row, 1, value, self.styles.number(unit or "rows", size, bold=True))
        form = self.styles.get(font_color=NOTE_COLOUR, indent=1, align="left")
        self.sheet.merge_range(self.page.row, 2, self.page.row, self.last, "", form)
        self.sheet.write_string(self.page.row, 2, f"{unit}. {note}" if unit else note, form)
        self.page.row += 1

    def line(self, label: str, unit: str, figures: Sequence[Live | str], bold: bool = False) -> None:
        """Write one figure a year."""
        self.sheet.write_string(self.page.row, 0, label, self.styles.get(bold=bold))
        self.sheet.write_string(self.page.row, 1, unit, self.styles.get(align="right", font_color=NOTE_COLOUR))
        for place, value in enumerate(figures, FIRST_YEAR_COLUMN):
            size = value.value if isinstance(value, Live) else value
            self.page.put(self.page.row, place, value, self.styles.number(_UNIT_OF.get(unit, unit), size, bold=bold))
        self.page.row += 1

    def finish(self) -> None:
        self.sheet.set_landscape()
        self.sheet.set_paper(A4)
        self.sheet.fit_to_pages(1, 1)
        self.sheet.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
        self.sheet.set_footer("&L&A&RPage &P of &N")
        self.sheet.print_area(0, 0, self.page.row - 1, self.last)


_HEADER_RIGHT: dict[str, Any] = {"bold": True, "bg_color": "#D9E2EC", "bottom": 1, "bottom_color": RULE_COLOUR, "align": "right"}
_UNIT_OF = {"t/y": "t"}


def write_key_figures(
    page: Page, data: ReportTables, caps: DataTable, cells: KeyCells, delivered: Matrix, title: str, reference_cost: float | None
) -> None:
    """Fill the sheet of key figures.

    Parameters
    ----------
    page
        Of :func:`key_figures_page`.
    data, caps, cells, delivered
        Tables of the workbook, the cells of the headline costs, and joint product by market and year.
    title
        What was planned.
    reference_cost
        Total discounted cost without joint plants, MUSD, if known.
    """
    summary = _Summary(page, data.problem.years)
    plan = data.plan
    write_failures(summary, plan)
    summary.sentence(answer(plan), bold=True, font_size=12, font_color=TITLE_COLOUR)
    summary.sentence(f"Status: {status_words(plan.solution)}. The solver's words: {plan.solution.termination}.", bold=True)
    if plan.verification.passed:
        summary.sentence(verdict_words(plan), bold=True, font_color=PASS_COLOUR)
    shown = "" if len(summary.years) == len(data.problem.years) else " Not every modelled year is shown here."
    summary.sentence(
        f"{title}. Money is constant 2024 USD; MUSD is a million. Tonnes are of rare-earth oxide (REO).{shown}",
        italic=True,
        font_color=NOTE_COLOUR,
    )
    summary.gap()
    _key_figures(summary, data, cells, delivered, reference_cost)
    summary.gap()
    _by_year(summary, data)
    summary.gap()
    _caps(summary, data, caps)
    summary.gap()
    _notes(summary, data)
    summary.finish()


class Sentences(Protocol):
    """A page that sentences can be written on."""

    def sentence(self, text: str, **style: Any) -> None:
        """Write one sentence across the page."""


def write_failures(page: Sentences, plan: Plan) -> None:
    """Say in red, above everything, that the plan must not be used."""
    if plan.verification.passed:
        return
    red: dict[str, Any] = {"bold": True, "font_color": "#FFFFFF", "bg_color": FAIL_COLOUR}
    page.sentence(verdict_words(plan), font_size=12, **red)
    for sentence in plan.verification.failures[:MOST_FAILURES]:
        page.sentence(sentence, font_color=FAIL_COLOUR, bold=True)
    rest = len(plan.verification.failures) - MOST_FAILURES
    if rest > 0:
        page.sentence(f"and {count_words(rest, 'more failure')}: see sheet checks.", font_color=FAIL_COLOUR)


def _key_figures(summary: _Summary, data: ReportTables, cells: KeyCells, delivered: Matrix, reference_cost: float | None) -> None:
    first, last = int(data.inputs.setting("first_year")), int(data.inputs.setting("last_year"))
    summary.header("Key figures", "value", years=False)
    summary.figure(
        "Total cost, discounted", cells.total, "MUSD", f"{first}–{last}, whole system: joint plants, bought oxide, duties, stocks, shortage"
    )
    summary.figure("Average cost a year", cells.per_year, "MUSD/y", "Not discounted")
    summary.figure(
        "Cost per kg of oxide supplied", cells.per_kg, "USD/kg", "Total over all oxide that the markets are supplied with, both discounted"
    )
    summary.figure(
        "Joint plants' net cost per kg delivered", cells.joint_per_kg, "USD/kg",
        "All costs of the joint plants less surplus sold, over the separated product they deliver, both discounted",
    )  # fmt: skip
    if reference_cost is not None:
        summary.figure("Total cost without joint plants", reference_cost, "MUSD", "For comparison, from a run of its own")
        words = "What this plan costs more (negative: less) than the same inputs and caps with no site to build at"
        summary.figure("Difference to the cost without", cells.total - reference_cost, "MUSD", words)
    solution = data.plan.solution
    if math.isfinite(solution.gap):
        summary.figure(GAP, max(0.0, solution.gap), "MUSD", gap_words(solution, reference_cost))
        proven = "yes" if solution.status is Status.OPTIMAL else "not yet"
        summary.figure(PROVEN, proven, "", hosts_proven_words(solution))
    names = dict(zip(data.inputs["hosts"]["host"], data.inputs["hosts"]["name"], strict=True))
    hosts = ", ".join(f"{names[h]} ({h})" for h in dict.fromkeys(data.plants.columns["host"])) or "none"
    summary.figure("Joint plants", Live("COUNT(plants_on_line)", float(data.plants.length)), "", f"Hosts: {hosts}")
    summary.figure(
        "Joint capacity when all are built", data.plants.sum("capacity"), "t REO/y", "Feed that can be treated in a year, nameplate"
    )
    summary.figure("Capital cost of the joint plants", data.plants.sum("capex"), "MUSD", "Not discounted; who pays is on sheet partners")
    for number, m in enumerate(data.problem.markets):
        tonnes = [delivered.cell(number, place) for place in range(len(data.problem.years))]
        kt = math.fsum(t.number * years.number for t, years in zip(tonnes, cells.calendar, strict=True)) / 1000.0
        whole = Live(f"SUMPRODUCT({_range(tonnes)},{_range(cells.calendar)})/1000", kt)
        summary.figure(
            f"Joint product delivered to {m}", whole, "kt REO", f"All years {first}–{last}; by year below, by product on sheet products"
        )
    wanted = data.sectors.sum("demand").number
    summary.figure(
        "Demand left short",
        data.sectors.sum("unmet"),
        "t REO",
        f"Of {wanted:,.0f} t wanted in the modelled years; why is below and on sheet sectors",
    )


def _range(cells: Sequence[Live]) -> str:
    """Return the range of neighbouring cells of one line of another sheet."""
    return f"{cells[0].text}:{cells[-1].text.split('!')[1]}"


def _by_year(summary: _Summary, data: ReportTables) -> None:
    years = summary.years
    summary.header("By year", "unit")
    summary.line("Cost, not discounted", "MUSD/y", [data.costs.sum("cost", year=y) for y in years])
    summary.line("Demand of all markets", "t/y", [data.supply.sum("demand", year=y) for y in years])
    for m in data.problem.markets:
        summary.line(f"Joint product delivered to {m}", "t/y", [data.deliveries.sum("tonnes", market=m, year=y) for y in years])
    summary.line("Left short, all sectors", "t/y", [data.unmet.sum("tonnes", year=y) for y in years])
    table = data.sectors
    short = [
        group
        for group in dict.fromkeys(table.columns["group"])
        if any(u for g, u in zip(table.columns["group"], table.columns["unmet"], strict=True) if g == group)
    ]
    for group in short[:MOST_SECTORS]:
        summary.line(f"   of it {group}", "t/y", [table.sum("unmet", group=group, year=y) for y in years])


def _caps(summary: _Summary, data: ReportTables, caps: DataTable) -> None:
    summary.header("China-linked share against each cap", "unit")
    rows: dict[tuple[str, int], list[int]] = {}
    for number, (cap, y) in enumerate(zip(caps.columns["cap"], caps.columns["year"], strict=True)):
        rows.setdefault((cap, y), []).append(number)
    for cap in dict.fromkeys(caps.columns["cap"]):
        lines = [rows.get((cap, y), []) for y in summary.years]
        one = caps.columns["cap"].index(cap)
        words = cap_words(*(caps.columns[name][one] for name in ("basis", "measure", "scope", "member")))
        summary.line(f"{cap}: most allowed", "share", [caps.cell(line[0], "limit") if line else "no cap" for line in lines])
        if caps.columns["scope"][one] != "every_product":
            summary.line("   in the plan", "share", [caps.cell(line[0], "share") if line else "-" for line in lines])
        else:
            summary.line("   in the plan, highest product", "share", [highest_share(caps, line) if line else "-" for line in lines])
            summary.line("   products at the limit", "products", [members_at_limit(caps, line) if line else "-" for line in lines])
        tight = _tight_words(caps, rows, cap) if caps.columns["scope"][one] == "every_product" else ""
        summary.sentence(f"   {cap} limits the China-linked share {words}.{tight}", font_color=NOTE_COLOUR, italic=True)
    if not caps.length:
        summary.sentence("   no cap applies", italic=True, font_color=NOTE_COLOUR)
    for m in data.problem.markets:
        for words, part in (("book-and-claim", "china_tonnes"), ("physical blend", "physical_tonnes")):
            figures = [product_year_share(data, m, None, as_live(float(y)), part) for y in summary.years]
            summary.line(f"{m} receives, all oxide by tonnes, {words}", "share", figures)


def _tight_words(caps: DataTable, rows: dict[tuple[str, int], list[int]], cap: str) -> str:
    """Name the members at the limit in the last year in which the cap holds."""
    last = max(y for name, y in rows if name == cap)
    tight = [
        caps.columns["member"][number]
        for number in rows[cap, last]
        if not isinstance(caps.columns["slack"][number], str) and caps.columns["slack"][number] < BINDING
    ]
    return f" At the limit in {last}: {', '.join(tight)}." if tight else ""


def _notes(summary: _Summary, data: ReportTables) -> None:
    summary.header("Largest shortages", "", years=False)
    sentences = largest_shortages(data.plan, data.shortages)
    for number, sentence in enumerate(sentences, 1):
        summary.sentence(f"{number}. {sentence}")
    if not sentences:
        summary.sentence("None: every sector's demand is met in every year.")
    summary.gap()
    summary.sentence(ATTRIBUTION, italic=True, font_color=NOTE_COLOUR)


def write_no_plan(page: Page, plan: Plan, title: str, extra_sheets: Sequence[StudySheet] = ()) -> None:
    """Fill the summary where there is no plan: what happened, in the solver's words, and what would make one possible.

    Parameters
    ----------
    page, plan, title
        As for :func:`write_summary`.
    extra_sheets
        Their headlines are shown; where there are none, general advice.
    """
    summary = _Summary(page, ())
    summary.sentence(answer(plan), bold=True, font_size=12, font_color=FAIL_COLOUR)
    summary.sentence(f"Status: {status_words(plan.solution)}.", bold=True)
    summary.sentence(f"The solver's words: {plan.solution.termination}.")
    summary.sentence(verdict_words(plan))
    summary.sentence(f"{title}.", italic=True, font_color=NOTE_COLOUR)
    summary.gap()
    found = [sheet for sheet in extra_sheets if sheet.headlines]
    for sheet in found:
        summary.header("What would make a plan possible", "", years=False)
        for sentence in sheet.headlines:
            summary.sentence(f"•  {sentence}", bold=True)
        summary.sentence(
            f"Whatever is named as a change was typed into a copy of the inputs and solved, and the plan verified: see sheet {sheet.name}.",
            italic=True,
            font_color=NOTE_COLOUR,
        )
    if not found:
        summary.header(ADVICE, "", years=False)
        for sentence in TO_TRY[plan.solution.status]:
            summary.sentence(f"•  {sentence}")
    summary.gap()
    summary.sentence("No figures of a plan are shown because there is none. The sheets after this one hold the run and the inputs as read.")
    summary.finish()
