"""Actions that measure Backpacks: beams, passages, files of ratings, and whole sentences."""

import itertools
import json
import subprocess
import sys

import numpy
import pytest
import torch
from click import UsageError
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from backpack.evaluation.beam import WordBeam, first_word, is_word, kinds_of
from backpack.evaluation.cloze import guessable, read_passages, split_passages
from backpack.evaluation.continuations import cut_pieces
from backpack.evaluation.lexicon_induction import entries, lexical
from backpack.evaluation.sense_clustering import features, find_homonyms
from backpack.evaluation.similarity import similarity
from backpack.evaluation.word_pairs import read_rated, read_translated
from backpack.figures import read_measures, read_numbers
from backpack.inspection.words import Speller, without_shared
from semeqv.babel.grammar import Grammar
from semeqv.babel.reader import BayesReader
from semeqv.runs.errors import UserError
from semeqv.train.compute import Compute, ComputeConfig
from tests.backpack.small_backpacks import make

VOCABULARY = ["</s>", "a", "b", "c", "Ġa", "Ġb", "Ġ", ".", "Ġ.", "ab", "Ċ"]


@pytest.fixture
def letters():
    """A tokenizer of byte-level BPE with eleven tokens."""
    model = models.BPE(
        vocab={token: i for i, token in enumerate(VOCABULARY)}, merges=[("a", "b"), ("Ġ", "a"), ("Ġ", "b"), ("Ġ", ".")]
    )
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")


def log_probabilities(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].log_softmax(-1)


def test_the_beam_finds_the_most_probable_words(letters):
    model = make(vocab_size=len(VOCABULARY), seed=3)
    kinds = kinds_of(letters, len(VOCABULARY))
    assert [VOCABULARY[i] for i in kinds.begins.nonzero()[:, 0]] == ["Ġa", "Ġb"]
    assert [VOCABULARY[i] for i in kinds.goes_on.nonzero()[:, 0]] == ["a", "b", "c", "ab"]
    ends = [i for i in range(len(VOCABULARY)) if not kinds.goes_on[i]]
    context, best = [0, 4, 2], {}
    for first, length in itertools.product((4, 5), range(3)):
        for rest in itertools.product((1, 2, 3, 9), repeat=length):
            tokens = [first, *rest]
            found = log_probabilities(model, context + tokens)
            score = sum(found[2 + i, token].item() for i, token in enumerate(tokens))
            score += found[-1, ends].logsumexp(-1).item()
            word = "".join(VOCABULARY[token] for token in tokens)[1:]
            best[word] = numpy.logaddexp(score, best.get(word, -numpy.inf))
    expected = sorted(best.items(), key=lambda word: -word[1])[:40]
    with torch.no_grad():
        found, other = WordBeam(model, ComputeConfig(torch.device("cpu"), "fp32"), kinds, 100, longest=3)(
            [context, [0]]
        )
    assert [word for word, _ in found[:40]] == [word for word, _ in expected]
    assert [score for _, score in found[:40]] == pytest.approx([score for _, score in expected], abs=1e-4)
    assert found[:3] != other[:3]


class Scripted:
    """A model whose next token depends on the last one alone, by probabilities that are written down."""

    def __init__(self, tokens, following):
        self.rows = torch.full((len(tokens), len(tokens)), -torch.inf)
        for before, after in following.items():
            for token, probability in after.items():
                self.rows[tokens.index(before), tokens.index(token)] = numpy.log(probability)

    def __call__(self, input_ids, attention_mask):
        return {"logits": self.rows[input_ids]}


def beam_over(tokens, following, width):
    """What the beam finds behind a text of `</s>` alone, as probabilities."""
    vocabulary = {token: place for place, token in enumerate(tokens)}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.BPE(vocab=vocabulary, merges=[])), eos_token="</s>"
    )
    beam = WordBeam(
        Scripted(tokens, following), ComputeConfig(torch.device("cpu"), "fp32"), kinds_of(tokenizer, len(tokens)), width
    )
    return {word: float(numpy.exp(score)) for word, score in beam([[0]])[0]}


