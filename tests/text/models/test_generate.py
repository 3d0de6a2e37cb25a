"""Generation beside that of transformers, and what does not fit."""

import json

import pytest
import torch
from tiny_models import SMALL, make_tokenizer
from transformers import GenerationConfig

from semeqv.runs.errors import UserError
from semeqv.text.generation import generate
from semeqv.text.models.architectures import BERT, GPT2


def texts(model, tokenizer, seed=0, **given):
    return generate(model, tokenizer, seed, "cpu", **given).texts


def test_greedy_is_that_of_transformers(gpt2, tokenizer):
    ids = tokenizer("the dog", return_tensors="pt")["input_ids"]
    expected = gpt2.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=12,
                             pad_token_id=tokenizer.eos_token_id)  # fmt: skip
    (found,) = texts(gpt2, tokenizer, prompt=["the dog"], max_new_tokens=12, temperature=0.0)
    assert found == tokenizer.decode(expected[0], skip_special_tokens=True)
    assert found.startswith("the dog ")


@pytest.mark.parametrize(
    "settings",
    [
        {"repetition_penalty": 5.0},
        {"suppress_tokens": [2, 3, 4, 5, 6]},
        {"min_new_tokens": 12},
        {"no_repeat_ngram_size": 1, "num_beams": 3},
        {"do_sample": True, "temperature": 0.3, "top_k": 2},
        {"max_length": 5},
        {"bad_words_ids": [[4]], "begin_suppress_tokens": [5], "forced_eos_token_id": 3},
    ],
)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_folder_changes_nothing_unsaid(gpt2, tokenizer, settings, temperature):
    given = {"prompt": ["the dog"], "max_new_tokens": 12, "temperature": temperature}
    plain = texts(gpt2, tokenizer, **given)
    gpt2.generation_config = GenerationConfig(eos_token_id=1, **settings)
    assert texts(gpt2, tokenizer, **given) == plain
    assert gpt2.generation_config.to_diff_dict().keys() >= settings.keys()


def test_what_a_folder_says_is_done_when_asked_and_recorded(run_cli, gpt2, folder, tmp_path):
    settings = {"suppress_tokens": [2, 3, 4]}
    GenerationConfig(**settings, do_sample=True).save_pretrained(folder)
    line = f"cli model load --from {folder} cli generate --prompt 'the dog' --temperature 0 --max_new_tokens 9"
    line += f" --path {tmp_path}/out.jsonl"
    err = run_cli(line).err
    assert 'The folder of the model asks for "suppress_tokens": [2, 3, 4], not done without' in err
    (plain,) = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert "as --folder_settings says" in run_cli(f"{line} --folder_settings").err
    (other,) = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert "folder_settings" not in plain
    assert other["folder_settings"] == settings
    assert not {"the", "dog", "dogs"} & set(other["text"].removeprefix("the dog").split())


def test_the_seed_decides_and_other_prompts_do_not(gpt2, tokenizer):
    given = {"max_new_tokens": 10}
    (alone,) = texts(gpt2, tokenizer, prompt=["moon"], **given)
    _, beside = texts(gpt2, tokenizer, prompt=["the dog", "moon"], **given)
    (other,) = texts(gpt2, tokenizer, seed=1, prompt=["moon"], **given)
    assert alone == beside != other


def test_narrow_sampling_is_greedy(gpt2, tokenizer):
    given = {"prompt": ["moon"], "max_new_tokens": 10}
    greedy = texts(gpt2, tokenizer, temperature=0.0, **given)
    assert texts(gpt2, tokenizer, top_k=1, **given) == greedy
    assert texts(gpt2, tokenizer, top_p=1e-6, **given) == greedy


def test_no_prompt_starts_from_the_first_token(gpt2, tokenizer):
    (text,) = texts(gpt2, tokenizer, max_new_tokens=3)
    assert text


def test_what_does_not_fit_is_one_line(gpt2, tokenizer):
    bert = BERT(**SMALL).build(tokenizer)
    with pytest.raises(UserError, match="BertForMaskedLM does not predict the next token"):
        texts(bert, tokenizer)
    with pytest.raises(UserError, match="reads at most 32 tokens, the prompt has 1; --max_new_tokens 40 is too many"):
        texts(gpt2, tokenizer, prompt=["moon"], max_new_tokens=40)
    large = make_tokenizer([f"word{i}" for i in range(20)])
    with pytest.raises(UserError, match="do not belong together"):
        texts(gpt2, large, prompt=["word19"])
    with pytest.raises(UserError, match="Add: cli tokenizer"):
        generate(GPT2(**SMALL, vocab_size=10).build(), seed=0)


@pytest.mark.parametrize(
    ("given", "words"),
    [({"temperature": -1.0}, "--temperature"), ({"top_p": 0.0}, "--top_p"), ({"top_k": 0}, "--top_k"),
     ({"max_new_tokens": 0}, "--max_new_tokens")],
)  # fmt: skip
def test_wrong_options_are_refused(given, words):
    with pytest.raises(ValueError, match=words):
        generate(None, **given)


def test_a_sentence_prints_and_writes(run_cli, folder, tmp_path):
    line = (
        "--seed 3 cli model load --from {} cli generate --prompt 'the dog' --prompt moon --max_new_tokens 4 --path {}"
    )
    out = run_cli(line.format(folder, tmp_path / "out.jsonl")).out
    lines = [json.loads(each) for each in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [each["prompt"] for each in lines] == ["the dog", "moon"]
    assert all(each["text"] in out and each["seed"] == 3 for each in lines)
