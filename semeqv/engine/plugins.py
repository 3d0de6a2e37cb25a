"""Finds the plugins: modules that open words of the grammar and name the modules of their components.

A plugin is a module with a function `register(chain)`. Installed packages name theirs in the entry-point group
`semeqv.plugins`; the core's own commands arrive the same way, and from `BUILT_IN` when nothing is installed.
"""

import importlib
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from click import version_option

import semeqv
from semeqv.engine.chain import Chain
from semeqv.engine.notices import warning

BUILT_IN = (
    "semeqv.engine.plugin",
    "semeqv.figures.plugin",
    "semeqv.problem.plugin",
    "semeqv.text.plugin",
    "semeqv.problem.xor.plugin",
    "semeqv.text.babel.plugin",
    "semeqv.problem.foundation.plugin",
    "semeqv.text.models.plugin",
    "semeqv.tasks.measures.plugin",
    "semeqv.problem.mlm.plugin",
    "semeqv.tasks.classification.plugin",
    "semeqv.tasks.parsing.plugin",
    "semeqv.tasks.question_answering.plugin",
    "semeqv.tasks.inflection.plugin",
    "semeqv.tasks.scores.plugin",
    "backpack.plugin",
    "ofa.plugin",
    "crosslingual.plugin",
)


loading = False  # whether packages are imported for their words alone, and should be quick about it


def command() -> Chain:
    """The root command, with the words of every plugin; one that fails is named, and the others go on."""
    from semeqv.engine.build import run
    from semeqv.engine.settings import Settings

    chain = Chain(Settings, run)
    chain.name = "semeqv"
    load(chain)
    version_option(semeqv.__version__, message="%(prog)s %(version)s")(chain)
    return chain


def load(chain: Chain) -> None:
    """Let every plugin register its words; see `command`."""
    global loading  # noqa: PLW0603 - what a package's __init__ asks
    loading = True
    try:
        register(chain)
    finally:
        loading = False


def register(chain: Chain) -> None:
    """Import the plugins, and let them register."""
    found = dict.fromkeys([*BUILT_IN, *sorted(point.value for point in entry_points(group="semeqv.plugins"))])
    for name in found:
        if name in BUILT_IN and not name.startswith("semeqv.") and (path := stranger(name.partition(".")[0])):
            warning(
                f"{path} is not of semeqv but of another package of that name, so that `cli {path.parent.name}` is "
                "missing here. Remove it (pip uninstall backpack-for-pytorch, pip uninstall ofa) and install semeqv "
                "again, or give semeqv a virtual environment of its own."
            )
            continue
        try:
            importlib.import_module(name).register(chain)
        except Exception as error:
            if name in BUILT_IN:
                raise
            warning(f"The plugin {name} cannot be loaded: {type(error).__name__}: {error}")


def stranger(package: str) -> Path | None:
    """Return the file of a package that has the name of one of ours, when that is what would be imported; else None.

    `backpack` and `ofa` are also the names of packages on the index (backpack-for-pytorch, ofa). Nothing is imported.

    Args:
        package: The name of one of our packages.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    home, path = Path(semeqv.__file__).parents[1], Path(spec.origin)
    ours = path.parents[1] == home and "semeqv" in path.read_text(encoding="utf-8", errors="replace")
    return None if ours else path
