"""Books of one source, one host, one market and one year, and what it takes to solve and probe them.

Every cost that a test does not set is zero, every share is one, and no distance lies between two
places, so that the least cost of a book can be added up by eye:

* a plant (1 kt a year) costs 100 MUSD, repaid in 10 years without interest: 10 MUSD a year; a build is yes or no, so a host
  can have a design once in each year;
* feed costs 20 MUSD/kt and comes out as product kt for kt;
* the same oxide can be bought at 100 MUSD/kt; a kt short costs 200 MUSD.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pytest

from model.formulation import build_model
from model.goal import LEAST_COST, Goal
from model.matrix import Matrix, compile_model
from model.outcome import Outcome, SolveOptions, Status
from model.problem import BuildKey, Problem
from model.problem_builder import build_problem
from model.solution import Solution, build_solution
from model.solver import solve_matrix
from model.tables import Tables, tables_from_records
from model.verification import verify_solution

Row = dict[Hashable, object]

YEARS = range(2026, 2037)
"""Calendar years that yearly figures are given for; only `modelled_years` count."""

SETTINGS: dict[str, object] = {
    "first_year": 2030,
    "last_year": 2030,
    "decision_year": 2026,
    "discount_rate": 0,
    "inflation": 0,
    "plant_life": 10,
    "max_plants": 10,
    "plants_per_host": 1,
    "country_share_from": 2030,
    "heavy_concentrate_payability": 0,
    "expertise_capex_penalty": 0,
    "expertise_operating_penalty": 0,
    "expertise_recovery_penalty": 0,
    "expertise_ramp_penalty": 0,
    "product_insurance": 0,
    "threads": 1,
}

TWO_YEARS: dict[str, object] = {"last_year": 2031, "modelled_years": "all"}
"""Settings of a book of 2030 and 2031."""

EXACT = SolveOptions(absolute_gap=1e-7, relative_gap=0.0, time_limit=60.0, threads=1)
"""Options under which the optimum is proven."""

PLACE: Row = {"port": "Port", "inland_km": 0, "inland_mode": "none"}


def yearly(value: float, but: dict[int, float] | None = None) -> dict[Hashable, object]:
    """Return the same figure for every year, but for those named."""
    return {**dict.fromkeys(YEARS, value), **(but or {})}


def approx(expected: float) -> object:
    """Compare to a part in a million, or to a USD where a figure is small."""
    return pytest.approx(expected, rel=1e-6, abs=1e-6)


def element(symbol: str = "Nd", **change: object) -> Row:
    return {"element": symbol, "product": symbol, "circuit": "light", "oxide_per_metal": 1.2, **change}


def prices(product: str = "Nd", market: float = 100, surplus: float = 0) -> list[Row]:
    return [{"product": product, "item": item, **yearly(price)} for item, price in (("market", market), ("surplus", surplus))]


def processing(feed_type: str = "ore", **change: object) -> Row:
    free = dict.fromkeys(("electricity", "heat", "labour", "reagents", "waste", "other", "equipment"), 0)
    return {"feed_type": feed_type, "customs_stage": "concentrate", "needs_cracking": "no", **free, "leach_recovery": 1, **change}


def recovery(feed_type: str = "ore", product: str = "Nd", share: float = 1) -> Row:
    return {"feed_type": feed_type, "product": product, "recovery": share}


def source(name: str = "MINE", **change: object) -> Row:
    figures = {"capacity": 10000, "first_year": 2000, "ramp_1": 1, "ramp_2": 1, "uncommitted": 1, "grade": 1, "fixed_price": 20}
    kind = {"china_linked": 0, "thorium": "none", "radioactive_cargo": "no", "use": "yes", "feed_type": "ore", "country": "MMM"}
    return {"source_id": name, **figures, **kind, **PLACE, **change}


def host(name: str = "HOST", **change: object) -> Row:
    figures = {"power_price": 0, "heat_price": 0, "wage": 0, "capex_factor": 1, "cost_of_capital": 0, "expertise": 1}
    kind = {"role": "third_country", "candidate": "yes", "thorium_accepted": "high", "brine_discharge": "yes", "country": "HHH"}
    return {"host": name, **figures, **kind, "earliest_start": 2000, "foreign_share_limit": 1, **PLACE, **change}


def design(name: str = "PLANT", **change: object) -> Row:
    ramp = {"ramp_1": 1, "ramp_2": 1, "ramp_3": 1, "ramp_4": 1, "minimum_use": 0}
    return {
        "design": name, "scope": "integrated", "heavies": "yes", "capacity": 1000, "capex": 100, "fixed_cost": 0, "build_years": 1,
        **ramp, **change,
    }  # fmt: skip


def way(name: str = "own", **change: object) -> Row:
    figures = {"fee": 0, "fixed_fee": 0, "capex_multiplier": 1, "operating_multiplier": 1, "recovery_multiplier": 1, "expertise_up_to": 0}
    return {"way": name, **figures, **change}


def market(name: str = "JPN", **change: object) -> Row:
    return {"market": name, "country": name, "partner": "yes", "equity": 1, "offtake_minimum": 0, **PLACE, **change}


def sector(name: str = "magnets", **change: object) -> Row:
    return {"sector": name, "priority": 1, "shortage_cost": 200, "shortage_multiple": 0, **change}


def demand(tonnes: float = 1000, product: str = "Nd", where: str = "JPN", who: str = "magnets", but: dict[int, float] | None = None) -> Row:
    return {"market": where, "sector": who, "product": product, **yearly(tonnes, but)}


def supplier(name: str = "SELLER", product: str = "Nd", where: str = "*", tonnes: float = 5000, **change: object) -> Row:
    kind = {"country": "SSS", "customs_origin": "SSS", "price_share": 1, "china_linked": 0}
    return {"supplier": name, "product": product, "market": where, **kind, **yearly(tonnes), **change}


def rule(kind: str, value: float | None = None, where: str = "HOST", **change: object) -> Row:
    unit = "" if value is None else "share" if kind == "export_share" else "t REO/y"
    return {"rule_id": kind, "host": where, "rule": kind, "value": value, "value_unit": unit, "reason": "test", **change}


def cap(basis: str, measure: str, scope: str, limit: float, member: str = "", name: str = "CAP") -> Row:
    return {"cap": name, "basis": basis, "measure": measure, "scope": scope, "member": member, **yearly(limit)}


def stockpile(opening: float = 0, days: float = 0, product: str = "Nd", where: str = "JPN", **change: object) -> Row:
    return {"market": where, "product": product, "opening": opening, "days": days, "holding_cost": 0, **change}


STOCK_ONLY = {"suppliers": [], "stockpiles": [stockpile(days=365)]}
"""A stock of a year's demand, 1 kt, that only joint plants can fill; demand itself may go short.

