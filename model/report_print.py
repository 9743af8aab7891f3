"""How a sheet goes on paper: its scale, the blocks with which pages begin, and what repeats on every page."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

A4 = 9
_LONG, _SHORT = 841.9, 595.3
"""Points of the sides of an A4 page."""

_MARGINS = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}
"""Inches."""

_ACROSS, _DOWN = 72 * (_MARGINS["left"] + _MARGINS["right"]), 72 * (_MARGINS["top"] + _MARGINS["bottom"])
UPRIGHT_SCALE = 0.8
"""A sheet that fits an upright page at this scale is printed upright."""

SMALLEST_SCALE = 0.4
"""A sheet that would have to be printed smaller takes several pages side by side."""

_SPARE = 0.95
"""Part of a page that is planned with; programs differ a little in how tall they draw a row."""

DEFAULT_HEIGHT = 15.0
"""Points of a row that nothing was said of."""


def page_starts(heights: Sequence[float], room: float, fresh: Collection[int] = ()) -> list[int]:
    """Return the numbers of the blocks that begin a page, so that blocks that fit on one are not broken.

    What takes up to a quarter of a page, such as the title, is never left alone.

    Parameters
    ----------
    heights
        Of the blocks from top to bottom.
    room
        Height of a page in the same unit.
    fresh
        Blocks that begin a page in any case.

    Examples
    --------
    >>> page_starts([30, 50, 40, 20, 250, 20], 100)
    [0, 2, 4]
    >>> page_starts([30, 50], 100, {1})
    [0, 1]
    """
    starts, used = [0], 0.0
    for number, height in enumerate(heights):
        if number in fresh or (used > room / 4 and used + min(height, room) > room):
            starts.append(number)
            used = 0.0
        used += height
        if used > room:
            used = math.fmod(used, room)
    return starts


def set_print(
    workbook: Workbook,
    sheet: Worksheet,
    widths: Mapping[int, float],
    heights: Mapping[int, float],
    blocks: Mapping[int, bool],
    last_row: int,
    header_row: int | None,
    label_columns: int,
    spread: bool,
) -> None:
    """Fit a sheet to the width of a page, or of several where it would become too small to read.

    Parameters
    ----------
    workbook, sheet
        What is laid out.
    widths, heights
        Characters of the columns and points of the rows; a row that is left out has the default height.
    blocks
        First row of each block -> whether it begins a page in any case; empty where blocks may be broken anywhere.
    last_row
        Last row in use.
    header_row
        Row that repeats on later pages; None for none.
    label_columns
        Columns that repeat where the sheet takes several pages side by side.
    spread
        The sheet may take several pages side by side.
    """
    wide = sum(characters * 7 + 5 for characters in widths.values()) * 0.75
    upright = wide * UPRIGHT_SCALE <= _SHORT - _ACROSS
    across, down = (_SHORT, _LONG) if upright else (_LONG, _SHORT)
    scale = min(1.0, (across - _ACROSS) / max(wide, 1.0))
    if not upright:
        sheet.set_landscape()
    sheet.set_paper(A4)
    if scale >= SMALLEST_SCALE or not spread:
        sheet.fit_to_pages(1, 0)
    else:
        scale = SMALLEST_SCALE
        sheet.set_print_scale(int(100 * scale))
        sheet.repeat_columns(0, label_columns - 1)
    sheet.set_margins(**_MARGINS)
    sheet.set_footer("&L&A&RPage &P of &N")
    if header_row is not None:
        sheet.repeat_rows(header_row)
    firsts = sorted({0, *blocks})
    ends = [*firsts[1:], last_row + 1]
    tall = [sum(heights.get(row, DEFAULT_HEIGHT) for row in range(first, end)) for first, end in zip(firsts, ends, strict=True)]
    fresh = {number for number, first in enumerate(firsts) if blocks.get(first)}
    starts = [firsts[number] for number in page_starts(tall, _SPARE * (down - _DOWN) / scale, fresh)]
    if len(starts) > 1:
        set_print_areas(workbook, sheet, [*starts, last_row + 1], max(widths, default=0))


def set_print_areas(workbook: Workbook, sheet: Worksheet, starts: Sequence[int], last_column: int) -> None:
    """Let a page begin at each of some rows; the last of them is the row after the end.

    Breaks set by hand do not hold on a sheet that is made to fit, areas do.
    """
    areas = [
        f"{sheet.name}!{xl_rowcol_to_cell(first, 0, True, True)}:{xl_rowcol_to_cell(end - 1, last_column, True, True)}"
        for first, end in pairwise(starts)
    ]
    workbook.define_name(f"'{sheet.name}'!_xlnm.Print_Area", f"={','.join(areas)}")
