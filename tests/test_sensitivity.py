"""Which estimates change the chosen hosts: on books where it can be said by eye."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from model import strategy
from model.outcome import Status
from model.planner import solve
from model.studies import moved, sensitivity
from model.studies.host_changes import with_hosts_kept
from model.studies.moved import Moved, solve_moved, summarise
from model.studies.sensitivity_ends import verdict
from model.studies.study import StudyContext, StudySheet
from model.tables import Tables
from tests import small
from tests.guessed_books import GUESS, complete, two_hosts
from tests.small import EXACT


def study(tables: Tables, workers: int = 1) -> StudySheet:
    plan = solve(tables, EXACT)
    (sheet,) = sensitivity.run(StudyContext(tables, plan, EXACT, workers, lambda _: None))
    return sheet


def rows(sheet: StudySheet, number: int) -> list[dict]:
    return sheet.tables[number][2].to_dict("records")


@pytest.fixture(scope="module")
def sheet() -> StudySheet:
    return study(two_hosts())


def test_the_estimate_that_flips_the_host_is_found_and_ranked_first(sheet):
    first = rows(sheet, 0)[0]
    assert first["figure"] == "construction cost levels of the hosts"
    assert first["moved_to"] == "1 → 1.25"
    assert first["best_hosts"] == "BETA"
    assert first["keeping"] == pytest.approx(1.5)
    assert first["sure"] == "yes"
    assert first["change"] == pytest.approx(1.0)
    assert first["place"] == 1


def test_an_estimate_that_moves_cost_only_is_in_the_tornado_alone(sheet):
    assert {row["figure"] for row in rows(sheet, 0)} == {"construction cost levels of the hosts"}
    feed = next(row for row in rows(sheet, 1) if row["figure"] == "feed prices")
    assert (feed["low_change"], feed["high_change"], feed["swing"]) == (pytest.approx(-5), pytest.approx(5), pytest.approx(10))
    assert feed["hosts_change"] == "no"
    assert feed["low_hosts"] == feed["high_hosts"] == "ALPHA"
    assert feed["verdict"] == "passed"


def test_the_tornado_is_sorted_by_swing(sheet):
    swings = [row["swing"] for row in rows(sheet, 1)]
    assert swings == sorted(swings, reverse=True)
    assert [row["place"] for row in rows(sheet, 1)] == list(range(1, len(swings) + 1))


def test_the_words_name_the_estimate_and_what_to_do(sheet):
    said = " ".join(sheet.sentences)
    assert "1 of " in said
    assert "Construction cost levels of the hosts (1 → 1.25): best at ABC (BETA); with ABC (ALPHA) 1.5 MUSD more would be paid." in said
    assert "Get local construction quotes." in said
    assert sheet.headlines == ["Weak number 1: " + next(line for line in sheet.sentences if line.startswith("Construction"))]


def test_no_change_of_hosts_reads_as_such():
    quiet = study(two_hosts(hosts=[small.host("ALPHA", **GUESS), small.host("BETA", capex_factor=2)]))
    assert rows(quiet, 0) == []
    assert quiet.headlines == ["No estimate, moved through its range by itself, changes the chosen hosts."]


def test_hosts_that_are_as_good_as_each_other_are_no_change():
    """ALPHA a quarter dearer costs exactly what BETA does: whatever the solver picks, keeping ALPHA costs nothing."""
    tables = two_hosts(hosts=[small.host("ALPHA", **GUESS), small.host("BETA", capex_factor=1.2499999)])
    tie = study(tables)
    assert all(row["sure"] == "within the gap" for row in rows(tie, 0) if row["figure"].startswith("construction"))
    assert tie.headlines == ["No estimate, moved through its range by itself, changes the chosen hosts."]


@pytest.mark.parametrize("needed", [0, 1])
def test_hosts_that_cannot_be_kept_come_first(needed):
    """110 MUSD may be spent on a plant: 100 at ALPHA, 125 if it is a quarter dearer; 105 at BETA. Going without is no way to keep ALPHA."""
    tables = two_hosts(
        {"minimum_hosts": needed},
        hosts=[small.host("ALPHA", country="AAA", **GUESS), small.host("BETA", country="BBB", capex_factor=1.05)],
        markets=[{**small.market(), 2029: 110}],
    )
    stuck = study(tables)
    first = rows(stuck, 0)[0]
    assert (first["figure"], first["best_hosts"], first["sure"]) == ("construction cost levels of the hosts", "BETA", "yes")
    assert math.isinf(first["keeping"])
    assert "best at ABC (BETA); ABC (ALPHA) cannot be kept." in stuck.headlines[0]


def test_a_host_that_falls_away_is_a_change():
    """1 kt is bought for 100 or made for 10 and feed at 20: at 95 no plant is worth its cost, and the one at ALPHA costs 5 more."""
    tables = two_hosts(
        {"sensitivity_figures": "feed_prices", "sensitivity_cells": 0},
        hosts=[small.host("ALPHA", country="AAA")],
        sources=[small.source(fixed_price_high=95, **GUESS)],
    )
    gone = study(tables)
    (row,) = rows(gone, 0)
    assert (row["moved_to"], row["best_hosts"], row["sure"]) == ("20 → 95", "none", "yes")
    assert row["keeping"] == pytest.approx(5)
    assert gone.sentences[:2] == [
        "1 of 1 estimates change the chosen hosts somewhere in their range (low and high case, else 25% either way).",
        "Feed prices (20 → 95): best at no host; with ABC (ALPHA) 5.0 MUSD more would be paid. Ask the mines for price offers.",
    ]
    assert gone.headlines == [f"Weak number 1: {gone.sentences[1]}"]


def test_one_of_two_hosts_that_falls_away_is_a_change():
    """BETA's plant at 8.5 times the cost makes 1 kt for 105, which costs 100 to buy."""
    tables = two_hosts(
        {"max_plants": 2, "sensitivity_cells": 0},
        hosts=[small.host("ALPHA", country="AAA"), small.host("BETA", country="BBB", capex_factor_high=8.5, **GUESS)],
        sources=[small.source()],
        demand=[small.demand(2000)],
    )
    lost = study(tables)
    first = rows(lost, 0)[0]
    assert (first["figure"], first["best_hosts"], first["sure"]) == ("construction cost levels of the hosts", "ALPHA", "yes")
    assert first["keeping"] == pytest.approx(5)


