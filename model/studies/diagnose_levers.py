"""Figures that a planner can change: their cells, the direction that helps, and the values that can be typed."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

import pandas as pd

from model.formulation_elastic import LEAD_YEAR_WEIGHT, SMALL_SHARE, Code
from model.problem import T_PER_KT
from model.problem_sheets import FULL_OUTPUT_AFTER
from model.schema import THORIUM_LEVELS
from model.studies.diagnose_edits import Edit, Typed, setting_row
from model.tables import Tables

SHARE_STEP = 0.001
FINEST_SHARE = 1e-5
DIGITS, MOST_DIGITS = 4, 6
CHANGE_DIGITS = 2
LEAST_STEP = 0.01
"""Tonnes and MUSD are typed to `DIGITS` digits, shares to `SHARE_STEP`; to more, up to `MOST_DIGITS` and `FINEST_SHARE`, where
`CHANGE_DIGITS` of a small change need them; never finer than `LEAST_STEP` (t, MUSD): the solver's tolerance is a tenth of it."""

FIRST_DATE = 1900
"""A whole figure from here on is a year."""


@dataclass(frozen=True)
class Lever:
    """One figure of the book and how it can be changed.

    Parameters
    ----------
    code
        Figure in the elastic model.
    sheet, row, column
        Its cell; see :class:`Edit`.
    current
        What stands there.
    what
        What it means.
    sign
        1: raising it helps; -1: lowering it; 0: there is one other value, `end`, or the row goes.
    end
        Furthest value; infinite where there is none.
    step
        Between values that are typed; 0: to `DIGITS` digits.
    unit
        Typed units per unit of the elastic violation; None where the violation only points at the figure.
    blank
        Nothing stands in the cell, which means `current`.
    """

    code: Code
    sheet: str
    row: Hashable | None
    column: Hashable | None
    current: Typed
    what: str
    sign: int
    end: Typed
    step: float = 0.0
    unit: float | None = 1.0
    blank: bool = False

    def edit(self, value: Typed) -> Edit:
        """Return the edit that types a value."""
        return Edit(self.sheet, self.row, self.column, "" if self.blank else self.current, value, self.what)

    def grid(self, value: float) -> float:
        """Return the step between values to be typed near a value: finer the smaller the change is."""
        if self.step >= 1.0:
            return self.step

        def digit(number: float, place: int) -> float:
            return 10.0 ** (math.floor(math.log10(max(abs(number), 1e-9)) + 1e-9) - place + 1)

        coarse = self.step or max(LEAST_STEP, digit(value, DIGITS))
        finest = FINEST_SHARE if self.step else max(LEAST_STEP, digit(value, MOST_DIGITS))
        return max(finest, min(coarse, digit(value - float(self.current), CHANGE_DIGITS)))

    def outward(self, value: float) -> float:
        """Return the nearest value that can be typed and goes at least as far."""
        step = self.grid(value)
        slack = 1e-6 * max(1.0, abs(value) / step)  # the solver's dust must not cost a whole step
        places = math.ceil(value / step - slack) if self.sign > 0 else math.floor(value / step + slack)
        return self.within(round(places * step, 9))

    def nearer(self, value: float) -> float:
        """Return the next value to be typed towards what stands in the cell."""
        return round(value - self.sign * self.grid(value), 9)

    def further(self, value: float) -> float:
        """Return the next value to be typed away from what stands in the cell."""
        return self.within(round(value + self.sign * self.grid(value), 9))

    def within(self, value: float) -> float:
        """Return the value, or the furthest one if that is passed."""
        return min(value, float(self.end)) if self.sign > 0 else max(value, float(self.end))

    def changed(self, violation: float) -> float | None:
        """Return the value that an elastic violation asks for, None where that cannot be told."""
        if self.unit is None or self.sign == 0:
            return None
        return float(self.current) + self.sign * self.unit * violation

    def size(self, value: Typed) -> float:
        """Return the change relative to the figure, to rank repairs."""
        if self.sign == 0 or isinstance(value, str):
            return 1.0
        if self.step == 1.0 and float(self.current) >= FIRST_DATE:
            return LEAD_YEAR_WEIGHT * abs(value - float(self.current))
        return abs(value - float(self.current)) / max(abs(float(self.current)), SMALL_SHARE if self.step == SHARE_STEP else 1e-6)


