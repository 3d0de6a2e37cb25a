"""Models that count positions from the padding token, scale embeddings, or keep more for each token than others."""

import json

import pytest
import torch
import transformers
from tiny import SIZES, model
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, PreTrainedTokenizerFast

from ofa.resize_embeddings import resized_biases
from semeqv.runs.errors import UserError
from semeqv.text.models import families

families.know("factorised")
WORDS = [f"w{i}" for i in range(59)]
NAMES = {f"{role}_token": f"<{role}>" for role in ("unk", "pad", "mask")} | {"bos_token": "<s>", "eos_token": "</s>"}
OLD = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *WORDS]
NEW = ["<s>", "</s>", "<mask>", "<unk>", "w58", "<pad>", *WORDS[:58]]
INIT = "cli ofa init random --from old --target_tokenizer target --output"


def words(tokens):
    """A tokenizer of words."""
    backend = Tokenizer(WordLevel({token: i for i, token in enumerate(tokens)}, "<unk>"))
    backend.pre_tokenizer = Whitespace()
    names = {name: token for name, token in NAMES.items() if token in tokens}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)


@pytest.fixture
def renumbered(run_cli, save, tmp_path):
    """Give a model the same tokens in another order; opens old and new, and says what each makes of the same words."""

    def states(before, options="", new=NEW, auto=AutoModelForMaskedLM):
        old, new = words(OLD), words(new)
        save(before, old)
        new.save_pretrained(tmp_path / "target")
        run_cli(f"{INIT} new --overwrite {options}")
        after = auto.from_pretrained(tmp_path / "new")
        found = []
        for each, tokenizer in ((before, old), (after, new)):
            batch = tokenizer(["w1 w2 w3 w4 w5", "w6 w7"], padding=True, return_tensors="pt")
            with torch.no_grad():
                made = each.eval()(
                    **{name: batch[name] for name in ("input_ids", "attention_mask")}, output_hidden_states=True
                )
            order = [tokenizer.get_vocab()[token] for token in OLD]
            found.append((made.hidden_states[-1][batch["attention_mask"] == 1], made.logits[0, 1][order]))
        return found, after

    return states


@pytest.mark.parametrize("options", ["", "--keep_dim 15"])
def test_positions_move_with_the_padding_token(renumbered, options):
    before = transformers.RobertaForMaskedLM(
        transformers.RobertaConfig(**SIZES, vocab_size=64, pad_token_id=1, bos_token_id=0, eos_token_id=2)
    )
    torch.nn.init.normal_(before.roberta.embeddings.position_embeddings.weight)
    ((was, _), (now, _)), after = renumbered(before, options)
    if not options:
        torch.testing.assert_close(now, was)
    assert after.config.pad_token_id == after.base_model.embeddings.padding_idx == 5
    assert after.config.max_position_embeddings == 44
    table = after.base_model.embeddings.position_embeddings.weight
    assert torch.equal(table[6:], before.roberta.embeddings.position_embeddings.weight[2:])
    late = [*NEW[:5], *NEW[6:], "<pad>"]  # beyond the old table
    _, after = renumbered(before, options, late)
    assert after.config.max_position_embeddings == 63 + 39


def test_positions_that_cannot_move_are_named(run_cli, save, tmp_path):
    save(transformers.MPNetForMaskedLM(transformers.MPNetConfig(**SIZES, vocab_size=64)), words(OLD))
    words(NEW).save_pretrained(tmp_path / "target")
    assert "whose padding token has id 1, not 5" in run_cli(f"{INIT} new", code=2).err
    save(model("roberta", words(OLD)), words(OLD))
    words([token for token in NEW if token != "<pad>"]).save_pretrained(tmp_path / "target")
    assert "the new tokenizer has none" in run_cli(f"{INIT} new", code=2).err


