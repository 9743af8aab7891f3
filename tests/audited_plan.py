"""A plan for the audited book made by hand, and its result tables derived row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import pandas as pd

from model.result_schema import RESULT_BY_NAME
from tests.audited_book import HEAVY, PRODUCTS, YEARS
from tests.audited_reference import Reference

AAA_LINE, BBB_LINE, JPN_LINE = "light_heavy:japanese_support", "light_heavy:host_practice", "light:japanese_support"

BUILDS = [
    ("AAA_PORT", "INT_5000", "japanese_support", 2030),
    ("AAA_PORT", "SEP_3000", "japanese_support", 2031),
    ("BBB_PORT", "SEP_BBB", "host_practice", 2030),
    ("JPN_SITE", "SEPL_3000", "japanese_support", 2031),
]

FEED = {
    ("ALPHA_MINE", "AAA_PORT", AAA_LINE, 2030): 2400.0,
    ("ALPHA_MINE", "AAA_PORT", AAA_LINE, 2031): 3800.0,
    ("ALPHA_MINE", "AAA_PORT", AAA_LINE, 2034): 4500.0,
    ("CHINA_CLAY", "AAA_PORT", AAA_LINE, 2031): 1000.0,
    ("CHINA_CLAY", "AAA_PORT", AAA_LINE, 2034): 950.0,
    ("CHINA_CLAY", "BBB_PORT", BBB_LINE, 2030): 1400.0,
    ("CHINA_CLAY", "BBB_PORT", BBB_LINE, 2031): 2300.0,
    ("CHINA_CLAY", "BBB_PORT", BBB_LINE, 2034): 2000.0,
    ("US_SCRAP", "JPN_SITE", JPN_LINE, 2031): 1200.0,
    ("US_SCRAP", "JPN_SITE", JPN_LINE, 2034): 1500.0,
}

SPLIT = {
    "AAA_PORT": {"JPN": 0.4, "USA": 0.3},
    "BBB_PORT": {"JPN": 0.5, "USA": 0.4},
    "JPN_SITE": {"JPN": 0.6, "USA": 0.3},
}

Decisions = dict[str, list[dict]]


def decide(ref: Reference, builds: Iterable[tuple] = BUILDS, feed: dict[tuple, float] = FEED) -> Decisions:
    """Return the decisions of the hand-made plan: products go out in fixed parts, Chinese oxide fills what is left."""
    plan: Decisions = {name: [] for name in ("builds", "feed", "deliveries", "surplus", "purchases", "stocks", "unmet")}
    plan["builds"] = [dict(zip(("host", "design", "way", "on_line"), row, strict=True)) for row in builds]
    made: dict[tuple, float] = defaultdict(float)
    china: dict[tuple, float] = defaultdict(float)
    for (source, host, line, year), tonnes in feed.items():
        linked = ref.source[source]["china_linked"]
        plan["feed"].append(
            {"source_id": source, "host": host, "line": line, "year": year, "tonnes": tonnes, "china_tonnes": tonnes * linked}
        )
        for product in PRODUCTS:
            out = tonnes * ref.share(source, product) * ref.recovery(source, host, line, product)
            made[host, product, year] += out
            china[host, product, year] += out * linked
    joint: dict[tuple, float] = defaultdict(float)
    for (host, product, year), tonnes in made.items():
        parts = dict(SPLIT[host])
        if (host, product) == ("AAA_PORT", "NdPr"):
            parts["ALM"] = 0.2
        linked = china[host, product, year]
        for market, part in parts.items():
            joint[market, product, year] += part * tonnes
            flow = {"tonnes": part * tonnes, "china_tonnes": part * linked}
            plan["deliveries"].append({"host": host, "product": product, "market": market, "year": year, **flow})
        rest = 1 - sum(parts.values())
        plan["surplus"].append({"host": host, "product": product, "year": year, "tonnes": rest * tonnes, "china_tonnes": rest * linked})
    drawn = {2030: 6.0, 2031: -16.0, 2034: 0.8}
    for year, stock in ((2030, 4.0), (2031, 52.0), (2034, 49.6)):
        plan["stocks"].append({"market": "JPN", "product": "Dy", "year": year, "stock": stock, "drawn": drawn[year]})
    for row in ref.records["demand"]:
        for year in YEARS:
            market, product = row["market"], row["product"]
            left = row[year] - joint[market, product, year]
            if (market, product) == ("JPN", "Dy"):
                left -= drawn[year]
            if product == "Ce" and market == "JPN":
                plan["unmet"].append({"market": market, "sector": row["sector"], "product": product, "year": year, "tonnes": 10.0})
                left -= 10
            if (market, product) == ("JPN", "NdPr"):
                plan["purchases"].append(_purchase(ref, ("LYNAS", "NdPr", "JPN"), market, year, 150.0))
                left -= 150
            if (market, product) == ("USA", "Dy"):
                plan["purchases"].append(_purchase(ref, ("CHINA", "Dy", "USA"), market, year, 40.0))
                left -= 40
            plan["purchases"].append(_purchase(ref, ("CHINA", product, "*"), market, year, left))
    return plan


def _purchase(ref: Reference, offer: tuple[str, str, str], market: str, year: int, tonnes: float) -> dict:
    supplier, product, offered_to = offer
    content = tonnes * ref.offer[offer]["china_linked"]
    key = {"supplier": supplier, "product": product, "offered_to": offered_to, "market": market, "year": year}
    return {**key, "tonnes": tonnes, "china_tonnes": content}


def complete(ref: Reference, plan: Decisions) -> tuple[dict[str, pd.DataFrame], float]:
    """Return every result table of the decisions, and the objective."""
    rows: Decisions = {**plan, "plants": _plants(ref, plan), "china_shares": _china_shares(ref, plan)}
    rows["plant_years"], rows["products"], rows["supply_balance"] = _plant_years(ref, plan), _products(ref, plan), _supply(ref, plan)
    rows["costs"] = _costs(ref, plan)
    frames = {name: pd.DataFrame(records, columns=RESULT_BY_NAME[name].names) for name, records in rows.items()}
    return frames, float(frames["costs"]["present_value"].sum())


def _plants(ref: Reference, plan: Decisions) -> list[dict]:
    plants = []
    for row in plan["builds"]:
        key = row["host"], row["design"], row["way"]
        capex = ref.capex(*key)
        figures = {"capacity": ref.design[row["design"]]["capacity"], "capex": capex, "capital_charge": capex * ref.annuity(row["host"])}
        plants.append({**row, "country": ref.host[row["host"]]["country"], "line": ref.line(row["design"], row["way"]), **figures})
    return plants


def _sum(rows: list[dict], column: str, *keys: str) -> dict[tuple, float]:
    total: dict[tuple, float] = defaultdict(float)
    for row in rows:
        total[tuple(row[key] for key in keys)] += row[column]
    return total


def _plant_years(ref: Reference, plan: Decisions) -> list[dict]:
    fed = _sum(plan["feed"], "tonnes", "host", "line", "year")
    found: dict[tuple, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in plan["builds"]:
        for year in YEARS:
            if row["on_line"] <= year:
                at = found[row["host"], ref.line(row["design"], row["way"]), year]
                at[0] += ref.design[row["design"]]["capacity"]
                at[1] += ref.usable(row["host"], row["design"], row["way"], year - row["on_line"])
    rows = []
    for (host, line, year), (nameplate, usable) in found.items():
        feed = fed[host, line, year]
        use = feed / usable if usable else None
        rows.append({"host": host, "line": line, "year": year, "nameplate": nameplate, "usable": usable, "feed": feed, "use": use})
    return rows


def _made(ref: Reference, plan: Decisions) -> tuple[dict[tuple, float], dict[tuple, float]]:
    made: dict[tuple, float] = defaultdict(float)
    china: dict[tuple, float] = defaultdict(float)
    for row in plan["feed"]:
        for product in PRODUCTS:
            source, host = row["source_id"], row["host"]
            out = row["tonnes"] * ref.share(source, product) * ref.recovery(source, host, row["line"], product)
            made[host, product, row["year"]] += out
            china[host, product, row["year"]] += out * ref.source[source]["china_linked"]
    return made, china


def _products(ref: Reference, plan: Decisions) -> list[dict]:
    made, china = _made(ref, plan)
    key = ("host", "product", "year")
    delivered, surplus = _sum(plan["deliveries"], "tonnes", *key), _sum(plan["surplus"], "tonnes", *key)
    return [
        {**dict(zip(key, at, strict=True)), "made": tonnes, "delivered": delivered[at], "surplus": surplus[at], "china_made": china[at]}
        for at, tonnes in made.items()
    ]


def _linked(ref: Reference, row: dict) -> float:
    return row["tonnes"] * ref.offer[row["supplier"], row["product"], row["offered_to"]]["china_linked"]


def _supply(ref: Reference, plan: Decisions) -> list[dict]:
    key = ("market", "product", "year")
    joint, bought = _sum(plan["deliveries"], "tonnes", *key), _sum(plan["purchases"], "tonnes", *key)
    drawn, unmet = _sum(plan["stocks"], "drawn", *key), _sum(plan["unmet"], "tonnes", *key)
    china = _sum(plan["deliveries"], "china_tonnes", *key)
    for row in plan["purchases"]:
        china[row["market"], row["product"], row["year"]] += _linked(ref, row)
    demand = {(row["market"], row["product"], year): row[year] for row in ref.records["demand"] for year in YEARS}
    return [
        {
            **dict(zip(key, at, strict=True)),
            "demand": tonnes,
            "joint": joint[at],
            "bought": bought[at],
            "drawn": drawn[at],
            "unmet": unmet[at],
            "china": china[at],
        }
        for at, tonnes in demand.items()
    ]


def _costs(ref: Reference, plan: Decisions) -> list[dict]:
    cost: dict[tuple, float] = defaultdict(float)
    for row in plan["builds"]:
        host, design, way = row["host"], row["design"], row["way"]
        for year in YEARS:
            if row["on_line"] <= year:
                cost["capital", host, "", year] += ref.capex(host, design, way) * ref.annuity(host)
                cost["fixed_operating", host, "", year] += ref.design[design]["fixed_cost"] * ref.host[host]["capex_factor"]
                cost["know_how_fee", host, "", year] += ref.way[way]["fixed_fee"]
    for row in plan["feed"]:
        source, host, line, year, kt = row["source_id"], row["host"], row["line"], row["year"], row["tonnes"] / 1000
        circuit, way = line.split(":")
        cost["feed_purchase", host, "", year] += ref.feed_price(source, year) * kt
        cost["freight_in", host, "", year] += ref.freight_in(source, host) * kt
        cost["duty_in", host, "", year] += ref.duty_in(source, host, year) * kt
        cost["processing", host, "", year] += ref.processing(source, host, way) * kt
        cost["feed_equipment", host, "", year] += ref.equipment(source, host, way) * kt
        cost["know_how_fee", host, "", year] += ref.way[way]["fee"] * kt
        if circuit == "light":
            worth = (
                sum(ref.share(source, p) * ref.price(p, year) for p in HEAVY) * ref.type[ref.source[source]["feed_type"]]["leach_recovery"]
            )
            cost["concentrate_revenue", host, "", year] -= 0.65 * worth * (1 - 0.1 * ref.gap(host, way)) * kt
    for row in plan["deliveries"]:
        host, product, market, year, kt = row["host"], row["product"], row["market"], row["year"], row["tonnes"] / 1000
        countries = ref.host[host]["country"], ref.market[market]["country"]
        cost["freight_out", host, market, year] += ref.freight_out(host, market, product, year) * kt
        cost["duty_out", host, market, year] += ref.duty("oxide", product, *countries, year, ref.price(product, year)) * kt
    for row in plan["surplus"]:
        cost["surplus_revenue", row["host"], "", row["year"]] -= ref.price(row["product"], row["year"], "surplus") * row["tonnes"] / 1000
    for row in plan["purchases"]:
        offer, market, year, kt = (row["supplier"], row["product"], row["offered_to"]), row["market"], row["year"], row["tonnes"] / 1000
        price, countries = ref.offer_price(offer, year), (ref.offer[offer]["country"], ref.market[market]["country"])
        cost["oxide_purchase", "", market, year] += price * kt
        cost["oxide_duty", "", market, year] += ref.duty("oxide", row["product"], *countries, year, price) * kt
    for row in plan["stocks"]:
        cost["stock_holding", "", row["market"], row["year"]] += 5 * row["stock"] / 1000
    for row in plan["unmet"]:
        cost["shortage", "", row["market"], row["year"]] += (
            ref.shortage_cost(row["sector"], row["product"], row["year"]) * row["tonnes"] / 1000
        )
    return [
        {
            "component": component,
            "host": host,
            "market": market,
            "year": year,
            "cost": value,
            "weight": ref.weight(year),
            "present_value": value * ref.weight(year),
        }
        for (component, host, market, year), value in cost.items()
    ]


def _china_shares(ref: Reference, plan: Decisions) -> list[dict]:
    rows = []
    for cap in ref.records["caps"]:
        members = PRODUCTS if cap["scope"] == "every_product" else (cap["member"],)
        for member in members:
            for year in YEARS:
                if cap.get(year) is None:
                    continue
                scope = "product" if cap["scope"] == "every_product" else cap["scope"]
                flows = [flow for flow in _flows(ref, plan, cap["basis"], scope, cap["measure"] == "value", member) if flow[0] == year]
                china, total = sum(flow[1] for flow in flows), sum(flow[2] for flow in flows)
                share = china / total if total else None
                slack = cap[year] - share if share is not None else None
                names = {name: cap[name] for name in ("cap", "basis", "measure", "scope")}
                figures = {"limit": cap[year], "china": china, "total": total, "share": share, "slack": slack, "marginal_cost": None}
                rows.append({**names, "member": member, "year": year, **figures})
    return rows


def _flows(ref: Reference, plan: Decisions, basis: str, scope: str, value: bool, member: str) -> list[tuple[int, float, float]]:
    """Return (year, China-linked part, total) of every flow in scope, in t or MUSD."""
    flows = []
    if basis == "feedstock" and scope != "partner":
        for row in plan["feed"]:
            source, year, tonnes = row["source_id"], row["year"], row["tonnes"]
            if scope == "host" and row["host"] != member:
                continue
            if scope == "product":
                amount = tonnes * ref.share(source, member) * (ref.price(member, year) / 1000 if value else 1)
            else:
                amount = tonnes * (ref.basket(source, year) / 1000 if value else 1)
            flows.append((year, amount * ref.source[source]["china_linked"], amount))
        return flows
    moved = [(row, row["china_tonnes"]) for row in plan["deliveries"]]
    if basis == "supply" and scope != "host":
        moved += [(row, _linked(ref, row)) for row in plan["purchases"]]
    for row, china in moved:
        kind = "market" if scope == "partner" else scope
        if scope == "all" or row[kind] == member:
            unit = ref.price(row["product"], row["year"]) / 1000 if value else 1
            flows.append((row["year"], china * unit, row["tonnes"] * unit))
    return flows
