"""The figures whose marginal value is asked: how each enters the linear program and the input tables."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import pandas as pd

from model.formulation import build_model
from model.matrix import Matrix, Name, compile_model
from model.planner import Plan
from model.problem import Cap, Problem
from model.ranging import Change
from model.tables import Tables

DEMAND, SOURCE, SUPPLIER, CONTRACT, PLANT, CAP, STOCK, RULE, OFFTAKE = (
    "demand", "source", "supplier", "contract", "plant", "cap", "stockpile", "host rule", "offtake",
)  # fmt: skip
KT, POINT = "MUSD/kt", "MUSD/point"

WHOLE = 100.0
"""Percentage points of a whole: the most that a share can be, and what counts as the whole of a cap in a year in which it is 0."""

Editor = Callable[[Tables, float], Tables]

Shares = dict[Name, dict[Name, float]]
"""Row -> column -> movement of the coefficient when the share that the row states rises by 1."""


@dataclass(frozen=True)
class Probe:
    """One figure of the book in every year in which it counts.

    Parameters
    ----------
    kind, item
        What it is; together unique.
    words
        What it is in words, such as "demand for Dy in JPN", every sector of which then grows alike.
    unit
        Of a value by year: `KT` or `POINT` (percentage point).
    per_unit
        Year -> change of the linear program for one unit more.
    figure
        Year -> the figure in kt, or in points.
    edit
        Tables with the figure multiplied in every year; None where the tables cannot say so.
    from_zero
        Units that stand for the whole figure in a year in which it is 0; such a figure can rise only.
    """

    kind: str
    item: str
    words: str
    unit: str
    per_unit: dict[int, Change] = field(default_factory=dict)
    figure: dict[int, float] = field(default_factory=dict)
    edit: Editor | None = None
    from_zero: float = 0.0

    @property
    def top(self) -> float:
        """Largest that the figure can be: a share is at most the whole."""
        return WHOLE if self.unit == POINT else math.inf

    @property
    def highest(self) -> float:
        """Largest share of itself by which the figure can rise in every year."""
        return max(0.0, min(((self.top - figure) / (figure or self.from_zero or 1.0) for figure in self.figure.values()), default=math.inf))

    @property
    def rises_only(self) -> bool:
        """Whether the figure is 0 in some year, so that its rise is not its fall turned round."""
        return self.from_zero > 0 and any(figure <= 0 for figure in self.figure.values())

    def moved(self, step: float) -> Change:
        """Return the change when the figure moves by a share of itself in every year."""
        return self._sum({y: step * figure if figure > 0 else max(0.0, step) * self.from_zero for y, figure in self.figure.items()})

    def shifted(self, units: float) -> Change:
        """Return the change when the figure moves by as many units in every year, down to 0 at most."""
        return self._sum({y: max(units, -figure) for y, figure in self.figure.items()})

    def _sum(self, by: dict[int, float]) -> Change:
        whole = Change()
        for y, change in self.per_unit.items():
            if by[y]:
                whole = whole.plus(change.scaled(by[y]))
        return whole

    def in_words(self, step: float) -> str:
        """Say a step as :meth:`moved` takes it."""
        share = step_in_words(step)
        if step < 0 or not self.rises_only:
            return share
        points = f"{step * self.from_zero:+.3g} percentage points"
        return f"{share}, {points} where it is 0" if any(self.figure.values()) else points


def step_in_words(step: float) -> str:
    """Say a step as a share of a figure."""
    return f"{step:+.0%}" if abs(step) >= 0.01 else f"{step:+.2%}"


def _multiplied(sheet: str, where: dict[str, str], columns: tuple[str, ...] = (), top: float = math.inf) -> Editor:
    """Return an editor that multiplies columns (year columns if none are named) of the rows with these codes, up to `top`."""

    def edit(tables: Tables, factor: float) -> Tables:
        frame = tables[sheet].copy()
        rows = pd.Series(data=True, index=frame.index)
        for column, code in where.items():
            rows &= frame[column] == code
        for name in columns or [column for column in frame.columns if isinstance(column, int)]:
            frame[name] = frame[name].where(~rows, (frame[name] * factor).clip(upper=top))
        return tables.with_frames(**{sheet: frame})

    return edit


def _cap_editor(cap: Cap) -> Editor:
    """Return an editor of one cap, which rises from 0 by a share of the whole; a cap on every product becomes one row a product."""

    def edit(tables: Tables, factor: float) -> Tables:
        frame, rows = tables["caps"], []
        years = [name for name in frame.columns if isinstance(name, int)]
        products = [p for p in dict.fromkeys(tables["elements"]["product"]) if p]
        for row in frame.to_dict("records"):
            every = row["cap"] == cap.cap and row["scope"] == "every_product"
            parts = [{**row, "cap": f"{row['cap']}_{p}", "scope": "product", "member": p} for p in products] if every else [row]
            for part in parts:
                if row["cap"] == cap.cap and part["member"] == cap.member:
                    part |= {y: _cap_times(part[y], factor) for y in years}
                rows.append(part)
        changed = pd.DataFrame(rows, index=range(2, 2 + len(rows))).reindex(columns=frame.columns)
        return tables.with_frames(caps=changed)

    return edit


def _cap_times(limit: float, factor: float) -> float:
    """Return a cap times a factor: one of 0 rises by a share of the whole, and one of 100 % or a blank caps nothing and stays."""
    if limit <= 0:
        return max(0.0, factor - 1.0) * WHOLE / 100.0
    return min(1.0, limit * factor) if limit < 1.0 else limit


def list_probes(plan: Plan, matrix: Matrix) -> list[Probe]:
    """Return every figure of a plan's book that can have a marginal value with the plants as built.

    Parameters
    ----------
    plan
        A plan of the tables.
    matrix
        Of its problem.
    """
    problem = plan.problem
    shares = _share_coefficients(problem, matrix)
    return [
        *_demands(problem),
        *_stockpiles(problem),
        *_offers(problem),
        *_sources(problem),
        *_plants(plan),
        *_caps(problem, shares),
        *_rules(plan, shares),
        *_offtakes(plan, shares),
    ]


def _demands(problem: Problem) -> list[Probe]:
    probes: dict[tuple[str, str], Probe] = {}
    wanted: dict[tuple[str, str, int], dict[str, float]] = defaultdict(dict)
    for (m, c, p, y), kt in problem.demand.items():
        wanted[m, p, y][c] = kt
    for (m, p, y), sectors in wanted.items():
        words = f"demand for {p} in {m}"
        probe = probes.setdefault((m, p), Probe(DEMAND, f"{p} in {m}", words, KT, edit=_multiplied("demand", {"market": m, "product": p})))
        whole = sum(sectors.values())
        # stocks are kept in days of demand, so they grow with it
        more: dict[Name, float] = {
            ("demand_balance", (m, p, y)): 1.0,
            ("stock_minimum", (m, p, y)): problem.stock_needed.get((m, p, y), 0.0) / whole,
        }
        probe.per_unit[y] = Change(rows=more, upper={("unmet", (m, c, p, y)): kt / whole for c, kt in sectors.items()})
        probe.figure[y] = whole
    return list(probes.values())


def _stockpiles(problem: Problem) -> list[Probe]:
    probes: dict[tuple[str, str], Probe] = {}
    for (m, p, y), kt in problem.stock_needed.items():
        if kt > 0:
            edit = _multiplied("stockpiles", {"market": m, "product": p}, ("days",))
            probe = probes.setdefault((m, p), Probe(STOCK, f"{p} in {m}", f"stock of {p} that {m} must hold", KT, edit=edit))
            probe.per_unit[y] = Change(rows={("stock_minimum", (m, p, y)): 1.0})
            probe.figure[y] = kt
    return list(probes.values())


def _offers(problem: Problem) -> list[Probe]:
    """Offers by supplier and product, the contracted part of them growing along; and the contracted part alone."""
    probes: dict[tuple[str, str, str], Probe] = {}
    sums: dict[tuple[str, str, str], dict[int, Change]] = defaultdict(dict)
    for (o, y), kt in problem.supply.items():
        offer = problem.offers[o]
        least = problem.least_take.get((o, y), 0.0)
        taken: dict[Name, float] = {("take_minimum", (o, y)): least}
        moves = ((SUPPLIER, kt, {**taken, ("supplier_limit", (o, y)): kt}), (CONTRACT, least, taken))
        for kind, figure, rows in moves:
            if figure <= 0:
                continue

            words = (
                f"{offer.product} offered by {offer.supplier}"
                if kind == SUPPLIER
                else f"{offer.product} that must be bought from {offer.supplier}"
            )
            own = {"supplier": offer.supplier, "product": offer.product}
            edit = _multiplied("suppliers", own) if kind == SUPPLIER else _multiplied("suppliers", own, ("least_take",), 1.0)
            key = (kind, offer.supplier, offer.product)
            probe = probes.setdefault(key, Probe(kind, f"{offer.supplier} {offer.product}", words, KT, edit=edit))
            sums[key][y] = sums[key].get(y, Change()).plus(Change(rows=rows))
            probe.figure[y] = probe.figure.get(y, 0.0) + figure
    for key, probe in probes.items():
        probe.per_unit.update({y: change.scaled(1.0 / probe.figure[y]) for y, change in sums[key].items()})
    return list(probes.values())


def _sources(problem: Problem) -> list[Probe]:
    probes: dict[str, Probe] = {}
    for (s, y), kt in problem.available.items():
        if kt > 0:
            edit = _multiplied("sources", {"source_id": s}, ("capacity",))
            probe = probes.setdefault(s, Probe(SOURCE, s, f"feed on offer from {s}", KT, edit=edit))
            probe.per_unit[y] = Change(rows={("source_limit", (s, y)): 1.0})
            probe.figure[y] = kt
    return list(probes.values())


def _plants(plan: Plan) -> list[Probe]:
    """Lines of the plants as built; their least feed grows with them."""
    problem = plan.problem
    probes: dict[tuple[str, str], Probe] = {}
    for h, d, w, on_line in plan.solution.tables["builds"].itertuples(index=False):
        key = (h, d, w, int(on_line))
        line = problem.build_line[key]
        probe = probes.setdefault((h, line), Probe(PLANT, f"{h} {line}", f"usable capacity at {h} ({line})", KT))
        for y in problem.years:
            usable, least = problem.usable.get((key, y), 0.0), problem.least_feed.get((key, y), 0.0)
            if usable <= 0:
                continue
            rows: dict[Name, float] = {("capacity_limit", (h, line, y)): usable, ("use_minimum", (h, line, y)): least}
            rows[("cracking_limit" if problem.integrated[d] else "separation_use_minimum"), (h, line, y)] = (
                usable if problem.integrated[d] else least
            )
            before = probe.per_unit.get(y, Change()).scaled(probe.figure.get(y, 0.0))
            probe.figure[y] = probe.figure.get(y, 0.0) + usable
            probe.per_unit[y] = before.plus(Change(rows=rows)).scaled(1.0 / probe.figure[y])
    return list(probes.values())


def _caps(problem: Problem, shares: Shares) -> list[Probe]:
    probes = []
    for cap in problem.caps:
        name = " ".join(part for part in (cap.cap, cap.member) if part)
        probe = Probe(CAP, name, f"cap {name}", POINT, edit=_cap_editor(cap), from_zero=WHOLE)
        for y, limit in cap.limit.items():
            row: Name = ("china_cap", (cap.cap, cap.member, y))
            if limit < 1.0 and row in shares:
                probe.per_unit[y], probe.figure[y] = Change(coefficients=_of_a_point(shares, [row])), limit * 100.0
        if probe.per_unit:
            probes.append(probe)
    return probes


def _of_a_point(shares: Shares, rows: Iterable[Name]) -> dict[tuple[Name, Name], float]:
    return {(row, column): by / 100.0 for row in rows for column, by in shares.get(row, {}).items()}


def _share_coefficients(problem: Problem, matrix: Matrix) -> Shares:
    """Return by how much the coefficients of each row of a share move when that rises by 1: from its row and that of another share.

    Shares are caps, export shares and offtake minima: each multiplies a total that the plan decides.
    """
    limits: dict[Name, float] = {("china_cap", (cap.cap, cap.member, y)): limit for cap in problem.caps for y, limit in cap.limit.items()}
    rules = {rule.rule_id: rule.value for rule in problem.rules if rule.rule == "export_share"}

    def share(row: Name) -> float | None:
        match row:
            case ("export_share_limit", (str(rule), _, _)):
                return rules[rule]
            case ("offtake_minimum", (str(market), _, _)):
                return problem.offtake_minimum[market]
        return limits.get(row)

    other = replace(
        problem,
        caps=tuple(
            replace(cap, limit={y: _another(limit) if limit < 1.0 else limit for y, limit in cap.limit.items()}) for cap in problem.caps
        ),
        rules=tuple(replace(rule, value=_another(rule.value)) if rule.rule == "export_share" else rule for rule in problem.rules),
        offtake_minimum={market: _another(least) if least > 0 else least for market, least in problem.offtake_minimum.items()},
    )
    found: Shares = {}
    for sign, one in ((1.0, matrix), (-1.0, compile_model(build_model(other)))):
        rows = one.a.tocsr()
        for position, row in enumerate(one.rows):
            if (own := share(row)) is not None:
                entries = found.setdefault(row, {})
                for place in range(rows.indptr[position], rows.indptr[position + 1]):
                    column = one.columns[rows.indices[place]]
                    entries[column] = entries.get(column, 0.0) + sign * float(rows.data[place]) / (own - _another(own))
    return {row: {column: by for column, by in entries.items() if abs(by) > 1e-12} for row, entries in found.items()}


def _another(share: float) -> float:
    """Return a share that is not this one."""
    return 0.5 if share <= 0 else share / 2


def _rules(plan: Plan, shares: Shares) -> list[Probe]:
    problem, built = plan.problem, set(plan.solution.tables["builds"]["host"])
    probes = []
    for rule in problem.rules:
        if rule.rule not in ("feed_ceiling", "export_ceiling", "export_share"):
            continue

        probe = Probe(
            RULE, rule.rule_id, f"{'share' if rule.rule == 'export_share' else 'ceiling'} of rule {rule.rule_id} at {rule.host}",
            POINT if rule.rule == "export_share" else KT, edit=_multiplied("host_rules", {"rule_id": rule.rule_id}, ("value",)),
        )  # fmt: skip
        for y in problem.years:
            if not rule.holds(y):
                continue
            if rule.rule == "export_share":
                rows: list[Name] = [("export_share_limit", (rule.rule_id, p, y)) for p in problem.products if rule.host in built]
                probe.per_unit[y], probe.figure[y] = Change(coefficients=_of_a_point(shares, rows)), rule.value * 100.0
            else:
                probe.per_unit[y], probe.figure[y] = Change(rows={(f"{rule.rule}_limit", (rule.rule_id, y)): 1.0}), rule.value
        probes.append(probe)
    return probes


def _offtakes(plan: Plan, shares: Shares) -> list[Probe]:
    problem, built = plan.problem, sorted(set(plan.solution.tables["builds"]["host"]))
    probes = []
    for m, least in problem.offtake_minimum.items():
        if least <= 0:
            continue

        edit = _multiplied("markets", {"market": m}, ("offtake_minimum",), 1.0)
        probe = Probe(OFFTAKE, m, f"least share of each plant's output for {m}", POINT, edit=edit)
        for y in problem.years:
            if more := _of_a_point(shares, [("offtake_minimum", (m, h, y)) for h in built]):
                probe.per_unit[y], probe.figure[y] = Change(coefficients=more), least * 100.0
        if probe.per_unit:
            probes.append(probe)
    return probes
