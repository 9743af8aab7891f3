"""Nothing unregistered: `model/formulation.md`, the code, the verification and the tests name the same things."""

from __future__ import annotations

import ast
import dataclasses
import re
from functools import cache
from pathlib import Path

import pyomo.environ as pyo
import pytest

from model.formulation import build_model
from model.goal import Goal, ShortageLimit
from model.problem import BUILD_COSTS, COMPONENTS, DELIVERY_COSTS, FEED_COSTS, PURCHASE_COSTS, Problem
from model.problem_builder import build_problem
from model.result_schema import RESULT_TABLES
from model.schema import SHEET_BY_NAME
from model.verification import IMPLIED, RULES
from tests import small
from tests.random_books import random_sheets

MODEL = Path(__file__).parents[1] / "model"
FORMULATION = (MODEL / "formulation.md").read_text(encoding="utf-8")

Heads = dict[str, tuple[str, ...]]


def documented(heading: str, column: int = 0) -> Heads:
    """Return name -> index letters of a table's column, from heads such as `feed[s,h,l,y]`."""
    table = next(block for block in re.split(r"\n\s*\n", FORMULATION) if block.startswith(f"| {heading} |"))
    heads = {}
    for line in table.splitlines()[2:]:
        cell = re.split(r"(?<!\\)\|", line)[1 + column].strip()
        match = re.match(r"`(\w+)(?:\[([\w,]+)\])?`", cell)
        assert match, f"no name in {cell!r}"
        assert match[1] not in heads, f"{match[1]} stands twice"
        heads[match[1]] = tuple(match[2].split(",")) if match[2] else ()
    return heads


def members(heading: str) -> Heads:
    """Return name -> letters in the second column of a table."""
    table = next(block for block in re.split(r"\n\s*\n", FORMULATION) if block.startswith(f"| {heading} |"))
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:3]] for line in table.splitlines()[2:]]
    return {name.strip("`"): tuple(letters.split(",")) for name, letters in rows}


@cache
def rich_model() -> pyo.ConcreteModel:
    """Return a model in which every constraint has a row and every variable a member."""
    sheets, settings = random_sheets(0)
    first, second = sheets["hosts"][0]["host"], sheets["hosts"][1]["host"]
    for row in sheets["hosts"]:
        row |= {"thorium_accepted": "high", "earliest_start": 2030}
    sheets["designs"] = [small.design("INT", minimum_use=0.3), small.design("SEP", scope="separation", minimum_use=0.4)]
    sheets["host_rules"] = [
        small.rule("feed_ceiling", 900, first),
        small.rule("force_plant", 500, second),
        small.rule("export_share", 0.5, first),
        small.rule("export_ceiling", 400, second),
    ]
    sheets["markets"] = [{**row, 2029: 500, "offtake_minimum": 0.1} for row in sheets["markets"]]
    sheets["stockpiles"] = [small.stockpile(10, 30, "Dy")]
    # a partner's own cap in 2030 only: content is split by market in that year and not in the other
    sheets["caps"] = [{**row, 2033: 1} if row["scope"] == "partner" else row for row in sheets["caps"]]
    settings |= {"minimum_hosts": 1, "country_share_limit": 0.6, "country_share_from": 2030}
    goal = Goal(excluded_host_sets=(frozenset({first}),), shortage_limits=(ShortageLimit(("magnets",), 1.0),), cost_budget=1e6)
    return build_model(build_problem(small.book(settings, **sheets)), goal)


def built(kind: type) -> dict[str, object]:
    return {component.local_name: component for component in rich_model().component_objects(kind)}


