"""Figures of the study of vectors; they read the files of runs."""
