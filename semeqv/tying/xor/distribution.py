"""The distribution of the symbols that stand for one bit."""

from collections.abc import Sequence


def checked(name: str, probabilities: Sequence[float]) -> tuple[float, float]:
    """One or two probabilities as two that sum to exactly 1.

    Args:
        name: What they are called, for errors.
        probabilities: One, which must be 1, or two.

    Returns:
        The probabilities of the first and the second symbol; the second is 0 where one was given.

    Raises:
        ValueError: When there are none or more than two, one is negative, or the sum is not 1 within 1e-6.
    """
    said = " ".join(f"{p:g}" for p in probabilities)
    if not 1 <= len(probabilities) <= 2:
        raise ValueError(f"{name} takes one or two probabilities, such as .1 .9 or [.1,.9]; not {said or 'none'}.")
    if any(not p >= 0 for p in probabilities):
        raise ValueError(f"{name} {said}: a probability cannot be negative.")
    if not abs(sum(probabilities) - 1) <= 1e-6:
        raise ValueError(f"{name} {said} sums to {sum(probabilities):g}; probabilities sum to 1.")
    first = float(probabilities[0]) / sum(probabilities)
    return first, 1.0 - first
