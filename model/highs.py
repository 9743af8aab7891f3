"""HiGHS itself: a matrix handed over whole, and a run that a deadline or Ctrl-C can stop."""

from __future__ import annotations

import threading
import time

import highspy
import numpy as np

from model.matrix import Matrix
from model.outcome import Progress, ProgressFunction, SolveOptions

FINAL_SECONDS = 600.0
"""The plants are known and only a linear program is left: seconds on the largest books, but never for ever."""

REPORT_INTERVAL = 0.25
"""Seconds between two reports of progress, at least."""


SOLVED = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty)
"""A model without rows and columns, as from a book without demand, is solved by doing nothing."""


def _refuse_what_is_no_number(matrix: Matrix) -> None:
    """Raise ValueError that names a column or row with a figure that is no number; HiGHS would take it."""
    of_entry = np.repeat(np.arange(len(matrix.cost)), np.diff(matrix.a.indptr))
    of_column = ~np.isfinite(matrix.cost) | np.isnan(matrix.lower) | np.isnan(matrix.upper)
    columns = np.concatenate([np.flatnonzero(of_column), of_entry[~np.isfinite(matrix.a.data)]])
    rows = np.flatnonzero(np.isnan(matrix.row_lower) | np.isnan(matrix.row_upper))
    for names, bad in ((matrix.columns, columns), (matrix.rows, rows)):
        if bad.size:
            component, index = names[bad[0]]
            raise ValueError(f"a figure of {component}[{index}] is not a number")


def load(matrix: Matrix, options: SolveOptions, threads: int | None = None) -> highspy.Highs:
    """Return a silent HiGHS instance that holds the matrix; ValueError for figures that are no numbers."""
    _refuse_what_is_no_number(matrix)
    if threads is None:
        highspy.Highs.resetGlobalScheduler(True)  # the thread count is otherwise fixed by a process's first solve
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", options.threads if threads is None else threads)
    highs.setOptionValue("random_seed", options.seed)
    a = matrix.a
    # whole arrays: the fields of a model would be copied number by number, which takes ten times as long
    state = highs.passModel(
        len(matrix.cost), len(matrix.row_lower), a.nnz, int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize), matrix.offset,
        matrix.cost, matrix.lower, matrix.upper, matrix.row_lower, matrix.row_upper, a.indptr, a.indices, a.data,
        matrix.integer.astype(np.int32),
    )  # fmt: skip
    if state == highspy.HighsStatus.kError:
        raise ValueError("HiGHS refused the model")
    return highs


class _Watch:
    """Reports progress and stops the solver on a deadline, on Ctrl-C or when the report fails."""

    def __init__(self, highs: highspy.Highs, deadline: float, progress: ProgressFunction | None) -> None:
        self.deadline, self.progress, self.stop = deadline, progress, threading.Event()
        self.started = time.monotonic()
        self.next_report = self.started
        self.failure: Exception | None = None
        kinds = highspy.cb.HighsCallbackType
        self._watched = [(highs.callbacks[int(kinds.kCallbackMipInterrupt)], self._search)]
        for kind in (kinds.kCallbackSimplexInterrupt, kinds.kCallbackIpmInterrupt):
            self._watched.append((highs.callbacks[int(kind)], self._interrupt))
        for events, answer in self._watched:
            events.subscribe(answer)

    def end(self) -> None:
        """Stop watching: a later run of the same instance has a deadline of its own."""
        for events, answer in self._watched:
            events.unsubscribe(answer)

    def _interrupt(self, event: highspy.highs.HighsCallbackEvent) -> None:
        if self.stop.is_set() or time.monotonic() > self.deadline:
            event.interrupt()

    def _search(self, event: highspy.highs.HighsCallbackEvent) -> None:
        # a silent HiGHS fires no logging event, so the state is read where the search may be stopped
        now = time.monotonic()
        if self.progress is not None and now >= self.next_report:
            self.next_report = now + REPORT_INTERVAL
            out = event.data_out
            try:
                self.progress(Progress(now - self.started, out.mip_primal_bound, out.mip_dual_bound, int(out.mip_node_count)))
            except Exception as failure:  # raised again by run_watched: an exception must not unwind the solver's own frames
                self.failure, self.progress = failure, None
                self.stop.set()
        self._interrupt(event)


def run_watched(highs: highspy.Highs, seconds: float, progress: ProgressFunction | None = None) -> bool:
    """Run HiGHS in a thread of its own so that Ctrl-C and the deadline reach it.

    Returns
    -------
    bool
        True if the user interrupted the run.

    Raises
    ------
    Exception
        Whatever `progress` raised, once the solver has stopped.
    """
    watch = _Watch(highs, time.monotonic() + seconds, progress)
    highs.setOptionValue("time_limit", float(highs.getRunTime() + seconds))
    done = threading.Event()

    def run() -> None:
        try:
            highs.run()
        finally:
            done.set()

    threading.Thread(target=run, daemon=True).start()
    interrupted = False
    while True:
        try:
            # an event of our own: Thread.join, once interrupted, takes a running thread for a finished one
            while not done.wait(0.1):
                pass
        except KeyboardInterrupt:
            interrupted = True
            watch.stop.set()
            continue
        watch.end()
        if watch.failure is not None:
            raise watch.failure
        return interrupted
