"""Names of countries as they stand in the names of published figures."""

from __future__ import annotations

from model.analysis import CHINA

COUNTRY_CODES = {
    "us": "USA", "usa": "USA", "japan": "JPN", "china": CHINA, "malaysia": "MYS", "estonia": "EST", "france": "FRA", "vietnam": "VNM",
    "australia": "AUS", "india": "IND", "korea": "KOR", "germany": "DEU", "canada": "CAN", "norway": "NOR", "kazakhstan": "KAZ",
}  # fmt: skip
"""Word -> ISO code."""
