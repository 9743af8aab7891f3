"""Books made impossible in one way each: the repairs work when typed, and one step less does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest

from model import command
from model.outcome import SolveOptions, Status
from model.scenarios import apply_scenario
from model.studies import diagnose_repairs, diagnose_search
from model.studies.diagnose import Diagnosis, diagnose
from model.tables import Tables
from model.template import write_book
from model.verification import verify_solution
from tests import small
from tests.random_books import random_sheets
from tests.tiny import tiny_tables

OPTIONS = SolveOptions(absolute_gap=1e-6, time_limit=120.0, threads=1)
TWO_SITES = [small.host("A", country="AAA"), small.host("B", country="BBB")]
NO_SITE = [small.host(candidate="no")]
FORCED = small.rule("force_plant", 1000, to_year=2030)
RAMPED_UP: dict[str, object] = {"last_year": 2034, "modelled_years": "2030,2034"}
HUNGRY = [small.design(minimum_use=0.6)]
CHINESE_CONTRACT = [small.supplier("CHN", china_linked=1, least_take=0.3, tonnes=1000), small.supplier("AUS", tonnes=400)]


def forced_at(host: str) -> small.Row:
    return {**small.rule("force_plant", 900, host), "rule_id": f"FORCE_{host}"}


BOOKS: dict[str, tuple[Callable[[], Tables], set[str]]] = {
    # one plant of 1000 t is all that a host may hold
    "forced_capacity": (lambda: small.book(host_rules=[small.rule("force_plant", 2500)]), {"value=1000"}),
    # two plants of 100 MUSD each, spent in 2029; a relaxation builds one and a half
    "budget_for_one_of_two_plants": (
        lambda: small.book({"minimum_hosts": 2}, hosts=TWO_SITES, markets=[{**small.market(), 2029: 150}]),
        {"2029=200", "minimum_hosts=1", "foreign_share_limit=0.5"},
    ),
    "one_plant_for_two_hosts": (
        lambda: small.book({"minimum_hosts": 2, "max_plants": 1}, hosts=TWO_SITES),
        {"max_plants=2", "minimum_hosts=1"},
    ),
    "two_countries_cannot_share_40_percent": (
        lambda: small.book({"minimum_hosts": 2, "country_share_limit": 0.4}, hosts=TWO_SITES),
        {"country_share_limit=0.5", "country_share_from=2031", "minimum_hosts=0"},
    ),
    # 1500 t in one plant of two sizes: 1000 + 600 needs a second plant, which the host may not hold
    "second_plant_at_a_host": (
        lambda: small.book(
            designs=[small.design(), small.design("SMALL", capacity=600, capex=70)], host_rules=[small.rule("force_plant", 1500)]
        ),
        {"plants_per_host=2", "value=1000"},
    ),
    "no_site_for_a_host": (lambda: small.book({"minimum_hosts": 1}, hosts=NO_SITE), {"candidate=yes", "minimum_hosts=0"}),
    "permit_after_the_deadline": (
        lambda: small.book(
            {"last_year": 2031, "modelled_years": "all"}, hosts=[small.host(earliest_start=2033)],
            host_rules=[small.rule("force_plant", 800, to_year=2031)],
        ),
        {"earliest_start=2031", "value=0"},
    ),
    "forbidden_until_too_late": (
        lambda: small.book(
            {"last_year": 2034, "modelled_years": "all"},
            host_rules=[small.rule("force_plant", 800, to_year=2032), small.rule("forbid_plant", from_year=2029, to_year=2032)],
        ),
        {"deleted", "to_year=2031", "to_year=2033", "from_year=2031", "value=0"},
    ),
    # 300 t Chinese under contract beside 400 t of others: 30/70; demand is 1000 t
    "contract_against_cap": (
        lambda: small.book(hosts=NO_SITE, suppliers=CHINESE_CONTRACT, caps=[small.cap("supply", "tonnes", "all", 0.2)]),
        {"2030=0.429", "least_take=0.1"},
    ),
    "contract_against_cap_in_two_years": (
        lambda: small.book(
            {"last_year": 2031, "modelled_years": "all"}, hosts=NO_SITE, suppliers=CHINESE_CONTRACT, caps=[small.cap("supply", "tonnes", "all", 0.2)],
        ),
        {"2030=0.429 2031=0.429", "least_take=0.1"},
    ),
    "contract_above_demand": (
        lambda: small.book(suppliers=[small.supplier(tonnes=3000, least_take=0.5)]), {"least_take=0.333", "2030=1500"}
    ),
    # 200 days of 1000 t are 548 t; 300 t are offered
    "stock_that_nobody_can_fill": (
        lambda: small.book(hosts=NO_SITE, stockpiles=[small.stockpile(0, 200)], suppliers=[small.supplier(tonnes=300)]),
        {"days=109", "2030=548", "opening=248", "candidate=yes", "from_year=2031"},
    ),
    # 600 t at 60 % of capacity from 2034, of which half a percent of an offtake of 90 % finds no buyer: 500 / 0.9 = 555.6
    "least_use_above_what_the_partner_can_take": (
        lambda: small.book(
            RAMPED_UP, host_rules=[FORCED], designs=HUNGRY, markets=[small.market(offtake_minimum=0.9)], demand=[small.demand(500)]
        ),
        {"offtake_minimum=0.833", "minimum_use=0.555", "2034=540", "value=0", "to_year=2034"},
    ),
    "least_use_above_the_ceiling": (
        lambda: small.book(RAMPED_UP, host_rules=[FORCED, small.rule("feed_ceiling", 450)], designs=HUNGRY),
        {"minimum_use=0.45", "value=600", "value=0", "to_year=2034", "to_year=2033", "from_year=2035"},
    ),
    "no_thorium_for_a_forced_plant": (
        lambda: small.book(
            RAMPED_UP, host_rules=[FORCED, small.rule("no_thorium", from_year=2032)], designs=HUNGRY, sources=[small.source(thorium="high")]
        ),
        {"deleted", "from_year=2035", "to_year=2033", "minimum_use=0", "value=0", "to_year=2034"},
    ),
    # 400 t at 65 % beside 200 t at 10 %: 46.7 %; x t at 10 % and 600 - x at 65 % average 30 % from x = 381.8
    "feedstock_cap_on_a_forced_plant": (
        lambda: small.book(
            RAMPED_UP, host_rules=[FORCED], designs=HUNGRY, caps=[small.cap("feedstock", "tonnes", "all", 0.3)],
            sources=[small.source(china_linked=0.65), small.source("CLEAN", china_linked=0.1, capacity=200)],
        ),
        {"2034=0.467", "capacity=381.9", "minimum_use=0.314", "value=0", "to_year=2034"},
    ),
    # two forced plants, one allowed, and not even one paid for: no single figure will do
    "no_single_figure_will_do": (
        lambda: small.book(
            {"max_plants": 1}, hosts=TWO_SITES, markets=[{**small.market(), 2029: 90}], host_rules=[forced_at("A"), forced_at("B")]
        ),
        {"value=0 2029=100", "value=0 value=0", "max_plants=2 2029=200"},
    ),
}  # fmt: skip


def typed(tables: Tables, edits: list[tuple[str, object, object, object]]) -> Tables:
    """Return the tables with (sheet, row, column, value) typed, without any code of the diagnosis."""
    frames = {sheet: tables[sheet].copy() for sheet, *_ in edits}
    for sheet, row, column, value in edits:
        if column is None:
            frames[sheet] = frames[sheet].drop(index=row)
        elif row is None:
            added = pd.DataFrame([{"setting": column, "value": value, "source": "", "quality": ""}], index=[999])
            frames[sheet] = pd.concat([frames[sheet], added])
        else:
            frames[sheet].loc[row, column] = value
    return tables.with_frames(**frames)


def has_plan(tables: Tables) -> bool:
    solved = small.solve_book(tables)
    if solved.outcome.status is Status.INFEASIBLE:
        return False
    assert solved.outcome.status is Status.OPTIMAL, solved.outcome.termination
    assert verify_solution(tables, solved.solution.tables, solved.cost).passed
    return True


def name_of(tables: Tables, edit) -> str:
    if edit.column is None:
        return "deleted"
    setting = edit.sheet == "settings"
    column = (edit.what if edit.row is None else tables["settings"].at[edit.row, "setting"]) if setting else edit.column
    return f"{column}={edit.after if isinstance(edit.after, str) else format(edit.after, '.10g')}"


def places(edits) -> list[tuple[str, object, object, object]]:
    return [(e.sheet, e.row, e.what if e.row is None else e.column, e.after) for e in edits]


def step_of(edit) -> float:
    """Return the last digit shown of the value typed."""
    if edit.column in ("least_take", "minimum_use", "offtake_minimum", "uncommitted", "foreign_share_limit") or edit.what.startswith(
        ("cap ", "country_share_limit")
    ):
        return 0.001
    if edit.what.endswith((", t", ", t REO/y", "MUSD")):
        return max(0.01, 10.0 ** (len(str(int(max(abs(edit.after), 1)))) - 4))
    return 1.0


@pytest.mark.parametrize("name", BOOKS)
def test_every_repair_works_when_typed_and_one_step_less_does_not(name):
    tables = BOOKS[name][0]()
    assert not has_plan(tables)
    found = diagnose(tables, OPTIONS)
    assert {" ".join(name_of(tables, edit) for edit in repair.edits) for repair in found.repairs} == BOOKS[name][1]
    for repair in found.repairs:
        assert repair.proven
        assert has_plan(typed(tables, places(repair.edits)))
        for place, edit in enumerate(repair.edits):
            if isinstance(edit.after, str):
                continue
            # a blank date is filled in so that a rule begins later or ends sooner
            up = edit.column == "from_year" if edit.before == "" else edit.after > edit.before
            step = step_of(edit) if up else -step_of(edit)
            less = [replace(e, after=e.after - step) if number == place else e for number, e in enumerate(repair.edits)]
            assert not has_plan(typed(tables, places(less))), f"{less[place]} works too"


@pytest.mark.parametrize(("sites", "told"), [(3, False), (8, True)])
def test_that_others_of_a_kind_were_not_tried_is_said(sites, told):
    found = diagnose(small.book({"minimum_hosts": 1}, hosts=[small.host(f"H{n}", candidate="no") for n in range(sites)]), OPTIONS)
    assert sum(repair.edits[0].column == "candidate" for repair in found.repairs) == 3
    words = "Of a kind, the 3 smallest repairs were looked for; further rows were not tried and may do as well: candidate of hosts."
    assert (words in found.sentences) == told
    assert (words in found.sheet.headlines) == told


def sentences(found: Diagnosis) -> str:
    return " ".join(found.sentences)


def test_without_time_no_repair_is_shown_and_that_is_said():
    found = diagnose(BOOKS["forced_capacity"][0](), replace(OPTIONS, time_limit=0.0))
    assert found.repairs == ()
    assert "in the time" in sentences(found)


def test_a_repair_whose_plan_fails_verification_is_not_shown(monkeypatch):
    honest = diagnose_search.solve

    def unverified(*arguments, **options):
        plan = honest(*arguments, **options)
        return replace(plan, verification=replace(plan.verification, failures=["made to fail"]))

    monkeypatch.setattr(diagnose_search, "solve", unverified)
    found = diagnose(BOOKS["forced_capacity"][0](), OPTIONS)
    assert found.repairs == ()
    assert found.sheet.tables[0][2].empty
    assert "the plan of a changed book failed verification" in sentences(found)
    assert "made to fail" in sentences(found)
    assert "time" not in sentences(found).replace("times", "")


def test_a_solver_that_fails_is_told_of_and_not_taken_for_lack_of_time(monkeypatch):
    honest = diagnose_search.solve

    def failing(*arguments, **options):
        plan = honest(*arguments, **options)
        return replace(plan, solution=replace(plan.solution, status=Status.ERROR, termination="out of memory"))

    monkeypatch.setattr(diagnose_search, "solve", failing)
    found = diagnose(BOOKS["forced_capacity"][0](), OPTIONS)
    assert found.repairs == ()
    assert re.search(r"the solver failed, .*out of memory", sentences(found))
    assert "--time-limit" not in sentences(found)


def test_a_search_of_the_elastic_model_that_fails_is_told_of_as_well(monkeypatch):
    honest = diagnose_repairs.search

    def failing(*arguments, **options):
        return replace(honest(*arguments, **options), status=Status.ERROR, termination="out of memory")

    monkeypatch.setattr(diagnose_repairs, "search", failing)
    found = diagnose(BOOKS["forced_capacity"][0](), OPTIONS)
    assert "out of memory" in sentences(found)
    assert "--time-limit" not in sentences(found)


def test_a_cell_that_the_scenario_sets_is_named_in_the_scenario():
    change = {
        "scenario": "strict", "sheet": "caps", "key": "CAP", "column": "2030", "operation": "set", "value": 0.2, "reason": "a stricter cap",
    }  # fmt: skip
    book = small.book(
        hosts=NO_SITE, suppliers=CHINESE_CONTRACT, caps=[small.cap("supply", "tonnes", "all", 0.9)], scenarios=[change]
    )  # fmt: skip
    assert has_plan(book)
    strict, _ = apply_scenario(book, "strict")
    found = diagnose(strict, OPTIONS, scenario="strict")
    frame = found.sheet.tables[0][2].set_index("meaning")
    assert frame.at["cap CAP in 2030", "scenario_row"] == "scenarios!2"
    assert frame.at["least_take of Nd from CHN", "scenario_row"] == ""
    assert "Raise scenarios!2 (cap CAP in 2030, in scenario strict) from 0.2 to 0.429" in sentences(found)


def test_the_run_diagnoses_by_itself_and_the_cells_are_those_of_the_workbook(tmp_path, capsys):
    rule = {
        "rule_id": "FORCE", "host": "AAA_PORT", "rule": "force_plant", "to_year": 2031, "value": 7000, "value_unit": "t REO/y", "reason": "test",
    }  # fmt: skip
    book = tmp_path / "book.xlsx"
    write_book(tiny_tables(host_rules=[rule]), book)
    assert command.main([str(book), "--output", str(tmp_path / "out")]) == 3
    (path,) = (tmp_path / "out").glob("*/solution.xlsx")
    result = openpyxl.load_workbook(path, data_only=True)
    assert "diagnosis" in result.sheetnames
    first_page = " ".join(str(cell.value) for row in result["summary"].iter_rows() for cell in row if cell.value)
    rows = [[cell.value for cell in row] for row in result["diagnosis"].iter_rows()]
    head = next(number for number, row in enumerate(rows) if row[0] and str(row[0]).startswith("repair"))
    repairs = [row for row in rows[head + 1 :] if isinstance(row[0], int | float)]
    assert repairs
    for number, _, cell, _, type_in, *_ in repairs:
        assert cell in first_page or number > 6
        assert cell in capsys.readouterr().out or number > 1
        sheet, place = cell.split("!")
        edited = openpyxl.load_workbook(book)
        edited[sheet][place] = float(type_in)
        edited.save(tmp_path / f"repaired_{number}.xlsx")
        assert command.main([str(tmp_path / f"repaired_{number}.xlsx"), "--output", str(tmp_path / f"out_{number}"), "--quiet"]) == 0


def least_alone(tables: Tables, sheet: str, row: object, column: object, end: float, step: float) -> float | None:
    """Return the value nearest to the one in the cell that gives a plan by itself, on a grid, by bisection; None where not even `end` does."""
    now = float(tables[sheet].at[row, column])
    sign = 1.0 if end > now else -1.0
    if not has_plan(typed(tables, [(sheet, row, column, end)])):
        return None
    bad, good = int(now * sign / step), round(end * sign / step)
    while good - bad > 1:
        middle = (good + bad) // 2
        if has_plan(typed(tables, [(sheet, row, column, middle * step * sign)])):
            good = middle
        else:
            bad = middle
    return good * step * sign


@pytest.mark.parametrize("seed", [1, 5, 8])
def test_every_figure_that_repairs_a_random_book_alone_is_found_and_is_the_least_one(seed):
    """Forced plants at two hosts, in books with policies of every kind: one plant too few, and too little money."""
    sheets, settings = random_sheets(seed)
    first, second = (row["host"] for row in sheets["hosts"][:2])
    for row in sheets["hosts"]:
        row["earliest_start"] = 2030
    force = [small.rule("force_plant", 500, host, to_year=2030) | {"rule_id": f"FORCE_{host}"} for host in (first, second)]
    sheets["host_rules"] = [row for row in sheets.get("host_rules", []) if row["rule"] != "forbid_plant"] + force
    sheets["markets"] = [{**row, **dict.fromkeys((2027, 2028, 2029), 9999.0)} for row in sheets["markets"]]
    tables = small.book(settings | {"max_plants": 1, "minimum_hosts": 0}, **sheets)
    assert not has_plan(tables)
    found = {repair.edits[0].key[:3]: repair.edits[0].after for repair in diagnose(tables, OPTIONS).repairs if len(repair.edits) == 1}
    rules, names = tables["host_rules"], tables["settings"]
    plants = names.index[names["setting"] == "max_plants"][0]
    cells = [("settings", plants, "value", 6.0, 1.0)]
    cells += [("host_rules", row, "value", 0.0, 0.01) for row in rules.index[rules["rule"] == "force_plant"]]
    cells += [("markets", row, year, 99999.0, 1.0) for row in tables["markets"].index for year in (2027, 2028, 2029)]
    for sheet, row, column, end, step in cells:
        least = least_alone(tables, sheet, row, column, end, step)
        if least is None:
            assert (sheet, row, column) not in found
        else:
            assert found[sheet, row, column] == pytest.approx(least, abs=step)
