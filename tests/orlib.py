"""Capacitated facility location instances of the OR-Library as books of the planner.

A facility is a host with one design of its own, a customer is a market, the one product comes
out of the one source unchanged, and the plan lasts one year. The instances are read from
``shared/bench`` beside the repository, or from the folder that ``ORLIB_BENCH`` names.

Published instances are in units without a name. A book reads them as follows, and
:attr:`Instance.objective` turns a plan's MUSD back into published cost.

- 1 unit of cost is 1000 USD, so 1 MUSD of the plan is 1000 published.
- 1 unit of demand is `Instance.tonnes` t REO, a power of ten that puts the mean customer between
  1 and 10 kt; tolerances of 1e-7 kt are then far below the smallest customer.
"""

from __future__ import annotations

import csv
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path

from model.tables import Tables, tables_from_records

YEAR = 2030
MUSD_PER_COST = 0.001
ENVIRONMENT = "ORLIB_BENCH"

SMALL = ("cap41", "cap44", "cap51", "cap61", "cap64", "cap71", "cap74", "cap81", "cap91", "cap101", "cap104", "cap131")
"""Twelve instances of every size up to 50 facilities, quick enough for the default tests."""


@dataclass(frozen=True)
class Instance:
    """One instance as published.

    Parameters
    ----------
    capacity, fixed_cost
        One entry a facility, in units of demand and of cost.
    demand
        One entry a customer.
    cost
        ``cost[j][i]``: serving all the demand of customer j from facility i; fractions are allowed.
    """

    name: str
    capacity: tuple[float, ...]
    fixed_cost: tuple[float, ...]
    demand: tuple[float, ...]
    cost: tuple[tuple[float, ...], ...]

    @property
    def tonnes(self) -> float:
        """Tonnes REO that a unit of demand stands for."""
        return 1000.0 * 10.0 ** -math.floor(math.log10(sum(self.demand) / len(self.demand)))

    def uncapacitated(self) -> Instance:
        """Return the instance in which any facility could serve everybody."""
        return replace(self, capacity=(sum(self.demand),) * len(self.capacity))

    @staticmethod
    def objective(musd: float) -> float:
        """Return a plan's total cost in the units of the published optimum."""
        return musd / MUSD_PER_COST


@dataclass(frozen=True)
class Published:
    """One row of ``optima.csv``; `family` is orlib_cflp or, with capacities ignored, orlib_uflp."""

    name: str
    family: str
    optimum: float

    @property
    def uncapacitated(self) -> bool:
        """Whether capacities are ignored."""
        return self.family == "orlib_uflp"


