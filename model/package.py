"""The parts of an Excel file, changed one by one; a part that is not touched is copied as it is.

openpyxl loads a workbook into its own objects and drops what it has none for: charts, pictures,
shapes, slicers, threaded comments. A planner's book is therefore changed in its XML.
"""

from __future__ import annotations

import io
import os
import posixpath
import re
import zipfile
from pathlib import Path

from lxml import etree

from model.book_file import damage_error, open_archive

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "[Content_Types].xml"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"


def parse_xml(content: bytes) -> etree._Element:
    """Return the root of a part; nothing outside it is ever fetched."""
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, remove_blank_text=False))


def local_name(element: etree._Element) -> str:
    """Return an element's name without its namespace; "" for comments."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def legal_text(text: str) -> str:
    """Return text as XML can hold it: control characters become spaces."""
    return "".join(
        letter if letter in "\t\n" or " " <= letter < "\ud800" or "\ue000" <= letter < "\ufffe" or letter > "\uffff" else " "
        for letter in text
    )


def insert_before(parent: etree._Element, child: etree._Element, later: tuple[str, ...]) -> None:
    """Insert a child before the first of the elements that the format wants behind it."""
    for place, other in enumerate(parent):
        if local_name(other) in later:
            parent.insert(place, child)
            return
    parent.append(child)


def new_file(path: Path) -> Path:
    """Return the path, or one with a number added where there is such a file already."""
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.stem}_{number}{path.suffix}")
        number += 1
    return free


class Package:
    """An Excel file as its parts.

    Parameters
    ----------
    path
        Workbook to read; it is never written to.

    Raises
    ------
    BookError
        The file is no workbook.
    """

    def __init__(self, path: Path) -> None:
        _, self._archive = open_archive(path)
        self._parts: dict[str, bytes] = {}
        self._trees: dict[str, etree._Element] = {}
        self.names = list(self._archive.namelist())
        try:
            root_relations = self.relations("")
            self.workbook, kind = next((target, kind) for kind, target in root_relations.values() if kind.endswith("/officeDocument"))
            self.base = kind.removesuffix("/officeDocument")
            self.tree(self.workbook)
        except (KeyError, StopIteration, etree.XMLSyntaxError) as error:
            raise damage_error(path, error) from error

    @property
    def id_attribute(self) -> str:
        """Attribute by which an element points to another part."""
        return f"{{{self.base}}}id"

    @property
    def worksheets(self) -> dict[str, str]:
        """Tab -> part of each worksheet, in the order of the tabs."""
        relations = self.relations(self.workbook)
        parts = {}
        for sheet in self.tree(self.workbook).iter("{*}sheet"):
            kind, part = relations.get(sheet.attrib.get(self.id_attribute, ""), ("", ""))
            if kind.endswith("/worksheet") and part in self.names:
                parts[sheet.attrib["name"]] = part
        return parts

    def add_sheet(self, name: str, content: bytes | None = None) -> str:
        """Add a worksheet as the last tab and return its part; without content it is empty."""
        part = self.free_name("xl/worksheets/sheet", "xml")
        holder = self.tree(self.workbook).find("{*}sheets")
        space = etree.QName(holder).namespace
        self.write_part(part, content or f'<worksheet xmlns="{space}"><sheetData/></worksheet>'.encode())
        self.declare(part, _SHEET_TYPE)
        number = 1 + max(int(sheet.attrib["sheetId"]) for sheet in holder)
        sheet = etree.SubElement(holder, f"{{{space}}}sheet", {"name": name, "sheetId": str(number)}, nsmap={"r": self.base})
        sheet.set(self.id_attribute, self.relate(self.workbook, "worksheet", part))
        return part

    def read(self, part: str) -> bytes:
        """Return a part's content; KeyError if there is none."""
        if part in self._trees:
            return etree.tostring(self._trees[part], xml_declaration=True, encoding="UTF-8", standalone=True)
        return self._parts[part] if part in self._parts else self._archive.read(part)

    def tree(self, part: str) -> etree._Element:
        """Return the root element of a part; changes to it are written."""
        if part not in self._trees:
            self._trees[part] = parse_xml(self.read(part))
        return self._trees[part]

    def peek(self, part: str) -> etree._Element:
        """Return the root element of a part for reading only."""
        return self._trees[part] if part in self._trees else parse_xml(self.read(part))

    def write_part(self, part: str, content: bytes) -> None:
        """Replace or add a part."""
        self._trees.pop(part, None)
        self._parts[part] = content
        if part not in self.names:
            self.names.append(part)

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Return what a part points to inside the file: id -> (kind, part)."""
        if (name := _relations_of(part)) not in self.names:
            return {}
        return {
            relation.attrib["Id"]: (
                relation.attrib["Type"],
                posixpath.normpath(posixpath.join("/", posixpath.dirname(part), relation.attrib["Target"])).lstrip("/"),
            )
            for relation in parse_xml(self.read(name))
            if isinstance(relation.tag, str) and relation.attrib.get("TargetMode") != "External"
        }

    def related(self, part: str, kind: str) -> list[str]:
        """Return the parts of a kind that a part points to."""
        return [target for type_, target in self.relations(part).values() if type_.endswith(f"/{kind}")]

    def relate(self, part: str, kind: str, target: str) -> str:
        """Let a part point to another one and return the id of the relation."""
        name = _relations_of(part)
        if name not in self.names:
            self.write_part(name, f'<Relationships xmlns="{_PACKAGE_RELATIONS}"/>'.encode())
        tree = self.tree(name)
        used = {relation.attrib["Id"] for relation in tree}
        number = 1
        while f"rId{number}" in used:
            number += 1
        etree.SubElement(
            tree,
            f"{{{_PACKAGE_RELATIONS}}}Relationship",
            {"Id": f"rId{number}", "Type": kind if "://" in kind else f"{self.base}/{kind}", "Target": f"/{target}"},
        )
        return f"rId{number}"

    def drop_relations(self, part: str) -> None:
        """Let a part point to nothing any more."""
        name = _relations_of(part)
        self._trees.pop(name, None)
        self.names = [other for other in self.names if other != name]

    def declare(self, part: str, content_type: str) -> None:
        """State the content type of a new part."""
        types = self.tree(_TYPES)
        space = etree.QName(types).namespace
        etree.SubElement(types, f"{{{space}}}Override", {"PartName": f"/{part}", "ContentType": content_type})

    def declare_extension(self, extension: str, content_type: str) -> None:
        """State the content type of all parts with an extension, unless it is known."""
        types = self.tree(_TYPES)
        if not any(one.attrib.get("Extension", "").lower() == extension for one in types):
            element = etree.Element(f"{{{etree.QName(types).namespace}}}Default", {"Extension": extension, "ContentType": content_type})
            types.insert(0, element)

    def free_name(self, stem: str, extension: str) -> str:
        """Return the name of a part that is not there yet."""
        taken = {re.sub("^/", "", name).lower() for name in self.names}
        number = 1
        while f"{stem}{number}.{extension}".lower() in taken:
            number += 1
        return f"{stem}{number}.{extension}"

    def save(self, path: Path) -> None:
        """Write the file whole or not at all, under a name that is free.

        Raises
        ------
        FileExistsError
            There is such a file already.
        OSError
            It cannot be written.
        """
        if path.exists():
            raise FileExistsError(f"{path} exists and is not overwritten")
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in self.names:
                archive.writestr(name, self.read(name))
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            part.write_bytes(content.getvalue())
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)


def _relations_of(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")
