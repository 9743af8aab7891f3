"""Country shapes, where a country lies, and a projection that can be centred on any meridian.

The shapes are shipped with the package; their origin is told in ``map_data/README.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np

# Equal Earth projection: Šavrič, Patterson and Jenny, International Journal of Geographical Information Science 33 (2019), 454-465
_A = (1.340264, -0.081106, 0.000893, 0.003796)


@dataclass(frozen=True)
class Country:
    """Name, middle of the largest piece (longitude, latitude) and outer borders, each an array of longitudes and latitudes."""

    name: str
    centre: tuple[float, float]
    rings: tuple[np.ndarray, ...]


@cache
def load_countries() -> Mapping[str, Country]:
    """Return ISO three-letter code -> country."""
    read = json.loads(files("model").joinpath("map_data", "countries.json").read_text("utf-8"))
    return MappingProxyType(
        {
            code: Country(
                item["name"],
                (float(item["centre"][0]), float(item["centre"][1])),
                tuple(np.array(ring, dtype=float).reshape(-1, 2) / 10.0 for ring in item["rings"]),
            )
            for code, item in read.items()
        }
    )


def within(longitude: float, centre: float) -> float:
    """Return degrees east of the map's central meridian, from -180 to below 180.

    Examples
    --------
    >>> within(-100.0, 150.0), within(10.0, 150.0)
    (110.0, -140.0)
    """
    return (longitude - centre + 180.0) % 360.0 - 180.0


def project(east: np.ndarray | float, latitude: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return map coordinates of the Equal Earth projection.

    Parameters
    ----------
    east
        Degrees east of the central meridian.
    latitude
        Degrees north.
    """
    theta = np.arcsin(np.sqrt(3.0) / 2.0 * np.sin(np.radians(latitude)))
    second, sixth = theta**2, theta**6
    slope = 9 * _A[3] * sixth * second + 7 * _A[2] * sixth + 3 * _A[1] * second + _A[0]
    x = 2.0 * np.sqrt(3.0) * np.radians(east) * np.cos(theta) / (3.0 * slope)
    return x, theta * (_A[3] * sixth * second + _A[2] * sixth + _A[1] * second + _A[0])


def _clip(points: Sequence[tuple[float, float]], edge: float, keep_west: bool) -> list[tuple[float, float]]:
    """Return the part of a ring on one side of a meridian (Sutherland and Hodgman, 1974)."""
    kept: list[tuple[float, float]] = []
    for (x0, y0), (x1, y1) in zip([points[-1], *points[:-1]], points, strict=True):
        inside0, inside1 = (x0 <= edge) == keep_west, (x1 <= edge) == keep_west
        if inside0 != inside1:
            kept.append((edge, y0 + (y1 - y0) * (edge - x0) / (x1 - x0)))
        if inside1:
            kept.append((x1, y1))
    return kept


def visible_rings(country: Country, centre: float) -> list[np.ndarray]:
    """Return a country's borders on a map centred on a meridian, cut at the map's edge; degrees east of it, latitude."""
    found = []
    for ring in country.rings:
        for turn in (-360.0, 0.0, 360.0):
            east = ring[:, 0] - centre + turn
            if east.max() <= -180.0 or east.min() >= 180.0:
                continue
            points = list(zip(east.tolist(), ring[:, 1].tolist(), strict=True))
            if east.max() > 180.0:
                points = _clip(points, 180.0, keep_west=True)
            if points and east.min() < -180.0:
                points = _clip(points, -180.0, keep_west=False)
            if len(points) >= 3:
                found.append(np.array(points))
    return found
