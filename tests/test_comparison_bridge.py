"""The bridge between the costs of two runs: it adds up by its formulas, in the workbook, in words and in LibreOffice."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from model import command, comparison, report_comparison
from model.comparison import Cause, attribute, changed_cells, find_causes
from model.comparison_words import Comparison, describe
from model.outcome import Status
from model.planner import options_from, solve
from model.problem import COMPONENTS
from model.report_comparison import PARTS, write_comparison
from model.run_reading import Run, read_run
from tests.compared import CAP, PRICES, written
from tests.office import convert, convert_all
from tests.reported import without_cached_values
from tests.small import EXACT
from tests.tiny import RECORDS, tiny_tables

# --- the bridge --------------------------------------------------------------------------------


def test_every_cost_line_belongs_to_one_part():
    listed = [component for components in PARTS.values() for component in components]
    assert sorted(listed) == sorted(COMPONENTS)


def compare(runs: dict[str, Run], first: str, second: str) -> Comparison:
    before, after = runs[first], runs[second]
    changes = changed_cells(before.tables, after.tables)
    causes = find_causes(before.tables, after.tables, changes)
    return Comparison(before, after, changes, len(causes), attribute(before, after, causes, options_from(after.tables)))


def test_each_cause_costs_what_solving_after_it_says(compared_runs, compared_plans):
    found = compare(compared_runs, "first", "both")
    assert [step.causes for step in found.steps] == [
        (Cause("settings", "max_plants"),), (Cause("prices", "years"),), (Cause("caps", "years"),),
    ]  # fmt: skip
    after_first = solve(tiny_tables({"max_plants": 1}), EXACT).solution.objective
    after_second = solve(tiny_tables({"max_plants": 1}, **PRICES), EXACT).solution.objective
    assert found.steps[0].cost == pytest.approx(after_first, abs=0.001)
    assert found.steps[1].cost == pytest.approx(after_second, abs=0.001)
    assert found.steps[2].cost == pytest.approx(compared_plans["both"].solution.objective)
    assert after_second > after_first, "dearer NdPr costs more"


def test_causes_that_only_work_together_form_one_step(compared_runs):
    """A source added before its composition is no valid book: the two are one step."""
    before = compared_runs["first"]
    mine = {**RECORDS["sources"][0], "source_id": "SECOND", "china_linked": 0.0}
    mix = {**RECORDS["composition"][0], "source_id": "SECOND"}
    tables = tiny_tables(sources=[*RECORDS["sources"], mine], composition=[*RECORDS["composition"], mix], **CAP)
    after = replace(compared_runs["capped"], tables=tables)
    causes = find_causes(before.tables, tables, changed_cells(before.tables, tables))
    steps = attribute(before, after, causes, EXACT)
    assert [step.causes for step in steps] == [
        (Cause("sources", "rows"), Cause("composition", "rows")), (Cause("caps", "years"),),
    ]  # fmt: skip
    assert steps[-1].cost == after.cost
    assert steps[0].unsolved == ()


def test_no_cause_no_step(compared_runs):
    assert compare(compared_runs, "first", "again").steps == []


@pytest.fixture(scope="module")
def books(compared_runs: dict[str, Run], runs_at: Path) -> dict[str, Path]:
    made = {
        "cap": compare(compared_runs, "first", "capped"),
        "three": compare(compared_runs, "first", "both"),
        "same": compare(compared_runs, "first", "again"),
        "bare": replace(compare(compared_runs, "first", "bare"), steps=None),
    }
    return {name: write_comparison(found, runs_at / f"compare_{name}") for name, found in made.items()}


def values(path: Path, sheet: str) -> list[tuple]:
    return list(openpyxl.load_workbook(path, data_only=True)[sheet].iter_rows(values_only=True))


def figure(path: Path, label: str, place: int) -> float:
    return next(row[place] for row in values(path, "bridge") if row[0] == label)


@pytest.mark.parametrize("name", ["cap", "three", "same", "bare"])
def test_the_bridge_adds_up(books, name):
    path = books[name]
    assert figure(path, "difference; 0: the bridge adds up", 2) == 0
    between = figure(path, "cost after less cost before", 2)
    assert figure(path, "sum of the changes", 2) == pytest.approx(between, abs=1e-6)
    totals = [row for row in values(path, "bridge") if row[0] == "total"]
    assert len(totals) == 3
    for row in totals:
        assert row[3] == pytest.approx(between, abs=1e-6)


def test_the_bridge_names_its_causes(books, compared_plans):
    rows = {row[0]: row for row in values(books["three"], "bridge")}
    assert {"before: first", "setting max_plants", "prices: years", "caps: years"} <= set(rows)
    assert rows["before: first"][1] == pytest.approx(compared_plans["first"].solution.objective)
    assert rows["caps: years"][1] == pytest.approx(compared_plans["both"].solution.objective)
    assert rows["caps: years"][2] == pytest.approx(rows["caps: years"][1] - rows["prices: years"][1])


def test_every_formula_has_its_value_cached(books):
    for path in books.values():
        plain, cached = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
        count = 0
        for sheet in plain:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type == "f":
                        count += 1
                        assert cached[sheet.title][cell.coordinate].value is not None
        assert count > 50


def test_nothing_is_overwritten(books, compared_runs):
    with pytest.raises(FileExistsError, match="not empty"):
        write_comparison(compare(compared_runs, "first", "again"), books["cap"].parent)


def test_nothing_is_left_behind_when_writing_stops_halfway(compared_runs, tmp_path, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(report_comparison, "_write_inputs", stop)
    with pytest.raises(KeyboardInterrupt):
        write_comparison(compare(compared_runs, "first", "again"), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_text_of_the_inputs_never_becomes_a_formula(compared_runs, tmp_path):
    nasty = replace(compared_runs["first"], name="=1+1")
    hosts = nasty.tables["hosts"].assign(name='=HYPERLINK("http://example.org")')
    found = compare(
        {"a": nasty, "b": replace(compared_runs["again"], tables=compared_runs["again"].tables.with_frames(hosts=hosts))}, "a", "b"
    )
    path = write_comparison(found, tmp_path / "x")
    for sheet in openpyxl.load_workbook(path):
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert "HYPERLINK" not in cell.value
                    assert cell.value != "=1+1"


# --- words and the command ---------------------------------------------------------------------


def test_words_of_a_comparison(compared_runs):
    words = describe(compare(compared_runs, "first", "capped"))
    assert words[0] == "Compared first (before) with capped (after): 5 input cells or rows differ."
    assert re.search(
        r"before \(proven, gap 0\.0, verified\), [\d,.]+ MUSD after \(proven, gap 0\.0, verified\); [\d,.]+ MUSD more", words[1]
    )
    assert re.search(r"^By cause: \+[\d,.]+ MUSD caps: years\.$", words[3])
    same = describe(compare(compared_runs, "first", "again"))
    assert "unchanged" in same[1]
    assert same[3] == "By cause: no changed cell can move the plan."
    asked = describe(replace(compare(compared_runs, "first", "both"), steps=None))
    assert "--resolve" in asked[3]


@pytest.fixture(scope="module")
def after_stopping(compared_runs: dict[str, Run], doubtful_runs: dict[str, Run], tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Compare a run stopped before it found its plants with one of the same book but for the plants' life."""
    place = tmp_path_factory.mktemp("longer")
    written(tiny_tables({"plant_life": 11}), place / "longer")
    return compare({**doubtful_runs, "longer": read_run(place / "longer")}, "stopped", "longer")


