"""One worksheet laid out from top to bottom: caption, blocks of figures, tidy rows; fit to print."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell

from model.report_book import Book, DataTable, Field, Live, Row, Value, counts, total
from model.report_styles import NOTE_COLOUR, RULE_COLOUR, TITLE_COLOUR, shown_length, text_width

ROW_HEIGHT = 13.5
"""Points of one line of 10-point text."""

WIDEST_TEXT = 60
"""Characters beyond which a text column wraps."""

LONGEST_LABEL = 100
"""Characters of a label that runs on over the empty label columns after it."""

WIDEST_CUT = 36
"""Characters of a text column whose texts are not wrapped."""

NARROWEST, NARROWEST_FIGURES = 7, 11
TALLEST_ROW = 409.0
"""Points; no spreadsheet allows more."""

A4 = 9

MOST_LINKS = 20_000
"""Links to inputs on a page; Excel bears 65,530, and a page with more rows is searched, not clicked through."""

CUT_WIDTH = 18
"""Characters shown of a text that is cut off by the next cell."""

BLANK = Live("", "")
"""Stands for a figure that there is none of; its cell stays empty, which a chart shows as a gap."""


def text_lines(text: str, room: float) -> int:
    """Return how many lines a text takes in a column of so many digits' widths."""
    lines, used = 1, 0.0
    for word in text.replace("\n", " ").split(" "):
        width = text_width(word)
        if used and used + 0.95 + width > room:
            lines, used = lines + 1, 0.0
        lines += int(width / room) if width > room else 0
        used = (used + 0.95 if used else 0.0) + (width % room if width > room else width)
    return lines


@dataclass
class Matrix:
    """A block of figures on a page: one line a label, one column a year or host."""

    sheet: str
    first_row: int
    first_column: int
    cells: list[list[Live]] = field(default_factory=list)
    totals: list[Live] = field(default_factory=list)
    """Value of the total row by column, the total column's last."""

    def cell(self, line: int, column: int) -> Live:
        """Return a figure for formulas on other sheets; line -1 is the total row."""
        values = self.totals if line < 0 else self.cells[line]
        row = self.first_row + (len(self.cells) if line < 0 else line)
        place = column if column >= 0 else len(values) + column
        address = xl_rowcol_to_cell(row, self.first_column + place, row_abs=True, col_abs=True)
        return Live(f"{self.sheet}!{address}", values[column].value)


def _extremes(values: Sequence[Any]) -> set[Any]:
    """Return the values among which the one that takes most room is: the different texts, the largest and smallest figures."""
    texts = {value for value in values if isinstance(value, str)}
    figures = [value for value in values if counts(value)]
    return texts | ({max(figures), min(figures), 9.99} if figures else set())


