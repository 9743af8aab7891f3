"""The register of verification rules.

A rule has an absolute tolerance in its unit and a relative one. The solver keeps rows and
bounds within 1e-7 kt or MUSD, which is 1e-4 t: the absolute part of 1e-3 leaves room for a
few of them in one sum and for negatives clipped to 0. The relative part covers rounding in
long sums only, and for money also the clipped flows' prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["structure", "domain", "constraint", "derived"]


@dataclass(frozen=True)
class Rule:
    """One rule of the register.

    Parameters
    ----------
    name
        snake_case; a constraint's rule has the constraint's name in ``formulation.md``.
    kind
        structure: shape of the result tables; domain: what a decision may be at all;
        constraint: a row of ``formulation.md``; derived: a table computed from the decisions.
    unit
        Of violation and tolerance.
    absolute, relative
        A violation passes up to `absolute` + `relative` x size of what is compared.
    """

    name: str
    kind: Kind
    description: str
    unit: str
    absolute: float = 0.0
    relative: float = 0.0


def _tonnes(kind: Kind, rules: dict[str, str], unit: str = "t REO/y") -> tuple[Rule, ...]:
    return tuple(Rule(name, kind, text, unit, 1e-3, 1e-8) for name, text in rules.items())


def _money(kind: Kind, rules: dict[str, str], unit: str = "MUSD/y") -> tuple[Rule, ...]:
    return tuple(Rule(name, kind, text, unit, 1e-3, 1e-7) for name, text in rules.items())


def _exact(kind: Kind, unit: str, rules: dict[str, str]) -> tuple[Rule, ...]:
    return tuple(Rule(name, kind, text, unit) for name, text in rules.items())


def _shares(kind: Kind, rules: dict[str, str]) -> tuple[Rule, ...]:
    return tuple(Rule(name, kind, text, "share", 1e-6) for name, text in rules.items())


RULES: tuple[Rule, ...] = (
    *_exact(
        "structure",
        "rows",
        {
            "tables_complete": "Every result table and column is there.",
            "numbers_finite": "Every number is a finite number; blank only where the column may be.",
            "codes_known": "Every code in a result table is one of the workbook's.",
            "years_modelled": "Every year is a modelled year.",
            "rows_unique": "No row stands twice; in particular no plant is built twice.",
            "input_figures_present": "Every price and composition that the recomputation needs is in the workbook.",
        },
    ),
    *_exact("domain", "t REO", {"flows_non_negative": "No flow, stock or shortage is below zero."}),
    *_exact(
        "domain",
        "plants",
        {
            "build_candidate_host": "Plants stand at candidate hosts only.",
            "build_design_host": "A design kept for one host stands nowhere else.",
            "build_forbidden": "No plant comes on line while a forbid_plant rule holds.",
        },
    ),
    *_exact(
        "domain",
        "years",
        {
            "build_earliest_start": "No plant is on line before the host's earliest start.",
            "build_lead_time": "No plant is on line before decision_year plus its years of construction, rounded up.",
        },
    ),
    *_exact(
        "domain",
        "t REO/y",
        {
            "feed_source_in_use": "Feed comes from sources in use.",
            "feed_process_only_in": "Feed tied to a country is processed there.",
            "feed_thorium_accepted": "Feed holds no more thorium than the host accepts.",
            "feed_no_thorium": "Feed is at most low in thorium while a no_thorium rule holds.",
            "feed_no_cracking": "No feed that needs cracking is processed while a no_cracking rule holds.",
            "feed_route_exists": "Feed travels on routes that exist.",
            "delivery_route_exists": "Joint product travels on routes that exist.",
            "purchase_offered": "Oxide is bought from a row of suppliers that offers it to that market.",
            "stock_kept": "Stock is held and drawn only where stockpiles has a row.",
        },
    ),
    *_tonnes(
        "domain",
        {
            "feed_line_on_line": "Feed is processed only on a line with a plant on line.",
            "unmet_within_demand": "No sector is short of more than it demands.",
        },
    ),
    *_exact(
        "constraint",
        "plants",
        {
            "plants_per_host_limit": "No host holds more than plants_per_host plants.",
            "plant_count_limit": "There are at most max_plants plants in all.",
            "host_count_minimum": "At least minimum_hosts hosts hold a plant by the last year.",
        },
    ),
    *_tonnes(
        "constraint",
        {
            "forced_plant_minimum": "A force_plant rule's capacity is on line at its host in time.",
            "capacity_limit": "Feed of a line is within its usable capacity.",
            "cracking_limit": "Feed that needs cracking is within the usable capacity of integrated plants.",
            "use_minimum": "Feed reaches the least use of ramped-up plants.",
            "separation_use_minimum": "Feed that needs no cracking reaches the least use of ramped-up separation plants.",
            "source_limit": "Feed taken from a source is within its uncommitted output.",
            "feed_ceiling_limit": "Feed at a host is within its feed_ceiling rule.",
            "product_balance": "What a host makes of a product is delivered or surplus.",
            "export_share_limit": "Deliveries to other countries are within the export_share rule's part of what is made.",
            "export_ceiling_limit": "Deliveries to other countries are within the export_ceiling rule.",
            "china_balance": "The China-linked part of what a host makes is delivered or surplus.",
            "china_delivered_link": "The China-linked part of a delivery is no more than the delivery.",
            "china_surplus_link": "The China-linked part of a surplus is no more than the surplus.",
            "supplier_limit": "Oxide bought is within what the supplier offers.",
            "take_minimum": "Oxide bought reaches the supplier's take-or-pay tonnes.",
            "demand_balance": "Joint product, bought oxide, stock drawn and shortage equal demand.",
        },
    ),
    *_tonnes(
        "constraint",
        {
            "stock_balance": "Stock is last stock less what was drawn over the years represented.",
            "stock_minimum": "Stock covers the days of demand to be held.",
        },
        "t REO",
    ),
    Rule("china_cap", "constraint", "The China-linked part is within every cap.", "t REO/y or MUSD/y", 1e-3, 1e-8),
    *_money("constraint", {"offtake_minimum": "Each partner is delivered its least share, by value, of each host's output."}),
    *_tonnes("constraint", {"country_share_limit": "No country holds more than its share of the capacity on line."}),
    *_money("constraint", {"capex_budget": "A partner's part of capital spent in a year is within its budget."}),
    *_exact(
        "constraint", "hosts", {"host_set_difference_minimum": "The hosts that hold a plant are none of the sets that the goal excludes."}
    ),
    *_tonnes("constraint", {"shortage_limit": "Sectors are left no shorter than the goal allows."}, "t REO"),
    *_money("constraint", {"cost_budget": "The plan costs no more than the goal allows."}, "MUSD"),
    *_tonnes(
        "derived",
        {
            "feed_china_content": "China-linked feed is the source's share times the feed.",
            "purchase_china_content": "China-linked oxide bought is the supplier's share times the purchase.",
        },
    ),
    *_exact(
        "derived",
        "rows",
        {
            "plants_listed": "The plants table lists every build once and no other.",
            "plant_labels": "A listed plant has its host's country and its design's line.",
        },
    ),
    *_tonnes("derived", {"plant_capacity": "Nameplate in the plants table is the design's."}),
    *_money("derived", {"plant_capex": "Capital cost in the plants table."}, "MUSD"),
    *_money("derived", {"plant_capital_charge": "Annuity in the plants table."}),
    *_tonnes(
        "derived",
        {
            "line_nameplate": "Nameplate on line by host, line and year.",
            "line_usable": "Usable capacity by host, line and year.",
            "line_feed": "Feed by host, line and year.",
        },
    ),
    *_shares("derived", {"line_use": "Feed over usable capacity."}),
    *_tonnes(
        "derived",
        {
            "product_made": "Product made by host and year.",
            "product_delivered": "Product delivered by host and year.",
            "product_surplus": "Product surplus by host and year.",
            "product_china_made": "China-linked part made by host and year.",
            "supply_demand": "Demand in the supply balance.",
            "supply_joint": "Joint product in the supply balance.",
            "supply_bought": "Bought oxide in the supply balance.",
            "supply_drawn": "Stock drawn in the supply balance.",
            "supply_unmet": "Shortage in the supply balance.",
            "supply_china": "China-linked part in the supply balance.",
        },
    ),
    *_money(
        "derived",
        {
            "cost_component": "Each cost line of each year.",
            "cost_host": "Each cost line by host, where the table gives hosts.",
            "cost_market": "Each cost line by market, where the table gives markets.",
        },
    ),
    Rule("cost_weight", "derived", "Discounted years that a year stands for.", "years", 1e-9, 1e-9),
    *_money(
        "derived",
        {
            "cost_present_value": "Present value is cost times weight.",
            "objective_total": "The objective is the sum of the present values listed.",
            "objective_recomputed": "The objective is the total cost recomputed from the decisions.",
        },
        "MUSD",
    ),
    *_exact(
        "derived",
        "rows",
        {
            "china_shares_complete": "China shares has one row for each cap, member and year with a cap.",
            "china_share_labels": "Basis, measure and scope are the cap's.",
        },
    ),
    *_shares("derived", {"china_share_limit": "Limit is the cap's."}),
    Rule("china_share_content", "derived", "China-linked part in a cap's scope.", "t REO/y or MUSD/y", 1e-3, 1e-7),
    Rule("china_share_total", "derived", "Total in a cap's scope.", "t REO/y or MUSD/y", 1e-3, 1e-7),
    *_shares("derived", {"china_share_ratio": "Share is China-linked part over total.", "china_share_slack": "Slack is limit less share."}),
)

RULE_BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES}

IMPLIED = {
    "host_open_link": "host_count_minimum",
    "host_shut_link": "host_set_difference_minimum",
    "capacity_balance": "country_share_limit",
    "china_out_minimum": "china_balance",
}
"""Constraints without a rule of their own -> the rule that covers them.

Hosts and capacity are counted from the plants themselves; China-linked content is balanced flow by flow.
"""
