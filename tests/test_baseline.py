"""The shipped workbook: sources on every row, scenarios that apply, the published starting point."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.analysis import customs_view, traced_view
from model.planner import Plan, solve
from model.scenarios import apply_scenario, scenario_names
from model.schema import SHEETS
from model.tables import Tables
from model.validation import check_tables, validate_book
from model.workbook import read_book
from tests.office import convert

BASELINE = Path(__file__).parents[1] / "inputs" / "baseline.xlsx"


@pytest.fixture(scope="module")
def baseline() -> Tables:
    outcome = validate_book(read_book(BASELINE))
    assert outcome.findings == ()
    assert outcome.tables is not None
    return outcome.tables


@pytest.fixture(scope="module")
def status_quo(baseline) -> Plan:
    tables, _ = apply_scenario(baseline, "status_quo")
    return solve(tables)


def test_every_row_names_its_source_and_quality(baseline):
    for sheet in SHEETS:
        if sheet.provenance:
            frame = baseline[sheet.name]
            assert (frame["source"].str.strip() != "").all(), sheet.name
            assert frame["quality"].isin(["reported", "derived", "estimate", "assumption"]).all(), sheet.name


def test_the_candidates_are_twenty_third_countries_beside_the_two_partners(baseline):
    hosts = baseline["hosts"]
    assert (hosts["role"] == "third_country").sum() == 20
    assert set(hosts.loc[hosts["role"] == "partner", "country"]) == {"USA", "JPN"}
    assert len(baseline["elements"]) == 17


def test_every_scenario_applies_and_leaves_a_valid_book(baseline):
    names = scenario_names(baseline)
    assert {"status_quo", "refine_in_us"} <= set(names)
    for name in names:
        changed, _ = apply_scenario(baseline, name)
        assert [finding for finding in check_tables(changed) if finding.severity == "error"] == [], name


def test_status_quo_reproduces_the_published_position_by_customs_view(status_quo):
    assert status_quo.verification.passed
    view = customs_view(status_quo.tables, status_quo.solution.tables)
    first = view[view["year"] == 2027].set_index(["market", "origin"])["share"]
    published = dict(zip(status_quo.tables["published"]["figure"], status_quo.tables["published"]["value"], strict=True))
    assert 100 * first["USA", "CHN"] == pytest.approx(published["us_import_share_china"], abs=3)
    assert 100 * first["USA", "JPN"] == pytest.approx(published["us_import_share_japan"], abs=3)
    assert 100 * first["JPN", "CHN"] == pytest.approx(published["japan_import_share_china"], abs=3)


def test_traced_content_is_above_what_customs_see(status_quo):
    traced = traced_view(status_quo.tables, status_quo.solution.tables)
    usa = traced[(traced["market"] == "USA") & (traced["year"] == 2027)]
    assert float(usa["china_tonnes"].sum() / usa["tonnes"].sum()) > 0.6


def test_without_sites_no_plant_is_built_and_nothing_is_cheaper(status_quo):
    assert status_quo.solution.tables["builds"].empty
    assert status_quo.solution.gap == pytest.approx(0.0, abs=1e-6)


def test_saved_by_libreoffice_the_answer_is_the_same(tmp_path, status_quo):
    outcome = validate_book(read_book(convert(BASELINE, tmp_path)))
    assert outcome.tables is not None
    tables, _ = apply_scenario(outcome.tables, "status_quo")
    assert solve(tables).solution.objective == pytest.approx(status_quo.solution.objective, rel=1e-9)
