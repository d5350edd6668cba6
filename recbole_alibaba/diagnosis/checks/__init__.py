"""The checks before training, each a few measures with a verdict: what is enough, what is right, what is not."""
