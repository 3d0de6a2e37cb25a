"""WECHSEL: rows from similar old subwords, found through two monolingual spaces and a dictionary."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ofa.methods.similar import Similar
from semeqv.grammar.component import component

if TYPE_CHECKING:
    from ofa.plan import Draft
    from ofa.work import Work


@component("ofa init wechsel")
@dataclass(frozen=True, kw_only=True)
class Wechsel(Similar):
    """Make new rows of those of similar old subwords, similar after the words of one language are turned to another's.

    WECHSEL (Minixhofer, Paischer & Rekabsaz, 2022, arXiv 2112.06598): word vectors of the new language are rotated into
    the space of the old one's, so that the two sides of a bilingual dictionary come together (orthogonal Procrustes;
    Schoenemann, 1966). Subwords then have vectors of the words they are a part of, and new ones are combined of their
    nearest old ones as in `cli ofa init ofa`. Tokens that both vocabularies have are copied.

    Args:
        source_vectors: Word vectors of the language of the old vocabulary.
        target_vectors: Those of the new one, of the same width.
        dictionary: Lines of an old and a new word, with a tab or a blank between.
    """

    source_vectors: Path
    target_vectors: Path
    dictionary: Path

    def draft(self, draft: "Draft", work: "Work") -> None:
        """Rotate, then combine the nearest old subwords.

        Args:
            draft: Is given the origins.
            work: Both vocabularies; its facts are told of how many pairs of words the rotation is.
        """
        from ofa.methods.alignment import read_dictionary, rotated
        from ofa.methods.similarity import combine_nearest
        from ofa.vectors.reading import read_vectors

        old = read_vectors(self.source_vectors, self.most_words)
        new = read_vectors(self.target_vectors, self.most_words)
        pairs = read_dictionary(self.dictionary)
        new, used = rotated(new, old, pairs)
        work.facts["dictionary pairs"] = used
        combine_nearest(draft, work, old, new, neighbours=self.neighbours, temperature=self.temperature)
