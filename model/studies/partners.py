"""What each partner would do without the others, what acting jointly saves, and how each rule splits it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from model.coalitions import SHARED, WHOLE, shapley_costs
from model.ledger import SHAPLEY, YEARLY_RULES, cost_by_market, yearly_rule
from model.outcome import Status
from model.report_words import SHOWN
from model.result_schema import ResultColumn
from model.studies.partner_game import Game, conflicts, double_claims, members_cost, solve_games
from model.studies.partner_trade import trade_sheet
from model.studies.plan_figures import china_share_of_supply, plan_builds, plants_in_words, tonnes_short, verdict
from model.studies.study import StudyContext, StudySheet
from model.swaps import swing

RULE_NAMES = {"equity": "equity", "tonnes": "tonnes delivered", "value": "value delivered", SHAPLEY: "Shapley"}
WORSE, NO_WORSE, UNSURE, DEPENDS = "WORSE OFF than alone", "no worse off", "not sure within the gap", "depends on who gets which oxide"
SMALL = 1e-6
"""MUSD that no partner stays or leaves for."""

ALONE_COLUMNS = (
    ResultColumn(
        "view",
        "",
        "whole market: the others are gone, so all that is offered to every market is the partner's. shared market: its part of that.",
    ),
    ResultColumn("partner", "", "Partner, or partners, alone."),
    ResultColumn("alone", "MUSD", "Discounted cost of its plan alone."),
    ResultColumn(
        "joint",
        "MUSD",
        "What it bears of the joint plan by the rule of the book, before any settlement; where other markets are served too, of the "
        "partners' plan by themselves.",
    ),
    ResultColumn("gain", "MUSD", "alone less joint; negative: dearer together."),
    ResultColumn("plants", "", "Plants of the plan alone: host, capacity in t REO/y, year on line."),
    ResultColumn("unmet", "t REO", "Demand left short over the horizon."),
    ResultColumn("china", "share", "China-linked share of all it is supplied with, by mass balance, all years."),
    ResultColumn("gap", "MUSD", "No plan alone can be cheaper than this one by more."),
    ResultColumn("verdict", "", "Independent verification."),
)
SPLIT_COLUMNS = (
    ResultColumn("view", "", "What the partners are compared with; see the table above."),
    ResultColumn("rule", "", "How the joint plants' cost, net of what their surplus earns, is shared."),
    ResultColumn("chosen", "", "yes: setting partner_rule."),
    ResultColumn("partner", "", "Partner."),
    ResultColumn("cost", "MUSD", "Discounted cost that the rule lays on the partner; the partners' costs sum to the same by every rule."),
    ResultColumn("gain", "MUSD", "Cost alone less that; the partners' gains sum to the gain from acting jointly."),
    ResultColumn("gain_least", "MUSD", "The gain if the others got the cheaper oxide wherever that costs nothing in all; under Shapley the gain."),
    ResultColumn("gain_most", "MUSD", "The gain if the partner got it."),
    ResultColumn("gain_share", "share", "Part of the whole gain; blank where there is none."),
    ResultColumn("payment", "MUSD", "Discounted sum to be paid (positive) or received beside the yearly rule of the book to reach this cost."),
    ResultColumn("yearly_payment", "MUSD/y", "The same as a constant sum in every year of the plan."),
    ResultColumn("verdict", "", "Against the plan alone, whose gap can only make the partner worse off."),
)  # fmt: skip


def alone_frame(games: Sequence[Game]) -> pd.DataFrame:
    """Set each coalition's plan alone beside its part of the joint plan."""
    rows = []
    for game in games:
        for members, found in game.plans.items():
            alone, joint = game.cost[members], members_cost(game.joint, members)
            told = (" and ".join(sorted(members)), alone, joint, alone - joint)
            if not found.solution.status.has_plan:
                rows.append((game.view, *told, "", math.nan, math.nan, math.nan, verdict(found)))
                continue
            unmet = tonnes_short(found, markets=members)
            words = plants_in_words(found.tables, plan_builds(found))
            rows.append((game.view, *told, words, unmet, china_share_of_supply(found, members), found.solution.gap, verdict(found)))
    return pd.DataFrame(rows, columns=[column.name for column in ALONE_COLUMNS])


def standing(gain: float, gap: float, lower: float, higher: float) -> str:
    """Return how a partner stands in the joint plan against its plan alone.

    Parameters
    ----------
    gain
        Cost of the plan alone, which is found and therefore the most that going alone costs, less cost in the joint plan, MUSD.
    gap
        By how much going alone could still be cheaper: it can only make the partner worse off.
    lower, higher
        How far the partner's cost in the joint plan moves with who gets which oxide, at no cost in all.
    """
    if not math.isfinite(gain):
        return "not known"
    if gain + lower < -SMALL:
        return WORSE
    if gain - higher >= gap - SMALL:
        return NO_WORSE
    return DEPENDS if gain - higher < -SMALL and lower + higher > SMALL else UNSURE


