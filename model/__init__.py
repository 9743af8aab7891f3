"""Planner for joint Japan-US rare-earth refining plants in third countries."""

import scipy.sparse  # noqa: F401  (before Pyomo: its import hook would load all of scipy.stats, two seconds, with it)
