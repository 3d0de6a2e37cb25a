"""Corpora, the formats of their files, and a generated corpus."""
