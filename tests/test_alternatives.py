"""The study of alternatives finds every host set in order of cost, as trying them one by one does."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize

from model import planner, strategy
from model.matrix import Matrix
from model.outcome import SolveOptions, Status
from model.planner import Plan
from model.studies import alternatives
from model.studies.study import StudyContext
from model.tables import Tables
from model.workers import AWAITED
from tests import small
from tests.random_books import random_book
from tests.test_command import result, run
from tests.tiny import tiny_tables

SEEDS = (1, 2, 4, 5, 6)
EVERY = 1000


def least_cost_at(matrix: Matrix, hosts: frozenset[str]) -> float:
    """Return the least cost of a plan with plants at exactly these hosts, by another solver's interface; infinity where there is none."""
    host_of = np.array([str(index[0]) if component == "build" else "" for component, index in matrix.columns])
    upper = np.where(matrix.integer & ~np.isin(host_of, sorted(hosts)), 0.0, matrix.upper)
    held = [scipy.optimize.LinearConstraint((host_of == host).astype(float), lb=1) for host in hosts]
    rows = scipy.optimize.LinearConstraint(matrix.a.tocsr(), matrix.row_lower, matrix.row_upper)
    found = scipy.optimize.milp(
        matrix.cost, integrality=matrix.integer.astype(int), bounds=scipy.optimize.Bounds(matrix.lower, upper), constraints=[rows, *held],
        options={"mip_rel_gap": 0.0},
    )  # fmt: skip
    assert found.status in (0, 2), found.message
    return found.fun + matrix.offset if found.status == 0 else math.inf


@functools.cache
def enumerated(seed: int) -> list[tuple[float, frozenset[str]]]:
    """Return (least cost, hosts) of every host set that has a plan, cheapest first."""
    problem, matrix = small.matrix_of(random_book(seed))
    sets = [frozenset(hosts) for size in range(len(problem.hosts) + 1) for hosts in itertools.combinations(problem.hosts, size)]
    tried = sorted((least_cost_at(matrix, hosts), tuple(sorted(hosts))) for hosts in sets)
    return [(cost, frozenset(hosts)) for cost, hosts in tried if math.isfinite(cost)]


@functools.cache
def first_plan(seed: int) -> Plan:
    return planner.solve(random_book(seed), small.EXACT)


def ranked(seed: int, count: int, within: float) -> alternatives.Ranking:
    return alternatives.rank_alternatives(random_book(seed), first_plan(seed), count, within, small.EXACT)


def hosts_of(ranking: alternatives.Ranking) -> list[frozenset[str]]:
    return [frozenset(plan.solution.host_set) for plan in ranking.plans]


