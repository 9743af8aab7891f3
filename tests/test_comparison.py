"""Two runs set side by side: changed cells, changed decisions, and a bridge that adds up by its formulas."""

from __future__ import annotations

import copy
import math
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from model import command, report_comparison
from model.comparison import Cause, apply_cause, attribute, changed_cells, find_causes, plant_changes, side_by_side
from model.outcome import SolveOptions
from model.planner import Plan, options_from, solve
from model.problem import COMPONENTS
from model.problem_builder import build_problem
from model.report import write_report
from model.report_comparison import PARTS, Comparison, describe, write_comparison
from model.run_reading import Run, RunError, read_run
from model.tables import Tables
from tests.tiny import RECORDS, tiny_tables

EXACT = SolveOptions(absolute_gap=1e-5, relative_gap=0.0, time_limit=60.0, threads=1)


def written(tables: Tables, folder: Path) -> Plan:
    plan = solve(tables, EXACT)
    write_report(plan, folder, {"scenario": "none"}, "", Path("tiny.xlsx"))
    return plan


def changed(sheet: str, rows: dict[int, dict]) -> list[dict]:
    """Return the records of a sheet of the tiny book with cells changed."""
    records = copy.deepcopy(RECORDS[sheet])
    for number, cells in rows.items():
        records[number] |= cells
    return records


CAP = {"caps": changed("caps", {0: {2030: 0.2, 2031: 0.2, 2032: 0.2}, 1: {2031: 0.5, 2032: 0.3}})}
PRICES = {"prices": changed("prices", {2: {2030: 130.0, 2031: 130.0, 2032: 130.0}})}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def plans(place: Path) -> dict[str, Plan]:
    return {
        "first": written(tiny_tables(), place / "first"),
        "again": written(tiny_tables(), place / "again"),
        "capped": written(tiny_tables(**CAP), place / "capped"),
        "both": written(tiny_tables({"max_plants": 1}, **CAP, **PRICES), place / "both"),
        "bare": written(tiny_tables({"max_plants": 0}, caps=[], host_rules=[], stockpiles=[]), place / "bare"),
    }


@pytest.fixture(scope="module")
def runs(place: Path, plans: dict[str, Plan]) -> dict[str, Run]:
    return {name: read_run(place / name) for name in plans}


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["first", "both", "bare"])
def test_a_run_reads_back_as_it_was(runs, plans, name):
    run, plan = runs[name], plans[name]
    assert run.cost == pytest.approx(plan.solution.objective, rel=1e-9)
    assert sorted(run.plants) == sorted(plan.solution.tables["builds"].itertuples(index=False, name=None))
    assert build_problem(run.tables) == build_problem(plan.tables)
    for table in ("feed", "deliveries", "purchases", "unmet"):
        assert run.results[table]["tonnes"].sum() == pytest.approx(plan.solution.tables[table]["tonnes"].sum())
    assert run.name == name


def test_a_workbook_may_be_named_instead_of_its_folder(place, runs):
    assert read_run(place / "first" / "solution.xlsx").cost == runs["first"].cost


