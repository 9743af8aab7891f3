"""Writing: every value to the last bit, every header with its note, the empty template."""

from __future__ import annotations

import random
import re
import struct
import zipfile
from collections.abc import Hashable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.workbook import Workbook

from model.guide import QUALITY_COLOURS
from model.layout import lay_out
from model.schema import QUALITIES, SCHEMA_VERSION, SETTINGS, SHEETS, Sheet
from model.schema_japanese import SHEET_LABELS, column_label
from model.tables import RawBook, Tables, tables_from_records
from model.template import write_book, write_template
from model.workbook import read_book
from tests.cell_checks import check_of
from tests.office import convert
from tests.tiny import RECORDS, YEARS, tiny_tables

NASTY_TEXTS = [
    "=HYPERLINK(\"http://x\",\"y\")", "=1+1", "+1", "@SUM(A1)", "NA", "None", "nan", "TRUE", "1e5", "0123", "{=A1}", "https://example.org",
    "mailto:a@b", "internal:hosts!A1", "<r><t>x</t></r>", "<b>&amp;\"'", "_x000D_", "_x0041_", "line\nbreak", "tab\tstop", "ｆｕｌｌ　幅", "日本語", "É",
    "x" * 32767,
]  # fmt: skip


def columns_of(raw: RawBook, sheet: str) -> dict[str, list[object]]:
    """Return header -> values from row 2 down, blanks as None."""
    found = raw.sheets[sheet]
    return {header: [row.get(letter) for row in found.rows.values()] for letter, header in found.header.items()}


def blank_to_none(value: object) -> object:
    return None if value == "" or value != value else value


def header_of(sheet: Sheet, key: Hashable) -> str:
    named = {column.name: column.header for column in sheet.all_columns}
    return named[key] if key in named else sheet.spread.header(key)


def assert_holds(raw: RawBook, tables: Tables) -> None:
    """Check that every cell of the tables is in the book, and nothing else is."""
    assert list(raw.sheets) == [sheet.name for sheet in SHEETS]
    for sheet in SHEETS:
        if sheet.name == "settings":
            continue
        frame, found = tables[sheet.name], columns_of(raw, sheet.name)
        for key in frame.columns:
            assert found.pop(header_of(sheet, key)) == [blank_to_none(value) for value in frame[key]], f"{sheet.name}.{key}"
        assert all(value is None for values in found.values() for value in values), sheet.name


def test_every_value_of_the_tables_is_in_the_book(written_tiny_book: Path) -> None:
    assert_holds(read_book(written_tiny_book), tiny_tables())


def test_numbers_keep_every_bit(tmp_path: Path) -> None:
    source = random.Random(20260401)
    numbers = [0.1 + 0.2, 1 / 3, -0.5, -0.0, 2.0**53 - 1, 1e16, 1e-300, 5e-324, 1.7976931348623157e308, 65.0, 1e22]
    while len(numbers) < 600:
        number = struct.unpack("<d", source.randbytes(8))[0]
        if number == number and abs(number) != float("inf"):
            numbers.append(number)
    rows = [
        {"market": "JPN", "sector": "ev", "product": f"P{i}", **dict(zip(YEARS, numbers[3 * i : 3 * i + 3], strict=True))}
        for i in range(200)
    ]
    write_book(tiny_tables(demand=rows), tmp_path / "book.xlsx")
    found = columns_of(read_book(tmp_path / "book.xlsx"), "demand")
    again = [number for row in zip(*(found[f"{year} [t REO]"] for year in YEARS), strict=True) for number in row]
    assert [struct.pack("<d", number) for number in again] == [struct.pack("<d", number) for number in numbers]


def test_whole_numbers_are_written_without_decimals(written_tiny_book: Path) -> None:
    with zipfile.ZipFile(written_tiny_book) as archive:
        values = [
            value
            for name in archive.namelist()
            if "worksheets/sheet" in name
            for value in re.findall(r"<v>([^<]*)</v>", archive.read(name).decode())
        ]
    assert "2030" in values
    assert not [value for value in values if value.endswith(".0")]


