"""Corpora, their file formats, and the generated corpus."""
