"""The grammar: spellings, order, help, mistakes, replay."""

import json
import shlex
import subprocess
import sys

import pytest
from click.testing import CliRunner

from semeqv.cli import main
from semeqv.grammar.chain import CommandGroup
from semeqv.grammar.component import canonical, to_argv
from semeqv.grammar.plugins import command
from semeqv.grammar.sentence import ComponentCommand
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER, VALID, least


def dumped(run_cli, tmp_path, line):
    run_cli(f"--dump-config {tmp_path}/config.json {line}")
    return json.loads((tmp_path / "config.json").read_text())


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("", "True"),
        ("--shuffle", "True"),
        ("--no-shuffle", "False"),
        ("--shuffle False", "False"),
        ("--shuffle=no", "False"),
        ("--shuffle true", "True"),
        ("--SHUFFLE 0", "False"),
    ],
)
def test_every_spelling_of_a_switch(run_cli, tmp_path, spelling, value):
    assert f"--shuffle {value}" in dumped(run_cli, tmp_path, f"cli xor dataset default {spelling}")["parts"][0]


@pytest.mark.parametrize(
    ("spelling", "value"), [("", "False"), ("--tie", "True"), ("--no-tie", "False"), ("--tie both", "both")]
)
def test_a_switch_may_have_one_more_word(run_cli, tmp_path, spelling, value):
    assert f"--tie {value}" in dumped(run_cli, tmp_path, f"cli xor model transformer {spelling}")["parts"][0]


@pytest.mark.parametrize(
    "line", ["cli optimizers adamW --learning_rate 0.5", "cli optimizers ADAMW --learning-rate=.5"]
)
def test_every_spelling_of_a_name(run_cli, tmp_path, line):
    assert dumped(run_cli, tmp_path, line)["parts"][0].startswith("optimizers adamw --learning_rate 0.5")


def test_weight_tying_has_its_own_words(run_cli, tmp_path):
    for word in ("transformerwt", "transformer-wt", "TransformerWT"):
        assert dumped(run_cli, tmp_path, f"cli xor model {word}")["parts"][0].startswith("xor model transformerwt")


@pytest.mark.parametrize("words", [".1 .9", "[.1,.9]", ".1,.9", "[.1, .9]", ".1 , .9"])
def test_every_spelling_of_several_numbers(run_cli, tmp_path, words):
    quoted = f'"{words}"' if "[" in words else words
    assert "--zero_dst 0.1 0.9" in dumped(run_cli, tmp_path, f"cli xor dataset default --zero_dst {quoted}")["parts"][0]


def test_the_first_cli_may_be_left_out(run_cli, tmp_path):
    assert dumped(run_cli, tmp_path, "xor dataset default --size 4")["parts"][0].startswith(
        "xor dataset default --size 4"
    )


