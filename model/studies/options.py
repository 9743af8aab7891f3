"""The choice that the offer puts on the table: know-how at home, joint plants abroad, both or neither, side by side.

*Know-how*: plants at the sites of a partner's own country, worked with the know-how that another partner's country
lends. *Third countries*: plants at the other candidates. The caps and every other rule are the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from model.analysis import LOCAL_PARTNER, capital_by_payer
from model.batch import Case, solve_cases
from model.planner import Plan
from model.result_schema import ResultColumn
from model.studies.plan_figures import china_share_of_feed, china_share_of_supply, plan_builds, plants_in_words, tonnes_short, verdict
from model.studies.study import StudyContext, StudySheet
from model.tables import Tables

KNOW_HOW, THIRD, BOTH, NEITHER = "know-how at home", "joint plants in third countries", "both", "neither"

COLUMNS = (
    ResultColumn("option", "", "What the partners agree on."),
    ResultColumn("sites", "", "Where a plant may stand."),
    ResultColumn("total_cost", "MUSD", "Discounted cost of the best plan found, shortages included."),
    ResultColumn("saving", "MUSD", "Against neither; negative: dearer."),
    ResultColumn("yearly_cost", "MUSD/y", "In an average calendar year, not discounted."),
    ResultColumn("cost_per_kg", "USD/kg", "Total per kg of oxide supplied, both discounted."),
    ResultColumn("plants", "", "Country, capacity in t REO/y and year on line of each plant."),
    ResultColumn("capacity", "t REO/y", "Joint capacity on line in the last year."),
    ResultColumn("china_supply", "share", "China-linked share of all that the markets are supplied with, traced, over the horizon."),
    ResultColumn("china_feed", "share", "China-linked share of what the joint plants are fed, over the horizon; blank without plants."),
    ResultColumn("unmet", "t REO", "Demand left short over the horizon."),
    ResultColumn("fees", "MUSD", "Fees for know-how, discounted."),
)
LAST_COLUMNS = (
    ResultColumn("gap", "MUSD", "No plan of this option can be cheaper than this one by more."),
    ResultColumn("verdict", "", "Independent verification."),
)


@dataclass(frozen=True)
class Option:
    """One way to agree: who may host, and by which ways of working."""

    name: str
    hosts: tuple[str, ...]
    ways: tuple[str, ...]


def list_options(tables: Tables) -> list[Option]:
    """Derive the options from the book; one that no site or way allows is left out.

    Sites for know-how have the role ``partner`` and lie in a partner's country that is not the one that lends it; they count
    whether or not they are candidates of the book. Third countries are the candidates with that role.
    """
    hosts, ways, markets = tables["hosts"], tables["know_how"], tables["markets"]
    every = tuple(ways["way"])
    lent = ways[ways["provider"] != ""]
    homes = set(markets.loc[markets["partner"] == "yes", "country"])
    at_home = [
        row["host"]
        for row in hosts.to_dict("records")
        if row["role"] == "partner" and row["country"] in homes and any(provider != row["country"] for provider in lent["provider"])
    ]
    abroad = hosts.loc[(hosts["role"] == "third_country") & (hosts["candidate"] == "yes"), "host"].tolist()
    options = [
        Option(KNOW_HOW, tuple(at_home), tuple(lent["way"])),
        Option(THIRD, tuple(abroad), every),
        Option(BOTH, (*abroad, *at_home) if abroad and at_home else (), every),
    ]
    return [*(option for option in options if option.hosts), Option(NEITHER, (), every)]


def option_tables(tables: Tables, option: Option) -> Tables:
    """Return the inputs under an option.

    Plants forced at other sites are no longer asked for, nor more hosts than there are sites. Where all sites lie in one
    country, the limit on one country's share, which none could meet, is off; where a partner's site stands for its whole
    country, it may hold all plants.
    """
    hosts, rules = tables["hosts"].copy(), tables["host_rules"]
    hosts["candidate"] = ["yes" if host in option.hosts else "no" for host in hosts["host"]]
    ways = tables["know_how"]
    changed = tables.with_frames(
        hosts=hosts,
        host_rules=rules[(rules["rule"] != "force_plant") | rules["host"].isin(option.hosts)],
        know_how=ways[ways["way"].isin(option.ways)],
    )
    least = min(tables.setting("minimum_hosts"), len(option.hosts))
    if least < tables.setting("minimum_hosts"):
        changed = changed.with_settings(minimum_hosts=least)
    if len(set(hosts.loc[hosts["candidate"] == "yes", "country"])) <= 1:
        changed = changed.with_settings(country_share_limit=1.0)
    if option.name == KNOW_HOW:
        changed = changed.with_settings(plants_per_host=max(tables.setting("plants_per_host"), tables.setting("max_plants")))
    return changed


def neither_tables(tables: Tables) -> Tables:
    """Return the inputs under which the markets do without joint plants; nothing asks for one."""
    return option_tables(tables, Option(NEITHER, (), tuple(tables["know_how"]["way"])))


def _same_inputs(one: Tables, other: Tables) -> bool:
    """Whether an option leaves everything that :func:`option_tables` can change as it is."""
    columns = (("hosts", "candidate"), ("host_rules", "rule_id"), ("know_how", "way"))
    return one.settings == other.settings and all(list(one[sheet][column]) == list(other[sheet][column]) for sheet, column in columns)


def solve_options(context: StudyContext, options: Sequence[Option]) -> dict[str, Plan]:
    """Solve each option; one whose inputs are those of the run has its plan already."""
    plans: dict[str, Plan] = {}
    cases = []
    builds = plan_builds(context.plan)
    for option in options:
        tables = option_tables(context.tables, option)
        if _same_inputs(tables, context.tables):
            plans[option.name] = context.plan
            continue
        start = tuple(key for key in builds if key[0] in option.hosts and key[2] in option.ways)
        cases.append(Case(option.name, tables, start=start))
    plans |= {
        case.name: plan
        for case, plan in solve_cases(cases, context.options, context.workers, lambda line: context.say(f"  {line}"), hot=context.plan.hot)
    }
    return {option.name: plans[option.name] for option in options}


def summarise(plan: Plan) -> dict[str, float | str]:
    """Return the figures of one option's plan by column; only status where there is none."""
    found, problem = plan.solution.tables, plan.problem
    if not plan.solution.status.has_plan:
        return {"verdict": verdict(plan), "plants": ""}
    costs, supply = found["costs"], found["supply_balance"]
    span = problem.years_represented
    weighted = float(((supply["demand"] - supply["unmet"]) * supply["year"].map(problem.weight)).sum())
    paid = capital_by_payer(problem, found)
    capex = (paid["share"] * paid["capex"]).groupby(paid["payer"]).sum().to_dict() if len(paid) else {}
    return {
        "total_cost": plan.solution.objective,
        "yearly_cost": float((costs["cost"] * costs["year"].map(span)).sum()) / sum(span.values()),
        "cost_per_kg": plan.solution.objective / weighted * 1000.0 if weighted > 0 else math.nan,
        "plants": plants_in_words(plan.tables, plan_builds(plan)),
        "capacity": float(found["plants"]["capacity"].sum()),
        "china_supply": china_share_of_supply(plan),
        "china_feed": china_share_of_feed(plan),
        "unmet": tonnes_short(plan),
        "fees": float(costs.loc[costs["component"] == "know_how_fee", "present_value"].sum()),
        **{f"capex_{payer}": float(capex.get(payer, 0.0)) for payer in (*problem.partners, LOCAL_PARTNER)},
        "gap": plan.solution.gap,
        "verdict": verdict(plan),
    }