def split_frame(games: Sequence[Game]) -> pd.DataFrame:
    """Show what every rule lays on each partner and what that leaves of the gain."""
    rows = []
    for game in games:
        if not game.joint.verified:
            continue
        tables, problem, found = game.joint.tables, game.joint.problem, game.joint.solution.tables
        chosen = str(tables.settings["partner_rule"])
        laid = {rule: cost_by_market(tables, problem, found, rule) for rule in YEARLY_RULES}
        base = laid[yearly_rule(tables)]
        years = sum(problem.weight.values())
        rules = {**laid, **({SHAPLEY: shapley_costs(game.partners, game.cost)} if game.known else {})}
        for rule, cost in rules.items():
            for partner in game.partners:
                gain = game.alone(partner) - cost[partner]
                lower, higher = swing(problem, found, rule, partner) if rule in YEARLY_RULES else (0.0, 0.0)
                share = gain / game.gain if math.isfinite(game.gain) and abs(game.gain) > 1e-9 else math.nan
                paid = cost[partner] - base[partner]
                stands = standing(gain, game.alone_gap(partner), lower, higher)
                told = ("yes" if rule == chosen else "", partner, cost[partner])
                rows.append((game.view, RULE_NAMES[rule], *told, gain, gain - higher, gain + lower, share, paid, paid / years, stands))
    return pd.DataFrame(rows, columns=[column.name for column in SPLIT_COLUMNS])


def shared_words(game: Game) -> str:
    """Say whether the plans alone in the shared market could be carried out together."""
    clashes = conflicts(game)
    if not clashes:
        return "plans that could be carried out side by side"
    return f"feed and offers shared out; {'both' if len(game.partners) == 2 else 'the'} plans {'; they '.join(clashes)}"


def gain_sentences(game: Game) -> list[str]:
    """Say what acting jointly is worth in one view."""
    if not game.joint.verified:
        why = "exists" if game.joint.solution.status is Status.INFEASIBLE else "was found and verified"
        return [f"In the {game.view} no plan of the partners by themselves {why}: what acting jointly is worth to them is not known."]
    lost = [partner for partner in game.partners if not math.isfinite(game.alone(partner))]
    if lost:
        status = {partner: game.plans[frozenset({partner})].solution.status for partner in lost}
        barred = [partner for partner in lost if status[partner] is Status.INFEASIBLE]
        words = (
            [f"In the {game.view} {', '.join(barred)} has no plan alone under the same rules: it needs the others, or other caps."]
            if barred
            else []
        )
        return words or [f"In the {game.view} the plan of {', '.join(lost)} alone was not found or not verified; give the solve more time."]
    verb = "saves" if game.gain >= -SMALL else "costs"
    against = {
        WHOLE: lambda: "against each alone with the whole market to itself",
        SHARED: lambda: f"against each alone with its part of what is open to all ({shared_words(game)})",
    }[game.view]()
    low, high = game.gain - game.doubt, game.gain + game.joint_gap
    what = f" on the partners' own demand ({', '.join(game.left_out)} left out)" if game.left_out else ""
    words = [f"Acting jointly {verb} {abs(game.gain):,.1f} MUSD{what}, discounted, {against}."]
    if low <= 0.0 <= high and high > low:
        words.append(f"The gaps of the solves let the saving lie between {low:,.1f} and {high:,.1f} MUSD: take it as no gain and no loss.")
    elif high - low > SHOWN:
        words.append(f"With the gaps of the solves the saving lies between {low:,.1f} and {high:,.1f} MUSD.")
    claimed = double_claims(game) if game.view == WHOLE else 0.0
    if claimed > 0.5:
        words.append(
            f"The plans alone in the whole market cannot be had at once: together they claim {claimed:,.0f} t more than is offered; read the shared market."
        )
    return words


