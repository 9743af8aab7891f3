"""The one declaration of every input sheet.

Template, reader, validator, data dictionary and scenario changes are all
derived from :data:`SHEETS` and :data:`SETTINGS`; nothing else may state a
column, a unit, a range or a key. The sheets are declared by theme in
``model/schema_*.py``. The result tables are declared the same way in
:mod:`model.result_schema`.
"""

from __future__ import annotations

from model.schema_columns import (
    ANY,
    FEED_STAGES,
    INLAND_MODES,
    PROVENANCE,
    QUALITIES,
    STAGES,
    THORIUM_LEVELS,
    YES_NO,
    Column,
    Family,
    Kind,
    Setting,
    Sheet,
    Spread,
)
from model.schema_markets import MARKET_SHEETS
from model.schema_material import MATERIAL_SHEETS
from model.schema_settings import SETTINGS
from model.schema_siting import SITING_SHEETS

__all__ = [
    "ANY",
    "FEED_STAGES",
    "INLAND_MODES",
    "PROVENANCE",
    "QUALITIES",
    "SCHEMA_VERSION",
    "SETTINGS",
    "SETTING_BY_NAME",
    "SHEETS",
    "SHEET_BY_NAME",
    "STAGES",
    "THORIUM_LEVELS",
    "YES_NO",
    "Column",
    "Family",
    "Kind",
    "Setting",
    "Sheet",
    "Spread",
]

SCHEMA_VERSION = "1.1"

SHEETS: tuple[Sheet, ...] = (
    Sheet(
        "settings",
        "Choices that hold for the whole plan: years, money, siting limits, freight rates, solver, studies.",
        (
            Column("setting", "code", "Name of the setting; see the note on its value cell."),
            Column("value", "value", "Its value.", required=False),
            Column("unit", "text", "Unit of the value.", required=False),
            Column("description", "text", "What it does.", required=False),
        ),
        ("setting",),
    ),
    *MATERIAL_SHEETS,
    *SITING_SHEETS,
    *MARKET_SHEETS,
)

SHEET_BY_NAME: dict[str, Sheet] = {sheet.name: sheet for sheet in SHEETS}
SETTING_BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
