"""Text that looks like a special token is text: in every kind of tokenizer, every reader and every action."""

import json

import numpy
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import ByT5Tokenizer, CanineTokenizer, PreTrainedTokenizerFast

from semeqv.tasks.classification.rows import Template
from semeqv.tasks.classification.texts import Table
from semeqv.tasks.classification.words import ConllU, Ner
from semeqv.tasks.inflection.dataset import UniMorph
from semeqv.tasks.likelihood.minimal_pairs import unexpected
from semeqv.tasks.parsing.dataset import Dependencies
from semeqv.tasks.question_answering.dataset import Squad
from semeqv.tasks.retrieval.vectors import SentenceEncoder
from semeqv.text.datasets.monolingual import Jsonl, Plain, Tsv
from semeqv.text.datasets.multilingual import Multilingual
from semeqv.text.datasets.parallel import Moses
from semeqv.text.generation import prompt_ids
from semeqv.text.models.architectures import GPT2
from semeqv.text.tokenizers.encoding import encode
from semeqv.text.tokenizers.files import add_ends
from semeqv.text.tokens.words import WordEncoder
from semeqv.train.compute import ComputeConfig

BEGIN, END, PAD, UNKNOWN, MASK = SPECIAL = ("<s>", "</s>", "<pad>", "<unk>", "<mask>")
STRANGE = "a <s> b</s> c<mask>d <pad> <unk> e"
TEXTS = ["a plain text of words", STRANGE, "<s>", "</s></s>", "d e f"]


def trained(backend, trainer=None):
    if trainer is not None:
        backend.train_from_iterator([*TEXTS, "< s > / mask pad unk"] * 5, trainer)
    else:
        backend.add_special_tokens(list(SPECIAL))
    names = ("bos_token", "eos_token", "pad_token", "unk_token", "mask_token")
    return PreTrainedTokenizerFast(tokenizer_object=backend, **dict(zip(names, SPECIAL)))


def letters():
    return [*SPECIAL, *sorted(set("".join(TEXTS)) | set("▁<>/"))]


def byte_level(merges_of_special=False, whole_words=False):
    backend = Tokenizer(models.BPE(ignore_merges=whole_words))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not whole_words)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400 if merges_of_special else 280,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(SPECIAL),
        show_progress=False,
    )
    return trained(backend, trainer)


def sentence_piece_bpe():
    """As of Llama: a vocabulary of pieces, with merges that give a special token."""
    vocabulary = {piece: number for number, piece in enumerate([*letters(), "<s"])}
    backend = Tokenizer(models.BPE(vocabulary, [("<", "s"), ("<s", ">")], unk_token=UNKNOWN, fuse_unk=True))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    return trained(backend)


def word_piece():
    backend = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # leaves `<s>` in one piece
    return trained(backend, trainers.WordPieceTrainer(special_tokens=list(SPECIAL), show_progress=False))


def unigram():
    backend = Tokenizer(models.Unigram())
    backend.normalizer, backend.pre_tokenizer = normalizers.NFKC(), pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(special_tokens=list(SPECIAL), unk_token=UNKNOWN, show_progress=False)
    return trained(backend, trainer)


def xlm_roberta():
    """Its control symbols are pieces of the model, with the best of all scores, and stand around every text."""
    pieces = [(piece, 0.0 if piece in SPECIAL else -5.0) for piece in letters()]
    backend = Tokenizer(models.Unigram(pieces, unk_id=SPECIAL.index(UNKNOWN)))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    ends = [(BEGIN, 0), (END, 1)]
    backend.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>", ends)
    return trained(backend)


def word_level(cutter=None):
    words = sorted({word for text in TEXTS for word in text.split()} - set(SPECIAL)) + letters()
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys([*SPECIAL, *words]))}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    backend.pre_tokenizer = cutter or pre_tokenizers.WhitespaceSplit()
    return trained(backend)


KINDS = {
    "byte-level": byte_level,
    "byte-level with merges of a special token": lambda: byte_level(merges_of_special=True),
    "byte-level that looks up whole words": lambda: byte_level(whole_words=True),
    "sentencepiece bpe": sentence_piece_bpe,
    "wordpiece": word_piece,
    "unigram": unigram,
    "xlm-roberta": xlm_roberta,
    "words": word_level,
    "characters": lambda: word_level(pre_tokenizers.Split("", "isolated")),
}
SLOW = {"bytes in Python": ByT5Tokenizer, "characters in Python": CanineTokenizer}


