"""New vocabularies for pretrained models: OFA, HyperOFA and the methods beside them. A study of semeqv.

`import ofa` lets the Auto classes of transformers open factorised models and bags of words. The command line starts
without torch: there they are known once a model is one of them (`semeqv.text.models.families`).
"""

import importlib

from semeqv.grammar import plugins

if not plugins.loading:
    importlib.import_module("ofa.factorised")
    importlib.import_module("ofa.bag.networks")
