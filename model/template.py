"""Typed tables -> input workbook with drop-downs, notes, units and colours; also an empty one."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from itertools import groupby
from math import ceil
from pathlib import Path
from textwrap import wrap
from typing import SupportsFloat

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from model.dropdowns import Dropdowns
from model.guide import GUIDE, HEADER_COLOURS, MISSING_COLOUR, OUTSIDE_COLOUR, QUALITY_COLOURS, write_guide
from model.layout import Field, SheetLayout, lay_out
from model.notes import column_note, setting_note, spread_note
from model.schema import SCHEMA_VERSION, SETTING_BY_NAME, SETTINGS, SHEETS, Kind
from model.tables import Tables, tables_from_records

_LARGE = ("t REO", "t REO/y", "km", "nm", "days", "MUSD", "MUSD/y", "MUSD capex budget")
_TEXT = "@"
_FREE = {"locked": False}
"""Format of cells that stay open when the headers are protected."""
_PROTECTION = dict.fromkeys(
    ("objects", "scenarios", "format_cells", "format_columns", "format_rows", "insert_columns", "insert_rows", "insert_hyperlinks",
     "delete_columns", "delete_rows", "sort", "autofilter", "pivot_tables"), True
)  # fmt: skip
_FONT = {"font_name": "Arial", "font_size": 10}


class _Exact(float):
    """A number that is written with every digit it has; XlsxWriter alone would round to 16."""

    def __format__(self, spec: str) -> str:
        return repr(float(self)).removesuffix(".0")


class _Styles:
    """Cell formats of one workbook, each made once."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._made: dict[tuple, Format] = {}

    def get(self, **properties: object) -> Format:
        """Return the format with these properties."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._workbook.add_format(properties)
        return self._made[key]


def write_book(tables: Tables, path: str | Path) -> None:
    """Write typed tables as an input workbook.

    The values read back as they are, to the last bit. Rows stand in the order of the frames;
    every setting is written, those that `tables` leaves out with their default.

    Parameters
    ----------
    tables
        Typed tables; families need one column per year or element.
    path
        New ``.xlsx`` file in an existing folder.

    Raises
    ------
    FileExistsError
        There is such a file already.
    ValueError
        The path does not end in ``.xlsx``, a frame has an unknown column, or a text is too long for a cell.
    """
    path = Path(path)
    if path.suffix.lower() != ".xlsx":
        raise ValueError(f"{path.name} must end in .xlsx")
    if path.exists():
        raise FileExistsError(f"{path} exists and is not overwritten: choose another name, or move it away")
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "default_format_properties": _FONT}) as workbook:
        _write_workbook(workbook, tables)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content.getvalue())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def write_template(path: str | Path, years: Iterable[int] | None = None) -> None:
    """Write an empty input workbook: every sheet, drop-down and note, and the settings' defaults.

    Parameters
    ----------
    path
        New ``.xlsx`` file in an existing folder.
    years
        Years that run across; the first and last become the plan's. If left out, the settings' defaults.

    Raises
    ------
    FileExistsError
        There is such a file already.
    ValueError
        No year is given, or the path does not end in ``.xlsx``.
    """
    if years is None:
        years = range(int(SETTING_BY_NAME["first_year"].default), int(SETTING_BY_NAME["last_year"].default) + 1)
    span = sorted({int(year) for year in years})
    if not span:
        raise ValueError("a template needs at least one year")
    decision_year = min(int(SETTING_BY_NAME["decision_year"].default), span[0])
    tables = tables_from_records({}, {"first_year": span[0], "last_year": span[-1], "decision_year": decision_year})
    # capital can be spent from the decision on, so budgets begin earlier than the plan
    spending = [*range(decision_year, span[0]), *span]
    yearly = {
        sheet.name: tables[sheet.name].reindex(columns=[*tables[sheet.name].columns, *(spending if sheet.name == "markets" else span)])
        for sheet in SHEETS
        if sheet.spread and sheet.spread.family == "year"
    }
    write_book(tables.with_frames(**yearly), path)


def _write_workbook(workbook: Workbook, tables: Tables) -> None:
    workbook.set_properties(
        {
            "title": "Input workbook of the rare-earth refining planner",
            "subject": f"Schema version {SCHEMA_VERSION}",
            "keywords": "rare earths, refining, plan",
        }
    )
    workbook.set_custom_property("schema_version", SCHEMA_VERSION, "text")
    layouts = lay_out(tables)
    guide = workbook.add_worksheet(GUIDE)
    pages = {name: workbook.add_worksheet(name) for name in layouts}
    write_guide(workbook, guide)
    styles = _Styles(workbook)
    dropdowns = Dropdowns(workbook, tables, layouts)
    for name, page in pages.items():
        layout = layouts[name]
        frame = _settings_frame(tables) if name == "settings" else tables[name]
        _write_headers(page, layout, frame, styles)
        _write_rows(page, layout, frame, styles, _setting_properties if name == "settings" else None)
        if name == "settings":
            _attach_setting_checks(page, layout, dropdowns)
        _attach_checks(page, layout, dropdowns)
        _attach_colours(page, layout, styles)
        _set_page(page, layout)
    guide.activate()


def _settings_frame(tables: Tables) -> pd.DataFrame:
    """Return one row per declared setting, in the order of the groups."""
    given = tables["settings"].drop_duplicates("setting").set_index("setting")
    values = tables.settings
    rows = []
    for setting in SETTINGS:
        known = setting.name in given.index
        row: dict[str, object] = {
            "setting": setting.name,
            "value": values[setting.name],
            "unit": setting.unit,
            "description": setting.description,
        }
        row["source"] = given.at[setting.name, "source"] if known else "default of the program"
        row["quality"] = given.at[setting.name, "quality"] if known else "assumption"
        rows.append(row)
    return pd.DataFrame(rows, dtype=object)


def _number_format(kind: Kind, unit: str) -> str:
    """Return the number format of a column; it changes the view, never the value."""
    if kind in ("year", "integer"):
        return "0"
    if unit in _LARGE:
        return "[>=1000]#,##0;[<0]-0.0##;0.0##"
    return "[>=10]#,##0.00;[<0]-0.00##;0.00##" if "USD" in unit else "0.00##"


def _cell_properties(layout: SheetLayout, field: Field) -> dict[str, object]:
    """Return the format of the cells below a header."""
    column = field.column
    if column is None:
        return {"num_format": _number_format("number", field.unit), "valign": "top", **_FREE}
    if column.numeric:
        return {"num_format": _number_format(column.kind, column.unit), "valign": "top", **_FREE}
    properties: dict[str, object] = {"valign": "top", **_FREE}
    if column.kind != "value":
        properties |= {"align": "left", "indent": 1}
    if column.kind in ("code", "codes") or column.name in layout.sheet.key:
        properties["num_format"] = _TEXT  # or Excel would read 2027,2030 as one number
    if field.role == "key":
        properties["bold"] = True
    return properties


def _width(layout: SheetLayout, field: Field, cells: Iterable[object]) -> float:
    """Return a column width in characters that shows the header's words and most cells."""
    name, _, unit = field.header.partition(" [")
    least = max(len(name) + 4, *(len(word) + 2 for word in f"[{unit}".split()), 9)
    if len(field.header) <= 14:
        least = max(least, len(field.header) + 2)
    longest = max((len(_shown(cell)) for cell in cells), default=0) * (1.2 if field.role == "key" else 1.0) + 3  # keys are bold
    if field.column is None or field.column.kind != "text":
        return min(max(least, longest), max(least, 30))
    return min(max(least, longest), 100 if layout.sheet.name == "settings" else 46)


