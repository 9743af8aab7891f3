"""The model as a competent user would first write it: generator sums over sparse sets in plain Pyomo.

It shares no code with the rooms it is compared with. It may be corrected, never weakened or slowed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pyomo.environ as pyo

from model.problem import Cap, Problem


def _grouped(keys: Iterable[tuple], *places: int) -> dict:
    """Group keys by the entries at `places`."""
    groups = defaultdict(list)
    for key in keys:
        groups[tuple(key[place] for place in places)].append(key)
    return groups


def build_plain_model(problem: Problem) -> pyo.ConcreteModel:
    """Return the model of ``formulation.md``, written as one would on paper."""
    m = pyo.ConcreteModel()
    m.build = pyo.Var(problem.builds, domain=pyo.Binary)
    m.host_open = pyo.Var(problem.hosts, bounds=(0, 1))
    m.feed = pyo.Var(problem.feeds, domain=pyo.NonNegativeReals)
    m.deliver = pyo.Var(problem.deliveries, domain=pyo.NonNegativeReals)
    m.surplus = pyo.Var(problem.surpluses, domain=pyo.NonNegativeReals)
    m.purchase = pyo.Var(problem.purchases, domain=pyo.NonNegativeReals)
    m.stock = pyo.Var(list(problem.stock_needed), domain=pyo.NonNegativeReals)
    m.stock_drawn = pyo.Var(list(problem.stock_needed), domain=pyo.Reals)
    m.unmet = pyo.Var(list(problem.demand), bounds=lambda m, *need: (0, problem.demand[need]))
    m.china_delivered = pyo.Var(problem.china_deliveries, domain=pyo.NonNegativeReals)
    m.china_surplus = pyo.Var(problem.china_surpluses, domain=pyo.NonNegativeReals)
    _add_plants(m, problem)
    _add_material(m, problem)
    _add_markets(m, problem)
    _add_caps(m, problem)
    _add_partners(m, problem)
    _add_cost(m, problem)
    return m


def _add_plants(m: pyo.ConcreteModel, problem: Problem) -> None:
    builds_at = _grouped(problem.builds, 0)
    feeds_of_line = _grouped(problem.feeds, 1, 2, 3)
    builds_of_line = defaultdict(list)
    for key in problem.builds:
        builds_of_line[key[0], problem.build_line[key]].append(key)
    hosts = [h for (h,) in builds_at]

    @m.Constraint(hosts)
    def plants_per_host_limit(m, h):
        return sum(m.build[key] for key in builds_at[h,]) <= problem.plants_per_host

    @m.Constraint()
    def plant_count_limit(m):
        return sum(m.build[key] for key in problem.builds) <= problem.max_plants if problem.builds else pyo.Constraint.Skip

    @m.Constraint(problem.hosts)
    def host_open_link(m, h):
        return m.host_open[h] <= sum(m.build[key] for key in builds_at[h,])

    @m.Constraint()
    def host_count_minimum(m):
        return sum(m.host_open[h] for h in problem.hosts) >= problem.minimum_hosts if problem.minimum_hosts else pyo.Constraint.Skip

    forced = {rule.rule_id: rule for rule in problem.rules if rule.rule == "force_plant"}

    @m.Constraint(list(forced))
    def forced_plant_minimum(m, r):
        rule = forced[r]
        plants = [key for key in builds_at[rule.host,] if rule.holds(key[3])]
        if not plants:
            return pyo.Constraint.Infeasible if rule.value > 0 else pyo.Constraint.Skip
        return sum(problem.capacity[key[1]] * m.build[key] for key in plants) >= rule.value

    lines = list(feeds_of_line)

    @m.Constraint(lines)
    def capacity_limit(m, h, l, y):
        return sum(m.feed[key] for key in feeds_of_line[h, l, y]) <= sum(
            problem.usable[key, y] * m.build[key] for key in builds_of_line[h, l] if key[3] <= y
        )

    @m.Constraint(lines)
    def cracking_limit(m, h, l, y):
        cracked = [key for key in feeds_of_line[h, l, y] if problem.cracked[key[0]]]
        if not cracked:
            return pyo.Constraint.Skip
        return sum(m.feed[key] for key in cracked) <= sum(
            problem.usable[key, y] * m.build[key] for key in builds_of_line[h, l] if key[3] <= y and problem.integrated[key[1]]
        )

    ripe = defaultdict(list)
    for key, y in problem.least_feed:
        ripe[key[0], problem.build_line[key], y].append(key)

    @m.Constraint(list(ripe))
    def use_minimum(m, h, l, y):
        least = sum(problem.least_feed[key, y] * m.build[key] for key in ripe[h, l, y])
        return sum(m.feed[key] for key in feeds_of_line[h, l, y]) >= least

    @m.Constraint(list(ripe))
    def separation_use_minimum(m, h, l, y):
        separating = [key for key in ripe[h, l, y] if not problem.integrated[key[1]]]
        if not separating:
            return pyo.Constraint.Skip
        least = sum(problem.least_feed[key, y] * m.build[key] for key in separating)
        return sum(m.feed[key] for key in feeds_of_line[h, l, y] if not problem.cracked[key[0]]) >= least

    if problem.country_share_limit < 1.0:
        _add_country_share(m, problem)


def _add_country_share(m: pyo.ConcreteModel, problem: Problem) -> None:
    countries = sorted({problem.country[key[0]] for key in problem.builds})
    m.capacity_on_line = pyo.Var(countries, problem.years, domain=pyo.NonNegativeReals)
    before = dict(zip(problem.years[1:], problem.years[:-1], strict=True))

    @m.Constraint(countries, problem.years)
    def capacity_balance(m, n, y):
        earlier = m.capacity_on_line[n, before[y]] if y in before else 0.0
        starting = sum(problem.capacity[key[1]] * m.build[key] for key in problem.builds if key[3] == y and problem.country[key[0]] == n)
        return m.capacity_on_line[n, y] == earlier + starting

    @m.Constraint(countries, [y for y in problem.years if y >= problem.country_share_from])
    def country_share_limit(m, n, y):
        return m.capacity_on_line[n, y] <= problem.country_share_limit * sum(m.capacity_on_line[other, y] for other in countries)


def _add_material(m: pyo.ConcreteModel, problem: Problem) -> None:
    feeds_at = _grouped(problem.feeds, 1, 3)
    feeds_of_source = _grouped(problem.feeds, 0, 3)
    deliveries_from = _grouped(problem.deliveries, 0, 1, 3)
    china_from = _grouped(problem.china_deliveries, 0, 1, 3)

    def made(m, h, p, y):
        return sum(problem.yields[s, h, l][p] * m.feed[s, h, l, y] for s, _, l, _ in feeds_at[h, y] if p in problem.yields[s, h, l])

    def exports(m, h, p, y):
        abroad = (key for key in deliveries_from[h, p, y] if problem.market_country[key[2]] != problem.country[h])
        return sum(m.deliver[key] for key in abroad)

    @m.Constraint(list(feeds_of_source))
    def source_limit(m, s, y):
        return sum(m.feed[key] for key in feeds_of_source[s, y]) <= problem.available[s, y]

    @m.Constraint(problem.surpluses)
    def product_balance(m, h, p, y):
        return made(m, h, p, y) == sum(m.deliver[key] for key in deliveries_from[h, p, y]) + m.surplus[h, p, y]

    @m.Constraint(problem.china_surpluses)
    def china_balance(m, h, p, y):
        china = sum(
            problem.china_linked[s] * problem.yields[s, h, l][p] * m.feed[s, h, l, y]
            for s, _, l, _ in feeds_at[h, y]
            if p in problem.yields[s, h, l]
        )
        return china == sum(m.china_delivered[key] for key in china_from[h, p, y]) + m.china_surplus[h, p, y]

    @m.Constraint(problem.china_deliveries)
    def china_delivered_link(m, h, p, market, y):
        return m.china_delivered[h, p, market, y] <= m.deliver[h, p, market, y]

    @m.Constraint(problem.china_surpluses)
    def china_surplus_link(m, h, p, y):
        return m.china_surplus[h, p, y] <= m.surplus[h, p, y]

    m.feed_ceiling_limit, m.export_share_limit, m.export_ceiling_limit = pyo.ConstraintList(), pyo.ConstraintList(), pyo.ConstraintList()
    for rule in problem.rules:
        for y in problem.years:
            if not rule.holds(y):
                continue
            products = [p for p in problem.products if rule.product in ("", p) and deliveries_from[rule.host, p, y]]
            if rule.rule == "feed_ceiling" and feeds_at[rule.host, y]:
                m.feed_ceiling_limit.add(sum(m.feed[key] for key in feeds_at[rule.host, y]) <= rule.value)
            elif rule.rule == "export_share":
                for p in products:
                    m.export_share_limit.add(exports(m, rule.host, p, y) - rule.value * made(m, rule.host, p, y) <= 0)
            elif rule.rule == "export_ceiling" and any(
                problem.market_country[key[2]] != problem.country[rule.host] for p in products for key in deliveries_from[rule.host, p, y]
            ):
                m.export_ceiling_limit.add(sum(exports(m, rule.host, p, y) for p in products) <= rule.value)


def _add_markets(m: pyo.ConcreteModel, problem: Problem) -> None:
    deliveries_to = _grouped(problem.deliveries, 2, 1, 3)
    purchases_of = _grouped(problem.purchases, 0, 2)
    demand_of = _grouped(problem.demand, 0, 2, 3)
    purchases_to = defaultdict(list)
    for o, market, y in problem.purchases:
        purchases_to[market, problem.offers[o].product, y].append((o, market, y))

    @m.Constraint(list(purchases_of))
    def supplier_limit(m, o, y):
        return sum(m.purchase[key] for key in purchases_of[o, y]) <= problem.supply[o, y]

    @m.Constraint(list(problem.least_take))
    def take_minimum(m, o, y):
        if not purchases_of[o, y]:
            return pyo.Constraint.Infeasible if problem.least_take[o, y] > 0 else pyo.Constraint.Skip
        return sum(m.purchase[key] for key in purchases_of[o, y]) >= problem.least_take[o, y]

    @m.Constraint(list(dict.fromkeys([*demand_of, *problem.stock_needed])))
    def demand_balance(m, market, p, y):
        drawn = m.stock_drawn[market, p, y] if (market, p, y) in problem.stock_needed else 0.0
        supplied = sum(m.deliver[key] for key in deliveries_to[market, p, y]) + sum(m.purchase[key] for key in purchases_to[market, p, y])
        unmet = sum(m.unmet[key] for key in demand_of[market, p, y])
        return supplied + drawn + unmet == sum(problem.demand[key] for key in demand_of[market, p, y])

    before = dict(zip(problem.years[1:], problem.years[:-1], strict=True))

    @m.Constraint(list(problem.stock_needed))
    def stock_balance(m, market, p, y):
        earlier = m.stock[market, p, before[y]] if y in before else problem.opening_stock[market, p]
        return m.stock[market, p, y] == earlier - problem.years_represented[y] * m.stock_drawn[market, p, y]

    @m.Constraint(list(problem.stock_needed))
    def stock_minimum(m, market, p, y):
        return m.stock[market, p, y] >= problem.stock_needed[market, p, y]


def _add_caps(m: pyo.ConcreteModel, problem: Problem) -> None:
    feeds_in, deliveries_in, purchases_in = _grouped(problem.feeds, 3), _grouped(problem.deliveries, 3), _grouped(problem.purchases, 2)
    china = set(problem.china_deliveries)

    def unit(cap: Cap, p: str, y: int) -> float:
        return problem.price[p, y] if cap.measure == "value" else 1.0

    def feedstock(cap: Cap, y: int) -> tuple[Any, Any]:
        feeds = [key for key in feeds_in[y,] if cap.scope != "host" or key[1] == cap.member]
        if cap.scope in ("product", "every_product"):
            units = {s: problem.content[s].get(cap.member, 0.0) * unit(cap, cap.member, y) for s in {key[0] for key in feeds}}
        else:
            units = {s: problem.basket[s, y] if cap.measure == "value" else 1.0 for s in {key[0] for key in feeds}}
        return (
            sum(problem.china_linked[key[0]] * units[key[0]] * m.feed[key] for key in feeds),
            sum(units[key[0]] * m.feed[key] for key in feeds),
        )

    def supplied(cap: Cap, y: int) -> tuple[Any, Any]:
        def within(h: str, p: str, market: str) -> bool:
            return cap.scope == "all" or cap.member == {"host": h, "partner": market}.get(cap.scope, p)

        deliveries = [key for key in deliveries_in[y,] if within(key[0], key[1], key[2])]
        linked = sum(unit(cap, key[1], y) * m.china_delivered[key] for key in deliveries if key in china)
        total = sum(unit(cap, key[1], y) * m.deliver[key] for key in deliveries)
        if cap.basis == "supply" and cap.scope != "host":
            bought = [(key, problem.offers[key[0]]) for key in purchases_in[y,]]
            bought = [(key, offer) for key, offer in bought if within("", offer.product, key[1])]
            linked += sum(offer.china_linked * unit(cap, offer.product, y) * m.purchase[key] for key, offer in bought)
            total += sum(unit(cap, offer.product, y) * m.purchase[key] for key, offer in bought)
        return linked, total

    m.china_cap = pyo.ConstraintList()
    for cap in problem.caps:
        for y, limit in cap.limit.items():
            if limit < 1.0:
                linked, total = feedstock(cap, y) if cap.basis == "feedstock" and cap.scope != "partner" else supplied(cap, y)
                if not isinstance(total, int | float):  # nothing in scope is 0 of 0
                    m.china_cap.add(linked <= limit * total)


def _add_partners(m: pyo.ConcreteModel, problem: Problem) -> None:
    deliveries_from = _grouped(problem.deliveries, 0, 3)
    surpluses_at = _grouped(problem.surpluses, 0, 2)

    @m.Constraint([(market, h, y) for market in problem.partners for h, y in surpluses_at if problem.offtake_minimum[market] > 0])
    def offtake_minimum(m, market, h, y):
        received = sum(problem.price[key[1], y] * m.deliver[key] for key in deliveries_from[h, y] if key[2] == market)
        made = sum(problem.price[key[1], y] * m.deliver[key] for key in deliveries_from[h, y]) + sum(
            problem.price[key[1], y] * m.surplus[key] for key in surpluses_at[h, y]
        )
        return received >= problem.offtake_minimum[market] * made

    spending = defaultdict(list)
    for build in problem.builds:
        for t, share in problem.spend[build].items():
            spending[t].append((share * problem.capex[build], build))

    @m.Constraint([(market, t) for market, t in problem.budget if spending[t]])
    def capex_budget(m, market, t):
        paid = sum(problem.partner_share[market, build[0]] * capital * m.build[build] for capital, build in spending[t])
        return paid <= problem.budget[market, t]


def _add_cost(m: pyo.ConcreteModel, problem: Problem) -> None:
    weight = problem.weight
    plants = sum(
        weight[y] * cost * m.build[key]
        for costs in problem.build_cost.values()
        for key, cost in costs.items()
        for y in problem.years
        if y >= key[3]
    )
    feed = sum(weight[key[3]] * cost * m.feed[key] for costs in problem.feed_cost.values() for key, cost in costs.items())
    freight = sum(weight[key[3]] * cost * m.deliver[key] for costs in problem.delivery_cost.values() for key, cost in costs.items())
    oxide = sum(weight[key[2]] * cost * m.purchase[key] for costs in problem.purchase_cost.values() for key, cost in costs.items())
    stock = sum(weight[y] * problem.holding_cost[market, p] * m.stock[market, p, y] for market, p, y in problem.stock_needed)
    shortage = sum(weight[y] * problem.shortage_cost[c, p, y] * m.unmet[market, c, p, y] for market, c, p, y in problem.demand)
    surplus = sum(weight[y] * problem.surplus_price[p, y] * m.surplus[h, p, y] for h, p, y in problem.surpluses)
    m.total_cost = pyo.Objective(expr=plants + feed + freight + oxide + stock + shortage - surplus)
