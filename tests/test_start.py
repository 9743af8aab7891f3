"""What a run loads before it does anything: large libraries only where they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def loaded(code: str, names: list[str]) -> list[str]:
    """Return which of the modules a fresh interpreter has loaded after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*[name for name in {names!r} if name in sys.modules])"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_the_command_line_loads_no_drawing_and_no_statistics():
    names = ["pandas", "scipy.sparse", "pyomo.core", "scipy.stats", "matplotlib", "pyomo.environ"]
    assert loaded("import model.command", names) == ["pandas", "scipy.sparse", "pyomo.core"]


@pytest.mark.parametrize("first", ["model.formulation", "model.map_picture", "model.matrix"])
def test_no_room_loads_statistics_or_interactive_drawing(first):
    assert loaded(f"import {first}, model.map_picture, model.matrix", ["matplotlib", "scipy.stats", "matplotlib.pyplot"]) == ["matplotlib"]
