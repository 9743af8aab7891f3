"""A valid book small enough to check by eye; tests change one thing in it."""

from __future__ import annotations

import copy

from model.tables import Tables, tables_from_records
from tests.tiny_records import RECORDS, YEARS

__all__ = ["RECORDS", "SETTINGS", "YEARS", "scarce_suppliers", "tiny_tables"]

SETTINGS = {
    "first_year": 2030,
    "last_year": 2032,
    "modelled_years": "all",
    "decision_year": 2026,
    "discount_rate": 0.0,
    "inflation": 0.0,
    "plant_life": 10,
    "max_plants": 2,
    "plants_per_host": 1,
    "minimum_hosts": 0,
    "country_share_limit": 1,
    "country_share_from": 2030,
    "expertise_capex_penalty": 0.2,
    "expertise_operating_penalty": 0.1,
    "expertise_recovery_penalty": 0.1,
    "expertise_ramp_penalty": 0.2,
    "absolute_gap": 0.0001,
    "relative_gap": 1e-9,
    "time_limit": 60,
    "threads": 1,
}


def tiny_tables(settings: dict | None = None, **records: list[dict]) -> Tables:
    """Return the tiny book, with whole sheets or single settings replaced."""
    return tables_from_records({**copy.deepcopy(RECORDS), **records}, {**SETTINGS, **(settings or {})})


def scarce_suppliers() -> list[dict]:
    """Return the suppliers of the tiny book with 10 t a year each, so that demand goes short."""
    return [{**row, **dict.fromkeys(YEARS, 10.0)} for row in RECORDS["suppliers"]]
