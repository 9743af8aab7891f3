"""Why no plan exists: the smallest changes of the planner's own figures that make one possible.

The elastic model proposes, :func:`model.planner.solve` disposes: a repair is reported only if the book with the
cells typed as shown has a plan that passes verification.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from model.formulation import build_model
from model.formulation_elastic import Code, Elastic, family, make_elastic
from model.matrix import Matrix, compile_model
from model.problem import Problem
from model.result_schema import ResultColumn
from model.scenarios import ScenarioError, resolve_row
from model.solution import build_solution
from model.solver import Outcome, SolveOptions, Status, solve_matrix
from model.studies.diagnose_bars import bars, widened
from model.studies.diagnose_edits import Edit, as_typed
from model.studies.diagnose_levers import dates_of, lever
from model.studies.diagnose_search import Repair, Trials, least_repair
from model.studies.diagnose_shares import share_asked
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
    ResultColumn("smallest", "", "yes: one step less was solved too and has no plan; not proven: no time or too many cells."),
)

MOST_OF_A_KIND = 3
"""Repairs by figures of one kind, such as single suppliers' tonnes."""

MOST_HEADLINES = 6
"""Repairs shown on the first page."""

MOST_COMBINED = 4
"""Repairs that need figures of several kinds at once."""

DUST = 1e-7
KIND_ORDER = (
    "rule_value", "drop_rule", "cap", "max_plants", "plants_per_host", "minimum_hosts", "budget", "country_share_limit", "earliest_start",
    "candidate", "decision_year", "build_years", "least_take", "days", "opening", "offtake_minimum", "rule_share", "supply", "uncommitted",
    "capacity", "thorium_accepted", "demand", "minimum_use",
)  # fmt: skip


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


