"""The sheet of a marked copy that lists every finding and leads to its cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from model.markup_styles import add_cell_format
from model.package import Package, legal_text
from model.tables import Finding

LIST_SHEET = "errors"
TITLE = "Findings of the check"
_HEADERS = ("severity", "where", "found", "allowed", "what to do", "rule")
_WIDTHS = (11, 26, 44, 52, 64, 24)
_HEADER_ROW = 4


def write_list(
    package: Package, sheets: Mapping[str, str], names: Mapping[str, str], findings: Sequence[Finding], book: str, checked: str
) -> None:
    """Add the list of findings as the last tab and open the book on it.

    Parameters
    ----------
    package
        Workbook.
    sheets
        Tab -> part of each worksheet, as the book is.
    names
        Sheet as findings call it -> tab.
    findings
        What was found, in order.
    book, checked
        Name of the book; when, and in which scenario, it was checked.
    """
    content = _list_sheet(package, names, findings, book, checked)
    own = next((name for name, part in sheets.items() if name.lower().strip("_").startswith(LIST_SHEET) and _is_list(package, part)), "")
    if own:
        package.write_part(sheets[own], content)
        package.drop_relations(sheets[own])
    else:
        taken = {name.lower() for name in sheets}
        own = next(name for name in (LIST_SHEET, *(f"_{LIST_SHEET}_{number}" for number in range(1, 1000))) if name not in taken)
        package.add_sheet(own, content)
    _open_on(package, sheets, own)


def _is_list(package: Package, part: str) -> bool:
    """Whether an earlier check wrote the sheet: its first cell holds the title."""
    first = next(package.peek(part).iter("{*}c"), None)
    if first is None:
        return False
    text = "".join(first.itertext())
    if first.attrib.get("t") == "s":
        strings = package.peek(package.related(package.workbook, "sharedStrings")[0])
        text = "".join(strings[int(text)].itertext())
    return text == TITLE


def _open_on(package: Package, sheets: Mapping[str, str], name: str) -> None:
    """Make a tab the one that is shown when the book is opened; no other stays selected with it."""
    workbook = package.tree(package.workbook)
    order = [sheet.attrib["name"] for sheet in workbook.iter("{*}sheet")]
    for view in workbook.iter("{*}workbookView"):
        view.set("activeTab", str(order.index(name)))
    for other, part in sheets.items():
        if other != name and part in package.names and b"tabSelected" in package.read(part):
            for view in package.tree(part).iter("{*}sheetView"):
                view.attrib.pop("tabSelected", None)


def _list_sheet(package: Package, names: Mapping[str, str], findings: Sequence[Finding], book: str, checked: str) -> bytes:
    errors = sum(finding.severity == "error" for finding in findings)
    head = add_cell_format(package, '<b/><sz val="11"/><color rgb="FFFFFFFF"/><name val="Arial"/>', "FF1F3864")
    title = add_cell_format(package, '<b/><sz val="16"/><color rgb="FF1F3864"/><name val="Arial"/>', wrap=False)
    plain = add_cell_format(package, '<sz val="10"/><name val="Arial"/>', wrap=False)
    body = add_cell_format(package, '<sz val="10"/><name val="Arial"/>')
    link = add_cell_format(package, '<b/><u/><sz val="10"/><color rgb="FF2F75B5"/><name val="Arial"/>')
    marked = {
        "error": add_cell_format(package, '<b/><sz val="10"/><name val="Arial"/>', "FFFF9C9C"),
        "notice": add_cell_format(package, '<sz val="10"/><name val="Arial"/>', "FFFFE699"),
    }
    rows = [
        _row(1, [(TITLE, title)], 24),
        _row(
            2,
            [(f"{errors} error(s) and {len(findings) - errors} notice(s) in {book}; {checked}. Errors stop a run, notices do not.", plain)],
        ),
        _row(3, [("Click a place to go to its cell. Correct it in this copy or in the book itself, save, and check again.", plain)]),
        _row(_HEADER_ROW, [(text, head) for text in _HEADERS]),
    ]
    links = []
    for number, finding in enumerate(findings, _HEADER_ROW + 1):
        tab = names.get(finding.sheet, "")
        if tab:
            cell = finding.cell if not finding.cell.isdigit() else f"A{finding.cell}"  # the row alone is known
            target = "'" + tab.replace("'", "''") + f"'!{cell or 'A1'}"
            links.append(f'<hyperlink ref="B{number}" location={quoteattr(target)} display={quoteattr(finding.place)}/>')
        texts = (finding.found, finding.allowed, finding.remedy, finding.rule)
        cells = [(finding.severity, marked[finding.severity]), (finding.place, link if tab else body), *((text, body) for text in texts)]
        lines = max(1 + len(text) // (width - 2) for text, width in zip(texts, _WIDTHS[2:], strict=True))
        rows.append(_row(number, cells, 14.0 * lines + 2))
    hyperlinks = f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else ""
    columns = "".join(f'<col min="{place}" max="{place}" width="{width}" customWidth="1"/>' for place, width in enumerate(_WIDTHS, 1))
    space = etree.QName(package.tree(package.workbook)).namespace
    return (
        f'<worksheet xmlns="{space}"><sheetPr><tabColor rgb="FFC00000"/><pageSetUpPr fitToPage="1"/></sheetPr>'
        f'<sheetViews><sheetView showGridLines="0" tabSelected="1" workbookViewId="0"><pane ySplit="{_HEADER_ROW}" '
        f'topLeftCell="A{_HEADER_ROW + 1}" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{columns}</cols><sheetData>{''.join(rows)}</sheetData>{hyperlinks}"
        '<pageMargins left="0.5" right="0.5" top="0.6" bottom="0.6" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
    ).encode()


def _row(number: int, cells: Sequence[tuple[str, int]], height: float | None = None) -> str:
    size = f' ht="{height:g}" customHeight="1"' if height else ""
    inner = "".join(
        f'<c r="{chr(ord("A") + place)}{number}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(legal_text(text))}</t></is></c>'
        for place, (text, style) in enumerate(cells)
    )
    return f'<row r="{number}"{size}>{inner}</row>'
