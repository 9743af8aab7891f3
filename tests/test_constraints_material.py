"""Every constraint on material, solved by eye: where it binds, leaves room and forbids.

Costs are MUSD; see `tests/small.py` for the book that each test changes.
"""

from __future__ import annotations

from tests import small
from tests.small import STOCK_ONLY, TWO_MARKETS, TWO_YEARS, approx, two_products

# --- source_limit ---------------------------------------------------------------------------------


def test_source_limit_binds():
    # half of the 1 kt wanted: 10 + 0.5 x 20 + 0.5 x 100
    tables = small.book(sources=[small.source(capacity=1000, uncommitted=0.5)])
    solved = small.check_binds(tables, "source_limit", cost=70, free=30)
    assert solved.tonnes("feed") == approx(500)


def test_source_limit_is_shared_by_hosts():
    # 1 kt of ore for two plants: a second plant would have nothing to do
    tables = small.book(sources=[small.source(capacity=1000)], hosts=[small.host(), small.host("OTHER")], demand=[small.demand(2000)])
    small.check_binds(tables, "source_limit", cost=130, free=60)


def test_source_limit_leaves_room():
    # surplus at 25 pays for feed at 20, so that the row is not implied: 2 kt wanted, 1 kt made, 1 kt bought
    tables = small.book(sources=[small.source(capacity=1500)], prices=small.prices(surplus=25), demand=[small.demand(2000)])
    small.check_slack(tables, "source_limit", cost=10 + 20 + 100)


def test_source_limit_forbids():
    small.check_infeasible(small.book(sources=[small.source(capacity=900)], **STOCK_ONLY), "source_limit")


# --- feed_ceiling_limit ---------------------------------------------------------------------------


def test_feed_ceiling_limit_binds():
    tables = small.book(host_rules=[small.rule("feed_ceiling", 500)])
    small.check_binds(tables, "feed_ceiling_limit", cost=10 + 10 + 50, free=30)


def test_feed_ceiling_limit_binds_in_its_years_only():
    # 2030 free (30), 2031 half (70)
    tables = small.book(TWO_YEARS, host_rules=[small.rule("feed_ceiling", 500, from_year=2031)])
    solved = small.check_binds(tables, "feed_ceiling_limit", cost=100, free=60)
    assert solved.tonnes("feed", year=2030) == approx(1000)


def test_feed_ceiling_limit_leaves_room():
    small.check_slack(small.book(host_rules=[small.rule("feed_ceiling", 1500)]), "feed_ceiling_limit", cost=30)


def test_feed_ceiling_limit_forbids():
    small.check_infeasible(small.book(host_rules=[small.rule("feed_ceiling", 900)], **STOCK_ONLY), "feed_ceiling_limit")


# --- product_balance: both products of the ore come out, wanted or not ------------------------------


def test_product_balance_binds():
    # 1 kt of ore gives 0.4 kt Nd and 0.6 x 0.5 kt Ce; Ce costs 5 to dispose of: 10 + 20 + 1.5 + 0.6 x 100.
    # Without the balance Nd would come from nothing.
    solved = small.check_binds(small.book(**two_products(-5)), "product_balance", cost=91.5, free=0)
    assert solved.tonnes("surplus", product="Ce") == approx(300)
    assert solved.tonnes("deliveries", product="Nd") == approx(400)
    assert solved.tonnes("products", "made", product="Ce") == approx(300)


def test_product_balance_sells_what_is_not_wanted():
    # an equation leaves no room; here the surplus earns instead of costing: 10 + 20 - 0.3 x 5 + 60
    solved = small.solve_book(small.book(**two_products(5)))
    assert solved.cost == approx(88.5)
    assert solved.tonnes("costs", "cost", component="surplus_revenue") == approx(-1.5)


def test_product_balance_forbids():
    # a stock of 1 kt Nd from at most 0.4 kt made
    small.check_infeasible(small.book(**{**two_products(0), **STOCK_ONLY}), "product_balance")


