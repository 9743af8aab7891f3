"""LibreOffice: how the tests open a file in it and save it again."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest


def office() -> str:
    """Return the program, or skip the test where it is not installed."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    if found is None:
        pytest.skip("LibreOffice is not installed")
    return found


def convert_all(paths: Sequence[Path], folder: Path, kind: str = "xlsx") -> list[Path]:
    """Open files in LibreOffice and save each in a folder, as another kind of file where asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    home = f"-env:UserInstallation={(folder / 'profile').resolve().as_uri()}"
    subprocess.run(
        [office(), home, "--headless", "--convert-to", kind, "--outdir", folder, *paths], check=True, capture_output=True, timeout=300
    )
    saved = [folder / f"{path.stem}.{kind}" for path in paths]
    assert [path for path in saved if not path.exists()] == [], "LibreOffice did not save them"
    return saved


def convert(path: Path, folder: Path, kind: str = "xlsx") -> Path:
    """Open a file in LibreOffice and save it in a folder, as another kind of file where asked for."""
    (saved,) = convert_all([path], folder, kind)
    return saved
