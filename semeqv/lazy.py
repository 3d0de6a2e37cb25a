"""Heavy libraries, imported when something of them is first used: `from semeqv.lazy import torch`.

A module that names them so can be imported for its help alone. Type checkers see the libraries themselves. Annotations
must not be evaluated: such a module begins with `from __future__ import annotations`.
"""

import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

__all__ = [
    "Floats",
    "Integers",
    "NDArray",
    "concurrent",
    "exports",
    "functional",
    "http",
    "jsonlines",
    "matplotlib",
    "multiprocessing",
    "nn",
    "no_grad",
    "numpy",
    "packaging",
    "pandas",
    "pyplot",
    "rich",
    "safetensors",
    "scipy",
    "tokenizers",
    "torch",
    "transformers",
    "urllib",
]

if TYPE_CHECKING:
    import concurrent.futures
    import http.client
    import multiprocessing
    import urllib.error
    import urllib.request

    import jsonlines
    import matplotlib
    import matplotlib.axes
    import matplotlib.colors
    import matplotlib.figure
    import numpy
    import packaging.requirements
    import pandas
    import rich
    import rich.console
    import rich.table
    import safetensors
    import safetensors.torch
    import scipy
    import tokenizers
    import torch
    import transformers
    from matplotlib import pyplot
    from numpy.typing import NDArray
    from torch import nn
    from torch.nn import functional

    Floats = NDArray[numpy.float64]
    Integers = NDArray[numpy.int64]
else:
    FIGURES = [
        "artist",
        "axes",
        "axis",
        "collections",
        "colors",
        "figure",
        "font_manager",
        "lines",
        "patches",
        "patheffects",
        "ticker",
    ]

    class Library:
        """A library that is not imported yet.

        When something of it is first used, it is imported, and takes the place of this object in every module that has
        named it: from then on there is nothing in between, neither for speed nor for `torch.compile`.

        Args:
            name: Its name.
            *parts: Its modules that are imported with it.
        """

        def __init__(self, name: str, *parts: str):
            self.__dict__.update(name=name, parts=parts)

        def __getattr__(self, attribute: str) -> Any:
            library = importlib.import_module(self.name)
            for part in self.parts:
                importlib.import_module(f"{self.name}.{part}")
            name = self.name.rpartition(".")[2]
            for module in list(sys.modules.values()):
                if getattr(module, "__dict__", {}).get(name) is self:
                    setattr(module, name, library)
            return getattr(library, attribute)

        def __repr__(self) -> str:
            return f"<library {self.name}>"

    class NDArray:
        """Stands for arrays where types are written, `list[NDArray[numpy.int64]]()` among them."""

        def __class_getitem__(cls, item: Any) -> type:
            return cls

    Floats = Integers = NDArray
    concurrent, http = Library("concurrent", "futures"), Library("http", "client")
    multiprocessing, urllib = Library("multiprocessing"), Library("urllib", "error", "request")
    jsonlines, numpy, packaging = Library("jsonlines"), Library("numpy"), Library("packaging", "requirements")
    matplotlib, pyplot = Library("matplotlib", *FIGURES), Library("matplotlib.pyplot")
    pandas, rich, scipy = (
        Library("pandas"),
        Library("rich", "box", "console", "table", "text"),
        Library("scipy", "stats"),
    )
    safetensors, tokenizers = Library("safetensors", "torch"), Library("tokenizers")
    torch, transformers = Library("torch"), Library("transformers")
    nn, functional = Library("torch.nn"), Library("torch.nn.functional")


def no_grad(function: Callable[P, R]) -> Callable[P, R]:
    """Function decorator: compute without gradients, as `torch.no_grad` does."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **given: P.kwargs) -> R:
        with torch.no_grad():
            return function(*args, **given)

    return wrapped


def exports(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package whose public names are imported when they are first used.

    Args:
        package: Its name.
        modules: By public name, the module of the package that has it.

    Returns:
        What Python calls for a name that the package does not have yet.
    """

    def getattr_of_package(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{modules[name]}"), name)

    return getattr_of_package
