"""Every table of the workbook: those of material and those of money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from model.analysis import capital_by_payer, capital_spend
from model.ledger import joint_cost_shares, yearly_rule
from model.report_balances import BalanceTables
from model.report_book import DataTable, Field, Live, Row, ratio, table_from_schema

NO_HOST, NO_MARKET = "no host", "all markets"
"""Shown where a cost line belongs to no host or to no single market."""

RULE_WORDS = {
    "equity": "by the partners' equity",
    "tonnes": "by the tonnes that each gets from it in the year",
    "value": "by the worth of what each gets from it in the year",
}
"""How `partner_rule` shares a joint plant's cost."""


@dataclass(frozen=True)
class ReportTables(BalanceTables):
    """Every tidy table of the workbook, each made when first asked for."""

    @cached_property
    def allocation(self) -> DataTable:
        """Each market's share of a host's costs."""
        fields = [
            Field("host", "", "Host."), Field("market", "", "Market."), Field("year", "year", "Modelled year."),
            Field(
                "tonnes", "t REO/y", "What the market gets from the host.",
                lambda row: self.deliveries.sum("tonnes", host=row["host"], year=row["year"], market=row["market"]),
            ),
            Field(
                "value", "MUSD/y", "Its worth at the year's prices.",
                lambda row: self.deliveries.sum("value", host=row["host"], year=row["year"], market=row["market"]),
            ),
            Field("share", "share", "Share of the host's costs of the year that is laid on the market.", self._allocated),
        ]  # fmt: skip
        title = (
            f"Share of each joint plant's costs laid on each market: {RULE_WORDS[self.partner_rule]}; by equity where nothing is delivered."
        )
        return DataTable("allocation", title, fields, joint_cost_shares(self.inputs, self.problem, self.found, self.partner_rule))

    @cached_property
    def partner_rule(self) -> str:
        """How a year's cost of a joint plant is shared."""
        return yearly_rule(self.inputs)

    def _allocated(self, row: Row) -> Live | None:
        """Return the share as a formula where what is delivered decides it alone."""
        if self.partner_rule == "equity" or set(self.problem.markets) != set(self.problem.partners):
            return None
        whole = self.deliveries.sum(self.partner_rule, host=row["host"], year=row["year"])
        return ratio(row[self.partner_rule], whole) if whole.number > 0 else None

    @cached_property
    def costs(self) -> DataTable:
        """Every cost line, with the share of it that is laid on each market."""
        frame = self.found["costs"].copy()
        columns = self.allocation.columns
        share = dict(zip(zip(columns["host"], columns["year"], columns["market"], strict=True), columns["share"], strict=True))
        for number, m in enumerate(self.problem.markets):
            frame[f"on_{number}"] = [
                float(market == m) if market else share[h, y, m]
                for h, market, y in zip(frame["host"], frame["market"], frame["year"], strict=True)
            ]
        frame["host"] = frame["host"].replace("", NO_HOST)
        frame["market"] = frame["market"].replace("", NO_MARKET)

        def laid_on(m: str) -> Callable[[Row], Live | None]:
            def formula(row: Row) -> Live | None:
                if row["market"].value != NO_MARKET:
                    return None
                return self.allocation.sum("share", host=row["host"], year=row["year"], market=m)

            return formula

        extra = [
            Field(f"on_{number}", "share", f"Share of the line laid on {m}.", laid_on(m), f"on {m}")
            for number, m in enumerate(self.problem.markets)
        ]
        live = {"present_value": lambda row: row["cost"] * row["weight"]}
        return table_from_schema("costs", frame, extra, live)

    @cached_property
    def payers(self) -> DataTable:
        """Each plant's capital by payer."""
        frame = capital_by_payer(self.problem, self.found)
        frame["paid"] = frame["share"] * frame["capex"]
        fields = [
            Field("host", "", "Host."), Field("design", "", "Design."), Field("way", "", "Way of working."),
            Field("payer", "", "Partner, or the host country's own investor."), Field("on_line", "year", "Year on line."),
            Field("share", "share", "Share of the plant's capital."),
            Field("capex", "MUSD", "Capital cost of the whole plant."),
            Field("paid", "MUSD", "Paid: share x capital.", lambda row: row["share"] * row["capex"]),
        ]  # fmt: skip
        return DataTable("payers", "Who pays for each plant.", fields, frame)

    @cached_property
    def spend(self) -> DataTable:
        """Capital by payer and calendar year of construction."""
        fields = [
            Field("host", "", "Host."), Field("design", "", "Design."), Field("way", "", "Way of working."),
            Field("payer", "", "Partner, or the host country's own investor."), Field("on_line", "year", "Year on line."),
            Field("year", "year", "Calendar year of construction."),
            Field("share", "share", "Share of the plant's capital."),
            Field("spend_share", "share of capex", "Share of the capital that is spent in the year; spent evenly over construction."),
            Field("capex", "MUSD", "Capital cost of the whole plant."),
            Field("spent", "MUSD", "Spent in the year by this payer.", lambda row: row["share"] * row["spend_share"] * row["capex"]),
        ]  # fmt: skip
        title = "Capital by payer and calendar year of construction."
        return DataTable("spend", title, fields, capital_spend(self.problem, self.found))
