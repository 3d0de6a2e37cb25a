"""`cli ofa init`, from sentence to folder."""

import copy
import itertools
import json
import subprocess
import sys

import numpy
import pytest
import torch
from tiny import model, published_variants
from transformers import AddedToken, AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from ofa.vectors.word_vectors import WordVectors, read_vectors, write_vectors
from semeqv.text.models import families
from semeqv.text.models.opening import open_model
from semeqv.text.networks.encoder import EncoderConfig, EncoderForMaskedLM
from semeqv.text.tokenizers.spelling import spellings

families.know("factorised")
AUTO = {"gpt2": AutoModelForCausalLM, "llama": AutoModelForCausalLM, "body": AutoModel}


def provenance(folder):
    return [json.loads(line) for line in (folder / "provenance.jsonl").read_text().splitlines()]


def opened(kind, folder):
    return AUTO.get(kind, AutoModelForMaskedLM).from_pretrained(folder).eval()


CASES = [
    ("bert", True, 0, "wordpiece", "bpe"),
    ("roberta", True, 4, "bpe", "unigram"),
    ("xlm-roberta", False, 0, "unigram", "wordpiece"),
    ("gpt2", True, 0, "bpe", "bpe"),
    ("llama", False, 20, "unigram", "bpe"),
    ("encoder", True, 0, "bpe", "bpe"),
    ("body", True, 0, "wordpiece", "wordpiece"),
]


@pytest.mark.parametrize("case", list(itertools.product(CASES, ["", "--keep_dim 6", "--keep_dim 6 --form dense"])))
def test_models_go_through(run_cli, save, tokenizers, vectors, case):
    (kind, tie, padded, old, new), keep = case
    first, second = tokenizers[old, "lume"], tokenizers[new, "drask"]
    before = model(kind, first, tie=tie, padded=padded).eval()
    source = save(before, first)
    tmp_path, target = source.parent, source.parent / "target"
    second.save_pretrained(target)
    options = f"--from {source} --target_tokenizer {target} --output new --pad_to_multiple_of 8"
    assert "copied from the same token" in run_cli(f"cli ofa init ofa --vectors {vectors} {options} {keep}").out
    lines, after = provenance(tmp_path / "new"), opened(kind, tmp_path / "new")
    assert len(lines) == 400
    assert AutoTokenizer.from_pretrained(tmp_path / "new").get_vocab() == second.get_vocab()
    counts = json.loads((tmp_path / "new" / "initialisation.json").read_text())["counts"]
    assert sum(counts.values()) == 400
    assert {"copied", "combined"} <= counts.keys()
    # What is copied behaves as before: the same states of the same tokens.
    copied = [(line["id"], line["from"][0]["id"]) for line in lines if line["kind"] == "copied"][5:15]
    news, olds = (torch.tensor([[pair[side] for pair in copied]]) for side in (0, 1))
    if not keep:
        was, now = (each.base_model(ids).last_hidden_state for each, ids in ((before, olds), (after, news)))
        torch.testing.assert_close(now, was, rtol=1e-4, atol=1e-5)
        if kind != "body":
            was, now = before(olds), after(news)
            torch.testing.assert_close(now.logits[:, :, news[0]], was.logits[:, :, olds[0]], rtol=1e-4, atol=1e-5)
    if kind != "body":
        assert after(news).logits.shape[-1] == 400
        reads, predicts = after.get_input_embeddings().weight, after.get_output_embeddings().weight
        assert (reads.data_ptr() == predicts.data_ptr()) == tie
        data = "cli dataset babel --documents 30 --block_size 16 --batch_size 4"
        run_cli(f"--steps 1 --output run cli model load --from new {data} cli optimizers adamw cli train")
        pseudo = "" if kind in AUTO else "--pseudo"
        assert "erplexity" in run_cli(f"cli model load --from run {data} --split test cli perplexity {pseudo}").out


