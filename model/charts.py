"""Native charts over blocks of figures on a sheet: what they show, their axes, units and colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter
from xlsxwriter.chart import Chart

from model.report_styles import FONT, TITLE_COLOUR

COLOURS = (
    "#1F6FB2", "#E08A1E", "#2E8B57", "#B5485D", "#7B61A8", "#8C6D46", "#4FB0C6", "#C9A227", "#5B6770", "#D48CB0", "#94B447", "#2F3E66",
)  # fmt: skip
"""Told apart by most people who see few colours; neighbours differ in lightness too."""

DEMAND_COLOUR = "#1F2933"
GRID_COLOUR = "#E4E7EB"
WIDTH, HEIGHT = 752, 440
"""Pixels."""

LABEL_PIXELS = 42
"""Room of a year's label on an axis."""

LABEL_PLACES = ("above", "below", "right", "left")
"""Where the labels of a series stand at its points, so that those of lines close together do not meet."""

Range = tuple[str, int, int, int, int]
"""Sheet, first row, first column, last row, last column; counted from 0."""

Cell = tuple[str, int, int]


@dataclass(frozen=True)
class Series:
    """One series of a chart: name, categories and values as places on sheets, so that nothing typed in becomes a formula.

    Parameters
    ----------
    look
        ``fill``: column or bar; ``line``: line with the next colour; ``limit``: dashed line in the colour of the series before.
    labels
        Text beside each point; None for none.
    name
        A cell, or words of the planner's own.
    """

    name: Cell | str
    categories: Range
    values: Range
    look: str = "fill"
    colour: str = ""
    labels: Sequence[str | None] = ()


@dataclass(frozen=True)
class ChartPlan:
    """What a chart shows.

    Parameters
    ----------
    kind
        ``stacked`` or ``clustered`` columns, ``bar`` (lying), ``tornado`` (lying, on one line), ``line`` or ``scatter``.
    title, x_title, y_title
        Words; units in the axis titles.
    form
        Number format of the value axis.
    """

    kind: str
    title: str
    x_title: str
    y_title: str
    series: Sequence[Series] = field(default=())
    form: str = "#,##0"
    x_form: str = "0"
    """`0`: years or the like, of which some are left unlabelled where there is no room; `@`: names."""
    lowest: float | None = None
    highest: float | None = None
    x_span: tuple[float | None, float | None, float | None] = (None, None, None)
    """Least and most of the other axis, and the step between its marks."""


_TYPES: dict[str, dict[str, str]] = {
    "stacked": {"type": "column", "subtype": "stacked"},
    "clustered": {"type": "column"},
    "bar": {"type": "bar"},
    "tornado": {"type": "bar"},
    "line": {"type": "line"},
    "scatter": {"type": "scatter", "subtype": "straight_with_markers"},
}


def make_chart(workbook: xlsxwriter.Workbook, plan: ChartPlan, width: float = WIDTH, height: float = HEIGHT) -> Chart:
    """Return a native chart, ready to be put on a sheet.

    Parameters
    ----------
    workbook
        Where it will stand.
    plan
        What it shows; at least one series.
    width, height
        Pixels.
    """
    filled = [series for series in plan.series if series.look == "fill" or plan.kind in ("line", "scatter")]
    lines = [series for series in plan.series if series not in filled]
    chart = workbook.add_chart(_TYPES[plan.kind])
    for number, series in enumerate(filled):
        chart.add_series(_series(plan, series, plan.series, number))
    if lines:
        over = workbook.add_chart({"type": "line"})
        for series in lines:
            over.add_series(_series(plan, series, plan.series, len(filled)))
        chart.combine(over)
    small: dict[str, Any] = {"name": FONT, "size": 8, "color": "#323F4B"}
    chart.set_title({"name": plan.title, "overlay": False, "name_font": {"name": FONT, "size": 11, "bold": True, "color": TITLE_COLOUR}})
    axis: dict[str, Any] = {"num_font": small, "name_font": {**small, "size": 9, "bold": False}}
    points = max((_length(series.categories) for series in plan.series), default=0)
    along = {
        **axis, "name": plan.x_title, "num_format": plan.x_form, "line": {"color": "#9AA5B1"}, "label_position": "low",
        **({"interval_unit": math.ceil(points * LABEL_PIXELS / width)} if plan.kind != "scatter" and plan.x_form == "0" else {}),
        "major_gridlines": {"visible": False},
        **dict(zip(("min", "max", "major_unit"), plan.x_span, strict=True)),
        **({} if plan.x_span[0] is None else {"crossing": "min"}),
    }  # fmt: skip
    values = {
        **axis, "name": plan.y_title, "num_format": plan.form, "line": {"none": True}, "min": plan.lowest, "max": plan.highest,
        "major_gridlines": {"visible": True, "line": {"color": GRID_COLOUR, "width": 0.75}},
    }  # fmt: skip
    if plan.kind in ("bar", "tornado"):
        chart.set_x_axis({**values, "label_position": "high"})  # at the bottom, because the other axis runs downwards
        chart.set_y_axis({**along, "reverse": True, "interval_unit": 1, "num_font": {**small, "size": 7}})
    else:
        chart.set_x_axis(along)
        chart.set_y_axis(values)
    if len(plan.series) > 1:
        chart.set_legend({"position": "bottom", "font": small})
    else:
        chart.set_legend({"none": True})
    chart.show_blanks_as("gap")
    chart.set_chartarea({"border": {"color": "#CBD2D9"}, "fill": {"color": "#FFFFFF"}})
    chart.set_size({"width": width, "height": height})
    return chart


def _length(place: Range) -> int:
    _, first_row, first_column, last_row, last_column = place
    return max(last_row - first_row, last_column - first_column) + 1


def _series(plan: ChartPlan, series: Series, all_series: Sequence[Series], filled: int) -> dict[str, Any]:
    own = [item for item in all_series if item.look != "limit"]
    place = own.index(series) if series in own else own.index(all_series[all_series.index(series) - 1])
    colour = series.colour or COLOURS[place % len(COLOURS)]
    options: dict[str, Any] = {
        "name": series.name if isinstance(series.name, str) else list(series.name),
        "categories": list(series.categories),
        "values": list(series.values),
    }
    if series.look == "fill" and plan.kind not in ("line", "scatter"):
        return {
            **options,
            "fill": {"color": colour},
            "border": {"none": True},
            "gap": 55,
            **({"overlap": 100} if plan.kind in ("stacked", "tornado") else {}),
        }
    dashed = series.look == "limit"
    options["line"] = {"color": colour, "width": 1.75 if dashed else 2.25, **({"dash_type": "dash"} if dashed else {})}
    options["marker"] = (
        {"type": "none"} if dashed else {"type": "circle", "size": 5, "fill": {"color": colour}, "border": {"color": "#FFFFFF"}}
    )
    if series.labels:
        small = {"name": FONT, "size": 8}
        custom = [{"delete": True} if text is None else {"value": _plain(text)} for text in series.labels]
        options["data_labels"] = {"value": True, "position": LABEL_PLACES[place % len(LABEL_PLACES)], "font": small, "custom": custom}
    return options


def _plain(text: str) -> str:
    """Return a text that a chart does not take for a formula."""
    return f" {text}" if text.startswith("=") else text
