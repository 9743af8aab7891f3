"""Random books small enough to enumerate: 3 or 4 hosts, 1 or 2 designs, 2 modelled years, policies of every kind."""

from __future__ import annotations

import numpy as np

from model.tables import Tables
from tests import small
from tests.small import Row

PRODUCTS = ("Nd", "Dy")
SETTINGS: dict[str, object] = {
    "last_year": 2034, "modelled_years": "2030,2033", "discount_rate": 0.04, "inflation": 0.02, "heavy_concentrate_payability": 0.6,
    "expertise_capex_penalty": 0.3, "expertise_operating_penalty": 0.2, "expertise_recovery_penalty": 0.06, "expertise_ramp_penalty": 0.25,
    "product_insurance": 0.003,
}  # fmt: skip


def random_book(seed: int) -> Tables:
    """Return the book of a seed.

    Figures are drawn so finely that two plans of equal cost do not happen. Some books have
    two ways of working, some have two plants a host, stocks, budgets; all have duties, rules and caps.
    """
    sheets, settings = random_sheets(seed)
    return small.book(settings, **sheets)


def random_sheets(seed: int) -> tuple[dict[str, list[Row]], dict[str, object]]:
    """Return sheets and settings of a seed, to be changed before they become a book."""
    random = np.random.default_rng(seed)

    def draw(low: float, high: float) -> float:
        return float(random.uniform(low, high))

    def chance(probability: float) -> bool:
        return bool(random.random() < probability)

    hosts = [
        small.host(
            name, country=name[:3], thorium_accepted=str(random.choice(["low", "high"])), earliest_start=int(random.choice([2030, 2033])),
            capex_factor=draw(0.7, 1.4), cost_of_capital=draw(0.05, 0.12), expertise=draw(0.3, 1), power_price=draw(0.04, 0.15),
            wage=draw(3, 40), foreign_share_limit=draw(0.4, 1), brine_discharge="no" if chance(0.3) else "yes",
        )
        for name in ("ALPHA", "BETA", "GAMMA", "DELTA")[: int(random.integers(3, 5))]
    ]  # fmt: skip
    designs = [
        small.design(
            "INT", capacity=draw(800, 1500), capex=draw(150, 700), fixed_cost=draw(2, 20), build_years=2.5, ramp_1=0.6, minimum_use=0.3
        )
    ]
    if len(hosts) == 3:
        designs.append(
            small.design(
                "SEP", scope="separation", heavies="no" if chance(0.5) else "yes", capacity=draw(500, 1000), capex=draw(50, 300),
                fixed_cost=draw(1, 4), build_years=1.5, minimum_use=0.4,
            )
        )  # fmt: skip
    sources = [
        small.source(
            "MONAZITE",
            feed_type="ore",
            capacity=draw(500, 2500),
            fixed_price=None,
            payability=draw(0.2, 0.5),
            thorium="low" if chance(0.6) else "high",
        ),
        small.source("CLAY", feed_type="carbonate", capacity=draw(500, 2500), fixed_price=draw(10, 50), china_linked=1),
        small.source("MIXED", feed_type="carbonate", capacity=draw(300, 1500), fixed_price=draw(20, 60), china_linked=draw(0.1, 0.5)),
    ]
    heavy = {row["source_id"]: draw(0.02, 0.2) for row in sources}
    sheets: dict[str, list[Row]] = {
        "elements": [small.element("Nd"), small.element("Dy", circuit="heavy")],
        "prices": [
            {**row, 2033: float(row[2033]) * draw(0.8, 1.5)}
            for row in (*small.prices("Nd", draw(60, 120), draw(-2, 20)), *small.prices("Dy", draw(200, 400), draw(20, 100)))
        ],
        "composition": [{"source_id": name, "Nd": 1 - share, "Dy": share} for name, share in heavy.items()],
        "processing": [
            small.processing("ore", needs_cracking="yes", electricity=3, labour=30, reagents=draw(2, 5), leach_recovery=0.92),
            small.processing("carbonate", customs_stage="carbonate", electricity=2, labour=20, reagents=draw(1, 3), equipment=5, discharge_addon="brine"),
            small.processing("brine", reagents=draw(1, 3), equipment=10),
        ],
        "recoveries": [small.recovery(feed, product, draw(0.85, 0.97)) for feed in ("ore", "carbonate") for product in PRODUCTS],
        "sources": sources,
        "hosts": hosts,
        "designs": designs,
        "markets": [
            small.market("JPN", equity=0.6, offtake_minimum=draw(0, 0.3)),
            small.market("USA", equity=0.4, offtake_minimum=draw(0, 0.2)),
        ],
        "route_costs": [
            *({"leg": "feed", "origin": s["source_id"], "destination": h["host"], "cost": draw(0.1, 3)} for s in sources for h in hosts),
            *({"leg": "product", "origin": h["host"], "destination": m, "cost": draw(0.1, 2)} for h in hosts for m in ("JPN", "USA")),
        ],
        "sectors": [small.sector("defence", shortage_cost=draw(200, 900), shortage_multiple=1), small.sector("glass", priority=2, shortage_cost=draw(20, 200))],
        "demand": [
            small.demand(draw(100, 900), product, where, who)
            for product in PRODUCTS for where in ("JPN", "USA") for who in ("defence", "glass")
        ],
        "suppliers": [
            *(small.supplier("CHINA", product, tonnes=draw(500, 3000), price_share=draw(0.9, 1.1), china_linked=1, country="CHN") for product in PRODUCTS),
            small.supplier("LYNAS", "Nd", "JPN", tonnes=draw(50, 200), price_share=1.05, least_take=draw(0, 0.6), price_floor=draw(80, 110)),
        ],
        "caps": [
            small.cap("feedstock", "tonnes", "all", draw(0.3, 0.8), name="FEED"),
            small.cap("supply", str(random.choice(["tonnes", "value"])), "all", draw(0.4, 0.9), name="ALL"),
            small.cap("supply", "tonnes", "every_product", draw(0.5, 1), name="EACH"),
            small.cap("supply", "value", "partner", draw(0.4, 1), "JPN", name="JPN"),
        ],
        "duties": [
            {"measure": "general", "stage": "oxide", "origin": "*", "destination": "USA", "rate": draw(0, 10)},
            {"measure": "general", "stage": "oxide", "origin": "ALP", "destination": "USA", "rate": 0},
            {"measure": "surcharge", "stage": "oxide", "origin": "CHN", "destination": "USA", "rate": draw(0, 30)},
            {"measure": "general", "stage": "carbonate", "origin": "*", "destination": "BET", "rate": draw(0, 10), "customs_value": 15},
        ],
    }  # fmt: skip
    if chance(0.5):
        sheets["stockpiles"] = [small.stockpile(draw(0, 200), draw(0, 60), "Dy", holding_cost=draw(0, 5), from_year=2033)]
    rules = {
        "feed_ceiling": draw(300, 1200), "force_plant": 500, "export_share": draw(0.3, 0.9), "export_ceiling": draw(100, 900),
        "forbid_plant": None, "no_cracking": None, "no_thorium": None,
    }  # fmt: skip
    chosen = random.choice(list(rules), size=2, replace=False)
    sheets["host_rules"] = [small.rule(str(kind), rules[str(kind)], str(random.choice([h["host"] for h in hosts]))) for kind in chosen]
    if chance(0.4):
        sheets["markets"][0] |= dict.fromkeys(range(2027, 2034), draw(20, 120))
    if len(designs) == 1 and chance(0.7):
        sheets["know_how"] = [
            small.way("own"),
            small.way("support", fee=draw(0.1, 1), fixed_fee=1, expertise_up_to=0.9, capex_multiplier=1.02, recovery_multiplier=1.01),
        ]
        sheets["hosts"] = hosts[:3]
        names = {row["host"] for row in hosts[:3]}
        sheets["host_rules"] = [row for row in sheets["host_rules"] if row["host"] in names]
    one_kind = len(designs) == 1 and "know_how" not in sheets  # else too many plans to try
    settings = {
        **SETTINGS,
        "max_plants": int(random.integers(2, 6)) if one_kind else int(random.integers(2, 4)),
        "plants_per_host": 2 if one_kind else 1,
        "minimum_hosts": int(random.integers(0, 2)),
        "country_share_limit": draw(0.5, 0.9) if chance(0.3) else 1,
        "country_share_from": 2033,
    }
    return sheets, settings
