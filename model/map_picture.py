"""The map as a picture: country shapes, curved flows, plants drawn to size, labels that keep clear of each other."""

from __future__ import annotations

import io
import logging
import math
import warnings
from collections.abc import Sequence
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch
from matplotlib.transforms import Bbox

from model.geography import load_countries, project, visible_rings, within
from model.map import MARKET, PICTURE_SIZE, PLANT, PURCHASE, REFINER, SOURCE, Place, World, tonnes_shown
from model.words import listing

DPI = 180
SEA, LAND, BORDER, HOST_LAND = "#F7FAFC", "#DDE3E9", "#FFFFFF", "#B9CFE4"
INK, QUIET = "#1F2933", "#52606D"
CHINA_SHARE = LinearSegmentedColormap.from_list("china", ["#1F6FB2", "#C9A227", "#B00020"])
WIDEST, NARROWEST = 6.5, 0.6
LARGEST_PLANT, SMALLEST_PLANT = 13.0, 5.5
PALE = 0.4
"""Opacity of what is bought from existing refiners, so that the joint flows stand out."""

SOUTH, NORTH = -56.0, 80.0
CLEARANCE = 0.06
"""Least distance between a flow and places not its own, in units of the map (an Earth radius)."""

MOST_REFINERS = 10
"""Countries of existing refiners that get a label; the rest are drawn without."""

_MARKERS = {SOURCE: "^", PLANT: "o", REFINER: "D", MARKET: "s"}
_FILLS = {SOURCE: "#6B4E16", PLANT: "#0B3C6F", REFINER: "#9AA5B1", MARKET: "#1B6E3C"}
_EAST_ASIAN_FONTS = (
    "Noto Sans CJK JP", "Noto Sans JP", "Yu Gothic", "Meiryo", "MS Gothic", "Hiragino Sans", "IPAexGothic", "TakaoGothic", "Droid Sans Fallback",
)  # fmt: skip


@cache
def _fonts() -> tuple[list[str], frozenset[int]]:
    """Return the font families to use and every character that they hold."""
    installed = {entry.name: entry.fname for entry in fontManager.ttflist}
    families = ["DejaVu Sans", *(name for name in _EAST_ASIAN_FONTS if name in installed)]
    held: set[int] = set()
    for name in families:
        held |= set(get_font(installed[name]).get_charmap())
    return families, frozenset(held)


def drawable(text: str, instead: str) -> str:
    """Return a text that the fonts at hand can show, else the other one with what they lack as question marks."""
    _, held = _fonts()
    if all(ord(char) in held for char in text):
        return text
    return "".join(char if ord(char) in held else "?" for char in instead)


def line_width(tonnes: float, most: float) -> float:
    """Return points; the width grows with the square root of the tonnes, so that small flows stay in sight."""
    return NARROWEST + (WIDEST - NARROWEST) * math.sqrt(tonnes / most) if most > 0 else NARROWEST


