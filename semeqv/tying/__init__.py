"""The problems of the tied-embedding study."""
