"""From what the code of OFA's and HyperOFA's authors wrote to what every action opens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import click

from ofa.hypernetwork.folder import MappingFolder, read_folder
from semeqv.grammar.action import Spelled, Written, action
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, refuse_existing
from semeqv.text.models.opening import has_tokenizer, open_config, open_tokenizer, quiet
from semeqv.text.models.source import config_folder


@dataclass(frozen=True)
class Converted(Written):
    """What was converted and written.

    Args:
        output: The folder or file.
        summary: What it holds, in words.
    """

    output: Path
    summary: str

    def show(self) -> None:
        """Print where it is, and what it holds."""
        click.echo(f"wrote {self.output}{self.summary}")


@action("ofa convert")
def convert(
    *,
    source: Annotated[str, Spelled("from")],
    output: Path,
    allow_pickle: bool = False,
    mapping: Path | None = None,
    source_matrix: Path | None = None,
    hypernetwork_config_path: Path | None = None,
) -> Converted:
    """Turn what the code of OFA's or HyperOFA's authors has written into what `--from` and other actions open.

    A factorised model (a folder): their RoBERTa and XLM-R keep coordinates and primitives under names that transformers
    does not know (`embeddings.target_coordinates`, `lm_head.down_project`, ...); every tensor must have its place here,
    and every place its tensor. A folder with weights as safetensors is opened by `--from` as it is. After `import ofa`,
    `from_pretrained` opens what is written.

    A hypernetwork (a `.ckpt` of Lightning), with --mapping and --source_matrix: a folder for `cli model load --from
    FOLDER cli ofa predict`. Predictions (`prediction_dict.pkl`), likewise: a file for `cli ofa init hyperofa
    --predictions FILE`. Their coordinates and ours differ in signs, which --source_matrix tells.

    Args:
        source: The folder of a model (`config.json`, weights, and the tokenizer if there is one), a checkpoint, or
            predictions.
        output: The folder to write, which must not exist, or be empty; of predictions the file, `.safetensors`.
        allow_pickle: Open pickles, such as `pytorch_model.bin`, `.ckpt` and `.pkl`: by restricted unpicklers, which run
            no code.
        mapping: Of what HyperOFA wrote: the folder that `cli ofa mapping` has written for the same model, tokenizer,
            word vectors and --keep_dim.
        source_matrix: Of what HyperOFA wrote: its coordinates of the old tokens, `mapping_data/source_matrix.npy`.
        hypernetwork_config_path: Of a checkpoint: its `model_config.yaml`.

    Returns:
        What was written.

    Raises:
        UserError: When it cannot be opened, or something is where it shall be written.
    """
    path, output = Path(source).expanduser(), Path(output)
    predictions = path.suffix in (".pkl", ".pickle")
    if predictions and not allow_pickle:
        raise UserError(f"{path} is a pickle. Say --allow_pickle to open it, by an unpickler that runs no code.")
    refuse_existing(output)
    if not predictions and not path.is_file():
        return convert_model(source, output, allow_pickle)
    for option, value in (("mapping", mapping), ("source_matrix", source_matrix)):
        if value is None:
            what = "MAPPING" if option == "mapping" else "mapping_data/source_matrix.npy"
            raise UserError(f"{source} is of HyperOFA, and needs more: --{option} {what}")
    assert mapping is not None
    assert source_matrix is not None
    folder = read_folder(Path(mapping))
    if predictions:
        return convert_predictions(path, output, folder, Path(source_matrix))
    return convert_hypernetwork(
        path, output, folder, Path(source_matrix), config=hypernetwork_config_path, allow_pickle=allow_pickle
    )


def convert_model(source: str, output: Path, allow_pickle: bool) -> Converted:
    """Convert a factorised model; arguments as those of `convert`."""
    from ofa.conversion.published import published_model  # which is made of modules

    folder = config_folder(source)
    model = published_model(folder, open_config(folder), allow_pickle)
    tokenizer = open_tokenizer(folder) if has_tokenizer(folder) else None
    with output_folder(output) as temporary, quiet():
        model.save_pretrained(temporary)
        if tokenizer is not None:
            tokenizer.save_pretrained(temporary)
    count = sum(parameter.numel() for parameter in model.parameters())
    return Converted(
        output,
        f": {count / 1e6:.1f}M parameters, {model.config.vocab_size:,} tokens in "
        f"{model.config.kept} coordinates{'' if tokenizer else ', no tokenizer'}",
    )


def convert_hypernetwork(
    path: Path, output: Path, folder: MappingFolder, matrix: Path, *, config: Path | None, allow_pickle: bool
) -> Converted:
    """Convert a checkpoint of a hypernetwork.

    Args:
        path: The checkpoint.
        output: The folder to write.
        folder: The mapping.
        matrix: Their coordinates of the old tokens.
        config: Their `model_config.yaml`.
        allow_pickle: Whether the checkpoint may be opened, which is a pickle.

    Returns:
        What was written.
    """
    from ofa.conversion.hyperofa import hypernetwork, signs  # which are made of modules

    model: Any = hypernetwork(path, folder, signs(folder, matrix), config, allow_pickle)
    with output_folder(output) as temporary, quiet():
        model.save_pretrained(temporary)
    sizes = model.config
    return Converted(
        output,
        f": {sizes.network}, {sizes.num_hidden_layers} layers, vectors of {sizes.width} numbers "
        f"to {sizes.kept} coordinates",
    )


def convert_predictions(path: Path, output: Path, folder: MappingFolder, matrix: Path) -> Converted:
    """Convert predictions; arguments as those of `convert_hypernetwork`."""
    from ofa.conversion.hyperofa import signs, write_predictions  # whose module imports networks

    count = write_predictions(path, folder, signs(folder, matrix), output)
    return Converted(output, f" ({count:,} subwords)")
