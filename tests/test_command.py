"""The command line on small books: exit codes, what is written, what is said."""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from model import command, planner, report
from model.console import search_sentence
from model.outcome import Progress, Status, without_plan
from model.studies import STUDIES, leaning
from model.tables import Tables
from model.template import write_book
from tests.tiny import tiny_tables


def written(folder: Path, tables: Tables | None = None) -> str:
    path = folder / "book.xlsx"
    write_book(tables or tiny_tables(), path)
    return str(path)


def run(folder: Path, *words: str, tables: Tables | None = None) -> int:
    return command.main([written(folder, tables), "--output", str(folder / "out"), *words])


def result(folder: Path) -> openpyxl.Workbook:
    (path,) = (folder / "out").glob("*/solution.xlsx")
    return openpyxl.load_workbook(path, data_only=True)


def test_a_plan_is_written_and_answered_in_words(tmp_path, capsys):
    assert run(tmp_path) == 0
    said = capsys.readouterr().out
    assert "proven optimal" in said
    assert "Verification: passed" in said
    assert "Under the same rules without joint plants" in said
    assert result(tmp_path).sheetnames[0] == "summary"


def test_quiet_prints_the_answer_only(tmp_path, capsys):
    assert run(tmp_path, "--quiet") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[-1].startswith("Workbook: ")


def test_findings_stop_the_run_before_anything_is_written(tmp_path, capsys):
    book = written(tmp_path)
    raw = openpyxl.load_workbook(book)
    raw["hosts"]["F2"] = "Atlantis"
    raw.save(book)
    assert command.main([book, "--output", str(tmp_path / "out")]) == 2
    assert "hosts!" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_plan_exists(tmp_path, capsys):
    rule = {
        "rule_id": "FORCE",
        "host": "AAA_PORT",
        "rule": "force_plant",
        "to_year": 2031,
        "value": 50000,
        "value_unit": "t REO/y",
        "reason": "test",
    }
    assert run(tmp_path, tables=tiny_tables(host_rules=[rule])) == 3
    assert "no plan exists" in capsys.readouterr().out
    assert "no plan exists" in str(result(tmp_path)["summary"]["A1"].value).lower() + str(result(tmp_path)["summary"]["A2"].value).lower()


def test_stopped_without_a_plan(tmp_path, monkeypatch):
    monkeypatch.setattr(planner, "solve_problem", lambda *_: without_plan(Status.NO_PLAN_FOUND, "Time limit reached", {"search": 1.0}))
    assert run(tmp_path) == 4


def test_a_plan_that_fails_verification_is_written_and_says_so(tmp_path, monkeypatch, capsys):
    honest = planner.build_solution

    def corrupted(*arguments):
        solution = honest(*arguments)
        feed = solution.tables["feed"].copy()
        feed.loc[feed.index[0], "tonnes"] += 100.0
        return replace(solution, tables={**solution.tables, "feed": feed})

    monkeypatch.setattr(planner, "build_solution", corrupted)
    assert run(tmp_path) == 5
    assert "FAILED" in capsys.readouterr().out.upper()
    top = " ".join(str(cell.value) for row in result(tmp_path)["summary"]["A1:A4"] for cell in row)
    assert "fail" in top.lower()


def test_interrupted_while_the_model_is_built(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(planner, "compile_tables", interrupted)
    assert run(tmp_path) == 4
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize("failure", [RuntimeError("worker lost"), KeyboardInterrupt()])
def test_a_study_that_fails_costs_no_plan(tmp_path, monkeypatch, failure, capsys):
    def failing(*_):
        raise failure

    monkeypatch.setattr(leaning, "run_leaning", failing)
    assert run(tmp_path, "--studies", "leaning", tables=tiny_tables({"leaning_scenarios": "no_cap"})) == 0
    captured = capsys.readouterr()
    assert "the plan is kept" in captured.out + captured.err
    assert "leaning" not in result(tmp_path).sheetnames


def test_a_study_that_cannot_be_written_costs_no_plan(tmp_path, monkeypatch, capsys):
    spare = tmp_path / "spare"
    spare.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spare))
    monkeypatch.setattr(os, "replace", full_disk)
    assert run(tmp_path, "--studies", "leaning", tables=tiny_tables({"leaning_scenarios": "no_cap"})) == 0
    said = capsys.readouterr()
    (kept,) = spare.glob("*/solution.xlsx")
    assert f"Workbook: {kept}" in said.out
    assert "leaning" in openpyxl.load_workbook(kept).sheetnames
    assert "leaning" not in result(tmp_path).sheetnames


