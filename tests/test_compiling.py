"""What is compiled after other caps is what is compiled by itself, number by number."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from model import compiling
from model.compiling import compile_tables, with_caps
from model.formulation import build_model
from model.goal import LEAST_COST, Goal
from model.matrix import Matrix, compile_model
from model.planner import solve
from model.problem_builder import build_problem
from model.studies.cap_levels import cap_scopes, with_cap_level
from model.tables import Tables
from tests import small
from tests.random_books import random_book, random_sheets

LEVELS = (1.0, 0.0, 0.4, 0.15, 0.0, 0.4)
VECTORS = ("cost", "row_lower", "row_upper", "lower", "upper", "integer")


@pytest.fixture(autouse=True)
def nothing_compiled_before() -> None:
    compiling._Last.compiled = ()


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Tables]:
    """Tables whose model was built from the ground."""
    found: list[Tables] = []

    def building(tables: Tables) -> object:
        found.append(tables)
        return build_problem(tables)

    monkeypatch.setattr(compiling, "build_problem", building)
    return found


def swept(tables: Tables, scopes: str) -> Iterator[Tables]:
    """Yield the tables themselves and under caps of several scopes and levels, the scopes in turn."""
    yield tables
    tables = tables.with_settings(frontier_scopes=scopes)
    for level in LEVELS:
        for scope in cap_scopes(tables):
            yield with_cap_level(tables, scope, level)


def assert_same(one: Matrix, other: Matrix) -> None:
    for name in VECTORS:
        left, right = getattr(one, name), getattr(other, name)
        assert np.array_equal(left, right), name
        assert left.dtype == right.dtype, name
    for name in ("data", "indices", "indptr"):
        left, right = getattr(one.a, name), getattr(other.a, name)
        assert np.array_equal(left, right), name
        assert left.dtype == right.dtype, name
    assert one.a.shape == other.a.shape
    assert (one.columns, one.rows, one.offset) == (other.columns, other.rows, other.offset)


@pytest.mark.parametrize("seed", range(8))
def test_no_number_depends_on_what_was_compiled_before(seed: int, built: list[Tables]) -> None:
    book = random_book(seed)
    product = next(name for name in book["elements"]["product"] if name)
    asked = list(swept(book, f"tonnes, value, every_product, feedstock, {product}"))
    for tables in asked:
        problem, matrix = compile_tables(tables, LEAST_COST)
        fresh = build_problem(tables)
        assert problem == fresh
        assert_same(matrix, compile_model(build_model(fresh)))
    assert len(built) < len(asked), "levels of one scope are compiled from each other"


def one_product_book(seed: int, caps: list[small.Row]) -> Tables:
    """Return a random book whose hosts make neodymium alone: what caps leave of its surplus is at stake."""
    sheets, settings = random_sheets(seed)
    sheets = {sheet: [row for row in rows if row.get("product", "Nd") == "Nd"] for sheet, rows in sheets.items()}
    sheets["elements"] = [small.element("Nd")]
    sheets["composition"] = [{"source_id": row["source_id"], "Nd": 1.0} for row in sheets["composition"]]
    for design in sheets["designs"]:
        design["minimum_use"] = 0
    return small.book(settings, **{**sheets, "caps": caps})


def capped_from(year: int, basis: str, limit: float) -> small.Row:
    """Return a cap that says nothing before a year."""
    cap = small.cap(basis, "tonnes", "all", limit)
    return {key: 1.0 if isinstance(key, int) and key < year else value for key, value in cap.items()}


@pytest.mark.parametrize("seed", range(6))
def test_surplus_and_limits_that_caps_decide_are_those_of_the_caps(seed: int) -> None:
    """A year without a cap needs neither the surplus of a host that makes one product nor some limits; a neighbour's year with one does."""
    always = {**small.cap("supply", "tonnes", "all", 0.9), "cap": "ALWAYS"}
    for basis in ("feedstock", "supply"):
        for year, limit in ((2030, 1.0), (2033, 0.5), (2030, 0.5), (2033, 0.2), (2030, 1.0)):
            tables = one_product_book(seed, [{**always, 2030: 1.0}, capped_from(year, basis, limit)])
            problem, matrix = compile_tables(tables, LEAST_COST)
            assert_same(matrix, compile_model(build_model(problem)))


def test_a_cap_that_every_feed_just_meets_has_no_row() -> None:
    """Half of each kilogram is Chinese, and half may be."""
    for limit, held in ((0.4, True), (0.5, False), (0.6, True)):
        feed = {**small.cap("feedstock", "tonnes", "all", limit), "cap": "FEED"}
        caps = [feed, small.cap("supply", "tonnes", "all", 0.9)]
        problem, matrix = compile_tables(small.book(sources=[small.source("MIXED", china_linked=0.5)], caps=caps), LEAST_COST)
        assert_same(matrix, compile_model(build_model(problem)))
        assert (("china_cap", ("FEED", "", 2030)) in matrix.rows) == held


