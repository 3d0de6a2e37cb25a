"""The files of a generated corpus."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from semeqv.babel.bounds import Tally, of_grammar
from semeqv.babel.document import Document
from semeqv.babel.grammar import SPLITS, Grammar, aligned
from semeqv.babel.lexicon import Lexicon
from semeqv.babel.options import LANGUAGES
from semeqv.babel.reader import AT_ONCE, BayesReader, batches
from semeqv.babel.treebank import parsed
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.text.files import fingerprint, one_line, writing
from semeqv.text.readers.conllu import written
from semeqv.train.bars import Progress

FACTS = "facts.json"
ENDINGS = tuple(f"{language}{ending}" for language in LANGUAGES for ending in ("", ".txt", ".conllu"))
HELD_OUT = 10  # validation and test get one sentence for so many of train


def write_corpus(path: Path, grammar: Grammar, sentences: int, seed: int) -> dict[str, Any]:
    """Write a corpus and its facts; these come last, so that a folder that has them is complete.

    Args:
        path: The folder.
        grammar: What writes.
        sentences: How many sentences the train split gets, both languages together; its last document is not cut.
        seed: Which corpus.

    Returns:
        The facts: options and vocabularies, and for each split and language sizes and bounds.

    Raises:
        UserError: When a file cannot be written.
    """
    try:
        (path / FACTS).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error
    readers = [BayesReader(grammar, language) for language in LANGUAGES]
    splits, usual = dict[str, dict[str, Any]](), dict[str, dict[tuple[int, int], int]]()
    for split in SPLITS:
        tallies = {reader.language: Tally(reader) for reader in readers}
        wanted = sentences if split == "train" else max(sentences // HELD_OUT, 1)
        bar = Progress(desc=split, total=wanted, unit=" sentences", unit_scale=True, disable=None)
        with bar, filling(path, split, grammar.lexicon) as add:
            for documents in batches(until(grammar.documents(split, seed=seed), wanted), AT_ONCE):
                for document in documents:
                    add(document)
                for tally in tallies.values():
                    tally.add(documents)
                bar.update(sum(map(length, documents)))
        usual = usual or {language: tally.usual for language, tally in tallies.items()}
        splits[split] = {language: tally.facts(usual[language]) for language, tally in tallies.items()}
    files = {f"{split}.{ending}": fingerprint(path / f"{split}.{ending}") for split in SPLITS for ending in ENDINGS}
    whole = {"seed": seed, "options": asdict(grammar.options), **of_grammar(grammar), "splits": splits, "sha256": files}
    write_text(path / FACTS, json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    return whole


@contextlib.contextmanager
def filling(path: Path, split: str, lexicon: Lexicon) -> Iterator[Callable[[Document], None]]:
    """Write the files of a split in one piece each.

    Args:
        path: The folder.
        split: The split.
        lexicon: The names of the senses.

    Yields:
        What adds a document to the files.
    """
    with contextlib.ExitStack() as stack:
        files = {ending: stack.enter_context(writing(path / f"{split}.{ending}")) for ending in ENDINGS}

        def add(document: Document) -> None:
            for pair in aligned(document):
                for language, text in pair.sentences.items():
                    files[language].write(one_line(text) + "\n")
            for language in document.sentences:
                files[f"{language}.txt"].write(document.text(language) + "\n\n")
                for sentence in parsed(document, language, lexicon):
                    files[f"{language}.conllu"].writelines(f"{line}\n" for line in written(sentence))
                    files[f"{language}.conllu"].write("\n")

        yield add


def until(documents: Iterable[Document], sentences: int) -> Iterator[Document]:
    """The first documents that have so many sentences, both languages together."""
    for document in documents:
        yield document
        sentences -= length(document)
        if sentences <= 0:
            return


def length(document: Document) -> int:
    """The sentences of a document, both languages together."""
    return sum(map(len, document.sentences.values()))
