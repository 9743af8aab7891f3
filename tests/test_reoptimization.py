"""A search that begins with the parts that a neighbour's ended with: the parts are the whole, and the optimum is the same."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from model import part_program, reoptimization, searches, strategy, tree
from model.branching import Doubt, Question
from model.decomposed_program import DecomposedProgram
from model.hot_start import HotStart
from model.linear_program import StopSignal
from model.node import Node, Place, root_node
from model.outcome import Outcome, Status
from model.reoptimization import Parted, Partition, Split, partition_of
from model.tree import Tree
from tests import small
from tests.random_books import random_book
from tests.test_branching import two_hosts
from tests.test_exchanges_in_proof import weak_book
from tests.test_hot_start import moved

SEEDS = range(6)
NO_SHARE = {"country_share_limit": 1.0}


def held_tree(**settings: object) -> tuple[Tree, Node]:
    """Return a search of two hosts with two designs and two years that holds its root, and the root."""
    problem, matrix = two_hosts(**settings)
    searching, root = Tree(problem, matrix, small.EXACT, StopSignal(60.0), []), root_node(matrix, 0.0)
    assert searching.hold(root) is not None
    return searching, root


@pytest.fixture
def all_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave every question open at the root, which has answers to most in books so small."""
    monkeypatch.setattr(tree, "doubts_at", every_question)


def every_question(questions: Sequence[Question], *_: object) -> list[Doubt]:
    return [Doubt(number, question, 0.5) for number, question in enumerate(questions)]


def begin(searching: Tree, root: Node, *splits: Split, cutoff: float = 1e6, room: float = 1e6) -> list[Node]:
    """Begin with the parts of a search and return them."""
    searching.queue.clear()
    searching.begin(root, Partition(room, splits), cutoff)
    return list(searching.queue)


def random_splits(searching: Tree, seed: int, count: int = 12) -> tuple[Split, ...]:
    """Return a tree of random questions, some of which nobody can ask."""
    random = np.random.default_rng(seed)
    names = [(question.kind, question.name) for question in searching.lp_questions] + [("host", "plants at NOWHERE by 2031")]
    splits = [
        Split(names[random.integers(len(names) - (not number))], float(number and random.integers(3)), float(number))
        for number in range(count)
    ]
    free = [(0, 0), (0, 1)]
    for number in range(1, count):
        above, side = free.pop(random.integers(len(free)))
        sides = list(splits[above].sides)
        sides[side] = number
        splits[above] = replace(splits[above], sides=(sides[0], sides[1]))
        free += [(number, 0), (number, 1)]
    return tuple(splits)


def holds(part: Node, plan: np.ndarray) -> bool:
    """Whether a plan belongs to a part."""
    within = (part.lower <= plan).all() and (plan <= part.upper).all()
    sums = {count: plan[count.places].sum() if count.weights is None else count.weights @ plan for count in part.limits}
    return bool(within) and all(low - 1e-9 <= sums[count] <= high + 1e-9 for count, (low, high) in part.limits.items())


@pytest.mark.usefixtures("all_open")
@pytest.mark.parametrize("seed", range(30))
def test_the_parts_are_the_whole_and_share_no_plan(seed: int):
    searching, root = held_tree(**NO_SHARE)
    parts = begin(searching, root, *random_splits(searching, seed))
    assert len(parts) > 1
    for plan in itertools.product((0.0, 1.0), repeat=root.lower.size):
        assert sum(holds(part, np.array(plan)) for part in parts) == 1


@pytest.mark.usefixtures("all_open")
@pytest.mark.parametrize("seed", range(10))
def test_the_parts_hold_every_plan_that_the_rules_allow(seed: int):
    """No country may hold more than 60 %: one plant cannot stand alone, and what an answer needs besides is stated with it."""
    searching, root = held_tree()
    parts = begin(searching, root, *random_splits(searching, seed))
    problem, columns = searching.problem, [searching.matrix.columns[column][1] for column in searching.whole]
    kept = 0
    for plan in itertools.product((0.0, 1.0), repeat=root.lower.size):
        by_host = [
            sum(problem.capacity[key[1]] for key, on in zip(columns, plan, strict=True) if on and key[0] == host)
            for host in ("HOST", "OTHER")
        ]
        if max(by_host) <= 0.6 * sum(by_host):
            # what stands by 2031 counts from 2031
            assert sum(holds(part, np.array(plan)) for part in parts) == 1
            kept += 1
    assert kept > 10