def test_marks_behind_a_word_are_no_part_of_it():
    tokens = ["</s>", "Ġwork", "Ġand", ".", "'.", "'", "s", "-", "âĢĻ", "âĢĿ", "âĢĵ", "Ġ", "es"]
    point = {".": 1.0}
    following = {"</s>": {"Ġwork": 0.6, "Ġand": 0.4}, "Ġand": point, "Ġwork": {"'.": 0.5, ".": 0.5}}
    assert beam_over(tokens, following, 3) == pytest.approx({"work": 0.6, "and": 0.4})
    kinds = {"'": 0.3, "'.": 0.1, "âĢĿ": 0.1, "âĢĵ": 0.1, "âĢĻ": 0.1, "es": 0.1, ".": 0.2}
    following |= {"Ġwork": kinds, "'": {"s": 0.5, ".": 0.25, "'": 0.15, "-": 0.1}, "s": point, "es": point}
    following["âĢĻ"] = {"s": 0.5, "Ġand": 0.5}
    found = beam_over(tokens, following, 10)
    ended = 0.2 + 0.1 + 0.1 + 0.1 + 0.3 * 0.5 + 0.1 * 0.5
    expected = {"work": 0.6 * ended, "work's": 0.09, "work’s": 0.03, "workes": 0.06, "and": 0.4}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("control", [False, True])
def test_the_beam_computes_no_more_logits_than_it_needs(letters, control, monkeypatch):
    model = make(vocab_size=len(VOCABULARY))
    if control:
        model = GPT2LMHeadModel(GPT2Config(vocab_size=len(VOCABULARY), n_embd=16, n_layer=1, n_head=2)).eval()
    beam = WordBeam(model, ComputeConfig(torch.device("cpu"), "fp32"), kinds_of(letters, len(VOCABULARY)))
    sizes, rows = [], [[0, 4, 2], [0, 1, 2, 3, 4, 5], [0, 4, 9]]
    model.lm_head.register_forward_hook(lambda _, inputs, output: sizes.append(output.shape[:2]))
    with torch.no_grad():
        found = beam.next_tokens(rows)
        assert sizes == [(3, 2)]
        monkeypatch.setattr("backpack.evaluation.beam.LOGITS", 2 * 2 * len(VOCABULARY))
        assert torch.allclose(beam.next_tokens(rows), found, atol=1e-6)
    assert sizes[1:] == [(2, 2), (1, 2)]
    for row, each in zip(rows, found):
        assert torch.allclose(each, log_probabilities(model, row)[-1], atol=1e-5)


def test_words_are_letters_with_single_marks_between():
    for word in ("5", "e-f'g", "l’eau", "हिन्दी", "می\u200cخواهم", "x2"):
        assert is_word(word)
    for other in ("U.S", "1,000", "e--f", "'tis", "rock-", "a b", ""):
        assert not is_word(other)
    assert [first_word(text) for text in ("work'.", "rock-n-roll", "it's-", "«a", "a\ufffd")] == [
        "work", "rock-n-roll", "it's", "", "a"
    ]  # fmt: skip


def test_passages_that_no_beam_can_guess_are_left_out():
    texts = ["we have 1,000", "we have one.", "in the U.S.", "in the world", "and so on"]
    found, left_out = guessable(split_passages(((text, "x") for text in texts), 2), 2)
    assert ([each.word for each in found], left_out) == (["one", "world"], 2)
    found, left_out = guessable(split_passages(((text, "x") for text in texts), 2), 0)
    assert (len(found), left_out) == (3, 2)
    (hindi,) = split_passages([("वह घर में थी।", "hi")], 2)
    assert hindi.word == "थी"


