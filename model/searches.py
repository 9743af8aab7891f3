"""Several searches side by side: what each does before they tell each other, and how they share what waits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from typing import ParamSpec, TypeVar

from model.node import Incumbent
from model.outcome import Progress, ProgressFunction, SolveOptions
from model.search_state import TOO_FAR, Clock, SearchState
from model.tree import Tree

Given = ParamSpec("Given")
Told = TypeVar("Told")

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


class Searches:
    """Runs the steps of a solve in threads, so that Ctrl-C reaches the one that waits for them.

    Parameters
    ----------
    clock
        Whose signal the steps watch.
    pool
        A thread for each search.
    progress
        Called with the state of the search.
    """

    def __init__(self, clock: Clock, pool: Executor, progress: ProgressFunction | None = None) -> None:
        self.clock, self.pool, self.progress = clock, pool, progress
        self.interrupted = False

    def ask(self, step: Callable[Given, Told], *given: Given.args, **named: Given.kwargs) -> Told:
        """Return what one step returns."""
        return self._wait([self.pool.submit(step, *given, **named)])[0]

    def run(
        self, trees: Sequence[Tree], state: SearchState, options: SolveOptions, searchers: int, most: float = math.inf,
        patience: float = math.inf, whole_search: bool = False, until_better: bool = False,
    ) -> list[Tree]:  # fmt: skip
        """Search until nothing waits or the signal is raised.

        Parameters
        ----------
        trees
            What waits; the first may get twins.
        state
            Told of every better plan.
        options
            Their gap says which plans are better.
        searchers
            Searches side by side, at most.
        most
            Nodes of all searches after which to stop.
        patience
            Nodes since the last better plan after which to stop, if that is not far from its bound.
        whole_search
            Whether all that is worth looking for waits in these trees: their bound is then one of the whole model.
        until_better
            Whether to stop at a better plan.

        Returns
        -------
        list[Tree]
            The searches, with what still waits.
        """
        trees = list(trees)
        best_at, best_cost = math.inf, state.cutoff
        while any(len(tree.queue) for tree in trees) and not self.clock.stop.raised and sum(tree.nodes for tree in trees) < most:
            if len(trees) < searchers and len(trees[0].queue) > searchers:
                trees += self._wait([self.pool.submit(trees[0].twin) for _ in range(searchers - 1)])
                trees[0].told()
            share(trees)
            cutoff = state.prune_at(options)
            before = sum(tree.nodes for tree in trees)
            for plan in (plan for plans in self._wait([self.pool.submit(look, tree, cutoff, options) for tree in trees]) for plan in plans):
                state.take(plan)
            done = sum(tree.nodes for tree in trees)
            state.nodes += done - before
            if state.cutoff < best_cost:
                best_at, best_cost = done, state.cutoff
            if done - best_at > patience and state.is_within(TOO_FAR):
                break
            if whole_search:
                open_bound = min((tree.bound for tree in trees), default=math.inf)
                state.bound = max(state.bound, min(open_bound, state.prune_at(options)))
            self.report(state)
            if until_better and best_at < math.inf:
                break
        return trees

    def report(self, state: SearchState) -> None:
        """Tell what is known by now."""
        if self.progress is not None:
            incumbent = state.best.objective if state.best is not None else math.inf
            self.progress(Progress(self.clock.seconds, incumbent, min(state.bound, incumbent), state.nodes))

    def _wait(self, futures: list[Future[Told]]) -> list[Told]:
        """Wait for steps; Ctrl-C asks them to stop and waits for that."""
        while True:
            try:
                while wait(futures, timeout=0.1).not_done:
                    pass
                return [future.result() for future in futures]
            except KeyboardInterrupt:
                self.interrupted = True
                self.clock.stop.raise_by_hand()
