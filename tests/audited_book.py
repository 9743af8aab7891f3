"""A book with a rule, a cap and a duty of every kind, for the tests of the independent check."""

from __future__ import annotations

import copy

from model.tables import Tables, tables_from_records
from tests.tiny import RECORDS, SETTINGS

YEARS = (2030, 2031, 2034)
SPAN = {2030: 1, 2031: 3, 2034: 3}
PRODUCTS = ("Ce", "NdPr", "Dy")
HEAVY = ("Dy",)

AUDIT_SETTINGS = {
    **SETTINGS,
    "last_year": 2036,
    "modelled_years": "2030, 2031, 2034",
    "discount_rate": 0.05,
    "inflation": 0.02,
    "max_plants": 5,
    "plants_per_host": 2,
    "minimum_hosts": 3,
    "country_share_limit": 0.6,
    "country_share_from": 2031,
    "heavy_concentrate_payability": 0.65,
    "route_basis": "no_red_sea",
    "sea_fixed": 70,
    "sea_rate": 3,
    "feeder_addon": 40,
    "radioactive_sea_multiplier": 2,
    "radioactive_handling": 100,
    "product_sea_multiplier": 1.3,
    "product_insurance": 0.003,
    "truck_rate": 0.1,
    "truck_africa_rate": 0.12,
    "rail_rate": 0.05,
    "barge_rate": 0.05,
}

CAPS = [
    (basis, measure, scope, member)
    for basis in ("feedstock", "supply")
    for measure in ("tonnes", "value")
    for scope, member in (("all", ""), ("host", "AAA_PORT"), ("product", "Dy"), ("every_product", ""), ("partner", "JPN"))
]


def _over(value: float, *changes: tuple[int, float]) -> dict[int, float]:
    return {**dict.fromkeys(YEARS, value), **dict(changes)}


