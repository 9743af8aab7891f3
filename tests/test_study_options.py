"""The options of the offer on books solved by eye."""

from __future__ import annotations

import pytest

from model.planner import solve
from model.studies import find_study
from model.studies.options import BOTH, KNOW_HOW, NEITHER, THIRD, list_options, option_sentences, option_tables, rules_off, rules_with_both
from model.studies.study import StudyContext, StudySheet
from model.tables import Tables
from tests import small
from tests.test_coalitions import two_partners

LENT = small.way("support", fee=5, provider="JPN")


def offer(**sheets: list[small.Row]) -> Tables:
    """Return a book with a third country (plant 10 MUSD a year, feed at 20), a US site with Japanese know-how (5 MUSD/kt) and a Japanese site."""
    hosts = [
        small.host("ABROAD", capex_factor=2),
        small.host("GULF", country="USA", role="partner", candidate="no"),
        small.host("KYUSHU", country="JPN", role="partner", candidate="no"),
    ]
    return two_partners(**{"hosts": hosts, "know_how": [small.way(), LENT], **sheets})


def study(tables: Tables) -> StudySheet:
    (sheet,) = find_study("options")(StudyContext(tables, solve(tables, small.EXACT), small.EXACT, 1, lambda _: None))
    return sheet


def test_sites_and_ways_follow_from_roles_and_providers():
    options = {option.name: option for option in list_options(offer())}
    assert (options[KNOW_HOW].hosts, options[KNOW_HOW].ways) == (("GULF",), ("support",))
    assert options[THIRD].hosts == ("ABROAD",)
    assert options[BOTH].hosts == ("ABROAD", "GULF")
    assert options[NEITHER].hosts == ()
    assert [option.name for option in list_options(offer(know_how=[small.way()]))] == [THIRD, NEITHER]


def test_costs_side_by_side():
    # 1 kt needed: bought 100; abroad 20 + 20; at home 10 + 20 + 5; with both the US site in its own practice 10 + 20
    sheet = study(offer())
    frame = sheet.tables[0][2].set_index("option")
    assert frame["total_cost"].to_dict() == pytest.approx({NEITHER: 100.0, THIRD: 40.0, KNOW_HOW: 35.0, BOTH: 30.0})
    assert frame["saving"].to_dict() == pytest.approx({NEITHER: 0.0, THIRD: 60.0, KNOW_HOW: 65.0, BOTH: 70.0})
    assert frame["cost_per_kg"][THIRD] == pytest.approx(40.0)
    assert frame["fees"].to_dict() == pytest.approx({NEITHER: 0.0, THIRD: 0.0, KNOW_HOW: 5.0, BOTH: 0.0})
    assert frame.loc[KNOW_HOW, ["capex_JPN", "capex_USA"]].tolist() == pytest.approx([60.0, 40.0])
    assert (frame["verdict"] == "passed").all()
    assert sheet.sentences[0].startswith("Cheapest is both: 30.0 MUSD")
    assert any("costs 5.0 MUSD less than in third countries" in line for line in sheet.sentences)
    assert any("worth 5.0 MUSD more than know-how at home alone" in line for line in sheet.sentences)


def test_an_option_nobody_takes_up_is_called_so():
    dear = [small.host("ABROAD", capex_factor=20), small.host("GULF", country="USA", role="partner", candidate="no")]
    sheet = study(offer(hosts=dear))
    frame = sheet.tables[0][2].set_index("option")
    assert frame["plants"][THIRD] == "none"
    assert frame["total_cost"][THIRD] == pytest.approx(100.0)
    assert any(line.startswith("With joint plants in third countries the cheapest plan builds nothing") for line in sheet.sentences)


def test_an_option_without_a_plan_says_so():
    caps = [small.cap("supply", "tonnes", "all", 0.5)]
    offers = [small.supplier("CHINA", china_linked=1, least_take=0.1)]
    frame = study(offer(caps=caps, suppliers=offers)).tables[0][2].set_index("option")
    assert frame["verdict"][NEITHER] == "no plan exists"
    assert frame["verdict"][THIRD] == "passed"


