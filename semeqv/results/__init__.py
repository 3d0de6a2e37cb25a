"""Averages of what runs have measured."""
