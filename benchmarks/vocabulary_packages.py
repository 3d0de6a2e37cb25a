"""WECHSEL and FOCUS beside the packages of their authors, `wechsel` and `deepfocus`, where pip has installed them.

Both are given the very vectors that ours is given, so that new rows must be the same, ties aside: WECHSEL words in one
space already and with equal counts (its package weighs words by their counts, and tries two spellings of each where
ours tries three, so the words are ones for which that is no difference), FOCUS the vectors of the tokens. Vocabularies
are smaller than those of `benchmarks.ofa`, for `deepfocus` holds all similarities at once. CPU seconds in a process of
its own, one thread, after imports; `deepfocus` has compiled its cosines before.
"""

import importlib.util
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from time import process_time

import numpy

from benchmarks.paired import Row, summary

SIZE = {"words": 50_000, "wide": 100, "old": 10_000, "new": 10_000, "width": 384}
PACKAGES = {"wechsel": 0, "deepfocus": 4_000}  # tokens that the vocabularies share
ROUNDS = 3


def run(size: dict[str, int] = SIZE, rounds: int = ROUNDS) -> list[Row]:
    """A row for each package that is there."""
    rows = []
    for name, shared in PACKAGES.items():
        if not there(name):
            continue
        found = [measured(name, size | {"shared": shared}) for _ in range(rounds)]
        said = (
            f"CPU, one thread; {size['words']:,} words, {size['old']:,} x {size['width']} to {size['new']:,} tokens; "
            f"peer: the package {name}; {min(each[2] for each in found):.1%} of the new rows agree, the rest are tied"
        )
        rows.append(Row(f"`cli ofa init {METHODS[name]}`", *summary(*zip(*[e[:2] for e in found])), "s", said))
    return rows


def there(name: str) -> bool:
    """Whether a package is installed."""
    return importlib.util.find_spec(name) is not None


def measured(name: str, size: dict[str, int]) -> tuple[float, float, float]:
    """CPU seconds of ours and of the peer's, and the share of new rows that agree, in a process of its own."""
    for each in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[each] = "1"
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(timed, name, size).result()


def timed(name: str, size: dict[str, int]) -> tuple[float, float, float]:
    """Time both sides."""
    import torch

    from benchmarks.ofa import Case, Size

    torch.set_num_threads(1)
    small = Case(Size(words=900, wide=8, old=500, new=500, width=8, shared=100), capitals=False)
    OURS[name](small), PEERS[name](small)  # imports, and what is compiled
    case = Case(Size(**size), capitals=False)
    started = process_time()
    ours, rows = OURS[name](case)
    own, started = process_time() - started, process_time()
    peer = PEERS[name](case)
    cost = process_time() - started
    differs = numpy.abs(ours[rows] - peer[rows]).max(1) > 1e-4
    assert differs.mean() < 0.05, f"{differs.mean():.1%} of the new rows differ"
    return own, cost, float(1 - differs.mean())


def work_of(case):
    """What a method of ours works with."""
    from types import SimpleNamespace

    import torch

    from ofa.plan import InitContext, RowSources
    from ofa.vocabulary import Vocabulary, shared

    source, target = (Vocabulary(each, len(each)) for each in (case.old, case.new))
    model = SimpleNamespace(get_input_embeddings=lambda: SimpleNamespace(weight=torch.from_numpy(case.embedding)))
    work = InitContext(model, source, target, shared(source, target, ignore_case=False), None, {})
    draft = RowSources(target.rows, source.used)
    draft.copy(*work.shared)
    return draft, work


def rows_of(case, draft):
    """The new rows, and which of them were combined."""
    import torch

    from ofa.plan import Kind

    plan = draft.plan()
    made = plan.apply(torch.from_numpy(case.embedding), torch.Generator().manual_seed(0)).numpy()
    return made, numpy.flatnonzero(plan.kinds == Kind.COMBINED)


def our_wechsel(case):
    """WECHSEL without its rotation."""
    from ofa.methods.similar import combine_nearest
    from ofa.vectors.word_vectors import WordVectors

    draft, work = work_of(case)
    vectors = WordVectors(case.words, case.vectors)
    combine_nearest(draft, work, vectors, vectors, neighbours=10, temperature=0.1)
    return rows_of(case, draft)


def their_wechsel(case):
    """The package: vectors are words' in a model of gensim."""
    import logging

    from gensim.models import KeyedVectors, Word2Vec
    from wechsel import WECHSEL

    logging.disable(logging.INFO)
    model = Word2Vec(vector_size=case.size.wide)
    model.wv = KeyedVectors(case.size.wide)
    model.wv.add_vectors(case.words, case.vectors)
    model.wv.expandos["count"] = numpy.ones(len(case.words), numpy.int64)
    method = WECHSEL(model, model, align_strategy=None)
    return method.apply(case.old, case.new, case.embedding, use_subword_info=False)[0]


def token_vectors(case):
    """A vector for every token of the new vocabulary that is no special one."""
    names = [name for name in sorted(case.new.get_vocab()) if name not in case.new.all_special_tokens]
    return dict(zip(names, numpy.random.default_rng(1).normal(size=(len(names), case.size.wide)).astype(numpy.float32)))


def our_focus(case):
    """FOCUS."""
    from ofa.methods.focus import combine_shared
    from ofa.vectors.word_vectors import WordVectors

    draft, work = work_of(case)
    vectors = token_vectors(case)
    combine_shared(draft, work, WordVectors(list(vectors), numpy.stack(list(vectors.values()))))
    return rows_of(case, draft)


def their_focus(case):
    """The package, whose fastText is replaced by the same vectors."""
    import torch
    from deepfocus import focus

    vectors = token_vectors(case)
    focus.load_target_token_embedding = lambda **given: vectors
    made = focus.FOCUS(
        case.new, case.old, torch.from_numpy(case.embedding), fasttext_model_path="these", verbosity="silent"
    )
    return made.numpy()


METHODS = {"wechsel": "wechsel", "deepfocus": "focus"}
OURS = {"wechsel": our_wechsel, "deepfocus": our_focus}
PEERS = {"wechsel": their_wechsel, "deepfocus": their_focus}
