"""How a model's settings are searched: the space, and the next setting to try. No recbole, no torch."""
