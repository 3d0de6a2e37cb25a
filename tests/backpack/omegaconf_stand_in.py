"""Options as omegaconf pickles them: containers with `_content`, values with `_val`, both with their parents.

The classes say that they live in omegaconf, which is not installed here; `at_home` lets them be pickled.
"""

import sys
from collections import defaultdict
from typing import Any
from unittest import mock


class ContainerMetadata:
    pass


class DictConfig:
    pass


class AnyNode:
    pass


HOMES = {ContainerMetadata: "omegaconf.base", DictConfig: "omegaconf.dictconfig", AnyNode: "omegaconf.nodes"}
for kind, home in HOMES.items():
    kind.__module__ = home


def at_home():
    """Let `import omegaconf` find these classes, for a while."""
    modules = {name: type(sys)(name) for name in ("omegaconf", *HOMES.values())}
    for kind, home in HOMES.items():
        setattr(modules[home], kind.__name__, kind)
    return mock.patch.dict(sys.modules, modules)


def made(value, parent=None):
    """Make the object that omegaconf keeps for a dictionary or a plain value."""
    node = DictConfig() if isinstance(value, dict) else AnyNode()
    metadata = ContainerMetadata()
    metadata.__dict__ = {"ref_type": Any, "object_type": dict, "resolver_cache": defaultdict(dict)}
    node.__dict__ = {"_metadata": metadata, "_parent": parent}
    if isinstance(value, dict):
        node._content = {key: made(each, node) for key, each in value.items()}
    else:
        node._val = value
    return node
