"""Elastic model: what a planner can change may be broken at a price, whole numbers kept.

The rows are those of the compiled model. Each figure of the inputs that sets a row's limit gets one
*violation* column, which loosens every row that the figure enters. The cost is the sum of the
violations, each measured relative to its figure. See ``formulation.md``, *When no plan exists*.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse

from model.matrix import Matrix, Name
from model.problem import Cap, Problem

Code = tuple[str | int, ...]
"""Kind of a figure and what it belongs to, such as ("cap", "EACH", 2032)."""

COUNTS = ("max_plants", "plants_per_host", "minimum_hosts")
"""Kinds that count plants or hosts."""

LEAD_TIMES = ("earliest_start", "decision_year", "build_years", "first_year")
"""Kinds whose change is a number of years."""

YES_OR_NO = ("drop_rule", "candidate", "thorium_accepted", "use", "process_only_in", "design_host")
"""Kinds that have one other value, or go."""

WHOLE = (*COUNTS, *LEAD_TIMES, *YES_OR_NO)
"""Kinds whose change is a whole number."""

BY_YEAR = ("cap", "supply", "demand", "budget")
"""Kinds whose figures stand in the year columns of one row."""

SMALL_SHARE = 0.05
"""A change of a share smaller than this is measured against this, so that a cap of 0 can be compared with others."""

LEAD_YEAR_WEIGHT = 0.25
"""A year's shift of a date weighs as much as changing another figure by a quarter."""

DUST = 1e-7
"""Changes no larger than this are none."""


def family(code: Code) -> Code:
    """Return what the figures of one row share."""
    return code[:-1] if code[0] in BY_YEAR else code


@dataclass(frozen=True)
class Bar:
    """A column that a rule keeps at 0: `amount` x column / `largest` is at most the sum of the violations of `codes`."""

    column: Name
    codes: tuple[Code, ...]
    amount: float = 1.0
    largest: float = 1.0


@dataclass(frozen=True)
class Elastic:
    """A matrix whose last columns are violations.

    Parameters
    ----------
    matrix
        Violations cost their weight, everything else nothing.
    codes
        One figure a violation column, in their order.
    """

    matrix: Matrix
    codes: tuple[Code, ...]

    @property
    def first(self) -> int:
        """Return the number of columns before the violations."""
        return len(self.matrix.cost) - len(self.codes)

    def only(self, free: Collection[Code]) -> Matrix:
        """Return the matrix in which no other figure than these may be changed."""
        upper = self.matrix.upper.copy()
        upper[self.first :] = np.where([code in free for code in self.codes], upper[self.first :], 0.0)
        return self.matrix.with_bounds(self.matrix.lower, upper)

    def with_amounts(self, factors: Mapping[Code, float]) -> Elastic:
        """Return the model in which violations of shares stand for shares of other amounts: the reference amounts times these factors."""
        scale = np.ones(len(self.matrix.cost))
        scale[self.first :] = [factors.get(code, 1.0) for code in self.codes]
        return replace(self, matrix=replace(self.matrix, a=(self.matrix.a @ scipy.sparse.diags_array(scale)).tocsc()))

    def violations(self, values: np.ndarray) -> dict[Code, float]:
        """Return the change of each figure that a solution changes."""
        changes = zip(self.codes, values[self.first :], strict=True)
        return {code: float(change) for code, change in changes if change > DUST}

    def kinds_in_the_way(self, row_duals: np.ndarray, least: float = 1e-9) -> set[str]:
        """Return the kinds of figure that enter the proof, given by a relaxation's duals, that not all rows can hold.

        Figures of other kinds cannot make the relaxation possible by themselves, whatever their values.
        """
        weight = np.abs(self.matrix.a[:, self.first :].T @ row_duals)
        return {str(code[0]) for code, share in zip(self.codes, weight, strict=True) if share > least}


