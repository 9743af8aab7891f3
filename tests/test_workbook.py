"""Reading: every way in which a file is no workbook, and every kind of cell in its exact place."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from model.schema import SHEET_BY_NAME
from model.tables import CellError, FormulaNotCalculated, RawSheet
from model.workbook import BookError, open_in_excel, read_book
from tests.office import convert

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OLE = bytes.fromhex("D0CF11E0A1B11AE1")


def write_parts(
    path: Path, rows: str, sheet: str = "hosts", prefix: str = "", extra: str = "", calc: str = "", more: dict | None = None
) -> Path:
    """Write the smallest workbook that holds one sheet with these rows of XML."""
    p = f"{prefix}:" if prefix else ""
    space = f"xmlns:{prefix}" if prefix else "xmlns"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<{p}workbook {space}="{MAIN}" xmlns:r="{RELATIONS}"><{p}sheets><{p}sheet name="{sheet}" sheetId="1" r:id="r1"/></{p}sheets>{calc}</{p}workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{RELATIONS}/worksheet" Target="/xl/worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<{p}sst {space}="{MAIN}"><{p}si><{p}t>NA</{p}t></{p}si><{p}si><{p}r><{p}t xml:space="preserve">rich </{p}t></{p}r><{p}r><{p}t>text</{p}t></{p}r></{p}si></{p}sst>',
        "xl/worksheets/sheet1.xml": f'<{p}worksheet {space}="{MAIN}">{extra}<{p}sheetData>{rows}</{p}sheetData></{p}worksheet>',
    }  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**parts, **(more or {})}.items():
            archive.writestr(name, content)
    return path


HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>host</t></is></c><c r="B1" t="inlineStr"><is><t>name</t></is></c></row>'


def read_cells(tmp_path: Path, cells: str, **options: str) -> dict[str, object]:
    """Return row 2 of a workbook whose second row has these cells."""
    path = write_parts(tmp_path / "book.xlsx", f'{HEADER}<row r="2">{cells}</row>', **options)
    return dict(read_book(path).sheets["hosts"].rows.get(2, {}))


def refuse(path: Path) -> BookError:
    """Return the error that reading raises, after the tests that every one must pass."""
    with pytest.raises(BookError) as caught:
        read_book(path)
    finding = caught.value.finding
    assert finding.severity == "error"
    assert finding.found
    assert finding.allowed
    assert finding.remedy
    assert str(finding) == str(caught.value)
    return caught.value


def ole(*names: str) -> bytes:
    return OLE + bytes(500) + b"".join(f"{name}\0".encode("utf-16-le") + bytes(40) for name in names)


def archive_bytes(tmp_path: Path, **members: str) -> bytes:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("CT", "[Content_Types].xml"), content)
    return path.read_bytes()


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    write_parts(tmp_path / "baseline.xlsx", HEADER)
    error = refuse(tmp_path / "baselin.xlsx")
    assert error.finding.rule == "file_missing"
    assert "Did you mean baseline.xlsx?" in error.finding.remedy
    assert refuse(tmp_path / "nowhere" / "book.xlsx").finding.rule == "file_missing"


def test_a_folder_is_no_workbook(tmp_path: Path) -> None:
    assert refuse(tmp_path).finding.rule == "file_missing"


@pytest.mark.parametrize(
    ("name", "content", "rule", "words"),
    [
        ("book.xlsx", b"", "not_excel", "empty file (0 bytes)"),
        ("book.xlsx", b"host,name\nNAM,Namibia\n", "not_excel", "a text file"),
        ("book.csv", b"host,name\nNAM,Namibia\n", "not_excel", "a CSV text file"),
        ("book.xlsx", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not_excel", "another kind"),
        ("book.xls", ole("Root Entry", "Workbook"), "old_excel", "(.xls)"),
        ("book.xlsx", ole("Root Entry", "Book"), "old_excel", "(.xls)"),
        ("book.xlsx", ole("Root Entry", "WordDocument"), "not_excel", "old Office format"),
        ("book.xlsx", ole("EncryptionInfo", "EncryptedPackage"), "password_protected", "password"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, rule: str, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    finding = refuse(path).finding
    assert finding.rule == rule
    assert words in finding.found
    if rule != "password_protected":
        assert "save as .xlsx" in finding.remedy


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<a/>"}, "OpenDocument"),
        ({"CT": "<a/>", "word__document.xml": "<a/>"}, "another kind"),
        ({"CT": "<a/>", "xl__workbook.bin": "x"}, "(.xlsb)"),
        ({"notes.txt": "x"}, "another kind"),
    ],
)
def test_other_archives_are_refused(tmp_path: Path, members: dict[str, str], words: str) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(archive_bytes(tmp_path, **members))
    finding = refuse(path).finding
    assert finding.rule == "not_excel"
    assert words in finding.found
    assert "save as .xlsx" in finding.remedy


def test_a_truncated_file_is_damaged(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "book.xlsx", HEADER)
    path.write_bytes(path.read_bytes()[:-200])
    assert refuse(path).finding.rule == "damaged_book"


def test_a_flipped_byte_is_damage(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "book.xlsx", HEADER)
    content = bytearray(path.read_bytes())
    content[content.rindex(b"xl/worksheets/sheet1.xml", 0, content.index(b"PK\1\2")) + 40] ^= 0xFF
    path.write_bytes(content)
    assert refuse(path).finding.rule == "damaged_book"


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"])
def test_broken_xml_is_damage(tmp_path: Path, part: str) -> None:
    path = write_parts(tmp_path / "book.xlsx", HEADER, more={part: '<row t="e"><f><oops'})
    assert refuse(path).finding.rule == "damaged_book"


def test_a_part_that_is_not_there_is_damage(tmp_path: Path) -> None:
    whole = write_parts(tmp_path / "whole.xlsx", HEADER)
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name != "xl/worksheets/sheet1.xml":
                new.writestr(name, old.read(name))
    assert refuse(path).finding.rule == "damaged_book"


def test_a_member_under_a_password(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "book.xlsx", HEADER)
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = content.find(magic)
        while place >= 0:
            content[place + offset] |= 1
            place = content.find(magic, place + 1)
    path.write_bytes(content)
    assert refuse(path).finding.rule == "password_protected"


def test_a_book_without_an_entry_is_empty(tmp_path: Path) -> None:
    assert refuse(write_parts(tmp_path / "book.xlsx", '<row r="1"><c r="A1"/></row>')).finding.rule == "empty_book"
    assert refuse(write_parts(tmp_path / "guide.xlsx", HEADER, sheet="guide")).finding.rule == "empty_book"


def test_a_locked_file_says_close_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_parts(tmp_path / "book.xlsx", HEADER)

    def locked(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", locked)
    finding = refuse(path).finding
    assert finding.rule == "file_locked"
    assert "file is open in Excel: close it" in finding.remedy


@pytest.mark.parametrize("lock", ["~$book.xlsx", ".~lock.book.xlsx#"])
def test_a_lock_file_is_told_and_the_book_still_read(tmp_path: Path, lock: str) -> None:
    path = write_parts(tmp_path / "book.xlsx", HEADER)
    assert not open_in_excel(path)
    (tmp_path / lock).write_bytes(b"someone")
    assert open_in_excel(path)
    assert open_in_excel(str(path))
    assert read_book(path).sheets["hosts"].header == {"A": "host", "B": "name"}


@pytest.mark.parametrize("dimension", ["", '<dimension ref="A1:E1048576"/>'])
def test_a_stray_entry_is_named_before_it_fills_the_memory(tmp_path: Path, dimension: str) -> None:
    cells = "".join(f'<c r="{letter}2"><v>1</v></c>' for letter in "ABCDE")
    path = write_parts(
        tmp_path / "book.xlsx", f'{HEADER}<row r="2">{cells}</row><row r="1048576"><c r="A1048576"><v>1</v></c></row>', extra=dimension
    )
    finding = refuse(path).finding
    assert (finding.rule, finding.place) == ("stray_cell", "hosts!A1048576")


def test_formatted_blanks_far_away_are_no_stray_entry(tmp_path: Path) -> None:
    far = '<row r="1048576"><c r="A1048576" s="0"/><c r="XFD1048576" s="0"></c></row>'
    path = write_parts(tmp_path / "book.xlsx", HEADER + far, extra='<dimension ref="A1:XFD1048576"/>')
    assert read_book(path).sheets["hosts"].rows == {}


def test_an_error_value_that_the_reader_does_not_know_is_named(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "book.xlsx", f'{HEADER}<row r="7"><c r="B7" t="e"><f>A1:A3</f><v>#SPILL!</v></c></row>')
    finding = refuse(path).finding
    assert (finding.rule, finding.place) == ("cell_error", "hosts!B7")
    assert "#SPILL!" in finding.found


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('<c r="B2"><v>2027</v></c>', 2027.0),
        ('<c r="B2"><v>0.30000000000000004</v></c>', 0.30000000000000004),
        ('<c r="B2"><v>1E-9</v></c>', 1e-9),
        ('<c r="B2" t="b"><v>1</v></c>', True),
        ('<c r="B2" t="b"><v>0</v></c>', False),
        ('<c r="B2" t="s"><v>0</v></c>', "NA"),
        ('<c r="B2" t="s"><v>1</v></c>', "rich text"),
        ('<c r="B2" t="inlineStr"><is><t>NA</t></is></c>', "NA"),
        ('<c r="B2" t="inlineStr"><is><t>None</t></is></c>', "None"),
        ('<c r="B2" t="str"><v>nan</v></c>', "nan"),
        ('<c r="B2" t="inlineStr"><is><t xml:space="preserve"> ＮＡＭ　</t></is></c>', " ＮＡＭ　"),
        ('<c r="B2" t="d"><v>2027-04-01</v></c>', "2027-04-01"),
        ('<c r="B2"><f>1+1</f><v>2</v></c>', 2.0),
        ('<c r="B2"><f>1-1</f><v>0</v></c>', 0.0),
        ('<c r="B2" t="str"><f>"a"</f><v>a</v></c>', "a"),
        ('<c r="B2"><f>1+1</f></c>', FormulaNotCalculated("=1+1")),
        ('<c r="B2"><f>A1&amp;"x"</f><v></v></c>', FormulaNotCalculated('=A1&"x"')),
        ('<c r="B2"><f>1+1</f><v/></c>', FormulaNotCalculated("=1+1")),
        ('<c r="B2" t="str"><f>"a"</f></c>', FormulaNotCalculated('="a"')),
        ('<c r="B2" t="e"><v>#REF!</v></c>', CellError("#REF!")),
        ('<c r="B2" t="e"><v>#N/A</v></c>', CellError("#N/A")),
        ("<c r='B2' t='e'><f>1/0</f><v>#DIV/0!</v></c>", CellError("#DIV/0!")),
    ],
)
def test_each_kind_of_cell(tmp_path: Path, cell: str, value: object) -> None:
    found = read_cells(tmp_path, f'<c r="A2" t="s"><v>0</v></c>{cell}')
    assert found == {"A": "NA", "B": value}
    assert type(found["B"]) is type(value)


def test_calculated_empty_text_is_a_blank(tmp_path: Path) -> None:
    assert read_cells(tmp_path, '<c r="A2" t="s"><v>0</v></c><c r="B2" t="str"><f>""</f><v></v></c>') == {"A": "NA"}


def test_a_zero_that_awaits_recalculation_is_not_a_value(tmp_path: Path) -> None:
    cells = '<c r="A2"><f>B2*2</f><v>0</v></c><c r="B2"><f>1+1</f><v>2</v></c><c r="C2"><v>0</v></c>'
    assert read_cells(tmp_path, cells, calc='<calcPr fullCalcOnLoad="1"/>') == {"A": FormulaNotCalculated("=B2*2"), "B": 2.0, "C": 0.0}
    assert read_cells(tmp_path, cells, calc='<calcPr calcId="191029"/>')["A"] == 0.0


def test_formulas_of_programs_that_do_not_calculate(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "hosts"
    book.active.append(["host", "name"])
    book.active.append(["NAM", "=1+1"])
    book.save(tmp_path / "openpyxl.xlsx")
    with xlsxwriter.Workbook(tmp_path / "xlsxwriter.xlsx") as written:
        page = written.add_worksheet("hosts")
        page.write_row(0, 0, ["host", "name"])
        page.write_row(1, 0, ["NAM", "=1+1"])
    for name in ("openpyxl", "xlsxwriter"):
        assert read_book(tmp_path / f"{name}.xlsx").sheets["hosts"].rows[2] == {"A": "NAM", "B": FormulaNotCalculated("=1+1")}, name


def test_a_copied_formula_without_a_value(tmp_path: Path) -> None:
    cells = '<c r="A2"><f t="shared" ref="A2:B2" si="0">C2*2</f></c><c r="B2"><f t="shared" si="0"/></c>'
    assert read_cells(tmp_path, cells) == {"A": FormulaNotCalculated("=C2*2"), "B": FormulaNotCalculated("=C2*2")}


def test_prefixed_xml_and_cells_without_addresses(tmp_path: Path) -> None:
    rows = (
        '<x:row><x:c t="inlineStr"><x:is><x:t>host</x:t></x:is></x:c><x:c t="inlineStr"><x:is><x:t>name</x:t></x:is></x:c></x:row>'
        '<x:row><x:c t="s"><x:v>0</x:v></x:c><x:c><x:f>1+1</x:f></x:c><x:c t="e"><x:v>#REF!</x:v></x:c></x:row>'
    )
    sheet = read_book(write_parts(tmp_path / "book.xlsx", rows, prefix="x")).sheets["hosts"]
    assert sheet.rows == {2: {"A": "NA", "B": FormulaNotCalculated("=1+1"), "C": CellError("#REF!")}}


def test_dates_become_text(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("hosts")
        page.write_row(0, 0, ["host", "name"])
        for row, (number, shape) in enumerate([(46478, "yyyy-mm-dd"), (46478.5, "yyyy-mm-dd hh:mm"), (0.25, "hh:mm")], 1):
            page.write_string(row, 0, "NAM")
            page.write_number(row, 1, number, book.add_format({"num_format": shape}))
    cells = [row["B"] for row in read_book(path).sheets["hosts"].rows.values()]
    assert cells[:2] == ["2027-04-01", "2027-04-01 12:00:00"]
    assert isinstance(cells[2], str)
    assert "06:00" in cells[2] or "6:00:00" in cells[2]


def offset_sheet(tmp_path: Path, sheet: str = "hosts", title: str = "") -> RawSheet:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet(sheet)
        if title:
            page.write_string(1, 2, title)
        page.write_row(3, 2, ["host", "name", "", "capex_factor [x]"])
        page.write_row(5, 2, ["NAM", "Namibia", "", 1.5])
        page.write_row(6, 2, [" ", "　"])
        page.write_row(8, 2, ["MYS", "Malaysia", "stray", 1])
        page.set_row(8, None, None, {"hidden": True})
        page.set_column(3, 3, None, None, {"hidden": True})
    return read_book(path).sheets[sheet]


@pytest.mark.parametrize("title", ["", "Candidate sites, version of May"])
@pytest.mark.parametrize("sheet", ["hosts", "Hosts ", "candidates"])
def test_addresses_are_exact_wherever_the_table_stands(tmp_path: Path, title: str, sheet: str) -> None:
    found = offset_sheet(tmp_path, sheet, title)
    assert found.name == sheet
    assert found.header_row == 4
    assert found.header == {"C": "host", "D": "name", "F": "capex_factor [x]"}
    assert found.rows == {6: {"C": "NAM", "D": "Namibia", "F": 1.5}, 9: {"C": "MYS", "D": "Malaysia", "E": "stray", "F": 1.0}}
    assert list(found.rows) == [6, 9]


def test_headers_typed_as_numbers_are_text(tmp_path: Path) -> None:
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>ｃａｐ [share]</t></is></c><c r="B1"><v>2027</v></c><c r="C1" t="e"><v>#REF!</v></c><c r="D1"><f>A1</f></c></row>'
    sheet = read_book(write_parts(tmp_path / "book.xlsx", rows + '<row r="2"><c r="B2"><v>0.5</v></c></row>', sheet="caps")).sheets["caps"]
    assert sheet.header == {"A": "ｃａｐ [share]", "B": "2027", "C": "#REF!", "D": "=A1"}
    assert sheet.rows == {2: {"B": 0.5}}


def test_a_sheet_of_unknown_columns_keeps_its_first_row_as_header(tmp_path: Path) -> None:
    rows = '<row r="3"><c r="B3" t="inlineStr"><is><t>Wirt</t></is></c></row><row r="4"><c r="B4"><v>1</v></c></row>'
    sheet = read_book(write_parts(tmp_path / "book.xlsx", rows)).sheets["hosts"]
    assert (sheet.header_row, sheet.header, sheet.rows) == (3, {"B": "Wirt"}, {4: {"B": 1.0}})


def test_hidden_sheets_are_read_and_charts_and_furniture_are_not(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("guide", "caps", "hosts", "lists", "errors", "own"):
            page = book.add_worksheet(name)
            page.write_row(0, 0, ["cap", "basis"])
            if name == "hosts":
                page.hide()
        chart = book.add_chart({"type": "bar"})
        chart.add_series({"values": "=hosts!$A$1:$B$1"})
        book.add_chartsheet("chart").set_chart(chart)
    assert list(read_book(path).sheets) == ["caps", "hosts", "own"]


def test_a_sheet_left_empty_is_there_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("caps")
        book.add_worksheet("hosts").write_row(0, 0, ["host", "name"])
    assert read_book(path).sheets["caps"] == RawSheet("caps", {}, 1, {})


@pytest.mark.parametrize(("kind", "rule"), [("xls", "old_excel"), ("ods", "not_excel"), ("csv", "not_excel")])
def test_real_files_of_other_formats_under_a_wrong_name(tmp_path: Path, kind: str, rule: str) -> None:
    source = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(source) as book:
        book.add_worksheet("hosts").write_row(0, 0, ["host", "name"])
    renamed = convert(source, tmp_path, kind).rename(tmp_path / f"{kind}.xlsx")
    assert refuse(renamed).finding.rule == rule


def test_a_large_book_is_read_in_well_under_a_second(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in SHEET_BY_NAME:
            page = book.add_worksheet(name)
            page.write_row(0, 0, ["market", "sector", "product", *range(2027, 2041), "source", "quality", "note"])
            for row in range(1, 4001 if name == "demand" else 50):
                page.write_row(
                    row, 0, ["JPN", "ev", f"P{row}", *(row + year / 7 for year in range(14)), "read in a report", "estimate", ""]
                )
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        book_read = read_book(path)
        seconds.append(time.perf_counter() - start)
    assert len(book_read.sheets["demand"].rows) == 4000
    assert min(seconds) < 1.0
