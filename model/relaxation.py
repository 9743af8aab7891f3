"""The linear relaxation and what tightens it: covers, and dear builds left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.covers import Cover
from model.linear_program import AT_LOWER, BASIC, Basis, LinearProgram, LpState, StopSignal
from model.matrix import Matrix, Row, Vector
from model.node import Node
from model.outcome import SolveOptions
from model.part_program import may_be_parted
from model.problem import Problem
from model.reduction import reduce_matrix
from model.separation import Separator
from model.tree import SearchFailed

ROOT_COVERS = 10
"""Rounds of covers each time that the relaxation is made smaller."""

ROOT_COVERS_PARTED = 1
"""The same for a program that will be parted: its blocks are searched for covers all along, and each of them is solved in a tenth of the time."""

MOST_ROUNDS, SMALL_STEP = 12, 0.05
"""Rounds of covers of the whole relaxation; what adds less than this share of all that was added so far ends them. Covers are looked for in
every part of the search too."""

MOST_ROUNDS_ON_DEMAND, SMALL_STEP_ON_DEMAND = 60, 0.001
"""The same where rows of the model itself are stated on demand: without them the relaxation proves next to nothing."""


HOT_ITERATIONS = 2000
"""Simplex iterations in which the basis of a neighbour's root has to lead further than the relaxation: one from far away took ten times as long as none."""


@dataclass(frozen=True)
class Relaxation:
    """The linear relaxation after its covers: bound, reduced costs, the covers that bind and the basis with them, and the basis without."""

    state: LpState
    bound: float
    values: Vector
    reduced_costs: Vector
    covers: tuple[Row, ...]
    basis: Basis
    without_covers: Basis


def relax(
    problem: Problem,
    matrix: Matrix,
    options: SolveOptions,
    stop: StopSignal,
    basis: Basis | None = None,
    covers: Sequence[Cover] = (),
    near: float = np.inf,
) -> Relaxation:
    """Solve the linear relaxation and tighten it with capacity covers while they pay.

    A round that is not solved to its end leaves the relaxation of the round before, whose bound and
    reduced costs hold as they are.

    Parameters
    ----------
    matrix
        The whole model.
    basis
        Where to start.
    covers
        To state before any are looked for, such as bind in a neighbour's root.
    near
        A bound from which covers are left to the root: a plan in hand makes it small enough for them to be found in half the time, MUSD.
    """
    lp = LinearProgram(matrix, options, stop, basis)
    state = lp.solve()
    if state not in (LpState.OPTIMAL, LpState.STOPPED):
        state = lp.solve_afresh()
    if state is not LpState.OPTIMAL:
        if state is LpState.FAILED:
            raise SearchFailed("the linear relaxation could not be solved")
        nothing, none = np.empty(0), Basis(np.empty(0, np.int8), np.empty(0, np.int8))
        return Relaxation(state, float("nan"), nothing, nothing, (), none, none)
    separator = Separator(problem, matrix)
    added: list[Row] = []
    basis = lp.basis()
    best = _relaxation_of(lp, added, basis)
    bare = best.bound
    if bare >= near and matrix.implied is None:
        return best
    most, step = (MOST_ROUNDS, SMALL_STEP) if matrix.implied is None else (MOST_ROUNDS_ON_DEMAND, SMALL_STEP_ON_DEMAND)
    stated = [row for row in separator.covers.stated(covers) if row is not None]
    for number in range(most):
        rows = stated if stated and not number else separator.violated(lp.values())
        if not rows:
            break
        lp.add_rows(rows)
        if lp.solve() is not LpState.OPTIMAL:
            return best
        added += rows
        bound, best = best.bound, _relaxation_of(lp, added, basis)
        if best.bound - bound < step * (best.bound - bare):
            break
    return best


def _relaxation_of(lp: LinearProgram, added: list[Row], without_covers: Basis) -> Relaxation:
    """Read a solved relaxation, keeping the covers that bind in it."""
    duals = lp.row_duals()[lp.base_height :]
    binding = np.flatnonzero(np.abs(duals) > 1e-9)
    basis = lp.basis()
    rows = np.concatenate([basis.rows[: lp.base_height], basis.rows[lp.base_height :][binding]])
    covers = tuple(added[number] for number in binding)
    return Relaxation(LpState.OPTIMAL, lp.objective, lp.values(), lp.reduced_costs(), covers, Basis(basis.columns, rows), without_covers)


