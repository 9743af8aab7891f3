"""The command line: what `python run.py` accepts and the exit code that it returns."""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from model.book import split_codes
from model.checking import check_scenario, read_checked
from model.comparing import compare_runs
from model.console import Log, SearchDisplay
from model.opening import open_workbook
from model.outcome import SolveOptions, Status
from model.planner import Plan, options_from, solve, without_plants
from model.report import new_run_folder, print_summary, write_report
from model.report_words import ADVICE
from model.run_folder import newest
from model.run_info import describe_run, fingerprint
from model.scenarios import Change, ScenarioError, apply_scenario
from model.studies import STUDIES, find_study
from model.studies.diagnose import diagnose
from model.studies.study import StudyContext, StudySheet
from model.tables import Tables
from model.template import write_template
from model.upgrading import upgrade_from_words
from model.workers import Workers, as_they_end

PLAN_WRITTEN, INPUT_FINDINGS, NO_PLAN_EXISTS, STOPPED_WITHOUT_PLAN, VERIFICATION_FAILED = 0, 2, 3, 4, 5
DEFAULT_BOOK = Path("inputs/baseline.xlsx")
COMMANDS = ("check", "template")
Result = TypeVar("Result")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Find where joint Japan-US rare-earth refining plants should stand, at least cost, under a cap on China-sourced feedstock.",
        epilog="python run.py check BOOK: validate only.   python run.py template NEW_BOOK: write an empty workbook.   "
        "python run.py upgrade OLD_BOOK [NEW_BOOK]: bring a book up to date.   "
        "python run.py compare RUN_A RUN_B: set two finished runs side by side.",
    )
    parser.add_argument("book", nargs="?", type=Path, default=DEFAULT_BOOK, help="input workbook (default: inputs/baseline.xlsx)")
    parser.add_argument("--scenario", help="named scenario of the workbook; several joined by + are applied in order")
    parser.add_argument("--gap", help="stop when proven within this: MUSD (1) or a share of the cost (0.1%%)")
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="stop with the best plan found after this long")
    parser.add_argument("--threads", type=int, help="processor threads for the solver")
    parser.add_argument(
        "--studies", help=f"studies to run instead of those of the settings sheet, comma separated: {', '.join(STUDIES)}; all; or none"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("outputs"), help="folder in which the run's own folder is made (default: outputs)"
    )
    parser.add_argument("--mark", action="store_true", help="write the marked copy of the book for notices, too; for errors it always is")
    parser.add_argument("--open", action="store_true", help="open the result workbook when it is written")
    parser.add_argument("--quiet", action="store_true", help="print the answer and errors only")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments
        Command-line words; those of the process if left out.

    Returns
    -------
    int
        0 plan written, 2 input findings, 3 no plan exists, 4 stopped without a plan, 5 the plan failed verification.
    """
    try:
        return _dispatch(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        print("Stopped by hand before there was a plan; nothing was written.", file=sys.stderr)
        return STOPPED_WITHOUT_PLAN


def _dispatch(words: list[str]) -> int:
    if words and words[0] == "compare":
        return INPUT_FINDINGS if compare_runs(words[1:]) is None else PLAN_WRITTEN
    if words and words[0] == "upgrade":
        return PLAN_WRITTEN if upgrade_from_words(words[1:]) else INPUT_FINDINGS
    command = words.pop(0) if words and words[0] in COMMANDS else "run"
    parser = _parser()
    options = parser.parse_args(words)
    log = Log(quiet=options.quiet)
    if command == "template":
        return _template(options.book, log)
    tables = read_checked(options.book, log, options.mark)
    if tables is None:
        return INPUT_FINDINGS
    try:
        tables, changes = apply_scenario(tables, options.scenario) if options.scenario else (tables, [])
        choices = _solver_options(tables, options)
        studies = _studies(tables, options.studies)
    except (ScenarioError, ValueError) as error:
        log.error(str(error))
        return INPUT_FINDINGS
    if options.scenario and check_scenario(options.book, tables, options.scenario, log, options.mark):
        return INPUT_FINDINGS
    if command == "check":
        log.answer(f"{options.book}: no errors{f' in scenario {options.scenario}' if options.scenario else ''}.")
        return PLAN_WRITTEN
    return _run(tables, changes, options, choices, studies, log)


def _template(path: Path, log: Log) -> int:
    try:
        write_template(path)
    except (FileExistsError, ValueError) as error:
        log.error(str(error))
        return INPUT_FINDINGS
    except OSError as error:
        log.error(f"{path} cannot be written: {error.strerror}. Choose another place.")
        return INPUT_FINDINGS
    log.answer(f"Empty workbook written: {path}")
    return PLAN_WRITTEN


def _solver_options(tables: Tables, options: argparse.Namespace) -> SolveOptions:
    choices = options_from(tables)
    if options.gap is not None:
        text = options.gap.strip()
        try:
            figure = float(text.rstrip("%"))
        except ValueError:
            raise ValueError(f"--gap {options.gap}: write MUSD, such as 1, or a share of the cost, such as 0.1%") from None
        if not (math.isfinite(figure) and figure >= 0):
            raise ValueError(f"--gap {options.gap}: write a number from 0")
        percent = text.endswith("%")
        choices = replace(choices, absolute_gap=0.0 if percent else figure, relative_gap=figure / 100 if percent else 0.0)
    if options.time_limit is not None:
        if not (math.isfinite(options.time_limit) and options.time_limit > 0):
            raise ValueError(f"--time-limit {options.time_limit}: write a number of seconds above 0")
        choices = replace(choices, time_limit=options.time_limit)
    if options.threads is not None:
        if options.threads < 1:
            raise ValueError(f"--threads {options.threads}: write a whole number from 1")
        choices = replace(choices, threads=options.threads)
    return choices


def _studies(tables: Tables, flag: str | None) -> tuple[str, ...]:
    text = str(tables.settings["studies"]) if flag is None else flag
    words = [word for word in split_codes(text) if word != "none"]
    names = tuple(dict.fromkeys(name for word in words for name in (STUDIES if word == "all" else [word])))
    for name in names:
        if name not in STUDIES:
            raise ValueError(f"study {name}: there is none of that name; write {', '.join(STUDIES)}, all, or none")
    return names


def _run(
    tables: Tables, changes: list[Change], options: argparse.Namespace, choices: SolveOptions, studies: Sequence[str], log: Log
) -> int:
    try:
        folder = new_run_folder(options.output, options.scenario or options.book.stem)
    except OSError as error:
        log.error(f"No folder for the result can be made in {options.output}: {error.strerror}. Choose another one with --output.")
        return INPUT_FINDINGS
    try:
        digest = fingerprint(options.book)  # a planner may go on editing while the search runs
        with SearchDisplay(log) as display:
            plan = solve(tables, choices, display.update, log.say)
        reference = _spared(partial(_reference_cost, tables, plan, choices, log), "The cost without joint plants", log)
        sheets: list[StudySheet] = []
        if plan.solution.status is Status.INFEASIBLE:
            sheets += _spared(partial(_diagnosis, tables, choices, options.scenario or "", log), "The diagnosis", log) or []
        ended: list[str] = []

        def info() -> dict[str, str | float]:
            known = describe_run(plan, options.book, options.scenario or "", changes, choices, digest)
            return {**known, "studies asked for": ", ".join(studies) or "none", "studies ended": ", ".join(ended) or "none"}

        write = partial(_write, plan, options, info, sheets, reference, changes, log)
        path = write(folder)
        if path is None:
            return INPUT_FINDINGS
        if studies and plan.solution.status.has_plan:
            log.say(f"The plan is in {path}; what the studies find is added as each of them ends")
        try:
            path = _add_studies(_studies_as_they_end(studies, tables, plan, choices, log), studies, write, path, sheets, ended, log)
        except KeyboardInterrupt:
            log.say("Stopped by hand; the plan is kept.")
            path = newest(path)
    except BaseException:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        raise
    told = [] if plan.solution.status.has_plan else [sentence for sheet in sheets for sentence in sheet.headlines]
    for line in print_summary(plan, path):
        # what was found out about this book takes the place of general advice
        for sentence in told if told and line.startswith(ADVICE) else (line,):
            log.answer(sentence)
    if options.open and not open_workbook(path):
        log.error("No program was found to open it with; open it by hand.")
    return exit_code(plan)


def _add_studies(
    found: Iterator[tuple[str, list[StudySheet]]],
    studies: Sequence[str],
    write: Callable[..., Path | None],
    path: Path,
    sheets: list[StudySheet],
    ended: list[str],
    log: Log,
) -> Path:
    """Write the workbook again whenever a study ends, its sheets in the order asked for; return where it is."""
    before = list(sheets)
    shown: dict[str, list[StudySheet]] = {}
    words: dict[str, str] = {}

    def arrange() -> None:
        sheets[:] = [*before, *(sheet for study in studies for sheet in shown.get(study, []))]
        ended[:] = [words[study] for study in studies if study in words]

    for study, own in found:
        shown[study], words[study] = own, study if own else f"{study} (nothing to show)"
        for sheet in own:
            for sentence in sheet.sentences:
                log.say(sentence)
        arrange()
        written = _spared(partial(write, path.parent, again=True), f"Writing study {study}", log)
        if written is None and own:
            # one sheet that cannot be written must not keep the others out
            shown[study], words[study] = [], f"{study} (not written)"
            arrange()
        path = written or path
    return path


def _write(
    plan: Plan,
    options: argparse.Namespace,
    info: Callable[[], dict[str, str | float]],
    sheets: Sequence[StudySheet],
    reference: float | None,
    changes: Sequence[Change],
    log: Log,
    folder: Path,
    again: bool = False,
) -> Path | None:
    """Write the result; where its folder takes no file, into the computer's folder for temporary files, so that the plan is not lost."""
    log.say("Writing the result workbook")

    def write(place: Path, again: bool) -> Path:
        return write_report(
            plan,
            place,
            info(),
            options.scenario or "",
            options.book,
            sheets,
            reference_cost=reference,
            changes=changes,
            log=log.lines,
            again=again,
        )

    try:
        return write(folder, again)
    except OSError as error:
        log.error(
            f"The result cannot be written to {folder}: {error.strerror or error}. If a program such as Excel holds a file there, close it; "
            "if the disk is full, make room; or choose another place with --output."
        )
    try:
        path = write(Path(tempfile.mkdtemp(prefix=f"{folder.name}_")), False)
    except OSError as error:
        lost = f"What the last study found is lost; the rest is in {folder}" if again else "The plan is lost"
        log.error(f"Nor can it be written to {tempfile.gettempdir()}: {error.strerror or error}. {lost}.")
        return None
    log.error(f"The plan is kept: it is written to {path.parent}. Move it from there; the computer may clear that folder.")
    return path


