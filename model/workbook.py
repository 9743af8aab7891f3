"""Excel sheets -> raw cells, each with its exact place; nothing is judged here.

Values come from python-calamine, which is fast but shows error values, and formulas that were
never calculated, as blanks, and does not read a sheet with an error value that it does not know.
Sheets that hold either are therefore read a second time, from their XML, for those cells alone.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from xml.parsers import expat

import python_calamine as calamine
from xlsxwriter.utility import xl_col_to_name

from model.book_file import DAMAGE, BookError, damage_error, open_archive, open_in_excel, password_error, sheet_parts
from model.book_version import read_version, version_order
from model.schema import SCHEMA_VERSION, SHEET_BY_NAME, SHEETS
from model.tables import Cell, CellError, FormulaNotCalculated, RawBook, RawSheet
from model.words import fold_code

__all__ = ["FURNITURE", "BookError", "open_in_excel", "read_book"]

FURNITURE = ("guide", "lists", "errors")
"""Tabs that the program writes for the reader's use; they hold no input and are not read."""

LARGEST_AREA = 5_000_000
"""Most cells in the rectangle that a sheet spans; one stray entry in the last row would fill the memory."""

_HEADER_SEARCH = 30
_SPECIAL_MARKS = (b"<f>", b"<f ", b"<f/", b":f>", b":f ", b":f/", b't="e"', b"t='e'")
_DIMENSION = re.compile(rb"<(?:\w+:)?dimension\s+ref=[\"'](?:[A-Z]+[0-9]+:)?([A-Z]+)([0-9]+)[\"']")
_FILLED_CELL = re.compile(rb"<(?:\w+:)?c\b[^<>]*?\br=[\"']([A-Z]+)([0-9]+)[\"'][^<>]*>\s*<(?:\w+:)?(?:v|f|is)\b")

Specials = Mapping[tuple[int, int], FormulaNotCalculated | CellError]


def read_book(path: str | Path) -> RawBook:
    """Read every worksheet of an Excel workbook as typed.

    Numbers are floats, dates ISO text, blank cells left out; "NA", "None" and "nan" are text.
    A formula reads as the value that the spreadsheet saved with it. Hidden sheets, rows and
    columns are read like any other; chart sheets and the tabs named in :data:`FURNITURE` are not.

    Parameters
    ----------
    path
        An ``.xlsx`` (or ``.xlsm``) file saved by Excel, LibreOffice or a program.

    Returns
    -------
    RawBook
        Sheets by the name on the tab, in the workbook's order.

    Raises
    ------
    BookError
        The file is missing, locked, not an Excel workbook, protected by a password, damaged,
        empty, or has an entry far away from the rest.
    """
    path = Path(path)
    content, archive = open_archive(path)
    try:
        version = read_version(archive)
        _refuse_newer(path, version)
        sheets = _read_sheets(content, archive)
    except (*DAMAGE, calamine.CalamineError) as error:
        raise damage_error(path, error) from error
    except RuntimeError as error:  # zipfile's word for a member under a password
        raise password_error(path) from error
    if not any(sheet.header or sheet.rows for sheet in sheets.values()):
        raise BookError(
            "empty_book",
            f"no entry on any sheet of {path.name}",
            "a workbook with the planner's sheets",
            "Write an empty one, with drop-downs and notes, by `python run.py template inputs/new.xlsx` and fill that.",
        )
    return RawBook(path, sheets, version)


def _refuse_newer(path: Path, version: str) -> None:
    """Raise where the book was made for a later program, whose sheets this one would misread."""
    if version_order(version) > version_order(SCHEMA_VERSION):
        raise BookError(
            "newer_book",
            f"{path.name} of schema version {version}",
            f"a book of schema version {SCHEMA_VERSION} or earlier",
            "Use the version of this program that the book was made for, or a later one.",
        )


def _read_sheets(content: bytes, archive: zipfile.ZipFile) -> dict[str, RawSheet]:
    """Read all worksheets that may hold input."""
    parts, recalculate = sheet_parts(archive)
    sheets = {}
    with calamine.load_workbook(io.BytesIO(content)) as book:
        for sheet in book.sheets_metadata:
            if sheet.typ != calamine.SheetTypeEnum.WorkSheet or fold_code(sheet.name).lower() in FURNITURE:
                continue
            xml = archive.read(parts[sheet.name])
            _refuse_stray_cell(sheet.name, xml)
            specials = _special_cells(xml, recalculate) if any(mark in xml for mark in _SPECIAL_MARKS) else {}
            try:
                values = book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)
            except calamine.CalamineError as error:
                raise _unreadable_sheet(sheet.name, specials, error) from error
            sheets[sheet.name] = _raw_sheet(sheet.name, values, specials)
    return sheets


