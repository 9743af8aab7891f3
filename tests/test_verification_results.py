"""The independent check of malformed, rounded, retyped and large result tables."""

from __future__ import annotations

import time

import numpy as np
import pytest

from model.result_schema import RESULT_BY_NAME
from model.tables import Tables
from model.verification import verify_solution
from tests.audited_book import audit_records, audit_tables
from tests.audited_plan import complete, decide
from tests.audited_reference import Reference
from tests.auditing import BBB_NDPR, Results, add_to, audit, audit_results, in_results, set_cell
from tests.large_plan import large_results, large_tables


def test_every_cell_of_the_results_is_checked() -> None:
    """Whatever cell is changed, the plan no longer passes; only the marginal cost has nothing to be compared with."""
    unchecked = set()
    for table in RESULT_BY_NAME.values():
        for column in table.columns:
            if table.name == "checks" or column.name == "marginal_cost":
                continue
            amount = {"share": 0.01, "year": 1}.get(column.unit, 10.0) if column.unit else "nonsense"
            if audit_results(in_results(table.name, column.name, amount, row=1)).passed:
                unchecked.add((table.name, column.name))
    assert unchecked == set()


@pytest.mark.parametrize("amount", ["text", "nan", "inf", "none"])
def test_cells_that_are_no_numbers_fail_and_do_not_crash(amount: str) -> None:
    value = {"text": "plenty", "nan": np.nan, "inf": -np.inf, "none": None}[amount]
    for table in RESULT_BY_NAME.values():
        for column in table.columns:
            may_be_blank = column.name in ("use", "share", "slack", "marginal_cost")
            if table.name == "checks" or not column.unit or (may_be_blank and amount in ("nan", "none")):
                continue
            report = audit_results(set_cell(table.name, column.name, value, 1))
            assert "numbers_finite" in report.failed_rules, (table.name, column.name)


def test_blank_codes_fail_and_do_not_crash() -> None:
    for table, column in (
        ("feed", "host"),
        ("deliveries", "market"),
        ("purchases", "offered_to"),
        ("plants", "line"),
        ("costs", "component"),
    ):
        report = audit_results(set_cell(table, column, None, 1))
        assert "codes_known" in report.failed_rules, (table, column)


@pytest.mark.parametrize("table", [name for name in RESULT_BY_NAME if name != "checks"])
def test_missing_table_or_column_fails_and_does_not_crash(table: str) -> None:
    assert "tables_complete" in audit_results(lambda frames: frames.pop(table)).failed_rules
    last = RESULT_BY_NAME[table].names[-1]
    report = audit_results(lambda frames: frames.update({table: frames[table].drop(columns=last)}))
    assert f"tables_complete: Every result table and column is there. Not so at {table}: no column {last}" in report.failures[0]


def test_no_results_at_all_fail_and_do_not_crash() -> None:
    report = verify_solution(audit_tables(), {}, None)
    assert {"tables_complete", "demand_balance", "host_count_minimum"} <= set(report.failed_rules)


def test_row_order_index_and_dtypes_do_not_matter() -> None:
    def scramble(frames: Results) -> None:
        for name, frame in frames.items():
            frames[name] = frame.sample(frac=1, random_state=3).convert_dtypes()

    assert audit_results(scramble).failures == []
    assert audit_results(lambda frames: frames.update({name: frame.astype(object) for name, frame in frames.items()})).failures == []


def test_tables_with_string_dtype_and_scattered_index_pass() -> None:
    def retype(tables: Tables) -> Tables:
        return tables.with_frames(**{name: frame.convert_dtypes().set_index(frame.index * 7) for name, frame in tables.frames.items()})

    assert audit(tables=retype).failures == []


@pytest.mark.parametrize(("amount", "passes"), [(5e-4, True), (-5e-4, True), (2e-3, False), (-2e-3, False)])
def test_balances_let_pass_the_solver_tolerance_and_no_more(amount: float, passes: bool) -> None:
    assert audit(decisions=add_to("surplus", BBB_NDPR, {"tonnes": amount})).passed is passes


@pytest.mark.parametrize(("amount", "passes"), [(1e-3, True), (5e-3, False)])
def test_objective_lets_pass_rounding_and_no_more(amount: float, passes: bool) -> None:
    assert audit(objective=amount).passed is passes


def test_objective_left_out_is_not_tested() -> None:
    book = audit_records()
    reference = Reference(book, {})
    frames, _ = complete(reference, decide(reference))
    report = verify_solution(audit_tables(book), frames, None)
    tested = report.table.set_index("check")["tested"]
    assert report.passed
    assert tested[["objective_total", "objective_recomputed"]].tolist() == [0, 0]


def test_large_plan_is_checked_in_time() -> None:
    tables, results = large_tables(), large_results(feed_rows=50_000, delivery_rows=10_000)
    seconds = []
    for _ in range(3):
        began = time.process_time()
        report = verify_solution(tables, results, 1.0)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 1.5
    assert report.table.set_index("check").loc["feed_china_content", "tested"] == 50_000
    assert not report.passed
