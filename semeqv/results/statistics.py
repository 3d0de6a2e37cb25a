"""Student's t, for intervals of the mean of a few runs."""

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, stdev

# Two-sided 95% points of Student's t with 1, 2, ... degrees of freedom.
T95 = (
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
    2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
)  # fmt: skip


def t95(degrees: int) -> float:
    """Return the two-sided 95% point of Student's t.

    Args:
        degrees: Degrees of freedom, at least one.

    Returns:
        The value that the size of t exceeds with probability 5%: 12.7 for one degree, towards 1.96 for many.
    """
    if degrees <= len(T95):
        return T95[degrees - 1]
    # Cornish and Fisher's expansion; right to four digits from here on (Abramowitz & Stegun 26.7.5).
    z = NormalDist().inv_cdf(0.975)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3


def mean_and_half(values: Sequence[float]) -> tuple[float, float]:
    """The mean of some values, one at least, and half the width of its 95% interval; NaN where there is one value."""
    if len(values) < 2:
        return fmean(values), math.nan
    return fmean(values), t95(len(values) - 1) * stdev(values) / math.sqrt(len(values))
