"""Processes that work for whoever asks, so many at once, and end with the one that they work for."""

from __future__ import annotations

import itertools
import math
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache, partial
from multiprocessing.synchronize import Semaphore
from types import TracebackType
from typing import Any, TypeVar

COMING_BACK = 0.5
"""Seconds for which a process is kept for solves as much awaited as its last, while whoever asked for that reads the answer and asks on."""

AWAITED = 1e6
"""Urgency beyond all others, of a solve for which the rest of its study waits: left to the end, it would have nothing beside it."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """Processes that do what they are asked, so many at once; studies that run at once share them.

    Parameters
    ----------
    count
        With 1 everything happens in the process that asks.
    is_shared
        Whether several ask at once: each solve then has one thread, and goes to a process even where it is the only one asked for.

    Attributes
    ----------
    stopped
        Whether they were ended before their time; nothing more is done then.
    """

    def __init__(self, count: int, is_shared: bool = False) -> None:
        self.count, self.is_shared = max(1, count), is_shared and count > 1
        self.stopped = False
        self._context = multiprocessing.get_context("spawn")
        # no Event: to set it waits for an answer of everyone who waits for it, which one that died never gives
        self._end = self._context.Semaphore(0)
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._turns = threading.Condition()
        self._free = [(-math.inf, -math.inf)] * self.count
        self._waiting: list[tuple[float, int]] = []
        self._tickets = itertools.count()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self.stop()
        if self._pool is not None:
            self._pool.shutdown()

    def stop(self) -> None:
        """End the processes, whatever they do; whoever waits for one, or asks for more, gets BrokenProcessPool."""
        self.stopped = True
        with self._turns:
            self._turns.notify_all()
        self._end.release()

    def map(self, function: Callable[[Item], Result], items: Sequence[Item], urgency: float = 0.0) -> Iterator[Result]:
        """Yield what a function makes of each item, in order; see :func:`side_by_side`."""
        if self.count <= 1 or (len(items) <= 1 and not self.is_shared):
            yield from map(function, items)
            return
        text, begun = pickle.dumps(function), 0
        running: dict[Future[Result], int] = {}
        ended: dict[int, Future[Result]] = {}
        given_up = False

        def goes_on() -> bool:
            """Whether more is asked as soon as the answer at hand is read: not where others of the batch are still awaited."""
            return not given_up and all(future.done() for future in list(running))

        try:
            for told, item in enumerate(items):
                while told not in ended:
                    # beside its own kind an item comes after those that have nothing running
                    wish = urgency - AWAITED if running else urgency
                    if begun < len(items) and len(running) < self.count and self._takes_turn(wish, running):
                        future = self._submit(text, items[begun], urgency)
                        running[future] = begun
                        begun += 1
                        future.add_done_callback(partial(self._give_back, urgency, goes_on))
                        continue
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        ended[running.pop(future)] = future
                try:
                    result = ended.pop(told).result()
                except BrokenProcessPool:  # a process died: this item's or another's
                    result = self._alone(text, item)
                yield result
        except BaseException as end:
            given_up = True
            if isinstance(end, KeyboardInterrupt):
                self.stop()
            raise
        finally:
            for future in running:
                future.cancel()

    def _new_pool(self, count: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(count, self._context, _begin, (self._end,))

    def _takes_turn(self, urgency: float, running: Collection[Future[Any]]) -> bool:
        """Wait until a process is free and nobody more urgent wants it, and take it; false as soon as one of those that run has ended."""
        ticket = (-urgency, next(self._tickets))
        with self._turns:
            self._waiting.append(ticket)
            try:
                while not any(future.done() for future in running):
                    self.refuse_if_stopped()
                    if ticket == min(self._waiting):
                        now = time.monotonic()
                        waits = [0.0 if last <= urgency else at + COMING_BACK - now for at, last in self._free]
                        if ready := [number for number, left in enumerate(waits) if left <= 0.0]:
                            # its own first, which nobody else may have yet
                            del self._free[max(ready, key=lambda number: self._free[number][1])]
                            return True
                        self._turns.wait(min(waits, default=None))
                    else:
                        self._turns.wait()
                return False
            finally:
                self._waiting.remove(ticket)
                self._turns.notify_all()

    def _give_back(self, urgency: float, goes_on: Callable[[], bool], _: Future[Any] | None = None) -> None:
        """Let the next one have a process; for a moment only those as much awaited as the one that had it, where that one goes on."""
        # what follows is a little less urgent mostly, as less of its way is left, and is not to wait for itself
        least = AWAITED * math.floor(urgency / AWAITED)
        with self._turns:
            self._free.append((time.monotonic(), least if goes_on() else -math.inf))
            self._turns.notify_all()

    def _submit(self, text: bytes, item: Any, urgency: float) -> Future[Any]:
        """Hand an item to a process, after a turn was taken."""
        try:
            with self._lock:
                self.refuse_if_stopped()
                try:
                    self._pool = self._pool or self._new_pool(self.count)
                    future = self._pool.submit(_do, text, item)
                except BrokenProcessPool:
                    self._pool = self._new_pool(self.count)
                    future = self._pool.submit(_do, text, item)
        except BaseException:
            self._give_back(urgency, lambda: False)
            raise
        return future

    def _alone(self, text: bytes, item: Any) -> Any:
        """Return the answer to an item that was lost, from a process that can take no other one down."""
        self.refuse_if_stopped()
        with self._new_pool(1) as pool:
            try:
                return pool.submit(_do, text, item).result()
            except KeyboardInterrupt:
                self.stop()
                raise

    def refuse_if_stopped(self) -> None:
        """Raise BrokenProcessPool where the processes were ended, for work that goes on for long without asking them."""
        if self.stopped:
            raise BrokenProcessPool("stopped by hand")


def count_of(workers: int | Workers) -> int:
    """Return how many solves may run at once."""
    return workers.count if isinstance(workers, Workers) else workers


def is_shared(workers: int | Workers) -> bool:
    """Return whether others may be at work in the same processes."""
    return isinstance(workers, Workers) and workers.is_shared


_computing = False
_at_work = threading.Lock()
"""Held while that is read and acted on, or changed."""


def _begin(end: Semaphore) -> None:
    """Leave Ctrl-C to the process that this one works for, and end with it or when it says so.

    One that is killed tells nobody, and a solve takes up to a quarter of an hour.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_parent, daemon=True).start()
    threading.Thread(target=_wait_for_end, args=(end,), daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _wait_for_end(end: Semaphore) -> None:
    end.acquire()
    end.release()  # for the next one
    while True:
        with _at_work:
            # half an answer would leave the other side waiting for the rest
            if _computing:
                os._exit(1)
        time.sleep(0.02)


def _set_computing(whether: bool) -> None:
    global _computing
    with _at_work:
        _computing = whether


@lru_cache(maxsize=4)
def _function_of(text: bytes) -> Callable[[Any], Any]:
    """Return a function from its pickle: it holds tables and bases, and is the same for all items of a batch."""
    return pickle.loads(text)


def _do(text: bytes, item: Any) -> Any:
    _set_computing(True)
    try:
        return _function_of(text)(item)
    finally:
        _set_computing(False)


def side_by_side(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int | Workers = 2, urgency: float = 0.0
) -> Iterator[Result]:
    """Yield what a function makes of each item, in order, so many at once, each in a process of its own.

    Parameters
    ----------
    function
        Of a module, or a ``partial`` of one.
    items
        Independent of each other.
    workers
        How many, or processes that are there; with 1, or a single item that nobody else waits for, everything happens in this process.
    urgency
        Where others share the processes, whoever has the highest gets the next one that is free, then whoever asked first.
    """
    if isinstance(workers, Workers):
        yield from workers.map(function, items, urgency)
        return
    with Workers(workers) as own:
        yield from own.map(function, items)


def as_they_end(
    function: Callable[[Item, Workers], Result], items: Sequence[Item], workers: Workers, at_once: int
) -> Iterator[tuple[Item, Result]]:
    """Yield what a function makes of each item as soon as that is known; what several of them solve at once, they solve in the same processes.

    An error is raised when those that have begun have ended: the processes are not theirs alone to stop.

    Parameters
    ----------
    function
        Makes solves that wait for each other, in the processes that it is given.
    items
        Independent of each other.
    workers
        Shared; with one only, the items are done in order in this process.
    at_once
        Items that are begun before others have ended; each has a thread of its own.
    """
    if workers.count <= 1 or len(items) <= 1:
        for item in items:
            yield item, function(item, workers)
        return
    with ThreadPoolExecutor(at_once) as threads:
        asked = {threads.submit(function, item, workers): item for item in items}
        try:
            for future in as_completed(asked):
                yield asked[future], future.result()
        except (KeyboardInterrupt, GeneratorExit):
            workers.stop()
            raise
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def do_as_wanted(
    wanted: Callable[[Collection[Item]], Iterable[Item]],
    function: Callable[[Item], Result],
    tell: Callable[[Item, Result], None],
    workers: Workers,
    at_once: int,
) -> None:
    """Do what is wanted as soon as it is, until nothing is wanted or under way.

    An error is raised when those that have begun have ended; a stop by hand ends the processes.

    Parameters
    ----------
    wanted
        Told what is under way, says what to begin beside it; asked first, and again after results were told.
    function
        Has its work done in the processes; called from threads.
    tell
        Given each item with what became of it as it ends.
    workers
        With one only, a single item is done at a time, in this process.
    at_once
        Most items that may be under way; those beyond wait, however urgent.
    """
    if workers.count <= 1:
        while first := list(wanted(()))[:1]:
            tell(first[0], function(first[0]))
        return
    with ThreadPoolExecutor(at_once) as threads:
        under_way: dict[Future[Result], Item] = {}
        try:
            while True:
                for item in list(wanted(tuple(under_way.values()))):
                    under_way[threads.submit(function, item)] = item
                if not under_way:
                    return
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    tell(under_way.pop(future), future.result())
        except KeyboardInterrupt:
            workers.stop()
            raise
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
