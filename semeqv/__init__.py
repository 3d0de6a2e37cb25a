"""How language models hold word meaning: one chained command, one Trainer, four studies."""
