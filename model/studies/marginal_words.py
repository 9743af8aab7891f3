"""What a marginal value means and what to do with it, in words."""

from __future__ import annotations

import math

from model.planner import Plan
from model.studies.marginal_prices import Priced
from model.studies.marginal_probes import CAP, CONTRACT, DEMAND, KT, OFFTAKE, PLANT, RULE, SOURCE, STOCK, SUPPLIER, Probe
from model.studies.marginal_ranges import NOTHING

USD_PER_T = 1000.0
"""One MUSD/kt in USD/t."""


def read_aloud(item: Priced, plan: Plan) -> str:
    """Say what one unit more and one unit less do to the cost, and what to do with it."""
    probe, worth = item.probe, item.unit
    more, less = _said(probe, worth.more), _said(probe, worth.less)
    noun, where = ("tonne", f"of {probe.words}") if probe.unit == KT else ("point", f"in {probe.words}, in every year,")
    one_more = f"One more tonne {where} {more}" if probe.unit == KT else f"One percentage point more {where} {more}"
    one_less = f"One tonne less {where} {less}" if probe.unit == KT else f"One percentage point less {where} {less}"
    short = probe.unit != KT and any(figure < 1.0 for figure in probe.figure.values())
    if math.isnan(worth.less) or worth.alike:
        told = one_more
    elif math.isnan(worth.more) or abs(worth.more) <= NOTHING:
        told = f"{one_less}, one more {more}"
    else:
        told = f"{one_more}, one {noun} less{' (down to 0 at most)' if short else ''} {less}"
    return f"{told}{_advice(item, plan)}"


def _said(probe: Probe, added: float) -> str:
    if math.isnan(added):
        return "has a worth that is not known: the solver stopped without an answer"
    if math.isinf(added):
        return "cannot be bought" if probe.kind == CONTRACT else "leaves no plan with the plants as built"
    if abs(added) <= NOTHING:
        return "changes nothing"
    amount, decimals = (abs(added) * USD_PER_T, 0) if probe.unit == KT else (abs(added), 2)
    figure = f"{amount:,.{decimals}f}" if amount >= 10.0**-decimals else f"{amount:.2g}"
    unit = "MUSD" if probe.unit != KT else "USD a year" if probe.kind == PLANT else "USD"
    return f"{'costs' if added > 0 else 'saves'} {figure} {unit}"


def _advice(item: Priced, plan: Plan) -> str:
    """Say what to do; each piece of advice rests on the direction in which it would be taken."""
    kind, more, less = item.probe.kind, item.unit.more, item.unit.less
    one = item.unit.alike
    if kind == PLANT:
        own = _line_cost(plan, item.probe)
        worth = "whether larger pays is not known" if math.isnan(more) else "build larger" if -more > own else "larger does not pay"
        return f"; a tonne of this plant costs {own * USD_PER_T:,.0f} USD a year in capital and fixed cost: {worth}."
    if kind in (SOURCE, SUPPLIER):
        if more < -NOTHING:
            return f"; pay up to {'that' if one else 'the first'} above its price for more of it."
        if more > NOTHING and less < -NOTHING:
            return "; it is fed because something else obliges." if kind == SOURCE else "; its contract obliges to buy it."
        return "; pay nothing above its price for more of it." if abs(more) <= NOTHING else "."
    if kind == CAP:
        if math.isnan(more) and math.isnan(less):
            return "."
        return "; each point tighter costs about as much: the price of the policy." if one else "; that is the price of the policy."
    advice = {
        DEMAND: ("; saving or replacing a tonne is worth that much.", one and more > 0),
        CONTRACT: ("; that is the premium for a supplier that does not depend on anybody else.", less < -NOTHING),
        STOCK: ("; that is the premium of the insurance that a stock is.", less < -NOTHING),
        RULE: ("; worth raising with the host.", more < -NOTHING),
        OFFTAKE: ("; that is what the entitlement costs the others.", less < -NOTHING),
    }
    sentence, due = advice[kind]
    return sentence if due else "."


def _line_cost(plan: Plan, item: Probe) -> float:
    """Return the yearly capital and fixed cost of a line's plants per kg of capacity, USD/kg."""
    problem = plan.problem
    cost = capacity = 0.0
    for h, d, w, y in plan.solution.tables["builds"].itertuples(index=False):
        key = (h, d, w, int(y))
        if f"{h} {problem.build_line[key]}" == item.item:
            cost += sum(charges[key] for charges in problem.build_cost.values())
            capacity += problem.capacity[d]
    return cost / capacity if capacity else math.nan