def test_passages_end_with_their_last_word(tmp_path):
    texts = ["He came to the house.", "too short.", "It cost them 5 €", "We all said (no).", "a b c d e-f'g\n"]
    found = [(each.context, each.word) for each in split_passages(((text, "x") for text in texts), 4)]
    assert found == [("He came to the", "house"), ("It cost them", "5"), ("a b c d", "e-f'g")]
    file = tmp_path / "p.jsonl"
    file.write_text('{"text": "one two three"}\n\n{"text": 3}\n')
    with pytest.raises(UserError, match="line 3"):
        list(read_passages(file, 2))


def test_rated_pairs_of_every_kind(tmp_path):
    plain = tmp_path / "EN-X-3.txt"
    plain.write_text("word1 word2 score\na b 1.5\r\nc d 2\ne f 0\n")
    rated = read_rated(plain)
    assert (rated.name, rated.first, rated.scores.tolist()) == ("X-3", ["a", "c", "e"], [1.5, 2, 0])
    table = tmp_path / "FRA.csv"
    table.write_text('ID,Word 1,Word 2,Annotator 1,Annotator 2\n1,"a, b",c,1,2\n2,d,e,0,\n3,f,g,3,5\n')
    rated = read_rated(table)
    assert (rated.first[0], rated.second, rated.scores.tolist()) == ("a, b", ["c", "e", "g"], [1.5, 0, 4])
    words, scores = tmp_path / "translation.csv", tmp_path / "scores.csv"
    words.write_text("ID,ENG 1,ENG 2,FRA 1,FRA 2\n" + "".join(f"{i},e{i},E{i},f{i},F{i}\n" for i in range(5)))
    scores.write_text("ID,ENG,FRA\n" + "".join(f"{i},{i},{i + (i == 4) * 3}\n" for i in (4, 3, 2, 1, 0)))
    across = read_translated(words, scores, ("ENG", "FRA"), 1.0)
    assert (across.name, across.first, across.second) == ("ENG-FRA", ["e0", "e1", "e2", "e3"], ["F0", "F1", "F2", "F3"])
    assert read_translated(words, scores, ("ENG", "FRA"), None).scores.tolist() == [0, 1, 2, 3, 5.5]
    assert read_translated(words, scores, ("FRA",), None).scores[4] == 7
    for text, message in (("a b x\na b 1\na b c\n", "line 3"), ("a b\n", "line 1"), ("a b 1\n", "three are the least")):
        plain.write_text(text)
        with pytest.raises(UserError, match=message):
            read_rated(plain)
    with pytest.raises(UserError, match="no column 'DEU 1'"):
        read_translated(words, scores, ("DEU",), None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SimLex-999.txt", "word1\tword2\tPOS\tSimLex999\tconc(w1)\na\tb\tA\t1.5\t2.7\nc\td\tN\t9\t1\ne\tf\tV\t0\t1\n"),
        ("SimVerb-3500.txt", "a\tb\tV\t1.5\tSYNONYMS\nc\td\tV\t9\tNONE\ne\tf\tV\t0\tNONE\n"),
        ("combined.csv", "Word 1,Word 2,Human (mean)\na,b,1.5\nc,d,9\ne,f,0\n"),
        ("set1.csv", "Word 1,Word 2,Human (mean),1,2\na,b,1.5,1,2\nc,d,9,9,9\ne,f,0,0,0\n"),
        ("rg65.txt", "a;b;1.5\nc;d;9\ne;f;0\n"),
        ("MEN.txt", "a b 1.5\nc d 9\ne f 0\n"),
        ("rw.txt", "a\tb\t1.5\t1\t2\nc\td\t9\t8\t10\ne\tf\t0\t0\t0\n"),
        ("index.csv", ",word1,word2,score\n0,a,b,1.5\n1,c,d,9\n2,e,f,0\n"),
        ("rank.tsv", "word1\tword2\trank\tscore\na\tb\t2\t1.5\nc\td\t1\t9\ne\tf\t3\t0\n"),
        ("order.csv", "similarity;POS;term2;term1\n1.5;N;b;a\n9;N;d;c\n0;N;f;e\n"),
    ],
)
def test_rated_pairs_as_they_are_published(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    rated = read_rated(tmp_path / name)
    assert (rated.first, rated.second, rated.scores.tolist()) == (["a", "c", "e"], ["b", "d", "f"], [1.5, 9, 0])


def test_pairs_of_a_dictionary(letters, tmp_path):
    file = tmp_path / "d.tsv"
    file.write_text("a\tb\na\tb\na c\tb\nab\tb\nb\tcab\n")
    found = list(entries(file))
    assert found == [("a", "b"), ("ab", "b"), ("b", "cab")]
    speller = Speller(letters)
    assert speller(["ab", "b"]) == [[6, 9], [5]]
    assert Speller(letters, space=False)(["ab", "b"]) == [[9], [2]]
    assert without_shared(found, speller, single=True, shared=True) == [("a", "b")]
    assert without_shared([("a", "b"), ("c", "cab"), ("b", "cab")], speller, single=False, shared=False) == [
        ("a", "b"),
        ("b", "cab"),
    ]


def test_a_translation_that_shares_tokens_is_no_mistake(letters, tmp_path):
    file = tmp_path / "d.tsv"
    file.write_text("ab\tb\nab\tcab\na\tcab\n")
    model = make(vocab_size=len(VOCABULARY))
    model.get_input_embeddings().weight.data = torch.eye(len(VOCABULARY), 16)
    (line, *_) = lexical(model, letters, 1, Compute("cpu"), path=file, k=(1,), replicates=10).records()
    assert (line["by"], line["words"], line["candidates"]) == ("embedding", 2, 2)
    assert line["precision@1"] == 0.5  # `b` is the only candidate for `ab`, though `cab` is nearer
    assert line["random@1"] == 0.75


def test_pieces_of_running_text(letters):
    assert list(cut_pieces(iter(["ab", "c", "ab"]), letters, 2)) == [[9, 10], [3, 10], [9, 10]]


def test_features_of_homonyms_are_those_of_their_sentences(run_cli, tmp_path):
    from backpack.networks import BackpackConfig, BackpackLMHeadModel
    from semeqv.text.models.opening import open_tokenizer

    train(run_cli, "backpack", "--senses 4")
    grammar = Grammar()
    documents = list(grammar.documents("validation", 6))
    found = find_homonyms(BayesReader(grammar, "lume"), documents)
    tokenizer = open_tokenizer("runs/backpack")
    torch.manual_seed(0)
    config = BackpackConfig(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, num_senses=4, n_positions=64)
    model = BackpackLMHeadModel(config).eval()
    with torch.no_grad():
        made, tokens = features(model, tokenizer, ComputeConfig(torch.device("cpu"), "fp32"), found, 7)
        for place in (0, len(found.truth) // 2, len(found.truth) - 1):
            text = found.texts[found.sentence[place]]
            before = tokenizer(text[: found.end[place]], add_special_tokens=False)["input_ids"]
            ids = torch.tensor([[tokenizer.eos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]])
            at = len(before)
            assert tokens[place] == ids[0, at]
            alpha = model(ids, output_contextualization=True).contextualization[0]
            assert made["weights"][place] == pytest.approx(alpha[:, at:, at].mean(1).numpy(), abs=1e-5)
            states = model.backpack.gpt2_model(ids).last_hidden_state[0]
            assert made["states"][place] == pytest.approx(states[at:].mean(0).numpy(), abs=1e-4)
            assert made["word"][place] == pytest.approx(states[at].numpy(), abs=1e-4)
    words = [text[:end].split()[-1] for text, end in zip((found.texts[i] for i in found.sentence), found.end)]
    assert set(words) <= set(grammar.lexicon.ambiguous_forms("lume"))


def train(run_cli, model, options=""):
    run_cli(
        f"--seed 1 --steps 2 --output runs/{model} cli tokenizer bpe --vocab_size 900 --documents 200 "
        f"cli dataset babel --documents 200 --block_size 64 cli model {model} --layers 1 --heads 2 --embedding_size 16 "
        f"--block_size 64 {options} cli optimizers adamw cli train"
    )


def measures(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return {line["measure"]: line for line in lines if "measure" in line}


def test_every_measure_in_one_sentence(run_cli, tmp_path):
    train(run_cli, "backpack", "--senses 4")
    train(run_cli, "gpt2")
    (tmp_path / "pairs.tsv").write_text("".join(f"w{i}\tv{i}\n" for i in range(12)))
    (tmp_path / "rated.txt").write_text("".join(f"w{i} v{i} {i}\n" for i in range(12)))
    data = "cli dataset babel --documents 120 --block_size 64 --split validation"
    both = (
        f"{data} cli perplexity --no-overlap cli backpack disambiguation --occurrences 5 --each_sense 1 --shuffles 3 "
        "cli backpack similarity --path rated.txt --replicates 20 "
        "cli backpack lexical --path pairs.tsv --shared_tokens cli backpack cloze --passages 4"
    )
    senses = (
        "cli backpack coverage cli backpack invariance --permutations 9 cli backpack similarity --path rated.txt "
        "--pieces composed --replicates 20"
    )
    out = run_cli(f"--seed 1 --output measured/1-backpack cli model load --from runs/backpack {both} {senses}").out
    assert "words of one sense" in out
    run_cli(f"--seed 1 --output measured/1-gpt2 cli model load --from runs/gpt2 {both}")
    found, control = measures(tmp_path / "measured/1-backpack"), measures(tmp_path / "measured/1-gpt2")
    assert set(found) == {
        "perplexity", "disambiguation", "similarity", "lexical", "cloze", "coverage", "invariance"
    }  # fmt: skip
    assert set(control) == {"perplexity", "disambiguation", "similarity", "lexical", "cloze"}
    assert found["disambiguation"]["by"] == "reader"
    assert found["disambiguation"]["v_corrected"] > 0.5
    assert found["coverage"]["words"] == 180
    assert len(found["invariance"]["by_index"]) == 4
    run_cli("cli backpack report --markdown page.md --output page.json measured")
    page = (tmp_path / "page.md").read_text()
    assert page.startswith("<!-- measures -->\n\n**Perplexity**\n\n| model | language | perplexity |")
    assert "| backpack | control: senses of another homonym |" in page
    assert "| GPT-2 | last states of the Transformer, likewise |" in page
    rows = json.loads((tmp_path / "page.json").read_text())
    (row,) = [row for row in rows if row["number"] == "both" and row["of"] == ["unambiguous"]]
    assert row["mean"] == pytest.approx(found["coverage"]["both"])
    run_cli("cli backpack view --path senses.pdf measured")
    assert (tmp_path / "senses.png").stat().st_size > 10_000


def measured_runs(folder, kinds):
    """Folders of runs with a perplexity, a coverage and a disambiguation, all of one value."""
    for kind, value in kinds.items():
        lines = [{"measure": "perplexity", "language": "all", "perplexity": value}]
        lines += [{"measure": "disambiguation", "by": "states", "v_corrected": value}]
        lines += [{"measure": "coverage", "of": "homonyms", "both": value, "distinct": value}] * (kind != "gpt2")
        (folder / f"1-{kind}").mkdir(parents=True)
        (folder / f"1-{kind}/metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return (folder,)


def test_figures_do_not_take_one_kind_of_model_for_another(tmp_path):
    several = measured_runs(tmp_path / "a", {"gpt2": 9.0, "senses4": 3.0, "senses8": 2.0, "senses8-edited": 5.0})
    perplexity, coverage = read_numbers(several)
    assert perplexity == {0: [9.0], 4: [3.0], 8: [2.0]}
    assert coverage == {"homonyms": {4: [3.0], 8: [2.0]}}
    with pytest.raises(UsageError, match="senses4, senses8, senses8-edited, and a bar is the mean of one"):
        read_measures(several)
    found = read_measures(measured_runs(tmp_path / "b", {"gpt2": 9.0, "senses8": 2.0}))
    assert found["disambiguation"] == {"gpt2 states": [9.0], "backpack states": [2.0]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cli backpack coverage --share 0", "--share must be above 0"),
        ("cli backpack cloze --top 5", "--top takes sizes from 1 to --width, 3"),
        ("cli backpack similarity --translation a.csv", "go together"),
        ("cli backpack lexical --k 0", "--k takes"),
        ("cli backpack report", "give folders of measured runs"),
        ("cli backpack report nowhere", "nowhere: no metrics.jsonl there"),
        ("cli backpack view", "give the folder of measured runs"),
    ],
)
def test_what_cannot_be_measured_is_refused(run_cli, line, message):
    assert message in run_cli(line, 2).err


def test_a_model_without_senses_is_refused(run_cli):
    train(run_cli, "gpt2")
    load = "cli model load --from runs/gpt2"
    babel = "cli dataset babel --documents 20 --block_size 64 --split validation"
    assert "is not a Backpack" in run_cli(f"{load} {babel} cli backpack coverage", 2).err
    assert "generated corpus alone" in run_cli(f"{load} cli backpack disambiguation", 2).err
    assert "has no text" in run_cli(f"{load} cli backpack cloze", 2).err


def test_asking_for_help_imports_nothing_heavy():
    names = ["coverage", "disambiguation", "invariance", "similarity", "cloze", "continuations"]
    names = [f"evaluation.{name}" for name in [*names, "lexicon_induction"]] + ["figures", "plugin", "results"]
    modules = ", ".join(f"backpack.{name}" for name in names)
    code = "import sys; from semeqv.grammar import plugins; plugins.loading = True; "
    code += f"import {modules}; print([name for name in ('torch', 'numpy', 'transformers') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "0,a,b,1.5\n1,c,d,9\n2,e,f,0\n",
            "line 1: a word, a word and a rating are wanted, not '0 a b 1.5'; or a header",
        ),
        ("a,b,2,1.5\nc,d,1,9\ne,f,3,0\n", "columns 3 and 4 hold numbers, and no header says which is the rating"),
        ("id,left,right,score\n0,a,b,1.5\n1,c,d,9\n2,e,f,0\n", "the header says id, left, right, score; two columns"),
        ("word1,word2,rank\na,b,2\nc,d,1\ne,f,3\n", "the header says word1, word2, rank; two columns"),
        ("word1,word2,similarity,relatedness\na,b,2,1\nc,d,1,3\ne,f,3,3\n", "'similarity' and 'relatedness' may both"),
        ("word1,word2,score\na,b,2\nc,d\ne,f,3\n", "line 3: 2 columns, but the first row has 3"),
        ("word1,word2,score\na,b,2\nc,,1\ne,f,3\n", "line 3: a word is missing"),
        ("word1,word2,score\na,b,2\nc,d,nan\ne,f,3\n", "line 3: 'nan' is no rating"),
    ],
)
def test_no_column_is_guessed(text, words, tmp_path):
    path = tmp_path / "rated.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        read_rated(path)


