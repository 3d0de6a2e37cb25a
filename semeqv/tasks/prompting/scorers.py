"""Score what causal language models answer: by the likelihood of each label, or by what they write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semeqv.lazy import Integers, NDArray, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.batches import LabelScorer
from semeqv.tasks.classification.rows import UNLABELLED
from semeqv.text.generation import greedy
from semeqv.train.batches import Batch
from semeqv.train.metrics import Scorer


def logits_of(outputs: Mapping[str, torch.Tensor], batch: Batch, model: Any) -> torch.Tensor:
    """Return the logits of a batch; a model that told its loss alone is asked once more, without labels."""
    logits = outputs.get("logits")
    if logits is None:
        logits = model(**{name: each for name, each in batch.items() if name != "labels"}).logits
    return logits


class ChoiceScorer(LabelScorer):
    """Gives each text the label whose tokens, with the one that ends the answer, are likeliest behind the prompt."""

    data: Any  # `PromptBatches`

    def look(self, outputs: Mapping[str, torch.Tensor], batch: Batch) -> NDArray[numpy.float32]:
        """Return the log-likelihood of each token but the first of a row, `(rows, time - 1)`."""
        logits, tokens = logits_of(outputs, batch, self.model), batch["input_ids"]
        likelihoods = torch.empty(tokens[:, 1:].shape, device=tokens.device)
        for row, (row_logits, row_tokens) in enumerate(
            zip(logits, tokens)
        ):  # one at a time: a vocabulary in fp32 is large
            scores = row_logits[:-1].float()
            likelihoods[row] = scores.gather(-1, row_tokens[1:, None])[:, 0] - scores.logsumexp(-1)
        return likelihoods.cpu().numpy()

    def likelihoods(self) -> NDArray[numpy.float64]:
        """Return the log-likelihood of each label of each text, `(texts, labels)`."""
        data, start = self.data, 0
        candidates, count = data.candidates, len(data.labels)
        assert candidates is not None
        scores = numpy.zeros(len(candidates.rows))
        for part in self.parts:
            rows = candidates.passing[start : start + len(part)]
            place = numpy.arange(1, part.shape[1] + 1)
            answer = (place >= data.prompts[rows // count, None]) & (place < candidates.lengths[rows, None])
            scores[rows] = numpy.where(answer, part, 0.0).sum(1, dtype=numpy.float64)
            start += len(part)
        return scores.reshape(-1, count)

    def predicted(self) -> Integers:
        """Return the likeliest label of each text, `(texts,)`."""
        likeliest: Integers = self.likelihoods().argmax(1)
        return likeliest


class Writing(Scorer):
    """Lets the model write its answers: the likeliest token, until it ends the answer."""

    data: Any  # `PromptBatches`

    def take(
        self, outputs: Mapping[str, torch.Tensor], batch: Batch, counts: bool = True, *, model: Any = None
    ) -> None:
        """Remember the answers to a batch of prompts, each without the token that ends it.

        Args:
            outputs: Not used.
            batch: The prompts stand before the labels.
            counts: Whether the rows count.
            model: What is asked.

        Raises:
            UserError: When the model is spread over processes.
        """
        from torch.distributed.fsdp import FSDPModule

        if isinstance(model, FSDPModule):
            raise UserError(
                "Answers are written by a whole model, of which --strategy fsdp gives each process a part. Say the "
                "data set afterwards, in a sentence of its own: semeqv cli model load --from RUN ... cli test"
            )
        if not counts:
            self.parts.append(None)
            return
        data, tokens, answers = self.data, batch["input_ids"], batch["labels"] != UNLABELLED
        lengths = batch.get("attention_mask", torch.ones_like(tokens)).sum(1)  # of rows without an answer
        ends = answers.int().argmax(1).where(answers.any(1), lengths)
        prompts = [row[:end] for row, end in zip(tokens.tolist(), ends.tolist())]
        limits = [data.most[tuple(prompt)] for prompt in prompts]
        self.parts.append(greedy(model, prompts, limits, end=data.task.spelling.end, pad=data.pad))

    def written(self) -> list[list[int]]:
        """Return the answer to each row, in their order."""
        written: list[list[int]] = [[] for _ in self.data.rows.ends]
        answers = (answer for part in self.parts for answer in part)
        for row, answer in zip(self.data.passing.tolist(), answers):
            written[row] = answer
        return written


class WrittenLabelScorer(Writing, LabelScorer):
    """Reads labels from what the model writes; what is none of them is wrong."""

    def predicted(self) -> Integers:
        """Return the label of each word or text, `(labels,)`; that of no entity, or -100, for what the answer leaves
        out.
        """
        labels: Integers = self.data.task.read(self.written())
        return labels