Limits on flows cannot make a plan impossible by themselves, since any demand may be left short; a stock to be held can.
"""

TWO_MARKETS = [market("JPN", equity=0.5), market("USA", equity=0.5)]


def two_products(cerium_surplus: float) -> dict:
    """Return the sheets of a book whose ore holds neodymium and cerium."""
    return {
        "elements": [element("Nd"), element("Ce")],
        "prices": [*prices("Nd"), *prices("Ce", 2, cerium_surplus)],
        "composition": [{"source_id": "MINE", "Nd": 0.4, "Ce": 0.6}],
        "recoveries": [recovery(product="Nd"), recovery(product="Ce", share=0.5)],
    }


def book(settings: dict[str, object] | None = None, **sheets: list[Row]) -> Tables:
    """Return the smallest book, with single settings and whole sheets replaced.

    Composition, prices and recoveries not given are those of one element, neodymium, in every
    source at a share of 1.
    """
    records: dict[str, list[Row]] = {
        "elements": [element()],
        "prices": prices(),
        "ports": [{"port": "Port", "country": "MMM", "feeder": "no"}],
        "processing": [processing()],
        "recoveries": [recovery()],
        "sources": [source()],
        "hosts": [host()],
        "designs": [design()],
        "know_how": [way()],
        "markets": [market()],
        "sectors": [sector()],
        "demand": [demand()],
        "suppliers": [supplier()],
        **sheets,
    }
    if "composition" not in sheets:
        records["composition"] = [{"source_id": row["source_id"], "Nd": 1.0} for row in records["sources"]]
    return tables_from_records(records, {**SETTINGS, **(settings or {})})


def problem_of(settings: dict[str, object] | None = None, **sheets: list[Row]) -> Problem:
    """Return the sets and parameters of a book."""
    return build_problem(book(settings, **sheets))


def only(values: dict) -> float:
    """Return the value that every key of a parameter has."""
    (value,) = set(values.values())
    return value


@dataclass(frozen=True)
class Solved:
    """A book carried through every room from problem to solution."""

    tables: Tables
    problem: Problem
    matrix: Matrix
    outcome: Outcome
    goal: Goal = LEAST_COST

    @functools.cached_property
    def solution(self) -> Solution:
        """The result tables."""
        return build_solution(self.tables, self.problem, self.matrix, self.outcome, self.goal)

    @property
    def cost(self) -> float:
        """Total discounted cost, MUSD."""
        return self.solution.objective

    @property
    def plants(self) -> tuple[BuildKey, ...]:
        """What is built, as the search takes a start."""
        chosen = zip(self.matrix.columns, self.outcome.values > 0.5, strict=True)
        return tuple(cast(BuildKey, index) for (name, index), built in chosen if name == "build" and built)

    def tonnes(self, table: str, column: str = "tonnes", **where: object) -> float:
        """Sum a column over the rows of a result table that match."""
        frame = self.solution.tables[table]
        for name, value in where.items():
            frame = frame[frame[name] == value]
        return float(frame[column].sum())


def matrix_of(tables: Tables, goal: Goal = LEAST_COST) -> tuple[Problem, Matrix]:
    """Return the problem and the compiled model of a book."""
    problem = build_problem(tables)
    return problem, compile_model(build_model(problem, goal))


def solve_book(tables: Tables, options: SolveOptions = EXACT, goal: Goal = LEAST_COST) -> Solved:
    """Solve a book exactly."""
    problem, matrix = matrix_of(tables, goal)
    return Solved(tables, problem, matrix, solve_matrix(matrix, options), goal)


def rows_of(matrix: Matrix, constraint: str) -> np.ndarray:
    """Return which rows of a matrix belong to a constraint."""
    return np.array([name == constraint for name, _ in matrix.rows], dtype=bool)


def without(matrix: Matrix, constraint: str) -> Matrix:
    """Return the matrix with both sides of a constraint's rows taken away."""
    own = rows_of(matrix, constraint)
    return replace(
        matrix, row_lower=np.where(own, -np.inf, matrix.row_lower), row_upper=np.where(own, np.inf, matrix.row_upper)
    )  # fmt: skip