@pytest.mark.parametrize("limits", [(0.5, 1.0), (1.0, 0.5)])
def test_a_cap_that_comes_or_goes_takes_the_columns_that_it_counts_along(limits: tuple[float, float]) -> None:
    """The feed is capped in any case, so that nothing but the Chinese part of what is delivered tells the books apart."""
    feed = {**small.cap("feedstock", "tonnes", "all", 0.9), "cap": "FEED"}
    sizes = set()
    for limit in limits:
        caps = [feed, small.cap("supply", "tonnes", "all", limit)]
        problem, matrix = compile_tables(small.book(sources=[small.source("DIRTY", china_linked=1)], caps=caps), LEAST_COST)
        assert_same(matrix, compile_model(build_model(problem)))
        sizes.add(len(matrix.columns))
    assert len(sizes) == 2


def test_a_tight_cap_costs_the_same_after_a_loose_one() -> None:
    """A surplus of dirty oxide would have to be made beside clean oxide at no host; a matrix that leaves it out costs twice as much."""

    def book(limit: float) -> Tables:
        feed = {**small.cap("feedstock", "tonnes", "all", limit), "cap": "FEED", 2030: 1.0}
        return small.book(
            {"last_year": 2031, "modelled_years": "all"},
            sources=[small.source("CLEAN", fixed_price=20), small.source("DIRTY", fixed_price=20, china_linked=1)],
            hosts=[small.host("A", country="AAA"), small.host("B", country="BBB")],
            suppliers=[small.supplier(tonnes=1)],
            route_costs=[
                {"leg": "feed", "origin": "CLEAN", "destination": "B", "cost": None},
                {"leg": "feed", "origin": "DIRTY", "destination": "A", "cost": None},
            ],
            host_rules=[small.rule("export_ceiling", 100, "A")],
            demand=[small.demand(1000)],
            caps=[{**small.cap("supply", "tonnes", "all", 0.9), "cap": "SUPPLY", 2031: 1.0}, feed],
        )  # fmt: skip

    fresh = solve(book(0.5), small.EXACT)
    compiling._Last.compiled = ()
    solve(book(1.0), small.EXACT)
    after = solve(book(0.5), small.EXACT)
    assert after.solution.objective == small.approx(fresh.solution.objective)
    assert after.solution.objective == small.approx(96.0)


