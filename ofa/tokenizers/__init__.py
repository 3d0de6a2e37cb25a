"""Vocabularies that grow."""