def audit_records() -> dict[str, list[dict]]:
    """Return the records of the book; tests change one thing in them."""
    book = copy.deepcopy(RECORDS)
    book["prices"] = [
        {"product": "Ce", "item": "market", **_over(2.0, (2034, 2.5))},
        {"product": "Ce", "item": "surplus", **_over(-0.5)},
        {"product": "NdPr", "item": "market", 2030: 100.0, 2031: 105.0, 2034: 110.0},
        {"product": "NdPr", "item": "surplus", **_over(50.0)},
        {"product": "Dy", "item": "market", 2030: 300.0, 2031: 310.0, 2034: 320.0},
        {"product": "Dy", "item": "surplus", **_over(150.0)},
    ]
    book["distances"].append({"from_port": "Houston", "to_port": "Nagoya", "no_red_sea": 9500, "suez_open": 9500})
    alpha, clay = book["sources"]
    alpha["capacity"], clay["uncommitted"] = 20000, 0.4
    book["sources"] += [
        {
            **clay,
            "source_id": "US_SCRAP",
            "name": "Magnet scrap",
            "country": "USA",
            "capacity": 2000,
            "first_year": 2030,
            "ramp_1": 0.6,
            "ramp_2": 0.8,
            "uncommitted": 0.8,
            "grade": 0.9,
            "payability": None,
            "fixed_price": 12,
            "china_linked": 0.0,
            "thorium": "none",
            "port": "Houston",
            "inland_km": 50,
            "process_only_in": "JPN, USA",
        },
        {**clay, "source_id": "OLD_CLAY", "name": "Closed pit", "use": "no"},
    ]
    book["composition"] += [
        {"source_id": "US_SCRAP", "Ce": 0.4, "Pr": 0.1, "Nd": 0.35, "Pm": 0.1, "Dy": 0.05},
        {"source_id": "OLD_CLAY", "Ce": 0.5, "Pr": 0.1, "Nd": 0.3, "Pm": 0.0, "Dy": 0.1},
    ]
    beta = book["hosts"][1]
    book["hosts"] += [
        {
            **beta,
            "host": "JPN_SITE",
            "name": "Japan",
            "country": "JPN",
            "role": "partner",
            "port": "Nagoya",
            "inland_km": 20,
            "power_price": 0.15,
            "heat_price": 15,
            "wage": 30,
            "capex_factor": 1.2,
            "cost_of_capital": 0.05,
            "expertise": 0.95,
            "earliest_start": 2031,
            "foreign_share_limit": 0.6,
            "thorium_accepted": "none",
        },
        {**beta, "host": "CCC_PORT", "name": "Gammaland", "country": "CCC", "candidate": "no"},
    ]
    book["designs"].append({**book["designs"][1], "design": "SEP_BBB", "host": "BBB_PORT"})
    book["route_costs"] = [
        {"leg": "product", "origin": "JPN_SITE", "destination": "JPN", "cost": 0.05},
        {"leg": "feed", "origin": "US_SCRAP", "destination": "AAA_PORT", "cost": None},
        {"leg": "product", "origin": "CCC_PORT", "destination": "USA", "cost": None},
    ]
    book["duties"] += [
        {"measure": "general", "stage": "oxide", "origin": "CHN", "destination": "*", "rate": 3},
        {"measure": "surcharge", "stage": "oxide", "origin": "CHN", "destination": "USA", "from_year": 2031, "rate": 25},
        {"measure": "general", "stage": "carbonate", "origin": "CHN", "destination": "AAA", "rate": 4, "customs_value": 10},
    ]
    jpn, usa = book["markets"]
    for year in (2030, 2031, 2032):
        jpn.pop(year)
    jpn.update({2028: 100, 2029: 150, 2030: 100})
    usa.update({2029: 90})
    book["markets"].append(
        {
            **usa,
            "market": "ALM",
            "name": "Alphaland magnets",
            "country": "AAA",
            "partner": "no",
            "equity": 0,
            "offtake_minimum": 0,
            "port": "Alpha",
            "inland_km": 30,
            2029: None,
        }
    )
    book["demand"] = [
        {"market": market, "sector": sector, "product": product, **_over(tonnes)}
        for market, sector, product, tonnes in (
            ("JPN", "ev", "NdPr", 2500.0),
            ("JPN", "ev", "Dy", 300.0),
            ("JPN", "glass", "Ce", 3000.0),
            ("USA", "defence", "NdPr", 1500.0),
            ("USA", "defence", "Dy", 200.0),
            ("USA", "glass", "Ce", 2000.0),
            ("ALM", "ev", "NdPr", 400.0),
        )
    ]
    for row in book["suppliers"]:
        row[2034] = row[2032]
    book["suppliers"].append(
        {**book["suppliers"][2], "market": "USA", "price_share": 0.9, "price_floor": 280, "china_linked": 0.8, **_over(100.0)}
    )
    book["caps"] = [
        {
            "cap": "_".join([basis, measure, scope]).upper(),
            "basis": basis,
            "measure": measure,
            "scope": scope,
            "member": member,
            2031: 0.99,
            2034: 0.98,
        }
        for basis, measure, scope, member in CAPS
    ]
    book["host_rules"] = [
        {
            "rule_id": rule_id,
            "host": host,
            "rule": rule,
            "from_year": first,
            "to_year": last,
            "value": value,
            "value_unit": "" if value is None else "share" if rule == "export_share" else "t REO/y",
            "product": product,
            "reason": "test",
        }
        for rule_id, host, rule, first, last, value, product in (
            ("AAA_CRACK", "AAA_PORT", "no_cracking", 2040, None, None, ""),
            ("AAA_THORIUM", "AAA_PORT", "no_thorium", 2040, None, None, ""),
            ("BBB_CEILING", "BBB_PORT", "feed_ceiling", 2030, 2031, 2310, ""),
            ("AAA_FORCE", "AAA_PORT", "force_plant", 2030, 2031, 8000, ""),
            ("BBB_NO_MORE", "BBB_PORT", "forbid_plant", 2033, None, None, ""),
            ("AAA_SHARE", "AAA_PORT", "export_share", None, 2031, 0.72, "NdPr"),
            ("BBB_EXPORT", "BBB_PORT", "export_ceiling", 2031, None, 2000, ""),
        )
    ]
    return book


def audit_tables(records: dict[str, list[dict]] | None = None, **settings: object) -> Tables:
    """Return the book as typed tables."""
    return tables_from_records(records or audit_records(), {**AUDIT_SETTINGS, **settings})