def options_table(options: Sequence[Option], plans: dict[str, Plan]) -> tuple[list[ResultColumn], pd.DataFrame]:
    """Set the options side by side."""
    partners = next(iter(plans.values())).problem.partners
    payers = [
        ResultColumn(f"capex_{payer}", "MUSD", f"Capital that {'the host country' if payer == LOCAL_PARTNER else payer} spends.")
        for payer in (*partners, LOCAL_PARTNER)
    ]
    columns = [*COLUMNS, *payers, *LAST_COLUMNS]
    rows = []
    for option in options:
        sites = ", ".join(option.hosts) if len(option.hosts) <= 3 else f"{len(option.hosts)} candidates"
        rows.append({"option": option.name, "sites": sites or "none", **summarise(plans[option.name])})
    frame = pd.DataFrame(rows).reindex(columns=[column.name for column in columns])
    neither = frame.loc[frame["option"] == NEITHER, "total_cost"].astype(float).iloc[0]
    frame["saving"] = neither - frame["total_cost"].astype(float)
    return columns, frame


SETTINGS_APART = {
    "country_share_limit": "all its sites lie in one country",
    "plants_per_host": "a partner's site stands for its whole country",
    "minimum_hosts": "it has no more sites",
}
"""Settings that :func:`option_tables` may loosen, and why."""


