"""The least-cost model of a problem as it is written in linopy: tables joined in pandas, rows summed by groups.

It holds the rules that the baseline uses and refuses a problem with others. Rows and columns are
those of :mod:`model.formulation`, in another order; `overhead.py` compares them before it times anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import linopy
import numpy as np
import pandas as pd
import xarray as xr

from model.attribution import capped_outflows, years_split_by_market
from model.formulation_material import row_scale
from model.groups import group_flows
from model.idle import idle_surpluses, implied_source_limits
from model.problem import Problem

PLACE = ["host", "line", "year"]
MADE = ["host", "product", "year"]
WANTED = ["market", "product", "year"]


def frame(keys: Sequence[tuple], names: Sequence[str]) -> pd.DataFrame:
    """Return keys as columns, numbered by the index."""
    return pd.DataFrame(list(keys), columns=list(names))


def series(figures: dict, names: Sequence[str], value: str) -> pd.DataFrame:
    """Return a parameter as a table of its keys and its value."""
    return frame(list(figures), names).assign(**{value: np.fromiter(figures.values(), dtype=float, count=len(figures))})


class Writer:
    """Writes the model step by step; tables of keys are numbered as the variables are."""

    def __init__(self, problem: Problem) -> None:
        used = {rule.rule for rule in problem.rules}
        if used - {"export_share"} or problem.minimum_hosts or years_split_by_market(problem):
            raise ValueError("the problem has rules that the baseline has not")
        self.problem, self.model = problem, linopy.Model()
        self.scale = pd.Series(row_scale(problem))
        groups = group_flows(problem)
        self.idle = idle_surpluses(problem, groups)
        self.implied = implied_source_limits(problem, groups, self.idle)
        self.build = frame(problem.builds, ["host", "design", "way", "year"])
        self.build["line"] = [problem.build_line[key] for key in problem.builds]
        self.build["country"] = self.build["host"].map(problem.country)
        self.build["integrated"] = self.build["design"].map(problem.integrated)
        self.feed = frame(problem.feeds, ["source", "host", "line", "year"])
        self.feed["cracked"] = self.feed["source"].map(problem.cracked)
        self.deliver = frame(problem.deliveries, ["host", "product", "market", "year"])
        self.surplus = frame(problem.surpluses, MADE)
        self.purchase = frame(problem.purchases, ["offer", "market", "year"])
        self.purchase["product"] = self.purchase["offer"].map({name: offer.product for name, offer in problem.offers.items()})
        self.purchase["linked"] = self.purchase["offer"].map({name: offer.china_linked for name, offer in problem.offers.items()})
        self.stock = frame(list(problem.stock_needed), WANTED)
        self.unmet = frame(list(problem.demand), ["market", "sector", "product", "year"])
        self.china_out = frame(capped_outflows(problem), MADE)
        self.host = pd.DataFrame({"host": problem.hosts})
        self.variables = {
            "build": self.model.add_variables(coords=[self.build.index.rename("of_build")], binary=True, name="build"),
            **{name: self._add(name, getattr(self, name)) for name in ("feed", "deliver", "purchase", "stock", "china_out")},
            "surplus": self._add("surplus", self.surplus, upper=self._surplus_bound()),
            "stock_drawn": self._add("stock_drawn", self.stock, lower=-np.inf),
            "unmet": self._add("unmet", self.unmet, upper=np.fromiter(problem.demand.values(), dtype=float)),
            "host_open": self._add("host_open", self.host, upper=1.0),
        }

    def _add(self, name: str, table: pd.DataFrame, lower: float = 0.0, upper: float | np.ndarray = np.inf) -> linopy.Variable:
        return self.model.add_variables(
            lower=np.full(len(table), lower), upper=np.broadcast_to(upper, len(table)), coords=[table.index.rename(f"of_{name}")], name=name
        )

    def _surplus_bound(self) -> np.ndarray:
        return np.array([0.0 if key in self.idle else np.inf for key in self.problem.surpluses])

    def rows(self, name: str, sign: str, side: object, by: Sequence[str], **parts: pd.DataFrame) -> None:
        """Add one row a group: the sum over all parts of `coefficient` x variable `number`.

        `side` is a figure or a series of them by group.
        """
        keys = pd.concat([table[list(by)] for table in parts.values()], ignore_index=True)
        group = keys.groupby(list(by), sort=False).ngroup().to_numpy()
        index = pd.MultiIndex.from_frame(keys.drop_duplicates()) if len(by) > 1 else pd.Index(keys[by[0]].unique())
        terms = pd.concat([table["coefficient"] for table in parts.values()], ignore_index=True)
        labels = np.concatenate([self.variables[variable].labels.values[table["number"]] for variable, table in parts.items()])
        nonzero = terms.to_numpy() != 0.0
        term = pd.RangeIndex(int(nonzero.sum()), name="term")
        data = {"coeffs": (("term", "_term"), terms.to_numpy()[nonzero, None]), "vars": (("term", "_term"), labels[nonzero, None])}
        expression = linopy.LinearExpression(xr.Dataset(data, coords={"term": term}), self.model)
        total = expression.groupby(pd.Series(group[nonzero], index=term, name=name)).sum()
        present = np.unique(group[nonzero])
        right = side if isinstance(side, float) else xr.DataArray(side.reindex(index).to_numpy(dtype=float)[present], dims=name)
        self.model.add_constraints(total, sign, right, name=name)

    def write(self) -> linopy.Model:
        """Write every row and the objective."""
        self.siting()
        self.material()
        self.policy()
        self.costs()
        return self.model

    def siting(self) -> None:
        problem = self.problem
        build = terms(self.build, 1.0)
        self.rows("plants_per_host_limit", "<=", float(problem.plants_per_host), ["host"], build=build)
        self.rows("plant_count_limit", "<=", float(problem.max_plants), ["all"], build=build.assign(all=0))
        self.rows("host_open_link", "<=", 0.0, ["host"], host_open=terms(self.host, 1.0), build=terms(self.build, -1.0))
        usable, least = self._by_year(problem.usable), self._by_year(problem.least_feed)
        feed = terms(self.feed, 1.0)
        fed, cracked = feed[PLACE].drop_duplicates(), feed[feed["cracked"]]
        fed_cracked = cracked[PLACE].drop_duplicates()
        self.rows("capacity_limit", "<=", 0.0, PLACE, feed=feed, build=usable.merge(fed))
        mixed = usable[~usable["integrated"]][PLACE].drop_duplicates().merge(fed_cracked)
        self.rows("cracking_limit", "<=", 0.0, PLACE, feed=cracked.merge(mixed), build=usable[usable["integrated"]].merge(mixed))
        self.rows("use_minimum", ">=", 0.0, PLACE, feed=feed.merge(least[PLACE].drop_duplicates()), build=least)
        separating = least[~least["integrated"]].merge(fed_cracked)
        uncracked = feed[~feed["cracked"]].merge(separating[PLACE].drop_duplicates())
        self.rows("separation_use_minimum", ">=", 0.0, PLACE, feed=uncracked, build=separating)

    def _by_year(self, figures: dict) -> pd.DataFrame:
        """Return -kt of plants on line, by line and year."""
        number = {key: at for at, key in enumerate(self.problem.builds)}
        table = pd.DataFrame({"number": [number[key] for key, _ in figures], "year": [y for _, y in figures]})
        table["coefficient"] = -np.fromiter(figures.values(), dtype=float)
        return table.join(self.build[["host", "line", "integrated"]], on="number")

    def material(self) -> None:
        problem = self.problem
        feed, deliver, purchase = terms(self.feed, 1.0), terms(self.deliver, 1.0), terms(self.purchase, 1.0)
        limited = pd.Series({key: kt for key, kt in problem.available.items() if key not in self.implied})
        self.rows("source_limit", "<=", limited, ["source", "year"], feed=feed.merge(limited.index.to_frame(name=["source", "year"])))
        shares = [(*key, p, share) for key, shares in problem.yields.items() for p, share in shares.items() if share > 0.0]
        self.made = feed.merge(frame(shares, ["source", "host", "line", "product", "share"]))
        self.made["coefficient"] = self.made["share"]
        out, rest = terms(self.deliver, -1.0), terms(self.surplus, -1.0)
        self.rows("product_balance", "==", 0.0, MADE, feed=self.scaled(self.made), deliver=self.scaled(out), surplus=self.scaled(rest))
        self._export_shares()
        self.rows("supplier_limit", "<=", pd.Series(problem.supply), ["offer", "year"], purchase=purchase)
        least = pd.Series(problem.least_take)
        taken = purchase.merge(least.index.to_frame(name=["offer", "year"]))
        self.rows("take_minimum", ">=", least, ["offer", "year"], purchase=taken)
        wanted = self.unmet.assign(kt=list(problem.demand.values())).groupby(WANTED)["kt"].sum()
        parts = {"deliver": deliver, "purchase": purchase, "unmet": terms(self.unmet, 1.0), "stock_drawn": terms(self.stock, 1.0)}
        needed = pd.concat([self.unmet[WANTED], self.stock]).drop_duplicates()
        self.rows("demand_balance", "==", wanted.reindex(pd.MultiIndex.from_frame(needed), fill_value=0.0), WANTED,
                  **{name: part.merge(needed) for name, part in parts.items()})  # fmt: skip
        self._stocks()

    def scaled(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(coefficient=table["coefficient"] * table["product"].map(self.scale))

    def _export_shares(self) -> None:
        problem = self.problem
        abroad = self.deliver["market"].map(problem.market_country) != self.deliver["host"].map(problem.country)
        kept, sent = [], []
        for rule in problem.rules:
            inside = self.deliver.assign(number=self.deliver.index)
            inside = inside[(inside["host"] == rule.host) & inside["year"].between(rule.first, rule.last)]
            inside = inside[inside["product"].isin([rule.product] if rule.product else problem.products)]
            sent.append(inside[abroad[inside.index]].assign(rule=rule.rule_id, coefficient=1.0))
            made = self.made.merge(inside[MADE].drop_duplicates())
            kept.append(made.assign(rule=rule.rule_id, coefficient=-rule.value * made["share"]))
        by = ["rule", "product", "year"]
        if kept:
            self.rows("export_share_limit", "<=", 0.0, by, deliver=self.scaled(pd.concat(sent)), feed=self.scaled(pd.concat(kept)))

    def _stocks(self) -> None:
        problem = self.problem
        if self.stock.empty:
            return
        after = dict(zip(problem.years[:-1], problem.years[1:], strict=True))
        carried = terms(self.stock, -1.0)
        carried = carried.assign(year=carried["year"].map(after)).dropna().astype({"year": int})
        years = self.stock["year"].map(problem.years_represented).astype(float)
        opening = {(m, p, y): problem.opening_stock[m, p] if y == problem.years[0] else 0.0 for m, p, y in problem.stock_needed}
        held = pd.concat([terms(self.stock, 1.0), carried])
        self.rows("stock_balance", "==", pd.Series(opening), WANTED, stock=held, stock_drawn=terms(self.stock, years))
        needed = pd.Series({key: kt for key, kt in problem.stock_needed.items() if kt > 0.0})
        self.rows("stock_minimum", ">=", needed, WANTED, stock=terms(self.stock, 1.0).merge(needed.index.to_frame(name=WANTED)))

    def policy(self) -> None:
        self._origin()
        self._caps()
        self._partners()
        self._concentration()

    def _origin(self) -> None:
        linked = self.made["source"].map(self.problem.china_linked)
        content = self.made.assign(coefficient=-linked * self.made["share"]).merge(self.china_out)
        rest = terms(self.surplus, 1.0).merge(self.china_out)
        out = terms(self.china_out, 1.0)
        parts = {"feed": self.scaled(content), "surplus": self.scaled(rest), "china_out": self.scaled(out)}
        self.rows("china_out_minimum", ">=", 0.0, MADE, **parts)

    def _caps(self) -> None:
        problem = self.problem
        price = series(problem.price, ["product", "year"], "price")
        flows = {name: terms(getattr(self, name), 1.0).merge(price) for name in ("deliver", "china_out", "purchase")}
        basket = series(problem.basket, ["source", "year"], "basket")
        content = frame([(s, p, x) for s, shares in problem.content.items() for p, x in shares.items()], ["source", "product", "content"])
        feed = terms(self.feed, 1.0).merge(basket)
        feed["linked"] = feed["source"].map(problem.china_linked)
        parts: dict[str, list[pd.DataFrame]] = {name: [] for name in ("feed", "deliver", "china_out", "purchase")}
        for cap in problem.caps:
            limit = pd.DataFrame([(y, x) for y, x in cap.limit.items() if x < 1.0], columns=["year", "limit"])
            column = {"host": "host", "product": "product", "every_product": "product", "partner": "market"}.get(cap.scope)

            def inside(table: pd.DataFrame, cap=cap, column=column, limit=limit) -> pd.DataFrame:
                if column:
                    table = table[table[column] == cap.member] if column in table else table.iloc[:0]
                return table.merge(limit).assign(cap=cap.cap, member=cap.member)

            if cap.basis == "feedstock" and cap.scope != "partner":
                table = feed
                if column == "product":
                    table = feed.merge(content[content["product"] == cap.member]).merge(price)
                    unit = table["content"] * (table["price"] if cap.measure == "value" else 1.0)
                else:
                    unit = table["basket"] if cap.measure == "value" else 1.0
                table = inside(table.assign(unit=unit))
                parts["feed"].append(table.assign(coefficient=table["linked"] * table["unit"] - table["limit"] * table["unit"]))
                continue
            for name, flow in flows.items():
                if name == "purchase" and (cap.basis != "supply" or cap.scope == "host"):
                    continue
                table = inside(flow)
                unit = table["price"] if cap.measure == "value" else 1.0
                china = {"deliver": 0.0, "china_out": 1.0}.get(name, table.get("linked", 0.0))
                part = unit * china - (0.0 if name == "china_out" else table["limit"] * unit)
                parts[name].append(table.assign(coefficient=part))
        by = ["cap", "member", "year"]
        self.rows("china_cap", "<=", 0.0, by, **{name: pd.concat(tables) for name, tables in parts.items() if tables})

    def _partners(self) -> None:
        problem = self.problem
        price = series(problem.price, ["product", "year"], "price")
        fed = self.feed[["host", "year"]].drop_duplicates()
        least = pd.DataFrame([(m, x) for m, x in problem.offtake_minimum.items() if x > 0.0], columns=["partner", "least"])
        sent = terms(self.deliver, 1.0).merge(price).merge(fed).merge(least, how="cross")
        sent["coefficient"] = sent["price"] * ((sent["market"] == sent["partner"]) - sent["least"])
        rest = terms(self.surplus, 1.0).merge(price).merge(fed).merge(least, how="cross")
        rest["coefficient"] = -rest["price"] * rest["least"]
        self.rows("offtake_minimum", ">=", 0.0, ["partner", "host", "year"], deliver=sent, surplus=rest)
        spent = frame([(at, t, x) for at, key in enumerate(problem.builds) for t, x in problem.spend[key].items()], ["number", "t", "part"])
        spent = spent.join(self.build[["host"]], on="number")
        spent["capex"] = np.array([problem.capex[key] for key in problem.builds])[spent["number"]]
        spent = spent.merge(series(problem.partner_share, ["market", "host"], "equity"))
        budget = pd.Series(problem.budget)
        spent = spent.merge(budget.index.to_frame(name=["market", "t"]))
        spent["coefficient"] = spent["equity"] * spent["part"] * spent["capex"]
        self.rows("capex_budget", "<=", budget, ["market", "t"], build=spent)

    def _concentration(self) -> None:
        problem = self.problem
        if problem.country_share_limit >= 1.0:
            return
        line = pd.DataFrame({"country": self.build["country"].unique()}).merge(pd.DataFrame({"year": problem.years}), how="cross")
        self.variables["capacity_on_line"] = self._add("capacity_on_line", line)
        here = terms(line, -1.0)
        before = dict(zip(problem.years[:-1], problem.years[1:], strict=True))
        carried = terms(line, 1.0)
        carried = carried.assign(year=carried["year"].map(before)).dropna().astype({"year": int})
        started = terms(self.build, self.build["design"].map(problem.capacity))
        by = ["country", "year"]
        self.rows("capacity_balance", "==", 0.0, by, capacity_on_line=pd.concat([here, carried]), build=started)
        late = line[line["year"] >= problem.country_share_from]
        every = terms(line, 1.0).rename(columns={"country": "other"}).merge(late)
        every["coefficient"] = (every["other"] == every["country"]) - problem.country_share_limit
        self.rows("country_share_limit", "<=", 0.0, by, capacity_on_line=every)

    def costs(self) -> None:
        problem = self.problem
        weight = pd.Series(problem.weight)
        later = {y: sum(problem.weight[t] for t in problem.years if t >= y) for y in problem.years}
        total = 0
        charged = {
            "build": (problem.build_cost, self.build["year"].map(later)), "feed": (problem.feed_cost, self.feed["year"].map(weight)),
            "deliver": (problem.delivery_cost, self.deliver["year"].map(weight)),
            "purchase": (problem.purchase_cost, self.purchase["year"].map(weight)),
        }  # fmt: skip
        for name, (costs, weights) in charged.items():
            rate = sum(np.fromiter(cost.values(), dtype=float) for cost in costs.values())
            total = total + (self.variables[name] * (rate * weights.to_numpy())).sum()
        holding = [problem.holding_cost[m, p] * problem.weight[y] for m, p, y in problem.stock_needed]
        shortage = [problem.shortage_cost[c, p, y] * problem.weight[y] for _, c, p, y in problem.demand]
        revenue = [-problem.surplus_price[p, y] * problem.weight[y] for _, p, y in problem.surpluses]
        for name, rate in (("stock", holding), ("unmet", shortage), ("surplus", revenue)):
            total = total + (self.variables[name] * np.array(rate)).sum()
        self.model.add_objective(total)


def terms(table: pd.DataFrame, coefficient: object) -> pd.DataFrame:
    """Return the members of a variable as terms."""
    return table.assign(number=np.arange(len(table)), coefficient=coefficient)


def write_linopy(problem: Problem) -> linopy.Model:
    """Write the model of a problem and the goal of least cost."""
    return Writer(problem).write()