def test_what_a_stopped_search_left_is_not_booked_as_a_cause(after_stopping, compared_runs):
    """The plants' longer life saves little; most of the change is the plan that the first search had not found."""
    found = after_stopping
    true = found.after.cost - compared_runs["first"].cost
    words = describe(found)
    gap = found.before.gap
    assert 0 > true > -10 > -400 > found.change
    assert "CAUTION: the plan before is not proven" in words[0]
    assert f"up to {gap:,.1f} MUSD" in words[0]
    assert f"before (not proven, gap {gap:,.1f}, verified)" in words[1]
    assert words[3] == f"By cause: {found.change:+,.1f} MUSD setting plant_life, by the gaps {found.change:+,.1f} to {true:+,.1f}."


def test_the_bridge_shows_the_gaps_of_both_runs(after_stopping, doubtful_runs, tmp_path):
    path = write_comparison(after_stopping, tmp_path / "forward")
    rows = {row[0]: row for row in values(path, "bridge")}
    assert rows["before: stopped"][3] == pytest.approx(doubtful_runs["stopped"].gap)
    assert rows["setting plant_life"][3] == pytest.approx(0, abs=1e-6)
    assert rows["setting plant_life"][4].startswith("by the gaps -45")
    same = compare({"stopped": doubtful_runs["stopped"], "again": replace(doubtful_runs["stopped"], name="again")}, "stopped", "again")
    path = write_comparison(same, tmp_path / "same")
    rows = {row[0]: row for row in values(path, "bridge")}
    assert rows["no changed input"][3:5] == (pytest.approx(doubtful_runs["stopped"].gap), "not sure (within the gaps)")


