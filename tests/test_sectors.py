"""The study of sectors: coverage, reasons and strict order of priority, on cases solved by eye and against another solver's passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize

from model import planner
from model.outcome import Status
from model.planner import Plan
from model.shortage_room import DEARER, UNCLEAR
from model.studies import lexicographic, sectors
from model.studies.plan_figures import tonnes_short
from model.studies.study import StudyContext
from model.tables import Tables
from tests import small
from tests.random_books import random_book
from tests.test_command import result, run
from tests.tiny import scarce_suppliers, tiny_tables

RANKED = [
    {**small.sector("defence", shortage_cost=50), "name": "Defence"},
    {**small.sector("lamps", priority=2, shortage_cost=500), "name": "Lamps"},
]
"""A kt bought costs 100: at least cost defence, the first in rank, goes without and lamps are served."""

BOTH = [small.demand(1000, who="defence"), small.demand(500, who="lamps")]
STRICT = {"lexicographic": "yes"}


def bought(tonnes: float, **settings: object) -> Tables:
    """Return a book of two sectors and a supplier of so many t."""
    return small.book({**STRICT, **settings}, hosts=[], sectors=RANKED, demand=BOTH, suppliers=[small.supplier(tonnes=tonnes)])


def solved(tables: Tables) -> Plan:
    return planner.solve(tables, small.EXACT)


def passes_of(tables: Tables) -> list[lexicographic.Pass]:
    passes, stopped = lexicographic.serve_by_priority(tables, solved(tables), small.EXACT)
    assert stopped == ""
    assert all(item.plan.verification.passed for item in passes)
    return passes


def studied(tables: Tables) -> tuple[list[str], dict, list[str]]:
    """Run the study; return its sentences, its tables by title and its headlines."""
    (sheet,) = sectors.run(StudyContext(tables, solved(tables), small.EXACT, 1, lambda _: None))
    for _, columns, frame in sheet.tables:
        assert list(frame.columns) == [column.name for column in columns]
    return list(sheet.sentences), {title: frame for title, _, frame in sheet.tables}, list(sheet.headlines)


# --- strict order -------------------------------------------------------------------------------------------


def test_the_first_in_rank_is_served_first():
    # least cost: lamps 50 bought, defence 1 kt short 50. Strict: 700 t to defence: 70 + 0.3 x 50 + 0.5 x 500
    first, second = passes_of(bought(700))
    assert (first.priority, first.sectors) == (1, ("defence",))
    assert (first.before, first.least, first.bound) == (pytest.approx(1000), pytest.approx(300), pytest.approx(300))
    assert first.plan.solution.objective == pytest.approx(335, abs=1e-3)
    # lamps are left with nothing, and nobody may be taken from
    assert (second.before, second.least) == (pytest.approx(500, abs=0.01), pytest.approx(500, abs=0.01))
    assert second.plan is first.plan


def test_each_rank_has_its_price():
    # 1,200 t: defence 1 kt (100), lamps 200 t (20), 300 t of lamps short (150)
    first, second = passes_of(bought(1200))
    assert (first.least, second.before, second.least) == (
        pytest.approx(0, abs=0.01),
        pytest.approx(300, abs=0.01),
        pytest.approx(300, abs=0.01),
    )
    table = sectors.pass_table(solved(bought(1200)), [first, second])
    assert table["step_cost"].tolist() == pytest.approx([170, 0], abs=0.01)
    assert table["extra_cost"].tolist() == pytest.approx([170, 170], abs=0.01)
    assert table["cost_per_kg"].tolist() == pytest.approx([170, np.nan], abs=0.01, nan_ok=True)
    assert table["short_least_cost"].tolist() == pytest.approx([1000, 0])


def test_strict_order_builds_a_plant_that_does_not_pay():
    # nobody sells; going without costs 5, a plant and its feed 30
    tables = small.book(STRICT, sectors=[small.sector(shortage_cost=5)], suppliers=[])
    (only,) = passes_of(tables)
    assert only.least == pytest.approx(0, abs=0.01)
    assert only.plan.solution.objective == pytest.approx(30, abs=1e-3)
    assert only.plan.solution.host_set == ("HOST",)


def test_sectors_of_one_rank_are_served_together():
    # two sectors of rank 1 want 1,500 t, 700 t are to be had: who gets them is left to cost
    ranked = [RANKED[0], {**RANKED[1], "priority": 1}]
    tables = small.book(STRICT, hosts=[], sectors=ranked, demand=BOTH, suppliers=[small.supplier(tonnes=700)])
    (only,) = passes_of(tables)
    assert only.sectors == ("defence", "lamps")
    assert (only.before, only.least) == (pytest.approx(1000), pytest.approx(800))
    # lamps 50, 200 t to defence 20, 800 t short 40
    assert only.plan.solution.objective == pytest.approx(110, abs=1e-3)


def test_represented_years_weigh_a_shortage():
    # 2030 stands for three years: 4 x 1,000 t wanted, 4 x 700 served
    tables = small.book(
        {**STRICT, "last_year": 2033, "modelled_years": "2030,2033"},
        hosts=[], sectors=[small.sector(shortage_cost=50)], suppliers=[small.supplier(tonnes=700)],
    )  # fmt: skip
    (only,) = passes_of(tables)
    assert (only.wanted, only.before, only.least) == (pytest.approx(4000), pytest.approx(4000), pytest.approx(1200))


def test_ranks_that_are_served_need_no_solve(monkeypatch):
    tables = small.book(STRICT)
    plan = solved(tables)
    monkeypatch.setattr(lexicographic, "solve_one", lambda *_, **__: pytest.fail("solved"))
    ((only,), stopped) = lexicographic.serve_by_priority(tables, plan, small.EXACT)
    assert (only.before, only.least, only.bound, stopped) == (0.0, 0.0, 0.0, "")
    assert only.plan is plan


def test_a_stopped_pass_says_where(monkeypatch):
    tables = bought(700)
    plan = solved(tables)
    unfinished = replace(plan, solution=replace(plan.solution, status=Status.NO_PLAN_FOUND, termination="Time limit reached"))
    monkeypatch.setattr(lexicographic, "solve_one", lambda *_, **__: unfinished)
    words, shown, _ = studied(tables)
    assert any(sentence.startswith("Stopped at priority 1: Time limit reached.") for sentence in words)
    assert shown["Served strictly in order of priority."].empty


@pytest.mark.parametrize(("found", "bound"), [(1000.0, 0.0), (1000.0, 150.0), (400.0, 150.0)])
def test_a_pass_that_was_stopped_proves_nothing(monkeypatch, found, bound):
    # of 1,000 t that defence lacks the stopped search leaves as many, or 400
    tables, real = bought(700), lexicographic.solve_one

    def stopped(tables, options, goal, start=(), workers=1):
        plan = real(tables, options, goal=goal, start=start, workers=workers)
        if goal.objective == "shortage" and goal.short_sectors == ("defence",):
            unmet = plan.solution.tables["unmet"].copy()
            unmet.loc[unmet["sector"] == "defence", "tonnes"] = found
            solution = replace(plan.solution, status=Status.LIMIT, goal_bound=bound, tables={**plan.solution.tables, "unmet": unmet})
            plan = replace(plan, solution=solution)
        return plan

    monkeypatch.setattr(lexicographic, "solve_one", stopped)
    words, _, headlines = studied(tables)
    least = "0 t" if bound == 0.0 else "150 t"
    if found == 1000.0:
        assert headlines[1].endswith("that there is none is not proven, as a search was stopped.")
        assert f"Priority 1 (defence): 1,000 t short, not proven to be the least: at least {least}." in words
    else:
        assert "(as far as shortages could be cut before a search was stopped)" in headlines[1]
        assert any(f"to 400 t (not proven to be the least: at least {least}) for" in line for line in words)
    assert not any("changes nothing" in line or "(proven:" in line for line in words)
    assert not any(line.startswith("Priority 1") and "no plan can do better" in line for line in words)


def least_shortages(tables: Tables, ranked: list[tuple[str, ...]]) -> list[float]:
    """Return the least shortage [t] of each rank given the ranks before it, by another solver's interface."""
    problem, matrix = small.matrix_of(tables)
    costs = [
        np.array([1000.0 * problem.years_represented[key[3]] * (key[1] in who) if name == "unmet" else 0.0 for name, key in matrix.columns])
        for who in ranked
    ]
    rows = [scipy.optimize.LinearConstraint(matrix.a.tocsr(), matrix.row_lower, matrix.row_upper)]
    least = []
    for cost in costs:
        found = scipy.optimize.milp(
            cost, integrality=matrix.integer.astype(int), bounds=scipy.optimize.Bounds(matrix.lower, matrix.upper), constraints=rows,
            options={"mip_rel_gap": 0.0},
        )  # fmt: skip
        assert found.status == 0, found.message
        least.append(found.fun)
        rows.append(scipy.optimize.LinearConstraint(cost, ub=found.fun + 1e-3))
    return least


