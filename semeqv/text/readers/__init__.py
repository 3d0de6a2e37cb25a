"""Readers, one module a format: a path in, records out, one at a time."""
