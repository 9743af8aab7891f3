"""What every study is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from model.outcome import SolveOptions
from model.planner import Plan
from model.result_schema import ResultColumn
from model.tables import Tables
from model.workers import Workers

Say = Callable[[str], None]


@dataclass(frozen=True)
class StudySheet:
    """A sheet that a study adds to the solution workbook.

    Parameters
    ----------
    name
        Tab, at most 31 characters.
    caption
        What it shows, in plain words.
    tables
        (title, columns, frame); shown one below the other.
    sentences
        What the tables say, in words, at the top of the sheet.
    headlines
        At most three sentences for the first page of the workbook.
    """

    name: str
    caption: str
    tables: Sequence[tuple[str, Sequence[ResultColumn], pd.DataFrame]]
    sentences: Sequence[str] = field(default=())
    headlines: Sequence[str] = field(default=())


@dataclass(frozen=True)
class StudyContext:
    """What a study may ask of a run.

    Parameters
    ----------
    tables
        Validated inputs, scenario changes applied.
    plan
        The run's own verified plan.
    options
        Solver options of the run.
    workers
        Solves that may run at once, or the processes in which they do.
    say
        Called with a sentence of progress.
    """

    tables: Tables
    plan: Plan
    options: SolveOptions
    workers: int | Workers
    say: Say

    def refuse_if_stopped(self) -> None:
        """Raise BrokenProcessPool where the run was stopped by hand: for work of a study's own, which Ctrl-C does not reach."""
        if isinstance(self.workers, Workers):
            self.workers.refuse_if_stopped()


Study = Callable[[StudyContext], Sequence[StudySheet]]
"""Runs a study; an empty result means that there was nothing to study, and `say` has told why."""
