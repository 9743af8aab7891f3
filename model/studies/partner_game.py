"""The plans that the partners are compared by: each coalition alone, in two views, and what such plans want twice."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from model.batch import Case, solve_cases
from model.coalitions import VIEWS, Coalition, coalition_tables, proper_coalitions
from model.ledger import cost_by_market, yearly_rule
from model.planner import Plan
from model.problem import KT_PER_T, T_PER_KT, HostRule, offer_key
from model.schema import ANY
from model.studies.options import neither_tables
from model.studies.plan_figures import host_names, plan_builds
from model.studies.study import StudyContext

WITHOUT_PLANTS = "without joint plants"
CEILINGS = {"feed_ceiling": "feed", "export_ceiling": "ship abroad from"}
"""Rules on a host's tonnes, and what is done there."""


@dataclass(frozen=True)
class Game:
    """Costs of every coalition in one view, MUSD; NaN where a plan was not found.

    Parameters
    ----------
    joint
        The plan of all partners: the run's own, or one of the partners by themselves where other markets are served too.
    cost
        Coalition -> what its members bear; that of all partners included.
    plans
        Coalition -> its plan alone, which may be that there is none.
    left_out
        Markets that are no partner and that no plan here serves.
    """

    view: str
    partners: tuple[str, ...]
    joint: Plan
    cost: dict[Coalition, float]
    plans: dict[Coalition, Plan]
    left_out: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether every coalition has a plan."""
        return all(math.isfinite(cost) for cost in self.cost.values())

    @property
    def together(self) -> float:
        """What all partners bear in the joint plan."""
        return self.cost[frozenset(self.partners)]

    def alone(self, partner: str) -> float:
        """Return what a partner pays alone."""
        return self.cost[frozenset({partner})]

    def alone_gap(self, partner: str) -> float:
        """Return by how much a partner's plan alone could still be cheaper; the gap can only make it worse off in the joint plan."""
        plan = self.plans[frozenset({partner})]
        return max(0.0, plan.solution.gap) if plan.solution.status.has_plan else 0.0

    @property
    def gain(self) -> float:
        """What the partners alone pay more, together, than in the joint plan."""
        return sum(self.alone(partner) for partner in self.partners) - self.together

    @property
    def doubt(self) -> float:
        """By how much the plans alone could still be cheaper, together."""
        return sum(self.alone_gap(partner) for partner in self.partners)

    @property
    def joint_gap(self) -> float:
        """By how much the joint plan could still be cheaper."""
        return max(0.0, self.joint.solution.gap)

    def plans_alone(self) -> list[Plan]:
        """Return the plans of single partners, those that there are."""
        found = (self.plans[frozenset({partner})] for partner in self.partners)
        return [plan for plan in found if plan.solution.status.has_plan]


def members_cost(plan: Plan, members: Coalition) -> float:
    """Return what some partners bear in a plan, by the yearly rule of the book; NaN without a verified plan."""
    if not plan.verified:
        return math.nan
    costs = cost_by_market(plan.tables, plan.problem, plan.solution.tables, yearly_rule(plan.tables))
    return sum(cost for market, cost in costs.items() if market in members)


def solve_games(context: StudyContext) -> tuple[list[Game], Plan | None]:
    """Solve every coalition alone in both views and the joint market without plants; with other markets, all partners by themselves too.

    Returns
    -------
    games, bare
        One game a view; `bare` is None where there is no plan without plants.
    """
    partners = context.plan.problem.partners
    everybody = frozenset(partners)
    others = tuple(market for market in context.plan.problem.markets if market not in partners)
    start = plan_builds(context.plan)
    cases: list[Case] = [Case(WITHOUT_PLANTS, neither_tables(context.tables))]
    plans: dict[tuple[str, Coalition], Plan] = {}
    of_case: dict[str, tuple[str, Coalition]] = {}
    for view in VIEWS:
        for members in [*proper_coalitions(partners), *([everybody] if others else [])]:
            name = f"{' and '.join(sorted(members))} {'together' if members == everybody else 'alone'}, {view}"
            of_case[name] = (view, members)
            cases.append(Case(name, coalition_tables(context.tables, members, view), start=start))
    bare: Plan | None = None
    for case, plan in solve_cases(cases, context.options, context.workers, lambda line: context.say(f"  {line}"), hot=context.plan.hot):
        if case.name in of_case:
            plans[of_case[case.name]] = plan
        elif plan.verified:
            bare = plan
    games = []
    for view in VIEWS:
        mine = {members: plan for (seen, members), plan in plans.items() if seen == view}
        joint = mine.pop(everybody, context.plan)
        cost = {members: members_cost(plan, members) for members, plan in {**mine, everybody: joint}.items()}
        games.append(Game(view, partners, joint, cost, mine, others))
    return games, bare


