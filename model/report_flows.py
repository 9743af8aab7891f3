"""Tables of material as the workbook shows them: origins and prices beside the flows, shares as formulas."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from model.analysis import supplier_facts
from model.outcome import Status
from model.problem import T_PER_KT, Problem, offer_key
from model.report_book import DataTable, Field, Live, Row, ratio, table_from_schema
from model.report_inputs import InputCells, input_table
from model.shortages import shortage_reasons
from model.tables import Tables

if TYPE_CHECKING:
    from model.planner import Plan


def per(part: str, whole: str) -> Callable[[Row], Live]:
    """Return the formula of one column over another, row by row."""
    return lambda row: ratio(row[part], row[whole])


def _money(tonnes: str, *prices: str) -> Callable[[Row], Live]:
    """Return tonnes x USD/kg as MUSD."""

    def formula(row: Row) -> Live:
        price = row[prices[0]]
        for name in prices[1:]:
            price = price + row[name]
        return row[tonnes] * price / 1000.0

    return formula


@dataclass(frozen=True)
class FlowTables:
    """Tables of material, each made when first asked for.

    Parameters
    ----------
    plan
        A plan with values; its tables may be empty (no plants at all).
    """

    plan: Plan

    @property
    def inputs(self) -> Tables:
        """Input tables."""
        return self.plan.tables

    @property
    def problem(self) -> Problem:
        """Sets and parameters."""
        return self.plan.problem

    @property
    def found(self) -> Mapping[str, pd.DataFrame]:
        """Result tables."""
        return self.plan.solution.tables

    @cached_property
    def cells(self) -> InputCells:
        """Where each input stands in this workbook."""
        return InputCells(self.inputs)

    def _price_link(self, item: str, column: str) -> Field:
        """Return the field of a price that is read from the sheet `prices`."""
        words = {"market": "Market price of the product in the year.", "surplus": "What a kg of surplus fetches; negative: disposal."}[item]

        def key(row: Row) -> dict[str, Hashable]:
            return {"product": row["product"].value, "item": item}

        return Field(
            column, "USD/kg", words,
            lambda row: self.cells.echo(row[column].number, "prices", int(row["year"].number), **key(row)),
            link=lambda row: self.cells.place("prices", int(row["year"].number), **key(row)),
        )  # fmt: skip

    @cached_property
    def host_country(self) -> dict[str, str]:
        """Host -> country code."""
        return dict(zip(self.inputs["hosts"]["host"], self.inputs["hosts"]["country"], strict=True))

    def _priced(self, frame: pd.DataFrame) -> list[float]:
        price = self.problem.price
        return [price[p, y] for p, y in zip(frame["product"], frame["year"], strict=True)]

    @cached_property
    def years(self) -> DataTable:
        """Modelled years and what each stands for."""
        problem = self.problem
        rows = [(y, float(problem.years_represented[y]), problem.weight[y]) for y in problem.years]
        frame = pd.DataFrame(rows, columns=["year", "stands_for", "weight"])
        fields = [
            Field("year", "year", "Modelled year."),
            Field("stands_for", "years", "Calendar years that it stands for."),
            Field("weight", "years", "Those years, discounted to the first year of the plan."),
        ]
        return DataTable("years", "Modelled years and their weight in the total.", fields, frame)

    # --- flows ------------------------------------------------------------------------------

    @cached_property
    def plants(self) -> DataTable:
        """Plants."""
        names = dict(zip(self.inputs["hosts"]["host"], self.inputs["hosts"]["name"], strict=True))
        frame = self.found["plants"].copy()
        frame["host_country"] = frame["host"].map(names)
        self._provenance(frame, "designs", design="design")
        extra = [Field("host_country", "", "Country of the host, in words."), *_provenance_fields("design")]
        first = ("host", "line", "design", "way", "host_country")
        links = {
            "host": lambda row: self.cells.place("hosts", "host", host=row["host"].value),
            "design": lambda row: self.cells.place("designs", "design", design=row["design"].value),
            "way": lambda row: self.cells.place("know_how", "way", way=row["way"].value),
            "capacity": lambda row: self.cells.place("designs", "capacity", design=row["design"].value),
            "capex": lambda row: self.cells.place("designs", "capex", design=row["design"].value),
            "capital_charge": lambda row: self.cells.place("hosts", "cost_of_capital", host=row["host"].value),
        }
        live = {"capacity": lambda row: self.cells.echo(row["capacity"].number, "designs", "capacity", design=row["design"].value)}
        title = "The plants and what they cost; who pays is on sheet partners."
        return table_from_schema("plants", frame, extra, live, first=first, title=title, links=links)

    def _provenance(self, frame: pd.DataFrame, sheet: str, **key: str) -> None:
        """Add source and quality of an input row to each row; `key`: column of the inputs -> column of the frame."""
        rows = list(zip(*(frame[column] for column in key.values()), strict=True))
        for name in ("source", "quality"):
            known = {row: str(self.cells.value(sheet, name, **dict(zip(key, row, strict=True))) or "") for row in dict.fromkeys(rows)}
            frame[name] = [known[row] for row in rows]

    @cached_property
    def plant_years(self) -> DataTable:
        """Capacity and use of each line."""
        live = {
            "feed": lambda row: self.feed.sum("tonnes", host=row["host"], line=row["line"], year=row["year"]),
            "use": per("feed", "usable"),
        }
        return table_from_schema("plant_years", self.found["plant_years"], live=live)

    @cached_property
    def feed(self) -> DataTable:
        """Feed flows with what was paid and what the source had to offer."""
        problem, frame = self.problem, self.found["feed"].copy()
        country = dict(zip(self.inputs["sources"]["source_id"], self.inputs["sources"]["country"], strict=True))
        frame["country"] = frame["source_id"].map(country)
        keys = list(zip(frame["source_id"], frame["host"], frame["line"], frame["year"], strict=True))
        frame["uncommitted"] = [problem.available[s, y] * T_PER_KT for s, _, _, y in keys]
        frame["use_of_source"] = frame["tonnes"] / frame["uncommitted"]
        frame["price"] = [problem.feed_cost["feed_purchase"][key] for key in keys]
        frame["basket"] = [problem.basket[s, y] for s, _, _, y in keys]
        frame["spent"] = frame["tonnes"] * frame["price"] / 1000.0
        self._provenance(frame, "sources", source_id="source_id")

        def from_source(column: str) -> Callable[[Row], str | None]:
            return lambda row: self.cells.place("sources", column, source_id=row["source_id"].value)

        def priced(row: Row) -> str | None:
            fixed = self.cells.value("sources", "fixed_price", source_id=row["source_id"].value)
            column = "fixed_price" if isinstance(fixed, float) and not math.isnan(fixed) else "payability"
            return from_source(column)(row)

        links = {
            "source_id": from_source("source_id"),
            "host": lambda row: self.cells.place("hosts", "host", host=row["host"].value),
            "china_tonnes": from_source("china_linked"),
        }
        extra = [
            Field("country", "", "Country of the source."),
            Field(
                "uncommitted", "t REO/y", "What the source can offer in the year: output not promised to others.",
                link=from_source("uncommitted"),
            ),
            Field("use_of_source", "share", "This flow as a share of the source's uncommitted output.", per("tonnes", "uncommitted")),
            Field("price", "USD/kg REO", "Feed price paid at the source, before freight and duty.", link=priced),
            Field("basket", "USD/kg REO", "Worth of the oxides contained in a kg of feed at the year's prices."),
            Field("spent", "MUSD/y", "Paid for the feed: tonnes x price.", _money("tonnes", "price")),
            *_provenance_fields("source"),
        ]  # fmt: skip
        return table_from_schema("feed", frame, extra, links=links)

    @cached_property
    def deliveries(self) -> DataTable:
        """Joint product shipped to markets, valued."""
        frame = self.found["deliveries"].copy()
        frame["country"] = frame["host"].map(self.host_country)
        frame["price"] = self._priced(frame)
        frame["value"] = frame["tonnes"] * frame["price"] / 1000.0
        frame["china_value"] = frame["china_tonnes"] * frame["price"] / 1000.0
        frame["discounted"] = frame["tonnes"] * frame["year"].map(self.problem.weight).astype(float)
        extra = [
            Field("country", "", "Country of the host."),
            self._price_link("market", "price"),
            Field("value", "MUSD/y", "Worth at the market price: tonnes x price.", _money("tonnes", "price")),
            Field("china_value", "MUSD/y", "Worth of the China-linked part.", _money("china_tonnes", "price")),
            Field(
                "discounted", "t REO", "Tonnes x the discounted years that the year stands for, for the cost per kg.",
                lambda row: row["tonnes"] * self.years.sum("weight", year=row["year"]),
            ),
        ]  # fmt: skip
        return table_from_schema("deliveries", frame, extra)

    @cached_property
    def surplus(self) -> DataTable:
        """Joint product that no market takes."""
        frame = self.found["surplus"].copy()
        frame["fetched"] = [self.problem.surplus_price[p, y] for p, y in zip(frame["product"], frame["year"], strict=True)]
        frame["revenue"] = frame["tonnes"] * frame["fetched"] / 1000.0
        extra = [
            self._price_link("surplus", "fetched"),
            Field("revenue", "MUSD/y", "Revenue of the surplus: tonnes x what it fetches.", _money("tonnes", "fetched")),
        ]
        return table_from_schema("surplus", frame, extra)

    @cached_property
    def purchases(self) -> DataTable:
        """Existing oxide bought, with origins and what was paid."""
        problem, frame = self.problem, self.found["purchases"].copy()
        facts = supplier_facts(self.inputs)
        offers = list(zip(frame["supplier"], frame["product"], frame["offered_to"], strict=True))
        when = list(zip(frame["market"], frame["year"], strict=True))
        for name in ("country", "customs_origin"):
            frame["refined_in" if name == "country" else name] = [facts[offer][name] for offer in offers]
        for name, cost in (("paid", "oxide_purchase"), ("duty", "oxide_duty")):
            rates = problem.purchase_cost[cost]
            frame[name] = [rates[offer_key(*offer), m, y] for offer, (m, y) in zip(offers, when, strict=True)]
        frame["spent"] = frame["tonnes"] * (frame["paid"] + frame["duty"]) / 1000.0
        frame["price"] = self._priced(frame)
        frame["value"] = frame["tonnes"] * frame["price"] / 1000.0
        frame["china_value"] = frame["china_tonnes"] * frame["price"] / 1000.0
        self._provenance(frame, "suppliers", supplier="supplier", product="product", market="offered_to")

        def offer(row: Row) -> dict[str, Hashable]:
            return {"supplier": row["supplier"].value, "product": row["product"].value, "market": row["offered_to"].value}

        def from_supplier(column: str) -> Callable[[Row], str | None]:
            return lambda row: self.cells.place("suppliers", column, **offer(row))

        links = {"supplier": from_supplier("supplier"), "china_tonnes": from_supplier("china_linked")}
        links["tonnes"] = lambda row: self.cells.place("suppliers", int(row["year"].number), **offer(row))
        extra = [
            Field("refined_in", "", "Country where the oxide is refined."),
            Field("customs_origin", "", "Country that the market's customs record."),
            Field("paid", "USD/kg", "Price paid to the supplier, delivered.", link=from_supplier("price_share")),
            Field("duty", "USD/kg", "Customs duty."),
            Field("spent", "MUSD/y", "Paid in all: tonnes x (price paid + duty).", _money("tonnes", "paid", "duty")),
            self._price_link("market", "price"),
            Field("value", "MUSD/y", "Worth at the market price, by which caps on value count it.", _money("tonnes", "price")),
            Field("china_value", "MUSD/y", "Worth of the China-linked part.", _money("china_tonnes", "price")),
            *_provenance_fields("supplier"),
        ]
        return table_from_schema("purchases", frame, extra, links=links)

    @cached_property
    def unmet(self) -> DataTable:
        """Shortages with their reasons."""
        extra = [
            Field(
                "demand",
                "t REO/y",
                "What the sector wanted of the product.",
                lambda row: self.cells.echo(row["demand"].number, "demand", int(row["year"].number), **_wanted(row)),
                link=lambda row: self.cells.place("demand", int(row["year"].number), **_wanted(row)),
            ),
            Field("share", "share", "Shortage as a share of the demand.", per("tonnes", "demand")),
            Field(
                "shortage_cost",
                "USD/kg",
                "What the book says a kg short costs.",
                link=lambda row: self.cells.place("sectors", "shortage_cost", sector=row["sector"].value),
            ),
            Field("cost", "MUSD/y", "Cost of the shortage: tonnes x cost of a kg short.", _money("tonnes", "shortage_cost")),
            Field("reason", "", "Why it is short, computed from inputs and results."),
        ]
        return table_from_schema("unmet", self.shortages, extra, first=("sector", "reason", "market", "product"))

    @cached_property
    def shortages(self) -> pd.DataFrame:
        """Shortages with reasons, as a frame."""
        return shortage_reasons(self.plan.tables, self.problem, self.found, self.plan.solution.status is Status.OPTIMAL)

    @cached_property
    def stocks(self) -> DataTable:
        """Stocks with what had to be held."""
        frame = self.found["stocks"].copy()
        keys = list(zip(frame["market"], frame["product"], frame["year"], strict=True))
        demand: dict[tuple, float] = defaultdict(float)
        for (m, _, p, y), kt in self.problem.demand.items():
            demand[m, p, y] += kt * T_PER_KT
        frame["needed"] = [self.problem.stock_needed[key] * T_PER_KT for key in keys]
        frame["demand"] = [demand.get(key, 0.0) for key in keys]
        frame["cover"] = frame["stock"] / frame["demand"].where(frame["demand"] > 0) * 365.0
        extra = [
            Field(
                "needed",
                "t REO",
                "Least stock at the year's end: days of demand to be held.",
                link=lambda row: self.cells.place("stockpiles", "days", market=row["market"].value, product=row["product"].value),
            ),
            Field("demand", "t REO/y", "Demand of the market for the product.", self._demand),
            Field(
                "cover",
                "days",
                "Days of the year's demand that the stock would last.",
                lambda row: ratio(row["stock"], row["demand"], 365.0),
            ),
        ]
        return table_from_schema("stocks", frame, extra)

    # --- inputs that formulas add up ----------------------------------------------------------

    def _demand(self, row: Row) -> Live:
        """Return the demand of a market for a product in a year, read from the inputs as shown."""
        return self.demand_sum(int(row["year"].number), market=row["market"], product=row["product"])

    @cached_property
    def demand(self) -> DataTable:
        """The demand sheet of the inputs, so that formulas can add it up."""
        return input_table(self.inputs, "demand")

    @cached_property
    def sources(self) -> DataTable:
        """The sources sheet of the inputs, so that formulas can add it up."""
        return input_table(self.inputs, "sources")

    def demand_sum(self, year: int, **criteria: Live | str) -> Live:
        """Return demand in a year, added up on the sheet of inputs."""
        return self.demand.sum(str(year), **criteria)


def _wanted(row: Row) -> dict[str, Hashable]:
    return {name: row[name].value for name in ("market", "sector", "product")}


def _provenance_fields(what: str) -> list[Field]:
    """Return the fields that tell where the figures of an input row come from."""
    return [
        Field("source", "", f"Where the figures of the {what} were read: the first words; the cell holds it in full.", first_line=True),
        Field("quality", "", f"How good the figures of the {what} are: reported, derived, estimate or assumption."),
    ]
