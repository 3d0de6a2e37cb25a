"""What the tests of measures share: small corpora, tokenizers and models with weights that say something."""

import pytest
import torch

from semeqv.text.datasets.parallel import Moses
from semeqv.text.models.architectures import BERT, GPT2
from semeqv.text.tokenizers.trained import Wordpiece

SMALL = {"layers": 2, "heads": 2, "embedding_size": 16, "block_size": 40}
ENGLISH = [f"{'long ' * (i % 9)}house {i} stands in street number {i * 7 % 11}" for i in range(40)]
FRENCH = [line.replace("house", "maison").replace("street", "rue") for line in ENGLISH[:25]] + ["la fin"] * 15


@pytest.fixture
def corpus(tmp_path):
    """The beginning of the names of line-aligned files, `corpus.en` and `corpus.fr`."""
    (tmp_path / "corpus.en").write_text("\n".join(ENGLISH) + "\n")
    (tmp_path / "corpus.fr").write_text("\n".join(FRENCH) + "\n")
    return tmp_path / "corpus"


@pytest.fixture
def tokenizer(corpus):
    return Wordpiece(vocab_size=300).build({("train", None): Moses(path=corpus)})


@pytest.fixture
def gpt2(tokenizer):
    torch.manual_seed(1)
    return GPT2(**SMALL, tie=False, initializer_range=0.3).build(tokenizer).eval()


@pytest.fixture
def bert(tokenizer):
    torch.manual_seed(1)
    return BERT(**SMALL, initializer_range=0.3).build(tokenizer).eval()
