"""The yardstick: the model as a competent user would first write it and solve it.

Plain Pyomo (:mod:`tests.benchmarks.plain_model`) and Pyomo's own HiGHS interface with default
options, on the same :class:`model.problem.Problem` and with every constraint of
``model/formulation.md``; the optimum is the same (``tests/test_plain_reference.py``). It may be
corrected, never weakened or slowed.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pyomo.contrib.solver.common.factory import SolverFactory
from pyomo.contrib.solver.common.results import Results

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.problem import Problem
from model.problem_builder import build_problem
from tests.benchmarks.books import BASELINE, read_tables
from tests.benchmarks.plain_model import build_plain_model


@dataclass(frozen=True)
class PlainResult:
    """What the reference found.

    Parameters
    ----------
    objective, bound
        Total discounted cost and its proven lower bound, MUSD; NaN where there is none.
    termination
        Pyomo's word for how the solve ended.
    build_seconds, solve_seconds
        Wall clock of writing the model, and of handing it over and solving it.
    """

    objective: float
    bound: float
    termination: str
    build_seconds: float
    solve_seconds: float

    @property
    def seconds(self) -> float:
        """Wall clock from the problem to the answer."""
        return self.build_seconds + self.solve_seconds


def solve_plain(problem: Problem, absolute_gap: float = 1.0, time_limit: float = 900.0, threads: int | None = None) -> PlainResult:
    """Write the model, solve it and return what was proven.

    Parameters
    ----------
    problem
        Sets and parameters from :func:`model.problem_builder.build_problem`.
    absolute_gap
        MUSD within which to stop; there is no relative gap beside it.
    time_limit
        Seconds for the solver.
    threads
        Processor threads; the solver's own choice if left out.
    """
    began = time.perf_counter()
    model = build_plain_model(problem)
    built = time.perf_counter()
    solver = SolverFactory("highs")
    results: Results = solver.solve(
        model, time_limit=time_limit, rel_gap=0.0, threads=threads, load_solutions=False, raise_exception_on_nonoptimal_result=False,
        solver_options={"mip_abs_gap": absolute_gap},
    )  # fmt: skip
    solved = time.perf_counter()
    objective = math.nan if results.incumbent_objective is None else float(results.incumbent_objective)
    bound = math.nan if results.objective_bound is None else float(results.objective_bound)
    return PlainResult(objective, bound, results.termination_condition.name, built - began, solved - built)


def main() -> None:
    """Solve a workbook with the reference and print how long it took."""
    parser = argparse.ArgumentParser(description="Solve a workbook with the plain reference model.")
    parser.add_argument("book", nargs="?", type=Path, default=BASELINE)
    parser.add_argument("--scenario", default="", help="named scenario of the workbook")
    parser.add_argument("--gap", type=float, default=1.0, help="absolute gap, MUSD")
    parser.add_argument("--time-limit", type=float, default=900.0, help="seconds")
    parser.add_argument("--threads", type=int, default=None, help="processor threads; the solver's choice if left out")
    options = parser.parse_args()
    result = solve_plain(build_problem(read_tables(options.book, options.scenario)), options.gap, options.time_limit, options.threads)
    print(f"{result.termination}: {result.objective:,.3f} MUSD, bound {result.bound:,.3f} MUSD")
    print(f"written in {result.build_seconds:.1f} s, solved in {result.solve_seconds:.1f} s")
    print(f"plain_seconds: {result.seconds:.2f}")


if __name__ == "__main__":
    main()
