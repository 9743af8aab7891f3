"""Elastic model: what a planner can change may be broken at a price, whole numbers kept.

The rows are those of the compiled model. Each figure of the inputs that sets a row's limit gets one
*violation* column, which loosens every row that the figure enters. The cost is the sum of the
violations, each measured relative to its figure. See ``formulation.md``, *When no plan exists*.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse

from model.matrix import Matrix, Name
from model.problem import Cap, Problem

Code = tuple[str | int, ...]
"""Kind of a figure and what it belongs to, such as ("cap", "EACH", 2032)."""

WHOLE = ("max_plants", "plants_per_host", "minimum_hosts", "candidate", "earliest_start", "decision_year", "build_years", "drop_rule", "thorium_accepted")  # fmt: skip
"""Kinds whose change is a whole number: plants, hosts, years, or yes/no."""

BY_YEAR = ("cap", "supply", "demand", "budget")
"""Kinds whose figures stand in the year columns of one row."""

SMALL_SHARE = 0.05
"""A change of a share smaller than this is measured against this, so that a cap of 0 can be compared with others."""

LEAD_YEAR_WEIGHT = 0.25
"""A year's shift of a date weighs as much as changing another figure by a quarter."""


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

    def violations(self, values: np.ndarray, least: float = 1e-7) -> dict[Code, float]:
        """Return the change of each figure that a solution changes."""
        changes = zip(self.codes, values[self.first :], strict=True)
        return {code: float(change) for code, change in changes if change > least}

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
    entries: dict[Code, list[tuple[int, float]]] = defaultdict(list)
    for row, (component, index) in enumerate(matrix.rows):
        for code, coefficient in _reliefs(problem, component, index):
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
    limits = [_most(problem, code) for code in codes]
    return Elastic(
        replace(
            matrix,
            cost=np.concatenate([np.zeros(width), [_weight(problem, code) for code in codes]]),
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


def _reliefs(problem: Problem, component: str, index: object) -> Iterator[tuple[Code, float]]:
    """Yield the figures that loosen a row, with the coefficient of their violation in it.

    Shares of a total (`cap`, `country_share_limit`, `offtake_minimum`, `rule_share`, `minimum_use`) multiply a decision; their
    violation stands for the share of a reference amount, and the study finds the share itself by solving again.
    """
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
            if _demand(problem, *key) > 0:
                yield ("demand", *key), -1.0
        case "stock_balance":
            if key[2] == problem.years[0]:
                yield ("opening", *key[:2]), -1.0
        case "stock_minimum":
            needed, wanted = problem.stock_needed[key], _demand(problem, *key)
            yield ("days", *key[:2]), needed
            if wanted > 0:
                yield ("demand", *key), -needed / wanted
        case "china_cap":
            cap = next(cap for cap in problem.caps if (cap.cap, cap.member) == key[:2])
            yield ("cap", key[0], key[2]), -_reference(problem, cap, key[2])
        case "offtake_minimum":
            yield ("offtake_minimum", key[0]), _worth(problem, key[2])
        case "country_share_limit":
            yield ("country_share_limit",), -max(1, problem.max_plants) * max(problem.capacity.values())
        case "capex_budget":
            yield ("budget", *key), -1.0
        case "use_minimum" | "separation_use_minimum":
            h, line, y = key
            here = {b[1] for b in problem.builds if b[0] == h and problem.build_line[b] == line and (b, y) in problem.least_feed}
            if component == "separation_use_minimum":
                here = {d for d in here if not problem.integrated[d]}
            for d in sorted(here):
                yield ("minimum_use", d), problem.capacity[d]


def _demand(problem: Problem, market: str, product: str, year: int) -> float:
    return sum(kt for (m, _, p, y), kt in problem.demand.items() if (m, p, y) == (market, product, year))


def _worth(problem: Problem, year: int) -> float:
    """Return the value of all demand in a year, MUSD; 1 where there is none."""
    return sum(kt * problem.price[p, y] for (_, _, p, y), kt in problem.demand.items() if y == year) or 1.0


def _reference(problem: Problem, cap: Cap, year: int) -> float:
    """Return about as much as a cap's total may be: the demand in scope."""
    total = 0.0
    for (m, _, p, y), kt in problem.demand.items():
        member = {"product": p, "every_product": p, "partner": m}.get(cap.scope)
        if y == year and member in (None, cap.member):
            total += kt * (problem.price[p, y] if cap.measure == "value" else 1.0)
    return total or 1.0


def _figure(problem: Problem, code: Code) -> float:
    """Return the figure that a change is measured against, in the units of its violation."""
    kind, *rest = code
    key = tuple(rest)
    match kind:
        case "max_plants" | "plants_per_host" | "minimum_hosts" | "country_share_limit":
            return float(getattr(problem, str(kind)))
        case "rule_value" | "rule_share":
            return next(rule.value for rule in problem.rules if rule.rule_id == key[0])
        case "supply":
            offered = problem.supply[key]  # type: ignore[index]
            wanted = sum(kt for (_, _, p, y), kt in problem.demand.items() if (p, y) == (problem.offers[str(key[0])].product, key[1]))
            return max(offered, SMALL_SHARE * wanted)
        case "least_take":
            return max((take / problem.supply[o, y] for (o, y), take in problem.least_take.items() if o == key[0]), default=1.0)
        case "demand":
            return _demand(problem, *key)  # type: ignore[arg-type]
        case "opening":
            wanted = max((kt for (m, p, _), kt in problem.stock_needed.items() if (m, p) == key), default=0.0)
            return max(problem.opening_stock[key], wanted, 1e-6)  # type: ignore[index]
        case "cap":
            return min(limit for cap in problem.caps if cap.cap == key[0] for y, limit in cap.limit.items() if y == key[1])
        case "offtake_minimum":
            return problem.offtake_minimum[str(key[0])]
        case "budget":
            return problem.budget[key]  # type: ignore[index]
        case _:
            return 1.0


def _weight(problem: Problem, code: Code) -> float:
    if code[0] in ("earliest_start", "decision_year", "build_years"):
        return LEAD_YEAR_WEIGHT
    floor = SMALL_SHARE if code[0] in ("cap", "offtake_minimum", "country_share_limit", "rule_share", "least_take") else 1e-6
    if code[0] in ("max_plants", "plants_per_host", "minimum_hosts", "budget"):
        floor = 1.0
    return 1.0 / max(floor, _figure(problem, code))


def _most(problem: Problem, code: Code) -> float:
    """Return the largest change; what can only be lowered ends at 0."""
    if code[0] in ("days", "candidate", "drop_rule", "thorium_accepted"):
        return 1.0
    if code[0] in ("minimum_hosts", "least_take"):
        return _figure(problem, code)
    return np.inf
