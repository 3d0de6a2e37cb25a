"""The versions of what computes: which are installed, which are supported, and which a saved run had."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, requires, version

from semeqv.lazy import packaging
from semeqv.runs.errors import UserError
from semeqv.runs.notices import notice, warning
from semeqv.version import __version__

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "safetensors", "click")  # they decide the numbers of a run


def versions() -> dict[str, str]:
    """Return the versions of Python, of semeqv and of the packages that decide the numbers of a run."""
    found = {"python": platform.python_version(), "semeqv": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def check_versions() -> None:
    """Compare the packages that are installed with the window of `requirements.txt`.

    A package above the window is named in a warning: nobody has tried it.

    Raises:
        UserError: When a package is missing or older than the window. Older ones have been seen to compute other
            numbers without a word.
    """
    try:
        lines = requires("semeqv") or []
    except PackageNotFoundError:  # run from a checkout that was never installed
        return
    for requirement in map(packaging.requirements.Requirement, lines):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            raise UserError(f"{requirement.name} is not installed. Write: pip install '{requirement}'") from None
        if requirement.specifier.contains(found, prereleases=True):
            continue
        floors = [each for each in requirement.specifier if each.operator in (">=", "==", "~=")]
        if all(each.contains(found, prereleases=True) for each in floors):
            warning(f"{requirement.name} {found} is newer than any that semeqv was tried with ({requirement}).")
        else:
            raise UserError(
                f"{requirement.name} {found} is installed, and semeqv needs {requirement.specifier}. "
                f"Write: pip install '{requirement}'"
            )


def compare_versions(saved: Mapping[str, str], path: object) -> None:
    """Name the versions that a saved run had and this machine has not.

    Args:
        saved: The versions in its run.json.
        path: That file, for the message.
    """
    now = versions()
    differ = [f"{name} {saved[name]}, here {now[name]}" for name in now if saved.get(name, now[name]) != now[name]]
    if differ:
        notice(f"{path} was written with other versions: {'; '.join(differ)}.")
