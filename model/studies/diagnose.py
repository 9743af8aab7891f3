"""Why no plan exists: the smallest changes of the planner's own figures that make one possible.

The elastic model proposes, :func:`model.planner.solve` disposes: a repair is reported only if the book with the
cells typed as shown has a plan that passes verification.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from model.outcome import SolveOptions
from model.result_schema import ResultColumn
from model.scenarios import ScenarioError, resolve_row
from model.studies.diagnose_edits import Edit, as_typed
from model.studies.diagnose_repairs import RepairSearch, find_repairs, without_more_than_needed
from model.studies.diagnose_search import Repair, Trials
from model.studies.study import StudySheet
from model.tables import Tables
from model.validation import check_tables

COLUMNS = (
    ResultColumn("repair", "rank", "Repairs in order of size, the smallest first; the cells of one repair are typed together."),
    ResultColumn("do", "", "What to do."),
    ResultColumn("cell", "", "Cell of the input workbook."),
    ResultColumn("now", "", "What stands there."),
    ResultColumn("type_in", "", "What to type: the smallest change, to the digits shown, that works."),
    ResultColumn("meaning", "", "What the cell says."),
    ResultColumn("scenario_row", "", "Row of the sheet scenarios that sets this cell in this run; change it there."),
    ResultColumn("smallest", "", "yes: proven that one step less leaves no plan; not proven: no time or too many cells."),
)

MOST_HEADLINES = 6
"""Repairs shown on the first page."""


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Parameters
    ----------
    repairs
        Verified, smallest first.
    sentences
        The repairs and what could not be settled, in words.
    conflicts
        What arithmetic alone says.
    sheet
        For the solution workbook.
    """

    repairs: tuple[Repair, ...]
    sentences: tuple[str, ...]
    conflicts: tuple[str, ...]
    sheet: StudySheet


def diagnose(
    tables: Tables,
    options: SolveOptions,
    say: Callable[[str], None] = lambda _: None,
    scenario: str = "",
) -> Diagnosis:
    """Find the smallest changes that make a plan of an impossible book possible.

    Parameters
    ----------
    tables
        Validated inputs, scenario changes applied, of which no plan exists.
    options
        Of the run; the time limit is that of the whole diagnosis.
    say
        Called with a sentence of progress.
    scenario
        Name of the scenario that was applied, "" for none.

    Returns
    -------
    Diagnosis
        Never a repair that was not solved and verified.
    """
    began = time.monotonic()
    trials = Trials(tables, options)
    search = find_repairs(trials, say)
    repairs = tuple(sorted(without_more_than_needed(search.repairs), key=lambda repair: (repair.rows, repair.size)))
    say(f"Diagnosis: {len(repairs)} repairs, {trials.solves} changed books solved, {time.monotonic() - began:,.1f} s")
    rows = {edit.key: scenario_row(tables, edit, scenario) for repair in repairs for edit in repair.edits}
    conflicts = tuple(
        f"{finding.place}: found {finding.found}; allowed: {finding.allowed}."
        for finding in check_tables(tables)
        if finding.rule.endswith("_impossible")
    )
    sentences = tuple(_sentences(tables, repairs, rows, search))
    return Diagnosis(repairs, sentences, conflicts, _sheet(tables, repairs, rows, sentences, conflicts))


def scenario_row(tables: Tables, edit: Edit, scenario: str) -> str:
    """Return the row of the scenarios sheet that set a cell, "" if none did; the last one where several did."""
    frame, found = tables["scenarios"], ""
    names = [scenario] if scenario in set(frame["scenario"]) else [part.strip() for part in scenario.split("+")]
    for name in names if scenario else []:
        for row, record in frame[frame["scenario"] == name].to_dict("index").items():
            try:
                change = resolve_row(tables, record, row)
            except ScenarioError:
                continue
            rows = {edit.what} if edit.sheet == "settings" else {edit.row}
            if change.sheet == edit.sheet and rows & set(change.rows) and (edit.column is None or edit.column in change.columns):
                found = tables.cell("scenarios", row, "value")
    return found


def _words(tables: Tables, repair: Repair, rows: dict) -> str:
    parts = []
    for edit in repair.edits:
        words, row = edit.words(tables), rows[edit.key]
        parts.append(f"{words} [set by the scenario in {row}]" if row else words)
    text = " and ".join(parts)
    return text[0].upper() + text[1:]


def _sentences(tables: Tables, repairs: Sequence[Repair], rows: dict, search: RepairSearch) -> Iterator[str]:
    for number, repair in enumerate(repairs, 1):
        lead = "" if number == 1 else "or: "
        yield f"{lead}{_words(tables, repair, rows)}."
    if search.hopeless:
        yield "No change of caps, limits, budgets, rules, stocks, contracts, supply or demand makes a plan possible: the figures that describe plants and ores themselves contradict each other."
    elif not repairs:
        yield "No repair could be confirmed in the time; give it more with --time-limit."
    elif search.cut_short:
        yield "The time ran out before every figure was tried: there may be other and smaller repairs; give it more with --time-limit."


def _sheet(tables: Tables, repairs: Sequence[Repair], rows: dict, sentences: Sequence[str], conflicts: Sequence[str]) -> StudySheet:
    lines = []
    for number, repair in enumerate(repairs, 1):
        for edit in repair.edits:
            verb = "delete the row" if edit.column is None else "add the row" if edit.row is None else "type"
            lines.append(
                (float(number), verb, edit.cell(tables), as_typed(edit.before), as_typed(edit.after), edit.what, rows[edit.key],
                 "yes" if repair.proven else "not proven")
            )  # fmt: skip
    frame = pd.DataFrame(lines, columns=[column.name for column in COLUMNS])
    how = "Each repair alone makes a plan possible: it was typed into a copy of the inputs and solved, and the plan was verified. The cost was not minimised."
    arithmetic = [f"Arithmetic alone shows: {conflict}" for conflict in conflicts]
    others = list(sentences[len(repairs) :])
    headlines = [*sentences[: len(repairs)][:MOST_HEADLINES], *others] if repairs else [*arithmetic[:1], *others]
    return StudySheet(
        "diagnosis",
        "What would make a plan possible, smallest changes first.",
        [("", COLUMNS, frame)],
        [*([how] if repairs else []), *arithmetic, *others],
        headlines,
    )
