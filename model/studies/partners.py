"""What each partner would do without the others, what acting jointly saves, and how each rule splits it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from model.batch import Case, solve_cases
from model.coalitions import SHARED, VIEWS, WHOLE, Coalition, coalition_tables, proper_coalitions, shapley_costs
from model.ledger import SHAPLEY, YEARLY_RULES, cost_by_market, yearly_rule
from model.outcome import Status
from model.planner import Plan
from model.result_schema import ResultColumn
from model.schema import ANY
from model.studies.options import neither_tables
from model.studies.partner_trade import trade_sheet
from model.studies.plan_figures import plan_builds, plants_in_words, verdict
from model.studies.study import StudyContext, StudySheet

WITHOUT_PLANTS = "without joint plants"
RULE_NAMES = {"equity": "equity", "tonnes": "tonnes delivered", "value": "value delivered", SHAPLEY: "Shapley"}

ALONE_COLUMNS = (
    ResultColumn(
        "view",
        "",
        "whole market: the others are gone, so all that is offered to every market is the partner's. shared market: its part of that.",
    ),
    ResultColumn("partner", "", "Partner, or partners, alone."),
    ResultColumn("alone", "MUSD", "Discounted cost of its plan alone."),
    ResultColumn("joint", "MUSD", "What it bears of the joint plan by the rule of the book before any settlement."),
    ResultColumn("gain", "MUSD", "alone less joint; negative: dearer together."),
    ResultColumn("plants", "", "Plants of the plan alone: host, capacity in t REO/y, year on line."),
    ResultColumn("unmet", "t REO", "Demand left short, all modelled years."),
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
    ResultColumn("gain_share", "share", "Part of the whole gain; blank where there is none."),
    ResultColumn("payment", "MUSD", "Discounted sum to be paid (positive) or received beside the yearly rule of the book to reach this cost."),
    ResultColumn("yearly_payment", "MUSD/y", "The same as a constant sum in every year of the plan."),
    ResultColumn("verdict", "", "Against the plan alone."),
)  # fmt: skip


@dataclass(frozen=True)
class Game:
    """Costs of every coalition in one view, MUSD; NaN where a plan alone was not found.

    Parameters
    ----------
    cost
        Coalition -> what its members bear; that of all partners included.
    plans
        Coalition -> its plan alone, which may be that there is none.
    joint_gap
        No joint plan can be cheaper than the run's own by more.
    """

    view: str
    partners: tuple[str, ...]
    cost: dict[Coalition, float]
    plans: dict[Coalition, Plan]
    joint_gap: float

    @property
    def known(self) -> bool:
        """Whether every coalition has a plan."""
        return all(math.isfinite(cost) for cost in self.cost.values())

    def alone(self, partner: str) -> float:
        """Return what a partner pays alone."""
        return self.cost[frozenset({partner})]

    @property
    def gain(self) -> float:
        """Return what the partners alone pay more, together, than in the joint plan."""
        return sum(self.alone(partner) for partner in self.partners) - self.cost[frozenset(self.partners)]

    @property
    def doubt(self) -> float:
        """Return by how much the plans alone could still be cheaper, together."""
        plans = (self.plans.get(frozenset({partner})) for partner in self.partners)
        return sum(max(0.0, plan.solution.gap) for plan in plans if plan is not None and plan.solution.status.has_plan)


def members_cost(plan: Plan, members: Coalition) -> float:
    """Return what some partners bear in a plan, by the yearly rule of the book; NaN without a verified plan."""
    if not (plan.solution.status.has_plan and plan.verification.passed):
        return math.nan
    costs = cost_by_market(plan.tables, plan.problem, plan.solution.tables, yearly_rule(plan.tables))
    return sum(cost for market, cost in costs.items() if market in members)


def solve_games(context: StudyContext) -> tuple[list[Game], Plan | None]:
    """Solve every coalition alone in both views, and the joint market without plants.

    Returns
    -------
    games, bare
        One game a view; `bare` is None where there is no plan without plants.
    """
    partners = context.plan.problem.partners
    start = plan_builds(context.plan)
    cases: list[Case] = [Case(WITHOUT_PLANTS, neither_tables(context.tables))]
    plans: dict[tuple[str, Coalition], Plan] = {}
    of_case: dict[str, tuple[str, Coalition]] = {}
    for view in VIEWS:
        for members in proper_coalitions(partners):
            name = f"{' and '.join(sorted(members))} alone, {view}"
            of_case[name] = (view, members)
            cases.append(Case(name, coalition_tables(context.tables, members, view), start=start))
    bare: Plan | None = None
    for case, plan in solve_cases(cases, context.options, context.workers, lambda line: context.say(f"  {line}"), hot=context.plan.hot):
        if case.name in of_case:
            plans[of_case[case.name]] = plan
        elif plan.solution.status.has_plan and plan.verification.passed:
            bare = plan
    everybody = frozenset(partners)
    games = []
    for view in VIEWS:
        mine = {members: plan for (seen, members), plan in plans.items() if seen == view}
        cost = {members: members_cost(plan, members) for members, plan in mine.items()}
        games.append(
            Game(view, partners, {**cost, everybody: members_cost(context.plan, everybody)}, mine, max(0.0, context.plan.solution.gap))
        )
    return games, bare


def china_share(plan: Plan, members: Coalition) -> float:
    """Return the China-linked share of all that some markets are supplied with, all modelled years; NaN without supply."""
    supply = plan.solution.tables["supply_balance"]
    own = supply[supply["market"].isin(members)]
    whole = float((own["joint"] + own["bought"]).sum())
    return float(own["china"].sum()) / whole if whole > 0 else math.nan


def alone_frame(games: Sequence[Game], plan: Plan) -> pd.DataFrame:
    """Set each coalition's plan alone beside its part of the joint plan."""
    rows = []
    for game in games:
        for members, found in game.plans.items():
            alone, joint = game.cost[members], members_cost(plan, members)
            told = (" and ".join(sorted(members)), alone, joint, alone - joint)
            if not found.solution.status.has_plan:
                rows.append((game.view, *told, "", math.nan, math.nan, math.nan, verdict(found)))
                continue
            own = found.solution.tables["unmet"]
            unmet = float(own.loc[own["market"].isin(members), "tonnes"].sum())
            words = plants_in_words(found.tables, plan_builds(found))
            rows.append((game.view, *told, words, unmet, china_share(found, members), found.solution.gap, verdict(found)))
    return pd.DataFrame(rows, columns=[column.name for column in ALONE_COLUMNS])