@pytest.mark.usefixtures("all_open")
def test_a_part_that_rose_above_the_room_is_not_parted_again():
    searching, root = held_tree(**NO_SHARE)
    on_line, larger = ("on line", "plants on line by 2031"), ("size", "plants of at least 3 kt by 2031")
    splits = (Split(on_line, 1.0, 0.0, (1, -1)), Split(larger, 0.0, 5.0))
    for room, parts in ((0.0, 1), (1.0, 2), (5.0, 2), (5.1, 3)):
        assert len(begin(searching, replace(root, bound=100.0), *splits, cutoff=100.0 + room)) == parts


@pytest.mark.usefixtures("all_open")
def test_a_search_with_far_less_room_is_no_guide():
    searching, root = held_tree(**NO_SHARE)
    split = Split(("on line", "plants on line by 2031"), 1.0, 0.0)
    for room, parts in ((10.0, 2), (14.9, 2), (15.0, 1), (100.0, 1)):
        assert len(begin(searching, replace(root, bound=100.0), split, cutoff=100.0 + room, room=10.0)) == parts


def test_only_what_the_root_leaves_open_is_asked(monkeypatch: pytest.MonkeyPatch):
    searching, root = held_tree(**NO_SHARE)
    on_line, larger = ("on line", "plants on line by 2031"), ("size", "plants of at least 3 kt by 2031")
    splits = (Split(on_line, 1.0, 0.0, (1, -1)), Split(larger, 0.0, 0.0))
    for names, parts in (((), 1), ((on_line,), 2), ((larger,), 1), ((larger, on_line), 3)):
        monkeypatch.setattr(
            tree, "doubts_at",
            lambda questions, *_, names=names: [Doubt(n, asked, 0.5) for n, asked in enumerate(questions) if (asked.kind, asked.name) in names],
        )  # fmt: skip
        assert len(begin(searching, root, *splits)) == parts


def test_a_root_that_costs_too_much_is_not_parted():
    searching, root = held_tree(**NO_SHARE)
    fresh = Tree(searching.problem, searching.matrix, small.EXACT, StopSignal(60.0), [])
    split = Split(("on line", "plants on line by 2031"), 1.0, 0.0)
    assert begin(fresh, replace(root, bound=100.0), split, cutoff=100.0) == [replace(root, bound=100.0)]
    assert fresh.epoch < 0, "no linear program is made for it"
    fresh.stop.raise_by_hand()
    assert begin(fresh, root, split) == [root]
    assert fresh.epoch < 0, "nor once the search is asked to stop"
    untold = Tree(searching.problem, searching.matrix, small.EXACT, StopSignal(60.0), [])
    untold.begin(root, None, 1e6)
    assert list(untold.queue) == [root]


@pytest.mark.usefixtures("all_open")
def test_parts_that_cannot_be_are_left_out():
    """The same single build ruled out and then asked about again."""
    searching, root = held_tree(**NO_SHARE)
    single = next(question for question in searching.lp_questions if question.columns.size == 1)
    splits = (Split((single.kind, single.name), 0.0, 0.0, (1, -1)), Split((single.kind, single.name), 0.0, 0.0))
    assert sorted((part.lower.sum(), part.upper.sum()) for part in begin(searching, root, *splits)) == [(0.0, 7.0), (1.0, 8.0)]


