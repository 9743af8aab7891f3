"""Shares that an elastic solution really needs: they multiply a decision, so its violations only point at them."""

from __future__ import annotations

from model.formulation_elastic import Code
from model.problem import Problem
from model.solution import Solution


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
