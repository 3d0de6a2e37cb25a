"""Whether a sentence's translation is the nearest sentence of the other language."""
