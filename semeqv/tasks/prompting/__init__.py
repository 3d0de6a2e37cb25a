"""Labelled data as prompts and answers: a causal language model without a head is trained to write the labels."""