def test_kept_hosts_hold_a_plant_each_and_the_books_own_rules_stay():
    tables = complete(
        hosts=[small.host(name, country=name[:3]) for name in ("ALPHA", "BETA", "GAMMA")],
        designs=[small.design("SMALL", capacity=400), small.design("LARGE")],
        host_rules=[small.rule("force_plant", 1000, "BETA")],
    )
    problem = solve(tables, EXACT).problem
    kept = with_hosts_kept(tables, problem, ("ALPHA", "BETA"))
    rules = kept["host_rules"].set_index("host")["value"]
    assert rules.to_dict() == {"ALPHA": 400, "BETA": 1000}
    assert solve(kept, EXACT).solution.host_set == ("ALPHA", "BETA")
    assert solve(with_hosts_kept(complete(), problem, ()), EXACT).solution.host_set == ()


def test_an_end_without_any_plan_is_no_matter_of_time():
    """A plant must stand and 110 MUSD may be spent on it: a quarter dearer, there is none."""
    tables = two_hosts(
        {"minimum_hosts": 1, "sensitivity_figures": "capex_factors", "sensitivity_cells": 0},
        hosts=[small.host("ALPHA", **GUESS)],
        markets=[{**small.market(), 2029: 110}],
    )
    stuck = study(tables)
    (bar,) = rows(stuck, 1)
    assert bar["hosts_change"] == "no (low), no plan exists there (high)"
    said = "No plan exists at all, whatever the hosts, with: construction cost levels of the hosts (1 → 1.25)."
    assert said in stuck.sentences
    assert stuck.headlines[0] == said
    assert "No estimate that could be settled" in stuck.headlines[1]
    assert not [line for line in stuck.sentences if "nan" in line or "more time" in line or "Better data" in line]
    assert (
        "Cost leans on construction cost levels of the hosts: a swing of 2 MUSD "
        "(-2 at 1 → 0.75; one-sided, as there is no plan to compare at 1 → 1.25)."
    ) in stuck.sentences


