"""The one declaration of every result table.

The first seven tables hold the decisions; the rest are derived from them and from the
inputs by :mod:`model.solution`. :mod:`model.verification` recomputes the derived ones by
itself. Tonnes are t REO (a year, where the unit says so) in a modelled year.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ResultColumn:
    """Name, unit ("" for text) and meaning of one column."""

    name: str
    unit: str
    description: str


@dataclass(frozen=True)
class ResultTable:
    """One result table; `decision` marks those read from the solver."""

    name: str
    description: str
    columns: tuple[ResultColumn, ...]
    decision: bool = False

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]


def _text(name: str, description: str) -> ResultColumn:
    return ResultColumn(name, "", description)


_HOST = _text("host", "Host.")
_LINE = _text("line", "circuit:way.")
_PRODUCT = _text("product", "Product.")
_MARKET = _text("market", "Market.")
_YEAR = ResultColumn("year", "year", "Modelled year.")
_TONNES = ResultColumn("tonnes", "t REO/y", "Flow.")
_CHINA = ResultColumn("china_tonnes", "t REO/y", "China-linked part of the flow, by mass balance.")

RESULT_TABLES: tuple[ResultTable, ...] = (
    ResultTable(
        "builds",
        "Joint plants built.",
        (
            _HOST,
            _text("design", "Design."),
            _text("way", "Way of working."),
            ResultColumn("on_line", "year", "Year on line."),
        ),
        True,
    ),
    ResultTable(
        "feed",
        "Feed processed.",
        (
            _text("source_id", "Source."),
            _HOST,
            _LINE,
            _YEAR,
            _TONNES,
            _CHINA,
        ),
        True,
    ),
    ResultTable("deliveries", "Joint product shipped to markets.", (_HOST, _PRODUCT, _MARKET, _YEAR, _TONNES, _CHINA), True),
    ResultTable("surplus", "Joint product sold elsewhere or disposed of.", (_HOST, _PRODUCT, _YEAR, _TONNES, _CHINA), True),
    ResultTable(
        "purchases",
        "Existing refined oxide bought.",
        (
            _text("supplier", "Supplier."),
            _PRODUCT,
            _text("offered_to", "Market column of the supplier's row."),
            _MARKET,
            _YEAR,
            _TONNES,
            _CHINA,
        ),
        True,
    ),
    ResultTable(
        "stocks",
        "Stock at the end of the year and what was drawn in it.",
        (
            _MARKET,
            _PRODUCT,
            _YEAR,
            ResultColumn("stock", "t REO", "Stock at the end of the year."),
            ResultColumn("drawn", "t REO/y", "Drawn in the year; negative: put in."),
        ),
        True,
    ),
    ResultTable("unmet", "Demand left short.", (_MARKET, _text("sector", "Sector."), _PRODUCT, _YEAR, _TONNES), True),
    ResultTable(
        "plants",
        "The plants with what they cost and who pays.",
        (
            _HOST,
            _text("country", "Country."),
            _text("design", "Design."),
            _text("way", "Way of working."),
            _LINE,
            ResultColumn("on_line", "year", "Year on line."),
            ResultColumn("capacity", "t REO/y", "Nameplate."),
            ResultColumn("capex", "MUSD", "Capital cost at this host."),
            ResultColumn("capital_charge", "MUSD/y", "Annuity at the host's real cost of capital."),
        ),
    ),
    ResultTable(
        "plant_years",
        "Capacity and use of each line.",
        (
            _HOST,
            _LINE,
            _YEAR,
            ResultColumn("nameplate", "t REO/y", "Capacity on line."),
            ResultColumn("usable", "t REO/y", "Capacity after ramp-up."),
            ResultColumn("feed", "t REO/y", "Feed processed."),
            ResultColumn("use", "share", "Feed over usable capacity."),
        ),
    ),
    ResultTable(
        "products",
        "What each host makes and where it goes.",
        (
            _HOST,
            _PRODUCT,
            _YEAR,
            ResultColumn("made", "t REO/y", "Made."),
            ResultColumn("delivered", "t REO/y", "Delivered to markets."),
            ResultColumn("surplus", "t REO/y", "Sold elsewhere or disposed of."),
            ResultColumn("china_made", "t REO/y", "China-linked part made."),
        ),
    ),
    ResultTable(
        "supply_balance",
        "Where each market's oxide comes from.",
        (
            _MARKET,
            _PRODUCT,
            _YEAR,
            ResultColumn("demand", "t REO/y", "Demand."),
            ResultColumn("joint", "t REO/y", "From joint plants."),
            ResultColumn("bought", "t REO/y", "Existing oxide."),
            ResultColumn("drawn", "t REO/y", "From stock."),
            ResultColumn("unmet", "t REO/y", "Short."),
            ResultColumn("china", "t REO/y", "China-linked part of joint and bought oxide."),
        ),
    ),
    ResultTable(
        "costs",
        "Every cost line; sums to the total.",
        (
            _text("component", "Cost line."),
            _text("host", "Host, or blank."),
            _text("market", "Market, or blank."),
            _YEAR,
            ResultColumn("cost", "MUSD/y", "Cost in the year, not discounted."),
            ResultColumn("weight", "years", "Discounted years that the year stands for."),
            ResultColumn("present_value", "MUSD", "cost x weight."),
        ),
    ),
    ResultTable(
        "china_shares",
        "China-linked share against each cap.",
        (
            _text("cap", "Cap."),
            _text("basis", "feedstock or supply."),
            _text("measure", "tonnes or value."),
            _text("scope", "Scope."),
            _text("member", "Host, product or partner."),
            _YEAR,
            ResultColumn("limit", "share", "Largest share allowed."),
            ResultColumn("china", "t REO/y or MUSD/y", "China-linked part."),
            ResultColumn("total", "t REO/y or MUSD/y", "Total in scope."),
            ResultColumn("share", "share", "China-linked share; blank where the total is 0."),
            ResultColumn("slack", "share", "limit less share."),
            ResultColumn(
                "marginal_cost",
                "MUSD/y per point",
                "Cost in the year of lowering the limit by one percentage point, with the plants as built.",
            ),
        ),
    ),
    ResultTable(
        "checks",
        "Independent verification.",
        (
            _text("check", "Rule."),
            _text("description", "What was recomputed."),
            ResultColumn("tested", "rows", "Rows tested."),
            ResultColumn("worst", "see unit", "Worst violation."),
            _text("unit", "Unit of worst and tolerance."),
            _text("where", "Where it occurs."),
            ResultColumn("tolerance", "see unit", "Largest violation let pass."),
            _text("verdict", "pass or FAIL."),
        ),
    ),
)

RESULT_BY_NAME: dict[str, ResultTable] = {table.name: table for table in RESULT_TABLES}
