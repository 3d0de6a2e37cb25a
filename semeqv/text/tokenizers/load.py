"""A tokenizer that is there already."""

from dataclasses import dataclass, field
from typing import Any

from semeqv.grammar.component import component


@component("tokenizer load")
@dataclass(frozen=True, kw_only=True)
class Load:
    """A tokenizer, from where it is.

    Args:
        source: A run folder or a checkpoint, a Hugging Face folder, a name on the hub, a `tokenizer.json`
            (compressed or not), or a folder with `vocab.json` and `merges.txt`.
    """

    source: str = field(metadata={"alias": "from"})

    def build(self) -> Any:
        """The tokenizer, a fast one of transformers."""
        from semeqv.text.tokenizers.files import opened

        return opened(self.source)