def draw_map(world: World, title: str) -> bytes:
    """Draw the map.

    Parameters
    ----------
    world
        Of :func:`model.map.world_flows`; may hold no flow and no place.
    title
        Above the map.

    Returns
    -------
    bytes
        A PNG file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a missing character must not disturb a run
        logging.getLogger("matplotlib").setLevel(logging.ERROR)
        figure = _figure(world, title)
        target = io.BytesIO()
        figure.savefig(target, format="png", dpi=DPI, facecolor="white", metadata={"Software": None}, pil_kwargs={"compress_level": 3})
    return target.getvalue()


def _figure(world: World, title: str) -> Figure:
    figure = Figure(figsize=PICTURE_SIZE, dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.115, 1.0, 0.82))
    axes.set_axis_off()
    centre = world.meridian
    _draw_countries(axes, world, centre)
    points = {key: _point(place, centre) for key, place in world.places.items() if place.known}
    most = max((flow.tonnes for flow in world.drawn), default=0.0)
    ends = _draw_flows(axes, world, points, most)
    _draw_places(axes, world, points)
    _text(figure, 0.012, 0.966, title, size=10.5, weight="bold", color="#1F3A5F", va="center")
    _legend(figure, world, most)
    if world.left_out:
        missing = listing((drawable(name, "?") for name in world.left_out), 6)
        _text(axes, 0.012, 0.012, f"Not drawn, place unknown: {missing}", size=7.2, color=QUIET, transform=axes.transAxes, va="bottom")
    axes.apply_aspect()
    place_labels(axes, world, points, ends)
    return figure


def _text(target: Figure | Axes, x: float, y: float, text: str, **properties: object) -> object:
    """Write text as it is: a dollar sign starts no formula."""
    return target.text(x, y, text, parse_math=False, fontfamily=_fonts()[0], **properties)  # type: ignore[arg-type]


def _point(place: Place, centre: float) -> tuple[float, float]:
    x, y = project(within(place.longitude, centre), place.latitude)
    return float(x), float(y)


def _draw_countries(axes: Axes, world: World, centre: float) -> None:
    west, east = (float(project(side, 0.0)[0]) for side in (-180.0, 180.0))
    axes.set_xlim(west, east)
    axes.set_ylim(float(project(0.0, SOUTH)[1]), float(project(0.0, NORTH)[1]))
    axes.set_aspect("equal", adjustable="datalim")
    # the sea's outline: along both edges of the map
    latitudes = np.linspace(-90, 90, 181)
    outline = np.concatenate([np.column_stack(project(-180.0, latitudes)), np.column_stack(project(180.0, latitudes[::-1]))])
    axes.add_collection(PolyCollection([outline], facecolors=SEA, edgecolors="none"))
    with_plants = {place.country for place in world.places.values() if place.kind == PLANT}
    shapes, fills = [], []
    for code, country in load_countries().items():
        for ring in visible_rings(country, centre):
            shapes.append(np.column_stack(project(ring[:, 0], ring[:, 1])))
            fills.append(HOST_LAND if code in with_plants else LAND)
    axes.add_collection(PolyCollection(shapes, facecolors=fills, edgecolors=BORDER, linewidths=0.5))


def _draw_flows(axes: Axes, world: World, points: dict, most: float) -> list[np.ndarray]:
    """Draw the flows, largest at the bottom; return points along them, which labels keep clear of if they can."""
    paths = []
    for level, flow in enumerate(world.drawn):
        start, end = (points[key] for key in flow.ends)
        if math.dist(start, end) < 1e-9:
            continue
        width = line_width(flow.tonnes, most)
        others = np.array([point for key, point in points.items() if key not in flow.ends]).reshape(-1, 2)
        bend = _clear_bend(start, end, others)
        axes.add_patch(
            FancyArrowPatch(
                start, end, connectionstyle=f"arc3,rad={bend}", arrowstyle=f"-|>,head_length={3 + 0.4 * width},head_width={1.5 + 0.3 * width}",
                mutation_scale=1.0, linewidth=width, color=CHINA_SHARE(flow.china_tonnes / flow.tonnes),
                alpha=PALE if flow.kind == PURCHASE else 0.95, shrinkA=2, shrinkB=4, joinstyle="miter", capstyle="butt",
                zorder=(3 if flow.kind == PURCHASE else 4) + level / 1000,
            )
        )  # fmt: skip
        paths.append(_curve(start, end, bend))
    return paths


def _curve(start: tuple[float, float], end: tuple[float, float], bend: float) -> np.ndarray:
    """Return points along a flow: a curve of second degree whose middle is drawn aside by `bend` of its length."""
    a, b = np.array(start), np.array(end)
    aside = (a + b) / 2 + bend * np.array([b[1] - a[1], a[0] - b[0]])
    t = np.linspace(0, 1, 25)[:, None]
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * aside + t**2 * b


def _clear_bend(start: tuple[float, float], end: tuple[float, float], others: np.ndarray) -> float:
    """Return the gentlest bend that keeps a flow from running through places that it has nothing to do with."""
    north = -1.0 if start[0] < end[0] else 1.0
    best, least = 0.0, math.inf
    for size in (0.16, 0.24, 0.1, 0.3, -0.12, -0.2):
        near = np.linalg.norm(_curve(start, end, north * size)[2:-2, None, :] - others[None, :, :], axis=2) < CLEARANCE
        # a place beside an end cannot be helped
        apart = np.linalg.norm(others - np.array(end), axis=1) > 2 * CLEARANCE
        hits = int((near.any(axis=0) & apart).sum())
        if hits < least:
            best, least = north * size, hits
        if least == 0:
            break
    return best


def _plant_size(place: Place, largest: float) -> float:
    """Return a plant's diameter in points: its area grows with its capacity."""
    return max(SMALLEST_PLANT, LARGEST_PLANT * math.sqrt(place.size / largest)) if largest > 0 else SMALLEST_PLANT


