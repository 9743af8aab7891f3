"""Studies: clients of the one solve(), each adding its sheet to the solution workbook."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from model.studies.study import Study

STUDIES: dict[str, str] = {
    "options": "know-how at home, joint plants in third countries, both or neither, side by side",
    "sectors": "who is served in order of priority, why somebody is not, and what serving strictly by priority would cost",
    "marginal": "what one unit more of each figure is worth, how far that holds, and what changes when plants may",
    "partners": "what each partner would pay alone, what acting jointly saves, who gets it, and what the partners trade",
    "leaning": "how the plan moves when the weakest inputs are moved",
    "alternatives": "the best plans with different hosts, ranked and proven in order",
    "why_not": "what a plant at each host left out would cost, what bars it, what would bring it in, and what losing a chosen host costs",
    "frontier": "what each point of cap costs, where the chosen hosts change and how far down the share can go",
    "sensitivity": "which estimates, moved through their range, change the cost and the chosen hosts",
}
"""Name of a study -> what it answers, the quick ones first; the module of the same name in this package has its `run`."""


def find_study(name: str) -> Study:
    """Return the function that runs a study, loading its module only now."""
    return cast(Study, import_module(f"model.studies.{name}").run)