# --- export_share_limit: JPN is another country than the host's -------------------------------------


def test_export_share_limit_binds():
    # 1 kt made, 0.4 kt may leave: 10 + 20 + 0.6 x 100
    solved = small.check_binds(small.book(host_rules=[small.rule("export_share", 0.4)]), "export_share_limit", cost=90, free=30)
    assert solved.tonnes("surplus") == approx(600)


def test_export_share_limit_leaves_room():
    # half of the kt is delivered at home, in HHH; the rest abroad is less than 60 %
    markets = [*TWO_MARKETS, small.market("HOME", country="HHH", partner="no", equity=0)]
    tables = small.book(
        markets=markets, demand=[small.demand(500), small.demand(500, where="HOME")], host_rules=[small.rule("export_share", 0.6)]
    )
    small.check_slack(tables, "export_share_limit", cost=30)


def test_export_share_limit_of_one_product_leaves_the_others_alone():
    # Nd may not leave, Ce may: plant 10, ore 1, 0.4 kt Nd bought at 100; with 0.6 kt Ce bought at 2 in place of ore it would be 51.2
    goods = {**two_products(0), "recoveries": [small.recovery(product="Nd"), small.recovery(product="Ce")]}
    tables = small.book(
        host_rules=[small.rule("export_share", 0, product="Nd"), small.rule("force_plant", 1000)],
        demand=[small.demand(400), small.demand(600, "Ce")], suppliers=[small.supplier(), small.supplier(product="Ce")],
        sources=[small.source(fixed_price=1)], **goods,
    )  # fmt: skip
    small.check_binds(tables, "export_share_limit", cost=51, free=11)


def test_export_share_limit_forbids():
    small.check_infeasible(small.book(host_rules=[small.rule("export_share", 0.9)], **STOCK_ONLY), "export_share_limit")


# --- export_ceiling_limit ---------------------------------------------------------------------------


def test_export_ceiling_limit_binds():
    # 0.4 kt may leave: 10 + 0.4 x 20 + 0.6 x 100
    solved = small.check_binds(small.book(host_rules=[small.rule("export_ceiling", 400)]), "export_ceiling_limit", cost=78, free=30)
    assert solved.tonnes("deliveries") == approx(400)


def test_export_ceiling_limit_adds_products_up():
    # Nd and Ce together 0.5 kt: Nd 0.4 kt first, as dearer; 10 + 20 + Ce bought 0.5 kt 1
    goods = {**two_products(0), "recoveries": [small.recovery(product="Nd"), small.recovery(product="Ce")]}
    tables = small.book(
        host_rules=[small.rule("export_ceiling", 500)], demand=[small.demand(400), small.demand(600, "Ce")],
        suppliers=[small.supplier(), small.supplier(product="Ce")], **goods,
    )  # fmt: skip
    solved = small.check_binds(tables, "export_ceiling_limit", cost=31, free=30)
    assert solved.tonnes("deliveries", product="Ce") == approx(100)


def test_export_ceiling_limit_of_one_product_leaves_the_others_alone():
    # 0.1 kt Nd may leave, 0.3 kt is bought; all 0.6 kt Ce may leave
    goods = {**two_products(0), "recoveries": [small.recovery(product="Nd"), small.recovery(product="Ce")]}
    tables = small.book(
        host_rules=[small.rule("export_ceiling", 100, product="Nd")], demand=[small.demand(400), small.demand(600, "Ce")],
        suppliers=[small.supplier(), small.supplier(product="Ce")], sources=[small.source(fixed_price=0.1)],
        designs=[small.design(capex=1)], **goods,
    )  # fmt: skip
    # plant 0.1, ore 0.1
    small.check_binds(tables, "export_ceiling_limit", cost=0.2 + 30, free=0.2)


def test_export_ceiling_limit_leaves_room():
    small.check_slack(small.book(host_rules=[small.rule("export_ceiling", 1500)]), "export_ceiling_limit", cost=30)


