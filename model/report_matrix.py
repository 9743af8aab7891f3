"""Blocks of figures: one line a label, one column a year or name, every figure a formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from xlsxwriter.utility import xl_rowcol_to_cell

from model.report_book import Live, Value, total
from model.report_styles import RULE_COLOUR, shown_length, text_width
from model.report_writing import BLANK, LONGEST_LABEL, Writing


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


class Blocks(Writing):
    """A worksheet that takes blocks of figures."""

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
