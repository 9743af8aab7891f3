"""Marked copies: the cells at fault carry a mark, all else of the planner's book is as it was."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from lxml import etree

from model.book_file import BookError
from model.markup import comment_words, copy_name, write_marked_copy
from model.markup_comments import MARK, split_address
from model.tables import Finding
from model.validation import validate_book
from model.workbook import read_book
from tests.marked import marked_cells
from tests.office import convert
from tests.planner_book import OWN_WORDS, write_planner_book
from tests.rawbook import cell, chain, tiny_book

BAD = chain(cell("sources", 2, "capacity", -5.0), cell("hosts", 3, "wage", "12 USD"), cell("ports", 2, "feeder", " no"))
EXPECTED = {"sources!I2", "hosts!L3", "ports!C2"}


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def check(path: Path) -> Path:
    return write_marked_copy(path, validate_book(read_book(path)).findings, "checked today")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.xlsx"
    write_planner_book(path, BAD(tiny_book()))
    return path


def test_the_cells_at_fault_and_no_others_are_marked(book: Path) -> None:
    marks = marked_cells(check(book))
    assert set(marks) == EXPECTED
    assert "To do: Write an amount of 0 or more." in marks["sources!I2"]
    assert "Found: '12 USD'" in marks["hosts!L3"]
    assert marks["ports!C2"].startswith("notice")


def test_everything_of_the_planner_is_as_it_was(book: Path) -> None:
    before, after = parts(book), parts(check(book))
    sheets = {name for name in before if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)}
    changed = {name for name in before if before[name] != after.get(name)}
    assert not {name for name in changed if re.search("chart|media|drawings/drawing|theme|sharedStrings|calcChain", name)}
    assert any("charts/chart" in name for name in before)
    assert any("media/image" in name for name in before)
    for name in changed & sheets:
        old, new = etree.fromstring(before[name]), etree.fromstring(after[name])
        for added in [*new.iterchildren("{*}conditionalFormatting")]:
            if any((formula.text or "").startswith('"check: ') for formula in added.iter("{*}formula")):
                new.remove(added)
        if old.find("{*}legacyDrawing") is None and new.find("{*}legacyDrawing") is not None:
            new.remove(new.find("{*}legacyDrawing"))
        for tree in (old, new):
            for view in tree.iter("{*}sheetView"):
                view.attrib.pop("tabSelected", None)
            for rule in tree.iter("{*}cfRule"):
                rule.attrib["priority"] = str(int(rule.attrib["priority"]) % 2)
        assert etree.tostring(old, method="c14n") == etree.tostring(new, method="c14n"), name
    old, new = etree.fromstring(before["xl/styles.xml"]), etree.fromstring(after["xl/styles.xml"])
    for group in old:
        same = new.find(f"{{*}}{etree.QName(group).localname}")
        assert [etree.tostring(one, method="c14n") for one in group] == [etree.tostring(one, method="c14n") for one in same[: len(group)]]
    assert before.keys() <= after.keys()


def test_the_copy_opens_as_a_workbook_with_all_its_furniture(book: Path) -> None:
    copied = openpyxl.load_workbook(check(book))
    own = copied["my workings"]
    assert own["A2"].value == "=SUM(A1:C1)*2"
    assert own["A1"].fill.fgColor.rgb == "FFFFFF00"
    assert own["A3"].hyperlink.target == "https://example.org/report"
    assert len(own._charts) == 1
    assert own.protection.sheet
    assert copied.defined_names["my_total"].value == "'my workings'!$A$2"
    sources = copied["sources"]
    assert sources["A3"].comment.text.endswith("A second thought.")
    assert sources["I2"].comment.text.index(OWN_WORDS) < sources["I2"].comment.text.index(MARK)
    assert sources["H3"].value == '="carb"&"onate"'
    assert sources["I2"].value == -5
    assert sources["I2"].number_format == "#,##0.0"
    assert [rule.formula1 for rule in sources.data_validations.dataValidation] == ['"yes,no"']


def test_the_mark_wins_over_the_planners_colours(book: Path) -> None:
    page = openpyxl.load_workbook(check(book))["sources"]
    rules = sorted((rule for area in page.conditional_formatting for rule in area.rules), key=lambda rule: rule.priority)
    assert rules[0].formula == ['"check: error"<>""']
    assert rules[0].stopIfTrue
    assert len({rule.priority for rule in rules}) == len(rules)


def test_every_finding_is_listed_with_a_way_to_its_cell(book: Path) -> None:
    findings = validate_book(read_book(book)).findings
    page = openpyxl.load_workbook(check(book))["errors"]
    rows = [[one.value for one in row] for row in page.iter_rows(min_row=5)]
    assert [tuple(row) for row in rows] == [(f.severity, f.place, f.found, f.allowed, f.remedy, f.rule) for f in findings]
    links = {row[1].value: row[1].hyperlink.location for row in page.iter_rows(min_row=5) if row[1].hyperlink}
    assert links["sources!I2"] == "'sources'!I2"
    assert links["my workings"] == "'my workings'!A1"


def test_the_copy_opens_on_the_list_alone(book: Path) -> None:
    copied = openpyxl.load_workbook(check(book))
    assert copied.active.title == "errors"
    assert [page.title for page in copied.worksheets if page.sheet_view.tabSelected] == ["errors"]


def test_the_book_is_not_written_to_and_nothing_is_overwritten(book: Path) -> None:
    content = book.read_bytes()
    first, second = check(book), check(book)
    assert (first.name, second.name) == ("book_checked.xlsx", "book_checked_2.xlsx")
    assert copy_name(second).name == "book_checked_3.xlsx"
    assert book.read_bytes() == content
    assert {path.name for path in book.parent.iterdir()} == {"book.xlsx", first.name, second.name}


def test_a_copy_checked_again_carries_the_new_marks_only(book: Path) -> None:
    first = check(book)
    copied = openpyxl.load_workbook(first)
    copied["hosts"]["L3"] = 12
    copied["sources"]["I2"] = -7
    copied["sources"]["H3"] = "carbonate"  # openpyxl would save the formula without its value
    copied.save(first)
    assert validate_book(read_book(first)).errors[0].found == "-7"
    second = check(first)
    again = openpyxl.load_workbook(second)
    assert set(marked_cells(second)) == EXPECTED - {"hosts!L3"}
    assert again["hosts"]["L3"].comment is None
    words = again["sources"]["I2"].comment.text
    assert words.count(MARK) == 1
    assert "Found: -7" in words
    assert OWN_WORDS in words
    assert [name for name in again.sheetnames if "errors" in name] == ["errors"]


def test_the_boxes_of_comments_that_went_go_with_them(book: Path) -> None:
    def boxes(path: Path) -> int:
        return sum(content.count(b'ObjectType="Note"') for name, content in parts(path).items() if name.endswith(".vml"))

    def notes(path: Path) -> int:
        return sum(content.count(b"<comment ") for name, content in parts(path).items() if "comments" in name)

    first = check(book)
    assert boxes(first) == notes(first) == 4
    clean = write_marked_copy(first, [], "checked again")
    assert boxes(clean) == notes(clean) == 2
    assert marked_cells(clean) == {}
    assert openpyxl.load_workbook(clean)["sources"]["I2"].comment.text.endswith(OWN_WORDS)


def test_a_planners_own_sheet_called_errors_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path, BAD(tiny_book()))
    book = openpyxl.load_workbook(path)
    book.create_sheet("Errors")["A1"] = "my own list"
    book.save(path)
    copied = openpyxl.load_workbook(check(path))
    assert copied["Errors"]["A1"].value == "my own list"
    assert copied.active["A1"].value == "Findings of the check"
    assert validate_book(read_book(copy_name(path).with_name("book_checked.xlsx"))).errors


def test_text_of_the_book_is_never_a_formula_in_the_list(book: Path) -> None:
    finding = Finding("r", "error", "hosts", "G2", '=HYPERLINK("http://x")\x02', "=1", "<b>&")
    page = openpyxl.load_workbook(write_marked_copy(book, [finding], "today"))["errors"]
    assert [one.value for one in page[5]][2:5] == ['=HYPERLINK("http://x") ', "=1", "<b>&"]
    assert {one.data_type for one in page[5]} <= {"s", "inlineStr"}


def test_many_cells_are_coloured_and_listed(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    write_planner_book(path)
    findings = [Finding("r", "error", "demand", f"D{row}", "x", "y", "z.") for row in range(2, 1600, 2)]
    findings += [Finding("r", "error", "demand", f"E{row}", "x", "y", "z.") for row in range(2, 900)]
    marks = marked_cells(write_marked_copy(path, findings, "today"))
    assert set(marks) == {finding.place for finding in findings}
    assert sum(bool(words) for words in marks.values()) == 1000


def test_findings_without_a_cell_are_listed_only(book: Path) -> None:
    findings = [
        Finding("missing_sheet", "error", "caps", "", "no such sheet", "a sheet caps", "Add it."),
        Finding("r", "error", "hosts", "7", "x", "y", "z."),
        Finding("r", "error", "nowhere", "A1", "x", "y", "z."),
        Finding("r", "error", "", "", "x", "y", "z."),
    ]
    path = write_marked_copy(book, findings, "today")
    assert marked_cells(path) == {}
    page = openpyxl.load_workbook(path)["errors"]
    assert [row[1].value for row in page.iter_rows(min_row=5)] == ["caps", "hosts!7", "nowhere!A1", "workbook"]
    assert [row[1].hyperlink.location if row[1].hyperlink else "" for row in page.iter_rows(min_row=5)] == [
        "'caps'!A1",
        "'hosts'!A7",
        "",
        "",
    ]


def test_what_is_no_workbook_gets_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_text("host,name")
    with pytest.raises(BookError):
        write_marked_copy(path, [], "today")
    assert list(tmp_path.iterdir()) == [path]


def test_a_failing_disk_leaves_no_half_copy(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, content: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_marked_copy(book, [], "today")
    assert list(book.parent.iterdir()) == [book]


def test_words_on_a_cell_name_every_finding() -> None:
    words = comment_words([Finding("a", "error", "s", "A1", "1", "2", "Do b."), Finding("b", "notice", "s", "A1", "3", "4", "Do c.")])
    assert words == "error\nFound: 1\nAllowed: 2\nTo do: Do b.\n\nnotice\nFound: 3\nAllowed: 4\nTo do: Do c."


def test_addresses_are_split() -> None:
    assert split_address("AB12") == (11, 27)
    with pytest.raises(ValueError, match="no address"):
        split_address("12")


def test_libreoffice_opens_the_copy_with_marks_chart_and_picture(book: Path, tmp_path: Path) -> None:
    saved = convert(check(book), tmp_path / "out")
    assert set(marked_cells(saved)) == EXPECTED
    assert "Write an amount of 0 or more." in marked_cells(saved)["sources!I2"]
    names = parts(saved)
    assert any("charts/chart" in name for name in names)
    assert any("media/" in name for name in names)
    assert {finding.place for finding in validate_book(read_book(saved)).errors} == {"sources!I2", "hosts!L3"}
    again = check(saved)
    assert set(marked_cells(again)) == EXPECTED
    assert openpyxl.load_workbook(again)["sources"]["I2"].comment.text.count(MARK) == 1
