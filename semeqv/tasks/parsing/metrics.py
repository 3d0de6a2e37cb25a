"""Judges the trees that a parser finds for a whole treebank."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from semeqv.lazy import Floats, NDArray, numpy, torch
from semeqv.results.statistics import scored
from semeqv.tasks.classification.metrics import divided
from semeqv.tasks.classification.rows import UNLABELLED
from semeqv.tasks.parsing.rows import Trees
from semeqv.tasks.parsing.trees import best_tree
from semeqv.text.readers.conllu import written
from semeqv.text.records import UNSAID, Sentence, Word
from semeqv.train.batches import Batch
from semeqv.train.metrics import Scorer

if TYPE_CHECKING:
    from semeqv.tasks.parsing.rows import TreeBatches

SCORES = {"las": "LAS", "uas": "UAS", "upos": "UPOS"}


def official_scores(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
    """Score parsed sentences, as CoNLL-U.

    Args:
        gold: The sentences with their true trees.
        predicted: The same with those that were predicted.

    Returns:
        `las`, `uas` and `upos`, F1 from 0 to 1; nothing when udtools is not installed (the extra `eval`), whose numbers
        those of `judging` equal.
    """
    try:
        from udtools.udeval import evaluate, load_conllu
    except ImportError:
        return {}
    found = evaluate(*(load_conllu(io.StringIO(text_of(each)), "", {}) for each in (gold, predicted)))
    return {name: float(found[official].f1) for name, official in SCORES.items()}


def text_of(sentences: Sequence[Sentence]) -> str:
    """Sentences as CoNLL-U."""
    return "".join(f"{line}\n" for sentence in sentences for line in [*written(sentence), ""])


COUNTED = ("words", "las", "uas", "upos")


def judged(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], *, tagged: bool, replicates: int
) -> dict[str, float]:
    """Judge trees. Where intervals are asked for and the official scorer is there, it has the last word.

    Args:
        gold: The sentences with their true trees.
        predicted: The same with those that were predicted.
        tagged: Whether tags were predicted, too.
        replicates: Bootstrap samples of the intervals; 0 for none.

    Returns:
        `las` (words with the right head and relation), `uas` (with the right head) and `upos` as shares of all words,
        and in `NAME_low` and `NAME_high` their 95% intervals over sentences.
    """
    asked = COUNTED[1 : None if tagged else -1]
    counts = counted(gold, predicted)
    found = scored(counts, lambda sums: {name: shares(sums)[name] for name in asked}, replicates)
    if replicates:
        official = official_scores(gold, predicted)
        found |= {name: official[name] for name in asked if name in official}
    return found


def counted(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> NDArray[numpy.int64]:
    """Count right words, as the official scorer does on words that are given: relations without their subtypes.

    Args:
        gold: The sentences with their true trees.
        predicted: The same with those that were predicted.

    Returns:
        `(sentences, 4)`: words; those with the right head and relation, the right head, the right tag.
    """
    counts = numpy.zeros((len(gold), len(COUNTED)), numpy.int64)
    for number, (one, other) in enumerate(zip(gold, predicted)):
        for word, found in zip(one.words, other.words):
            head = word.head == found.head
            relation = word.deprel.partition(":")[0] == found.deprel.partition(":")[0]
            counts[number] += (1, head and relation, head, word.upos == found.upos)
    return counts


def shares(counts: NDArray[Any]) -> dict[str, Floats]:
    """Scores from sums of counts.

    Args:
        counts: `(..., 4)`, as of `counted`.

    Returns:
        `las`, `uas` and `upos`, each `(...)`; 0 where there is no word.
    """
    words, *right = numpy.moveaxis(counts.astype(numpy.float64), -1, 0)
    return {name: divided(each, words) for name, each in zip(COUNTED[1:], right)}


UNREAD = "dep"  # the relation of UD for what cannot be told


class TreeScorer(Scorer):
    """Finds the best tree of each sentence, and judges all: LAS, UAS, and UPOS of a parser that tags.

    It is a `Tallied` scorer (see `semeqv.results.statistics`), so that parsers can be compared on samples of sentences.

    Args:
        data: The treebank.
    """

    def __init__(self, data: TreeBatches):
        super().__init__()
        self.data = data

    def look(self, outputs: Mapping[str, torch.Tensor], batch: Batch) -> Any:
        """Heads, relations and tags of each word, `(3, rows, words)`; what stands behind a sentence means nothing."""
        arcs = outputs["logits"].float().cpu().numpy().astype(numpy.float64)
        sizes = 1 + batch["words"].amax(1).cpu().numpy()
        found = numpy.full((3, *arcs.shape[:2]), UNLABELLED)
        for row, size in enumerate(sizes.tolist()):
            found[0, row, :size] = best_tree(arcs[row, :size, : size + 1])
        heads = numpy.maximum(found[0], 0)
        likeliest = outputs["likeliest"].cpu().numpy()
        found[1] = numpy.take_along_axis(likeliest, heads[:, :, None], axis=2)[:, :, 0]
        if "tag_logits" in outputs:
            found[2] = outputs["tag_logits"].argmax(-1).cpu().numpy()
        return found

    @property
    def tagged(self) -> bool:
        """Whether tags were predicted, too."""
        return any((part[2] != UNLABELLED).any() for part in self.parts)

    def predicted(self) -> Trees:
        """What was found for every word, `(words,)`, sentence after sentence; -100 for those that were not read."""
        data, start = self.data, 0
        found = numpy.full((3, len(data.trees.heads)), UNLABELLED)
        for part in self.parts:
            rows = data.passing[start : start + part.shape[1]]
            columns = numpy.arange(part.shape[2])
            real = columns < data.label_lengths[rows, None]
            found[:, (data.label_starts[rows, None] + columns)[real]] = part[:, real]
            start += part.shape[1]
        every = numpy.full((3, len(data.read)), UNLABELLED)
        every[:, data.read] = found
        return Trees(*every)

    def parsed(self) -> list[Sentence]:
        """The sentences with the trees that were found, and the tags of a parser that tags; all else is as it was.

        A word that was not read hangs on the word at the root, by `dep`.
        """
        data, trees, tagged, start = self.data, self.predicted(), self.tagged, 0
        relations, tags = [*data.labels, UNREAD], [*data.tags, UNSAID]  # the last ones are those of -1
        found = []
        for sentence in data.items:
            place = slice(start, start + len(sentence.words))
            heads, *named = (values[place] for values in (trees.heads, trees.relations, trees.tags))
            root = int(numpy.flatnonzero(heads == 0)[0]) + 1
            heads = numpy.where(heads == UNLABELLED, root, heads)
            columns = zip(sentence.words, heads.tolist(), *(numpy.maximum(each, -1).tolist() for each in named))
            words = tuple(
                word._replace(head=head, deprel=relations[relation], upos=tags[tag] if tagged else word.upos)
                for word, head, relation, tag in columns
            )
            found.append(Sentence(words, sentence.comments, sentence.spans, sentence.empty))
            start = place.stop
        return found

    def tally(self) -> NDArray[numpy.int64]:
        """What is counted in each sentence, `(sentences, 4)`: words, and those that are right in each way."""
        return counted(self.data.items, self.parsed())

    def measures(self, sums: NDArray[Any]) -> dict[str, NDArray[numpy.float64]]:
        """The scores that follow from sums of tallies, `(..., 4)`, each `(...)`."""
        found = shares(sums)
        return found if self.data.tags else {name: found[name] for name in ("las", "uas")}

    def scores(self) -> dict[str, float]:
        """The scores, and in `NAME_low` and `NAME_high` their intervals where the data set asks for them.

        Nothing when the sentences have no trees to be compared with.
        """
        data = self.data
        if not data.annotated:
            return {}
        return judged(data.items, self.parsed(), tagged=self.tagged, replicates=data.replicates)

    def predictions(self) -> Iterator[dict[str, Any]]:
        """The words of each sentence, their heads and relations (`2:nsubj`), and those that were predicted."""
        for number, (sentence, parsed) in enumerate(zip(self.data.items, self.parsed())):
            said = {"labels": arcs(sentence.words), "predicted": arcs(parsed.words)}
            yield {"sentence": number, "words": [word.form for word in sentence.words], **said}


def arcs(words: tuple[Word, ...]) -> list[str]:
    """The head and the relation of each word."""
    return [f"{UNSAID if word.head is None else word.head}:{word.deprel}" for word in words]
