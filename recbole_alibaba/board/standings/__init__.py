"""Which model is best, which cannot be told apart from it, and by which test? From records; no torch, no recbole."""
