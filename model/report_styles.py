"""How the workbook looks: fonts, colours, number formats, and the width that a value takes."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format

FONT = "Arial"
HEADER_FILL = "#D9E2EC"
TITLE_COLOUR = "#1F3A5F"
RULE_COLOUR = "#9AA5B1"
NOTE_COLOUR = "#52606D"
FAIL_COLOUR = "#B00020"
PASS_COLOUR = "#1B6E3C"
LINK_COLOUR = "#1F4E9E"

TONNES = ("t REO", "t REO/y", "t")
MONEY = ("MUSD", "MUSD/y")
_NUMBER_FORMATS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("USD/kg", "USD/kg REO", "MUSD/y per point", "MUSD per point"), "#,##0.00"),
    (("year",), "0"),
    (("rank", "rows", "products"), "#,##0"),
    (("t REO/y or MUSD/y", "days", "see unit", "kt REO"), "#,##0.0"),
    (("years",), "0.000"),
)


def number_format(unit: str, value: Any = 1000.0) -> str:
    """Return the number format that suits a unit and a size: sensible digits, no more.

    Examples
    --------
    >>> number_format("share"), number_format("year"), number_format("t"), number_format("t", 3.2)
    ('0.0 %', '0', '#,##0', '#,##0.00')
    """
    if unit.startswith("share"):
        return "0.0 %" if unit == "share" else "0.00 %"
    if unit in TONNES or unit in MONEY:
        digits = ".0" if unit in MONEY else ".00" if isinstance(value, float) and 0.0 < abs(value) < 10.0 else ""
        # an exact 0 shows as a dash
        return f'#,##0{digits};-#,##0{digits};"–"' if unit in MONEY or value == 0 else f"#,##0{digits}"
    whole = isinstance(value, float) and value == int(value) if math.isfinite(value) else False
    return next((form for units, form in _NUMBER_FORMATS if unit in units), "#,##0" if whole else "#,##0.0###")


_CHARACTER_WIDTHS = {
    **dict.fromkeys("ijl'|", 0.45), **dict.fromkeys("tfI .,:;/![]\\", 0.5), **dict.fromkeys("r()-\"*", 0.65),
    **dict.fromkeys("mM", 1.5), **dict.fromkeys("wGOQ+=<>~", 1.35), **dict.fromkeys("W%@", 1.75),
}  # fmt: skip
"""Widths in the sheet's font that are far from a digit's."""


@lru_cache(maxsize=100_000)
def text_width(text: str) -> float:
    """Return the width of a text in digits' widths; full-width characters take two."""
    return sum(_CHARACTER_WIDTHS.get(char) or (2.0 if char > "\u2e7f" else 1.22 if char.isupper() else 1.0) for char in text)


def shown_length(value: Any, unit: str) -> float:
    """Return how many digits' widths a value takes on the page."""
    if value is None or isinstance(value, str):
        return text_width(value or "")
    if isinstance(value, float) and math.isnan(value):
        return 0
    if unit.startswith("share"):
        return len(f"{value:.2%}") + 1
    if unit in ("year", "rank", "rows"):
        return len(f"{value:,.0f}")
    if unit in TONNES:
        return len(f"{value:,.0f}") if abs(value) >= 10 else len(f"{value:,.2f}")
    return len(f"{value:,.2f}") + 1


class Styles:
    """The formats of a workbook, each made once."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self._workbook = workbook
        self._made: dict[tuple, Format] = {}
        self._numbers: dict[tuple[str, int, bool, bool, bool], Format] = {}
        self._texts: dict[tuple[bool, bool, bool], Format] = {}

    def get(self, **properties: Any) -> Format:
        """Return the format with these XlsxWriter properties."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._workbook.add_format({"font_name": FONT, "font_size": 10, "valign": "top", **properties})
        return self._made[key]

    def number(self, unit: str, value: Any = 1000.0, bold: bool = False, ruled: bool = False, linked: bool = False) -> Format:
        """Return the format of a figure of a unit and a size; `ruled`: with a line above, for totals; `linked`: leads to an input."""
        number = value if isinstance(value, float) else 1000.0
        size = 0 if number == 0 else (1 if abs(number) < 10.0 else 2) + 2 * (number % 1.0 != 0.0)
        key = (unit, size, bold, ruled, linked)
        if key not in self._numbers:
            line: dict[str, Any] = {"top": 1, "top_color": RULE_COLOUR} if ruled else {}
            weight: dict[str, Any] = {**({"bold": True} if bold else {}), **({"font_color": LINK_COLOUR} if linked else {})}
            self._numbers[key] = self.get(num_format=number_format(unit, number), align="right", **weight, **line)
        return self._numbers[key]

    def text(self, column: int = 0, wrap: bool = False, linked: bool = False) -> Format:
        """Return the format of a text cell; a little room parts it from figures on its left."""
        key = (column > 0, wrap, linked)
        if key not in self._texts:
            more: dict[str, Any] = {**({"text_wrap": True} if wrap else {}), **({"font_color": LINK_COLOUR} if linked else {})}
            self._texts[key] = self.get(**({"indent": 1, "align": "left"} if column else {}), **more)
        return self._texts[key]

    def header(self, unit: str = "", right: bool = False, column: int = 0) -> Format:
        """Return the format of a header cell; a year header shows its unit too."""
        base: dict[str, Any] = {
            "bold": True, "bg_color": HEADER_FILL, "bottom": 1, "bottom_color": RULE_COLOUR, "text_wrap": True,
        }  # fmt: skip
        if unit:
            return self.get(**base, num_format=f'0 "[{unit}]"', align="right")
        if right:
            return self.get(**base, align="right")
        return self.get(**base, **({"indent": 1, "align": "left"} if column else {}))