def test_rows_of_ofa_are_those_of_the_formula(run_cli, save, tokenizers, vectors, tmp_path):
    first, second = tokenizers["wordpiece", "lume"], tokenizers["bpe", "drask"]
    before = model("bert", first)
    source = save(before, first)
    second.save_pretrained(tmp_path / "target")
    run_cli(
        f"cli ofa init ofa --vectors {vectors} --from {source} --target_tokenizer target --output new --neighbours 4"
    )
    embedding = before.get_input_embeddings().weight.detach()
    after, words = opened("bert", tmp_path / "new").get_input_embeddings().weight.detach(), read_vectors(vectors)

    def subword_vectors(tokenizer):
        found = {}
        for word, vector in zip(words.plain(), words.matrix):
            for variant in published_variants(word):
                for subword in set(tokenizer(variant, add_special_tokens=False)["input_ids"]):
                    found.setdefault(subword, []).append(vector)
        return {i: numpy.mean(each, 0) for i, each in found.items() if i not in tokenizer.all_special_ids}

    old, new = subword_vectors(first), subword_vectors(second)
    names = sorted(old)
    matrix = numpy.stack([old[i] / numpy.linalg.norm(old[i]) for i in names])
    combined = [line for line in provenance(tmp_path / "new") if line["kind"] == "combined"]
    assert {line["id"] for line in combined} <= new.keys()
    for line in combined:
        vector = new[line["id"]] / numpy.linalg.norm(new[line["id"]])
        similar = matrix.astype(float) @ vector.astype(float)
        best = numpy.argsort(-(similar * 2**20).round(), kind="stable")[:4]  # of what is alike the first
        weights = numpy.exp(similar[best] / 0.1)
        weights /= weights.sum()
        row = sum(weight * embedding[names[i]] for weight, i in zip(weights, best))
        torch.testing.assert_close(after[line["id"]], row.float(), rtol=1e-4, atol=1e-5)
    drawn = {line["id"] for line in provenance(tmp_path / "new") if line["kind"] == "drawn"}
    assert not drawn & new.keys()


def test_only_words_of_the_languages_that_were_said_count(run_cli, save, tokenizers, vectors, tmp_path):
    first, second = tokenizers["wordpiece", "lume"], tokenizers["bpe", "drask"]
    save(model("bert", first), first)
    second.save_pretrained(tmp_path / "target")
    every = read_vectors(vectors)
    words = [f"{'fra' if place % 2 else 'eng'}:{word}" for place, word in enumerate(every.words)]
    write_vectors(tmp_path / "both.vec", WordVectors(words, every.matrix))
    line = "cli ofa init ofa --vectors both.vec --from old --target_tokenizer target"
    found = {}
    for name, options in (("all", ""), ("some", "--source_languages eng --target_languages fra")):
        run_cli(f"{line} {options} --output {name}")
        found[name] = json.loads((tmp_path / name / "initialisation.json").read_text())["words"]
    for side in ("source", "target"):
        assert 0 < found["some"][side]["with words"] < found["all"][side]["with words"]
    assert "says that it is spa" in run_cli(f"{line} --source_languages spa --output new", code=2).err


def test_rows_of_pieces_are_their_mean(run_cli, save, tokenizers, tmp_path):
    first, second = tokenizers["unigram", "lume"], tokenizers["wordpiece", "drask"]
    before = model("gpt2", first)
    source = save(before, first)
    second.save_pretrained(tmp_path / "target")
    run_cli(f"cli ofa init subword-mean --from {source} --target_tokenizer target --output new")
    embedding, after = before.get_input_embeddings().weight, opened("gpt2", tmp_path / "new").get_input_embeddings()
    for line in provenance(tmp_path / "new"):
        if line["kind"] == "combined":
            text = spellings(second)[line["id"]].decode()
            ids = first(text.strip(), add_special_tokens=False)["input_ids"]
            spelled = "".join(spellings(first).get(i, b"?").decode() for i in ids)
            if spelled == text and first.unk_token_id not in ids:
                torch.testing.assert_close(after.weight[line["id"]], embedding[ids].mean(0), rtol=1e-4, atol=1e-6)


