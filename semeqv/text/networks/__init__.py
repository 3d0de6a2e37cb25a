"""The networks that transformers does not have; importing one registers it with the Auto classes."""
