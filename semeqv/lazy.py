"""Heavy libraries, imported when something of them is first used: `from semeqv.lazy import torch`.

A module that names them so can be imported for its help alone. Type checkers see the libraries themselves.
"""

import importlib
from typing import TYPE_CHECKING, Any

__all__ = ["numpy", "torch", "transformers"]

if TYPE_CHECKING:
    import numpy
    import torch
    import transformers
else:

    class Library:
        """A library that is not imported yet.

        Args:
            name: Its name.
        """

        def __init__(self, name: str):
            self.__dict__["name"] = name

        def __getattr__(self, attribute: str) -> Any:
            return getattr(importlib.import_module(self.name), attribute)

        def __repr__(self) -> str:
            return f"<library {self.name}>"

    numpy, torch, transformers = map(Library, ("numpy", "torch", "transformers"))