def test_a_study_is_stopped_by_hand_while_it_is_written(tmp_path, monkeypatch, capsys):
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stopped)
    assert run(tmp_path, "--studies", "leaning", tables=tiny_tables({"leaning_scenarios": "no_cap"})) == 0
    assert "the plan is kept" in capsys.readouterr().out
    assert "leaning" not in result(tmp_path).sheetnames


def test_a_sheet_that_cannot_be_written_keeps_no_other_out(tmp_path, monkeypatch):
    def refused(book, extra):
        if extra.name == "leaning":
            raise ValueError("no such sheet")
        return written_sheet(book, extra)

    written_sheet = report._write_extra
    monkeypatch.setattr(report, "_write_extra", refused)
    settings = {"leaning_scenarios": "no_cap", "why_not_size": 2000, "why_not_year": 2031, "break_even_hosts": 0}
    assert run(tmp_path, "--studies", "leaning,why_not,leaning", tables=tiny_tables(settings)) == 0
    book = result(tmp_path)
    assert "why_not" in book.sheetnames
    values = {cell.value for row in book["run_info"].iter_rows() for cell in row}
    assert {"leaning, why_not", "leaning (not written), why_not"} <= values


def test_studies_run_side_by_side_and_stand_in_the_order_asked(tmp_path, capsys):
    settings = {"leaning_scenarios": "no_cap, embargo", "why_not_size": 2000, "why_not_year": 2031, "break_even_hosts": 0}
    books = []
    for name, threads in (("one", "1"), ("two", "2")):
        folder = tmp_path / name
        folder.mkdir()
        assert run(folder, "--studies", "why_not,leaning", "--threads", threads, tables=tiny_tables(settings)) == 0
        said = capsys.readouterr().out
        assert said.count("Study why_not: ") == said.count("Study leaning: ") == 1
        assert any(line.startswith("leaning: no_cap") for line in said.splitlines()) == (threads == "2")
        book = result(folder)
        assert "why_not, leaning" in {cell.value for row in book["run_info"].iter_rows() for cell in row}
        books.append(book)
    one, two = books
    assert one.sheetnames == two.sheetnames
    assert one.sheetnames.index("why_not") < one.sheetnames.index("leaning")
    for name in ("why_not", "leaning"):
        for row, other in zip(one[name].iter_rows(values_only=True), two[name].iter_rows(values_only=True), strict=True):
            assert row == tuple(pytest.approx(value, nan_ok=True) if isinstance(value, float) else value for value in other)


def test_a_stop_by_hand_ends_all_studies_that_run(tmp_path, monkeypatch, capsys):
    def stopped(found: Iterator, *rest: object) -> Path:
        next(found)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_add_studies", stopped)
    settings = {"leaning_scenarios": "no_cap", "frontier_scopes": "tonnes", "frontier_points": 5}
    assert run(tmp_path, "--studies", "leaning,frontier", "--threads", "2", tables=tiny_tables(settings)) == 0
    said = capsys.readouterr()
    assert "Stopped by hand; the plan is kept." in said.out
    assert "failed" not in said.err
    assert "plants" in result(tmp_path).sheetnames


def test_a_stop_by_hand_between_studies_keeps_the_plan(tmp_path, monkeypatch, capsys):
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_spared", lambda work, name, log: stopped() if name.startswith("Study") else work())
    assert run(tmp_path, "--studies", "leaning", tables=tiny_tables({"leaning_scenarios": "no_cap"})) == 0
    said = capsys.readouterr().out
    assert "Stopped by hand; the plan is kept." in said
    assert "Workbook: " in said