def test_several_named_sets_of_one_split(run_cli, tmp_path):
    parts = dumped(run_cli, tmp_path, f"{DATA} {VALID} --name a {VALID} --name b")["parts"]
    assert len(parts) == 3


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "help",
        "",
        "cli help",
        "cli optimizers",
        "cli xor model help",
        "cli xor model transformer --help",
        "cli train help",
        "cli view --help",
    ],
)
def test_help_anywhere(run_cli, line):
    assert run_cli(line).out.startswith("Usage: semeqv")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cli optimizers adamm cli train", "'adamm' is no command of `optimizers`. Did you mean 'adam' or 'adamw'?"),
        ("cli optimizer adamw", "Did you mean 'optimizers'"),
        ("cli transformer", "Did you mean `cli mlm model transformer` or `cli xor model transformer`?"),
        ("cli lstm", "Did you mean `cli xor model lstm`?"),
        ("cli xor datset default cli train", "Did you mean 'dataset'?"),
        (
            f"{DATA} cli xor model transformer --layers four",
            "'four' is not a valid integer.\nIn segment 2 of 2 of the line",
        ),
        ("cli xor model transformer --layers 0", "--layers must be at least 1, not 0."),
        ("cli xor model transformer --layer 1", "has no option --layer. Did you mean --layers?"),
        ("cli xor model transformer --heads 3 --embedding_size 4", "--heads 3 must divide --embedding_size 4"),
        ("--device cpu cli xor dataset default --device cuda:0", "--device is said twice"),
        ("cli optimizers adamw 0.1", "takes only options. Does a word `cli` lack before it?"),
        ("cli optimizers adamw optimizers adam", "Does a word `cli` lack before it?"),
        ("cli optimizers adamw --learning_rate -1", "--learning_rate must be 0 or more, not -1.0"),
        ("cli optimizers adamw --betas .9", "--betas"),
        ("cli xor dataset default --zero_dst .1 .8", "--zero_dst 0.1 0.8 sums to 0.9; probabilities sum to 1."),
        ("cli xor dataset default --zero_dst", "--zero_dst needs at least one value"),
        ("cli xor dataset default --zero_dst __import__('os')", "is not a valid float"),
        ("cli xor dataset default --split traning", "'traning' is not one of"),
        ("cli xor dataset default --shuffle maybe", "takes only options"),
        ("cli xor dataset default --held_out 1", "--held_out must be at least 0 and below 1, not 1."),
        ("cli xor dataset default --split_seed -1", "--split_seed must be at least 0, not -1."),
        (
            f"{DATA} {VALID} --split_seed 15 {MODEL} {OPTIMIZER} {LOSS} cli train",
            "of the 3 validation strings are training strings",
        ),
        (
            f"{DATA} --held_out_strings 01 {MODEL} {OPTIMIZER} {LOSS} cli train",
            "write strings of 5 bits, such as 01010",
        ),
        ("cli xor dataset default --no-shuffle=1", "takes no value"),
        ("cli", "A command must follow the word `cli`"),
        (f"{DATA} {MODEL}", "Nothing to do: end the line with an action"),
        (f"{DATA} {DATA} cli train", "The dataset is given twice, for train."),
        (f"{MODEL} {MODEL} cli train", "The model is given twice."),
        (f"{MODEL} {OPTIMIZER} cli train", "needs a dataset. Add: cli xor dataset default"),
        (f"{DATA} {OPTIMIZER} cli train", "needs a model. Add: cli xor model lstm or"),
        (f"{DATA} {MODEL} cli train", "Training needs an optimizer. Add: cli optimizers adamw"),
        (f"{DATA} {MODEL} {OPTIMIZER} cli train", "Add: cli loss cross-entropy"),
        (f"--seeds 46..42 {DATA} cli train", "--seeds 46..42 is empty"),
        (f"--seeds 1 1 {DATA} cli train", "names a seed twice"),
        (f"--seeds a..b {DATA} cli train", "neither a seed nor a range"),
        ("--epochs 0 cli train", "--epochs must be at least 1, not 0."),
        ("--precision fp8 cli train", "'fp8' is not one of"),
        ("--device gpu cli train", "--device must be auto, cpu, cuda, mps, xpu, or one"),
        ("--config missing.json cli train", "--config missing.json: No such file"),
        (f"{DATA} {MODEL} {OPTIMIZER} {LOSS} cli test", "nothing to test on"),
        (f"{DATA} --name x {MODEL} {OPTIMIZER} {LOSS} cli train", "leave out --name x"),
        (
            "--output a cli savers default-saver --dirpath b " + f"{DATA} {MODEL} {OPTIMIZER} {LOSS} cli train",
            "differ; leave one out",
        ),
        (
            f"{DATA} cli xor model transformer --src_vocab_size 9 {OPTIMIZER} {LOSS} cli train",
            "does not fit the data, which has 7 symbols",
        ),
        (
            f"{DATA} {MODEL} --tie both {OPTIMIZER} {LOSS} cli callbacks cdists --input_embedding_path x cli train",
            "Every run would write x. Write {run}/x",
        ),
        (f"--device cuda:7 {DATA} {MODEL} {OPTIMIZER} {LOSS} cli train", "torch sees"),
    ],
)
def test_mistakes_are_named(run_cli, tmp_path, line, words):
    outcome = run_cli(line, code=2)
    assert words in outcome.err
    assert len(outcome.err.strip().splitlines()) <= 2
    assert not (tmp_path / "runs").exists(), "a mistake must leave nothing behind"