def test_export_ceiling_limit_lets_the_product_go_to_a_market_of_the_same_country():
    tables = small.book(hosts=[small.host(country="JPN")], host_rules=[small.rule("export_ceiling", 0)])
    assert small.solve_book(tables).cost == approx(30)


def test_a_host_and_a_market_of_one_name_keep_their_own_countries():
    # the host called JPN stands in HHH, so what it makes leaves HHH for the market JPN
    tables = small.book(hosts=[small.host("JPN")], host_rules=[small.rule("export_ceiling", 400, "JPN")])
    assert small.solve_book(tables).cost == approx(78)


def test_export_ceiling_limit_forbids():
    small.check_infeasible(small.book(host_rules=[small.rule("export_ceiling", 900)], **STOCK_ONLY), "export_ceiling_limit")


# --- supplier_limit -----------------------------------------------------------------------------------

NO_PLANT = {"hosts": []}


def test_supplier_limit_binds():
    # 0.4 kt bought, 0.6 kt short at 200
    solved = small.check_binds(small.book(suppliers=[small.supplier(tonnes=400)], **NO_PLANT), "supplier_limit", cost=160, free=100)
    assert solved.tonnes("unmet") == approx(600)


def test_supplier_limit_is_shared_by_markets():
    tables = small.book(
        suppliers=[small.supplier(tonnes=1500)], markets=TWO_MARKETS, demand=[small.demand(), small.demand(where="USA")], **NO_PLANT
    )
    small.check_binds(tables, "supplier_limit", cost=150 + 100, free=200)


def test_supplier_limit_leaves_room():
    small.check_slack(small.book(suppliers=[small.supplier(tonnes=1500)], **NO_PLANT), "supplier_limit", cost=100)


def test_supplier_limit_forbids():
    tables = small.book(suppliers=[small.supplier(tonnes=900)], stockpiles=[small.stockpile(days=365)], **NO_PLANT)
    small.check_infeasible(tables, "supplier_limit")


# --- take_minimum -------------------------------------------------------------------------------------


def test_take_minimum_binds():
    # half of the 1 kt offered must be bought though joint product costs 20: 10 + 10 + 50
    tables = small.book(suppliers=[small.supplier(tonnes=1000, least_take=0.5)])
    solved = small.check_binds(tables, "take_minimum", cost=70, free=30)
    assert solved.tonnes("purchases") == approx(500)


def test_take_minimum_leaves_room():
    small.check_slack(small.book(suppliers=[small.supplier(tonnes=1000, least_take=0.5)], **NO_PLANT), "take_minimum", cost=100)


def test_take_minimum_forbids():
    # 2.5 kt for a demand of 1 kt
    small.check_infeasible(small.book(suppliers=[small.supplier(least_take=0.5)]), "take_minimum")


def test_take_minimum_forbids_where_nobody_wants_the_product():
    tables = small.book(demand=[small.demand(0)], suppliers=[small.supplier(least_take=0.5)])
    small.check_infeasible(tables, "take_minimum")


# --- demand_balance -----------------------------------------------------------------------------------


def test_demand_balance_binds():
    # nobody supplies: 1 kt short at 200
    solved = small.check_binds(small.book(suppliers=[], **NO_PLANT), "demand_balance", cost=200, free=0)
    assert solved.tonnes("unmet") == approx(1000)


def test_demand_balance_serves_the_dearest_shortage_first():
    # 0.5 kt for two sectors of 0.4 kt: defence is served, 0.3 kt of glass goes short at 150
    tables = small.book(
        sectors=[small.sector("glass", shortage_cost=150), small.sector("defence", shortage_cost=1000)],
        demand=[small.demand(400, who="glass"), small.demand(400, who="defence")], suppliers=[small.supplier(tonnes=500)], **NO_PLANT,
    )  # fmt: skip
    solved = small.solve_book(tables)
    assert solved.cost == approx(50 + 45)
    assert solved.tonnes("unmet", sector="glass") == approx(300)


