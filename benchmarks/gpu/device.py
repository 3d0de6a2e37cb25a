"""The device of the checks: the first GPU, or the CPU in a dry run."""

import torch

DRY = not torch.cuda.is_available()
DEVICE = "cpu" if DRY else "cuda"
BF16 = "fp32" if DRY else "bf16"
PRECISIONS = tuple(dict.fromkeys(("fp32", BF16)))
UNMEASURED = "not measured on a CPU"


def measured(value: str) -> str:
    """A number that only a GPU can show."""
    return UNMEASURED if DRY else value
