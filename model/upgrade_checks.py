"""Drop-downs and entry checks for what an upgrade adds to a book, as the template has them."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from model.dropdowns import ANY_VALUE, LISTS, choice_check, is_country, list_check, number_check, prompt, setting_check
from model.notes import column_note
from model.package import Package, insert_before
from model.schema import Column, Setting, Sheet
from model.tables import RawSheet
from model.words import fold_code

LAST_ROW = 501
"""Row down to which a column of a template is made ready."""

_AFTER_CHECKS = (
    "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches",
    "ignoredErrors", "smartTags", "drawing", "legacyDrawing", "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls",
    "webPublishItems", "tableParts", "extLst",
)  # fmt: skip
_TYPES = {"list": "list", "decimal": "decimal", "integer": "whole", ANY_VALUE: "none"}


def add_setting_check(package: Package, part: str, setting: Setting, address: str) -> None:
    """Attach the check of a setting to its value cell; none where the template has none."""
    if options := setting_check(setting):
        _add_check(package, part, address, options)


def add_column_check(
    package: Package, part: str, sheet: Sheet, column: Column, letter: str, tabs: Mapping[str, tuple[str, RawSheet]]
) -> None:
    """Attach the check of a column that was added, down to the last row made ready.

    Parameters
    ----------
    tabs
        The book's sheets by folded name: its own name and what was read.
    """
    last = max([LAST_ROW, *tabs[sheet.name][1].rows])
    options = {**_options(package, column, tabs), **prompt(column.header, column_note(sheet, column))}
    _add_check(package, part, f"{letter}2:{letter}{last}", options)


def _options(package: Package, column: Column, tabs: Mapping[str, tuple[str, RawSheet]]) -> dict[str, object]:
    if column.choices:
        return choice_check(column.choices)
    if column.numeric:
        return number_check(column.low, column.high, column.kind != "number", column.unit)
    names = {name.attrib["name"] for name in package.peek(package.workbook).iter("{*}definedName")}
    if is_country(column) and "list_countries" in names:
        message = "A code that this book did not use so far. Keep it if it is the ISO 3166 three-letter code."
        return list_check("=list_countries", message, "warning")
    target, _, name = column.refers.partition(".")
    if target in tabs:
        tab, raw = tabs[target]
        letter = next((letter for letter, text in raw.header.items() if fold_code(text).partition("[")[0].strip() == name), "")
        listed = f"list_{target}_{name}"
        own = "'" + tab.replace("'", "''") + "'"
        place = listed if listed in names and LISTS in package.worksheets else f"{own}!${letter}$2:${letter}${LAST_ROW}"
        if letter:
            return list_check(f"={place}", f"Choose a {name} of sheet {target}. To use a new one, add it there first.", "stop")
    return {"validate": ANY_VALUE}


def _add_check(package: Package, part: str, area: str, options: Mapping[str, object]) -> None:
    """Write a check in the terms of XlsxWriter into a worksheet's XML."""
    tree = package.tree(part)
    space = f"{{{etree.QName(tree).namespace}}}"
    holder = tree.find(f"{space}dataValidations")
    if holder is None:
        holder = etree.Element(f"{space}dataValidations")
        insert_before(tree, holder, _AFTER_CHECKS)
    kind = _TYPES[str(options["validate"])]
    texts = {"errorTitle": "error_title", "error": "error_message", "promptTitle": "input_title", "prompt": "input_message"}
    check = etree.SubElement(holder, f"{space}dataValidation", {} if kind == "none" else {"type": kind})
    if options.get("error_type") == "warning":
        check.set("errorStyle", "warning")
    for attribute, value in {"allowBlank": "1", "showInputMessage": "1", "showErrorMessage": "1"}.items():
        check.set(attribute, value)
    for attribute, key in texts.items():
        if options.get(key):
            check.set(attribute, str(options[key]))
    check.set("sqref", area)
    source = options.get("source")
    formulas = [source, None] if kind == "list" else [options.get("minimum"), options.get("maximum")]
    for number, formula in enumerate(formulas, 1):
        if formula is not None:
            text = f'"{",".join(formula)}"' if isinstance(formula, list) else str(formula).removeprefix("=")
            etree.SubElement(check, f"{space}formula{number}").text = text
    holder.set("count", str(len(holder)))
