"""What to type where a scenario changes the cells of a repair: in its rows, in the cell beneath them, or in a row added to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from model.book import column_of, is_blank, setting_column
from model.scenarios import EMPTY as EMPTIES
from model.schema import SETTING_BY_NAME
from model.studies.diagnose_edits import Edit, Typed, apply_edits, as_typed, rest_of_row, verb
from model.studies.diagnose_touches import SHEET, Touch, changed_row, done_by, key_of, resolved, scenario_touches, setting_name, undone_by
from model.tables import Tables

FEWEST_DIGITS, MOST_DIGITS = 3, 12
OVERSHOOT = 1e-3
"""Of the change of a cell: how much further it may be moved so that the factor or increment has few digits."""

TYPE, EMPTY, ADD_ROW, DELETE_ROW = "type", "empty the cell", "add the row", "delete the row"


@dataclass(frozen=True)
class Instruction:
    """One thing for the planner to do.

    Parameters
    ----------
    words
        As part of a sentence.
    do, cell, now, type_in, what, scenario_row
        As in the columns of the sheet diagnosis.
    reached
        Value that the cell of the repair has in the run then.
    edit
        Of the repair that it stands for; None for a scenario row that must go with a deleted row.
    order
        Rows are deleted last, from the bottom up, so that every row stands where it is said to.
    tail
        What the words say after the value; None where other years of the row cannot be told along with this one.
    """

    words: str
    do: str
    cell: str
    now: str
    type_in: str
    what: str
    scenario_row: str
    reached: Typed
    edit: Edit | None
    order: tuple[bool, str, int]
    tail: str | None = None


def instructions(
    tables: Tables, edits: Sequence[Edit], scenario: str, allowed: Callable[[Edit], bool], exact: bool = False
) -> list[Instruction]:
    """Return what to do for the edits of one repair, in the order in which to do it.

    Parameters
    ----------
    tables
        Inputs, scenario changes applied.
    edits
        Typed together.
    scenario
        Name of the scenario that was applied, "" for none.
    allowed
        Whether validation lets a cell hold a value.
    exact
        Take only ways by which the cells get the very values of the edits.
    """
    found = [_instruction(tables, edit, scenario, allowed, exact) for edit in edits]
    return sorted([*found, *_rows_left_without_a_cell(tables, edits)], key=lambda each: each.order)


def _instruction(tables: Tables, edit: Edit, scenario: str, allowed: Callable[[Edit], bool], exact: bool) -> Instruction:
    touches = scenario_touches(tables, edit, scenario)
    if edit.column is None or not touches:
        return _plain(tables, edit, touches)
    for way in (_in_a_row, _beneath, _as_set, _in_a_row_added):
        found = way(tables, edit, touches, allowed)
        if found is not None and not (exact and found.reached != edit.after):
            return found
    plain = _plain(tables, edit, touches)
    return replace(
        plain, tail=None, words=f"{plain.words} [which {plain.scenario_row} sets together with other cells: give this one a row of its own]"
    )


def _plain(tables: Tables, edit: Edit, touches: Sequence[Touch]) -> Instruction:
    do = DELETE_ROW if edit.column is None else ADD_ROW if edit.row is None else EMPTY if is_blank(edit.after) else TYPE
    row = tables.cell(SHEET, touches[-1].row, "value") if touches else ""
    cell, now, then = edit.cell(tables), as_typed(edit.before), as_typed(edit.after)
    if do == ADD_ROW:
        then = f"setting {edit.what}, value {then}, {rest_of_row(edit.sheet, 'setting')}"
    tail = "" if do == TYPE else None
    return Instruction(edit.words(tables), do, cell, now, then, edit.what, row, edit.after, edit, _order(do, edit.sheet, edit.row), tail)


def _order(do: str, sheet: str = "", row: Hashable = 0) -> tuple[bool, str, int]:
    return (do == DELETE_ROW, sheet, -int(str(row))) if do == DELETE_ROW else (False, "", 0)


# --- ways --------------------------------------------------------------------------------------


def _in_a_row(tables: Tables, edit: Edit, touches: Sequence[Touch], allowed: Callable[[Edit], bool]) -> Instruction | None:
    """Change the value of the last scenario row that is about this cell alone; other rows may go on from there."""
    for place in reversed(range(len(touches))):
        touch, later = touches[place], touches[place + 1 :]
        if touch.alone:
            break
        if touch.operation == "set":
            return None
    else:
        return None
    value = _value_in(tables, edit, touch, later)
    if value is None:
        return None
    typed, reached = _entered(value[0]), value[1]
    cell, now = tables.cell(SHEET, touch.row, "value"), as_typed(_entered(touch.value))
    noun = {"multiply": "the factor on ", "add": "the increment of ", "set": ""}[touch.operation]
    words = f"{verb(touch.value, typed)} {cell} ({noun}{edit.what}, in scenario {touch.scenario}) from {now} to {as_typed(typed)}"
    if touch.operation != "set" or later:
        words += f", so that {as_typed(edit.before)} becomes {as_typed(reached)}"
    return Instruction(words, TYPE, cell, now, as_typed(typed), edit.what, cell, reached, edit, _order(TYPE))


def _value_in(tables: Tables, edit: Edit, touch: Touch, later: Sequence[Touch]) -> tuple[Typed, Typed] | None:
    """Return the value of a scenario row under which the cell gets as far as the edit, and what it gets to; None where none can be told."""
    if isinstance(edit.after, str) or isinstance(edit.before, str):
        return (edit.after, edit.after) if touch.operation == "set" and not later else None
    if touch.operation == "set":
        return _nearest(undone_by(edit.after, later), lambda value: done_by(value, later), edit, _is_whole(tables, edit))
    base = touch.undone(undone_by(edit.before, later))
    aim = undone_by(edit.after, later)
    wanted = aim - base if touch.operation == "add" else aim / base if base else math.nan
    return _nearest(wanted, lambda value: done_by(replace(touch, value=value).done(base), later), edit, _is_whole(tables, edit))


def _beneath(tables: Tables, edit: Edit, touches: Sequence[Touch], allowed: Callable[[Edit], bool]) -> Instruction | None:
    """Change the cell itself, whose value the scenario's factors and increments then change."""
    if edit.sheet == "settings" or isinstance(edit.after, str) or isinstance(edit.before, str):
        return None
    whole = _is_whole(tables, edit)
    value = _nearest(undone_by(edit.after, touches), lambda figure: done_by(figure, touches), edit, whole)
    base = undone_by(edit.before, touches)
    if value is None or math.isnan(base) or not allowed(replace(edit, after=value[0])):
        return None
    typed, reached = value
    base = round(base, 9)
    row, cell = tables.cell(SHEET, touches[-1].row, "value"), tables.cell(edit.sheet, edit.row, edit.column)
    steps = " and ".join(
        f"{'multiplies it by' if touch.operation == 'multiply' else 'adds'} {as_typed(touch.value)} ({tables.cell(SHEET, touch.row, 'value')})"
        for touch in touches
    )
    words = f"{verb(base, typed)} {cell} ({edit.what}) from {as_typed(base)} to {as_typed(typed)}"
    tail = f", of which the scenario, as it {steps}, makes {as_typed(reached)} in place of {as_typed(edit.before)}"
    return Instruction(words + tail, TYPE, cell, as_typed(base), as_typed(typed), edit.what, row, reached, edit, _order(TYPE), tail)