def test_demand_balance_forbids():
    # an equation leaves no room, and what is missing may go short: only oxide that must be bought beyond demand forbids
    small.check_infeasible(small.book(suppliers=[small.supplier(tonnes=1100, least_take=1)]), "demand_balance")


# --- stock_balance ------------------------------------------------------------------------------------


def test_stock_balance_binds():
    # 0.6 kt in stock serve 0.6 of the kt; without the balance all of it would come from stock
    solved = small.check_binds(small.book(stockpiles=[small.stockpile(600)], **NO_PLANT), "stock_balance", cost=40, free=0)
    assert solved.tonnes("stocks", "drawn") == approx(600)
    assert solved.tonnes("stocks", "stock") == approx(0)


def test_stock_balance_draws_in_each_year_represented():
    # 2030 stands for three years: 0.6 kt give 0.2 kt in each, dear in 2030 (200), cheap in 2033 (100): 3 x 0.8 x 200 + 100
    tables = small.book(
        {"last_year": 2033, "modelled_years": "2030,2033"},
        stockpiles=[small.stockpile(600)], prices=[{**small.prices()[0], 2030: 200}, small.prices()[1]],
        sectors=[small.sector(shortage_cost=1000)], **NO_PLANT,
    )  # fmt: skip
    solved = small.check_binds(tables, "stock_balance", cost=480 + 100, free=0)
    assert solved.tonnes("stocks", "drawn", year=2030) == approx(200)


def test_stock_balance_carries_stock_to_later_years():
    # in 2031 oxide costs 150, a kt held at the end of 2030 costs 5: the 0.6 kt are kept and 0.4 kt bought ahead, 140 + 1 x 5
    tables = small.book(
        TWO_YEARS,
        stockpiles=[small.stockpile(600, holding_cost=5)], prices=[{**small.prices()[0], 2031: 150}, small.prices()[1]], **NO_PLANT,
    )  # fmt: skip
    solved = small.check_binds(tables, "stock_balance", cost=145, free=0)
    assert solved.tonnes("stocks", "stock", year=2030) == approx(1000)
    assert solved.tonnes("stocks", "drawn", year=2030) == approx(-400)


def test_stock_balance_forbids():
    # an equation leaves no room; a stock to be held that nothing fills is impossible
    small.check_infeasible(small.book(suppliers=[], stockpiles=[small.stockpile(days=73)], **NO_PLANT), "stock_balance")


# --- stock_minimum ------------------------------------------------------------------------------------


def test_stock_minimum_binds():
    # 73 days of 1 kt a year are 0.2 kt, bought beside the kt used
    solved = small.check_binds(small.book(stockpiles=[small.stockpile(days=73)], **NO_PLANT), "stock_minimum", cost=120, free=100)
    assert solved.tonnes("stocks", "stock") == approx(200)


def test_stock_minimum_binds_from_its_year():
    # nothing held in 2030; the 0.2 kt are bought in 2031
    tables = small.book(TWO_YEARS, stockpiles=[small.stockpile(days=73, from_year=2031, holding_cost=10)], **NO_PLANT)
    solved = small.check_binds(tables, "stock_minimum", cost=100 + 120 + 2, free=200)
    assert solved.tonnes("stocks", "stock", year=2030) == approx(0)


def test_stock_minimum_leaves_room():
    # 1.5 kt in stock: 1 kt used, 0.5 kt left, 0.2 kt asked
    small.check_slack(small.book(stockpiles=[small.stockpile(1500, days=73)], **NO_PLANT), "stock_minimum", cost=0)


def test_stock_minimum_forbids():
    # 0.9 kt offered and demand fully short: no 1 kt of stock
    tables = small.book(suppliers=[small.supplier(tonnes=900)], stockpiles=[small.stockpile(days=365)], **NO_PLANT)
    small.check_infeasible(tables, "stock_minimum")
