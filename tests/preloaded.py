"""Everything that copies (see copies.py) need, imported once."""

import contextlib
import importlib
import pkgutil

import pytest  # noqa: F401
import torch
import transformers
import transformers.models.bert.modeling_bert
import transformers.models.gpt2.modeling_gpt2

import backpack
import crosslingual
import ofa
import semeqv
from semeqv.grammar.plugins import command

for package in (backpack, crosslingual, ofa, semeqv):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith(".__main__"):
            with contextlib.suppress(ImportError):  # of what comes with an extra
                importlib.import_module(module.name)
command()
list(transformers.CONFIG_MAPPING.values())  # which opening a model asks for, one by one
torch.set_num_threads(1)
