"""The tied-embedding study on text: common words and their doubles."""