def test_the_random_books_have_something_to_rank():
    assert sum(len(enumerated(seed)) >= 7 for seed in SEEDS) >= 3
    assert any(len(hosts) > 1 for seed in SEEDS for _, hosts in enumerated(seed))
    assert any(not hosts for seed in SEEDS for _, hosts in enumerated(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_host_set_is_found_in_order_and_none_is_missing(seed):
    ranking = ranked(seed, EVERY, within=EVERY)
    assert hosts_of(ranking) == [hosts for _, hosts in enumerated(seed)]
    assert [plan.solution.objective for plan in ranking.plans] == pytest.approx([cost for cost, _ in enumerated(seed)], rel=1e-6)
    assert ranking.ended == "none left"
    assert all(plan.verification.passed for plan in ranking.plans)


def test_each_solve_starts_from_a_plan_that_is_not_ranked_yet_where_one_was_met(monkeypatch):
    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    first_plan.cache_clear()
    solve, started = alternatives.solve_one, 0

    def watched(tables, options, goal, start, hot, **rest):
        nonlocal started
        met = (
            [] if hot is None else [plants for plants in hot.plans if frozenset(host for host, *_ in plants) not in goal.excluded_host_sets]
        )
        assert start == (met[0] if met else ())
        started += bool(start)
        return solve(tables, options, goal=goal, start=start, hot=hot, **rest)

    monkeypatch.setattr(alternatives, "solve_one", watched)
    for seed in SEEDS:
        found = [plan.solution.objective for plan in ranked(seed, 3, 100.0).plans]
        assert found == pytest.approx([cost for cost, _ in enumerated(seed)[:3]], rel=1e-6)
    first_plan.cache_clear()
    assert started >= 2


def test_the_longer_its_solves_have_taken_the_sooner_the_next_gets_its_turn(monkeypatch):
    solve, urgencies, seconds = alternatives.solve_one, [], [0.0]

    def watched(*given, urgency, **rest):
        urgencies.append(urgency)
        plan = solve(*given, urgency=urgency, **rest)
        seconds.append(seconds[-1] + plan.seconds)
        return plan

    monkeypatch.setattr(alternatives, "solve_one", watched)
    first_plan.cache_clear()
    seed = next(seed for seed in SEEDS if len(enumerated(seed)) >= 4)
    ranked(seed, 4, 100.0)
    assert len(urgencies) >= 3
    assert urgencies == pytest.approx([AWAITED + spent for spent in seconds[: len(urgencies)]], rel=1e-12)
    assert urgencies == sorted(urgencies)
    assert urgencies[1] > urgencies[0] == AWAITED


@pytest.mark.parametrize("seed", [4, 5])
def test_the_list_stops_at_the_share_of_cost_and_at_the_count(seed):
    every = enumerated(seed)
    first, second, third = (cost for cost, _ in every[:3])
    ranking = ranked(seed, EVERY, within=(0.5 * (second + third) - first) / abs(first))
    assert hosts_of(ranking) == [hosts for _, hosts in every[:2]]
    assert ranking.ended == "none left"
    assert ranking.others <= third * (1 + 1e-9)
    ranking = ranked(seed, 2, within=EVERY)
    assert hosts_of(ranking) == [hosts for _, hosts in every[:2]]
    assert ranking.ended == "count"
    assert second * (1 - 1e-6) <= ranking.others <= third * (1 + 1e-9)


# --- solved by eye -------------------------------------------------------------------------------------------

THREE_HOSTS = [
    {**small.host("AAA"), "name": "Alphaland"},
    {**small.host("BBB", country="BBB", capex_factor=2), "name": "Betaland"},
    {**small.host("CCC", country="CCC", capex_factor=8), "name": "Gammaland"},
]
"""A plant costs 10, 20 and 80 MUSD a year; with feed at 20 a kt, least costs are 30, 40 and 100; buying costs 100."""


def studied(tables: Tables, plan: Plan | None = None, options: SolveOptions = small.EXACT) -> tuple[list[str], dict]:
    """Run the study; return its sentences and its tables."""
    plan = plan or planner.solve(tables, options)
    (sheet,) = alternatives.run(StudyContext(tables, plan, options, 1, lambda _: None))
    for _, columns, frame in sheet.tables:
        assert list(frame.columns) == [column.name for column in columns]
    return list(sheet.sentences), {title: frame for title, _, frame in sheet.tables}


def test_plans_are_ranked_with_what_they_cost_more():
    tables = small.book({"alternatives_count": 4, "alternatives_within": 1}, hosts=THREE_HOSTS)
    words, shown = studied(tables)
    plans = shown["Plans in order of cost."]
    # 30 at AAA, 40 at BBB, 50 at both (the second plant is idle); a fourth costs more than twice 30
    assert plans["total_cost"].tolist() == pytest.approx([30, 40, 50])
    assert plans["extra_cost"].tolist() == pytest.approx([0, 10, 20])
    assert plans["extra_share"].tolist() == pytest.approx([0, 1 / 3, 2 / 3])
    assert plans["hosts"].tolist() == ["Alphaland", "Betaland", "Alphaland and Betaland"]
    assert plans["verdict"].tolist() == ["passed"] * 3
    hosts = shown["Hosts in each plan."].set_index("host")
    assert hosts["in_plans"].to_dict() == {"AAA": "2 of 3", "BBB": "2 of 3"}
    assert hosts.loc["AAA", ["plan_1", "plan_2", "plan_3"]].tolist() == ["1,000 t/y from 2030", "–", "1,000 t/y from 2030"]
    assert words[0] == "Nearest alternative: Betaland in place of Alphaland costs 10.0 MUSD more (33.33 % of the total)."
    assert words[1] == "The hosts of rank 1 are proven: every other choice of hosts costs at least 10.0 MUSD more."
    assert words[2] == "Without Alphaland: rank 2, Betaland in place of Alphaland, 10.0 MUSD more."
    assert "The list is complete: any choice of hosts that is not listed costs at least 60.0 MUSD, 100 % above the least cost." in words
    assert "The order is proven: each plan is dearer than the one before by more than its gap." in words


def test_a_host_in_every_plan_is_named():
    # the rule leaves no plan without AAA
    tables = small.book(
        {"alternatives_count": 2, "alternatives_within": 2}, hosts=THREE_HOSTS, host_rules=[small.rule("force_plant", 1000, "AAA")]
    )
    words, _ = studied(tables)
    assert "Alphaland is in 2 of 2: whichever of these plans is taken, work there can begin." in words
    assert words[0].startswith("Nearest alternative: Betaland as well costs 20.0 MUSD more")
    assert "Without Alphaland: none of these plans; it would cost at least 20.0 MUSD more." in words


def test_going_without_plants_is_an_alternative():
    tables = small.book({"alternatives_count": 9, "alternatives_within": 4})
    words, shown = studied(tables)
    assert shown["Plans in order of cost."]["hosts"].tolist() == ["HOST", "no joint plant"]
    assert words[0].startswith("Nearest alternative: no joint plant at all costs 70.0 MUSD more")
    # no other hosts are left at any cost, and more than the limit is not claimed
    assert "The list is complete: any choice of hosts that is not listed costs at least 150.0 MUSD, 400 % above the least cost." in words


def test_no_alternative_within_the_share_is_said_to_be_proven():
    words, shown = studied(small.book({"alternatives_within": 0.01}))
    assert len(shown["Plans in order of cost."]) == 1
    assert words[0] == "Nearest alternative: no plan with other hosts exists up to 30.3 MUSD."
    assert any(sentence.startswith("The list is complete") for sentence in words)


def test_plans_closer_than_the_gap_are_not_said_to_be_in_order():
    hosts = [{**small.host("AAA"), "name": "Alphaland"}, {**small.host("BBB", country="BBB", capex_factor=1.01), "name": "Betaland"}]
    tables = small.book({"alternatives_count": 2, "alternatives_within": 1}, hosts=hosts)
    plan = planner.solve(tables, small.EXACT)
    ranking = alternatives.rank_alternatives(tables, plan, 2, 1.0, small.EXACT)
    blurred = replace(ranking.plans[1], solution=replace(ranking.plans[1].solution, bound=29.5))
    words = alternatives._proof(replace(ranking, plans=(plan, blurred), bounds=(29.5,)), 1.0)
    assert "Ranks 1 and 2 are as good or closer to each other than the gap: their order is not proven." in words
    assert alternatives._nearest(replace(ranking, plans=(plan, blurred), bounds=(29.5,)), {"AAA": "A", "BBB": "B"})[1].startswith(
        "The hosts of rank 1 are not proven to be the cheapest: with others a plan may be up to 0.5 MUSD cheaper."
    )


def test_a_stopped_solve_leaves_the_list_open(monkeypatch):
    tables = small.book({"alternatives_count": 3}, hosts=THREE_HOSTS)
    plan = planner.solve(tables, small.EXACT)
    stopped = replace(plan, solution=replace(plan.solution, status=Status.NO_PLAN_FOUND, termination="Time limit reached"))
    monkeypatch.setattr(alternatives, "solve_one", lambda *_, **__: stopped)
    words, _ = studied(tables, plan)
    assert words[0] == "Nearest alternative: no plan with other hosts was found before the search was stopped up to 30.3 MUSD."
    assert any(sentence.startswith("The list may lack plans") for sentence in words)


def test_nothing_is_studied_when_one_plan_is_asked_for():
    said: list[str] = []
    tables = small.book({"alternatives_count": 1})
    assert alternatives.run(StudyContext(tables, planner.solve(tables, small.EXACT), small.EXACT, 1, said.append)) == []
    assert "alternatives_count" in said[0]


def test_the_command_line_writes_the_sheet(tmp_path):
    tables = tiny_tables({"alternatives_count": 3, "alternatives_within": 0.5})
    assert run(tmp_path, "--studies", "alternatives", tables=tables) == 0
    cells = [cell.value for row in result(tmp_path)["alternatives"].iter_rows() for cell in row]
    assert "Plans in order of cost." in cells
    assert {"Alphaland", "Alphaland and Betaland"} <= set(cells)


def test_what_an_earlier_solve_proved_holds_for_later_ones(monkeypatch):
    """A later solve that is stopped with a weak bound keeps the bound of the solve before, which had more host sets to choose from."""
    tables = small.book(hosts=THREE_HOSTS)
    plan = planner.solve(tables, small.EXACT)
    own_solve = alternatives.solve_one

    def stopped_the_second_time(*given, **named):
        found = own_solve(*given, **named)
        weak = 1.0 if len(named["goal"].excluded_host_sets) == 2 else found.solution.bound
        return replace(found, solution=replace(found.solution, bound=weak))

    monkeypatch.setattr(alternatives, "solve_one", stopped_the_second_time)
    ranking = alternatives.rank_alternatives(tables, plan, 3, 1.0, small.EXACT)
    assert ranking.bounds == pytest.approx((40, 40))
    assert ranking.plans[2].solution.gap == pytest.approx(10)
    assert ranking.margin == pytest.approx(10)


# --- how far the list reaches --------------------------------------------------------------------------------


@pytest.fixture(params=["HiGHS alone", "strategy"])
def way_of_search(request, monkeypatch):
    """Search small books as large ones are searched, too: what is cheaper by less than the gap is left out there."""
    if request.param == "strategy":
        monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)


@pytest.mark.usefixtures("way_of_search")
@pytest.mark.parametrize(("absolute", "relative", "within"), [(5.0, 0.0, 0.4), (0.0, 0.2, 0.4), (0.0, 0.34, 0.334)])
def test_a_plan_that_is_nearer_to_the_limit_than_the_gap_is_found(absolute, relative, within):
    # 30 at AAA, 40 at BBB: the second is within 42, and within a gap of the limit
    tables = small.book({"alternatives_count": 4, "alternatives_within": within}, hosts=THREE_HOSTS)
    plan = planner.solve(tables, small.EXACT)
    options = replace(small.EXACT, absolute_gap=absolute, relative_gap=relative)
    words, shown = studied(tables, plan, options)
    assert shown["Plans in order of cost."]["hosts"].tolist() == ["Alphaland", "Betaland"]
    assert words[0].startswith("Nearest alternative: Betaland in place of Alphaland costs 10.0 MUSD more")


@pytest.mark.usefixtures("way_of_search")
def test_a_gap_wider_than_the_list_leaves_it_open():
    # within the whole of its cost any plan will do
    tables = small.book({"alternatives_count": 4, "alternatives_within": 0.4}, hosts=THREE_HOSTS)
    words, _ = studied(tables, planner.solve(tables, small.EXACT), replace(small.EXACT, relative_gap=1.0))
    assert not any("complete" in sentence or "exists" in sentence for sentence in words)


@pytest.mark.usefixtures("way_of_search")
def test_a_plan_that_costs_the_same_is_found_however_short_the_list():
    hosts = [{**small.host("AAA"), "name": "Alphaland"}, {**small.host("BBB", country="BBB"), "name": "Betaland"}]
    words, shown = studied(small.book({"alternatives_count": 3, "alternatives_within": 0}, hosts=hosts))
    assert shown["Plans in order of cost."]["total_cost"].tolist() == pytest.approx([30, 30])
    assert words[1] == "Both come to the same cost: choose between them on other grounds."
    assert "Ranks 1 and 2 are as good or closer to each other than the gap: their order is not proven." in words
    assert "The list is complete: any choice of hosts that is not listed costs at least 30.0 MUSD, 0 % above the least cost." in words


def test_a_tie_does_not_hide_that_others_may_be_cheaper():
    hosts = [{**small.host("AAA"), "name": "Alphaland"}, {**small.host("BBB", country="BBB"), "name": "Betaland"}]
    tables = small.book(hosts=hosts)
    ranking = alternatives.rank_alternatives(tables, planner.solve(tables, small.EXACT), 2, 0.0, small.EXACT)
    first, second = ranking.plans
    loose = replace(ranking, plans=(first, replace(second, solution=replace(second.solution, bound=29.0))), bounds=(29.0,))
    words = alternatives._nearest(loose, {"AAA": "A", "BBB": "B"})
    assert words[1].startswith("The hosts of rank 1 are not proven to be the cheapest: with others a plan may be up to 1.0 MUSD cheaper.")


def test_the_list_is_called_complete_as_far_as_is_proven_only(monkeypatch):
    """A plan above the limit whose bound is below it leaves open what lies between the two."""
    tables = small.book({"alternatives_count": 4, "alternatives_within": 0.3}, hosts=THREE_HOSTS)
    plan, own_solve = planner.solve(tables, small.EXACT), alternatives.solve_one

    def with_a_gap(*given, **named):
        found = own_solve(*given, **{**named, "cutoff": math.inf})
        return replace(found, solution=replace(found.solution, bound=37.0))

    monkeypatch.setattr(alternatives, "solve_one", with_a_gap)
    words, shown = studied(tables, plan, replace(small.EXACT, absolute_gap=3.0))
    assert shown["Plans in order of cost."]["hosts"].tolist() == ["Alphaland"]
    assert words[0] == "Nearest alternative: no plan with other hosts was found up to 39.0 MUSD; none costs less than 37.0 MUSD."
    assert not any("complete" in sentence for sentence in words)
    assert any("costs at least 37.0 MUSD; whether one costs less than 39.0 MUSD" in sentence for sentence in words)


def test_what_an_infeasible_solve_proved_is_published_and_no_more(monkeypatch):
    tables = small.book({"alternatives_within": 0.3}, hosts=THREE_HOSTS)
    plan = planner.solve(tables, small.EXACT)
    nothing = replace(plan, solution=replace(plan.solution, status=Status.INFEASIBLE, bound=35.0))
    monkeypatch.setattr(alternatives, "solve_one", lambda *_, **__: nothing)
    ranking = alternatives.rank_alternatives(tables, plan, 3, 0.3, small.EXACT)
    assert ranking.others == pytest.approx(35)
    assert ranking.ended == "gap"


def test_a_plan_that_failed_verification_is_not_listed_and_proves_nothing(monkeypatch):
    tables = small.book({"alternatives_count": 4, "alternatives_within": 1}, hosts=THREE_HOSTS)
    plan, own_solve = planner.solve(tables, small.EXACT), alternatives.solve_one

    def failing(number):
        def solve(*given, **named):
            found = own_solve(*given, **named)
            if len(named["goal"].excluded_host_sets) < number:
                return found
            cheap = replace(found.solution, objective=25.0, bound=25.0)
            return replace(found, verification=replace(found.verification, failures=["a rule"]), solution=cheap)

        return solve

    monkeypatch.setattr(alternatives, "solve_one", failing(1))
    words, shown = studied(tables, plan)
    assert shown["Plans in order of cost."]["hosts"].tolist() == ["Alphaland"]
    assert words[0] == "Nearest alternative: not known; the plan with other hosts that was found failed verification."
    assert not any("complete" in sentence or "25" in sentence for sentence in words)
    monkeypatch.setattr(alternatives, "solve_one", failing(2))
    words, shown = studied(tables, plan)
    assert shown["Plans in order of cost."]["hosts"].tolist() == ["Alphaland", "Betaland"]
    assert "The list may lack plans: the plan found next FAILED verification; it is not listed, and nothing is concluded from it." in words


def test_a_plan_of_the_run_that_failed_verification_makes_no_headline():
    tables = small.book({"alternatives_count": 2, "alternatives_within": 1}, hosts=THREE_HOSTS)
    plan = planner.solve(tables, small.EXACT)
    failed = replace(plan, verification=replace(plan.verification, failures=["a rule"]))
    (sheet,) = alternatives.run(StudyContext(tables, failed, small.EXACT, 1, lambda _: None))
    assert sheet.headlines == []
    assert "one plan of 2 FAILED verification: do not use their figures." in sheet.sentences
