"""Edits of what tokens mean: as data, in files, applied to a model, and measured.

An edit is a small object, such as `Scale(tokens=(2,), senses=(1,), factor=0.0)`, which `backpack.edit` applies.
"""

from backpack.edits.steps import Knowledge, Project, Replace, Scale, Step, Topic

__all__ = ["Knowledge", "Project", "Replace", "Scale", "Step", "Topic"]
