"""Masked bits and their parity: the smallest language in which the distributional hypothesis holds and fails."""
