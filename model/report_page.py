"""One worksheet laid out from top to bottom: caption, blocks of figures, tidy rows; fit to print."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xlsxwriter.format import Format

from model.report_book import DataTable, Field, Live, Row, counts
from model.report_matrix import Blocks
from model.report_styles import NOTE_COLOUR, RULE_COLOUR, shown_length, text_width
from model.report_writing import WIDEST_TEXT

MOST_LINKS = 20_000
"""Links to inputs on a page; Excel bears 65,530, and a page with more rows is searched, not clicked through."""

FIRST_WORDS = 32
"""Characters shown of a text of which the first line is enough."""


def _extremes(values: Sequence[Any]) -> set[Any]:
    """Return the values among which the one that takes most room is: the different texts, the largest and smallest figures."""
    texts = {value for value in values if isinstance(value, str)}
    figures = [value for value in values if counts(value)]
    return texts | ({max(figures), min(figures), 9.99} if figures else set())


class Page(Blocks):
    """A worksheet that takes blocks of figures and tidy tables, filled from top to bottom; see :class:`model.report_writing.Writing`."""

    def add_table(self, table: DataTable, filtered: bool = True, named: bool = True) -> None:
        """Write a tidy table.

        Parameters
        ----------
        table
            Rows and columns.
        filtered
            Give the header filter buttons; one table a page can have them.
        named
            Give the columns their defined names.
        """
        if table.title:
            self.heading(table.title)
        for column, item in enumerate(table.fields):  # widths first: the header's height follows from them
            longest = max((shown_length(value, item.unit) for value in _extremes(table.columns[item.name])), default=0)
            self.widen(column, min(longest, FIRST_WORDS if item.first_line else WIDEST_TEXT) + bool(column and not item.unit))
        self._header(table.fields)
        self.header_row = self.row
        first = self.row + 1
        table.place(self.name, first, 0)
        if named:
            self.book.name_columns(table)
        if not table.length:
            self.sheet.write_string(first, 0, "none", self.styles.get(italic=True, font_color=NOTE_COLOUR))
        columns = [self._column(table, column, item, first) for column, item in enumerate(table.fields)]
        for number in range(table.length):
            for write in columns:
                write(number)
        if filtered:
            self.sheet.autofilter(self.row, 0, self.row + max(table.length, 1), len(table.fields) - 1)
        self.row = first + max(table.length, 1) + 1

    def _column(self, table: DataTable, column: int, item: Field, first: int) -> Callable[[int], None]:
        """Return what writes a column's cell in a row, so that rows can be written one by one."""
        values, styles, sheet = table.columns[item.name], self.styles, self.sheet
        links = self._links(table, item)
        figures = item.formula is not None or (bool(item.unit) and not any(isinstance(value, str) for value in values))
        long: set[Any] = set()
        if not figures and not item.first_line:
            long = {value for value in set(values) if isinstance(value, str) and text_width(value) > WIDEST_TEXT}

        if item.formula is None and not links and not long and not item.first_line:  # most columns: nothing but to write what is there
            if figures:
                return lambda number: self.put(first + number, column, values[number], styles.number(item.unit, values[number]))
            plain = styles.text(column)
            return lambda number: self.put(first + number, column, values[number], plain)

        def write(number: int) -> None:
            value, row, link = values[number], first + number, links[number] if links else None
            made = item.formula(Row(table, number)) if item.formula is not None else None
            if figures:
                form = styles.number(item.unit, value, linked=link is not None)
            else:
                form = styles.text(column, wrap=item.first_line or value in long, linked=link is not None)
            if link is not None:
                self._lead(row, column, link, value, form)
            if made is not None:
                sheet.write_formula(row, column, "=" + made.text, form, value)
            elif link is None or not isinstance(value, str):
                self.put(row, column, value, form)
            if item.first_line:
                self.one_line(row)
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
