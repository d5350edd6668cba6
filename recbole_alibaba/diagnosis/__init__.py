"""Why does the loss not move: checks before training, signs during it, causes, remedies that were tried."""
