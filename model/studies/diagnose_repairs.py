"""Finds repairs of one book: the elastic model points at figures, :mod:`model.studies.diagnose_search` settles their values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from model.formulation import build_model
from model.formulation_elastic import DUST, LEAD_TIMES, YES_OR_NO, Code, Elastic, family, make_elastic
from model.goal import ANY_PLAN
from model.matrix import compile_model
from model.outcome import Outcome, Status
from model.problem import Problem
from model.problem_builder import build_problem
from model.solution import build_solution
from model.solver import Search, search, solve_matrix
from model.studies.diagnose_bars import bars, widened
from model.studies.diagnose_least import least_repair
from model.studies.diagnose_levers import dates_of, lever
from model.studies.diagnose_search import Repair, Trials
from model.studies.diagnose_shares import Asked, outermost, share_asked
from model.studies.diagnose_turns import Turns
from model.tables import Tables

MOST_OF_A_KIND = 3
"""Repairs by figures of one kind, such as single suppliers' tonnes."""

MOST_COMBINED = 4
"""Repairs that need figures of several kinds at once."""

SHARE_OF_TIME = 0.3
"""Of the time that is left, for the question which kinds of figure are in the way."""

SHARE_OF_TURN = 0.5
"""Of what is left of a turn, for one search: its best change so far will do, as it is tried anyway, and the rest is for that."""

SHARE_OF_ROUND = 0.2
"""Of what is left of a turn, for a search with other amounts: it only points at smaller values of a repair that is known already."""

DRASTIC = 0.1
"""A repair of one row whose change is larger than this part of its figure is compared with several smaller changes."""

SECONDS_OF_EXTRA = 30.0
"""For that comparison, or as long as all before it took if that is longer."""

MOST_ROUNDS = 4
"""Elastic solutions that are looked at for one repair, each with the shares measured against the amounts of the one before."""

CLOSE = 0.01
"""Amounts this near to those of the round before, relative to them, are the same."""

KINDS = (
    "rule_value", "cap", "max_plants", "plants_per_host", "minimum_hosts", "budget", "country_share_limit", "least_take", "days", "opening",
    "offtake_minimum", "rule_share", "supply", "uncommitted", "capacity", "demand", "minimum_use", "foreign_share_limit",
)  # fmt: skip
BARRING_KINDS = (*YES_OR_NO, *LEAD_TIMES)
"""Kinds that bring in plants, feed or purchases which the book's own problem does not have."""

ONLY_ALONE = ("foreign_share_limit",)
"""Kinds that are left out where several figures must change: a budget does whatever they do."""


@dataclass(frozen=True)
class View:
    """One problem with its elastic model; the widest one has what the book's rules keep out."""

    tables: Tables
    problem: Problem
    elastic: Elastic
    wide: bool