@pytest.fixture(scope="module", params=KINDS)
def fast(request):
    return KINDS[request.param]()


def specials(tokenizer):
    return set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}


def test_no_text_becomes_a_special_token(fast):
    for ids in encode(fast, TEXTS):
        assert ids
        assert specials(fast).isdisjoint(ids)


def test_ordinary_text_has_the_tokens_that_it_had(fast):
    plain = [TEXTS[0], TEXTS[4], "words d"]
    assert encode(fast, plain) == fast(plain, add_special_tokens=False)["input_ids"]


def test_the_characters_of_special_tokens_are_read(fast):
    (ids,) = encode(fast, [STRANGE])
    if fast.unk_token_id not in ids:
        said = fast.decode(ids).replace("▁", " ").replace("##", "")
        assert said.replace(" ", "") == STRANGE.replace(" ", "")


def test_tokens_that_a_user_added_are_still_found(fast):
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(fast.backend_tokenizer.to_str()))
    tokenizer.add_tokens(["<entity>"])
    (ids,) = encode(tokenizer, ["a <entity> b <s>"])
    assert tokenizer.convert_tokens_to_ids("<entity>") in ids
    assert tokenizer.convert_tokens_to_ids("<s>") not in ids


@pytest.mark.parametrize("kind", SLOW)
def test_slow_tokenizers_read_text_as_text(kind):
    tokenizer = SLOW[kind]()
    strange = " ".join(tokenizer.all_special_tokens) + " a"
    for ids in encode(tokenizer, [strange, "", "a"]):
        assert specials(tokenizer).isdisjoint(ids)
    assert encode(tokenizer, ["a"])[0] == tokenizer("a", add_special_tokens=False)["input_ids"]


def test_token_files_hold_no_special_token_from_text(fast):
    tokens, lengths = WordEncoder(fast.backend_tokenizer.to_str())(TEXTS)
    pieces = [piece.tolist() for piece in numpy.split(tokens, numpy.cumsum(lengths)[:-1])]
    assert pieces == encode(fast, TEXTS)