def _spared(work: Callable[[], Result], name: str, log: Log) -> Result | None:
    """Do what comes after the plan; if it fails or is stopped, say so and keep the plan."""
    try:
        return work()
    except KeyboardInterrupt:
        log.say(f"{name}: stopped by hand; the plan is kept.")
    except Exception as error:
        log.error(f"{name} failed and is left out; the plan is kept. {type(error).__name__}: {error}")
    return None


def _studies_as_they_end(
    studies: Sequence[str], tables: Tables, plan: Plan, choices: SolveOptions, log: Log
) -> Iterator[tuple[str, list[StudySheet]]]:
    """Run studies and yield each with its sheets, none where there was nothing to study or it failed.

    Several run side by side, as many as there are processors, and share them: what one waits for leaves room for the others.
    """
    if not plan.solution.status.has_plan:
        for study in studies:
            log.say(f"Study {study}: nothing to do without a plan.")
            yield study, []
        return
    with Workers(choices.threads, is_shared=len(studies) > 1) as workers:
        run = partial(_study, tables=tables, plan=plan, choices=choices, log=log)
        yield from as_they_end(run, studies, workers, at_once=workers.count)


def _study(name: str, workers: Workers, tables: Tables, plan: Plan, choices: SolveOptions, log: Log) -> list[StudySheet]:
    """Run a study; empty where there is nothing to study or it fails."""
    log.say(f"Study {name}: {STUDIES[name]}")
    say = (lambda sentence: log.say(f"{name}: {sentence.strip()}")) if workers.is_shared else log.say

    def found() -> list[StudySheet]:
        try:
            return list(find_study(name)(StudyContext(tables, plan, choices, workers, say)))
        except BrokenProcessPool:
            if not workers.stopped:
                raise
            return []

    return _spared(found, f"Study {name}", log) or []