def bench_folder() -> Path | None:
    """Return the folder of published instances, None where this machine has none."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "bench"
    folder = Path(os.environ[ENVIRONMENT]) if ENVIRONMENT in os.environ else beside
    return folder if (folder / "optima.csv").is_file() else None


def absence() -> str:
    """Return why tests on published instances are skipped, "" where they need not be."""
    return "" if bench_folder() else f"no published instances: neither ${ENVIRONMENT} nor ../shared/bench holds optima.csv"


def published_optima() -> list[Published]:
    """Return every published facility location optimum; an empty list where there are no instances."""
    folder = bench_folder()
    if folder is None:
        return []
    with (folder / "optima.csv").open(encoding="utf-8", newline="") as file:
        rows = [Published(row["instance"], row["family"], float(row["optimum"])) for row in csv.DictReader(file)]
    return [row for row in rows if row.family in ("orlib_cflp", "orlib_uflp")]


def read_published(row: Published) -> Instance:
    """Return the instance of a published optimum."""
    folder = bench_folder()
    if folder is None:
        raise FileNotFoundError(absence())
    stem, _, capacity = row.name.partition("@")
    instance = read_orlib(folder / "orlib_cflp" / f"{stem}.txt", float(capacity) if capacity else None, row.uncapacitated)
    return replace(instance, name=row.name)


def read_orlib(path: Path, capacity: float | None = None, uncapacitated: bool = False) -> Instance:
    """Read a capacitated warehouse location file.

    Parameters
    ----------
    path
        ``m n``, then m lines of capacity and fixed cost, then for each of n customers its demand
        and m costs.
    capacity
        Takes the place of the word ``capacity`` in the file.
    uncapacitated
        Ignore the capacities.

    Raises
    ------
    ValueError
        The file does not hold the numbers that its first line promises, or says ``capacity`` and
        none was given.
    """
    tokens = path.read_text(encoding="ascii").split()
    m, n = int(tokens[0]), int(tokens[1])
    if len(tokens) != 2 + 2 * m + n * (m + 1):
        raise ValueError(f"{path.name}: {len(tokens)} numbers do not make {m} facilities and {n} customers")
    facilities, customers = tokens[2 : 2 + 2 * m], tokens[2 + 2 * m :]
    demand = tuple(float(customers[j * (m + 1)]) for j in range(n))
    if uncapacitated:
        capacities: tuple[float, ...] = (sum(demand),) * m
    elif "capacity" in facilities:
        if capacity is None:
            raise ValueError(f"{path.name}: the file leaves its capacity open and none was given")
        capacities = (capacity,) * m
    else:
        capacities = tuple(map(float, facilities[::2]))
    cost = tuple(tuple(map(float, customers[j * (m + 1) + 1 : (j + 1) * (m + 1)])) for j in range(n))
    return Instance(path.stem, capacities, tuple(map(float, facilities[1::2])), demand, cost)


def shortage_cost(instance: Instance) -> float:
    """Return a published cost per unit short at which no optimal plan leaves demand unmet.

    While the open facilities have room, serving a unit costs at most the dearest route. Without
    room, at least the smallest amount by which a set of facilities can miss the total demand is
    short, and one more facility removes as much. Twice the sum of the two leaves room for tolerances.
    """
    total, sizes = sum(instance.demand), set(instance.capacity)
    if sum(instance.capacity) < total:
        raise ValueError(f"{instance.name}: the facilities cannot serve the demand")
    # of equal facilities k - 1 miss by a known amount; of unequal ones, with whole numbers, by one unit at least
    missing = total - max(sizes) * (math.ceil(total / max(sizes)) - 1) if len(sizes) == 1 else 1.0
    dearest = max(max(costs) / units for costs, units in zip(instance.cost, instance.demand, strict=True))
    return 2.0 * (dearest + max(instance.fixed_cost) / missing)


def orlib_tables(instance: Instance, uncapacitated: bool = False) -> Tables:
    """Write an instance as input tables.

    Parameters
    ----------
    instance
        As read; its demands must be positive.
    uncapacitated
        Ignore the capacities.

    Returns
    -------
    Tables
        Demand in t, `Instance.tonnes` a unit; costs as the module says.

    Raises
    ------
    ValueError
        A customer without demand whose service costs something: a price a tonne cannot say that.
    """
    if uncapacitated:
        instance = instance.uncapacitated()
    if any(units <= 0 for units in instance.demand):
        raise ValueError(f"{instance.name}: a customer has no demand, so no cost per tonne describes its service")
    tonnes = instance.tonnes
    usd_per_kg = MUSD_PER_COST * 1000.0 / tonnes  # a unit of cost per unit of demand, and 1 MUSD/kt = 1 USD/kg
    hosts = [f"F{i + 1}" for i in range(len(instance.capacity))]
    markets = [f"C{j + 1}" for j in range(len(instance.demand))]
    place = {"port": "Port", "inland_km": 0, "inland_mode": "none"}
    total = sum(instance.demand) * tonnes
    records: dict[str, list[dict]] = {
        "elements": [
            {"element": "Ce", "name": "cerium", "oxide": "CeO2", "group": "light", "product": "Ce", "circuit": "light", "oxide_per_metal": 1.2284}
        ],
        "prices": [{"product": "Ce", "item": item, YEAR: 0.0} for item in ("market", "surplus")],
        "ports": [{"port": "Port", "country": "AAA", "feeder": "no"}],
        "processing": [
            {
                "feed_type": "carbonate", "customs_stage": "carbonate", "needs_cracking": "no", "electricity": 0, "heat": 0, "labour": 0,
                "reagents": 0, "waste": 0, "other": 0, "leach_recovery": 1, "equipment": 0,
            }
        ],
        "recoveries": [{"feed_type": "carbonate", "product": "Ce", "recovery": 1}],
        "sources": [
            {
                "source_id": "SOURCE", "name": "The source", "country": "AAA", "use": "yes", "feed_type": "carbonate", "capacity": total,
                "first_year": YEAR, "ramp_1": 1, "ramp_2": 1, "uncommitted": 1, "grade": 1, "fixed_price": 0, "china_linked": 0,
                "china_linked_reason": "none", "thorium": "none", "radioactive_cargo": "no", **place,
            }
        ],
        "composition": [{"source_id": "SOURCE", "Ce": 1.0}],
        "hosts": [
            {
                "host": host, "name": host, "country": "AAA", "role": "third_country", "candidate": "yes", "power_price": 0,
                "heat_price": 0, "wage": 0, "capex_factor": 1, "cost_of_capital": 0, "expertise": 1, "earliest_start": YEAR,
                "foreign_share_limit": 1, "thorium_accepted": "none", "brine_discharge": "yes", **place,
            }
            for host in hosts
        ],
        "designs": [
            {
                "design": f"D{i + 1}", "scope": "separation", "heavies": "yes", "capacity": capacity * tonnes, "capex": fixed * MUSD_PER_COST,
                "fixed_cost": 0, "build_years": 0, "ramp_1": 1, "ramp_2": 1, "ramp_3": 1, "ramp_4": 1, "minimum_use": 0, "host": hosts[i],
            }
            for i, (capacity, fixed) in enumerate(zip(instance.capacity, instance.fixed_cost, strict=True))
        ],
        "know_how": [
            {
                "way": "usual", "fee": 0, "fixed_fee": 0, "capex_multiplier": 1, "operating_multiplier": 1, "recovery_multiplier": 1,
                "expertise_up_to": 1,
            }
        ],
        "markets": [
            {"market": market, "name": market, "country": "AAA", "partner": "yes" if j == 0 else "no", "equity": float(j == 0),
             "offtake_minimum": 0, **place, YEAR: None}
            for j, market in enumerate(markets)
        ],
        "sectors": [
            {"sector": "all", "name": "All", "group": "all", "priority": 1, "shortage_cost": shortage_cost(instance) * usd_per_kg,
             "shortage_multiple": 0}
        ],
        "demand": [
            {"market": market, "sector": "all", "product": "Ce", YEAR: units * tonnes}
            for market, units in zip(markets, instance.demand, strict=True)
        ],
        "suppliers": [  # a book must name one; it has nothing to sell
            {"supplier": "NOBODY", "product": "Ce", "market": "*", "name": "Nobody", "country": "BBB", "customs_origin": "BBB",
             "price_share": 1, "china_linked": 0, "china_linked_reason": "none", YEAR: 0.0}
        ],
        "route_costs": [{"leg": "feed", "origin": "SOURCE", "destination": host, "cost": 0.0} for host in hosts]
        + [
            {"leg": "product", "origin": host, "destination": market, "cost": costs[i] / units * usd_per_kg}
            for market, units, costs in zip(markets, instance.demand, instance.cost, strict=True)
            for i, host in enumerate(hosts)
        ],
    }  # fmt: skip
    settings = {
        "first_year": YEAR, "last_year": YEAR, "modelled_years": "all", "decision_year": YEAR, "discount_rate": 0.0, "inflation": 0.0,
        "plant_life": 1, "max_plants": len(hosts), "plants_per_host": 1, "minimum_hosts": 0, "country_share_limit": 1.0,
        "absolute_gap": 0.0, "relative_gap": 1e-7, "time_limit": 3600, "threads": 1,
    }  # fmt: skip
    return tables_from_records(records, settings)
