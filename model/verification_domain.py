"""What a decision may be at all: where plants may stand, what may be fed, shipped, bought and stocked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from model.schema import ANY, THORIUM_LEVELS
from model.verification_book import Mask, numbers, texts
from model.verification_economics import Economics
from model.verification_ledger import Ledger
from model.verification_plan import Plan


def check_inputs(plan: Plan, ledger: Ledger) -> None:
    """Record prices and compositions that are used but not in the workbook."""
    book = plan.book
    ledger.forbid("input_figures_present", np.isnan(book.price("market")), book.place("product", "year"))
    sold = plan.surplus.sum(axis=0) > 0
    ledger.forbid("input_figures_present", np.isnan(book.price("surplus")) & sold, book.place("product", "year"))
    fed = plan.source_feed.sum(axis=1) > 0
    described = np.isin(book.codes["source"].to_numpy(dtype=object), texts(book.tables["composition"]["source_id"]))
    ledger.forbid("input_figures_present", fed & ~described, book.place("source"))


def check_signs(plan: Plan, ledger: Ledger) -> None:
    """Record flows below zero."""
    for table in ("feed", "deliveries", "surplus", "purchases", "unmet", "stocks"):
        rows = plan.rows[table]
        for column in ("tonnes", "china_tonnes", "stock"):
            if column in rows.columns:
                ledger.compare("flows_non_negative", rows[column], ">=", 0.0, rows.place)


def check_builds(plan: Plan, ledger: Ledger) -> None:
    """Record plants that may not be built."""
    book, builds = plan.book, plan.rows["builds"]
    host, design, on_line = builds["host"], builds["design"], builds["on_line"]
    hosts, designs = book.tables["hosts"], book.tables["designs"]
    ledger.forbid("build_candidate_host", (texts(hosts["candidate"]) != "yes")[host], builds.place)
    only = book.positions("host", texts(designs["host"]))[design]
    kept = (texts(designs["host"]) != "")[design]
    ledger.forbid("build_design_host", kept & (only != host), builds.place)
    ledger.compare("build_earliest_start", on_line, ">=", numbers(hosts, "earliest_start")[host], builds.place)
    ready = book.setting("decision_year") + np.ceil(numbers(designs, "build_years")[design])
    ledger.compare("build_lead_time", on_line, ">=", ready, builds.place)
    for rule in book.rules_of("forbid_plant"):
        ledger.forbid("build_forbidden", (host == rule.host) & rule.holds(on_line), builds.place)


def check_feed(plan: Plan, economics: Economics, ledger: Ledger) -> None:
    """Record feed of sources, hosts and years that do not go together."""
    book, feed = plan.book, plan.rows["feed"]
    source, host, line, year, tonnes = (feed[column] for column in ("source_id", "host", "line", "year", "tonnes"))
    sources = book.tables["sources"]

    def bar(rule: str, barred: Mask) -> None:
        ledger.compare(rule, np.where(barred, tonnes, 0.0), "<=", 0.0, feed.place)

    bar("feed_source_in_use", (texts(sources["use"]) != "yes")[source])
    bar("feed_process_only_in", ~_admitted(texts(sources["process_only_in"]), book.country("hosts"))[source, host])
    accepted = np.array([THORIUM_LEVELS.index(level) for level in texts(book.tables["hosts"]["thorium_accepted"])])
    bar("feed_thorium_accepted", book.thorium[source] > accepted[host])
    low = THORIUM_LEVELS.index("low")
    for kind, concerned in (("no_thorium", book.thorium > low), ("no_cracking", book.cracking)):
        for rule in book.rules_of(kind):
            bar(f"feed_{kind}", concerned[source] & (host == rule.host) & rule.holds(book.years)[year])
    bar("feed_route_exists", np.isnan(economics.freight_in[source, host]))
    idle = plan.by_line(plan.nameplate)[host, line, year] == 0
    ledger.compare("feed_line_on_line", np.where(idle, tonnes, 0.0), "<=", 0.0, feed.place)


def _admitted(lists: np.ndarray, countries: np.ndarray) -> Mask:
    """Return source x host: the host's country is in the source's list, or the list is blank."""
    named = [{country.strip() for country in text.split(",") if country.strip()} for text in lists]
    admitted = [[not names or country in names for country in countries] for names in named]
    return np.array(admitted, dtype=bool).reshape(len(lists), len(countries))


def check_trade(plan: Plan, economics: Economics, ledger: Ledger) -> None:
    """Record deliveries, purchases, stocks and shortages that have no row in the workbook to allow them."""
    book = plan.book
    rows = plan.rows["deliveries"]
    freight = economics.freight_out(rows["host"], rows["market"], rows["product"], rows["year"])
    ledger.compare("delivery_route_exists", np.where(np.isnan(freight), rows["tonnes"], 0.0), "<=", 0.0, rows.place)

    rows = plan.rows["purchases"]
    named = book.codes["market"][rows["market"]].to_numpy(dtype=object)
    offered = (plan.offer >= 0) & ((rows["offered_to"] == ANY) | (rows["offered_to"] == named))
    ledger.compare("purchase_offered", np.where(offered, 0.0, rows["tonnes"]), "<=", 0.0, rows.place)

    rows = plan.rows["stocks"]
    kept = book.stockpiles.get_indexer(pd.MultiIndex.from_arrays([rows["market"], rows["product"]])) >= 0
    ledger.compare("stock_kept", np.where(kept, 0.0, rows["stock"] + np.abs(rows["drawn"])), "<=", 0.0, rows.place)

    rows = plan.rows["unmet"]
    at = book.demand_rows.get_indexer(pd.MultiIndex.from_arrays([rows["market"], rows["sector"], rows["product"]]))
    demand = np.zeros(len(rows))
    demand[at >= 0] = book.demand[at[at >= 0], rows["year"][at >= 0]]
    ledger.compare("unmet_within_demand", rows["tonnes"], "<=", demand, rows.place)
