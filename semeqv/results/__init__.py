"""What runs have measured: one long table, averages and comparisons with intervals, tables, and figures."""

from semeqv.results.table import average, compare, read

__all__ = ["average", "compare", "read"]