def test_the_book_is_known_by_what_was_read(tmp_path, monkeypatch):
    def edited(*words, **more):
        book.write_bytes(book.read_bytes() + b" ")
        return planner.solve(*words, **more)

    book = Path(written(tmp_path))
    read = hashlib.sha256(book.read_bytes()).hexdigest()
    monkeypatch.setattr(command, "solve", edited)
    assert command.main([str(book), "--studies", "none", "--output", str(tmp_path / "out")]) == 0
    assert read in {cell.value for row in result(tmp_path)["run_info"].iter_rows() for cell in row}


def test_why_not_adds_its_sheet(tmp_path, capsys):
    tables = tiny_tables({"why_not_size": 2000, "why_not_year": 2031, "break_even_hosts": 0})
    assert run(tmp_path, "--studies", "why_not", tables=tables) == 0
    rows = list(result(tmp_path)["why_not"].iter_rows(values_only=True))
    headings = [row for row in rows if row[0] == "host"]
    cells = [row for row in rows if row[0] in ("AAA_PORT", "BBB_PORT")]
    assert [(row[0], row[1]) for row in cells] == [("BBB_PORT", "Betaland"), ("AAA_PORT", "Alphaland")]
    extra, lost = (dict(zip(heading, row, strict=True)) for heading, row in zip(headings, cells, strict=True))
    assert 0.0 < extra["extra_cost [MUSD]"] < lost["extra_cost [MUSD]"]
    assert extra["verdict"] == lost["verdict"] == "passed"
    assert lost["plants"] == "none"
    assert "Losing Alphaland costs" in capsys.readouterr().out


def test_one_word_asks_for_every_study():
    assert command._studies(tiny_tables(), "all") == tuple(STUDIES)
    assert command._studies(tiny_tables(), "why_not, all, none")[:2] == ("why_not", "options")


def test_leaning_sets_scenarios_beside_the_plan(tmp_path, capsys):
    assert run(tmp_path, "--studies", "leaning", tables=tiny_tables({"leaning_scenarios": "no_cap, embargo"})) == 0
    sheet = result(tmp_path)["leaning"]
    values = [cell.value for row in sheet.iter_rows() for cell in row]
    assert "no_cap" in values
    assert "embargo" in values
    said = capsys.readouterr().out
    assert "What the plan leans on (2 further solves)" in said
    changes = {row[0].value: row[2].value for row in sheet.iter_rows() if row[0].value in ("no_cap", "embargo")}
    assert changes["no_cap"] <= 0.0 <= changes["embargo"]


def test_a_scenario_changes_the_answer_and_is_named_in_the_folder(tmp_path):
    assert run(tmp_path, "--scenario", "no_cap", "--quiet") == 0
    (folder,) = (tmp_path / "out").iterdir()
    assert folder.name.endswith("no_cap")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scenario", "no_cab"), "no_cap"),
        (("--gap", "wide"), "--gap wide"),
        (("--gap", "nan"), "--gap nan"),
        (("--gap", "-1"), "--gap -1"),
        (("--time-limit", "0"), "--time-limit"),
        (("--threads", "0"), "--threads 0"),
        (("--studies", "frontiers"), "frontiers"),
    ],
)
def test_words_that_cannot_be_meant(tmp_path, capsys, words, said):
    assert run(tmp_path, *words) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_gap_as_money_or_share(tmp_path):
    options = command._parser().parse_args([written(tmp_path), "--gap", "0.1%"])
    assert command._solver_options(tiny_tables(), options).relative_gap == pytest.approx(0.001)
    options = command._parser().parse_args(["book.xlsx", "--gap", "5"])
    assert command._solver_options(tiny_tables(), options).absolute_gap == 5.0


def test_check_and_template(tmp_path, capsys):
    assert command.main(["check", written(tmp_path)]) == 0
    assert command.main(["check", str(tmp_path / "book.xlsx"), "--scenario", "nonsense"]) == 2
    new = tmp_path / "new.xlsx"
    assert command.main(["template", str(new)]) == 0
    assert command.main(["template", str(new)]) == 2
    assert command.main(["template", str(tmp_path / "nowhere" / "new.xlsx")]) == 2
    assert command.main(["template", str(tmp_path / "new.csv")]) == 2
    assert command.main([str(tmp_path / "missing.xlsx")]) == 2


