"""What is said of two runs, on runs written down by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from model.comparison import Cause, Step
from model.comparison_words import Comparison, describe, sure_words
from model.outcome import Status
from model.report_summary import GAP, PROVEN
from model.run_reading import Run
from tests import small

TABLES = small.book(hosts=[small.host("A"), small.host("B")])


def run(cost: float, *plants: tuple[str, int], proven: str = "yes", gap: float = 0.0, status: str = Status.OPTIMAL) -> Run:
    """Return a run of this cost with plants at these hosts from these years."""
    rows = [{"host": host, "design": "PLANT", "way": "own", "on_line": year, "capacity": 1000.0} for host, year in plants]
    results = {
        "costs": pd.DataFrame({"present_value": [cost]}),
        "checks": pd.DataFrame({"check": [], "verdict": []}),
        "plants": pd.DataFrame(rows, columns=["host", "design", "way", "on_line", "capacity"]),
    }
    return Run("x", Path("x"), TABLES, results, {"status": status}, {PROVEN: proven, GAP: gap})


def compared(before: Run, after: Run, *costs: float) -> list[str]:
    steps = [Step((Cause("settings", f"s{number}"),), cost, 0.0, ()) for number, cost in enumerate(costs, 1)]
    return describe(Comparison(before, after, [], len(steps), steps))


@pytest.mark.parametrize(("after", "words"), [(60.0, "10.0 MUSD more (+20.00%)"), (40.0, "10.0 MUSD less (-20.00%)")])
def test_a_change_is_told_as_a_share_of_the_cost_before(after, words):
    assert f"; {words}." in compared(run(50.0), run(after), after)[1]


def test_plants_that_go_come_and_move_are_told_with_their_years():
    words = compared(run(50.0, ("A", 2030)), run(60.0, ("B", 2032)), 60.0)[2]
    assert "A 1,000 t/y gone (2030)" in words
    assert "B 1,000 t/y new (2032)" in words
    assert "(2033)" in compared(run(50.0, ("A", 2030)), run(60.0, ("A", 2033)), 60.0)[2]
    assert compared(run(50.0), run(60.0), 60.0)[2] == "Plants: none in either run."
    assert compared(run(50.0, ("A", 2030)), run(60.0, ("A", 2030)), 60.0)[2] == "Plants: the same one in both runs."


def test_costs_of_different_years_are_warned_of():
    before = run(50.0)
    for settings in ({"last_year": 2036}, {"modelled_years": "2027,2030"}):
        words = compared(before, replace(run(60.0), tables=TABLES.with_settings(**settings)), 60.0)[0]
        assert "CAUTION: the years differ (" in words
    assert "CAUTION" not in compared(before, run(60.0), 60.0)[0]


def test_as_many_years_but_others_are_warned_of():
    every, before, after = (
        replace(run(50.0), tables=TABLES.with_settings(first_year=2027, last_year=2031, modelled_years=years))
        for years in ("all", "2027,2030", "2027,2031")
    )
    assert "(before 2027–2031, modelled 2027, 2030; after 2027–2031, modelled 2027, 2031)" in compared(before, after, 50.0)[0]
    assert "before 2027–2031, modelled every year;" in compared(every, after, 50.0)[0]


def test_the_four_largest_causes_are_named_whichever_their_sign_and_the_rest_summed():
    words = compared(run(100.0), run(72.0), 101.0, 81.0, 86.0, 83.0, 79.0, 72.0)[3]
    assert words == (
        "By cause: -20.0 MUSD setting s2; -7.0 MUSD setting s6; +5.0 MUSD setting s3; -4.0 MUSD setting s5; -2.0 MUSD all others."
    )


def test_only_what_both_sheets_call_proven_is():
    assert run(1.0).proven
    assert not run(1.0, proven="no").proven
    assert not run(1.0, status=Status.LIMIT).proven
    words = compared(run(50.0), run(60.0, proven="no", gap=3.0), 60.0)
    assert "CAUTION: the plan after is not proven, a cheaper one may exist (up to 3.0 MUSD)" in words[0]


@pytest.mark.parametrize(
    ("change", "words"), [(5.9, "not sure (within the gaps)"), (-6.1, "by the gaps -9.1 to -3.1"), (6.1, "by the gaps +3.1 to +9.1")]
)
def test_a_change_counts_against_the_sum_of_both_gaps(change, words):
    assert sure_words(change, 3.0, 3.0) == words
    assert sure_words(change, 0.02, 0.02) == ""
