"""Material: ore in, products out in the ore's proportions, demand and stocks."""

# mypy: allow-untyped-defs, check-untyped-defs
# a rule of a constraint takes the model and indices, whose types Pyomo does not declare

from __future__ import annotations

import pyomo.environ as pyo

from model.groups import Groups, linear
from model.idle import idle_surpluses, implied_source_limits
from model.problem import Problem


def add_material(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    """Add the balances and limits of material."""
    _add_feed(m, problem, groups)
    _add_products(m, problem, groups)
    _add_markets(m, problem, groups)


def _add_feed(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    implied = implied_source_limits(problem, groups, idle_surpluses(problem, groups))

    @m.Constraint(
        [key for key in groups.feeds_of_source if key not in implied],
        doc="Feed taken from a source stays within its uncommitted output [kt REO/y].",
    )
    def source_limit(m, s, y):
        return linear((1.0, m.feed[key]) for key in groups.feeds_of_source[s, y]) <= problem.available[s, y]

    ceilings = {(rule.rule_id, y): rule for rule in problem.rules if rule.rule == "feed_ceiling" for y in problem.years if rule.holds(y)}
    ceilings = {key: rule for key, rule in ceilings.items() if groups.feeds_at.get((rule.host, key[1]))}

    @m.Constraint(ceilings, doc="Feed at a host stays within the ceiling of its rule [kt REO/y].")
    def feed_ceiling_limit(m, r, y):
        rule = ceilings[r, y]
        return linear((1.0, m.feed[key]) for key in groups.feeds_at[rule.host, y]) <= rule.value


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


def scaled(factor: float, terms: list) -> list:
    """Return terms with every coefficient multiplied by a factor."""
    return [(factor * coefficient, variable) for coefficient, variable in terms]


def _add_products(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    scale_of = row_scale(problem)

    def made(h: str, p: str, y: int, scale: float = 1.0) -> list:
        """Product made at a host, in the proportions of the ore."""
        terms = ((problem.yields[key[0], h, key[2]].get(p, 0.0), key) for key in groups.feeds_at[h, y])
        return [(scale * share, m.feed[key]) for share, key in terms if share > 0]

    for key in idle_surpluses(problem, groups):
        m.surplus[key].setub(0.0)

    @m.Constraint(m.SURPLUSES, doc="What is made of a product leaves as deliveries or surplus [kt REO/y].")
    def product_balance(m, h, p, y):
        out = [(-1.0, m.deliver[key]) for key in groups.deliveries_from[h, p, y]]
        return linear(scaled(scale_of[p], [*made(h, p, y), *out, (-1.0, m.surplus[h, p, y])])) == 0

    def exports(h: str, p: str, y: int) -> list:
        return [(1.0, m.deliver[key]) for key in groups.deliveries_from[h, p, y] if problem.market_country[key[2]] != problem.country[h]]

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
        return linear(scaled(scale_of[p], [*exports(rule.host, p, y), *made(rule.host, p, y, -rule.value)])) <= 0

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
        return linear(term for p in products for term in exports(rule.host, p, y)) <= rule.value


def _add_markets(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    @m.Constraint(
        [key for key in groups.purchases_of if key in problem.supply], doc="Purchases stay within what the supplier offers [kt REO/y]."
    )
    def supplier_limit(m, o, y):
        return linear((1.0, m.purchase[key]) for key in groups.purchases_of[o, y]) <= problem.supply[o, y]

    @m.Constraint(list(problem.least_take), doc="Contracted tonnes are bought [kt REO/y]; modelling choice 11.")
    def take_minimum(m, o, y):
        terms = [(1.0, m.purchase[key]) for key in groups.purchases_of.get((o, y), [])]
        return linear(terms or [(1.0, m.nothing)]) >= problem.least_take[o, y]

    wanted = dict.fromkeys([*groups.demand_of, *problem.stock_needed])

    @m.Constraint(list(wanted), doc="Deliveries, purchases, stock drawn and shortage meet demand [kt REO/y].")
    def demand_balance(m, market, p, y):
        terms = [(1.0, m.deliver[key]) for key in groups.deliveries_to[market, p, y]]
        terms += [(1.0, m.purchase[key]) for key in groups.purchases_to[market, p, y]]
        terms += [(1.0, m.unmet[key]) for key in groups.demand_of[market, p, y]]
        if (market, p, y) in problem.stock_needed:
            terms.append((1.0, m.stock_drawn[market, p, y]))
        return linear(terms) == sum(problem.demand[key] for key in groups.demand_of[market, p, y])

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
