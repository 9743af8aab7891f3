"""What a diagnosis tells, typed literally into a workbook: validation accepts it, and a plan exists."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from model.studies.diagnose import Diagnosis, diagnose
from model.tables import Tables
from tests import small
from tests.test_diagnose import OPTIONS, has_plan
from tests.test_diagnose_scenario import change
from tests.told import full_book, gives_a_plan, read, write

TWO_YEARS: dict[str, object] = {"last_year": 2031, "modelled_years": "all"}


def typed_and_solved(path: Path, tables: Tables, scenario: str = "") -> Diagnosis:
    """Return the diagnosis of a book of which every sentence, typed into the workbook by itself, gives a plan."""
    assert not has_plan(tables)
    found = diagnose(tables, OPTIONS, scenario=scenario)
    assert found.repairs
    for number, sentence in enumerate(found.sentences[: len(found.repairs)]):
        assert gives_a_plan(path, sentence, path.with_name(f"typed_{number}.xlsx"), scenario), sentence
    return found


def test_a_setting_without_a_row_is_added_with_all_that_validation_asks_for(tmp_path):
    path = tmp_path / "book.xlsx"
    sites = [small.host(f"H{number}") for number in range(8)]
    write(full_book({"minimum_hosts": 7, "max_plants": 6}, hosts=sites), path)
    book = openpyxl.load_workbook(path)
    settings = book["settings"]
    settings.delete_rows(next(cell.row for cell in settings["A"] if cell.value == "max_plants"))
    book.save(path)
    tables = read(path)
    assert tables is not None
    found = typed_and_solved(path, tables)
    assert any(
        "dd a row max_plants to settings with the value 7, source planner, quality assumption (now" in each for each in found.sentences
    )
    frame = found.sheet.tables[0][2].set_index("meaning")
    assert frame.at["max_plants", "type_in"] == "setting max_plants, value 7, source planner, quality assumption"


SCENARIOS = {
    "words_of_many_rows": (
        full_book(
            TWO_YEARS, hosts=[small.host("A"), small.host("B")], stockpiles=[small.stockpile(0, 200)], suppliers=[small.supplier(tonnes=600)],
            scenarios=[change("multiply", 0.4, key="*", name="a"), change("set", "no", "candidate", "hosts", "*", name="b")],
        ),
        "a+b",
    ),
    "years_of_many_rows": (
        full_book(
            {"minimum_hosts": 2, "last_year": 2032, "modelled_years": "all"}, hosts=[small.host("A"), small.host("B"), small.host("C")],
            scenarios=[change("set", 2035, "earliest_start", "hosts", "*")],
        ),
        "cut",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_row_added_to_a_scenario_has_all_that_validation_asks_for(name, tmp_path):
    book, scenario = SCENARIOS[name]
    found = typed_and_solved(tmp_path / "book.xlsx", write(book, tmp_path / "book.xlsx", scenario), scenario)
    assert any("(reason to make a plan possible, source planner, quality assumption; " in each for each in found.sentences)
    added = found.sheet.tables[0][2].query("do == 'add the row'")
    assert all(added["type_in"].str.endswith(", reason to make a plan possible, source planner, quality assumption"))


RAMPED_UP: dict[str, object] = {"last_year": 2034, "modelled_years": "2030,2034"}
FORCED = small.rule("force_plant", 1000, to_year=2030)
HUNGRY = [small.design(minimum_use=0.6)]
"""A forced plant that from 2034 must treat 600 t a year."""


def hungry(**sheets: list[small.Row]) -> Tables:
    return full_book(RAMPED_UP, **{"host_rules": [FORCED], "designs": HUNGRY, **sheets})


def wary(*thorium: str, tonnes: float = 400) -> Tables:
    """A host that accepts no thorium, and sources of some levels."""
    sources = [small.source(f"MINE_{level}".upper(), thorium=level, capacity=tonnes) for level in thorium]
    return hungry(hosts=[small.host(thorium_accepted="none")], sources=sources)


@pytest.mark.parametrize(
    ("tables", "level"),
    [(wary("low", tonnes=700), "low"), (wary("low", "high", tonnes=700), "low"), (wary("low", "medium", "high"), "medium")],
    ids=["one_source", "more_than_needed", "two_of_three"],
)
def test_the_lowest_thorium_level_that_works_is_told(tables, level, tmp_path):
    found = typed_and_solved(tmp_path / "book.xlsx", write(tables, tmp_path / "book.xlsx"))
    assert any(f"(thorium that HOST accepts) from none to {level}." in each for each in found.sentences), found.sentences
    assert all(repair.proven for repair in found.repairs)


def tells(found: Diagnosis, words: str) -> None:
    told = [each for each in found.sentences if words in each]
    assert told, found.sentences
    assert all(repair.proven for repair in found.repairs)


# one cell each, that keeps feed, a plant or its money out
ONE_CELL = {
    "output_all_promised": (hungry(sources=[small.source(uncommitted=0)]), "!M2 (uncommitted of source MINE) from 0 to 0.06."),
    "source_not_in_use": (
        hungry(sources=[small.source(use="no"), small.source("TINY", capacity=100)]), "!G2 (source MINE in use) from no to yes."
    ),
    "source_too_late": (hungry(sources=[small.source(first_year=2036)]), "!J2 (first year of source MINE) from 2036 to 2034."),
    # 300 t in the first year are too little, 600 t in the second enough
    "source_too_late_to_ramp_up": (
        hungry(sources=[small.source(first_year=2036, ramp_1=0.03, ramp_2=0.06)]), "(first year of source MINE) from 2036 to 2033."
    ),
    "tied_to_another_country": (hungry(sources=[small.source(process_only_in="ZZZ")]), "mpty sources!AB2 (countries where feed of source MINE"),
    "design_of_another_host": (
        full_book(hosts=[small.host("A"), small.host("B")], designs=[small.design(host="B")], host_rules=[small.rule("force_plant", 800, "A")]),
        "mpty designs!O2 (the only host that may have design PLANT, now B)",
    ),
    # 60 % of 100 MUSD a year against 50 MUSD, and 40 % against 30 MUSD
    "more_owned_than_the_partners_can_pay": (
        full_book(
            {"last_year": 2032, "modelled_years": "all"}, designs=[small.design(build_years=2, capex=200)],
            host_rules=[small.rule("force_plant", 1000, to_year=2031)],
            markets=[{**small.market("JPN", equity=0.6), 2028: 50, 2029: 50, 2030: 55}, {**small.market("USA", equity=0.4), 2028: 30, 2029: 30, 2030: 30}],
        ),
        "hosts!R2 (largest share of a plant at HOST that the partners may own) from 1 to 0.75.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_CELL)
def test_one_cell_that_keeps_feed_or_plants_out_is_told(name, tmp_path):
    book, words = ONE_CELL[name]
    tells(typed_and_solved(tmp_path / "book.xlsx", write(book, tmp_path / "book.xlsx")), words)


BY_SCENARIO = {
    "not_in_use": (
        hungry(
            sources=[small.source(), small.source("TINY", capacity=100)], scenarios=[change("set", "no", "use", "sources", "MINE")]
        ),
        "et scenarios!G2 (source MINE in use, in scenario cut) from no to yes.",
    ),
    "none_in_use": (
        hungry(scenarios=[change("set", "no", "use", "sources", "*")], sources=[small.source(), small.source("TINY", capacity=100)]),
        "dd a last row to scenario cut on sheet scenarios: sheet sources, key MINE, column use, operation set, value yes (",
    ),
    "rule_for_ever": (
        full_book(
            {"last_year": 2033, "modelled_years": "all", "minimum_hosts": 1}, host_rules=[small.rule("forbid_plant", to_year=2032)],
            scenarios=[change("set", "none", "to_year", "host_rules", "forbid_plant")],
        ),
        "et scenarios!G2 (last year of rule forbid_plant (forbid_plant at HOST), in scenario cut) from none to 2032.",
    ),
    "tied_to_another_country": (
        hungry(scenarios=[change("set", "ZZZ", "process_only_in", "sources", "MINE")]),
        "et scenarios!G2 (countries where feed of source MINE must be processed, in scenario cut) from ZZZ to none.",
    ),
    "all_tied_to_another_country": (
        hungry(scenarios=[change("set", "ZZZ", "process_only_in", "sources", "*")], sources=[small.source(), small.source("TINY", capacity=100)]),
        "sheet sources, key MINE, column process_only_in, operation set, value none (",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_SCENARIO)
def test_one_cell_that_a_scenario_changes_is_told(name, tmp_path):
    book, words = BY_SCENARIO[name]
    tells(typed_and_solved(tmp_path / "book.xlsx", write(book, tmp_path / "book.xlsx", "cut"), "cut"), words)


@pytest.mark.parametrize("far", [{"use": "no"}, {"process_only_in": "ZZZ"}], ids=["not_in_use", "tied"])
def test_a_source_whose_distances_are_not_known_stays_out_and_others_are_told(far, tmp_path):
    ports = [{"port": port, "country": "MMM", "feeder": "no"} for port in ("Port", "Port2", "Far")]
    sources = [small.source(uncommitted=0), small.source("FAR", port="Far", **far)]
    path = tmp_path / "book.xlsx"
    tells(typed_and_solved(path, write(hungry(sources=sources, ports=ports), path)), "(uncommitted of source MINE) from 0 to 0.06.")


def test_a_source_whose_composition_is_not_known_stays_out_and_others_are_told(tmp_path):
    sources = [small.source(uncommitted=0), small.source("BLANK", use="no")]
    path = tmp_path / "book.xlsx"
    book = hungry(sources=sources, composition=[{"source_id": "MINE", "Nd": 1.0}])
    tells(typed_and_solved(path, write(book, path)), "(uncommitted of source MINE) from 0 to 0.06.")


BLANK_DATES = {
    "rule_for_ever": (
        full_book({"last_year": 2033, "modelled_years": "all", "minimum_hosts": 1}, host_rules=[small.rule("forbid_plant")]),
        # a plant must be on line in the last year, and one more year of the rule is one too many
        {"!E2 (last year of rule forbid_plant (forbid_plant at HOST)) from blank to 2032."},
    ),
    "stock_from_the_start": (
        full_book(
            {"last_year": 2032, "modelled_years": "all"}, hosts=[small.host(candidate="no")], stockpiles=[small.stockpile(0, 200)],
            suppliers=[small.supplier(tonnes=300)],
        ),
        {"!E2 (first year in which JPN must hold Nd) from blank to 2031."},
    ),
    "ceiling_always": (
        hungry(host_rules=[FORCED, small.rule("feed_ceiling", 450)]),
        {"!D3 (first year of rule feed_ceiling (feed_ceiling at HOST)) from blank to 2035.", "!E3 (last year of rule feed_ceiling (feed_ceiling at HOST)) from blank to 2033."},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BLANK_DATES)
def test_a_blank_date_is_filled_in_where_that_makes_a_plan_possible(name, tmp_path):
    book, words = BLANK_DATES[name]
    found = typed_and_solved(tmp_path / "book.xlsx", write(book, tmp_path / "book.xlsx"))
    for each in words:
        tells(found, each)