def _draw_places(axes: Axes, world: World, points: dict) -> None:
    largest = max((place.size for place in world.places.values()), default=0.0)
    for key, point in points.items():
        place = world.places[key]
        size = {SOURCE: 5.0, REFINER: 3.8, MARKET: 6.5}.get(place.kind) or _plant_size(place, largest)
        axes.plot(
            *point, _MARKERS[place.kind], markersize=size, color=_FILLS[place.kind], markeredgecolor="white", markeredgewidth=0.7, zorder=6
        )


def place_labels(axes: Axes, world: World, points: dict, paths: Sequence[np.ndarray]) -> list[Bbox]:
    """Write the labels where they overlap neither each other nor a place; one that finds no room is left out.

    Returns
    -------
    list of Bbox
        Room taken by each label, in pixels.
    """
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    frame = axes.get_window_extent(renderer)
    pixels = {key: axes.transData.transform(point) for key, point in points.items()}
    along = np.vstack([axes.transData.transform(path) for path in paths]) if paths else np.empty((0, 2))
    taken: list[Bbox] = []
    reach = 4.0 * DPI / 72
    marks = [Bbox.from_bounds(x - reach, y - reach, 2 * reach, 2 * reach) for x, y in pixels.values()]
    for key in _by_importance(world, points):
        place = world.places[key]
        important = place.kind in (PLANT, MARKET)
        text = drawable(place.label, place.code) + (f"\n{place.detail}" if place.detail else "")
        label = _text(
            axes, 0, 0, text, size=8.4 if important else 7.1, weight="bold" if important else "normal", linespacing=1.05, zorder=8,
            color=INK if important else QUIET, bbox={"boxstyle": "square,pad=0.12", "facecolor": "white", "alpha": 0.62, "edgecolor": "none"},
        )  # fmt: skip
        extent = label.get_window_extent(renderer)  # type: ignore[attr-defined]
        best = _best_room(pixels[key], 12.0 if important else 3.0, extent.width + 6, extent.height + 4, frame, taken, marks, along)
        if best is None:
            label.remove()  # type: ignore[attr-defined]
            continue
        taken.append(best)
        corner = axes.transData.inverted().transform((best.x0 + 3, best.y0 + 2))
        label.set_position(corner)  # type: ignore[attr-defined]
        label.set_verticalalignment("bottom")  # type: ignore[attr-defined]
        _leader(axes, pixels[key], best)
    return taken


def _by_importance(world: World, points: dict) -> list[tuple[str, str]]:
    """Return the places that get a label, plants and markets first, then those with the most tonnes."""
    tonnes: dict[tuple[str, str], float] = {}
    for flow in world.drawn:
        tonnes[flow.ends[0]] = tonnes.get(flow.ends[0], 0.0) + flow.tonnes
    rank = {PLANT: 0, MARKET: 1, SOURCE: 2, REFINER: 3}
    order = sorted(points, key=lambda key: (rank[key[0]], -tonnes.get(key, 0.0), key))
    refiners = [key for key in order if key[0] == REFINER]
    return [key for key in order if key not in refiners[MOST_REFINERS:]]


