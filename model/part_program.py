"""The linear program of a part of the plans: whole, or parted into blocks where it is large and comes apart."""

from __future__ import annotations

from model.decomposed_program import DecomposedProgram
from model.decomposition import part
from model.linear_program import Basis, LinearProgram, LpState, StopSignal
from model.matrix import Matrix
from model.outcome import SolveOptions
from model.problem import Problem
from model.proofs import Proofs, tell

DECOMPOSE_FROM = 5000
"""Rows from which a linear program is parted, where it comes apart; it is then made anew only for plans that need other builds."""


def may_be_parted(matrix: Matrix) -> bool:
    """Whether a matrix is large enough to be parted, if it comes apart."""
    return matrix.a.shape[0] > DECOMPOSE_FROM


def program_of(
    problem: Problem, matrix: Matrix, options: SolveOptions, stop: StopSignal, basis: Basis | None, proofs: Proofs | None
) -> LinearProgram | DecomposedProgram:
    """Return the linear program of a matrix.

    Parameters
    ----------
    problem, matrix
        The two forms of one model; columns may be missing from the matrix.
    options, stop
        As for :class:`LinearProgram`.
    basis
        Where to start.
    proofs
        What another search proved, for a program that is parted.
    """
    whole = LinearProgram(matrix, options, stop, basis)
    parts = part(matrix) if may_be_parted(matrix) else None
    if parts is None or whole.solve() is not LpState.OPTIMAL:
        return whole
    parted = DecomposedProgram(parts, options, stop, whole)
    if parted.loose is not LpState.OPTIMAL:
        return whole
    if proofs is not None:
        tell(parted, problem, proofs)
    return parted