def _refuse_stray_cell(sheet: str, xml: bytes) -> None:
    """Raise where the filled cells span an area that could only come from a slip."""
    stated = _DIMENSION.search(xml[:4096])
    if stated and _area(stated[1], stated[2]) <= LARGEST_AREA:
        return
    cells = _FILLED_CELL.findall(xml)  # the stated area counts formatted blanks too
    if not cells:
        return
    lowest = max(cells, key=lambda cell: int(cell[1]))
    rightmost = max(cells, key=lambda cell: (len(cell[0]), cell[0]))
    if _area(rightmost[0], lowest[1]) > LARGEST_AREA:
        far = b"".join(lowest if int(lowest[1]) > 100_000 else rightmost).decode()
        raise BookError(
            "stray_cell",
            "an entry far away from all others",
            f"sheets of up to {LARGEST_AREA:,} cells, counted as rows times columns",
            f"Go to {far} (F5), delete the entry and save.",
            sheet,
            far,
        )


def _area(letters: bytes, row: bytes) -> int:
    return (_column_index(letters.decode()) + 1) * int(row)


def _column_index(letters: str) -> int:
    """Return the number, from 0, of a column named by letters."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number - 1


def _special_cells(xml: bytes, recalculate: bool) -> Specials:
    """Return the cells, by row and column from 0, that hold an error or a formula never calculated.

    A program that writes formulas without calculating them leaves no value, or a 0 beside the
    order to recalculate the book when it is opened; both count as not calculated.
    """
    found: dict[tuple[int, int], FormulaNotCalculated | CellError] = {}
    shared: dict[str, str] = {}
    row = column = -1
    kind = group = text = ""
    formula: str | None = None
    value: str | None = None

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, kind, group, text, formula, value
        tag, text = tag.rpartition(" ")[2], ""
        if tag == "row":
            row, column = int(attributes.get("r", row + 2)) - 1, -1
        elif tag == "c":
            letters = attributes.get("r", "").rstrip("0123456789")
            column = _column_index(letters) if letters else column + 1
            kind, formula, value = attributes.get("t", "n"), None, None
        elif tag == "f":
            group = attributes.get("si", "")

    def data(characters: str) -> None:
        nonlocal text
        text += characters

    def end(tag: str) -> None:
        nonlocal formula, value
        tag = tag.rpartition(" ")[2]
        if tag == "f":
            formula = text or shared.get(group, "")
            shared.setdefault(group, formula)
        elif tag == "v":
            value = text
        elif tag == "c" and kind == "e" and value:
            found[row, column] = CellError(value)
        elif tag == "c" and formula is not None:
            empty = value is None or (value == "" and kind != "str")
            if empty or (recalculate and kind == "n" and value == "0"):
                found[row, column] = FormulaNotCalculated(f"={formula}")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, data, end
    parser.Parse(xml, True)
    return found


def _unreadable_sheet(sheet: str, specials: Specials, error: Exception) -> BookError:
    """Name the cell with the error value that the reader does not know, if that is the cause."""
    for (row, column), special in specials.items():
        if isinstance(special, CellError) and special.text in str(error):
            cell = f"{xl_col_to_name(column)}{row + 1}"
            return BookError("cell_error", f"the error {special.text}", "a number or text", "Correct the formula and save.", sheet, cell)
    remedy = "Open the workbook in Excel, let Excel repair it and save it under a new name."
    return BookError("damaged_book", f"a sheet that cannot be read ({error})", "a whole worksheet", remedy, sheet)


def _cell(value: object) -> Cell:
    """Return a value as a cell of :class:`RawBook`; dates and times as ISO text."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _raw_sheet(name: str, values: list[list], specials: Specials) -> RawSheet:
    """Give each filled cell its address and find the header row."""
    grid: dict[int, dict[int, Cell]] = {}
    for number, row in enumerate(values, 1):
        cells = {column: _cell(value) for column, value in enumerate(row) if value != ""}
        if cells:
            grid[number] = cells
    for (row_index, column), special in specials.items():
        grid.setdefault(row_index + 1, {})[column] = special
    letters = {column: xl_col_to_name(column) for column in {column for cells in grid.values() for column in cells}}
    rows = {
        number: {letters[column]: grid[number][column] for column in sorted(grid[number])}
        for number in sorted(grid)
        if any(not isinstance(cell, str) or cell.strip() for cell in grid[number].values())
    }
    header_row = _header_row(name, rows)
    header = {letter: _header_text(cell) for letter, cell in rows.get(header_row, {}).items()}
    return RawSheet(name, header, header_row, {number: row for number, row in rows.items() if number > header_row})


def _header_text(cell: Cell) -> str:
    """Return a header cell as text; a year typed as a number without its decimals."""
    if isinstance(cell, FormulaNotCalculated):
        return cell.formula
    if isinstance(cell, CellError):
        return cell.text
    return f"{cell:.0f}" if isinstance(cell, float) and cell.is_integer() else str(cell)


def _header_row(sheet: str, rows: Mapping[int, Mapping[str, Cell]]) -> int:
    """Return the first row with two known column names, else the one with most, else the first row."""
    declared = SHEET_BY_NAME.get(fold_code(sheet).lower())
    known = {column.name for one in ((declared,) if declared else SHEETS) for column in one.all_columns}
    best, most = next(iter(rows), 1), 0
    for number in list(rows)[:_HEADER_SEARCH]:
        texts = [fold_code(_header_text(cell)).partition("[")[0].strip().lower() for cell in rows[number].values()]
        hits = sum(text in known for text in texts)
        if hits > most:
            best, most = number, hits
        if most > 1:
            break
    return best
