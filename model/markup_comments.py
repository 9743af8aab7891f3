"""Comments on cells of a planner's book: added beside, or below, those that are there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

from lxml import etree

from model.package import Package, insert_before, legal_text

MARK = "▲ check: "
"""First words of every comment text that the check writes; by them it takes its own away again."""

AUTHOR = "check"
_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_VML_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_AFTER_LEGACY_DRAWING = (
    "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "AlternateContent", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip
_SHAPE = re.compile(r"<(\w+:)shape\b(?:(?!<\1shape\b).)*?</\1shape>", re.DOTALL)
_BLOCKS = re.compile(r'<\w+:idmap\b[^>]*\bdata="([0-9, ]+)"')
_NAMESPACES = 'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel"'
_IDS_A_BLOCK = 1024
_VML_HEAD = (
    f"<xml {_NAMESPACES}>"
    '<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{block}"/></o:shapelayout>'
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>'
    '<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype></xml>'
)


def split_address(cell: str) -> tuple[int, int]:
    """Return the row and the column, both from 0, of an address such as C7."""
    match = re.fullmatch(r"([A-Z]+)([0-9]+)", cell)
    if match is None:
        raise ValueError(f"no address of a cell: {cell!r}")
    column = 0
    for letter in match[1]:
        column = 26 * column + ord(letter) - 64
    return int(match[2]) - 1, column - 1


def remove_own_comments(package: Package, sheet: str) -> None:
    """Take away what an earlier check wrote on the sheet's cells."""
    for part in package.related(sheet, "comments"):
        if MARK.encode() not in package.read(part):
            continue
        gone = []
        for comment in list(package.tree(part).iter("{*}comment")):
            text = comment.find("{*}text")
            if text is None or not _cut_own_text(text):
                continue
            if not "".join(text.itertext()).strip():
                gone.append(comment.attrib["ref"])
                comment.getparent().remove(comment)
        for drawing in package.related(sheet, "vmlDrawing"):
            places = {split_address(cell) for cell in gone}
            vml = package.read(drawing).decode("utf-8", "surrogateescape")
            vml = _SHAPE.sub(lambda shape, places=places: "" if _shape_place(shape[0]) in places else shape[0], vml)  # type: ignore[misc]
            package.write_part(drawing, vml.encode("utf-8", "surrogateescape"))


def add_comments(package: Package, sheet: str, texts: Mapping[str, str], mark: str = MARK) -> None:
    """Put a text on each cell; below the text of a comment that is there already.

    Parameters
    ----------
    package
        Workbook.
    sheet
        Part of the worksheet.
    texts
        Address of a cell -> what to say.
    mark
        Put before each text; texts with :data:`MARK` are taken away by the next check.
    """
    part = next(iter(package.related(sheet, "comments")), "") or _new_comments(package, sheet)
    tree = package.tree(part)
    space = f"{{{etree.QName(tree).namespace}}}"
    authors, comments = tree.find(f"{space}authors"), tree.find(f"{space}commentList")
    known = {comment.attrib["ref"]: comment for comment in comments}
    names = [author.text for author in authors]
    if AUTHOR not in names:
        etree.SubElement(authors, f"{space}author").text = AUTHOR
        names.append(AUTHOR)
    fresh = []
    for cell, words in texts.items():
        if cell in known:
            text = known[cell].find(f"{space}text")
            lead = "\n" if "".join(text.itertext()) else ""
        else:
            comment = etree.Element(f"{space}comment", {"ref": cell, "authorId": str(names.index(AUTHOR))})
            text, lead = etree.SubElement(comment, f"{space}text"), ""
            comments.append(comment)
            fresh.append((cell, words))
        _add_run(text, f"{lead}{mark}{words}", space)
    if fresh:
        _add_shapes(package, sheet, fresh)


def _cut_own_text(text: etree._Element) -> bool:
    """Remove a comment's text from the check's mark on; return whether there was one."""
    found = False
    for leaf in list(text.iter("{*}t")):
        run = leaf.getparent()
        if found:
            (text if run is text else run.getparent()).remove(leaf if run is text else run)
        elif leaf.text and MARK in leaf.text:
            found = True
            leaf.text = leaf.text[: leaf.text.index(MARK)].removesuffix("\n")
            if not leaf.text:
                (text if run is text else run.getparent()).remove(leaf if run is text else run)
    return found