def test_text_stays_text(tmp_path: Path) -> None:
    rows = [{**RECORDS["hosts"][0], "host": f"H{i}", "note": text} for i, text in enumerate(NASTY_TEXTS)]
    write_book(tiny_tables(hosts=rows), tmp_path / "book.xlsx")
    assert columns_of(read_book(tmp_path / "book.xlsx"), "hosts")["note"] == NASTY_TEXTS
    page = openpyxl.load_workbook(tmp_path / "book.xlsx")["hosts"]
    column = [cell.value for cell in page[1]].index("note")
    assert {row[column].data_type for row in page.iter_rows(min_row=2, max_row=1 + len(rows))} == {"s"}
    assert {row[column].hyperlink for row in page.iter_rows(min_row=2)} == {None}


def test_text_too_long_for_a_cell_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32768 characters"):
        write_book(tiny_tables(ports=[{"port": "A" * 32768, "country": "JPN", "feeder": "no"}]), tmp_path / "book.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_unknown_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ports.*colour"):
        write_book(tiny_tables(ports=[{"port": "A", "country": "JPN", "feeder": "no", "colour": 1}]), tmp_path / "book.xlsx")


def test_nothing_is_overwritten(written_tiny_book: Path) -> None:
    before = written_tiny_book.read_bytes()
    for write in (lambda: write_book(tiny_tables(), written_tiny_book), lambda: write_template(written_tiny_book)):
        with pytest.raises(FileExistsError, match="not overwritten"):
            write()
    assert written_tiny_book.read_bytes() == before
    assert list(written_tiny_book.parent.iterdir()) == [written_tiny_book]


def test_only_xlsx_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in \.xlsx"):
        write_book(tiny_tables(), tmp_path / "book.xls")


def test_settings_stand_in_order_with_unit_and_description(written_tiny_book: Path) -> None:
    found = columns_of(read_book(written_tiny_book), "settings")
    assert found["setting"] == [setting.name for setting in SETTINGS]
    assert [value or "" for value in found["unit"]] == [setting.unit for setting in SETTINGS]
    assert found["description"] == [setting.description for setting in SETTINGS]
    expected = tiny_tables().settings
    assert [blank_to_none(expected[setting.name]) for setting in SETTINGS] == found["value"]
    assert found["source"][0] == "made instance"
    assert found["source"][-1] == "default of the program"


def test_tabs_stand_in_schema_order_after_the_guide(opened_tiny_book: Workbook) -> None:
    assert opened_tiny_book.sheetnames == ["guide", *[sheet.name for sheet in SHEETS], "lists"]
    assert opened_tiny_book["lists"].sheet_state == "hidden"
    assert opened_tiny_book.active.title == "guide"


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_every_header_has_its_unit_and_note(opened_tiny_book: Workbook, sheet: Sheet) -> None:
    page = opened_tiny_book[sheet.name]
    fields = lay_out(tiny_tables())[sheet.name].fields
    assert [cell.value for cell in page[1]] == [field.header for field in fields]
    for cell, field in zip(page[1], fields, strict=True):
        note = cell.comment.text
        declared = field.column or field.spread
        assert declared.description in note
        assert not declared.unit or f"Unit: {declared.unit}." in note
        assert ("Must be filled." in note) == declared.required
        if declared.blank:
            assert declared.blank in note


def test_notes_name_what_may_be_chosen_and_where_codes_come_from(opened_tiny_book: Workbook) -> None:
    notes = {(sheet.name, cell.value): cell.comment.text for sheet in SHEETS for cell in opened_tiny_book[sheet.name][1]}
    columns = [(notes[sheet.name, column.header], column) for sheet in SHEETS for column in sheet.all_columns]
    offered = [(note, choice) for note, column in columns for choice in column.choices]
    named = [(note, column.refers.replace(".", ", column ")) for note, column in columns if column.refers]
    for pairs in (offered, named):
        assert pairs
        assert [words for note, words in pairs if words not in note] == []