def written(pattern: str) -> set[str]:
    """Return names that the formulation's source declares, by a decorator or an assignment to the model."""
    found = set()
    for path in MODEL.glob("formulation*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(pattern in ast.unparse(decorator) for decorator in node.decorator_list):
                found.add(node.name)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == pattern:
                found |= {target.attr for target in node.targets if isinstance(target, ast.Attribute)}
    return found


# --- formulation.md and the code --------------------------------------------------------------------------


def test_constraints_are_those_of_the_code():
    names = set(documented("constraint")) | set(documented("implied row"))
    assert names == written("m.Constraint")
    assert names == set(built(pyo.Constraint))


@pytest.mark.parametrize("name", documented("constraint"))
def test_every_constraint_can_have_rows_and_the_indices_it_says(name):
    constraint = built(pyo.Constraint)[name]
    assert len(constraint) > 0
    letters = documented("constraint")[name]
    # a cap is a row of the caps sheet and its member
    size = sum(2 if letter == "k" else 1 for letter in letters)
    assert constraint.dim() == size


def test_every_constraint_says_what_it_is_and_in_which_unit():
    undocumented = [name for name, constraint in built(pyo.Constraint).items() if not re.search(r"\[.+\]", constraint.doc or "")]
    assert undocumented == []


def test_variables_are_those_of_the_code():
    names = set(documented("variable")) | {"nothing"}
    assert names == written("pyo.Var")
    assert names == set(built(pyo.Var))


@pytest.mark.parametrize("name", documented("variable"))
def test_every_variable_has_the_index_set_it_says(name):
    variable = built(pyo.Var)[name]
    assert len(variable) > 0
    letters = documented("variable")[name]
    sets = {**members("index set"), **members("set")}
    assert sets[variable.index_set().name] == letters


def test_variables_that_are_not_negative_have_that_bound():
    for name, variable in built(pyo.Var).items():
        if name not in ("stock_drawn", "nothing"):
            assert all(member.lb == 0 for member in variable.values()), name
    assert all(member.lb is None for member in built(pyo.Var)["stock_drawn"].values())


def test_index_sets_are_those_of_the_code():
    names = {name for name in built(pyo.Set) if name.isupper()}
    assert names == set(members("index set")) | {"HOSTS", "YEARS"}
    assert names == written("pyo.Set")


def test_every_index_letter_has_a_set():
    letters = [letter for (letter,) in members("set").values()]
    assert len(letters) == len(set(letters))
    used = {
        letter
        for heads in (documented("variable"), documented("constraint"), members("index set"))
        for indices in heads.values()
        for letter in indices
    }
    assert used == set(letters)


def test_every_field_of_the_problem_is_in_the_formulation():
    named = set(re.findall(r"`(\w+)(?:\[[^\]]*\])?`", FORMULATION))
    assert {field.name for field in dataclasses.fields(Problem)} - named == set()


def test_cost_components_are_those_of_the_code():
    assert tuple(documented("component")) == COMPONENTS
    assert {component for component, _ in rich_model().cost} == set(COMPONENTS)
    assert {*BUILD_COSTS, *FEED_COSTS, *DELIVERY_COSTS, *PURCHASE_COSTS, "stock_holding", "shortage", "surplus_revenue"} == set(COMPONENTS)


def test_every_combination_of_basis_and_scope_of_a_cap_is_in_its_table():
    table = next(block for block in re.split(r"\n\s*\n", FORMULATION) if block.startswith("| basis |"))
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in table.splitlines()[2:]]
    told = {(basis, scope.strip()) for basis, scopes in rows for scope in scopes.split(",")}
    caps = SHEET_BY_NAME["caps"]
    assert told == {(basis, scope) for basis in caps.column("basis").choices for scope in caps.column("scope").choices}


# --- tests and verification -------------------------------------------------------------------------------


def test_every_constraint_is_verified():
    checks = {rule.name for rule in RULES if rule.kind == "constraint"}
    assert checks | set(IMPLIED) == set(documented("constraint"))
    assert checks.isdisjoint(IMPLIED)
    assert set(IMPLIED.values()) <= checks


@pytest.mark.parametrize("name", documented("constraint"))
def test_every_constraint_is_solved_by_eye(name):
    """A binding, a slack and an impossible instance each; an equation has no slack side."""
    tests = {
        node.name
        for path in Path(__file__).parent.glob("test_constraints*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    sides = ["binds", "forbids"] if name.endswith("_balance") else ["binds", "leaves_room", "forbids"]
    assert [side for side in sides if f"test_{name}_{side}" not in tests] == []


# --- result tables -----------------------------------------------------------------------------------------


def test_every_result_column_is_described_with_its_unit():
    solved = small.solve_book(small.book(**random_sheets(0)[0]))
    frames = solved.solution.tables
    assert list(frames) == [table.name for table in RESULT_TABLES]
    for table in RESULT_TABLES:
        assert table.description.endswith("."), table.name
        assert list(frames[table.name].columns) == table.names
        for column in table.columns:
            assert column.description.endswith("."), (table.name, column.name)
            assert bool(column.unit) == (frames[table.name][column.name].dtype.kind in "if"), (table.name, column.name)
