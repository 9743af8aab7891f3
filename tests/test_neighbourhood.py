"""Which plans are tried beside the best one, and which parts of the plans are searched first."""

from __future__ import annotations

import numpy as np
import pytest

from model.neighbourhood import exchanges
from model.node import Node
from model.node_queue import NodeQueue

# host, design, way, year
KEYS = np.array([
    [0, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1], [-1, -1, -1, -1],
])  # fmt: skip
STAYS, PUT_OFF, RESIZED, OTHER_WAY, ELSEWHERE, UNLIKE, NO_BUILD = range(7)


def plan(*stand: int) -> np.ndarray:
    values = np.zeros(len(KEYS))
    values[list(stand)] = 1.0
    return values


def tried(costs: list[float], stand: tuple[int, ...] = (STAYS,), room: float = 100.0, seen: set[bytes] | None = None) -> list[set[int]]:
    found = exchanges(plan(*stand), np.array(costs), KEYS, room, set() if seen is None else seen)
    return [set(np.flatnonzero(other).tolist()) for other in found]


def test_a_plant_is_left_out_moved_replaced_or_joined_by_another():
    found = tried([0.0] * 7)
    assert set() in found
    for come in (PUT_OFF, RESIZED, OTHER_WAY, ELSEWHERE, UNLIKE):
        assert {come} in found, "in its place"
        assert {STAYS, come} in found, "beside it"
    assert all(NO_BUILD not in other for other in found)
    assert {STAYS} not in found, "the plan itself"


def test_what_is_put_off_resized_or_taken_elsewhere_comes_before_what_is_only_cheap():
    found = tried([0.0, 9.0, 9.0, 1.0, 9.0, 1.0, 0.0])
    for near in (PUT_OFF, RESIZED, ELSEWHERE):
        assert found.index({near}) < found.index({UNLIKE})


def test_two_plants_may_leave_for_one():
    assert {RESIZED} in tried([0.0] * 7, stand=(STAYS, ELSEWHERE))


def test_plans_whose_reduced_costs_take_the_room_are_not_tried():
    found = tried([0.0, 9.0, 11.0, 1.0, 1.0, 1.0, 0.0], room=10.0)
    assert {PUT_OFF} in found
    assert {RESIZED} not in found


def test_builds_that_no_better_plan_can_have_are_not_tried():
    assert not any(UNLIKE in other for other in tried([0.0, 0.0, 0.0, 0.0, 0.0, np.inf, 0.0]))


def test_no_plan_is_tried_twice():
    seen: set[bytes] = set()
    first = tried([0.0] * 7, seen=seen)
    assert len(first) == len({frozenset(other) for other in first})
    assert tried([0.0] * 7, seen=seen) == []


# --- parts that wait -----------------------------------------------------------------------------------


def part(bound: float, **more: object) -> Node:
    return Node(bound, np.zeros(1), np.ones(1), **more)  # type: ignore[arg-type]


def test_the_part_to_go_on_with_comes_first_then_the_likeliest_below_the_cutoff():
    queue = NodeQueue([part(3.0), part(1.0), part(9.0)])
    queue.dive = part(5.0)
    assert len(queue) == 4
    assert queue.bound == 1.0
    assert [node.bound for node in (queue.pop(8.0), queue.pop(8.0), queue.pop(8.0)) if node is not None] == [5.0, 1.0, 3.0]
    assert queue.pop(8.0) is None
    assert queue.bound == np.inf


def test_half_of_the_parts_are_given_away_without_their_bases_and_none_is_lost():
    queue = NodeQueue([part(float(bound), epoch=4) for bound in range(5)])
    given = queue.take_half()
    assert [node.bound for node in given] == [0.0, 2.0, 4.0]
    assert {node.epoch for node in given} == {-1}
    assert sorted(node.bound for node in queue) == [1.0, 3.0]
    assert queue.bound == 1.0


def test_dropping_the_parts_that_wait_keeps_the_one_to_go_on_with():
    queue = NodeQueue([part(1.0), part(2.0)])
    queue.dive = part(7.0)
    assert queue.clear() == 2
    assert queue.bound == pytest.approx(7.0)
