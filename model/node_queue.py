"""The parts of the plans that wait to be searched: one to go on with, the others by their bound."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from model.node import Node


class NodeQueue:
    """Parts that wait.

    Parameters
    ----------
    nodes
        To begin with.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.order = itertools.count()
        self.heap: list[tuple[float, int, Node]] = []
        self.dive: Node | None = None
        for node in nodes:
            self.push(node)

    def push(self, node: Node) -> None:
        """Add a part."""
        heapq.heappush(self.heap, (node.bound, next(self.order), node))

    def pop(self, cutoff: float) -> Node | None:
        """Return the part to search next: the one to go on with, else that with the least bound, if it is below the cutoff."""
        if self.dive is not None:
            node, self.dive = self.dive, None
            return node
        while self.heap:
            node = heapq.heappop(self.heap)[2]
            if node.bound < cutoff:
                return node
        return None

    def take_half(self) -> list[Node]:
        """Give away every other part, the likeliest first, without its basis, which belongs to one linear program."""
        entries = sorted(self.heap)
        self.heap = entries[1::2]
        return [replace(node, basis=None, epoch=-1) for _, _, node in entries[::2]]

    def clear(self) -> int:
        """Drop all but the part to go on with; return how many."""
        dropped = len(self.heap)
        self.heap.clear()
        return dropped

    def __len__(self) -> int:
        return len(self.heap) + (self.dive is not None)

    def __iter__(self) -> Iterator[Node]:
        """Go through all but the part to go on with, in no order."""
        return (node for _, _, node in self.heap)

    @property
    def bound(self) -> float:
        """No plan of the parts that wait costs less; infinite if none waits."""
        bounds = [self.heap[0][0]] if self.heap else []
        return min([*bounds, self.dive.bound] if self.dive is not None else bounds, default=float("inf"))