def double_claims(game: Game) -> float:
    """Return the tonnes that the plans alone take, together, beyond what offers and sources open to all can give, over the horizon."""
    solved = game.plans_alone()
    if not solved:
        return 0.0
    problem = solved[0].problem
    claims: dict[tuple[str, int], float] = defaultdict(float)
    offered: dict[tuple[str, int], float] = {}
    for plan in solved:
        for s, p, to, _, y, tonnes, _ in plan.solution.tables["purchases"].itertuples(index=False):
            if to == ANY:
                key = offer_key(s, p, to), y
                claims[key] += tonnes
                offered[key] = T_PER_KT * problem.supply[key]
        for source, _, _, y, tonnes, _ in plan.solution.tables["feed"].itertuples(index=False):
            claims[source, y] += tonnes
            offered[source, y] = T_PER_KT * problem.available[source, y]
    years = problem.years_represented
    return sum(years[key[1]] * max(0.0, tonnes - offered[key]) for key, tonnes in claims.items())


def conflicts(game: Game) -> list[str]:
    """Say which limits on sites, plants and tonnes the plans alone break when they are carried out together, each a part of a sentence.

    Limits on shares (China caps, exports, one country's part of the capacity) hold for the sum of plans that each meet them, and
    budgets are each partner's own.
    """
    solved = game.plans_alone()
    problem = game.joint.problem
    words = []
    builds = [key for plan in solved for key in plan_builds(plan)]
    crowded = sorted(host for host, plants in Counter(h for h, _, _, _ in builds).items() if plants > problem.plants_per_host)
    if crowded:
        words.append(f"want the same {'site' if len(crowded) == 1 else 'sites'} {host_names(game.joint.tables, crowded)}")
    if len(builds) > problem.max_plants:
        words.append(f"make {len(builds)} plants where {problem.max_plants} may be built")
    fed: dict[tuple[str, int], float] = defaultdict(float)
    shipped: dict[tuple[str, str, int], float] = defaultdict(float)
    for plan in solved:
        for _, h, _, y, tonnes, _ in plan.solution.tables["feed"].itertuples(index=False):
            fed[h, y] += tonnes * KT_PER_T
        for h, p, m, y, tonnes, _ in plan.solution.tables["deliveries"].itertuples(index=False):
            if problem.country[h] != problem.market_country[m]:
                shipped[h, p, y] += tonnes * KT_PER_T
    for rule in problem.rules:
        over = max((_used(rule, fed, shipped, y) - rule.value for y in problem.years if rule.holds(y)), default=0.0)
        if rule.rule in CEILINGS and over > 1e-6:
            where = host_names(game.joint.tables, [rule.host])
            words.append(f"{CEILINGS[rule.rule]} {where} {T_PER_KT * over:,.0f} t more than rule {rule.rule_id} allows in a year")
    return words


def _used(rule: HostRule, fed: Mapping[tuple[str, int], float], shipped: Mapping[tuple[str, str, int], float], year: int) -> float:
    """Return what counts against a ceiling in a year, kt."""
    if rule.rule == "feed_ceiling":
        return fed.get((rule.host, year), 0.0)
    return sum(kt for (h, p, y), kt in shipped.items() if h == rule.host and y == year and rule.product in ("", p))
