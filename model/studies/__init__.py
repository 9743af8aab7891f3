"""Studies: clients of one solve()."""