@pytest.mark.parametrize("seed", [0, 4, 5, 7])
def test_passes_agree_with_another_solver(seed):
    tables = random_book(seed)
    passes = passes_of(tables)
    assert len(passes) == 2
    assert [item.least for item in passes] == pytest.approx(least_shortages(tables, [item.sectors for item in passes]), abs=0.01)
    final = passes[-1].plan
    assert [tonnes_short(final, item.sectors) for item in passes] == pytest.approx([item.least for item in passes], abs=0.01)
    assert all(item.plan.solution.objective >= item.before_cost - 1e-3 for item in passes)


# --- tables and words ---------------------------------------------------------------------------------------


def test_coverage_stands_in_order_of_priority():
    _, shown, _ = studied(bought(700))
    table = shown["Share of demand met, in order of priority, all markets and products, by tonnes."]
    assert table["sector"].tolist() == ["defence", "lamps"]
    assert table["wanted"].tolist() == pytest.approx([1000, 500])
    assert table["met"].tolist() == pytest.approx([0, 1])
    assert table["2030"].tolist() == pytest.approx([0, 1])


def test_who_is_passed_over_is_named_with_who_is_served_instead():
    words, shown, headlines = studied(bought(700))
    (row,) = shown["What is short and why."].to_dict("records")
    assert (row["sector"], row["short"], row["of_demand"], row["served_below"]) == (
        "defence",
        pytest.approx(1000),
        pytest.approx(1),
        pytest.approx(500),
    )
    assert row["reason"] == "dearer than going without: SELLER asks 100.0 for the last 200 t on offer and the shortage costs 50.0 USD/kg"
    assert headlines[0] == words[0] == (
        "Sectors: 1,000 t of 1,500 t wanted over the horizon is left short; the first to go short is "
        "Defence in JPN (priority 1, 1,000 t of Nd; dearer than going without)."
    )  # fmt: skip
    assert words[1].startswith("Dearer than going without: 1,000 t. What helps: the book says")
    assert words[2].startswith("Passed over while lower priorities get the same product in the same market: defence in JPN (Nd).")
    assert headlines[1] == "Serving strictly by priority costs 235.0 MUSD more than least cost (proven: between 235.0 and 235.0)."
    assert (
        "Priority 1 (defence): shortage falls from 1,000 t to 300 t for 235.0 MUSD, 336 USD for each kg, net of the shortage cost saved."
        in words
    )
    assert "Priority 2 (lamps): 500 t short, and no plan can do better." in words
    assert "Priority 2 loses 500 t to higher ones against the least-cost plan." in words


