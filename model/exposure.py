"""Which input figures the plan's money leans on: by the cost lines and the duals of the plan itself.

Every figure that a cost line is proportional to (a price, a payability, a capital cost) carries that line. A figure that
bounds a flow (what a supplier offers, what a source has to spare, a demand) carries the worth of the flow, and its dual says
what a little more or less of it would change. Freight rates, duties and the settings carry no figure here: they are spread
thinly over all flows.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from model.economics import annuity, real_rate
from model.planner import Plan
from model.problem import KT_PER_T, Problem, offer_key
from model.problem_sheets import modelled_years
from model.tables import Tables

YEARS = "years"
"""Stands for all year columns of a row: they are one figure, moved together."""

PLANT_SHEETS = ("sources", "composition", "processing", "recoveries", "hosts", "designs", "know_how")
"""What a joint plant costs and makes; all else is what the markets want and are offered."""

Spot = tuple[str, Hashable, str]


@dataclass(frozen=True)
class Exposure:
    """An input figure that the plan uses.

    Parameters
    ----------
    sheet, row, column
        Input sheet, Excel row and column; the column :data:`YEARS` is all year columns of the row.
    money
        Discounted MUSD that flow through the figure.
    marginal
        What the total cost would change if the figure were twice as large and everything answered in proportion, MUSD
        discounted: right for small changes with the plants as built.
    """

    sheet: str
    row: Hashable
    column: str
    money: float
    marginal: float


class _Ledger:
    """Adds up money and marginal values by figure."""

    def __init__(self, tables: Tables) -> None:
        self.money: dict[Spot, float] = defaultdict(float)
        self.marginal: dict[Spot, float] = defaultdict(float)
        self.rows: dict[str, dict[Hashable, Hashable]] = {}
        self.records: dict[str, dict[Hashable, dict[Hashable, float]]] = {}
        for sheet, keys in _KEYS.items():
            frame = tables[sheet]
            names = list(zip(*(frame[key] for key in keys), strict=True)) if len(keys) > 1 else list(frame[keys[0]])
            self.rows[sheet] = dict(zip(names, frame.index, strict=True))
            self.records[sheet] = dict(zip(names, frame.to_dict("records"), strict=True))

    def add(self, sheet: str, key: Hashable, column: str, money: float, marginal: float | None = None) -> None:
        """Lay money on a figure; `marginal` is the same amount unless given."""
        spot = (sheet, self.rows[sheet][key], column)
        self.money[spot] += abs(money)
        self.marginal[spot] += money if marginal is None else marginal


_KEYS = {
    "sources": ("source_id",), "composition": ("source_id",), "prices": ("product", "item"), "processing": ("feed_type",),
    "recoveries": ("feed_type", "product"), "hosts": ("host",), "designs": ("design",), "know_how": ("way",), "sectors": ("sector",),
    "demand": ("market", "sector", "product"), "suppliers": ("supplier", "product", "market"), "stockpiles": ("market", "product"),
}  # fmt: skip


def find_exposures(plan: Plan) -> list[Exposure]:
    """Return every input figure that money of the plan flows through.

    Parameters
    ----------
    plan
        With values; the duals are those of its linear program with the plants as built.

    Returns
    -------
    list of Exposure
        By money, largest first; ties in the order of sheets and rows.
    """
    ledger = _Ledger(plan.tables)
    _plants(ledger, plan)
    _feed(ledger, plan)
    _made(ledger, plan)
    _bought(ledger, plan)
    _markets(ledger, plan)
    found = [Exposure(*spot, money, ledger.marginal[spot]) for spot, money in ledger.money.items() if money > 0 or ledger.marginal[spot]]
    order = {sheet: number for number, sheet in enumerate(plan.tables.frames)}
    return sorted(found, key=lambda item: (-item.money, order[item.sheet], str(item.row), item.column))


def _plants(ledger: _Ledger, plan: Plan) -> None:
    """Capital and fixed costs lean on the design, the host's cost level, its cost of capital and its expertise."""
    problem, settings = plan.problem, plan.tables.settings
    penalty = float(settings["expertise_capex_penalty"])
    for key in plan.solution.tables["builds"].itertuples(index=False, name=None):
        h, d, w, start = key
        years = sum(problem.weight[y] for y in problem.years if y >= start)
        capital, fixed, fee = (problem.build_cost[name][key] * years for name in ("capital", "fixed_operating", "know_how_fee"))
        ledger.add("designs", d, "capex", capital)
        ledger.add("designs", d, "fixed_cost", fixed)
        ledger.add("hosts", h, "capex_factor", capital + fixed)
        _borrowed(ledger, plan.tables, h, capital)
        _expertise(ledger, h, w, capital, penalty)
        ledger.add("know_how", w, "fixed_fee", fee)


