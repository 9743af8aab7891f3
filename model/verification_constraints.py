"""The constraints of ``formulation.md``, each recomputed from the workbook and the decisions."""

from __future__ import annotations

import numpy as np

from model.verification_book import Floats, HostRule, Mask, numbers, texts
from model.verification_caps import CapFigures
from model.verification_economics import Economics, spend_shares
from model.verification_ledger import Ledger, Where
from model.verification_plan import Plan, summed


def _of_rule(rule: HostRule, where: Where) -> Where:
    """Return a place in words that names a host rule first."""
    return lambda *positions: f"rule {rule.rule_id}, {where(*positions)}"


def check_sites(plan: Plan, ledger: Ledger) -> None:
    """Test the limits on numbers of plants and hosts, forced plants and shares of countries."""
    book, builds = plan.book, plan.rows["builds"]
    host, on_line, capacity = builds["host"], builds["on_line"], book.capacity[builds["design"]]
    by_host = np.bincount(host, minlength=book.count("host"))
    ledger.compare("plants_per_host_limit", by_host, "<=", book.setting("plants_per_host"), book.place("host"))
    ledger.compare("plant_count_limit", [len(host)], "<=", book.setting("max_plants"), lambda _: "all hosts")
    hosts = len(np.unique(host[on_line <= book.setting("last_year")]))
    ledger.compare("host_count_minimum", [hosts], ">=", book.setting("minimum_hosts"), lambda _: "all hosts")
    for rule in book.rules_of("force_plant"):
        counted = (host == rule.host) & rule.holds(on_line)
        where = _of_rule(rule, book.place("host"))
        ledger.compare("forced_plant_minimum", [capacity[counted].sum()], ">=", rule.value, _fixed(where, rule.host))
    limit = book.setting("country_share_limit")
    if limit < 1:
        countries, of_host = np.unique(book.country("hosts").astype(str), return_inverse=True)
        on = plan.by_line(plan.nameplate).sum(axis=1)
        held = np.zeros((len(countries), book.count("year")))
        np.add.at(held, of_host, on)
        ledger.compare(
            "country_share_limit",
            held,
            "<=",
            limit * on.sum(axis=0),
            lambda n, y: f"country {countries[n]}, year {book.years[y]}",
            among=book.years >= book.setting("country_share_from"),
        )


def _fixed(where: Where, position: int) -> Where:
    """Return a place in words that does not depend on the element."""
    return lambda *_: where(position)


def check_lines(plan: Plan, ledger: Ledger) -> None:
    """Test feed against capacity, least use, sources and feed ceilings."""
    book = plan.book
    place = book.place("host", "line", "year")
    integrated = book.integrated[plan.rows["builds"]["design"]]
    feed, usable = plan.line_feed, plan.line_usable
    ledger.compare("capacity_limit", feed, "<=", usable, place, among=(feed > 0) | (usable > 0))
    cracking = plan.by_line(plan.usable, integrated)
    ledger.compare("cracking_limit", plan.cracked_feed, "<=", cracking, place, among=(plan.cracked_feed > 0) | (cracking > 0))
    least, least_separation = plan.by_line(plan.least_use), plan.by_line(plan.least_use, ~integrated)
    ledger.compare("use_minimum", feed, ">=", least, place, among=least > 0)
    ledger.compare("separation_use_minimum", feed - plan.cracked_feed, ">=", least_separation, place, among=least_separation > 0)
    taken = plan.source_feed
    ledger.compare("source_limit", taken, "<=", book.available, book.place("source", "year"), among=taken > 0)
    at_host = feed.sum(axis=1)
    for rule in book.rules_of("feed_ceiling"):
        where = _year_of(plan, _of_rule(rule, book.place("host", "year")), rule.host)
        ledger.compare("feed_ceiling_limit", at_host[rule.host], "<=", rule.value, where, among=rule.holds(book.years))


def _year_of(plan: Plan, where: Where, host: int) -> Where:
    """Return a place in words for one host and a varying year."""
    return lambda year: where(host, year)


def check_products(plan: Plan, ledger: Ledger) -> None:
    """Test what hosts make against what leaves them, and the export rules."""
    book = plan.book
    place = book.place("host", "product", "year")
    out = plan.delivered + plan.surplus
    live = (plan.made > 0) | (out > 0)
    ledger.compare("product_balance", out, "==", plan.made, place, among=live)
    china_delivered = plan.total("deliveries", "china_tonnes", "host", "product", "year")
    china_out = china_delivered + plan.total("surplus", "china_tonnes", "host", "product", "year")
    ledger.compare("china_balance", china_out, "==", plan.china_made, place, among=live | (china_out > 0), scale=plan.made)
    for table, rule in (("deliveries", "china_delivered_link"), ("surplus", "china_surplus_link")):
        rows = plan.rows[table]
        ledger.compare(rule, rows["china_tonnes"], "<=", rows["tonnes"], rows.place)
    for limit in book.rules_of("export_share"):
        concerned = _concerned(plan, limit)
        abroad, made = plan.delivered_abroad[limit.host], plan.made[limit.host]
        where = _host_of(_of_rule(limit, place), limit.host)
        ledger.compare("export_share_limit", abroad, "<=", limit.value * made, where, among=concerned, scale=made)
    for limit in book.rules_of("export_ceiling"):
        abroad = np.where(_concerned(plan, limit), plan.delivered_abroad[limit.host], 0.0).sum(axis=0)
        where = _year_of(plan, _of_rule(limit, book.place("host", "year")), limit.host)
        ledger.compare("export_ceiling_limit", abroad, "<=", limit.value, where, among=limit.holds(book.years))


