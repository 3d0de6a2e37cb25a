"""This project beside its peers: paired, in one run, agreement asserted before timing."""
