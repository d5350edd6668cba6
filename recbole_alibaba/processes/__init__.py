"""Several processes that train one model: how they start and end, and what they share in a step."""
