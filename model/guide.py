"""The guide: the first sheet of every input workbook, generated from the schema."""

from __future__ import annotations

from textwrap import wrap

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from model.schema import ANY, SCHEMA_VERSION, SHEETS, Sheet
from model.schema_japanese import SHEET_LABELS

GUIDE = "guide"

_WIDTHS = (2, 20, 104, 42, 9, 22)

HEADER_COLOURS = {
    "key": ("#1F3864", "names the row; no two rows of a sheet alike"),
    "required": ("#2F75B5", "must be filled in every row"),
    "optional": ("#7F8FA9", "may be blank; the note says what blank means"),
    "provenance": ("#548235", "where the row's figures come from and how far to trust them"),
}
"""Header role -> colour and meaning; the text on them is white."""

QUALITY_COLOURS = {
    "reported": ("#FFFFFF", "read in the named source"),
    "derived": ("#E8F1E4", "computed from reported figures"),
    "estimate": ("#FFF4D6", "a judgement, to be varied"),
    "assumption": ("#EAE3F3", "a choice of the planner"),
}
"""`quality` of a row -> colour and meaning."""

MISSING_COLOUR = "#F8CBAD"
"""Cells that must be filled in a row that has begun."""

OUTSIDE_COLOUR = "#FF9C9C"
"""Cells that hold what may not stand there."""

_STEPS = (
    "Keep the original and work on a copy, such as inputs/mine.xlsx.",
    "Start with settings (years, money, siting limits), then go through the sheets from left to right: later sheets choose from the codes of earlier ones.",
    "Point at a header to read what the column means, its unit, its range and what a blank means. Cells with codes or choices have a drop-down.",
    "With every figure give its source and its quality. Estimates are welcome, marked as such.",
    "Save, close, and check: python run.py check inputs/mine.xlsx",
    "When nothing is found, plan: python run.py inputs/mine.xlsx",
)

_RULES = (
    ("headers", "One header row. The unit stands in square brackets and is part of the header: capacity [t REO/y]. "
                "Columns may be moved, not renamed; the program refuses names and units that it does not know, so nothing is ignored in silence."),
    ("rows", "One fact a row, in any order. Empty rows are skipped; sorting, filtering and hiding change nothing."),
    ("units", "Tonnes are metric tonnes of rare-earth oxide (t REO). Money is constant 2024 USD: USD/kg, or MUSD for million USD. "
              "A share is typed as 0.35, not as 35 %."),
    ("years", "Figures with one value a year run across columns, such as 2027 [USD/kg], in ascending order and without a gap. "
              "They cover first_year to last_year of settings; further years are kept for later."),
    ("codes", "Short names that link the sheets: a source's port is a row of ports. Written alike everywhere, capitals included. "
              "NA, None and nan are text like any other. Countries are ISO 3166 three-letter codes (NAM is Namibia)."),
    ("every one", f"{ANY} stands for every member, in the columns whose note says so."),
    ("blanks", "A blank is not 0. Where it is allowed the header's note says what it means."),
    ("formulas", "Allowed, once Excel or LibreOffice has calculated and saved them."),
    ("scenarios", "A row of scenarios changes cells of another sheet for runs with that scenario's name. key names the rows by the sheet's key "
                  f"columns in order, parted by | ; a comma joins several, {ANY} takes all: MINE_A, MINE_B or CHINA | NdPr | {ANY}. "
                  f"column is a column's name without unit; for yearly figures a year, 2027-2030 or {ANY}. The rest of the book stays as it is."),
    ("protection", "The headers are protected without a password, so that none is changed by a slip: Review > Unprotect Sheet takes it off. "
                   "Data cells, rows, sorting and filters are free."),
    ("own notes", "Columns whose header starts with _ and tabs whose name starts with _ are yours; the program leaves them alone."),
)  # fmt: skip

_EDITS = (
    ("change a figure", "Overwrite the cell, then source and quality of its row: on sources, an uncommitted share of 0.3 that is your judgement gets "
                        "source \"talks with the owner, May\" and quality estimate."),
    ("add a candidate site", "Add its port to ports and the port's sea distances to distances, then a row to hosts with candidate yes. Limits in law go to "
                             "host_rules. To leave a site out, set candidate to no; do not delete the row."),
    ("try a tighter cap", "On scenarios: scenario tight_cap, sheet caps, key the cap's name, column 2030-2035, operation set, value 0.35, and a reason. "
                          "Then: python run.py inputs/mine.xlsx --scenario tight_cap"),
)  # fmt: skip

