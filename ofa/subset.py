"""A part of Glot500-c, or of another corpus with a configuration for each language, as an action."""

from dataclasses import dataclass
from pathlib import Path

from semeqv.grammar.component import check_bounds, component


@component("ofa subset")
@dataclass(frozen=True, kw_only=True)
class Subset:
    """Fetch so many sentences of each of some languages from the hub, as they stream by, into one file.

    By default of Glot500-c (ImaniGooghari et al., 2023, arXiv 2305.12182), on which OFA and HyperOFA go on with masked
    LM. The file has a JSON object a line, `{"language": ..., "row": ..., "text": ...}`, and is read by `cli dataset
    jsonl`. What was interrupted goes on where it was; a file that is whole is left as it is. Needs `pip install
    -e '.[data]'`.

    Args:
        languages: Configurations of the data set, such as `eng_Latn swh_Latn`.
        path: The file.
        sentences: Of each language; 0 for all. Blank ones do not count.
        of: The data set.
        field: The field that holds the text.
        part: The part of it to read.
        revision: A commit, for results that can be repeated.
    """

    languages: tuple[str, ...]
    path: Path = Path("subset.jsonl")
    sentences: int = 10_000
    of: str = "cis-lmu/Glot500"
    field: str = "text"
    part: str = "train"
    revision: str | None = None

    def __post_init__(self) -> None:
        check_bounds(self, sentences=0)
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("--languages names one language twice.")

    def build(self) -> None:
        """Fetch the sentences."""
        from ofa.fetching import fetch

        fetch(self)
