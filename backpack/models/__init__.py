"""Models of the study, by their sizes."""
