"""Watches for losses and gradients that are not finite."""

from __future__ import annotations

import itertools

from semeqv.lazy import safetensors, torch
from semeqv.runs.errors import UserError
from semeqv.runs.notices import warning
from semeqv.train.state import TrainState

EVERY = 64  # steps from one look at a compiled program to the next: looking waits for the device


class NonFiniteGuard:
    """Looks at what steps return, and stops training, or passes over a step, when it is not finite.

    Args:
        trainer: The Trainer that it watches.
    """

    def __init__(self, trainer: TrainState):
        self.trainer = trainer
        self.unchecked: list[torch.Tensor] = []

    def takes(self, metrics: torch.Tensor, at_once: bool) -> bool:
        """Take in a step.

        Args:
            metrics: What the step returned, (metric + 1, replica).
            at_once: Whether to look now, not only after some steps.

        Returns:
            Whether the step counts; a step that is passed over does not.
        """
        self.unchecked.append(metrics)
        return not ((at_once or len(self.unchecked) >= EVERY) and self.check())

    def check(self) -> bool:
        """Look at the steps since the last look. Since the first that was not finite, nothing has been updated.

        Returns:
            Whether a step was passed over.

        Raises:
            UserError: When there is such a step and it may not be passed over; it names the step, and the replica when
                there are several.
        """
        if not self.unchecked:
            return False
        finite = torch.stack(self.unchecked)[:, -1]
        first = self.trainer.step - len(self.unchecked) + 1
        self.unchecked.clear()
        if bool(finite.all()):
            return False
        at, replica = (int(i) for i in (finite == 0).nonzero()[0])
        step, seed = first + at, self.trainer.seeds[replica]
        kept = self.keep(step, replica)
        if len(self.trainer.skipped) < self.trainer.skip_nonfinite:
            self.trainer.skipped.append(step)
            warning(f"The loss or gradient of step {step} is not finite; the step is skipped.{kept}")
            return True
        for run in self.trainer.runs:
            run.flush()
        run_path = f" ({self.trainer.runs[replica].path})" if self.trainer.runs else ""
        which = f" of the run with seed {seed}{run_path}" if len(self.trainer.seeds) > 1 else ""
        raise UserError(
            f"The loss or gradient of step {step}{which} is not finite; stopped before the update.{kept} Lower the "
            "learning rate, clip the gradient (--clip 1), look for the cause with --detect_anomaly, or let a few such "
            "steps pass (--skip_nonfinite 3)."
        )

    def keep(self, step: int, replica: int) -> str:
        """Write the batch of a step into the run's folder, to look at what went wrong with it.

        Args:
            step: The step, from 1.
            replica: Whose.

        Returns:
            Where it is, as a sentence; empty when there is no folder.
        """
        if not self.trainer.runs:
            return ""
        count = self.trainer.accumulation
        stream = self.trainer.trainsplit.stream(self.trainer.seeds[replica], (step - 1) * count)
        tensors = {
            f"{i}/{name}" if count > 1 else name: tensor.cpu().contiguous()
            for i, batch in enumerate(itertools.islice(stream, count))
            for name, tensor in batch.items()
        }
        path = self.trainer.runs[replica].path / "nonfinite" / f"step-{step:08d}.safetensors"
        try:
            if self.trainer.world.is_main:
                path.parent.mkdir(parents=True, exist_ok=True)
                safetensors.torch.save_file(tensors, path)
        except (OSError, safetensors.SafetensorError):  # a full disk is either
            return f" Its batch cannot be written to {path}."
        return f" Its batch is in {path}."
