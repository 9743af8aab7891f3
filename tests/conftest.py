"""What several test files read, made once and not to be changed: plans, their workbooks, runs and an input book."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.workbook import Workbook

from model import block_program, decomposition, master_program
from model.outcome import Status
from model.planner import Plan, solve
from model.report import write_report
from model.run_reading import Run, read_run
from model.template import write_book
from model.verification import VerificationReport
from model.workers import Workers
from tests.compared import CAP, PRICES, written
from tests.reported import CAPS_OF_EVERY_KIND, NASTY, renamed, write
from tests.small import EXACT
from tests.tiny import RECORDS, scarce_suppliers, tiny_tables

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # as where a shell started the tests in the background: those that press Ctrl-C would wait for ever
    signal.signal(signal.SIGINT, signal.default_int_handler)

# --- solution workbooks ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def report_plan() -> Plan:
    return solve(tiny_tables())


@pytest.fixture(scope="session")
def report_nasty() -> Plan:
    return solve(tiny_tables(**renamed(RECORDS, NASTY)))


@pytest.fixture(scope="session")
def report_short() -> Plan:
    """Return a plan with shortages, two plants and a cap of every kind."""
    return solve(tiny_tables(suppliers=scarce_suppliers(), caps=CAPS_OF_EVERY_KIND))


@pytest.fixture(scope="session")
def report_bare() -> Plan:
    """Return a plan without plants."""
    return solve(tiny_tables({"max_plants": 0}, caps=[]))


@pytest.fixture(scope="session")
def report_impossible() -> Plan:
    rule = {
        "rule_id": "F",
        "host": "AAA_PORT",
        "rule": "force_plant",
        "to_year": 2030,
        "value": 99999,
        "value_unit": "t REO/y",
        "reason": "test",
    }
    return solve(tiny_tables(host_rules=[rule]))


@pytest.fixture(scope="session")
def report_books(
    tmp_path_factory: pytest.TempPathFactory,
    report_plan: Plan,
    report_nasty: Plan,
    report_short: Plan,
    report_bare: Plan,
    report_impossible: Plan,
) -> dict[str, Path]:
    """Return the workbook of each plan."""
    place = tmp_path_factory.mktemp("books")
    plans = {"plan": report_plan, "nasty": report_nasty, "short": report_short, "bare": report_bare, "impossible": report_impossible}
    return {name: write(each, place / name, reference_cost=600.0) for name, each in plans.items()}


# --- runs to compare -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def runs_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def compared_plans(runs_at: Path) -> dict[str, Plan]:
    return {
        "first": written(tiny_tables(), runs_at / "first"),
        "again": written(tiny_tables(), runs_at / "again"),
        "capped": written(tiny_tables(**CAP), runs_at / "capped"),
        "both": written(tiny_tables({"max_plants": 1}, **CAP, **PRICES), runs_at / "both"),
        "bare": written(tiny_tables({"max_plants": 0}, caps=[], host_rules=[], stockpiles=[]), runs_at / "bare"),
    }


@pytest.fixture(scope="session")
def compared_runs(runs_at: Path, compared_plans: dict[str, Plan]) -> dict[str, Run]:
    return {name: read_run(runs_at / name) for name in compared_plans}


@pytest.fixture(scope="session")
def doubtful_runs(runs_at: Path, compared_plans: dict[str, Plan]) -> dict[str, Run]:
    """Return a run stopped at a plan without plants, and one that fails verification."""
    first = compared_plans["first"]
    bare = solve(tiny_tables(), EXACT, held=True)
    stopped = replace(bare, solution=replace(bare.solution, status=Status.LIMIT, bound=first.solution.bound))
    checks = first.verification.table.copy()
    checks.loc[checks["check"] == "china_cap", "verdict"] = "FAIL"
    broken = replace(first, verification=VerificationReport(checks, ["china_cap: broken for the test"]))
    for name, plan in (("stopped", stopped), ("broken", broken)):
        write_report(plan, runs_at / name, {"status": str(plan.solution.status)}, "", Path("tiny.xlsx"))
    return {name: read_run(runs_at / name) for name in ("stopped", "broken")}


# --- an input book ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def written_tiny_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "tiny.xlsx"
    write_book(tiny_tables(), path)
    return path


@pytest.fixture(scope="session")
def opened_tiny_book(written_tiny_book: Path) -> Workbook:
    return openpyxl.load_workbook(written_tiny_book)


# --- parted programs -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared() -> Iterator[Workers]:
    """Two processes in which others may be at work too."""
    with Workers(2, is_shared=True) as workers:
        yield workers


@pytest.fixture
def part_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Part small models too, and forget cuts and covers early."""
    monkeypatch.setattr(decomposition, "FEWEST_BLOCKS", 1)
    monkeypatch.setattr(decomposition, "LARGEST_SHARE", 1.0)
    monkeypatch.setattr(master_program, "MOST_CUTS", 6)
    monkeypatch.setattr(master_program, "IDLE_SOLVES", 2)
    monkeypatch.setattr(block_program, "MOST_COVERS", 3)
