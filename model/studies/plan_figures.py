"""The few figures of a plan that studies set side by side, and how they are said."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

import pandas as pd

from model.planner import Plan
from model.problem import BuildKey
from model.tables import Tables


def verdict(plan: Plan) -> str:
    """Return what independent verification said of a plan, or the status where there is none."""
    if not plan.solution.status.has_plan:
        return str(plan.solution.status)
    return "passed" if plan.verification.passed else "FAILED"


def plan_builds(plan: Plan) -> tuple[BuildKey, ...]:
    """Return the plants of a plan as a start for another solve."""
    return tuple((str(h), str(d), str(w), int(y)) for h, d, w, y in plan.solution.tables["builds"].itertuples(index=False))


def _years(plan: Plan, frame: pd.DataFrame) -> pd.Series:
    """Return the years that the modelled year of each row stands for."""
    return frame["year"].map(plan.problem.years_represented).astype(float)


def _short(plan: Plan, markets: Collection[str] | None) -> pd.DataFrame:
    """Return sector and t REO left short over the horizon of each shortage of some markets, or of all."""
    unmet = plan.solution.tables["unmet"]
    own = unmet if markets is None else unmet[unmet["market"].isin(list(markets))]
    return pd.DataFrame({"sector": own["sector"], "tonnes": own["tonnes"] * _years(plan, own)})


def short_by_sector(plan: Plan) -> dict[str, float]:
    """Return the t REO that each sector is left short over the horizon, all markets and products together.

    Modelled years are weighted by the years that they stand for; a sector that is not named is not short.
    """
    short = _short(plan, None)
    return {str(sector): float(tonnes) for sector, tonnes in short.groupby("sector")["tonnes"].sum().items()}


def tonnes_short(plan: Plan, sectors: Collection[str] | None = None, markets: Collection[str] | None = None) -> float:
    """Return the t REO left short over the horizon: of some sectors and markets, or of all."""
    short = _short(plan, markets)
    return float(short.loc[short["sector"].isin(list(sectors)) if sectors is not None else slice(None), "tonnes"].sum())


def china_share_of_supply(plan: Plan, markets: Collection[str] | None = None) -> float:
    """Return the China-linked share of the oxide that some markets, or all, are supplied with over the horizon; NaN without supply."""
    supply = plan.solution.tables["supply_balance"]
    own = supply if markets is None else supply[supply["market"].isin(list(markets))]
    years = _years(plan, own)
    return _share((own["china"] * years).sum(), ((own["joint"] + own["bought"]) * years).sum())


def china_share_of_feed(plan: Plan) -> float:
    """Return the China-linked share of what the joint plants are fed over the horizon; NaN without feed."""
    feed = plan.solution.tables["feed"]
    years = _years(plan, feed)
    return _share((feed["china_tonnes"] * years).sum(), (feed["tonnes"] * years).sum())


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else math.nan


def name_of_host(tables: Tables) -> dict[str, str]:
    """Return code -> name of each site: that of its country, with the code where a country has several; the code where there is no name."""
    frame = tables["hosts"]
    names = {str(h): str(n).strip() or str(h) for h, n in zip(frame["host"], frame["name"], strict=True)}
    several = Counter(names.values())
    return {h: f"{name} ({h})" if several[name] > 1 else name for h, name in names.items()}


def host_names(tables: Tables, hosts: Sequence[str]) -> str:
    """Return sites by name, "none" if there are none."""
    names = name_of_host(tables)
    return ", ".join(names[h] for h in hosts) or "none"


def plants_in_words(tables: Tables, builds: Sequence[BuildKey]) -> str:
    """Return plants by country, size and year on line; "none" if there are none."""
    capacity = dict(zip(tables["designs"]["design"], tables["designs"]["capacity"], strict=True))
    ordered = sorted(builds, key=lambda key: (key[3], key[0]))
    return "; ".join(f"{host_names(tables, [h])} {capacity[d]:,.0f} t/y from {y}" for h, d, _, y in ordered) or "none"
