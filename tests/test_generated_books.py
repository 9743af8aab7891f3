"""Books made for benchmarks are valid, larger by the factor asked for, and the same in total."""

from __future__ import annotations

import pandas as pd
import pytest

from model.problem_builder import build_problem
from model.tables import Tables
from model.template import write_book
from model.validation import check_tables, validate_book
from model.workbook import read_book
from tests.benchmarks.books import read_tables
from tests.benchmarks.generate import grow, size
from tests.tiny import tiny_tables


@pytest.fixture(scope="module")
def baseline() -> Tables:
    return read_tables()


def yearly(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[[column for column in frame.columns if isinstance(column, int)]]


@pytest.mark.parametrize("factor", [4, 16])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_baseline_grows_by_the_factor(baseline, factor, seed):
    grown = grow(baseline, factor, seed)
    assert size(grown) == pytest.approx(factor * size(baseline), rel=0.05)
    assert [finding for finding in check_tables(grown, as_written=True) if finding.severity == "error"] == []
    for sheet in ("demand", "suppliers"):
        assert yearly(grown[sheet]).sum().to_list() == pytest.approx(yearly(baseline[sheet]).sum().to_list())
    assert grown["sources"]["capacity"].sum() == pytest.approx(baseline["sources"]["capacity"].sum())
    assert grown["markets"]["equity"].sum() == pytest.approx(1.0)
    assert {"cap_35", "cap_10", "cap_0"} <= set(grown["scenarios"]["scenario"])


def test_the_same_seed_gives_the_same_book(baseline):
    one, again, other = grow(baseline, 4, 3), grow(baseline, 4, 3), grow(baseline, 4, 4)
    assert all(one[sheet].equals(again[sheet]) for sheet in one.frames)
    assert not one["hosts"].equals(other["hosts"])


def test_factor_one_is_the_book_itself(baseline):
    assert grow(baseline, 1) is baseline
    with pytest.raises(ValueError, match="cannot grow"):
        grow(baseline, 0.5)


def test_clones_get_what_names_the_original():
    """A forced plant is not forced twice; routes, caps of a host and a partner's stock follow the clones."""
    book = tiny_tables(
        host_rules=[
            {"rule_id": "FORCE", "host": "AAA_PORT", "rule": "force_plant", "to_year": 2032, "value": 1000, "value_unit": "t REO/y", "reason": "a"},
            {"rule_id": "CEILING", "host": "AAA_PORT", "rule": "feed_ceiling", "value": 900, "value_unit": "t REO/y", "reason": "b"},
        ],
        caps=[{"cap": "SITE", "basis": "feedstock", "measure": "tonnes", "scope": "host", "member": "AAA_PORT", **dict.fromkeys((2030, 2031, 2032), 0.4)}],
        route_costs=[{"leg": "feed", "origin": "ALPHA_MINE", "destination": "AAA_PORT", "cost": 0.2}],
    )  # fmt: skip
    grown = grow(book, 8)
    assert len(grown["hosts"]) == len(grown["sources"]) == len(grown["markets"]) == 4
    assert sorted(grown["host_rules"]["rule_id"]) == ["CEILING", "CEILING_2", "FORCE"]
    assert grown["caps"][["cap", "member"]].to_numpy().tolist() == [["SITE", "AAA_PORT"], ["SITE_2", "AAA_PORT_2"]]
    assert len(grown["route_costs"]) == 4
    stock = grown["stockpiles"].set_index("market")
    assert stock.index.to_list() == ["JPN", "JPN_2"]
    assert stock["opening"].sum() == pytest.approx(10)
    assert check_tables(grown) == check_tables(book) == ()
    assert len(build_problem(grown).feeds) > 3 * len(build_problem(book).feeds)


def test_a_grown_book_can_be_written_and_read(baseline, tmp_path):
    grown = grow(baseline, 4)
    write_book(grown, tmp_path / "grown.xlsx")
    read = validate_book(read_book(tmp_path / "grown.xlsx")).tables
    assert read is not None
    assert all(len(read[sheet]) == len(grown[sheet]) for sheet in grown.frames if sheet != "settings")
