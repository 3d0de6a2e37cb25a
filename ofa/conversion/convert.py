"""From what the code of OFA's and HyperOFA's authors wrote to what every action opens."""

from dataclasses import dataclass, field
from pathlib import Path

import click

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, refuse_existing
from semeqv.text.models.opening import has_tokenizer, open_config, open_tokenizer, quiet
from semeqv.text.models.source import config_folder


@component("ofa convert")
@dataclass(frozen=True, kw_only=True)
class Convert:
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
    """

    source: str = field(metadata={"alias": "from"})
    output: Path
    allow_pickle: bool = False
    mapping: Path | None = None
    source_matrix: Path | None = None
    hypernetwork_config_path: Path | None = None

    def build(self) -> None:
        """Convert, and write."""
        path = Path(self.source).expanduser()
        if path.suffix in (".pkl", ".pickle"):
            self.convert_predictions(path)
        elif path.is_file():
            self.convert_hypernetwork(path)
        else:
            self.convert_model()

    def convert_model(self) -> None:
        """Convert a factorised model."""

        from ofa.conversion.published import published_model

        refuse_existing(self.output)
        folder = config_folder(self.source)
        model = published_model(folder, open_config(folder), self.allow_pickle)
        tokenizer = open_tokenizer(folder) if has_tokenizer(folder) else None
        with output_folder(self.output) as temporary, quiet():
            model.save_pretrained(temporary)
            if tokenizer is not None:
                tokenizer.save_pretrained(temporary)
        count = sum(each.numel() for each in model.parameters())
        click.echo(
            f"wrote {self.output}: {count / 1e6:.1f}M parameters, {model.config.vocab_size:,} tokens in "
            f"{model.config.kept} coordinates{'' if tokenizer else ', no tokenizer'}"
        )

    def convert_hypernetwork(self, path: Path) -> None:
        """Convert a checkpoint of a hypernetwork."""

        from ofa.conversion.hyperofa import hypernetwork, signs
        from ofa.hypernetwork.folder import read_folder

        refuse_existing(self.output)
        mapping, matrix = self.beside()
        folder = read_folder(mapping)
        turn = signs(folder, matrix)
        model = hypernetwork(path, folder, turn, self.hypernetwork_config_path, self.allow_pickle)
        with output_folder(self.output) as temporary, quiet():
            model.save_pretrained(temporary)
        sizes = model.config
        click.echo(
            f"wrote {self.output}: {sizes.network}, {sizes.num_hidden_layers} layers, vectors of {sizes.width} numbers "
            f"to {sizes.kept} coordinates"
        )

    def convert_predictions(self, path: Path) -> None:
        """Convert predictions."""

        from ofa.conversion.hyperofa import signs, write_predictions
        from ofa.hypernetwork.folder import read_folder

        if not self.allow_pickle:
            raise UserError(f"{path} is a pickle. Say --allow_pickle to open it, by an unpickler that runs no code.")
        refuse_existing(self.output)
        mapping, matrix = self.beside()
        folder = read_folder(mapping)
        count = write_predictions(path, folder, signs(folder, matrix), self.output)
        click.echo(f"wrote {self.output} ({count:,} subwords)")

    def beside(self) -> tuple[Path, Path]:
        """The mapping and their coordinates, which what HyperOFA wrote needs; `UserError` where one was not said."""
        for option, value in (("mapping", self.mapping), ("source_matrix", self.source_matrix)):
            if value is None:
                what = "MAPPING" if option == "mapping" else "mapping_data/source_matrix.npy"
                raise UserError(f"{self.source} is of HyperOFA, and needs more: --{option} {what}")
        assert self.mapping is not None
        assert self.source_matrix is not None
        return self.mapping, self.source_matrix