def _shown(cell: object) -> str:
    return f"{cell:,.5g}" if isinstance(cell, float) else str(cell)


def _write_headers(page: Worksheet, layout: SheetLayout, frame: pd.DataFrame, styles: _Styles) -> None:
    """Write the header row with its notes, and set widths and the formats of empty cells."""
    lines, total = 2, 0.0
    for index, field in enumerate(layout.fields):
        colour, _ = HEADER_COLOURS[field.role]
        header = styles.get(
            bold=True, font_color="#FFFFFF", bg_color=colour, text_wrap=True, valign="top", border=1, border_color="#FFFFFF"
        )
        width = _width(layout, field, frame[field.key] if field.key in frame.columns else ())
        page.set_column(index, index, width, styles.get(**_cell_properties(layout, field)))
        page.write_string(0, index, field.header, header)
        note = column_note(layout.sheet, field.column) if field.column else spread_note(field.spread, field.key) if field.spread else ""
        _write_note(page, 0, index, note)
        lines = max(lines, len(wrap(field.header, int(width))))
        total += width
    page.set_row(0, 13 * lines + 6)
    page.set_column(len(layout.fields), 16383, None, styles.get(**_FREE))
    page.protect("", _PROTECTION)
    page.fit_to_pages(ceil(total / 220), 0)


