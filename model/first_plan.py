"""A first guess at how many plants stand by when."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from model.branching import ON_LINE, ask_about_plants
from model.linear_program import LinearProgram, LpState, StopSignal
from model.matrix import Matrix, Row
from model.outcome import SolveOptions
from model.problem import Problem
from model.relaxation import Relaxation
from model.separation import Separator

SETTLE_ROUNDS, SETTLE_UP = 6, 0.05
"""Rounds in which the first search settles how many plants stand by when; parts of a plant above the share count as one."""


def settle_counts(problem: Problem, matrix: Matrix, relaxation: Relaxation, options: SolveOptions, stop: StopSignal) -> Relaxation:
    """Round the plants on line by each year, again and again, until the relaxation has nearly whole numbers of them.

    Parameters
    ----------
    matrix
        With the covers that bind in `relaxation`.

    Returns
    -------
    Relaxation
        The last one that could be solved; its bound holds for no more than itself.
    """
    lp = LinearProgram(matrix, options, stop, relaxation.basis)
    counts = [question for question in ask_about_plants(problem, matrix) if question.kind == ON_LINE]
    separator = Separator(problem, matrix)
    rows = lp.add_rows([Row(question.columns, np.ones(question.columns.size), -np.inf, np.inf) for question in counts])
    best = relaxation
    for _ in range(SETTLE_ROUNDS):
        sums = [float(best.values[question.columns].sum()) for question in counts]
        wanted = [math.floor(total + 1.0 - SETTLE_UP) for total in sums]
        wanted = [max(total, question.least) if total else 0 for total, question in zip(wanted, counts, strict=True)]
        if all(total >= least - SETTLE_UP for total, least in zip(sums, wanted, strict=True)):
            break
        for number, least in enumerate(wanted):
            # a plant that is partly there is there: a plan short of it pays for the shortage instead
            lp.bound_row(rows + number, float(least), np.inf)
        if lp.solve() is not LpState.OPTIMAL:
            break
        lp.add_rows(separator.violated(lp.values()))
        if lp.solve() is not LpState.OPTIMAL:
            break
        best = replace(relaxation, values=lp.values(), reduced_costs=lp.reduced_costs())
    return best
