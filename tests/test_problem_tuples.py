"""Which plants, feeds and flows exist: the sparse sets of `formulation.md`."""

from __future__ import annotations

import pytest

from tests import small
from tests.small import TWO_YEARS, problem_of

LINE = "light_heavy:own"

# --- which tuples exist ---------------------------------------------------------------------------------------


def _fed(**change: object) -> list[int]:
    """Return the years in which the book's source may be fed at its host."""
    return [key[3] for key in problem_of(TWO_YEARS, **change).feeds]


def test_sources_not_in_use_and_sites_that_are_no_candidates_are_left_out():
    problem = problem_of(sources=[small.source(use="no")], hosts=[small.host(), small.host("NO", candidate="no")])
    assert problem.feeds == ()
    assert problem.hosts == ("HOST",)


@pytest.mark.parametrize(("feed", "accepted", "years"), [
    ("none", "none", [2030, 2031]), ("low", "none", []), ("low", "low", [2030, 2031]), ("high", "medium", []), ("high", "high", [2030, 2031]),
])  # fmt: skip
def test_thorium_is_accepted_up_to_the_hosts_level(feed, accepted, years):
    assert _fed(sources=[small.source(thorium=feed)], hosts=[small.host(thorium_accepted=accepted)]) == years


def test_a_source_is_fed_in_years_with_output_only():
    assert _fed(sources=[small.source(first_year=2031)]) == [2031]
    assert _fed(sources=[small.source(first_year=2030, ramp_1=0)]) == [2031]
    assert _fed(sources=[small.source(uncommitted=0)]) == []


@pytest.mark.parametrize(("thorium", "years"), [("low", [2030, 2031]), ("medium", [2030]), ("high", [2030])])
def test_no_thorium_allows_at_most_low(thorium, years):
    assert _fed(sources=[small.source(thorium=thorium)], host_rules=[small.rule("no_thorium", from_year=2031)]) == years


@pytest.mark.parametrize(("cracking", "years"), [("yes", [2031]), ("no", [2030, 2031])])
def test_no_cracking_bars_feed_that_needs_cracking(cracking, years):
    assert _fed(processing=[small.processing(needs_cracking=cracking)], host_rules=[small.rule("no_cracking", to_year=2030)]) == years


def test_a_rule_at_one_host_leaves_the_others_alone():
    problem = problem_of(
        hosts=[small.host(), small.host("OTHER")],
        processing=[small.processing(needs_cracking="yes")],
        host_rules=[small.rule("no_cracking")],
    )
    assert {key[1] for key in problem.feeds} == {"OTHER"}


@pytest.mark.parametrize(("only_in", "years"), [("", [2030, 2031]), ("HHH", [2030, 2031]), ("AAA, HHH", [2030, 2031]), ("AAA", [])])
def test_process_only_in(only_in, years):
    assert _fed(sources=[small.source(process_only_in=only_in)]) == years


def test_feed_that_needs_cracking_needs_an_integrated_design():
    crack = {"processing": [small.processing(needs_cracking="yes")]}
    assert _fed(**crack, designs=[small.design(scope="separation")]) == []
    assert _fed(designs=[small.design(scope="separation")]) == [2030, 2031]


def test_feed_needs_a_design_of_its_line_that_can_be_on_line():
    # integrated plants from 2031 (5 years), separation plants from 2030: cracked feed from 2031, other feed from 2030
    designs = [small.design("INT", build_years=5), small.design("SEP", scope="separation")]
    assert _fed(designs=designs, processing=[small.processing(needs_cracking="yes")]) == [2031]
    assert _fed(designs=designs) == [2030, 2031]


def test_a_line_is_a_circuit_and_a_way():
    designs, ways = [small.design("FULL"), small.design("LIGHT", heavies="no")], [small.way("own"), small.way("support")]
    problem = problem_of(designs=designs, know_how=ways)
    assert {key[2] for key in problem.feeds} == {"light_heavy:own", "light_heavy:support", "light:own", "light:support"}
    assert problem.build_line["HOST", "LIGHT", "support", 2030] == "light:support"


def test_integrated_and_separation_designs_share_a_line():
    problem = problem_of(designs=[small.design("INT"), small.design("SEP", scope="separation")])
    assert set(problem.build_line.values()) == {LINE}
    assert problem.integrated == {"INT": True, "SEP": False}


def _built(settings: dict[str, object] | None = None, **change: object) -> list[int]:
    return [key[3] for key in problem_of({**TWO_YEARS, **(settings or {})}, **change).builds]


def test_no_plant_before_the_hosts_earliest_start():
    assert _built(hosts=[small.host(earliest_start=2031)]) == [2031]


@pytest.mark.parametrize(("build_years", "years"), [(3.2, [2030, 2031]), (4, [2030, 2031]), (4.2, [2031]), (5, [2031]), (5.1, [])])
def test_no_plant_before_it_can_be_built(build_years, years):
    # decided in 2026: on line from 2026 + build_years, rounded up
    assert _built(designs=[small.design(build_years=build_years)]) == years


def test_forbid_plant_bars_coming_on_line_in_its_years():
    assert _built(host_rules=[small.rule("forbid_plant", to_year=2030)]) == [2031]
    assert _built(host_rules=[small.rule("forbid_plant")]) == []


def test_a_design_for_one_host_stands_nowhere_else():
    problem = problem_of(hosts=[small.host(), small.host("OTHER")], designs=[small.design(), small.design("OWN", host="OTHER")])
    assert {key[:2] for key in problem.builds} == {("HOST", "PLANT"), ("OTHER", "PLANT"), ("OTHER", "OWN")}


def test_china_linked_flows_exist_only_where_linked_feed_can_be():
    clean = problem_of()
    assert (clean.china_deliveries, clean.china_surpluses) == ((), ())
    linked = problem_of(sources=[small.source(china_linked=0.1)])
    assert linked.china_deliveries == linked.deliveries
    assert linked.china_surpluses == linked.surpluses
