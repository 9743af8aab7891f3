"""A book of an earlier schema version brought up to date; the planner's own sheets and formats stay.

Each version has a :class:`Step`: what was renamed, what was added, and what a planner should know. What
the schema has and the book has not is then added: optional columns blank, settings with their defaults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xlsxwriter.utility import xl_col_to_name

from model.book_version import version_order, write_version
from model.markup_comments import add_comments, split_address
from model.notes import column_note, setting_note
from model.package import Package, new_file
from model.schema import SCHEMA_VERSION, SETTINGS, SHEETS, Column, Setting, Sheet
from model.sheet_part import SheetPart
from model.tables import RawBook, RawSheet
from model.upgrade_checks import add_column_check, add_setting_check
from model.words import fold_code, number_text

FIRST_VERSION = "1.0"
"""Version of books that state none."""


@dataclass(frozen=True)
class Step:
    """What a schema version changed.

    Parameters
    ----------
    version
        The version that the step leads to.
    notes
        Sentences for the planner.
    added
        ``sheet.column`` or ``settings: name`` of all that is new.
    renamed_columns
        (sheet, old column) -> new column.
    renamed_settings
        Old name -> new name.
    """

    version: str
    notes: tuple[str, ...]
    added: tuple[str, ...] = ()
    renamed_columns: Mapping[tuple[str, str], str] = field(default_factory=dict)
    renamed_settings: Mapping[str, str] = field(default_factory=dict)


STEPS: tuple[Step, ...] = (
    Step(
        "1.1",
        (
            "A site may have its own factor on processing cost (hosts.operating_factor; blank: 1).",
            "A way of working may name the country that lends it and earns its fee (know_how.provider; blank: nobody).",
            "Studies have settings of their own; their defaults are filled in.",
        ),
        added=(
            "hosts.operating_factor",
            "know_how.provider",
            "settings: frontier_points",
            "settings: frontier_scopes",
            "settings: why_not_size",
            "settings: why_not_year",
            "settings: why_not_hosts",
            "settings: break_even_hosts",
            "settings: partner_rule",
            "settings: marginal_rows",
            "settings: marginal_step",
            "settings: marginal_resolves",
            "settings: alternatives_count",
            "settings: lexicographic",
            "settings: alternatives_within",
            "settings: sensitivity_range",
            "settings: sensitivity_cells",
            "settings: sensitivity_figures",
            "settings: scale_exponent_low",
            "settings: scale_exponent_high",
        ),
    ),
)
"""Every version after the first, in order."""


@dataclass(frozen=True)
class Upgraded:
    """Outcome of an upgrade: the new book (None where there was nothing to do), and what was done in sentences."""

    path: Path | None
    sentences: tuple[str, ...]


def upgrade_name(book: Path) -> Path:
    """Return where the upgraded copy of a book goes if no name is given: beside it, under a free name."""
    return new_file(book.with_name(f"{book.stem}_v{SCHEMA_VERSION}{book.suffix}"))


def upgrade_book(raw: RawBook, book: Path, target: Path) -> Upgraded:
    """Write a copy of a book in the schema of today.

    Parameters
    ----------
    raw
        The book as read.
    book
        Its file; it stays as it is.
    target
        File to write.

    Returns
    -------
    Upgraded
        No file is written where the book is up to date.

    Raises
    ------
    FileExistsError
        There is such a file already.
    OSError
        It cannot be written.
    """
    package = Package(book)
    tabs = {fold_code(name): (name, tab) for name, tab in raw.sheets.items()}
    sentences: list[str] = []
    known = raw.version or FIRST_VERSION
    for step in STEPS:
        if version_order(step.version) > version_order(known):
            sentences += [f"{step.version}: {note}" for note in step.notes]
            sentences += _rename(package, tabs, step)
    for sheet in SHEETS:
        if sheet.name not in tabs:
            sentences.append(_missing_sheet(package, sheet))
            continue
        name, tab = tabs[sheet.name]
        part = SheetPart(package, package.worksheets[name])
        sentences += _add_columns(package, part, package.worksheets[name], sheet, tab, tabs)
        if sheet.name == "settings":
            sentences += _add_settings(package, part, package.worksheets[name], tab)
    if not sentences and raw.version == SCHEMA_VERSION:
        return Upgraded(None, ())
    write_version(package, SCHEMA_VERSION)
    package.save(target)
    return Upgraded(target, tuple(sentences))


def _rename(package: Package, tabs: Mapping[str, tuple[str, RawSheet]], step: Step) -> list[str]:
    """Rename what a step renames; its unit and the cells below stay."""
    sentences = []
    for (sheet, old), new in step.renamed_columns.items():
        if sheet not in tabs:
            continue
        name, tab = tabs[sheet]
        for letter, text in tab.header.items():
            if _column_name(text) == old:
                SheetPart(package, package.worksheets[name]).write_text(
                    f"{letter}{tab.header_row}", text.replace(old, new, 1)
                )  # fmt: skip
                tab.header[letter] = text.replace(old, new, 1)  # type: ignore[index]
                sentences.append(f"{sheet}: column {old} is called {new} now.")
    letter = _letter(tabs["settings"][1], "setting") if "settings" in tabs else ""
    for row, cells in tabs["settings"][1].rows.items() if letter else ():
        new_name = step.renamed_settings.get(str(cells.get(letter)))
        if new_name:
            SheetPart(package, package.worksheets[tabs["settings"][0]]).write_text(f"{letter}{row}", new_name)
            sentences.append(f"settings: {cells[letter]} is called {new_name} now.")
            cells[letter] = new_name  # type: ignore[index]
    return sentences


def _column_name(header: str) -> str:
    return fold_code(header).partition("[")[0].strip()


def _letter(tab: RawSheet, column: str) -> str:
    return next((letter for letter, text in tab.header.items() if _column_name(text) == column), "")


def _missing_sheet(package: Package, sheet: Sheet) -> str:
    """Add a sheet that may be empty; one that may not is left to the planner."""
    if sheet.required:
        return f"{sheet.name}: the sheet is missing and cannot be made up; take it from a template and fill it."
    part = package.add_sheet(sheet.name)
    page = SheetPart(package, part)
    headers = [column.header for column in sheet.columns]
    headers += [column.header for column in sheet.all_columns[len(headers) :]]
    for place, header in enumerate(headers):
        page.write_text(f"{xl_col_to_name(place)}1", header)
    return f"{sheet.name}: added, without rows. {sheet.description}"


def _add_columns(
    package: Package, page: SheetPart, part: str, sheet: Sheet, tab: RawSheet, tabs: Mapping[str, tuple[str, RawSheet]]
) -> list[str]:
    """Add the columns that the sheet lacks, to the right of all others, with the look of the last header, its note and its check."""
    present = {_column_name(text) for text in tab.header.values()}
    missing: Sequence[Column] = [column for column in sheet.all_columns if column.name not in present]
    if not missing or not tab.header:
        return []
    last = max(tab.header, key=lambda letter: (len(letter), letter))
    style = page.style_of(f"{last}{tab.header_row}")
    sentences, notes = [], {}
    for place, column in enumerate(missing, page.last_column + 1):
        address = f"{xl_col_to_name(place)}{tab.header_row}"
        page.write_text(address, column.header, style)
        notes[address] = column_note(sheet, column)
        page.set_width(place, max(len(column.name) + 4, 9))
        add_column_check(package, part, sheet, column, xl_col_to_name(place), tabs)
        blank = f"blank: {column.blank}" if column.blank else "may stay blank" if not column.required else "must be filled in"
        sentences.append(f"{sheet.name}: column {column.name} added ({blank}).")
    add_comments(package, part, notes, mark="")
    header_end = max(split_address(f"{letter}1")[1] for letter in tab.header)
    if page.reach_to(header_end, place):
        _widen_filter(package, tabs[sheet.name][0], place)
    return sentences


def _widen_filter(package: Package, tab: str, last: int) -> None:
    """Let the hidden name of a sheet's filter span what the filter does."""
    for name in package.tree(package.workbook).iter("{*}definedName"):
        sheet, _, area = (name.text or "").rpartition("!")
        if name.attrib["name"] == "_xlnm._FilterDatabase" and sheet.strip("'").replace("''", "'") == tab:
            first, _, end = area.partition(":")
            name.text = f"{sheet}!{first}:${xl_col_to_name(last)}${end.rpartition('$')[2]}"


