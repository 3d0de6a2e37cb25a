"""Everything that the sentences of the table import, imported once."""
# ruff: noqa: F401

import pytest
import torch
import transformers.models.bert.modeling_bert
import transformers.models.gpt2.modeling_gpt2

import crosslingual.actions.merge
import crosslingual.methods
import crosslingual.opening
import crosslingual.saving
import crosslingual.sweeps.joined
import crosslingual.sweeps.measuring
import crosslingual.sweeps.report
import ofa.hypernetwork.prediction
import ofa.initialisation
import ofa.vectors.making
import semeqv.engine.optimizers
import semeqv.engine.trainer
import semeqv.tasks.classification.finding
import semeqv.text.datasets.tokenised
import semeqv.text.download
import semeqv.text.models.gpt2
import semeqv.text.tokenizers.training
from semeqv.engine.plugins import command

command()
torch.set_num_threads(1)
