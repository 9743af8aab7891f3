"""Why no plan exists: the smallest changes of the planner's own figures that make one possible.

The elastic model proposes, :func:`model.planner.solve` disposes: a repair is reported only if the book with the
cells typed as shown has a plan that passes verification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from model.outcome import SolveOptions
from model.result_schema import ResultColumn
from model.studies.diagnose_edits import Edit, apply_edits
from model.studies.diagnose_levers import Lever, lever
from model.studies.diagnose_repairs import MOST_OF_A_KIND, RepairSearch, find_repairs, without_more_than_needed
from model.studies.diagnose_scenario import Instruction, instructions
from model.studies.diagnose_search import Repair, Trials, Verdict
from model.studies.diagnose_thorium import with_lowest_levels
from model.studies.diagnose_words import sentence
from model.studies.study import StudySheet
from model.tables import Tables
from model.validation import check_tables

COLUMNS = (
    ResultColumn(
        "repair",
        "rank",
        "Repairs of the fewest rows first, the smallest changes first among them; all rows of one repair are done, from the top down.",
    ),
    ResultColumn("do", "", "What to do."),
    ResultColumn("cell", "", "Cell of the input workbook; the sheet of a row to add, sheet and row of one to delete."),
    ResultColumn("now", "", "What stands there."),
    ResultColumn(
        "type_in",
        "",
        "What to type: the smallest change that was found to work, to the digits shown and with the other cells of the repair as typed.",
    ),
    ResultColumn("meaning", "", "What the cell says."),
    ResultColumn("scenario_row", "", "Row of the sheet scenarios that changes this cell in this run; what to type reckons with it."),
    ResultColumn(
        "smallest",
        "",
        "yes: proven that one step less leaves no plan. each by itself: proven of every cell, the others as typed; another split among the cells "
        "may be smaller. not proven: no time, too many cells, or a solve that did not settle it.",
    ),
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
    trials = Trials(tables, options)
    search = find_repairs(trials, say)
    needed = [with_lowest_levels(trials, repair) for repair in without_more_than_needed(search.repairs)]
    repairs = tuple(sorted(needed, key=lambda repair: (repair.rows, repair.size)))
    say(f"Diagnosis: {len(repairs)} repairs, {trials.solves} changed books solved, {trials.spent:,.1f} s")
    unsettled = list(_open_sentences(search))
    steps = [_instructions(trials, repair, scenario) for repair in repairs]
    conflicts = tuple(
        f"{finding.place}: found {finding.found}; allowed: {finding.allowed}."
        for finding in check_tables(tables)
        if finding.rule.endswith("_impossible")
    )
    sentences = (*_repair_sentences(tables, steps), *unsettled)
    return Diagnosis(repairs, sentences, conflicts, _sheet(repairs, steps, sentences, conflicts))


def _instructions(trials: Trials, repair: Repair, scenario: str) -> list[Instruction]:
    """Return what to do for a repair; where a scenario takes its cells a little further than the edits, that was solved as well."""

    def allowed(edit: Edit) -> bool:
        return not trials.refused(apply_edits(trials.tables, [edit]))

    found = instructions(trials.tables, repair.edits, scenario, allowed)
    reached = {each.edit.key: each.reached for each in found if each.edit is not None}
    edits = [replace(edit, after=reached[edit.key]) for edit in repair.edits]
    if edits == list(repair.edits) or trials.verdict(edits) is Verdict.PLAN:
        return found
    return instructions(trials.tables, repair.edits, scenario, allowed, exact=True)


def _repair_sentences(tables: Tables, steps: Sequence[Sequence[Instruction]]) -> Iterator[str]:
    for number, step in enumerate(steps):
        text = sentence(tables, step)
        yield f"{'or: ' if number else ''}{text[0].upper()}{text[1:]}."


def _open_sentences(search: RepairSearch) -> Iterator[str]:
    """Yield what could not be settled, and why."""
    trials, cut_short = search.trials, search.cut_short or search.trials.timed_out
    if search.hopeless:
        yield "No change of caps, limits, budgets, rules, stocks, contracts, supply or demand makes a plan possible: the figures that describe plants and ores themselves contradict each other."
    elif cut_short and not search.repairs:
        yield "No repair could be confirmed in the time; give it more with --time-limit."
    elif cut_short:
        yield "The time ran out before every figure was tried: there may be other and smaller repairs; give it more with --time-limit."
    elif not search.repairs:
        yield (
            "No repair could be confirmed."
            if trials.failed_plans or trials.solver_failures
            else "No repair was found: every change that was tried still leaves no plan."
        )
    if others := sorted({_place(own) for code in search.untried if (own := lever(trials.tables, code)) is not None}):
        yield f"Of a kind, the {MOST_OF_A_KIND} smallest repairs were looked for; further rows were not tried and may do as well: {', '.join(others)}."
    if trials.failed_plans:
        yield f"{_times(trials.failed_plans)} the plan of a changed book failed verification, so its change is not shown; first: {trials.failed_plans[0]}"
    if trials.solver_failures:
        yield f"{_times(trials.solver_failures)} the solver failed, so that a change is not settled; first: {trials.solver_failures[0]}."


def _place(own: Lever) -> str:
    """Return the sheet and the column of a figure."""
    column = "rows" if own.column is None else "years" if isinstance(own.column, int) else str(own.column)
    return f"{column} of {own.sheet}"


def _times(told: Sequence[str]) -> str:
    return "Once" if len(told) == 1 else f"{len(told)} times"


def _sheet(
    repairs: Sequence[Repair], steps: Sequence[Sequence[Instruction]], sentences: Sequence[str], conflicts: Sequence[str]
) -> StudySheet:
    lines = [
        (float(number), each.do, each.cell, each.now, each.type_in, each.what, each.scenario_row, repair.smallest)
        for number, (repair, step) in enumerate(zip(repairs, steps, strict=True), 1)
        for each in step
    ]
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
