"""Writes the generated corpus to files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from semeqv.babel.bounds import Tally, of_grammar
from semeqv.babel.document import Document, Token
from semeqv.babel.grammar import SPLITS, Grammar, aligned
from semeqv.babel.lexicon import Lexicon
from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.babel.reader import AT_ONCE, BayesReader, batches
from semeqv.grammar.action import AtLeast, Result, action
from semeqv.lazy import rich
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.runs.progress import Progress
from semeqv.text import records
from semeqv.text.files import fingerprint, one_line, writing
from semeqv.text.readers.conllu import written


@dataclass(frozen=True)
class Written(Result):
    """A generated corpus in files.

    Args:
        path: Its folder.
        facts: Its sizes, and the best that a model can do on it, as in facts.json.
    """

    path: Path
    facts: dict[str, Any]

    def show(self) -> None:
        """Print the sizes and the bounds."""
        console = rich.console.Console(markup=False, highlight=False, soft_wrap=True)
        print_facts(console, self.facts)
        console.print(f"wrote {self.path}")

    def records(self) -> list[dict[str, Any]]:
        """Return one row for each split and language."""
        return [{"split": split, "language": language, **found} for split, language, found in rows(self.facts)]

    def objects(self) -> list[dict[str, Any]]:
        """Return the facts."""
        return [self.facts]


@action("babel write", record=False)
def write(
    *,
    path: Path = Path("babel"),
    sentences: Annotated[int, AtLeast(1)] = 20_000,
    seed: Annotated[int, AtLeast(0)] = 0,
    options: GrammarOptions = GrammarOptions(),
) -> Written:
    """Write a generated corpus in two invented languages, Lume and Drask, and measure what can be learned from it.

    Each split, train, validation and test, gets documents as plain text (train.lume.txt, blank lines between), the
    sentences that are in both languages line by line (train.lume, train.drask) and everything that is known of every
    word as CoNLL-U (train.lume.conllu). The sizes, and the least perplexity that a model can reach, go to facts.json.

    Args:
        path: The folder.
        sentences: Sentences of the train split, both languages together, up to the end of a document; validation and
            test get a tenth of them each.
        seed: Which corpus in these languages; `lexicon_seed` chooses the languages.
        options: Of the grammar.

    Returns:
        The folder and the facts.
    """
    return Written(path, write_corpus(path, Grammar(options.grammar), sentences, seed))


def print_facts(console: rich.console.Console, facts: dict[str, Any]) -> None:
    """Print the tables of a corpus."""
    words = ", ".join(
        f"{facts['languages'][language]['types']} forms of {language.capitalize()}, "
        f"{facts['languages'][language]['homonym_share']:.0%} of its content words homonyms"
        for language in LANGUAGES
    )
    console.print(f"{facts['concepts']} senses; {words}")
    console.print(sizes(facts))
    console.print(senses(facts))


def sizes(facts: dict[str, Any]) -> rich.table.Table:
    """What the files hold, and how well it can be predicted."""
    counts = ("sentences", "tokens")
    table = blank("Best possible language model", (*counts, "nats/token", "ppl", "bits/byte"))
    for split, language, found in rows(facts):
        bounds = ["-"] * 3
        if found["tokens"]:
            spread = f"{found['nats_per_token']:.3f} ± {found['standard_error']:.3f}"
            bounds = [spread, f"{found['perplexity']:.2f}", f"{found['bits_per_byte']:.3f}"]
        table.add_row(split, language, *(f"{found[name]:,}" for name in counts), *bounds)
    return table


def senses(facts: dict[str, Any]) -> rich.table.Table:
    """How well the senses of homonyms can be told apart."""
    contexts = {"usual": "usual sense", "left": "words so far", "sentence": "sentence", "document": "document"}
    title = "Best possible accuracy on the senses of homonyms, by what is known"
    table = blank(title, ("homonyms", *contexts.values()))
    for split, language, found in rows(facts):
        accuracies = [found["sense_accuracy"][context] for context in contexts]
        said = ["-" if accuracy is None else f"{accuracy:.3f}" for accuracy in accuracies]
        table.add_row(split, language, f"{found['homonyms']:,}", *said)
    return table


def blank(title: str, headings: tuple[str, ...]) -> rich.table.Table:
    """A table with a row for each split and language."""
    table = rich.table.Table(title=title, title_justify="left", box=rich.box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("split", "language"):
        table.add_column(heading, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def rows(facts: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """The measurements of each split and language."""
    splits = facts["splits"]
    return [(split, language, splits[split][language]) for split in splits for language in LANGUAGES]


def parsed(document: Document, language: str, lexicon: Lexicon) -> Iterator[records.Sentence]:
    """The sentences of a document in one language, as a treebank has them.

    Sentences are named `17-0` for the first of document 17, in both languages; translations also share a `parallel_id`.

    Args:
        document: The document.
        language: One of its languages.
        lexicon: The names of the senses.

    Yields:
        Words with lemma, part of speech, features, head and relation. MISC names the sense of content words,
        `Sense=noun-17-topic-3`, alike in both languages, and the part of a word in an entity, `NER=B-PER`; the tag of a
        word is that part, or `O`.
    """
    for number, sentence in enumerate(document.sentences[language]):
        comments = [f"# sent_id = {document.index}-{number}", f"# text = {sentence.text}"]
        if document.parallel:
            comments.insert(1, f"# parallel_id = babel/{document.index}-{number}")
        if not number:
            comments = [f"# newdoc id = {document.index}", f"# topic = {document.topic}", *comments]
        yield records.Sentence(tuple(_word(token, lexicon) for token in sentence.tokens), tuple(comments))


def _word(token: Token, lexicon: Lexicon) -> records.Word:
    misc = records.UNSAID
    if token.concept is not None:
        misc = f"Sense={lexicon.concepts[token.concept].name}"
    elif token.entity != "O":
        misc = f"NER={token.entity}"
    return records.Word(
        form=token.form,
        lemma=token.lemma,
        upos=token.upos,
        feats=token.features or records.UNSAID,
        head=token.head,
        deprel=token.relation,
        misc=misc,
        tag=token.entity,
    )


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
