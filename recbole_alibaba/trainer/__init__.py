"""Training: named losses, gradient norms, optimiser, warnings after each epoch, the cost of an epoch."""
