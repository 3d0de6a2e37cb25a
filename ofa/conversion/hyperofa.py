"""What the code of HyperOFA's authors has written (github.com/enesozeren/hyper-ofa): networks and predictions.

Their coordinates are those of numpy's singular value decomposition, ours the same up to the sign of each column, which
no decomposition determines. What they trained or predicted is turned to our signs by comparing the two coordinates of
the old subwords, `source_matrix.npy` and those of the mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ofa.conversion.matrices import read_array, read_weights, unpickled
from ofa.hypernetwork.config_file import NETWORK, TRAINING, read_config
from ofa.hypernetwork.folder import MappingFolder
from ofa.hypernetwork.networks import Hypernetwork, HypernetworkConfig
from ofa.hypernetwork.predict import FACTS, degrees_of, write_tensors
from semeqv.lazy import numpy, torch
from semeqv.runs.errors import UserError

NAMES = {"lstm.": "network.lstm.", "encoder_block.": "network.encoder.", "linear_output_layers.": "network.head."}
VECTORS = "word_vector_emb_layer.weight"
ALIKE = 0.99  # the cosine of two columns that are one


def is_hypernetwork(weights: Mapping[str, Any]) -> bool:
    """Return whether tensors have the names of a network of HyperOFA."""
    return any(name.startswith(tuple(NAMES)) for name in weights)


def signs(folder: MappingFolder, path: Path) -> torch.Tensor:
    """Compute by which signs their coordinates differ from ours.

    Args:
        folder: The mapping, with our coordinates of the old subwords.
        path: Theirs, `source_matrix.npy`.

    Returns:
        1 or -1 for each column, `(kept,)`.

    Raises:
        UserError: When they are not the coordinates of the same embedding.
    """
    ours, theirs = folder.coordinates, torch.from_numpy(read_array(path))
    if ours.shape != theirs.shape:
        raise UserError(f"{path} is {tuple(theirs.shape)}, the coordinates of the mapping are {tuple(ours.shape)}.")
    cosines = torch.nn.functional.cosine_similarity(ours, theirs, dim=0)
    if bool((cosines.abs() < ALIKE).any()):
        raise UserError(f"{path} holds coordinates of another embedding than that of the mapping.")
    return cosines.sign()


def hypernetwork(path: Path, folder: MappingFolder, turn: torch.Tensor, config: Path | None, allow_pickle: bool) -> Any:
    """Open a network of HyperOFA.

    Args:
        path: The checkpoint of Lightning, or its tensors as safetensors.
        folder: The mapping of the same word vectors and the same model.
        turn: `signs`.
        config: `model_config.yaml`, which says what shapes do not.
        allow_pickle: Whether the checkpoint may be opened, which is a pickle.

    Returns:
        A `Hypernetwork` whose predictions have our signs. It does not know on which subwords it was trained.

    Raises:
        UserError: When it is none, was trained on other word vectors or another width, or heads are not known.
    """
    weights = read_weights(path, allow_pickle)
    if not is_hypernetwork(weights):
        raise UserError(f"{path} is no hypernetwork of HyperOFA: it has {', '.join(list(weights)[:3])}.")
    refuse_other_vectors(path, weights.pop(VECTORS, None), folder)
    try:
        settings = read_config(config) if config is not None else {}
    except ValueError as error:
        raise UserError(str(error)) from error
    tensors = {
        ours + name.removeprefix(theirs): tensor
        for name, tensor in weights.items()
        for theirs, ours in NAMES.items()
        if name.startswith(theirs)
    }
    if left := sorted(name for name in weights if not name.startswith(tuple(NAMES))):
        raise UserError(f"{path} has {left[0]}, which the networks of HyperOFA's paper have not.")
    lstm = "network.lstm.weight_hh_l0" in tensors
    heads = settings.get((NETWORK, "num_heads"))
    if not lstm and heads is None:
        raise UserError(f"{path} does not say its attention heads; add: --hypernetwork_config_path model_config.yaml")
    layers = {
        name.split("_l")[-1].split("_")[0] if lstm else name.split(".")[3] for name in tensors if ".head." not in name
    }
    try:
        inner, kept = tensors["network.head.0.weight"].shape[0], tensors["network.head.3.weight"].shape[0]
        hidden = tensors["network.lstm.weight_hh_l0"].shape[1] if lstm else inner
        width = tensors["network.lstm.weight_ih_l0"].shape[1] if lstm else tensors["network.head.0.weight"].shape[1]
    except KeyError as error:
        raise UserError(f"{path} has nothing for {error.args[0]}.") from None
    if kept != folder.coordinates.shape[1]:
        raise UserError(
            f"{path} predicts {kept} numbers; the coordinates of the mapping have {folder.coordinates.shape[1]}."
        )
    model = Hypernetwork(
        HypernetworkConfig(
            network="bilstm" if lstm else "setformer",
            width=width,
            kept=kept,
            hidden_size=hidden,
            num_hidden_layers=len(layers),
            num_attention_heads=heads or 1,
            activation="relu",
            dropout=settings.get((NETWORK, "dropout"), 0.4),
            contrast=settings.get((TRAINING, "loss_lambd"), 0.1),
            contrast_temperature=settings.get((TRAINING, "contrastive_temp"), 0.5),
            mapping_hash=folder.fingerprint,
            split_seed=-1,
        )
    )
    for name in ("network.head.3.weight", "network.head.3.bias"):
        tensors[name] = tensors[name] * (turn[:, None] if name.endswith("weight") else turn)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reasons = str(error).strip().splitlines()
        raise UserError(f"{path} does not fit: {reasons[-1].strip()}") from error
    return model


def refuse_other_vectors(path: Path, vectors: torch.Tensor | None, folder: MappingFolder) -> None:
    """Compare the word vectors of a network, whose last row is one of zeros, with those of the mapping."""
    ours = torch.from_numpy(folder.vectors)
    if vectors is not None and (
        vectors[:-1].shape != ours.shape or not torch.allclose(vectors[:-1], ours, rtol=1e-3, atol=1e-5)
    ):
        raise UserError(f"{path} was trained on other word vectors than those of the mapping, or in another order.")


def write_predictions(path: Path, folder: MappingFolder, turn: torch.Tensor, output: Path) -> int:
    """Write what HyperOFA's code has predicted, `prediction_dict.pkl`, as `cli ofa init hyperofa` reads it.

    Args:
        path: The pickle: coordinates by the ids of new tokens.
        folder: The mapping of the same tokenizers and the same model.
        turn: `signs`.
        output: The file to write, safetensors.

    Returns:
        How many tokens are predicted.

    Raises:
        UserError: When it holds something else, or cannot be written.
    """
    predictions = unpickled(path)
    rows, kept = len(folder.target.degree), folder.coordinates.shape[1]
    fits = isinstance(predictions, dict) and predictions
    if not fits or not all(isinstance(each, int | numpy.integer) and 0 <= each < rows for each in predictions):
        raise UserError(f"{path} holds no predictions by the ids of the {rows:,} new tokens.")
    if not all(isinstance(each, numpy.ndarray) and each.shape == (kept,) for each in predictions.values()):
        raise UserError(f"{path} should hold {kept} numbers for each token.")
    subwords = numpy.array(sorted(predictions), numpy.int64)
    coordinates = torch.from_numpy(numpy.stack([predictions[each] for each in subwords.tolist()]).astype(numpy.float32))
    tensors = {"subwords": torch.from_numpy(subwords), "coordinates": coordinates * turn, **degrees_of(folder)}
    write_tensors(output, tensors, {name: str(folder.facts[name]) for name in FACTS})
    return len(subwords)
