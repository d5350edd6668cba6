"""Why does the loss not move: checks before training, signs during it, their causes, and remedies that were run."""