def test_columns_are_named(tmp_path):
    path = tmp_path / "rated.csv"
    path.write_text("id,cue,answer,strength,score\n0,a,b,1.5,7\n1,c,d,9,7\n2,e,f,0,7\n")
    rated = read_rated(path, ("cue", "answer", "strength"))
    assert (rated.first, rated.second, rated.scores.tolist()) == (["a", "c", "e"], ["b", "d", "f"], [1.5, 9, 0])
    with pytest.raises(UserError, match="no column 'cues'"):
        read_rated(path, ("cues", "answer", "strength"))
    with pytest.raises(ValueError, match="--columns takes three names"):
        similarity(None, columns=("cue", "answer"))


def test_two_tables_are_put_together_by_their_number(tmp_path):
    words, scores = tmp_path / "translation.csv", tmp_path / "scores.csv"
    words.write_text(",ID,ENG 1,ENG 2\n" + "".join(f"{i},{i + 1},a{i},b{i}\n" for i in range(4)))
    scores.write_text("ID,ENG\n" + "".join(f"{i + 1},{i}\n" for i in range(4)))
    rated = read_translated(words, scores, ("ENG",), None)
    assert (rated.first, rated.scores.tolist()) == (["a0", "a1", "a2", "a3"], [0, 1, 2, 3])
    scores.write_text(scores.read_text().replace("ID", "row"))
    with pytest.raises(UserError, match="no column 'ID'"):
        read_translated(words, scores, ("ENG",), None)
    scores.write_text("ID,ENG\n1,0\n1,1\n")
    with pytest.raises(UserError, match="line 3: the ID '1' stands twice"):
        read_translated(words, scores, ("ENG",), None)


