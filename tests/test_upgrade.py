"""Books of earlier schema versions: brought up to date in a copy, with nothing of the planner lost."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from lxml import etree
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from model import command, upgrade
from model.book_version import version_order
from model.schema import SCHEMA_VERSION, SETTING_BY_NAME, SETTINGS, SHEET_BY_NAME, SHEETS
from model.tables import RawBook
from model.template import write_book
from model.upgrade import STEPS, Step
from model.validation import validate_book
from model.workbook import read_book
from tests.office import convert
from tests.planner_book import OWN_WORDS, write_planner_book
from tests.rawbook import at, cell, chain, column_letter, no_column, no_rows, no_sheet, tiny_book
from tests.tiny import tiny_tables

FIRST_NAMES = set((Path(__file__).parent / "schema_names_1_0.txt").read_text().split("\n")) - {""}
NAMES = {f"{sheet.name}.{column.name}" for sheet in SHEETS for column in sheet.all_columns} | {f"settings: {one.name}" for one in SETTINGS}


def old_book() -> RawBook:
    """Return the tiny book as it would have been in the first schema version."""
    new = [name.split(".") for name in sorted(NAMES - FIRST_NAMES) if "." in name]
    return chain(*(no_column(sheet, column) for sheet, column in new))(tiny_book())


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.xlsx"
    write_planner_book(path, old_book(), "1.0")
    return path


def test_every_name_since_the_first_version_is_in_a_step() -> None:
    added = {name for step in STEPS for name in step.added}
    gone = {f"{sheet}.{old}" for step in STEPS for sheet, old in step.renamed_columns}
    gone |= {f"settings: {old}" for step in STEPS for old in step.renamed_settings}
    new = {f"{sheet}.{name}" for step in STEPS for (sheet, _), name in step.renamed_columns.items()}
    new |= {f"settings: {name}" for step in STEPS for name in step.renamed_settings.values()}
    missing = NAMES - ((FIRST_NAMES - gone) | added | new)
    assert not missing, f"declare in STEPS of model/upgrade.py what is new: {sorted(missing)}"
    assert (FIRST_NAMES | added) - gone <= NAMES | gone


def test_the_last_step_leads_to_the_version_of_today() -> None:
    assert STEPS[-1].version == SCHEMA_VERSION
    versions = [version_order(step.version) for step in STEPS]
    assert versions == sorted(set(versions))
    assert all(note.endswith(".") for step in STEPS for note in step.notes)


def test_what_is_new_may_be_blank_or_has_a_default() -> None:
    for name in {name for step in STEPS for name in step.added} & NAMES:
        if name.startswith("settings: "):
            setting = SETTING_BY_NAME[name.removeprefix("settings: ")]
            assert setting.default != "" or not setting.required
        else:
            sheet, _, column = name.partition(".")
            assert not SHEET_BY_NAME[sheet].column(column).required or not SHEET_BY_NAME[sheet].required


def test_an_older_book_is_upgraded_and_reads_as_before(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, target = book.read_bytes(), book.with_name("new.xlsx")
    assert command.main(["upgrade", str(book), str(target)]) == 0
    said = capsys.readouterr().out
    assert "hosts: column operating_factor added (blank: 1)." in said
    assert "settings: partner_rule added, equity." in said
    assert all(note in said for step in STEPS for note in step.notes)
    assert book.read_bytes() == content
    before, after = validate_book(read_book(book)), validate_book(read_book(target))
    assert [finding.rule for finding in before.findings] == ["older_book", "own_sheet"]
    assert [finding.rule for finding in after.findings] == ["own_sheet"]
    assert read_book(target).version == SCHEMA_VERSION
    assert after.tables.settings == before.tables.settings
    assert set(after.tables["settings"]["setting"]) == set(SETTING_BY_NAME)
    for sheet in SHEETS:
        if sheet.name != "settings":
            new, old = after.tables[sheet.name], before.tables[sheet.name]
            assert new.equals(old[new.columns]), sheet.name


def test_nothing_of_the_planner_is_lost(book: Path) -> None:
    target = book.with_name("new.xlsx")
    assert command.main(["upgrade", str(book), str(target)]) == 0
    new = openpyxl.load_workbook(target)
    own = new["my workings"]
    assert (own["A2"].value, own["A1"].fill.fgColor.rgb, len(own._charts)) == ("=SUM(A1:C1)*2", "FFFFFF00", 1)
    assert own.protection.sheet
    assert new["sources"]["I2"].comment.text.endswith(OWN_WORDS)
    assert new["sources"]["H3"].value == '="carb"&"onate"'
    with zipfile.ZipFile(book) as old_file, zipfile.ZipFile(target) as new_file:
        for name in old_file.namelist():
            if re.search("chart|media|drawings/drawing|theme|styles", name):
                assert new_file.read(name) == old_file.read(name), name
            if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name):
                cells = {c.attrib["r"]: etree.tostring(c, method="c14n") for c in etree.fromstring(new_file.read(name)).iter("{*}c")}
                for c in etree.fromstring(old_file.read(name)).iter("{*}c"):
                    assert cells[c.attrib["r"]] == etree.tostring(c, method="c14n")


def test_new_columns_have_the_look_of_the_others_and_a_note(book: Path) -> None:
    target = book.with_name("new.xlsx")
    command.main(["upgrade", str(book), str(target)])
    page = openpyxl.load_workbook(target)["hosts"]
    header = next(one for one in page[1] if one.value == "operating_factor [x]")
    assert header.column == len(page[1])
    assert "On processing cost" in header.comment.text


def checks_of(page: Worksheet, address: str) -> list[DataValidation]:
    return [check for check in page.data_validations.dataValidation if address in check.sqref]


def test_new_columns_and_settings_have_the_checks_of_the_template(book: Path, tmp_path: Path) -> None:
    target, template = book.with_name("new.xlsx"), tmp_path / "template.xlsx"
    command.main(["upgrade", str(book), str(target)])
    write_book(tiny_tables(), template)
    new, fresh = openpyxl.load_workbook(target), openpyxl.load_workbook(template)

    def columns(page: Worksheet) -> dict[str, int]:
        return {str(cell.value).split(" [")[0]: cell.column for cell in page[1]}

    def same(sheet: str, mine: str, theirs: str) -> DataValidation:
        (own,), (other,) = checks_of(new[sheet], mine), checks_of(fresh[sheet], theirs)
        names = (
            "type",
            "errorStyle",
            "formula1",
            "formula2",
            "error",
            "errorTitle",
            "prompt",
            "promptTitle",
            "allowBlank",
            "showInputMessage",
        )
        assert [getattr(own, name) or None for name in names] == [getattr(other, name) or None for name in names], (sheet, mine)
        return own

    hosts = columns(new["hosts"])["operating_factor"], columns(fresh["hosts"])["operating_factor"]
    check = same("hosts", *(f"{get_column_letter(place)}2" for place in hosts))
    assert check.type == "decimal"
    assert f"{get_column_letter(hosts[0])}500" in check.sqref
    settings = {sheet["A"][row].value: row + 1 for sheet in [new["settings"]] for row in range(sheet.max_row)}
    known = {sheet["A"][row].value: row + 1 for sheet in [fresh["settings"]] for row in range(sheet.max_row)}
    assert same("settings", f"B{settings['partner_rule']}", f"B{known['partner_rule']}").type == "list"
    assert same("settings", f"B{settings['marginal_step']}", f"B{known['marginal_step']}").type == "decimal"
    assert checks_of(new["sources"], "G2")[0].formula1 == '"yes,no"'  # the planner's own stays
    assert "share" in new["settings"][f"B{settings['partner_rule']}"].comment.text.lower()


def test_codes_that_are_new_get_a_list_of_the_books_own_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, target = tmp_path / "book.xlsx", tmp_path / "new.xlsx"
    write_planner_book(path, chain(no_column("demand", "sector"))(tiny_book()), "1.0")
    command.main(["upgrade", str(path), str(target)])
    page = openpyxl.load_workbook(target)["demand"]
    place = next(cell.column_letter for cell in page[1] if str(cell.value).startswith("sector"))
    (check,) = checks_of(page, f"{place}2")
    assert (check.type, check.formula1) == ("list", "'sectors'!$A$2:$A$501")


def test_a_book_of_the_template_that_is_upgraded_passes_and_stays_protected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, target = tmp_path / "book.xlsx", tmp_path / "new.xlsx"
    write_book(tiny_tables(), path)
    old = openpyxl.load_workbook(path)
    page = old["know_how"]
    place = next(cell.column for cell in page[1] if str(cell.value).startswith("provider"))
    page.delete_cols(place)
    page.data_validations.dataValidation = []
    old["settings"].delete_rows(old["settings"].max_row)
    old.custom_doc_props["schema_version"].value = "1.0"
    old.save(path)
    assert command.main(["upgrade", str(path), str(target)]) == 0
    assert "know_how: column provider added" in capsys.readouterr().out
    assert command.main(["check", str(target)]) == 0
    page = openpyxl.load_workbook(target)["know_how"]
    cell = next(cell for cell in page[1] if str(cell.value).startswith("provider"))
    assert cell.fill.fgColor.rgb == page.cell(1, cell.column - 1).fill.fgColor.rgb
    (check,) = checks_of(page, f"{cell.column_letter}2")
    assert (check.formula1, check.errorStyle) == ("list_countries", "warning")
    assert page.protection.sheet
    assert page.auto_filter.ref.split(":")[1].startswith(cell.column_letter)
    with zipfile.ZipFile(target) as archive:
        names = etree.fromstring(archive.read("xl/workbook.xml")).iter("{*}definedName")
        assert f"know_how!$A$1:${cell.column_letter}$" in " ".join((name.text or "").replace("'", "") for name in names)
    coloured = [str(area.sqref) for area in page.conditional_formatting]
    assert any(area.startswith("A2:") and f":{cell.column_letter}" in area for area in coloured)
    assert page.column_dimensions[cell.column_letter].width >= 9


def test_a_book_that_is_up_to_date_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path, old_book())
    assert command.main(["upgrade", str(path)]) == 0
    (new,) = [other for other in tmp_path.iterdir() if other != path]
    assert new.name == f"book_v{SCHEMA_VERSION}.xlsx"
    assert command.main(["upgrade", str(new)]) == 0
    assert "is up to date" in capsys.readouterr().out
    assert len(list(tmp_path.iterdir())) == 2


def test_a_newer_book_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path, version="9.12")
    for words in (["check"], [], ["upgrade"]):
        assert command.main([*words, str(path)]) == 2
        error = capsys.readouterr().err
        assert "schema version 9.12" in error
        assert "a later one" in error
        assert "unknown_column" not in error
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_overwritten_and_the_kind_of_file_stays(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = book.with_name("other.xlsx")
    other.write_text("mine")
    assert command.main(["upgrade", str(book), str(other)]) == 2
    assert other.read_text() == "mine"
    assert command.main(["upgrade", str(book), str(book.with_name("new.csv"))]) == 2
    assert command.main(["upgrade", str(book), str(book.parent / "nowhere" / "new.xlsx")]) == 2
    assert command.main(["upgrade", str(book.with_name("missing.xlsx"))]) == 2
    assert {path.name for path in book.parent.iterdir()} == {"book.xlsx", "other.xlsx"}


def test_sheets_that_may_be_empty_are_added_and_others_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path, chain(no_sheet("published"), no_sheet("ports"), no_rows("settings", 20))(tiny_book()), "1.0")
    assert command.main(["upgrade", str(path)]) == 0
    said = capsys.readouterr().out
    assert "published: added, without rows." in said
    assert "ports: the sheet is missing and cannot be made up" in said
    assert "settings: time_limit added, 900 s." in said
    errors = validate_book(read_book(tmp_path / f"book_v{SCHEMA_VERSION}.xlsx")).errors
    assert ("missing_sheet", "ports") in {(error.rule, error.place) for error in errors}
    assert "published" not in {error.sheet for error in errors}


def test_renamed_columns_and_settings_are_renamed_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, target = tmp_path / "book.xlsx", tmp_path / "new.xlsx"
    step = Step("1.0.5", ("Wages are called wage.",), (), {("hosts", "labour_cost"): "wage"}, {"gap": "absolute_gap"})
    monkeypatch.setattr(upgrade, "STEPS", (step, *STEPS))
    raw = tiny_book()
    gap = next(row for row, cells in raw.sheets["settings"].rows.items() if cells["A"] == "absolute_gap")
    raw.sheets["hosts"].header[column_letter(raw, "hosts", "wage")] = "labour_cost [USD/h]"
    try:
        write_planner_book(path, cell("settings", gap, "setting", "gap")(raw), "1.0")
    finally:
        raw.sheets["hosts"].header[column_letter(raw, "hosts", "labour_cost")] = "wage [USD/h]"
    assert command.main(["upgrade", str(path), str(target)]) == 0
    outcome = validate_book(read_book(target))
    assert outcome.errors == ()
    assert list(outcome.tables["hosts"]["wage"]) == [5.0, 20.0]
    assert outcome.tables.cell("hosts", 2, "wage") == at("hosts", 2, "wage")
    assert outcome.tables.setting("absolute_gap") == 0.0001


def test_libreoffice_keeps_the_version_and_opens_what_was_upgraded(book: Path, tmp_path: Path) -> None:
    target = book.with_name("new.xlsx")
    command.main(["upgrade", str(book), str(target)])
    raw = read_book(convert(target, tmp_path / "out"))
    assert raw.version == SCHEMA_VERSION
    assert validate_book(raw).errors == ()
    assert raw.sheets["hosts"].header == read_book(target).sheets["hosts"].header
