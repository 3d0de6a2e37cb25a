"""How well masked tokens can be predicted from how frequent they are, without a look at the others."""

from typing import Any

import numpy
from numpy.typing import NDArray

from semeqv.text.objectives import HIDDEN, KEPT


def context_free_loss(counts: NDArray[Any], ordinary: int) -> float:
    """The lowest loss of masked prediction that a model can have on a text whose other tokens it does not see.

    It sees what stands in the place that it is asked for: the mask, the token itself, or any ordinary token
    (Devlin et al., 2019, arXiv 1810.04805, section 3.1). The loss is the entropy of the token given that.

    Args:
        counts: How often each token is in the text, `(tokens,)`.
        ordinary: From how many tokens the one that replaces another is drawn.

    Returns:
        Nats a token asked for.
    """
    share = counts[counts > 0] / counts.sum()  # (tokens of the text,)
    surprise = -numpy.log(share)
    entropy = share @ surprise
    chance = (1 - HIDDEN - KEPT) / ordinary  # that a certain token replaces another
    odds = KEPT / chance * share  # of a token: that it was there before, against that it replaces another
    stayed = (KEPT + chance) * share @ -numpy.log((odds + share) / (odds + 1))
    replaced = chance * (entropy - share * surprise + (1 - share) * numpy.log(odds + 1)).sum()
    unseen = chance * (ordinary - len(share)) * entropy  # what replaces others and is never in this text
    return float(HIDDEN * entropy + stayed + replaced + unseen)