def rule_sentences(split: pd.DataFrame, game: Game) -> list[str]:
    """Say who gains by the chosen rule in the shared market, and warn where somebody would rather leave."""
    rows = split[split["view"] == SHARED]
    chosen = rows[rows["chosen"] == "yes"]
    if chosen.empty or chosen["gain"].isna().any():
        return []
    name = chosen["rule"].iloc[0]
    loose = (chosen["gain_most"] - chosen["gain_least"]).max() > SHOWN
    parts = [
        f"{row['partner']} {row['gain_least']:+,.1f} to {row['gain_most']:+,.1f} MUSD"
        if loose
        else f"{row['partner']} {row['gain']:+,.1f} MUSD"
        for row in chosen.to_dict("records")
    ]
    words = [f"By the rule of the book ({name}) the gains are {', '.join(parts)} against the shared market."]
    if loose:
        words.append(
            "They have a range because the total does not say which partner gets which oxide: swaps that cost nothing in all move them at least that far. "
            "Shapley does not depend on it."
        )
    words += _standing_sentences(rows, chosen, game)
    fair = rows[rows["rule"] == RULE_NAMES[SHAPLEY]].set_index("partner")
    payers = fair[fair["payment"] > SMALL]
    if not payers.empty:
        paid = [f"{partner} pays {row['payment']:,.1f} MUSD ({row['yearly_payment']:,.2f} a year)" for partner, row in payers.iterrows()]
        words.append(
            f"To share the gain as each partner's contribution to it (Shapley), beside the yearly rule{' and with the oxide as this plan shares it out' * bool(loose)}: "
            f"{'; '.join(paid)} to the other{'s' if len(fair) > 2 else ' side'}."
        )
    swings = rows[rows["rule"] != RULE_NAMES[SHAPLEY]].groupby("partner")["cost"].agg(lambda cost: cost.max() - cost.min())
    words.append(
        f"Between equity, tonnes and value a partner's cost moves by up to {swings.max():,.1f} MUSD: that is what the choice of rule is worth."
    )
    return words


def _standing_sentences(rows: pd.DataFrame, chosen: pd.DataFrame, game: Game) -> list[str]:
    """Warn of who is worse off than alone by the chosen rule, and say where that is open."""
    kept = [str(rule) for rule, part in rows.groupby("rule", sort=False) if (part["verdict"] == NO_WORSE).all()]
    remedy = f"by {' or '.join(kept)} nobody has" if kept else "no rule is sure to keep everybody: change who owns or gets what"
    words = []
    for row in chosen.to_dict("records"):
        gap = game.alone_gap(row["partner"])
        if row["verdict"] == WORSE:
            more = f" (up to {gap - row['gain']:,.1f} with the gap of its plan alone)" if gap > SHOWN else ""
            words.append(
                f"Warning: {row['partner']} would be {-row['gain']:,.1f} MUSD worse off than alone{more} and has reason to leave; {remedy}."
            )
        elif row["verdict"] == UNSURE:
            words.append(
                f"Whether {row['partner']} is worse off than alone is not sure: it gains {row['gain']:,.1f} MUSD, and its plan alone could "
                f"still be {gap:,.1f} MUSD cheaper."
            )
    open_to = [row["partner"] for row in chosen.to_dict("records") if row["verdict"] == DEPENDS]
    if open_to:
        words.append(
            f"Whether {' or '.join(open_to)} is worse off than alone depends on who gets which oxide: agree on that with the plants, "
            "or settle by Shapley."
        )
    return words


def apart_sentences(games: Sequence[Game]) -> list[str]:
    """Say that markets which are no partner are left out, and what the partners do by themselves."""
    others = games[0].left_out
    if not others:
        return []
    named = f"{', '.join(others)} {'is' if len(others) == 1 else 'are'} no partner"
    words = [
        f"{named}, so every plan compared here serves the partners only, the joint one too: beside other markets, what a partner bears "
        "would depend on which of several equally cheap plans was found."
    ]
    for game in games:
        if game.joint.verified:
            plants = plants_in_words(game.joint.tables, plan_builds(game.joint))
            words.append(f"In the {game.view} the partners' joint plan by themselves costs {game.together:,.1f} MUSD; plants: {plants}.")
    return words


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    partners = context.plan.problem.partners
    if len(partners) < 2:
        context.say("  nothing to do: sheet markets has fewer than two partners.")
        return []
    games, bare = solve_games(context)
    alone, split = alone_frame(games), split_frame(games)
    by_view = {game.view: gain_sentences(game) for game in games}
    rules = rule_sentences(split, next(game for game in games if game.view == SHARED))
    sheet = StudySheet(
        "partner_gain",
        "What each partner would pay alone, what acting jointly saves, and how each rule splits it; million constant 2024 USD, discounted.",
        [("Each partner alone, under the same rules.", ALONE_COLUMNS, alone), ("How each rule splits the gain.", SPLIT_COLUMNS, split)],
        [*by_view[SHARED], *rules, *by_view[WHOLE], *apart_sentences(games)],
        [by_view[SHARED][0], *[line for line in rules if line.startswith("Warning")][:1]],
    )
    return [sheet, trade_sheet(context.plan, bare)]
