"""Small books that pass validation, with figures marked as estimates."""

from __future__ import annotations

from model.schema import SHEETS
from model.tables import Tables
from tests import small

GUESS = {"quality": "estimate"}


def complete(settings: dict | None = None, **sheets: list) -> Tables:
    """Return a small book that passes validation: no sheet without rows, no blank name or reason."""
    records = {
        "ports": [{"port": name, "country": "MMM", "feeder": "no"} for name in ("Port", "Quay")],
        "distances": [{"from_port": "Port", "to_port": "Quay", "no_red_sea": 1, "suez_open": 1}],
        "duties": [{"measure": "general", "stage": "oxide", "origin": "*", "destination": "*", "rate": 0}],
        **sheets,
    }
    tables = small.book(settings, **records)
    frames = {}
    for sheet in SHEETS:
        frame = tables[sheet.name].copy()
        for column in sheet.all_columns:
            if column.required and not column.numeric and column.kind != "value":
                frame[column.name] = frame[column.name].replace("", column.choices[0] if column.choices else "ABC")
        frames[sheet.name] = frame
    return tables.with_frames(**frames)


def two_hosts(settings: dict | None = None, **sheets: list) -> Tables:
    """A plant of 1 kt at ALPHA costs 10 MUSD a year, at BETA 11; feed for it 20 MUSD; ALPHA's figures and the feed price are guesses."""
    chosen = {"max_plants": 1, "expertise_capex_penalty": 0, **(settings or {})}
    records = {
        "hosts": [small.host("ALPHA", country="AAA", **GUESS), small.host("BETA", country="BBB", capex_factor=1.1)],
        "sources": [small.source(**GUESS)],
        **sheets,
    }
    return complete(chosen, **records)
