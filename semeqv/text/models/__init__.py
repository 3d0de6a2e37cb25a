"""Language models of transformers: built from sizes, or opened from wherever they are."""
