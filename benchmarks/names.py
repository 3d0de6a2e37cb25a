"""The benchmarks, in the order in which they are run."""

NAMES = ("startup", "replicas", "trainer", "step", "control", "tokens", "cache", "backpack", "ofa", "merge", "sweep")
