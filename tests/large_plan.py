"""Result tables as large as the check must bear, over a wide copy of the tiny book; the plan itself is nonsense."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd

from model.result_schema import RESULT_BY_NAME
from model.tables import Tables, tables_from_records
from tests.tiny import RECORDS, SETTINGS

SOURCES, HOSTS, YEARS = 200, 40, range(2030, 2042)
PRODUCTS, MARKETS, LINES = ("Ce", "NdPr", "Dy"), 12, 4


def large_tables() -> Tables:
    """Return the tiny book with many sources, hosts and markets over twelve years."""
    book = copy.deepcopy(RECORDS)
    for sheet in ("prices", "demand", "suppliers", "caps"):
        for row in book[sheet]:
            row.update(dict.fromkeys(YEARS, row[2032]))
    book["sources"] = [{**book["sources"][n % 2], "source_id": f"S{n}"} for n in range(SOURCES)]
    book["composition"] = [{**book["composition"][n % 2], "source_id": f"S{n}"} for n in range(SOURCES)]
    book["hosts"] = [{**book["hosts"][n % 2], "host": f"H{n}"} for n in range(HOSTS)]
    book["markets"] = [{**book["markets"][n % 2], "market": f"M{n}"} for n in range(MARKETS)]
    book["demand"] = [{**row, "market": f"M{n}"} for row in book["demand"][:2] for n in range(MARKETS)]
    book["suppliers"][-1]["market"], book["host_rules"], book["stockpiles"] = "M0", [], []
    return tables_from_records(book, {**SETTINGS, "last_year": YEARS[-1]})


def _grid(rng: np.random.Generator, rows: int, **codes: list) -> dict[str, np.ndarray]:
    """Return `rows` distinct combinations of the codes."""
    sizes = [len(values) for values in codes.values()]
    picked = rng.choice(int(np.prod(sizes)), size=rows, replace=False)
    return {
        name: np.array(values, dtype=object)[at] for (name, values), at in zip(codes.items(), np.unravel_index(picked, sizes), strict=True)
    }


def large_results(feed_rows: int, delivery_rows: int) -> dict[str, pd.DataFrame]:
    """Return result tables with that many rows of feed and deliveries."""
    rng = np.random.default_rng(7)
    hosts, years = [f"H{n}" for n in range(HOSTS)], list(YEARS)
    lines = [f"{circuit}:{way}" for circuit in ("light_heavy", "light") for way in ("host_practice", "japanese_support")]
    markets, products = [f"M{n}" for n in range(MARKETS)], list(PRODUCTS)
    results = {name: pd.DataFrame(columns=table.names) for name, table in RESULT_BY_NAME.items() if name != "checks"}
    columns = {
        "builds": {"host": hosts, "design": "SEP_3000", "way": "host_practice", "on_line": 2030},
        "feed": _grid(rng, feed_rows, source_id=[f"S{n}" for n in range(SOURCES)], host=hosts, line=lines, year=years),
        "deliveries": _grid(rng, delivery_rows, host=hosts, product=products, market=markets, year=years),
        "surplus": _grid(rng, 1000, host=hosts, product=products, year=years),
        "purchases": {**_grid(rng, 400, product=products, market=markets, year=years), "supplier": "CHINA", "offered_to": "*"},
        "supply_balance": _grid(rng, 400, market=markets, product=products, year=years),
        "costs": _grid(rng, 3000, component=["capital", "freight_out"], host=hosts, market=markets, year=years),
    }
    for name, keys in columns.items():
        table = RESULT_BY_NAME[name]
        size = max(len(values) for values in keys.values() if not isinstance(values, str | int))
        numbers = {column: rng.uniform(1, 100, size) for column in table.names if column not in keys}
        results[name] = pd.DataFrame({**keys, **numbers}, columns=table.names)
    return results
