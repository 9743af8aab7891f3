"""Which sites an option has, its figures over several years, and what is said of options, on tables written down by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from model.planner import solve
from model.studies.options import BOTH, KNOW_HOW, NEITHER, THIRD, list_options, option_sentences, summarise
from tests import small
from tests.test_coalitions import two_partners

LENT = small.way("support", fee=5, provider="JPN")


def test_only_sites_of_partners_and_candidates_abroad_count():
    hosts = [
        small.host("ABROAD"), small.host("NO_CANDIDATE", candidate="no"), small.host("GULF", country="USA", role="partner", candidate="no"),
        small.host("NO_PARTNER", country="FRA", role="partner"), small.host("LENDER", country="JPN", role="partner"),
    ]  # fmt: skip
    options = {option.name: option for option in list_options(two_partners(hosts=hosts, know_how=[small.way(), LENT]))}
    assert options[KNOW_HOW].hosts == ("GULF",)
    assert options[THIRD].hosts == ("ABROAD",)
    assert set(options[BOTH].hosts) == {"ABROAD", "GULF"}


def test_figures_of_years_that_stand_for_several():
    # 1 kt bought at 100 in 2030, 2 kt in 2031, which stands for three years; money of a year later counts four fifths
    demand = [small.demand(1000, but=dict.fromkeys(range(2031, 2034), 2000))]
    settings = {"last_year": 2033, "modelled_years": "2030,2031", "discount_rate": 0.25}
    plan = solve(small.book(settings, hosts=[small.host(candidate="no")], demand=demand), small.EXACT)
    found = summarise(plan)
    weight = plan.problem.weight
    assert plan.problem.years_represented == {2030: 1, 2031: 3}
    assert found["total_cost"] == pytest.approx(100 * weight[2030] + 200 * weight[2031])
    assert found["yearly_cost"] == pytest.approx((100 + 3 * 200) / 4)
    assert found["cost_per_kg"] == pytest.approx(100)


def frame(**cost: tuple[float, float]) -> pd.DataFrame:
    """Return options of these costs and gaps, MUSD; one without a plan costs NaN."""
    names = {"neither": NEITHER, "third": THIRD, "home": KNOW_HOW, "both": BOTH}
    return pd.DataFrame(
        [
            {
                "option": names[name], "total_cost": value, "gap": gap, "saving": 100 - value, "cost_per_kg": value,
                "plants": "none" if name == "neither" else "a plant", "verdict": "no plan exists" if math.isnan(value) else "passed",
            }
            for name, (value, gap) in cost.items()
        ]
    )  # fmt: skip


def test_options_within_both_gaps_of_the_cheapest_are_said_to_cost_the_same():
    words = option_sentences(frame(neither=(100, 0), third=(40, 2), home=(43, 2), both=(39, 1)))
    assert words[0] == f"Cheapest is both: 39.0 MUSD, a plant; within the gaps of the solves it costs the same as {THIRD}."
    assert option_sentences(frame(neither=(100, 0), third=(40, 1), home=(30, 1)))[0] == f"Cheapest is {KNOW_HOW}: 30.0 MUSD, a plant."


@pytest.mark.parametrize(("both", "says"), [(35.0, "worth no more than"), (33.0, "worth 4.0 MUSD more than"), (39.0, "worth no more than")])
def test_having_both_is_worth_what_the_gaps_do_not_explain(both, says):
    # the half that costs least is that at home; what the other costs does not matter
    words = option_sentences(
        frame(neither=(100, 0), third=(60, 1.5), home=(37, 1.5), both=(both, 1.5)), {KNOW_HOW: "a rule", THIRD: "a rule"}
    )
    (told,) = [line for line in words if line.startswith(("Having both", "Both cost"))]
    assert says in told
    assert f"{KNOW_HOW} alone" in told


def test_an_option_without_a_plan_is_not_ranked():
    words = option_sentences(frame(neither=(math.nan, math.nan), third=(40, 0)))
    assert words[0] == f"Cheapest is {THIRD}: 40.0 MUSD, a plant."
    assert words[1] == f"{NEITHER}: no plan exists under the same rules."
    assert not any("nan" in line for line in words)