def _diagnosis(tables: Tables, choices: SolveOptions, scenario: str, log: Log) -> list[StudySheet]:
    """Say what would make a plan possible."""
    return [diagnose(tables, choices, log.say, scenario).sheet]


def _reference_cost(tables: Tables, plan: Plan, choices: SolveOptions, log: Log) -> float | None:
    """Return what the markets would pay under the same rules without joint plants, MUSD; None where that is not possible."""
    if not plan.solution.status.has_plan or plan.solution.tables["builds"].empty:
        return None
    bare = solve(without_plants(tables), choices)
    if not bare.verified:
        return None
    saved = bare.solution.objective - plan.solution.objective
    log.say(f"Under the same rules without joint plants: {bare.solution.objective:,.1f} MUSD, {saved:,.1f} more")
    at_stake = bare.solution.objective - plan.solution.bound
    if math.isfinite(at_stake) and at_stake > 0:
        log.say(f"The gap is {plan.solution.gap / at_stake:.1%} of the {at_stake:,.1f} MUSD that siting can change at most")
    return bare.solution.objective


def exit_code(plan: Plan) -> int:
    """Return the exit code that tells how a run ended."""
    if plan.solution.status is Status.INFEASIBLE:
        return NO_PLAN_EXISTS
    if not plan.solution.status.has_plan:
        return STOPPED_WITHOUT_PLAN
    return PLAN_WRITTEN if plan.verification.passed else VERIFICATION_FAILED
