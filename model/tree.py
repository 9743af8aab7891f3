"""Branch and bound over counts of plants, on linear programs that shrink as builds are ruled out.

HiGHS' own search branches on single builds and spends most of its work on finding out which; here the
questions of :mod:`model.branching` are asked first, of which few settle the plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from model.answers import Answers
from model.branching import SINGLE, WHOLE, Doubt, ask_about_plants, doubts_at, members_of
from model.decomposed_program import DecomposedProgram
from model.linear_program import Basis, LinearProgram, LpState, StopSignal
from model.matrix import Matrix, Row, Vector
from model.node import Count, Incumbent, Node, Place
from model.node_queue import NodeQueue
from model.outcome import SolveOptions
from model.part_program import program_of
from model.problem import Problem
from model.proofs import Proofs, proofs_of
from model.pseudo_costs import PseudoCosts
from model.reduction import Mask, Reduction, reduce_matrix
from model.reoptimization import Parted, Partition, parts_from
from model.separation import Separator

PROBES, PROBE_ITERATIONS = 4, 150
"""Questions followed before one is asked, and how far each answer is followed for that."""

CANDIDATES = 10
"""Questions compared at a node."""

COVER_ROUNDS = 1
SHRINK_AT, SMALL_PART = 0.6, 60
"""The linear program is made anew once this share of its builds is all that is left, unless that many are left."""


class SearchFailed(RuntimeError):
    """A linear program could not be solved; the caller falls back on HiGHS' own search."""


