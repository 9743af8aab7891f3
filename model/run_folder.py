"""A folder for each run, written under another name and given its own when whole."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path


def new_run_folder(outputs: Path, name: str) -> Path:
    """Make an empty folder for a run that no other run has: time of day and name.

    Parameters
    ----------
    outputs
        Folder of all runs; made if missing.
    name
        Scenario or book; characters that a file name cannot hold are replaced.

    Returns
    -------
    Path
        ``outputs/2026-05-01_143005_name``, with ``-2``, ``-3`` … where that is taken.
    """
    plain = re.sub(r"[^\w.+-]+", "_", name).strip("._") or "run"
    stem = f"{datetime.now():%Y-%m-%d_%H%M%S}_{plain[:60]}"
    outputs.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = outputs / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


@contextmanager
def rewritten_whole(folder: Path) -> Iterator[Path]:
    """Give a folder beside `folder` to write into, whose files then take the place of those of the same name there, each in one step.

    Parameters
    ----------
    folder
        Holds an earlier state of the same run.

    Yields
    ------
    Path
        The folder to write into; removed afterwards. A file that another program holds stays as it is, and the new one stands beside it as
        ``name-2``, ``name-3`` …
    """
    partial = _beside(folder)
    try:
        partial.mkdir()
        yield partial
        for file in sorted(partial.iterdir()):
            try:
                os.replace(file, folder / file.name)
            except PermissionError:
                os.rename(file, _free_name(folder / file.name))
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def newest(path: Path) -> Path:
    """Return the last state of a file that :func:`rewritten_whole` may have written beside itself."""
    return max([path, *path.parent.glob(f"{path.stem}-[0-9]*{path.suffix}")], key=lambda file: file.stat().st_mtime_ns)


def _free_name(path: Path) -> Path:
    names = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(name for name in names if not name.exists())


def _beside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.partial")


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Give a folder beside `folder` to write into, which takes that name when whole.

    Parameters
    ----------
    folder
        Empty or not there yet, as from :func:`new_run_folder`.

    Yields
    ------
    Path
        The folder to write into; removed, with `folder`, if what writes into it fails.

    Raises
    ------
    FileExistsError
        `folder` is not empty: nothing is ever overwritten.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: each run has a folder of its own")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = _beside(folder)
    try:
        partial.mkdir()
        yield partial
        if os.name == "nt" and folder.exists():
            folder.rmdir()  # elsewhere a folder replaces an empty one in one step
        os.rename(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
        raise
