"""Everything but solving on the baseline, and our building beside linopy's of the same matrix.

`overhead_seconds` counts import, reading, validation, problem, model, matrix, verification and the result workbook, each a
median of repeats. `build_over_linopy` is the time of our way from problem to matrix over that of linopy from the same problem to
its own matrix (`linopy_model.py`); before anything is timed the two are compared row by row. `build_over_linopy_arrays`
sets ours beside the least that linopy can be asked to do: to take the finished matrix and hand it on.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np
import pandas as pd
import scipy.sparse

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.formulation import build_model
from model.matrix import Matrix, compile_model
from model.outcome import SolveOptions
from model.planner import Plan, solve
from model.problem_builder import build_problem
from model.report import new_run_folder, write_report
from model.run_info import describe_run
from model.tables import Tables
from model.validation import validate_book
from model.verification import verify_solution
from model.workbook import read_book
from tests.benchmarks.books import BASELINE
from tests.benchmarks.linopy_model import write_linopy

ROOT = Path(__file__).resolve().parents[2]


def timed(task: Callable[[], object], repeats: int) -> float:
    """Return the median wall clock of a task, seconds."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def import_command() -> None:
    """Start an interpreter that imports what a run imports, with its bytecode kept as an installed program has it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-c", "import model.command"], cwd=ROOT, check=True, env=kept)


def a_plan(tables: Tables, time_limit: float) -> Plan:
    """Return the first plan that is found: what is verified and written is of the same size whatever it costs."""
    return solve(tables, SolveOptions(absolute_gap=1e9, time_limit=time_limit, threads=2))


def build_with_linopy(matrix: Matrix) -> highspy.Highs:
    """Write the matrix in linopy, row by row as sparse data, and let it compile it for HiGHS."""
    import linopy
    import xarray as xr

    model = linopy.Model()
    columns = pd.RangeIndex(len(matrix.cost), name="column")
    x = model.add_variables(lower=matrix.lower, upper=matrix.upper, coords=[columns], name="x")
    rows = matrix.a.tocsr()
    width = np.diff(rows.indptr)
    # rows of like length share an array, so that little of it is padding
    for low, high in ((0, 4), (4, 16), (16, 64), (64, 256), (256, 1 << 30)):
        chosen = np.flatnonzero((width > low) & (width <= high))
        if not chosen.size:
            continue
        terms = int(width[chosen].max())
        slot = np.arange(terms)[None, :]
        present = slot < width[chosen][:, None]
        at = np.where(present, rows.indptr[chosen][:, None] + slot, 0)
        labels = np.where(present, x.labels.values[rows.indices[at]], -1)
        coefficients = np.where(present, rows.data[at], np.nan)
        data = xr.Dataset({"coeffs": (("row", "_term"), coefficients), "vars": (("row", "_term"), labels)}, coords={"row": chosen})
        expression = linopy.LinearExpression(data, model)
        lower, upper = matrix.row_lower[chosen], matrix.row_upper[chosen]
        sign = np.where(lower == upper, "=", np.where(np.isfinite(upper), "<=", ">="))
        side = np.where(np.isfinite(upper), upper, lower)
        model.add_constraints(
            expression, xr.DataArray(sign, dims="row", coords={"row": chosen}), xr.DataArray(side, dims="row", coords={"row": chosen})
        )
    model.add_objective((x * xr.DataArray(matrix.cost, coords={"column": columns}, dims="column")).sum())
    return model.to_highspy()


def row_contents(matrix: Matrix) -> np.ndarray:
    """Return how many coefficients each row has, their sum, that of their squares, and the row's sides, in an order of its own."""
    rows = matrix.a.tocsr()
    ones = np.ones(len(matrix.cost))
    contents = np.column_stack([np.diff(rows.indptr), rows @ ones, rows.power(2) @ ones, matrix.row_lower, matrix.row_upper])
    return contents[np.lexsort(contents.round(6).T)]


def compare_with_linopy(matrix: Matrix, solver: highspy.Highs) -> None:
    """Raise AssertionError unless linopy's matrix has the same rows, costs and bounds as ours, in whatever order."""
    linear = solver.getLp()
    body = linear.a_matrix_
    shape = (linear.num_row_, linear.num_col_)
    kind = scipy.sparse.csr_array if body.format_ == highspy.MatrixFormat.kRowwise else scipy.sparse.csc_array
    theirs = replace(
        matrix,
        a=kind((body.value_, body.index_, body.start_), shape=shape),
        cost=np.array(linear.col_cost_),
        row_lower=np.array(linear.row_lower_),
        row_upper=np.array(linear.row_upper_),
    )
    np.testing.assert_allclose(row_contents(theirs), row_contents(matrix), rtol=1e-9, atol=1e-6)
    for ours, other in ((matrix.cost, linear.col_cost_), (matrix.lower, linear.col_lower_), (matrix.upper, linear.col_upper_)):
        np.testing.assert_allclose(np.sort(other), np.sort(ours), rtol=1e-9, atol=1e-9)


def main() -> None:
    """Time each room and print the figures."""
    parser = argparse.ArgumentParser(description="Time everything but solving on the baseline.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds to look for a first plan to verify and write")
    options = parser.parse_args()
    book = read_book(BASELINE)
    tables = validate_book(book).tables
    assert tables is not None
    problem = build_problem(tables)
    matrix = compile_model(build_model(problem))
    compare_with_linopy(matrix, write_linopy(problem).to_highspy())
    plan = a_plan(tables, options.time_limit)
    choices = SolveOptions()
    with tempfile.TemporaryDirectory() as folder:

        def write() -> None:
            run = new_run_folder(Path(folder), BASELINE.stem)
            write_report(plan, run, describe_run(plan, BASELINE, "", (), choices), "", BASELINE)

        parts: dict[str, Callable[[], object]] = {
            "import": import_command,
            "read": lambda: read_book(BASELINE),
            "validate": lambda: validate_book(book),
            "problem": lambda: build_problem(tables),
            "model and matrix": lambda: compile_model(build_model(problem)),
            "verify": lambda: verify_solution(tables, plan.solution.tables, plan.solution.objective),
            "write": write,
        }
        seconds = {name: timed(task, options.repeats) for name, task in parts.items()}
    for name, spent in seconds.items():
        print(f"{name:<17} {spent:6.2f} s")
    ours = seconds["model and matrix"]
    theirs = timed(lambda: write_linopy(problem).to_highspy(), options.repeats)
    handed = timed(lambda: build_with_linopy(matrix), options.repeats)
    print(f"{'linopy':<17} {theirs:6.2f} s")
    print(f"{'linopy, arrays':<17} {handed:6.2f} s")
    print(f"build_over_linopy_arrays: {ours / handed:.2f}")
    print(f"overhead_seconds: {sum(seconds.values()):.2f}")
    print(f"build_over_linopy: {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
