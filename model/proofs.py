"""What the cuts of one search prove in a neighbouring problem: multipliers by the names of rows, from which cuts are made anew.

By weak duality any multipliers bound the cost of a block, whatever its figures, so what is handed on can be weak but not wrong; what is
left of a proof that a point is impossible has to say so by more than rounding. Where a cap is tightened, a host barred or plants are
forced, it is as strong as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from model.covers import CapacityCovers, Cover
from model.cut_pool import Cut, Proof
from model.decomposed_program import DecomposedProgram
from model.decomposition import Decomposition, Table, least_sum
from model.master_program import MasterProgram
from model.matrix import Matrix, Name, Row, Vector
from model.problem import Problem

MOST_HANDED_ON = 200
"""Cuts of one block that are handed on: those that the master holds, then the newest."""


STEEP = 1e-6
"""Least slope of what is left of a ray, whose multipliers are at most 1, and how far it must miss zero for each unit of slope: less is rounding."""


@dataclass(frozen=True)
class Proofs:
    """Multipliers of cuts, by name.

    Parameters
    ----------
    rows, covers
        What the multipliers are of, in the order of the columns of `weights`.
    weights
        One row a cut.
    is_ray
        For each cut whether it rules points out, whatever they cost.
    """

    rows: tuple[Name, ...]
    covers: tuple[Cover, ...]
    weights: sp.csr_array
    is_ray: npt.NDArray[np.bool_]


def proofs_of(program: DecomposedProgram, problem: Problem) -> Proofs:
    """Return what the cuts of a parted program are made of.

    Parameters
    ----------
    program
        After its search.
    problem
        That it searched.
    """
    matrix, covers = program.parts.matrix, CapacityCovers(problem, program.parts.matrix)
    added = np.flatnonzero([name[0] == "added" for name in matrix.rows])
    said: dict[Cover, int] = {}

    def said_as(rows: Sequence[Row]) -> list[int]:
        """Return numbers of covers, -1 for a row that is none."""
        return [-1 if cover is None else said.setdefault(cover, len(said)) for cover in covers.covers_of(rows)]

    height = len(matrix.rows)
    column_of = np.arange(height)
    column_of[added] = [height + number if number >= 0 else -1 for number in said_as(_rows_of(matrix, added))]
    cuts, at, weights, is_ray = 0, [], [], []
    for block, pool in zip(program.parts.blocks, program.master.pools, strict=True):
        for cut in pool.foremost(MOST_HANDED_ON):
            if cut.proof is None:
                continue
            places = np.concatenate([
                column_of[block.rows[cut.proof.rows]],
                [height + number if number >= 0 else -1 for number in said_as([block.outside(row) for row in cut.proof.covers])],
            ])  # fmt: skip
            kept = places >= 0
            at.append(np.array([np.full(kept.sum(), cuts), places[kept]]))
            weights.append(np.concatenate([cut.proof.weights, cut.proof.cover_weights])[kept])
            is_ray.append(cut.is_feasibility)
            cuts += 1
    shape = (cuts, height + len(said))
    entries = (np.concatenate(weights), np.concatenate(at, axis=1).astype(int)) if cuts else shape
    return Proofs(matrix.rows, tuple(said), sp.csr_array(entries, shape=shape), np.array(is_ray, dtype=bool))


def _rows_of(matrix: Matrix, rows: npt.NDArray[np.intp]) -> list[Row]:
    by_row = matrix.a.tocsr()[rows]
    cells = zip(pairwise(by_row.indptr.tolist()), rows.tolist(), strict=True)
    return [
        Row(by_row.indices[start:end].astype(np.intp), by_row.data[start:end], matrix.row_lower[row], matrix.row_upper[row])
        for (start, end), row in cells
    ]


def tell(program: DecomposedProgram, problem: Problem, proofs: Proofs) -> None:
    """Make cuts of what a neighbour proved and leave them to the pool of a parted program.

    Parameters
    ----------
    program
        Before its search.
    problem
        That it is of.
    proofs
        From any problem; what it does not share is left out.
    """
    parts, column_of = program.parts, {name: column for column, name in enumerate(proofs.rows)}
    covers = _covers_by_block(parts, problem, proofs)
    by_column = proofs.weights.tocsc()
    for k, block in enumerate(parts.blocks):
        shared = [(column_of[name], row) for row, name in enumerate(block.matrix.rows) if name[0] != "added" and name in column_of]
        shared += [(column, row) for row, (column, _) in enumerate(covers[k], len(block.rows))]
        if not shared:
            continue
        columns, rows = np.array(shared).T
        entries = by_column[:, columns].tocsr()
        told = np.flatnonzero(np.diff(entries.indptr))
        weights = np.zeros((told.size, len(block.rows) + len(covers[k])))
        weights[:, rows] = entries[told].toarray()
        program.learn(_cuts_of(program.master, k, weights, proofs.is_ray[told], tuple(row for _, row in covers[k])))


def _cuts_of(master: MasterProgram, k: int, weights: Table, is_ray: npt.NDArray[np.bool_], covers: tuple[Row, ...]) -> list[Cut]:
    """Return the cuts that multipliers of block k and of covers give, where they tell anything."""
    block, own = master.parts.blocks[k], master.parts.blocks[k].columns.size
    lower, upper = block.matrix.lower[own:], block.matrix.upper[own:]
    extended, cuts = block.with_rows(covers), []
    for rays, charged in ((False, extended), (True, extended.without_costs)):
        numbers = np.flatnonzero(is_ray == rays)
        constants, slopes = charged.bounds_from(weights[numbers])
        most = constants - least_sum(-slopes, lower, upper)
        steepest = np.abs(slopes).max(axis=1, initial=0.0)
        tells = (steepest > STEEP) & (most > STEEP * steepest) if rays else most > master.least_cost(k)
        for number, constant, slope in zip(numbers[tells], constants[tells], slopes[tells], strict=True):
            proof = _proof_of(weights[number], len(block.rows), covers)
            cuts.append(master.feasibility_cut(k, constant, slope, proof) if rays else master.optimality_cut(k, constant, slope, proof))
    return cuts


def _proof_of(weights: Vector, height: int, covers: tuple[Row, ...]) -> Proof:
    taken = np.flatnonzero(weights)
    rows, used = taken[taken < height], taken[taken >= height]
    return Proof(rows, weights[rows], tuple(covers[cover - height] for cover in used), weights[used])


def _covers_by_block(parts: Decomposition, problem: Problem, proofs: Proofs) -> list[list[tuple[int, Row]]]:
    """Return for each block the covers that it can state, each with its column in the weights."""
    found: list[list[tuple[int, Row]]] = [[] for _ in parts.blocks]
    column_block = parts.column_block
    for number, row in enumerate(CapacityCovers(problem, parts.matrix).stated(proofs.covers), len(proofs.rows)):
        if row is None:
            continue
        k = int(column_block[row.columns].max())
        inside = parts.blocks[k].inside(row) if k >= 0 else None
        if inside is not None:
            found[k].append((number, inside))
    return found
