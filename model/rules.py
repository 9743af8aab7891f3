"""Every rule that spans tables, in the order in which they are tried."""

from __future__ import annotations

from model.findings import Rule
from model.rules_conflicts import CONFLICT_RULES
from model.rules_material import MATERIAL_RULES
from model.rules_policy import POLICY_RULES
from model.rules_routes import ROUTE_RULES
from model.rules_scenarios import SCENARIO_RULES
from model.rules_time import TIME_RULES

CROSS_RULES: tuple[Rule, ...] = (*TIME_RULES, *MATERIAL_RULES, *ROUTE_RULES, *POLICY_RULES, *SCENARIO_RULES, *CONFLICT_RULES)
