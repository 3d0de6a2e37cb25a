"""Batches of sentences with their trees, and their scorer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from semeqv.lazy import Integers, NDArray, numpy, torch
from semeqv.tasks.classification.batches import MULTIPLE, LabelledBatches, gather
from semeqv.tasks.classification.rows import UNLABELLED
from semeqv.tasks.parsing.metrics import UNREAD, arcs, score_trees, tree_counts, tree_scores
from semeqv.tasks.parsing.rows import TreeRows, Trees
from semeqv.tasks.parsing.trees import best_tree
from semeqv.text.records import UNSAID, Sentence
from semeqv.train.batches import Batch
from semeqv.train.metrics import Scorer


class TreeBatches(LabelledBatches):
    """A treebank as batches: `input_ids` and `words` `(batch, time)`; `labels` (the head of each word, counted from 1,
    0 for the root), `relations` and `tags` `(batch, words)`, -100 where nothing is said; and what else a model reads.

    Args:
        rows: The rows, one for each sentence, and their trees.
        sentences: The sentences.
        relations: The names of the relations, by their numbers.
        tags: The names of the parts of speech.
        annotated: Whether the sentences have trees to be compared with.
        **options: As of `LabelledBatches`.
    """

    def __init__(
        self,
        rows: TreeRows,
        sentences: Sequence[Sentence],
        relations: Sequence[str],
        tags: Sequence[str],
        *,
        annotated: bool = True,
        **options: Any,
    ):
        super().__init__(rows.rows, sentences, relations, **options)
        self.trees, self.read, self.tags, self.annotated = rows.trees, rows.read, list(tags), annotated

    @property
    def model_word(self) -> str:
        """The word of the models that it is for."""
        return "parser"

    def made(self, chosen: Integers) -> dict[str, torch.Tensor]:
        """Return the batch of some rows."""
        counts = self.label_lengths[chosen]
        columns = numpy.arange(-(-int(counts.max()) // MULTIPLE) * MULTIPLE)
        places, real = self.label_starts[chosen, None] + columns, columns < counts[:, None]
        named = {"labels": self.trees.heads, "relations": self.trees.relations, "tags": self.trees.tags}
        return super().made(chosen) | {name: gather(values, places, real, UNLABELLED) for name, values in named.items()}

    def scorer(self) -> Any:
        """Return the scorer of a pass over all rows."""
        return TreeScorer(self)


class TreeScorer(Scorer):
    """Finds the best tree of each sentence, and scores all: LAS, UAS, and UPOS of a parser that tags.

    It is a `Tallied` scorer (see `semeqv.results.statistics`), so that parsers can be compared on samples of sentences.

    Args:
        data: The treebank.
    """

    def __init__(self, data: TreeBatches):
        super().__init__()
        self.data = data

    def look(self, outputs: Mapping[str, torch.Tensor], batch: Batch) -> Any:
        """Return heads, relations and tags of each word, `(3, rows, words)`; what stands behind a sentence means
        nothing.
        """
        arcs = outputs["logits"].float().cpu().numpy().astype(numpy.float64)
        sizes = 1 + batch["words"].amax(1).cpu().numpy()
        guesses = numpy.full((3, *arcs.shape[:2]), UNLABELLED)
        for row, size in enumerate(sizes.tolist()):
            guesses[0, row, :size] = best_tree(arcs[row, :size, : size + 1])
        heads = numpy.maximum(guesses[0], 0)
        likeliest = outputs["likeliest"].cpu().numpy()
        guesses[1] = numpy.take_along_axis(likeliest, heads[:, :, None], axis=2)[:, :, 0]
        if "tag_logits" in outputs:
            guesses[2] = outputs["tag_logits"].argmax(-1).cpu().numpy()
        return guesses

    @property
    def tagged(self) -> bool:
        """Whether tags were predicted, too."""
        return any((part[2] != UNLABELLED).any() for part in self.parts)

    def predicted(self) -> Trees:
        """Return the guess for every word, `(words,)`, sentence after sentence; -100 for those that were not read."""
        data, start = self.data, 0
        guesses = numpy.full((3, len(data.trees.heads)), UNLABELLED)
        for part in self.parts:
            rows = data.passing[start : start + part.shape[1]]
            columns = numpy.arange(part.shape[2])
            real = columns < data.label_lengths[rows, None]
            guesses[:, (data.label_starts[rows, None] + columns)[real]] = part[:, real]
            start += part.shape[1]
        with_unread = numpy.full((3, len(data.read)), UNLABELLED)
        with_unread[:, data.read] = guesses
        return Trees(*with_unread)

    def parsed(self) -> list[Sentence]:
        """Return the sentences with the trees that were found, and the tags of a parser that tags; all else is as it
        was.

        A word that was not read hangs on the word at the root, by `dep`.
        """
        data, trees, tagged, start = self.data, self.predicted(), self.tagged, 0
        relations, tags = [*data.labels, UNREAD], [*data.tags, UNSAID]  # the last ones are those of -1
        sentences = []
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
            sentences.append(Sentence(words, sentence.comments, sentence.spans, sentence.empty))
            start = place.stop
        return sentences

    def tally(self) -> NDArray[numpy.int64]:
        """Return what is counted in each sentence, `(sentences, 4)`: words, and those that are right in each way."""
        return tree_counts(self.data.items, self.parsed())

    def measures(self, sums: NDArray[Any]) -> dict[str, NDArray[numpy.float64]]:
        """Return the scores that follow from sums of counts, `(..., 4)`, each `(...)`."""
        scores = tree_scores(sums)
        return scores if self.data.tags else {name: scores[name] for name in ("las", "uas")}

    def scores(self) -> dict[str, float]:
        """Return the scores, and in `NAME_low` and `NAME_high` their intervals where the data set asks for them.

        Nothing when the sentences have no trees to be compared with.
        """
        data = self.data
        if not data.annotated:
            return {}
        return score_trees(data.items, self.parsed(), tagged=self.tagged, replicates=data.replicates)

    def predictions(self) -> Iterator[dict[str, Any]]:
        """Yield the words of each sentence, their heads and relations (`2:nsubj`), and those that were predicted."""
        for number, (sentence, parsed) in enumerate(zip(self.data.items, self.parsed())):
            columns = {"labels": arcs(sentence.words), "predicted": arcs(parsed.words)}
            yield {"sentence": number, "words": [word.form for word in sentence.words], **columns}