def _borrowed(ledger: _Ledger, tables: Tables, host: str, capital: float) -> None:
    """Lay capital on the host's cost of capital; the annuity rises by less than in proportion to it."""
    nominal, inflation, life = (
        ledger.records["hosts"][host]["cost_of_capital"],
        tables.setting("inflation"),
        int(tables.setting("plant_life")),
    )
    low, mid, high = (annuity(real_rate(nominal * factor, inflation), life) for factor in (0.999, 1.0, 1.001))
    ledger.add("hosts", host, "cost_of_capital", capital, capital * (high - low) / 0.002 / mid)


def _expertise(ledger: _Ledger, host: str, way: str, cost: float, penalty: float) -> None:
    """Lay on a host's expertise what its lack adds to a cost; nothing where the way of working makes up for it."""
    own = ledger.records["hosts"][host]["expertise"]
    if own >= ledger.records["know_how"][way]["expertise_up_to"]:
        whole = 1.0 + penalty * (1.0 - own)
        ledger.add("hosts", host, "expertise", cost * penalty * (1.0 - own) / whole, -cost * penalty * own / whole)


def _feed(ledger: _Ledger, plan: Plan) -> None:
    """What is paid for feed and for refining it."""
    problem, settings = plan.problem, plan.tables.settings
    penalty, capex_penalty = float(settings["expertise_operating_penalty"]), float(settings["expertise_capex_penalty"])
    limits, taken = plan.solution.duals.get("source_limit", {}), set()
    for s, h, line, y, tonnes, _ in plan.solution.tables["feed"].itertuples(index=False, name=None):
        key, kt, way = (s, h, line, y), tonnes * KT_PER_T * problem.weight[y], line.split(":", 1)[1]
        source = ledger.records["sources"][s]
        cost = {name: rate[key] * kt for name, rate in problem.feed_cost.items()}
        if math.isnan(source["payability"]):
            ledger.add("sources", s, "fixed_price", cost["feed_purchase"])
        else:
            ledger.add("sources", s, "payability", cost["feed_purchase"])
            for p, share in problem.content[s].items():
                ledger.add("prices", (p, "market"), YEARS, source["payability"] * share * problem.price[p, y] * kt)
        ledger.add("composition", s, "elements", cost["feed_purchase"], 0.0)
        ledger.add("know_how", way, "fee", cost["know_how_fee"])
        more = 0.0 if (s, y) in taken else limits.get((s, y), 0.0) * problem.available[s, y]  # one row of the model for all hosts
        taken.add((s, y))
        for column in ("capacity", "uncommitted"):
            ledger.add("sources", s, column, cost["feed_purchase"], more)
        if 0.0 < source["china_linked"] < 1.0:
            ledger.add("sources", s, "china_linked", cost["feed_purchase"], _feed_origin(plan, s, h, line, y) * tonnes * KT_PER_T)
        _refining(ledger, str(source["feed_type"]), h, cost)
        _expertise(ledger, h, way, cost["processing"], penalty)
        _expertise(ledger, h, way, cost["feed_equipment"], capex_penalty)
        _borrowed(ledger, plan.tables, h, cost["feed_equipment"])


