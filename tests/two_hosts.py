"""A book of two sites that are alike but for what a test gives, and what a study is given of its run."""

from __future__ import annotations

from model.planner import solve
from model.studies.study import StudyContext
from model.tables import Tables
from tests import small

DUTY = [{"measure": "general", "stage": "oxide", "origin": "FFF", "destination": "*", "rate": 10}]
"""Of a tenth on oxide from FAR's country."""


def context_of(tables: Tables) -> StudyContext:
    return StudyContext(tables, solve(tables, small.EXACT), small.EXACT, 1, lambda _: None)


def two_hosts(near: dict | None = None, far: dict | None = None, settings: dict | None = None, **sheets: list[small.Row]) -> Tables:
    """Return a book of two sites that are alike but for what is given: 1 kt is made for 10 a year and 20 of feed, or bought for 100."""
    hosts = [small.host("NEAR") | {"name": "Nearland"} | (near or {}), small.host("FAR", country="FFF") | {"name": "Farland"} | (far or {})]
    asked = {"why_not_size": 1000, "why_not_year": 2030, **(settings or {})}
    return small.book(asked, **{"hosts": hosts, **sheets})