def test_only_those_of_lower_priority_count_as_served_instead():
    # a kt short of defence costs 500, of lamps 150: lamps go without the last 300 t of 1500, and defence above them does not
    ranked = [{**RANKED[0], "shortage_cost": 500}, {**RANKED[1], "shortage_cost": 150}]
    plan = solved(small.book(hosts=[], sectors=ranked, demand=BOTH, suppliers=[small.supplier(tonnes=1200)]))
    (row,) = sectors.shortage_table(plan).to_dict("records")
    assert (row["sector"], row["short"], row["served_below"]) == ("lamps", pytest.approx(300), 0)
    (sheet,) = sectors.run(StudyContext(plan.tables, plan, small.EXACT, 1, lambda _: None))
    assert "priorities up to 1 are served in full; the first to go short is Lamps in JPN (priority 2" in sheet.headlines[0]
    assert not any(line.startswith("Passed over") for line in sheet.sentences)


def test_what_strict_order_costs_is_known_as_far_as_both_plans_are_proven():
    def with_gap(plan: Plan, gap: float) -> Plan:
        return replace(plan, solution=replace(plan.solution, bound=plan.solution.objective - gap))

    plan, passes = solved(bought(700)), passes_of(bought(700))
    passes[-1] = replace(passes[-1], plan=with_gap(passes[-1].plan, 2))
    words = sectors._in_strict_order(with_gap(plan, 5), passes, "")
    assert words[0] == "Serving strictly by priority costs 235.0 MUSD more than least cost (proven: between 233.0 and 240.0)."
    assert "proven" not in sectors._in_strict_order(plan, passes, "priority 2")[0]


def test_what_lower_priorities_lack_themselves_is_not_served_to_them():
    plan = solved(small.book(hosts=[], sectors=RANKED, demand=BOTH, suppliers=[small.supplier(tonnes=300)]))
    table = sectors.shortage_table(plan).set_index("sector")
    assert table["short"].to_dict() == pytest.approx({"defence": 1000, "lamps": 200})
    assert table["served_below"].to_dict() == pytest.approx({"defence": 300, "lamps": 0})


def test_a_plant_is_called_dearer_only_where_the_plan_is_proven():
    plan = solved(small.book(suppliers=[], designs=[small.design(capex=5000)]))
    assert sectors.shortage_table(plan)["kind"].tolist() == [DEARER]
    stopped = replace(plan, solution=replace(plan.solution, status=Status.LIMIT))
    assert sectors.shortage_table(stopped)["kind"].tolist() == [UNCLEAR]


def test_without_shortage_all_is_said_to_be_served():
    words, shown, _ = studied(small.book(STRICT))
    assert words[0] == "Sectors: all of the 1,000 t wanted over the horizon is served."
    assert words[1].startswith("Serving strictly by priority changes nothing")
    assert shown["What is short and why."].empty


def test_strict_order_is_left_out_unless_asked_for():
    _, shown, headlines = studied(bought(700, lexicographic="no"))
    assert "Served strictly in order of priority." not in shown
    assert len(headlines) == 1


def test_the_command_line_writes_the_sheet(tmp_path):
    assert run(tmp_path, "--studies", "sectors", tables=tiny_tables(STRICT, suppliers=scarce_suppliers())) == 0
    cells = [cell.value for row in result(tmp_path)["coverage"].iter_rows() for cell in row]
    assert "What is short and why." in cells
    assert "Served strictly in order of priority." in cells
