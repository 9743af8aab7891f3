"""Why no site can make a product for a market in a year: ore, designs, recoveries, sites or routes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from model.problem import Problem
from model.problem_builder import build_problem
from model.problem_sheets import all_on_offer, by_key, contents, records
from model.shortage_room import CAPACITY, LIMIT, NO_ORE, Limit
from model.tables import Tables
from model.words import listing

LISTED = 3
"""Sources that a sentence names."""


class OreReasons:
    """What the book lacks for a product to be made at all.

    Parameters
    ----------
    problem
        The problem that was solved.
    tables
        Its inputs, which also hold the feedstock that is not on offer.
    """

    def __init__(self, problem: Problem, tables: Tables) -> None:
        self.problem, self.tables = problem, tables
        self.sources = by_key(tables, "sources", "source_id")
        self.routes = {(p, m, y) for _, p, m, y in problem.deliveries}
        self._reasons: dict[tuple[str, str, int], Limit] = {}

    def reason(self, product: str, market: str, year: int) -> Limit:
        """Return why a product that no site can make for a market in a year is not made."""
        key = (product, market, year)
        if key not in self._reasons:
            self._reasons[key] = self._reason(product, market, year)
        return self._reasons[key]

    def _reason(self, product: str, market: str, year: int) -> Limit:
        holds = self._that_contain(product)
        if not holds:
            return Limit(NO_ORE, f"no feedstock on sheet sources contains {product}")
        yielding = self._yielding(product, holds)
        amiss = [*self._no_design(product), *self._no_recovery(product, holds, yielding)]
        if not any((s, year) in self.problem.available for s in yielding):
            world = self._all_on_offer
            places = {s for s, _, _, _ in world.feeds} if world is not None else set(yielding)
            fits = [s for s in yielding if s in places]
            amiss.append(Limit(NO_ORE, self._not_on_offer(product, year, fits or yielding)))
            if not fits:
                amiss.append(Limit(NO_ORE, "no site may treat it"))
            elif world is not None and len(amiss) == 1:
                amiss += self._too_early(product, market, year, world)
        if not amiss:
            amiss = self._too_early(product, market, year, self.problem) or [self._no_site(product, market, year, yielding)]
        kinds = {limit.kind for limit in amiss}
        return Limit(kinds.pop() if len(kinds) == 1 else LIMIT, " and ".join(limit.words for limit in amiss))

    # --- what is on the sheets ----------------------------------------------------------------------------------

    @cached_property
    def _content(self) -> dict[str, dict[str, float]]:
        """Source -> product -> share, of every row of sheet sources whose composition is known."""
        return {s: shares for s, shares in contents(self.tables).items() if s in self.sources}

    @cached_property
    def _all_on_offer(self) -> Problem | None:
        """The problem with every row of sheet sources on offer in every year; None where it cannot be built.

        What a row not in use lacks elsewhere, such as a distance, is not checked before it is used.
        """
        offered = all_on_offer(self.tables)
        offered["capacity"] = offered["capacity"].where(offered["capacity"] > 0.0, 1.0)
        try:
            return build_problem(self.tables.with_frames(sources=offered))
        except KeyError:
            return None

    def _that_contain(self, product: str) -> list[str]:
        """Return the sources that contain a product, those with most of it first."""
        found = [s for s, shares in self._content.items() if shares.get(product, 0.0) > 0.0]
        return sorted(found, key=lambda s: -self._content[s][product] * self.sources[s]["capacity"])

    # --- what is amiss ------------------------------------------------------------------------------------------

    def _no_design(self, product: str) -> list[Limit]:
        """Return that every design is for light products and the product is not."""
        if any(row["heavies"] == "yes" for row in records(self.tables, "designs")):
            return []
        circuits = {row["circuit"] for row in records(self.tables, "elements") if row["product"] == product}
        return (
            [Limit(LIMIT, f"no design separates {product} (heavies = no in every row of sheet designs)")] if circuits == {"heavy"} else []
        )

    def _recovered(self, source: str, product: str) -> bool:
        feed_type = self.sources[source]["feed_type"]
        return self._recovery.get((feed_type, product), 0.0) > 0.0 and self._processing[feed_type]["leach_recovery"] > 0.0

    @cached_property
    def _processing(self) -> dict[str, dict]:
        return by_key(self.tables, "processing", "feed_type")

    @cached_property
    def _recovery(self) -> dict[tuple[str, str], float]:
        return {(row["feed_type"], row["product"]): row["recovery"] for row in records(self.tables, "recoveries")}

    def _yielding(self, product: str, sources: list[str]) -> list[str]:
        """Return the sources that a product is recovered from; all of them where it is from none."""
        return [s for s in sources if self._recovered(s, product)] or sources

    def _no_recovery(self, product: str, holds: list[str], yielding: list[str]) -> list[Limit]:
        """Return that a product is recovered from no feedstock."""
        if self._recovered(yielding[0], product):
            return []
        types = list(dict.fromkeys(str(self.sources[s]["feed_type"]) for s in holds))
        sheets = (
            "sheet recoveries" if all(self._recovery.get((t, product), 0.0) <= 0.0 for t in types) else "sheets recoveries and processing"
        )
        return [Limit(LIMIT, f"no {product} is recovered from {', '.join(types)}, which contains it (0 on {sheets})")]

    def _not_on_offer(self, product: str, year: int, sources: list[str]) -> str:
        """Return what keeps sources off the market in a year, by the cells to change."""
        cells = {s: self._cells(s, year) for s in sources}
        if all(found and found[0].startswith("first_year") for found in cells.values()):
            first = min(int(self.sources[s]["first_year"]) for s in sources)
            return f"the first feedstock that contains {product} is for sale in {first}"
        fewest_first = sorted(sources, key=lambda s: len(cells[s]))
        listed = listing((f"{s} has {' and '.join(cells[s])}" for s in fewest_first), LISTED)
        return f"the feedstock that contains {product} is not on offer in {year}: {listed} (sheet sources)"

    def _cells(self, source: str, year: int) -> list[str]:
        row = self.sources[source]
        age = year - row["first_year"]
        found = ["use = no"] if row["use"] != "yes" else []
        found += [f"{name} = 0" for name in ("capacity", "uncommitted") if not row[name] > 0.0]
        if age < 0:
            return [*found, f"first_year = {int(row['first_year'])}"]
        ramp = "ramp_1" if age < 1 else "ramp_2" if age < 2 else ""
        return [*found, *([f"{ramp} = 0"] if ramp and not row[ramp] > 0.0 else [])]

    def _too_early(self, product: str, market: str, year: int, world: Problem) -> list[Limit]:
        """Return that plants can make a product for a market later but not yet."""
        first = min((y for _, p, m, y in world.deliveries if (p, m) == (product, market)), default=None)
        return [Limit(CAPACITY, f"no joint plant can make it before {first}")] if first is not None and first > year else []

    def _no_site(self, product: str, market: str, year: int, sources: Iterable[str]) -> Limit:
        """Return why no site makes a product for a market of feedstock that is on offer."""
        problem, wanted = self.problem, set(sources)
        if not any(y <= year for _, _, _, y in problem.builds):
            return Limit(LIMIT, f"no joint plant may be on line in {year} (sheets hosts, designs and host_rules)")
        treated = [(s, h, line) for s, h, line, y in problem.feeds if s in wanted and y == year]
        if any(problem.yields[place].get(product, 0.0) > 0.0 for place in treated):
            return Limit(LIMIT, f"no site that can make it has a route to {market} (sheet route_costs)")
        if treated:
            return Limit(LIMIT, f"no site that may treat the feedstock that contains it may have a design that separates {product}")
        return Limit(LIMIT, f"no site may treat the feedstock that contains it{self._idle(product, market, year)}")

    def _idle(self, product: str, market: str, year: int) -> str:
        """Return which feedstock not on offer a site could make a product of for a market."""
        world = self._all_on_offer
        if world is None:
            return ""
        ways = {(h, y) for h, p, m, y in world.deliveries if (p, m, y) == (product, market, year)}
        could = [s for s, h, line, y in world.feeds if (h, y) in ways and world.yields[s, h, line].get(product, 0.0) > 0.0 and y == year]
        listed = listing((f"{s} has {' and '.join(self._cells(s, year))}" for s in dict.fromkeys(could)), LISTED)
        return f" and is on offer: {listed} (sheet sources)" if listed else ""
