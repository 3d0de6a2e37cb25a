"""Observers of embeddings, shared by the problems."""
