"""A valid book small enough to check by eye; tests change one thing in it."""

from __future__ import annotations

import copy

from model.tables import Tables, tables_from_records

YEARS = (2030, 2031, 2032)

SETTINGS = {
    "first_year": 2030, "last_year": 2032, "modelled_years": "all", "decision_year": 2026, "discount_rate": 0.0, "inflation": 0.0,
    "plant_life": 10, "max_plants": 2, "plants_per_host": 1, "minimum_hosts": 0, "country_share_limit": 1, "country_share_from": 2030,
    "expertise_capex_penalty": 0.2, "expertise_operating_penalty": 0.1, "expertise_recovery_penalty": 0.1, "expertise_ramp_penalty": 0.2,
    "absolute_gap": 0.0001, "relative_gap": 1e-9, "time_limit": 60, "threads": 1,
}


def _yearly(value: float) -> dict[int, float]:
    return dict.fromkeys(YEARS, value)


RECORDS: dict[str, list[dict]] = {
    "elements": [
        {"element": "Ce", "name": "cerium", "oxide": "CeO2", "group": "light", "product": "Ce", "circuit": "light", "oxide_per_metal": 1.2284},
        {"element": "Pr", "name": "praseodymium", "oxide": "Pr6O11", "group": "light", "product": "NdPr", "circuit": "light", "oxide_per_metal": 1.2082},
        {"element": "Nd", "name": "neodymium", "oxide": "Nd2O3", "group": "light", "product": "NdPr", "circuit": "light", "oxide_per_metal": 1.1664},
        {"element": "Pm", "name": "promethium", "oxide": "Pm2O3", "group": "light", "product": "", "circuit": "light", "oxide_per_metal": 1.1655},
        {"element": "Dy", "name": "dysprosium", "oxide": "Dy2O3", "group": "heavy", "product": "Dy", "circuit": "heavy", "oxide_per_metal": 1.1477},
    ],
    "prices": [
        {"product": "Ce", "item": "market", **_yearly(2.0)}, {"product": "Ce", "item": "surplus", **_yearly(-0.5)},
        {"product": "NdPr", "item": "market", **_yearly(100.0)}, {"product": "NdPr", "item": "surplus", **_yearly(50.0)},
        {"product": "Dy", "item": "market", **_yearly(300.0)}, {"product": "Dy", "item": "surplus", **_yearly(150.0)},
    ],
    "ports": [
        {"port": "Alpha", "country": "AAA", "feeder": "no"}, {"port": "Beta", "country": "BBB", "feeder": "yes"},
        {"port": "Shanghai", "country": "CHN", "feeder": "no"}, {"port": "Nagoya", "country": "JPN", "feeder": "no"},
        {"port": "Houston", "country": "USA", "feeder": "no"},
    ],
    "distances": [
        {"from_port": a, "to_port": b, "no_red_sea": nm, "suez_open": nm}
        for a, b, nm in [
            ("Alpha", "Beta", 1000), ("Shanghai", "Alpha", 2000), ("Shanghai", "Beta", 3000), ("Alpha", "Nagoya", 3000),
            ("Alpha", "Houston", 9000), ("Beta", "Nagoya", 6000), ("Beta", "Houston", 5000),
        ]
    ],
    "processing": [
        {"feed_type": "monazite", "customs_stage": "concentrate", "needs_cracking": "yes", "electricity": 3, "heat": 30, "labour": 30,
         "reagents": 3.5, "waste": 1.0, "other": 0.5, "leach_recovery": 0.9, "equipment": 0},
        {"feed_type": "carbonate", "customs_stage": "carbonate", "needs_cracking": "no", "electricity": 2, "heat": 15, "labour": 20,
         "reagents": 2.5, "waste": 0.3, "other": 0.3, "leach_recovery": 1.0, "equipment": 5, "discharge_addon": "brine"},
        {"feed_type": "brine", "customs_stage": "carbonate", "needs_cracking": "no", "electricity": 1.5, "heat": 5, "labour": 10,
         "reagents": 3.0, "waste": 0.3, "other": 1.0, "leach_recovery": 1.0, "equipment": 20},
    ],
    "recoveries": [
        {"feed_type": f, "product": p, "recovery": r}
        for f in ("monazite", "carbonate") for p, r in (("Ce", 0.9), ("NdPr", 0.95), ("Dy", 0.9))
    ],
    "sources": [
        {"source_id": "ALPHA_MINE", "name": "Alpha mine", "country": "AAA", "use": "yes", "feed_type": "monazite", "capacity": 8000,
         "first_year": 2020, "ramp_1": 0.5, "ramp_2": 0.8, "uncommitted": 0.5, "grade": 0.5, "payability": 0.5, "china_linked": 0.1,
         "china_linked_reason": "minority holder", "thorium": "high", "radioactive_cargo": "yes", "port": "Alpha", "inland_km": 100,
         "inland_mode": "truck", "output_2024": 8000},
        {"source_id": "CHINA_CLAY", "name": "China clay", "country": "CHN", "use": "yes", "feed_type": "carbonate", "capacity": 10000,
         "first_year": 2010, "ramp_1": 1, "ramp_2": 1, "uncommitted": 0.3, "grade": 0.5, "payability": 0.4, "china_linked": 1.0,
         "china_linked_reason": "mined in China", "thorium": "low", "radioactive_cargo": "no", "port": "Shanghai", "inland_km": 400,
         "inland_mode": "rail", "output_2024": 10000},
    ],
    "composition": [
        {"source_id": "ALPHA_MINE", "Ce": 0.7, "Pr": 0.05, "Nd": 0.2, "Pm": 0.0, "Dy": 0.05},
        {"source_id": "CHINA_CLAY", "Ce": 0.5, "Pr": 0.1, "Nd": 0.3, "Pm": 0.0, "Dy": 0.1},
    ],
    "hosts": [
        {"host": "AAA_PORT", "name": "Alphaland", "country": "AAA", "role": "third_country", "candidate": "yes", "port": "Alpha", "inland_km": 10,
         "inland_mode": "truck", "power_price": 0.1, "heat_price": 10, "wage": 5, "capex_factor": 0.9, "cost_of_capital": 0.09, "expertise": 0.5,
         "earliest_start": 2030, "foreign_share_limit": 0.49, "thorium_accepted": "high", "brine_discharge": "yes"},
        {"host": "BBB_PORT", "name": "Betaland", "country": "BBB", "role": "third_country", "candidate": "yes", "port": "Beta", "inland_km": 5,
         "inland_mode": "truck", "power_price": 0.05, "heat_price": 5, "wage": 20, "capex_factor": 1.0, "cost_of_capital": 0.07, "expertise": 0.9,
         "earliest_start": 2030, "foreign_share_limit": 1.0, "thorium_accepted": "low", "brine_discharge": "no"},
    ],
    "designs": [
        {"design": "INT_5000", "scope": "integrated", "heavies": "yes", "capacity": 5000, "capex": 300, "fixed_cost": 12, "build_years": 2,
         "ramp_1": 0.5, "ramp_2": 0.8, "ramp_3": 1.0, "ramp_4": 1.0, "minimum_use": 0.3},
        {"design": "SEP_3000", "scope": "separation", "heavies": "yes", "capacity": 3000, "capex": 120, "fixed_cost": 5, "build_years": 1.5,
         "ramp_1": 0.5, "ramp_2": 0.8, "ramp_3": 1.0, "ramp_4": 1.0, "minimum_use": 0.3},
        {"design": "SEPL_3000", "scope": "separation", "heavies": "no", "capacity": 3000, "capex": 100, "fixed_cost": 4, "build_years": 1.5,
         "ramp_1": 0.5, "ramp_2": 0.8, "ramp_3": 1.0, "ramp_4": 1.0, "minimum_use": 0.3},
    ],
    "know_how": [
        {"way": "host_practice", "fee": 0, "fixed_fee": 0, "capex_multiplier": 1, "operating_multiplier": 1, "recovery_multiplier": 1, "expertise_up_to": 0},
        {"way": "japanese_support", "fee": 0.4, "fixed_fee": 1, "capex_multiplier": 1.02, "operating_multiplier": 1, "recovery_multiplier": 1,
         "expertise_up_to": 0.85},
    ],
    "duties": [
        {"measure": "general", "stage": "oxide", "product": "Ce", "origin": "*", "destination": "USA", "rate": 5.5},
        {"measure": "general", "stage": "oxide", "product": "Ce", "origin": "AAA", "destination": "USA", "rate": 0},
        {"measure": "general", "stage": "carbonate", "origin": "CHN", "destination": "BBB", "rate": 2},
    ],
    "markets": [
        {"market": "JPN", "name": "Japan", "country": "JPN", "partner": "yes", "equity": 0.6, "offtake_minimum": 0.2, "port": "Nagoya", "inland_km": 50,
         "inland_mode": "truck", **_yearly(500)},
        {"market": "USA", "name": "United States", "country": "USA", "partner": "yes", "equity": 0.4, "offtake_minimum": 0.1, "port": "Houston",
         "inland_km": 100, "inland_mode": "truck"},
    ],
    "sectors": [
        {"sector": "defence", "name": "Defence", "group": "defence", "priority": 1, "shortage_cost": 100, "shortage_multiple": 10},
        {"sector": "ev", "name": "EV traction", "group": "EV traction", "priority": 2, "shortage_cost": 50, "shortage_multiple": 4},
        {"sector": "glass", "name": "Glass", "group": "industry", "priority": 3, "shortage_cost": 2, "shortage_multiple": 3},
    ],
    "demand": [
        {"market": "JPN", "sector": "ev", "product": "NdPr", **_yearly(900)}, {"market": "JPN", "sector": "ev", "product": "Dy", **_yearly(120)},
        {"market": "USA", "sector": "defence", "product": "NdPr", **_yearly(200)}, {"market": "USA", "sector": "defence", "product": "Dy", **_yearly(30)},
        {"market": "JPN", "sector": "glass", "product": "Ce", **_yearly(1000)}, {"market": "USA", "sector": "glass", "product": "Ce", **_yearly(500)},
    ],
    "suppliers": [
        {"supplier": "CHINA", "product": p, "market": "*", "name": "China", "country": "CHN", "customs_origin": "CHN", "price_share": 1.0,
         "china_linked": 1.0, "china_linked_reason": "refined in China", **_yearly(5000)}
        for p in ("Ce", "NdPr", "Dy")
    ] + [
        {"supplier": "LYNAS", "product": "NdPr", "market": "JPN", "name": "Lynas", "country": "MYS", "customs_origin": "MYS", "price_share": 1.05,
         "price_floor": 110, "least_take": 0.5, "china_linked": 0.0, "china_linked_reason": "Mount Weld feed", **_yearly(200)},
    ],
    "caps": [
        {"cap": "FEED", "basis": "feedstock", "measure": "tonnes", "scope": "all", **_yearly(0.5)},
        {"cap": "EACH", "basis": "supply", "measure": "tonnes", "scope": "every_product", 2031: 0.8, 2032: 0.6},
        {"cap": "VALUE", "basis": "supply", "measure": "value", "scope": "all", 2032: 0.5},
    ],
    "stockpiles": [
        {"market": "JPN", "product": "Dy", "opening": 10, "days": 60, "from_year": 2031, "holding_cost": 5},
    ],
    "host_rules": [
        {"rule_id": "AAA_CRACK", "host": "AAA_PORT", "rule": "no_cracking", "from_year": 2040, "reason": "licence"},
    ],
    "scenarios": [
        {"scenario": "embargo", "probability": 0.1, "sheet": "suppliers", "key": "CHINA | * | *", "column": "2031-2032", "operation": "multiply",
         "value": 0, "reason": "total embargo"},
        {"scenario": "no_cap", "probability": 0.2, "sheet": "caps", "key": "*", "column": "*", "operation": "set", "value": "none",
         "reason": "cost of the cap"},
    ],
    "published": [
        {"figure": "us_import_share_china", "description": "China's share of US rare-earth imports", "period": "2019-22", "value": 72, "unit": "%"},
    ],
}


def tiny_tables(settings: dict | None = None, **records: list[dict]) -> Tables:
    """Return the tiny book, with whole sheets or single settings replaced."""
    return tables_from_records({**copy.deepcopy(RECORDS), **records}, {**SETTINGS, **(settings or {})})