def _write_note(page: Worksheet, row: int, column: int, text: str) -> None:
    """Attach a note in a box that is large enough for it."""
    lines = sum(1 + len(line) // 44 for line in text.split("\n"))
    page.write_comment(row, column, text, {"width": 290, "height": 18 * lines + 12, "font_size": 9, "color": "#FFFFE8"})


def _write_rows(
    page: Worksheet, layout: SheetLayout, frame: pd.DataFrame, styles: _Styles, special: Callable[[int, Field], dict[str, object]] | None
) -> None:
    """Write the values, each with every digit; `special` adds to the format of single cells."""
    for index, field in enumerate(layout.fields):
        properties = _cell_properties(layout, field)
        cell_format = styles.get(**properties)
        for row, value in enumerate(frame[field.key] if field.key in frame.columns else (), 1):
            if special:
                cell_format = styles.get(**{**properties, **special(row, field)})
            _write_value(page, row, index, value, cell_format)


def _setting_properties(row: int, field: Field) -> dict[str, object]:
    """Return what is special to a cell of the settings sheet: a line between groups, the value's format."""
    setting = SETTINGS[row - 1]
    properties: dict[str, object] = {}
    if row > 1 and setting.group != SETTINGS[row - 2].group:
        properties |= {"top": 1, "top_color": "#2F75B5"}
    if field.key == "value":
        numeric = setting.kind in ("number", "integer", "year")
        properties |= {"num_format": _number_format(setting.kind, setting.unit) if numeric else _TEXT, "align": "right"}
    return properties


def _write_value(page: Worksheet, row: int, column: int, value: object, cell_format: Format) -> None:
    """Write a number or text; text is never taken for a formula, a link or markup."""
    if value is None or value == "" or value != value:  # NaN alone differs from itself
        page.write_blank(row, column, None, cell_format)
        return
    if isinstance(value, SupportsFloat):
        page.write_number(row, column, _Exact(value), cell_format)
        return
    if not isinstance(value, str):
        raise ValueError(f"neither text nor a number: {value!r}")
    if value.startswith("<r>") and value.endswith("</r>"):  # which XlsxWriter takes for its own markup
        failed = page.write_rich_string(row, column, value[:2], cell_format, value[2:], cell_format)
    else:
        failed = page.write_string(row, column, value, cell_format)
    if failed:
        raise ValueError(f"text of {len(value)} characters does not fit a cell: {value[:60]}…")


def _attach_setting_checks(page: Worksheet, layout: SheetLayout, dropdowns: Dropdowns) -> None:
    """Give each setting's value cell its note and check."""
    column = layout.index("value")
    for row, setting in enumerate(SETTINGS, 1):
        _write_note(page, row, column, setting_note(setting))
        dropdowns.check_setting(page, setting, row, column)


def _attach_checks(page: Worksheet, layout: SheetLayout, dropdowns: Dropdowns) -> None:
    """Attach drop-downs and range checks to every ready row."""
    last = layout.last_row - 1
    for index, field in enumerate(layout.fields):
        if field.column is not None:
            dropdowns.check_column(page, layout.sheet, field.column, (1, last, index))
    family = [index for index, field in enumerate(layout.fields) if field.spread]
    if family and layout.sheet.spread:
        dropdowns.check_spread(page, layout.sheet.spread, (1, family[0], last, family[-1]))


def _attach_colours(page: Worksheet, layout: SheetLayout, styles: _Styles) -> None:
    """Colour what is missing, and rows by their quality."""
    last = layout.last_row - 1

    def is_missable(item: tuple[int, Field]) -> bool:
        field = item[1]
        return bool(field.column.required if field.column else field.spread and field.spread.required)

    for missable, run in groupby(enumerate(layout.fields), is_missable):
        columns = [index for index, _ in run]
        if missable:
            rule = f'=AND($A2<>"",{xl_col_to_name(columns[0])}2="")'
            options = {"type": "formula", "criteria": rule, "format": styles.get(bg_color=MISSING_COLOUR), "stop_if_true": True}
            page.conditional_format(1, columns[0], last, columns[-1], options)
    outside = styles.get(bg_color=OUTSIDE_COLOUR)
    for index, field in enumerate(layout.fields):
        if rule := _outside_rule(field, f"{xl_col_to_name(index)}2"):
            page.conditional_format(1, index, last, index, {"type": "formula", "criteria": rule, "format": outside, "stop_if_true": True})
    if layout.sheet.provenance:
        quality = layout.letter("quality")
        for name, (colour, _) in QUALITY_COLOURS.items():
            if name != "reported":
                options = {"type": "formula", "criteria": f'=${quality}2="{name}"', "format": styles.get(bg_color=colour)}
                page.conditional_format(1, 0, last, len(layout.fields) - 1, options)


def _outside_rule(field: Field, cell: str) -> str:
    """Return the formula that is true of a cell which holds what may not stand there; "" where anything may."""
    declared = field.column or field.spread
    if declared is None:
        return ""
    if field.column is not None and field.column.choices:
        choices = ",".join(f'{cell}="{choice}"' for choice in field.column.choices)
        return f'=AND({cell}<>"",NOT(OR({choices})))'
    if field.column is not None and not field.column.numeric:
        return ""
    limits = [f"{cell}<{declared.low!r}"] if declared.low is not None else []
    limits += [f"{cell}>{declared.high!r}"] if declared.high is not None else []
    return f'=AND({cell}<>"",OR({",".join([f"NOT(ISNUMBER({cell}))", *limits])}))'


def _set_page(page: Worksheet, layout: SheetLayout) -> None:
    """Freeze, filter, and set up printing."""
    page.freeze_panes(1, layout.frozen_columns)
    page.autofilter(0, 0, layout.last_row - 1, len(layout.fields) - 1)
    page.set_tab_color("#2F75B5" if layout.sheet.required else "#7F8FA9")
    page.set_landscape()
    page.set_paper(9)
    page.repeat_rows(0)
    page.set_header("&L&A&R&P / &N")
