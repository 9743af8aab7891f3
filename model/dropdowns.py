"""Drop-downs and entry checks of an input workbook.

They help while typing; :mod:`model.validation` alone decides. Lists of codes follow the sheets
that hold the codes: each is a defined name whose range grows as rows are added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from model.layout import SheetLayout
from model.notes import column_note, range_in_words, setting_note
from model.schema import ANY, SETTINGS, SHEET_BY_NAME, SHEETS, Column, Setting, Sheet, Spread
from model.tables import Tables

LISTS = "lists"
"""Hidden tab with the lists that no sheet holds as they are: products once each, countries, setting names."""

DISTINCT_ROWS = 60
"""Most different codes in a list that is gathered from a column with repetitions."""

ANY_VALUE = "any"
"""Check that lets anything stand and only shows a message."""

_BY_COLUMN: dict[tuple[str, str], tuple[str, dict[str, str]]] = {
    ("caps", "member"): ("scope", {"host": "hosts.host", "product": "elements.product", "partner": "markets.market"}),
    ("route_costs", "origin"): ("leg", {"feed": "sources.source_id", "product": "hosts.host"}),
    ("route_costs", "destination"): ("leg", {"feed": "hosts.host", "product": "markets.market"}),
}
"""Code columns whose list depends on what another column of the row says."""


def is_country(column: Column) -> bool:
    """Whether a code column holds ISO country codes, for which no sheet has the list."""
    return column.kind == "code" and not column.refers and "country" in column.description.lower()


class Dropdowns:
    """Defined names for the lists of codes, and the checks of each column.

    Parameters
    ----------
    workbook
        Workbook being written; its sheets must exist already, except `lists`.
    tables
        Tables being written, for the country codes that the book uses.
    layouts
        Where the columns stand, by sheet.
    """

    def __init__(self, workbook: Workbook, tables: Tables, layouts: Mapping[str, SheetLayout]) -> None:
        self._workbook = workbook
        self._layouts = layouts
        self._names: dict[str, str] = {}
        self._next_column = 0
        self._sheet = workbook.add_worksheet(LISTS)
        self._sheet.hide()
        targets = {column.refers for sheet in SHEETS for column in sheet.all_columns if column.refers}
        for target in sorted(targets | {target for _, lists in _BY_COLUMN.values() for target in lists.values()}):
            sheet_name, _, column = target.partition(".")
            if SHEET_BY_NAME[sheet_name].key == (column,):
                self._define(target, sheet_name, self._layouts[sheet_name].letter(column), 2, self._layouts[sheet_name].last_row)
            else:
                self._gather(target, list(tables[sheet_name][column]))
        for target in sorted({column.refers for sheet in SHEETS for column in sheet.all_columns if column.wildcard and column.refers}):
            sheet_name, _, column = target.partition(".")
            self._gather(target, list(tables[sheet_name][column]), starred=True)
        self._write_list("settings", [setting.name for setting in SETTINGS])
        self._write_list("sheets", [sheet.name for sheet in SHEETS])
        self._countries = sorted(
            {
                str(code)
                for sheet in SHEETS
                for column in sheet.all_columns
                if is_country(column)
                for code in tables[sheet.name][column.name]
                if code not in ("", ANY)
            }
        )
        self._write_list("countries", [ANY, *self._countries])

    def check_column(self, page: Worksheet, sheet: Sheet, column: Column, place: tuple[int, int, int]) -> None:
        """Attach the check of one declared column to rows and column ``(first, last, column)``, from 0."""
        first, last, index = place
        options = self._column_options(sheet, column, first + 1, last + 1, xl_col_to_name(index))
        if options:
            page.data_validation(first, index, last, index, {**options, **prompt(column.header, column_note(sheet, column))})

    def check_spread(self, page: Worksheet, spread: Spread, area: tuple[int, int, int, int]) -> None:
        """Attach the check of a family of columns to rows and columns ``(first, left, last, right)``, from 0."""
        words = prompt(f"{spread.family} [{spread.unit}]", f"{spread.description} {range_in_words(spread.low, spread.high)}")
        page.data_validation(*area, {**number_check(spread.low, spread.high, False, spread.unit), **words})

    def check_setting(self, page: Worksheet, setting: Setting, row: int, column: int) -> None:
        """Attach the check of a setting to its value cell."""
        if options := setting_check(setting):
            page.data_validation(row, column, row, column, options)

    def _column_options(self, sheet: Sheet, column: Column, first: int, last: int, letter: str) -> dict[str, object]:
        place = (sheet.name, column.name)
        if column.choices:
            return choice_check(column.choices)
        if column.numeric:
            return number_check(column.low, column.high, column.kind != "number", column.unit)
        if column.kind == "code" and column.refers:
            target, _, name = column.refers.partition(".")
            star = f", or {ANY} for every one" if column.wildcard else ""
            return list_check(
                f"={self._names[column.refers + ANY if column.wildcard else column.refers]}",
                f"Choose a {name} of sheet {target}{star}. To use a new one, add it there first.",
            )
        if place in _BY_COLUMN:
            switch, lists = _BY_COLUMN[place]
            cell = f"${self._layouts[sheet.name].letter(switch)}{first}"
            *cases, (_, rest) = lists.items()
            source = self._names[rest]
            for value, target in reversed(cases):
                source = f'IF({cell}="{value}",{self._names[target]},{source})'
            known = ", ".join(f"{value}: {target.replace('.', ', column ')}" for value, target in lists.items())
            return list_check(f"={source}", f"Choose a code that fits {switch} ({known}).", "warning")
        if place == ("settings", "setting"):
            return list_check(f"={self._names['settings']}", "Choose the name of a setting.")
        if place == ("scenarios", "sheet"):
            return list_check(f"={self._names['sheets']}", "Choose the sheet that the row changes.")
        if is_country(column) and self._countries:
            source = self._names["countries" + ANY if column.wildcard else "countries"]
            return list_check(
                f"={source}", "A code that this book did not use so far. Keep it if it is the ISO 3166 three-letter code.", "warning"
            )
        if sheet.key == (column.name,) and column.kind == "code":
            return {
                "validate": "custom",
                "value": f"=COUNTIF(${letter}${first}:${letter}${last},${letter}{first})=1",
                "error_type": "warning",
                "error_title": "Already in use",
                "error_message": f"Another row has this {column.name}; each may stand once.",
            }
        return {}

    def _define(self, key: str, sheet: str, letter: str, first: int, last: int) -> None:
        """Name the cells from the first row down to the last one in use."""
        name = "list_" + key.replace(".", "_").replace(ANY, "_or_any")
        cells = f"{sheet}!${letter}${first}:${letter}${last}"
        used = f'SUMPRODUCT(MAX(({cells}<>"")*ROW({cells})))-{first - 1}'
        self._workbook.define_name(name, f"=OFFSET({sheet}!${letter}${first},0,0,MAX(1,{used}),1)")
        self._names[key] = name

    def _write_list(self, key: str, values: Iterable[str]) -> None:
        """Write a list that does not change with the book."""
        values = list(values)
        column = self._open_column(key)
        for row, value in enumerate(values, 1):
            self._sheet.write_string(row, column, value)
        letter, last = xl_col_to_name(column), len(values) + 1
        starred = values[:1] == [ANY]
        self._define(key, LISTS, letter, 2 + starred, max(last, 2 + starred))
        if starred:
            self._define(key + ANY, LISTS, letter, 2, last)

    def _gather(self, target: str, values: Iterable[object], starred: bool = False) -> None:
        """Write formulas that list each code of a column once, as it stands at any time."""
        sheet, _, name = target.partition(".")
        letter, last = self._layouts[sheet].letter(name), self._layouts[sheet].last_row
        cells = f"{sheet}!${letter}$2:${letter}${last}"
        key = target + ANY if starred else target
        column = self._open_column(key)
        here = xl_col_to_name(column)
        codes = [str(value) for value in dict.fromkeys(values) if value != ""]
        if starred:
            self._sheet.write_string(1, column, ANY)
        for number in range(DISTINCT_ROWS):
            row = 1 + starred + number
            formula = f'=IFERROR(INDEX({cells},MATCH(0,COUNTIF({here}$1:{here}{row},{cells})+({cells}=""),0)),"")'
            cached = codes[number] if number < len(codes) else ""
            self._sheet.write_array_formula(row, column, row, column, formula, None, cached)
        self._define(key, LISTS, here, 2, 1 + starred + DISTINCT_ROWS)

    def _open_column(self, key: str) -> int:
        column, self._next_column = self._next_column, self._next_column + 1
        self._sheet.write_string(0, column, f"list of {key}")
        self._sheet.set_column(column, column, 26)
        return column


def setting_check(setting: Setting) -> dict[str, object]:
    """Return the check of a setting's value, with the message that shows while it is filled; empty where any text may stand."""
    words = prompt(setting.name, setting_note(setting))
    if setting.choices:
        return {**choice_check(setting.choices), **words}
    if setting.kind in ("number", "integer", "year"):
        return {**number_check(setting.low, setting.high, setting.kind != "number", setting.unit), **words}
    return {}


