"""Every constraint on plants and capacity, solved by eye: where it binds, leaves room and forbids.

Costs are MUSD; see `tests/small.py` for the book that each test changes.
"""

from __future__ import annotations

from tests import small
from tests.small import STOCK_ONLY

TWO_HOSTS = [small.host("HOST"), small.host("OTHER", country="OOO")]
DEAR = [small.design(capex=1000)]
"""A plant of 100 MUSD a year: making the kt costs 120, buying it 100."""

# --- plants_per_host_limit: demand of 2 kt is worth two plants of 1 kt --------------------------

TWO_DESIGNS = [small.design(), small.design("OTHER")]


def test_plants_per_host_limit_binds():
    # one plant 10, its feed 20, the second kt bought 100; unlimited: two plants 20, feed 40
    tables = small.book(demand=[small.demand(2000)], designs=TWO_DESIGNS)
    small.check_binds(tables, "plants_per_host_limit", cost=130, free=60)


def test_plants_per_host_limit_leaves_room():
    tables = small.book({"plants_per_host": 3}, demand=[small.demand(2000)], designs=TWO_DESIGNS)
    small.check_slack(tables, "plants_per_host_limit", cost=60)


def test_plants_per_host_limit_forbids():
    small.check_infeasible(small.book(designs=TWO_DESIGNS, host_rules=[small.rule("force_plant", 2000)]), "plants_per_host_limit")


# --- plant_count_limit ---------------------------------------------------------------------------


def test_plant_count_limit_binds():
    tables = small.book({"max_plants": 1}, hosts=TWO_HOSTS, demand=[small.demand(2000)])
    small.check_binds(tables, "plant_count_limit", cost=130, free=60)


def test_plant_count_limit_leaves_room():
    small.check_slack(small.book({"max_plants": 3}, hosts=TWO_HOSTS, demand=[small.demand(2000)]), "plant_count_limit", cost=60)


def test_plant_count_limit_forbids():
    small.check_infeasible(small.book({"max_plants": 1, "minimum_hosts": 2}, hosts=TWO_HOSTS), "plant_count_limit")


# --- host_open_link: an open host is one that holds a plant ---------------------------------------


def test_host_open_link_binds():
    # one host must be open although its plant loses: 100 + 20; without the link it opens empty and the kt is bought
    small.check_binds(small.book({"minimum_hosts": 1}, designs=DEAR), "host_open_link", cost=120, free=100)


def test_host_open_link_leaves_room():
    # a plant pays by itself and no host need be open: host_open 0 < 1 plant
    small.check_slack(small.book(), "host_open_link", cost=30)


def test_host_open_link_forbids():
    # nothing can be on line in 2030, so nothing can be open
    small.check_infeasible(small.book({"minimum_hosts": 1}, hosts=[small.host(earliest_start=2031)]), "host_open_link")


# --- host_count_minimum ---------------------------------------------------------------------------


def test_host_count_minimum_binds():
    # two plants 20 and feed 20 where one plant would do
    small.check_binds(small.book({"minimum_hosts": 2}, hosts=TWO_HOSTS), "host_count_minimum", cost=40, free=30)


def test_host_count_minimum_counts_hosts_and_not_plants():
    # a second plant beside the first opens no second host: 2 kt want two plants at HOST (20 + 40), but OTHER's plant costs 100 a year more
    hosts = [small.host(), small.host("OTHER", capex_factor=11)]
    tables = small.book(
        {"plants_per_host": 2, "minimum_hosts": 2},
        hosts=hosts, designs=TWO_DESIGNS, demand=[small.demand(2000)],
    )  # fmt: skip
    small.check_binds(tables, "host_count_minimum", cost=10 + 110 + 40, free=60)


def test_host_count_minimum_leaves_room():
    # demand of 2 kt opens two hosts by itself; one would do (host_open is free of cost, so the row may stand at its bound or above)
    tables = small.book({"minimum_hosts": 1}, hosts=TWO_HOSTS, demand=[small.demand(2000)])
    solved = small.solve_book(tables)
    assert solved.cost == small.approx(60)
    assert len(solved.solution.host_set) == 2
    assert small.cost_without(solved.matrix, "host_count_minimum") == small.approx(60)


def test_host_count_minimum_forbids():
    small.check_infeasible(small.book({"minimum_hosts": 2}), "host_count_minimum")


def test_host_count_minimum_forbids_without_any_host():
    small.check_infeasible(small.book({"minimum_hosts": 1}, hosts=[]), "host_count_minimum")


# --- forced_plant_minimum -------------------------------------------------------------------------


def test_forced_plant_minimum_binds():
    # a plant that loses 20 is built: 100 + 20
    tables = small.book(designs=DEAR, host_rules=[small.rule("force_plant", 1000)])
    small.check_binds(tables, "forced_plant_minimum", cost=120, free=100)


