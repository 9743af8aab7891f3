"""What the map shows: places, and tonnes that travel from source to host to market, over the modelled years."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from model.analysis import supplier_facts
from model.geography import load_countries, within
from model.tables import Tables

SOURCE, PLANT, REFINER, MARKET = "source", "plant", "existing refiners", "market"
FEED, DELIVERY, PURCHASE = "feed", "joint oxide", "bought oxide"

MERIDIANS = (11.0, 150.0)
"""Central meridians to choose from: one cuts the Pacific, the other the Atlantic."""

LONGEST_LABEL = 24

PICTURE_SIZE = (8.6, 4.75)
"""Width and height of the picture, inches."""


@dataclass(frozen=True)
class Place:
    """A point of the map.

    Parameters
    ----------
    kind
        Source, plant, existing refiners (all those of a country) or market.
    code
        Its code in the inputs; a country's for existing refiners.
    label
        Name in a few words.
    longitude, latitude
        Degrees; NaN where it is not known where the place is.
    found_by
        How it was placed.
    country
        ISO three-letter code.
    size
        Plants: capacity, t REO a year.
    detail
        Second line of the label.
    """

    kind: str
    code: str
    label: str
    longitude: float
    latitude: float
    found_by: str
    country: str
    size: float = 0.0
    detail: str = ""

    @property
    def known(self) -> bool:
        """Whether it can be drawn."""
        return math.isfinite(self.longitude) and math.isfinite(self.latitude)


@dataclass(frozen=True)
class Flow:
    """Tonnes from one place to another, summed over the modelled years."""

    kind: str
    origin: str
    destination: str
    tonnes: float
    china_tonnes: float

    @property
    def ends(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """(kind, code) of both places."""
        start, end = {FEED: (SOURCE, PLANT), DELIVERY: (PLANT, MARKET), PURCHASE: (REFINER, MARKET)}[self.kind]
        return (start, self.origin), (end, self.destination)


@dataclass(frozen=True)
class World:
    """Everything that the map shows.

    Parameters
    ----------
    places
        (kind, code) -> place; those that could not be placed are among them.
    flows
        Largest first.
    years
        Modelled years that the tonnes are summed over.
    """

    places: Mapping[tuple[str, str], Place]
    flows: tuple[Flow, ...]
    years: tuple[int, ...]

    @property
    def drawn(self) -> tuple[Flow, ...]:
        """Flows whose two ends are both known."""
        return tuple(flow for flow in self.flows if all(self.places[end].known for end in flow.ends))

    @property
    def left_out(self) -> list[str]:
        """Names of places that cannot be drawn."""
        return [f"{place.label} ({place.kind})" for place in self.places.values() if not place.known]

    @property
    def meridian(self) -> float:
        """Central meridian that keeps the flows shortest."""
        return min(MERIDIANS, key=lambda centre: sum(self._width(flow, centre) for flow in self.drawn))

    def _width(self, flow: Flow, centre: float) -> float:
        west, east = (within(self.places[end].longitude, centre) for end in flow.ends)
        return flow.tonnes * abs(west - east)


class _Finder:
    """Finds where a row of the inputs lies: its own coordinates, else its port's, else the middle of its country."""

    def __init__(self, tables: Tables) -> None:
        self.ports = {row["port"]: row for row in tables["ports"].to_dict("records")}

    def place(self, kind: str, code: str, label: str, row: Mapping) -> Place:
        for found_by, place in (("own coordinates", row), ("its port", self.ports.get(row.get("port", ""), {}))):
            longitude, latitude = (_number(place.get(name)) for name in ("longitude", "latitude"))
            if math.isfinite(longitude) and math.isfinite(latitude):
                return Place(kind, code, label, longitude, latitude, found_by, row["country"])
        return self.middle(kind, code, label, row["country"])

    def middle(self, kind: str, code: str, label: str, country: str) -> Place:
        known = load_countries().get(country)
        if known is None:
            return Place(kind, code, label, math.nan, math.nan, "unknown: no coordinates, and no country of that code", country)
        return Place(kind, code, label, *known.centre, "middle of its country", country)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def short_name(name: str, code: str) -> str:
    """Return a name short enough for the map, else the code.

    Examples
    --------
    >>> short_name("Lofdal 2B-4", "NAM_LOFDAL"), short_name("Sichuan bastnaesite (Maoniuping) and others", "CHN_SICHUAN")
    ('Lofdal 2B-4', 'Sichuan bastnaesite')
    """
    plain = re.split(r"\s*[(;,]", name)[0].strip()
    return plain if plain and len(plain) <= LONGEST_LABEL else code[:LONGEST_LABEL]


