"""OFA: new rows of similar old subwords, found through multilingual word vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ofa.initialise import EmbeddingOptions, Folders, Transplant, init
from ofa.methods.similar import Similar, Vectors, combine_nearest
from ofa.plan import InitContext, RowSources
from ofa.vectors.word_vectors import as_vectors
from semeqv.grammar.action import action
from semeqv.train.compute import Compute


@dataclass(frozen=True, kw_only=True)
class Ofa(Similar):
    """A new row is a combination of the rows of the nearest old subwords, in one space of word vectors.

    Args:
        vectors: Word vectors of all languages in one space: word2vec text or binary, fastText or GloVe text; see
            `cli ofa vectors`, which makes some.
        source_languages: Only words of these languages tell what old subwords mean, as `eng` for a model of English
            alone; of all if left out.
        target_languages: The same of new subwords.
    """

    name: ClassVar[str] = "ofa"

    vectors: Vectors
    source_languages: tuple[str, ...] = ()
    target_languages: tuple[str, ...] = ()

    def fill(self, row_sources: RowSources, context: InitContext) -> None:
        """Combine the nearest old subwords; see `Method.fill`."""
        vectors = as_vectors(self.vectors, self.most_words)
        old, new = (vectors.of_languages(each) for each in (self.source_languages, self.target_languages))
        combine_nearest(row_sources, context, old, new, neighbours=self.neighbours, temperature=self.temperature)


@action("ofa init ofa")
def init_ofa(
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    folders: Folders,
    method: Ofa,
    embedding: EmbeddingOptions = EmbeddingOptions(),
) -> Transplant:
    """Make new rows of those of similar old subwords, similar by multilingual word vectors.

    OFA (Liu et al., 2023, arXiv 2311.08849): a subword of either vocabulary has the mean vector of the words that it is
    a part of. A new subword becomes the convex combination of its nearest old ones by cosine, with weights
    softmax(cosine / temperature). Tokens that both vocabularies have are copied, and those of no word are drawn. The
    paper factorises the embeddings, with --keep_dim 100, 200 or 400.

    Args:
        seed: Of the rows that are drawn.
        compute: Where rows are compared with each other.
        folders: What is opened, and where the new model is written.
        method: Options of the method.
        embedding: What the new embedding is like.

    Returns:
        The new model, and where its rows come from.
    """
    return init(method, folders, embedding, seed, compute)