def test_rules_that_only_other_sites_could_meet_do_not_bar_an_option():
    tables = offer(host_rules=[small.rule("force_plant", 1000, "ABROAD")]).with_settings(minimum_hosts=1, country_share_limit=0.6)
    for option in list_options(tables):
        changed = option_tables(tables, option)
        assert changed.setting("minimum_hosts") == min(1, len(option.hosts))
        assert changed.setting("country_share_limit") == (0.6 if option.name == BOTH else 1.0)
        # with both, the forced plant abroad (20) needs one at home beside it (10), for 60 % of capacity may stand in one country
        cost = {KNOW_HOW: 35, THIRD: 40, BOTH: 50, NEITHER: 100}[option.name]
        assert solve(changed, small.EXACT).solution.objective == pytest.approx(cost)


def test_the_run_s_own_plan_is_not_solved_again():
    tables, asked = offer(), []
    plan = solve(tables, small.EXACT)
    find_study("options")(StudyContext(tables, plan, small.EXACT, 1, asked.append))
    assert len(asked) == 3
    assert not any(THIRD in line for line in asked)


def test_where_both_are_dearer_than_a_half_the_rule_is_named():
    # abroad 20 + 20; with both no country may hold more than 60 %, so a plant at home (60) has to stand beside it
    hosts = [small.host("ABROAD", capex_factor=2), small.host("GULF", country="USA", role="partner", candidate="no", capex_factor=6)]
    tables = offer(hosts=hosts).with_settings(country_share_limit=0.6)
    sheet = study(tables)
    assert sheet.tables[0][2].set_index("option")["total_cost"].to_dict() == pytest.approx(
        {KNOW_HOW: 85.0, THIRD: 40.0, BOTH: 100.0, NEITHER: 100.0}
    )
    (told,) = [line for line in sheet.sentences if line.startswith("Both cost")]
    assert told == (
        "Both cost 60.0 MUSD more than joint plants in third countries alone because the rules differ: with both country_share_limit = 0.6 "
        "(sheet settings) holds and alone it is 1. Without it both would cost 40.0 MUSD at most; this is no reason to give one up."
    )
    assert not any("give the other up" in line for line in sheet.sentences)


def test_what_a_half_alone_is_freed_of_is_named():
    tables = offer(host_rules=[small.rule("force_plant", 1000, "ABROAD")]).with_settings(minimum_hosts=2, max_plants=3)
    told = rules_with_both(tables, list_options(tables))
    assert "plants_per_host = 1 (sheet settings) holds and alone it is 3" in told[KNOW_HOW]
    assert "minimum_hosts = 2 (sheet settings) holds and alone it is 1" in told[KNOW_HOW]
    assert "rule force_plant (sheet host_rules) asks for a plant and alone it does not" in told[KNOW_HOW]
    assert told[THIRD] == "minimum_hosts = 2 (sheet settings) holds and alone it is 1"


def test_what_an_option_is_solved_with_in_place_of_the_book_is_told():
    tables = offer(host_rules=[small.rule("force_plant", 1000, "ABROAD")]).with_settings(minimum_hosts=2, max_plants=3)
    home, abroad = rules_off(tables, list_options(tables))
    assert home.startswith("The option know-how at home is solved with ")
    assert "plants_per_host = 3 instead of 1 (sheet settings), as a partner's site stands for its whole country" in home
    assert "minimum_hosts = 1 instead of 2 (sheet settings), as it has no more sites" in home
    assert "without force_plant (sheet host_rules), as other sites are left out" in home
    assert (
        abroad
        == "The option joint plants in third countries is solved with minimum_hosts = 1 instead of 2 (sheet settings), as it has no more sites."
    )
    assert home in study(tables).sentences
    assert rules_off(offer().with_settings(max_plants=1), list_options(offer())) == []


def test_halves_that_build_nothing_cost_the_same():
    words = study(offer(designs=[small.design(capex=5000)])).sentences
    assert "Refining at home with lent know-how costs the same as in third countries: neither builds a plant." in words
    assert not any("better half" in line or line.startswith("Having both") for line in words)


def test_without_demand_no_cost_per_kg_is_told():
    words = study(offer(demand=[small.demand(0, where="JPN"), small.demand(0, where="USA")])).sentences
    assert not any("nan" in line for line in words)


def test_a_difference_within_the_gaps_is_none():
    (sheet,) = find_study("options")(StudyContext(offer(), solve(offer(), small.EXACT), small.EXACT, 1, lambda _: None))
    frame = sheet.tables[0][2].assign(gap=2.6)
    words = option_sentences(frame)
    assert "Refining at home with lent know-how costs the same as in third countries, within the gaps of the solves." in words
