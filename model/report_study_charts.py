"""Charts over the sheets of studies: the price of a cap with the hosts it chooses, and tornados of what was moved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from model.charts import Cell, ChartPlan, Range, Series
from model.report_book import DataTable

MOST_BARS = 14
LOW, HIGH = "low end", "high end"


def study_charts(written: Mapping[str, Sequence[DataTable]]) -> dict[str, ChartPlan]:
    """Plan the charts of the studies that ran.

    Parameters
    ----------
    written
        Sheet of a study -> its tables, as placed.

    Returns
    -------
    dict
        Study -> chart; a study whose tables hold nothing to draw has none.
    """
    charts = {
        "frontier": _frontier(_table(written.get("frontier", ()), "level", "extra_cost", "hosts")),
        "sensitivity": _tornado(_table(written.get("sensitivity", ()), "figure", "low_change", "high_change")),
        "leaning": _moves(_table(written.get("leaning", ()), "scenario", "change")),
        "alternatives": _ranking(_table(written.get("alternatives", ()), "rank", "hosts", "extra_cost")),
    }
    return {name: chart for name, chart in charts.items() if chart is not None}


def _table(tables: Sequence[DataTable], *columns: str) -> DataTable | None:
    """Return the first table that has these columns and any row."""
    return next((table for table in tables if table.length and all(column in table.columns for column in columns)), None)


def _span(table: DataTable, column: str, first: int, last: int) -> Range:
    place = next(number for number, item in enumerate(table.fields) if item.name == column)
    return table.sheet, table.first_row + first, place, table.first_row + last, place


def _cell(table: DataTable, column: str, row: int) -> Cell:
    sheet, place, column_place, _, _ = _span(table, column, row, row)
    return sheet, place, column_place


def _runs(values: Sequence[object]) -> list[tuple[int, int]]:
    """Return first and last row of each run of equal values."""
    starts = [row for row, value in enumerate(values) if row == 0 or value != values[row - 1]]
    return list(zip(starts, [*(start - 1 for start in starts[1:]), len(values) - 1], strict=True))


def _frontier(table: DataTable | None) -> ChartPlan | None:
    """Return extra cost against the level of the cap; the hosts stand in the middle of where they hold, clear of the ends."""
    if table is None:
        return None
    series = []
    told: set[tuple[float, str]] = set()
    for first, last in _runs(table.columns["scope"]):
        hosts, levels = table.columns["hosts"][first : last + 1], table.columns["level"][first : last + 1]
        labels: list[str | None] = [None] * len(hosts)
        for start, end in _runs(hosts):
            middle = (start + end + 1) // 2
            mark = (levels[middle], hosts[middle])
            if mark not in told:  # one label where lines meet
                labels[middle] = str(hosts[middle])
            told.add(mark)
        series.append(
            Series(
                _cell(table, "scope", first),
                _span(table, "level", first, last),
                _span(table, "extra_cost", first, last),
                "line",
                labels=labels,
            )
        )
    return ChartPlan(
        "scatter", "What each point of cap costs, and the hosts it chooses", "largest China-linked share allowed", "MUSD more than without the cap",
        series, x_form='[<0]"";[>1.01]"";0 %', x_span=(-0.2, 1.2, 0.2),  # room at both ends for the hosts' names
    )  # fmt: skip


def _tornado(table: DataTable | None) -> ChartPlan | None:
    """Return the change of cost at both ends of each estimate's range, widest first."""
    if table is None:
        return None
    last = min(table.length, MOST_BARS) - 1
    series = [
        Series(name, _span(table, "figure", 0, last), _span(table, column, 0, last))
        for name, column in ((LOW, "low_change"), (HIGH, "high_change"))
    ]
    return ChartPlan(
        "tornado", "Cost when an estimate is moved through its range", "estimate", "MUSD against this plan", series, x_form="@"
    )


def _moves(table: DataTable | None) -> ChartPlan | None:
    """Return the change of cost of each scenario that was tried."""
    if table is None or all(isinstance(value, float) and math.isnan(value) for value in table.columns["change"]):
        return None
    last = min(table.length, MOST_BARS) - 1
    series = [Series("change", _span(table, "scenario", 0, last), _span(table, "change", 0, last))]
    return ChartPlan("tornado", "Cost when the weakest inputs are moved", "input moved", "MUSD against this plan", series, x_form="@")


def _ranking(table: DataTable | None) -> ChartPlan | None:
    """Return what each next best set of hosts costs more."""
    if table is None or table.length < 2:
        return None
    last = min(table.length, MOST_BARS) - 1
    series = [Series("extra cost", _span(table, "hosts", 0, last), _span(table, "extra_cost", 0, last))]
    return ChartPlan("bar", "The best plans with different hosts", "hosts", "MUSD more than the best plan", series, "#,##0.0", x_form="@")
