"""Repairs of cells that a scenario changes: what the sentences say is typed into the book beneath, and the scenario applied again."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest
from xlsxwriter.utility import xl_col_to_name

from model.scenarios import apply_scenario
from model.studies.diagnose import Diagnosis, diagnose
from model.studies.diagnose_edits import Edit
from model.studies.diagnose_scenario import instructions
from model.tables import Tables
from tests import small
from tests.test_diagnose import CHINESE_CONTRACT, FORCED, NO_SITE, OPTIONS, TWO_SITES, has_plan

NUMBER = r"(-?\d+(?:\.\d+)?|[a-z]+)"
TOLD = re.compile(
    rf"(?:raise|lower|set) (?P<sheet>\w+)!(?P<letter>[A-Z]+)(?P<row>\d+) \(.*? from {NUMBER} to (?P<value>-?\d+(?:\.\d+)?|[a-z]+)"
    r"|type set in scenarios!(?P<operation>[A-Z]+)(?P<set_row>\d+) and (?P<set_to>\S+) in scenarios!(?P<set_letter>[A-Z]+)\d+"
    r"|add a last row to scenario (?P<scenario>\w+) on sheet scenarios(?: in place of row (?P<old>\d+))?: "
    r"sheet (?P<of>\w+), key (?P<key>.+?), column (?P<column>\w+), operation set, value (?P<new>\S+)"
    r"|delete row (?P<gone>\d+) of (?P<gone_of>\w+)",
    re.IGNORECASE,
)


def lettered(tables: Tables) -> Tables:
    """Return tables whose cells have addresses, as those of a workbook have."""
    return replace(tables, letters={sheet: {name: xl_col_to_name(n) for n, name in enumerate(tables[sheet])} for sheet in tables.frames})


def figure(text: str) -> float | str:
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


def without_row(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    """Return a sheet after a row is deleted: those below it move up, as in a workbook."""
    left = frame.drop(index=row)
    return left.set_axis([number - (number > row) for number in left.index])


def typed_as_told(tables: Tables, sentence: str) -> Tables:
    """Return the book beneath the scenario with a sentence done word by word, from left to right."""
    frames = {sheet: frame.copy() for sheet, frame in tables.frames.items()}
    found = list(TOLD.finditer(sentence))
    assert found, sentence
    columns = {sheet: {letter: name for name, letter in names.items()} for sheet, names in tables.letters.items()}
    for told in found:
        scenarios = frames["scenarios"]
        if told["sheet"]:
            frames[told["sheet"]].loc[int(told["row"]), columns[told["sheet"]][told["letter"]]] = figure(told["value"])
        elif told["operation"]:
            scenarios.loc[int(told["set_row"]), columns["scenarios"][told["operation"]]] = "set"
            scenarios.loc[int(told["set_row"]), columns["scenarios"][told["set_letter"]]] = figure(told["set_to"])
        elif told["gone"]:
            frames[told["gone_of"]] = without_row(frames[told["gone_of"]], int(told["gone"]))
        else:
            kept = without_row(scenarios, int(told["old"])) if told["old"] else scenarios
            line = {
                "scenario": told["scenario"], "sheet": told["of"], "key": told["key"], "column": told["column"], "operation": "set",
                "value": figure(told["new"]), "reason": "repair",
            }  # fmt: skip
            where = kept.index[kept["scenario"] == told["scenario"]][-1]
            added = pd.DataFrame([line], index=[where], dtype=object).reindex(columns=kept.columns, fill_value="")
            joined = pd.concat([kept.loc[:where], added, kept.loc[where + 1 :]])
            frames["scenarios"] = joined.set_axis(range(2, 2 + len(joined)))
    keys = frames["scenarios"][["scenario", "sheet", "key", "column"]].astype(str)
    assert not keys.duplicated().any(), "two rows of a scenario with one key are refused"
    return tables.with_frames(**frames)


def change(operation: str, value: object, column: str = "*", sheet: str = "suppliers", key: str = "SELLER", name: str = "cut") -> small.Row:
    return {"scenario": name, "sheet": sheet, "key": key, "column": column, "operation": operation, "value": value, "reason": "test"}


# 200 days of 1000 t are 548 t; the scenario leaves less than that on offer
def offers(*changes: small.Row, tonnes: float = 600) -> Tables:
    return small.book(
        hosts=NO_SITE, stockpiles=[small.stockpile(0, 200)], suppliers=[small.supplier(tonnes=tonnes)], scenarios=list(changes)
    )


def two_sites(*changes: small.Row, **settings: object) -> Tables:
    return small.book({"minimum_hosts": 2, "max_plants": 2, **settings}, hosts=TWO_SITES, scenarios=list(changes))


CASES: dict[str, tuple[Tables, str, str]] = {
    # 1827 * 0.3 = 548.1
    "factor_on_many_cells": (offers(change("multiply", 0.3)), "cut", r"raise suppliers!\w+2 \(Nd offered by SELLER in 2030, t\) from 600 to 1827, .*0\.3"),
    "factor_on_one_cell": (
        offers(change("multiply", 0.3, "2030")), "cut", r"raise scenarios!\w+2 \(the factor on Nd offered .* from 0\.3 to 0\.9134, so that 180 becomes 548\.04",
    ),
    "increment_on_one_cell": (offers(change("add", -400, "2030")), "cut", r"raise scenarios!\w+2 \(the increment of .* from -400 to -52,"),
    "increment_on_many_cells": (offers(change("add", -400)), "cut", r"raise suppliers!\w+2 .* from 600 to 948, .* adds -400"),
    "set_on_one_cell": (offers(change("set", 180, "2030")), "cut", r"raise scenarios!\w+2 \(Nd offered .* from 180 to 548"),
    "set_on_many_cells": (
        offers(change("set", 180)), "cut",
        r"add a last row to scenario cut on sheet scenarios: sheet suppliers, key SELLER \| Nd \| \*, column 2030, operation set, value 548 ",
    ),
    "nothing_times_one_cell": (offers(change("multiply", 0, "2030")), "cut", r"type set in scenarios!\w+2 and 548 in scenarios!\w+2 "),
    "nothing_times_many_cells": (offers(change("multiply", 0)), "cut", r"add a last row to scenario cut .* value 548 "),
    "set_on_one_cell_and_a_factor_on_many": (
        offers(change("set", 500, "2030"), change("multiply", 0.3)), "cut", r"raise scenarios!\w+2 \(Nd .* from 500 to 1827, so that 150 becomes 548\.1",
    ),
    "set_on_one_cell_that_a_row_on_many_makes_idle": (
        offers(change("set", 500, "2030", key="SELLER | Nd | *"), change("set", 180)), "cut", r"add a last row to scenario cut on sheet scenarios in place of row 2: ",
    ),
    "two_scenarios": (
        offers(change("multiply", 0.5, name="first"), change("add", -100, name="second"), change("set", 9, name="idle")), "first + second",
        r"raise suppliers!\w+2 .* from 600 to 1296, .* multiplies it by 0\.5 .* and adds -100 .* makes 548 in place of 200",
    ),
    "share_that_would_pass_one_beneath": (
        small.book(
            hosts=NO_SITE, suppliers=CHINESE_CONTRACT, caps=[small.cap("supply", "tonnes", "all", 0.9)],
            scenarios=[change("multiply", 0.1, sheet="caps", key="CAP")],
        ),
        "cut", r"add a last row to scenario cut .* sheet caps, key CAP, column 2030, operation set, value 0\.429 ",
    ),
    "words_of_many_rows": (
        small.book(
            {"minimum_hosts": 1}, hosts=[small.host("A"), small.host("B")], scenarios=[change("set", "no", "candidate", "hosts", "*")]
        ),
        "cut", r"add a last row to scenario cut .* sheet hosts, key A, column candidate, operation set, value yes ",
    ),
    "factor_on_a_whole_number": (
        two_sites(change("multiply", 0.5, "value", "settings", "max_plants")), "cut", r"raise scenarios!\w+2 \(the factor on max_plants, .* from 0\.5 to 1,",
    ),
    "factor_on_settings": (
        two_sites(change("multiply", 0.5, "value", "settings", "max_plants, plants_per_host"), plants_per_host=2), "cut",
        r"add a last row to scenario cut .* sheet settings, key max_plants, column value, operation set, value 2 ",
    ),
    "setting_without_a_row": (
        small.book(
            hosts=NO_SITE, suppliers=CHINESE_CONTRACT, scenarios=[change("add", 1, "value", "settings", "minimum_hosts")]
        ),
        "cut", r"lower scenarios!\w+2 \(the increment of minimum_hosts, .* from 1 to 0,",
    ),
    "rule_that_the_scenario_prolongs": (
        small.book(
            {"last_year": 2034, "modelled_years": "all"},
            host_rules=[small.rule("force_plant", 800, to_year=2032), small.rule("forbid_plant", from_year=2029, to_year=2030)],
            scenarios=[change("set", 2032, "to_year", "host_rules", "forbid_plant")],
        ),
        "cut", r"delete row 3 of host_rules .* and delete row 2 of scenarios .* nothing is left",
    ),
    "rule_that_a_scenario_of_several_rows_prolongs": (
        small.book(
            {"last_year": 2034, "modelled_years": "all"},
            host_rules=[small.rule("force_plant", 800, to_year=2032), small.rule("forbid_plant", from_year=2029, to_year=2030)],
            scenarios=[change("set", 2032, "to_year", "host_rules", "forbid_plant"), change("multiply", 0.9)],
        ),
        "cut", r"delete row 3 of host_rules .* and delete row 2 of scenarios \(it changes what is deleted on sheet host_rules\)",
    ),
}  # fmt: skip


def diagnosed(tables: Tables, scenario: str) -> Diagnosis:
    changed, _ = apply_scenario(tables, scenario)
    assert not has_plan(changed)
    return diagnose(changed, OPTIONS, scenario=scenario)


@pytest.mark.parametrize("name", CASES)
def test_what_the_sentences_say_gives_a_plan_when_typed(name):
    tables, scenario, words = CASES[name]
    tables = lettered(tables)
    found = diagnosed(tables, scenario)
    assert found.repairs
    told = found.sentences[: len(found.repairs)]
    assert any(re.search(words, sentence, re.IGNORECASE) for sentence in told), told
    for sentence in told:
        repaired = typed_as_told(tables, sentence)
        if "nothing is left of scenario cut, run without it" in sentence:
            assert repaired["scenarios"].empty
        else:
            repaired, _ = apply_scenario(repaired, scenario)
        assert has_plan(repaired), sentence


def test_the_sheet_says_what_the_sentences_say():
    tables = lettered(CASES["factor_on_many_cells"][0])
    frame = diagnosed(tables, "cut").sheet.tables[0][2].set_index("meaning")
    row = frame.loc["Nd offered by SELLER in 2030, t"]
    letter = tables.letters["suppliers"][2030]
    value = tables.letters["scenarios"]["value"]
    assert tuple(row[["do", "cell", "now", "type_in", "scenario_row"]]) == (
        "type",
        f"suppliers!{letter}2",
        "600",
        "1827",
        f"scenarios!{value}2",
    )
    assert frame.at["days of Nd to hold in JPN", "scenario_row"] == ""


def test_rows_are_deleted_from_the_bottom_up():
    """Two rules keep a forced plant out; the upper one deleted first would move the lower one."""
    forbids = [{**small.rule("forbid_plant"), "rule_id": f"NO_{number}"} for number in (1, 2)]
    tables = lettered(small.book(host_rules=[forbids[0], FORCED, forbids[1]]))
    found = diagnosed_as_is(tables)
    (sentence,) = [each for each in found.sentences if each.count("elete row") == 2]
    assert re.search(r"Delete row 4 of host_rules .* and delete row 2 of host_rules", sentence)
    assert has_plan(typed_as_told(tables, sentence))


def diagnosed_as_is(tables: Tables) -> Diagnosis:
    assert not has_plan(tables)
    return diagnose(tables, OPTIONS)


def test_a_cell_that_no_key_names_alone_is_not_told_as_if_it_were():
    """The key of the row for all markets names the row for one of them too."""
    suppliers = [small.supplier(tonnes=100), small.supplier(tonnes=100, where="JPN", name="SELLER")]
    tables = lettered(small.book(suppliers=suppliers, scenarios=[change("set", 50)]))
    changed, _ = apply_scenario(tables, "cut")
    every, one = (Edit("suppliers", row, 2030, 50.0, 60.0, "offer") for row in (2, 3))
    (told,) = instructions(changed, [every], "cut", lambda _: True)
    assert "give this one a row of its own" in told.words
    (told,) = instructions(changed, [one], "cut", lambda _: True)
    assert "key SELLER | Nd | JPN, column 2030" in told.words


def test_a_factor_that_takes_the_cell_too_far_is_not_told():
    """Where the cell must have the very value, the row sets it."""
    tables = lettered(offers(change("multiply", 0.3, "2030")))
    changed, _ = apply_scenario(tables, "cut")
    edit = Edit("suppliers", 2, 2030, 180.0, 548.0, "offer")
    (loose,) = instructions(changed, [edit], "cut", lambda _: True)
    (exact,) = instructions(changed, [edit], "cut", lambda _: True, exact=True)
    assert loose.reached == pytest.approx(548.04)
    assert exact.reached == 548.0
    assert exact.words.startswith("type set in")
