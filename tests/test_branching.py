"""Questions about counts of plants, on books small enough to count by eye."""

import numpy as np
import pytest

from model.branching import ask_about_plants, doubts_at
from model.linear_program import LinearProgram, LpState, StopSignal
from model.matrix import Row
from tests import small

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
    assert question(problem, matrix, "plants of at least 3 kt").columns.size == 4
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


def test_whole_plans_leave_no_doubt_and_parts_of_plants_do():
    problem, matrix = two_hosts()
    questions = ask_about_plants(problem, matrix)
    assert doubts_at(questions, point(matrix, HOST_PLANT_2031=1.0, OTHER_PLANT_2031=1.0)) == []
    # counts that are whole although single builds are not: only the finer questions are open
    mixed = doubts_at(questions, point(matrix, HOST_PLANT_2031=0.5, HOST_BIG_2031=0.5, OTHER_PLANT_2031=1.0))
    assert "plants on line by 2031" not in {doubt.question.name for doubt in mixed}
    assert mixed[0].question.name == "plants of at least 3 kt"
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
