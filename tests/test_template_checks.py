"""Writing: every code with its list, every choice and number with its check."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.workbook import Workbook

from model.dropdowns import is_country
from model.layout import lay_out
from model.schema import SETTINGS, SHEETS, Column, Sheet
from tests.cell_checks import check_of
from tests.tiny import tiny_tables


def code_columns() -> list[tuple[Sheet, Column]]:
    return [(sheet, column) for sheet in SHEETS for column in sheet.all_columns if column.kind == "code"]


NEW_NAMES = {("duties", "measure"), ("suppliers", "supplier"), ("scenarios", "scenario"), ("elements", "product")}
"""Code columns in which the planner makes up names; one name may stand in several rows."""


@pytest.mark.parametrize(("sheet", "column"), code_columns(), ids=lambda one: one.name)
@pytest.mark.parametrize("row", [2, 300, 501])
def test_every_code_column_has_a_check(opened_tiny_book: Workbook, sheet: Sheet, column: Column, row: int) -> None:
    page = opened_tiny_book[sheet.name]
    place = [field.key for field in lay_out(tiny_tables())[sheet.name].fields].index(column.name) + 1
    rules = check_of(page, row, place)
    if (sheet.name, column.name) in NEW_NAMES:
        assert rules == []
        return
    (rule,) = rules
    own = sheet.key == (column.name,) and not column.refers and sheet.name != "settings"
    assert rule.type == ("custom" if own else "list")
    if column.refers:
        defined = opened_tiny_book.defined_names[rule.formula1].value
        target, _, name = column.refers.partition(".")
        gathered = "lists!" in defined
        assert rule.errorStyle in (None, "stop")
        assert rule.formula1.endswith("_or_any") == column.wildcard
        if gathered:
            letter = re.search(r"lists!\$([A-Z]+)\$2", defined)[1]
            formulas = [cell.value.text for cell in opened_tiny_book["lists"][letter][1:] if hasattr(cell.value, "text")]
            assert formulas
            assert all(f"{target}!" in formula for formula in formulas)
            assert (opened_tiny_book["lists"][f"{letter}2"].value == "*") == column.wildcard
        else:
            at = [cell.value for cell in opened_tiny_book[target][1]].index(name)
            assert f"{target}!${openpyxl.utils.get_column_letter(at + 1)}$2" in defined


def test_lists_hold_each_code_once(written_tiny_book: Path) -> None:
    page = openpyxl.load_workbook(written_tiny_book, data_only=True)["lists"]
    lists = {column[0].value: [cell.value for cell in column[1:] if cell.value] for column in page.iter_cols()}
    assert lists["list of elements.product"] == ["Ce", "NdPr", "Dy"]
    assert lists["list of markets.market*"] == ["*", "JPN", "USA"]
    assert lists["list of settings"] == [setting.name for setting in SETTINGS]
    assert lists["list of countries"] == ["*", "AAA", "BBB", "CHN", "JPN", "MYS", "USA"]


def test_country_columns_are_those_that_hold_country_codes() -> None:
    assert {(sheet.name, column.name) for sheet, column in code_columns() if is_country(column)} == {
        ("ports", "country"), ("sources", "country"), ("hosts", "country"), ("markets", "country"), ("suppliers", "country"),
        ("suppliers", "customs_origin"), ("duties", "origin"), ("duties", "destination"), ("know_how", "provider"),
    }  # fmt: skip


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_choices_and_numbers_are_checked(opened_tiny_book: Workbook, sheet: Sheet) -> None:
    fields = list(enumerate(lay_out(tiny_tables())[sheet.name].fields, 1))
    chosen = [(place, field.column.choices) for place, field in fields if field.column and field.column.choices]
    assert chosen, "the quality of a row is chosen on every sheet"
    for place, choices in chosen:
        (rule,) = check_of(opened_tiny_book[sheet.name], 400, place)
        assert (rule.type, rule.formula1) == ("list", f'"{",".join(choices)}"')
    for place, field in fields:
        if field.column and not field.column.numeric:
            continue
        declared = field.column or field.spread
        (rule,) = check_of(opened_tiny_book[sheet.name], 400, place)
        assert rule.type == ("whole" if field.column and field.column.kind != "number" else "decimal")
        assert float(rule.formula1) == (-1e15 if declared.low is None else declared.low)
        assert float(rule.formula2) == (1e15 if declared.high is None else declared.high)


def test_settings_are_checked_one_by_one(opened_tiny_book: Workbook) -> None:
    assert any(setting.choices for setting in SETTINGS)
    for row, setting in enumerate(SETTINGS, 2):
        rules = check_of(opened_tiny_book["settings"], row, 2)
        if setting.choices:
            assert rules[0].formula1 == f'"{",".join(setting.choices)}"'
        elif setting.kind in ("number", "integer", "year"):
            assert (float(rules[0].formula1), rules[0].type) == (setting.low, "decimal" if setting.kind == "number" else "whole")
        else:
            assert rules == []


def test_cells_that_hold_what_may_not_stand_there_are_coloured(opened_tiny_book: Workbook) -> None:
    def rules(sheet: str, column: str) -> list[str]:
        page = opened_tiny_book[sheet]
        place = next(cell.column for cell in page[1] if str(cell.value).startswith(column))
        letter = openpyxl.utils.get_column_letter(place)
        return [
            rule.formula[0].replace(f"{letter}2", "@")
            for area in page.conditional_formatting
            for rule in area.rules
            if str(area.sqref).startswith(f"{letter}2:{letter}")
        ]

    assert 'AND(@<>"",OR(NOT(ISNUMBER(@)),@<0.0,@>1.0))' in rules("sources", "uncommitted [")
    assert 'AND(@<>"",NOT(OR(@="yes",@="no")))' in rules("sources", "use")


def test_checked_cells_say_what_to_enter(opened_tiny_book: Workbook) -> None:
    for sheet in SHEETS:
        rules = opened_tiny_book[sheet.name].data_validations.dataValidation
        assert rules, sheet.name
        for rule in rules:
            assert rule.prompt
            assert len(rule.prompt) <= 255
            assert len(rule.promptTitle) <= 32
