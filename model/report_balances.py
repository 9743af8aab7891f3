"""Tables of balances: what each host makes and where it goes, what meets each demand, and whose content is China-linked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from model.analysis import sector_coverage, traced_view
from model.report_book import DataTable, Field, Live, Row, table_from_schema
from model.report_flows import FlowTables, per


@dataclass(frozen=True)
class BalanceTables(FlowTables):
    """Tables whose figures add up those of the flows."""

    @cached_property
    def products(self) -> DataTable:
        """What each host makes and where it goes."""
        frame = self.found["products"].copy()
        place = ("host", "product", "year")
        sent = self.found["deliveries"].groupby([*place, "market"])["tonnes"].sum().to_dict()
        keys = list(zip(*(frame[name] for name in place), strict=True))
        for number, m in enumerate(self.problem.markets):
            frame[f"to_{number}"] = [sent.get((*key, m), 0.0) for key in keys]
        frame["blend"] = (frame["china_made"] / frame["made"].where(frame["made"] > 0)).fillna(0.0)

        def sent_to(m: str) -> Callable[[Row], Live]:
            return lambda row: self.deliveries.sum("tonnes", host=row["host"], product=row["product"], market=m, year=row["year"])

        extra = [
            Field(f"to_{number}", "t REO/y", f"Delivered to {m}.", sent_to(m), f"to {m}") for number, m in enumerate(self.problem.markets)
        ]
        extra.append(Field("blend", "share", "China-linked content made over product made: the physical blend.", _blend))
        live = {
            "delivered": lambda row: self.deliveries.sum("tonnes", host=row["host"], product=row["product"], year=row["year"]),
            "surplus": lambda row: self.surplus.sum("tonnes", host=row["host"], product=row["product"], year=row["year"]),
        }
        return table_from_schema("products", frame, extra, live)

    @cached_property
    def supply(self) -> DataTable:
        """Where each market's oxide comes from."""

        def of(table: DataTable, column: str) -> Callable[[Row], Live]:
            return lambda row: table.sum(column, market=row["market"], product=row["product"], year=row["year"])

        live = {
            "demand": self._demand, "joint": of(self.deliveries, "tonnes"), "bought": of(self.purchases, "tonnes"),
            "drawn": of(self.stocks, "drawn"), "unmet": of(self.unmet, "tonnes"),
            "china": lambda row: of(self.deliveries, "china_tonnes")(row) + of(self.purchases, "china_tonnes")(row),
        }  # fmt: skip
        return table_from_schema("supply_balance", self.found["supply_balance"], live=live)

    @cached_property
    def traced(self) -> DataTable:
        """China-linked content of what each market receives, product by product."""
        frame = traced_view(self.inputs, self.found)
        frame["physical_tonnes"] = frame["physical_tonnes"].astype(float)

        def received(column: str) -> Callable[[Row], Live]:
            return lambda row: (
                self.deliveries.sum(column, market=row["market"], product=row["product"], year=row["year"])
                + self.purchases.sum(column, market=row["market"], product=row["product"], year=row["year"])
            )

        number_of = {m: number for number, m in enumerate(self.problem.markets)}

        def physical(row: Row) -> Live:
            bought = self.purchases.sum("china_tonnes", market=row["market"], product=row["product"], year=row["year"])
            sent = f"to_{number_of[str(row['market'].value)]}"
            return bought + self.products.sum_product(("blend", sent), product=row["product"], year=row["year"])

        fields = [
            Field("market", "", "Market."), Field("product", "", "Product."), Field("year", "year", "Modelled year."),
            Field("tonnes", "t REO/y", "Joint and bought oxide received.", received("tonnes")),
            Field("china_tonnes", "t REO/y", "China-linked part, joint plants by mass balance (book-and-claim).", received("china_tonnes")),
            Field("share", "share", "China-linked share, book-and-claim.", per("china_tonnes", "tonnes")),
            Field("physical_tonnes", "t REO/y", "China-linked part if every delivery held the host's average blend.", physical),
            Field("physical_share", "share", "China-linked share by physical blend.", per("physical_tonnes", "tonnes")),
        ]  # fmt: skip
        return DataTable("traced", "Traced China-linked content of what each market receives, by product and year.", fields, frame)

    @cached_property
    def sectors(self) -> DataTable:
        """Demand, met and unmet by sector and year, first-served first."""
        frame = sector_coverage(self.inputs, self.problem, self.found)
        fields = [
            Field("sector", "", "Sector."), Field("name", "", "Full name."), Field("group", "", "Heading."),
            Field(
                "priority", "rank", "1 is served first.", link=lambda row: self.cells.place("sectors", "priority", sector=row["sector"].value)
            ),
            Field("year", "year", "Modelled year."),
            Field("demand", "t REO/y", "Demand of all markets.", lambda row: self.demand_sum(int(row["year"].number), sector=row["sector"])),
            Field("met", "t REO/y", "Demand met.", lambda row: row["demand"] - row["unmet"]),
            Field("unmet", "t REO/y", "Demand left short.", lambda row: self.unmet.sum("tonnes", sector=row["sector"], year=row["year"])),
            Field("coverage", "share", "Share of demand met.", per("met", "demand")),
        ]  # fmt: skip
        return DataTable("sectors", "Demand met and unmet by sector and year, in order of priority.", fields, frame)


def _blend(row: Row) -> Live:
    return Live(f"IF({row['made'].text}>0,{row['china_made'].text}/{row['made'].text},0)", row["blend"].value)