def split_frame(games: Sequence[Game], plan: Plan) -> pd.DataFrame:
    """Show what every rule lays on each partner and what that leaves of the gain."""
    tables, problem, found = plan.tables, plan.problem, plan.solution.tables
    chosen = str(tables.settings["partner_rule"])
    laid = {rule: cost_by_market(tables, problem, found, rule) for rule in YEARLY_RULES}
    base = laid[yearly_rule(tables)]
    years = sum(problem.weight.values())
    rows = []
    for game in games:
        rules = {**laid, **({SHAPLEY: shapley_costs(game.partners, game.cost)} if game.known else {})}
        for rule, cost in rules.items():
            for partner in game.partners:
                gain = game.alone(partner) - cost[partner]
                share = gain / game.gain if math.isfinite(game.gain) and abs(game.gain) > 1e-9 else math.nan
                paid = cost[partner] - base[partner]
                standing = (
                    "not known" if not math.isfinite(gain) else "WORSE OFF than alone" if gain < -game.doubt - 1e-6 else "no worse off"
                )
                told = "yes" if rule == chosen else ""
                rows.append((game.view, RULE_NAMES[rule], told, partner, cost[partner], gain, share, paid, paid / years, standing))
    return pd.DataFrame(rows, columns=[column.name for column in SPLIT_COLUMNS])


def double_claims(game: Game) -> float:
    """Return the tonnes that the plans alone take, together, beyond what offers and sources open to all can give; all modelled years."""
    plans = [game.plans.get(frozenset({partner})) for partner in game.partners]
    solved = [plan for plan in plans if plan is not None and plan.solution.status.has_plan]
    if not solved:
        return 0.0
    problem = solved[0].problem
    claims: dict[tuple[str, int], float] = defaultdict(float)
    offered: dict[tuple[str, int], float] = {}
    for plan in solved:
        for s, p, to, _, y, tonnes, _ in plan.solution.tables["purchases"].itertuples(index=False):
            if to == ANY:
                claims[f"{s}|{p}|{to}", y] += tonnes
                offered[f"{s}|{p}|{to}", y] = 1000.0 * problem.supply[f"{s}|{p}|{to}", y]
        for source, _, _, y, tonnes, _ in plan.solution.tables["feed"].itertuples(index=False):
            claims[source, y] += tonnes
            offered[source, y] = 1000.0 * problem.available[source, y]
    return sum(max(0.0, tonnes - offered[key]) for key, tonnes in claims.items())


