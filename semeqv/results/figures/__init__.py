"""Plots as actions. They read the files of a run, never its live objects."""