def test_focus_and_pursuit_take_shared_tokens_alone(run_cli, save, tokenizers, tmp_path):
    first, second = tokenizers["bpe", "lume"], tokenizers["bpe", "drask"]
    source = save(model("roberta", first), first)
    donor = save(model("gpt2", second), second, "donor")
    generator = numpy.random.default_rng(0)
    words = sorted(second.get_vocab())
    write_vectors(
        tmp_path / "tokens.vec", WordVectors(words, generator.normal(size=(len(words), 6)).astype(numpy.float32))
    )
    for method in ("focus --vectors tokens.vec", "omp --tokens 5"):
        name = method.split()[0]
        run_cli(f"cli ofa init {method} --from {source} --target_tokenizer {donor} --output {name}")
        lines = provenance(tmp_path / name)
        copied = {line["from"][0]["id"] for line in lines if line["kind"] == "copied"}
        combined = [line["from"] for line in lines if line["kind"] == "combined"]
        assert combined
        assert {each["id"] for line in combined for each in line} <= copied
        if name == "focus":
            assert all(sum(each["weight"] for each in line) == pytest.approx(1, abs=1e-4) for line in combined)
        else:
            assert max(map(len, combined)) == 5


@pytest.mark.parametrize("method", ["ofa", "focus", "omp"])
def test_rows_are_compared_on_the_device(
    run_cli, save, tokenizers, vectors, *, tmp_path, emulated, monkeypatch, method
):
    monkeypatch.setattr(emulated, "DOUBLES", ())  # CUDA has float64
    first, second = tokenizers["bpe", "lume"], tokenizers["bpe", "drask"]
    source = save(model("roberta", first), first)
    donor = save(model("gpt2", second), second, "donor")
    generator, words = numpy.random.default_rng(0), sorted(second.get_vocab())
    own = WordVectors(words, generator.normal(size=(len(words), 6)).astype(numpy.float32))
    write_vectors(tmp_path / "tokens.vec", own)
    options = {"ofa": f"--vectors {vectors}", "focus": "--vectors tokens.vec", "omp": "--tokens 5"}[method]
    for device in ("cpu", emulated.NAME):
        said = f"{options} --from {source} --target_tokenizer {donor} --output {device}"
        run_cli(f"--device {device} cli ofa init {method} {said}")
    for name in ("model.safetensors", "provenance.jsonl"):
        assert (tmp_path / "cpu" / name).read_bytes() == (tmp_path / emulated.NAME / name).read_bytes()