def _refining(ledger: _Ledger, feed_type: str, host: str, cost: Mapping[str, float]) -> None:
    """Part processing cost among the needs of the feed type, its discharge add-on and the host's prices."""
    types, at = [feed_type], ledger.records["hosts"][host]
    addon = str(ledger.records["processing"][feed_type]["discharge_addon"])
    if at["brine_discharge"] == "no" and addon:
        types.append(addon)
    prices = {"electricity": at["power_price"], "heat": at["heat_price"] / 1000.0, "labour": at["wage"] / 1000.0}
    needs = ("electricity", "heat", "labour", "reagents", "waste", "other")
    parts = {(kind, need): ledger.records["processing"][kind][need] * prices.get(need, 1.0) for kind in types for need in needs}
    whole = sum(parts.values())
    for (kind, need), part in parts.items():
        money = cost["processing"] * part / whole if whole else 0.0
        ledger.add("processing", kind, need, money)
        if need in prices:
            ledger.add("hosts", host, {"electricity": "power_price", "heat": "heat_price", "labour": "wage"}[need], money)
    if not math.isnan(at["operating_factor"]):
        ledger.add("hosts", host, "operating_factor", cost["processing"])
    equipment = {kind: ledger.records["processing"][kind]["equipment"] for kind in types}
    if sum(equipment.values()):
        for kind, amount in equipment.items():
            ledger.add("processing", kind, "equipment", cost["feed_equipment"] * amount / sum(equipment.values()))
        ledger.add("hosts", host, "capex_factor", cost["feed_equipment"])


def _feed_origin(plan: Plan, s: str, h: str, line: str, y: int) -> float:
    """Return what a kt of this feed costs through the caps that bind, times its China-linked share, MUSD discounted."""
    problem, duals = plan.problem, plan.solution.duals.get("china_cap", {})
    content = 0.0
    for cap in problem.caps:
        price = -duals.get((cap.cap, cap.member, y), 0.0)
        by_product = cap.scope in ("product", "every_product")
        if not price or (cap.scope == "host" and cap.member != h) or cap.scope == "partner":
            continue
        value = cap.measure == "value"
        if cap.basis == "feedstock" and by_product:
            content += price * problem.content[s].get(cap.member, 0.0) * (problem.price[cap.member, y] if value else 1.0)
        elif cap.basis == "feedstock":
            content += price * (problem.basket[s, y] if value else 1.0)
        else:
            made = problem.yields[s, h, line]
            content += price * sum(
                x * (problem.price[p, y] if value else 1.0) for p, x in made.items() if not by_product or p == cap.member
            )
    return content * problem.china_linked[s]


def _made(ledger: _Ledger, plan: Plan) -> None:
    """Recoveries carry the worth of what they let the plants make; the price of surplus carries its revenue."""
    problem, tables = plan.problem, plan.solution.tables
    worth: dict[tuple[str, str, int], float] = defaultdict(float)
    wanted = plan.solution.duals.get("demand_balance", {})
    for h, p, m, y, tonnes, _ in tables["deliveries"].itertuples(index=False, name=None):
        worth[h, p, y] += wanted.get((m, p, y), 0.0) * tonnes
    for h, p, y, tonnes, _ in tables["surplus"].itertuples(index=False, name=None):
        revenue = problem.surplus_price[p, y] * tonnes * problem.weight[y]
        worth[h, p, y] += revenue
        ledger.add("prices", (p, "surplus"), YEARS, -revenue * KT_PER_T)
    made = {
        (h, p, y): tonnes for h, p, y, tonnes in tables["products"][["host", "product", "year", "made"]].itertuples(index=False, name=None)
    }
    for s, h, line, y, tonnes, _ in tables["feed"].itertuples(index=False, name=None):
        feed_type = str(ledger.records["sources"][s]["feed_type"])
        for p, share in problem.yields[s, h, line].items():
            kt = share * tonnes * KT_PER_T
            value = -kt * worth[h, p, y] / made[h, p, y] if made.get((h, p, y)) else 0.0
            money = kt * problem.price[p, y] * problem.weight[y]
            ledger.add("recoveries", (feed_type, p), "recovery", money, value)
            ledger.add("processing", feed_type, "leach_recovery", money, value)


