"""Few builds among which a good plan is likely: closed hosts take their flows out of the model, and a small model is searched fast."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations

import numpy as np

from model.matrix import Matrix, Vector
from model.relaxation import Relaxation

QUICK_HOSTS, QUICK_BUILDS = 6, 12
"""Hosts, and builds at each, of the search for a first plan."""

MOST_EXCHANGES = 96
"""Plans of any kind tried at a time that differ from the best by a plant or two, and a quarter of those that move a plant."""


def at_likely_hosts(matrix: Matrix, relaxation: Relaxation) -> np.ndarray:
    """Mark the likeliest builds at the likeliest hosts, whatever the relaxation itself builds, and all that is no build."""
    kept, builds, hosts = _builds_of(matrix)
    costs = relaxation.reduced_costs[builds]
    score = {h: float(np.sort(costs[hosts == h])[:QUICK_BUILDS].mean()) for h in dict.fromkeys(hosts)}
    for h in sorted(score, key=lambda h: score[h])[:QUICK_HOSTS]:
        _keep_cheapest(kept, builds[hosts == h], relaxation.reduced_costs, QUICK_BUILDS)
    kept[builds] |= relaxation.values[builds] > 1e-6
    return kept


def at_hosts(matrix: Matrix, wanted: Collection[str]) -> np.ndarray:
    """Mark the builds at these hosts, and all that is no build."""
    kept, builds, hosts = _builds_of(matrix)
    kept[builds] = np.isin(hosts, list(wanted))
    return kept


def keys_of(matrix: Matrix, whole: np.ndarray) -> np.ndarray:
    """Return host, design, way of working and year of whole-number columns as numbers, (columns, 4); -1 for those that are no builds."""
    keys = np.full((whole.size, 4), -1)
    builds = np.array([matrix.columns[column][0] == "build" for column in whole], dtype=bool)
    names = [matrix.columns[column][1] for column in whole[builds]]
    for part in range(4):
        keys[builds, part] = np.unique([str(name[part]) for name in names], return_inverse=True)[1]
    return keys


def exchanges(plan: Vector, costs: Vector, keys: np.ndarray, room: float, seen: set[bytes]) -> list[Vector]:
    """Return plans that have one plant more than a plan, one or two less, or another in their place.

    Those that resize or put off a plant where it stands, or take it elsewhere as it is, come first, then the likeliest others.

    Parameters
    ----------
    plan
        Whole-number columns.
    costs
        Their reduced costs: what each adds to the bound, at least; infinite for columns that no better plan can have.
    keys
        (columns, 4) host, design, way and year of the builds as numbers; -1 for columns that are no builds and follow.
    room
        From the bound to the plan's cost: plans whose reduced costs are more are not better.
    seen
        Plans tried before; those returned are added.
    """
    stand = np.flatnonzero((plan > 0.5) & (keys[:, 0] >= 0))
    free = np.flatnonzero((plan < 0.5) & (keys[:, 0] >= 0) & np.isfinite(costs))
    known = np.where(np.isfinite(costs), costs, 0.0)
    standing = float(known[stand].sum())
    likely = free[np.argsort(costs[free], kind="stable")[:MOST_EXCHANGES]]
    near: list[tuple[float, tuple[int, ...], int]] = []
    far: list[tuple[float, tuple[int, ...], int]] = []
    for leave in [(), *((int(a),) for a in stand), *((int(a), int(b)) for a, b in combinations(stand, 2))]:
        rest = standing - float(known[list(leave)].sum())
        if leave:
            near.append((rest, leave, -1))
        for left in leave:
            same = keys[free] == keys[left]
            here = same[:, 0] & same[:, 2]
            elsewhere = same[:, 1] & same[:, 3] & (len(leave) == 1)
            near += [(rest + float(costs[come]), leave, int(come)) for come in free[here | elsewhere]]
        far += [(rest + float(costs[come]), leave, int(come)) for come in likely]
    found: list[Vector] = []
    for score, leave, come in [*sorted(near)[: 4 * MOST_EXCHANGES], *sorted(far)[:MOST_EXCHANGES]]:
        if score >= room:
            continue
        other = plan.copy()
        other[list(leave)] = 0.0
        if come >= 0:
            other[come] = 1.0
        if other.tobytes() not in seen:
            seen.add(other.tobytes())
            found.append(other)
    return found


def _builds_of(matrix: Matrix) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a mark of the whole-number columns that are no builds, the builds and their hosts."""
    builds = np.array([column for column in np.flatnonzero(matrix.integer) if matrix.columns[column][0] == "build"], dtype=np.intp)
    kept = matrix.integer.copy()
    kept[builds] = False
    return kept, builds, np.array([str(matrix.columns[column][1][0]) for column in builds])


def _keep_cheapest(kept: np.ndarray, builds: np.ndarray, reduced_costs: Vector, most: int) -> None:
    """Mark the builds of one host with the least reduced costs."""
    kept[builds[np.argsort(reduced_costs[builds], kind="stable")[:most]]] = True
