"""What an elastic solution asks for: shares multiply a decision, so its violations only point at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.formulation_elastic import DUST, Code
from model.problem import Problem
from model.solution import Solution
from model.studies.diagnose_least import first_values
from model.studies.diagnose_levers import Lever


@dataclass(frozen=True)
class Asked:
    """What an elastic solution asks for.

    Parameters
    ----------
    changes
        Violation of each figure, in the elastic model's units.
    levers, values
        The same figures in the book, and their values; None where only trials can tell.
    """

    changes: dict[Code, float]
    levers: list[Lever]
    values: list[float | None]

    @property
    def size(self) -> float:
        """Return the sum of the changes, each relative to its figure."""
        return sum(own.size(value) for own, value in zip(self.levers, first_values(self.levers, self.values), strict=True))

    def factors(self) -> dict[Code, float]:
        """Return, of each share whose value is known, its violation over the change that it stands for."""
        told = {}
        for own, value, change in zip(self.levers, self.values, self.changes.values(), strict=True):
            moved = (value - float(own.current)) * own.sign if value is not None and own.unit is None else 0.0
            if moved > DUST:
                told[own.code] = change / moved
        return told


def outermost(rounds: Sequence[Asked]) -> Asked | None:
    """Return the furthest value of each figure; None where a figure has one other value only, which cannot be nearer."""
    changes: dict[Code, float] = {}
    levers: dict[Code, Lever] = {}
    values: dict[Code, float] = {}
    for asked in rounds:
        for own, value in zip(asked.levers, first_values(asked.levers, asked.values), strict=True):
            if own.sign == 0:
                return None
            furthest = max if own.sign > 0 else min
            levers[own.code] = own
            values[own.code] = furthest(values.get(own.code, float(value)), float(value))
            changes[own.code] = asked.changes[own.code]
    return Asked(changes, list(levers.values()), list(values.values()))


def share_asked(problem: Problem, solution: Solution, code: Code) -> float | None:
    """Return the share under which the solution's own flows would be allowed; None where only trials can tell."""
    kind, *key = code
    if kind == "cap":
        shares = solution.tables["china_shares"]
        rows = shares[(shares["cap"] == key[0]) & (shares["year"] == key[1])]
        share = rows["share"].max()
        return None if share != share else float(share)
    if kind == "country_share_limit":
        return _largest_country_share(problem, solution)
    if kind == "offtake_minimum":
        return _least_offtake(problem, solution, str(key[0]))
    return None


def _largest_country_share(problem: Problem, solution: Solution) -> float | None:
    builds = solution.tables["builds"]
    shares = []
    for y in problem.years:
        if y < problem.country_share_from:
            continue
        built = builds[builds["on_line"] <= y]
        capacity = built["design"].map(problem.capacity).astype(float)
        if len(built):
            by_country = capacity.groupby(built["host"].map(problem.country)).sum()
            shares.append(float(by_country.max() / capacity.sum()))
    return max(shares, default=None)


def _least_offtake(problem: Problem, solution: Solution, market: str) -> float | None:
    products, deliveries = solution.tables["products"], solution.tables["deliveries"]
    shares = []
    for h, y in dict.fromkeys(zip(products["host"], products["year"].tolist(), strict=True)):
        made = products[(products["host"] == h) & (products["year"] == y)]
        price = {p: problem.price[p, y] for p in problem.products}
        worth = float((made["made"] * made["product"].map(price)).sum())
        got = deliveries[(deliveries["host"] == h) & (deliveries["year"] == y) & (deliveries["market"] == market)]
        if worth > 0:
            shares.append(float((got["tonnes"] * got["product"].map(price)).sum()) / worth)
    return min(shares, default=None)
