"""Word vectors: read, written, and made of aligned text."""
