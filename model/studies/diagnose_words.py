"""Repairs in words: cells of one row whose years change alike are told in one breath."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from model.studies.diagnose_edits import Edit
from model.studies.diagnose_scenario import ADD_ROW, Instruction
from model.studies.diagnose_touches import SHEET
from model.tables import Tables
from model.words import joined


def sentence(tables: Tables, steps: Sequence[Instruction]) -> str:
    """Return the instructions of one repair as part of a sentence, in the order in which to do them."""
    return " and ".join(_several(tables, run) if len(run) > 1 else run[0].words for run in _runs(steps))


def _runs(steps: Sequence[Instruction]) -> Iterator[list[Instruction]]:
    """Yield the instructions, those that follow each other and can be told together in one list."""
    run: list[Instruction] = []
    for step in steps:
        if run and (_kind(step) is None or _kind(step) != _kind(run[0])):
            yield run
            run = []
        run.append(step)
    if run:
        yield run


def _kind(step: Instruction) -> tuple[object, ...] | None:
    """Return what instructions that can be told together share; None for one that stands alone."""
    edit = step.edit
    if edit is None or not isinstance(edit.column, int):
        return None
    if step.do == ADD_ROW and " in place of row " not in step.words:
        return (edit.sheet, edit.row, step.words.replace(_column(edit), "").replace(edit.what, _meaning(edit, "*")))
    if step.tail is None:
        return None
    return (edit.sheet, edit.row, _verb(step), _meaning(edit, "*"), step.tail)


def _several(tables: Tables, run: Sequence[Instruction]) -> str:
    edits = [step.edit for step in run if step.edit is not None]
    if run[0].do == ADD_ROW:
        return _one_row_for_all(tables, run, edits)
    places = [step.cell.partition("!")[2] for step in run]
    neighbours = [_neighbours(tables, one, other) for one, other in pairwise(edits)]
    following = _following(edits)
    cells = f"{edits[0].sheet}!{_spans(places, neighbours, ':')}"
    meaning = _meaning(edits[0], _spans([str(edit.column) for edit in edits], following, "–"))
    now, then = ([step.now for step in run], [step.type_in for step in run])
    in_turn = " in turn" if len(set(then)) > 1 else ""
    tail = (run[0].tail or "").replace("multiplies it by", "multiplies each by").replace(" adds ", " adds to each ")
    return f"{_verb(run[0])} {cells} ({meaning}) from {_series(now)} to {_series(then)}{in_turn}{tail}"


def _one_row_for_all(tables: Tables, run: Sequence[Instruction], edits: Sequence[Edit]) -> str:
    """Return the words of a single scenario row for several years, or of a row for each where the scenarios have such a row already."""
    years, following = [str(edit.column) for edit in edits], _following(edits)
    column, rows = _spans(years, following, "-").replace(" and ", ", "), tables[SHEET]
    if ((rows["sheet"] == edits[0].sheet) & (rows["column"].astype(str).str.replace(" ", "") == column.replace(" ", ""))).any():
        return " and ".join(step.words for step in run)
    words = run[0].words.replace(_column(edits[0]), f", column {column}, ")
    return words.replace(edits[0].what, _meaning(edits[0], _spans(years, following, "–")))


def _column(edit: Edit) -> str:
    return f", column {edit.column}, "


def _verb(step: Instruction) -> str:
    return step.words.partition(" ")[0]


def _meaning(edit: Edit, years: str) -> str:
    """Return what the cell means, with other years in the place of its own."""
    before, _, after = edit.what.rpartition(f" in {edit.column}")
    return f"{before} in {years}{after}"


def _neighbours(tables: Tables, one: Edit, other: Edit) -> bool:
    columns = [str(name) for name in tables[one.sheet].columns]
    return columns.index(str(other.column)) == columns.index(str(one.column)) + 1


def _following(edits: Sequence[Edit]) -> list[bool]:
    """Return whether each edit but the first is of the year after that of the one before."""
    return [int(str(other.column)) == int(str(one.column)) + 1 for one, other in pairwise(edits)]


def _spans(texts: Sequence[str], together: Sequence[bool], dash: str) -> str:
    """Return texts of which neighbours that go together are told by the first and the last.

    Examples
    --------
    >>> _spans(["F5", "G5", "H5", "K5"], [True, True, False], ":")
    'F5:H5 and K5'
    """
    spans: list[list[str]] = []
    for text, goes_on in zip(texts, [False, *together], strict=True):
        if goes_on:
            spans[-1].append(text)
        else:
            spans.append([text])
    return joined([span[0] if len(span) == 1 else f"{span[0]}{dash}{span[-1]}" for span in spans])


def _series(texts: Sequence[str]) -> str:
    """Return one text where all are the same, else all of them."""
    return texts[0] if len(set(texts)) == 1 else joined(texts)