def _bought(ledger: _Ledger, plan: Plan) -> None:
    """Oxide bought leans on the price paid, on what the supplier offers and on where it is said to come from."""
    problem, duals = plan.problem, plan.solution.duals
    seen: set[tuple[str, int]] = set()
    for o, p, to, m, y, tonnes, _ in plan.solution.tables["purchases"].itertuples(index=False, name=None):
        row, offer, kt = (o, p, to), offer_key(o, p, to), tonnes * KT_PER_T
        record = ledger.records["suppliers"][row]
        paid = problem.purchase_cost["oxide_purchase"][offer, m, y]
        spent = paid * kt * problem.weight[y]
        if record["price_share"] * problem.price[p, y] >= paid - 1e-9:
            ledger.add("suppliers", row, "price_share", spent)
            ledger.add("prices", (p, "market"), YEARS, spent)
        else:
            ledger.add("suppliers", row, "price_floor", spent)
        more = 0.0
        if (offer, y) not in seen:
            seen.add((offer, y))
            more = duals.get("supplier_limit", {}).get((offer, y), 0.0) * problem.supply[offer, y]
            more += duals.get("take_minimum", {}).get((offer, y), 0.0) * problem.least_take.get((offer, y), 0.0)
        ledger.add("suppliers", row, YEARS, spent, more)
        if 0.0 < record["china_linked"] < 1.0:
            ledger.add("suppliers", row, "china_linked", spent, _oxide_origin(problem, duals, p, m, y) * record["china_linked"] * kt)


def _oxide_origin(problem: Problem, duals: Mapping[str, Mapping[object, float]], p: str, m: str, y: int) -> float:
    """Return what a China-linked kt of a product costs a market through the caps that bind, MUSD discounted."""
    price = 0.0
    for cap in problem.caps:
        member = {"product": p, "every_product": p, "partner": m, "all": cap.member}.get(cap.scope)
        if cap.basis == "supply" and member == cap.member:
            unit = problem.price[p, y] if cap.measure == "value" else 1.0
            price -= duals.get("china_cap", {}).get((cap.cap, cap.member, y), 0.0) * unit
    return price


def _markets(ledger: _Ledger, plan: Plan) -> None:
    """Demand carries the worth of what is wanted; shortages and stocks carry what they cost."""
    problem, duals = plan.problem, plan.solution.duals
    wanted = duals.get("demand_balance", {})
    for (m, c, p, y), kt in problem.demand.items():
        ledger.add("demand", (m, c, p), YEARS, kt * problem.price[p, y] * problem.weight[y], wanted.get((m, p, y), 0.0) * kt)
    for _, c, p, y, tonnes in plan.solution.tables["unmet"].itertuples(index=False, name=None):
        kt = tonnes * KT_PER_T * problem.weight[y]
        multiple = ledger.records["sectors"][c]["shortage_multiple"] * problem.price[p, y]
        ledger.add("sectors", c, "shortage_cost", (problem.shortage_cost[c, p, y] - multiple) * kt)
        ledger.add("sectors", c, "shortage_multiple", multiple * kt)
        ledger.add("prices", (p, "market"), YEARS, multiple * kt)
    held = duals.get("stock_minimum", {})
    for m, p, y, stock, _ in plan.solution.tables["stocks"].itertuples(index=False, name=None):
        ledger.add("stockpiles", (m, p), "holding_cost", problem.holding_cost[m, p] * stock * KT_PER_T * problem.weight[y])
        ledger.add("stockpiles", (m, p), "days", 0.0, held.get((m, p, y), 0.0) * problem.stock_needed[m, p, y])


def figure_cell(tables: Tables, sheet: str, row: Hashable, column: str) -> str:
    """Return the address of a figure, ``prices!D6:Q6`` for the years of a row."""
    if column not in (YEARS, "elements"):
        return tables.cell(sheet, row, column)
    names = (
        modelled_years(tables)
        if column == YEARS
        else [name for name in tables[sheet].columns if name in set(tables["elements"]["element"])]
    )
    first, last = tables.cell(sheet, row, names[0]), tables.cell(sheet, row, names[-1])
    return first if first == last else f"{first}:{last.partition('!')[2]}"