def test_an_end_that_breaks_a_rule_of_the_book_is_no_matter_of_time():
    """Of 1,000 t offered 900 t must be taken: a quarter more is more than the demand."""
    tables = two_hosts(
        {"sensitivity_figures": "supplier_tonnes, feed_prices", "sensitivity_cells": 0},
        suppliers=[small.supplier(tonnes=1000, least_take=0.9, **GUESS)],
    )
    broken = study(tables)
    bar = next(row for row in rows(broken, 1) if row["figure"].startswith("tonnes"))
    assert bar["hosts_change"].endswith("breaks a rule of the book (high)")
    assert "least_take_above_demand" in bar["verdict"]
    assert (
        "Not solved, as the moved figures break a rule of the book that the table names: "
        "tonnes of existing and planned suppliers outside China (+25%)."
    ) in broken.sentences
    assert "Better data on the others would change the cost, not the hosts." in broken.sentences
    assert not [line for line in broken.sentences if "nan" in line or "more time" in line]


def test_the_same_answer_with_several_workers(sheet):
    other = study(two_hosts(), workers=2)
    for number in (0, 1):
        assert rows(other, number) == rows(sheet, number)


def plan_at(cost: float, gap: float, *hosts: str) -> Moved:
    return Moved("x", cost, tuple((host, 1.0, 2030) for host in hosts), 1.0, 0.0, gap, "passed")


def test_the_verdict_on_hosts_minds_the_gaps():
    own = plan_at(100.0, 0.5, "A")
    nan = math.nan
    missing = Moved("x", nan, (), nan, nan, nan, "no plan exists", impossible=True)
    invalid = Moved("x", nan, (), nan, nan, nan, "not solved: hosts!C2", breaks_rule=True)
    stopped = Moved("x", nan, (), nan, nan, nan, "no plan found when stopped")

    def said(best: Moved, kept: Moved) -> str:
        return verdict(best, kept, own, replace(EXACT, absolute_gap=1.0))

    assert said(plan_at(90, 1, "B"), plan_at(95, 4.9, "A")) == "yes"
    assert said(plan_at(90, 1, "B"), plan_at(90.5, 0.9, "A")) == "within the gap"
    assert said(plan_at(90, 1, "B"), plan_at(95, 5.1, "A")) == "not settled", "the hosts of the plan may cost 5 more, or nothing"
    assert said(plan_at(90, 30, "B"), plan_at(90.5, 0.9, "A")) == "not settled", "other hosts may be cheaper by 30"
    assert said(plan_at(90, 1, "A"), plan_at(90, 1, "A")) == "no"
    assert said(plan_at(90, 5, "A"), plan_at(90, 1, "A")) == "not settled"
    assert said(plan_at(90, 1, "B"), missing) == "yes"
    assert said(plan_at(90, 1, "B"), invalid) == "yes", "a rule of the book forbids to keep them"
    assert said(plan_at(90, 1, "B"), stopped) == "not known"
    assert said(missing, missing) == "no plan exists there"
    assert said(invalid, invalid) == "breaks a rule of the book"
    assert said(stopped, plan_at(90, 1, "A")) == "not known"


def test_a_dearer_case_may_have_the_wider_gap_that_was_asked_for():
    own, options = plan_at(100.0, 1.0, "A"), replace(EXACT, absolute_gap=0.0, relative_gap=0.01)
    assert verdict(plan_at(500, 4.9, "A"), plan_at(500, 4.9, "A"), own, options) == "no"
    assert verdict(plan_at(500, 5.1, "A"), plan_at(500, 4.9, "A"), own, options) == "not settled"
    assert verdict(plan_at(50, 0.9, "A"), plan_at(50, 0.4, "A"), own, options) == "not settled", "a cheaper one must be nearer"


