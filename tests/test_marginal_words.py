"""What is said of a marginal value, and that each piece of advice rests on the direction in which it would be taken."""

from __future__ import annotations

import functools
import math

import pytest

from model.planner import Plan, solve
from model.studies.marginal_prices import Priced, Slopes
from model.studies.marginal_probes import CAP, CONTRACT, DEMAND, KT, OFFTAKE, PLANT, POINT, RULE, SOURCE, STOCK, SUPPLIER, Probe
from model.studies.marginal_words import read_aloud
from tests import small


@functools.cache
def plan() -> Plan:
    """Return a plan with a plant of 1 kt at 10 MUSD a year."""
    return solve(small.book(), small.EXACT)


def said(kind: str, more: float, less: float, unit: str = KT, item: str = "it") -> str:
    """Return what is said of a figure of which one more and one less add so much, MUSD/kt or MUSD/point."""
    slopes = Slopes(math.nan, more, less)
    return read_aloud(Priced(Probe(kind, item, "it", unit, figure={2030: 50.0}), slopes, slopes, -1.0, 1.0), plan())


@pytest.mark.parametrize(
    ("kind", "more", "less", "words"),
    [
        (SOURCE, -0.005, 0.005, "One more tonne of it saves 5 USD; pay up to that above its price for more of it."),
        (SOURCE, -5, 9, "One more tonne of it saves 5,000 USD, one tonne less costs 9,000 USD; pay up to the first above its price for more of it."),
        (SOURCE, 0, 9, "One tonne less of it costs 9,000 USD, one more changes nothing; pay nothing above its price for more of it."),
        (SOURCE, 5, -5, "One more tonne of it costs 5,000 USD; it is fed because something else obliges."),
        (SUPPLIER, 5, -5, "One more tonne of it costs 5,000 USD; its contract obliges to buy it."),
        (SUPPLIER, 5, 0, "One more tonne of it costs 5,000 USD, one tonne less changes nothing."),
        (DEMAND, 5, -5, "One more tonne of it costs 5,000 USD; saving or replacing a tonne is worth that much."),
        (DEMAND, 9, -5, "One more tonne of it costs 9,000 USD, one tonne less saves 5,000 USD."),
        (DEMAND, -5, 5, "One more tonne of it saves 5,000 USD."),
        (DEMAND, math.inf, -5, "One more tonne of it leaves no plan with the plants as built, one tonne less saves 5,000 USD."),
        (CONTRACT, math.inf, -5, "One more tonne of it cannot be bought, one tonne less saves 5,000 USD; that is the premium for a supplier that does not depend on anybody else."),
        (CONTRACT, 5, 0, "One more tonne of it costs 5,000 USD, one tonne less changes nothing."),
        (STOCK, 5, -5, "One more tonne of it costs 5,000 USD; that is the premium of the insurance that a stock is."),
        (STOCK, 5, 0, "One more tonne of it costs 5,000 USD, one tonne less changes nothing."),
        (RULE, -5, 5, "One more tonne of it saves 5,000 USD; worth raising with the host."),
        (RULE, 0, 5, "One tonne less of it costs 5,000 USD, one more changes nothing."),
    ],
)  # fmt: skip
def test_a_tonne_more_or_less_and_what_to_do_with_it(kind, more, less, words):
    assert said(kind, more, less) == words


@pytest.mark.parametrize(
    ("kind", "more", "less", "words"),
    [
        (CAP, -0.6, 0.6, "saves 0.60 MUSD; each point tighter costs about as much: the price of the policy."),
        (CAP, -0.6, 0.9, "saves 0.60 MUSD, one point less costs 0.90 MUSD; that is the price of the policy."),
        (OFFTAKE, 0.6, -0.6, "costs 0.60 MUSD; that is what the entitlement costs the others."),
        (OFFTAKE, 0.6, 0.0, "costs 0.60 MUSD, one point less changes nothing."),
        (CAP, math.nan, math.nan, "has a worth that is not known: the solver stopped without an answer."),
    ],
)
def test_a_point_more_or_less(kind, more, less, words):
    assert said(kind, more, less, POINT) == f"One percentage point more in it, in every year, {words}"


@pytest.mark.parametrize(
    ("more", "words"), [(-11.0, "build larger."), (-9.0, "larger does not pay."), (math.nan, "whether larger pays is not known.")]
)
def test_a_larger_plant_pays_where_a_tonne_saves_more_than_it_costs(more, words):
    told = said(PLANT, more, 80.0, item="HOST light_heavy:own")
    assert told.endswith(f"; a tonne of this plant costs 10,000 USD a year in capital and fixed cost: {words}")
