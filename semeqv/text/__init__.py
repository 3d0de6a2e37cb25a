"""Corpora and the formats of their files."""
