"""Corpora, tokenizers, token files and language models: what every study of language shares."""