def tonnes_shown(tonnes: float) -> str:
    """Return tonnes in a few characters.

    Examples
    --------
    >>> tonnes_shown(123456.0), tonnes_shown(7095.0), tonnes_shown(330.0), tonnes_shown(3.2)
    ('123 kt', '7.1 kt', '330 t', '3.2 t')
    """
    if tonnes <= 0:
        return "0 t"
    if tonnes >= 99_500:
        return f"{tonnes / 1000:,.0f} kt"
    if tonnes >= 999.5:
        return f"{tonnes / 1000:,.1f} kt"
    return f"{tonnes:,.0f} t" if tonnes >= 10 else f"{tonnes:.2g} t"


def world_flows(tables: Tables, found: Mapping[str, pd.DataFrame]) -> World:
    """Gather what the map shows.

    Parameters
    ----------
    tables
        Inputs.
    found
        Result tables of a plan.

    Returns
    -------
    World
        Places that carry a flow or a plant, and all markets; tonnes summed over the modelled years.
    """
    finder = _Finder(tables)
    places: dict[tuple[str, str], Place] = {}
    for row in tables["markets"].to_dict("records"):
        places[MARKET, row["market"]] = finder.place(MARKET, row["market"], short_name(row["name"], row["market"]), row)
    sources = {row["source_id"]: row for row in tables["sources"].to_dict("records")}
    hosts = {row["host"]: row for row in tables["hosts"].to_dict("records")}
    for h in sorted(set(found["plants"]["host"])):
        plants = found["plants"][found["plants"]["host"] == h]
        years = sorted(set(plants["on_line"]))
        detail = f"{plants['capacity'].sum():,.0f} t/y from {', '.join(str(y) for y in years)}"
        label = short_name(hosts[h]["name"], h)
        places[PLANT, h] = replace(finder.place(PLANT, h, label, hosts[h]), size=float(plants["capacity"].sum()), detail=detail)
    flows = _sums(found, supplier_facts(tables))
    for flow in flows:
        for kind, code in flow.ends:
            if (kind, code) in places:
                continue
            if kind == REFINER:
                known = load_countries().get(code)
                places[kind, code] = finder.middle(kind, code, known.name if known else code, code)
            else:
                row = sources[code] if kind == SOURCE else hosts[code]
                places[kind, code] = finder.place(kind, code, short_name(row["name"], code), row)
    places = {key: _described(place, flows, tables) for key, place in places.items()}
    return World(places, tuple(flows), tuple(sorted(set(found["supply_balance"]["year"]))))


def _described(place: Place, flows: Sequence[Flow], tables: Tables) -> Place:
    """Say beside a place what leaves it or, at a market, what arrives."""
    key = (place.kind, place.code)
    sent = sum(flow.tonnes for flow in flows if flow.ends[0] == key)
    if place.kind == MARKET:
        joint, bought = (sum(flow.tonnes for flow in flows if flow.ends[1] == key and flow.kind == kind) for kind in (DELIVERY, PURCHASE))
        return replace(place, detail=f"{tonnes_shown(joint)} joint, {tonnes_shown(bought)} bought")
    if place.kind == REFINER and place.code in set(tables["markets"]["country"]):
        return replace(place, label="own refiners", detail=tonnes_shown(sent))
    return place if place.kind == PLANT else replace(place, detail=tonnes_shown(sent))


def _sums(found: Mapping[str, pd.DataFrame], facts: Mapping[tuple[str, str, str], dict]) -> list[Flow]:
    """Sum flows over years, products and lines, largest first."""
    sums: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])

    def add(kind: str, origin: str, destination: str, tonnes: float, china: float) -> None:
        entry = sums[kind, origin, destination]
        entry[0] += tonnes
        entry[1] += china

    for s, h, t, china in found["feed"][["source_id", "host", "tonnes", "china_tonnes"]].itertuples(index=False):
        add(FEED, s, h, t, china)
    for h, m, t, china in found["deliveries"][["host", "market", "tonnes", "china_tonnes"]].itertuples(index=False):
        add(DELIVERY, h, m, t, china)
    bought = found["purchases"][["supplier", "product", "offered_to", "market", "tonnes", "china_tonnes"]]
    for supplier, p, offered_to, m, t, china in bought.itertuples(index=False):
        add(PURCHASE, facts[supplier, p, offered_to]["country"], m, t, china)
    flows = [Flow(*key, *entry) for key, entry in sums.items() if entry[0] > 0]
    return sorted(flows, key=lambda flow: (-flow.tonnes, flow.kind, flow.origin, flow.destination))
