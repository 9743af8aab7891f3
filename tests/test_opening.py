"""Starters and `--open`: the result is shown without a typed command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model import opening

STARTER = Path(__file__).parents[1] / "inputs" / "plan_macos.command"


def test_the_computers_own_program_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(opening.subprocess, "Popen", lambda words, **_: asked.append(words))
    for platform, opener in (("darwin", "open"), ("linux", "xdg-open")):
        monkeypatch.setattr(opening.sys, "platform", platform)
        assert opening.open_workbook(tmp_path / "solution.xlsx")
        assert asked[-1] == [opener, str(tmp_path / "solution.xlsx")]


def test_a_computer_without_such_a_program_is_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(opening.subprocess, "Popen", missing)
    monkeypatch.setattr(opening.sys, "platform", "linux")
    assert not opening.open_workbook(tmp_path / "solution.xlsx")


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
def test_the_starter_finds_the_project_and_passes_the_book_on(tmp_path: Path) -> None:
    assert os.access(STARTER, os.X_OK)
    project = tmp_path / "my project"
    (project / "inputs").mkdir(parents=True)
    shutil.copy(STARTER, project / "inputs")
    (project / "run.py").write_text("import sys; print(sys.argv[1:]); sys.exit(3)")
    book = tmp_path / "a book.xlsx"
    home = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    (tmp_path / "python3").symlink_to(sys.executable)
    for words, passed in (([], "['--open']"), ([str(book)], f"['{book}', '--open']"), (["a book.xlsx"], f"['{book}', '--open']")):
        starter = project / "inputs" / STARTER.name
        done = subprocess.run(["sh", starter, *words], capture_output=True, text=True, input="\n", cwd=tmp_path, env=home)
        assert passed in done.stdout
        assert done.returncode == 3
