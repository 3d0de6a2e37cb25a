"""Heavy libraries, imported when something of them is first used: `from semeqv.lazy import torch`.

A module that names them so can be imported for its help alone. Type checkers see the libraries themselves. Annotations
must not be evaluated: such a module begins with `from __future__ import annotations`.
"""

import functools
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

__all__ = [
    "Floats",
    "Integers",
    "NDArray",
    "concurrent",
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

    class Library:
        """A library that is not imported yet.

        Args:
            name: Its name.
        """

        def __init__(self, name: str):
            self.__dict__["name"] = name

        def __getattr__(self, attribute: str) -> Any:
            library = importlib.import_module(self.name)
            try:
                return getattr(library, attribute)
            except AttributeError:
                if attribute.startswith("_"):
                    raise
                return importlib.import_module(f"{self.name}.{attribute}")

        def __repr__(self) -> str:
            return f"<library {self.name}>"

    NDArray = Floats = Integers = Any
    concurrent, http, multiprocessing, urllib = map(Library, ("concurrent", "http", "multiprocessing", "urllib"))
    jsonlines, matplotlib, numpy, packaging = map(Library, ("jsonlines", "matplotlib", "numpy", "packaging"))
    pandas, rich, safetensors, scipy = map(Library, ("pandas", "rich", "safetensors", "scipy"))
    tokenizers, torch, transformers = map(Library, ("tokenizers", "torch", "transformers"))
    nn, functional, pyplot = map(Library, ("torch.nn", "torch.nn.functional", "matplotlib.pyplot"))


def no_grad(function: Callable[P, R]) -> Callable[P, R]:
    """Function decorator: compute without gradients, as `torch.no_grad` does."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **given: P.kwargs) -> R:
        with torch.no_grad():
            return function(*args, **given)

    return wrapped
