"""Programs of the peers: each runs in an environment where one of them is installed, and this project is not."""