@pytest.mark.usefixtures("all_open", "part_anything")
@pytest.mark.parametrize("from_columns", [0, 10**9])
def test_a_part_learns_nothing_about_questions_that_it_was_not_asked(from_columns: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(part_program, "DECOMPOSE_FROM", from_columns)
    searching, root = held_tree(**NO_SHARE)
    parts = begin(searching, root, *random_splits(searching, 0))
    assert (searching.parted is not None) == (from_columns == 0)
    assert len(parts) > 1
    assert all(part.answer is None and part.bound == root.bound for part in parts)


@pytest.mark.usefixtures("all_open")
def test_the_splits_of_what_was_begun_with_are_those_that_were_told():
    for seed in range(10):
        searching, root = held_tree(**NO_SHARE)
        root = replace(root, bound=100.0)
        splits = random_splits(searching, seed)
        begin(searching, root, *splits)
        told = partition_of(searching.splits, root.bound, 1e6)
        assert told is not None
        assert [split.rise for split in told.splits] == sorted(split.rise for split in told.splits)
        assert {(split.question, split.rise) for split in told.splits} <= {(split.question, split.rise) for split in splits}
        again, _ = held_tree(**NO_SHARE)
        again.begin(root, told, 1e6)
        as_told, as_noted = (
            sorted((p.lower.sum(), p.upper.sum(), *sorted(p.limits.values())) for p in each.queue) for each in (searching, again)
        )
        assert as_told == as_noted


def test_the_questions_asked_where_the_bound_was_lowest_are_handed_on(monkeypatch: pytest.MonkeyPatch):
    searching, _ = held_tree(**NO_SHARE)
    doubt = Doubt(0, searching.lp_questions[0], 0.5)
    places = [Place() for _ in range(6)]
    parted = {
        None: Parted(doubt, 10.0, (places[0], places[1])),
        places[0]: Parted(doubt, 15.0, (places[2], places[3])),
        places[1]: Parted(doubt, 12.0, (places[4], places[5])),
        places[5]: Parted(doubt, 13.0, (Place(), Place())),
        Place(): Parted(doubt, 0.0, (Place(), Place())),
    }
    told = partition_of(parted, 10.0, 16.0)
    assert told is not None
    assert told.room == 6.0
    assert [(split.rise, split.sides) for split in told.splits] == [(0.0, (3, 1)), (2.0, (-1, 2)), (3.0, (-1, -1)), (5.0, (-1, -1))]
    monkeypatch.setattr(reoptimization, "MOST_SPLITS", 2)
    fewer = partition_of(parted, 10.0, 16.0)
    assert fewer is not None
    assert [(split.rise, split.sides) for split in fewer.splits] == [(0.0, (-1, 1)), (2.0, (-1, -1))]
    assert partition_of({}, 10.0, 16.0) is None


Limits = dict[tuple[int, ...], tuple[float, float]]


def limits_of(part: Node) -> Limits:
    return {tuple(count.places.tolist()): limits for count, limits in part.limits.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_parts_that_a_search_ended_with_are_those_that_another_begins_with(monkeypatch: pytest.MonkeyPatch, seed: int):
    solved = weak(seed)
    searching, root = Tree(solved.problem, solved.matrix, small.EXACT, StopSignal(60.0), []), root_node(solved.matrix, -np.inf)
    assert searching.hold(root) is not None
    root, made, answer = replace(root, bound=searching.lp.objective), {}, Tree._answer

    def noted(self: Tree, *words: object) -> Node:
        part = answer(self, *words)
        made[part.place] = part
        return part

    monkeypatch.setattr(Tree, "_answer", noted)
    cutoff = solved.cost + 1e-6
    searching.queue.push(root)
    searching.search(cutoff, 1000, 10**9, lambda _: cutoff)
    halves = [place for parted in searching.splits.values() for place in parted.places]
    ends = [limits_of(made[place]) for place in halves if place not in searching.splits]
    told = partition_of(searching.splits, root.bound, cutoff)
    assert told is not None
    assert 0.0 < max(split.rise for split in told.splits) < told.room
    again = Tree(solved.problem, solved.matrix, small.EXACT, StopSignal(60.0), [])
    monkeypatch.setattr(tree, "doubts_at", every_question)
    again.begin(root, told, cutoff)
    begun = [limits_of(part) for part in again.queue]
    assert len(begun) > 2
    # a single build ruled out and asked for again is left out
    assert all(begun.count(limits) <= ends.count(limits) for limits in begun)
    assert len(ends) - len(begun) <= sum(split.question[0] == "single" for split in told.splits)


# --- whole solves ------------------------------------------------------------------------------


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make small models go through every step, and let the proof find every plan but that without plants."""
    monkeypatch.setattr(strategy, "FEW_WHOLE_COLUMNS", -1)
    monkeypatch.setattr(strategy._Strategy, "_find_first", lambda *_: None)
    monkeypatch.setattr(tree, "SMALL_PART", 0)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many parts each proof began with."""
    counts: list[int] = []
    begin = Tree.begin

    def counted(self: Tree, *words: object) -> None:
        begin(self, *words)
        counts.append(len(self.queue))

    monkeypatch.setattr(Tree, "begin", counted)
    return counts


def proven(solved: small.Solved, hot: HotStart | None = None, threads: int = 1) -> Outcome:
    return strategy.solve_problem(solved.problem, solved.matrix, replace(small.EXACT, threads=threads), hot=hot)


@functools.cache
def weak(seed: int) -> small.Solved:
    """Return plain facility location without the rows that make it easy, as HiGHS solves it with them."""
    solved, matrix = weak_book(seed)
    return replace(solved, matrix=matrix)


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_search_that_begins_with_the_parts_of_another_finds_the_same_plan(begun: list[int], threads: int):
    """Of the same problem, and of every other of the kind, however little its parts suit."""
    hots = [proven(weak(seed)).hot for seed in SEEDS]
    assert all(hot is not None and hot.partition for hot in hots)
    assert begun == [1] * len(SEEDS)
    begun.clear()
    for seed, hot in itertools.product(SEEDS, hots):
        assert hot is not None
        assert hot.partition is not None
        # whatever room there was: without its plans, which suit none of the others, there is far more at first
        found = proven(weak(seed), replace(hot, plans=(), partition=replace(hot.partition, room=np.inf)), threads)
        assert found.status is Status.OPTIMAL
        assert found.objective == small.approx(weak(seed).cost)
    assert sum(count > 1 for count in begun) > len(SEEDS)


@pytest.mark.usefixtures("prepared")
def test_a_search_learns_where_the_same_one_parted(begun: list[int]):
    for seed in SEEDS:
        hot = proven(weak(seed)).hot
        assert proven(weak(seed), hot).objective == small.approx(weak(seed).cost)
    assert begun[::2] == [1] * len(SEEDS)
    assert min(begun[1::2]) > 1


@pytest.mark.usefixtures("prepared", "part_anything")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_parted_program_begins_with_the_parts_of_a_neighbour(begun: list[int], monkeypatch: pytest.MonkeyPatch, threads: int):
    monkeypatch.setattr(part_program, "DECOMPOSE_FROM", 0)
    monkeypatch.setattr(searches, "ROUND_NODES", 1)
    parted = 0
    program_of = tree.program_of

    def counted(*words: object) -> object:
        nonlocal parted
        program = program_of(*words)
        parted += isinstance(program, DecomposedProgram)
        return program

    monkeypatch.setattr(tree, "program_of", counted)
    for seed in range(20):
        tables = random_book(seed)
        first, second = small.solve_book(tables), small.solve_book(moved(tables, np.random.default_rng(seed)))
        hot = proven(first).hot
        if hot is None or hot.partition is None:
            continue
        wide = replace(hot, plans=(), partition=replace(hot.partition, room=np.inf))
        for solved in (first, second):
            found = proven(solved, wide, threads)
            assert found.status is (Status.OPTIMAL if solved.outcome.status.has_plan else Status.INFEASIBLE)
            if found.status.has_plan:
                assert found.objective == small.approx(solved.cost)
    assert parted > 10
    assert sum(count > 1 for count in begun) >= 3


@pytest.mark.usefixtures("prepared")
def test_what_all_searches_parted_is_handed_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(searches, "ROUND_NODES", 1)
    made: list[Tree] = []
    twin = Tree.twin
    monkeypatch.setattr(Tree, "twin", lambda self: made.append(twin(self)) or made[-1])
    shared = 0
    for seed in SEEDS:
        made.clear()
        hot = proven(weak(seed), threads=2).hot
        assert hot is not None
        assert hot.partition is not None
        elsewhere = sum(len(each.splits) for each in made)
        assert len(hot.partition.splits) > elsewhere
        reached = {split.question for split in hot.partition.splits}
        assert {(parted.doubt.question.kind, parted.doubt.question.name) for each in made for parted in each.splits.values()} <= reached
        shared += elsewhere > 0
    assert shared > 0


@pytest.mark.usefixtures("prepared")
def test_a_root_that_could_not_be_solved_is_not_parted(monkeypatch: pytest.MonkeyPatch):
    """Its program has no point that could say what is open."""
    solved = weak(0)
    hot = proven(solved).hot
    hold, begin = Tree.hold, Tree.begin
    told: list[object] = []
    monkeypatch.setattr(Tree, "hold", lambda self, node: (hold(self, node), None)[1])
    monkeypatch.setattr(
        Tree, "begin", lambda self, whole, partition, cutoff: told.append(partition) or begin(self, whole, partition, cutoff)
    )
    assert proven(solved, hot).objective == small.approx(solved.cost)
    assert told == [None]
