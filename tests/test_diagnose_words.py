"""Repairs of several years of one row are told in one breath, and work when typed."""

from __future__ import annotations

import re

import pytest

from model.tables import Tables
from tests import small
from tests.test_diagnose import CHINESE_CONTRACT, NO_SITE
from tests.test_diagnose_scenario import change
from tests.test_diagnose_told import typed_and_solved
from tests.told import full_book, write

FIVE_YEARS: dict[str, object] = {"last_year": 2034, "modelled_years": "all"}
SOME_YEARS: dict[str, object] = {
    "first_year": 2026, "last_year": 2036, "modelled_years": "2026,2027,2028,2030,2032,2033", "decision_year": 2020, "country_share_from": 2026,
}  # fmt: skip
ALL = small.cap("supply", "tonnes", "all", 0.2, name="ALL")


def contract(settings: dict[str, object], caps: list[small.Row], scenarios: list[small.Row] | None = None) -> Tables:
    return full_book(settings, hosts=NO_SITE, suppliers=CHINESE_CONTRACT, caps=caps, scenarios=scenarios or [])


CASES = {
    "years_alike": (contract(FIVE_YEARS, [ALL]), "", r"aise caps!J2:N2 \(cap ALL in 2030–2034\) from 0\.2 to 0\.429\.$"),
    "several_rows": (
        contract(FIVE_YEARS, [ALL, small.cap("supply", "value", "partner", 0.25, "JPN", name="JPN"), small.cap("supply", "tonnes", "every_product", 0.3, name="EACH")]),
        "",
        r"aise caps!J2:N2 \(cap ALL in 2030–2034\) from 0\.2 to 0\.429 and raise caps!J3:N3 \(cap JPN in 2030–2034\) from 0\.25 to 0\.429 "
        r"and raise caps!J4:N4 \(cap EACH in 2030–2034\) from 0\.3 to 0\.429\.$",
    ),
    "values_that_differ": (
        contract(FIVE_YEARS, [{**ALL, 2031: 0.1, 2034: None}]), "", r"aise caps!J2:M2 \(cap ALL in 2030–2033\) from 0\.2, 0\.1, 0\.2 and 0\.2 to 0\.429\.$"
    ),
    "years_between_that_are_not_modelled": (
        contract(SOME_YEARS, [ALL]), "", r"aise caps!F2:H2, J2 and L2:M2 \(cap ALL in 2026–2028, 2030 and 2032–2033\) from 0\.2 to 0\.429\.$"
    ),
    "factor_of_a_scenario": (
        contract(SOME_YEARS, [{**ALL, **small.yearly(0.5)}], [change("multiply", 0.5, "*", "caps", "ALL")]), "cut",
        r"aise caps!F2:H2, J2 and L2:M2 \(cap ALL in 2026–2028, 2030 and 2032–2033\) from 0\.5 to 0\.858, "
        r"of which the scenario, as it multiplies each by 0\.5 \(scenarios!G2\), makes 0\.429 in place of 0\.25\.$",
    ),
    "row_added_to_a_scenario": (
        contract(SOME_YEARS, [{**ALL, **small.yearly(0.5)}], [change("set", 0.2, "*", "caps", "ALL")]), "cut",
        r"dd a last row to scenario cut on sheet scenarios: sheet caps, key ALL, column 2026-2028, 2030, 2032-2033, operation set, value 0\.429 "
        r"\(.*; cap ALL in 2026–2028, 2030 and 2032–2033, now 0\.2\)\.$",
    ),
    "row_added_to_a_scenario_that_has_one_for_these_years": (
        contract(FIVE_YEARS, [{**ALL, **small.yearly(0.5)}], [change("set", 0.2, "2030-2034", "caps", "ALL")]), "cut",
        r"dd a last row to scenario cut .* key ALL, column 2030, .* and add a last row to scenario cut .* key ALL, column 2034, ",
    ),
    "values_to_type_that_differ": (
        full_book(
            {"last_year": 2031, "modelled_years": "all"}, hosts=NO_SITE, suppliers=[small.supplier(tonnes=150)],
            markets=[small.market("JPN", equity=0.5), small.market("USA", equity=0.5)], demand=[small.demand(500), small.demand(700, where="USA")],
            stockpiles=[small.stockpile(0, 150), small.stockpile(10, 90, where="USA", from_year=2031)],
        ),
        "", r"aise suppliers!P2:Q2 \(Nd offered by SELLER in 2030–2031, t\) from 150 to 205\.\d and 162\.\d in turn\.$",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_years_of_one_row_are_told_together(name, tmp_path):
    book, scenario, words = CASES[name]
    path = tmp_path / "book.xlsx"
    found = typed_and_solved(path, write(book, path, scenario), scenario)
    assert any(re.search(words, each) for each in found.sentences), found.sentences
    frame = found.sheet.tables[0][2]
    assert not frame["cell"].str.contains(":").any(), "the sheet has a line for every cell"
