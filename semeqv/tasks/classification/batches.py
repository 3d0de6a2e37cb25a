"""Batches of labelled rows, whose order is a pure function of seed and step, and their scorer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from semeqv.lazy import Floats, Integers, NDArray, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.metrics import entity_scores, label_scores, named, score_labels, sentence_counts
from semeqv.tasks.classification.rows import UNLABELLED, Rows
from semeqv.text.tokens.order import permuted
from semeqv.train.batches import Batch
from semeqv.train.metrics import Scorer

MULTIPLE = 8  # padded rows have a multiple of so many tokens


class LabelledBatches:
    """A data set of labelled rows.

    A batch has `input_ids` `(batch, time)`, `labels` `(batch, words)` or `(batch,)`, and, where they are needed,
    `words`, `attention_mask` and `token_type_ids`, each `(batch, time)`.

    Args:
        rows: The rows.
        items: What the sentences say and how they are labelled, for predictions that are written down.
        labels: The names of the labels, by their numbers.
        pad: The token after the end of a row.
        batch_size: Rows of a batch.
        longest: The most tokens of a row.
        shuffle: Whether training takes rows in a new order in every epoch.
        grouping: So many batches share rows that are drawn together and sorted by length, so that they need little
            padding; the batches themselves come in any order.
        entities: Whether labels are tags of IOB2, judged by the entities that they mark.
        replicates: Bootstrap samples of the intervals of every score; 0 for none.
        facts: What is known of the data, for run.json.
    """

    def __init__(
        self,
        rows: Rows,
        items: Sequence[Any],
        labels: Sequence[str],
        *,
        pad: int,
        batch_size: int,
        longest: int,
        shuffle: bool = True,
        grouping: int = 1,
        entities: bool = False,
        replicates: int = 0,
        facts: Mapping[str, Any] | None = None,
    ):
        self.rows, self.items, self.labels, self.pad = rows, items, list(labels), pad
        self.size, self.longest = min(batch_size, len(rows)), longest
        self.shuffle, self.grouping = shuffle, grouping
        self.entities, self.replicates, self.known_facts = entities, replicates, dict(facts or {})
        self.starts = numpy.append(0, rows.ends[:-1])
        self.lengths = rows.ends - self.starts
        self.label_starts = numpy.append(0, rows.label_ends[:-1])
        self.label_lengths = rows.label_ends - self.label_starts
        self.passing = numpy.argsort(self.lengths, kind="stable")  # a pass pads least from short rows to long ones

    @property
    def model_word(self) -> str:
        """The word of the models that it is for."""
        return "token-classifier" if self.of_words else "sequence-classifier"

    @property
    def of_words(self) -> bool:
        """Whether words have labels, not texts."""
        return self.rows.words is not None

    @property
    def gold(self) -> Integers:
        """The numbers of the true labels, `(labels,)`, item after item; -100 where there is none."""
        return self.rows.labels

    def label_counts(self) -> Integers:
        """Return how many labels each item has, `(items,)`."""
        return numpy.bincount(self.rows.sentences, self.label_lengths, minlength=len(self.items)).astype(numpy.int64)

    def __len__(self) -> int:
        """Return how many batches an epoch has; rows that do not fill one are left for the next epoch's order."""
        return len(self.rows) // self.size

    def stream(self, seed: int, start: int = 0) -> Iterator[dict[str, torch.Tensor]]:
        """Training batches without end, from a step on."""
        step = start
        while True:
            yield self.batch(seed, step)
            step += 1

    def batch(self, seed: int, step: int) -> dict[str, torch.Tensor]:
        """Return the batch of a step, a pure function of seed and step."""
        epoch, place = divmod(step, len(self))
        turn = place % self.grouping
        first, count = place - turn, min(self.grouping, len(self) - place + turn)
        rows = first * self.size + numpy.arange(count * self.size)
        if self.shuffle:
            rows = permuted(rows, len(self.rows), seed, epoch)
            rows = rows[numpy.argsort(self.lengths[rows], kind="stable")]
            turn = int(permuted(numpy.array([turn]), count, seed, epoch, first)[0])
        return self.made(rows[turn * self.size : (turn + 1) * self.size])

    def batches(self) -> Iterator[dict[str, torch.Tensor]]:
        """One pass over all rows, the shortest first."""
        for start in range(0, len(self.rows), self.size):
            yield self.made(self.passing[start : start + self.size])

    def made(self, chosen: Integers) -> dict[str, torch.Tensor]:
        """Return the batch of some rows."""
        rows, lengths = self.rows, self.lengths[chosen]
        width = min(-(-int(lengths.max()) // MULTIPLE) * MULTIPLE, self.longest)
        places = self.starts[chosen, None] + numpy.arange(width)
        real = numpy.arange(width) < lengths[:, None]
        batch = {"input_ids": gather(rows.tokens, places, real, self.pad)}
        if not real.all():
            batch["attention_mask"] = torch.from_numpy(real.astype(numpy.int64))
        if rows.types is not None:
            batch["token_type_ids"] = gather(rows.types, places, real, 0)
        if rows.words is None:
            return batch | {"labels": torch.from_numpy(rows.labels[chosen])}
        counts = self.label_lengths[chosen]
        columns = numpy.arange(int(counts.max()))
        labels = gather(rows.labels, self.label_starts[chosen, None] + columns, columns < counts[:, None], UNLABELLED)
        return batch | {"words": gather(rows.words, places, real, -1), "labels": labels}

    def scorer(self) -> LabelScorer:
        """Return the scorer of a pass over all rows."""
        return LabelScorer(self)

    def facts(self) -> dict[str, Any]:
        """Return what is known of the data, for run.json."""
        return self.known_facts


def check_task(dataset: Any, word: str) -> None:
    """Refuse data sets that are of another task than a model, for what it would learn from them means nothing.

    Args:
        dataset: The data sets by (split, name), or one; what has no `model_word` is for any model.
        word: The word of the model.

    Raises:
        UserError: When one is for another model.
    """
    for data in dataset.values() if isinstance(dataset, dict) else [dataset]:
        other = getattr(data, "model_word", word)
        if other != word:
            word_of_data = data.facts().get("source", {}).get("dataset") or "this data set"
            raise UserError(f"`cli {word_of_data}` is not for a {word}. Take: cli model {other}")


def gather(values: Integers, places: Integers, real: Any, filler: int) -> torch.Tensor:
    """Return the values at some places, and another one where none is real."""
    return torch.from_numpy(numpy.where(real, values[numpy.minimum(places, len(values) - 1)], filler))


class LabelScorer(Scorer):
    """Scores labels of words or of texts: entities by F1, others by accuracy and macro F1.

    It is a `Tallied` scorer (see `semeqv.results.statistics`), so that models can be compared on samples of sentences.

    Args:
        data: What is labelled.
    """

    def __init__(self, data: LabelledBatches):
        super().__init__()
        self.data = data

    def look(self, outputs: Mapping[str, torch.Tensor], batch: Batch) -> Any:
        """Return the likeliest labels, `(rows, words)` or `(rows,)`."""
        return outputs["logits"].argmax(-1).cpu().numpy()

    def predicted(self) -> Integers:
        """Return the likeliest label of every word or text, `(labels,)`, sentence after sentence."""
        data, start = self.data, 0
        predicted = numpy.full(len(data.rows.labels), UNLABELLED)
        for part in self.parts:
            rows = data.passing[start : start + len(part)]
            labels = part if part.ndim > 1 else part[:, None]  # (rows, words)
            columns = numpy.arange(labels.shape[1])
            real = columns < data.label_lengths[rows, None]
            predicted[(data.label_starts[rows, None] + columns)[real]] = labels[real]
            start += len(part)
        return predicted

    def scores(self) -> dict[str, float]:
        """Return the scores, and in `NAME_low` and `NAME_high` their intervals where the data set asks for them."""
        data = self.data
        return score_labels(
            data.gold,
            self.predicted(),
            data.label_counts(),
            data.labels,
            entities=data.entities,
            replicates=data.replicates,
        )

    def tally(self) -> Integers:
        """Return what is counted in each sentence, `(sentences, 3, classes)`."""
        data = self.data
        return sentence_counts(data.gold, self.predicted(), data.label_counts(), data.labels, entities=data.entities)

    def measures(self, sums: NDArray[Any]) -> Mapping[str, Floats]:
        """Return the scores that follow from sums of counts, `(..., 3, classes)`, each `(...)`."""
        return entity_scores(sums) if self.data.entities else label_scores(sums)

    def predictions(self) -> Iterator[dict[str, Any]]:
        """Yield what each sentence says, its labels, and those that were predicted, in their order."""
        data = self.data
        both = (named(labels, data.label_counts(), data.labels) for labels in (data.gold, self.predicted()))
        for number, (item, labels, predicted) in enumerate(zip(data.items, *both)):
            if not data.of_words:
                yield {"sentence": number, "texts": item.texts, "label": labels[0], "predicted": predicted[0]}
            else:
                yield {"sentence": number, "words": item.texts, "labels": labels, "predicted": predicted}
