"""China-linked part and total in the scope of every cap, recomputed from the decisions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.verification_book import Floats, Ints, texts, yearly
from model.verification_economics import Economics
from model.verification_plan import Plan, summed

Pair = tuple[Floats, Floats]


@dataclass(frozen=True)
class CapFigures:
    """Caps with `every_product` spread over the products; arrays are cap x year.

    Parameters
    ----------
    cap
        Row of ``caps``.
    member
        Host, product or market; "" for scope all.
    limit
        Largest share, NaN in a year without a cap.
    china, total
        In t REO/y, or MUSD/y where the cap measures value.
    """

    cap: Ints
    member: NDArray[np.object_]
    limit: Floats
    china: Floats
    total: Floats

    def words(self, plan: Plan, row: int, year: int) -> str:
        """Return the place of one figure in words."""
        member = f" ({self.member[row]})" if self.member[row] else ""
        return f"cap {plan.book.codes['cap'][self.cap[row]]}{member}, year {plan.book.years[year]}"


def cap_figures(plan: Plan, economics: Economics) -> CapFigures:
    """Return China-linked part, total and limit of every cap."""
    book, frame = plan.book, plan.book.tables["caps"]
    scopes, bases, measures, members = (texts(frame[column]) for column in ("scope", "basis", "measure", "member"))
    scopes_of = {
        (basis, measure): _scopes(plan, economics, basis, measure == "value") for basis, measure in set(zip(bases, measures, strict=True))
    }
    cap, member, china, total = [], [], [], []
    for row, scope in enumerate(scopes):
        by_scope = scopes_of[bases[row], measures[row]]
        if scope == "every_product":
            names, figures = list(book.codes["product"]), by_scope["product"]
        elif scope == "all":
            names, figures = [""], by_scope["all"]
        else:
            kind = "market" if scope == "partner" else scope
            at = book.positions(kind, [members[row]])
            names, figures = [members[row]], (by_scope[scope][0][at], by_scope[scope][1][at])
        cap += [row] * len(names)
        member += names
        china.append(figures[0])
        total.append(figures[1])
    years = book.count("year")
    limits = yearly(frame, book.years)
    return CapFigures(
        np.array(cap, dtype=np.int64),
        np.array(member, dtype=object),
        limits[cap] if cap else np.zeros((0, years)),
        np.concatenate([np.zeros((0, years)), *china]),
        np.concatenate([np.zeros((0, years)), *total]),
    )


def _scopes(plan: Plan, economics: Economics, basis: str, by_value: bool) -> dict[str, Pair]:
    """Return China-linked part and total, member x year, of every scope of one basis and measure."""
    book = plan.book
    # 1 t at 1 USD/kg is 0.001 MUSD.
    price = book.market_price / 1000 if by_value else np.ones(book.market_price.shape)
    delivered = plan.total("deliveries", "tonnes", "host", "product", "year")
    china_delivered = plan.total("deliveries", "china_tonnes", "host", "product", "year")
    if basis == "feedstock":
        china_received = plan.total("deliveries", "china_tonnes", "market", "product", "year")
        return {**_feed_scopes(plan, economics, price, by_value), "partner": _priced(china_received, plan.joint, price)}
    received = plan.joint + plan.bought
    worth, china_worth = received * price, plan.supply_china * price
    by_product = china_worth.sum(axis=0), worth.sum(axis=0)
    return {
        "all": (by_product[0].sum(axis=0, keepdims=True), by_product[1].sum(axis=0, keepdims=True)),
        "product": by_product,
        "partner": (china_worth.sum(axis=1), worth.sum(axis=1)),
        "host": _priced(china_delivered, delivered, price),
    }


def _priced(china: Floats, total: Floats, price: Floats) -> Pair:
    """Return member x year sums over the products of member x product x year figures at a price."""
    return (china * price).sum(axis=1), (total * price).sum(axis=1)


def _feed_scopes(plan: Plan, economics: Economics, price: Floats, by_value: bool) -> dict[str, Pair]:
    """Return the scopes of a feedstock cap that look at feed."""
    book, feed = plan.book, plan.rows["feed"]
    worth = economics.basket[feed["source_id"], feed["year"]] / 1000 if by_value else 1.0
    amounts = feed["tonnes"] * worth
    shape, keys = (book.count("host"), book.count("year")), (feed["host"], feed["year"])
    by_host = summed(shape, keys, amounts * book.linked[feed["source_id"]]), summed(shape, keys, amounts)
    content = book.share.T @ plan.source_feed * price
    china_content = book.share.T @ (plan.source_feed * book.linked[:, None]) * price
    return {
        "all": (by_host[0].sum(axis=0, keepdims=True), by_host[1].sum(axis=0, keepdims=True)),
        "host": by_host,
        "product": (china_content, content),
    }
