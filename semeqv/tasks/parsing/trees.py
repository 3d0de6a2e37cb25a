"""The best tree of a sentence: Chu & Liu (1965) and Edmonds (1967), with one word at the root."""

from __future__ import annotations

import math

from semeqv.lazy import Floats, Integers, NDArray, numpy

NOWHERE = -math.inf


def best_tree(scores: NDArray[numpy.floating]) -> Integers:
    """Return the heads of the tree whose arcs have the highest sum of scores, among trees with one word at the root.

    An arc from the root costs more than all others can differ by, so that the best tree has as few of them as can be,
    which is one (Gabow & Tarjan, 1984; see Stanojević & Cohen, 2021, EMNLP). Of equal scores the one of the lower
    number is taken, wherever the algorithm chooses.

    Args:
        scores: Of each word to hang on the root (column 0) or on a word (counted from 1), `(words, words + 1)`, finite
            but for those of a word and itself, which are not looked at.

    Returns:
        The head of each word, `(words,)`, 0 for the root.
    """
    size = len(scores)
    arcs = numpy.full((size + 1, size + 1), NOWHERE)
    arcs[1:] = scores
    numpy.fill_diagonal(arcs, NOWHERE)
    heads: Integers = arcs[1:].argmax(1)  # in most sentences that is a tree already
    if (heads == 0).sum() == 1 and cycle(numpy.append(0, heads)) is None:
        return heads
    known = arcs[arcs > NOWHERE]
    arcs[1:, 0] -= size * (known.max() - known.min()) + 1
    tree = spanning(arcs)
    return tree[1:]


def spanning(arcs: Floats) -> Integers:
    """Return the heads of the best tree, of any number of words at the root.

    Args:
        arcs: Of each node to hang on each other, `(nodes, nodes)`; node 0 is the root. Minus infinity for no arc.

    Returns:
        The head of each node, `(nodes,)`, that of the root being itself.
    """
    heads: Integers = arcs.argmax(1)
    heads[0] = 0
    inside = cycle(heads)
    if inside is None:
        return heads
    # The cycle becomes one node, the last: arcs into it cost what they replace, arcs out of it are its best ones.
    outside = numpy.ones(len(arcs), bool)
    outside[inside] = False
    others = numpy.flatnonzero(outside)
    into = arcs[numpy.ix_(inside, others)] - arcs[inside, heads[inside]][:, None]  # (inside, others)
    out = arcs[numpy.ix_(others, inside)]  # (others, inside)
    small = numpy.full((len(others) + 1,) * 2, NOWHERE)
    small[:-1, :-1] = arcs[numpy.ix_(others, others)]
    small[-1, :-1], small[:-1, -1] = into.max(0), out.max(1)
    tree = spanning(small)
    within = tree[:-1] == len(others)  # what hangs on the cycle
    heads[others] = others[numpy.where(within, 0, tree[:-1])]
    heads[others[within]] = inside[out.argmax(1)[within]]
    heads[inside[into[:, tree[-1]].argmax()]] = others[tree[-1]]
    return heads


def cycle(heads: Integers) -> Integers | None:
    """Return the nodes of the first cycle, in their order; None when all hang on the root.

    Args:
        heads: The head of each node, `(nodes,)`; node 0 is the root.

    Returns:
        Their numbers.
    """
    head_of, seen = heads.tolist(), [False] * len(heads)
    seen[0] = True
    for start in range(1, len(heads)):
        chain = dict[int, None]()
        node = start
        while not seen[node]:
            seen[node] = True
            chain[node] = None
            node = head_of[node]
        if node in chain:
            nodes = list(chain)
            return numpy.array(sorted(nodes[nodes.index(node) :]))
    return None
