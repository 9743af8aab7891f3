"""Sheets of money: costs, and who pays and who gets."""

from __future__ import annotations

import math
from dataclasses import dataclass

from model.ledger import SHAPLEY
from model.problem import COMPONENTS
from model.report_book import Book, Live, Other, ratio
from model.report_matrix import Matrix
from model.report_page import Page
from model.report_tables import NO_HOST, RULE_WORDS, ReportTables

COMPONENT_WORDS = {
    "capital": "plants: yearly repayment of capital at the host's real cost of capital",
    "fixed_operating": "plants: maintenance, insurance, site",
    "feed_purchase": "feed bought",
    "freight_in": "freight of feed to the plants",
    "duty_in": "customs duty on feed",
    "processing": "energy, heat, labour, reagents, waste",
    "feed_equipment": "equipment that a kind of feed needs",
    "know_how_fee": "fees for technical support",
    "freight_out": "freight of oxide to the markets",
    "duty_out": "customs duty on joint oxide",
    "oxide_purchase": "oxide bought from existing refiners",
    "oxide_duty": "customs duty on bought oxide",
    "stock_holding": "holding stocks",
    "shortage": "cost of demand left short",
    "surplus_revenue": "less revenue of surplus oxide",
    "concentrate_revenue": "less revenue of heavy concentrate",
}


@dataclass(frozen=True)
class KeyCells:
    """Cells of the headline figures, for the summary; `calendar`: how many calendar years each modelled year stands for."""

    total: Live
    per_year: Live
    per_kg: Live
    joint_per_kg: Live
    calendar: list[Live]


def _span(cells: list[Live]) -> str:
    """Return the range of a line of cells, on its own sheet."""
    return f"{cells[0].text.split('!')[1]}:{cells[-1].text.split('!')[1]}"


def _dot(a: list[Live], b: list[Live]) -> Live:
    return Live(f"SUMPRODUCT({_span(a)},{_span(b)})", math.fsum(x.number * y.number for x, y in zip(a, b, strict=True)))


def write_costs(book: Book, data: ReportTables) -> KeyCells:
    """Write every cost by year, by host and per kg.

    Returns
    -------
    KeyCells
        Where the headline figures stand.
    """
    page = Page(
        book, "costs",
        "What the plan costs the whole system, by kind of cost, year and host; million constant 2024 USD. The plan makes the total as small as it can.",
        3,
    )  # fmt: skip
    costs, years, supply, deliveries = data.costs, data.years, data.supply, data.deliveries
    modelled: list[float] = list(data.problem.years)
    components = [(name, COMPONENT_WORDS[name]) for name in COMPONENTS if name in set(costs.columns["component"])]
    by_year = page.add_matrix(
        "Cost by kind and year, not discounted, MUSD a year.", "MUSD", ("component", "what it is"), components, modelled,
        lambda keys, year: costs.sum("cost", component=keys[0], year=year), "all costs",
    )  # fmt: skip
    page.row -= 1
    everything = [by_year.cell(-1, place) for place in range(len(modelled))]
    calendar = page.add_line("calendar years that the year stands for", [years.sum("stands_for", year=y) for y in modelled], "years")
    weights = page.add_line("the same, discounted to the first year", [years.sum("weight", year=y) for y in modelled], "years")
    supplied = page.add_line(
        "oxide supplied to the markets, t REO a year",
        [supply.sum("demand", year=y) - supply.sum("unmet", year=y) for y in modelled], "t",
    )  # fmt: skip
    page.row += 1
    page.heading("Headline figures, from the lines above and the tables below.")
    total = _dot(everything, weights)
    total_cell = page.add_line("total discounted cost, MUSD", [total], "MUSD", bold=True)[0]
    span = Live(f"SUM({_span(calendar)})", math.fsum(cell.number for cell in calendar))
    per_year = page.add_line("average cost a calendar year, not discounted, MUSD", [ratio(_dot(everything, calendar), span)], "MUSD")[0]
    per_kg = ratio(Live(total_cell.text.split("!")[1], total.value), _dot(supplied, weights), 1000.0)
    per_kg_cell = page.add_line("total per kg of oxide supplied (both discounted), USD/kg", [per_kg], "USD/kg")[0]
    joint = costs.sum("present_value", host=Other(NO_HOST))
    joint_cell = page.add_line(
        "joint plants: net cost per kg of separated product delivered (both discounted), USD/kg",
        [ratio(joint, deliveries.sum("discounted"), 1000.0)], "USD/kg",
    )[0]  # fmt: skip
    page.row += 1
    hosts = [*sorted({h for h in costs.columns["host"] if h != NO_HOST}), NO_HOST]
    page.add_matrix(
        "Discounted cost by kind and host, MUSD over the whole plan.", "MUSD", ("component", "what it is"), components, hosts,
        lambda keys, host: costs.sum("present_value", component=keys[0], host=host), "all costs", "all",
    )  # fmt: skip
    plants = hosts[:-1]
    if plants:
        page.add_matrix(
            "Joint plants: discounted cost per kg of separated product delivered to the markets (also discounted), USD/kg.", "USD/kg",
            ("component", "what it is"), [row for row in components if any(costs.sum("cost", component=row[0], host=h).value for h in plants)],
            plants,
            lambda keys, host: ratio(
                costs.sum("present_value", component=keys[0], host=host), deliveries.sum("discounted", host=host), 1000.0
            ),
            "net cost per kg",
        )  # fmt: skip
    page.add_table(years, filtered=False)
    page.add_table(costs)
    page.finish()
    return KeyCells(total_cell, per_year, per_kg_cell, joint_cell, calendar)


