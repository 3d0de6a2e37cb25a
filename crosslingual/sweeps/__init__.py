"""Models of a task at many strengths of vectors: what is measured, chosen, joined and shown."""