def test_every_setting_has_a_note_with_its_default(opened_tiny_book: Workbook) -> None:
    for row, setting in enumerate(SETTINGS, 2):
        note = opened_tiny_book["settings"].cell(row, 2).comment.text
        assert setting.description in note
        assert "Default: " in note
        assert ("Range: " in note) == (setting.low is not None)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_each_page_is_frozen_filtered_and_coloured(opened_tiny_book: Workbook, sheet: Sheet) -> None:
    page = opened_tiny_book[sheet.name]
    assert re.fullmatch("[BCD]2", page.freeze_panes)
    assert page.auto_filter.ref.startswith("A1:")
    rules = [rule for each in page.conditional_formatting for rule in each.rules]
    quality = openpyxl.utils.get_column_letter(len(page[1]))
    tinted = {rule.formula[0] for rule in rules if f"${quality}2=" in rule.formula[0]}
    assert tinted == {f'${quality}2="{name}"' for name in QUALITIES if name != "reported"}
    assert any('$A2<>""' in rule.formula[0] for rule in rules)


def test_colours_cover_every_quality() -> None:
    assert tuple(QUALITY_COLOURS) == QUALITIES


def test_codes_and_keys_are_formatted_as_text(opened_tiny_book: Workbook) -> None:
    assert opened_tiny_book["scenarios"]["D2"].number_format == "@"
    assert opened_tiny_book["settings"]["B4"].number_format == "@"
    assert opened_tiny_book["settings"]["B2"].number_format == "0"
    assert opened_tiny_book["prices"]["C2"].number_format == "[>=10]#,##0.00;[<0]-0.00##;0.00##"


def test_the_book_states_its_schema_version(opened_tiny_book: Workbook) -> None:
    assert opened_tiny_book.custom_doc_props["schema_version"].value == SCHEMA_VERSION
    assert SCHEMA_VERSION in opened_tiny_book.properties.subject
    assert any(SCHEMA_VERSION in str(cell.value) for row in opened_tiny_book["guide"].iter_rows() for cell in row)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_headers_are_protected_and_nothing_else_is(opened_tiny_book: Workbook, sheet: Sheet) -> None:
    page = opened_tiny_book[sheet.name]
    assert page.protection.sheet
    assert page.protection.password is None
    free = ("insertRows", "deleteRows", "sort", "autoFilter", "formatCells", "insertColumns", "objects")
    assert not any(getattr(page.protection, name) for name in free)
    assert {cell.protection.locked for cell in page[1] if cell.value} == {True}
    assert {column.protection.locked for column in page.column_dimensions.values()} == {False}  # what cells without a style have
    assert not any(cell.protection.locked for row in page.iter_rows(min_row=2) for cell in row if cell.has_style)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_sheets_and_columns_have_japanese_labels(opened_tiny_book: Workbook, sheet: Sheet) -> None:
    assert re.search(r"[\u3040-\u9fff]", SHEET_LABELS[sheet.name])
    guide = {str(cell.value) for row in opened_tiny_book["guide"].iter_rows() for cell in row}
    assert SHEET_LABELS[sheet.name] in guide
    notes = {cell.value: cell.comment.text for cell in opened_tiny_book[sheet.name][1]}
    for column in sheet.all_columns:
        label = column_label(sheet.name, column.name)
        assert re.search(r"[\u3040-\u9fff]", label), f"declare the Japanese label of {column.name} in model/schema_japanese.py"
        assert label in notes[column.header]


