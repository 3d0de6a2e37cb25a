"""Tokenizers that are trained on the corpora of the sentence."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import tokenizers, transformers
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.text.cache import made_once
from semeqv.text.models.opening import folder_tokenizer
from semeqv.text.records import Document

LEAST, MOST = 8, 2**24  # libraries give up on sizes that no memory holds, without a word to a user


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Options of every trained tokenizer.

    Args:
        vocab_size: Tokens of the vocabulary, the special ones among them.
        temperature: How evenly languages are sampled: a language with n characters counts as n to the power of 1/T
            (Conneau & Lample, 2019, arXiv 1901.07291, equation 1). 1 takes the corpus as it is.
        lowercase: Read all letters as small ones.
        wrap: Put the special tokens that begin and end a text around every text that is encoded in whole; wordpiece
            does so if left out, the others do not.
        documents: Train on so many documents at most; 0 for all.
    """

    vocab_size: int = 10_000
    temperature: float = 1.0
    lowercase: bool = False
    wrap: bool | None = None
    documents: int = 0

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_bounds(self, vocab_size=(LEAST, MOST), temperature=1, documents=0)

    def build(self, dataset_options: Mapping[tuple[str, str | None], Any]) -> Any:
        """The tokenizer, a fast one of transformers; trained once for the same corpora and options.

        Args:
            dataset_options: The data sets of the sentence; the training sets among them that have a `corpus` are read.

        Returns:
            The tokenizer.
        """
        return trained(self, [each for (split, _), each in dataset_options.items() if split == "train"])


@component("tokenizer bpe")
@dataclass(frozen=True, kw_only=True)
class Bpe(Trained):
    """Byte-level byte-pair encoding (Sennrich et al., 2016, arXiv 1508.07909; Radford et al., 2019).

    It has a token for every byte, so that nothing is unknown.
    """

    kind: ClassVar[str] = "bpe"


@component("tokenizer wordpiece")
@dataclass(frozen=True, kw_only=True)
class Wordpiece(Trained):
    """WordPiece, the tokenizer of BERT (Schuster & Nakajima, 2012; Devlin et al., 2019, arXiv 1810.04805)."""

    kind: ClassVar[str] = "wordpiece"


@component("tokenizer unigram")
@dataclass(frozen=True, kw_only=True)
class Unigram(Trained):
    """The unigram language model (Kudo, 2018, arXiv 1804.10959); blanks are written as SentencePiece does."""

    kind: ClassVar[str] = "unigram"


SPECIAL = {  # begin, end, padding, unknown, mask
    "bpe": ("<s>", "</s>", "<pad>", "<unk>", "<mask>"),
    "wordpiece": ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"),
    "unigram": ("<s>", "</s>", "<pad>", "<unk>", "<mask>"),
}
VERSION = 3  # of what `train` writes
PIECE = 1000  # documents handed over at a time


def trained(options: Trained, corpora: Sequence[Any]) -> Any:
    """A tokenizer that is trained on corpora, or was.

    Args:
        options: How.
        corpora: Data sets that have a `corpus`.

    Returns:
        The tokenizer.

    Raises:
        UserError: When there is no corpus.
    """
    corpora = [each for each in corpora if hasattr(each, "corpus")]
    if not corpora:
        raise UserError(
            "A tokenizer is trained on the training set of the sentence. Add: cli dataset ... --split train"
        )
    sources = [each.source_facts() for each in corpora]
    facts = {"version": VERSION, "kind": options.kind, "options": asdict(options), "corpora": sources}
    make = partial(train, options, lambda: (document for each in corpora for document in each.corpus()))
    folder = made_once("tokenizers", facts, make)
    return folder_tokenizer(folder, transformers.PreTrainedTokenizerFast)


