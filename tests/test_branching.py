"""Questions about counts of plants, on books small enough to count by eye."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model import answers, part_program
from model.branching import SINGLE, Doubt, Question, ask_about_plants, capacity_by, doubts_at
from model.linear_program import Basis, LinearProgram, LpState, StopSignal
from model.matrix import Row
from model.node import Node, root_node
from model.tree import Tree
from tests import small
from tests.random_books import random_book

TWO_HOSTS = {"max_plants": 4, "country_share_limit": 0.6, "country_share_from": 2031, "last_year": 2031, "modelled_years": "2030,2031"}


def two_hosts(**settings: object):
    book = small.book(
        {**TWO_HOSTS, **settings}, hosts=[small.host("HOST"), small.host("OTHER", country="OTH")],
        designs=[small.design("PLANT"), small.design("BIG", capacity=3000)],
    )  # fmt: skip
    return small.matrix_of(book)


def question(problem, matrix, name):
    return next(asked for asked in ask_about_plants(problem, matrix) if asked.name == name)


def point(matrix, **on):
    values = np.zeros(len(matrix.cost))
    for column in np.flatnonzero(matrix.integer):
        host, design, _, year = matrix.columns[column][1]
        values[column] = on.get(f"{host}_{design}_{year}", 0.0)
    return values


def test_counts_of_plants_by_year_size_and_host():
    problem, matrix = two_hosts()
    assert question(problem, matrix, "plants on line by 2030").columns.size == 4
    assert question(problem, matrix, "plants on line by 2031").columns.size == 8
    assert question(problem, matrix, "plants of at least 3 kt by 2031").columns.size == 4
    assert question(problem, matrix, "plants at OTHER by 2031").columns.size == 4
    singles = [asked for asked in ask_about_plants(problem, matrix) if asked.columns.size == 1]
    assert len(singles) == matrix.integer.sum()


def test_one_plant_cannot_stand_alone_where_no_country_may_hold_more_than_a_share():
    problem, matrix = two_hosts()
    assert question(problem, matrix, "plants on line by 2030").least == 1
    assert question(problem, matrix, "plants on line by 2031").least == 2
    assert question(*two_hosts(country_share_limit=1.0), "plants on line by 2031").least == 1
    alone = point(matrix, HOST_PLANT_2031=1.0)
    doubt = doubts_at(ask_about_plants(problem, matrix), alone)[0]
    assert (doubt.question.name, doubt.count, doubt.answers) == ("plants on line by 2031", 1.0, (0.0, 2.0))
    # and the model itself agrees: one plant in 2031 is in no plan
    columns = question(problem, matrix, "plants on line by 2031").columns
    lone = small.solve_matrix(matrix.with_rows([Row(columns, np.ones(columns.size), 1.0, 1.0)]), small.EXACT)
    assert not lone.status.has_plan


@pytest.mark.parametrize(
    ("settings", "name", "needs"),
    [
        ({}, "plants of at least 3 kt by 2031", (2031, 5.0)),
        ({}, "plants of at least 3 kt by 2030", (2031, 5.0)),  # the share holds from 2031
        ({"country_share_from": 2030}, "plants of at least 3 kt by 2030", (2030, 5.0)),
        ({"country_share_limit": 0.75}, "plants on line by 2031", (2031, 4 / 3)),
        ({"country_share_limit": 1.0}, "plants of at least 3 kt by 2031", None),
        ({"country_share_from": 2032}, "plants of at least 3 kt by 2031", None),
    ],
)
def test_a_large_plant_needs_capacity_elsewhere(settings, name, needs):
    problem, matrix = two_hosts(**settings)
    assert question(problem, matrix, name).needs == (pytest.approx(needs) if needs else None)


@pytest.mark.parametrize("share", [0.55, 0.6, 0.75, 1.0])
def test_no_plan_with_any_of_what_is_asked_has_less_capacity_than_it_needs(share):
    problem, matrix = two_hosts(country_share_limit=share)
    checked = 0
    for asked in ask_about_plants(problem, matrix):
        if asked.needs is None:
            continue
        year, kt = asked.needs
        on_line = np.array([problem.capacity[k[1]] if n == "build" and k[3] <= year else 0.0 for n, k in matrix.columns])
        least = small.solve_matrix(
            replace(matrix, cost=on_line, offset=0.0).with_rows([Row(asked.columns, np.ones(asked.columns.size), 1.0, np.inf)]), small.EXACT
        )
        assert not least.status.has_plan or least.objective >= kt - 1e-6
        checked += 1
    assert bool(checked) == (share < 1.0)


def test_capacity_on_line_by_a_year():
    problem, matrix = two_hosts()
    for (component, index), kt in zip(matrix.columns, capacity_by(problem, matrix, 2030), strict=True):
        assert kt == ({"PLANT": 1.0, "BIG": 3.0}[index[1]] if component == "build" and index[3] == 2030 else 0.0)


def asked_at_the_root(name: str) -> tuple[Tree, Node, int]:
    """Return a search that holds its root, the root, and the number of a question there."""
    problem, matrix = two_hosts()
    tree = Tree(problem, matrix, small.EXACT, StopSignal(60.0), [])
    node = root_node(matrix, 0.0)
    tree.hold(node)
    return tree, node, next(n for n, asked in enumerate(tree.lp_questions) if asked.name == name)


def test_the_search_states_the_capacity_that_an_answer_needs():
    tree, node, number = asked_at_the_root("plants of at least 3 kt by 2031")
    doubt = Doubt(number, tree.lp_questions[number], 0.5)
    none, some = (tree._answer(node, doubt, side, tree.lp.basis()) for side in (0, 1))
    assert all(count.weights is None for count in none.limits)
    ((capacity, limits),) = [(count, limits) for count, limits in some.limits.items() if count.weights is not None]
    assert limits == (pytest.approx(5.0), np.inf)
    tree._enter(some)
    assert tree.lp.solve() is LpState.OPTIMAL
    whole = tree.reduction.restore(tree.lp.values())[tree.whole]
    assert capacity.weights @ whole >= 5.0 - 1e-6


def test_a_part_keeps_what_the_answers_before_it_limited():
    """At least two and then at most three, and a later answer that says less takes nothing back."""
    tree, node, number = asked_at_the_root("plants on line by 2031")
    count, basis = tree.count_of[number], tree.lp.basis()
    for side, at, limits in (
        (1, 1.5, (2.0, np.inf)),
        (0, 3.5, (2.0, 3.0)),
        (1, 0.5, (2.0, 3.0)),
        (0, 3.9, (2.0, 3.0)),
        (0, 2.5, (2.0, 2.0)),
    ):
        node = tree._answer(node, Doubt(number, tree.lp_questions[number], at), side, basis)
        assert node.limits[count] == limits
        assert (node.answer.side, node.answer.count) == (side, count)
    assert node.depth == 5


def test_an_answer_about_one_build_moves_one_of_its_bounds() -> None:
    problem, matrix = two_hosts()
    shared, node, basis = answers.Answers(problem, matrix), root_node(matrix, 0.0), Basis(np.empty(0), np.empty(0))
    doubt = Doubt(0, Question(SINGLE, "a build", 3, np.flatnonzero(matrix.integer)[:1]), 0.4)
    for side, bounds in ((0, (0.0, 0.0)), (1, (1.0, 1.0))):
        part = shared.part(node, doubt, shared.count_at([0]), side, basis, 1)
        assert (part.lower[0], part.upper[0]) == bounds
        assert (part.lower[1:] == node.lower[1:]).all()
        assert (part.upper[1:] == node.upper[1:]).all()
    assert (node.lower[0], node.upper[0]) == (0.0, 1.0), "the whole stays as it was"


def test_none_of_several_builds_are_ruled_out_one_by_one() -> None:
    problem, matrix = two_hosts()
    shared, node, basis = answers.Answers(problem, matrix), root_node(matrix, 0.0), Basis(np.empty(0), np.empty(0))
    doubt = Doubt(0, Question("on line", "two builds", 0, np.flatnonzero(matrix.integer)[:2]), 0.4)
    part = shared.part(node, doubt, shared.count_at([0, 1]), 0, basis, 1)
    assert part.upper.tolist() == [0.0, 0.0, *node.upper[2:]]
    assert part.limits == {}


@pytest.mark.usefixtures("part_anything")
def test_a_twin_asks_about_the_same_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_program, "DECOMPOSE_FROM", 0)
    solved = small.solve_book(random_book(4))
    tree = Tree(solved.problem, solved.matrix, small.EXACT, StopSignal(60.0), [])
    tree.hold(root_node(solved.matrix, 0.0))
    assert tree.parted is not None
    assert all(one is other for one, other in zip(tree.count_of, tree.twin().count_of, strict=True))


def test_searches_that_share_answers_limit_the_same_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where another thread asks for a capacity while it is added up."""
    problem, matrix = two_hosts()
    shared = answers.Answers(problem, matrix)
    assert shared.count_at([0, 1]) is shared.count_at([0, 1])
    assert shared.count_at([0, 1]) is not shared.count_at([0, 2])
    others = []

    def added_up(*asked: Any) -> np.ndarray:
        if not others:
            others.append(None)
            others[0] = shared._capacity_by(2031)
        return capacity_by(*asked)

    monkeypatch.setattr(answers, "capacity_by", added_up)
    assert shared._capacity_by(2031) is others[0]


