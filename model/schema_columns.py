"""What a column, a family of columns, a sheet and a setting are, and the columns that several sheets have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "code", "number", "integer", "year", "choice", "codes", "value"]
Family = Literal["year", "element"]

YES_NO = ("yes", "no")
QUALITIES = ("reported", "derived", "estimate", "assumption")
THORIUM_LEVELS = ("none", "low", "medium", "high")
INLAND_MODES = ("truck", "truck_africa", "rail", "barge", "none")
FEED_STAGES = ("concentrate", "carbonate")
STAGES = (*FEED_STAGES, "oxide")
ANY = "*"
"""Stands for every member where a column says that it may."""


@dataclass(frozen=True)
class Column:
    """One column of an input sheet.

    Parameters
    ----------
    name
        Lower-case field term; also the parameter's name in the model.
    kind
        ``text`` free words; ``code`` a short identifier; ``codes`` a comma-separated
        list of identifiers; ``choice`` one of `choices`; ``number``, ``integer``,
        ``year`` numeric; ``value`` either, as in the settings sheet.
    unit
        Written in the header in square brackets; "" for text.
    required
        A blank cell is a finding when true; when false, blank means `blank`.
    low, high
        Closed range of a numeric column, in `unit`.
    refers
        ``sheet.column`` that must hold the code.
    wildcard
        True when ``*`` (every member) is allowed besides a code.
    plausible
        Closed range outside which a figure is more likely a slip of units than meant; only a notice
        follows. A judgement: some times wider than what the baseline book holds.
    """

    name: str
    kind: Kind
    description: str
    unit: str = ""
    required: bool = True
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    refers: str = ""
    wildcard: bool = False
    blank: str = ""
    plausible: tuple[float, float] | None = None

    @property
    def header(self) -> str:
        """Header cell text: the name and, where there is one, the unit."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    @property
    def numeric(self) -> bool:
        """Whether cells hold numbers."""
        return self.kind in ("number", "integer", "year")


@dataclass(frozen=True)
class Spread:
    """A family of columns, one for each year or each element, all of one unit."""

    family: Family
    unit: str
    description: str
    required: bool = True
    low: float | None = None
    high: float | None = None
    blank: str = ""
    plausible: tuple[float, float] | None = None

    def header(self, member: object) -> str:
        """Header cell text of one member."""
        return f"{member} [{self.unit}]"


@dataclass(frozen=True)
class Sheet:
    """One input sheet: what it is for, its columns, its key."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    spread: Spread | None = None
    required: bool = True
    provenance: bool = True
    """True when every row carries `source` and `quality`."""

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Declared columns followed by the provenance columns."""
        return (*self.columns, *PROVENANCE) if self.provenance else self.columns

    def column(self, name: str) -> Column:
        """Return the column called `name`; KeyError if there is none."""
        for column in self.all_columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")


@dataclass(frozen=True)
class Setting:
    """One row of the settings sheet."""

    name: str
    kind: Kind
    description: str
    default: str | float
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    group: str = "model"
    required: bool = field(default=True)


PROVENANCE = (
    Column("source", "text", "Where the row's figures were read, or how the estimate was made."),
    Column(
        "quality",
        "choice",
        "reported: read in the named source; derived: computed from reported figures; "
        "estimate: a judgement to be varied; assumption: a choice of the planner.",
        choices=QUALITIES,
    ),
)


def share(name: str, description: str, unit: str = "share", required: bool = True, blank: str = "") -> Column:
    """Return a column of shares from 0 to 1."""
    return Column(name, "number", description, unit, required, 0.0, 1.0, blank=blank)


def non_negative(
    name: str, description: str, unit: str, required: bool = True, blank: str = "", plausible: tuple[float, float] | None = None
) -> Column:
    """Return a column of amounts from 0."""
    return Column(name, "number", description, unit, required, 0.0, None, blank=blank, plausible=plausible)


def positive(name: str, description: str, unit: str, plausible: tuple[float, float] | None = None) -> Column:
    """Return a column of amounts above 0."""
    return Column(name, "number", description, unit, True, 1e-9, None, plausible=plausible)


def yes_no(name: str, description: str) -> Column:
    """Return a column of yes and no."""
    return Column(name, "choice", description, choices=YES_NO)


def place(what: str) -> tuple[Column, ...]:
    """Return the columns that tell where something stands: its port and the way to it."""
    return (
        Column("port", "code", f"Sea port that serves the {what}.", refers="ports.port"),
        non_negative("inland_km", f"Distance between the {what} and its port.", "km"),
        Column("inland_mode", "choice", "How the inland leg is travelled; its rate is in settings.", choices=INLAND_MODES),
    )


LATITUDE = Column("latitude", "number", "Decimal degrees, north positive; for the map.", "deg", False, -90, 90, blank="not drawn")
LONGITUDE = Column("longitude", "number", "Decimal degrees, east positive; for the map.", "deg", False, -180, 180, blank="not drawn")
COUNTRY = Column("country", "code", "ISO 3166 three-letter country code, such as NAM for Namibia.")
NOTE = Column("note", "text", "Anything a reader should know.", required=False)
FEED_TYPE = Column("feed_type", "code", "Kind of feed.", refers="processing.feed_type")
PRODUCT = Column("product", "code", "Separated product.", refers="elements.product")