def _rules_apart(own: Tables, other: Tables) -> tuple[list[str], list[str]]:
    """Return the settings of :data:`SETTINGS_APART` in which two books differ, and the host rules of the first that the second lacks."""
    settings = [setting for setting in SETTINGS_APART if own.setting(setting) != other.setting(setting)]
    kept = set(other["host_rules"]["rule_id"])
    return settings, [str(rule) for rule in own["host_rules"]["rule_id"] if rule not in kept]


def rules_off(tables: Tables, options: Sequence[Option]) -> list[str]:
    """Return a sentence for each option with sites that is solved under other rules than the book's; see :func:`option_tables`."""
    told = []
    for option in options:
        if not option.hosts:
            continue
        changed = option_tables(tables, option)
        settings, forced = _rules_apart(tables, changed)
        words = [
            f"with {setting} = {changed.setting(setting):g} instead of {tables.setting(setting):g} (sheet settings), as {SETTINGS_APART[setting]}"
            for setting in settings
        ]
        words += [f"without {', '.join(forced)} (sheet host_rules), as other sites are left out"] if forced else []
        if words:
            told.append(f"The option {option.name} is solved {'; '.join(words)}.")
    return told


def rules_with_both(tables: Tables, options: Sequence[Option]) -> dict[str, str]:
    """Say for each half of "both" which rules of the book hold with both and are off for it alone; left out where none is.

    A half alone may be freed of a rule that it could never meet (:func:`option_tables`), so both can come out dearer than it.
    """
    by_name = {option.name: option for option in options}
    told = {}
    for name in (KNOW_HOW, THIRD) if BOTH in by_name else ():
        alone, both = (option_tables(tables, by_name[which]) for which in (name, BOTH))
        settings, forced = _rules_apart(both, alone)
        kept = [
            f"{setting} = {both.setting(setting):g} (sheet settings) holds and alone it is {alone.setting(setting):g}"
            for setting in settings
        ]
        kept += [f"rule {', '.join(forced)} (sheet host_rules) asks for a plant and alone it does not"] if forced else []
        if kept:
            told[name] = " and ".join(kept)
    return told


def _home_or_abroad(home: dict, abroad: dict) -> str:
    """Compare the two halves of the offer."""
    extra = home["total_cost"] - abroad["total_cost"]
    if home["plants"] == abroad["plants"] == "none":
        return "Refining at home with lent know-how costs the same as in third countries: neither builds a plant."
    if abs(extra) <= home["gap"] + abroad["gap"]:
        return "Refining at home with lent know-how costs the same as in third countries, within the gaps of the solves."
    per_kg = abs(home["cost_per_kg"] - abroad["cost_per_kg"])
    each = "" if math.isnan(per_kg) else f" ({per_kg:,.2f} USD per kg supplied)"
    side = "more" if extra > 0 else "less"
    advice = "pay that for a plant on own soil, or take the offer abroad" if extra > 0 else "the know-how is the better half of the offer"
    return f"Refining at home with lent know-how costs {abs(extra):,.1f} MUSD {side} than in third countries{each}: {advice}."


