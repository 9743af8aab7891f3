"""What the partners trade with each other under a plan, and how Chinese their supply is."""

from __future__ import annotations

import math
from itertools import combinations

import pandas as pd

from model.analysis import CHINA, customs_view, traced_imports, traced_view
from model.planner import Plan
from model.result_schema import ResultColumn
from model.studies.study import StudySheet
from model.trade import (
    BOUGHT_OXIDE,
    FEED,
    JOINT_OXIDE,
    KNOW_HOW,
    PublishedDeficit,
    bilateral_trade,
    goods_balance,
    published_deficits,
    trade_flows,
    trade_keys,
)

ORIGIN_COLUMNS = (
    ResultColumn("partner", "", "Partner."),
    ResultColumn("year", "year", "Modelled year."),
    ResultColumn("imports", "t REO/y", "Oxide that its customs record as foreign."),
    ResultColumn("customs", "share", "Part of the imports recorded as Chinese."),
    ResultColumn("traced_imports", "share", "China-linked part of the imports, traced to the mine."),
    ResultColumn(
        "traced_supply", "share", "China-linked part of all it is supplied with, by mass balance; what caps on one partner count."
    ),
    ResultColumn("physical_supply", "share", "The same with the average blend of each joint plant."),
)
SHORT = {FEED: "feed", JOINT_OXIDE: "joint_oxide", BOUGHT_OXIDE: "bought_oxide", KNOW_HOW: "know_how"}
EFFECT_COLUMNS = (
    ResultColumn("of", "", "Country whose balance is shown."),
    ResultColumn("with", "", "The other partner."),
    ResultColumn("goods_balance", "MUSD/y", "Goods sold less goods bought in an average year of the plan; feed and oxide only."),
    ResultColumn("without_plants", "MUSD/y", "The same without joint plants, under the same rules; blank where that has no plan."),
    ResultColumn("effect", "MUSD/y", "What the joint plants change; positive: the balance improves; blank without joint plants."),
    ResultColumn("know_how_paid", "MUSD/y", "Fees for know-how paid to the other partner less those earned; services, no goods."),
    ResultColumn("feed_elsewhere", "MUSD/y", "Feed sold to joint plants in third countries; exports, but not to the partner."),
    ResultColumn("published_deficit", "MUSD/y", "Published goods deficit with the other partner; blank where the sheet published has none."),
    ResultColumn("effect_of_deficit", "share", "effect over the published deficit; positive: the deficit shrinks; blank where there is none."),
    ResultColumn("period", "", "Year of the published figure."),
    ResultColumn("source", "", "Where it was read."),
)  # fmt: skip


def origin_frame(plan: Plan) -> pd.DataFrame:
    """Return the China content of each partner's supply by customs view and traced, by year."""
    tables, found = plan.tables, plan.solution.tables
    customs = customs_view(tables, found)
    chinese = customs[customs["origin"] == CHINA].set_index(["market", "year"])["share"].to_dict()
    imports = traced_imports(tables, found).set_index(["market", "year"])[["tonnes", "share"]].to_dict("index")
    sums = traced_view(tables, found).groupby(["market", "year"])[["tonnes", "china_tonnes", "physical_tonnes"]].sum()
    supply = sums.to_dict("index")
    nothing = {"tonnes": math.nan, "share": math.nan, "china_tonnes": math.nan, "physical_tonnes": math.nan}
    rows = []
    for m in plan.problem.partners:
        for y in plan.problem.years:
            bought, got = imports.get((m, y), nothing), supply.get((m, y), nothing)
            imported = (m, y) in imports
            rows.append(
                (
                    m, y, bought["tonnes"] if imported else 0.0, chinese.get((m, y), 0.0) if imported else math.nan, bought["share"],
                    got["china_tonnes"] / got["tonnes"], got["physical_tonnes"] / got["tonnes"],
                )
            )  # fmt: skip
    return pd.DataFrame(rows, columns=[column.name for column in ORIGIN_COLUMNS])


def average_year(plan: Plan, by_year: pd.Series) -> float:
    """Return the mean over the calendar years of the plan, not discounted."""
    span = plan.problem.years_represented
    return float(sum(by_year[y] * span[y] for y in plan.problem.years) / sum(span.values()))


def _pairs(plan: Plan) -> list[tuple[str, str, PublishedDeficit | None]]:
    """Return each pair of partners' countries once, the one with a published deficit first."""
    deficits = {(item.country, item.other): item for item in published_deficits(plan.tables)}
    countries = [plan.problem.market_country[m] for m in plan.problem.partners]
    pairs = []
    for a, b in combinations(countries, 2):
        first, second = (b, a) if (b, a) in deficits and (a, b) not in deficits else (a, b)
        pairs.append((first, second, deficits.get((first, second))))
    return pairs


def effect_frame(plan: Plan, bare: Plan | None) -> pd.DataFrame:
    """Set each pair's goods balance beside the one without joint plants and the published deficit; average year."""
    flows = trade_flows(plan.tables, plan.problem, plan.solution.tables)
    years = plan.problem.years
    built = not plan.solution.tables["builds"].empty
    rows = []
    for country, other, deficit in _pairs(plan):
        trade = bilateral_trade(flows, country, other, years)
        balance = average_year(plan, goods_balance(trade, country, other))
        before = math.nan
        if bare is not None:
            without = bilateral_trade(trade_flows(bare.tables, bare.problem, bare.solution.tables), country, other, years)
            before = average_year(plan, goods_balance(without, country, other))
        paid = average_year(plan, trade[KNOW_HOW, other, country] - trade[KNOW_HOW, country, other])
        sold = flows[(flows["item"] == FEED) & (flows["origin"] == country) & (flows["destination"] != other)]
        elsewhere = average_year(plan, sold.groupby("year")["value"].sum().reindex(years, fill_value=0.0))
        published = deficit.value if deficit else math.nan
        effect = balance - before if built else math.nan
        share = effect / published if published else math.nan
        told = (deficit.period, deficit.source) if deficit else ("", "")
        rows.append((country, other, balance, before, effect, paid, elsewhere, published, share, *told))
    return pd.DataFrame(rows, columns=[column.name for column in EFFECT_COLUMNS])


