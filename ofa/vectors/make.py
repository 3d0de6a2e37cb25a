"""Cross-lingual word vectors from aligned text, as an action."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import check_bounds, component


@component("ofa vectors")
@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Make word vectors of all languages of an aligned corpus, in one space.

    Words that stand in the same sentence pairs get similar vectors, whatever their language (sentence ids as the
    shared context; Levy, Sogaard & Goldberg, 2017, "A Strong Baseline for Learning Cross-Lingual Word Embeddings from
    Sentence Alignments"): the matrix of words by sentences, weighted by tf-idf, is cut down to its largest singular
    values (Halko, Martinsson & Tropp, 2011, arXiv 0909.4061, algorithm 4.4). A word is written with its language before
    it, `fr:chien`. Of scripts without spaces between words (Han, Kana, Thai, Lao, Khmer, Burmese), every letter is
    a word. The corpus is the training set of the sentence: `cli dataset europarl`, `moses`, `tsv`, ...

    Args:
        path: The file of vectors, word2vec text.
        units: What has a vector: words, or the tokens of the sentence's tokenizer, which all languages share;
            `cli ofa bag --tokens_of` makes a model of these, whose embeddings another can start from.
        dimensions: Numbers of a vector.
        least: Sentences that one must stand in.
        most_common: Words of each language (or tokens) that are kept, the most frequent first; 0 for all.
        monolingual: Read sentences without a translation, too, which tie the words of one language alone (latent
            semantic analysis; Deerwester et al., 1990, "Indexing by Latent Semantic Analysis").
        power: Iterations of the singular value decomposition; more are more exact.
        disjoint_from: Files, folders and archives of test text: a sentence pair of which a side holds a line of it,
            whatever its case and punctuation, is left out; see `cli ofa text`.
    """

    path: Path = Path("vectors.vec")
    units: Literal["words", "tokens"] = "words"
    dimensions: int = 200
    least: int = 3
    most_common: int = 100_000
    monolingual: bool = False
    power: int = 4
    disjoint_from: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        check_bounds(self, dimensions=2, least=1, most_common=0, power=0)

    def build(self, *, dataset_options: Mapping[tuple[str, str | None], Any], seed: int, tokenizer: Any = None) -> None:
        """Make the vectors and write them.

        Args:
            dataset_options: The data sets of the sentence, not built; the training set is read.
            seed: Of the random start of the singular value decomposition.
            tokenizer: Of the run, when vectors are of its tokens.

        Raises:
            UserError: When there is no aligned corpus, or too little of it.
        """
        import click

        from ofa.vectors.making import aligned_vectors
        from ofa.vectors.writing import write_vectors
        from semeqv.runs.errors import UserError
        from semeqv.text.datasets.reading import chosen

        corpus = dataset_options.get(("train", None))
        if corpus is None or not hasattr(corpus, "rows"):
            raise UserError("Word vectors are made of an aligned corpus; add: cli dataset europarl --languages en fr")
        if self.units == "tokens" and tokenizer is None:
            raise UserError("--units tokens are those of a tokenizer; add: cli tokenizer ...")
        tokens = self.units == "tokens"
        vectors, facts = aligned_vectors(chosen(corpus), self, seed, tokenizer if tokens else None)
        write_vectors(self.path, vectors)
        said = ", ".join(f"{count:,} {'' if tokens else 'words of '}{name}" for name, count in facts["words"].items())
        click.echo(f"{facts['sentences']:,} sentence{'s' if self.monolingual else ' pairs'}{facts['apart']}; {said}.")
        click.echo(f"wrote {self.path}")