def _concerned(plan: Plan, rule: HostRule) -> Mask:
    """Return product x year: the rule holds for the product in the year."""
    products = np.arange(plan.book.count("product"))
    named = np.ones(len(products), dtype=bool) if rule.product < 0 else products == rule.product
    return named[:, None] & rule.holds(plan.book.years)[None, :]


def _host_of(where: Where, host: int) -> Where:
    """Return a place in words for one host and a varying product and year."""
    return lambda product, year: where(host, product, year)


def check_supply(plan: Plan, ledger: Ledger) -> None:
    """Test existing supply, demand and stocks."""
    book = plan.book
    bought, supply = plan.offer_bought, book.offer_supply

    def offer(row: int, year: int) -> str:
        return f"{book.offer_words(row)}, year {book.years[year]}"

    ledger.compare("supplier_limit", bought, "<=", supply, offer)
    least = numbers(book.tables["suppliers"], "least_take", 0.0)[:, None] * supply
    ledger.compare("take_minimum", bought, ">=", least, offer, among=least > 0)
    met = plan.joint + plan.bought + plan.drawn + plan.unmet
    gross = plan.joint + plan.bought + np.abs(plan.drawn) + plan.unmet
    ledger.compare("demand_balance", met, "==", book.market_demand, book.place("market", "product", "year"), scale=gross)
    check_stocks(plan, ledger)


def check_stocks(plan: Plan, ledger: Ledger) -> None:
    """Test stocks against what was drawn and what is to be held."""
    book = plan.book
    market, product = book.stockpiles.get_level_values(0), book.stockpiles.get_level_values(1)
    stock, drawn = plan.stock[market, product], plan.drawn[market, product]
    opening = numbers(book.tables["stockpiles"], "opening", 0.0)[:, None]
    before = np.concatenate([opening, stock[:, :-1]], axis=1) if book.count("year") else stock
    taken = book.represented[None, :] * drawn

    def pile(row: int, year: int) -> str:
        return book.place("market", "product", "year")(int(market[row]), int(product[row]), year)

    ledger.compare("stock_balance", stock, "==", before - taken, pile, scale=stock + before + np.abs(taken))
    ledger.compare("stock_minimum", stock, ">=", book.stock_needed, pile, among=book.stock_needed > 0)


def check_policy(plan: Plan, economics: Economics, caps: CapFigures, ledger: Ledger) -> None:
    """Test China caps, offtake of the partners and their budgets."""
    book = plan.book
    capped = ~np.isnan(caps.limit)
    allowed = np.where(capped, caps.limit, 1.0) * caps.total
    ledger.compare("china_cap", caps.china, "<=", allowed, lambda k, y: caps.words(plan, k, y), among=capped, scale=caps.total)
    markets = book.tables["markets"]
    partner = texts(markets["partner"]) == "yes"
    worth = book.market_price / 1000
    rows = plan.rows["deliveries"]
    shape = (book.count("market"), book.count("host"), book.count("year"))
    got = summed(shape, (rows["market"], rows["host"], rows["year"]), rows["tonnes"] * worth[rows["product"], rows["year"]])
    output = ((plan.delivered + plan.surplus) * worth).sum(axis=1)
    least = np.where(partner, numbers(markets, "offtake_minimum", 0.0), 0.0)[:, None, None] * output
    ledger.compare("offtake_minimum", got, ">=", least, book.place("market", "host", "year"), among=least > 0, scale=output)
    spent, budget, calendar = _spending(plan, economics, partner)
    among = ~np.isnan(budget)

    def purse(market: int, year: int) -> str:
        return f"market {book.codes['market'][market]}, calendar year {calendar[year]}"

    ledger.compare("capex_budget", spent, "<=", np.where(among, budget, 0.0), purse, among=among)


def _spending(plan: Plan, economics: Economics, partner: Mask) -> tuple[Floats, Floats, list[int]]:
    """Return what each market spends, its budget (NaN: none) and the calendar years of both, MUSD."""
    book, builds = plan.book, plan.rows["builds"]
    frame = book.tables["markets"]
    calendar = sorted(int(column) for column in frame.columns if isinstance(column, (int, np.integer)))
    years = np.array(calendar, dtype=np.int64)
    budget = np.column_stack([numbers(frame, year) for year in calendar]) if calendar else np.zeros((len(frame), 0))
    build_years = numbers(book.tables["designs"], "build_years")
    capex = economics.capex(builds["host"], builds["design"], builds["way"])
    spent = np.zeros((len(frame), len(calendar)))
    for row, (host, design) in enumerate(zip(builds["host"], builds["design"], strict=True)):
        shares = spend_shares(float(build_years[design]), float(builds["on_line"][row]), years)
        spent += economics.partner_share[:, host, None] * capex[row] * shares
    return spent, np.where(partner[:, None], budget, np.nan), calendar