def lever(tables: Tables, code: Code) -> Lever | None:
    """Return the figure of a code; None where the book has no cell for it."""
    kind, *rest = code
    key = [str(part) for part in rest]
    match kind:
        case "max_plants" | "plants_per_host":
            return _setting(tables, code, 1, math.inf, 1.0)
        case "minimum_hosts":
            return _setting(tables, code, -1, 0.0, 1.0)
        case "country_share_limit":
            return _setting(tables, code, 1, 1.0, SHARE_STEP, None)
        case "decision_year":
            return _setting(tables, code, -1, -math.inf, 1.0)
        case "rule_value" | "rule_share" | "drop_rule":
            return _rule(tables, code)
        case "uncommitted" | "capacity":
            row, record = _find(tables, "sources", source_id=key[0])
            name, step, end = (str(kind), SHARE_STEP, 1.0) if kind == "uncommitted" else (str(kind), 0.0, math.inf)
            what = f"{name} of source {key[0]}" + (", t REO/y" if kind == "capacity" else "")
            return Lever(code, "sources", row, name, record[name], what, 1, end, step, record[name] or 1.0)
        case "use":
            row, record = _find(tables, "sources", source_id=key[0])
            return Lever(code, "sources", row, kind, record[kind], f"source {key[0]} in use", 0, "yes")
        case "first_year":
            row, record = _find(tables, "sources", source_id=key[0])
            first = tables.setting("first_year") - FULL_OUTPUT_AFTER
            return Lever(code, "sources", row, kind, record[kind], f"first year of source {key[0]}", -1, first, 1.0)
        case "process_only_in":
            row, record = _find(tables, "sources", source_id=key[0])
            return Lever(code, "sources", row, kind, record[kind], f"countries where feed of source {key[0]} must be processed", 0, "")
        case "supply":
            row, record = _offer(tables, key[0])
            y = int(key[1])
            return Lever(code, "suppliers", row, y, record[y], f"{record['product']} offered by {record['supplier']} in {y}, t", 1, math.inf, unit=T_PER_KT)  # fmt: skip
        case "least_take":
            row, record = _offer(tables, key[0])
            what = f"least_take of {record['product']} from {record['supplier']}"
            return Lever(code, "suppliers", row, "least_take", record["least_take"], what, -1, 0.0, SHARE_STEP)
        case "demand":
            return _demand(tables, code, key[0], key[1], int(key[2]))
        case "opening" | "days":
            row, record = _find(tables, "stockpiles", market=key[0], product=key[1])
            if kind == "opening":
                return Lever(code, "stockpiles", row, "opening", record["opening"], f"opening stock of {key[1]} in {key[0]}, t", 1, math.inf, unit=T_PER_KT)  # fmt: skip
            return Lever(code, "stockpiles", row, "days", record["days"], f"days of {key[1]} to hold in {key[0]}", -1, 0.0, 1.0, record["days"])  # fmt: skip
        case "cap":
            row, record = _find(tables, "caps", cap=key[0])
            return Lever(code, "caps", row, int(key[1]), record[int(key[1])], f"cap {key[0]} in {key[1]}", 1, 1.0, SHARE_STEP, None)
        case "offtake_minimum":
            row, record = _find(tables, "markets", market=key[0])
            return Lever(code, "markets", row, kind, record[kind], f"least share of output for {key[0]}", -1, 0.0, SHARE_STEP, None)
        case "budget":
            row, record = _find(tables, "markets", market=key[0])
            y = int(key[1])
            return Lever(code, "markets", row, y, record[y], f"budget of {key[0]} in {y}, MUSD", 1, math.inf)
        case "minimum_use":
            row, record = _find(tables, "designs", design=key[0])
            return Lever(code, "designs", row, kind, record[kind], f"minimum_use of design {key[0]}", -1, 0.0, SHARE_STEP, None)
        case "build_years":
            row, record = _find(tables, "designs", design=key[0])
            return Lever(code, "designs", row, kind, record[kind], f"years to build design {key[0]}", -1, 0.0, 1.0)
        case "design_host":
            row, record = _find(tables, "designs", design=key[0])
            return Lever(code, "designs", row, "host", record["host"], f"the only host that may have design {key[0]}", 0, "")
        case "foreign_share_limit":
            row, record = _find(tables, "hosts", host=key[0])
            what = f"largest share of a plant at {key[0]} that the partners may own"
            return Lever(code, "hosts", row, kind, record[kind], what, -1, 0.0, SHARE_STEP, None)
        case "candidate":
            row, record = _find(tables, "hosts", host=key[0])
            return Lever(code, "hosts", row, kind, record[kind], f"{key[0]} as a candidate", 0, "yes")
        case "earliest_start":
            row, record = _find(tables, "hosts", host=key[0])
            return Lever(code, "hosts", row, kind, record[kind], f"first year of a plant at {key[0]}", -1, -math.inf, 1.0)
        case "thorium_accepted":
            row, record = _find(tables, "hosts", host=key[0])
            return Lever(code, "hosts", row, kind, record[kind], f"thorium that {key[0]} accepts", 0, THORIUM_LEVELS[-1])
    return None