def gain_sentences(game: Game) -> list[str]:
    """Say what acting jointly is worth in one view."""
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
    verb = "saves" if game.gain >= 0 else "costs"
    against = {
        WHOLE: "against each alone with the whole market to itself",
        SHARED: "against each alone with its part of what is open to all (plans that could be carried out side by side)",
    }[game.view]
    low, high = game.gain - game.doubt, game.gain + game.joint_gap
    words = [f"Acting jointly {verb} {abs(game.gain):,.1f} MUSD, discounted, {against}."]
    if low <= 0.0 <= high and high > low:
        words.append(f"The gaps of the solves let the saving lie between {low:,.1f} and {high:,.1f} MUSD: take it as no gain and no loss.")
    elif high - low > 0.05:
        words.append(f"With the gaps of the solves the saving lies between {low:,.1f} and {high:,.1f} MUSD.")
    claimed = double_claims(game) if game.view == WHOLE else 0.0
    if claimed > 0.5:
        words.append(
            f"Both plans in the whole market cannot be had at once: together they claim {claimed:,.0f} t more than is offered; read the shared market."
        )
    return words


def rule_sentences(split: pd.DataFrame) -> list[str]:
    """Say who gains by the chosen rule in the shared market, and warn where somebody would rather leave."""
    rows = split[split["view"] == SHARED]
    chosen = rows[rows["chosen"] == "yes"]
    if chosen.empty or chosen["gain"].isna().any():
        return []
    name = chosen["rule"].iloc[0]
    parts = [f"{row['partner']} {row['gain']:+,.1f} MUSD" for row in chosen.to_dict("records")]
    words = [f"By the rule of the book ({name}) the gains are {', '.join(parts)} against the shared market."]
    kept = [str(rule) for rule, part in rows.groupby("rule", sort=False) if (part["verdict"] == "no worse off").all()]
    remedy = f"by {' or '.join(kept)} nobody has" if kept else "no rule keeps everybody: change who owns or gets what"
    fair = rows[rows["rule"] == RULE_NAMES[SHAPLEY]].set_index("partner")
    for row in chosen[chosen["verdict"].str.startswith("WORSE")].to_dict("records"):
        words.append(f"Warning: {row['partner']} would be {-row['gain']:,.1f} MUSD worse off than alone and has reason to leave; {remedy}.")
    payers = fair[fair["payment"] > 0]
    if not payers.empty:
        paid = [f"{partner} pays {row['payment']:,.1f} MUSD ({row['yearly_payment']:,.2f} a year)" for partner, row in payers.iterrows()]
        words.append(
            f"To share the gain as each partner's contribution to it (Shapley), beside the yearly rule: {'; '.join(paid)} to the other side."
        )
    swings = (
        split[(split["view"] == SHARED) & (split["rule"] != RULE_NAMES[SHAPLEY])]
        .groupby("partner")["cost"]
        .agg(lambda cost: cost.max() - cost.min())
    )
    words.append(
        f"Between equity, tonnes and value a partner's cost moves by up to {swings.max():,.1f} MUSD: that is what the choice of rule is worth."
    )
    return words


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    partners = context.plan.problem.partners
    if len(partners) < 2:
        context.say("  nothing to do: sheet markets has fewer than two partners.")
        return []
    games, bare = solve_games(context)
    alone, split = alone_frame(games, context.plan), split_frame(games, context.plan)
    by_view = {game.view: gain_sentences(game) for game in games}
    rules = rule_sentences(split)
    sheet = StudySheet(
        "partner_gain",
        "What each partner would pay alone, what acting jointly saves, and how each rule splits it; million constant 2024 USD, discounted.",
        [("Each partner alone, under the same rules.", ALONE_COLUMNS, alone), ("How each rule splits the gain.", SPLIT_COLUMNS, split)],
        [*by_view[SHARED], *rules, *by_view[WHOLE]],
        [by_view[SHARED][0], *[line for line in rules if line.startswith("Warning")][:1]],
    )
    return [sheet, trade_sheet(context.plan, bare)]
