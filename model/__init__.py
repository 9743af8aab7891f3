"""Planner for joint Japan-US rare-earth refining plants in third countries."""
