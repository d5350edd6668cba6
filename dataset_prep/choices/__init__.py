"""What is enough to learn from, and which other settings are: each tried on the data."""
