"""New vocabularies for pretrained models: OFA, HyperOFA and the methods beside them.

`import ofa` lets the Auto classes of transformers open factorised models. The command line starts without torch: there
they are known once a model is one of them (`semeqv.text.models.families`).
"""

import importlib
import sys

if "semeqv.engine.plugins" not in sys.modules:
    importlib.import_module("ofa.factorised")