def test_the_guide_names_and_links_every_sheet(opened_tiny_book: Workbook) -> None:
    guide = opened_tiny_book["guide"]
    texts = {str(cell.value) for row in guide.iter_rows() for cell in row if cell.value is not None}
    links = {cell.hyperlink.location for row in guide.iter_rows() for cell in row if cell.hyperlink}
    for sheet in SHEETS:
        assert {sheet.name, sheet.description} <= texts
        assert f"'{sheet.name}'!A1" in links
    assert {f"{role} header" for role in ("key", "required", "optional", "provenance")} | set(QUALITIES) <= texts
    assert "Three typical edits" in texts


@pytest.mark.parametrize(
    ("years", "span"), [(None, range(2027, 2041)), ([2031, 2030], range(2030, 2032)), (range(2020, 2023), range(2020, 2023))]
)
def test_the_template_is_empty_but_for_settings(tmp_path: Path, years: list[int] | None, span: range) -> None:
    path = tmp_path / "new.xlsx"
    write_template(path, years)
    raw = read_book(path)
    assert all(raw.sheets[sheet.name].rows == {} for sheet in SHEETS if sheet.name != "settings")
    found = columns_of(raw, "settings")
    values = dict(zip(found["setting"], found["value"], strict=True))
    assert (values["first_year"], values["last_year"]) == (span[0], span[-1])
    assert values["decision_year"] <= span[0]
    assert values["discount_rate"] == 0.04
    yearly = [sheet for sheet in SHEETS if sheet.spread and sheet.spread.family == "year"]
    assert yearly
    for sheet in yearly:
        headers = list(raw.sheets[sheet.name].header.values())
        years = [*range(int(values["decision_year"]), span[0]), *span] if sheet.name == "markets" else span
        assert [header for header in headers if header[:4].isdigit()] == [f"{year} [{sheet.spread.unit}]" for year in years]
    assert len(raw.sheets["composition"].header) == 1 + 17 + 2
    page = openpyxl.load_workbook(path)["demand"]
    assert check_of(page, 501, 1)[0].type == "list"


def test_a_template_needs_a_year(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one year"):
        write_template(tmp_path / "new.xlsx", [])


def test_an_empty_family_takes_the_years_of_the_others(tmp_path: Path) -> None:
    tables = tables_from_records({"caps": [{"cap": "A", "basis": "supply", "measure": "tonnes", "scope": "all", 2031: 0.5}]})
    write_book(tables, tmp_path / "book.xlsx")
    assert "2031 [t REO]" in read_book(tmp_path / "book.xlsx").sheets["demand"].header.values()


def test_a_book_saved_by_libreoffice_reads_alike(written_tiny_book: Path, tmp_path: Path) -> None:
    before, after = read_book(written_tiny_book), read_book(convert(written_tiny_book, tmp_path))
    assert after.sheets == before.sheets
    assert_holds(after, tiny_tables())


def test_libreoffice_calculates_the_lists_and_keeps_the_checks(written_tiny_book: Path, tmp_path: Path) -> None:
    stale, taken = tmp_path / "stale.xlsx", 0
    with zipfile.ZipFile(written_tiny_book) as old, zipfile.ZipFile(stale, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if b'<f t="array"' in content:  # take the saved values away, so that they must be calculated
                content, count = re.subn(rb'(<c r="[A-Z]+\d+")(?: t="str")?(><f t="array".*?</f>)<v>.*?</v>', rb"\1\2", content)
                taken += count
            new.writestr(name, content)
    assert taken > 0
    saved = convert(stale, tmp_path / "out")
    page = openpyxl.load_workbook(saved, data_only=True)["lists"]
    lists = {column[0].value: [cell.value for cell in column[1:] if cell.value] for column in page.iter_cols()}
    assert lists["list of elements.product"] == ["Ce", "NdPr", "Dy"]
    assert lists["list of markets.market*"] == ["*", "JPN", "USA"]
    kept = openpyxl.load_workbook(saved)
    assert check_of(kept["demand"], 3, 1)[0].formula1 == "list_markets_market"
    assert "SUMPRODUCT" in kept.defined_names["list_markets_market"].value
    assert kept["hosts"]["A1"].comment.text