def _best_room(
    at: np.ndarray, far: float, width: float, height: float, frame: Bbox, taken: Sequence[Bbox], marks: Sequence[Bbox], along: np.ndarray
) -> Bbox | None:
    """Return the free room near a point that hides the least of the flows; `far`: what a step farther away counts."""
    best, least = None, math.inf
    blocked = np.array([other.extents for other in (*taken, *marks)]).reshape(-1, 4)
    for ring, distance in enumerate((7.0, 13.0, 22.0, 35.0, 52.0, 75.0)):
        if best is not None and least <= far * ring:
            break  # farther away can only be worse
        gap = distance * DPI / 96
        for turn in range(16):
            angle = turn * math.pi / 8
            dx, dy = math.cos(angle), math.sin(angle)
            x0, y0 = at[0] + gap * dx + (dx - 1) / 2 * width, at[1] + gap * dy + (dy - 1) / 2 * height
            x1, y1 = x0 + width, y0 + height
            if x0 < frame.x0 or y0 < frame.y0 or x1 > frame.x1 or y1 > frame.y1:
                continue
            if ((blocked[:, 0] < x1) & (blocked[:, 2] > x0) & (blocked[:, 1] < y1) & (blocked[:, 3] > y0)).any():
                continue
            hidden = int(((along[:, 0] > x0) & (along[:, 0] < x1) & (along[:, 1] > y0) & (along[:, 1] < y1)).sum())
            cost = 2.0 * hidden + far * ring + (0 if turn in (0, 8) else 0.4)
            if cost < least:
                best, least = Bbox.from_extents(x0, y0, x1, y1), cost
    return best


def _leader(axes: Axes, at: np.ndarray, room: Bbox) -> None:
    """Join a label that stands apart to its place by a thin line."""
    near = np.array([min(max(at[0], room.x0), room.x1), min(max(at[1], room.y0), room.y1)])
    if math.dist(at, near) > 9 * DPI / 72:
        (x0, y0), (x1, y1) = axes.transData.inverted().transform([at, near])
        axes.plot([x0, x1], [y0, y1], "-", color=QUIET, linewidth=0.6, zorder=5)


def _legend(figure: Figure, world: World, most: float) -> None:
    """Draw the legend in a strip of two lines below the map."""
    strip = figure.add_axes((0.0, 0.0, 1.0, 0.115))
    strip.set_axis_off()
    high, low = 0.74, 0.26
    x = 0.012
    marks = (
        (SOURCE, "source", 0.085), (PLANT, "joint plant, area by capacity", 0.225),
        (REFINER, "existing refiners of a country", 0.225), (MARKET, "market", 0.09),
    )  # fmt: skip
    for kind, words, room in marks:
        strip.plot([x + 0.006], [high], _MARKERS[kind], color=_FILLS[kind], markersize=6.5, markeredgecolor="white")
        _text(strip, x + 0.017, high, words, size=6.8, color=INK, va="center")
        x += room
    x = 0.012
    for opacity, words, room in ((0.95, "feed and joint oxide", 0.17), (PALE, "oxide of existing refiners", 0.2)):
        strip.add_line(Line2D([x, x + 0.026], [low, low], color=CHINA_SHARE(0.0), linewidth=2.6, alpha=opacity))
        _text(strip, x + 0.031, low, words, size=6.8, color=INK, va="center")
        x += room
    x += 0.03
    for tonnes in [_round(share * most) for share in (1.0, 0.1, 0.01)] if most > 0 else []:
        strip.add_line(Line2D([x, x + 0.024], [low, low], color=QUIET, linewidth=line_width(tonnes, most), solid_capstyle="butt"))
        _text(strip, x + 0.029, low, tonnes_shown(tonnes), size=6.8, color=INK, va="center")
        x += 0.09
    strip.imshow(np.linspace(0, 1, 128)[None, :], extent=(0.83, 0.965, 0.52, 0.78), aspect="auto", cmap=CHINA_SHARE)
    strip.set_xlim(0, 1)
    strip.set_ylim(0, 1)
    for place, words in ((0.83, "0 %"), (0.8975, "50 %"), (0.965, "100 %")):
        _text(strip, place, 0.45, words, size=6.4, color=INK, ha="center", va="top")
    _text(strip, 0.823, 0.65, "China-linked", size=6.8, color=INK, ha="right", va="center")


def _round(tonnes: float) -> float:
    """Return two leading digits of a figure, for the legend."""
    step = 10.0 ** (math.floor(math.log10(tonnes)) - 1)
    return round(tonnes / step) * step