def trade_table(plan: Plan, country: str, other: str) -> tuple[str, list[ResultColumn], pd.DataFrame]:
    """Return what two countries sell each other, by year."""
    trade = bilateral_trade(trade_flows(plan.tables, plan.problem, plan.solution.tables), country, other, plan.problem.years)
    columns = [ResultColumn("year", "year", "Modelled year.")]
    data: dict[str, list[float]] = {"year": list(plan.problem.years)}
    for item, origin, destination in trade_keys(country, other):
        name = f"{SHORT[item]} {origin} to {destination}"
        word = (
            "paid to the provider; a service" if item == KNOW_HOW else "at the market price" if item == JOINT_OXIDE else "at the price paid"
        )
        seller = f"{destination} pays {origin}" if item == KNOW_HOW else f"{origin} sells to {destination}"
        columns.append(ResultColumn(name, "MUSD/y", f"{item.capitalize()} that {seller}, {word}."))
        data[name] = trade[item, origin, destination].tolist()
    columns.append(ResultColumn("goods balance", "MUSD/y", f"Goods that {country} sells to {other} less goods that it buys from there."))
    data["goods balance"] = goods_balance(trade, country, other).tolist()
    return f"Trade between {country} and {other} under the plan, by year, not discounted.", columns, pd.DataFrame(data)


def effect_sentence(row: dict, plants: bool) -> str:
    """Say what the joint plants do to one balance, and what to make of it.

    Parameters
    ----------
    row
        Of :func:`effect_frame`.
    plants
        Whether the plan has joint plants.
    """
    country, other, effect = row["of"], row["with"], row["effect"]
    words = f"In an average year the rare-earth goods balance of {country} with {other} is {row['goods_balance']:+,.1f} MUSD"
    if not plants:
        words += ", none of it due to joint plants, since the plan has none"
    elif math.isnan(effect):
        words += " (what the joint plants change of it is not known: no plan without them was found)"
    else:
        words += f", of which the joint plants cause {effect:+,.1f}"
    words += f"; {country} pays {other} {row['know_how_paid']:,.1f} MUSD net for know-how and sells feed worth {row['feed_elsewhere']:,.1f} MUSD "
    words += "to plants in third countries."
    published = row["published_deficit"]
    if not math.isnan(published):
        what = "deficit" if published >= 0 else "surplus"
        words += f" The published goods {what} of {country} with {other} is {abs(published):,.0f} MUSD ({row['period']})"
        words += f": {_against(row, what)}." if plants and not math.isnan(row["effect_of_deficit"]) else "."
    return words


def _against(row: dict, what: str) -> str:
    """Say which way the joint plants move a published balance, by how much and for whom."""
    share = abs(row["effect_of_deficit"])
    if share < 0.01:
        return "rare earths cannot move it, so argue for the partnership with security of supply, not with the balance of trade"
    better = row["effect"] > 0
    grows = better == (what == "surplus")
    favoured = row["of"] if better else row["with"]
    way = "grow" if grows else "shrink"
    return f"the joint plants make it {way} by {share:.1%}, in favour of {favoured}, enough to name in a negotiation"


def origin_sentence(row: dict) -> str:
    """Say how Chinese a partner's supply of a year is; a share of nothing is not given."""
    parts = []
    if not math.isnan(row["customs"]):
        parts.append(f"{row['customs']:.0%} of imports are Chinese to customs, {row['traced_imports']:.0%} traced to the mine")
    else:
        parts.append("nothing is imported")
    if not math.isnan(row["traced_supply"]):
        parts.append(f"{row['traced_supply']:.0%} of all it is supplied with is traced to China")
    return f"{row['partner']} in {row['year']}: {'; '.join(parts)}."


def trade_sheet(plan: Plan, bare: Plan | None) -> StudySheet:
    """Return the sheet of China content by partner and of trade between partners.

    Parameters
    ----------
    plan
        The joint plan.
    bare
        The plan of the same inputs without joint plants; None where there is none.
    """
    effect = effect_frame(plan, bare)
    pairs = _pairs(plan)
    plants = not plan.solution.tables["builds"].empty
    words = [effect_sentence(row, plants) for row in effect.to_dict("records")]
    words += [
        f"The published goods deficit of {country} with {other} is left out: its unit, {deficit.unit or 'blank'}, is not understood; "
        "write million USD or billion USD."
        for country, other, deficit in pairs
        if deficit is not None and not deficit.unit_known
    ]
    origin = origin_frame(plan)
    last = origin[origin["year"] == plan.problem.years[-1]]
    words += [origin_sentence(row) for row in last.to_dict("records")]
    words.append(
        "Where traced is above customs, goods made elsewhere from Chinese feed pass as something else: write caps on the traced figure."
    )
    return StudySheet(
        "partner_trade",
        "How Chinese each partner's supply is, and what the partners sell each other; million constant 2024 USD a year.",
        [
            ("Goods balance between the partners in an average year, beside the published deficit.", EFFECT_COLUMNS, effect),
            *(trade_table(plan, country, other) for country, other, _ in pairs),
            ("China content of each partner's supply, by year.", ORIGIN_COLUMNS, origin),
        ],
        words,
    )