def make_elastic(problem: Problem, matrix: Matrix, bars: Sequence[Bar] = ()) -> Elastic:
    """Add a violation column for every figure that a planner can change.

    Parameters
    ----------
    problem, matrix
        The two forms of one model.
    bars
        Columns that the book's rules keep at 0, for a problem wider than the book's.
    """
    figures = _Figures(problem)
    entries: dict[Code, list[tuple[int, float]]] = defaultdict(list)
    for row, (component, index) in enumerate(matrix.rows):
        for code, coefficient in figures.loosening(component, index):
            entries[code].append((row, coefficient))
    for bar in bars:
        for code in bar.codes:
            entries.setdefault(code, [])
    codes = tuple(entries)
    place = {code: number for number, code in enumerate(codes)}
    rows = [row for code in codes for row, _ in entries[code]]
    columns = [place[code] for code in codes for _ in entries[code]]
    data = [coefficient for code in codes for _, coefficient in entries[code]]
    count, width = len(codes), len(matrix.cost)
    loosened = scipy.sparse.csc_array((data, (rows, columns)), shape=(len(matrix.rows), count))
    body = scipy.sparse.hstack([matrix.a, loosened])
    found = {name: number for number, name in enumerate(matrix.columns)}
    barring = [bar for bar in bars if bar.column in found]
    if barring:
        triples = [(row, found[bar.column], bar.amount / bar.largest) for row, bar in enumerate(barring)]
        triples += [(row, width + place[code], -1.0) for row, bar in enumerate(barring) for code in bar.codes]
        i, j, x = zip(*triples, strict=True)
        body = scipy.sparse.vstack([body, scipy.sparse.csr_array((x, (i, j)), shape=(len(barring), width + count))])
    limits = [figures.most(code) for code in codes]
    return Elastic(
        replace(
            matrix,
            cost=np.concatenate([np.zeros(width), [figures.weight(code) for code in codes]]),
            offset=0.0,
            a=body.tocsc(),
            row_lower=np.concatenate([matrix.row_lower, np.full(len(barring), -np.inf)]),
            row_upper=np.concatenate([matrix.row_upper, np.zeros(len(barring))]),
            lower=np.concatenate([matrix.lower, np.zeros(count)]),
            upper=np.concatenate([matrix.upper, limits]),
            integer=np.concatenate([matrix.integer, [code[0] in WHOLE for code in codes]]),
            columns=(*matrix.columns, *(("violation", code) for code in codes)),
            rows=(*matrix.rows, *(("bar", bar.column) for bar in barring)),
        ),
        codes,
    )