def test_nothing_else_of_a_model_reads_the_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes something else of caps must say so where matrices are compiled from each other."""
    read: set[str] = set()

    class Watched(tuple):
        def __iter__(self) -> Iterator:
            read.add(sys._getframe(1).f_globals["__name__"])
            return super().__iter__()

    problem = build_problem(random_book(3))
    assert problem.caps
    build_model(replace(problem, caps=Watched(problem.caps)))
    assert read == {"model.attribution", "model.formulation_policy", "model.idle"}


def test_models_of_sweeps_that_take_turns_are_all_kept(built: list[Tables]) -> None:
    others = [replace(LEAST_COST, excluded_host_sets=(frozenset({nowhere}),)) for nowhere in ("nowhere", "elsewhere")]
    goals = (LEAST_COST, *others)
    tables = random_book(3).with_settings(frontier_scopes="value")
    (scope,) = cap_scopes(tables)
    for level in (0.5, 0.0, 0.25, 0.4):
        for goal in goals:
            compile_tables(with_cap_level(tables, scope, level), goal)
    assert len(built) == 3
    assert len(compiling._Last.compiled) == compiling.KEPT == 3
    compile_tables(random_book(4), LEAST_COST)
    assert [kept.goal for kept in compiling._Last.compiled] == [LEAST_COST, *others[::-1]], "the one used least lately went"


def test_of_large_models_only_the_one_at_hand_is_kept(built: list[Tables], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "MOST_KEPT", 0)
    for seed in (3, 4):
        compile_tables(random_book(seed), LEAST_COST)
        assert len(compiling._Last.compiled) == 1
    assert compiling._Last.compiled[0].tables is built[-1]


def test_levels_of_one_scope_are_compiled_from_each_other(built: list[Tables]) -> None:
    tables = random_book(3).with_settings(frontier_scopes="value")
    (scope,) = cap_scopes(tables)
    for level in (0.5, 0.0, 0.25, 0.4):
        compile_tables(with_cap_level(tables, scope, level), LEAST_COST)
    assert len(built) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda tables: tables.with_settings(discount_rate=0.031),
        lambda tables: tables.with_frames(prices=tables["prices"].assign(source="elsewhere")),
        lambda tables: tables.with_frames(demand=tables["demand"].iloc[1:]),
    ],
)
def test_whatever_else_changes_is_built_anew(change: Callable[[Tables], Tables], built: list[Tables]) -> None:
    tables = random_book(3).with_settings(frontier_scopes="value")
    (scope,) = cap_scopes(tables)
    compile_tables(with_cap_level(tables, scope, 0.5), LEAST_COST)
    other = with_cap_level(change(tables), scope, 0.25)
    compile_tables(other, LEAST_COST)
    assert built[-1] is other


def test_another_goal_is_built_anew(built: list[Tables]) -> None:
    tables = random_book(3)
    compile_tables(tables, LEAST_COST)
    goal = Goal(cost_budget=1e6)
    problem, matrix = compile_tables(tables, goal)
    assert len(built) == 2
    assert_same(matrix, compile_model(build_model(problem, goal)))


def test_a_cap_on_one_market_brings_columns_and_is_built_anew(built: list[Tables]) -> None:
    """A plan must then say to which market what is China-linked went."""
    book = random_book(2).with_settings(frontier_scopes="tonnes")
    tables = with_cap_level(book, cap_scopes(book)[0], 0.4)
    caps = tables["caps"].assign(scope="partner", member=book["markets"]["market"].iloc[0])
    other = tables.with_frames(caps=caps)
    compile_tables(tables, LEAST_COST)
    problem, matrix = compile_tables(other, LEAST_COST)
    assert len(built) == 2
    fresh = build_problem(other)
    assert problem == fresh
    assert_same(matrix, compile_model(build_model(fresh)))
    assert any(name == "china_delivered" for name, _ in matrix.columns)


def without(matrix: Matrix, dropped: np.ndarray) -> Matrix:
    """Return a matrix without the rows marked."""
    kept = np.flatnonzero(~dropped)
    return replace(
        matrix, a=matrix.a.tocsr()[kept].tocsc(), row_lower=matrix.row_lower[kept], row_upper=matrix.row_upper[kept],
        rows=tuple(matrix.rows[row] for row in kept),
    )  # fmt: skip


def test_where_columns_hang_on_the_caps_alone_more_than_their_rows_would_differ() -> None:
    """Made up: what is left out of a matrix when caps go, or where it stands, must not depend on them."""
    tables = random_book(3).with_settings(frontier_scopes="value")
    (scope,) = cap_scopes(tables)
    before, after = (build_problem(with_cap_level(tables, scope, level)) for level in (0.5, 0.25))
    matrix = compile_model(build_model(before))
    assert_same(with_caps(matrix, before, after), compile_model(build_model(after)))
    places = np.array([name for name, _ in matrix.rows])
    assert with_caps(without(matrix, places == "china_cap"), before, after) is None, "no place to put them"
    alone = without(replace(matrix, cost=np.zeros_like(matrix.cost)), places != "china_cap")
    assert with_caps(alone, before, after) is None, "columns in no other row"
    one = next(place for place, (name, _) in enumerate(matrix.columns) if name == "purchase")
    cost, entries = matrix.cost.copy(), matrix.a.tocoo()
    cost[one] = 0.0
    kept = (entries.col != one) | (places[entries.row] == "china_cap")
    capped = sp.coo_array((entries.data[kept], (entries.row[kept], entries.col[kept])), shape=entries.shape).tocsc()
    assert with_caps(replace(matrix, cost=cost, a=capped), before, after) is None, "one column in no other row"
    renamed = replace(matrix, columns=tuple(("other", index) if name == "purchase" else (name, index) for name, index in matrix.columns))
    assert with_caps(renamed, before, after) is None, "a flow in scope that the matrix does not have"


def test_where_a_cap_is_the_first_to_hold_a_variable_its_columns_would_move() -> None:
    tables = random_book(3).with_settings(frontier_scopes="value")
    (scope,) = cap_scopes(tables)
    before, after = (build_problem(with_cap_level(tables, scope, level)) for level in (0.5, 0.25))
    matrix = compile_model(build_model(before))
    purchases = np.flatnonzero([name == "purchase" for name, _ in matrix.columns])
    cost = matrix.cost.copy()
    cost[purchases] = 0.0
    capped = np.array([name == "china_cap" for name, _ in matrix.rows])
    holds = np.diff(matrix.a[:, purchases].tocsr().indptr) > 0
    # rows that hold a purchase come after the caps
    order = np.concatenate([np.flatnonzero(~holds | capped), np.flatnonzero(holds & ~capped)])
    moved = replace(
        matrix, cost=cost, a=matrix.a.tocsr()[order].tocsc(), row_lower=matrix.row_lower[order], row_upper=matrix.row_upper[order],
        rows=tuple(matrix.rows[row] for row in order),
    )  # fmt: skip
    assert with_caps(moved, before, after) is None
