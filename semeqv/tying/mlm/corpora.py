"""The corpora that `semeqv.text` reads, each with doubles of its common words."""

from dataclasses import dataclass
from typing import Any, ClassVar

from semeqv.babel import dataset as babel
from semeqv.grammar.component import alias, component
from semeqv.text.datasets import europarl, multiun
from semeqv.text.datasets import monolingual as single
from semeqv.text.datasets import parallel as moses
from semeqv.tying.mlm.datasets import Doubled


@component("mlm dataset babel")
@dataclass(frozen=True, kw_only=True)
class Babel(Doubled, babel.Babel):
    """Generated documents in an invented language, common words with doubles; nothing is downloaded."""

    languages: tuple[str, ...] = ("lume",)


@component("mlm dataset europarl")
@dataclass(frozen=True, kw_only=True)
class Europarl(Doubled, europarl.Europarl):
    """Proceedings of the European Parliament (Koehn, 2005), common words with doubles; see `cli dataset europarl`."""

    languages: tuple[str, ...] = ("en",)


@component("mlm dataset multiun")
@dataclass(frozen=True, kw_only=True)
class MultiUn(Doubled, multiun.MultiUn):
    """Documents of the United Nations (Eisele & Chen, 2010), common words with doubles; see `cli dataset multiun`."""

    languages: tuple[str, ...] = ("en",)


@component("mlm dataset moses")
@dataclass(frozen=True, kw_only=True)
class Moses(Doubled, moses.Moses):
    """Sentences, a file for each language, common words with doubles; see `cli dataset moses`."""

    languages: tuple[str, ...] = ("en",)


@component("mlm dataset plain")
@dataclass(frozen=True, kw_only=True)
class Plain(Doubled, single.Plain):
    """A file of plain text, common words with doubles; see `cli dataset plain`."""


@component("mlm dataset jsonl")
@dataclass(frozen=True, kw_only=True)
class Jsonl(Doubled, single.Jsonl):
    """A file with a JSON object on each line, common words with doubles; see `cli dataset jsonl`."""


@component("mlm dataset tsv")
@dataclass(frozen=True, kw_only=True)
class Tsv(Doubled, single.Tsv):
    """A table with columns set apart by tabs, common words with doubles; see `cli dataset tsv`."""


@component("mlm dataset wikitext2")
@dataclass(frozen=True, kw_only=True)
class WikiText2(Doubled, single.WikiText2):
    """WikiText-2 (Merity et al., 2017), common words with doubles; see `cli dataset wikitext2`."""


@component("mlm dataset hub")
@dataclass(frozen=True, kw_only=True)
class Hub(Doubled, single.Hub):
    """A data set of the Hugging Face hub, common words with doubles: `--of bookcorpus/bookcorpus`."""


@component("mlm dataset default")
@dataclass(frozen=True, kw_only=True)
class Default(Doubled, single.Hub):
    """The text of the study's original code: BookCorpus (Zhu et al., 2015), split by the tokenizer of BERT.

    It is `cli mlm dataset hub --of bookcorpus/bookcorpus`, a tenth of it for validation and a tenth for test, and is
    fetched from the hub, as the tokenizer is. Without a connection write `cli mlm dataset europarl`, or `--of FOLDER`.

    Args:
        of: The data set.
        tokenizer: The tokenizer, where the sentence has no `cli tokenizer`: a folder, or a name on the hub.
    """

    obsolete: ClassVar[dict[str, str]] = {
        "--map_batch_size": "text is read as a stream.",
        "--drop_last": "rows that fill no batch come in another epoch's order, and validation reads all rows.",
    }

    of: str = "bookcorpus/bookcorpus"
    tokenizer: str = "google-bert/bert-base-uncased"
    holdout: float = 0.1
    mask_probability: float = alias("mlm_prb", 0.15)
    swap: float = alias("swp_prb", 0.5)

    def provide_tokenizer(self) -> Any:
        """Open the tokenizer, for a sentence that says none.

        Returns:
            The tokenizer.

        Raises:
            UserError: When it is not here and cannot be had.
        """
        from semeqv.runs.errors import UserError
        from semeqv.text.tokenizers.files import opened

        try:
            return opened(self.tokenizer)
        except UserError as error:
            said = str(error).removeprefix(f"--from {self.tokenizer}: ")
            raise UserError(
                f"The tokenizer {self.tokenizer} of `cli mlm dataset default`: {said} Name a folder with --tokenizer, "
                "or train one: cli tokenizer wordpiece --lowercase"
            ) from error