def _add_run(text: etree._Element, words: str, space: str) -> None:
    """Append words to a comment; plain text before them becomes a run, as the format does not mix the two."""
    for plain in text.findall(f"{space}t"):
        run = etree.Element(f"{space}r")
        text.replace(plain, run)
        run.append(plain)
    run = etree.SubElement(text, f"{space}r")
    etree.SubElement(etree.SubElement(run, f"{space}rPr"), f"{space}sz", {"val": "9"})
    leaf = etree.SubElement(run, f"{space}t")
    leaf.text = legal_text(words)
    leaf.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")


def _new_comments(package: Package, sheet: str) -> str:
    space = etree.QName(package.tree(sheet)).namespace
    part = package.free_name("xl/comments", "xml")
    package.write_part(part, f'<comments xmlns="{space}"><authors/><commentList/></comments>'.encode())
    package.declare(part, _COMMENTS_TYPE)
    package.relate(sheet, "comments", part)
    return part


def _add_shapes(package: Package, sheet: str, texts: list[tuple[str, str]]) -> None:
    """Draw the box of each new comment, hidden until the pointer is on its cell."""
    drawing = _comment_drawing(package, sheet) or _new_drawing(package, sheet)
    vml = package.read(drawing).decode("utf-8", "surrogateescape")
    blocks = [int(number) for number in _BLOCKS.findall(vml)[-1:] for number in number.split(",")] or [1]
    used = [int(number) for number in re.findall(r'_x0000_s([0-9]+)"', vml)]
    number = max([_IDS_A_BLOCK * blocks[-1], *used])
    shapes = []
    for cell, words in texts:
        number += 1
        shapes.append(_shape(number, cell, words))
    place = vml.rindex("</xml>")
    package.write_part(drawing, (vml[:place] + "".join(shapes) + vml[place:]).encode("utf-8", "surrogateescape"))


def _comment_drawing(package: Package, sheet: str) -> str:
    """Return the part with the boxes of the sheet's comments; the one of its header's pictures is another."""
    pointer = package.tree(sheet).find("{*}legacyDrawing")
    return "" if pointer is None else package.relations(sheet)[pointer.attrib[package.id_attribute]][1]


def _new_drawing(package: Package, sheet: str) -> str:
    tree = package.tree(sheet)
    taken = {
        int(number)
        for name in package.names
        if name.lower().endswith(".vml")
        for data in _BLOCKS.findall(package.read(name).decode("utf-8", "surrogateescape"))
        for number in data.split(",")
    }
    part = package.free_name("xl/drawings/vmlDrawing", "vml")
    package.write_part(part, _VML_HEAD.format(block=max(taken, default=0) + 1).encode())
    package.declare_extension("vml", _VML_TYPE)
    pointer = etree.Element(f"{{{etree.QName(tree).namespace}}}legacyDrawing", nsmap={"r": package.base})
    pointer.set(package.id_attribute, package.relate(sheet, "vmlDrawing", part))
    insert_before(tree, pointer, _AFTER_LEGACY_DRAWING)
    return part


def _shape(number: int, cell: str, words: str) -> str:
    row, column = split_address(cell)
    lines = 1 + sum(1 + len(line) // 46 for line in words.split("\n"))
    anchor = f"{column + 1}, 12, {max(row - 1, 0)}, 8, {column + 5}, 40, {max(row - 1, 0) + lines + 1}, 4"
    return (
        f'<v:shape {_NAMESPACES} id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;width:260pt;height:{14 * lines + 12}pt;z-index:{number};'
        'visibility:hidden" fillcolor="#ffe1e1" o:insetmode="auto"><v:fill color2="#ffe1e1"/><v:shadow color="black" obscured="t"/>'
        '<v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
        '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
        f"<x:Anchor>{escape(anchor)}</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column>"
        "</x:ClientData></v:shape>"
    )


def _shape_place(shape: str) -> tuple[int, int]:
    row, column = re.search(r"<\w+:Row>\s*([0-9]+)", shape), re.search(r"<\w+:Column>\s*([0-9]+)", shape)
    return (int(row[1]), int(column[1])) if row and column else (-1, -1)
