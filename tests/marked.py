"""Reads what the check marked in a copy of a book."""

from __future__ import annotations

from pathlib import Path

import openpyxl
from openpyxl.utils.cell import get_column_letter, range_boundaries

from model.markup_comments import MARK


def marked_cells(path: Path) -> dict[str, str]:
    """Return ``sheet!C7`` -> what the check's comment there says, of every cell that is coloured."""
    book = openpyxl.load_workbook(path)
    marks = {}
    for page in book.worksheets:
        for area in page.conditional_formatting:
            if not any(str(rule.formula[0]).startswith('"check: ') for rule in area.rules if rule.formula):
                continue
            for part in str(area.sqref).split():
                left, top, right, bottom = range_boundaries(part)
                for row in range(top, bottom + 1):
                    for column in range(left, right + 1):
                        comment = page.cell(row, column).comment
                        words = comment.text.partition(MARK)[2] if comment else ""
                        marks[f"{page.title}!{get_column_letter(column)}{row}"] = words
    return marks


def copies(folder: Path) -> list[Path]:
    """Return the marked copies in a folder."""
    return sorted(folder.glob("*_checked*.xlsx"))
