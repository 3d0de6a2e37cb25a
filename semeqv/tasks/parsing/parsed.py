"""What `cli parse` does: trees for treebanks, as files and as scores."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from semeqv.engine.errors import UserError
from semeqv.tasks.measures.inference import inference, name_of
from semeqv.tasks.measures.report import print_table
from semeqv.tasks.measures.training_text import report_overlap
from semeqv.tasks.parsing.batches import TreeBatches
from semeqv.tasks.parsing.judging import COUNTED, judged
from semeqv.tasks.parsing.scorer import TreeScorer
from semeqv.text.readers.conllu import write_sentences

if TYPE_CHECKING:
    from semeqv.tasks.parsing.parse import Parse

Sets = Mapping[tuple[str, str | None], Any]
READ = ("input_ids", "words", "attention_mask", "token_type_ids")


def parse_sets(
    options: "Parse", model: Any, dataset: Sets, dataset_options: Sets, *, folder: Path, regime: tuple[Any, ...]
) -> list[dict[str, Any]]:
    """Parse treebanks, and write them.

    Args:
        options: What the command was told.
        model: A parser.
        dataset: The treebanks, by split and name.
        dataset_options: Their components.
        folder: The run's.
        regime: Device, precision, threads.

    Returns:
        A line for each treebank that has trees.

    Raises:
        UserError: When the model is no parser, there is nothing to parse, or several sets would write one file.
    """
    if not hasattr(model, "parser"):
        raise UserError(f"{type(model).__name__} is no parser; open one by: cli model parser --from RUN")
    chosen = {key: each for key, each in dataset.items() if key[0] in options.splits and isinstance(each, TreeBatches)}
    if not chosen:
        raise UserError(f"There is nothing to parse. Add: cli dataset treebank --split {options.splits[-1]}")
    paths = {key: Path(options.path.replace("{run}", str(folder)).replace("{name}", called(*key))) for key in chosen}
    if len(set(paths.values())) < len(paths):
        raise UserError(f"--path {options.path} is one file for several sets; put {{name}} into it.")
    lines = list[dict[str, Any]]()
    for (split, name), data in chosen.items():
        scorer = parse(model, data, regime)
        parsed = scorer.parsed()
        write_sentences(paths[split, name], parsed)
        click.echo(f"wrote {paths[split, name]}")
        if not data.annotated:
            continue
        line = {"split": split, "name": name}
        if options.overlap and split != "train":
            texts = [" ".join(word.form for word in sentence.words) for sentence in data.items]
            said = report_overlap(texts, model, dataset_options, f"sentences of {called(split, name)}")
            line |= {key: value for key, value in said.items() if key == "overlap"}
        found = judged(data.items, parsed, tagged=scorer.tagged, replicates=options.replicates)
        sizes = {"sentences": len(data.items), "words": len(data.read), "unread": int((~data.read).sum())}
        lines.append(line | found | sizes)
    return lines


def parse(model: Any, data: TreeBatches, regime: tuple[Any, ...]) -> TreeScorer:
    """Find the tree of every sentence.

    Args:
        model: A parser.
        data: The treebank; its trees are not looked at.
        regime: Device, precision, threads.

    Returns:
        What has seen them all.
    """
    scorer: TreeScorer = data.scorer()
    with inference(model, *regime) as running:
        for batch in tqdm(data.batches(), desc="parse", unit="batch", leave=False, disable=None, mininterval=0.5):
            placed = running.place({name: batch[name] for name in READ if name in batch})
            scorer.take(model(**placed), placed)
    return scorer


def called(split: str, name: str | None) -> str:
    """What a set is called: by its name, else by its split."""
    return name or split


def print_lines(lines: list[dict[str, Any]], model: Any) -> None:
    """Print the table, when anything was scored."""
    if not lines:
        return
    scores = [name for name in COUNTED[1:] if name in lines[0]]
    rows = [
        [called(line["split"], line["name"]), *(shown(line, name) for name in scores), f"{line['sentences']:,}"]
        for line in lines
    ]
    print_table(f"Trees of {name_of(model)}", ["set", *map(str.upper, scores), "sentences"], rows)


def shown(line: Mapping[str, Any], score: str) -> str:
    """A score in percent, and its interval."""
    ends = [line[f"{score}_{end}"] for end in ("low", "high") if f"{score}_{end}" in line]
    return f"{line[score]:.2%}" + (f" [{ends[0]:.2%}-{ends[1]:.2%}]" if ends else "")