@pytest.mark.parametrize(
    "text",
    ["one\tun\ntwo\tdeux\n", "id\tword\ttranslation\n1\tone\tun\n2\ttwo\tdeux\n", "one un\ntwo deux\n",
     "target\tsource\nun\tone\ndeux\ttwo\n"],
)  # fmt: skip
def test_a_dictionary_is_read_by_its_header(text, tmp_path):
    (tmp_path / "d.tsv").write_text(text)
    assert list(entries(tmp_path / "d.tsv")) == [("one", "un"), ("two", "deux")]


@pytest.mark.parametrize("text", ["0\tone\tun\n1\ttwo\tdeux\n", "n\teng\tfra\n0\tone\tun\n1\ttwo\tdeux\n"])
def test_a_column_of_numbers_is_no_word(text, tmp_path):
    (tmp_path / "d.tsv").write_text(text)
    with pytest.raises(UserError, match="column 1 holds numbers, and no header says what is what"):
        list(entries(tmp_path / "d.tsv"))


def test_cloze_sets_of_the_multilingual_project(tmp_path):
    file = tmp_path / "eu.en.jsonl"
    lines = [
        {"id": 0, "original_passage": "We spoke for the groups.", "length_of_sentences": 7,
         "cloze_passage": "We spoke for the <mask>.", "answer": "groups", "language": "en"},
        {"id": 1, "cloze_passage": "Nous parlons ici <mask>.", "answer": "aujourd'hui;", "language": "fr"},
        {"id": 2, "cloze_passage": "He went to <mask>.", "answer": "New York", "language": "en"},
        {"text": "It is the house.", "language": "en"},
        {"context": "It is the", "word": "house"},
    ]  # fmt: skip
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = [(each.context, each.word, each.language) for each in read_passages(file, 4)]
    assert found == [
        ("We spoke for the", "groups", "en"), ("Nous parlons ici", "aujourd'hui", "fr"),
        ("He went to", "New York", "en"), ("It is the", "house", "en"), ("It is the", "house", ""),
    ]  # fmt: skip
    assert guessable(read_passages(file, 4), 0)[1] == 1  # New York is no single word
    for line in ('{"cloze_passage": "a b", "answer": "c"}', '{"cloze_passage": "a <mask> b.", "answer": "c"}'):
        file.write_text(line)
        with pytest.raises(UserError, match=r"line 1: <mask> must stand once, for the last word"):
            list(read_passages(file, 2))
    file.write_text('{"cloze_passage": "a <mask>."}')
    with pytest.raises(UserError, match=r'line 1: \{"text": "..."\} or'):
        list(read_passages(file, 2))
