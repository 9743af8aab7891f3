"""Several searches side by side: what each does before they tell each other, and how they share what waits."""

from __future__ import annotations

from model.node import Incumbent
from model.outcome import SolveOptions
from model.search_state import SearchState
from model.tree import Tree

ROUND_NODES, ROUND_ITERATIONS = 16, 4000
"""Nodes, and simplex iterations, after which the searches tell each other what they found: no clock, so that runs repeat."""


def look(tree: Tree, cutoff: float, options: SolveOptions) -> list[Incumbent]:
    """Let a search look at its next parts; return the plans that it found."""
    plans: list[Incumbent] = []

    def take(plan: Incumbent) -> float:
        plans.append(plan)
        return SearchState(plan, plan.objective, 0.0).prune_at(options)

    tree.search(cutoff, ROUND_NODES, ROUND_ITERATIONS, take)
    return plans


def share(trees: list[Tree]) -> None:
    """Tell searches what the others learnt, and give parts that wait to searches that have few."""
    for tree in trees:
        tree.learn_from(trees)
    for tree in trees:
        tree.told()
    while True:
        few, many = min(trees, key=lambda tree: len(tree.queue)), max(trees, key=lambda tree: len(tree.queue))
        if len(many.queue) < 2 * len(few.queue) + 2 or not (nodes := many.queue.take_half()):
            return
        for node in nodes:
            few.queue.push(node)