def option_sentences(frame: pd.DataFrame, apart: Mapping[str, str] | None = None) -> list[str]:
    """Say which option is cheapest, what each is worth and what to make of it.

    Parameters
    ----------
    frame
        Of :func:`options_table`.
    apart
        Of :func:`rules_with_both`.
    """
    apart = apart or {}
    rows = {row["option"]: row for row in frame.to_dict("records")}
    solved = sorted((row for row in rows.values() if row["verdict"] == "passed"), key=lambda row: float(row["total_cost"]))
    words = [f"{name}: {row['verdict']} under the same rules." for name, row in rows.items() if row["verdict"] != "passed"]
    if not solved:
        return words
    best = solved[0]
    close = [row["option"] for row in solved[1:] if row["total_cost"] - best["total_cost"] <= best["gap"] + row["gap"]]
    told = f"Cheapest is {best['option']}: {best['total_cost']:,.1f} MUSD, {best['plants']}"
    words.insert(0, f"{told}; within the gaps of the solves it costs the same as {', '.join(close)}." if close else f"{told}.")
    worth = [f"{row['option']} {row['saving']:+,.1f} MUSD" for row in solved if row["option"] != NEITHER and not math.isnan(row["saving"])]
    if worth:
        words.append(
            f"Against neither, which leaves the markets to existing refiners under the same caps, the options save: {', '.join(worth)}."
        )
    if KNOW_HOW in rows and THIRD in rows and rows[KNOW_HOW]["verdict"] == rows[THIRD]["verdict"] == "passed":
        words.append(_home_or_abroad(rows[KNOW_HOW], rows[THIRD]))
    single = [rows[name] for name in (KNOW_HOW, THIRD) if name in rows and rows[name]["verdict"] == "passed"]
    if BOTH in rows and rows[BOTH]["verdict"] == "passed" and single and any(row["plants"] != "none" for row in (*single, rows[BOTH])):
        least = min(single, key=lambda row: float(row["total_cost"]))
        added = least["total_cost"] - rows[BOTH]["total_cost"]
        if added > least["gap"] + rows[BOTH]["gap"]:
            words.append(f"Having both is worth {added:,.1f} MUSD more than {least['option']} alone: keep both open.")
        elif added < -(least["gap"] + rows[BOTH]["gap"]) and apart.get(least["option"]):
            words.append(
                f"Both cost {-added:,.1f} MUSD more than {least['option']} alone because the rules differ: with both {apart[least['option']]}. "
                f"Without it both would cost {least['total_cost']:,.1f} MUSD at most; this is no reason to give one up."
            )
        else:
            words.append(f"Having both is worth no more than {least['option']} alone: negotiate for that and give the other up if asked.")
    idle = [row["option"] for row in solved if row["option"] != NEITHER and row["plants"] == "none"]
    if idle:
        words.append(
            f"With {' or '.join(idle)} the cheapest plan builds nothing: at these figures nobody would take it up. Force a plant (host_rules) to see its price."
        )
    return words


def run(context: StudyContext) -> Sequence[StudySheet]:
    """Run the study."""
    options = list_options(context.tables)
    if len(options) == 1:
        context.say("  nothing to do: the book has neither a third country as candidate nor a partner's site with know-how lent to it.")
        return []
    columns, frame = options_table(options, solve_options(context, options))
    words = [*option_sentences(frame, rules_with_both(context.tables, options)), *rules_off(context.tables, options)]
    if all(option.name != KNOW_HOW for option in options):
        words.append(
            "The book has no site in a partner's country with know-how lent to it (hosts.role, know_how.provider): that option is left out."
        )
    caption = (
        "The options of the offer, each at least cost under the same caps; which other rules differ is said below. At a partner's own site only lent know-how is used; "
        "with both, any way of working is open everywhere."
    )
    return [StudySheet("options", caption, [("The options side by side.", columns, frame)], words, words[:1])]
