"""The swift reader: columns out of raw bytes by C, pairs out of columns by operations on whole arrays."""
