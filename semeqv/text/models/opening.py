"""Opens models and tokenizers of transformers, wherever they are; see `source` for what may be opened."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from semeqv.lazy import transformers
from semeqv.runs.errors import UserError
from semeqv.text.models import families
from semeqv.text.models.embeddings import record_tying, set_tying
from semeqv.text.models.source import config_folder, model_folder, read_config, tensor_names

CAUSAL, MASKED = "AutoModelForCausalLM", "AutoModelForMaskedLM"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.*", "*.model", "*.tiktoken")
WRAPPED = re.compile(r"(^|\.)_orig_mod\.")  # how torch.compile names the weights of what it compiles
WRAPPERS = {r"^_orig_mod\.": "", r"\._orig_mod\.": ".", r"^module\.": ""}  # what DDP compiles, or compile wraps
OPENED = ("is_local", "local_files_only", "trust_remote_code")  # what transformers would save of how it was opened
OURS = {"trust_remote_code": False, "local_files_only": True}


def open_model(
    source: str | Path | None, auto: str | None = None, *, dtype: str = "float32", tie: bool | None = None
) -> Any:
    """Open a model; `UserError` when it cannot be opened, or not as what `auto` says.

    Args:
        source: What `--from` names (see `model_folder`).
        auto: The Auto class of transformers to open it with; the one of the architecture in its configuration if
            left out.
        dtype: Numbers that the weights are kept in, such as float32; `auto` for those that they were saved in.
        tie: Whether the output embedding shall be the input embedding; as it was saved if None.

    Returns:
        A `PreTrainedModel`; its `config` tells how the embeddings are tied, its `source` what was named. Weights that
        the folder lacks, such as those of a new head, are drawn anew and named on stderr.
    """
    folder = model_folder(source)
    config = open_config(folder)
    kind = architecture(config, folder) if auto is None else fitting(config, auto, folder)
    model = load_weights(kind, folder, config, source, dtype=dtype)
    if model.new_weights:
        click.echo(
            f"{source} has no {listed(model.new_weights)}: {len(model.new_weights)} weights of {type(model).__name__} "
            "start anew.",
            err=True,
        )
    if tie is None:
        record_tying(model)
    else:
        set_tying(model, tie)
    model.source = str(source)
    return ready(model)


def load_weights(kind: Any, folder: Path, config: transformers.PreTrainedConfig, source: Any, **options: Any) -> Any:
    """Load a model of a class from a folder, whose tensors may have the names that wrappers give them.

    Args:
        kind: The class, or an Auto class.
        folder: Its weights.
        config: Its configuration.
        source: What was named, for messages.
        **options: What else to tell `from_pretrained`.

    Returns:
        The model; its `new_weights` are the names of those that the folder lacks, which are drawn anew: of a head, or
        of a pooler.

    Raises:
        UserError: When the folder lacks weights of what is below the head: the model would be a random one.
    """
    names = tensor_names(folder)
    renaming = {"key_mapping": WRAPPERS} if any(WRAPPED.search(name) for name in names) else {}
    if all(name.startswith("module.") for name in names):
        renaming = {"key_mapping": {r"^module\.": ""} | WRAPPERS}
    with one_line(source), quiet():
        model, said = kind.from_pretrained(
            folder, config=config, use_safetensors=True, output_loading_info=True, **renaming, **options, **OURS
        )
    mismatched = {each[0] for each in said["mismatched_keys"]}
    missing = sorted({*said["missing_keys"], *mismatched})
    body = {id(parameter) for parameter in model.base_model.parameters()}
    inside = [name for name, parameter in model.named_parameters() if id(parameter) in body and "pooler" not in name]
    if lacking := [name for name in inside if name in missing]:
        why = "of other sizes" if set(lacking) <= mismatched else "missing"
        raise UserError(
            f"{source} does not hold a {type(model.base_model).__name__}: {len(lacking)} of its {len(inside)} weights "
            f"are {why} ({listed(lacking)}); the folder has {listed(names)}."
        )
    model.new_weights = missing
    return model


def listed(names: Sequence[str]) -> str:
    """Write the first of some names."""
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def open_tokenizer(source: str | Path | None) -> transformers.PreTrainedTokenizerBase:
    """Open a tokenizer.

    Args:
        source: What `--from` names (see `config_folder`).

    Returns:
        The tokenizer of the model's folder.

    Raises:
        UserError: When there is none, or it needs code of its own.
    """
    folder = config_folder(source)
    if not has_tokenizer(folder):
        raise UserError(f"{source} has no tokenizer. Add: cli tokenizer ...")
    open_config(folder)
    with one_line(source), quiet():
        return folder_tokenizer(folder)


def folder_tokenizer(folder: Path, kind: Any = None) -> transformers.PreTrainedTokenizerBase:
    """Open the tokenizer of a folder; what it is saved as says nothing of how it was opened.

    Args:
        folder: With the files of a tokenizer.
        kind: Its class; the Auto class if None.

    Returns:
        The tokenizer.
    """
    found = (kind or transformers.AutoTokenizer).from_pretrained(folder, **OURS)
    for name in OPENED:
        found.init_kwargs.pop(name, None)
    return found  # type: ignore[no-any-return]


def check_rows(model: Any, tokenizer: Any, source: Any) -> None:
    """Refuse a tokenizer with more tokens than a model has rows for.

    Args:
        model: Has input embeddings.
        tokenizer: Of the run.
        source: What the model was opened from, for the message.

    Raises:
        UserError: When it has more.
    """
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise UserError(
            f"The tokenizer has {len(tokenizer)} tokens, {source} knows {rows}; take the one that it was trained with, "
            f"or give new tokens rows: cli ofa init mean --from {source} --target_tokenizer TOKENIZER --output FOLDER"
        )


def has_tokenizer(source: str | Path | None) -> bool:
    """Whether there is a tokenizer beside a model's configuration; raises as `config_folder` does."""
    folder = config_folder(source)
    return any(any(folder.glob(pattern)) for pattern in TOKENIZER)


