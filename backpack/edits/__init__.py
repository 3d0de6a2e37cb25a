"""Edits of what tokens mean: they compose, they are saved as small files, and taking them back leaves no trace."""
