"""What makes an encoder one of sentences: the modules of sentence-transformers that follow it.

A model folder is written by its model and its tokenizer, which say everything of themselves anew (config.json,
generation_config.json, templates). What neither of them knows is how the states of a text become its embedding, which
has nothing to do with the vocabulary: `modules.json`, the folders that it names, and the configurations of
sentence-transformers. These are taken over; whatever else lies in the old folder (a model card, code, weights in other
formats) is about the old model and is not.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text

MODULES, SETTINGS = "modules.json", "config_sentence_transformers.json"
ENCODER = "sentence_*_config.json"  # the longest text, by default in sentence_bert_config.json
STATELESS = ("Normalize", "Dropout")  # whose folders are empty, and not kept by git
OWN_VOCABULARY = ("BoW", "SparseStaticEmbedding", "SpladePooling", "StaticEmbedding", "WordEmbeddings", "WordWeights")


def modules_of(folder: Path) -> list[dict[str, Any]]:
    """Find the modules that follow the encoder of a folder.

    Args:
        folder: Of a model.

    Returns:
        What `modules.json` says of each, that of the encoder first; none where there is no such file.

    Raises:
        UserError: When it says nothing that is understood, names a folder that is not there, or a module with a
            vocabulary of its own.
    """
    path = folder / MODULES
    if not path.is_file():
        return []
    modules: list[dict[str, Any]] = read_json(path, list)
    try:
        places = {str(each["path"]): str(each["type"]).rpartition(".")[2] for each in modules}
    except (TypeError, KeyError):
        raise UserError(f"{path} is no list of modules with a path and a type.") from None
    for file in settings_of(folder):
        read_json(file, dict)
    for place, kind in places.items():
        if kind in OWN_VOCABULARY:
            raise UserError(
                f"{folder} has the module {kind}, which is made for the old tokens; take it out of {MODULES}."
            )
        if place and (Path(place).name != place or place in (".", "..")):
            raise UserError(f"{path} names {place!r}, which is no folder beside it.")
        if place and kind not in STATELESS and not (folder / place).is_dir():
            raise UserError(
                f"{folder} has no {place}, the {kind} of its {MODULES}. From the hub, all of a model is had by: "
                "hf download NAME --local-dir FOLDER"
            )
    return modules


def keep_modules(source: Path, folder: Path) -> None:
    """Take over what makes an encoder one of sentences; nothing is done where it is none.

    Args:
        source: The folder of the old model.
        folder: That of the new one, which model and tokenizer are in. `UserError` is raised as in `modules_of`.
    """
    modules = modules_of(source)
    if not modules:
        return
    write_text(folder / MODULES, json.dumps(modules, indent=2) + "\n")
    for file in settings_of(source):
        settings = read_json(file, dict)
        settings.pop("do_lower_case", None)  # how the old tokenizer wanted its text; the new one says it itself
        write_text(folder / file.name, json.dumps(settings, indent=2) + "\n")
    for place in (each["path"] for each in modules if each["path"]):
        if (source / place).is_dir():
            shutil.copytree(source / place, folder / place)
        else:
            (folder / place).mkdir()


def settings_of(folder: Path) -> list[Path]:
    """Return the configurations of sentence-transformers in a folder, beside that of the model."""
    return [file for file in (*sorted(folder.glob(ENCODER)), folder / SETTINGS) if file.is_file()]


def read_json(path: Path, kind: type) -> Any:
    """Read a JSON file; `UserError` when it cannot be read, or holds something else than a list or an object."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read ({type(error).__name__}).") from error
    if not isinstance(content, kind):
        raise UserError(f"{path} holds no JSON {'list' if kind is list else 'object'}.")
    return content
