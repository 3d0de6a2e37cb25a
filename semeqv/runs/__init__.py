"""The engine: a chained command line, a builder-pattern Trainer, runs and checkpoints. It knows no problem."""
