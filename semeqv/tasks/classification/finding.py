"""Find the files of a labelled corpus by their names."""

import re
from collections.abc import Sequence
from pathlib import Path

from semeqv.runs.errors import UserError
from semeqv.runs.notices import notice_once
from semeqv.text.archives import is_archive, names
from semeqv.text.languages import CODE, canonical, known, languages_of
from semeqv.text.location import VARIABLE, data_folder, locate

PARTS: dict[str, tuple[str, ...]] = {  # how files name the parts of a corpus
    "train": ("train", "training"),
    "validation": ("dev", "val", "valid", "validation", "development", "devset", "testa"),
    "test": ("test", "testb", "testset", "devtest"),
}
COMPRESSION = re.compile(r"\.(xz|gz|bz2|zst)$")


def find_files(
    path: Path | None,
    languages: Sequence[str],
    split: str | None,
    endings: Sequence[str],
    words: Sequence[str] = (),
) -> dict[str, Path]:
    """Find the file of each language.

    The words of a file's name, such as those of `en_ewt-ud-train.conllu.xz`, say which language and which part of a
    corpus it holds; a folder called by a language says it of its files, `en/train`. Where one language is asked for, a
    file whose name says none will do.

    Args:
        path: The file; or the folder or archive to search. All of $SEMEQV_DATA is searched if None.
        languages: Codes of languages, two or more letters.
        split: The part: train, validation or test; None for whichever there is.
        endings: How such files end: `.conllu`; an empty one stands for names without an ending, `train`.
        words: What the name must say too, to tell corpora apart.

    Returns:
        By their names, one file for each language.

    Raises:
        UserError: When a language has none or several, or (from `locate`) there is no such path.
    """
    place = data_folder() if path is None else locate(str(path), path)
    if place is None:
        raise UserError(f"Say where the files are: by --path, or {VARIABLE} for the folder of all data.")
    if (place.is_file() and not is_archive(place)) or (path is not None and not place.exists()):  # or a member
        named = languages_of(place.name)
        if named and named.isdisjoint(map(canonical, languages)):
            notice_once(
                f"{place} is read as {' '.join(languages)!r}, though its name says {' '.join(sorted(named))!r}."
            )
        return {place.name: place}
    candidates = [file for file in files_in(place) if ends_as(file, endings, named=path is not None)]
    wanted = {word for each in words for word in words_of(each)}
    files = dict[str, Path]()
    for language in languages:
        in_language = [file for file in candidates if is_of_language(file, place, language)]
        if (
            not in_language
            and path is not None
            and len(languages) == 1
            and own_languages(place) <= {canonical(language)}
        ):
            in_language = [file for file in candidates if not languages_said(file, place)]
        matching = [file for file in in_language if wanted <= set(words_of(file.name))]
        matching = [file for file in matching if split is None or set(PARTS[split]) & set(words_of(file.name))]
        if len(matching) != 1:
            part = f"of {language!r}" + (f" for {split}" if split else "")
            raise UserError(missing_message(part, matching, in_language, place, endings=endings, candidates=candidates))
        name = matching[0].name
        files[name if "." in name and name not in files else f"{matching[0].parent.name}/{name}"] = matching[0]
    return files


def ends_as(file: Path, endings: Sequence[str], named: bool) -> bool:
    """Return whether a file has one of some endings; in a folder that the user names, none if its name is its part."""
    name = uncompressed_name(file)
    if "." not in name:
        return named and "" in endings and any(set(part) & set(words_of(name)) for part in PARTS.values())
    return name.endswith(tuple(each for each in endings if each))


def is_of_language(file: Path, place: Path, language: str) -> bool:
    """Return whether a file is of a language, as its name or the folder that it is in says."""
    return language.lower() in words_of(file.name) or canonical(language) in languages_said(file, place)


def languages_said(file: Path, place: Path) -> set[str]:
    """Return the languages that the name of a file says, else those that name the folders between it and a place."""
    parents = (parent.name for parent in file.parents if parent != place and parent.is_relative_to(place))
    return languages_of(file.name) or {canonical(name) for name in parents if CODE.fullmatch(name) and known(name)}


def own_languages(place: Path) -> set[str]:
    """Return the language that a folder itself says: by its whole name, `de`, or at its end, `ud_train_de`."""
    return languages_of(f"_{place.name}") | ({canonical(place.name)} if known(place.name) else set())


def files_in(place: Path) -> list[Path]:
    """Return the files of a folder and of the folders in it, or of an archive."""
    if is_archive(place):
        return [place / name for name in names(place)]
    return sorted(file for pattern in ("*", "*/*") for file in place.glob(pattern) if file.is_file())


def uncompressed_name(file: Path) -> str:
    """Return the name of a file in small letters, without what says that it is compressed."""
    return COMPRESSION.sub("", file.name.lower())


def words_of(name: str) -> list[str]:
    """Return the words of a file's name: `en`, `ewt`, `ud`, `train`, `conllu`."""
    return re.split(r"[._-]+", name.lower())


def missing_message(
    part: str,
    matching: list[Path],
    in_language: list[Path],
    place: Path,
    *,
    endings: Sequence[str],
    candidates: list[Path],
) -> str:
    """Return what to say when a language has no file, or several."""
    if matching:
        choice = ", ".join(str(file.relative_to(place)) for file in matching[:6])
        return f"{place} has several files {part}: {choice}. Name one by --path, or a word of its name by --treebank."
    others = sorted(
        {language for file in candidates for language in languages_said(file, place)} | own_languages(place)
    )
    if in_language or not others:
        ends = " or ".join(each for each in endings if each)
        some = ", ".join(str(file.relative_to(place)) for file in in_language[:6]) or f"none that ends in {ends}"
        return f"{place} has no file {part}; of this language there is {some}. Name a file by --path."
    return (
        f"{place} has no file {part}; its files are of {', '.join(others[:12])}. Say one of these by --languages, or "
        "name a file by --path."
    )