def dates_of(tables: Tables, code: Code) -> list[Lever]:
    """Return the dates that could be moved instead of changing a figure: when its rule begins or ends."""
    kind, *rest = code
    if kind in ("drop_rule", "rule_value", "rule_share"):
        row, record = _find(tables, "host_rules", rule_id=str(rest[0]))
        name = f"rule {record['rule_id']} ({record['rule']} at {record['host']})"
        if record["rule"] == "force_plant":
            ends = [("to_year", 1, f"last year by which {name} must be met")]
        else:
            ends = [("from_year", 1, f"first year of {name}"), ("to_year", -1, f"last year of {name}")]
        years = tables.setting("first_year"), tables.setting("last_year")
        levers = []
        for column, sign, what in ends:
            date, blank = record[column], bool(pd.isna(record[column]))
            if blank and record["rule"] == "force_plant":
                continue  # a deadline that is for ever cannot be later
            if blank:
                date = years[0] if column == "from_year" else years[1]
            if column == "from_year":
                end = years[1] + 1 if pd.isna(record["to_year"]) else min(years[1] + 1, record["to_year"])
            elif sign > 0:
                end = years[1]
            else:
                end = years[0] - 1 if pd.isna(record["from_year"]) else max(years[0] - 1, record["from_year"])
            levers.append(Lever(code, "host_rules", row, column, date, what, sign, float(end), 1.0, None, blank))
        return [each for each in levers if (float(each.end) - float(each.current)) * each.sign > 0]
    if kind == "country_share_limit":
        setting = _setting(tables, ("country_share_from",), 1, tables.setting("last_year") + 1, 1.0, None)
        return [setting] if float(setting.end) > float(setting.current) else []
    if kind == "days":
        row, record = _find(tables, "stockpiles", market=str(rest[0]), product=str(rest[1]))
        blank = bool(pd.isna(record["from_year"]))
        date, end = tables.setting("first_year") if blank else record["from_year"], tables.setting("last_year") + 1
        return [Lever(code, "stockpiles", row, "from_year", date, f"first year in which {rest[0]} must hold {rest[1]}", 1, end, 1.0, None, blank)]  # fmt: skip
    return []


def _setting(tables: Tables, code: Code, sign: int, end: float, step: float, unit: float | None = 1.0) -> Lever:
    name = str(code[0])
    return Lever(code, "settings", setting_row(tables, name), "value", tables.setting(name), name, sign, end, step, unit)


def _rule(tables: Tables, code: Code) -> Lever:
    row, record = _find(tables, "host_rules", rule_id=str(code[1]))
    name = f"rule {record['rule_id']}: {record['rule']} at {record['host']}"
    if code[0] == "drop_rule":
        return Lever(code, "host_rules", row, None, "in force", name, 0, "deleted")
    if code[0] == "rule_share":
        return Lever(code, "host_rules", row, "value", record["value"], name, 1, 1.0, SHARE_STEP, None)
    sign, end = (-1, 0.0) if record["rule"] == "force_plant" else (1, math.inf)
    return Lever(code, "host_rules", row, "value", record["value"], f"{name}, t REO/y", sign, end, unit=T_PER_KT)


def _demand(tables: Tables, code: Code, market: str, product: str, year: int) -> Lever | None:
    """Return the demand of the sector that buys most."""
    frame = tables["demand"]
    rows = frame[(frame["market"] == market) & (frame["product"] == product)]
    if rows.empty:
        return None
    records = rows.to_dict("index")
    row = max(records, key=lambda number: records[number][year])
    what = f"demand of {market}, {records[row]['sector']}, for {product} in {year}, t"
    return Lever(code, "demand", row, year, float(records[row][year]), what, 1, math.inf, unit=T_PER_KT)


def _offer(tables: Tables, offer: str) -> tuple[Hashable, dict]:
    supplier, product, market = offer.split("|")
    return _find(tables, "suppliers", supplier=supplier, product=product, market=market)


def _find(tables: Tables, sheet: str, **where: str) -> tuple[Hashable, dict]:
    frame = tables[sheet]
    for name, value in where.items():
        frame = frame[frame[name] == value]
    row = frame.index[0]
    return row, frame.loc[row].to_dict()
