"""Figures of the study of vocabularies; they read the files of runs."""
