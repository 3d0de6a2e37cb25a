"""What several studies measure of a language model, and how sure one can be of it."""
