"""What changed from one run to another: input cells, decisions, and the cost by cause.

Causes are groups of changed cells, one a column of a sheet (all years of a row's figures count as one column) and one for rows
added to or removed from a sheet. They are applied to the inputs of the first run one after the other, in the order of the
sheets, and each state is solved, so that the changes of cost add up to the whole. What two causes do together falls to the
later of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from model.book import column_of, is_blank
from model.exposure import YEARS
from model.outcome import SolveOptions, Status
from model.planner import Plan, solve
from model.problem_builder import build_problem
from model.run_reading import PREFIX, Run
from model.schema import SETTING_BY_NAME, SHEET_BY_NAME, SHEETS
from model.tables import Tables
from model.validation import check_tables

ROWS = "rows"
"""Column of a cause that adds or removes whole rows."""
WHOLE = "all columns"
"""Column of a cause that replaces a sheet whose columns differ."""
IDLE_SHEETS = ("scenarios", "published")
IDLE_SETTINGS = ("solver", "studies")
"""Groups of settings that say how to search and what to report, not what the plan may be."""
FEW = 3
"""Causes up to which each is solved without being asked for."""


@dataclass(frozen=True)
class CellChange:
    """An input cell, or a row, that differs between two runs.

    Parameters
    ----------
    sheet, key, column
        Where it stands; the key as the sheet's key columns parted by ``|``.
    before, after
        Values; for a row ``no row`` and ``row``.
    cell
        Address in the workbook of the second run, of the first for a row removed.
    """

    sheet: str
    key: str
    column: Hashable
    before: str | float
    after: str | float
    cell: str


@dataclass(frozen=True)
class Cause:
    """Changed cells of one kind."""

    sheet: str
    column: str

    @property
    def words(self) -> str:
        """Name for a reader."""
        if self.sheet == "settings":
            return f"setting {self.column}"
        return f"{self.sheet}: {'rows added or removed' if self.column == ROWS else self.column}"


@dataclass(frozen=True)
class Step:
    """The cost once a cause, or several that were not told apart, has been applied on top of those before it.

    Parameters
    ----------
    causes
        What was applied.
    cost
        Total discounted cost then, MUSD.
    gap
        No plan can be cheaper by more, MUSD; NaN where that is not known.
    hosts
        Hosts of the plan then.
    moved
        False where the changed cells leave the model as it was: the cost is that of the step before, without a solve.
    unsolved
        Why the causes were not told apart although they could have been: what went wrong as each state between them was solved.
        Empty where those states are no valid books or have no plan, so that the causes only work together.
    """

    causes: tuple[Cause, ...]
    cost: float
    gap: float
    hosts: tuple[str, ...]
    moved: bool = True
    unsolved: tuple[str, ...] = ()


def _keyed(tables: Tables, sheet: str) -> dict[tuple, dict[Hashable, Any]]:
    """Return the rows of a sheet by key; the settings' defaults fill in for rows that are not there."""
    if sheet == "settings":
        return {(name,): {"value": value} for name, value in tables.settings.items()}
    keys = SHEET_BY_NAME[sheet].key
    return {tuple("" if is_blank(record[key]) else record[key] for key in keys): record for record in tables[sheet].to_dict("records")}


def _index(tables: Tables, sheet: str) -> dict[tuple, Hashable]:
    """Return the row number of each key."""
    keys = SHEET_BY_NAME[sheet].key
    frame = tables[sheet]
    return {
        tuple("" if is_blank(value) else value for value in values): row
        for row, values in zip(frame.index, frame[list(keys)].itertuples(index=False, name=None), strict=True)
    }


def _differ(before: object, after: object) -> bool:
    if is_blank(before) or is_blank(after):
        return is_blank(before) != is_blank(after)
    return before != after


def _shown(value: Any) -> str | float:
    return "(blank)" if is_blank(value) else value


def _key_text(key: tuple) -> str:
    return " | ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in key)


