"""The networks, each written once, for one replica."""
