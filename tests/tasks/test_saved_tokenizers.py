"""What is saved feeds other programs as training fed the model: first tokens, special tokens around texts, lengths."""

import json

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    pipeline,
)

from semeqv.babel.dataset import Babel
from semeqv.tasks.inference import inference
from semeqv.tasks.likelihood.minimal_pairs import unexpected
from semeqv.text.datasets.monolingual import Plain
from semeqv.text.models.opening import open_model, open_tokenizer
from semeqv.text.models.source import config_folder
from semeqv.text.tokenizers.trained import Bpe

SIZES = "--layers 1 --heads 2 --embedding_size 16 --block_size 24"
TAGS = "cli dataset babel-tags --documents 40"
LEARN = "cli optimizers adamw --learning_rate .01"


@pytest.mark.parametrize("tokenizer", ["bpe", "bpe --wrap", "wordpiece", "unigram"])
@pytest.mark.parametrize("packing", ["--packing", "--no-packing"])
def test_training_scoring_and_what_is_saved_agree_on_the_first_token(run_cli, tokenizer, packing):
    data = f"cli dataset babel --documents 30 --block_size 24 {packing}"
    run_cli(
        f"--steps 2 --output run cli tokenizer {tokenizer} --vocab_size 400 {data} cli model gpt2 {SIZES} {LEARN} "
        "cli train"
    )
    folder = config_folder("run")
    saved = AutoTokenizer.from_pretrained(folder)
    first = saved.bos_token_id
    assert AutoConfig.from_pretrained(folder).bos_token_id == first
    assert saved.model_max_length == 24
    # A text is scored behind it, as lm-evaluation-harness does.
    model, (ids,) = AutoModelForCausalLM.from_pretrained(folder), saved(["aba gak"], add_special_tokens=False).input_ids
    with torch.no_grad():
        row = torch.tensor([[first, *ids]])
        expected = float(model(row, labels=row).loss) * len(ids)
        with inference(ours := open_model("run"), "cpu") as regime:
            (found,), _ = unexpected(["aba gak"], ours, open_tokenizer("run"), regime, 1)
    assert found == pytest.approx(expected, rel=1e-5)
    # It is not an untrained row: documents begin behind it in training too.
    data = Babel(documents=30, block_size=24, packing=packing == "--packing", objective="causal")
    rows = [row for batch in data.build(open_tokenizer("run")).batches() for row in batch["input_ids"].tolist()]
    assert any(first in row[:-1] for row in rows)


def test_the_auto_classes_give_the_predictions_of_the_product(run_cli, tmp_path):
    run_cli("--steps 3 --output mlm cli tokenizer bpe --vocab_size 400 cli "
        "dataset babel --documents 40 --block_size 24 "
        f"cli model bert {SIZES} {LEARN} cli train")  # fmt: skip
    run_cli(f"--steps 20 --output run {TAGS} {TAGS} --split test cli model token-classifier --from mlm {LEARN} "
        "cli callbacks predictions cli train cli test")  # fmt: skip
    folder = config_folder("run")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForTokenClassification.from_pretrained(folder)
    model.eval()
    assert tokenizer("a").input_ids[0] == tokenizer.cls_token_id
    assert tokenizer("a").input_ids[-1] == tokenizer.sep_token_id
    for record in list(map(json.loads, (tmp_path / "run/predictions-test.jsonl").read_text().splitlines())):
        text = " ".join(record["words"])
        batch = tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
        ends = batch.pop("offset_mapping")[0, :, 1]
        if len(ends) > 24:
            continue  # the product cuts it in two
        starts = torch.tensor([len(" ".join(record["words"][:number])) for number in range(len(record["words"]))])
        with torch.no_grad():
            logits = model(**batch).logits[0, 1:-1]
        word = torch.bucketize(ends[1:-1] - 1, starts, right=True) - 1
        means = torch.stack([logits[word == number].mean(0) for number in range(len(starts))])
        assert [model.config.id2label[int(label)] for label in means.argmax(1)] == record["predicted"]
    assert tokenizer.model_max_length == 24
    assert pipeline("token-classification", model=model, tokenizer=tokenizer)("word " * 700)


def decoder(folder, kind):
    """A decoder and a tokenizer without a padding token, as GPT-2 and Llama are published."""
    (folder / "text.txt").write_text("good bad fine poor film " * 20)
    made = Bpe(vocab_size=270).build({("train", None): Plain(path=folder / "text.txt")})
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made.backend_tokenizer, bos_token="<s>", eos_token="</s>")
    sizes = {"vocab_size": 270, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": None}
    if kind == "gpt2":
        model = GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=1, n_head=2, n_positions=32, **sizes))
    else:
        model = LlamaForCausalLM(LlamaConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                                             intermediate_size=32, max_position_embeddings=32, **sizes))  # fmt: skip
    model.save_pretrained(folder / kind)
    tokenizer.save_pretrained(folder / kind)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("size", [1, 4])
def test_decoders_without_padding_classify_texts(run_cli, tmp_path, kind, size):
    decoder(tmp_path, kind)
    texts = ["good", "bad film", "fine fine film film", "poor", "good film", "bad", "fine", "poor film film"]
    rows = [f"{text}\t{'no' if text[0] in 'bp' else 'yes'}" for text in texts]
    (tmp_path / "a.tsv").write_text("\n".join(["text\tlabel", *rows]) + "\n")
    (tmp_path / "b.tsv").write_text("\n".join(["text\tlabel", *rows[::-1]]) + "\n")
    data = f"cli dataset labelled --batch_size {size} --path"
    run_cli(f"--steps 30 --output run {data} a.tsv {data} b.tsv --split test "
        f"cli model sequence-classifier --from {kind} "
        f"{LEARN} cli callbacks predictions cli train cli test")  # fmt: skip
    folder = config_folder("run")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    assert tokenizer.pad_token_id == model.config.pad_token_id == 1
    records = [json.loads(line) for line in (tmp_path / "run/predictions-test.jsonl").read_text().splitlines()]
    with torch.no_grad():
        batch = tokenizer([record["texts"][0] for record in records], padding=True, return_tensors="pt")
        together = model.eval()(**batch).logits
        alone = torch.cat([model(**tokenizer(record["texts"], return_tensors="pt")).logits for record in records])
    assert torch.allclose(together, alone, atol=1e-5)
    assert [model.config.id2label[int(label)] for label in alone.argmax(1)] == [each["predicted"] for each in records]


def test_a_tokenizer_without_an_end_cannot_pad(run_cli, tmp_path):
    decoder(tmp_path, "gpt2")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "gpt2")
    tokenizer.eos_token = None
    tokenizer.save_pretrained(tmp_path / "gpt2")
    (tmp_path / "a.tsv").write_text("text\tlabel\na\tx\nb\ty\n")
    err = run_cli("--steps 1 cli dataset labelled --path a.tsv cli model sequence-classifier --from gpt2 "
              "cli optimizers adamw cli train", 2).err  # fmt: skip
    assert "no padding token, and none that ends a text" in err