def test_only_plans_cheaper_than_the_one_in_hand_are_looked_for():
    """A plant at ALPHA makes for 30 what costs 31 at BETA: in hand it is proven the best, and at BETA it is beaten."""
    tables = two_hosts()
    at = {host: solve(with_hosts_kept(tables, solve(tables, EXACT).problem, [host]), EXACT) for host in ("ALPHA", "BETA")}
    held = {name: summarise(name, plan) for name, plan in at.items()}
    held["BETA"] = replace(held["BETA"], gap=5.0)
    held["STOPPED"] = Moved("STOPPED", math.nan, (), math.nan, math.nan, math.nan, "no plan found when stopped")
    for few in (400, -1):  # by HiGHS alone, and by the search over counts of plants
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(strategy, "FEW_WHOLE_COLUMNS", few)
            moves = [(name, tables, item.builds) for name, item in held.items()]
            found = {item.name: item for item in solve_moved(moves, EXACT, 1, in_hand=held)}
        for name, item in found.items():
            assert (item.name, item.hosts, item.known) == (name, frozenset({"ALPHA"}), True)
            assert item.total_cost == pytest.approx(30)
            assert item.gap == pytest.approx(0, abs=1e-5)


def test_a_search_that_was_stopped_leaves_the_plan_in_hand_with_what_it_proved(monkeypatch):
    tables = two_hosts()
    plan = solve(tables, EXACT)
    for bound, gap in ((25.0, 5.0), (math.nan, math.inf), (-math.inf, math.inf)):
        stopped = replace(plan.solution, status=Status.NO_PLAN_FOUND, objective=math.nan, bound=bound)
        monkeypatch.setattr(moved, "solve_cases", lambda cases, *_, end=stopped: [(case, replace(plan, solution=end)) for case in cases])
        (item,) = solve_moved([("x", tables, ())], EXACT, 1, in_hand={"x": replace(summarise("x", plan), gap=0.0)})
        assert (item.total_cost, item.gap, item.known) == (pytest.approx(30), pytest.approx(gap), True)
        assert verdict(item, item, summarise("", plan), EXACT) == "not settled"


def test_only_the_kinds_asked_for_are_moved():
    tables = two_hosts({"sensitivity_figures": "feed_prices", "sensitivity_cells": 0})
    assert [row["figure"] for row in rows(study(tables), 1)] == ["feed prices"]
    with pytest.raises(ValueError, match="there is no kind feed_price;"):
        study(two_hosts({"sensitivity_figures": "feed_price"}))


def test_nothing_to_do_without_estimates():
    tables = small.book()
    said: list[str] = []
    assert sensitivity.run(StudyContext(tables, solve(tables, EXACT), EXACT, 1, said.append)) == []
    assert "nothing to do" in said[0]


# --- solves ----------------------------------------------------------------------------------


def test_a_book_that_breaks_a_rule_is_not_solved():
    tables = complete()
    broken = tables.with_frames(hosts=tables["hosts"].assign(capex_factor=-1.0))
    good, bad = solve_moved([("good", tables, ()), ("bad", broken, ())], EXACT, 1)
    assert good.known
    assert good.total_cost == pytest.approx(30.0)
    assert not bad.known
    assert bad.breaks_rule
    assert not bad.impossible
    assert bad.verdict.startswith("not solved: hosts!")


def test_no_plan_is_told_from_not_known():
    impossible = solve(small.book(host_rules=[small.rule("force_plant", 5000, to_year=2030)]), EXACT)
    item = summarise("x", impossible)
    assert item.impossible
    assert not item.known
    assert item.hosts == frozenset()
    assert not Moved("x", 1.0, (("A", 1.0, 2030),), 1.0, 0.0, 0.0, "FAILED").known


def test_a_plan_that_was_not_found_is_not_said_not_to_exist():
    plan = solve(small.book(), EXACT)
    stopped = replace(plan, solution=replace(plan.solution, status=Status.NO_PLAN_FOUND))
    assert not summarise("x", stopped).impossible
    assert not summarise("x", stopped).known
    failed = replace(plan, verification=replace(plan.verification, failures=["a rule"]))
    assert not summarise("x", failed).known
