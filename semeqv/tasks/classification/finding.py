"""Finds the files of a labelled corpus by their names."""

import re
from collections.abc import Sequence
from pathlib import Path

from semeqv.engine.errors import UserError
from semeqv.text.archives import is_archive, names
from semeqv.text.location import VARIABLE, data_folder, locate

PARTS: dict[str, tuple[str, ...]] = {  # how files name the parts of a corpus
    "train": ("train", "training"),
    "validation": ("dev", "val", "valid", "validation", "development", "devset", "testa"),
    "test": ("test", "testb", "testset", "devtest"),
}
COMPRESSION = re.compile(r"\.(xz|gz|bz2)$")


def find_files(
    path: Path | None,
    languages: Sequence[str],
    split: str | None,
    endings: Sequence[str],
    words: Sequence[str] = (),
) -> dict[str, Path]:
    """Find the file of each language.

    The words of a file's name, such as those of `en_ewt-ud-train.conllu.xz`, say which language and which part of a
    corpus it holds. In a folder without codes of languages in its names, a file may do without.

    Args:
        path: The file; or the folder or archive to search. All of $SEMEQV_DATA is searched if None.
        languages: Codes of languages, two or more letters.
        split: The part: train, validation or test; None for whichever there is.
        endings: How such files end: `.conllu`.
        words: What the name must say too, to tell corpora apart.

    Returns:
        By their names, one file for each language.

    Raises:
        UserError: When a language has none or several, or (from `locate`) there is no such path.
    """
    place = data_folder() if path is None else locate(str(path), path)
    if place is None:
        raise UserError(f"Say where the files are: by --path, or {VARIABLE} for the folder of all data.")
    if place.is_file() and not is_archive(place):
        return {place.name: place}
    if path is not None and not place.exists():  # a member of an archive
        return {place.name: place}
    there = [file for file in listed(place) if uncompressed_name(file).endswith(tuple(endings))]
    wanted = [word for each in words for word in words_of(each)]
    found = dict[str, Path]()
    for language in languages:
        spoken = [file for file in there if language.lower() in words_of(file.name)]
        if path is not None and len(languages) == 1:
            spoken = spoken or there
        fit = [file for file in spoken if set(wanted) <= set(words_of(file.name))]
        fit = [file for file in fit if split is None or set(PARTS[split]) & set(words_of(file.name))]
        if len(fit) != 1:
            raise UserError(fault(f"of {language!r}" + (f" for {split}" if split else ""), fit, spoken, endings, place))
        found[fit[0].name] = fit[0]
    return found


def listed(place: Path) -> list[Path]:
    """The files of a folder and of the folders in it, or of an archive."""
    if is_archive(place):
        return [place / name for name in names(place)]
    return sorted(file for pattern in ("*", "*/*") for file in place.glob(pattern) if file.is_file())


def uncompressed_name(file: Path) -> str:
    """The name of a file in small letters, without what says that it is compressed."""
    return COMPRESSION.sub("", file.name.lower())


def words_of(name: str) -> list[str]:
    """The words of a file's name: `en`, `ewt`, `ud`, `train`, `conllu`."""
    return re.split(r"[._-]+", name.lower())


def fault(which: str, fit: list[Path], spoken: list[Path], endings: Sequence[str], place: Path) -> str:
    """What to say when a language has no file, or several."""
    if fit:
        choice = ", ".join(str(file.relative_to(place)) for file in fit[:6])
        return f"{place} has several files {which}: {choice}. Name one by --path, or a word of its name by --treebank."
    there = (
        ", ".join(str(file.relative_to(place)) for file in spoken[:6]) or f"none that ends in {' or '.join(endings)}"
    )
    return f"{place} has no file {which}; of this language there is {there}. Name a file by --path."
