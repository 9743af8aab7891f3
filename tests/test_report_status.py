"""The solution workbook: the status in words, on the first page and in the console, and the folder of a run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from model import report
from model.outcome import Status
from model.report import new_run_folder, print_summary
from model.report_words import status_words
from model.verification import VerificationReport
from tests.reported import RECORD_SHEETS, cells, figure, load, write

# --- status ----------------------------------------------------------------------------------


def texts(path: Path, sheet: str = "summary") -> list[str]:
    return [str(cell.value) for (name, _), cell in cells(path, True).items() if name == sheet]


@pytest.mark.parametrize(
    ("status", "objective", "bound", "words"),
    [
        (Status.OPTIMAL, 1000.0, 999.2, "proven optimal (gap 0.8 MUSD = 0.08 % of the total)"),
        (Status.LIMIT, 1000.0, 991.0, "within 0.9 % (best plan found in 12 s)"),
        (Status.LIMIT, 1000.0, float("-inf"), "best plan found in 12 s; nothing is proven about how good it is"),
        (Status.INFEASIBLE, float("nan"), float("nan"), "no plan exists"),
        (Status.NO_PLAN_FOUND, float("nan"), float("nan"), "stopped before any plan was found"),
    ],
)
def test_status_in_words(report_plan, status, objective, bound, words):
    solution = replace(report_plan.solution, status=status, objective=objective, bound=bound, seconds={"model": 3.0, "search": 12.3})
    assert status_words(solution) == words


def test_first_line_is_the_answer(report_books):
    line = load(report_books["plan"])["summary"]["A1"].value
    assert line.startswith("Build one joint plant: Alphaland (AAA_PORT): 5,000 t REO/y")
    assert "MUSD" in line
    assert "USD per kg" in line


def test_no_plants_reads_as_an_answer(report_books, report_bare):
    assert load(report_books["bare"])["summary"]["A1"].value.startswith("Build no joint plant")
    assert figure(report_books["bare"], "key_figures", "Joint plants") == 0
    assert figure(report_books["bare"], "key_figures", "Joint plants' net cost per kg delivered") == "-"
    assert figure(report_books["bare"], "key_figures", "Total cost, discounted") == pytest.approx(report_bare.solution.objective)


@pytest.mark.parametrize("status", [Status.INFEASIBLE, Status.NO_PLAN_FOUND, Status.ERROR])
def test_without_a_plan_the_book_says_so(report_impossible, tmp_path, status):
    stopped = replace(report_impossible, solution=replace(report_impossible.solution, status=status, termination="words of the solver"))
    path = write(stopped, tmp_path / "run")
    assert load(path).sheetnames == ["summary", *RECORD_SHEETS]
    assert not (path.parent / "map.png").exists()
    shown = texts(path)
    assert shown[0].startswith("No plan")
    assert f"Status: {status}." in shown
    assert any("words of the solver" in line for line in shown)
    assert "What to try" in shown
    assert "FAIL" not in texts(path, "checks")


def test_a_failed_verification_is_at_the_very_top_in_red(report_plan, tmp_path):
    table = report_plan.verification.table.copy()
    table.loc[table.index[0], "verdict"] = "FAIL"
    broken = replace(report_plan, verification=VerificationReport(table, ["capacity_limit: feed is above capacity at AAA_PORT, 2031."]))
    path = write(broken, tmp_path / "run")
    sheet = load(path)["summary"]
    assert sheet["A1"].value.startswith("VERIFICATION FAILED: one rule of")
    assert sheet["A1"].fill.fgColor.rgb == "FFB00020"
    assert sheet["A2"].value == "capacity_limit: feed is above capacity at AAA_PORT, 2031."
    assert sheet["A2"].font.color.rgb == "FFB00020"
    assert figure(path, "checks", "rules failed") == 1


def test_console_answer_has_five_lines(report_plan, report_short, report_bare, report_impossible):
    path = Path("outputs/run/solution.xlsx")
    for each in (report_plan, report_short, report_bare, report_impossible):
        lines = print_summary(each, path)
        assert len(lines) == 5
        assert all(line and "\n" not in line for line in lines)
        assert lines[4] == f"Workbook: {path}"
    assert print_summary(report_plan, path)[0].startswith("Build one joint plant")
    assert "China-linked share" in print_summary(report_short, path)[2]
    assert "left short" in print_summary(report_short, path)[2]
    assert print_summary(report_impossible, path)[3].startswith("Status: no plan exists.")


# --- folders ---------------------------------------------------------------------------------


def test_run_folders_are_never_shared(tmp_path):
    folders = [new_run_folder(tmp_path / "outputs", "cap/20 %") for _ in range(5)]
    assert len(set(folders)) == 5
    assert all(folder.is_dir() and not any(folder.iterdir()) for folder in folders)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d{6}_cap_20", folders[0].name)


def test_the_reserved_folder_receives_the_book_whole(report_plan, tmp_path):
    folder = new_run_folder(tmp_path, "baseline")
    path = write(report_plan, folder)
    assert path == folder / "solution.xlsx"
    assert [item.name for item in tmp_path.iterdir()] == [folder.name]
    assert sorted(item.name for item in folder.iterdir()) == ["map.png", "solution.xlsx"]


def test_nothing_is_overwritten(report_plan, tmp_path):
    path = write(report_plan, tmp_path / "run")
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="not empty"):
        write(report_plan, tmp_path / "run")
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("accident", [RuntimeError("disk full"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
@pytest.mark.parametrize("reserved", [True, False])
def test_nothing_is_left_behind_when_writing_stops_halfway(report_plan, tmp_path, monkeypatch, accident, reserved):
    def stop(*arguments: object) -> None:
        raise accident

    monkeypatch.setattr(report, "write_context", stop)
    folder = new_run_folder(tmp_path, "x") if reserved else tmp_path / "run"
    with pytest.raises(type(accident)):
        write(report_plan, folder)
    assert list(tmp_path.iterdir()) == []
