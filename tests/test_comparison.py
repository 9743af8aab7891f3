"""Two runs set side by side: how a run is read, changed cells and their causes, changed decisions."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from model import command
from model.comparison import Cause, apply_cause, changed_cells, find_causes, plant_changes, side_by_side
from model.outcome import Status
from model.planner import solve
from model.problem_builder import build_problem
from model.report import write_report
from model.run_reading import RunError, read_run
from tests.compared import CAP, PRICES, written
from tests.small import EXACT
from tests.tiny import RECORDS, YEARS, tiny_tables

# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["first", "both", "bare"])
def test_a_run_reads_back_as_it_was(compared_runs, compared_plans, name):
    run, plan = compared_runs[name], compared_plans[name]
    assert run.cost == pytest.approx(plan.solution.objective, rel=1e-9)
    assert sorted(run.plants) == sorted(plan.solution.tables["builds"].itertuples(index=False, name=None))
    assert build_problem(run.tables) == build_problem(plan.tables)
    for table in ("feed", "deliveries", "purchases", "unmet"):
        assert run.results[table]["tonnes"].sum() == pytest.approx(plan.solution.tables[table]["tonnes"].sum())
    assert run.name == name


def test_what_is_known_of_a_run_is_read_back(compared_runs, compared_plans, doubtful_runs):
    first = compared_runs["first"]
    assert (first.proven, first.failed_rules) == (True, ())
    assert first.gap == pytest.approx(compared_plans["first"].solution.gap, abs=1e-9)
    stopped, broken = doubtful_runs["stopped"], doubtful_runs["broken"]
    assert not stopped.proven
    assert stopped.gap == pytest.approx(stopped.cost - first.cost)
    assert stopped.failed_rules == ()
    assert (broken.proven, broken.failed_rules) == (True, ("china_cap",))


def test_a_run_that_says_two_things_of_its_proof_has_no_known_gap(compared_runs, doubtful_runs):
    told = replace(compared_runs["first"], info={"status": str(Status.LIMIT)})
    assert not told.proven
    assert math.isnan(told.gap)
    assert math.isnan(replace(doubtful_runs["stopped"], figures={}).gap)


def test_a_workbook_may_be_named_instead_of_its_folder(runs_at, compared_runs):
    assert read_run(runs_at / "first" / "solution.xlsx").cost == compared_runs["first"].cost


def test_what_is_no_run_is_refused(tmp_path, runs_at, compared_plans, capsys):
    with pytest.raises(RunError, match="is no run"):
        read_run(tmp_path)
    other = openpyxl.Workbook()
    other.save(tmp_path / "other.xlsx")
    with pytest.raises(RunError):
        read_run(tmp_path / "other.xlsx")
    (tmp_path / "text.xlsx").write_text("no workbook")
    with pytest.raises(RunError, match="cannot be read"):
        read_run(tmp_path / "text.xlsx")
    assert command.main(["compare", str(runs_at / "first"), str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    assert "is no run" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_of_another_version_is_refused(tmp_path, runs_at, compared_plans):
    book = openpyxl.load_workbook(runs_at / "first" / "solution.xlsx")
    book["in_hosts"]["A4"] = "site"
    book.save(tmp_path / "renamed.xlsx")
    with pytest.raises(RunError, match="another version"):
        read_run(tmp_path / "renamed.xlsx")
    book = openpyxl.load_workbook(runs_at / "first" / "solution.xlsx")
    del book["in_hosts"]
    book.save(tmp_path / "lacking.xlsx")
    with pytest.raises(RunError, match="lacks in_hosts"):
        read_run(tmp_path / "lacking.xlsx")


def test_a_run_without_a_plan_is_refused(tmp_path):
    force = {
        "rule_id": "F",
        "host": "AAA_PORT",
        "rule": "force_plant",
        "to_year": 2031,
        "value": 50000,
        "value_unit": "t REO/y",
        "reason": "x",
    }
    plan = solve(tiny_tables(host_rules=[force]), EXACT)
    write_report(plan, tmp_path / "none", {}, "", Path("tiny.xlsx"))
    with pytest.raises(RunError, match="holds no plan"):
        read_run(tmp_path / "none")


# --- inputs ------------------------------------------------------------------------------------


def test_changed_cells_are_named_with_both_values(compared_runs):
    changes = changed_cells(compared_runs["first"].tables, compared_runs["capped"].tables)
    assert {(c.sheet, c.key, c.column, c.before, c.after) for c in changes} == {
        *(("caps", "FEED", year, 0.5, 0.2) for year in (2030, 2031, 2032)),
        ("caps", "EACH", 2031, 0.8, 0.5),
        ("caps", "EACH", 2032, 0.6, 0.3),
    }
    book = openpyxl.load_workbook(compared_runs["capped"].path)
    for change in changes:
        sheet, _, cell = change.cell.partition("!")
        assert book[sheet][cell].value == change.after


def test_the_same_inputs_have_no_changes(compared_runs):
    assert changed_cells(compared_runs["first"].tables, compared_runs["again"].tables) == []


def test_rows_are_matched_by_key_whatever_their_order():
    before = tiny_tables()
    after = tiny_tables(suppliers=[*reversed(RECORDS["suppliers"][1:]), {**RECORDS["suppliers"][0], "supplier": "OTHER"}])
    found = {(c.key, c.column, c.after) for c in changed_cells(before, after)}
    assert found == {("OTHER | Ce | *", "rows", "row"), ("CHINA | Ce | *", "rows", "no row")}


def test_a_setting_left_out_has_its_default():
    before = tiny_tables()
    settings = before["settings"]
    after = before.with_frames(settings=settings[settings["setting"] != "plant_life"])
    (change,) = changed_cells(before, after)
    assert (change.key, change.before, change.after, change.cell) == ("plant_life", 10.0, 20, "default")
    assert find_causes(before, after, [change]) == [Cause("settings", "plant_life")]


def test_what_cannot_move_the_plan_is_no_cause():
    before = tiny_tables()
    frames = {
        "hosts": before["hosts"].assign(name="Elsewhere", source="somebody else"),
        "published": before["published"].assign(value=1.0),
        "settings": before["settings"].assign(value=before["settings"]["value"].where(before["settings"]["setting"] != "threads", 2)),
    }
    after = before.with_frames(**frames)
    changes = changed_cells(before, after)
    assert {c.sheet for c in changes} == {"hosts", "published", "settings"}
    assert find_causes(before, after, changes) == []


def test_causes_applied_one_after_the_other_end_at_the_second_inputs():
    before = tiny_tables()
    demand = [row for row in RECORDS["demand"] if row["product"] != "Ce"] + [
        {"market": "USA", "sector": "ev", "product": "NdPr", 2030: 5, 2031: 5, 2032: 5}
    ]
    after = tiny_tables({"max_plants": 1, "plant_life": 12}, **CAP, **PRICES, demand=demand)
    changes = changed_cells(before, after)
    causes = find_causes(before, after, changes)
    assert [cause.words for cause in causes] == [
        "setting plant_life", "setting max_plants", "prices: years", "demand: rows added or removed", "caps: years",
    ]  # fmt: skip
    tables = before
    for cause in causes:
        tables = apply_cause(tables, after, cause)
    assert changed_cells(tables, after) == []
    a, b = build_problem(tables), build_problem(after)
    assert (a.demand, a.caps, a.price, a.max_plants) == (b.demand, b.caps, b.price, b.max_plants)


def test_a_sheet_with_other_years_is_one_cause():
    before, after = tiny_tables(), tiny_tables()
    caps = after["caps"].drop(columns=[2030])
    after = after.with_frames(caps=caps)
    causes = find_causes(before, after, changed_cells(before, after))
    assert causes == [Cause("caps", "all columns")]
    assert list(apply_cause(before, after, causes[0])["caps"].columns) == list(caps.columns)


# --- decisions ---------------------------------------------------------------------------------


def test_plants_are_matched_and_their_move_named(compared_runs):
    plants = compared_runs["first"].results["plants"]
    assert len(plants) > 0
    for years, words in ((2, "2 years later"), (1, "1 year later"), (-1, "1 year earlier")):
        moved = replace(
            compared_runs["first"], results={**compared_runs["first"].results, "plants": plants.assign(on_line=plants["on_line"] + years)}
        )
        assert plant_changes(compared_runs["first"], moved)["change"].tolist() == [words] * len(plants)
    for other, first, words in (("bare", "first", "new"), ("first", "bare", "gone"), ("first", "again", "same")):
        assert plant_changes(compared_runs[other], compared_runs[first])["change"].tolist() == [words] * len(plants)


def test_flows_are_summed_over_the_years(compared_runs):
    assert set(compared_runs["first"].problem.years_represented.values()) == {1}
    frame = side_by_side(compared_runs["first"], compared_runs["bare"], "feed", ("source_id", "host"))
    assert frame["before"].sum() == pytest.approx(compared_runs["first"].results["feed"]["tonnes"].sum())
    assert (frame["after"] == 0).all()
    assert side_by_side(compared_runs["first"], compared_runs["again"], "purchases", ("supplier",)).empty


def test_a_modelled_year_counts_for_the_years_that_it_stands_for(tmp_path):
    """The same tonnes bought every year, in one book year by year, in the other with 2031 left out: nothing has changed."""
    flat: dict[str, list] = {
        "demand": [{**row, **dict.fromkeys(YEARS, 600.0)} for row in RECORDS["demand"]],
        "suppliers": [{**row, **dict.fromkeys(YEARS, row[2030])} for row in RECORDS["suppliers"]],
        "prices": [{**row, **dict.fromkeys(YEARS, row[2030])} for row in RECORDS["prices"]],
    }
    for name, years in (("all", "all"), ("some", "2030,2032")):
        settings = {"max_plants": 0, "modelled_years": years}
        written(tiny_tables(settings, **flat, caps=[], host_rules=[], stockpiles=[]), tmp_path / name)
    every, some = read_run(tmp_path / "all"), read_run(tmp_path / "some")
    assert (len(every.problem.years), len(some.problem.years)) == (3, 2)
    assert every.cost == pytest.approx(some.cost)
    purchases = every.results["purchases"]
    assert purchases["tonnes"].sum() > 0
    assert side_by_side(every, some, "purchases", ("supplier", "product", "market")).empty
    none = replace(some, results={**some.results, "purchases": some.results["purchases"].iloc[:0]})
    frame = side_by_side(every, none, "purchases", ("supplier",))
    assert frame.set_index("supplier")["before"].to_dict() == pytest.approx(purchases.groupby("supplier")["tonnes"].sum().to_dict())
    frame = side_by_side(none, some, "purchases", ("supplier",))
    assert frame["after"].sum() == pytest.approx(purchases["tonnes"].sum()), "two modelled years count for all three"
