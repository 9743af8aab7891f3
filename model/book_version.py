"""The schema version that a book carries: a custom property of the file, kept by Excel and LibreOffice."""

from __future__ import annotations

import re
import zipfile
from xml.etree import ElementTree

from lxml import etree

from model.package import Package

PROPERTY = "schema_version"
_PART = "docProps/custom.xml"
_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_SPACE = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VALUES = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_FORMAT_ID = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"


def read_version(archive: zipfile.ZipFile) -> str:
    """Return the schema version that a book states; "" where it states none."""
    if _PART not in archive.namelist():
        return ""
    for one in ElementTree.fromstring(archive.read(_PART)):
        if one.attrib.get("name") == PROPERTY:
            return "".join(one.itertext()).strip()
    return ""


def version_order(version: str) -> tuple[int, ...]:
    """Return what versions are sorted by.

    Examples
    --------
    >>> version_order("1.10") > version_order("1.9")
    True
    """
    return tuple(int(number) for number in re.findall("[0-9]+", version))


def write_version(package: Package, version: str) -> None:
    """State the schema version in a book, and wherever the program wrote the old one in words."""
    if _PART not in package.names:
        package.write_part(_PART, f'<Properties xmlns="{_SPACE}" xmlns:vt="{_VALUES}"/>'.encode())
        package.declare(_PART, _TYPE)
        package.relate("", "custom-properties", _PART)
    tree = package.tree(_PART)
    stated = next((one for one in tree if one.attrib.get("name") == PROPERTY), None)
    if stated is None:
        number = 1 + max((int(one.attrib["pid"]) for one in tree), default=1)
        stated = etree.SubElement(tree, f"{{{_SPACE}}}property", {"fmtid": _FORMAT_ID, "pid": str(number), "name": PROPERTY})
    for value in list(stated):
        stated.remove(value)
    etree.SubElement(stated, f"{{{_VALUES}}}lpwstr").text = version
    words = re.compile(r"Schema version [0-9.]+")
    for part in ("docProps/core.xml", *package.related(package.workbook, "sharedStrings")):
        if part in package.names and b"Schema version " in package.read(part):
            for leaf in package.tree(part).iter():
                if isinstance(leaf.tag, str) and leaf.text and words.fullmatch(leaf.text):
                    leaf.text = f"Schema version {version}"