def _as_set(tables: Tables, edit: Edit, touches: Sequence[Touch], allowed: Callable[[Edit], bool]) -> Instruction | None:
    """Turn the last factor or increment, if it is about this cell alone, into the value itself."""
    touch = touches[-1]
    if not touch.alone or touch.operation == "set":
        return None
    value, operation = tables.cell(SHEET, touch.row, "value"), tables.cell(SHEET, touch.row, "operation")
    words = f"type set in {operation} and {as_typed(edit.after)} in {value} ({edit.what}, now {as_typed(edit.before)})"
    then = f"operation set, value {as_typed(edit.after)}"
    now = f"operation {touch.operation}, value {as_typed(touch.value)}"
    return Instruction(words, TYPE, value, now, then, edit.what, value, edit.after, edit, _order(TYPE))


def _in_a_row_added(tables: Tables, edit: Edit, touches: Sequence[Touch], allowed: Callable[[Edit], bool]) -> Instruction | None:
    """Add a row to the scenario that sets this cell after all others; None where no key names its row alone."""
    key, column = key_of(tables, edit), "value" if edit.sheet == "settings" else str(edit.column)
    record: dict[Hashable, object] = {"sheet": edit.sheet, "key": key, "column": column, "operation": "set", "value": _entered(edit.after)}
    change = resolved(tables, record)
    if change is None or change.rows != (changed_row(tables, edit),) or len(change.columns) != 1:
        return None
    scenario = touches[-1].scenario
    row = tables.cell(SHEET, touches[-1].row, "value")
    # two rows of a scenario may not have the same key
    old = [str(touch.row) for touch in touches if touch.alone and touch.scenario == scenario]
    entries = f"sheet {edit.sheet}, key {key}, column {column}, operation set, value {as_typed(_entered(edit.after))}"
    place = f" in place of row {old[-1]}" if old else ""
    rest = rest_of_row(SHEET, "scenario", *map(str, record))
    words = f"add a last row to scenario {scenario} on sheet scenarios{place}: {entries} ({rest}; {edit.what}, now {as_typed(edit.before)})"
    order = _order(DELETE_ROW, SHEET, old[-1]) if old else _order(ADD_ROW)
    return Instruction(
        words,
        ADD_ROW,
        SHEET,
        as_typed(edit.before),
        f"scenario {scenario}{place}, {entries}, {rest}",
        edit.what,
        row,
        edit.after,
        edit,
        order,
    )


