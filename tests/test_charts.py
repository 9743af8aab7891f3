"""Charts: native, over ranges that hold figures, whatever the plan."""

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pytest

from model.charts import ChartPlan, Series
from model.planner import solve
from model.report_book import DataTable, Field
from model.report_study_charts import study_charts
from model.studies import frontier, leaning, sensitivity
from model.studies.study import StudySheet
from tests.reported import load, renamed, write
from tests.tiny import RECORDS, YEARS, tiny_tables

NAMES = {"c": "http://schemas.openxmlformats.org/drawingml/2006/chart"}
HOSTILE = {"JPN": "=1+1", "AAA_PORT": "@cmd", "ev": "<b>", "NdPr": "it's"}


def charts_in(path: Path) -> list[ElementTree.Element]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(
            (n for n in archive.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", n)), key=lambda n: int(re.findall(r"\d+", n)[0])
        )
        return [ElementTree.fromstring(archive.read(name)) for name in names]


def title_of(chart: ElementTree.Element) -> str:
    node = chart.find("c:chart/c:title", NAMES)
    return "".join(part.text or "" for part in node.iter("{http://schemas.openxmlformats.org/drawingml/2006/main}t"))


def figures_at(book: openpyxl.Workbook, reference: str) -> list:
    sheet, _, cells = reference.rpartition("!")
    found = book[sheet.strip("'").replace("''", "'")][cells.replace("$", "")]
    rows = found if isinstance(found, tuple) else ((found,),)
    return [cell.value for row in rows for cell in (row if isinstance(row, tuple) else (row,))]


@pytest.fixture(scope="module")
def books(report_books: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the workbooks of plans, and one in which names that charts show are hostile."""
    hostile = solve(tiny_tables(**renamed(RECORDS, HOSTILE)))
    return {**report_books, "hostile": write(hostile, tmp_path_factory.mktemp("charts") / "hostile")}


@pytest.mark.parametrize("name", ["plan", "short", "bare", "hostile"])
def test_every_series_points_at_figures_and_holds_them(books, name):
    book = load(books[name], True)
    charts = charts_in(books[name])
    assert len(charts) >= 5
    for chart in charts:
        series = chart.findall(".//c:ser", NAMES)
        assert series, title_of(chart)
        for one in series:
            values = one.find("c:val/c:numRef", NAMES) if one.find("c:val", NAMES) is not None else one.find("c:yVal/c:numRef", NAMES)
            figures = figures_at(book, values.find("c:f", NAMES).text)
            assert any(isinstance(figure, int | float) for figure in figures), title_of(chart)
            cached = {int(point.get("idx")): float(point.find("c:v", NAMES).text) for point in values.findall("c:numCache/c:pt", NAMES)}
            assert cached == pytest.approx({number: figure for number, figure in enumerate(figures) if isinstance(figure, int | float)})
            assert not any(isinstance(figure, str) for figure in figures), "a text would be drawn as 0"


@pytest.mark.parametrize("name", ["plan", "short", "bare"])
def test_every_chart_has_a_title_and_axes_with_units(books, name):
    for chart in charts_in(books[name]):
        assert title_of(chart)
        axes = chart.findall(".//c:valAx", NAMES)
        assert any(axis.find("c:title", NAMES) is not None and axis.find("c:numFmt", NAMES) is not None for axis in axes), title_of(chart)


def test_the_charts_that_a_plan_with_plants_has(books):
    titles = [title_of(chart) for chart in charts_in(books["plan"])]
    for words in ("whole system", "joint plants by year", "against caps", "by product", "source country", "capacity by plant", "Use of each",
                  "demand: JPN", "demand: USA", "ledger", "by sector"):  # fmt: skip
        assert any(words in title for title in titles), words


def test_cost_stack_adds_up_to_the_cost_of_the_year(books):
    rows = list(load(books["short"], True)["chart_data"].iter_rows(values_only=True))
    costs = list(load(books["short"], True)["costs"].iter_rows(values_only=True))
    stack, whole = (next(row for row in table if row[0] == "all costs") for table in (rows, costs))
    figures = [value for value in whole if isinstance(value, float)][: len(YEARS)]
    assert [value for value in stack if isinstance(value, float)] == pytest.approx(figures)


def test_no_typed_name_is_a_formula_in_a_chart(books):
    for chart in charts_in(books["hostile"]):
        for name in chart.findall(".//c:ser/c:tx", NAMES):
            place = name.find("c:strRef/c:f", NAMES)
            assert place is None or re.fullmatch(r"'?[a-z_]+'?!\$[A-Z]+\$\d+", place.text), place.text


# --- studies ---------------------------------------------------------------------------------


def frontier_frame() -> pd.DataFrame:
    rows = [
        ("all oxide", level, 900 + extra, extra, hosts)
        for level, extra, hosts in ((1.0, 0.0, "=A"), (0.5, 10.0, "=A"), (0.2, 40.0, "A, B"), (0.0, float("nan"), "no plan"))
    ]
    rows += [("each product", 1.0, 900.0, 0.0, "A"), ("each product", 0.5, 950.0, 50.0, "C")]
    frame = pd.DataFrame(rows, columns=["scope", "level", "total_cost", "extra_cost", "hosts"])
    return frame.reindex(columns=[column.name for column in frontier.POINT_COLUMNS])


def test_a_frontier_is_drawn_with_the_hosts_where_they_hold(report_plan, tmp_path):
    sheet = StudySheet("frontier", "Frontier.", [("Levels.", frontier.POINT_COLUMNS, frontier_frame())], [], ["h"])
    path = write(report_plan, tmp_path / "run", extra_sheets=[sheet])
    charts = [chart for chart in charts_in(path) if "each point of cap" in title_of(chart)]
    assert len(charts) == 2, "on the sheet charts and on the first page"
    book = load(path, True)
    for chart in charts:
        first, second = chart.findall(".//c:ser", NAMES)
        assert figures_at(book, first.find("c:xVal/c:numRef/c:f", NAMES).text) == [1.0, 0.5, 0.2, 0.0]
        assert figures_at(book, first.find("c:yVal/c:numRef/c:f", NAMES).text)[:3] == [0.0, 10.0, 40.0]
        assert figures_at(book, second.find("c:yVal/c:numRef/c:f", NAMES).text) == [0.0, 50.0]
        texts = [node.text for node in first.findall(".//c:dLbl//{http://schemas.openxmlformats.org/drawingml/2006/main}t", NAMES)]
        assert texts == [" =A", "A, B", "no plan"]


def test_hosts_of_a_frontier_stand_in_the_middle_of_where_they_hold_and_once_where_lines_meet():
    levels = (1.0, 0.8, 0.6, 0.4, 0.0)
    rows = [{"scope": scope, "level": level, "hosts": hosts} for scope in ("a", "b") for level, hosts in zip(levels, "XXXXY", strict=True)]
    plan = study_charts({"frontier": [placed("frontier", frontier.POINT_COLUMNS, rows)]})["frontier"]
    assert [series.labels for series in plan.series] == [[None, None, "X", None, "Y"], [None] * 5]
    least, most, _ = plan.x_span
    assert least < 0.0 < 1.0 < most, "names at an end need room"


def placed(name: str, columns, rows: list[dict]) -> DataTable:
    frame = pd.DataFrame(rows).reindex(columns=[column.name for column in columns])
    table = DataTable("t", "", [Field(column.name, column.unit, column.description) for column in columns], frame)
    table.place(name, 5, 0)
    return table


def test_tornados_take_the_rows_that_stand_first():
    rows = [{"figure": f"f{n}", "low_change": -n, "high_change": n} for n in range(20)]
    plan = study_charts({"sensitivity": [placed("sensitivity", sensitivity.TORNADO_COLUMNS, rows)]})["sensitivity"]
    low, high = plan.series
    assert (low.values[1], low.values[3]) == (5, 18)
    assert low.values[2] != high.values[2]
    moved = study_charts({"leaning": [placed("leaning", leaning.COLUMNS, [{"scenario": "a", "change": 3.0}])]})
    assert moved["leaning"].series[0].values[1] == 5


def test_studies_without_rows_have_no_chart():
    assert study_charts({}) == {}
    assert study_charts({"frontier": [placed("frontier", frontier.POINT_COLUMNS, [])]}) == {}
    assert study_charts({"leaning": [placed("leaning", leaning.COLUMNS, [{"scenario": "a", "change": float("nan")}])]}) == {}


def test_a_limit_has_the_colour_of_the_series_that_it_limits():
    from model.charts import _series

    share = Series("share", ("s", 0, 0, 0, 1), ("s", 1, 0, 1, 1), "line")
    limit = replace(share, name="limit", look="limit")
    other = replace(share, name="other")
    plan = ChartPlan("line", "t", "x", "y", [share, limit, other])
    colours = [_series(plan, one, plan.series, 0)["line"]["color"] for one in plan.series]
    assert colours[0] == colours[1] != colours[2]
