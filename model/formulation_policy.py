"""Policy: caps on the China-linked share, partners' entitlements and budgets, concentration."""

# mypy: allow-untyped-defs, check-untyped-defs
# a rule of a constraint takes the model and indices, whose types Pyomo does not declare

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyomo.core as pyo

from model.groups import Groups
from model.problem import Cap, Problem
from model.rows import LinearSum, linear, members

CAPPED_FLOWS = ("feed", "deliver", "purchase", "china_delivered", "china_out")
"""Variables that caps add up."""


def add_policy(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    """Add the constraints that governments set."""
    _add_caps(m, problem, groups)
    _add_partners(m, problem, groups)
    _add_concentration(m, problem, groups)


def _add_caps(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    rows = china_cap_rows(problem, groups, {name: members(m.component(name)) for name in CAPPED_FLOWS})
    m.CHINA_CAPS = pyo.Set(initialize=list(rows), dimen=3)

    @m.Constraint(m.CHINA_CAPS, doc="The China-linked part of the flows in scope stays within its share of them [kt REO/y or MUSD/y].")
    def china_cap(m, k, member, y):
        row = rows[k, member, y]
        return row <= 0 if any(row.coefficients) else pyo.Constraint.Feasible


def china_cap_rows(problem: Problem, groups: Groups, flows: Mapping[str, Mapping[Any, object]]) -> dict[tuple[str, str, int], LinearSum]:
    """Return the sum that each cap holds at or below zero, by cap, member and year; one with no coefficient but 0 holds nothing.

    Parameters
    ----------
    flows
        Members of the variables named in :data:`CAPPED_FLOWS`, or what stands for them, by index.

    Raises
    ------
    KeyError
        A flow in scope is missing.
    """
    counted, rows = _Flows(flows, problem, groups), {}
    for cap in problem.caps:
        for y, limit in cap.limit.items():
            if limit < 1.0:
                fed = cap.basis == "feedstock" and cap.scope != "partner"
                terms = counted.fed(cap, y) if fed else counted.joint(cap, y)
                rows[cap.cap, cap.member, y] = linear((china - limit * total, variable) for china, total, variable in terms)
    return rows


class _Flows:
    """The flows that a cap counts in a year, each as (China-linked, total, variable)."""

    def __init__(self, flows: Mapping[str, Mapping[Any, object]], problem: Problem, groups: Groups) -> None:
        self.problem, self.groups = problem, groups
        self.feed, self.deliver, self.purchase, self.china_delivered, self.china_out = (flows[name] for name in CAPPED_FLOWS)

    def fed(self, cap: Cap, y: int) -> Iterator[tuple[float, float, object]]:
        """Yield what the joint plants are fed."""
        problem = self.problem
        by_product = cap.scope in ("product", "every_product")
        for key in self.groups.feeds_in[y]:
            s, h = key[0], key[1]
            if cap.scope == "host" and h != cap.member:
                continue
            if by_product:
                unit = problem.content[s].get(cap.member, 0.0) * (problem.price[cap.member, y] if cap.measure == "value" else 1.0)
            else:
                unit = problem.basket[s, y] if cap.measure == "value" else 1.0
            yield problem.china_linked[s] * unit, unit, self.feed[key]

    def joint(self, cap: Cap, y: int) -> Iterator[tuple[float, float, object]]:
        """Yield deliveries and, on the supply basis, purchases."""
        problem, groups = self.problem, self.groups
        place = {"host": 0, "product": 1, "every_product": 1, "partner": 2}.get(cap.scope)

        def unit(p: str) -> float:
            return problem.price[p, y] if cap.measure == "value" else 1.0

        def inside(key: tuple) -> bool:
            return place is None or key[place] == cap.member

        for key in filter(inside, groups.deliveries_in[y]):
            yield 0.0, unit(key[1]), self.deliver[key]
            if key in self.china_delivered:
                yield unit(key[1]), 0.0, self.china_delivered[key]
        # in a year with these columns no cap on one market's share holds
        for outflow in filter(inside, groups.china_outflows_in[y]):
            yield unit(outflow[1]), 0.0, self.china_out[outflow]
        if cap.basis == "supply" and cap.scope != "host":
            for bought in groups.purchases_in[y]:
                offer = problem.offers[bought[0]]
                if inside(("", offer.product, bought[1])):
                    yield offer.china_linked * unit(offer.product), unit(offer.product), self.purchase[bought]


def _add_partners(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    entitled = [
        (market, h, y)
        for market, least in problem.offtake_minimum.items()
        if least > 0
        for h, y in groups.feeds_at
        if groups.feeds_at[h, y]
    ]
    products = {(h, y): [] for _, h, y in entitled}  # type: dict[tuple[str, int], list[str]]
    for h, p, y in problem.surpluses:
        if (h, y) in products:
            products[h, y].append(p)

    deliver, surplus = members(m.deliver), members(m.surplus)

    @m.Constraint(entitled, doc="A partner gets its least share of a host's joint output, by value [MUSD/y].")
    def offtake_minimum(m, market, h, y):
        least = problem.offtake_minimum[market]
        terms = []
        for p in products[h, y]:
            price = problem.price[p, y]
            terms += [(price * ((key[2] == market) - least), deliver[key]) for key in groups.deliveries_from[h, p, y]]
            terms.append((-price * least, surplus[h, p, y]))
        row = linear(terms)
        return row >= 0 if any(row.coefficients) else pyo.Constraint.Feasible

    spending = {key: LinearSum() for key in problem.budget}
    for key, variable in m.build.items():
        capex = problem.capex[key]
        for t, share in problem.spend[key].items():
            for market in problem.partners:
                if (spent := spending.get((market, t))) is not None:
                    spent.coefficients.append(problem.partner_share[market, key[0]] * share * capex)
                    spent.variables.append(variable)
    spending = {key: spent for key, spent in spending.items() if any(spent.coefficients)}

    @m.Constraint(spending, doc="A partner's share of the capital spent in a year stays within its budget [MUSD].")
    def capex_budget(m, market, t):
        return spending[market, t] <= problem.budget[market, t]


def _add_concentration(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    if problem.country_share_limit >= 1.0:
        return
    countries = list(dict.fromkeys(problem.country[h] for h in problem.hosts if groups.builds_at[h]))
    m.COUNTRY_YEARS = pyo.Set(initialize=[(n, y) for n in countries for y in problem.years], dimen=2)
    m.capacity_on_line = pyo.Var(m.COUNTRY_YEARS, domain=pyo.NonNegativeReals, doc="Nameplate capacity on line in a country [kt REO/y].")
    before = dict(zip(problem.years[1:], problem.years[:-1], strict=True))
    starting: dict[tuple[str, int], list] = {key: [] for key in m.COUNTRY_YEARS}
    for key, variable in m.build.items():
        starting[problem.country[key[0]], key[3]].append((problem.capacity[key[1]], variable))

    @m.Constraint(m.COUNTRY_YEARS, doc="Capacity on line is that of the year before and what starts in the year [kt REO/y].")
    def capacity_balance(m, n, y):
        earlier = [(1.0, m.capacity_on_line[n, before[y]])] if y in before else []
        return linear([*earlier, *starting[n, y], (-1.0, m.capacity_on_line[n, y])]) == 0

    @m.Constraint(
        [key for key in m.COUNTRY_YEARS if key[1] >= problem.country_share_from],
        doc="Capacity in one country stays within its share of all joint capacity [kt REO/y].",
    )
    def country_share_limit(m, n, y):
        return linear(((other == n) - problem.country_share_limit, m.capacity_on_line[other, y]) for other in countries) <= 0