@dataclass
class RepairSearch:
    """Finds repairs of one book, step by step.

    Parameters
    ----------
    trials
        The book and what is known of changed copies of it.
    say
        Called with a sentence of progress.
    repairs
        Found so far.
    cut_short
        Whether something was left out or left unsettled for lack of time.
    hopeless
        Whether not even all figures together can make a plan possible.
    untried
        One figure of each kind of which some that were not tried may repair the book as well.
    proven
        Searches that ended with their proof, by view, free figures and whether relaxed: a step that gets another turn starts from them.
    """

    trials: Trials
    say: Callable[[str], None]
    repairs: list[Repair] = field(default_factory=list)
    cut_short: bool = False
    hopeless: bool = False
    untried: list[Code] = field(default_factory=list)
    proven: dict[tuple[bool, frozenset[Code], bool], Search] = field(default_factory=dict)

    @property
    def tables(self) -> Tables:
        """Return the book that has no plan."""
        return self.trials.tables

    @cached_property
    def own(self) -> View:
        """The book's own problem."""
        problem = build_problem(self.tables)
        return View(self.tables, problem, make_elastic(problem, compile_model(build_model(problem, ANY_PLAN))), False)

    @cached_property
    def wide(self) -> View:
        """The problem without what the book's rules keep out."""
        tables, problem = widened(self.tables)
        matrix = compile_model(build_model(problem, ANY_PLAN))
        return View(tables, problem, make_elastic(problem, matrix, list(bars(self.tables, problem))), True)

    # --- the elastic model ------------------------------------------------------------------------

    def solve(
        self, view: View, free: Collection[Code], relaxed: bool = False, share: float = SHARE_OF_TURN, amounts: Elastic | None = None
    ) -> Search | None:
        """Search for the least change of some figures; None where it is impossible or there was no time.

        Parameters
        ----------
        view, free
            Which figures of which problem may change.
        relaxed
            Whether whole numbers may be broken.
        share
            Of the time that is left.
        amounts
            The view's elastic model with shares of other amounts.
        """
        key = (view.wide, frozenset(free), relaxed)
        found = self.proven.get(key) if amounts is None else None
        if found is None:
            if self.trials.left <= 0:
                self.cut_short = True
                return None
            matrix = (amounts or view.elastic).only(free)
            options = replace(self.trials.options, absolute_gap=1e-6, relative_gap=1e-6, time_limit=max(1.0, share * self.trials.left))
            found = search(matrix.relaxed() if relaxed else matrix, options)
            self._note(found.status, found.termination)
            if amounts is None and found.status in (Status.OPTIMAL, Status.INFEASIBLE, Status.ERROR):
                self.proven[key] = found
        return found if found.status.has_plan else None

    def _note(self, status: Status, termination: str) -> None:
        """Remember why a search did not end with its proof."""
        if status is Status.ERROR:
            self.trials.solver_failures.append(termination)
        elif status not in (Status.OPTIMAL, Status.INFEASIBLE):
            self.cut_short = True

    def kinds(self, view: View) -> tuple[str, ...]:
        """Return the kinds of figure that may repair the book by themselves; none where not even all together can."""
        every = KINDS if view is self.own else (*BARRING_KINDS, *KINDS)
        if self.trials.left <= 0:
            self.cut_short = True
            return every
        options = replace(self.trials.options, time_limit=max(1.0, SHARE_OF_TIME * self.trials.left))
        relaxation = solve_matrix(view.elastic.matrix.relaxed(), options)
        if relaxation.status is Status.INFEASIBLE:
            return ()
        if not relaxation.status.has_plan:
            self._note(relaxation.status, relaxation.termination)
            return every
        if relaxation.objective <= DUST:
            return every
        told = view.elastic.kinds_in_the_way(relaxation.row_duals)
        return tuple(kind for kind in every if kind in told)

    def repair(self, view: View, found: Search, below: float = math.inf) -> None:
        """Turn an elastic solution into values that work when typed, and keep them if they do and their size is below a limit."""
        asked = self._asked(view, found)
        if asked is None:
            return
        asked_is_least = not view.wide and found.status is Status.OPTIMAL and asked.levers[0].unit is not None
        rounds = self._rounds(view, asked) if found.status is Status.OPTIMAL else [asked]
        tried = (least_repair(self.trials, each.levers, each.values, asked_is_least) for each in rounds)
        repair = next((each for each in tried if each is not None), None)
        if repair is not None and repair.rows > 1 and len(rounds) > 1:
            # rows that share what there is: each solution favours one of them, and between them may lie a smaller sum
            wide = outermost(rounds)
            between = least_repair(self.trials, wide.levers, wide.values) if wide is not None else None
            repair = between if between is not None and between.size < repair.size else repair
        if repair is None or repair.size < below:
            self.keep(repair)

    def _asked(self, view: View, found: Search) -> Asked | None:
        """Return what an elastic solution asks for; None where the book has no cell for one of its figures."""
        changes = view.elastic.violations(found.values)
        outcome = Outcome(found.status, found.termination, found.objective, found.bound, found.values, np.empty(0))
        solution = build_solution(view.tables, view.problem, view.elastic.matrix, outcome, ANY_PLAN)
        levers, values = [], []
        for code, change in changes.items():
            own = lever(self.tables, code)
            if own is None:
                return None
            levers.append(own)
            told = own.changed(change)
            values.append(told if told is not None else share_asked(view.problem, solution, code))
        return Asked(changes, levers, values) if changes else None

    def _rounds(self, view: View, asked: Asked) -> list[Asked]:
        """Return what is asked for, the smallest changes first, once shares are of the amounts that solutions really have.

        A share of the reference amount says little where much less is sold or bought: the search is repeated among the same rows with
        the amount at which the last solution's violation is the share that it needs.
        """
        rounds, factors = [asked], dict[Code, float]()
        rows = {family(code) for code in asked.changes}
        free = {code for code in view.elastic.codes if family(code) in rows}
        while len(asked.changes) > 1 and len(rounds) < MOST_ROUNDS:
            told = asked.factors()
            if all(abs(factor - 1.0) <= CLOSE for factor in told.values()):
                break
            factors |= {code: factors.get(code, 1.0) * factor for code, factor in told.items()}
            found = self.solve(view, free, share=SHARE_OF_ROUND, amounts=view.elastic.with_amounts(factors))
            again = self._asked(view, found) if found is not None else None
            if again is None:
                break
            asked = again
            rounds.append(asked)
        return sorted(rounds, key=lambda each: each.size)

    def keep(self, repair: Repair | None) -> None:
        """Keep a repair unless the same cells are repaired already by as little."""
        if repair is None:
            self.cut_short = self.cut_short or self.trials.timed_out
            return
        same = [number for number, other in enumerate(self.repairs) if other.key == repair.key]
        if not same:
            self.repairs.append(repair)
        elif (repair.size, not repair.proven) < (self.repairs[same[0]].size, not self.repairs[same[0]].proven):
            self.repairs[same[0]] = repair

    # --- steps ------------------------------------------------------------------------------------

    def run(self) -> None:
        """Look for repairs: by one row at a time, then by several rows, then by moving dates; then again where the time ran out."""
        self.say(f"Looking for the smallest changes that make a plan possible, among {len(self.own.elastic.codes):,} figures of the book")
        turns = Turns(self.trials, self)
        own_kinds = self.kinds(self.own)
        turns.take(self._steps(self.own, own_kinds), more=True)
        self.say(f"{len(self.repairs)} repairs by limits and minima; now what the book's rules and dates keep out")
        wide_kinds = self.kinds(self.wide)
        self.hopeless = not wide_kinds and not own_kinds and not self.cut_short and not self.trials.solver_failures
        # own kinds were tried already, unless what they change is not in the own problem at all
        kinds = [kind for kind in wide_kinds if kind in BARRING_KINDS or kind in ("supply", "uncommitted") or not own_kinds]
        turns.take(self._steps(self.wide, kinds), more=True)
        turns.take([*([self.combined] if wide_kinds else []), self.dates], more=bool(turns.waiting))
        if turns.waiting:
            self.say("Trying again what the time was too short for")
            turns.again()
            self.dates()

    def _steps(self, view: View, kinds: Sequence[str]) -> list[Callable[[], None]]:
        """Return one step a kind, those of the fewest figures first."""
        count = Counter(str(code[0]) for code in view.elastic.codes)
        return [partial(self.by_kind, view, kind) for kind in sorted(kinds, key=lambda kind: count[kind])]

    def by_kind(self, view: View, kind: str) -> None:
        """Look for repairs by figures of one kind, those of the fewest and smallest changes first."""
        free = {code for code in view.elastic.codes if code[0] == kind}
        for _ in range(MOST_OF_A_KIND):
            touched = self._cheapest(view, free)
            if not touched:
                return
            free -= {code for code in free if family(code) in touched}
        if free and self.solve(view, free, relaxed=True) is not None:
            self.untried.append(min(free, key=str))

    def _cheapest(self, view: View, free: set[Code]) -> set[Code]:
        """Try the cheapest change among free figures; return the rows that it touches, none if there is none."""
        if not free or self.solve(view, free, relaxed=True) is None:
            return set()
        found = self.solve(view, free)
        if found is None:
            return set()
        rows = {family(code) for code in view.elastic.violations(found.values)}
        if len(rows) > 1:
            # perhaps one row alone will do: a cheaper sum may have been spread over several
            for row in sorted(rows, key=str):
                single = self.solve(view, {code for code in free if family(code) == row})
                if single is not None:
                    self.repair(view, single)
        if rows:
            self.repair(view, found)
        return rows

    def combined(self) -> None:
        """Try the cheapest change of all figures together, then others that leave out one of its rows each.

        Where one row alone will do, only what is less drastic is kept.
        """
        single = min((repair.size for repair in self.repairs if repair.rows == 1), default=math.inf)
        if single == math.inf:
            self._combined(single)
        elif single > DRASTIC:
            # an extra beside what is known to work: it may take as long as all before it, and what it leaves unsettled is not told of
            before = self.cut_short, self.trials.timed_out
            with self.trials.turn(max(SECONDS_OF_EXTRA, self.trials.spent)):
                self._combined(single)
            self.cut_short, self.trials.timed_out = before

    def _combined(self, single: float) -> None:
        view = self.wide
        waiting: list[frozenset[Code]] = [frozenset()]
        seen: set[frozenset[Code]] = set()
        every = [code for code in view.elastic.codes if code[0] not in ONLY_ALONE]
        while waiting and len(seen) < MOST_COMBINED:
            shut = waiting.pop(0)
            found = self.solve(view, {code for code in every if family(code) not in shut})
            if found is None or found.objective >= single:
                continue
            rows = frozenset(family(code) for code in view.elastic.violations(found.values))
            if not rows or rows in seen:
                continue
            seen.add(rows)
            self.repair(view, found, below=single)
            waiting += [shut | {row} for row in sorted(rows, key=str)]

    def dates(self) -> None:
        """Try to move the dates of rules where a repair changes the rule's figure or drops it."""
        kinds = ("drop_rule", "rule_value", "rule_share", "country_share_limit", "days")
        codes = [code for code in dict.fromkeys((*self.own.elastic.codes, *self.wide.elastic.codes)) if code[0] in kinds]
        for repair in list(self.repairs):
            for code in codes if len(repair.edits) == 1 else ():
                own = lever(self.tables, code)
                if own is not None and own.edit(own.current).key == repair.edits[0].key:
                    for date in dates_of(self.tables, code):
                        self.keep(least_repair(self.trials, [date], [None]))


def find_repairs(trials: Trials, say: Callable[[str], None]) -> RepairSearch:
    """Run every step of the search.

    Parameters
    ----------
    trials
        Of the book that has no plan.
    say
        Called with a sentence of progress.
    """
    found = RepairSearch(trials, say)
    found.run()
    return found


def without_more_than_needed(repairs: Sequence[Repair]) -> list[Repair]:
    """Return the repairs that change no cell beyond those of another one."""
    return [one for one in repairs if not any(other.key < one.key for other in repairs)]