def changed_cells(before: Tables, after: Tables) -> list[CellChange]:
    """Return the input cells that differ, in the order of sheets, rows and columns; rows are matched by key.

    Parameters
    ----------
    before, after
        Inputs of two runs; a setting that is not in a book has its default.
    """
    found: list[CellChange] = []
    for sheet in SHEETS:
        old, new = _keyed(before, sheet.name), _keyed(after, sheet.name)
        old_rows, new_rows = _index(before, sheet.name), _index(after, sheet.name)
        for key, record in new.items():
            text = _key_text(key)
            if key not in old:
                found.append(CellChange(sheet.name, text, ROWS, "no row", "row", _cell(after, sheet.name, new_rows.get(key), sheet.key[0])))
                continue
            for name in dict.fromkeys([*old[key], *record]):
                if _differ(old[key].get(name), record.get(name)):
                    cell = _cell(after, sheet.name, new_rows.get(key), name)
                    found.append(CellChange(sheet.name, text, name, _shown(old[key].get(name)), _shown(record.get(name)), cell))
        for key in old:
            if key not in new:
                cell = _cell(before, sheet.name, old_rows.get(key), sheet.key[0])
                found.append(CellChange(sheet.name, _key_text(key), ROWS, "row", "no row", cell))
    return found


def _cell(tables: Tables, sheet: str, row: Hashable | None, column: Hashable) -> str:
    """Return an address on the sheet of inputs as read; none for a setting left to its default."""
    return "default" if row is None else f"{PREFIX}{tables.cell(sheet, row, column)}"


def find_causes(before: Tables, after: Tables, changes: Sequence[CellChange]) -> list[Cause]:
    """Return the causes that can move the plan, in the order in which they are applied."""
    causes: dict[Cause, None] = {}
    for change in changes:
        if change.sheet in IDLE_SHEETS:
            continue
        if change.sheet == "settings":
            if SETTING_BY_NAME[change.key].group not in IDLE_SETTINGS:
                causes[Cause("settings", change.key)] = None
        elif list(before[change.sheet].columns) != list(after[change.sheet].columns):
            causes[Cause(change.sheet, WHOLE)] = None
        elif change.column == ROWS:
            causes[Cause(change.sheet, ROWS)] = None
        elif isinstance(change.column, int):
            causes[Cause(change.sheet, YEARS)] = None
        elif column_of(change.sheet, change.column).kind != "text" and change.column != "quality":
            causes[Cause(change.sheet, str(change.column))] = None
    return list(causes)


def apply_cause(tables: Tables, after: Tables, cause: Cause) -> Tables:
    """Return the tables with the cells of one cause set to what they are in `after`."""
    if cause.sheet == "settings":
        return tables.with_settings(**{cause.column: after.settings[cause.column]})
    if cause.column == WHOLE:
        return tables.with_frames(**{cause.sheet: after[cause.sheet]})
    frame, new = tables[cause.sheet].copy(), _keyed(after, cause.sheet)
    own = _index(tables, cause.sheet)
    if cause.column == ROWS:
        kept = frame.loc[[row for key, row in own.items() if key in new]]
        added = after[cause.sheet].loc[[row for key, row in _index(after, cause.sheet).items() if key not in own]]
        return tables.with_frames(**{cause.sheet: pd.concat([kept, added], ignore_index=True)})
    names = [name for name in frame.columns if isinstance(name, int)] if cause.column == YEARS else [cause.column]
    for key, row in own.items():
        for name in names if key in new else ():
            frame.at[row, name] = new[key][name]
    return tables.with_frames(**{cause.sheet: frame})


def attribute(
    before: Run, after: Run, causes: Sequence[Cause], options: SolveOptions, say: Callable[[str], None] = lambda _: None
) -> list[Step]:
    """Apply causes one after the other and solve after each.

    Causes that leave no valid book, or no plan, before the next is applied form one step with it; so do those after which no
    verified plan was found, of which the step says why. The last step is the second run itself, so that the steps add up.

    Parameters
    ----------
    before, after
        The two runs.
    causes
        Of :func:`find_causes`.
    options
        For each solve.
    say
        Called with a sentence as each step ends.

    Returns
    -------
    list of Step
        Empty where there is no cause.
    """
    steps: list[Step] = []
    tables, problem = before.tables, before.problem
    cost, gap, plants = before.cost, before.gap, before.plants
    pending: list[Cause] = []
    unsolved: list[str] = []
    for number, cause in enumerate(causes, 1):
        pending.append(cause)
        if number == len(causes):
            steps.append(Step(tuple(pending), after.cost, after.gap, _hosts(after.plants), unsolved=tuple(unsolved)))
            break
        tables = apply_cause(tables, after.tables, cause)
        if any(finding.severity == "error" for finding in check_tables(tables)):
            continue
        changed = build_problem(tables)
        moved = changed != problem
        if moved:
            plan = solve(tables, options, start=plants)
            if (why := _unsolved(plan)) is not None:
                unsolved += [f"{why} after {cause.words}"] if why else []
                continue
            problem, cost, gap = changed, plan.solution.objective, plan.solution.gap
            plants = tuple(plan.solution.tables["builds"].itertuples(index=False, name=None))
        steps.append(Step(tuple(pending), cost, gap, _hosts(plants), moved, tuple(unsolved)))
        say(f"  {number} of {len(causes)}: {' with '.join(each.words for each in pending)}: {cost:,.1f} MUSD")
        pending, unsolved = [], []
    return steps


