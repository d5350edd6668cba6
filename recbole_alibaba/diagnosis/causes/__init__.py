"""Which causes fit what was seen, which settings may cure them, and which cause comes first; no torch."""
