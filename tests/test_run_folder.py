"""A run's workbook grows in place: each state is whole, and one that a program holds is left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from model.run_folder import newest, rewritten_whole


def rewrite(folder: Path, text: str) -> None:
    with rewritten_whole(folder) as partial:
        (partial / "solution.xlsx").write_text(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "run"
    found.mkdir()
    (found / "solution.xlsx").write_text("plan")
    (found / "notes.txt").write_text("a planner's own")
    return found


def test_a_file_takes_the_place_of_its_earlier_state(folder):
    rewrite(folder, "plan and study")
    assert {file.name: file.read_text() for file in folder.iterdir()} == {
        "solution.xlsx": "plan and study",
        "notes.txt": "a planner's own",
    }
    assert newest(folder / "solution.xlsx") == folder / "solution.xlsx"
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


def test_a_file_that_fails_half_way_leaves_the_earlier_state(folder, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        rewrite(folder, "half")
    assert (folder / "solution.xlsx").read_text() == "plan"
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


def test_a_file_that_is_held_keeps_its_state_and_the_new_one_stands_beside_it(folder, monkeypatch):
    def held(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", held)
    for number, text in enumerate(("one study", "two studies"), 2):
        rewrite(folder, text)
        os.utime(folder / f"solution-{number}.xlsx", (number + 2e9, number + 2e9))  # clocks of files are coarse
        assert newest(folder / "solution.xlsx").name == f"solution-{number}.xlsx"
        assert newest(folder / "solution.xlsx").read_text() == text
    assert (folder / "solution.xlsx").read_text() == "plan"
