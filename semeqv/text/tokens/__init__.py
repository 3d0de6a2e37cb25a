"""Tokenised corpora on the disk, and batches from them."""
