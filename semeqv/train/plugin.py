"""The words of training."""

from typing import Any

from semeqv.grammar.chain import Chain
from semeqv.grammar.sentence import Sentence, Slot


def register(chain: Chain) -> None:
    """Open the words of training, and let this package run sentences."""
    chain.run = run
    chain.modules.append("semeqv.train.actions")
    chain.slots |= {"dataset": Slot("dataset", keys=("split", "name"))}
    chain.slots |= {name: Slot(name) for name in ("tokenizer", "model")}
    chain.word(
        "loss", "What training minimises; the model's own loss if left out.", "semeqv.train.losses", slot=Slot("loss")
    )
    chain.word("optimizers", "How parameters move.", "semeqv.train.optimizers", slot=Slot("optimizer"))
    chain.word("schedulers", "How the learning rate changes.", "semeqv.train.schedulers", slot=Slot("scheduler"))
    callbacks = (
        "semeqv.train.callbacks.log",
        "semeqv.train.callbacks.early_stopping",
        "semeqv.train.callbacks.trackers",
    )
    chain.word("callbacks", "What observes a run.", *callbacks, slot=Slot("callbacks", many=True))
    chain.word("savers", "What is kept of a run.", "semeqv.train.saver", slot=Slot("saver"))


def run(sentence: Sentence, chain: Chain) -> Any:
    """Run a sentence; what trains is imported when something is run."""
    from semeqv.train import run

    return run.run(sentence, chain)
