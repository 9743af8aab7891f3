"""What a column, a family of columns or a setting asks for, in a planner's words."""

from __future__ import annotations

from model.schema import ANY, Column, Setting, Sheet, Spread
from model.schema_japanese import column_label


def range_in_words(low: float | None, high: float | None) -> str:
    """Return a closed range in words; "" where nothing bounds it.

    Examples
    --------
    >>> range_in_words(0, None), range_in_words(1e-9, None), range_in_words(0, 1)
    ('0 or more', 'more than 0', '0 to 1')
    """
    if low is None and high is None:
        return ""
    if low is not None and 0 < low < 1e-6:
        return "more than 0" if high is None else f"more than 0, up to {high:g}"
    if high is None:
        return f"{low:g} or more"
    return f"{high:g} or less" if low is None else f"{low:g} to {high:g}"


def column_note(sheet: Sheet, column: Column) -> str:
    """Return the note of a header cell: meaning, unit, what may stand there, what blank means."""
    label = column_label(sheet.name, column.name)
    lines = [*([label] if label else []), column.description]
    if column.unit:
        lines.append(f"Unit: {column.unit}.")
    if column.kind in ("year", "integer"):
        lines.append("A whole number.")
    if words := range_in_words(column.low, column.high):
        lines.append(f"Range: {words}.")
    if column.choices:
        lines.append(f"One of: {', '.join(column.choices)}.")
    if column.refers:
        target, _, name = column.refers.partition(".")
        several = ", several parted by commas" if column.kind == "codes" else ""
        lines.append(f"As in sheet {target}, column {name}{several}.")
    elif column.kind == "codes":
        lines.append("Several parted by commas.")
    if column.wildcard:
        lines.append(f"{ANY} stands for every one.")
    lines.append(_blank_line(column.required, column.blank))
    if column.name in sheet.key:
        also = [name for name in sheet.key if name != column.name]
        lines.append(f"Names the row, with {', '.join(also)}: no two rows alike." if also else "Names the row: no two rows alike.")
    return "\n".join(lines)


def spread_note(spread: Spread, member: object) -> str:
    """Return the note of the header of one year or one element."""
    lines = [f"{spread.description} ({member})", f"Unit: {spread.unit}."]
    if words := range_in_words(spread.low, spread.high):
        lines.append(f"Range: {words}.")
    lines.append(_blank_line(spread.required, spread.blank))
    return "\n".join(lines)


def setting_note(setting: Setting) -> str:
    """Return the note of a setting's value cell: meaning, unit, range and default."""
    lines = [setting.description]
    if setting.unit:
        lines.append(f"Unit: {setting.unit}.")
    if setting.kind in ("year", "integer"):
        lines.append("A whole number.")
    if words := range_in_words(setting.low, setting.high):
        lines.append(f"Range: {words}.")
    if setting.choices:
        lines.append(f"One of: {', '.join(setting.choices)}.")
    default = f"{setting.default:g}" if isinstance(setting.default, int | float) else setting.default or "blank"
    lines.append(f"Default: {default}.")
    return "\n".join(lines)


def _blank_line(required: bool, blank: str) -> str:
    if required:
        return "Must be filled."
    return f"May be blank: {blank}." if blank else "May be blank."