def train(options: Trained, corpus: Callable[[], Iterator[Document]], folder: Path) -> None:
    """Train a tokenizer and write it.

    Args:
        options: How.
        corpus: Begins to read the documents.
        folder: Where to.

    Raises:
        UserError: When the corpus has too little text for such a vocabulary.
    """
    begin, end, pad, unknown, mask = special = SPECIAL[options.kind]
    tokenizer, trainer = prepared(options, special)
    tokenizer.train_from_iterator(pieces(options, corpus), trainer)
    found = tokenizer.get_vocab_size()
    if found > options.vocab_size:
        raise UserError(f"A {options.kind} tokenizer of these texts has at least {found} tokens; raise --vocab_size.")
    wraps = options.wrap or (options.wrap is None and options.kind == "wordpiece")
    if wraps:
        ends = [(token, tokenizer.token_to_id(token)) for token in (begin, end)]
        pair = f"{begin} $A {end} $B:1 {end}:1"
        tokenizer.post_processor = tokenizers.processors.TemplateProcessing(f"{begin} $A {end}", pair, ends)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=begin if wraps else end,  # what stands before a text in training, as of GPT-2
        cls_token=begin,
        eos_token=end,
        sep_token=end,
        pad_token=pad,
        unk_token=unknown,
        mask_token=mask,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)


def prepared(options: Trained, special: Sequence[str]) -> tuple[tokenizers.Tokenizer, Any]:
    """A tokenizer that knows nothing yet, and what trains it."""
    common: dict[str, Any] = {"vocab_size": options.vocab_size, "special_tokens": list(special), "show_progress": False}
    lower = [tokenizers.normalizers.Lowercase()] if options.lowercase else []
    if options.kind == "bpe":
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
        tokenizer.normalizer = tokenizers.normalizers.Sequence([tokenizers.normalizers.NFC(), *lower])
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = tokenizers.decoders.ByteLevel()
        return tokenizer, tokenizers.trainers.BpeTrainer(
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), **common
        )
    if options.kind == "wordpiece":
        tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token=special[3]))
        tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(
            lowercase=options.lowercase, strip_accents=False, clean_text=True, handle_chinese_chars=True
        )
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = tokenizers.decoders.WordPiece(cleanup=False)
        return tokenizer, tokenizers.trainers.WordPieceTrainer(**common)
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram())
    tokenizer.normalizer = tokenizers.normalizers.Sequence(
        [
            tokenizers.normalizers.NFKC(),
            *lower,
            tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), " "),
            tokenizers.normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    tokenizer.decoder = tokenizers.decoders.Metaspace()
    return tokenizer, tokenizers.trainers.UnigramTrainer(unk_token=special[3], **common)


def pieces(options: Trained, corpus: Callable[[], Iterator[Document]]) -> Iterator[list[str]]:
    """The texts to train on, some at a time."""
    shares = multiplicities(corpus(), options) if options.temperature > 1 else {}
    held = list[str]()
    with Progress(unit=" documents", desc="train tokenizer", disable=None, mininterval=0.5) as bar:
        for number, document in enumerate(corpus()):
            if options.documents and number >= options.documents:
                break
            held += [document.text] * drawn(shares.get(document.language, 1.0), number)
            bar.update()
            if len(held) >= PIECE:
                yield held
                held = []
    yield held


def multiplicities(documents: Iterator[Document], options: Trained) -> dict[str, float]:
    """How often each language's documents are read, so that its share is what the temperature asks for."""
    sizes: Counter[str] = Counter()
    for number, document in enumerate(documents):
        if options.documents and number >= options.documents:
            break
        sizes[document.language] += len(document.text)
    total = sum(sizes.values())
    flat = {language: (size / total) ** (1 / options.temperature) for language, size in sizes.items()}
    return {language: flat[language] / sum(flat.values()) * total / sizes[language] for language in sizes}


def drawn(times: float, number: int) -> int:
    """A whole number of times, on average so many, the same for the same document."""
    if times == int(times):
        return int(times)
    luck = int.from_bytes(hashlib.blake2b(number.to_bytes(8, "big"), digest_size=4).digest(), "big") / 2**32
    return math.floor(times) + (luck < times - math.floor(times))


def tokenizer_fingerprint(tokenizer: Any) -> str:
    """A hash of what a tokenizer does: its vocabulary, rules and special tokens."""
    said = [tokenizer.backend_tokenizer.to_str(), sorted(map(str, tokenizer.special_tokens_map.items()))]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
