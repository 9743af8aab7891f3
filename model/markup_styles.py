"""Formats added to the end of a planner's style sheet, so that none of those in use moves."""

from __future__ import annotations

from lxml import etree

from model.package import Package, insert_before

_ORDER = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles", "colors", "extLst")
_STYLES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_LEAST = (
    '<styleSheet xmlns="{space}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs></styleSheet>'
)


def add_difference_format(package: Package, fill: str, border: str) -> int:
    """Add what a conditional format changes, a fill and a border, and return its number."""
    sides = "".join(f'<{side} style="thin"><color rgb="{border}"/></{side}>' for side in ("left", "right", "top", "bottom"))
    return _append(
        package,
        "dxfs",
        f'<dxf xmlns="{{space}}"><fill><patternFill patternType="solid"><fgColor rgb="{fill}"/><bgColor rgb="{fill}"/></patternFill></fill>'
        f"<border>{sides}</border></dxf>",
    )


def add_cell_format(package: Package, font: str = "", fill: str = "", wrap: bool = True) -> int:
    """Add a cell format and return its number.

    Parameters
    ----------
    package
        Workbook.
    font
        Inner XML of the font; the book's first font if left out.
    fill
        Colour of the cell, eight hexadecimal digits; none if left out.
    wrap
        Wrap long text.
    """
    number = _append(package, "fonts", f'<font xmlns="{{space}}">{font}</font>') if font else 0
    colour = 0
    if fill:
        colour = _append(
            package,
            "fills",
            f'<fill xmlns="{{space}}"><patternFill patternType="solid"><fgColor rgb="{fill}"/><bgColor indexed="64"/></patternFill></fill>',
        )
    return _append(
        package,
        "cellXfs",
        f'<xf xmlns="{{space}}" numFmtId="0" fontId="{number}" fillId="{colour}" borderId="0" xfId="0" applyFont="1" applyFill="1" '
        f'applyAlignment="1"><alignment vertical="top" wrapText="{int(wrap)}"/></xf>',
    )


def _append(package: Package, group: str, element: str) -> int:
    """Append an element to a group of the style sheet and return its place."""
    tree = package.tree(_styles_part(package))
    space = etree.QName(tree).namespace
    holder = tree.find(f"{{{space}}}{group}")
    if holder is None:
        holder = etree.Element(f"{{{space}}}{group}")
        insert_before(tree, holder, _ORDER[_ORDER.index(group) + 1 :])
    holder.append(etree.fromstring(element.format(space=space)))
    holder.set("count", str(len(holder)))
    return len(holder) - 1


def _styles_part(package: Package) -> str:
    parts = package.related(package.workbook, "styles")
    if parts:
        return parts[0]
    part = package.free_name("xl/styles", "xml")
    package.write_part(part, _LEAST.format(space=etree.QName(package.tree(package.workbook)).namespace).encode())
    package.declare(part, _STYLES_TYPE)
    package.relate(package.workbook, "styles", part)
    return part
