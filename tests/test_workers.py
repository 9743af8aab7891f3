"""Processes that are shared: who gets the next one, what a stop ends, and what one that dies leaves to others."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import pytest

from model import workers as workers_room
from model.workers import AWAITED, Workers, as_they_end, side_by_side


def process_of(_: object) -> int:
    return os.getpid()


def end_this_process(_: object) -> None:
    os._exit(1)


def wait_a_little(item: int) -> int:
    time.sleep(0.05)
    return item


def test_a_lone_question_goes_to_a_process_only_where_these_are_shared(shared):
    own = os.getpid()
    assert list(side_by_side(process_of, ["lone"], shared)) != [own]
    assert list(side_by_side(process_of, ["lone"], 2)) == [own]
    assert list(side_by_side(process_of, ["one", "two"], Workers(1, is_shared=True))) == [own, own]


def test_what_is_asked_for_alone_does_not_wait_for_a_long_batch(shared):
    def ask(items: range, workers: Workers) -> list[int]:
        return list(side_by_side(wait_a_little, items, workers))

    ended = list(as_they_end(ask, (range(20), range(1)), shared, at_once=2))
    assert ended == [(range(1), [0]), (range(20), list(range(20)))]


def note_once_told(paths: tuple[str, str]) -> None:
    """Wait for a file, then add its name to another."""
    told, notes = paths
    while not os.path.exists(told):
        time.sleep(0.01)
    with open(notes, "a") as file:
        file.write(os.path.basename(told))


PATIENCE = 30.0
"""Seconds after which a test that waits has failed."""


class Notes:
    """Files that hold items back, a file in which they note that they were done, and threads that ask for them."""

    def __init__(self, folder: Path, workers: Workers) -> None:
        self.folder, self.workers, self.threads = folder, workers, {}

    def ask(self, urgency: float, *batches: list[str]) -> None:
        """Ask for batches, one after the other, in a thread named after its first item."""

        def run() -> None:
            for number, names in enumerate(batches):
                time.sleep(0.3 * (number > 0))  # reading an answer takes a moment
                list(side_by_side(note_once_told, [(str(self.folder / name), self.path) for name in names], self.workers, urgency))

        thread = self.threads[batches[0][0]] = threading.Thread(target=run)
        thread.start()

    def until_waiting(self, number: int, free: int = 0) -> None:
        """Wait until so many processes are free and so many askers wait for one."""
        end = time.monotonic() + PATIENCE
        while len(self.workers._waiting) != number or len(self.workers._free) != free:
            assert time.monotonic() < end
            time.sleep(0.01)

    def tell(self, *names: str) -> None:
        for name in names:
            (self.folder / name).touch()

    def join(self, *names: str) -> None:
        for name in names:
            self.threads[name].join(PATIENCE)
            assert not self.threads[name].is_alive()

    @property
    def path(self) -> str:
        return str(self.folder / "notes")

    def read(self) -> str:
        return Path(self.path).read_text()


@pytest.fixture
def notes(tmp_path) -> Iterator[Notes]:
    with Workers(2, is_shared=True) as workers:
        found = Notes(tmp_path, workers)
        yield found
        if any(thread.is_alive() for thread in found.threads.values()):
            workers.stop()


def test_the_most_urgent_gets_the_next_process_that_is_free(notes):
    notes.ask(0.0, ["a", "b"])
    notes.until_waiting(0)
    notes.tell("0", "1", "2")
    for number, (name, urgency) in enumerate((("0", 0.0), ("1", 1.0), ("2", 2.0)), 1):
        notes.ask(urgency, [name])
        notes.until_waiting(number)
    notes.tell("a")
    notes.join("0", "1", "2")
    notes.tell("b")
    notes.join("a")
    assert notes.read() == "a210b"
    notes.until_waiting(0, free=2)


def test_a_process_is_kept_for_the_urgent_one_that_reads_its_answer_and_asks_on(notes, monkeypatch):
    monkeypatch.setattr(workers_room, "COMING_BACK", 60.0)
    notes.ask(0.0, ["a", "b"])
    notes.until_waiting(0)
    notes.tell("1", "2", "3", "0")
    notes.ask(AWAITED, ["1"], ["2"], ["3"])
    notes.until_waiting(1)
    notes.ask(0.0, ["0"])
    notes.until_waiting(2)
    notes.tell("a")
    notes.join("1")
    assert notes.read() == "a123"
    monkeypatch.setattr(workers_room, "COMING_BACK", 0.0)
    with notes.workers._turns:
        notes.workers._turns.notify_all()
    notes.join("0")
    notes.tell("b")
    notes.join("a")
    assert notes.read() == "a1230b"


def test_what_follows_a_solve_does_not_wait_for_itself_where_it_is_a_little_less_urgent(notes, monkeypatch):
    monkeypatch.setattr(workers_room, "COMING_BACK", 60.0)
    workers = notes.workers
    assert all(workers._takes_turn(AWAITED + 5.0, []) for _ in range(2))
    workers._give_back(AWAITED + 5.0, lambda: True)
    following: list[bool] = []
    notes.threads["next"] = threading.Thread(target=lambda: following.append(workers._takes_turn(AWAITED + 1.0, [])), daemon=True)
    notes.threads["next"].start()
    notes.join("next")
    assert following == [True]
    workers._give_back(AWAITED + 1.0, lambda: True)
    less, ended = Future[None](), []
    notes.threads["less"] = threading.Thread(target=lambda: ended.append(workers._takes_turn(AWAITED - 1.0, [less])), daemon=True)
    notes.threads["less"].start()
    notes.until_waiting(1, free=1)
    less.set_result(None)
    with workers._turns:
        workers._turns.notify_all()
    notes.join("less")
    assert ended == [False], "kept from it, it gave up when what it ran had ended"


def test_a_process_is_not_kept_for_one_that_still_awaits_others(notes, monkeypatch):
    monkeypatch.setattr(workers_room, "COMING_BACK", 60.0)
    notes.ask(AWAITED, ["a", "b"])
    notes.until_waiting(0)
    notes.tell("0")
    notes.ask(0.0, ["0"])
    notes.until_waiting(1)
    notes.tell("a")
    notes.join("0")
    notes.tell("b")
    notes.join("a")
    assert notes.read() == "a0b"


def test_who_has_a_process_gets_another_after_those_who_have_none(notes):
    notes.ask(0.0, ["0"])
    notes.until_waiting(0, free=1)
    notes.ask(5.0, ["a", "b"])
    notes.until_waiting(1)
    notes.ask(1.0, ["1"])
    notes.until_waiting(2)
    notes.tell("b", "1", "0")
    notes.join("0", "1")
    assert notes.read().startswith("01")
    notes.tell("a")
    notes.join("a")


def test_the_urgent_one_takes_its_own_process_and_leaves_the_other(notes):
    workers = notes.workers
    workers._free = [(-math.inf, -math.inf), (time.monotonic(), 5.0)]
    assert workers._takes_turn(5.0, [])
    assert workers._free == [(-math.inf, -math.inf)]
    assert workers._takes_turn(0.0, [])


def test_no_process_is_kept_for_one_that_gave_up(notes):
    answers = side_by_side(note_once_told, [(str(notes.folder / name), notes.path) for name in "abcd"], notes.workers, AWAITED)
    notes.tell("a")
    next(answers)
    answers.close()
    notes.tell("b")  # still at it when nobody wanted it any more
    notes.until_waiting(0, free=2)
    assert min(last for _, last in notes.workers._free) == -math.inf


def test_a_stop_returns_and_wakes_everyone_though_a_process_has_died(tmp_path):
    with Workers(2, is_shared=True) as workers:
        marker = str(tmp_path / "marker")
        assert list(side_by_side(end_this_process_once, [marker], workers)) == [marker]
        notes, ends = Notes(tmp_path, workers), []

        def ask(name: str) -> None:
            try:
                list(side_by_side(note_once_told, [(str(tmp_path / name), notes.path)], workers))
            except BrokenProcessPool:
                ends.append(name)

        for name in ("a", "b", "waits"):
            notes.threads[name] = threading.Thread(target=ask, args=(name,), daemon=True)
            notes.threads[name].start()
        notes.until_waiting(1)
        notes.threads["stop"] = threading.Thread(target=workers.stop, daemon=True)
        notes.threads["stop"].start()
        notes.join("stop", "a", "b", "waits")
    assert sorted(ends) == ["a", "b", "waits"]


def test_one_processor_does_one_thing_after_the_other():
    own: list[str] = []
    for item, _ in as_they_end(lambda item, workers: own.append(f"{item} begins"), ("first", "second"), Workers(1), at_once=2):
        own.append(f"{item} ends")
    assert own == ["first begins", "first ends", "second begins", "second ends"]


def end_this_process_once(marker: str) -> str:
    """End the process the first time that this is asked."""
    if not os.path.exists(marker):
        open(marker, "w").close()
        os._exit(1)
    return marker


def send_much(size: int) -> bytes:
    return bytes(size)


def answer_to_ctrl_c(_: object) -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_ctrl_c_is_left_to_the_process_that_asks(shared):
    """A terminal sends it to all of them; one that answered by itself would print a trace and break the pool."""
    assert list(side_by_side(answer_to_ctrl_c, [0], shared)) == [True]


def test_processes_are_replaced_where_one_dies():
    with Workers(2, is_shared=True) as workers:
        with pytest.raises(BrokenProcessPool):
            list(side_by_side(end_this_process, [0], workers))
        assert list(side_by_side(wait_a_little, [1, 2, 3], workers)) == [1, 2, 3]


def test_what_died_with_a_process_is_asked_again_and_takes_nothing_else_down(tmp_path, shared):
    def ask(item: tuple, workers: Workers) -> list:
        function, items = item
        return list(side_by_side(function, items, workers))

    marker = str(tmp_path / "marker")
    items = ((end_this_process_once, (marker,)), (wait_a_little, tuple(range(8))))
    assert dict(as_they_end(ask, items, shared, at_once=2)) == {items[0]: [marker], items[1]: list(range(8))}


def test_one_that_fails_leaves_the_others_what_they_share(shared):
    def ask(item: int, workers: Workers) -> list[int]:
        if not item:
            raise ValueError("by itself")
        return list(side_by_side(wait_a_little, range(item), workers))

    with pytest.raises(ValueError, match="by itself"):
        list(as_they_end(ask, (3, 0), shared, at_once=2))
    assert not shared.stopped
    assert list(side_by_side(wait_a_little, [1], shared)) == [1]


def test_answers_come_in_order_up_to_the_one_that_fails(shared):
    answers = side_by_side(partial(divmod, 6), [1, 2, 0, 3], shared)
    assert [next(answers), next(answers)] == [(6, 0), (3, 0)]
    with pytest.raises(ZeroDivisionError):
        next(answers)


def test_a_stop_by_hand_ends_what_waits_for_one_process():
    with Workers(2, is_shared=True) as workers:
        timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012
            timer.start()
            list(side_by_side(time.sleep, [600.0], workers))
        assert workers.stopped


@pytest.mark.parametrize("failure", [KeyboardInterrupt, GeneratorExit])
def test_a_stop_while_answers_come_in_ends_the_processes(failure):
    def ask(items: range, workers: Workers) -> list[int]:
        return list(side_by_side(wait_a_little, items, workers))

    with Workers(2, is_shared=True) as workers:
        answers = as_they_end(ask, (range(1), range(10_000)), workers, at_once=2)
        next(answers)
        with pytest.raises(failure):
            answers.throw(failure)
        assert workers.stopped
        with pytest.raises(BrokenProcessPool):
            list(side_by_side(wait_a_little, [1], workers))


def test_a_stop_never_waits_for_half_an_answer():
    """A process that is ended in the middle of a message would leave the other side waiting for the rest of it."""

    def ask(items: range, workers: Workers) -> int:
        return sum(len(answer) for answer in side_by_side(send_much, [3_000_000] * len(items), workers))

    for _ in range(3):
        with Workers(2, is_shared=True) as workers:
            answers = as_they_end(ask, (range(2), range(100_000)), workers, at_once=2)
            next(answers)
            with pytest.raises(KeyboardInterrupt):
                answers.throw(KeyboardInterrupt)
