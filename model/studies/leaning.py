"""What the plan leans on: the same question asked again under named scenarios that move the weakest inputs.

The scenarios to compare are named in the setting `leaning_scenarios`; each is solved as a whole
and verified. The study `sensitivity` moves every estimate by itself; this one moves what a planner has put together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pandas as pd

from model.book import split_codes
from model.outcome import SolveOptions
from model.planner import Plan
from model.result_schema import ResultColumn
from model.scenarios import apply_scenario
from model.studies.moved import BROKEN, NOTHING, UNKNOWN, Moved, describe_plants, solve_moved, summarise
from model.studies.plan_figures import plan_builds
from model.studies.study import StudyContext, StudySheet
from model.tables import Tables
from model.workers import Workers

COLUMNS = (
    ResultColumn("scenario", "", "Input that was moved; see the scenarios sheet for the cells."),
    ResultColumn("total_cost", "MUSD", "Discounted cost of the best plan found."),
    ResultColumn("change", "MUSD", "Against the plan of this run."),
    ResultColumn("plants", "", "Host, capacity in t REO/y and year on line of each plant."),
    ResultColumn("capacity", "t REO/y", "Joint capacity on line in the last year."),
    ResultColumn("unmet", "t REO", "Demand left short over the horizon."),
    ResultColumn(
        "same_hosts",
        "",
        "Whether the hosts are those of this run; no plan exists there: that is proven; breaks a rule of the book: see verdict.",
    ),
    ResultColumn("gap", "MUSD", "No plan can be cheaper than this one by more."),
    ResultColumn("verdict", "", "Independent verification."),
)


def leaning_names(tables: Tables) -> list[str]:
    """Return the scenarios named in the setting."""
    return split_codes(str(tables.settings["leaning_scenarios"]))


def run_leaning(
    tables: Tables, plan: Plan, options: SolveOptions, workers: int | Workers, say: Callable[[str], None] = lambda _: None
) -> tuple[Sequence[str], pd.DataFrame]:
    """Solve every named scenario and set it beside the plan.

    Parameters
    ----------
    tables
        The inputs that `plan` answers.
    plan
        The run's own plan.
    options
        For each solve.
    workers
        Solves that run at once, or the processes in which they do.
    say
        Called with a sentence as each solve ends.

    Returns
    -------
    sentences, frame
        What the table says in words, and one row a scenario in `COLUMNS`.
    """
    own = summarise("", plan)
    start = plan_builds(plan)
    moves = [(name, apply_scenario(tables, name)[0], start) for name in leaning_names(tables)]
    found = solve_moved(moves, options, workers, say, lambda item: f"  {_sentence(item, own)}", plan.hot)
    rows = [
        (
            item.name, item.total_cost, item.total_cost - own.total_cost,
            "" if math.isnan(item.total_cost) else describe_plants(item.plants), item.capacity, item.unmet, _same_hosts(item, own),
            item.gap, item.verdict,
        )
        for item in found
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=[column.name for column in COLUMNS])
    words = _describe(found, own)
    words.append("A row whose gap is wider than its change shows the best plan found, which may not be the best one.")
    return words, frame


def _same_hosts(item: Moved, own: Moved) -> str:
    if item.breaks_rule:
        return BROKEN
    if item.impossible:
        return NOTHING
    if not item.known:
        return UNKNOWN
    return "yes" if item.hosts == own.hosts else "no"


def _describe(found: Sequence[Moved], own: Moved) -> list[str]:
    """Return which moves change the hosts, and which have no plan that could tell, each kind apart."""
    names: dict[str, list[str]] = {}
    for item in found:
        names.setdefault(_same_hosts(item, own), []).append(item.name)
    known = len(names.get("yes", [])) + len(names.get("no", []))
    if moved := names.get("no"):
        words = [f"{len(moved)} of {len(found)} moves change the hosts: {', '.join(moved)}."]
    elif known == len(found):
        words = ["No move changes the hosts."]
    else:
        words = ["No move whose plan is known changes the hosts." if known else "No move has a plan that could be compared."]
    said = {
        NOTHING: "No plan exists at all with: {}.",
        BROKEN: "Not solved, as the moved inputs break a rule of the book that the table names: {}.",
        UNKNOWN: "Without a verified plan, so not known: {}.",
    }
    return words + [sentence.format(", ".join(names[verdict])) for verdict, sentence in said.items() if verdict in names]


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    names = leaning_names(context.tables)
    if not names:
        context.say("  nothing to do: leaning_scenarios on sheet settings is blank.")
        return []
    context.say(f"What the plan leans on ({len(names)} further solves):")
    words, frame = run_leaning(context.tables, context.plan, context.options, context.workers, context.say)
    return [StudySheet("leaning", "How the plan moves when the weakest inputs are moved.", [("", COLUMNS, frame)], words)]


def _sentence(item: Moved, own: Moved) -> str:
    if not item.known:
        return f"{item.name}: {item.verdict}"
    change = item.total_cost - own.total_cost
    return f"{item.name}: {change:+,.0f} MUSD, {describe_plants(item.plants)} (within {item.gap:,.1f} MUSD, verification {item.verdict})"
