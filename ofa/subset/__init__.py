"""A part of a corpus of hundreds of languages."""
