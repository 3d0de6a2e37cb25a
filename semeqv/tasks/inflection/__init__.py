"""Morphological inflection: from a lemma and features to a form, character by character.

The strongest models trained for the task alone are small Transformers from characters to characters (Wu et al., 2021,
arXiv 2005.10213), an encoder and a decoder. Here features and lemma are the beginning of a text, and a causal language
model continues it by the form: so it takes no model of its own, and any causal model, pretrained or not, a Backpack, or
one that a task vector was added to, is an inflector. Features stand first, so that the lemma is read in their light.

An encoder writes nothing. It tags the characters of the lemma with edits, as taggers of words do, and the form is what
the edits make of the lemma; so a classifier of words on top of any encoder is an inflector, too.
"""
