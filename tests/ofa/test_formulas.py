"""The rows of a written folder beside a naive formula of each method; tokenizers that fall back to bytes."""

import json

import numpy
import pytest
import torch
from safetensors.torch import save_file
from tiny import model, published_variants
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, PreTrainedTokenizerFast

from ofa.hypernetwork.create import matrix_hash
from ofa.vectors.word_vectors import WordVectors, read_vectors, write_vectors
from ofa.vocabulary import vocabulary_hash

REST = "--from old --target_tokenizer target --output new"


@pytest.fixture
def pair(save, tokenizers, tmp_path):
    """An old model, and a new vocabulary; gives the old embedding and both tokenizers."""
    first, second = tokenizers["bpe", "lume"], tokenizers["bpe", "drask"]
    before = model("roberta", first)
    save(before, first)
    second.save_pretrained(tmp_path / "target")
    return before.get_input_embeddings().weight.detach().double(), first, second


def made(folder, kind):
    """The new rows of a kind, with their ids and the old tokens that they were made of."""
    weight = AutoModelForMaskedLM.from_pretrained(folder).get_input_embeddings().weight.detach().double()
    lines = [json.loads(line) for line in (folder / "provenance.jsonl").read_text().splitlines()]
    return weight, [line for line in lines if line["kind"] == kind], lines


def cosine(one, other):
    return float(one @ other / numpy.linalg.norm(one) / numpy.linalg.norm(other))


def test_focus(run_cli, pair, tmp_path):
    embedding, _, second = pair
    words = sorted(token for token in second.get_vocab() if " " not in token)
    matrix = numpy.random.default_rng(0).normal(size=(len(words), 6)).astype(numpy.float32)
    write_vectors(tmp_path / "tokens.vec", WordVectors(words, matrix))
    vectors = dict(zip(words, read_vectors(tmp_path / "tokens.vec").matrix.astype(float)))
    run_cli(f"cli ofa init focus --vectors tokens.vec {REST}")
    rows, combined, lines = made(tmp_path / "new", "combined")
    special = set(second.all_special_tokens)
    shared = [each for each in lines if each["kind"] == "copied" and each["token"] in vectors.keys() - special]
    assert combined
    for line in combined[:40]:
        scores = numpy.array([cosine(vectors[line["token"]], vectors[each["token"]]) for each in shared])
        low, high = scores.max() - 1, scores.max()  # the threshold, by halving
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if numpy.maximum(scores - middle, 0).sum() > 1 else (low, middle)
        weights = torch.from_numpy(numpy.maximum(scores - low, 0))
        expected = (weights[:, None] * embedding[[each["from"][0]["id"] for each in shared]]).sum(0)
        torch.testing.assert_close(rows[line["id"]], expected, rtol=1e-4, atol=1e-5)


def test_omp(run_cli, save, pair, tmp_path):
    embedding, _, second = pair
    other = model("gpt2", second)
    save(other, second, "donor")
    donor = other.get_input_embeddings().weight.detach().double()
    run_cli(f"cli ofa init omp --donor donor --tokens 3 {REST}")
    rows, combined, lines = made(tmp_path / "new", "combined")
    special = set(second.all_special_tokens)
    shared = [each for each in lines if each["kind"] == "copied" and each["token"] not in special]
    atoms = donor[[each["id"] for each in shared]]
    olds = embedding[[each["from"][0]["id"] for each in shared]]
    for line in combined[:40]:
        wanted, support = donor[line["id"]], []
        left = wanted
        for _ in range(3):
            scores = (atoms @ left / atoms.norm(dim=1)).abs()
            scores[support] = -1
            support.append(int(scores.argmax()))
            weights = torch.linalg.lstsq(atoms[support].T, wanted).solution
            left = wanted - weights @ atoms[support]
        torch.testing.assert_close(rows[line["id"]], weights @ olds[support], rtol=1e-3, atol=1e-4)


def test_the_donor_has_the_new_tokenizer(run_cli, save, pair):
    _, first, second = pair
    save(model("gpt2", second), first, "donor")
    assert "donor has another tokenizer" in run_cli(f"cli ofa init omp --donor donor {REST}", code=2).err


