"""Finds the plugins: modules that open words of the grammar and name the modules of their components.

A plugin is a module with a function `register(chain)`. Installed packages name theirs in the entry-point group
`semeqv.plugins`; the core's own commands arrive the same way. A source tree that is not installed has them in its
pyproject.toml.
"""

import importlib
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from click import version_option

from semeqv.grammar.chain import Chain
from semeqv.grammar.settings import Settings
from semeqv.runs.notices import warning
from semeqv.version import __version__

GROUP = "semeqv.plugins"
loading = False  # whether packages are imported for their words alone, and should be quick about it


def command() -> Chain:
    """The root command, with the words of every plugin; one that fails is named, and the others go on."""
    chain = Chain(Settings)
    chain.name = "semeqv"
    load(chain)
    version_option(__version__, message="%(prog)s %(version)s")(chain)
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
    for name, own in modules().items():
        if own and not name.startswith("semeqv.") and (path := stranger(name.partition(".")[0])):
            warning(
                f"{path} is not of semeqv but of another package of that name, so that `cli {path.parent.name}` is "
                "missing here. Remove it (pip uninstall backpack-for-pytorch, pip uninstall ofa) and install semeqv "
                "again, or give semeqv a virtual environment of its own."
            )
            continue
        try:
            importlib.import_module(name).register(chain)
        except Exception as error:
            if own:
                raise
            warning(f"The plugin {name} cannot be loaded: {type(error).__name__}: {error}")


def modules() -> dict[str, bool]:
    """Name the plugin modules, those of this project first.

    Returns:
        By name, whether the module is one of this project's.
    """
    points = entry_points(group=GROUP)
    own = [point.value for point in points if point.dist is not None and point.dist.name == "semeqv"]
    if not own:  # a source tree that is not installed
        import tomllib

        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
        own = list(project["project"]["entry-points"][GROUP].values())
    return dict.fromkeys(own, True) | {point.value: point.value in own for point in points}


def stranger(package: str) -> Path | None:
    """Find a package that has the name of one of ours and would be imported in its place.

    `backpack` and `ofa` are also the names of packages on the index (backpack-for-pytorch, ofa). Nothing is imported.

    Args:
        package: The name of one of our packages.

    Returns:
        Its `__init__.py`; None when the package that would be imported is ours.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    home, path = Path(__file__).parents[2], Path(spec.origin)
    ours = path.parents[1] == home and "semeqv" in path.read_text(encoding="utf-8", errors="replace")
    return None if ours else path
