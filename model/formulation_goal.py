"""Goal: host sets that are excluded, and objectives other than least cost."""

from __future__ import annotations

import pyomo.environ as pyo

from model.goal import Goal
from model.groups import Groups
from model.problem import Problem


def add_goal(m: pyo.ConcreteModel, problem: Problem, groups: Groups, goal: Goal) -> None:
    """Add what a goal asks beyond least cost; nothing for least cost itself."""
