"""Planner's tables derived from inputs and results: who the oxide comes from, who pays, who is served.

Every function returns a tidy frame in the planner's units (t REO, MUSD, USD/kg, shares) and
changes nothing. The workbook shows the same figures as live formulas; these frames are their
cached values and the source of the sentences on the summary.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import pandas as pd

from model.problem import Problem
from model.tables import Tables

Frames = Mapping[str, pd.DataFrame]

CHINA = "CHN"
LOCAL_PARTNER = "local partner"
"""Pays what the partners may not own: the host country's own investor."""

JOINT, BOUGHT = "joint", "bought"
SUPPLY_COLUMNS = ["kind", "market", "product", "year", "tonnes", "china_tonnes", "physical_tonnes", "refined_in", "customs_origin", "home"]


def _country_of(tables: Tables, sheet: str, key: str) -> dict[str, str]:
    return dict(zip(tables[sheet][key], tables[sheet]["country"], strict=True))


def supplier_facts(tables: Tables) -> dict[tuple[str, str, str], dict]:
    """Return (supplier, product, offered to) -> the supplier's row."""
    return {(row["supplier"], row["product"], row["market"]): row for row in tables["suppliers"].to_dict("records")}


def physical_blend(found: Frames) -> dict[tuple[str, str, int], float]:
    """Return (host, product, year) -> China-linked content made over product made; 0 where nothing is made."""
    made = found["products"]
    return {
        (h, p, y): china / total if total > 0 else 0.0
        for h, p, y, total, china in zip(made["host"], made["product"], made["year"], made["made"], made["china_made"], strict=True)
    }


def supply_rows(tables: Tables, found: Frames) -> pd.DataFrame:
    """List every flow of oxide into a market with its origins.

    Parameters
    ----------
    tables
        Inputs that were solved.
    found
        Result tables.

    Returns
    -------
    pandas.DataFrame
        kind (joint or bought), market, product, year, tonnes, china_tonnes (by mass balance),
        physical_tonnes (China-linked content if each delivery held the host's average blend of the
        year), refined_in, customs_origin (country codes), home (made in the market's own country).
    """
    hosts, markets = _country_of(tables, "hosts", "host"), _country_of(tables, "markets", "market")
    facts, blend = supplier_facts(tables), physical_blend(found)
    rows: list[tuple] = []
    for h, p, m, y, tonnes, china in found["deliveries"].itertuples(index=False):
        rows.append((JOINT, m, p, y, tonnes, china, tonnes * blend.get((h, p, y), 0.0), hosts[h], hosts[h], hosts[h] == markets[m]))
    for supplier, p, offered_to, m, y, tonnes, china in found["purchases"].itertuples(index=False):
        row = facts[supplier, p, offered_to]
        origin = row["customs_origin"]
        rows.append((BOUGHT, m, p, y, tonnes, china, china, row["country"], origin, origin == markets[m]))
    frame = pd.DataFrame(rows, columns=SUPPLY_COLUMNS)
    return frame.astype({"tonnes": float, "china_tonnes": float, "physical_tonnes": float, "home": bool})


def customs_view(tables: Tables, found: Frames) -> pd.DataFrame:
    """Show each market's imports as its customs would record them.

    Imports are all oxide whose recorded origin, or whose host's country, is not the market's own.

    Returns
    -------
    pandas.DataFrame
        market, year, origin (country code), tonnes, share (of the market's imports of the year, by tonnes).
    """
    flows = supply_rows(tables, found)
    imports = flows[~flows["home"]].rename(columns={"customs_origin": "origin"})
    view = imports.groupby(["market", "year", "origin"])["tonnes"].sum().reset_index()
    total = view.groupby(["market", "year"])["tonnes"].transform("sum")
    view["share"] = view["tonnes"] / total.where(total > 0)
    return view


