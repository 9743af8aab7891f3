"""Figures marked `estimate`, alone or with their like, and the range in which each may lie.

A figure's range is the low and high case that the book states beside it, else the share `sensitivity_range` of the setting
either way; never beyond what the column allows. Ways of moving them all are kept apart from the study that solves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from model.book import column_of, is_blank, setting_column
from model.exposure import PLANT_SHEETS, YEARS, figure_cell, find_exposures
from model.planner import Plan
from model.schema import SETTING_BY_NAME, SHEET_BY_NAME
from model.tables import Tables

Record = Mapping[Hashable, Any]
Spot = tuple[str, Hashable, str]
"""Sheet, Excel row, column; the column YEARS is all year columns of the row."""
SIDES = ("low", "high")
SCALE = "scale_exponent"


def _always(record: Record) -> bool:
    return True


def _partly_chinese(record: Record) -> bool:
    return 0.0 < record["china_linked"] < 1.0


@dataclass(frozen=True)
class Kind:
    """Figures of one kind, which are likely to be wrong together.

    Parameters
    ----------
    name
        Code in the setting `sensitivity_figures`.
    words
        How a sentence calls them.
    advice
        What a planner can do about them.
    columns
        (sheet, column), or ("settings", name of the setting).
    keep
        Which rows belong.
    """

    name: str
    words: str
    advice: str
    columns: tuple[tuple[str, str], ...]
    keep: Callable[[Record], bool] = _always


def _settings(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple(("settings", name) for name in names)


KINDS: tuple[Kind, ...] = (
    Kind("feed_prices", "feed prices", "Ask the mines for price offers.", (("sources", "payability"), ("sources", "fixed_price"))),
    Kind("uncommitted", "uncommitted shares of the mines", "Secure letters of intent for tonnes.", (("sources", "uncommitted"),)),
    Kind(
        "china_links", "China-linked shares that are between none and all", "Trace ownership and feed of these streams.",
        (("sources", "china_linked"), ("suppliers", "china_linked")), _partly_chinese,
    ),
    Kind("plant_capex", "capital costs of the designs", "Have the chosen sizes priced by a contractor.", (("designs", "capex"),)),
    Kind(SCALE, "the exponent of capital cost over size", "Have a small and a large plant priced by the same contractor.", ()),
    Kind("capex_factors", "construction cost levels of the hosts", "Get local construction quotes.", (("hosts", "capex_factor"),)),
    Kind("cost_of_capital", "costs of capital of the hosts", "Ask lenders for terms by country.", (("hosts", "cost_of_capital"),)),
    Kind("expertise", "expertise of the hosts", "Have the hosts' practice audited by operators.", (("hosts", "expertise"),)),
    Kind(
        "energy_and_wages", "power, heat and wages of the hosts", "Ask for industrial tariffs and wage offers at the sites.",
        (("hosts", "power_price"), ("hosts", "heat_price"), ("hosts", "wage")),
    ),
    Kind(
        "processing", "needs of the processes", "Run test work on the feeds in question.",
        tuple(("processing", need) for need in ("electricity", "heat", "labour", "reagents", "waste", "other", "equipment")),
    ),
    Kind("recoveries", "recoveries of separation", "Run test work on the feeds in question.", (("recoveries", "recovery"),)),
    Kind("leaching", "recoveries of leaching", "Run test work on the feeds in question.", (("processing", "leach_recovery"),)),
    Kind("know_how_fees", "know-how fees", "Ask for a licence offer.", (("know_how", "fee"), ("know_how", "fixed_fee"))),
    Kind("oxide_prices", "oxide prices", "Look for price floors or long contracts; no study settles prices.", (("prices", YEARS),)),
    Kind(
        "surplus_prices", "prices of surplus", "Ask traders what surplus cerium and lanthanum fetch or cost.",
        (("prices", YEARS),), lambda record: record["item"] == "surplus",
    ),
    Kind(
        "supplier_tonnes", "tonnes of existing and planned suppliers outside China", "Watch whether these suppliers keep their plans.",
        (("suppliers", YEARS),), lambda record: record["china_linked"] < 1.0,
    ),
    Kind(
        "chinese_tonnes", "tonnes that Chinese-linked suppliers offer", "Plan for export controls in scenarios.",
        (("suppliers", YEARS),), lambda record: record["china_linked"] == 1.0,
    ),
    Kind("supplier_prices", "price terms of the suppliers", "Ask for contract terms.", (("suppliers", "price_share"), ("suppliers", "price_floor"))),
    Kind("demand", "demand", "Ask the users of the largest sectors for their plans.", (("demand", YEARS),)),
    Kind("shortage_costs", "costs of a kg short", "Ask the users what a kg short costs them.", (("sectors", "shortage_cost"), ("sectors", "shortage_multiple"))),
    Kind("duties", "duties", "Have the tariff lines confirmed by customs.", (("duties", "rate"),)),
    Kind(
        "freight", "freight rates", "Ask forwarders for quotes.",
        _settings("sea_fixed", "sea_rate", "feeder_addon", "radioactive_sea_multiplier", "radioactive_handling", "product_sea_multiplier",
                  "truck_rate", "truck_africa_rate", "rail_rate", "barge_rate"),
    ),
    Kind(
        "expertise_penalties", "what a lack of expertise costs", "Compare the start-ups of experienced and new operators.",
        _settings("expertise_capex_penalty", "expertise_operating_penalty", "expertise_recovery_penalty", "expertise_ramp_penalty"),
    ),
    Kind("concentrate", "what a light-only plant is paid for its concentrate", "Ask separators for an offer.", _settings("heavy_concentrate_payability")),
    Kind("discount_rate", "the discount rate", "Agree on one rate between the partners.", _settings("discount_rate")),
)  # fmt: skip
KIND_BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True)
class Estimate:
    """One bar of the tornado: figures that move together.

    Parameters
    ----------
    name
        Unique.
    words, advice
        As in :class:`Kind`.
    where
        Cells, in short.
    spots
        The figures; none for the scale exponent.
    """

    name: str
    words: str
    advice: str
    where: str
    spots: tuple[Spot, ...]


def kinds_in(tables: Tables, names: Sequence[str] = ()) -> list[Estimate]:
    """Return the kinds of which the book has estimates; those named, or all.

    Raises
    ------
    ValueError
        A name is none of :data:`KINDS`.
    """
    for name in names:
        if name not in KIND_BY_NAME:
            raise ValueError(
                f"sensitivity_figures: there is no kind {name}; write some of {', '.join(KIND_BY_NAME)}, or leave it blank for all"
            )
    found = []
    for kind in KINDS:
        if names and kind.name not in names:
            continue
        if kind.name == SCALE:
            if families := scale_families(tables):
                found.append(Estimate(kind.name, kind.words, kind.advice, f"designs: {sum(map(len, families))} sizes", ()))
            continue
        spots = tuple(spot for sheet, column in kind.columns for spot in _spots(tables, sheet, column, kind.keep))
        if spots:
            columns = {
                sheet: list(dict.fromkeys(name for other, _, name in spots if other == sheet))
                for sheet, _, _ in spots
                if sheet != "settings"
            }
            sheets = "; ".join(f"{sheet}: {', '.join(moved)}" for sheet, moved in columns.items())
            count = f"{len(spots)} figure{'s' if len(spots) > 1 else ''}"
            found.append(Estimate(kind.name, kind.words, kind.advice, f"{sheets or 'settings'} ({count})", spots))
    return found


def _spots(tables: Tables, sheet: str, column: str, keep: Callable[[Record], bool]) -> list[Spot]:
    """Return the figures of a column that are estimates, not blank and not all zero."""
    spots: list[Spot] = []
    for row, record in tables[sheet].to_dict("index").items():
        if record["quality"] != "estimate" or not keep(record):
            continue
        if sheet == "settings":
            if record["setting"] == column and record["value"]:
                spots.append((sheet, row, "value"))
        elif any(not is_blank(record[name]) and record[name] != 0.0 for name in _columns(tables, sheet, column)):
            spots.append((sheet, row, column))
    return spots


def _columns(tables: Tables, sheet: str, column: str) -> list[Hashable]:
    return [name for name in tables[sheet].columns if isinstance(name, int)] if column == YEARS else [column]


def cells_in(plan: Plan, spread: float, count: int) -> list[Estimate]:
    """Return the single estimates that matter most by the plan's own cost lines and duals, times their range.

    One half are the first of all; the other half the first of what joint plants cost and make, which the large sums for bought
    oxide would crowd out.

    Parameters
    ----------
    plan
        With values.
    spread
        Setting `sensitivity_range`.
    count
        Most to return.
    """
    tables = plan.tables
    kind_of = {(sheet, column): kind for kind in reversed(KINDS) for sheet, column in kind.columns}
    records = {sheet: tables[sheet].to_dict("index") for sheet in SHEET_BY_NAME}
    ranked: list[tuple[float, Spot, Kind]] = []
    for item in find_exposures(plan):
        kind = kind_of.get((item.sheet, item.column))
        record = records[item.sheet][item.row]
        if kind is None or record["quality"] != "estimate" or (item.column == "china_linked" and not _partly_chinese(record)):
            continue
        ranked.append(
            (
                abs(item.marginal) * _relative_range(tables, item.sheet, record, item.column, spread),
                (item.sheet, item.row, item.column),
                kind,
            )
        )
    ranked = sorted((entry for entry in ranked if entry[0] > 0), key=lambda entry: (-entry[0], str(entry[1])))
    of_plants = [entry for entry in ranked if entry[1][0] in PLANT_SHEETS]
    chosen = list(dict.fromkeys(spot for _, spot, _ in [*of_plants[: count // 2], *ranked[: count - count // 2], *ranked]))[:count]
    order = [spot for _, spot, _ in ranked]
    kinds = {spot: kind for _, spot, kind in ranked}
    return [_single(tables, spot, kinds[spot]) for spot in sorted(chosen, key=order.index)]


def _single(tables: Tables, spot: Spot, kind: Kind) -> Estimate:
    sheet, row, column = spot
    keys = ", ".join(str(tables[sheet].at[row, key]) for key in SHEET_BY_NAME[sheet].key)
    what = {YEARS: "market price" if sheet == "prices" else "tonnes"}.get(column, column)
    spots: tuple[Spot, ...] = (spot,)
    if sheet == "prices":  # what a surplus fetches follows the market
        product = tables[sheet].at[row, "product"]
        same = tables[sheet][(tables[sheet]["product"] == product) & (tables[sheet]["quality"] == "estimate")]
        spots = tuple((sheet, other, YEARS) for other in same.index)
        if tables[sheet].at[row, "item"] == "surplus":
            spots, what = (spot,), "surplus price"
    cell = figure_cell(tables, sheet, row, column)
    return Estimate(cell, f"{what} of {keys}", kind.advice, cell, spots)


def _relative_range(tables: Tables, sheet: str, record: Record, column: str, spread: float) -> float:
    """Return the width of a figure's range over the figure."""
    widths = []
    for name in _columns(tables, sheet, column):
        if not is_blank(record[name]) and record[name]:
            low, high = figure_range(sheet, record, name, spread)
            widths.append((high - low) / abs(record[name]))
    return max(widths, default=0.0)


