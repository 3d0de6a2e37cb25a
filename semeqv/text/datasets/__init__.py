"""Corpora as data sets: one component for each form in which text comes."""
