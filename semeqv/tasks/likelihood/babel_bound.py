"""The least perplexity that any model can reach on the generated corpus, in the units of a model's tokens."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

from semeqv.babel.grammar import Grammar
from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.babel.reader import BayesReader
from semeqv.tasks.likelihood.scoring import Likelihood, exponential

FEW = 1000  # documents that tell the bound well enough to stand beside a perplexity


@dataclass(frozen=True)
class TextBound:
    """The least negative log-likelihood of a text, on average over texts of its kind.

    Args:
        nats: That of its words and marks.
        nats_of_ends: That of where its documents end, which is predicted by whoever predicts separators.
        bytes: Bytes of UTF-8 that were read, without what separates documents.
        exact: Whether all of the text was read, and not only its first documents.
    """

    nats: float
    nats_of_ends: float
    bytes: int
    exact: bool

    def facts(self, measured: Likelihood) -> dict[str, Any]:
        """Return the bound in the units of a measurement of the same text.

        Args:
            measured: What a model reached.

        Returns:
            `bound_perplexity`, `bound_nats_per_token`, `bound_bits_per_byte`, and `bound_exact`.
        """
        nats = self.nats + (self.nats_of_ends if measured.separators else 0.0)
        per_token = nats * measured.bytes / self.bytes / measured.tokens
        return {
            "bound_perplexity": exponential(per_token),
            "bound_nats_per_token": per_token,
            "bound_bits_per_byte": nats / math.log(2) / self.bytes,
            "bound_exact": self.exact,
        }


def babel_bound(facts: Mapping[str, Any], language: str, exact: bool) -> TextBound | None:
    """Return the bound of a data set in one language.

    Args:
        facts: What the data set says of itself.
        language: The language.
        exact: Whether to read all documents; else the first FEW of both languages together.

    Returns:
        The bound; None for a corpus that is not the generated one, and for sentences of pairs, which are no documents,
        and tell more of each other than the bound knows.
    """
    source = facts.get("source", {})
    if source.get("corpus") != "dataset babel" or language not in LANGUAGES or source["pairs"]:
        return None
    options = source["options"]
    grammar = Grammar(GrammarOptions(**{field.name: options[field.name] for field in fields(GrammarOptions)}))
    count = int(options["documents"])
    documents = grammar.documents(options["split"], count, options["corpus_seed"])
    bound = BayesReader(grammar, language).bound(documents if exact else islice(documents, FEW))
    ends = math.log(grammar.options.longest - grammar.options.shortest + 1)  # a document is of any length alike
    size = bound.bytes - bound.documents  # it counts a line feed behind the last sentence, too
    return TextBound(bound.nats, bound.documents * ends, size, exact=exact or count <= FEW)