@dataclass
class _Search:
    """Finds repairs of one book, step by step."""

    tables: Tables
    trials: Trials
    say: Callable[[str], None]
    wide_tables: Tables
    wide: Problem
    elastic: Elastic
    repairs: list[Repair] = field(default_factory=list)
    cut_short: bool = False

    def solve(self, free: set[Code] | None = None, relaxed: bool = False) -> Outcome | None:
        """Solve the elastic model with only some figures free to change; None if there is no time for it."""
        if self.trials.left <= 0:
            self.cut_short = True
            return None
        matrix: Matrix = self.elastic.matrix if free is None else self.elastic.only(free)
        options = replace(self.trials.options, absolute_gap=1e-6, relative_gap=1e-6, time_limit=max(1.0, self.trials.left))
        outcome = solve_matrix(matrix.relaxed() if relaxed else matrix, options)
        if outcome.status in (Status.LIMIT, Status.NO_PLAN_FOUND, Status.ERROR):
            self.cut_short = True
        return outcome

    def changes(self, outcome: Outcome | None) -> dict[Code, float]:
        if outcome is None or not outcome.status.has_plan:
            return {}
        return self.elastic.violations(outcome.values, DUST)

    def repair(self, outcome: Outcome, codes: Sequence[Code]) -> Repair | None:
        """Turn an elastic solution that changes these figures into values that work when typed."""
        solution = build_solution(self.wide_tables, self.wide, self.elastic.matrix, outcome)
        changes = self.changes(outcome)
        levers, asked = [], []
        for code in codes:
            found = lever(self.tables, code)
            if found is None:
                return None
            levers.append(found)
            told = found.changed(changes[code])
            asked.append(told if told is not None else share_asked(self.wide, solution, code))
        repair = least_repair(self.trials, levers, asked)
        if repair is None:
            self.cut_short = self.cut_short or self.trials.left <= 0
        else:
            self.add(repair)
        return repair

    def add(self, repair: Repair) -> None:
        if all(other.key != repair.key for other in self.repairs):
            self.repairs.append(repair)

    # --- steps ------------------------------------------------------------------------------------

    def by_kind(self, candidates: set[Code]) -> None:
        """Look for repairs by the figures of one row, kind by kind."""
        kinds = {str(code[0]) for code in candidates}
        for kind in [*(k for k in KIND_ORDER if k in kinds), *sorted(kinds - set(KIND_ORDER))]:
            free = {code for code in candidates if code[0] == kind}
            for _ in range(MOST_OF_A_KIND):
                found = self._one(free)
                if not found:
                    break
                free -= {code for code in free if family(code) in found}

    def _one(self, free: set[Code]) -> set[Code]:
        """Find the cheapest change among free figures and report it; return the rows that it touched, empty if there is none."""
        if not free:
            return set()
        relaxed = self.solve(free, relaxed=True)
        if relaxed is None or not relaxed.status.has_plan:
            return set()
        outcome = self.solve(free)
        changes = self.changes(outcome)
        if outcome is None or not changes:
            return set()
        families = {family(code) for code in changes}
        if len(families) > 1:
            # perhaps one row alone will do: a cheaper sum may have been spread over several
            for row in sorted(families, key=str):
                alone = {code for code in free if family(code) == row}
                single = self.solve(alone)
                if self.changes(single) and single is not None:
                    self.repair(single, list(self.changes(single)))
        self.repair(outcome, list(changes))
        return families

    def combined(self, first: Outcome | None) -> None:
        """Report the cheapest change of all figures together, then others that leave out one of its figures each."""
        waiting: list[tuple[frozenset[Code], Outcome | None]] = [(frozenset(), first)]
        seen: set[frozenset[Code]] = set()
        tried = 0
        everything = set(self.elastic.codes)
        while waiting and tried < MOST_COMBINED:
            shut, outcome = waiting.pop(0)
            if outcome is None:
                outcome = self.solve({code for code in everything if family(code) not in shut})
            changes = self.changes(outcome)
            if outcome is None or not changes:
                continue
            families = frozenset(family(code) for code in changes)
            if families in seen:
                continue
            seen.add(families)
            tried += 1
            self.repair(outcome, list(changes))
            waiting += [(shut | {row}, None) for row in sorted(families, key=str)]

    def dates(self) -> None:
        """Try to move the dates of rules that a repair has changed."""
        codes = {code for code in self.elastic.codes if code[0] in ("drop_rule", "rule_value", "rule_share", "country_share_limit", "days")}
        for repair in list(self.repairs):
            if len(repair.edits) != 1:
                continue
            for code in codes:
                own = lever(self.tables, code)
                if own is not None and own.edit(own.current).key == repair.edits[0].key:
                    for date in dates_of(self.tables, code):
                        found = least_repair(self.trials, [date], [None])
                        if found is not None:
                            self.add(found)


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
    wide_tables, wide = widened(tables)
    elastic = make_elastic(wide, compile_model(build_model(wide)), list(bars(tables, wide)))
    search = _Search(tables, trials, say, wide_tables, wide, elastic)
    say(f"Looking for the smallest changes that make a plan possible, among {len(elastic.codes):,} figures of the book")
    relaxation = search.solve(relaxed=True)
    first = search.solve()
    candidates = set(elastic.codes)
    if relaxation is not None and relaxation.status.has_plan and relaxation.objective > DUST:
        kinds = elastic.kinds_in_the_way(relaxation.row_duals)
        candidates = {code for code in candidates if code[0] in kinds}
    if first is not None and first.status.has_plan:
        search.by_kind(candidates)
        if not any(repair.rows == 1 for repair in search.repairs):
            search.combined(first)
        search.dates()
    needed = [one for one in search.repairs if not any(other.key < one.key for other in search.repairs)]
    repairs = tuple(sorted(needed, key=lambda repair: (repair.rows, repair.size)))
    say(f"Diagnosis: {len(repairs)} repairs, {trials.solves} changed books solved, {time.monotonic() - began:,.1f} s")
    rows = {edit.key: scenario_row(tables, edit, scenario) for repair in repairs for edit in repair.edits}
    conflicts = tuple(str(finding) for finding in check_tables(tables) if finding.rule.endswith("_impossible"))
    sentences = tuple(_sentences(tables, repairs, rows, search.cut_short, first))
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


def _sentences(tables: Tables, repairs: Sequence[Repair], rows: dict, cut_short: bool, first: Outcome | None) -> Iterator[str]:
    for number, repair in enumerate(repairs, 1):
        lead = "" if number == 1 else "or: "
        yield f"{lead}{_words(tables, repair, rows)}."
    if not repairs and first is not None and first.status is Status.INFEASIBLE:
        yield "No change of caps, limits, budgets, rules, stocks, contracts, supply or demand makes a plan possible: the figures that describe plants and ores themselves contradict each other."
    elif not repairs:
        yield "No repair could be confirmed in the time; give it more with --time-limit."
    elif cut_short:
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
