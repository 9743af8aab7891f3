"""Why a host is left out and what losing one costs, on books worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.outcome import Status
from model.studies import why_not
from model.studies.barriers import forcing_rules
from model.studies.host_changes import FIGURES, faces_duty, with_duty_share, with_forced_plant, with_host_figure
from model.studies.why_not import force_hosts, lose_hosts, run
from model.studies.why_not_words import Answer, headlines, sentences
from model.tables import Tables
from model.validation import check_tables
from tests import small
from tests.two_hosts import DUTY, context_of, two_hosts

FIGURE = {figure.name: figure for figure in FIGURES}


def barred(tables: Tables) -> str:
    """Return what bars the host FAR, in words."""
    answers = {answer.host: answer for answer in force_hosts(context_of(tables))}
    return "; ".join(answers["FAR"].barred)


# --- hosts left out and hosts lost ------------------------------------------------------------------


def test_extra_cost_of_a_plant_and_cost_of_a_loss():
    # FAR costs 30 a year: 20 more than NEAR; without NEAR it is the best, as buying costs 100
    context = context_of(two_hosts(far={"capex_factor": 3}))
    assert context.plan.solution.host_set == ("NEAR",)
    (left_out,) = force_hosts(context)
    assert (left_out.host, left_out.barred, left_out.verdict) == ("FAR", (), "passed")
    assert left_out.extra == small.approx(20)
    (lost,) = lose_hosts(context)
    assert (lost.host, lost.verdict) == ("NEAR", "passed")
    assert lost.extra == small.approx(20)


def test_the_plant_asked_for_is_never_a_token():
    # a plant of 100 t would cost 1 a year; 1 kt is asked for
    designs = [small.design(), small.design("TOKEN", capacity=100, capex=10)]
    (answer,) = force_hosts(context_of(two_hosts(far={"capex_factor": 3}, designs=designs)))
    assert answer.extra == small.approx(20)
    assert "1,000 t/y" in answer.plants


def test_a_lost_host_takes_its_forced_plant_with_it():
    tables = two_hosts(far={"capex_factor": 3}, host_rules=[small.rule("force_plant", 1000, "NEAR")])
    (lost,) = lose_hosts(context_of(tables))
    assert lost.extra == small.approx(20)


def test_a_rule_that_forces_a_plant_elsewhere_is_not_laid_to_a_host():
    tables = two_hosts(host_rules=[small.rule("force_plant", 1000, "NEAR"), small.rule("forbid_plant", None, "FAR")])
    assert forcing_rules(tables, "NEAR") == ["rule force_plant, force_plant (host_rules!2)"]
    assert forcing_rules(tables, "FAR") == []


def test_a_plant_forced_by_a_study_takes_the_place_of_no_other_rule():
    # a book with a rule of the name that a study would give; then a plant is forced on each host, and a larger one on one of them
    own = with_forced_plant(two_hosts(), "NEAR", 1000)["host_rules"]["rule_id"].iloc[0]
    tables = two_hosts(host_rules=[small.rule("forbid_plant", None, "FAR", from_year=2031) | {"rule_id": own}])
    for host, tonnes in (("NEAR", 500), ("FAR", 500), ("NEAR", 1000)):
        tables = with_forced_plant(tables, host, tonnes)
    names = tables["host_rules"]["rule_id"].tolist()
    assert len(set(names)) == len(names) == 4
    assert not [finding for finding in check_tables(tables) if finding.sheet == "host_rules" and finding.severity == "error"]
    # of 1 kt wanted, either alone would make it
    assert context_of(tables).plan.solution.host_set == ("FAR", "NEAR")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"far": {"candidate": "no"}}, "candidate = no (hosts!3)"),
        ({"far": {"earliest_start": 2031}}, "earliest_start = 2031 (hosts!3)"),
        ({"host_rules": [small.rule("forbid_plant", None, "FAR")]}, "rule forbid_plant, forbid_plant (host_rules!2)"),
        ({"designs": [small.design(), small.design("SLOW", build_years=5, host="FAR")], "settings": {"why_not_size": 1500}}, "no design fits: at most 1,000 t/y"),
        ({"designs": [small.design(host="NEAR"), small.design("SLOW", build_years=5, host="FAR")]}, "decision_year = 2026 (settings) with build_years"),
        ({"markets": [small.market() | {2029: 50.0}], "near": {"capex_factor": 0.5}}, "the partners' capex budgets (markets!2 on)"),
        ({"host_rules": [small.rule("force_plant", 1000, "NEAR")], "settings": {"max_plants": 1}}, "max_plants = 1 (settings); plants forced elsewhere (host_rules)"),
    ],
    ids=["candidate", "start", "forbidden", "size", "time", "budget", "count"],
)  # fmt: skip
def test_what_bars_a_host_is_named_by_its_cell(change, words):
    assert words in barred(two_hosts(**{"far": {"capex_factor": 3}, **change}))


def test_rules_that_bar_only_together_are_named_together():
    tables = two_hosts(far={"capex_factor": 3, "earliest_start": 2031}, host_rules=[small.rule("forbid_plant", None, "FAR", to_year=2030)])
    # the decision year is not in the way of either
    assert barred(tables) == "several together: earliest_start = 2031 (hosts!3), rule forbid_plant, forbid_plant (host_rules!2)"


def test_a_decision_year_after_the_year_asked_for_is_what_bars_a_plant():
    settings = {"first_year": 2030, "last_year": 2032, "modelled_years": "all", "decision_year": 2031, "why_not_year": 2030}
    assert barred(two_hosts(far={"capex_factor": 3}, settings=settings)) == "decision_year = 2031 (settings), after 2030"
    settings["why_not_year"] = 2031
    assert barred(two_hosts(far={"capex_factor": 3}, settings=settings)) == "decision_year = 2031 (settings) with build_years (designs)"


def test_feed_that_may_not_be_treated_bars_a_host_by_the_least_use():
    sources = [small.source(thorium="high")]
    tables = two_hosts(
        far={"thorium_accepted": "low"}, sources=sources, designs=[small.design(ramp_4=1, minimum_use=0.5)], settings={"last_year": 2033}
    )
    assert barred(tables) == "thorium_accepted = low (hosts!3); minimum_use (designs): the plant could not be kept so busy"


FORCED_ELSEWHERE = {"far": {"capex_factor": 3}, "host_rules": [small.rule("force_plant", 1000, "NEAR")]}
"""With at most one plant, either of the two rules bars FAR."""


def with_probes(monkeypatch, change):
    """Let a function change the plans of the solves that lift a rule or figure."""
    own = why_not.solve_cases

    def solve_cases(cases, *given, **named):
        for case, plan in own(cases, *given, **named):
            yield case, change(plan) if " if not for " in case.name else plan

    monkeypatch.setattr(why_not, "solve_cases", solve_cases)


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: replace(plan, solution=replace(plan.solution, status=Status.NO_PLAN_FOUND)),
        lambda plan: replace(plan, verification=replace(plan.verification, failures=["a rule"])),
    ],
    ids=["stopped", "unverified"],
)
def test_what_was_not_settled_is_not_said_to_be_out_of_the_way(change, monkeypatch):
    with_probes(monkeypatch, change)
    sheet = run(context_of(two_hosts(settings={"max_plants": 1, "break_even_hosts": 0}, **FORCED_ELSEWHERE)))[0]
    assert sheet.tables[0][2]["in_the_way"].tolist() == ["not known for 2 of 2 rules and figures: a solve was stopped"]
    assert not any("barred by a rule" in sentence for sentence in sheet.sentences)
    assert "No plan holds a plant in Farland, but no single rule or figure is known to be in the way." in sheet.sentences


def test_what_is_in_the_way_stands_beside_what_was_not_settled(monkeypatch):
    def stopped(plan):
        is_free = plan.tables.setting("max_plants") > 1
        return plan if is_free else replace(plan, solution=replace(plan.solution, status=Status.NO_PLAN_FOUND))

    with_probes(monkeypatch, stopped)
    words = barred(two_hosts(settings={"max_plants": 1}, **FORCED_ELSEWHERE))
    assert words == "max_plants = 1 (settings); others: not known for 1 of 2 rules and figures: a solve was stopped"


def test_rules_that_bar_a_plan_only_together_are_not_said_to_bar_it_alone():
    # NEAR's plant of 50 takes the whole budget, and the only place; FAR's costs 300
    hosts = {**FORCED_ELSEWHERE, "near": {"capex_factor": 0.5}, "markets": [small.market() | {2029: 50.0}]}
    sheet = run(context_of(two_hosts(settings={"max_plants": 1, "break_even_hosts": 0}, **hosts)))[0]
    assert sheet.tables[0][2]["in_the_way"].tolist() == [
        "no plan exists with it, and none of the 3 rules and figures tried is in the way by itself"
    ]
    assert not any("barred by a rule" in sentence for sentence in sheet.sentences)


def test_hosts_that_are_not_in_the_book_are_refused():
    with pytest.raises(ValueError, match="NOWHERE is not a host"):
        force_hosts(context_of(two_hosts(settings={"why_not_hosts": "FAR, NOWHERE"})))


# --- duties -----------------------------------------------------------------------------------------


def duty_of(tables: Tables, host: str) -> dict[int, float]:
    problem, _ = small.matrix_of(tables)
    return {y: cost for (h, _, m, y), cost in problem.delivery_cost["duty_out"].items() if (h, m) == (host, "JPN")}


def test_duties_of_one_country_are_scaled_and_no_other():
    duties = [
        {"measure": "general", "stage": "oxide", "origin": "*", "destination": "*", "rate": 10},
        {"measure": "general", "stage": "oxide", "origin": "FFF", "destination": "*", "rate": 20, "from_year": 2031, "to_year": 2031},
        {"measure": "surcharge", "stage": "oxide", "origin": "FFF", "destination": "JPN", "rate": 5, "from_year": 2032},
        {"measure": "general", "stage": "concentrate", "origin": "MMM", "destination": "FFF", "rate": 50},
    ]
    tables = two_hosts(settings={"last_year": 2032, "modelled_years": "all"}, duties=duties)
    assert duty_of(tables, "FAR") == pytest.approx({2030: 10, 2031: 20, 2032: 15})
    half = with_duty_share(tables, "FAR", 0.5)
    assert [finding for finding in check_tables(half) if finding.sheet == "duties"] == []
    assert duty_of(half, "FAR") == pytest.approx({2030: 5, 2031: 10, 2032: 7.5})
    assert duty_of(half, "NEAR") == duty_of(tables, "NEAR")
    problem, _ = small.matrix_of(half)
    assert {cost for (_, h, _, _), cost in problem.feed_cost["duty_in"].items() if h == "FAR"} == {5.0}
    small.assert_verified(small.solve_book(with_host_figure(half, "NEAR", "candidate", "no")))


def test_a_host_that_trades_free_faces_no_duty():
    assert not faces_duty(two_hosts(), "FAR")
    assert faces_duty(two_hosts(duties=DUTY), "FAR")
    assert not faces_duty(two_hosts(duties=DUTY), "NEAR")


# --- sheets -----------------------------------------------------------------------------------------


def test_what_the_sheets_say():
    why_not, break_even = run(context_of(two_hosts(far={"capex_factor": 3})))
    assert why_not.headlines == [
        "Nearest host left out: Farland, +20.0 MUSD for 1 kt by 2030; it comes in if its capex factor falls below 1 x (now 3).",
        "Losing Nearland would cost 20.0 MUSD.",
    ]
    frame = why_not.tables[0][2]
    assert frame[["host", "in_the_way", "verdict"]].values.tolist() == [["FAR", "cost", "passed"]]
    assert break_even.tables[0][2]["figure"].tolist() == [figure.words for figure in FIGURES]
    assert any("These are what to negotiate for" in sentence for sentence in break_even.sentences)


RULE = "rule force_plant, force_plant (host_rules!2)"


def test_a_host_that_stands_by_a_rule_alone_is_not_said_to_be_worth_its_loss():
    # NEAR costs 50 a year and is forced; FAR would cost 30
    tables = two_hosts({"capex_factor": 3}, host_rules=[small.rule("force_plant", 1000, "NEAR")], settings={"break_even_hosts": 0})
    (sheet,) = run(context_of(tables))
    assert sheet.tables[1][2][["in_the_way", "extra_cost"]].values.tolist() == [[f"{RULE}, lifted here", small.approx(-20)]]
    assert sheet.sentences[-1] == (
        f"Nearland stands by {RULE}: with the host lost and that lifted the plan costs 20.0 MUSD less; then the plants are Farland 1,000 t/y from 2030."
    )
    assert not any("Terms" in sentence for sentence in sheet.sentences)
    assert not any("Losing" in headline for headline in sheet.headlines)


def test_the_loss_of_a_host_that_a_rule_forces_names_the_rule_that_is_lifted_too():
    tables = two_hosts(settings={"break_even_hosts": 0}, **FORCED_ELSEWHERE)
    (sheet,) = run(context_of(tables))
    assert sheet.tables[1][2]["in_the_way"].tolist() == [f"cost, and {RULE}, lifted here"]
    assert sheet.sentences[-1].startswith(f"Losing Nearland, with {RULE} lifted too, costs 20.0 MUSD; then")
    assert not any("Losing" in headline for headline in sheet.headlines)


def test_costs_proven_less_well_than_was_asked_for_say_how_far(monkeypatch):
    own = why_not.solve_cases

    def loosely(*given, **named):
        for case, plan in own(*given, **named):
            yield case, replace(plan, solution=replace(plan.solution, bound=plan.solution.objective - 15))

    monkeypatch.setattr(why_not, "solve_cases", loosely)
    (sheet,) = run(context_of(two_hosts(far={"capex_factor": 3}, settings={"break_even_hosts": 0})))
    assert sheet.sentences[0] == (
        "The nearest host left out is Farland: a plant of 1,000 t/y by 2030 there adds at most 20.0 MUSD (proven to 5.0) to the plan. "
        "The least that choosing it for another reason than cost must be worth is no more than that."
    )
    assert "Losing Nearland costs at most 20.0 MUSD (proven to 5.0); then" in sheet.sentences[-1]
    assert sheet.sentences[-1].endswith("Terms asked for the site should cost less than 5.0 MUSD.")
    assert sheet.headlines == [
        "Nearest host left out: Farland, at most +20.0 MUSD (proven to +5.0) for 1 kt by 2030.",
        "Losing Nearland would cost at most 20.0 MUSD (proven to 5.0).",
    ]


@pytest.mark.parametrize(
    ("far", "near", "doubt"),
    [
        (Answer("FAR", (), 10.0, 1.0), Answer("NEAR", (), 20.0, 500.0), True),
        (Answer("FAR", (), 10.0, 1.0), Answer("NEAR", (), 20.0, float("nan")), True),
        (Answer("FAR", (), 10.0, 1.0), Answer("NEAR", (), 20.0, 1.0), False),
        (Answer("FAR", (), 10.0, 1.0), Answer("NEAR", ("stopped",), verdict="stopped"), True),
        (Answer("FAR", (), 10.0, 1.0), Answer("NEAR", ("a rule",)), False),
    ],
    ids=["wide", "unknown", "proven", "stopped", "barred"],
)
def test_the_nearest_host_is_proven_to_be_so_or_said_not_to_be(far, near, doubt):
    tables = two_hosts()
    words = list(sentences(tables, [far, near], [], "1,000 t/y by 2030", 1.0))
    assert ("That it is the nearest is not proven: a plant in Nearland may add less." in words) == doubt
    (headline,) = headlines(tables, [far, near], [], [], "1 kt by 2030", 1.0)
    assert headline.startswith("Nearest host left out (order not proven): Farland" if doubt else "Nearest host left out: Farland")


def test_a_host_that_lowers_the_cost_of_the_plan_is_not_said_to_have_a_price():
    tables, far = two_hosts(), Answer("FAR", (), -30.0, 43.0, "x", "passed")
    forced, lost = sentences(tables, [far], [far], "1,000 t/y by 2030", 1.0)
    unproven = "at most -30.0 MUSD (proven to -73.0)"
    assert f"adds {unproven} to the plan. So the plan of this run is not the cheapest" in forced
    assert lost.startswith(f"Losing Farland costs {unproven}; then the plants are x. So the plan of this run is not the cheapest")
    same = Answer("FAR", (), -0.5, 1.0, "x", "passed")
    forced, lost = sentences(tables, [same], [same], "1,000 t/y by 2030", 1.0)
    assert forced.endswith("It costs no more than the plan of this run, within the gap: take it or leave it on other grounds.")
    assert lost == "Losing Farland costs -0.5 MUSD; then the plants are x."


def test_hosts_that_are_barred_come_last_and_have_no_break_even():
    hosts = {"far": {"capex_factor": 3, "earliest_start": 2035}}
    (sheet,) = run(context_of(two_hosts(**hosts)))
    assert sheet.tables[0][2]["in_the_way"].tolist() == ["earliest_start = 2035 (hosts!3)"]
    assert not any("Nearest" in headline for headline in sheet.headlines)
    assert Answer("X", ("rule",)).verdict == ""
