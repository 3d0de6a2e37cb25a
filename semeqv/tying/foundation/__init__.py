"""The tied-embedding study on foundation models: how close equivalent tokens are in each of their embeddings."""
