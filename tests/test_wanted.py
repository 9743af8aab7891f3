"""What becomes wanted while other things are under way: when it is done, in which thread, and what a failure or a stop ends."""

from __future__ import annotations

import threading

import pytest

from model.workers import Workers, do_as_wanted
from tests.test_workers import PATIENCE, wait_a_little


def test_what_is_wanted_is_done_as_soon_as_it_is(shared):
    """The second half of a pair waits for its first alone, not for what else is under way."""
    gate, begun = threading.Event(), []
    told: list[list[str]] = []
    ended: list[str] = []

    def do(item: str) -> str:
        begun.append(item)
        if item == "slow":
            assert gate.wait(PATIENCE)
        return item.upper()

    def wanted(under_way) -> list[str]:
        told.append(sorted(under_way))
        if not begun:
            return ["slow", "first"]
        return ["second"] if ended == ["first"] and "second" not in under_way else []

    def tell(item: str, result: str) -> None:
        assert result == item.upper()
        ended.append(item)
        if item == "second":
            gate.set()

    do_as_wanted(wanted, do, tell, shared, at_once=4)
    assert ended == ["first", "second", "slow"]
    assert told == [[], ["slow"], ["slow"], []]


def test_with_one_process_one_wanted_item_is_done_at_a_time_in_this_thread():
    threads, left, done = set(), [3, 2, 1], []

    def do(item: int) -> int:
        threads.add(threading.get_ident())
        return item

    def tell(item: int, _: int) -> None:
        done.append(item)
        left.remove(item)

    do_as_wanted(lambda under_way: [] if under_way else list(left), do, tell, Workers(1), at_once=4)
    assert done == [3, 2, 1]
    assert threads == {threading.get_ident()}


def test_what_fails_is_raised_and_the_processes_go_on(shared):
    def fail(item: int) -> int:
        raise ValueError(item)

    with pytest.raises(ValueError, match="7"):
        do_as_wanted(lambda under_way: [] if under_way else [7], fail, lambda *_: None, shared, at_once=2)
    assert not shared.stopped


def test_a_stop_by_hand_between_two_results_ends_the_processes():
    def interrupt(item: int, result: int) -> None:
        raise KeyboardInterrupt

    with Workers(2, is_shared=True) as workers:
        with pytest.raises(KeyboardInterrupt):
            do_as_wanted(lambda under_way: [] if under_way else [1, 2], wait_a_little, interrupt, workers, at_once=2)
        assert workers.stopped
