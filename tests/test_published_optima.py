"""Published optima of capacitated facility location, a special case of the workbook."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.outcome import Status
from model.planner import Plan, solve
from model.template import write_book
from model.validation import check_tables, validate_book
from model.workbook import read_book
from tests import small
from tests.benchmarks.orlib import run_reference, strong_formulation
from tests.orlib import SMALL, Instance, absence, orlib_tables, published_optima, read_orlib, read_published, shortage_cost

OPTIMA = {(row.family, row.name): row for row in published_optima()}

needs_instances = pytest.mark.skipif(bool(absence()), reason=absence())

# two facilities for three customers; the first holds 10, the second 20
BY_EYE = """ 2 3
 10 100.
 20 130.
 5
 10. 40.
 8
 16. 24.
 4
 40. 4.
"""


def assert_proven(plan: Plan, optimum: float) -> None:
    assert plan.solution.status is Status.OPTIMAL
    assert plan.verification.passed, plan.verification.failures
    assert plan.solution.tables["unmet"].empty
    assert Instance.objective(plan.solution.objective) == pytest.approx(optimum, rel=1e-6)
    assert Instance.objective(plan.solution.bound) == pytest.approx(optimum, rel=1e-6)


@needs_instances
@pytest.mark.parametrize("name", SMALL)
def test_a_published_optimum_is_reached(name):
    row = OPTIMA["orlib_cflp", name]
    assert_proven(solve(orlib_tables(read_published(row))), row.optimum)


@needs_instances
@pytest.mark.parametrize("name", ["cap103", "cap134"])
def test_a_published_optimum_without_capacities_is_reached(name):
    row = OPTIMA["orlib_uflp", name]
    assert_proven(solve(orlib_tables(read_published(replace(row, family="orlib_cflp")), uncapacitated=True)), row.optimum)


@needs_instances
def test_every_instance_is_listed():
    families = [row.family for row in published_optima()]
    assert (families.count("orlib_cflp"), families.count("orlib_uflp")) == (49, 15)
    assert read_published(OPTIMA["orlib_cflp", "capb@7000"]).capacity == (7000.0,) * 100
    assert set(read_published(OPTIMA["orlib_uflp", "capb"]).capacity) == {51406.0}


@needs_instances
def test_an_instance_as_a_workbook_has_the_same_optimum(tmp_path):
    row = OPTIMA["orlib_cflp", "cap83"]
    written = orlib_tables(read_published(row))
    write_book(written, tmp_path / "cap83.xlsx")
    validated = validate_book(read_book(tmp_path / "cap83.xlsx"))
    assert validated.findings == ()
    assert validated.tables is not None
    plan = solve(validated.tables)
    assert_proven(plan, row.optimum)
    assert plan.solution.host_set == solve(written).solution.host_set


def instance_by_eye(folder: Path, text: str = BY_EYE) -> Instance:
    (folder / "eye.txt").write_text(text)
    return read_orlib(folder / "eye.txt")


def test_a_file_is_read_as_it_stands(tmp_path):
    instance = instance_by_eye(tmp_path)
    assert instance.capacity == (10.0, 20.0)
    assert instance.fixed_cost == (100.0, 130.0)
    assert instance.demand == (5.0, 8.0, 4.0)
    assert instance.cost == ((10.0, 40.0), (16.0, 24.0), (40.0, 4.0))


def test_an_instance_solved_by_eye(tmp_path):
    """The second facility alone: 130 + 40 + 24 + 4; both: 230 + 10 + 16 + 4, three units of the second customer moved for 3 more."""
    plan = solve(orlib_tables(instance_by_eye(tmp_path)))
    assert_proven(plan, 198.0)
    assert plan.solution.host_set == ("F2",)
    findings = check_tables(orlib_tables(instance_by_eye(tmp_path)), as_written=True)
    assert {finding.rule for finding in findings} <= {"implausible_figure"}  # a made-up plant of 0.1 MUSD is doubted, no more


def test_a_capacity_that_binds(tmp_path):
    """With 12 in the second facility both must open; of the first one's 10 units, 5 go to each of the first two customers."""
    plan = solve(orlib_tables(instance_by_eye(tmp_path, BY_EYE.replace(" 20 130.", " 12 130."))))
    assert_proven(plan, 230.0 + 10.0 + 5 * 2.0 + 3 * 3.0 + 4.0)
    assert plan.solution.host_set == ("F1", "F2")


def test_without_capacities_the_cheaper_facility_serves_everybody(tmp_path):
    dear = BY_EYE.replace("130.", "190.")
    assert_proven(solve(orlib_tables(instance_by_eye(tmp_path, dear), uncapacitated=True)), 100.0 + 10.0 + 16.0 + 40.0)
    assert_proven(solve(orlib_tables(instance_by_eye(tmp_path, dear))), 190.0 + 40.0 + 24.0 + 4.0)


def test_the_word_capacity_stands_for_the_one_given(tmp_path):
    (tmp_path / "open.txt").write_text(BY_EYE.replace(" 10 100.", " capacity 100.").replace(" 20 130.", " capacity 130."))
    assert read_orlib(tmp_path / "open.txt", 15).capacity == (15.0, 15.0)
    with pytest.raises(ValueError, match="leaves its capacity open"):
        read_orlib(tmp_path / "open.txt")


def test_a_file_cut_short_is_refused(tmp_path):
    with pytest.raises(ValueError, match="do not make 2 facilities and 3 customers"):
        instance_by_eye(tmp_path, BY_EYE[:-4])


def test_a_customer_without_demand_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no demand"):
        orlib_tables(instance_by_eye(tmp_path, BY_EYE.replace("\n 4\n", "\n 0\n")))


def test_facilities_too_small_for_the_demand_are_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot serve"):
        shortage_cost(instance_by_eye(tmp_path, BY_EYE.replace(" 20 130.", " 6 130.")))


def test_demand_is_scaled_to_kt(tmp_path):
    assert instance_by_eye(tmp_path).tonnes == 1000.0
    assert instance_by_eye(tmp_path, BY_EYE.replace("\n 4\n", "\n 4000\n").replace(" 20 ", " 5000 ")).tonnes == 1.0


@pytest.mark.parametrize("seed", range(2))
def test_a_drawn_instance_with_thousands_of_routes_agrees_with_the_textbook_formulation(seed):
    """5,500 rows that tie routes to facilities: enough for them to be stated on demand."""
    draw = np.random.default_rng(seed)
    facilities, customers = draw.uniform(0, 100, (25, 2)), draw.uniform(0, 100, (220, 2))
    demand = draw.integers(5, 36, 220).astype(float)
    distance = np.hypot(*(facilities[:, None] - customers[None]).transpose(2, 0, 1))
    instance = Instance(
        "drawn",
        (0.16 * float(demand.sum()),) * 25,
        tuple(draw.uniform(2000, 4000, 25).tolist()),
        tuple(demand.tolist()),
        tuple(map(tuple, (distance * demand / 20).T.tolist())),
    )
    reference = run_reference(strong_formulation(instance), 300, 1)
    assert reference.proven
    said: list[str] = []
    plan = solve(orlib_tables(instance), replace(small.EXACT, threads=2), say=said.append)
    assert any("Linear relaxation" in sentence for sentence in said)
    assert_proven(plan, reference.objective)