class _Figures:
    """What the figures of a problem are and which rows each of them loosens, with the sums taken once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.wanted: dict[tuple[str, str, int], float] = defaultdict(float)
        self.worth: dict[int, float] = defaultdict(float)
        for (m, _, p, y), kt in problem.demand.items():
            self.wanted[m, p, y] += kt
            self.worth[y] += kt * problem.price[p, y]
        self.caps = {(cap.cap, cap.member): cap for cap in problem.caps}
        self.cap_limits = {(cap.cap, y): limit for cap in problem.caps for y, limit in cap.limit.items()}
        self.rule_values = {rule.rule_id: rule.value for rule in problem.rules}
        self.designs_in: dict[tuple[str, str, int], set[str]] = defaultdict(set)
        for build, y in problem.least_feed:
            self.designs_in[build[0], problem.build_line[build], y].add(build[1])
        self.takes: dict[str, float] = {}
        for (o, y), kt in problem.least_take.items():
            self.takes[o] = max(kt / problem.supply[o, y], self.takes.get(o, 0.0))
        self.stocks: dict[tuple[str, str], float] = defaultdict(float)
        for (m, p, _), kt in problem.stock_needed.items():
            self.stocks[m, p] = max(kt, self.stocks[m, p])
        self.product_wanted: dict[tuple[str, int], float] = defaultdict(float)
        for (_, p, y), kt in self.wanted.items():
            self.product_wanted[p, y] += kt
        self.foreign_spending = _foreign_spending(problem)
        self.largest = max(1, problem.max_plants) * max(problem.capacity.values(), default=1.0)

    def loosening(self, component: str, index: object) -> Iterator[tuple[Code, float]]:
        """Yield the figures that loosen a row, with the coefficient of their violation in it.

        Shares of a total (`cap`, `country_share_limit`, `offtake_minimum`, `rule_share`, `minimum_use`, `foreign_share_limit`) multiply a decision; their
        violation stands for the share of a reference amount, and the study finds the share itself by solving again.
        """
        problem = self.problem
        key: tuple = index if isinstance(index, tuple) else (index,)
        match component:
            case "plants_per_host_limit":
                yield ("plants_per_host",), -1.0
            case "plant_count_limit":
                yield ("max_plants",), -1.0
            case "host_count_minimum":
                yield ("minimum_hosts",), 1.0
            case "forced_plant_minimum":
                yield ("rule_value", key[0]), 1.0
            case "feed_ceiling_limit" | "export_ceiling_limit":
                yield ("rule_value", key[0]), -1.0
            case "export_share_limit":
                yield ("rule_share", key[0]), -1.0
            case "source_limit":
                yield ("uncommitted", key[0]), -problem.available[key]
                yield ("capacity", key[0]), -problem.available[key]
            case "supplier_limit":
                yield ("supply", *key), -1.0
            case "take_minimum":
                yield ("least_take", key[0]), problem.supply[key]
                yield ("supply", *key), -problem.least_take[key] / problem.supply[key]
            case "demand_balance":
                if self.wanted.get(key, 0.0) > 0:
                    yield ("demand", *key), -1.0
            case "stock_balance":
                if key[2] == problem.years[0]:
                    yield ("opening", *key[:2]), -1.0
            case "stock_minimum":
                needed, wanted = problem.stock_needed[key], self.wanted.get(key, 0.0)
                yield ("days", *key[:2]), needed
                if wanted > 0:
                    yield ("demand", *key), -needed / wanted
            case "china_cap":
                yield ("cap", key[0], key[2]), -self.in_scope(self.caps[key[:2]], key[2])
            case "offtake_minimum":
                yield ("offtake_minimum", key[0]), self.worth.get(key[2], 0.0) or 1.0
            case "country_share_limit":
                yield ("country_share_limit",), -self.largest
            case "capex_budget":
                yield ("budget", *key), -1.0
                for h, musd in self.foreign_spending[key].items():
                    yield ("foreign_share_limit", h), -musd
            case "use_minimum" | "separation_use_minimum":
                for d in sorted(self.designs_in.get(key, ())):
                    if component == "use_minimum" or not problem.integrated[d]:
                        yield ("minimum_use", d), problem.capacity[d]

    def in_scope(self, cap: Cap, year: int) -> float:
        """Return about as much as a cap's total may be: the demand in scope."""
        if cap.scope == "partner":
            inside = [(p, kt) for (m, p, y), kt in self.wanted.items() if (m, y) == (cap.member, year)]
        else:
            members = (cap.member,) if cap.scope in ("product", "every_product") else self.problem.products
            inside = [(p, self.product_wanted.get((p, year), 0.0)) for p in members]
        return sum(kt * (self.problem.price[p, year] if cap.measure == "value" else 1.0) for p, kt in inside) or 1.0

    def figure(self, code: Code) -> float:
        """Return the figure that a change is measured against, in the units of its violation."""
        problem, (kind, *rest) = self.problem, code
        key: tuple = tuple(rest)
        match kind:
            case "max_plants" | "plants_per_host" | "minimum_hosts" | "country_share_limit":
                return float(getattr(problem, str(kind)))
            case "rule_value" | "rule_share":
                return self.rule_values[key[0]]
            case "supply":
                return max(problem.supply[key], SMALL_SHARE * self.product_wanted.get((problem.offers[key[0]].product, key[1]), 0.0))
            case "least_take":
                return self.takes[key[0]]
            case "demand":
                return self.wanted[key]
            case "opening":
                return max(problem.opening_stock[key], self.stocks[key], 1e-6)
            case "cap":
                return self.cap_limits[key]
            case "offtake_minimum":
                return problem.offtake_minimum[key[0]]
            case "budget":
                return problem.budget[key]
            case _:
                return 1.0

    def weight(self, code: Code) -> float:
        """Return what a unit of violation costs."""
        if code[0] in LEAD_TIMES:
            return LEAD_YEAR_WEIGHT
        floor = SMALL_SHARE if code[0] in ("cap", "offtake_minimum", "country_share_limit", "rule_share", "least_take") else 1e-6
        if code[0] in (*COUNTS, "budget"):
            floor = 1.0
        return 1.0 / max(floor, self.figure(code))

    def most(self, code: Code) -> float:
        """Return the largest change; what can only be lowered ends at 0."""
        if code[0] in (*YES_OR_NO, "days", "foreign_share_limit"):
            return 1.0
        if code[0] in ("minimum_hosts", "least_take"):
            return self.figure(code)
        return np.inf


def _foreign_spending(problem: Problem) -> dict[tuple[str, int], dict[str, float]]:
    """Return, for a partner and year with a budget, the most that it may spend at each foreign host on as many plants as that may hold, MUSD."""
    homes = {problem.market_country[m] for m in problem.partners}
    most: dict[tuple[str, int], dict[str, float]] = {key: {} for key in problem.budget}
    for key, spent in problem.spend.items():
        h = key[0]
        for m in problem.partners if problem.country[h] not in homes else ():
            for t, share in spent.items():
                musd = problem.plants_per_host * problem.partner_share[m, h] * share * problem.capex[key]
                if (m, t) in most and musd > most[m, t].get(h, 0.0):
                    most[m, t][h] = musd
    return most
