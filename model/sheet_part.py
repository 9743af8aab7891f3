"""Single cells written into a worksheet's XML; every other cell stays as it is."""

from __future__ import annotations

from lxml import etree
from xlsxwriter.utility import xl_col_to_name

from model.markup_comments import split_address
from model.package import Package, legal_text


class SheetPart:
    """The cells of one worksheet.

    Parameters
    ----------
    package
        Workbook.
    part
        Part of the worksheet.
    """

    def __init__(self, package: Package, part: str) -> None:
        self._tree = package.tree(part)
        self._space = f"{{{etree.QName(self._tree).namespace}}}"
        self._data = self._tree.find(f"{self._space}sheetData")
        self._rows = {int(row.attrib["r"]): row for row in self._data if "r" in row.attrib}

    def style_of(self, address: str) -> str:
        """Return the number of a cell's format; "" where the cell has none."""
        cell = self._find(address)
        return "" if cell is None else cell.attrib.get("s", "")

    @property
    def last_column(self) -> int:
        """Rightmost column, from 0, of any cell that is there; -1 in an empty sheet."""
        return max((split_address(cell.attrib["r"])[1] for row in self._data for cell in row if "r" in cell.attrib), default=-1)

    def set_width(self, column: int, characters: float) -> None:
        """Set the width of a column, from 0; its format stays."""
        holder, number = self._tree.find(f"{self._space}cols"), column + 1
        if holder is None:
            holder = etree.Element(f"{self._space}cols")
            self._data.addprevious(holder)
        old = next((one for one in holder if int(one.attrib["min"]) <= number <= int(one.attrib["max"])), None)
        spans = [(number, number)]
        if old is not None:
            first, last = int(old.attrib["min"]), int(old.attrib["max"])
            spans = [(a, b) for a, b in ((first, number - 1), (number, number), (number + 1, last)) if a <= b]
            holder.remove(old)
        for a, b in spans:
            one = etree.Element(f"{self._space}col", {**(old.attrib if old is not None else {}), "min": str(a), "max": str(b)})
            if a == number:
                one.attrib.update({"width": f"{characters}", "customWidth": "1"})
            right = next((place for place, other in enumerate(holder) if int(other.attrib["min"]) > b), len(holder))
            holder.insert(right, one)

    def reach_to(self, last: int, new: int) -> bool:
        """Let formats and the filter that span the table from its first column to the last reach to a new one; return whether a filter does."""
        filtered = False
        for element in self._tree.iter(f"{self._space}conditionalFormatting", f"{self._space}autoFilter"):
            attribute = "sqref" if "sqref" in element.attrib else "ref"
            first, _, end = element.attrib[attribute].partition(":")
            if not end or " " in end or split_address(first)[1] != 0 or split_address(end)[1] != last:
                continue
            element.set(attribute, f"{first}:{xl_col_to_name(new)}{split_address(end)[0] + 1}")
            filtered = filtered or attribute == "ref"
        return filtered

    def write_text(self, address: str, text: str, style: str = "") -> None:
        """Write a text, which is never taken for a formula."""
        cell = self._open(address, style)
        cell.set("t", "inlineStr")
        leaf = etree.SubElement(etree.SubElement(cell, f"{self._space}is"), f"{self._space}t")
        leaf.text = legal_text(text)
        leaf.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")

    def write_number(self, address: str, number: float, style: str = "") -> None:
        """Write a number with every digit that it has."""
        etree.SubElement(self._open(address, style), f"{self._space}v").text = repr(float(number)).removesuffix(".0")

    def _find(self, address: str) -> etree._Element | None:
        row = self._rows.get(split_address(address)[0] + 1)
        return None if row is None else next((cell for cell in row if cell.attrib.get("r") == address), None)

    def _open(self, address: str, style: str) -> etree._Element:
        """Return the cell, emptied; made in its place where it is not there yet."""
        cell = self._find(address)
        if cell is None:
            row_index, column = split_address(address)
            row = self._row(row_index + 1)
            cell = etree.Element(f"{self._space}c", {"r": address})
            right = next((place for place, other in enumerate(row) if split_address(other.attrib["r"])[1] > column), len(row))
            row.insert(right, cell)
            row.attrib.pop("spans", None)
        for child in list(cell):
            cell.remove(child)
        cell.attrib.pop("t", None)
        if style:
            cell.set("s", style)
        return cell

    def _row(self, number: int) -> etree._Element:
        if number not in self._rows:
            row = etree.Element(f"{self._space}row", {"r": str(number)})
            below = next((place for place, other in enumerate(self._data) if int(other.attrib["r"]) > number), len(self._data))
            self._data.insert(below, row)
            self._rows[number] = row
        return self._rows[number]
