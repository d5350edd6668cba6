"""The checks before training. Each returns a verdict for every measure it takes."""