def test_forced_plant_minimum_binds_by_size_and_date():
    # 500 t by 2030: a plant of 400 t is too small, one on line in 2031 too late; 1 kt at 100 a year runs in both years
    designs = [small.design(capex=1000), small.design("TOKEN", capacity=400, capex=1)]
    tables = small.book(
        {"last_year": 2031, "modelled_years": "all"}, designs=designs, host_rules=[small.rule("force_plant", 500, to_year=2030)]
    )
    # free: the token plant both years: 2 x (0.1 + 0.4 x 20 + 0.6 x 100)
    solved = small.check_binds(tables, "forced_plant_minimum", cost=2 * 120, free=2 * 68.1)
    assert solved.solution.tables["builds"].values.tolist() == [["HOST", "PLANT", "own", 2030]]


def test_forced_plant_minimum_adds_up_small_plants():
    # 1.5 kt as two plants of 800 t at 1 a year each, not one of 2 kt at 100; half a kt of feed costs 10
    designs = [small.design(name, capacity=800, capex=10) for name in ("ONE", "TWO")] + [small.design("LARGE", capacity=2000, capex=1000)]
    tables = small.book({"plants_per_host": 2}, demand=[small.demand(500)], designs=designs, host_rules=[small.rule("force_plant", 1500)])
    small.check_binds(tables, "forced_plant_minimum", cost=12, free=11)


def test_forced_plant_minimum_leaves_room():
    # two plants of 800 t for 1 kt, of which 1 kt is asked: 1 + 1 + 20
    designs = [small.design(name, capacity=800, capex=10) for name in ("ONE", "TWO")]
    tables = small.book({"plants_per_host": 2}, designs=designs, host_rules=[small.rule("force_plant", 1000)])
    small.check_slack(tables, "forced_plant_minimum", cost=22)


def test_forced_plant_minimum_forbids():
    small.check_infeasible(small.book(host_rules=[small.rule("force_plant", 1500)]), "forced_plant_minimum")


def test_forced_plant_minimum_forbids_before_any_plant_can_be_on_line():
    small.check_infeasible(small.book(host_rules=[small.rule("force_plant", 1000, to_year=2029)]), "forced_plant_minimum")


def test_forced_plant_minimum_forbids_at_a_site_that_is_no_candidate():
    # the rule is not dropped with the site
    hosts = [small.host(), small.host("CLOSED", candidate="no")]
    small.check_infeasible(small.book(hosts=hosts, host_rules=[small.rule("force_plant", 1000, "CLOSED")]), "forced_plant_minimum")


# --- capacity_limit -------------------------------------------------------------------------------


def test_capacity_limit_binds():
    # 1 kt fed of the 2 kt wanted
    solved = small.check_binds(small.book(demand=[small.demand(2000)]), "capacity_limit", cost=130, free=40)
    assert solved.tonnes("feed") == small.approx(1000)


def test_capacity_limit_counts_the_ramp():
    # 40 % usable in the first year: 10 + 0.4 x 20 + 0.6 x 100
    solved = small.check_binds(small.book(designs=[small.design(ramp_1=0.4)]), "capacity_limit", cost=78, free=20)
    assert solved.tonnes("feed") == small.approx(400)


def test_capacity_limit_leaves_room():
    # taken away altogether, feed would need no plant
    small.check_slack(small.book(demand=[small.demand(500)]), "capacity_limit", cost=10 + 10, free=10)


def test_capacity_limit_forbids():
    small.check_infeasible(small.book(designs=[small.design(capacity=900)], **STOCK_ONLY), "capacity_limit")


# --- cracking_limit: feed that needs cracking fits the integrated plants ---------------------------

CRACKING = {
    "processing": [small.processing("ore", needs_cracking="yes"), small.processing("carbonate")],
    "recoveries": [small.recovery("ore"), small.recovery("carbonate")],
}


def _two_feeds(ore: float, carbonate_price: float = 50, ore_price: float = 20) -> list[small.Row]:
    return [
        small.source("ORE", capacity=ore, fixed_price=ore_price),
        small.source("CARBONATE", feed_type="carbonate", fixed_price=carbonate_price),
    ]


def _two_scopes(integrated: float, separation: float = 100, minimum_use: float = 0) -> list[small.Row]:
    return [
        small.design("INT", capex=integrated, minimum_use=minimum_use),
        small.design("SEP", capex=separation, scope="separation", minimum_use=minimum_use),
    ]


def test_cracking_limit_binds():
    # INT 30 + SEP 10 a year for 2 kt; 1.5 kt of ore to be had at 20, carbonate at 50: 1 kt of each 70; were ore let into SEP, 30 + 25
    tables = small.book({"plants_per_host": 2}, sources=_two_feeds(1500), designs=_two_scopes(300), demand=[small.demand(2000)], **CRACKING)
    solved = small.check_binds(tables, "cracking_limit", cost=40 + 70, free=40 + 55)
    assert solved.tonnes("feed", source_id="ORE") == small.approx(1000)


