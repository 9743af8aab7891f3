"""From tables to problem and matrix; where they differ from some compiled lately in their caps alone, only the rows of the caps are made anew.

The levels of a sweep are such tables: building everything again takes as long as an easy level takes to solve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from model.attribution import capped_outflows, years_split_by_market
from model.formulation import build_model
from model.formulation_policy import CAPPED_FLOWS, china_cap_rows
from model.goal import Goal
from model.groups import Groups, group_flows
from model.idle import idle_surpluses
from model.matrix import Matrix, compile_model
from model.problem import Problem
from model.problem_builder import build_problem
from model.problem_policy import caps_of
from model.tables import Tables

CAP_ROW = "china_cap"

KEPT, MOST_KEPT = 3, 2_000_000
"""Models kept, as several sweeps take turns in a process, and nonzeros beyond which only the one at hand is: large ones would fill the memory."""


@dataclass(frozen=True)
class Compiled:
    """Tables and a goal, and the two forms of their model."""

    tables: Tables
    goal: Goal
    problem: Problem
    matrix: Matrix


class _Last:
    """What was compiled last in this process, the newest first."""

    compiled: tuple[Compiled, ...] = ()


def compile_tables(tables: Tables, goal: Goal) -> tuple[Problem, Matrix]:
    """Return the problem of validated tables and the matrix of its model for a goal.

    They are the same, number by number, whatever was compiled before.
    """
    for known in _Last.compiled:
        if known.goal == goal and _differ_in_caps_alone(known.tables, tables):
            problem = replace(known.problem, caps=caps_of(tables, known.problem.years, known.problem.products))
            found = with_caps(known.matrix, known.problem, problem)
            if found is not None:
                _Last.compiled = (Compiled(tables, goal, problem, found), *(other for other in _Last.compiled if other is not known))
                return problem, found
    # what is not needed need not be held beside what is made
    _Last.compiled = _Last.compiled[: KEPT - 1]
    if sum(known.matrix.a.nnz for known in _Last.compiled) > MOST_KEPT:
        _Last.compiled = ()
    problem = build_problem(tables)
    matrix = compile_model(build_model(problem, goal))
    _Last.compiled = (Compiled(tables, goal, problem, matrix), *_Last.compiled[: KEPT - 1])
    return problem, matrix


def _differ_in_caps_alone(one: Tables, other: Tables) -> bool:
    return one.frames.keys() == other.frames.keys() and all(
        frame is other[sheet] or sheet == "caps" or frame.equals(other[sheet]) for sheet, frame in one.frames.items()
    )


def with_caps(matrix: Matrix, before: Problem, problem: Problem) -> Matrix | None:
    """Return the matrix of a problem that differs from another in its caps alone; None where more than their rows would differ.

    Parameters
    ----------
    matrix
        Of the other problem.
    before, problem
        The other problem and this one.
    """
    groups = group_flows(problem)
    capped = np.flatnonzero([name == CAP_ROW for name, _ in matrix.rows])
    if not capped.size or _decided_by_caps(before, groups) != _decided_by_caps(problem, groups):
        return None
    first, last = int(capped[0]), int(capped[-1]) + 1
    by_row = matrix.a.tocsr()
    above, below = by_row[:first], by_row[last:]
    flows: dict[str, dict[object, int]] = {name: {} for name in CAPPED_FLOWS}
    for place, (component, index) in enumerate(matrix.columns):
        if component in flows:
            flows[component][index] = place
    if not _are_in_place(matrix, above, below, flows):
        return None
    try:
        rows = china_cap_rows(problem, groups, flows)
    except KeyError:
        return None
    kept = {key: row for key, row in rows.items() if any(row.coefficients)}
    lengths = [len(row.coefficients) for row in kept.values()]
    data = np.array([coefficient for row in kept.values() for coefficient in row.coefficients], dtype=float)
    columns = np.array([variable for row in kept.values() for variable in row.variables], dtype=np.int32)
    numbers = np.repeat(np.arange(len(kept), dtype=np.int32), lengths)
    own = sp.coo_array((data[data != 0.0], (numbers[data != 0.0], columns[data != 0.0])), shape=(len(kept), len(matrix.cost))).tocsr()
    zeros = np.zeros(len(kept))
    return replace(
        matrix, a=sp.vstack([above, own, below]).tocsc(),
        row_lower=np.concatenate([matrix.row_lower[:first], zeros - np.inf, matrix.row_lower[last:]]),
        row_upper=np.concatenate([matrix.row_upper[:first], zeros, matrix.row_upper[last:]]),
        rows=(*matrix.rows[:first], *((CAP_ROW, key) for key in kept), *matrix.rows[last:]),
    )  # fmt: skip


def _decided_by_caps(problem: Problem, groups: Groups) -> tuple[object, ...]:
    """Return what caps decide besides their own rows: columns, rows that go with them, bounds and rows left out."""
    # the limits on sources that are left out follow from the idle surplus
    return years_split_by_market(problem), capped_outflows(problem), idle_surpluses(problem, groups)


def _are_in_place(matrix: Matrix, above: sp.csr_array, below: sp.csr_array, flows: Mapping[str, Mapping[object, int]]) -> bool:
    """Whether the columns would be the same ones in the same order without the rows between: see :func:`model.matrix.compile_model`."""
    met = matrix.cost != 0.0
    met[above.indices] = True
    used = met.copy()
    used[below.indices] = True
    # a variable stands where the objective or a row first holds a member of it; no row of a cap holds any but these
    return bool(used.all()) and all(met[list(places.values())].any() for places in flows.values() if places)