def cost_without(matrix: Matrix, constraint: str) -> float:
    """Return the least cost [MUSD] when a constraint is taken away."""
    outcome = solve_matrix(without(matrix, constraint), EXACT)
    assert outcome.status is Status.OPTIMAL, outcome.termination
    return outcome.objective


def assert_verified(solved: Solved) -> None:
    """Assert that the independent check passes the plan."""
    report = verify_solution(solved.tables, solved.solution.tables, solved.cost, solved.goal)
    assert report.passed, report.failures


def with_least_china_out(matrix: Matrix, values: np.ndarray) -> np.ndarray:
    """Return the values with `china_out` no more than its rows ask: it costs nothing, so that the solver may leave it anywhere above."""
    settled = values.copy()
    settled[[name == "china_out" for name, _ in matrix.columns]] = 0.0
    lacking = matrix.row_lower - matrix.a @ settled
    column_of = {name: column for column, name in enumerate(matrix.columns)}
    for row in np.flatnonzero(rows_of(matrix, "china_out_minimum") & (lacking > 0)):
        column = column_of["china_out", matrix.rows[row][1]]
        settled[column] = lacking[row] / matrix.a[row, column]
    return settled


def check_binds(tables: Tables, constraint: str, cost: float, free: float, goal: Goal = LEAST_COST) -> Solved:
    """Assert the least cost with a constraint, and `free` with the constraint taken away [MUSD]."""
    solved = solve_book(tables, goal=goal)
    assert solved.outcome.status is Status.OPTIMAL, solved.outcome.termination
    assert solved.cost == approx(cost)
    assert_verified(solved)
    assert cost_without(solved.matrix, constraint) == approx(free)
    assert abs(cost - free) > 1e-3, "a constraint that binds changes the cost"
    return solved


def check_slack(tables: Tables, constraint: str, cost: float, free: float | None = None, goal: Goal = LEAST_COST) -> Solved:
    """Assert that a constraint is there, leaves room and moves nothing.

    `free` is the cost with the constraint taken away where that changes more than the room it leaves.
    """
    solved = solve_book(tables, goal=goal)
    assert solved.outcome.status is Status.OPTIMAL, solved.outcome.termination
    assert solved.cost == approx(cost)
    assert_verified(solved)
    own = rows_of(solved.matrix, constraint)
    activity = solved.matrix.a @ with_least_china_out(solved.matrix, solved.outcome.values)
    room = np.minimum(activity - solved.matrix.row_lower, solved.matrix.row_upper - activity)
    assert own.any(), f"no row of {constraint}"
    assert room[own].max() > 1e-6, f"no row of {constraint} leaves room"
    assert cost_without(solved.matrix, constraint) == approx(cost if free is None else free)
    return solved


def check_infeasible(tables: Tables, constraint: str, goal: Goal = LEAST_COST) -> None:
    """Assert that no plan exists, and that one would if a constraint were taken away."""
    _, matrix = matrix_of(tables, goal)
    assert solve_matrix(matrix, EXACT).status is Status.INFEASIBLE
    assert solve_matrix(without(matrix, constraint), EXACT).status is Status.OPTIMAL