def _rows_left_without_a_cell(tables: Tables, edits: Sequence[Edit]) -> Iterator[Instruction]:
    """Yield the scenario rows that must go with rows that are deleted, as their key would name nothing."""
    gone, frame = [edit for edit in edits if edit.column is None], tables[SHEET]
    left, records = apply_edits(tables, gone), frame.to_dict("index")
    idle = [row for row, record in records.items() if resolved(tables, record) and not resolved(left, record)] if gone else []
    for row in idle:
        name, place = records[row]["scenario"], f"{SHEET}!{row}"
        what = f"it changes what is deleted on sheet {records[row]['sheet']}"
        if set(frame.index[frame["scenario"] == name]) <= set(idle):
            what += f"; nothing is left of scenario {name}, run without it"
        words = f"delete row {row} of scenarios ({what})"
        yield Instruction(words, DELETE_ROW, place, "in force", "deleted", what, place, "deleted", None, _order(DELETE_ROW, SHEET, row))


def _entered(value: Typed) -> Typed:
    """Return a value as a row of a scenario sets it."""
    return EMPTIES if is_blank(value) else value


# --- figures -----------------------------------------------------------------------------------


def _nearest(wanted: float, done: Callable[[float], float], edit: Edit, whole: bool) -> tuple[float, float] | None:
    """Return the shortest figure that takes the cell at least as far as the edit, hardly further, and what it takes it to."""
    if not math.isfinite(wanted):
        return None
    aim, now = float(edit.after), float(edit.before)
    dust = 1e-9 * max(1.0, abs(aim))
    most = dust if whole or edit.after == edit.before else OVERSHOOT * abs(aim - now)
    for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        step = 10.0 ** (math.floor(math.log10(abs(wanted))) - digits + 1) if wanted else 1.0
        for places in sorted({math.floor(wanted / step), math.ceil(wanted / step)}, key=lambda n: abs(done(n * step) - aim)):
            figure = float(f"{places * step:.12g}")
            reached = done(figure)
            if abs(reached - aim) <= dust:
                return figure, aim
            if 0 < (reached - aim) * (1.0 if aim > now else -1.0) <= most:
                return figure, reached
    return None


def _is_whole(tables: Tables, edit: Edit) -> bool:
    column = setting_column(SETTING_BY_NAME[setting_name(tables, edit)]) if edit.sheet == "settings" else column_of(edit.sheet, edit.column)
    return column.kind in ("integer", "year")
