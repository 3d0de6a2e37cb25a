"""Figures of the study of tied embeddings; they read the files of runs."""
