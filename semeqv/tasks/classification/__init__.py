"""Labels of words and of texts: data, classifiers and official measures."""
