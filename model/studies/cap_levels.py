"""What is capped in a sweep, and how a level of cap is written into the `caps` sheet."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

import pandas as pd

from model.book import split_codes
from model.problem_sheets import modelled_years
from model.tables import Tables

ROW = "swept_cap"
"""Name of the cap that a sweep writes."""

SCOPES: dict[str, tuple[str, str, str, str]] = {
    "tonnes": ("supply", "tonnes", "all", "all supply by tonnes"),
    "value": ("supply", "value", "all", "all supply by value"),
    "every_product": ("supply", "tonnes", "every_product", "every product at once"),
    "feedstock": ("feedstock", "tonnes", "all", "feedstock of the joint plants"),
}
"""Name in `frontier_scopes` -> basis, measure, scope of the cap, words; any other name is a product."""


@dataclass(frozen=True)
class CapScope:
    """What a sweep caps.

    Parameters
    ----------
    name
        As in the setting `frontier_scopes`.
    basis, measure, scope, member
        Columns of `caps`.
    words
        For sentences.
    """

    name: str
    basis: str
    measure: str
    scope: str
    member: str
    words: str


def cap_scopes(tables: Tables) -> list[CapScope]:
    """Return the scopes that the setting `frontier_scopes` names.

    Raises
    ------
    ValueError
        A name is neither one of `SCOPES` nor a product.
    """
    products = [product for product in dict.fromkeys(tables["elements"]["product"]) if product]
    found = []
    for name in dict.fromkeys(split_codes(str(tables.settings["frontier_scopes"]))):
        if name in SCOPES:
            basis, measure, scope, words = SCOPES[name]
            found.append(CapScope(name, basis, measure, scope, "", words))
        elif name in products:
            found.append(CapScope(name, "supply", "tonnes", "product", name, f"{name} alone"))
        else:
            raise ValueError(f"frontier_scopes on sheet settings: {name} is none of {', '.join([*SCOPES, *products])}")
    return found


def book_path(tables: Tables, scope: CapScope) -> dict[int, float]:
    """Return the book's own limit by modelled year; years that it leaves uncapped are not there.

    The rows of `caps` of this very scope count (for a product also those of every product), the
    tightest of them in each year. Where there is none, the loosest row of the same basis stands in.
    """
    caps = tables["caps"]
    caps = caps[caps["basis"] == scope.basis]
    own = (caps["measure"] == scope.measure) & (caps["scope"] == scope.scope) & (caps["member"] == scope.member)
    if scope.scope == "product":
        own |= (caps["measure"] == scope.measure) & (caps["scope"] == "every_product")
    rows = caps[own] if own.any() else caps
    path = {}
    for year in modelled_years(tables):
        limits = rows[year].dropna() if year in rows.columns else pd.Series(dtype=float)
        if len(limits):
            path[year] = float(limits.min() if own.any() else limits.max())
    return path


def book_level(tables: Tables, scope: CapScope) -> float:
    """Return the tightest limit of the book's own path; 1 where it has none."""
    return min(book_path(tables, scope).values(), default=1.0)


def full_from(tables: Tables, scope: CapScope) -> int:
    """Return the first modelled year in which a level holds in full: where the book's own limit is tightest."""
    path = book_path(tables, scope)
    return min((year for year, limit in path.items() if limit <= min(path.values())), default=min(modelled_years(tables)))


def cap_path(tables: Tables, scope: CapScope, level: float) -> dict[int, float]:
    """Return the limit by modelled year that a level stands for.

    The level is where the cap ends up. From the year on in which the book's own limit is tightest, the
    cap is the level; in earlier years it is the level or the book's limit, whichever is looser, so that
    a level never asks for cuts in years that the book spares. At the book's tightest limit
    the path is the book's own, unless its limits loosen again after that year. In a book without a cap on this basis the level holds in every year.

    Parameters
    ----------
    tables
        Typed inputs.
    scope
        What is capped.
    level
        Largest China-linked share, 0 to 1.
    """
    path, years = book_path(tables, scope), modelled_years(tables)
    if not path:
        return dict.fromkeys(years, level)
    tightest = full_from(tables, scope)
    return {year: level if year >= tightest else max(level, path[year]) for year in years if year >= tightest or year in path}


def with_cap_level(tables: Tables, scope: CapScope, level: float) -> Tables:
    """Return the tables with one cap of this scope in place of every row of the same basis.

    Caps on the other basis stay.
    """
    caps = tables["caps"]
    limits = cap_path(tables, scope, level)
    row: dict[Hashable, object] = {
        "cap": ROW, "basis": scope.basis, "measure": scope.measure, "scope": scope.scope, "member": scope.member,
        "source": "level of the sweep", "quality": "assumption",
    }  # fmt: skip
    row.update(zip(limits, limits.values(), strict=True))
    years = [column for column in caps.columns if isinstance(column, int)]
    columns = [*caps.columns, *(year for year in limits if year not in years)]
    data = {
        column: pd.Series(
            [row.get(column, math.nan if isinstance(column, int) else "")], dtype=float if isinstance(column, int) else object
        )
        for column in columns
    }
    swept = pd.DataFrame(data).set_axis([max([1, *caps.index]) + 1])
    kept = caps[caps["basis"] != scope.basis].reindex(columns=columns)
    return tables.with_frames(caps=pd.concat([kept, swept]) if len(kept) else swept)