@pytest.mark.parametrize("rows", [64, 70])
def test_the_bias_of_the_head_is_known_by_what_it_is(rows):
    sizes = SIZES | {"hidden_size": 64}  # as wide as the vocabulary
    bert = transformers.BertForMaskedLM(transformers.BertConfig(**sizes, vocab_size=64))
    torch.nn.init.normal_(bert.cls.predictions.bias)
    bias = bert.cls.predictions.bias.detach().clone()
    ((names, found),) = resized_biases(bert, rows).items()
    assert set(names) == {"cls.predictions.bias", "cls.predictions.decoder.bias"}
    assert torch.equal(found, bias)


def test_what_else_is_as_wide_as_the_vocabulary_stays(renumbered):
    bert = transformers.BertForMaskedLM(transformers.BertConfig(**SIZES | {"hidden_size": 64}, vocab_size=64))
    for each in (bert.cls.predictions.bias, bert.cls.predictions.transform.dense.bias):
        torch.nn.init.normal_(each)
    ((was, logits), (now, again)), _ = renumbered(bert)
    torch.testing.assert_close(now, was)
    torch.testing.assert_close(again, logits)


@pytest.mark.parametrize("same", [True, False])
def test_models_that_keep_more_for_each_token_are_refused(run_cli, save, tmp_path, same):
    sizes = {"embedding_size": 16, "intra_bottleneck_size": 16, "true_hidden_size": 16, "hidden_size": 32}
    config = transformers.MobileBertConfig(**SIZES | sizes, vocab_size=64, trigram_input=False)
    save(transformers.MobileBertForMaskedLM(config), words(OLD))
    words(NEW if same else NEW[:-4]).save_pretrained(tmp_path / "target")
    assert "in a way of its own" in run_cli(f"{INIT} new", code=2).err
    sizes = {f"{side}_{name}": 1 for side in ("encoder", "decoder") for name in ("layers", "attention_heads")}
    bart = transformers.BartForConditionalGeneration(
        transformers.BartConfig(vocab_size=64, d_model=16, encoder_ffn_dim=8, decoder_ffn_dim=8, **sizes)
    )
    save(bart, words(OLD))
    assert "is an encoder and a decoder" in run_cli(f"{INIT} new", code=2).err


def test_embeddings_that_are_scaled_stay_so(renumbered):
    config = transformers.Gemma3TextConfig(**SIZES, vocab_size=64, head_dim=8, num_key_value_heads=1)
    before = transformers.Gemma3ForCausalLM(config)
    found = [
        renumbered(before, f"--keep_dim 15 --form {form}", auto=AutoModelForCausalLM)
        for form in ("dense", "factorised")
    ]
    (((_, (one, _)), _), ((_, (other, _)), after)) = found
    torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-4)
    assert type(after).__name__ == "FactorisedForCausalLM"
    assert after.config.scale == 4


def test_what_has_numbers_for_each_token_besides_is_named():
    class More(transformers.BertForMaskedLM):
        def resize_token_embeddings(self, rows, mean_resizing=True):
            self.more = torch.nn.Parameter(torch.zeros(3, rows))
            return super().resize_token_embeddings(rows, mean_resizing=mean_resizing)

    made = More(transformers.BertConfig(**SIZES, vocab_size=64))
    made.more = torch.nn.Parameter(torch.zeros(3, 64))
    for rows in (64, 70):
        with pytest.raises(UserError, match="More has numbers for each token in more, too"):
            resized_biases(made, rows)


def test_rows_of_no_token_are_not_counted_as_those_of_a_method(run_cli, save, tmp_path):
    save(model("bert", words(OLD)), words(OLD))
    words([*NEW[:-2], "x", "y"]).save_pretrained(tmp_path / "target")
    run_cli(f"{INIT} new --pad_to_multiple_of 100".replace("random", "mean"))
    counts = json.loads((tmp_path / "new/initialisation.json").read_text())["counts"]
    assert counts == {"copied": 62, "mean": 2, "unused": 36}
