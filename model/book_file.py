"""The workbook as a file: open it, or say why it cannot be opened and what to do."""

from __future__ import annotations

import difflib
import io
import posixpath
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from model.tables import Finding

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, ElementTree.ParseError, expat.ExpatError)
"""What reading a broken archive, or a broken part of one, can raise."""

_OLE_MAGIC = bytes.fromhex("D0CF11E0A1B11AE1")
_ALLOWED = "an Excel workbook (.xlsx)"
_SAVE_AS = "Open it in Excel or LibreOffice and save as .xlsx (Excel Workbook); renaming the file is not enough."


class BookError(Exception):
    """The workbook cannot be read at all; `finding` says why and what to do.

    Parameters
    ----------
    rule, found, allowed, remedy, sheet, cell
        As in :class:`model.tables.Finding`; the severity is always ``error``.
    """

    def __init__(self, rule: str, found: str, allowed: str, remedy: str, sheet: str = "", cell: str = "") -> None:
        self.finding = Finding(rule, "error", sheet, cell, found, allowed, remedy)
        super().__init__(str(self.finding))


def open_in_excel(path: str | Path) -> bool:
    """Tell whether a lock file says that Excel or LibreOffice has the workbook open.

    What was typed there since the last save is then not in the file.
    """
    path = Path(path)
    return any(path.with_name(name).exists() for name in (f"~${path.name}", f".~lock.{path.name}#"))


def open_archive(path: Path) -> tuple[bytes, zipfile.ZipFile]:
    """Return the file's content and the archive in it.

    Parameters
    ----------
    path
        File that should be an Excel workbook of the current format.

    Raises
    ------
    BookError
        The file is missing, locked, of another kind, protected by a password or damaged.
    """
    content = _read_bytes(path)
    if content.startswith(_OLE_MAGIC):
        raise _old_office_error(path, content)
    if not content.startswith(b"PK"):
        raise BookError("not_excel", f"{_kind_of_file(path, content)}, {path.name}", _ALLOWED, _SAVE_AS)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        names = set(archive.namelist())
        kind = archive.read("mimetype") if "mimetype" in names else b""
    except DAMAGE as error:
        raise damage_error(path, error) from error
    except RuntimeError as error:  # zipfile's word for a member under a password
        raise password_error(path) from error
    if "xl/workbook.bin" in names:
        raise BookError("not_excel", f"a binary Excel workbook (.xlsb), {path.name}", _ALLOWED, _SAVE_AS)
    if "[Content_Types].xml" not in names or any(name.startswith(("word/", "ppt/")) for name in names):
        what = "an OpenDocument spreadsheet (.ods)" if b"spreadsheet" in kind else "an archive or a document of another kind"
        raise BookError("not_excel", f"{what}, {path.name}", _ALLOWED, _SAVE_AS)
    return content, archive


def sheet_parts(archive: zipfile.ZipFile) -> tuple[dict[str, str], bool]:
    """Find the worksheets in the archive.

    Returns
    -------
    tuple of dict and bool
        Sheet name -> member of the archive; and whether the program that wrote the book asked
        for a recalculation on opening, so that the values beside its formulas are not to be trusted.

    Raises
    ------
    KeyError
        The archive lacks a part that every workbook has.
    """
    workbook = next((target for kind, target in _targets(archive, "").values() if kind == "officeDocument"), "xl/workbook.xml")
    targets = _targets(archive, workbook)
    parts, recalculate = {}, False
    for element in ElementTree.fromstring(archive.read(workbook)).iter():
        tag = element.tag.rpartition("}")[2]
        if tag == "sheet":
            key = next((value for name, value in element.attrib.items() if name.endswith("}id")), "")
            parts[element.attrib["name"]] = targets[key][1]
        elif tag == "calcPr":
            recalculate = element.attrib.get("fullCalcOnLoad") in ("1", "true")
    return parts, recalculate


def password_error(path: Path) -> BookError:
    """Return the error for a workbook that only a password opens."""
    return BookError(
        "password_protected",
        f"{path.name} is protected by a password",
        "a workbook that opens without a password",
        "Open it in Excel, File > Info > Protect Workbook > Encrypt with Password, clear the password and save.",
    )


def damage_error(path: Path, error: Exception) -> BookError:
    """Return the error for a workbook that is broken somewhere."""
    return BookError(
        "damaged_book",
        f"{path.name} is damaged ({error or type(error).__name__})",
        "a whole Excel workbook",
        "Open it in Excel, let Excel repair it and save it under a new name; or take the last good copy.",
    )


def _targets(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Return what a part of the archive points to: id -> (kind, member)."""
    folder, name = posixpath.split(part)
    root = ElementTree.fromstring(archive.read(posixpath.join(folder, "_rels", f"{name}.rels")))
    return {
        relation.attrib["Id"]: (
            relation.attrib["Type"].rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, relation.attrib["Target"])).lstrip("/"),
        )
        for relation in root
    }


def _read_bytes(path: Path) -> bytes:
    """Return the file's content, or say why there is none."""
    allowed = "the path of an .xlsx workbook"
    if path.is_dir():
        raise BookError("file_missing", f"a folder, {path}", allowed, "Name the workbook in it.")
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        there = [file.name for file in path.parent.glob("*.xlsx") if not file.name.startswith("~$")] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, there, 3, 0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Check the folder and the spelling."
        raise BookError("file_missing", f"no file {path}", allowed, hint) from error
    except PermissionError as error:
        raise BookError(
            "file_locked",
            f"{path.name} cannot be opened: the file is open in Excel, or you may not read it",
            "a file that can be read",
            "If the file is open in Excel: close it and run again; if not, ask its owner for the right to read it.",
        ) from error


def _old_office_error(path: Path, content: bytes) -> BookError:
    """Tell a password, an old workbook and another old document apart."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        return password_error(path)
    if any(f"{name}\0".encode("utf-16-le") in content for name in ("Workbook", "Book")):
        return BookError("old_excel", f"an Excel workbook of the old format (.xls), {path.name}", _ALLOWED, _SAVE_AS)
    return BookError("not_excel", f"a document of an old Office format, {path.name}", _ALLOWED, _SAVE_AS)


def _kind_of_file(path: Path, content: bytes) -> str:
    """Say what a file is that is no archive at all."""
    if not content:
        return "an empty file (0 bytes)"
    if b"\0" in content[:4096]:
        return "a file of another kind"
    return "a CSV text file" if path.suffix.lower() == ".csv" else "a text file"