def test_cracking_limit_leaves_room():
    # no more than 0.5 kt of ore: 10 + 75
    tables = small.book({"plants_per_host": 2}, sources=_two_feeds(500), designs=_two_scopes(150), demand=[small.demand(2000)], **CRACKING)
    small.check_slack(tables, "cracking_limit", cost=25 + 85)


def test_cracking_limit_forbids():
    # a stock of 1.2 kt from ore alone: with the only INT (0.5 kt) and a SEP, no more than 0.5 kt is cracked
    designs = [small.design("INT", capacity=500), small.design("SEP", scope="separation")]
    tables = small.book(
        {"plants_per_host": 2},
        sources=[small.source("ORE")], designs=designs, suppliers=[], stockpiles=[small.stockpile(days=438)], **CRACKING,
    )  # fmt: skip
    small.check_infeasible(tables, "cracking_limit")


# --- use_minimum: from the fourth year, 2033, at least half of the plant is fed ---------------------

FOUR_YEARS = {"last_year": 2033, "modelled_years": "2030,2033"}
"""2030 stands for three years, 2033 for one."""


def _falling(before: float, after: float) -> list[small.Row]:
    return [small.demand(before, but={2033: after})]


def test_use_minimum_binds():
    # capital 4 x 10; 1 kt fed in three years 60; 0.5 kt in 2033 although 0.2 kt are wanted: 10, else 4
    tables = small.book(FOUR_YEARS, designs=[small.design(minimum_use=0.5)], demand=_falling(1000, 200))
    solved = small.check_binds(tables, "use_minimum", cost=110, free=104)
    assert solved.tonnes("surplus", year=2033) == small.approx(300)


def test_use_minimum_is_no_more_than_usable():
    # a plant that never gets beyond 30 % is fed 30 %, not 50 %: 40 + 3 x (0.3 x 20 + 0.7 x 100) + 0.3 x 20
    ramp = dict.fromkeys(("ramp_1", "ramp_2", "ramp_3", "ramp_4"), 0.3)
    tables = small.book(FOUR_YEARS, designs=[small.design(minimum_use=0.5, **ramp)], demand=_falling(1000, 200))
    small.check_binds(tables, "use_minimum", cost=40 + 3 * 76 + 6, free=40 + 3 * 76 + 4)


def test_use_minimum_leaves_room():
    tables = small.book(FOUR_YEARS, designs=[small.design(minimum_use=0.1)], demand=_falling(1000, 200))
    small.check_slack(tables, "use_minimum", cost=104)


def test_use_minimum_forbids():
    # forced on line in 2030, but nothing may be fed from 2033
    rules = [small.rule("force_plant", 1000, to_year=2030), small.rule("no_cracking", from_year=2033)]
    tables = small.book(
        FOUR_YEARS, designs=[small.design(minimum_use=0.5)], host_rules=rules, processing=[small.processing(needs_cracking="yes")]
    )
    small.check_infeasible(tables, "use_minimum")


# --- separation_use_minimum: cracked feed cannot keep a separation plant busy -----------------------


def test_separation_use_minimum_binds():
    # INT 20 + SEP 10 a year; three years of 1 kt ore 20 and 1 kt carbonate 50; in 2033 1 kt is wanted, and SEP takes half of it as
    # carbonate: 4 x 30 + 3 x 70 + 25 + 10. Free: ore alone in 2033, 4 x 30 + 210 + 20. INT's own minimum asks for no carbonate.
    # INT alone would cost 80 + 3 x 120 + 20.
    tables = small.book(
        {**FOUR_YEARS, "plants_per_host": 2},
        sources=_two_feeds(1000), designs=_two_scopes(200, minimum_use=0.5), demand=_falling(2000, 1000), **CRACKING,
    )  # fmt: skip
    solved = small.check_binds(tables, "separation_use_minimum", cost=365, free=350)
    assert solved.tonnes("feed", source_id="CARBONATE", year=2033) == small.approx(500)


def test_separation_use_minimum_leaves_room():
    tables = small.book(
        {**FOUR_YEARS, "plants_per_host": 2},
        sources=_two_feeds(1000), designs=_two_scopes(200, minimum_use=0.5), demand=_falling(2000, 2000), **CRACKING,
    )  # fmt: skip
    small.check_slack(tables, "separation_use_minimum", cost=4 * 30 + 4 * 70)


def test_separation_use_minimum_forbids():
    # the 1.5 kt forced are SEP and INT; ore alone keeps no SEP busy
    designs = [small.design("INT", capacity=500), small.design("SEP", scope="separation", minimum_use=0.5)]
    tables = small.book(
        {**FOUR_YEARS, "plants_per_host": 2},
        sources=[small.source("ORE")], designs=designs, host_rules=[small.rule("force_plant", 1500, to_year=2030)], **CRACKING,
    )  # fmt: skip
    small.check_infeasible(tables, "separation_use_minimum")
