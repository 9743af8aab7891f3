"""Whether one joint plant more would serve a shortage: the limits that keep it out, and what it would surely save."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from model.problem import BuildKey
from model.shortage_room import LIMIT, NO_ORE, USED_UP, Limit, Room

TRIED = 3
"""Sources that a plant is tried on in a year, those worth most."""


@dataclass(frozen=True)
class Candidate:
    """A plant that the plan could have besides its own.

    Parameters
    ----------
    build
        Host, design, way and year on line.
    limits
        What keeps it out.
    saving
        What it would save at least were it not for these limits, MUSD discounted; up to 0: not known to pay.
    serves
        Whether it makes more than those would take to whom the product is worth more than to the one left short.
    """

    build: BuildKey
    limits: tuple[Limit, ...]
    saving: float
    serves: bool

    @property
    def kept_out(self) -> bool:
        """Whether it is shown that a limit and not its cost keeps it from serving."""
        return self.serves and bool(self.limits) and self.saving > 0.0

    @property
    def pays_elsewhere(self) -> bool:
        """Whether a limit keeps it out that would pay, but by what it makes for others."""
        return not self.serves and bool(self.limits) and self.saving > 0.0

    @property
    def too_dear(self) -> bool:
        """Whether the plan was free to build it and did not: a least-cost plan leaves out what costs more than it saves."""
        return not self.limits and self.saving <= 0.0


@dataclass(frozen=True)
class _Run:
    """A source that a line could run on: cost [MUSD/kt] and yields, what the first kt is worth net of it, and whether no cap can mind."""

    source: str
    cost: float
    shares: dict[str, float]
    worth: float
    clean: bool


class FurtherPlants:
    """The plants that could be added to a plan.

    Savings are lower bounds: a plant is thought to run on one source a year at one of a few rates, and what it makes
    to serve those left short, to displace what is bought or to be sold as surplus.
    """

    def __init__(self, room: Room) -> None:
        self.room, self.problem = room, room.problem
        self._saving: dict[tuple[BuildKey, float], tuple[float, float]] = {}
        self._gains: dict[tuple, tuple[float, float]] = {}
        self._lines: dict[tuple[str, str, int], list[_Run]] = {}
        self._site: dict[tuple[BuildKey, BuildKey | None], tuple[Limit, ...]] = {}
        self._fed: dict[tuple, dict[str, list[Limit]]] = {}
        self._spare: dict[tuple[str, str, bool, int], float] = {}
        self._idle: dict[BuildKey, list[Limit]] = {}
        self._starts: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for h, d, w, y in self.problem.builds:
            self._starts[h, d, w].append(y)

    @cached_property
    def _kinds(self) -> list[tuple[str, str, str]]:
        """Host, design and way of the plants that are looked at: of each kind the smallest, the cheapest for its size and the cheapest new one."""
        problem = self.problem
        alike: dict[tuple, list[tuple[str, str, str]]] = defaultdict(list)
        for (h, d, w), years in self._starts.items():
            alike[h, w, problem.build_line[h, d, w, years[0]], problem.integrated[d]].append((h, d, w))
        built = {key[:3] for key in self.room.built}

        def unit_cost(plant: tuple[str, str, str]) -> float:
            key = (*plant, self._starts[plant][0])
            return sum(costs[key] for costs in problem.build_cost.values()) / problem.capacity[plant[1]]

        chosen: dict[tuple[str, str, str], None] = {}
        for plants in alike.values():
            chosen[min(plants, key=lambda plant: problem.capacity[plant[1]])] = None
            chosen[min(plants, key=unit_cost)] = None
            chosen[min(plants, key=lambda plant: (plant in built, unit_cost(plant)))] = None
        return list(chosen)

    def serving(self, market: str, product: str, year: int, cost: float) -> Iterator[Candidate]:
        """Yield plants of every host, way and kind that could make a product for a market, on line as late as serves in a year.

        `cost`: of a kt short [MUSD/kt].
        """
        for plant in self._kinds:
            years = [y for y in self._starts[plant] if y <= year and self.problem.usable.get(((*plant, y), year), 0.0) > 0.0]
            candidate = self.candidate((*plant, max(years)), market, product, year, cost) if years else None
            if candidate is not None:
                yield candidate

    def candidate(
        self, build: BuildKey, market: str, product: str, year: int, cost: float, instead: BuildKey | None = None
    ) -> Candidate | None:
        """Return what keeps a plant out, `instead` of one of the plan's that starts later; None where it cannot make the product."""
        h, line = build[0], self.problem.build_line[build]
        if (h, product, market, year) not in self.room.deliveries:
            return None
        place = (h, line, year, product, market)
        if place not in self._fed:
            makes = [s for s in self.room.feeds_of[h, line, year] if self.problem.yields[s, h, line].get(product, 0.0) > 0.0]
            self._fed[place] = {s: self.room.feed_limits((s, h, line, year), product, market) for s in makes}
        cracks = self.problem.integrated[build[1]]
        fed = {s: limits for s, limits in self._fed[place].items() if cracks or not self.problem.cracked[s]}
        if not fed:
            return None
        site = self._site_limits(build, instead)
        until = instead[3] if instead else math.inf
        within, lifted = self._surely_saves(build, until)
        free = not all(fed.values())
        had = [(s, h, line, year) for s, limits in fed.items() if not any(limit.kind == NO_ORE for limit in limits)]
        most = min(self.problem.usable[build, year], sum(self.room.spare_feed[feed[0], year] for feed in had))
        serves = any(self.room.serves(feed, most, product, market, cost) for feed in had)
        if free and (within > 0.0 or lifted <= 0.0):
            return Candidate(build, (*site, *self._least_use(build)), within, serves)
        held = [found for found in fed.values() if found and not any(limit.kind == NO_ORE for limit in found)]
        if held:
            return Candidate(build, (*site, *min(held, key=len)), lifted, serves)
        if free:
            return Candidate(build, (), lifted, serves)
        used_up = Limit(NO_ORE, f"all feedstock that contains it and that {h} can have in {year} is used up")
        return Candidate(build, (*site, used_up), 0.0, serves)

    def _spare_feed(self, build: BuildKey, year: int) -> float:
        """Return how many kt are left of all that a plant can treat."""
        h, line, cracks = key = (build[0], self.problem.build_line[build], self.problem.integrated[build[1]])
        if (*key, year) not in self._spare:
            fits = [s for s in self.room.feeds_of[h, line, year] if cracks or not self.problem.cracked[s]]
            self._spare[*key, year] = sum(self.room.spare_feed[s, year] for s in fits)
        return self._spare[*key, year]

    # --- limits on sites ----------------------------------------------------------------------------------------

    def _site_limits(self, build: BuildKey, instead: BuildKey | None) -> tuple[Limit, ...]:
        if (build, instead) not in self._site:
            kept = [key for key in self.room.built if key != instead]
            limits = [*self._counts(build, kept), *self._budgets(build, kept), *self._concentration(build, kept)]
            self._site[build, instead] = tuple(Limit(LIMIT, words) for words in limits)
        return self._site[build, instead]

    def _counts(self, build: BuildKey, kept: list[BuildKey]) -> Iterator[str]:
        problem, (h, d, _, y) = self.problem, build
        if len(kept) >= problem.max_plants:
            yield f"no more than {problem.max_plants} joint plants may be built (max_plants on sheet settings)"
        if sum(key[0] == h for key in kept) >= problem.plants_per_host:
            yield f"{h} may hold no more than {problem.plants_per_host} (plants_per_host on sheet settings)"
        if build in kept:
            yield f"{d} comes on line at {h} once in {y} (another design on sheet designs)"

    def _budgets(self, build: BuildKey, kept: list[BuildKey]) -> Iterator[str]:
        problem, spent_up = self.problem, defaultdict(list)
        for (m, t), budget in problem.budget.items():
            spent = [problem.partner_share[m, key[0]] * problem.spend[key].get(t, 0.0) * problem.capex[key] for key in (build, *kept)]
            if spent[0] > 0.0 and sum(spent) > budget + USED_UP * max(1.0, budget):
                spent_up[m].append(str(t))
        for m, years in spent_up.items():
            yield f"the capital budget of {m} for {', '.join(years)} is too small (sheet markets)"

    def _concentration(self, build: BuildKey, kept: list[BuildKey]) -> Iterator[str]:
        problem = self.problem
        if problem.country_share_limit >= 1.0:
            return
        country = problem.country[build[0]]
        for y in problem.years:
            if y < max(build[3], problem.country_share_from):
                continue
            plants = [key for key in (build, *kept) if key[3] <= y]
            inside = sum(problem.capacity[key[1]] for key in plants if problem.country[key[0]] == country)
            total = sum(problem.capacity[key[1]] for key in plants)
            if inside > problem.country_share_limit * total * (1.0 + USED_UP):
                share = 100 * problem.country_share_limit
                yield f"{country} would hold more than {share:.0f} % of joint capacity in {y} (country_share_limit on sheet settings)"
                return

    def _least_use(self, build: BuildKey) -> list[Limit]:
        if build not in self._idle:
            self._idle[build] = self._too_little_feed(build)
        return self._idle[build]

    def _too_little_feed(self, build: BuildKey) -> list[Limit]:
        h, line = build[0], self.problem.build_line[build]
        for y in self.problem.years:
            least = self.problem.least_feed.get((build, y), 0.0)
            if least > self._spare_feed(build, y):
                return [Limit(NO_ORE, f"too little feedstock is left in {y} to run {build[1]} at {h} ({line}) at its least use")]
        return []

    # --- what it would save -------------------------------------------------------------------------------------

    def _surely_saves(self, build: BuildKey, until: float) -> tuple[float, float]:
        """Return lower bounds on the saving [MUSD] of the years before one: within the limits on feed, and were they lifted."""
        key = (build, until)
        if key not in self._saving:
            problem = self.problem
            yearly = sum(costs[build] for costs in problem.build_cost.values())
            within = lifted = 0.0
            for y in problem.years:
                if build[3] <= y < until:
                    gains = self._gain(build, y)
                    within += problem.weight[y] * (gains[0] - yearly)
                    lifted += problem.weight[y] * (gains[1] - yearly)
            self._saving[key] = within, lifted
        return self._saving[key]

    def _gain(self, build: BuildKey, y: int) -> tuple[float, float]:
        """Return what a plant surely saves in a year before its own cost, MUSD: within the limits on feed, and were they lifted."""
        problem, h, line = self.problem, build[0], self.problem.build_line[build]
        usable, least = problem.usable.get((build, y), 0.0), problem.least_feed.get((build, y), 0.0)
        cracks = problem.integrated[build[1]]
        key = (h, line, y, usable, least, cracks)
        if key not in self._gains:
            ceiling = self.room.ceiling(h, y)[0]
            idle = 0.0 if least <= 0.0 else -math.inf
            within = lifted = idle
            fits = [run for run in self._runs(h, line, y) if cracks or not problem.cracked[run.source]]
            for run in [run for run in fits if run.clean][:TRIED]:
                within = max(within, self._best_rate(h, y, run, min(usable, ceiling), least))
            for run in fits[:TRIED]:
                lifted = max(lifted, self._best_rate(h, y, run, usable, least))
            self._gains[key] = within, max(within, lifted)
        return self._gains[key]

    def _runs(self, h: str, line: str, y: int) -> list[_Run]:
        """Return what a line can be fed, what is worth most at the margin first."""
        if (h, line, y) not in self._lines:
            runs = []
            for s in self.room.feeds_of[h, line, y]:
                shares = {p: share for p, share in self.problem.yields[s, h, line].items() if share > 0.0}
                if self.room.spare_feed[s, y] > 0.0 and shares:
                    cost = self.room.feed_cost((s, h, line, y))
                    worth = sum(share * self.room.outlets(h, p, y)[0].value for p, share in shares.items()) - cost
                    clean = self.problem.china_linked[s] <= 0.0 or y not in self.room.capped_years
                    runs.append(_Run(s, cost, shares, worth, clean))
            self._lines[h, line, y] = sorted(runs, key=lambda run: -run.worth)
        return self._lines[h, line, y]

    def _best_rate(self, h: str, y: int, run: _Run, most: float, least: float) -> float:
        most = min(most, self.room.spare_feed[run.source, y])
        if most <= 0.0 or most < least:
            return -math.inf
        if run.worth <= 0.0 and least <= 0.0:
            return 0.0  # the first takers pay best
        # all that can be had, and just enough for the first taker of one product
        first = [self.room.outlets(h, p, y)[0].room / share for p, share in run.shares.items()]
        rates = {max(least, min(most, rate)) for rate in (most, min(first), sorted(first)[len(first) // 2], max(first))}
        return max(self._worth(h, y, {p: share * kt for p, share in run.shares.items()}) - kt * run.cost for kt in rates)

    def _worth(self, host: str, year: int, made: dict[str, float]) -> float:
        """Return what products are worth to those who take them, MUSD; minus infinity where a partner would get too little."""
        total, value = 0.0, 0.0
        got: dict[str, float] = defaultdict(float)
        for p, kt in made.items():
            price, left = self.problem.price[p, year], kt
            value += price * kt
            for outlet in self.room.outlets(host, p, year):
                part = min(left, outlet.room)
                total, left = total + part * outlet.value, left - part
                got[outlet.market] += price * part
                if left <= 0.0:
                    break
        short_changed = any(got[m] < least * value * (1.0 - USED_UP) for m, least in self.problem.offtake_minimum.items() if least > 0.0)
        return -math.inf if short_changed else total