def test_a_change_within_the_gaps_is_not_sure(compared_runs):
    first, capped = compared_runs["first"], compared_runs["capped"]
    wide = replace(first, figures={**first.figures, "Gap to what is proven": 0.6 * abs(capped.cost - first.cost)})
    wider = replace(capped, figures={**capped.figures, "Gap to what is proven": 0.5 * abs(capped.cost - first.cost)})
    words = describe(compare({"first": wide, "capped": wider}, "first", "capped"))
    assert words[1].endswith("not sure (within the gaps).")
    assert words[3].endswith("caps: years, not sure (within the gaps).")
    assert "not sure" not in " ".join(describe(compare({"first": wide, "capped": capped}, "first", "capped")))


def test_the_same_inputs_with_plans_further_apart_than_their_gaps_are_not_explained_away(compared_runs, doubtful_runs):
    first, stopped = compared_runs["first"], doubtful_runs["stopped"]
    assert describe(compare({"a": first, "b": stopped}, "a", "b"))[3].endswith("stopped at different plans within their gaps.")
    closer = replace(stopped, figures={**stopped.figures, "Gap to what is proven": 10.0})
    assert "their gaps do not explain it" in describe(compare({"a": first, "b": closer}, "a", "b"))[3]
    unknown = replace(stopped, figures={})
    assert "a gap is not known" in describe(compare({"a": first, "b": unknown}, "a", "b"))[3]


def test_a_plan_that_failed_verification_is_told_of_first(compared_runs, doubtful_runs):
    words = describe(compare({**compared_runs, **doubtful_runs}, "first", "broken"))
    assert "CAUTION: the plan after FAILED VERIFICATION (china_cap), do not use its figures" in words[0]
    assert "after (proven, gap 0.0, FAILED VERIFICATION)" in words[1]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": Status.NO_PLAN_FOUND}, "no plan was found in the time after setting max_plants"),
        ({"status": Status.ERROR, "termination": "out of memory"}, "the solver failed (out of memory) after setting max_plants"),
        ({}, "the plan failed verification after setting max_plants"),
    ],
)
def test_causes_not_told_apart_for_want_of_a_plan_are_marked(compared_runs, monkeypatch, change, why):
    """The first of two solves gives nothing: its cause forms one step with the next, which does not mean that they work together."""
    solves = []

    def once(*arguments, **options):
        plan = solve(*arguments, **options)
        solves.append(plan)
        if len(solves) > 1:
            return plan
        failures = [] if change else ["made to fail"]
        return replace(plan, solution=replace(plan.solution, **change), verification=replace(plan.verification, failures=failures))

    monkeypatch.setattr(comparison, "solve", once)
    found = compare(compared_runs, "first", "both")
    assert [len(step.causes) for step in found.steps] == [2, 1]
    assert found.steps[0].unsolved == (why,)
    assert found.steps[1].unsolved == ()
    assert f"setting max_plants with prices: years (not told apart: {why})" in describe(found)[3]