def traced_view(tables: Tables, found: Frames) -> pd.DataFrame:
    """Show the China-linked content of what each market receives, traced to the mine.

    Returns
    -------
    pandas.DataFrame
        market, product, year, tonnes, china_tonnes and share (mass balance, book-and-claim),
        physical_tonnes and physical_share (average blend of the host and year).
    """
    flows = supply_rows(tables, found)
    view = flows.groupby(["market", "product", "year"], as_index=False)[["tonnes", "china_tonnes", "physical_tonnes"]].sum()
    total = view["tonnes"].where(view["tonnes"] > 0)
    view["share"] = view["china_tonnes"] / total
    view["physical_share"] = view["physical_tonnes"] / total
    return view.reindex(columns=["market", "product", "year", "tonnes", "china_tonnes", "share", "physical_tonnes", "physical_share"])


def traced_imports(tables: Tables, found: Frames) -> pd.DataFrame:
    """Show the traced China-linked content of each market's imports.

    Returns
    -------
    pandas.DataFrame
        market, year, tonnes, china_tonnes, share.
    """
    flows = supply_rows(tables, found)
    view = flows[~flows["home"]].groupby(["market", "year"], as_index=False)[["tonnes", "china_tonnes"]].sum()
    view["share"] = view["china_tonnes"] / view["tonnes"].where(view["tonnes"] > 0)
    return view


def capital_by_payer(problem: Problem, found: Frames) -> pd.DataFrame:
    """Split each plant's capital between the partners and the host country's own investor.

    Returns
    -------
    pandas.DataFrame
        host, design, way, on_line, payer, share, capex [MUSD of the whole plant].
    """
    rows = []
    for h, d, w, y in found["builds"].itertuples(index=False):
        shares = {m: problem.partner_share[m, h] for m in problem.partners}
        local = 1.0 - sum(shares.values())
        if local > 1e-9:
            shares[LOCAL_PARTNER] = local
        rows += [(h, d, w, y, payer, share, problem.capex[h, d, w, y]) for payer, share in shares.items()]
    return pd.DataFrame(rows, columns=["host", "design", "way", "on_line", "payer", "share", "capex"])


def capital_spend(problem: Problem, found: Frames) -> pd.DataFrame:
    """Spread each payer's capital over the calendar years of construction.

    Returns
    -------
    pandas.DataFrame
        host, design, way, on_line, payer, year, share (of the plant's capital, the payer's),
        spend_share (of the capital spent in the year), capex, spent [MUSD].
    """
    rows = []
    for h, d, w, y, payer, share, capex in capital_by_payer(problem, found).itertuples(index=False):
        rows += [(h, d, w, y, payer, t, share, part, capex, share * part * capex) for t, part in problem.spend[h, d, w, y].items()]
    names = ["host", "design", "way", "on_line", "payer", "year", "share", "spend_share", "capex", "spent"]
    return pd.DataFrame(rows, columns=names)


def sector_coverage(tables: Tables, problem: Problem, found: Frames) -> pd.DataFrame:
    """Set demand and shortage side by side for each sector and year, first-served sectors first.

    Returns
    -------
    pandas.DataFrame
        priority, sector, name, group, year, demand, met, unmet [t REO/y], coverage (share met; NaN without demand).
    """
    demand: dict[tuple[str, int], float] = defaultdict(float)
    for (_, c, _, y), kt in problem.demand.items():
        demand[c, y] += kt * 1000.0
    short = found["unmet"].groupby(["sector", "year"])["tonnes"].sum().to_dict()
    sectors = tables["sectors"].sort_values(["priority", "sector"], kind="stable")
    rows = []
    for row in sectors.to_dict("records"):
        if not any((row["sector"], y) in demand for y in problem.years):
            continue
        for y in problem.years:
            need, unmet = demand.get((row["sector"], y), 0.0), short.get((row["sector"], y), 0.0)
            covered = (need - unmet) / need if need > 0 else float("nan")
            rows.append((int(row["priority"]), row["sector"], row["name"], row["group"], y, need, need - unmet, unmet, covered))
    return pd.DataFrame(rows, columns=["priority", "sector", "name", "group", "year", "demand", "met", "unmet", "coverage"])
