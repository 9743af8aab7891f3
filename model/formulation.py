"""Problem -> Pyomo model: the table of contents of ``formulation.md``.

Sets, variables and the objective are here; constraints live by theme in
:mod:`model.formulation_siting`, :mod:`model.formulation_material`,
:mod:`model.formulation_origin`, :mod:`model.formulation_linking` and :mod:`model.formulation_policy`. Mass in kt REO (a year), money in MUSD.
"""

from __future__ import annotations

# here and in the other rooms of the formulation: pyomo.environ would load Pyomo's solvers and extensions as well
import pyomo.core as pyo

from model.attribution import years_split_by_market
from model.collector import collector_paused
from model.formulation_cost import add_costs
from model.formulation_goal import add_goal
from model.formulation_linking import add_linking
from model.formulation_material import add_material
from model.formulation_origin import add_origin
from model.formulation_policy import add_policy
from model.formulation_siting import add_siting
from model.goal import LEAST_COST, Goal
from model.groups import Groups, group_flows
from model.problem import Problem


def build_model(problem: Problem, goal: Goal = LEAST_COST) -> pyo.ConcreteModel:
    """Build the model of a problem and a goal.

    Parameters
    ----------
    problem
        Sets and parameters from :func:`model.problem_builder.build_problem`.
    goal
        What to look for.

    Returns
    -------
    pyomo.environ.ConcreteModel
        Variables, constraints and cost expressions carry the names of ``formulation.md``.
    """
    with collector_paused():
        m = pyo.ConcreteModel(name="rare_earth_refining")
        groups = group_flows(problem)
        add_sets(m, problem, groups)
        add_variables(m, problem)
        add_siting(m, problem, groups)
        add_material(m, problem, groups)
        add_origin(m, problem, groups)
        add_linking(m, problem, groups)
        add_policy(m, problem, groups)
        add_costs(m, problem)
        add_goal(m, problem, groups, goal)
    return m


def add_sets(m: pyo.ConcreteModel, problem: Problem, groups: Groups) -> None:
    """Add the index sets of the variables."""
    m.HOSTS = pyo.Set(initialize=problem.hosts)
    m.YEARS = pyo.Set(initialize=problem.years)
    m.BUILDS = pyo.Set(initialize=problem.builds, dimen=4)
    m.FEEDS = pyo.Set(initialize=problem.feeds, dimen=4)
    m.DELIVERIES = pyo.Set(initialize=problem.deliveries, dimen=4)
    m.PURCHASES = pyo.Set(initialize=problem.purchases, dimen=3)
    m.STOCKS = pyo.Set(initialize=list(problem.stock_needed), dimen=3)
    m.SHORTAGES = pyo.Set(initialize=list(problem.demand), dimen=4)
    m.SURPLUSES = pyo.Set(initialize=problem.surpluses, dimen=3)
    split = years_split_by_market(problem)
    m.CHINA_DELIVERIES = pyo.Set(initialize=[key for key in problem.china_deliveries if key[3] in split], dimen=4)
    m.CHINA_SURPLUSES = pyo.Set(initialize=[key for key in problem.china_surpluses if key[2] in split], dimen=3)
    m.CHINA_OUTFLOWS = pyo.Set(initialize=groups.china_outflows, dimen=3)


def add_variables(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Add the decisions."""
    m.nothing = pyo.Var(bounds=(0, 0), doc="Stands in a row that the data leave empty, so that the solver can call it impossible.")
    m.build = pyo.Var(m.BUILDS, domain=pyo.Binary, doc="Plant comes on line at the start of the year.")
    m.host_open = pyo.Var(m.HOSTS, bounds=(0, 1), doc="Host holds a plant by the last year; integral wherever it matters.")
    m.feed = pyo.Var(m.FEEDS, domain=pyo.NonNegativeReals, doc="Feed processed [kt REO/y].")
    m.deliver = pyo.Var(m.DELIVERIES, domain=pyo.NonNegativeReals, doc="Joint product shipped to a market [kt REO/y].")
    m.surplus = pyo.Var(m.SURPLUSES, domain=pyo.NonNegativeReals, doc="Joint product sold elsewhere [kt REO/y].")
    m.purchase = pyo.Var(m.PURCHASES, domain=pyo.NonNegativeReals, doc="Existing refined oxide bought [kt REO/y].")
    m.stock = pyo.Var(m.STOCKS, domain=pyo.NonNegativeReals, doc="Stock at the end of the year [kt REO].")
    m.stock_drawn = pyo.Var(m.STOCKS, domain=pyo.Reals, doc="Taken from stock in the year [kt REO/y].")
    m.unmet = pyo.Var(m.SHORTAGES, bounds=lambda m, *key: (0, problem.demand[key]), doc="Demand left short [kt REO/y].")
    m.china_delivered = pyo.Var(m.CHINA_DELIVERIES, domain=pyo.NonNegativeReals, doc="China-linked part of a delivery [kt REO/y].")
    m.china_out = pyo.Var(m.CHINA_OUTFLOWS, domain=pyo.NonNegativeReals, doc="China-linked part of a host's deliveries [kt REO/y].")
    m.china_surplus = pyo.Var(m.CHINA_SURPLUSES, domain=pyo.NonNegativeReals, doc="China-linked part of a surplus [kt REO/y].")