def test_a_cause_that_leaves_the_model_as_it_was_is_sure_to_change_nothing(compared_runs):
    """A design that no host may build: its capital cost moves nothing, whatever the gap of the first run."""
    first = compared_runs["first"]
    wide = replace(first, figures={**first.figures, "Gap to what is proven": 5.0})
    hosts = first.tables["hosts"].assign(latitude=1.0)
    after = replace(compared_runs["capped"], tables=compared_runs["capped"].tables.with_frames(hosts=hosts))
    found = compare({"first": wide, "capped": after}, "first", "capped")
    still, moved = found.steps
    assert (still.causes, still.moved, still.gap) == ((Cause("hosts", "latitude"),), False, 5.0)
    assert moved.moved
    assert "+0.0 MUSD hosts: latitude." in describe(found)[3]


def test_the_command_writes_the_workbook_and_five_lines(runs_at, compared_plans, tmp_path, capsys):
    assert command.main(["compare", str(runs_at / "first"), str(runs_at / "both"), "--output", str(tmp_path), "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[-1].startswith("Workbook: ")
    (path,) = tmp_path.glob("*_compare_first_and_both/comparison.xlsx")
    assert path.parent.name.count("compare") == 1
    assert figure(path, "difference; 0: the bridge adds up", 2) == 0
    assert "caps: years" in lines[3]


def test_without_solving_the_bridge_is_by_cost_line_only(runs_at, compared_plans, tmp_path):
    assert (
        command.main(["compare", str(runs_at / "first"), str(runs_at / "both"), "--output", str(tmp_path), "--quiet", "--no-resolve"]) == 0
    )
    (path,) = tmp_path.glob("*/comparison.xlsx")
    labels = [row[0] for row in values(path, "bridge")]
    assert "all changes together" in labels
    assert "caps: years" not in labels


def test_wrong_options_are_told(runs_at, compared_plans, tmp_path, capsys):
    assert command.main(["compare", str(runs_at / "first"), str(runs_at / "both"), "--output", str(tmp_path), "--threads", "0"]) == 2
    assert "--threads" in capsys.readouterr().err


# --- LibreOffice -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recalculated(books: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return what LibreOffice computes from formulas that hold no value."""
    folder = tmp_path_factory.mktemp("office")
    for name, path in books.items():
        without_cached_values(path, folder / f"{name}.xlsx")
    return dict(zip(books, convert_all([folder / f"{name}.xlsx" for name in books], folder / "out"), strict=True))


def test_a_run_saved_by_libreoffice_reads_the_same(compared_runs, tmp_path):
    for name in ("first", "bare"):
        saved = read_run(convert(compared_runs[name].path, tmp_path / name))
        assert saved.cost == pytest.approx(compared_runs[name].cost)
        assert saved.plants == compared_runs[name].plants
        assert changed_cells(compared_runs[name].tables, saved.tables) == []


@pytest.mark.parametrize("name", ["cap", "three", "same", "bare"])
def test_libreoffice_recomputes_every_cached_value(books, recalculated, name):
    plain, cached = openpyxl.load_workbook(books[name]), openpyxl.load_workbook(books[name], data_only=True)
    fresh = openpyxl.load_workbook(recalculated[name], data_only=True)
    for sheet in plain:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    was, now = cached[sheet.title][cell.coordinate].value, fresh[sheet.title][cell.coordinate].value
                    assert isinstance(now, int | float), (sheet.title, cell.coordinate, cell.value, now)
                    assert math.isclose(now, was, rel_tol=1e-6, abs_tol=1e-6), (sheet.title, cell.coordinate, cell.value)
