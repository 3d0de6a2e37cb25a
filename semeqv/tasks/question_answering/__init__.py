"""Extractive question answering: spans of a text that answer questions about it, in the format of SQuAD."""