def figure_range(sheet: str, record: Record, name: Hashable, spread: float) -> tuple[float, float]:
    """Return the range in which a figure may lie.

    Parameters
    ----------
    sheet, record, name
        Where it stands: a row as a record, and the column.
    spread
        Share either way where the book states no range.

    Returns
    -------
    low, high
        Within what the column allows.
    """
    column = setting_column(SETTING_BY_NAME[record["setting"]]) if sheet == "settings" else column_of(sheet, name)
    value = float(record[name])
    low, high = value - spread * abs(value), value + spread * abs(value)
    stated_low, stated_high = record.get(f"{name}_low"), record.get(f"{name}_high")
    low = low if is_blank(stated_low) else min(float(stated_low), value)  # type: ignore[arg-type]
    high = high if is_blank(stated_high) else max(float(stated_high), value)  # type: ignore[arg-type]
    floor = -math.inf if column.low is None else column.low
    ceiling = math.inf if column.high is None else column.high
    return max(low, floor), min(high, ceiling)


def move(tables: Tables, estimate: Estimate, side: str) -> Tables:
    """Return the tables with an estimate at one end of its range; the same tables where it is there already."""
    if estimate.name == SCALE:
        return rescale_designs(tables, tables.setting(f"scale_exponent_{side}"))
    spread = tables.setting("sensitivity_range")
    frames: dict[str, pd.DataFrame] = {}
    records = {sheet: tables[sheet].to_dict("index") for sheet in dict.fromkeys(sheet for sheet, _, _ in estimate.spots)}
    changed = False
    for sheet, row, column in estimate.spots:
        frame = frames.setdefault(sheet, tables[sheet].copy())
        record = records[sheet][row]
        for name in _columns(tables, sheet, column):
            if is_blank(record[name]):
                continue
            after = figure_range(sheet, record, name, spread)[SIDES.index(side)]
            if after != record[name]:
                frame.at[row, name] = after
                changed = True
    return tables.with_frames(**frames) if changed else tables


