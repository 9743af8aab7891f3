"""Planner for joint Japan-US rare-earth refining plants in third countries."""

from pyomo.common.dependencies import DeferredImportCallbackFinder

# Pyomo follows every import of scipy and matplotlib with one of scipy.stats and pyplot, which take longer to load than
# all else and are used by nothing here; Pyomo still loads them itself where it needs them
for _name in ("matplotlib", "scipy"):
    DeferredImportCallbackFinder._callbacks.pop(_name, None)