def test_wechsel_goes_through_a_dictionary(run_cli, save, tokenizers, vectors, tmp_path):
    first, second = tokenizers["bpe", "lume"], tokenizers["bpe", "drask"]
    source = save(model("roberta", first), first)
    second.save_pretrained(tmp_path / "target")
    words = read_vectors(vectors).words
    (tmp_path / "pairs.txt").write_text("".join(f"{word} {word}\n" for word in words[:50]))
    options = f"--source_vectors {vectors} --target_vectors {vectors} --dictionary pairs.txt"
    rest = f"--from {source} --target_tokenizer target"
    run_cli(f"cli ofa init wechsel {options} {rest} --output turned")
    run_cli(f"cli ofa init ofa --vectors {vectors} {rest} --output one")
    assert json.loads((tmp_path / "turned" / "initialisation.json").read_text())["dictionary pairs"] == 50
    one, turned = (opened("roberta", tmp_path / name).get_input_embeddings().weight for name in ("one", "turned"))
    torch.testing.assert_close(turned, one, rtol=1e-3, atol=1e-4)  # the rotation of a space to itself


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mean --target_tokenizer target --output new", "'--from'"),
        ("mean --from old --output new", "'--target_tokenizer'"),
        ("mean --from old --target_tokenizer target", "'--output'"),
        ("mean --from old --target_tokenizer target --output old", "is there already"),
        ("mean --from old --target_tokenizer target --output old --overwrite", "was not written by this program"),
        (
            "mean --from old --target_tokenizer nowhere/at/all --output new",
            "Error: --target_tokenizer nowhere/at/all: ",
        ),
        ("mean --from old --target_tokenizer nowhere --output new", "Error: --target_tokenizer nowhere: "),
        ("mean --from nowhere --target_tokenizer target --output new", "Error: --from nowhere: "),
        ("omp --from old --target_tokenizer target --donor nowhere --output new", "Error: --donor nowhere: "),
        (
            "omp --from old --target_tokenizer target/tokenizer.json --output new",
            "Error: --target_tokenizer target/tokenizer.json is a file",
        ),
        ("ofa --from old --target_tokenizer target --output new", "'--vectors'"),
        ("ofa --from old --target_tokenizer target --output new --vectors no.vec", "no.vec"),
        ("mean --from old --target_tokenizer target --output new --keep_dim 17", "--keep_dim 17 is more than the 16"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(run_cli, save, tokenizers, line, said):
    tmp_path = save(model("bert", tokenizers["wordpiece", "lume"]), tokenizers["wordpiece", "lume"]).parent
    tokenizers["bpe", "drask"].save_pretrained(tmp_path / "target")
    found = run_cli(f"cli ofa init {line}", code=2)
    assert said in found.err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["old", "target"]


@pytest.mark.parametrize("special", [True, False])
def test_a_token_that_was_added_without_a_row_is_a_new_one(run_cli, save, tokenizers, tmp_path, special):
    first = copy.deepcopy(tokenizers["bpe", "lume"])
    before = model("roberta", first)
    first.add_tokens([AddedToken("<extra>", special=special)])
    source = save(before, first)
    said = run_cli("cli ofa init mean --from old --target_tokenizer old --output new")
    assert "old has no row for '<extra>'" in said.err
    facts = json.loads((tmp_path / "new/initialisation.json").read_text())
    assert facts["tokens without a row"] == ["<extra>"]
    assert facts["counts"] == {"copied": 300, "mean": 1}
    was, now = (opened("roberta", each).get_input_embeddings().weight for each in (source, tmp_path / "new"))
    assert torch.equal(now[:300], was)
    torch.testing.assert_close(now[300], was.mean(0))
    run_cli(
        "cli model load --from new cli dataset babel --documents 5 --block_size 16 --split test cli perplexity --pseudo"
    )


def test_weights_that_were_drawn_are_in_the_results(run_cli, save, tokenizers, tmp_path, monkeypatch):
    first = tokenizers["bpe", "lume"]
    save(model("bert", first), first)

    def opened_model(source):
        found = open_model(source)
        found.new_weights = ["cls.predictions.transform.dense.weight"]
        return found

    monkeypatch.setattr("ofa.initialise.open_model", opened_model)
    run_cli("cli ofa init mean --from old --target_tokenizer old --output new")
    facts = json.loads((tmp_path / "new/initialisation.json").read_text())
    assert facts["weights drawn anew"] == ["cls.predictions.transform.dense.weight"]


def test_the_configuration_names_no_old_ids(run_cli, save, tokenizers, tmp_path):
    first, second = tokenizers["bpe", "lume"], tokenizers["bpe", "drask"]
    before = model("gpt2", first)
    before.generation_config.suppress_tokens, before.generation_config.bad_words_ids = [7, 9], [[3, 4]]
    before.generation_config.repetition_penalty = 1.3
    save(before, first)
    second.save_pretrained(tmp_path / "target")
    run_cli("cli ofa init mean --from old --target_tokenizer target --output new")
    said = json.loads((tmp_path / "new/generation_config.json").read_text())
    assert said["repetition_penalty"] == 1.3
    assert not said.get("suppress_tokens")
    assert not said.get("bad_words_ids")
    assert said["eos_token_id"] == second.eos_token_id


def test_a_tokenizer_of_another_model_is_refused(run_cli, save, tokenizers):
    save(model("bert", tokenizers["bpe", "lume"]), tokenizers["bpe", "drask"])
    said = run_cli("cli ofa init mean --from old --target_tokenizer old --output new", code=2).err
    assert "has 400 tokens, the embedding 300 rows" in said


@pytest.mark.parametrize("kind", ["bert", "our own encoder"])
def test_a_fresh_python_opens_it_once_the_package_is_imported(run_cli, save, tokenizers, tmp_path, kind):
    first = tokenizers["wordpiece", "lume"]
    if kind == "bert":
        save(model("bert", first), first)
    else:
        sizes = dict(vocab_size=len(first), hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
        save(EncoderForMaskedLM(EncoderConfig(**sizes)), first)
    run_cli("cli ofa init random --from old --target_tokenizer old --output new --keep_dim 5")
    program = (
        "import ofa, transformers; model = transformers.AutoModelForMaskedLM.from_pretrained('new');"
        "print(type(model).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "FactorisedForMaskedLM" in done.stdout
