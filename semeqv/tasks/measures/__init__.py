"""What measures have in common: intervals, overlap with training text, inference, how results are reported."""