def describe_move(tables: Tables, estimate: Estimate, side: str) -> str:
    """Return in few words where a move takes an estimate."""
    if estimate.name == SCALE:
        return f"exponent {tables.setting(f'scale_exponent_{side}'):g}"
    spread = tables.setting("sensitivity_range")
    if len(estimate.spots) == 1 and estimate.spots[0][2] != YEARS:
        sheet, row, column = estimate.spots[0]
        record = tables[sheet].to_dict("index")[row]
        return f"{record[column]:.4g} → {figure_range(sheet, record, column, spread)[SIDES.index(side)]:.4g}"
    records = {sheet: tables[sheet].to_dict("index") for sheet in dict.fromkeys(sheet for sheet, _, _ in estimate.spots)}
    stated = [not is_blank(records[sheet][row].get(f"{column}_{side}")) for sheet, row, column in estimate.spots]
    change = f"{-spread if side == 'low' else spread:+.0%}"
    return f"{side} cases of the book" if all(stated) else f"{side} cases of the book, else {change}" if any(stated) else change


def scale_families(tables: Tables) -> list[list[Hashable]]:
    """Return rows of `designs` that differ in size only; families of one size have no exponent."""
    frame = tables["designs"]
    frame = frame[(frame["quality"] == "estimate") & (frame["capex"] > 0)]
    families = [list(part.index) for _, part in frame.groupby(["scope", "heavies", "host"], sort=False)]
    return [rows for rows in families if frame.loc[rows, "capacity"].nunique() > 1]


def fitted_exponent(capacity: np.ndarray, capex: np.ndarray) -> float:
    """Return the exponent of capital cost over capacity by least squares of the logarithms.

    Examples
    --------
    >>> round(fitted_exponent(np.array([1000.0, 2000.0]), np.array([100.0, 150.0])), 4)
    0.585
    """
    return float(np.polyfit(np.log(capacity), np.log(capex), 1)[0])


def rescale_designs(tables: Tables, exponent: float) -> Tables:
    """Return the tables with another exponent of plant cost over size; the largest design of each family keeps its cost.

    Capital and fixed cost of a design change by the same factor; how far a design lies off its family's line stays.
    """
    frame = tables["designs"].copy()
    for rows in scale_families(tables):
        capacity = frame.loc[rows, "capacity"].to_numpy(dtype=float)
        capex = frame.loc[rows, "capex"].to_numpy(dtype=float)
        factor = (capacity / capacity.max()) ** (exponent - fitted_exponent(capacity, capex))
        for column in ("capex", "fixed_cost"):
            frame.loc[rows, column] = frame.loc[rows, column].to_numpy(dtype=float) * factor
    return tables.with_frames(designs=frame)
