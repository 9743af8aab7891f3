"""The checks of a cell in a workbook: what Excel lets stand in it."""

from __future__ import annotations

from openpyxl.utils.cell import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet


def check_of(page: Worksheet, row: int, column: int) -> list:
    """Return the data validations of a cell."""
    found = []
    for rule in page.data_validations.dataValidation:
        for area in str(rule.sqref).split():
            left, top, right, bottom = range_boundaries(area)
            if left <= column <= right and top <= row <= bottom:
                found.append(rule)
    return found
