"""`cli crosslingual distances`."""

from dataclasses import dataclass
from pathlib import Path

from semeqv.grammar.component import component


@component("crosslingual distances")
@dataclass(frozen=True, kw_only=True)
class Distances:
    """Write how far languages are from one, by the features of URIEL (Littell et al., 2017, ACL Anthology E17-2002).

    A distance is one less the cosine of the features of two languages: of syntax, phonology, the inventory of sounds,
    and the families that they are of. Needs `lang2vec`: pip install -e '.[distances]'.

    Args:
        source: The language that distances are from, by its code of two or three letters.
        languages: The others.
        output: The file: a table with tabs, which `cli crosslingual report --distances` reads.
    """

    source: str = "en"
    languages: tuple[str, ...] = ("de", "es", "fr", "ru", "hi", "zh")
    output: Path

    def build(self) -> None:
        """Compute, print, and write."""
        import click

        from crosslingual.sweeps_distances import FEATURES, uriel_distances
        from semeqv.runs.files import write_text

        columns = ["language", *FEATURES]
        rows = [[str(row[name]) for name in columns] for row in uriel_distances(self.source, self.languages)]
        said = (
            f"# One less the cosine to {self.source} in the features of URIEL (Littell et al., 2017; CC BY-SA 4.0).\n"
        )
        text = said + "".join("\t".join(row) + "\n" for row in [columns, *rows])
        write_text(self.output, text)
        click.echo(f"{text}wrote {self.output}")
