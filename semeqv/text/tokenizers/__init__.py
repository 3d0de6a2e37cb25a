"""Tokenizers: trained on the corpora of a sentence, or loaded."""