class Tree:
    """Searches the plans of a matrix that cost less than a cutoff, one node at a time.

    Parameters
    ----------
    problem
        For questions and covers.
    matrix
        The model; rows that hold for every whole plan may have been added.
    options
        Gap and seed.
    stop
        Watched between and within linear programs.
    roots
        Parts to search.
    proofs
        What another search proved, of this problem or of a neighbour.
    """

    def __init__(
        self, problem: Problem, matrix: Matrix, options: SolveOptions, stop: StopSignal, roots: Sequence[Node], proofs: Proofs | None = None
    ) -> None:
        self.problem, self.matrix, self.options, self.stop, self.known = problem, matrix, options, stop, proofs
        self.whole = np.flatnonzero(matrix.integer)
        self.place = np.full(len(matrix.cost), -1, dtype=np.intp)
        self.place[self.whole] = np.arange(self.whole.size)
        self.answers = Answers(problem, matrix)
        self.queue = NodeQueue(roots)
        self.lp: LinearProgram | DecomposedProgram
        self.reduction: Reduction
        self.held: Mask
        self.epoch = -1
        self.nodes = self.iterations = 0
        self.counts: Counter[str] = Counter()
        self.pseudo_costs = PseudoCosts()
        self.splits: dict[Place | None, Parted] = {}

    def hold(self, node: Node) -> Vector | None:
        """Make the linear program for the plans of a part, before there is anything to search.

        Returns
        -------
        Vector
            Reduced costs of the whole-number columns; infinite where the part has none. None if it cannot be told.
        """
        if not self._shrink_if_due(node):
            return None
        self._enter(node)
        if self.lp.solve() is not LpState.OPTIMAL:
            return None
        costs = np.full(self.whole.size, np.inf)
        costs[self.lp_places] = self.lp.reduced_costs()[self.lp_whole]
        costs[node.upper == 0.0] = np.inf
        return costs

    def begin(self, whole: Node, partition: Partition | None, cutoff: float) -> None:
        """Let a part wait, parted as in a neighbour's search where there likely is something to ask.

        Parameters
        ----------
        whole
            The part.
        partition
            Of the neighbour's search; None where the part is to wait as it is, as it has to where :meth:`hold` could not tell.
        cutoff
            Only cheaper plans will be looked for, MUSD.
        """
        if partition is None or whole.bound >= cutoff or self.stop.raised or (self.epoch < 0 and self.hold(whole) is None):
            self.queue.push(whole)
            return
        basis, doubts = self.lp.basis(), doubts_at(self.lp_questions, self.lp.values(), self.lp_members)
        parts, parted = parts_from(
            partition, whole, cutoff - whole.bound, doubts, lambda node, doubt, side: self._answer(node, doubt, side, basis)
        )
        self.splits |= parted
        for part in parts:
            # masters go on from one part to the next; a whole program gets lost that way
            self.queue.push(replace(part, basis=None, epoch=-1, answer=None) if self.parted is not None else replace(part, answer=None))

    @property
    def parted(self) -> DecomposedProgram | None:
        """The linear program, where it is made and parted into blocks."""
        return self.lp if self.epoch >= 0 and isinstance(self.lp, DecomposedProgram) else None

    def twin(self) -> Tree:
        """Return another search of the same linear program, with no part to search yet; the two can learn from each other."""
        other = Tree(self.problem, self.matrix, self.options, self.stop, [], self.known)
        if self.parted is not None:
            other.answers, other.pseudo_costs = self.answers, self.pseudo_costs.copy()
            other._hold(self.reduction, self.held, self.parted.twin())
        return other

    def proofs(self) -> Proofs | None:
        """Return what the linear program knows where it is parted, else what was known before; None if nothing was."""
        return self.known if self.parted is None else proofs_of(self.parted, self.problem)

    def learn_from(self, others: Sequence[Tree]) -> None:
        """Take over what the other searches' linear programs have learnt since they last told."""
        own = self.parted
        for other in others:
            program = other.parted
            if own is not None and program is not None and program is not own and program.parts is own.parts:
                own.learn(program.fresh_cuts)

    def told(self) -> None:
        """Note that the others have learnt all there is to learn."""
        if self.parted is not None:
            self.parted.fresh_cuts = []

    @property
    def bound(self) -> float:
        """No plan of the parts that wait costs less; infinite if none waits."""
        return self.queue.bound

    # --- the search --------------------------------------------------------------------------

    def search(self, cutoff: float, nodes: int, iterations: int, found: Callable[[Incumbent], float]) -> None:
        """Search until so much is done, nothing waits or the signal is raised.

        Parameters
        ----------
        cutoff
            Only cheaper plans count, MUSD.
        nodes, iterations
            Most nodes to look at, and simplex iterations after which no further one is begun.
        found
            Told of each plan found; returns the new cutoff.
        """
        enough = self.iterations + iterations
        for _ in range(nodes):
            node = self.queue.pop(cutoff) if self.iterations < enough else None
            if node is None:
                return
            if self.stop.raised:
                self.queue.push(node)
                return
            self.nodes += 1
            if node.bound >= cutoff:
                continue
            cutoff = self._look_at(node, cutoff, found)

    def _look_at(self, node: Node, cutoff: float, found: Callable[[Incumbent], float]) -> float:
        """Solve a node; drop it, take its plan or part it in two. Return the cutoff."""
        if not self._shrink_if_due(node):
            # a row cannot hold with any build of this part or of those that wait: none of them has a plan below the cutoff
            self.counts["dropped"] += 1 + self.queue.clear()
            return cutoff
        if self.parted is not None:
            self.parted.narrow_to(self.lp_whole[node.upper[self.lp_places] > 0.0], node.basis if node.epoch == self.epoch else None)
        self._enter(node)
        state = self._solve(cutoff)
        for _ in range(COVER_ROUNDS):
            if state is not LpState.OPTIMAL or not self.lp.is_fresh:
                break
            before = self.lp.objective
            rows = self.separator.violated(self.lp.asked_point())
            if not rows:
                break
            self.lp.add_rows(rows)
            state = self._solve(cutoff)
            if state is LpState.OPTIMAL and self.lp.objective - before < 0.1 * (cutoff - before):
                break
        if state is LpState.STOPPED:
            self.queue.push(replace(node, basis=None, epoch=-1))
            return cutoff
        if state is not LpState.OPTIMAL:
            self.counts["dropped"] += 1
            return cutoff
        if node.answer is not None:
            self.pseudo_costs.learn(node.answer, self.lp.objective)
        values = self.lp.values()
        node = self._tightened(replace(node, bound=max(node.bound, self.lp.objective)), values, cutoff)
        doubts = doubts_at(self.lp_questions, values, self.lp_members)
        if not doubts:
            return self._take_plan(node, values, cutoff, found)
        self._part(node, doubts, cutoff)
        return cutoff

    def _solve(self, cutoff: float) -> LpState:
        before = self.lp.iterations
        state = self.lp.solve(cutoff)
        if state in (LpState.FAILED, LpState.UNFINISHED):
            state = self.lp.solve_afresh(cutoff)
        self.iterations += self.lp.iterations - before
        if state in (LpState.FAILED, LpState.UNFINISHED):
            raise SearchFailed("a linear program of the search could not be solved")
        return state

    def _take_plan(self, node: Node, values: Vector, cutoff: float, found: Callable[[Incumbent], float]) -> float:
        """Round the plan of a node and solve it again with nothing left open; what survives is an incumbent."""
        whole = np.zeros(self.whole.size)
        whole[self.lp_places] = np.round(values[self.lp_whole])
        self.lp.bound_columns(self.lp_whole, whole[self.lp_places], whole[self.lp_places])
        state = self._solve(np.inf)
        if state not in (LpState.OPTIMAL, LpState.STOPPED) and self.parted is not None:
            state = self.lp.solve_afresh()
        if state is LpState.STOPPED:
            self.queue.push(replace(node, basis=None, epoch=-1))
            return cutoff
        if state is not LpState.OPTIMAL:
            # within the solver's tolerance of a plan, but none: only a search with other tolerances can tell
            raise SearchFailed("a plan does not survive rounding")
        self.counts["plans"] += 1
        return min(cutoff, found(Incumbent(self.lp.objective, whole)))

    def _tightened(self, node: Node, values: Vector, cutoff: float) -> Node:
        """Rule out builds whose reduced cost alone takes the cost above the cutoff."""
        room = cutoff - self.lp.objective + 1e-7 * abs(cutoff)
        costs = self.lp.reduced_costs()[self.lp_whole]
        shut = self.lp_places[(costs > room) & (values[self.lp_whole] < WHOLE)]
        shut = shut[node.lower[shut] == 0.0]
        if not shut.size:
            return node
        upper = node.upper.copy()
        upper[shut] = 0.0
        return replace(node, upper=upper)

    # --- parting a node ----------------------------------------------------------------------

    def _part(self, node: Node, doubts: Sequence[Doubt], cutoff: float) -> None:
        basis = self.lp.basis()
        doubt, known = self._choose(node, doubts, basis, cutoff)
        children = []
        answered = [self._answer(node, doubt, side, basis) for side in (0, 1)]
        self.splits[node.place] = Parted(doubt, node.bound, (answered[0].place, answered[1].place))
        for side, child in enumerate(answered):
            bound, score = known[side]
            child = replace(child, bound=max(child.bound, bound))
            if child.bound < cutoff:
                children.append((score, side, child))
        children.sort(key=lambda item: item[:2])
        if children:
            self.queue.dive = children[0][2]
        for _, _, child in children[1:]:
            self.queue.push(child)

    def _choose(
        self, node: Node, doubts: Sequence[Doubt], basis: Basis, cutoff: float
    ) -> tuple[Doubt, tuple[tuple[float, float], tuple[float, float]]]:
        """Return the question to ask and, of its two answers, (bound, estimate)."""
        rank = doubts[0].question.rank
        picked = [doubt for doubt in doubts if doubt.question.rank <= rank + 1 and doubt.question.kind != SINGLE][:CANDIDATES]
        if len(picked) < 2:
            first = (picked or doubts)[0]
            at_most, at_least = first.answers
            up_first = first.count - at_most > at_least - first.count
            return first, ((node.bound, node.bound + up_first), (node.bound, node.bound + (not up_first)))
        best, best_score, best_known = picked[0], -1.0, ((node.bound, node.bound), (node.bound, node.bound))
        probed = 0
        for doubt in picked:
            rises = self.pseudo_costs.rises(self.count_of[doubt.number], doubt.distances)
            if rises is not None:
                known = ((node.bound, node.bound + rises[0]), (node.bound, node.bound + rises[1]))
            elif probed >= PROBES:
                continue
            else:
                probed += 1
                known = (self._probe(node, doubt, 0, basis, cutoff), self._probe(node, doubt, 1, basis, cutoff))
            gains = [max(min(estimate, cutoff + 1.0) - node.bound, 1e-3) for _, estimate in known]
            score = gains[0] * gains[1]
            if score > best_score:
                best, best_score, best_known = doubt, score, known
            if max(bound for bound, _ in known) >= cutoff:
                best, best_known = doubt, known
                break
        if probed:
            self._enter(replace(node, basis=basis, epoch=self.epoch))
        return best, best_known

    def _probe(self, node: Node, doubt: Doubt, side: int, basis: Basis, cutoff: float) -> tuple[float, float]:
        """Follow an answer for a while; return what is proven of it and what it looks like."""
        child = self._answer(node, doubt, side, basis)
        self._enter(child)
        before = self.lp.iterations
        state = self.lp.solve(cutoff, PROBE_ITERATIONS)
        self.iterations += self.lp.iterations - before
        self.counts["probes"] += 1
        bound = estimate = node.bound
        if state in (LpState.INFEASIBLE, LpState.ABOVE_CUTOFF):
            bound = estimate = cutoff
        elif state in (LpState.OPTIMAL, LpState.UNFINISHED):
            estimate = max(bound, self.lp.objective)
            bound = estimate if state is LpState.OPTIMAL else bound
        if child.answer is not None and state is not LpState.STOPPED:
            self.pseudo_costs.learn(child.answer, estimate)
        return bound, estimate

    def _answer(self, node: Node, doubt: Doubt, side: int, basis: Basis) -> Node:
        return self.answers.part(node, doubt, self.count_of[doubt.number], side, basis, self.epoch)

    # --- the linear program ------------------------------------------------------------------

    def _shrink_if_due(self, node: Node) -> bool:
        """Make the linear program anew where the parts that wait need far less than it holds; return whether any of them can have a plan."""
        # a part that came from another search may need builds that this one has long ruled out
        fits = self.epoch >= 0 and not ((node.upper > 0) & ~self.held).any()
        if fits and (self.lp_whole.size <= SMALL_PART or self.nodes % 4 or self.parted is not None):
            return True
        needed = node.upper > 0
        for other in self.queue:
            needed |= other.upper > 0
        if not fits or needed.sum() < SHRINK_AT * self.lp_whole.size:
            return self._rebuild(node, needed)
        return True

    def _rebuild(self, node: Node, needed: Mask) -> bool:
        upper = self.matrix.upper.copy()
        upper[self.whole[~needed]] = 0.0
        found = reduce_matrix(self.matrix.with_bounds(self.matrix.lower, upper))
        if found is None:
            return False
        basis = None
        if self.epoch >= 0 and node.epoch == self.epoch and node.basis is not None:
            basis = node.basis.moved(self.reduction, found)
        elif node.basis is not None and node.epoch == -2:
            basis = node.basis.reduced(found)
        self.known = self.proofs()
        lp = program_of(self.problem, found.matrix, self.options, self.stop, basis, self.known)
        self.iterations += lp.first_iterations if isinstance(lp, DecomposedProgram) else lp.iterations
        self._hold(found, needed, lp)
        return True

    def _hold(self, found: Reduction, needed: Mask, lp: LinearProgram | DecomposedProgram) -> None:
        """Go on with a linear program of a reduced matrix."""
        self.reduction, self.held, self.lp = found, needed, lp
        self.separator = Separator(self.problem, found.matrix)
        self.lp_questions = ask_about_plants(self.problem, found.matrix)
        self.lp_members = members_of(self.lp_questions, len(found.matrix.cost))
        self.lp_whole = np.flatnonzero(found.matrix.integer)
        self.lp_places = self.place[found.columns[self.lp_whole]]
        self.epoch += 1
        self.row_of: dict[Count, int] = {}
        self.set_rows: dict[Count, tuple[float, float]] = {}
        self.count_of = [self.answers.count_at(self.place[found.columns[question.columns]].tolist()) for question in self.lp_questions]
        self.counts["linear programs"] += 1

    def _enter(self, node: Node) -> None:
        """Give the linear program the bounds, limits and basis of a node."""
        self.lp.bound_columns(self.lp_whole, node.lower[self.lp_places], node.upper[self.lp_places])
        for count in dict.fromkeys((*self.set_rows, *node.limits)):
            wanted = node.limits.get(count, (-np.inf, np.inf))
            if self.set_rows.get(count) == wanted:
                continue
            if count not in self.row_of:
                inside = np.isin(self.lp_places, count.places)
                weights = np.ones(inside.sum()) if count.weights is None else count.weights[self.lp_places[inside]]
                self.row_of[count] = self.lp.add_rows([Row(self.lp_whole[inside], weights, *wanted)])
            else:
                self.lp.bound_row(self.row_of[count], *wanted)
            self.set_rows[count] = wanted
        if node.basis is not None and node.epoch == self.epoch:
            self.lp.start_from(node.basis)
