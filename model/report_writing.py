"""Sentences, cells and headings down one worksheet, and the widths and heights that show them whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from xlsxwriter.format import Format

from model.report_book import Book, Field, Live, Value
from model.report_print import set_print
from model.report_styles import NOTE_COLOUR, TITLE_COLOUR, text_width

ROW_HEIGHT = 13.5
"""Points of one line of 10-point text."""

FIRST_LINE = 12.5
"""Points of a row that shows the first line of a text and nothing of the second."""

WIDEST_TEXT = 60
"""Characters beyond which a text column wraps."""

LONGEST_LABEL = 100
"""Characters of a label that runs on over the empty label columns after it."""

LONGEST_LINE = 110
"""Characters for which a page of narrow tables is made wide enough; longer sentences take several lines."""

BOLD = 1.08
"""Width of bold text over that of plain text."""

STANDARD_WIDTH = 8.43
NARROWEST, NARROWEST_FIGURES = 7, 11
TALLEST_ROW = 409.0
"""Points; no spreadsheet allows more."""

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


class Writing:
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
        self._heights: dict[int, float] = {}
        self._blocks: dict[int, bool] = {}
        self._said: list[tuple[int, str, dict[str, Any]]] = []
        self.sheet.hide_gridlines(2)
        self.row = 0
        if not caption:
            return
        self.sheet.write_string(0, 0, name, self.styles.get(bold=True, font_size=14, font_color=TITLE_COLOUR))
        self._set_row(0, 21)
        self.row = 1
        self.say(caption, italic=True, font_color=NOTE_COLOUR)
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
        """Write one sentence across the page; one that is longer than the page is wide is broken over lines at the end."""
        self._said.append((self.row, text, properties))
        self.sheet.write_string(self.row, 0, text, self.styles.get(**properties))
        self.row += 1

    def heading(self, title: str) -> None:
        """Write the sentence above a block."""
        self.header_row = None
        self._blocks.setdefault(self.row, False)
        self.say(title, bold=True, font_color=TITLE_COLOUR)

    def begin_page(self) -> None:
        """Let what is written next begin a page when the sheet is printed."""
        self._blocks[self.row] = True

    def _header(self, headers: Sequence[Field]) -> None:
        """Write a header row with a note on each cell."""
        for column, item in enumerate(headers):
            self.sheet.write_string(self.row, column, item.header, self.styles.header(right=bool(item.unit), column=column))
            if item.description:
                self.sheet.write_comment(self.row, column, item.description, {"x_scale": 1.6, "y_scale": 0.7, "font_size": 9})
            self.wrap(self.row, column, item.header, bold=True)

    def wrap(self, row: int, column: int, text: str, bold: bool = False) -> None:
        """Note that a cell's text wraps, so that its row becomes tall enough; long words widen the column."""
        scale = BOLD if bold else 1.0
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
            self._set_row(row, min(ROW_HEIGHT * count + 2, TALLEST_ROW))
        self._lines = {row: count}

    def _set_heights(self) -> None:
        """Give rows with wrapped text their height; spreadsheets do not do so by themselves on opening."""
        lines: dict[int, int] = {}
        for row, column, text, scale in self._wrapped:
            room = self.widths.get(column, NARROWEST) - 1.0 - bool(column)
            lines[row] = max(lines.get(row, 1), text_lines(text, room / scale))
        for row, count in lines.items():
            if count > 1:
                self._set_row(row, min(ROW_HEIGHT * count + 2, TALLEST_ROW))

    def one_line(self, row: int) -> None:
        """Keep a row one line tall, so that a text in it shows the whole words of its first line; other texts may make it taller."""
        if self._lines.get(row, 1) > 1:
            return
        self._set_row(row, FIRST_LINE)
        if self.book.is_streamed(self.name):
            self.sheet.forget_height(row - 2)  # the row before is still being written

    def _set_row(self, row: int, points: float) -> None:
        self.sheet.set_row(row, points)
        if not self.book.is_streamed(self.name):
            self._heights[row] = points

    def _printed_widths(self, least: float) -> dict[int, float]:
        """Return the widths of the columns that are printed: those in use, and more for sentences and pictures that are wider."""
        widths = dict(sorted(self.widths.items()))
        longest = max((text_width(text) * (BOLD if properties.get("bold") else 1.0) for _, text, properties in self._said), default=0.0)
        while sum(widths.values()) < max(least, min(longest + 1, LONGEST_LINE)):
            widths[max(widths, default=-1) + 1] = STANDARD_WIDTH
        return widths

    def _break_sentences(self, widths: Mapping[int, float]) -> None:
        """Let sentences that are longer than the page is wide take several lines."""
        room = sum(widths.values()) - 2.0
        for row, text, properties in self._said:
            lines = text_lines(text, room / (BOLD if properties.get("bold") else 1.0))
            if lines > 1:
                self.sheet.merge_range(row, 0, row, max(widths), "", self.styles.get(text_wrap=True, **properties))
                self.sheet.write_string(row, 0, text, self.styles.get(text_wrap=True, **properties))
                self._set_row(row, min(ROW_HEIGHT * lines + 2, TALLEST_ROW))

    def finish(self, single_table: bool = False, pixels: float = 0.0) -> None:
        """Set widths, frozen panes and print layout once everything is written.

        Parameters
        ----------
        single_table
            The page is one table: its header stays in sight.
        pixels
            Width of the widest picture on the page.
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
        printed = self._printed_widths(pixels / 7)
        if not self.book.is_streamed(self.name):
            self._break_sentences(printed)
        self._set_heights()
        frozen = sum(self.widths.get(column, NARROWEST) for column in range(self.label_columns))
        if single_table and self.header_row is not None:
            self.sheet.freeze_panes(self.header_row + 1, self.label_columns if frozen <= 50 else 0)
        else:
            self.sheet.freeze_panes(2, self.label_columns if frozen <= 50 else 0)
        set_print(
            self.book.workbook, self.sheet, printed, self._heights, {} if self.book.is_streamed(self.name) else self._blocks,
            self.row, self.header_row, self.label_columns, single_table,
        )  # fmt: skip
