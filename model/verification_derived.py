"""The derived result tables, each figure recomputed from the workbook and the decisions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from model.verification_book import Floats, Ints, Mask, texts
from model.verification_caps import CapFigures
from model.verification_costs import Costs
from model.verification_economics import Economics
from model.verification_ledger import Ledger, Where
from model.verification_plan import Plan, summed
from model.verification_rows import COMPONENTS


def check_contents(plan: Plan, ledger: Ledger) -> None:
    """Test the China-linked part of feed and purchases."""
    feed, bought = plan.rows["feed"], plan.rows["purchases"]
    linked = plan.book.linked[feed["source_id"]] * feed["tonnes"]
    ledger.compare("feed_china_content", feed["china_tonnes"], "==", linked, feed.place)
    ledger.compare("purchase_china_content", bought["china_tonnes"], "==", plan.purchase_china, bought.place)


def check_plants(plan: Plan, economics: Economics, ledger: Ledger) -> None:
    """Test the plants table against the builds and their figures."""
    book, builds, plants = plan.book, plan.rows["builds"], plan.rows["plants"]
    key = ("host", "design", "way", "on_line")
    wanted, listed = (pd.MultiIndex.from_arrays([rows[name] for name in key]) for rows in (builds, plants))
    ledger.forbid("plants_listed", ~wanted.isin(listed), lambda row: f"{builds.place(row)}: not in plants")
    ledger.forbid(
        "plants_listed", ~listed.isin(wanted) | listed.duplicated(), lambda row: f"{plants.place(row)}: not built, or listed twice"
    )
    host, design, way = plants["host"], plants["design"], plants["way"]
    country = book.country("hosts")[host] == plants["country"]
    ledger.forbid("plant_labels", ~country | (plan.line(design, way) != plants["line"]), plants.place)
    capex = economics.capex(host, design, way)
    ledger.compare("plant_capacity", plants["capacity"], "==", book.capacity[design], plants.place)
    ledger.compare("plant_capex", plants["capex"], "==", capex, plants.place)
    ledger.compare("plant_capital_charge", plants["capital_charge"], "==", capex * economics.annuity[host], plants.place)


def check_lines(plan: Plan, ledger: Ledger) -> None:
    """Test the table of lines by year."""
    book, rows = plan.book, plan.rows["plant_years"]
    figures = {"nameplate": plan.by_line(plan.nameplate), "usable": plan.line_usable, "feed": plan.line_feed}
    for column, expected in figures.items():
        found = plan.total("plant_years", column, "host", "line", "year")
        among = (found != 0) | (expected != 0)
        ledger.compare(f"line_{column}", found, "==", expected, book.place("host", "line", "year"), among=among)
    at = rows["host"], rows["line"], rows["year"]
    _compare_ratio(ledger, "line_use", rows["use"], plan.line_feed[at], plan.line_usable[at], rows.place)


def _compare_ratio(ledger: Ledger, rule: str, found: Floats, part: Floats, whole: Floats, where: Where, among: Mask | bool = True) -> None:
    """Test a share against part over whole; where there is no whole it is blank or 0."""
    none = whole == 0
    ratio = np.divide(part, whole, out=np.zeros(len(found)), where=~none)
    ledger.compare(rule, np.where(none & np.isnan(found), 0.0, found), "==", ratio, where, slack=_ratio_slack(whole), among=among)


def _ratio_slack(whole: Floats) -> Floats:
    """Return the extra tolerance of a ratio: a part known to 1e-3 (t or MUSD) makes it known to 1e-3 over the whole."""
    return np.divide(1e-3, whole, out=np.zeros(len(whole)), where=whole != 0)


def check_products(plan: Plan, ledger: Ledger) -> None:
    """Test the table of products by host."""
    figures = {"made": plan.made, "delivered": plan.delivered, "surplus": plan.surplus, "china_made": plan.china_made}
    for column, expected in figures.items():
        found = plan.total("products", column, "host", "product", "year")
        among = (found != 0) | (expected != 0)
        ledger.compare(f"product_{column}", found, "==", expected, plan.book.place("host", "product", "year"), among=among)


def check_supply(plan: Plan, ledger: Ledger) -> None:
    """Test the supply balance of the markets."""
    figures = {
        "demand": plan.book.market_demand,
        "joint": plan.joint,
        "bought": plan.bought,
        "drawn": plan.drawn,
        "unmet": plan.unmet,
        "china": plan.supply_china,
    }
    for column, expected in figures.items():
        found = plan.total("supply_balance", column, "market", "product", "year")
        among = (found != 0) | (expected != 0)
        ledger.compare(f"supply_{column}", found, "==", expected, plan.book.place("market", "product", "year"), among=among)


def check_costs(plan: Plan, costs: Costs, objective: float | None, ledger: Ledger) -> None:
    """Test cost lines, weights, present values and the objective."""
    book, rows = plan.book, plan.rows["costs"]
    hosts, markets, years = book.count("host"), book.count("market"), book.count("year")
    at = pd.Index(COMPONENTS).get_indexer(pd.Index(rows["component"], dtype=object))
    known = at >= 0
    component, year, cost = at[known], rows["year"][known], rows["cost"][known]
    found = summed((len(COMPONENTS), years), (component, year), cost)
    among = (found != 0) | (costs.by_year != 0)
    ledger.compare("cost_component", found, "==", costs.by_year, lambda c, y: f"{COMPONENTS[c]}, year {book.years[y]}", among=among)
    for kind, count, expected in (("host", hosts, costs.by_host), ("market", markets, costs.by_market)):
        member = rows[kind][known]
        given = np.isin(np.arange(len(COMPONENTS)), component[member >= 0])
        split = summed((len(COMPONENTS), count + 1, years), (component, np.where(member < 0, count, member), year), cost)
        names = [*book.codes[kind], "blank"]
        among = given[:, None, None] & ((split != 0) | (expected != 0))
        ledger.compare(f"cost_{kind}", split, "==", expected, _cost_place(book.years, kind, names), among=among)
    ledger.compare("cost_weight", rows["weight"], "==", book.weight[rows["year"]], rows.place)
    ledger.compare("cost_present_value", rows["present_value"], "==", rows["cost"] * book.weight[rows["year"]], rows.place)
    if objective is not None:
        listed, values = rows["present_value"], costs.by_year * book.weight
        ledger.compare("objective_total", [objective], "==", listed.sum(), lambda _: "objective", scale=np.abs(listed).sum())
        ledger.compare("objective_recomputed", [objective], "==", values.sum(), lambda _: "objective", scale=np.abs(values).sum())


def _cost_place(years: Ints, kind: str, names: list[str]) -> Where:
    return lambda component, member, year: f"{COMPONENTS[component]}, {kind} {names[member]}, year {years[year]}"


def check_china_shares(plan: Plan, caps: CapFigures, ledger: Ledger) -> None:
    """Test the China shares against the caps: which rows there are, and each figure."""
    book, rows = plan.book, plan.rows["china_shares"]
    years = book.count("year")
    keys = pd.MultiIndex.from_arrays([caps.cap, caps.member])
    at = keys.get_indexer(pd.MultiIndex.from_arrays([rows["cap"], rows["member"]]))
    capped = ~np.isnan(caps.limit)
    listed = np.zeros(capped.shape, dtype=bool)
    listed[at[at >= 0], rows["year"][at >= 0]] = True
    missing = np.argwhere(capped & ~listed)
    ledger.forbid(
        "china_shares_complete",
        (capped & ~listed)[capped],
        lambda _: f"china_shares: no row for {caps.words(plan, *missing[0])}",
    )
    wanted = at >= 0
    wanted[wanted] = capped[at[wanted], rows["year"][wanted]]
    ledger.forbid("china_shares_complete", ~wanted, lambda row: f"{rows.place(row)}: no such cap in that year")
    if not len(keys) or not years:
        return
    cell = at, rows["year"]
    frame = book.tables["caps"]
    scope = texts(frame["scope"])[rows["cap"]]
    # A cap on every product is spread into caps on one product each; either name of its scope is right.
    same_scope = (rows["scope"] == scope) | ((scope == "every_product") & (rows["scope"] == "product"))
    same = same_scope & (rows["basis"] == texts(frame["basis"])[rows["cap"]]) & (rows["measure"] == texts(frame["measure"])[rows["cap"]])
    ledger.forbid("china_share_labels", ~same, rows.place)
    limit, china, total = np.where(capped, caps.limit, 0.0)[cell], caps.china[cell], caps.total[cell]
    ledger.compare("china_share_limit", rows["limit"], "==", limit, rows.place, among=wanted)
    ledger.compare("china_share_content", rows["china"], "==", china, rows.place, among=wanted)
    ledger.compare("china_share_total", rows["total"], "==", total, rows.place, among=wanted)
    _compare_ratio(ledger, "china_share_ratio", rows["share"], china, total, rows.place, wanted)
    none = total == 0
    share = np.divide(china, total, out=np.zeros(len(rows)), where=~none)
    slack = np.where(np.isnan(rows["slack"]) & none, limit, rows["slack"])
    ledger.compare("china_share_slack", slack, "==", limit - share, rows.place, among=wanted, slack=_ratio_slack(total))