_FINDINGS = (
    "All findings come at once. Each names the sheet and cell, what stands there, what may stand there and what to do.",
    "Correct the cells, save and check again, until nothing but notices is left. Nothing is planned on a book with errors.",
    "Notices, such as full-width digits read as ordinary ones, do not stop the plan; errors do.",
)


def write_guide(workbook: Workbook, page: Worksheet) -> None:
    """Write the guide to its page."""
    title = workbook.add_format({"bold": True, "font_size": 18, "font_color": "#1F3864"})
    heading = workbook.add_format({"bold": True, "font_size": 13, "font_color": "#1F3864", "bottom": 2, "bottom_color": "#2F75B5"})
    term = workbook.add_format({"bold": True, "valign": "top", "text_wrap": True})
    body = workbook.add_format({"valign": "top", "text_wrap": True})
    faint = workbook.add_format({"valign": "top", "text_wrap": True, "font_color": "#595959"})
    link = workbook.add_format({"valign": "top", "bold": True, "font_color": "#2F75B5", "underline": 1})
    page.hide_gridlines(2)
    for index, width in enumerate(_WIDTHS):
        page.set_column(index, index, width)
    page.set_row(1, 28)
    page.write_string(1, 1, "Joint rare-earth refining: the planner's input workbook", title)
    page.write_string(
        2,
        1,
        "Which third countries should host joint Japan-US refining plants, of which size and kind, from which year, fed by which mines.",
    )
    page.write_string(3, 1, f"Schema version {SCHEMA_VERSION}", workbook.add_format({"font_color": "#595959"}))
    row = 5

    def open_section(text: str, *columns: str) -> None:
        nonlocal row
        for column, words in enumerate((text, *columns), 1):
            page.write_string(row, column, words, heading)
        for column in range(2 + len(columns), 6):
            page.write_blank(row, column, None, heading)
        row += 1

    def write_row(*cells: tuple[str, object]) -> None:
        nonlocal row
        for column, (text, cell_format) in enumerate(cells, 1):
            page.write_string(row, column, text, cell_format)
        page.set_row(row, _height(*(text for text, _ in cells)))
        row += 1

    open_section("How to fill the book")
    for number, step in enumerate(_STEPS, 1):
        write_row((f"step {number}", term), (step, body))
    row += 1
    open_section("Colour key")
    for role, (colour, meaning) in HEADER_COLOURS.items():
        swatch = workbook.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": colour, "border": 1, "border_color": "#FFFFFF"})
        write_row((f"{role} header", swatch), (meaning, body))
    for quality, (colour, meaning) in QUALITY_COLOURS.items():
        write_row(
            (quality, workbook.add_format({"bg_color": colour, "border": 1, "border_color": "#BFBFBF"})),
            (f"row of quality {quality}: {meaning}", body),
        )
    missing = workbook.add_format({"bg_color": MISSING_COLOUR, "border": 1, "border_color": "#BFBFBF"})
    write_row(("to be filled", missing), ("blank cell that must be filled, in a row that has begun", body))
    outside = workbook.add_format({"bg_color": OUTSIDE_COLOUR, "border": 1, "border_color": "#BFBFBF"})
    write_row(("not allowed", outside), ("number out of its range, text in a number cell, or a word that is none of the choices", body))
    row += 1
    open_section("Sheets", "what it holds", "one row for each", "needed", "日本語")
    for sheet in SHEETS:
        write_row(
            (sheet.name, term),
            (sheet.description, body),
            (_one_row(sheet), faint),
            ("yes" if sheet.required else "no", faint),
            (SHEET_LABELS[sheet.name], faint),
        )
        page.write_url(row - 1, 1, f"internal:'{sheet.name}'!A1", link, sheet.name)
    row += 1
    open_section("Rules")
    for name, text in _RULES:
        write_row((name, term), (text, body))
    row += 1
    open_section("Three typical edits")
    for name, text in _EDITS:
        write_row((name, term), (text, body))
    row += 1
    open_section("When the check finds something")
    for number, text in enumerate(_FINDINGS, 1):
        write_row((f"{number}", term), (text, body))
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.set_tab_color("#1F3864")


def _height(*texts: str) -> float:
    """Return the height of a row in points; LibreOffice does not fit rows to wrapped text by itself."""
    return 14.0 * max(len(wrap(text, int(1.12 * width))) or 1 for text, width in zip(texts, _WIDTHS[1:], strict=False)) + 2


def _one_row(sheet: Sheet) -> str:
    """Say what a row is identified by and what runs across."""
    across = f"; {sheet.spread.family}s across" if sheet.spread else ""
    return ", ".join(sheet.key) + across
