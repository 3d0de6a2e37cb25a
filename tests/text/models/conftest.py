import pytest
import torch
from tiny_models import SMALL, make_tokenizer

from semeqv.text.models.architectures import GPT2


@pytest.fixture
def tokenizer():
    return make_tokenizer()


@pytest.fixture
def gpt2(tokenizer):
    torch.manual_seed(1)
    return GPT2(**SMALL, tie=False, initializer_range=0.2).build(tokenizer).eval()


@pytest.fixture
def folder(gpt2, tokenizer, tmp_path):
    """A Hugging Face folder of a tiny untied GPT-2 and its tokenizer."""
    path = tmp_path / "folder"
    gpt2.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path
