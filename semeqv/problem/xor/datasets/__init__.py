"""The data of the problem."""
