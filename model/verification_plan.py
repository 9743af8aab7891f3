"""The decisions of a plan and the sums of flows that the checks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from model.verification_book import Book, Floats, Ints, Mask, numbers
from model.verification_rows import KINDS, Rows


def summed(shape: tuple[int, ...], keys: tuple[Ints, ...], amounts: Floats) -> Floats:
    """Return the sum of `amounts` by `keys` in an array of `shape`."""
    if not len(amounts) or 0 in shape:
        return np.zeros(shape)
    flat = np.ravel_multi_index(keys, shape)
    return np.asarray(np.bincount(flat, amounts, minlength=int(np.prod(shape))), dtype=float).reshape(shape)


@dataclass(frozen=True)
class Plan:
    """Decisions of a plan with the sums that the checks share; arrays are indexed by the book's positions."""

    book: Book
    rows: Mapping[str, Rows]

    def total(self, table: str, column: str, *keys: str, among: Mask | None = None) -> Floats:
        """Return the sum of a column of a table by key columns."""
        rows = self.rows[table]
        shape = tuple(self.book.count(KINDS.get(key, key)) for key in keys)
        amounts = rows[column] if among is None else np.where(among, rows[column], 0.0)
        return summed(shape, tuple(rows[key] for key in keys), amounts)

    # Plants ----------------------------------------------------------------------------------

    @cached_property
    def build_line(self) -> Ints:
        """Line of each build."""
        builds = self.rows["builds"]
        return self.line(builds["design"], builds["way"])

    def line(self, design: Ints, way: Ints) -> Ints:
        """Return the line of a design worked in a way."""
        return self.book.circuit[design] * self.book.count("way") + way

    @cached_property
    def age(self) -> Floats:
        """Build x year age in calendar years; below 0 before the plant is on line."""
        return self.book.years[None, :] - self.rows["builds"]["on_line"][:, None]

    @cached_property
    def nameplate(self) -> Floats:
        """Build x year capacity on line, t REO/y."""
        return np.where(self.age >= 0, self.book.capacity[self.rows["builds"]["design"]][:, None], 0.0)

    @cached_property
    def usable(self) -> Floats:
        """Build x year usable capacity, t REO/y."""
        builds, book = self.rows["builds"], self.book
        step = np.clip(self.age, 0, 3).astype(np.int64)
        lost = book.setting("expertise_ramp_penalty") * book.gap[builds["host"], builds["way"]][:, None]
        return self.nameplate * book.ramp[builds["design"][:, None], step] * np.where(step < 3, 1 - lost, 1.0)

    @cached_property
    def least_use(self) -> Floats:
        """Build x year least feed of plants in their fourth year or later, t REO/y."""
        design = self.rows["builds"]["design"]
        designs = self.book.tables["designs"]
        least = np.minimum(numbers(designs, "minimum_use", 0.0), self.book.ramp[:, 3])[design]
        return np.where(self.age >= 3, self.nameplate * least[:, None], 0.0)

    def by_line(self, figure: Floats, among: Mask | None = None) -> Floats:
        """Return a build x year figure summed to host x line x year, over the builds in a mask."""
        chosen = np.ones(len(figure), dtype=bool) if among is None else among
        total = np.zeros((self.book.count("host"), self.book.count("line"), self.book.count("year")))
        np.add.at(total, (self.rows["builds"]["host"][chosen], self.build_line[chosen]), figure[chosen])
        return total

    @cached_property
    def line_usable(self) -> Floats:
        """Host x line x year usable capacity, t REO/y."""
        return self.by_line(self.usable)

    # Materials -------------------------------------------------------------------------------

    @cached_property
    def line_feed(self) -> Floats:
        """Host x line x year feed, t REO/y."""
        return self.total("feed", "tonnes", "host", "line", "year")

    @cached_property
    def cracked_feed(self) -> Floats:
        """Host x line x year feed that needs cracking, t REO/y."""
        return self.total("feed", "tonnes", "host", "line", "year", among=self.book.cracking[self.rows["feed"]["source_id"]])

    @cached_property
    def source_feed(self) -> Floats:
        """Source x year feed, t REO/y."""
        return self.total("feed", "tonnes", "source_id", "year")

    @cached_property
    def _made(self) -> tuple[Floats, Floats]:
        """Host x product x year output and its China-linked part, t REO/y."""
        feed, book = self.rows["feed"], self.book
        content = feed["tonnes"][:, None] * book.share[feed["source_id"]] * book.recovery(feed["source_id"], feed["host"], feed["line"])
        shape, keys = (book.count("host"), book.count("year")), (feed["host"], feed["year"])
        linked = book.linked[feed["source_id"]]
        made = [summed(shape, keys, column) for column in content.T]
        china = [summed(shape, keys, column * linked) for column in content.T]
        return np.stack(made, axis=1), np.stack(china, axis=1)

    @property
    def made(self) -> Floats:
        """Host x product x year output, t REO/y."""
        return self._made[0]

    @property
    def china_made(self) -> Floats:
        """Host x product x year China-linked output, t REO/y."""
        return self._made[1]

    @cached_property
    def delivered(self) -> Floats:
        """Host x product x year deliveries, t REO/y."""
        return self.total("deliveries", "tonnes", "host", "product", "year")

    @cached_property
    def surplus(self) -> Floats:
        """Host x product x year surplus, t REO/y."""
        return self.total("surplus", "tonnes", "host", "product", "year")

    @cached_property
    def delivered_abroad(self) -> Floats:
        """Host x product x year deliveries to other countries, t REO/y."""
        rows = self.rows["deliveries"]
        return self.total("deliveries", "tonnes", "host", "product", "year", among=self.book.abroad[rows["host"], rows["market"]])

    @cached_property
    def joint(self) -> Floats:
        """Market x product x year joint product received, t REO/y."""
        return self.total("deliveries", "tonnes", "market", "product", "year")

    # Existing oxide, stock, shortage -----------------------------------------------------------

    @cached_property
    def offer(self) -> Ints:
        """Row of ``suppliers`` that each purchase is made from, -1 where there is none."""
        rows = self.rows["purchases"]
        supplier, product = self.book.codes["supplier"][rows["supplier"]], self.book.codes["product"][rows["product"]]
        return self.book.offers.get_indexer(pd.MultiIndex.from_arrays([supplier, product, rows["offered_to"]])).astype(np.int64)

    @cached_property
    def offer_bought(self) -> Floats:
        """Row of ``suppliers`` x year tonnes bought."""
        rows, known = self.rows["purchases"], self.offer >= 0
        shape = (len(self.book.offers), self.book.count("year"))
        return summed(shape, (self.offer[known], rows["year"][known]), rows["tonnes"][known])

    @cached_property
    def bought(self) -> Floats:
        """Market x product x year oxide bought, t REO/y."""
        return self.total("purchases", "tonnes", "market", "product", "year")

    @cached_property
    def purchase_china(self) -> Floats:
        """China-linked tonnes of each purchase, from the supplier's share."""
        rows = self.rows["purchases"]
        return np.where(self.offer >= 0, self.book.offer_linked[self.offer] if len(self.book.offers) else 0.0, 0.0) * rows["tonnes"]

    @cached_property
    def supply_china(self) -> Floats:
        """Market x product x year China-linked part of joint and bought oxide, t REO/y."""
        rows = self.rows["purchases"]
        shape = tuple(self.book.count(kind) for kind in ("market", "product", "year"))
        bought = summed(shape, (rows["market"], rows["product"], rows["year"]), self.purchase_china)
        return self.total("deliveries", "china_tonnes", "market", "product", "year") + bought

    @cached_property
    def drawn(self) -> Floats:
        """Market x product x year tonnes drawn from stock."""
        return self.total("stocks", "drawn", "market", "product", "year")

    @cached_property
    def stock(self) -> Floats:
        """Market x product x year stock at the end of the year, t REO."""
        return self.total("stocks", "stock", "market", "product", "year")

    @cached_property
    def unmet(self) -> Floats:
        """Market x product x year shortage, t REO/y."""
        return self.total("unmet", "tonnes", "market", "product", "year")