class Page:
    """A worksheet that is filled from top to bottom.

    Parameters
    ----------
    book
        Workbook.
    name
        Tab, at most 31 characters.
    caption
        What the sheet shows, in one or two plain sentences.
        "" for a page that sees to its own first lines.
    label_columns
        Columns kept for labels; the figures of every block begin after them, so that blocks line up.
    """

    def __init__(self, book: Book, name: str, caption: str, label_columns: int = 1) -> None:
        self.book, self.name, self.label_columns = book, name, label_columns
        self.styles = book.styles
        self.sheet = book.sheet(name)
        self.widths: dict[int, float] = {}
        self._running_on: list[tuple[int, float]] = []
        self._wrapped: list[tuple[int, int, str, float]] = []
        self.header_row: int | None = None
        self._linked = 0
        self._lines: dict[int, int] = {}
        self.sheet.hide_gridlines(2)
        self.row = 0
        if not caption:
            return
        self.sheet.write_string(0, 0, name, self.styles.get(bold=True, font_size=14, font_color=TITLE_COLOUR))
        self.sheet.set_row(0, 21)
        self.sheet.write_string(1, 0, caption, self.styles.get(italic=True, font_color=NOTE_COLOUR))
        self.row = 3

    # --- pieces -----------------------------------------------------------------------------

    def put(self, row: int, column: int, value: Live | Value | None, form: Format) -> None:
        """Write one cell: a formula with its value, a number, or text that stays text."""
        if value is BLANK:
            return  # a chart's cache would hold 0 for a cell that is blank but formatted
        if isinstance(value, Live):
            self.sheet.write_formula(row, column, f"={value.text}", form, value.value)
        elif isinstance(value, str):
            self.sheet.write_string(row, column, value, form)
        elif value is None or math.isnan(value):
            self.sheet.write_blank(row, column, None, form)
        elif math.isinf(value):
            self.sheet.write_string(row, column, "unbounded" if value > 0 else "none", form)
        else:
            self.sheet.write_number(row, column, value, form)

    def widen(self, column: int, characters: float) -> None:
        """Make sure that a column shows so many characters."""
        self.widths[column] = max(self.widths.get(column, NARROWEST), min(characters, WIDEST_TEXT) + 2)

    def say(self, text: str, **properties: Any) -> None:
        """Write one sentence across the page."""
        self.sheet.write_string(self.row, 0, text, self.styles.get(**properties))
        self.row += 1

    def heading(self, title: str) -> None:
        """Write the sentence above a block."""
        self.say(title, bold=True, font_color=TITLE_COLOUR)

    def _header(self, headers: Sequence[Field]) -> None:
        """Write a header row with a note on each cell."""
        for column, item in enumerate(headers):
            self.sheet.write_string(self.row, column, item.header, self.styles.header(right=bool(item.unit), column=column))
            if item.description:
                self.sheet.write_comment(self.row, column, item.description, {"x_scale": 1.6, "y_scale": 0.7, "font_size": 9})
            self.wrap(self.row, column, item.header, bold=True)

    def wrap(self, row: int, column: int, text: str, bold: bool = False) -> None:
        """Note that a cell's text wraps, so that its row becomes tall enough; long words widen the column."""
        scale = 1.08 if bold else 1.0
        if bold:
            self.widen(column, max(scale * text_width(word) for word in text.split(" ")) + bool(column))
        if self.book.is_streamed(self.name):
            self._set_height(row, column, text, scale)  # the row is gone once the next one begins
        else:
            self._wrapped.append((row, column, text, scale))

    def _set_height(self, row: int, column: int, text: str, scale: float) -> None:
        """Make a row tall enough for a text in one of its cells."""
        room = self.widths.get(column, NARROWEST) - 1.0 - bool(column)
        count = max(self._lines.get(row, 1), text_lines(text, room / scale))
        if count > self._lines.get(row, 1):
            self.sheet.set_row(row, min(ROW_HEIGHT * count + 2, TALLEST_ROW))
        self._lines = {row: count}

    def _set_heights(self) -> None:
        """Give rows with wrapped text their height; spreadsheets do not do so by themselves on opening."""
        lines: dict[int, int] = {}
        for row, column, text, scale in self._wrapped:
            room = self.widths.get(column, NARROWEST) - 1.0 - bool(column)
            lines[row] = max(lines.get(row, 1), text_lines(text, room / scale))
        for row, count in lines.items():
            if count > 1:
                self.sheet.set_row(row, min(ROW_HEIGHT * count + 2, TALLEST_ROW))

    # --- blocks -----------------------------------------------------------------------------

    def add_table(self, table: DataTable, filtered: bool = True, named: bool = True, wrapped: bool = True) -> None:
        """Write a tidy table.

        Parameters
        ----------
        table
            Rows and columns.
        filtered
            Give the header filter buttons; one table a page can have them.
        named
            Give the columns their defined names.
        wrapped
            Break long texts over several lines; otherwise they are cut off at the next cell.
        """
        if table.title:
            self.heading(table.title)
        for column, item in enumerate(table.fields):  # widths first: the header's height follows from them
            longest = max((shown_length(value, item.unit) for value in _extremes(table.columns[item.name])), default=0)
            self.widen(
                column, min(longest, CUT_WIDTH if item.cut else WIDEST_TEXT if wrapped else WIDEST_CUT) + bool(column and not item.unit)
            )
        self._header(table.fields)
        self.header_row = self.row
        first = self.row + 1
        table.place(self.name, first, 0)
        if named:
            self.book.name_columns(table)
        if not table.length:
            self.sheet.write_string(first, 0, "none", self.styles.get(italic=True, font_color=NOTE_COLOUR))
        columns = [self._column(table, column, item, first, wrapped) for column, item in enumerate(table.fields)]
        for number in range(table.length):
            for write in columns:
                write(number)
        if filtered:
            self.sheet.autofilter(self.row, 0, self.row + max(table.length, 1), len(table.fields) - 1)
        self.row = first + max(table.length, 1) + 1

    def _column(self, table: DataTable, column: int, item: Field, first: int, wrapped: bool) -> Callable[[int], None]:
        """Return what writes a column's cell in a row, so that rows can be written one by one."""
        values, styles, sheet = table.columns[item.name], self.styles, self.sheet
        links = self._links(table, item)
        figures = item.formula is not None or (bool(item.unit) and not any(isinstance(value, str) for value in values))
        long: set[Any] = set()
        if not figures:
            long = {
                value for value in set(values) if wrapped and not item.cut and isinstance(value, str) and text_width(value) > WIDEST_TEXT
            }

        def write(number: int) -> None:
            value, row, link = values[number], first + number, links[number] if links else None
            made = item.formula(Row(table, number)) if item.formula is not None else None
            if figures:
                form = styles.number(item.unit, value, linked=link is not None)
            else:
                form = styles.text(column, wrap=value in long, linked=link is not None)
            if link is not None:
                self._lead(row, column, link, value, form)
            if made is not None:
                sheet.write_formula(row, column, "=" + made.text, form, value)
            elif link is None or not isinstance(value, str):
                self.put(row, column, value, form)
            if value in long:
                self.wrap(row, column, value)

        return write

    def _links(self, table: DataTable, item: Field) -> list[str | None]:
        """Return the cell that each row of a column leads to; none at all where the page would hold too many."""
        if item.link is None or self._linked + table.length > MOST_LINKS:
            return []
        self._linked += table.length
        return [item.link(Row(table, number)) for number in range(table.length)]

    def _lead(self, row: int, column: int, place: str, value: Any, form: Format) -> None:
        """Make a cell lead to an input; a figure is written over the text that comes with the link."""
        self.sheet.write_url(row, column, f"internal:{place}", form, value if isinstance(value, str) else "", f"From {place}")

    def add_matrix(
        self,
        title: str,
        unit: str,
        label_headers: Sequence[str],
        labels: Sequence[tuple[str, ...]],
        columns: Sequence[Value],
        cell: Callable[[list[Live], Live], Live | None],
        total_row: str = "",
        total_column: str = "",
    ) -> Matrix:
        """Write a block of formulas, one line a label and one column a year or name.

        Parameters
        ----------
        title
            Sentence above the block.
        unit
            Of every figure; shown in each header.
        label_headers, labels
            Headers of the label columns and one tuple of texts a line.
        columns
            Years (numbers) or names.
        cell
            Label cells, column cell -> figure; None leaves the cell blank.
        total_row, total_column
            Names of the totals; "" for none.

        Returns
        -------
        Matrix
            Where the figures stand.
        """
        self.heading(title)
        start = self.label_columns
        self._matrix_header(unit, label_headers, columns, total_column)
        head = self.row
        self.row += 1
        block = Matrix(self.name, self.row, start)
        for label in labels:
            for place, text in enumerate(label):
                self.sheet.write_string(self.row, place, text, self.styles.text(place))
            self._make_room(label)
            keys = [Live(xl_rowcol_to_cell(self.row, place, col_abs=True), text) for place, text in enumerate(label)]
            line: list[Live] = []
            for place, name in enumerate(columns):
                column_cell = Live(xl_rowcol_to_cell(head, start + place, row_abs=True), name) if not isinstance(name, str) else None
                line.append(cell(keys, column_cell or Live('"' + str(name).replace('"', '""') + '"', name)) or BLANK)
            self._figures(line, unit, bool(total_column), self.row)
            block.cells.append(line)
            self.row += 1
        if total_row:
            block.totals = self._total_row(block, unit, total_row, len(columns), bool(total_column))
        self.row += 1
        return block

    def _make_room(self, label: tuple[str, ...]) -> None:
        """Widen the label columns; the last label may run on over the empty ones after it."""
        for place, text in enumerate(label[:-1]):
            self.widen(place, text_width(text) + bool(place))
        self._running_on.append((len(label) - 1, min(text_width(label[-1]) + (len(label) > 1), LONGEST_LABEL)))

    def _matrix_header(self, unit: str, label_headers: Sequence[str], columns: Sequence[Value], total_column: str) -> None:
        for place in range(self.label_columns):
            text = label_headers[place] if place < len(label_headers) else ""
            self.widen(place, 1.08 * text_width(text) + bool(place))
            self.sheet.write_string(self.row, place, text, self.styles.header(column=place))
        names = [*columns, *([total_column] if total_column else [])]
        for place, name in enumerate(names, self.label_columns):
            if isinstance(name, str):
                self.sheet.write_string(self.row, place, f"{name} [{unit}]", self.styles.header(right=True))
                self.wrap(self.row, place, f"{name} [{unit}]", bold=True)
            else:
                self.sheet.write_number(self.row, place, name, self.styles.header(unit))
                self.widen(place, 1.08 * text_width(f"{name:.0f} [{unit}]"))

    def _figures(self, line: list[Live], unit: str, with_total: bool, row: int) -> None:
        """Write a line of formulas and, where wanted, their total, which is appended to the line."""
        start = self.label_columns
        for place, figure in enumerate(line, start):
            self.put(row, place, figure, self.styles.number(unit, figure.value))
            self.widen(place, shown_length(figure.value, unit))
        if with_total:
            span = total(line, xl_rowcol_to_cell(row, start), xl_rowcol_to_cell(row, start + len(line) - 1))
            self.put(row, start + len(line), span, self.styles.number(unit, span.value, bold=True))
            self.widen(start + len(line), shown_length(span.value, unit))
            line.append(span)

    def _total_row(self, block: Matrix, unit: str, name: str, columns: int, with_total: bool) -> list[Live]:
        bold = self.styles.get(bold=True, top=1, top_color=RULE_COLOUR)
        for place in range(self.label_columns):
            self.sheet.write_string(self.row, place, name if place == 0 else "", bold)
        totals = []
        for place in range(columns + with_total):
            column = self.label_columns + place
            if block.cells:
                first, last = xl_rowcol_to_cell(block.first_row, column), xl_rowcol_to_cell(self.row - 1, column)
                figure = total([line[place] for line in block.cells], first, last)
            else:
                figure = Live("0", 0.0)
            self.put(self.row, column, figure, self.styles.number(unit, figure.value, bold=True, ruled=True))
            self.widen(column, shown_length(figure.value, unit))
            totals.append(figure)
        self.row += 1
        return totals

    def add_line(self, label: str, figures: Sequence[Live], unit: str, bold: bool = False) -> list[Live]:
        """Write one more line of figures under the label columns, right below what was written last.

        Returns
        -------
        list of Live
            The cells, for formulas on other sheets.
        """
        self.sheet.write_string(self.row, 0, label, self.styles.get(bold=bold))
        self._make_room((label,))
        refs = []
        for place, figure in enumerate(figures, self.label_columns):
            self.put(self.row, place, figure, self.styles.number(unit, figure.value, bold=bold))
            self.widen(place, shown_length(figure.value, unit))
            refs.append(Live(f"{self.name}!{xl_rowcol_to_cell(self.row, place, row_abs=True, col_abs=True)}", figure.value))
        self.row += 1
        return refs

    def add_totals(self, table: DataTable, columns: Sequence[str], others: Mapping[str, Live] | None = None) -> None:
        """Write a line of totals right below a table that was just written; `others` are no plain sums."""
        for place, item in enumerate(table.fields):
            if item.name in columns or item.name in (others or {}):
                whole = table.sum(item.name) if item.name in columns else (others or {})[item.name]
                self.put(self.row, place, whole, self.styles.number(item.unit, whole.value, bold=True, ruled=True))
            else:
                style = self.styles.get(bold=True, top=1, top_color=RULE_COLOUR)
                self.sheet.write_string(self.row, place, "total" if place == 0 else "", style)
        self.row += 2

    def finish(self, single_table: bool = False, landscape: bool = True) -> None:
        """Set widths, frozen panes and print layout once everything is written.

        Parameters
        ----------
        single_table
            The page is one table: its header stays in sight.
        """
        for place, length in self._running_on:
            room = sum(self.widths.get(column, NARROWEST) for column in range(place, self.label_columns))
            if room < length + 1:
                self.widths[place] = self.widths.get(place, NARROWEST) + length + 1 - room
        for column in range(self.label_columns):
            self.widths.setdefault(column, NARROWEST)
        for column, width in self.widths.items():
            if column >= self.label_columns and not single_table:
                self.widths[column] = max(width, NARROWEST_FIGURES)
            self.sheet.set_column(column, column, self.widths[column])
        self._set_heights()
        frozen = sum(self.widths.get(column, NARROWEST) for column in range(self.label_columns))
        if single_table and self.header_row is not None:
            self.sheet.freeze_panes(self.header_row + 1, self.label_columns if frozen <= 50 else 0)
        else:
            self.sheet.freeze_panes(2, self.label_columns if frozen <= 50 else 0)
        if landscape:
            self.sheet.set_landscape()
        self.sheet.set_paper(A4)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        self.sheet.set_footer("&L&A&RPage &P of &N")
        if self.header_row is not None:
            self.sheet.repeat_rows(self.header_row)
