"""What a run prints: sentences, a live line while the solver searches, the answer."""

from __future__ import annotations

import math
import time
from types import TracebackType

from rich.console import Console
from rich.status import Status as LiveLine

from model.outcome import Progress

SECONDS_BETWEEN_LINES = 15.0


class Log:
    """Prints sentences and keeps them for the run's log.

    Parameters
    ----------
    quiet
        Print answers and errors only.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.lines: list[str] = []
        self.console = Console(highlight=False, soft_wrap=True)
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, sentence: str) -> None:
        """Print a step of the run."""
        self.lines.append(sentence)
        if not self.quiet:
            self.console.print(sentence, markup=False)

    def answer(self, sentence: str) -> None:
        """Print what the planner asked for, quiet or not."""
        self.lines.append(sentence)
        self.console.print(sentence, markup=False)

    def error(self, sentence: str) -> None:
        """Print what stops the run."""
        self.lines.append(sentence)
        self._errors.print(sentence, markup=False)


def search_sentence(progress: Progress) -> str:
    """Return where a search stands, in plain words."""
    best, bound = progress.incumbent, progress.bound
    known = math.isfinite(bound)
    if not math.isfinite(best):
        least = f"none can cost less than {bound:,.1f} MUSD" if known else "looking for a first one"
        return f"Searching for {progress.seconds:.0f} s: no plan yet; {least}"
    found = f"the best plan so far costs {best:,.1f} MUSD"
    if not (known and math.isfinite(progress.gap)):
        return f"Searching for {progress.seconds:.0f} s: {found}; how much better one can be is not known yet"
    share = f" ({progress.gap / abs(best):.2%})" if best else ""
    return f"Searching for {progress.seconds:.0f} s: {found}; a better one can save {progress.gap:,.1f} MUSD{share} at most"


class SearchDisplay:
    """A live line on a terminal; a line now and then where there is none."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._live: LiveLine | None = None
        self._last = time.monotonic()

    def __enter__(self) -> SearchDisplay:
        if self.log.console.is_terminal and not self.log.quiet:
            self._live = self.log.console.status("Setting up the search")
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, progress: Progress) -> None:
        """Show where the search stands."""
        sentence = search_sentence(progress)
        if self._live is not None:
            self._live.update(f"{sentence}   (Ctrl-C stops with the best plan)")
        elif time.monotonic() - self._last > SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            self.log.say(sentence)