def _unsolved(plan: Plan) -> str | None:
    """Return why a solve gave no verified plan, "" where there is none to find; None where it gave one."""
    status = plan.solution.status
    if status is Status.INFEASIBLE:
        return ""
    if not status.has_plan:
        return "no plan was found in the time" if status is Status.NO_PLAN_FOUND else f"the solver failed ({plan.solution.termination})"
    return None if plan.verification.passed else "the plan failed verification"


def least_and_most(change: float, earlier_gap: float, later_gap: float) -> tuple[float, float]:
    """Return the range in which the change of the least cost lies when a plan follows another, each above the least cost by up to its gap.

    Parameters
    ----------
    change
        Cost of the later plan less that of the earlier, MUSD.
    earlier_gap, later_gap
        MUSD; NaN where unknown, which leaves that side open.

    Examples
    --------
    >>> least_and_most(-457.0, 449.6, 1.0)
    (-458.0, -7.4)
    """
    below, above = (math.inf if math.isnan(gap) else gap for gap in (later_gap, earlier_gap))
    return round(change - below, 9), round(change + above, 9)


def _hosts(plants: Sequence[tuple]) -> tuple[str, ...]:
    return tuple(sorted({key[0] for key in plants}))


def side_by_side(before: Run, after: Run, table: str, by: Sequence[str], column: str = "tonnes") -> pd.DataFrame:
    """Return a flow of both runs summed over all years, where it differs; a modelled year counts for the years that it stands for.

    Parameters
    ----------
    before, after
        The two runs.
    table, by, column
        Result table, columns that name a line, and the figure summed.

    Returns
    -------
    DataFrame
        The columns of `by`, `before` and `after`; the largest difference first.
    """
    sums: list[Mapping[Hashable, float]] = [_summed(run, table, list(by), column) for run in (before, after)]
    rows = []
    for key in dict.fromkeys([*sums[0], *sums[1]]):
        old, new = (part.get(key, 0.0) for part in sums)
        if abs(old - new) > 1e-3:  # a kg is the dust of two solves
            rows.append((*(key if isinstance(key, tuple) else (key,)), old, new))
    rows.sort(key=lambda row: (-abs(row[-1] - row[-2]), tuple(map(str, row[:-2]))))
    return pd.DataFrame(rows, columns=[*by, "before", "after"])


def _summed(run: Run, table: str, by: list[str], column: str) -> dict[Hashable, float]:
    frame = run.results[table]
    years = frame["year"].map(run.problem.years_represented).astype(float)
    return frame.assign(**{column: frame[column] * years}).groupby(by)[column].sum().to_dict()


def plant_changes(before: Run, after: Run) -> pd.DataFrame:
    """Return every plant of either run with its year on line in each; NaN where it is not built."""
    years: list[dict[tuple, list[int]]] = [{}, {}]
    sizes: dict[tuple, float] = {}
    for side, run in zip(years, (before, after), strict=True):
        for h, d, w, y, size in run.results["plants"][["host", "design", "way", "on_line", "capacity"]].itertuples(index=False, name=None):
            side.setdefault((h, d, w), []).append(int(y))
            sizes[h, d, w] = size
    rows = []
    for key in sorted(sizes):
        pairs = max(len(side.get(key, [])) for side in years)
        old, new = ([*sorted(side.get(key, [])), *[float("nan")] * pairs][:pairs] for side in years)
        rows += [(*key, sizes[key], a, b, _moved(a, b)) for a, b in zip(old, new, strict=True)]
    return pd.DataFrame(rows, columns=["host", "design", "way", "capacity", "before", "after", "change"])


def _moved(before: float, after: float) -> str:
    if is_blank(before):
        return "new"
    if is_blank(after):
        return "gone"
    years = int(after - before)
    return "same" if years == 0 else f"{abs(years)} year{'s' if abs(years) > 1 else ''} {'later' if years > 0 else 'earlier'}"