def test_what_is_no_run_is_refused(tmp_path, place, plans, capsys):
    with pytest.raises(RunError, match="is no run"):
        read_run(tmp_path)
    other = openpyxl.Workbook()
    other.save(tmp_path / "other.xlsx")
    with pytest.raises(RunError):
        read_run(tmp_path / "other.xlsx")
    (tmp_path / "text.xlsx").write_text("no workbook")
    with pytest.raises(RunError, match="cannot be read"):
        read_run(tmp_path / "text.xlsx")
    assert command.main(["compare", str(place / "first"), str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    assert "is no run" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_of_another_version_is_refused(tmp_path, place, plans):
    book = openpyxl.load_workbook(place / "first" / "solution.xlsx")
    book["in_hosts"]["A4"] = "site"
    book.save(tmp_path / "renamed.xlsx")
    with pytest.raises(RunError, match="another version"):
        read_run(tmp_path / "renamed.xlsx")
    book = openpyxl.load_workbook(place / "first" / "solution.xlsx")
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


def test_changed_cells_are_named_with_both_values(runs):
    changes = changed_cells(runs["first"].tables, runs["capped"].tables)
    assert {(c.sheet, c.key, c.column, c.before, c.after) for c in changes} == {
        *(("caps", "FEED", year, 0.5, 0.2) for year in (2030, 2031, 2032)),
        ("caps", "EACH", 2031, 0.8, 0.5),
        ("caps", "EACH", 2032, 0.6, 0.3),
    }
    book = openpyxl.load_workbook(runs["capped"].path)
    for change in changes:
        sheet, _, cell = change.cell.partition("!")
        assert book[sheet][cell].value == change.after


def test_the_same_inputs_have_no_changes(runs):
    assert changed_cells(runs["first"].tables, runs["again"].tables) == []


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


def test_plants_are_matched_and_their_move_named(runs):
    plants = runs["first"].results["plants"]
    for years, words in ((2, "2 years later"), (1, "1 year later"), (-1, "1 year earlier")):
        moved = replace(runs["first"], results={**runs["first"].results, "plants": plants.assign(on_line=plants["on_line"] + years)})
        assert plant_changes(runs["first"], moved)["change"].tolist() == [words] * len(plants)
    gone = plant_changes(runs["first"], runs["bare"])
    assert gone["change"].tolist() == ["gone"] * len(gone)
    assert plant_changes(runs["bare"], runs["first"])["change"].tolist() == ["new"] * len(gone)
    assert set(plant_changes(runs["first"], runs["again"])["change"]) == {"same"}


def test_flows_are_summed_over_the_years(runs):
    frame = side_by_side(runs["first"], runs["bare"], "feed", ("source_id", "host"))
    assert frame["before"].sum() == pytest.approx(runs["first"].results["feed"]["tonnes"].sum())
    assert (frame["after"] == 0).all()
    assert side_by_side(runs["first"], runs["again"], "purchases", ("supplier",)).empty


# --- the bridge --------------------------------------------------------------------------------


def test_every_cost_line_belongs_to_one_part():
    listed = [component for components in PARTS.values() for component in components]
    assert sorted(listed) == sorted(COMPONENTS)


def compare(runs: dict[str, Run], first: str, second: str) -> Comparison:
    before, after = runs[first], runs[second]
    changes = changed_cells(before.tables, after.tables)
    causes = find_causes(before.tables, after.tables, changes)
    return Comparison(before, after, changes, len(causes), attribute(before, after, causes, options_from(after.tables)))


def test_each_cause_costs_what_solving_after_it_says(runs, plans):
    found = compare(runs, "first", "both")
    assert [step.causes for step in found.steps] == [
        (Cause("settings", "max_plants"),), (Cause("prices", "years"),), (Cause("caps", "years"),),
    ]  # fmt: skip
    after_first = solve(tiny_tables({"max_plants": 1}), EXACT).solution.objective
    after_second = solve(tiny_tables({"max_plants": 1}, **PRICES), EXACT).solution.objective
    assert found.steps[0].cost == pytest.approx(after_first, abs=0.001)
    assert found.steps[1].cost == pytest.approx(after_second, abs=0.001)
    assert found.steps[2].cost == pytest.approx(plans["both"].solution.objective)
    assert after_second > after_first, "dearer NdPr costs more"


def test_causes_that_only_work_together_form_one_step(runs):
    """A source added before its composition is no valid book: the two are one step."""
    before = runs["first"]
    mine = {**RECORDS["sources"][0], "source_id": "SECOND", "china_linked": 0.0}
    mix = {**RECORDS["composition"][0], "source_id": "SECOND"}
    tables = tiny_tables(sources=[*RECORDS["sources"], mine], composition=[*RECORDS["composition"], mix], **CAP)
    after = replace(runs["capped"], tables=tables)
    causes = find_causes(before.tables, tables, changed_cells(before.tables, tables))
    steps = attribute(before, after, causes, EXACT)
    assert [step.causes for step in steps] == [
        (Cause("sources", "rows"), Cause("composition", "rows")), (Cause("caps", "years"),),
    ]  # fmt: skip
    assert steps[-1].cost == after.cost


def test_no_cause_no_step(runs):
    assert compare(runs, "first", "again").steps == []


@pytest.fixture(scope="module")
def books(runs: dict[str, Run], place: Path) -> dict[str, Path]:
    made = {
        "cap": compare(runs, "first", "capped"),
        "three": compare(runs, "first", "both"),
        "same": compare(runs, "first", "again"),
        "bare": replace(compare(runs, "first", "bare"), steps=None),
    }
    return {name: write_comparison(found, place / f"compare_{name}") for name, found in made.items()}


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


def test_the_bridge_names_its_causes(books, plans):
    rows = {row[0]: row for row in values(books["three"], "bridge")}
    assert {"before: first", "setting max_plants", "prices: years", "caps: years"} <= set(rows)
    assert rows["before: first"][1] == pytest.approx(plans["first"].solution.objective)
    assert rows["caps: years"][1] == pytest.approx(plans["both"].solution.objective)
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


def test_nothing_is_overwritten(books, runs):
    with pytest.raises(FileExistsError, match="not empty"):
        write_comparison(compare(runs, "first", "again"), books["cap"].parent)


def test_nothing_is_left_behind_when_writing_stops_halfway(runs, tmp_path, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(report_comparison, "_write_inputs", stop)
    with pytest.raises(KeyboardInterrupt):
        write_comparison(compare(runs, "first", "again"), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_text_of_the_inputs_never_becomes_a_formula(runs, tmp_path):
    nasty = replace(runs["first"], name="=1+1")
    hosts = nasty.tables["hosts"].assign(name='=HYPERLINK("http://example.org")')
    found = compare({"a": nasty, "b": replace(runs["again"], tables=runs["again"].tables.with_frames(hosts=hosts))}, "a", "b")
    path = write_comparison(found, tmp_path / "x")
    for sheet in openpyxl.load_workbook(path):
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert "HYPERLINK" not in cell.value
                    assert cell.value != "=1+1"


# --- words and the command ---------------------------------------------------------------------


def test_words_of_a_comparison(runs):
    words = describe(compare(runs, "first", "capped"))
    assert words[0] == "Compared first (before) with capped (after): 5 input cells or rows differ."
    assert re.search(r"MUSD after; [\d,.]+ MUSD more", words[1])
    assert re.search(r"^By cause: \+[\d,.]+ MUSD caps: years\.$", words[3])
    same = describe(compare(runs, "first", "again"))
    assert "unchanged" in same[1]
    assert same[3] == "By cause: no changed cell can move the plan."
    asked = describe(replace(compare(runs, "first", "both"), steps=None))
    assert "--resolve" in asked[3]


def test_the_command_writes_the_workbook_and_five_lines(place, plans, tmp_path, capsys):
    assert command.main(["compare", str(place / "first"), str(place / "both"), "--output", str(tmp_path), "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[-1].startswith("Workbook: ")
    (path,) = tmp_path.glob("*_compare_first_and_both/comparison.xlsx")
    assert path.parent.name.count("compare") == 1
    assert figure(path, "difference; 0: the bridge adds up", 2) == 0
    assert "caps: years" in lines[3]


def test_without_solving_the_bridge_is_by_cost_line_only(place, plans, tmp_path):
    assert command.main(["compare", str(place / "first"), str(place / "both"), "--output", str(tmp_path), "--quiet", "--no-resolve"]) == 0
    (path,) = tmp_path.glob("*/comparison.xlsx")
    labels = [row[0] for row in values(path, "bridge")]
    assert "all changes together" in labels
    assert "caps: years" not in labels


def test_wrong_options_are_told(place, plans, tmp_path, capsys):
    assert command.main(["compare", str(place / "first"), str(place / "both"), "--output", str(tmp_path), "--threads", "0"]) == 2
    assert "--threads" in capsys.readouterr().err


# --- LibreOffice -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recalculated(books: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return what LibreOffice computes from formulas that hold no value."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    folder = tmp_path_factory.mktemp("office")
    for name, path in books.items():
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(folder / f"{name}.xlsx", "w", zipfile.ZIP_DEFLATED) as target:
            for part in source.namelist():
                data = source.read(part)
                if part.startswith("xl/worksheets/sheet"):
                    data = re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", data)
                target.writestr(part, data)
    subprocess.run(
        [office, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to", "xlsx", "--outdir", folder / "out",
         *(folder / f"{name}.xlsx" for name in books)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return {name: folder / "out" / f"{name}.xlsx" for name in books}


def test_a_run_saved_by_libreoffice_reads_the_same(recalculated, runs):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    folder = recalculated["cap"].parents[1]
    for name in ("first", "bare"):
        subprocess.run(
            [office, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to", "xlsx",
             "--outdir", folder / name, runs[name].path],
            check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        saved = read_run(folder / name)
        assert saved.cost == pytest.approx(runs[name].cost)
        assert saved.plants == runs[name].plants
        assert changed_cells(runs[name].tables, saved.tables) == []


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
