"""Vectors on the command line."""
