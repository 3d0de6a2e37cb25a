"""The Trainer, and what it is made of: steps, replicas, processes, precision, optimizers, losses, callbacks."""