def write_partners(book: Book, data: ReportTables) -> Matrix:
    """Write who pays and who gets.

    Returns
    -------
    Matrix
        Joint product delivered, by market and year.
    """
    page = Page(
        book, "partners",
        "Who pays for the joint plants, who gets their product, and which costs each market bears.", 5,
    )  # fmt: skip
    problem, deliveries, costs, spend = data.problem, data.deliveries, data.costs, data.spend
    payers = [(name,) for name in dict.fromkeys(data.payers.columns["payer"])] or [(m,) for m in problem.partners]
    calendar = sorted({*spend.columns["year"], *(t for _, t in problem.budget)})
    page.add_table(data.payers, filtered=False)
    page.add_matrix(
        "Capital spent by payer and calendar year of construction, MUSD.", "MUSD", ("payer",), payers, calendar,
        lambda keys, year: spend.sum("spent", payer=keys[0], year=year), "all payers", "all years",
    )  # fmt: skip
    budgets = [(m,) for m in problem.partners if any(partner == m for partner, _ in problem.budget)]
    if budgets:
        page.add_matrix(
            "Budget left after that spending, MUSD; a dash where the book sets no budget.", "MUSD", ("partner",), budgets, calendar,
            lambda keys, year: _headroom(data, str(keys[0].value), keys[0], year),
        )  # fmt: skip
    markets = [(m,) for m in problem.markets]
    delivered = page.add_matrix(
        "Joint product delivered, t REO a year.", "t", ("market",), markets, list(problem.years),
        lambda keys, year: deliveries.sum("tonnes", market=keys[0], year=year), "all markets",
    )  # fmt: skip
    page.add_matrix(
        "Worth of the joint product delivered, at the year's prices, MUSD a year.", "MUSD", ("market",), markets, list(problem.years),
        lambda keys, year: deliveries.sum("value", market=keys[0], year=year), "all markets",
    )  # fmt: skip
    _say_rule(page, data)
    names = {m: f"on_{number}" for number, m in enumerate(problem.markets)}
    components = [(name, COMPONENT_WORDS[name]) for name in COMPONENTS if name in set(costs.columns["component"])]
    page.add_matrix(
        "Discounted costs laid on each market, MUSD over the whole plan.", "MUSD", ("component", "what it is"), components,
        list(problem.markets),
        lambda keys, market: costs.sum_product(("present_value", names[str(market.value)]), component=keys[0]), "all costs", "all",
    )  # fmt: skip
    for m, name in names.items():
        page.add_matrix(
            f"Costs laid on {m} by year, not discounted, MUSD a year.", "MUSD", ("component", "what it is"), components, list(problem.years),
            lambda keys, year, name=name: costs.sum_product(("cost", name), component=keys[0], year=year), "all costs",  # type: ignore[misc]
        )  # fmt: skip
    page.add_table(data.allocation, filtered=False)
    page.add_table(spend)
    page.finish()
    return delivered


def _say_rule(page: Page, data: ReportTables) -> None:
    """Say by which rule costs are laid on markets."""
    page.say(
        "How costs are laid on markets: a line that concerns one market (its purchases, freight, duty, stock, shortage) stays with it; a joint "
        f"plant's lines, less what its surplus earns, are shared {RULE_WORDS[data.partner_rule]} (setting partner_rule), by equity in a year "
        "without deliveries.",
        italic=True,
    )  # fmt: skip
    if set(data.problem.markets) != set(data.problem.partners):
        page.say("A market that is no partner pays the share that it has, by worth, of what the plant delivers in the year.", italic=True)
    if str(data.inputs.settings["partner_rule"]) == SHAPLEY:
        page.say("The Shapley rule settles the sum of all years: the payment between the partners is on sheet partner_gain.", italic=True)


def _headroom(data: ReportTables, partner: str, key: Live, year: Live) -> Live:
    budget = data.problem.budget.get((partner, int(year.number)))
    if budget is None:
        return Live('"-"', "-")
    spent = data.spend.sum("spent", payer=key, year=year)
    return Live(f"{budget:.15g}-{spent.text}", budget - spent.number)
