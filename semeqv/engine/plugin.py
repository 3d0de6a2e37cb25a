"""The words of the engine."""

from semeqv.engine.chain import Chain
from semeqv.engine.sentence import Slot


def register(chain: Chain) -> None:
    """Open the engine's words."""
    chain.modules.append("semeqv.engine.actions")
    chain.slots |= {"dataset": Slot("dataset", keys=("split", "name"))}
    chain.slots |= {name: Slot(name) for name in ("tokenizer", "model")}
    chain.word(
        "loss", "What training minimises; the model's own loss if left out.", "semeqv.engine.losses", slot=Slot("loss")
    )
    chain.word("optimizers", "How parameters move.", "semeqv.engine.optimizers", slot=Slot("optimizer"))
    chain.word("schedulers", "How the learning rate changes.", "semeqv.engine.schedulers", slot=Slot("scheduler"))
    callbacks = ("semeqv.engine.callbacks.log", "semeqv.engine.callbacks.early_stopping", "semeqv.engine.callbacks.tensorboard", "semeqv.engine.callbacks.wandb")
    chain.word("callbacks", "What observes a run.", *callbacks, slot=Slot("callbacks", many=True))
    chain.word("savers", "What is kept of a run.", "semeqv.engine.savers", slot=Slot("saver"))
