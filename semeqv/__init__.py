"""How language models hold word meaning: one chained command, one Trainer, four studies."""

__version__ = "0.1.0"
