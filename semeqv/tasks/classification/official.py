"""The official scorer of named entities: `seqeval` (Nakayama, 2018), in its strict mode for IOB2."""

import warnings
from collections.abc import Sequence


def seqeval_scores(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, float]:
    """Score tags of IOB2.

    Args:
        gold: True tags of each sentence.
        predicted: Predicted ones.

    Returns:
        `f1`, `precision` and `recall` over all entities; nothing when seqeval is not installed (extra `eval`), whose
        numbers those of `tallies` equal.
    """
    try:
        from seqeval.metrics.v1 import precision_recall_fscore_support
        from seqeval.scheme import IOB2
    except ImportError:
        return {}
    with warnings.catch_warnings():  # 0 stands for what there is nothing to divide by
        warnings.simplefilter("ignore")
        precision, recall, f1, _ = precision_recall_fscore_support(gold, predicted, average="micro", scheme=IOB2)
    return {"f1": float(f1), "precision": float(precision), "recall": float(recall)}
