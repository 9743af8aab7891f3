"""The map: where places are, what flows between them, and a picture that never stands in the way of a result."""

import copy
import doctest
import importlib
import io
import math

import numpy as np
import pytest
from matplotlib.image import imread

from model import map_picture
from model.geography import load_countries, project, visible_rings, within
from model.map import DELIVERY, FEED, MARKET, PLANT, PURCHASE, REFINER, SOURCE, Flow, Place, World, world_flows
from model.map_picture import draw_map, drawable, line_width
from model.planner import solve
from tests.tiny import RECORDS, tiny_tables


@pytest.fixture(scope="module")
def plan():
    return solve(tiny_tables())


@pytest.fixture(scope="module")
def world(plan):
    return world_flows(plan.tables, plan.solution.tables)


def place(kind: str, code: str, longitude: float, latitude: float, **more) -> Place:
    return Place(kind, code, code, longitude, latitude, "own coordinates", "AAA", **more)


def size_of(png: bytes) -> tuple[int, ...]:
    return imread(io.BytesIO(png)).shape[:2]


# --- geography -------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "longitude", "latitude"), [("USA", -99, 40), ("JPN", 137, 36), ("RUS", 100, 62), ("CHL", -72, -37)])
def test_centres_lie_where_the_countries_are(code, longitude, latitude):
    assert load_countries()[code].centre == pytest.approx((longitude, latitude), abs=2)


def test_every_country_of_the_shipped_book_has_a_shape():
    assert {"JPN", "USA", "CHN", "MYS", "EST", "NAM", "GRL", "MMR", "GBR"} <= set(load_countries())
    assert len(load_countries()) > 170


def test_the_shapes_are_small():
    data = importlib.resources.files("model").joinpath("map_data", "countries.json").read_bytes()
    assert len(data) < 150_000


def test_projection_keeps_areas():
    """A degree's square at 60° north covers half of one at the equator; the globe has 4 pi."""

    def area(latitude: float) -> float:
        south, north = (project(0.0, latitude + step)[1] for step in (-0.05, 0.05))
        return float((project(0.1, latitude)[0] - project(0.0, latitude)[0]) * (north - south))

    assert area(60.0) / area(0.0) == pytest.approx(0.5, rel=1e-3)
    latitudes = np.linspace(-90, 90, 2001)
    x, y = project(180.0, latitudes)
    assert np.sum((x[1:] + x[:-1]) * np.diff(y)) == pytest.approx(4 * math.pi, rel=1e-3)


@pytest.mark.parametrize("centre", [11.0, 150.0, -160.0])
def test_shapes_are_cut_at_the_edge_of_the_map(centre):
    for code, country in load_countries().items():
        rings = visible_rings(country, centre)
        assert rings, code
        for ring in rings:
            assert ring[:, 0].min() >= -180.0, code
            assert ring[:, 0].max() <= 180.0, code


def test_a_country_across_the_edge_keeps_its_area():
    def area(ring: np.ndarray) -> float:
        x, y = ring[:, 0], ring[:, 1]
        return abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2

    greenland = load_countries()["GRL"]
    whole = sum(area(ring) for ring in greenland.rings)
    cut = visible_rings(greenland, 150.0)
    assert len(cut) > len(greenland.rings)
    assert sum(area(ring) for ring in cut) == pytest.approx(whole)


# --- places and flows ------------------------------------------------------------------------


def test_flows_are_those_of_the_plan(plan, world):
    found = plan.solution.tables
    for kind, table in ((FEED, "feed"), (DELIVERY, "deliveries"), (PURCHASE, "purchases")):
        flows = [flow for flow in world.flows if flow.kind == kind]
        assert flows, kind
        assert sum(flow.tonnes for flow in flows) == pytest.approx(found[table]["tonnes"].sum())
        assert sum(flow.china_tonnes for flow in flows) == pytest.approx(found[table]["china_tonnes"].sum())
    assert [flow.tonnes for flow in world.flows] == sorted((flow.tonnes for flow in world.flows), reverse=True)


def test_places_come_from_coordinates_then_port_then_country():
    records = copy.deepcopy(RECORDS)
    records["ports"][0] |= {"latitude": 3.0, "longitude": 101.0}
    with_port = records["ports"][0]["port"]
    records["hosts"][0] |= {"port": with_port}
    records["markets"][0] |= {"latitude": 35.0, "longitude": 140.0}
    plan = solve(tiny_tables(**records))
    world = world_flows(plan.tables, plan.solution.tables)
    own, port = world.places[MARKET, records["markets"][0]["market"]], world.places[PLANT, records["hosts"][0]["host"]]
    assert (own.longitude, own.latitude, own.found_by) == (140.0, 35.0, "own coordinates")
    assert (port.longitude, port.latitude, port.found_by) == (101.0, 3.0, "its port")
    china = world.places[REFINER, "CHN"]
    assert (china.longitude, china.latitude) == load_countries()["CHN"].centre
    assert china.found_by == "middle of its country"


