"""From what OFA's own code wrote to what every action opens."""

from dataclasses import dataclass, field
from pathlib import Path

from semeqv.engine.component import component


@component("ofa convert")
@dataclass(frozen=True, kw_only=True)
class Convert:
    """Turn a factorised model of OFA's authors into a folder that `--from` and `from_pretrained` open.

    Their RoBERTa and XLM-R models keep coordinates and primitives under names that transformers does not know
    (`embeddings.target_coordinates`, `lm_head.down_project`, ...); every tensor must have its place here, and every
    place its tensor. A folder with weights as safetensors whose `config.json` names their class is opened by `--from`
    as it is. After `import ofa`, `from_pretrained` opens what is written.

    Args:
        source: The folder: `config.json`, weights, and the tokenizer if there is one.
        output: The folder to write; it must not exist, or be empty.
        allow_pickle: Open weights that are a pickle, such as `pytorch_model.bin`: by torch's restricted unpickler,
            which runs no code.
    """

    source: str = field(metadata={"alias": "from"})
    output: Path
    allow_pickle: bool = False

    def build(self) -> None:
        """Convert, and write."""
        import click

        from ofa.conversion.published import published_model
        from semeqv.engine.folders import output_folder, refuse_existing
        from semeqv.text.models.opening import has_tokenizer, open_config, open_tokenizer, quiet
        from semeqv.text.models.source import config_folder

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
