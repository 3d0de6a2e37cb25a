"""Dependency parsing: trees of sentences by deep biaffine attention, on top of any encoder."""