def _add_settings(package: Package, page: SheetPart, part: str, tab: RawSheet) -> list[str]:
    """Add a row for each setting that the sheet lacks, with its default, its note and its check."""
    letters = {column: _letter(tab, column) for column in ("setting", "value", "unit", "description", "source", "quality")}
    if not letters["setting"] or not letters["value"]:
        return []
    present = {str(cells.get(letters["setting"])) for cells in tab.rows.values()}
    row = max([tab.header_row, *tab.rows])
    sentences, notes = [], {}
    for setting in SETTINGS:
        if setting.name in present:
            continue
        styles = {column: page.style_of(f"{letter}{row}") for column, letter in letters.items() if letter}
        row += 1
        for column, value in _setting_cells(setting).items():
            if letters[column] and isinstance(value, str):
                page.write_text(f"{letters[column]}{row}", value, styles[column])
            elif letters[column] and not isinstance(value, str):
                page.write_number(f"{letters[column]}{row}", value, styles[column])
        notes[f"{letters['value']}{row}"] = setting_note(setting)
        add_setting_check(package, part, setting, f"{letters['value']}{row}")
        default = setting.default if isinstance(setting.default, str) else number_text(setting.default)
        sentences.append(f"settings: {setting.name} added, {default or 'blank'}{f' {setting.unit}' if setting.unit else ''}.")
    if notes:
        add_comments(package, part, notes, mark="")
    return sentences


def _setting_cells(setting: Setting) -> dict[str, str | float]:
    return {
        "setting": setting.name,
        "value": setting.default,
        "unit": setting.unit,
        "description": setting.description,
        "source": "default of the program",
        "quality": "assumption",
    }