def corpora(folder):
    """A corpus of every reader, each of which says STRANGE."""
    (folder / "plain.txt").write_text("\n".join(TEXTS))
    (folder / "plain.en").write_text("\n".join(TEXTS))
    (folder / "lines.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
    (folder / "many.jsonl").write_text("\n".join(json.dumps({"en": text}) for text in TEXTS))
    (folder / "table.tsv").write_text("\n".join(TEXTS))
    return [
        Plain(path=folder / "plain.txt"),
        Moses(path=folder / "plain", languages=("en",)),
        Jsonl(path=folder / "lines.jsonl"),
        Multilingual(path=folder / "many.jsonl"),
        Tsv(path=folder / "table.tsv"),
    ]


def test_every_corpus_is_read_as_text(fast, tmp_path):
    expected = encode(fast, TEXTS)
    for corpus in corpora(tmp_path):
        (part,) = corpus.build(fast).parts
        pieces = numpy.split(numpy.asarray(part.file.tokens), part.file.ends[:-1])
        begins = [] if part.layout.begin is None else [part.layout.begin]
        assert [piece[:-1].tolist() for piece in pieces] == [begins + ids for ids in expected], type(corpus).__name__


def labelled(folder):
    """A labelled data set of every reader, each of which says STRANGE."""
    words = STRANGE.split()
    lines = [f"{n}\t{word}\t_\tX\t_\t_\t{n - 1}\troot\t_\t_" for n, word in enumerate(words, 1)]
    (folder / "a.conllu").write_text("\n".join(lines) + "\n\n")
    (folder / "a.iob2").write_text("\n".join(f"{word}\tO" for word in words[:-1]) + f"\n{words[-1]}\tB-X\n")
    (folder / "a.tsv").write_text(f"text\tlabel\n{STRANGE}\tx\na\ty\n")
    question = {"id": "1", "question": STRANGE, "answers": [{"text": "b", "answer_start": STRANGE.index("b")}]}
    (folder / "a.json").write_text(json.dumps({"data": [{"paragraphs": [{"context": STRANGE, "qas": [question]}]}]}))
    (folder / "forms.tsv").write_text(f"{STRANGE}\t{STRANGE}\t<s>;</s>\n")
    return [
        ConllU(path=folder / "a.conllu"),
        Ner(path=folder / "a.iob2"),
        Table(path=folder / "a.tsv"),
        Squad(path=folder / "a.json", stride=8),
        Dependencies(path=folder / "a.conllu"),
        UniMorph(path=folder / "forms.tsv", max_length=512),
    ]


def test_every_labelled_data_set_is_read_as_text(fast, tmp_path):
    for options in labelled(tmp_path):
        data = options.build(fast, {("train", None): options}, None)
        inner = [fast.bos_token_id, fast.eos_token_id]  # what stands around rows, a mask nowhere
        for ids in data.batches():
            row = [token for token in ids["input_ids"][0].tolist() if token not in (fast.pad_token_id,)]
            assert fast.mask_token_id not in row, type(options).__name__
            assert sum(token in inner for token in row) <= 4, type(options).__name__


@pytest.fixture
def model(fast):
    torch.manual_seed(0)
    sizes = {"layers": 1, "heads": 1, "embedding_size": 8, "block_size": 128}
    return GPT2(**sizes, initializer_range=0.5, dropout=0.0).build(fast).eval()


def test_prompts_are_text(fast, model):
    assert (
        prompt_ids(STRANGE, fast, model, 4)[0, -len(encode(fast, [STRANGE])[0]) :].tolist()
        == encode(fast, [STRANGE])[0]
    )


def test_sentences_of_minimal_pairs_and_of_retrieval_are_text(fast, model):
    seen = []

    def spy(module, args, given):
        seen.append(args[0] if args else given["input_ids"])

    model.register_forward_pre_hook(spy, with_kwargs=True)
    model.base_model.register_forward_pre_hook(spy, with_kwargs=True)
    with torch.no_grad():
        _, lengths = unexpected([STRANGE], model, fast, ComputeConfig(torch.device("cpu"), "fp32"), 1)
        SentenceEncoder(model, fast, ComputeConfig(torch.device("cpu"), "fp32"))([STRANGE])
    (ids,) = encode(fast, [STRANGE])
    assert lengths.tolist() == [len(ids)]
    for batch in seen:
        row = batch[0].tolist()
        start = next(place for place in range(3) if row[place : place + len(ids)] == ids)
        assert len(row) - len(ids) - start <= 1


def byte_fallback(kind):
    """As of Llama or Gemma: pieces of single bytes stand in for characters that the vocabulary lacks."""
    pieces = list(dict.fromkeys([*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abcd04x1<>s/"]))
    if kind == "unigram":
        scores = [(piece, -5.0 if len(piece) == 1 else 0.0) for piece in pieces]
        model = models.Unigram(scores, unk_id=SPECIAL.index(UNKNOWN), byte_fallback=True)
    else:
        numbers = {piece: number for number, piece in enumerate(pieces)}
        model = models.BPE(numbers, [], unk_token=UNKNOWN, byte_fallback=True, ignore_merges=True)
    backend = Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    metaspace = decoders.Metaspace()
    backend.decoder = decoders.Sequence([decoders.ByteFallback(), metaspace, decoders.Fuse()])
    return trained(backend)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_text_that_spells_a_byte_stays_text(kind):
    tokenizer = byte_fallback(kind)
    texts = ["<0x41>", "a<0x41>b <0x41>", "<0x4a><0x0A> d", "<<0x41>>", "é <0x41> 日"]
    for text, ids in zip(texts, encode(tokenizer, texts)):
        assert tokenizer.decode(ids) == text
        said = [token for token in tokenizer.convert_ids_to_tokens(ids) if token.startswith("<0x")]
        lacking = [letter for letter in text if letter in "éA日"]  # a capital that the vocabulary has not
        assert len(said) == len("".join(lacking).encode())
    plain = ["a b", "é a 日", "<s 0x41", "<0x4 1>"]
    assert encode(tokenizer, plain) == tokenizer(plain, add_special_tokens=False)["input_ids"]


def test_what_is_put_around_texts_is_seen_after_text_was_read():
    tokenizer = byte_level()
    before = encode(tokenizer, TEXTS)
    begin = tokenizer.bos_token_id
    add_ends(tokenizer, (begin,), (), ())
    assert Template.of(tokenizer) == Template((begin,), (), ())
    assert encode(tokenizer, TEXTS) == before