def test_unknown_countries_are_left_out_and_named(world):
    hidden = [place for place in world.places.values() if not place.known]
    assert hidden, "the tiny book has made-up countries"
    assert len(world.left_out) == len(hidden)
    for place in hidden:
        assert any(place.label in name for name in world.left_out)
    for flow in world.drawn:
        assert all(world.places[end].known for end in flow.ends)
    assert len(world.drawn) < len(world.flows)
    assert size_of(draw_map(world, "Tiny"))


def test_the_map_turns_to_where_the_flows_are_short():
    ends = {(SOURCE, "a"): place(SOURCE, "a", 140.0, 35.0), (PLANT, "b"): place(PLANT, "b", -120.0, 35.0, size=10.0)}
    pacific = World(ends, (Flow(FEED, "a", "b", 5.0, 0.0),), (2030,))
    assert pacific.meridian == 150.0
    ends = {(SOURCE, "a"): place(SOURCE, "a", -60.0, -10.0), (PLANT, "b"): place(PLANT, "b", 10.0, 50.0, size=10.0)}
    atlantic = World(ends, (Flow(FEED, "a", "b", 5.0, 0.0),), (2030,))
    assert atlantic.meridian == 11.0
    for world in (pacific, atlantic):
        west, east = (within(item.longitude, world.meridian) for item in world.places.values())
        assert abs(west - east) <= 100.0


# --- the picture -----------------------------------------------------------------------------


@pytest.mark.parametrize("flows", [(), (Flow(FEED, "s", "h", 3.0, 3.0),)], ids=["nothing", "one flow"])
@pytest.mark.parametrize("known", [True, False])
def test_a_picture_is_drawn_whatever_is_in_it(flows, known):
    at = (100.0, 10.0) if known else (math.nan, math.nan)
    places = {(SOURCE, "s"): place(SOURCE, "s", *at), (PLANT, "h"): place(PLANT, "h", *at, size=1000.0)} if flows else {}
    assert min(size_of(draw_map(World(places, flows, (2030,)), "Title"))) > 500


def test_names_that_look_like_formulas_or_use_other_scripts_are_drawn(world):
    names = ("$x_1$ $", "=1+1", "日本 製錬所", "\\frac{", "a\nb", "\U0001f3ed")
    places = {(MARKET, name): place(MARKET, name, 20.0 * number, 10.0) for number, name in enumerate(names)}
    assert size_of(draw_map(World(places, (), (2030,)), "$ title"))


def test_what_the_fonts_lack_is_replaced_by_the_code():
    assert drawable("Malaysia", "MYS") == "Malaysia"
    assert drawable("\U0010fffd", "MYS") == "MYS"
    assert drawable("\U0010fffd", "\U0010fffd") == "?"


def test_width_grows_with_the_root_of_the_tonnes():
    assert line_width(100.0, 100.0) == map_picture.WIDEST
    assert line_width(25.0, 100.0) - map_picture.NARROWEST == pytest.approx((map_picture.WIDEST - map_picture.NARROWEST) / 2)
    assert line_width(0.0, 100.0) == map_picture.NARROWEST


def test_labels_overlap_neither_each_other_nor_the_places(monkeypatch):
    rng = np.random.default_rng(3)
    places = {
        (SOURCE, f"SOURCE_{n}"): place(SOURCE, f"SOURCE_{n}", *rng.uniform((90, -10), (150, 40)), detail="12 kt") for n in range(40)
    } | {(PLANT, "H"): place(PLANT, "H", 120.0, 10.0, size=1000.0)}
    flows = tuple(Flow(FEED, code, "H", 10.0 * (n + 1), n) for n, (kind, code) in enumerate(places) if kind == SOURCE)
    boxes, points = [], []
    inner = map_picture.place_labels

    def seen(axes, world, at, paths):
        boxes.extend(inner(axes, world, at, paths))
        points.extend(axes.transData.transform(point) for point in at.values())
        return boxes

    monkeypatch.setattr(map_picture, "place_labels", seen)
    draw_map(World(places, flows, (2030,)), "Crowded")
    assert len(boxes) >= 20
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])
        assert not any(box.contains(*point) for point in points)


@pytest.mark.parametrize("module", ["geography", "map"])
def test_examples_in_docstrings(module):
    found = doctest.testmod(importlib.import_module(f"model.{module}"))
    assert found.attempted > 0
    assert found.failed == 0
