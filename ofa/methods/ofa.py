"""OFA: rows from similar old subwords, found through multilingual word vectors."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ofa.methods.similar import Similar
from ofa.vectors.word_vectors import read_vectors
from semeqv.grammar.component import component

if TYPE_CHECKING:
    from ofa.plan import Draft, Work


@component("ofa init ofa")
@dataclass(frozen=True, kw_only=True)
class Ofa(Similar):
    """Make new rows of those of similar old subwords, similar by multilingual word vectors.

    OFA (Liu et al., 2023, arXiv 2311.08849): a subword of either vocabulary has the mean vector of the words that it is
    a part of. A new subword becomes the convex combination of its nearest old ones by cosine, with weights
    softmax(cosine / temperature). Tokens that both vocabularies have are copied, and those of no word are drawn. The
    paper factorises the embeddings, with --keep_dim 100, 200 or 400.

    Args:
        vectors: Word vectors of all languages in one space: word2vec text or binary, fastText or GloVe text; see
            `cli ofa vectors`, which makes some.
        source_languages: Only words of these languages tell what old subwords mean, as `eng` for a model of English
            alone; of all if left out.
        target_languages: The same of new subwords.
    """

    vectors: Path
    source_languages: tuple[str, ...] = ()
    target_languages: tuple[str, ...] = ()

    def draft(self, draft: "Draft", work: "Work") -> None:
        """Combine the nearest old subwords.

        Args:
            draft: Is given the origins.
            work: Both vocabularies.
        """
        from ofa.methods.similar import combine_nearest

        vectors = read_vectors(self.vectors, self.most_words)
        old, new = (vectors.of_languages(each) for each in (self.source_languages, self.target_languages))
        combine_nearest(draft, work, old, new, neighbours=self.neighbours, temperature=self.temperature)