def open_config(folder: Path) -> transformers.PreTrainedConfig:
    """The configuration of a folder, of a kind that transformers or an installed package knows.

    Args:
        folder: A folder with `config.json`.

    Returns:
        The configuration.

    Raises:
        UserError: When its kind is unknown, or would need code that comes with the model.
    """
    said = read_config(folder)
    kind = said.get("model_type")
    families.know(kind)
    if kind not in transformers.CONFIG_MAPPING:
        own = "needs code that comes with it, which is never run here" if "auto_map" in said else "is of a kind unknown"
        raise UserError(f"{folder} {own} (model_type {kind!r}).")
    with one_line(folder), quiet():
        return transformers.AutoConfig.from_pretrained(folder, **OURS)


def architecture(config: transformers.PreTrainedConfig, folder: Path) -> type[transformers.PreTrainedModel]:
    """The class that a configuration names.

    Args:
        config: Its `architectures` name the class that was saved.
        folder: Where it is, for the message.

    Returns:
        A class that one of the Auto classes knows for such a configuration, or one with a head of ours.

    Raises:
        UserError: When it names none that is known.
    """
    if strange := families.marked(config):
        return strange  # type: ignore[no-any-return]
    names = config.architectures or []
    if ours := next((kind for name in names if (kind := families.headed(name, config))), None):
        return ours  # type: ignore[no-any-return]
    for auto in vars(transformers.models.auto.modeling_auto).values():
        # Asking a mapping whether it is empty imports the configurations of all models.
        if inspect.isclass(auto) and getattr(auto, "_model_mapping", None) is not None:
            for kind in classes(auto, config):
                if kind.__name__ in names:
                    return kind
    said = f"the architecture {names[0]}, which is unknown" if names else "no architecture"
    raise UserError(f"{folder} names {said}; say what it is: cli model causal-lm or masked-lm --from {folder}.")


def fitting(config: transformers.PreTrainedConfig, auto: str, folder: Path) -> Any:
    """An Auto class that knows a configuration.

    Args:
        config: The configuration.
        auto: The name of the class.
        folder: Where it is, for the message.

    Returns:
        The class.

    Raises:
        UserError: When it does not know it, or a model that sees all words should predict the next one.
    """
    if auto == MASKED and (strange := families.marked(config)):
        return strange
    kind = getattr(transformers, auto)
    purpose = "causal-lm" if auto == CAUSAL else "masked-lm"
    encoder = bool(classes(getattr(transformers, MASKED), config)) and getattr(config, "is_decoder", None) is False
    if auto == CAUSAL and encoder:
        raise UserError(
            f"{folder} is an encoder ({config.model_type}), which sees the words it would have to predict; "
            "write: cli model masked-lm"
        )
    if not classes(kind, config):
        raise UserError(
            f"{folder} is of the kind {config.model_type}, of which there is no {purpose}; write: cli model load"
        )
    return kind


def classes(auto: Any, config: transformers.PreTrainedConfig) -> tuple[type[Any], ...]:
    """The classes that an Auto class knows for a configuration, none when it knows none."""
    try:
        found = auto._model_mapping[type(config)]
    except KeyError:
        return ()
    return tuple(found) if isinstance(found, list | tuple) else (found,)


def ready(model: transformers.PreTrainedModel) -> transformers.PreTrainedModel:
    """Say of a model what others ask it.

    Args:
        model: Any.

    Returns:
        The same; its configuration names its class, and `predicts_next` is there and true when its logits are about
        the next token.
    """
    model.config.architectures = [type(model).__name__]
    if type(model) in classes(transformers.AutoModelForCausalLM, model.config):
        model.predicts_next = True
        model.loss_type = model.loss_type or "ForCausalLM"  # transformers does not know it for GPT2LMHeadModel
    return model


@contextmanager
def one_line(source: Any) -> Iterator[None]:
    """Turn what goes wrong while a folder is opened, which every format does in ways of its own, into one line."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"{source} cannot be opened: {said}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Let transformers be silent: what matters is said by whoever opens the model."""
    level, bars = transformers.utils.logging.get_verbosity(), transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.set_verbosity(transformers.utils.logging.CRITICAL)
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.utils.logging.set_verbosity(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()


OPENING = ("--from ", "Say which model: --from ")  # how errors of `source` begin


@contextmanager
def named(option: str) -> Iterator[None]:
    """Let what goes wrong while a model or tokenizer is opened name its option, where that is not `--from`.

    Args:
        option: The option, such as `--target_tokenizer`.

    Yields:
        Nothing.

    Raises:
        UserError: The same error, with the option in place of `--from` before what was named.
    """
    try:
        yield
    except UserError as error:
        said = str(error)
        raise UserError(said.replace("--from", option, 1) if said.startswith(OPENING) else said) from error