def test_each_kind_of_question_gets_its_turn():
    problem, matrix = two_hosts(last_year=2033, modelled_years="2030,2031,2032,2033")
    third = point(matrix, **{f"{h}_{d}_2030": 0.3 for h in ("HOST", "OTHER") for d in ("PLANT", "BIG")})
    doubts = doubts_at(ask_about_plants(problem, matrix), third)
    assert {doubt.question.kind for doubt in doubts[:2]} == {"on line", "size"}
    ranks = [doubt.question.rank for doubt in doubts]
    assert ranks == sorted(ranks)


def test_whole_plans_leave_no_doubt_and_parts_of_plants_do():
    problem, matrix = two_hosts()
    questions = ask_about_plants(problem, matrix)
    assert doubts_at(questions, point(matrix, HOST_PLANT_2031=1.0, OTHER_PLANT_2031=1.0)) == []
    # counts that are whole although single builds are not: only the finer questions are open
    mixed = doubts_at(questions, point(matrix, HOST_PLANT_2031=0.5, HOST_BIG_2031=0.5, OTHER_PLANT_2031=1.0))
    assert "plants on line by 2031" not in {doubt.question.name for doubt in mixed}
    assert mixed[0].question.name == "plants of at least 3 kt by 2031"
    assert mixed[0].answers == (0.0, 1.0)


def test_a_linear_program_starts_where_the_last_one_ended_and_stops_at_a_cutoff():
    solved = small.solve_book(small.book())
    lp = LinearProgram(solved.matrix, small.EXACT, StopSignal(60.0))
    assert lp.solve() is LpState.OPTIMAL
    bound, basis = lp.objective, lp.basis()
    again = LinearProgram(solved.matrix, small.EXACT, StopSignal(60.0), basis)
    assert again.solve() is LpState.OPTIMAL
    assert again.iterations == 0
    assert again.objective == pytest.approx(bound)
    assert LinearProgram(solved.matrix, small.EXACT, StopSignal(60.0)).solve(bound - 1.0) is LpState.ABOVE_CUTOFF
    assert LinearProgram(solved.matrix, small.EXACT, StopSignal(-1.0)).solve() is LpState.STOPPED