def test_a_saved_sentence_replays_and_a_later_segment_wins(run_cli, tmp_path):
    line = f"--seed 3 {DATA} --no-shuffle {MODEL} {OPTIMIZER} cli callbacks log cli callbacks log --split validation"
    first = dumped(run_cli, tmp_path, line)
    assert dumped(run_cli, tmp_path, f"--config {tmp_path}/config.json") == first
    again = dumped(
        run_cli, tmp_path, f"--config {tmp_path}/config.json --epochs 2 cli optimizers adam cli callbacks log --etc 5"
    )
    assert again["settings"] == first["settings"] | {"epochs": 2}
    assert [part.split()[:2] for part in again["parts"]] == [
        ["xor", "dataset"],
        ["xor", "model"],
        ["callbacks", "log"],
        ["optimizers", "adam"],
        ["callbacks", "log"],
    ]
    assert "--split validation" in again["parts"][2]
    assert "--etc 5" in again["parts"][4]


def test_a_file_that_is_no_sentence_is_refused(run_cli, tmp_path):
    for text in ("", "[]", "{}", '{"settings": 1, "parts": []}', "\x00"):
        (tmp_path / "bad.json").write_text(text)
        assert "is no saved sentence" in run_cli("--config bad.json cli train", code=2).err


def test_a_saved_sentence_of_the_earlier_shuffle_is_not_replayed_with_another(run_cli, tmp_path):
    parts = ["xor dataset default --size 7 --seed 14 --draws 1 --every_string True"]
    (tmp_path / "run.json").write_text(json.dumps({"sentence": {"settings": {}, "parts": parts, "actions": ["train"]}}))
    err = run_cli("--config run.json", code=2).err
    assert "has no option --every_string. It belongs to the shuffle of November 2026" in err
    assert "write --all_ones True" in err


def test_the_seed_of_a_split_is_that_of_the_data(run_cli, tmp_path):
    for option in ("--split_seed", "--seed"):  # the second is the original's
        saved = dumped(run_cli, tmp_path, f"--seed 3 {DATA} {option} 7")
        assert "--split_seed 7" in saved["parts"][0]
        assert saved["settings"]["seed"] == 3


def test_every_component_writes_words_that_parse_back():
    chain = command()
    leaves = list(chain.leaves())
    assert {"train", "test", "view", "optimizers adamw", "xor model lstmwt"} <= {
        leaf.kind.__command__ for leaf in leaves
    }
    for leaf in leaves:
        options = least(leaf.kind)
        ctx = chain.make_context("semeqv", ["--dump-config", "/dev/null", "cli", *to_argv(options)])
        (step,) = chain.parse(ctx, ctx.meta["segments"], "the line")
        assert step.options == options


def test_a_nul_is_refused():
    with pytest.raises(SystemExit) as stopped:
        main(["cli", "view", "\0"])
    assert stopped.value.code == 2


def test_names_differ_by_more_than_spelling():
    assert canonical("--Batch-Size") == canonical("batch_size")
    assert canonical("adamw") != canonical("adam")