def prompt(title: str, text: str) -> dict[str, object]:
    """Return the message that shows while a cell is being filled, as long as Excel allows."""
    short = text if len(text) <= 255 else text[:254] + "…"
    return {"input_title": title[:32], "input_message": short.strip()}


def choice_check(choices: tuple[str, ...]) -> dict[str, object]:
    """Return the check of a cell that holds one of a few words."""
    return {
        "validate": "list",
        "source": list(choices),
        "error_title": "Not one of the choices",
        "error_message": f"Choose one of: {', '.join(choices)}."[:255],
    }


def list_check(source: str, message: str, error_type: str = "stop") -> dict[str, object]:
    """Return the check of a cell that holds a member of a list of the book."""
    return {
        "validate": "list",
        "source": source,
        "error_type": error_type,
        "error_title": "Not in the list",
        "error_message": message[:255],
    }


def number_check(low: float | None, high: float | None, whole: bool, unit: str) -> dict[str, object]:
    """Return the check of a cell that holds a number within limits."""
    words = range_in_words(low, high)
    in_unit = f" in {unit}" if unit else ""
    return {
        "validate": "integer" if whole else "decimal",
        "criteria": "between",
        "minimum": -1e15 if low is None else low,
        "maximum": 1e15 if high is None else high,
        "error_title": "Out of range",
        "error_message": f"Enter a {'whole ' if whole else ''}number{in_unit}{f', {words}' if words else ''}."[:255],
    }
