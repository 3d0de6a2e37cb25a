"""The corpora of the study."""