def test_completion_offers_names_options_and_the_word_cli():
    def complete(*words):
        line = ["semeqv", *words]
        env = {"_SEMEQV_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(line), "COMP_CWORD": str(len(line) - 1)}
        result = CliRunner(env=env).invoke(command(), prog_name="semeqv")
        return {row.partition(",")[2] for row in result.output.splitlines()}

    assert {"adam", "adamw"} <= complete("cli", "optimizers", "ada")
    assert "--learning_rate" in complete("cli", "optimizers", "adamw", "--le")
    assert "cli" in complete("cli", "optimizers", "adamw", "c")
    assert "transformer" in complete("cli", "optimizers", "adamw", "cli", "xor", "model", "tra")
    assert {"True", "both"} <= complete("cli", "xor", "model", "transformer", "--tie", "")


@pytest.mark.parametrize("line", [["--help"], ["cli", "xor", "model", "transformer", "--help"], ["cli", "nonsense"]])
def test_help_imports_nothing_heavy(line):
    code = f"""
import sys
from semeqv.cli import main
try:
    main({line!r})
except SystemExit:
    pass
heavy = {{"torch", "transformers", "numpy", "pandas", "matplotlib"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("start", [["-m", "semeqv"], ["semeqv/cli.py"]])
def test_all_ways_to_start_are_one_program(start):
    done = subprocess.run(
        [sys.executable, *start, "cli", "optimizers", "--help"], check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith("Usage: semeqv cli optimizers")


def test_the_folder_that_the_line_names_goes_before_the_saved_one(run_cli, tmp_path):
    line = f"{DATA} {MODEL} {OPTIMIZER} {LOSS}"
    run_cli(f"--output a {line} cli train")
    run_cli("--config a/run.json cli savers default-saver --dirpath b")
    run_cli(f"--dump-config c.json {line} cli savers default-saver --dirpath c cli train")
    run_cli("--config c.json --output d")
    assert {path.parent.name for path in tmp_path.glob("*/run.json")} == {"a", "b", "d"}


@pytest.mark.parametrize("said", ["[.1,.9]", "'[.1, .9]'", ".1,.9", ".1 .9", "'.1 .9'"])
def test_two_numbers_in_one_word_or_two(said, run_cli, tmp_path):
    run_cli(f"--dump-config config.json cli optimizers adamw --betas {said} cli train")
    (words,) = json.loads((tmp_path / "config.json").read_text())["parts"]
    assert "--betas 0.1 0.9" in words


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        ("'$(' '$,' '$.' NN", ("$(", "$,", "$.", "NN")), ("a,b c", ("a", "b", "c")), ("[a, b]", ("a", "b")),
        ("'[a, b]'", ("a", "b")), ("'the text (en)' x", ("the text (en)", "x")), ("'(a' b", ("(a", "b")),
        ("""'["-LRB-", "a,b"]'""", ("-LRB-", "a,b")),
    ],
)  # fmt: skip
def test_lists_are_taken_apart_and_other_words_are_not(said, labels):
    leaf = next(leaf for leaf in command().leaves() if leaf.kind.__command__ == "dataset labelled")
    option = next(param for param in leaf.params if param.name == "labels")
    found, _ = option.words(shlex.split(said))
    assert tuple(found) == labels


def test_a_setting_in_a_segment_is_taken_for_what_it_is(run_cli, tmp_path):
    err = run_cli("--dump-config config.json cli optimizers adamw --steps 7 --no-trainbar cli train --device cpu").err
    settings = json.loads((tmp_path / "config.json").read_text())["settings"]
    assert (settings["steps"], settings["trainbar"], settings["device"]) == (7, False, "cpu")
    assert err.count("belongs before the first `cli`") == 3
    err = run_cli("--device cpu cli optimizers adamw cli train --device auto", code=2).err
    assert "--device is said twice" in err
    for line in (
        "--steps 3 cli optimizers adamw cli train --epochs 2",
        "cli optimizers adamw --steps 3 cli train --steps 4",
    ):
        assert "is said twice" in run_cli(line, code=2).err
    run_cli("--dump-config second.json --config config.json cli train --epochs 3")
    settings = json.loads((tmp_path / "second.json").read_text())["settings"]
    assert (settings["steps"], settings["epochs"], settings["device"]) == (None, 3, "cpu")
    assert "must be auto, cpu, cuda" in run_cli("cli optimizers adamw cli train --device moon", code=2).err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cli optimizers adamw --lr 3 cli train", "has no option --lr. Did you mean --learning_rate?"),
        ("cli optimizers adamw --wd 3 cli train", "has no option --wd. Did you mean --weight_decay?"),
        ("cli optimizers adamw --decay 3 cli train", "--weight_decay"),
        ("cli optimizers adamw --lerning-rate 3 cli train", "Did you mean --learning_rate?"),
        ("cli optimizers adamw --zzzzz 3 cli train", "has no option --zzzzz.\n"),
        ("cli model gpt2 cli generate --prompt cli --max_new_tokens 3", "write --prompt=cli."),
        ("cli perplexity", "needs a model. Add: cli model load --from RUN or "),
    ],
)
def test_mistakes_say_what_to_write_instead(line, words, run_cli):
    assert words in run_cli(line, code=2).err


def test_lists_of_commands_are_read_from_the_text_of_modules():
    chain = command()
    groups = [chain]
    for group in groups:
        announced = {name: help for name, (_, help) in group.announced().items()}
        listed = group.list_commands()
        group.load()
        groups += [each for each in group.commands.values() if isinstance(each, CommandGroup)]
        own = {name: each.short_help for name, each in group.commands.items() if isinstance(each, ComponentCommand)}
        assert announced == {name: own[name] for name in announced}
        assert listed == group.list_commands()