def test_an_output_folder_that_cannot_be_made_is_told_before_solving(tmp_path, monkeypatch, capsys):
    (tmp_path / "out").write_text("a file where the folder should be")
    monkeypatch.setattr(command, "solve", lambda *_: pytest.fail("solved all the same"))
    assert run(tmp_path) == 2
    assert "--output" in capsys.readouterr().err


def held(*_: object, **__: object) -> None:
    """Stand in for writing where another program holds the file."""
    raise PermissionError(13, "Permission denied")


def test_a_plan_that_cannot_be_written_to_its_folder_is_kept_elsewhere(tmp_path, monkeypatch, capsys):
    spare = tmp_path / "spare"
    spare.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spare))
    whole = os.rename
    monkeypatch.setattr(os, "rename", lambda a, b: held() if Path(b).parent == tmp_path / "out" else whole(a, b))
    assert run(tmp_path) == 0
    said = capsys.readouterr()
    assert "cannot be written to" in said.err
    assert "such as Excel holds a file there, close it" in said.err
    assert "The plan is kept" in said.err
    (kept,) = spare.glob("*/solution.xlsx")
    assert f"Workbook: {kept}" in said.out
    assert list((tmp_path / "out").iterdir()) == []


def test_a_plan_that_can_be_written_nowhere_ends_in_words(tmp_path, monkeypatch, capsys):
    book = written(tmp_path)
    monkeypatch.setattr(os, "rename", held)
    assert command.main([book, "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr()
    assert "The plan is lost." in said.err
    assert "Workbook: " not in said.out


def full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_told_as_one(tmp_path, monkeypatch, capsys):
    book = written(tmp_path)
    monkeypatch.setattr(zipfile.ZipFile, "write", full_disk)
    monkeypatch.setattr(zipfile.ZipFile, "writestr", full_disk)
    assert command.main([book, "--output", str(tmp_path / "out")]) == 2
    assert "No space left on device. If a program" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("incumbent", "bound", "said"),
    [
        (math.inf, -math.inf, "Searching for 12 s: no plan yet; looking for a first one"),
        (math.inf, 18930.5, "Searching for 12 s: no plan yet; none can cost less than 18,930.5 MUSD"),
        (18957.3, 18951.5, "the best plan so far costs 18,957.3 MUSD; a better one can save 5.8 MUSD (0.03%) at most"),
        (18957.3, -math.inf, "the best plan so far costs 18,957.3 MUSD; how much better one can be is not known yet"),
    ],
)
def test_the_progress_line_is_plain_words(incumbent, bound, said):
    assert said in search_sentence(Progress(12.2, incumbent, bound, 0))


def test_two_runs_never_share_a_folder(tmp_path):
    book = written(tmp_path)
    for _ in range(2):
        assert command.main([book, "--output", str(tmp_path / "out"), "--quiet"]) == 0
    folders = list((tmp_path / "out").iterdir())
    assert len(folders) == 2
    assert all(isinstance(pd.read_excel(folder / "solution.xlsx", engine="openpyxl"), pd.DataFrame) for folder in folders)


def test_text_that_looks_like_a_formula_stays_text_through_a_whole_run(tmp_path):
    trap = '=HYPERLINK("http://x","y")'
    tables = tiny_tables()
    trapped = {sheet: tables[sheet].assign(name=trap) for sheet in ("sources", "hosts", "markets", "sectors", "suppliers")}
    assert run(tmp_path, "--studies", "none", tables=tables.with_frames(**trapped)) == 0
    (path,) = (tmp_path / "out").glob("*/solution.xlsx")
    kept = set()
    for sheet in openpyxl.load_workbook(path).worksheets:
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.value is not None):
            assert not (cell.data_type == "f" and "http://x" in str(cell.value)), (sheet.title, cell.coordinate)
            assert cell.hyperlink is None or cell.hyperlink.target is None or "http://x" not in cell.hyperlink.target
            if cell.value == trap:
                kept.add(sheet.title)
    assert {"in_hosts", "in_sources"} < kept
    assert any(not sheet.startswith("in_") for sheet in kept), "shown with the results too"