def without_dear(node: Node, reduced_costs: Vector, bound: float, prune_at: float) -> Node:
    """Rule out builds whose reduced cost alone takes the cost to where no plan is looked for."""
    dear = (reduced_costs > prune_at - bound + 1e-7 * abs(prune_at)) & (node.lower == 0.0)
    return replace(node, upper=np.where(dear, 0.0, node.upper)) if dear.any() else node


def tighten(
    problem: Problem,
    matrix: Matrix,
    node: Node,
    prune_at: float,
    options: SolveOptions,
    stop: StopSignal,
    covers: Sequence[Cover] = (),
    basis: Basis | None = None,
) -> tuple[Node, Matrix] | None:
    """Tighten a part of the plans on a reduced linear program.

    Parameters
    ----------
    matrix
        The whole model.
    node
        With no limits on counts; its basis, if any, is one of `matrix`.
    prune_at
        Plans that cost as much are of no interest, MUSD.
    covers
        To state before any are looked for, such as bind in a neighbour's root.
    basis
        Of that root: columns and rows of `matrix`, then the covers.

    Returns
    -------
    Node, Matrix
        The same plans below `prune_at` in a smaller part, and the matrix with the covers that bind; None if there is no such plan.
    """
    whole = np.flatnonzero(matrix.integer)
    upper = matrix.upper.copy()
    upper[whole] = node.upper
    reduction = reduce_matrix(matrix.with_bounds(matrix.lower, upper))
    if reduction is None:
        return None
    lp = LinearProgram(reduction.matrix, options, stop, node.basis.reduced(reduction) if node.basis is not None else None)
    inside = np.flatnonzero(reduction.matrix.integer)
    place = np.full(len(matrix.cost), -1, dtype=np.intp)
    place[whole] = np.arange(whole.size)
    added: list[tuple[int, Row]] = []
    separator = Separator(problem, reduction.matrix)
    dropped = (LpState.INFEASIBLE, LpState.ABOVE_CUTOFF)
    known = separator.covers.stated(covers)
    stated = [row for row in known if row is not None]
    added.extend(enumerate(stated, lp.add_rows(stated)))
    if stated and basis is not None:
        own, height = basis.reduced(reduction), len(matrix.row_lower)
        kept = np.flatnonzero([row is not None for row in known])
        from_relaxation = lp.basis()
        lp.start_from(Basis(own.columns, np.concatenate([own.rows, basis.rows[height + kept]])))
        if lp.solve(prune_at, HOT_ITERATIONS) is LpState.UNFINISHED and lp.objective < node.bound:
            lp.start_from(from_relaxation)
    if lp.solve(prune_at) in dropped:
        return None
    for _ in range(ROOT_COVERS_PARTED if may_be_parted(reduction.matrix) else ROOT_COVERS):
        before, rows = lp.objective, separator.violated(lp.values())
        if not rows:
            break
        first = lp.add_rows(rows)
        added.extend(enumerate(rows, first))
        state = lp.solve(prune_at)
        if state in dropped:
            return None
        if state is not LpState.OPTIMAL or lp.objective - before < 0.02 * (prune_at - before):
            break
    if stop.raised or lp.solve() is not LpState.OPTIMAL:
        return replace(node, basis=None, epoch=-1), matrix
    duals, basis = lp.row_duals(), lp.basis()
    binding = [(position, row) for position, row in added if abs(duals[position]) > 1e-9]
    tight = matrix.with_rows([replace(row, columns=reduction.columns[row.columns]) for _, row in binding])
    costs = np.zeros(whole.size)
    costs[place[reduction.columns[inside]]] = lp.reduced_costs()[inside]
    bound = max(node.bound, lp.objective)
    columns_status, rows_status = np.full(len(matrix.cost), AT_LOWER, dtype=np.int8), np.full(len(tight.row_lower), BASIC, dtype=np.int8)
    columns_status[reduction.columns] = basis.columns
    rows_status[reduction.rows] = basis.rows[: lp.base_height]
    rows_status[len(matrix.row_lower) :] = basis.rows[[position for position, _ in binding]]
    smaller = replace(node, bound=bound, basis=Basis(columns_status, rows_status), epoch=-2)
    return without_dear(smaller, costs, lp.objective, prune_at), tight
