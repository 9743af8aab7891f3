"""What the plan leans on: the same question asked again with the weakest inputs moved.

The scenarios to compare are named in the setting `leaning_scenarios`; each is solved as a whole
and verified. Solves run side by side, one thread each.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import pandas as pd

from model.planner import Plan, solve
from model.result_schema import ResultColumn
from model.scenarios import apply_scenario
from model.solver import SolveOptions
from model.studies.study import StudyContext, StudySheet
from model.tables import Tables
from model.validation import check_tables

COLUMNS = (
    ResultColumn("scenario", "", "Input that was moved; see the scenarios sheet for the cells."),
    ResultColumn("total_cost", "MUSD", "Discounted cost of the best plan found."),
    ResultColumn("change", "MUSD", "Against the plan of this run."),
    ResultColumn("plants", "", "Host, capacity in t REO/y and year on line of each plant."),
    ResultColumn("capacity", "t REO/y", "Joint capacity on line in the last year."),
    ResultColumn("unmet", "t REO", "Demand left short, all modelled years."),
    ResultColumn("same_hosts", "", "Whether the hosts are those of this run."),
    ResultColumn("gap", "MUSD", "No plan can be cheaper than this one by more."),
    ResultColumn("verdict", "", "Independent verification."),
)


@dataclass(frozen=True)
class Leaning:
    """The best plan under one scenario, in few figures."""

    scenario: str
    total_cost: float
    plants: tuple[tuple[str, float, int], ...]
    capacity: float
    unmet: float
    gap: float
    verdict: str


def summarise(scenario: str, plan: Plan) -> Leaning:
    """Return the few figures of a plan that the table shows."""
    plants = plan.solution.tables["plants"].sort_values(["on_line", "host"])
    return Leaning(
        scenario,
        plan.solution.objective,
        tuple(zip(plants["host"], plants["capacity"], plants["on_line"], strict=True)),
        float(plants["capacity"].sum()),
        float(plan.solution.tables["unmet"]["tonnes"].sum()),
        plan.solution.gap,
        "no plan" if not plan.solution.status.has_plan else "passed" if plan.verification.passed else "FAILED",
    )


def _solve_one(tables: Tables, scenario: str, options: SolveOptions) -> Leaning:
    changed, _ = apply_scenario(tables, scenario)
    errors = [finding for finding in check_tables(changed) if finding.severity == "error"]
    if errors:
        nan = float("nan")
        return Leaning(scenario, nan, (), nan, nan, nan, f"not solved: {errors[0]}")
    return summarise(scenario, solve(changed, options))


def leaning_names(tables: Tables) -> list[str]:
    """Return the scenarios named in the setting."""
    return [name.strip() for name in str(tables.settings["leaning_scenarios"]).split(",") if name.strip()]


def run_leaning(
    tables: Tables, plan: Plan, options: SolveOptions, workers: int, say: Callable[[str], None] = lambda _: None
) -> tuple[Sequence[str], pd.DataFrame]:
    """Solve every named scenario and set it beside the plan.

    Parameters
    ----------
    tables
        The inputs that `plan` answers.
    plan
        The run's own plan.
    options
        For each solve; threads are set to one.
    workers
        Solves that run at once.
    say
        Called with a sentence as each solve ends.

    Returns
    -------
    sentences, frame
        What the table says in words, and one row a scenario in `COLUMNS`.
    """
    names = leaning_names(tables)
    single = replace(options, threads=1)
    found: list[Leaning] = []
    with ProcessPoolExecutor(max_workers=max(1, workers), mp_context=multiprocessing.get_context("spawn")) as pool:
        for leaning in pool.map(_solve_one, [tables] * len(names), names, [single] * len(names)):
            found.append(leaning)
            say(f"  {_sentence(leaning, plan)}")
    own = summarise("", plan)
    hosts = {host for host, _, _ in own.plants}
    rows = [
        (
            item.scenario, item.total_cost, item.total_cost - own.total_cost, describe_plants(item.plants), item.capacity, item.unmet,
            _same_hosts(item, hosts), item.gap, item.verdict,
        )
        for item in found
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=[column.name for column in COLUMNS])
    moved = frame.loc[frame["same_hosts"] == "no", "scenario"].tolist()
    unknown = frame.loc[frame["same_hosts"] == "not known", "scenario"].tolist()
    words = [f"{len(moved)} of {len(frame)} moves change the hosts: {', '.join(moved)}." if moved else "No move changes the hosts."]
    if unknown:
        words.append(f"Not solved, so not known: {', '.join(unknown)}.")
    words.append("A row whose gap is wider than its change shows the best plan found, which may not be the best one.")
    return words, frame


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    names = leaning_names(context.tables)
    if not names:
        context.say("  nothing to do: leaning_scenarios on sheet settings is blank.")
        return []
    context.say(f"What the plan leans on ({len(names)} further solves):")
    words, frame = run_leaning(context.tables, context.plan, context.options, context.workers, context.say)
    return [StudySheet("leaning", "How the plan moves when the weakest inputs are moved.", [("", COLUMNS, frame)], words)]


def _same_hosts(item: Leaning, hosts: set[str]) -> str:
    if not math.isfinite(item.total_cost):
        return "not known"
    return "yes" if {host for host, _, _ in item.plants} == hosts else "no"


def describe_plants(plants: Sequence[tuple[str, float, int]]) -> str:
    """Return plants in words, "none" if there are none.

    Examples
    --------
    >>> describe_plants([("MYS_KUA", 2500.0, 2030)])
    'MYS_KUA 2,500 t/y from 2030'
    """
    return "; ".join(f"{host} {capacity:,.0f} t/y from {year}" for host, capacity, year in plants) or "none"


def _sentence(leaning: Leaning, plan: Plan) -> str:
    if not math.isfinite(leaning.total_cost):
        return f"{leaning.scenario}: {leaning.verdict}"
    change = leaning.total_cost - plan.solution.objective
    return f"{leaning.scenario}: {change:+,.0f} MUSD, {describe_plants(leaning.plants)} (within {leaning.gap:,.1f} MUSD, verification {leaning.verdict})"
