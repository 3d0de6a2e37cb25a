"""A generated corpus in two invented languages, of which everything is known.

`grammar.Grammar` writes it; `reader.BayesReader` reads it as well as can be, which bounds what any model can do.
"""
