"""Repairs of many cells, of rows that share what there is, and of small changes of large figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from model.formulation import build_model
from model.formulation_elastic import Code, make_elastic
from model.goal import ANY_PLAN
from model.matrix import compile_model
from model.problem_builder import build_problem
from model.solver import search
from model.studies.diagnose import diagnose
from model.studies.diagnose_least import least_repair
from model.studies.diagnose_levers import Lever, lever
from model.studies.diagnose_repairs import RepairSearch
from model.studies.diagnose_search import Repair, Trials, Verdict
from model.studies.diagnose_shares import Asked, outermost
from model.studies.diagnose_thorium import with_lowest_levels
from model.tables import Tables
from tests import small
from tests.test_diagnose import CHINESE_CONTRACT, HUNGRY, NO_SITE, OPTIONS, TWO_SITES, has_plan, places, typed

SEVEN_YEARS: dict[str, object] = {"last_year": 2036, "modelled_years": "all"}
EARLY: dict[str, object] = {"first_year": 2027, "decision_year": 2020, "country_share_from": 2027}
FALLING = {**small.cap("supply", "tonnes", "all", 0.3), **{year: max(0.1, 0.4 - 0.04 * (year - 2027)) for year in small.YEARS}}
PARTNERS = [small.market("JPN", equity=0.5), small.market("USA", equity=0.5)]


def repair_of(repairs: Sequence[Repair], *sheets: str) -> Repair:
    """Return the repair that edits cells of these sheets, no others."""
    (found,) = [repair for repair in repairs if {edit.sheet for edit in repair.edits} == set(sheets)]
    return found


def one_less_fails(tables: Tables, repair: Repair, share: float = 0.02) -> bool:
    """Return whether no edit can be made smaller by a share of its change, the others as they are."""
    for number, edit in enumerate(repair.edits):
        less = edit.after + share * (edit.before - edit.after)
        edits = [replace(each, after=less) if place == number else each for place, each in enumerate(repair.edits)]
        if has_plan(typed(tables, places(edits))):
            return False
    return True


# --- many cells --------------------------------------------------------------------------------


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize(
    ("limit", "others", "least"), [(0.0, [], 0.429), (0.05, [small.supplier("MIX", tonnes=400, china_linked=0.15)], 0.361)]
)
def test_a_cap_of_seven_years_is_raised_no_further_than_needed(limit, others, least, quick, monkeypatch):
    """300 t under contract beside 400 t of others: 3/7; with 400 t more of which 15 % count: 360 / 1000 where all of it is bought."""
    if not quick:
        monkeypatch.setattr("model.studies.diagnose_least.SHARE_FOR_CELLS", 0.0)
    contract = [CHINESE_CONTRACT[0], small.supplier("AUS", tonnes=400 if not others else 300)]
    tables = small.book(SEVEN_YEARS, hosts=NO_SITE, suppliers=[*contract, *others], caps=[small.cap("supply", "tonnes", "all", limit)])
    repair = repair_of(diagnose(tables, OPTIONS).repairs, "caps")
    assert len(repair.edits) == 7
    assert max(edit.after for edit in repair.edits) <= least
    assert repair.smallest == ("each by itself" if quick else "not proven")
    assert has_plan(typed(tables, places(repair.edits)))
    assert one_less_fails(tables, repair)


def test_a_cap_that_falls_over_ten_years_ends_at_one_level():
    suppliers = [
        small.supplier("CHN", china_linked=1, least_take=0.5, tonnes=700), small.supplier("MIX", tonnes=500, china_linked=0.2),
        small.supplier("AUS", tonnes=250),
    ]  # fmt: skip
    tables = small.book({**SEVEN_YEARS, **EARLY}, hosts=NO_SITE, suppliers=suppliers, caps=[FALLING])
    repair = repair_of(diagnose(tables, OPTIONS).repairs, "caps")
    assert len(repair.edits) == 10
    assert {edit.after for edit in repair.edits} == {0.43}


# --- rows that share what there is ---------------------------------------------------------------


def two_partners() -> Tables:
    """300 t that are not China-linked, wanted by two partners who must take 200 t and 200 t of which all and 60 % count."""
    suppliers = [
        small.supplier("CJ", where="JPN", china_linked=1, least_take=0.5, tonnes=400),
        small.supplier("CU", where="USA", china_linked=0.6, least_take=0.5, tonnes=400),
        small.supplier("AUS", tonnes=300),
    ]
    caps = [
        small.cap("supply", "tonnes", "partner", 0.2, "JPN", name="J"), small.cap("supply", "tonnes", "partner", 0.2, "USA", name="U"),
        small.cap("supply", "value", "all", 0.3, name="ALLV"),
    ]  # fmt: skip
    demand = [small.demand(500), small.demand(500, where="USA")]
    return small.book(hosts=NO_SITE, markets=PARTNERS, demand=demand, suppliers=suppliers, caps=caps)


def test_of_two_caps_that_share_what_is_not_china_linked_none_is_abolished():
    tables = two_partners()
    found = diagnose(tables, OPTIONS)
    repair = repair_of(found.repairs, "caps")
    told = {edit.what.split()[1]: edit.after for edit in repair.edits}
    assert told["ALLV"] == 0.458
    # 0.5 and 0.4 change the figures by 3.03, 1 and 0.24 by 4.73
    assert repair.size < 3.2
    assert max(told.values()) < 0.65
    assert has_plan(typed(tables, places(repair.edits)))
    assert one_less_fails(tables, repair)
    frame = found.sheet.tables[0][2]
    several = frame["repair"].map(frame["repair"].value_counts()) > 1
    assert set(frame[several]["smallest"]) == {"each by itself"}
    assert set(frame[~several]["smallest"]) <= {"yes"}


def test_violations_of_a_share_can_stand_for_shares_of_another_amount():
    """300 t of at most 20 %: of the 700 t that there are a cap of 3/7, 22.9 points more; of the 1000 t wanted 16 points."""
    caps = [small.cap("supply", "tonnes", "all", 0.2)]
    problem = build_problem(small.book(hosts=NO_SITE, suppliers=CHINESE_CONTRACT, caps=caps))
    elastic = make_elastic(problem, compile_model(build_model(problem, ANY_PLAN)))
    code = ("cap", "CAP", 2030)
    for factor in (1.0, 0.7):
        scaled = elastic.with_amounts({code: factor})
        found = search(scaled.only({code}), OPTIONS)
        assert scaled.violations(found.values)[code] == pytest.approx((300 - 0.2 * 700) / (1000 * factor))


def asked_of(tables: Tables, values: dict[Code, float]) -> Asked:
    levers = [lever(tables, code) for code in values]
    return Asked(dict.fromkeys(values, 0.1), [own for own in levers if own is not None], list(values.values()))


def test_of_several_solutions_the_furthest_value_of_each_figure_is_taken():
    tables, raised, lowered = two_partners(), ("cap", "J", 2030), ("least_take", "CU|Nd|USA")
    asked = [asked_of(tables, {raised: cap, lowered: take}) for cap, take in ((0.5, 0.3), (0.4, 0.2), (0.3, 0.4))]
    found = outermost(asked)
    assert found is not None
    assert found.values == [0.5, 0.2]
    assert outermost([asked_of(tables, {raised: 0.5, ("candidate", "HOST"): 1.0})]) is None


def test_of_several_solutions_the_one_of_the_smallest_changes_comes_first(monkeypatch):
    tables, codes = two_partners(), (("cap", "J", 2030), ("cap", "U", 2030))
    told = [asked_of(tables, dict(zip(codes, values, strict=True))) for values in ((0.5, 0.5), (0.4, 0.3), (0.9, 0.8), (0.3, 0.6))]
    later = iter(told[1:])
    monkeypatch.setattr(RepairSearch, "solve", lambda *_, **options: options["amounts"])
    monkeypatch.setattr(RepairSearch, "_asked", lambda *_: next(later))
    searching = RepairSearch(Trials(tables, OPTIONS), print)
    assert searching._rounds(searching.own, told[0]) == [told[1], told[3], told[0], told[2]]


def test_a_yes_or_no_that_the_other_figures_make_needless_is_left_out():
    ban = {**small.rule("forbid_plant", where="A", from_year=2036), "rule_id": "ban"}
    tables = small.book({"minimum_hosts": 2}, hosts=TWO_SITES, markets=[{**small.market(), 2029: 150}], host_rules=[ban])
    budget, needless = lever(tables, ("budget", "JPN", 2029)), lever(tables, ("drop_rule", "ban"))
    assert budget is not None
    assert needless is not None
    repair = least_repair(Trials(tables, OPTIONS), [budget, needless], [200.0, None])
    assert repair is not None
    assert [(edit.column, edit.after) for edit in repair.edits] == [(2029, 200.0)]


# --- several small changes beside one drastic one ------------------------------------------------


def test_two_small_changes_are_told_beside_a_drastic_one():
    """A plant of 100 MUSD with 99, whose feed of 30.5 % may be 30 %: or no plant at all."""
    tables = small.book(
        {"last_year": 2033, "modelled_years": "2030,2033"}, host_rules=[small.rule("force_plant", 1000, to_year=2030)], designs=HUNGRY,
        markets=[{**small.market(), 2029: 99, 2030: 99, 2031: 50, 2032: 50}], sources=[small.source(china_linked=0.305)],
        caps=[small.cap("feedstock", "tonnes", "all", 0.3)],
    )  # fmt: skip
    repairs = diagnose(tables, OPTIONS).repairs
    assert [(edit.what, edit.after) for edit in repairs[0].edits] == [("rule force_plant: force_plant at HOST, t REO/y", 0)]
    pair = repair_of(repairs, "caps", "markets")
    assert {edit.sheet: edit.after for edit in pair.edits} == {"caps": 0.305, "markets": 100}
    assert pair.size < repairs[0].size


# --- small changes of large figures --------------------------------------------------------------

STEPS: dict[str, tuple[Callable[[], Tables], str, float, float]] = {
    # 200 days of 182,518 t are 100,009.9 t
    "tonnes": (
        lambda: small.book(
            hosts=NO_SITE, stockpiles=[small.stockpile(0, 200)], demand=[small.demand(182518)], suppliers=[small.supplier(tonnes=100000)]
        ),
        "suppliers", 100010, 1,
    ),
    # two plants of 5000.4 MUSD
    "budget": (
        lambda: small.book(
            {"minimum_hosts": 2}, hosts=TWO_SITES, designs=[small.design(capex=5000.4)], markets=[{**small.market(), 2029: 10000}]
        ),
        "markets", 10000.8, 0.1,
    ),
    # 300.18 t of 1000
    "share": (
        lambda: small.book(
            hosts=NO_SITE, caps=[small.cap("supply", "tonnes", "all", 0.3)],
            suppliers=[small.supplier("CHN", china_linked=1, least_take=0.3, tonnes=1000.6), small.supplier("AUS", tonnes=700)],
        ),
        "caps", 0.30018, 0.00001,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_a_small_change_of_a_large_figure_is_told_to_two_digits_of_the_change(name):
    book, sheet, least, step = STEPS[name]
    tables = book()
    repair = repair_of(diagnose(tables, OPTIONS).repairs, sheet)
    (edit,) = repair.edits
    assert repair.smallest == "yes"
    assert edit.after == pytest.approx(least, abs=1e-9)
    assert has_plan(typed(tables, places(repair.edits)))
    assert not has_plan(typed(tables, places([replace(edit, after=edit.after - step)])))


@pytest.mark.parametrize(
    ("current", "step", "value", "grid"),
    [
        (0.0, 0.0, 381.8, 0.1),  # as ever: four digits of the figure
        (10000.0, 0.0, 12345.0, 10.0),
        (10000.0, 0.0, 10437.0, 10.0),
        (10000.0, 0.0, 10043.7, 1.0),
        (10000.0, 0.0, 10000.03, 0.1),  # six digits of the figure
        (0.0, 0.0, 0.0047, 0.01),
        (0.3, 0.001, 0.45, 0.001),
        (0.3, 0.001, 0.3042, 0.0001),
        (0.3, 0.001, 0.30002, 0.00001),
        (3.0, 1.0, 4.0, 1.0),
    ],
)
def test_steps_follow_the_change(current, step, value, grid):
    own = Lever(("budget", "JPN", 2029), "markets", 2, 2029, current, "budget", 1, math.inf, step)
    assert own.grid(value) == pytest.approx(grid)
    typed_value = own.outward(value)
    assert value - 1e-9 <= typed_value <= value + grid + 1e-9


# --- one figure --------------------------------------------------------------------------------------


def two_plants(capex: float, budget: float) -> Tables:
    return small.book(
        {"minimum_hosts": 2}, hosts=TWO_SITES, designs=[small.design(capex=capex)], markets=[{**small.market(), 2029: budget}]
    )


def contract_with_cap() -> Tables:
    return small.book(hosts=NO_SITE, suppliers=CHINESE_CONTRACT, caps=[small.cap("supply", "tonnes", "all", 0.2)])


@pytest.mark.parametrize(
    ("tables", "code", "asked", "least"),
    [
        # twice the change is 210 MUSD, which will do
        (two_plants(100, 150), ("budget", "JPN", 2029), 180.0, 200.0),
        # twice the change is too little still, all of it is not
        (contract_with_cap(), ("least_take", "CHN|Nd|*"), 0.29, 0.1),
        # a step of one in a million is finer than the proof of the elastic model
        (two_plants(49995.2, 99990), ("budget", "JPN", 2029), 99990.5, 99990.4),
    ],
    ids=["doubled", "to_the_end", "fine_step"],
)
def test_values_that_are_asked_for_wrongly_are_set_right_by_trials(tables, code, asked, least):
    own = lever(tables, code)
    assert own is not None
    repair = least_repair(Trials(tables, OPTIONS), [own], [asked], True)
    assert repair is not None
    assert [edit.after for edit in repair.edits] == [pytest.approx(least, abs=1e-9)]
    assert repair.proven


# --- verdicts --------------------------------------------------------------------------------------


def test_what_the_time_did_not_settle_is_asked_again_with_more_of_it():
    now = 0.0
    tables = small.book(host_rules=[small.rule("force_plant", 2500)])
    trials = Trials(tables, OPTIONS, clock=lambda: now)
    value = lever(tables, ("rule_value", "force_plant"))
    assert value is not None
    with trials.turn(0.0):
        assert trials.verdict([value.edit(1000.0)]) is Verdict.UNKNOWN
    assert trials.timed_out
    assert trials.verdict([value.edit(1000.0)]) is Verdict.PLAN
    assert trials.verdict([value.edit(1000.0)]) is Verdict.PLAN
    assert trials.solves == 1


def test_a_lower_thorium_level_that_the_time_did_not_settle_is_not_ruled_out():
    tables = small.book(hosts=[small.host(thorium_accepted="none")])
    own = lever(tables, ("thorium_accepted", "HOST"))
    assert own is not None
    trials = Trials(tables, OPTIONS)
    with trials.turn(0.0):
        repair = with_lowest_levels(trials, Repair((own.edit("high"),), True, 1.0))
    assert [edit.after for edit in repair.edits] == ["high"]
    assert repair.smallest == "not proven"
