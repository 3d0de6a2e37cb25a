"""From the checkpoints of others to a folder that `from_pretrained` opens."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import component


@component("backpack convert")
@dataclass(frozen=True, kw_only=True)
class Convert:
    """Turn a Backpack or a GPT-2 that others trained into a folder that `--from` and `from_pretrained` open.

    Three layouts are known: `published`, that of stanfordnlp/backpack-gpt2; `flash`, the names of flash-attention's
    GPT, as in the `.ckpt` files of the paper's training; and `multilingual`, that of the French-English project, built
    like nanoGPT. Checkpoints without a sense network, such as the controls of both projects and nanoGPT's own, become
    an ordinary GPT-2. Prefixes of torch.compile, DistributedDataParallel and Lightning are left off. Every tensor must
    have its place, and every place its tensor. The tokenizer of the sentence, else the one beside the weights, is saved
    with the model.

    Args:
        source: The checkpoint: a file, or a folder with one file of weights.
        output: The folder to write; it must not exist, or be empty.
        layout: How the checkpoint is laid out; told by the names of its tensors if left out.
        allow_pickle: Open a pickle, such as `.ckpt`, `.pt` or `.bin`: by torch's restricted unpickler, which runs no
            code. Objects of other classes, such as the options of omegaconf, become plain data.
        heads: Attention heads of the trunk; what the checkpoint says (`model_args`, `hyper_parameters`, `config.json`)
            if left out. Shapes do not tell them.
        activation: Nonlinearity; what the checkpoint says if left out. A checkpoint that does not say it is taken to
            have gelu_new, and a line names what was taken; newer versions of nanoGPT have gelu.
        scale_attn_by_inverse_layer_idx: Whether layer i divides its attention scores by i, too; what the checkpoint
            says if left out, else as in the paper's training, so not in the multilingual layout.
        sense_scale: What the sum over senses is multiplied by; 1 / senses for a Backpack of Levanter. What the
            checkpoint says if left out, else 1.
    """

    source: str | None = field(default=None, metadata={"alias": "from"})
    output: Path
    layout: Literal["published", "flash", "multilingual"] | None = None
    allow_pickle: bool = False
    heads: int | None = None
    activation: str | None = None
    scale_attn_by_inverse_layer_idx: bool | None = None
    sense_scale: float | None = None

    def build(self, tokenizer: Any = None) -> None:
        """Convert, and write.

        Args:
            tokenizer: Of the sentence, if it has one.
        """
        import click

        from backpack.conversion.assembly import assembled
        from backpack.conversion.checkpoints import read_checkpoint
        from backpack.conversion.folders import save
        from semeqv.runs.files import refuse_existing
        from semeqv.tasks.inference import check_tokenizer
        from semeqv.text.models.opening import has_tokenizer, open_tokenizer

        refuse_existing(self.output)
        checkpoint = read_checkpoint(self.source, self.allow_pickle)
        said = {
            "n_head": self.heads,
            "activation_function": self.activation,
            "scale_attn_by_inverse_layer_idx": self.scale_attn_by_inverse_layer_idx,
            "sense_scale": self.sense_scale,
        }
        model = assembled(checkpoint, said, self.layout)
        if tokenizer is None and checkpoint.path.parent.joinpath("config.json").exists():
            folder = checkpoint.path.parent
            tokenizer = open_tokenizer(folder) if has_tokenizer(folder) else None
        if tokenizer is not None:
            check_tokenizer(model, tokenizer)
        save(model, tokenizer, self.output)
        count, config = sum(each.numel() for each in model.parameters()), model.config
        kind = f"{config.num_senses} senses" if config.model_type == "backpack" else "a GPT-2"
        click.echo(
            f"wrote {self.output}: {count / 1e6:.1f}M parameters, {kind}, {config.n_layer} layers, "
            f"{config.vocab_size} tokens{'' if tokenizer else ', no tokenizer'}"
        )