def test_wechsel(run_cli, pair, vectors, tmp_path):
    embedding, first, second = pair
    old = read_vectors(vectors)
    turn, _ = numpy.linalg.qr(numpy.random.default_rng(1).normal(size=(8, 8)))
    noise = numpy.random.default_rng(2).normal(size=old.matrix.shape) * 0.1
    write_vectors(tmp_path / "new.vec", WordVectors(old.words, (old.matrix @ turn + noise).astype(numpy.float32)))
    new = read_vectors(tmp_path / "new.vec")
    (tmp_path / "pairs.tsv").write_text("".join(f"{word}\t{word}\n" for word in old.words[:60]))
    options = f"--source_vectors {vectors} --target_vectors new.vec --dictionary pairs.tsv --neighbours 3"
    run_cli(f"cli ofa init wechsel {options} {REST}")
    one, other = (each.matrix.astype(float) for each in (new, old))
    unit = [each[:60] / numpy.linalg.norm(each[:60], axis=1, keepdims=True) for each in (one, other)]
    left, _, right = numpy.linalg.svd(unit[0].T @ unit[1])
    spaces = (other, one @ left @ right)

    def subwords(tokenizer, matrix):
        found = {}
        for word, vector in zip(old.words, matrix):
            for variant in published_variants(word):
                for subword in set(tokenizer(variant, add_special_tokens=False)["input_ids"]):
                    found.setdefault(subword, []).append(vector)
        return {i: numpy.mean(each, 0) for i, each in found.items() if i not in tokenizer.all_special_ids}

    known, wanted = subwords(first, spaces[0]), subwords(second, spaces[1])
    rows, combined, _ = made(tmp_path / "new", "combined")
    assert combined
    for line in combined[:40]:
        similar = {i: cosine(wanted[line["id"]], vector) for i, vector in known.items()}
        best = sorted(similar, key=lambda i: (-similar[i], i))[:3]
        weights = numpy.exp(numpy.array([similar[i] for i in best]) / 0.1)
        expected = torch.from_numpy(weights / weights.sum()) @ embedding[best]
        torch.testing.assert_close(rows[line["id"]], expected, rtol=1e-3, atol=1e-4)


def test_mean_and_predicted_rows(run_cli, pair, tmp_path):
    embedding, first, second = pair
    run_cli(f"cli ofa init mean {REST}")
    rows, averaged, lines = made(tmp_path / "new", "mean")
    for line in averaged:
        torch.testing.assert_close(rows[line["id"]], embedding[: len(first)].mean(0), rtol=1e-4, atol=1e-6)
    for line in (each for each in lines if each["kind"] == "copied"):
        assert torch.equal(rows[line["id"]], embedding[line["from"][0]["id"]])
    guesses = torch.randn(len(second), embedding.shape[1])
    tensors = {"subwords": torch.arange(len(second)), "coordinates": guesses}
    tensors |= {"source_degree": torch.ones(len(first)).long(), "target_degree": torch.ones(len(second)).long()}
    said = {"from": "old", "target_tokenizer": "target", "matrix": "input"}
    said |= {"matrix_hash": matrix_hash(embedding), "new_tokens_hash": vocabulary_hash(second)}
    save_file(tensors, tmp_path / "guesses.safetensors", metadata=said)
    run_cli(f"cli ofa init hyperofa --predictions guesses.safetensors {REST} --overwrite")
    rows, predicted, _ = made(tmp_path / "new", "predicted")
    assert predicted
    for line in predicted:
        assert torch.equal(rows[line["id"]].float(), guesses[line["id"]])


@pytest.fixture
def bytes_beneath(tokenizers):
    """A tokenizer that spells what it does not know by its bytes, as Llama's does."""
    plain = tokenizers["unigram", "drask"]
    said = json.loads(plain.backend_tokenizer.to_str())
    said["model"]["vocab"] += [[f"<0x{byte:02X}>", -30.0] for byte in range(256)]
    said["model"]["byte_fallback"] = True
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(said)), **plain.special_tokens_map)


@pytest.mark.parametrize("forth", [True, False])
def test_bytes_are_bytes_in_every_vocabulary(run_cli, save, tokenizers, bytes_beneath, forth):
    first, second = tokenizers["bpe", "lume"], bytes_beneath
    first, second = (first, second) if forth else (second, first)
    tmp_path = save(model("llama", first, tie=False), first).parent
    second.save_pretrained(tmp_path / "target")
    run_cli(f"cli ofa init subword-mean {REST}")
    lines = [json.loads(line) for line in (tmp_path / "new" / "provenance.jsonl").read_text().splitlines()]
    if forth:
        found = {line["token"]: line for line in lines}
        assert {found[f"<0x{byte:02X}>"]["kind"] for byte in range(256)} == {"copied"}
        assert found["<0x41>"]["from"][0]["token"] == "A"
        assert found["<0x00>"]["from"][0]["token"] == "Ā"
    after = AutoModelForCausalLM.from_pretrained(tmp_path / "new")
    ids = second("汉 x", return_tensors="pt")["input_ids"]
    assert torch.isfinite(after(ids, labels=ids).loss)
    data = "cli dataset babel --documents 30 --block_size 16 --batch_size 4"
    run_cli(f"--steps 1 --output run cli model load --from new {data} cli optimizers adamw cli train")
