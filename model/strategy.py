"""How a problem is solved: relaxation, covers, a first plan, then a search over counts of plants; where it takes long, better plans by exchange.

Every bound holds for the whole model. A build is dropped only when the relaxation's bound plus
its reduced cost exceeds the cost of a plan in hand, so no better plan can use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from model.first_plan import settle_counts
from model.hot_start import HotStart, hosts_of, hot_start, plans_met, starts_from
from model.linear_program import LpState
from model.matrix import Matrix, Vector
from model.neighbourhood import at_hosts, at_likely_hosts, exchanges, keys_of
from model.node import Node, Place, root_node
from model.node_queue import NodeQueue
from model.outcome import INTERRUPTED, Outcome, ProgressFunction, SolveOptions, Status, only_below, without_plan
from model.part_program import may_be_parted
from model.preparation import with_finite_sides, without_single_rows
from model.problem import BuildKey, Problem
from model.proofs import Proofs
from model.reduction import Mask
from model.relaxation import Relaxation, relax, tighten, without_dear
from model.reoptimization import Partition, partition_of
from model.search_state import TOO_FAR, Clock, SearchState
from model.searches import Searches
from model.separation import with_rows_on_demand
from model.solver import Search, infeasible, publish, solve_matrix
from model.tree import SearchFailed, Tree

FEW_WHOLE_COLUMNS = 400
"""Below it HiGHS alone is faster than any preparation."""

QUICK_NODES, QUICK_PATIENCE = 120, 24
"""Nodes of the search for a first plan, and nodes after its last better plan; the whole search goes on from there."""

NEAR_ENOUGH = 0.005
"""A start, or a cutoff, within this share of the bound needs no search for a first plan."""

LATE = 400
"""Parts after which a search that goes on stops for exchanges: most end before, and find their plans without."""

EXCHANGES, FINE = 8, 0.02
"""Times that plants of the best plan are exchanged for others, each time a better one was found, and how much better, as a share of the gap."""

REMAKE_AT = 0.7
"""The search starts anew if what the root rules out leaves fewer than this share of the builds."""

ROOT_ROUNDS = 2
"""Times that the relaxation is made smaller before the search."""

QUICK_SLACK = 5
"""The first plan may be this many times further from its bound than the last one."""

ENOUGH = "A plan that costs little enough was found"
"""Why a search ended that was not asked for the least cost."""

Say = Callable[[str], None]


def solve_problem(
    problem: Problem,
    matrix: Matrix,
    options: SolveOptions,
    progress: ProgressFunction | None = None,
    say: Say = lambda _: None,
    start: tuple[BuildKey, ...] = (),
    cutoff: float = math.inf,
    enough: float = -math.inf,
    hot: HotStart | None = None,
    hands_on: bool = True,
) -> Outcome:
    """Solve a compiled problem by the strategy that suits its size.

    Parameters
    ----------
    problem, matrix
        The two forms of one model.
    options
        Gap, time and threads; the time limit holds for all steps together.
    progress
        Called with the state of the search.
    say
        Called with a sentence at each step.
    start
        Plants to try first; only a hint.
    cutoff
        Only plans cheaper than this are looked for, MUSD.
    enough
        A plan that costs no more than this may end the search before its proof, MUSD.
    hot
        What the search of a neighbouring problem told; only a hint.
    hands_on
        Whether the outcome says what helps the search of a neighbour; it does not where the first plan costs little enough.

    Returns
    -------
    Outcome
        Of the whole model; where no plan is cheaper than `cutoff`, "no plan exists" with the cutoff as its bound.
    """
    # where nothing has a price, reduced costs tell no build from another
    small = matrix.integer.sum() <= FEW_WHOLE_COLUMNS and with_rows_on_demand(matrix) is matrix
    if small or not matrix.cost.any():
        return only_below(solve_matrix(matrix, options, progress), cutoff)
    clock = Clock(options.time_limit)
    # a thread of its own for each search: HiGHS ties its scheduler to the thread, and Ctrl-C reaches this one
    with ThreadPoolExecutor(max_workers=max(1, options.threads)) as pool:
        strategy = _Strategy(problem, matrix, options, Searches(clock, pool, progress), say)
        try:
            return strategy.run(start, cutoff, enough, hot, hands_on)
        except SearchFailed as failure:
            say(f"Search by counts of plants given up ({failure}); HiGHS searches alone")
            alone = solve_matrix(matrix, replace(options, time_limit=max(1.0, clock.stop.left)), progress)
            return only_below(strategy.better_of(alone), cutoff)


class _Strategy:
    """The steps of one solve and what they share."""

    def __init__(self, problem: Problem, matrix: Matrix, options: SolveOptions, searches: Searches, say: Say) -> None:
        self.problem, self.asked, self.options = problem, matrix, options
        self.matrix = with_finite_sides(without_single_rows(with_rows_on_demand(matrix)))
        self.searches, self.say, self.clock = searches, say, searches.clock
        self.state = SearchState(None, math.inf, -math.inf)
        self.hot: HotStart | None = None
        self.proofs: Proofs | None = None
        self.partition: Partition | None = None
        self.tried: set[bytes] = set()
        self.whole = np.flatnonzero(matrix.integer)
        self.builds = np.array([matrix.columns[column][0] == "build" for column in self.whole])

    def run(self, start: tuple[BuildKey, ...], cutoff: float, enough: float, hot: HotStart | None, hands_on: bool) -> Outcome:
        state = self.state = SearchState(None, cutoff, -math.inf)
        for plants in starts_from(start, hot):
            self._try(self.matrix, plants, state)
        if state.best is None:  # what the markets do without joint plants is known in no time: a plan, whatever stops the search
            self._try(self.matrix, (), state)
        self.clock.lap("first plan")
        self.searches.report(state)
        basis = hot.basis_for(self.matrix) if hot is not None and self.matrix.implied is None else None
        covers = hot.covers if hot is not None else ()
        self.proofs, self.partition = (hot.proofs, hot.partition) if hot is not None else (None, None)
        # plants to start from that cost as much as the cutoff, or more, tell as well as cheaper ones that no first plan need be looked for
        is_guided = bool(start) and (state.best is not None or (math.isfinite(cutoff) and math.isinf(enough)))
        near = state.cutoff - NEAR_ENOUGH * abs(state.cutoff) if is_guided else math.inf
        relaxation = self.searches.ask(relax, self.problem, self.matrix, self.options, self.clock.stop, basis, covers, near)
        self.clock.lap("relaxation")
        if relaxation.state is LpState.INFEASIBLE:
            return infeasible(self.asked, self.options, self.clock.stop.left, self.clock.laps, presolved=False)
        if relaxation.state is not LpState.OPTIMAL:
            return self._finish(state, exhausted=False)
        self.say(f"Linear relaxation: no plan can cost less than {relaxation.bound:,.1f} MUSD ({len(relaxation.covers):,} cuts bind)")
        state.bound = relaxation.bound
        if relaxation.bound >= cutoff:
            return self._finish(state, exhausted=True)
        tight = self.matrix.with_rows(relaxation.covers)
        self.searches.report(state)
        if state.bound <= near and not (state.best is not None and state.cutoff <= enough):
            self._find_first(tight, relaxation, state, {host for plants in starts_from(start, hot) for host in hosts_of(plants)})
        self.clock.lap("first plan")
        if state.cutoff <= enough and state.best is not None:
            return self._finish(state, state.bound >= state.prune_at(self.options), ENOUGH)
        root, tight = self._root(tight, relaxation, state, None if relaxation.covers else hot)
        if hands_on:
            fresh = self.searches.ask(hot_start, self.problem, self.matrix, relaxation.without_covers, tight, root)
            self.hot = fresh and replace(fresh, plans=hot.plans if hot is not None else ())
        self.clock.lap("root")
        if state.best is not None:
            state.bound = max(state.bound, min(root.bound, state.prune_at(self.options)))
            self.say(
                f"First plan: {state.best.objective:,.1f} MUSD, no plan can cost less than {state.bound:,.1f}; "
                f"{int((root.upper == 0.0).sum()):,} of {self.whole.size:,} possible builds cannot be part of a cheaper one"
            )
        trees = self._prove(tight, root, state, enough)
        exhausted = not any(len(tree.queue) for tree in trees) or (state.cutoff <= enough and state.bound >= state.prune_at(self.options))
        self.say(f"Searched {state.nodes:,} parts of the plans in {sum(tree.iterations for tree in trees):,} simplex iterations")
        return self._finish(state, exhausted, ENOUGH if state.best is not None and state.cutoff <= enough else "Time limit reached")

    def better_of(self, alone: Outcome) -> Outcome:
        """Return what HiGHS found alone, or the plan in hand where that is cheaper, with the better of the two bounds."""
        state = self.state
        if state.best is None or alone.status is Status.INFEASIBLE or (alone.status.has_plan and alone.objective <= state.cutoff):
            return alone
        if math.isfinite(alone.bound):
            state.bound = max(state.bound, min(alone.bound, state.cutoff))
        return self._finish(state, exhausted=state.bound >= state.prune_at(self.options))

    # --- steps -------------------------------------------------------------------------------

    def _try(self, tight: Matrix, start: tuple[BuildKey, ...], state: SearchState) -> None:
        """Take the plants of a neighbouring plan as they are, if they can stand here."""
        wanted = set(start)
        held = np.array([float(self.matrix.columns[column][1] in wanted) for column in self.whole])
        if (held > self.matrix.upper[self.whole]).any():
            return
        # fixed upwards only: what else the goal holds whole is free to follow
        lower = np.where(self.builds, held, self.matrix.lower[self.whole])
        upper = np.where(self.builds, held, self.matrix.upper[self.whole])
        node = Node(state.bound, np.maximum(lower, self.matrix.lower[self.whole]), upper)
        self._search(tight, [node], state, self.options, QUICK_NODES, 1)

    def _find_first(self, tight: Matrix, relaxation: Relaxation, state: SearchState, hosts: Collection[str]) -> None:
        """Search at the hosts of plants that cannot stand as they are; unless that leads near the bound, where settled counts of plants suit best."""
        if hosts and state.best is None:
            self._look_quickly(tight, relaxation, state, at_hosts(self.matrix, hosts))
            if state.is_within(TOO_FAR):
                return
        settled = self.searches.ask(settle_counts, self.problem, tight, relaxation, self.options, self.clock.stop)
        self._look_quickly(tight, relaxation, state, at_likely_hosts(self.matrix, settled))

    def _look_quickly(self, tight: Matrix, relaxation: Relaxation, state: SearchState, kept: Mask) -> None:
        """Search for a while with these whole-number columns alone."""
        root = root_node(tight, relaxation.bound, relaxation.basis)
        roots = [replace(root, upper=np.where(kept[self.whole], root.upper, root.lower))]
        loose, threads = self.options.with_gap_times(QUICK_SLACK), max(1, self.options.threads)
        self._search(tight, roots, state, loose, QUICK_NODES, threads, QUICK_PATIENCE)

    def _root(self, tight: Matrix, relaxation: Relaxation, state: SearchState, hot: HotStart | None) -> tuple[Node, Matrix]:
        """Return the part that holds every plan worth looking for, and the matrix with the covers that bind there.

        Builds that are too dear leave and the smaller relaxation is tightened again; what that adds to the bound rules out further builds.
        """
        root = root_node(tight, relaxation.bound, relaxation.basis)
        if not math.isfinite(state.cutoff):
            return root, tight
        root = without_dear(root, relaxation.reduced_costs[self.whole], relaxation.bound, state.prune_at(self.options))
        covers, basis = (hot.covers, hot.root_for(self.matrix)) if hot is not None else ((), None)
        for _ in range(ROOT_ROUNDS):
            left = int((root.upper > root.lower).sum())
            found = self.searches.ask(
                tighten, self.problem, tight, root, state.prune_at(self.options), self.options, self.clock.stop, covers, basis
            )
            covers, basis = (), None
            if found is None:
                return replace(root, bound=math.inf), tight
            root, tight = found
            # what is parted is made smaller when the search begins
            if (root.upper > root.lower).sum() > 0.7 * left or may_be_parted(tight) or self.clock.stop.raised:
                break
        return root, tight

    def _open(self, tight: Matrix, root: Node, state: SearchState) -> tuple[Node, Vector | None, list[Tree]]:
        """Make the linear program of the proof and rule out what it shows to be too dear.

        Returns
        -------
        Node, Vector, list[Tree]
            The part that still holds every better plan; what each whole-number column adds to its bound at least, None where that is not
            known; and the search that told, none where a new one is smaller.
        """
        if not (math.isfinite(state.cutoff) and math.isfinite(root.bound)):
            return root, None, []
        tree = Tree(self.problem, tight, self.options, self.clock.stop, [], self.proofs)
        costs = self.searches.ask(tree.hold, root)
        if costs is None:
            return root, None, [tree]
        bound = tree.lp.objective  # reduced costs add to the bound of the program that they are of, and to no other
        root = replace(root, bound=max(root.bound, bound))
        left = (root.upper > root.lower).sum()
        root = without_dear(root, costs, bound, state.prune_at(self.options))
        if (root.upper > root.lower).sum() > REMAKE_AT * left:
            return root, costs, [tree]
        self.proofs = self.searches.ask(tree.proofs)
        return root, costs, []

    def _prove(self, tight: Matrix, root: Node, state: SearchState, enough: float) -> list[Tree]:
        """Search the root until nothing waits, a plan costs little enough or the signal is raised; return the searches."""
        root, costs, trees = self._open(tight, root, state)
        trees = trees or [Tree(self.problem, tight, self.options, self.clock.stop, [], self.proofs)]
        self.searches.ask(trees[0].begin, root, self.partition if costs is not None else None, state.prune_at(self.options))
        late, threads, late_at = False, max(1, self.options.threads), LATE + len(trees[0].queue) - 1
        while any(len(tree.queue) for tree in trees) and not self.clock.stop.raised and not (state.best and state.cutoff <= enough):
            before, is_asked = state.cutoff, late or math.isfinite(enough)
            trees = self.searches.run(
                trees, state, self.options, threads, most=math.inf if late else late_at, whole_search=True, until_better=is_asked
            )
            self.clock.lap("proof")
            due = state.cutoff < before if late else sum(tree.nodes for tree in trees) >= late_at
            late = late or due
            # near the best plan others are looked for when the search has taken long, and each time that it then finds another
            if due and costs is not None and state.best is not None and any(len(tree.queue) for tree in trees):
                trees = self._exchange(tight, root, costs, state, trees)
                self.clock.lap("better plans")
        if self.hot is not None:
            self.proofs = self.searches.ask(trees[0].proofs)
            parted = {place: each for tree in trees for place, each in tree.splits.items()}
            self.partition = self.searches.ask(partition_of, parted, root.bound, state.prune_at(self.options))
        return trees

    def _exchange(self, tight: Matrix, root: Node, costs: Vector, state: SearchState, trees: list[Tree]) -> list[Tree]:
        """Exchange a plant or two of the best plan for others while that makes it cheaper; return the searches, what waits in them untouched."""
        waiting = [tree.queue for tree in trees]
        for tree in trees:
            tree.queue = NodeQueue([])
        fine = self.options.with_gap_times(FINE)
        keys = keys_of(self.matrix, self.whole)
        for _ in range(EXCHANGES):
            before = state.cutoff
            assert state.best is not None
            plans = exchanges(state.best.whole, costs, keys, state.prune_at(fine) - root.bound, self.tried)
            # builds that a rule forces stand in every plan, and those ruled out stand in none that is better
            within = [plan for plan in plans if (plan >= root.lower)[self.builds].all() and (plan <= root.upper)[self.builds].all()]
            for plan in within:
                lower, upper = np.where(self.builds, plan, root.lower), np.where(self.builds, plan, root.upper)
                trees[0].queue.push(replace(root, lower=lower, upper=upper, basis=None, epoch=-1, place=Place()))
            trees = self.searches.run(trees, state, fine, max(1, self.options.threads))
            if state.cutoff >= before or self.clock.stop.raised:
                break
        for number, tree in enumerate(trees):
            tree.queue = waiting[number] if number < len(waiting) else NodeQueue([])
        return trees

    def _search(
        self,
        matrix: Matrix,
        roots: Sequence[Node],
        state: SearchState,
        options: SolveOptions,
        most: float,
        searchers: int,
        patience: float = math.inf,
    ) -> None:
        """Search parts of the plans for a while, in linear programs of their own."""
        tree = Tree(self.problem, matrix, options, self.clock.stop, roots, self.proofs)
        self.searches.run([tree], state, options, searchers, most=most, patience=patience)

    # --- results -----------------------------------------------------------------------------

    def _finish(self, state: SearchState, exhausted: bool, termination: str = "Time limit reached") -> Outcome:
        termination = "Optimal" if exhausted else INTERRUPTED if self.searches.interrupted else termination
        bound = max(state.bound, state.prune_at(self.options)) if exhausted and math.isfinite(state.cutoff) else state.bound
        if state.best is None:
            if not exhausted:
                return replace(without_plan(Status.NO_PLAN_FOUND, termination, self.clock.laps), bound=bound)
            if math.isfinite(state.cutoff):
                nothing = without_plan(Status.INFEASIBLE, "no plan is cheaper than the cutoff", self.clock.laps)
                return replace(nothing, bound=bound)
            return infeasible(self.asked, self.options, self.clock.stop.left, self.clock.laps, presolved=False)
        values = np.zeros(len(self.matrix.cost))
        values[self.whole] = state.best.whole
        status = Status.OPTIMAL if exhausted else Status.LIMIT
        found = Search(status, termination, values, state.best.objective, bound, state.nodes, self.searches.interrupted)
        hot = self.hot and replace(
            self.hot, proofs=self.proofs, partition=self.partition, plans=plans_met(self.matrix, state.taken, self.hot.plans)
        )
        return replace(publish(self.asked, found, self.options, self.clock.laps), hot=hot)
