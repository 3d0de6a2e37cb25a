"""The study of tied embeddings: what equal meaning, and equal contexts, do to input and output embeddings.

    from semeqv.tying import Cdists, Default, Transformer, view      # strings of bits and their parity
    from semeqv.tying import study                                   # pretrained models

Importing this is cheap; torch waits until something is computed.
"""

from typing import TYPE_CHECKING

from semeqv.lazy import exports

if TYPE_CHECKING:
    from semeqv.tying.callbacks.embeddings import Cdists, Embedding
    from semeqv.tying.figures.accuracies import accplot
    from semeqv.tying.figures.distances import view
    from semeqv.tying.figures.embeddings import view_embeddings
    from semeqv.tying.foundation.study import study
    from semeqv.tying.xor.dataset import Default
    from semeqv.tying.xor.models import LSTM, MLP, Transformer

__all__ = [
    "LSTM",
    "MLP",
    "Cdists",
    "Default",
    "Embedding",
    "Transformer",
    "accplot",
    "study",
    "view",
    "view_embeddings",
]

MODULES = {
    **dict.fromkeys(("Cdists", "Embedding"), "callbacks.embeddings"),
    **dict.fromkeys(("LSTM", "MLP", "Transformer"), "xor.models"),
    "Default": "xor.dataset",
    "accplot": "figures.accuracies",
    "study": "foundation.study",
    "view": "figures.distances",
    "view_embeddings": "figures.embeddings",
}
__getattr__ = exports(__name__, MODULES)
