"""A plan priced as it stands: its plants and no others, whatever would be cheaper."""

from __future__ import annotations

import pytest

from model.batch import Case, solve_cases
from model.outcome import Status
from model.planner import solve, with_plants_held
from model.problem import BuildKey
from tests import small

HOSTS = {"hosts": [small.host("NEAR"), small.host("FAR") | {"capex_factor": 3}]}


def build_at(host: str) -> BuildKey:
    tables = small.book(**HOSTS)
    problem, _ = small.matrix_of(tables)
    return next(key for key in problem.builds if key[0] == host)


@pytest.mark.parametrize(
    ("hosts", "extra"),
    [
        ((), 70),
        (("NEAR",), 0),
        (("FAR",), 20),
        (("NEAR", "FAR"), 30),
    ],  # 1 kt is made for 10 a year, or 30, and 20 of feed, or bought for 100
)
def test_the_plants_stand_and_no_others(hosts, extra):
    tables = small.book(**HOSTS)
    least = solve(tables, small.EXACT).solution.objective
    plan = solve(tables, small.EXACT, start=tuple(build_at(host) for host in hosts), held=True)
    assert plan.solution.status is Status.OPTIMAL
    assert plan.verification.passed
    assert sorted(plan.solution.host_set) == sorted(hosts)
    assert plan.solution.objective - least == small.approx(extra)


def test_a_plant_that_cannot_be_built_leaves_no_plan():
    tables = small.book(hosts=[small.host("NEAR"), small.host("FAR") | {"candidate": "no"}])
    plan = solve(tables, small.EXACT, start=(build_at("FAR"),), held=True)
    assert plan.solution.status is Status.INFEASIBLE


def test_plants_that_break_a_rule_leave_no_plan():
    tables = small.book({"max_plants": 1}, **HOSTS)
    plan = solve(tables, small.EXACT, start=(build_at("NEAR"), build_at("FAR")), held=True)
    assert plan.solution.status is Status.INFEASIBLE


def test_a_batch_holds_plants_too():
    tables = small.book(**HOSTS)
    cases = [Case("free", tables, start=(build_at("FAR"),)), Case("held", tables, start=(build_at("FAR"),), held=True)]
    assert [plan.solution.host_set for _, plan in solve_cases(cases, small.EXACT, workers=1)] == [("NEAR",), ("FAR",)]


def test_a_matrix_that_rules_a_plant_out_or_in_is_obeyed():
    _, matrix = small.matrix_of(small.book(**HOSTS))
    near, far = (next(n for n, name in enumerate(matrix.columns) if name == ("build", build_at(host))) for host in ("NEAR", "FAR"))
    shut, must = matrix.upper.copy(), matrix.lower.copy()
    shut[near], must[far] = 0.0, 1.0
    bounded = matrix.with_bounds(must, shut)
    assert with_plants_held(bounded, (build_at("NEAR"), build_at("FAR"))) is None
    assert with_plants_held(bounded, ()) is None
    held = with_plants_held(bounded, (build_at("FAR"),))
    assert held is not None
    assert (held.lower[near], held.upper[near], held.lower[far], held.upper[far]) == (0, 0, 1, 1)
