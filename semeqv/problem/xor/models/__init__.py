"""The options of each model; the networks they build are in `semeqv.problem.xor.networks`."""
