"""HyperOFA: a network that predicts the coordinates of a subword from the vectors of its words."""
