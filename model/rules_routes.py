"""Rules on ports, distances and route costs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from model.book import Book, split_codes
from model.findings import Offence, rule
from model.words import listing, number_text, show, suggest

_BASES = ("no_red_sea", "suez_open")


@rule(
    "route_place", "error", "route_costs.leg", "route_costs.origin", "route_costs.destination", "sources.source_id", "hosts.host",
    "markets.market", blocks=True,
)  # fmt: skip
def route_place(book: Book) -> Iterator[Offence]:
    """A route cost goes from a source to a host (feed) or from a host to a market (product)."""
    sources, hosts, markets = book.texts("sources", "source_id"), book.texts("hosts", "host"), book.texts("markets", "market")
    ends = {"feed": (("sources", sources), ("hosts", hosts)), "product": (("hosts", hosts), ("markets", markets))}
    for row, record in book.rows("route_costs"):
        for column, (sheet, known) in zip(("origin", "destination"), ends[record["leg"]], strict=True):
            if record[column] not in known:
                yield Offence(
                    "route_costs", row, column, show(record[column]), f"on a {record['leg']} leg, a row of {sheet}: {listing(known)}",
                    suggest(record[column], known, f"Use a code of {sheet}."),
                )  # fmt: skip


@rule("distance_disagrees", "error", "distances.from_port", "distances.to_port", *(f"distances.{basis}" for basis in _BASES))
def distance_disagrees(book: Book) -> Iterator[Offence]:
    """Two rows for the same pair of ports, in either direction, say the same."""
    first: dict[frozenset[str], tuple[Hashable, dict[Hashable, float]]] = {}
    for row, record in book.rows("distances"):
        other, known = first.setdefault(frozenset((record["from_port"], record["to_port"])), (row, record))
        for basis in _BASES:
            if record[basis] != known[basis]:
                yield Offence(
                    "distances", row, basis, f"{number_text(record[basis])} nm, but {number_text(known[basis])} nm in row {other}",
                    "one distance for a pair of ports", "Delete one of the rows: distances are read in both directions.",
                )  # fmt: skip


def _legs(book: Book) -> Iterator[tuple[str, str, str, str, str, Hashable, str]]:
    """Yield (leg, origin, destination, port, port, row, sheet) of every leg that the plan may use."""
    hosts, markets = book.candidate_hosts, book["markets"]
    for row, source in book.used_sources.iterrows():
        only = split_codes(source["process_only_in"])
        for host, port, country in zip(hosts["host"], hosts["port"], hosts["country"], strict=True):
            if not only or country in only:
                yield "feed", source["source_id"], host, source["port"], port, row, "sources"
    for row, host in hosts.iterrows():
        for market, port in zip(markets["market"], markets["port"], strict=True):
            yield "product", host["host"], market, host["port"], port, row, "hosts"


@rule(
    "distance_missing", "error", "distances.from_port", "distances.to_port", "route_costs.leg", "route_costs.origin", "route_costs.destination",
    "sources.source_id", "sources.use", "sources.port", "sources.process_only_in", "hosts.host", "hosts.candidate", "hosts.port", "hosts.country",
    "markets.market", "markets.port",
)  # fmt: skip
def distance_missing(book: Book) -> Iterator[Offence]:
    """Every leg that the plan may use has a distance between its ports, or a route cost."""
    distances, routes = book["distances"], book["route_costs"]
    known = {frozenset(pair) for pair in zip(distances["from_port"], distances["to_port"], strict=True)}
    overridden = set(zip(routes["leg"], routes["origin"], routes["destination"], strict=True))
    lacking: dict[frozenset[str], list[tuple[str, str, Hashable, str, str]]] = {}
    for leg, origin, destination, port, other, row, sheet in _legs(book):
        pair = frozenset((port, other))
        if len(pair) == 2 and pair not in known and (leg, origin, destination) not in overridden:
            lacking.setdefault(pair, []).append((f"{leg} leg {origin} to {destination}", sheet, row, port, other))
    for legs in lacking.values():
        name, sheet, row, port, other = legs[0]
        more = f" and {len(legs) - 1} more legs" if len(legs) > 1 else ""
        yield Offence(
            sheet, row, "port", f"no distance between {port} and {other}, for the {name}{more}", "a distance for each leg that the plan may use",
            f"Add a row {port}, {other} to distances, or a route_costs row for the leg (blank cost = no route).",
        )  # fmt: skip


ROUTE_RULES = (route_place, distance_disagrees, distance_missing)
