"""Material: ore in, products out in the ore's proportions, demand and stocks."""

# mypy: allow-untyped-defs, check-untyped-defs
# a rule of a constraint takes the model and indices, whose types Pyomo does not declare

from __future__ import annotations

from collections import defaultdict

import pyomo.core as pyo

from model.groups import Groups
from model.idle import idle_surpluses, implied_source_limits
from model.problem import Problem
from model.rows import LinearSum, each, joined, linear, members


def add_material(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    """Add the balances and limits of material."""
    idle = idle_surpluses(problem, groups)
    for key in idle:
        m.surplus[key].setub(0.0)
    _add_feed(m, problem, groups, implied_source_limits(problem, groups, idle))
    _add_products(m, problem, groups)
    _add_markets(m, problem, groups)


def _add_feed(m: pyo.ConcreteModel, problem: Problem, groups: Groups, implied: set[tuple[str, int]]) -> None:
    feed = members(m.feed)

    @m.Constraint(
        [key for key in groups.feeds_of_source if key not in implied],
        doc="Feed taken from a source stays within its uncommitted output [kt REO/y].",
    )
    def source_limit(m, s, y):
        return each(1.0, [feed[key] for key in groups.feeds_of_source[s, y]]) <= problem.available[s, y]

    ceilings = {(rule.rule_id, y): rule for rule in problem.rules if rule.rule == "feed_ceiling" for y in problem.years if rule.holds(y)}
    ceilings = {key: rule for key, rule in ceilings.items() if groups.feeds_at.get((rule.host, key[1]))}

    @m.Constraint(ceilings, doc="Feed at a host stays within the ceiling of its rule [kt REO/y].")
    def feed_ceiling_limit(m, r, y):
        rule = ceilings[r, y]
        return each(1.0, [feed[key] for key in groups.feeds_at[rule.host, y]]) <= rule.value


RARE = 0.02
"""A product that no ore holds more of than this share has its balances written in t instead of kt, which keeps
coefficients within 1e-3 and 1e4 and makes the solver's tolerance 0.1 g instead of 0.1 kg."""


def row_scale(problem: Problem) -> dict[str, float]:
    """Return what the balances of each product are multiplied by."""
    richest = dict.fromkeys(problem.products, 0.0)
    for shares in problem.yields.values():
        for p, share in shares.items():
            richest[p] = max(richest[p], share)
    return {p: 1000.0 if 0.0 < share < RARE else 1.0 for p, share in richest.items()}


def products_made(m: pyo.ConcreteModel, problem: Problem) -> dict[tuple[str, str, int], LinearSum]:
    """Return what is made of each product at each host and year, in the proportions of the ore [kt REO/y]."""
    made: dict[tuple[str, str, int], LinearSum] = defaultdict(LinearSum)
    for (s, h, l, y), variable in m.feed.items():
        for p, share in problem.yields[s, h, l].items():
            if share > 0:
                product = made[h, p, y]
                product.coefficients.append(share)
                product.variables.append(variable)
    return made


def _add_products(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    scale_of = row_scale(problem)
    made = products_made(m, problem)
    deliver, surplus = members(m.deliver), members(m.surplus)

    @m.Constraint(m.SURPLUSES, doc="What is made of a product leaves as deliveries or surplus [kt REO/y].")
    def product_balance(m, h, p, y):
        out = each(-1.0, [*(deliver[key] for key in groups.deliveries_from[h, p, y]), surplus[h, p, y]])
        return joined(made[h, p, y], out, scale=scale_of[p]) == 0

    def exports(h: str, p: str, y: int) -> LinearSum:
        return each(1.0, [deliver[key] for key in groups.deliveries_from[h, p, y] if problem.market_country[key[2]] != problem.country[h]])

    shares = {
        (rule.rule_id, p, y): rule
        for rule in problem.rules
        if rule.rule == "export_share"
        for p in problem.products
        if rule.product in ("", p)
        for y in problem.years
        if rule.holds(y) and groups.deliveries_from.get((rule.host, p, y))
    }

    @m.Constraint(shares, doc="No more than the allowed share of a product leaves the host's country [kt REO/y].")
    def export_share_limit(m, r, p, y):
        rule = shares[r, p, y]
        kept = joined(made[rule.host, p, y], scale=-rule.value)
        return joined(exports(rule.host, p, y), kept, scale=scale_of[p]) <= 0

    ceilings = {}
    for rule in problem.rules:
        if rule.rule == "export_ceiling":
            for y in problem.years:
                products = [p for p in problem.products if rule.product in ("", p) and groups.deliveries_from.get((rule.host, p, y))]
                if rule.holds(y) and products:
                    ceilings[rule.rule_id, y] = (rule, products)

    @m.Constraint(ceilings, doc="No more than the allowed tonnes leave the host's country [kt REO/y].")
    def export_ceiling_limit(m, r, y):
        rule, products = ceilings[r, y]
        return joined(*(exports(rule.host, p, y) for p in products)) <= rule.value


def _add_markets(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    deliver, purchase, unmet = members(m.deliver), members(m.purchase), members(m.unmet)

    @m.Constraint(
        [key for key in groups.purchases_of if key in problem.supply], doc="Purchases stay within what the supplier offers [kt REO/y]."
    )
    def supplier_limit(m, o, y):
        return each(1.0, [purchase[key] for key in groups.purchases_of[o, y]]) <= problem.supply[o, y]

    @m.Constraint(list(problem.least_take), doc="Contracted tonnes are bought [kt REO/y]; modelling choice 11.")
    def take_minimum(m, o, y):
        return each(1.0, [purchase[key] for key in groups.purchases_of.get((o, y), [])] or [m.nothing]) >= problem.least_take[o, y]

    wanted = dict.fromkeys([*groups.demand_of, *problem.stock_needed])

    @m.Constraint(list(wanted), doc="Deliveries, purchases, stock drawn and shortage meet demand [kt REO/y].")
    def demand_balance(m, market, p, y):
        supplied = [deliver[key] for key in groups.deliveries_to[market, p, y]]
        supplied += [purchase[key] for key in groups.purchases_to[market, p, y]]
        supplied += [unmet[key] for key in groups.demand_of[market, p, y]]
        if (market, p, y) in problem.stock_needed:
            supplied.append(m.stock_drawn[market, p, y])
        return each(1.0, supplied) == sum(problem.demand[key] for key in groups.demand_of[market, p, y])

    before = dict(zip(problem.years[1:], problem.years[:-1], strict=True))

    @m.Constraint(m.STOCKS, doc="Stock at the end of a year is the stock before less what was drawn [kt REO].")
    def stock_balance(m, market, p, y):
        terms = [(1.0, m.stock[market, p, y]), (float(problem.years_represented[y]), m.stock_drawn[market, p, y])]
        if y in before:
            return linear([*terms, (-1.0, m.stock[market, p, before[y]])]) == 0
        return linear(terms) == problem.opening_stock[market, p]

    held = [key for key, kt in problem.stock_needed.items() if kt > 0]

    @m.Constraint(held, doc="Stock covers the days of demand to be held [kt REO].")
    def stock_minimum(m, market, p, y):
        return linear([(1.0, m.stock[market, p, y])]) >= problem.stock_needed[market, p, y]
