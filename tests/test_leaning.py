"""What the plan leans on: scenarios that change the hosts, and those that leave nothing to compare."""

from __future__ import annotations

import pytest

from model.planner import solve
from model.studies import leaning
from model.studies.study import StudyContext, StudySheet
from tests import small
from tests.small import EXACT
from tests.test_sensitivity import two_hosts


def scenario(name: str, sheet: str, key: str, column: str, value: float) -> small.Row:
    return {"scenario": name, "sheet": sheet, "key": key, "column": column, "operation": "set", "value": value, "reason": "test"}


SCENARIOS = [
    scenario("dear_alpha", "hosts", "ALPHA", "capex_factor", 1.25),
    scenario("cheap_alpha", "hosts", "ALPHA", "capex_factor", 0.9),
    scenario("tight", "settings", "minimum_hosts", "value", 5),
    scenario("firm", "suppliers", "SELLER", "least_take", 1.0),
]
"""The first moves the plant from ALPHA to BETA; no more than two hosts can hold one; 5 kt cannot be taken where 1 kt is wanted."""


def study(*names: str) -> StudySheet:
    tables = two_hosts({"leaning_scenarios": ", ".join(names)}, scenarios=SCENARIOS)
    (sheet,) = leaning.run(StudyContext(tables, solve(tables, EXACT), EXACT, 1, lambda _: None))
    return sheet


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["dear_alpha", "cheap_alpha"], ["1 of 2 moves change the hosts: dear_alpha."]),
        (["cheap_alpha"], ["No move changes the hosts."]),
        (["tight"], ["No move has a plan that could be compared.", "No plan exists at all with: tight."]),
        (
            ["cheap_alpha", "tight", "firm"],
            [
                "No move whose plan is known changes the hosts.",
                "No plan exists at all with: tight.",
                "Not solved, as the moved inputs break a rule of the book that the table names: firm.",
            ],
        ),
        (["dear_alpha", "tight"], ["1 of 2 moves change the hosts: dear_alpha.", "No plan exists at all with: tight."]),
    ],
)
def test_moves_without_a_plan_are_told_apart(names, words):
    assert study(*names).sentences[:-1] == words


def test_what_has_no_plan_has_no_plants():
    rows = {row["scenario"]: row for row in study(*(row["scenario"] for row in SCENARIOS)).tables[0][2].to_dict("records")}
    assert {name: (row["plants"], row["same_hosts"]) for name, row in rows.items()} == {
        "dear_alpha": ("BETA 1,000 t/y from 2030", "no"),
        "cheap_alpha": ("ALPHA 1,000 t/y from 2030", "yes"),
        "tight": ("", "no plan exists there"),
        "firm": ("", "breaks a rule of the book"),
    }
