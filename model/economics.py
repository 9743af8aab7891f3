"""Money, time, freight and customs arithmetic shared by the builder of the problem.

Nothing here knows of sets or of the solver; verification has its own versions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from model.schema import ANY
from model.tables import Tables


def annuity(rate: float, years: int) -> float:
    """Return the yearly payment that repays 1 over `years` at `rate`.

    Parameters
    ----------
    rate
        Real cost of capital, share a year; may be 0 or negative above -1.
    years
        Number of payments, at least 1.

    Returns
    -------
    float
        Share of the capital a year.

    Examples
    --------
    >>> round(annuity(0.07, 20), 4)
    0.0944
    >>> annuity(0.0, 20)
    0.05
    """
    if abs(rate) < 1e-12:
        return 1.0 / years
    return rate / -math.expm1(-years * math.log1p(rate))  # 1 - (1 + rate) ** -years without cancellation at small rates


def real_rate(nominal: float, inflation: float) -> float:
    """Return the real rate behind a nominal one (Fisher).

    Examples
    --------
    >>> round(real_rate(0.0906, 0.02), 4)
    0.0692
    """
    return (1.0 + nominal) / (1.0 + inflation) - 1.0


def represented_years(years: Sequence[int], last_year: int) -> dict[int, range]:
    """Return the calendar years that each modelled year stands for.

    Examples
    --------
    >>> represented_years([2027, 2030], 2032)
    {2027: range(2027, 2030), 2030: range(2030, 2033)}
    """
    ends = [*years[1:], last_year + 1]
    return {year: range(year, end) for year, end in zip(years, ends, strict=True)}


def discount_weights(years: Sequence[int], first_year: int, last_year: int, rate: float) -> dict[int, float]:
    """Return the discounted number of years that each modelled year stands for.

    Examples
    --------
    >>> discount_weights([2027, 2028], 2027, 2029, 0.0)
    {2027: 1.0, 2028: 2.0}
    """
    spans = represented_years(years, last_year)
    return {year: sum((1.0 + rate) ** -(t - first_year) for t in span) for year, span in spans.items()}


def construction_spend(on_line: int, build_years: float) -> dict[int, float]:
    """Return the share of capital spent in each calendar year before a plant comes on line.

    Capital is spent evenly over [on_line - build_years, on_line); shares sum to 1.

    Examples
    --------
    >>> construction_spend(2030, 2.5)
    {2027: 0.2, 2028: 0.4, 2029: 0.4}
    """
    if build_years <= 0:
        return {on_line: 1.0}
    start = on_line - build_years
    shares = {}
    for year in range(math.floor(start), on_line):
        overlap = min(year + 1, on_line) - max(year, start)
        if overlap > 1e-12:
            shares[year] = overlap / build_years
    return shares


@dataclass(frozen=True)
class Freight:
    """Freight arithmetic of one book; all results in USD per t of cargo."""

    rates: dict[str, float]
    distance: dict[tuple[str, str], float]
    feeder: frozenset[str]

    @classmethod
    def from_tables(cls, tables: Tables) -> Freight:
        """Read rates, distances (both directions) and feeder ports."""
        names = ("sea_fixed", "sea_rate", "feeder_addon", "radioactive_sea_multiplier", "radioactive_handling",
                 "product_sea_multiplier", "product_insurance", "truck_rate", "truck_africa_rate", "rail_rate", "barge_rate")  # fmt: skip
        basis = str(tables.settings["route_basis"])
        distance = {}
        frame = tables["distances"]
        for a, b, nm in zip(frame["from_port"], frame["to_port"], frame[basis], strict=True):
            distance[a, b] = distance[b, a] = float(nm)
        ports = tables["ports"]
        return cls({name: tables.setting(name) for name in names}, distance, frozenset(ports.loc[ports["feeder"] == "yes", "port"]))

    def inland(self, km: float, mode: str) -> float:
        """Return the cost of an inland leg."""
        return 0.0 if mode == "none" else km * self.rates[f"{mode}_rate"]

    def sea(self, a: str, b: str) -> float:
        """Return the cost of a sea leg, 0 within one port; KeyError where no distance is known."""
        if a == b:
            return 0.0
        feeders = (a in self.feeder) + (b in self.feeder)
        return self.rates["sea_fixed"] + self.rates["sea_rate"] * self.distance[a, b] / 1000.0 + self.rates["feeder_addon"] * feeders


class Duties:
    """Looks up customs duties: most specific row within a measure, measures add up."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables["duties"].to_dict("records")
        self._matches: dict[tuple[str, str, str, str], list[tuple[str, int, float, float, float, float]]] = {}

    def _candidates(self, stage: str, product: str, origin: str, destination: str) -> list[tuple[str, int, float, float, float, float]]:
        key = (stage, product, origin, destination)
        if key not in self._matches:
            found = []
            for row in self._rows:
                if row["stage"] != stage or row["origin"] not in (origin, ANY) or row["destination"] not in (destination, ANY):
                    continue
                if row["product"] not in ("", product):
                    continue
                rank = 4 * (row["product"] != "") + 2 * (row["origin"] != ANY) + (row["destination"] != ANY)
                start = -math.inf if pd.isna(row["from_year"]) else row["from_year"]
                end = math.inf if pd.isna(row["to_year"]) else row["to_year"]
                found.append((row["measure"], rank, start, end, row["rate"] / 100.0, row["customs_value"]))
            self._matches[key] = found
        return self._matches[key]

    def duty(self, stage: str, product: str, origin: str, destination: str, year: int, price: float) -> float:
        """Return the duty in the unit of `price`.

        Parameters
        ----------
        stage
            concentrate, carbonate or oxide.
        product
            Product of an oxide, "" for feed.
        origin, destination
            Country codes; no duty within one country.
        year
            Calendar year.
        price
            Price paid; the customs value unless the row states one.
        """
        if origin == destination:
            return 0.0
        best: dict[str, tuple[int, float, float]] = {}
        for measure, rank, start, end, rate, value in self._candidates(stage, product, origin, destination):
            if start <= year <= end and (measure not in best or rank > best[measure][0]):
                best[measure] = (rank, rate, value)
        return sum(rate * (price if pd.isna(value) else value) for _, rate, value in best.values())
